"""Tests of rules: what passes, what fails, and what is wrong with a test itself."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import PolicyError
from auditor.model import Verdict
from auditor.policy.loading.examples import HEALTHY, NOW, laid_over
from auditor.policy.loading.load import load
from auditor.policy.testing.examples_run import ExampleOutcome, gaps, run_examples
from auditor.policy.testing.files import run_test_file

FREQUENT = """\
policy: house
vars: {floor: 15, private: [PrivateLink]}
rules:
  - id: not-too-often
    severity: low
    when: {schedule_type: auto, any: [{service: {var: private}}, {id: {exists: true}}]}
    assert: {sync_frequency: {gte: {var: floor}}}
    message: "{schema} syncs every {sync_frequency} minutes"
    tests:
"""
GROUPS = """\
policy: house
rules:
  - id: logged
    severity: low
    per: group_id
    when: {service: fivetran_log}
    assert: {count: {gte: 1}}
    tests:
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def beside(folder: Path, policy: str, *tests: str) -> tuple[ExampleOutcome, ...]:
    """Run ``tests`` beside the last rule of ``policy``."""
    rows = "".join(f"      - {test}\n" for test in tests)
    (folder / "house.yaml").write_text(policy + rows)
    return run_examples(load(["./house.yaml"]))


def from_file(folder: Path, text: str, name: str = "house.test.yaml") -> tuple[ExampleOutcome, ...]:
    """Run a test file of a policy with two rules."""
    (folder / "house.yaml").write_text(
        FREQUENT.replace("    tests:\n", "")
        + "  - {id: runs, severity: low, assert: {paused: false}}\n"
    )
    (folder / name).write_text(dedent(text))
    return run_test_file(Path(name))


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        from_file(folder, text)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("test", "got", "passed"),
    [
        ("{given: {sync_frequency: 5}, expect: fail}", Verdict.FAIL, True),
        ("{given: {sync_frequency: 5}, expect: pass}", Verdict.FAIL, False),
        ("{given: {sync_frequency: 15}, expect: pass}", Verdict.PASS, True),
        ("{given: {sync_frequency: null}, expect: error}", Verdict.ERROR, True),
        ("{given: {sync_frequency: null}, expect: fail}", Verdict.ERROR, False),
        ("{without: [sync_frequency], expect: error}", Verdict.ERROR, True),
        ("{given: {schedule_type: manual}, expect: skip}", Verdict.SKIP, True),
        ("{given: {schedule_type: manual}, expect: pass}", Verdict.SKIP, False),
        ("{expect: pass}", Verdict.PASS, True),
    ],
)
def test_a_verdict_is_compared(folder, test, got, passed):
    (outcome,) = beside(folder, FREQUENT, test)
    assert (outcome.got, outcome.passed) == (got, passed)
    assert outcome.rule.id == "not-too-often"


def test_a_message_is_compared_to_the_letter(folder):
    right, wrong = beside(
        folder,
        FREQUENT,
        "{given: {sync_frequency: 5}, expect: fail, message: orders syncs every 5 minutes}",
        "{given: {sync_frequency: 5}, expect: fail, message: orders syncs every 5 minute}",
    )
    assert right.passed
    assert not wrong.passed
    assert wrong.got is Verdict.FAIL
    assert wrong.messages == ("orders syncs every 5 minutes",)


def test_an_outcome_tells_where_what_and_why(folder):
    (outcome,) = beside(
        folder, FREQUENT, "{given: {sync_frequency: 5}, without: [paused], expect: pass}"
    )
    assert str(outcome.position) == "house.yaml:10:9"
    assert outcome.example.given.text == "{sync_frequency: 5} without paused"
    assert outcome.findings[0].evidence[0].actual == "5"


@pytest.mark.parametrize(
    ("test", "got"),
    [
        ("{given: [{service: fivetran_log}], expect: pass}", Verdict.PASS),
        ("{given: [{service: postgres}], expect: fail}", Verdict.FAIL),
        # One group that has none is a failure, whatever the others have.
        ("{given: [{service: fivetran_log}, {group_id: other}], expect: pass}", Verdict.FAIL),
        ("{given: [{group_id: null}, {service: postgres}], expect: fail}", Verdict.ERROR),
        ("{given: [], expect: skip}", Verdict.SKIP),
    ],
)
def test_of_several_groups_the_most_serious_verdict_counts(folder, test, got):
    (outcome,) = beside(folder, GROUPS, test)
    assert outcome.got is got


def test_records_of_a_group_get_ids_of_their_own(folder):
    (outcome,) = beside(folder, GROUPS, "{given: [{}, {id: mine}, {}], expect: fail}")
    ids = [record["id"] for record in outcome.example.given.records]
    assert ids == ["sample_connection_1", "mine", "sample_connection_3"]


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("{given: {sync_frequncy: 5}, expect: fail}", "10:18: no field is called sync_frequncy"),
        ("{given: {status: {setup: x}}, expect: fail}", "10:27: no field is called status.setup"),
        ("{without: [pausd], expect: fail}", "10:20: no field is called pausd"),
        ("{given: {paused: true}, expect: failed}", "10:41: a test expects a verdict"),
        ("{given: {paused: true}}", "10:9: a test expects a verdict"),
        ("{given: [{}], expect: fail}", "10:17: given: takes the fields of one record"),
        ("{gven: {}, expect: fail}", "10:10: a test has no key gven (did you mean given?)"),
        ("{expect: pass, message: hm}", "10:33: only a fail or an error has a message"),
        ("{expect: fail, message: 5}", "10:33: message: takes a text"),
        ("{without: paused, expect: fail}", "10:19: without: takes a list of paths"),
        ("fail", "10:9: a test is a mapping"),
    ],
)
def test_what_is_wrong_with_an_example_is_said_with_its_place(folder, test, told):
    with pytest.raises(PolicyError) as caught:
        beside(folder, FREQUENT, test)
    assert f"house.yaml:{told}" in str(caught.value)


def test_an_example_may_set_what_the_policy_declares_and_what_is_open(folder):
    policy = FREQUENT.replace("vars:", "extra_fields: [owner]\nvars:")
    outcomes = beside(
        folder,
        policy,
        "{given: {owner: {name: me}, config.anything.deep: 1, config: {more: 2}}, expect: pass}",
    )
    assert outcomes[0].passed


def test_gaps_are_the_verdicts_no_example_expects(folder):
    policy = FREQUENT + "      - {expect: pass}\n"
    policy += "  - {id: untested, severity: low, assert: {paused: false}}\n"
    policy += GROUPS.partition("rules:\n")[2] + "      - {given: [], expect: skip}\n"
    (folder / "house.yaml").write_text(policy)
    loaded = load(["./house.yaml"])
    found = {gap.rule.id: gap for gap in gaps(loaded, run_examples(loaded))}
    assert found["not-too-often"].missing == (Verdict.FAIL, Verdict.SKIP)
    assert found["untested"].missing == (Verdict.FAIL, Verdict.PASS)
    assert found["untested"].untested
    # A count cannot skip, so none is missed.
    assert found["logged"].missing == (Verdict.FAIL, Verdict.PASS)


# -- test files -----------------------------------------------------------------------------------


def test_a_file_tests_several_rules_with_its_own_variables(folder):
    outcomes = from_file(
        folder,
        """
        tests:
          - name: hourly and running
            given: {sync_frequency: 60}
            expect: {not-too-often: pass, runs: pass}
          - name: every five minutes is too much
            given: {sync_frequency: 5, paused: true}
            expect: {not-too-often: fail, runs: fail}
          - name: unless the floor is lower
            vars: {floor: 5, private: [SshTunnel, PrivateLink]}
            given: {sync_frequency: 5}
            expect: {not-too-often: pass}
        """,
    )
    assert [outcome.got.label for outcome in outcomes] == ["pass", "pass", "fail", "fail", "pass"]
    assert all(outcome.passed for outcome in outcomes)
    assert [str(outcome.position) for outcome in outcomes][:2] == [
        "house.test.yaml:5:14",
        "house.test.yaml:5:35",
    ]
    assert outcomes[4].example.name == "unless the floor is lower"


def test_a_whole_record_has_nothing_of_the_healthy_one(folder):
    outcomes = from_file(
        folder,
        """
        policy: house.yaml
        tests:
          - record: {id: a, schedule_type: auto, sync_frequency: 60}
            expect: {not-too-often: pass, runs: error}
          - record: [{id: a, paused: false}, {id: b, paused: true}]
            expect: {runs: fail}
        """,
        "other.test.yaml",
    )
    assert [outcome.passed for outcome in outcomes] == [True, True, True]
    assert outcomes[0].example.given.text.startswith("the record {id:")


def test_a_saved_record_shows_no_credential(folder):
    token = "eyJhbGciOiJub25lIn0.eyJzYW5kYm94Ijp0cnVlfQ.not-a-signature"
    (outcome,) = from_file(
        folder,
        f"""
        tests:
          - record: {{id: a, paused: true, connect_card: {{token: {token}}}}}
            expect: {{runs: fail}}
        """,
    )
    assert outcome.example.given.text.endswith("connect_card: {token: [redacted]}}")


def test_a_message_is_that_of_the_rule_that_fails(folder):
    outcomes = from_file(
        folder,
        """
        tests:
          - given: {sync_frequency: 5}
            expect: {not-too-often: fail, runs: pass}
            message: orders syncs every 5 minutes
        """,
    )
    assert [outcome.passed for outcome in outcomes] == [True, True]


def test_a_file_may_test_a_pack(folder):
    (outcome,) = from_file(
        folder,
        """
        policy: baseline
        tests:
          - given: {sync_frequency: 5}
            vars: {sync_floor: 5}
            expect: {sync-frequency-bounds: pass}
        """,
    )
    assert outcome.passed


@pytest.mark.parametrize(
    ("test", "told"),
    [
        (
            "{expect: {not-too-oftn: pass}}",
            "2:15: no rule in force is called not-too-oftn (did you mean not-too-often?)",
        ),
        ("{vars: {flor: 5}, expect: {runs: pass}}", "2:12: flor: no policy in force declares it"),
        ("{vars: {floor: x}, expect: {runs: pass}}", "2:12: floor: takes a number"),
        ("{vars: {floor: {a: 1}}, expect: {runs: pass}}", "2:20: floor: takes a value"),
        ("{expect: {runs: passes}}", "2:21: a test expects a verdict"),
        ("{expect: pass}", "2:14: expect: takes each rule with its verdict"),
        ("{given: {}}", "2:5: expect: takes each rule with its verdict"),
        ("{given: {pausd: true}, expect: {runs: pass}}", "did you mean paused?"),
        ("{record: {id: a}, given: {}, expect: {runs: pass}}", "record: is a whole record"),
        ("{record: 7, expect: {runs: pass}}", "2:14: record: takes a record, or a list"),
        ("{expected: {runs: pass}}", "2:6: a test has no key expected (did you mean expect?)"),
        ("{name: 7, expect: {runs: pass}}", "2:12: name: takes a text (quote it)"),
        ("{expect: {runs: pass}, message: hm}", "only a fail or an error has a message"),
        ("7", "2:5: a test is a mapping"),
    ],
)
def test_what_is_wrong_in_a_test_file_is_said_with_its_place(folder, test, told):
    (problem,) = problems(folder, f"tests:\n  - {test}\n")
    assert problem.startswith("house.test.yaml:2:")
    assert told in problem


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("policy: house.yaml\n", "a test file needs tests: with at least one test"),
        ("tests: []\n", "a test file needs tests: with at least one test"),
        ("- 7\n", "a test file is a mapping"),
        ("policy: hose.yaml\ntests: [{expect: {runs: pass}}]\n", "no such file"),
        ("policy: basline\ntests: [{expect: {runs: pass}}]\n", "did you mean baseline?"),
        ("rules: []\ntests: [{expect: {runs: pass}}]\n", "a test file has no key rules"),
        ("tests: {a: 1, a: 2}\n", "stands twice"),
        ("tests: [\n", "not YAML"),
        (
            "tests:\n  - {name: a, expect: {runs: pass}}\n  - {name: a, expect: {runs: pass}}\n",
            "a test called a stands at house.test.yaml:2:5 already",
        ),
    ],
)
def test_what_is_wrong_with_a_test_file(folder, text, told):
    assert any(told in problem for problem in problems(folder, text))


def test_every_problem_of_a_file_is_told_at_once(folder):
    found = problems(folder, "tests:\n  - {given: {pausd: 1}, expect: {runs: x}}\n  - 7\n")
    assert len(found) == 3


def test_a_file_without_a_policy_beside_it_says_so(folder):
    with pytest.raises(PolicyError, match=r"no policy alone\.yaml stands beside this file"):
        from_file(folder, "tests:\n  - {expect: {runs: pass}}\n", "alone.test.yaml")


# -- the healthy record ---------------------------------------------------------------------------

paths = st.sampled_from(["paused", "status.setup_state", "status.tasks", "config.host", "config"])
values = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())


@given(st.dictionaries(paths, values, max_size=4), st.lists(paths, max_size=3))
@settings(max_examples=200, deadline=None)
def test_what_is_given_is_there_and_what_is_left_out_is_not(given_fields, without):
    before = repr(HEALTHY)
    record = laid_over(given_fields, tuple(without))
    assert repr(HEALTHY) == before
    overwritten = {"config.host"} if "config" in given_fields else set()
    for path, value in given_fields.items():
        gone = path in without or any(path.startswith(f"{left}.") for left in without)
        if not gone and path not in overwritten and path != "config":
            assert _at(record, path) == value
    for path in without:
        assert _at(record, path) == "nothing"


def test_objects_are_merged_and_lists_replaced():
    record = laid_over({"status": {"setup_state": "broken"}, "setup_tests": [{"title": "one"}]})
    assert record["status"]["sync_state"] == "scheduled"
    assert record["setup_tests"] == [{"title": "one"}]


def test_the_clock_stands_still():
    assert NOW.isoformat() == "2026-01-15T12:00:00+00:00"


def _at(record: object, path: str) -> object:
    for step in path.split("."):
        if not isinstance(record, dict) or step not in record:
            return "nothing"
        record = record[step]
    return record
