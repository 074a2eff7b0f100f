"""Test files: rules tried on records that are kept beside the policy."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from auditor.errors import PolicyError
from auditor.policy.testing.examples_run import ExampleOutcome
from auditor.policy.testing.files import run_test_file
from tests.builders.examples import FREQUENT


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


def test_a_test_may_have_a_time_of_its_own(folder):
    policy = "rules:\n  - {id: fresh, severity: low, assert: {succeeded_at: {newer_than: 1d}}}\n"
    (folder / "times.yaml").write_text(f"policy: times\n{policy}")
    (folder / "times.test.yaml").write_text(
        "tests:\n"
        "  - {given: {}, expect: {fresh: pass}}\n"
        '  - {now: "2026-01-16T11:40:01Z", given: {}, expect: {fresh: fail}}\n'
        "  - {now: 2026-01-16T11:40:00Z, given: {}, expect: {fresh: pass}}\n"
    )
    outcomes = run_test_file(folder / "times.test.yaml")
    assert [outcome.passed for outcome in outcomes] == [True, True, True]


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
        ("{now: today, expect: {runs: pass}}", "2:11: now: takes a time with a zone"),
        ("{now: [], expect: {runs: pass}}", "2:11: now: takes a time with a zone"),
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
        ("tests:\n  runs: [{expect: pass}]\n", "tests: takes a list here, and each test names"),
        ("- 7\n", "a test file is a mapping"),
        ("policy: hose.yaml\ntests: [{expect: {runs: pass}}]\n", "no such file"),
        ("policy: basline\ntests: [{expect: {runs: pass}}]\n", "did you mean baseline?"),
        ("rules: []\ntests: [{expect: {runs: pass}}]\n", "a test file has no key rules"),
        ("tests: {a: 1, a: 2}\n", "appears twice"),
        ("tests: [\n", "not YAML"),
        (
            "tests:\n  - {name: a, expect: {runs: pass}}\n  - {name: a, expect: {runs: pass}}\n",
            "a test called a already exists at house.test.yaml:2:5",
        ),
    ],
)
def test_what_is_wrong_with_a_test_file(folder, text, told):
    assert any(told in problem for problem in problems(folder, text))


@pytest.mark.parametrize(
    ("name", "told"), [("house", "write policy: house.yaml"), ("hose", "paths are relative")]
)
def test_a_file_named_like_a_pack_is_told_how_to_be_named(folder, name, told):
    with pytest.raises(PolicyError) as error:
        from_file(folder, f"policy: {name}\ntests: [{{expect: {{runs: pass}}}}]\n")
    assert told in error.value.problems[0].hint


def test_every_problem_of_a_file_is_reported_at_once(folder):
    found = problems(folder, "tests:\n  - {given: {pausd: 1}, expect: {runs: x}}\n  - 7\n")
    assert len(found) == 3


def test_a_file_without_a_policy_beside_it_says_so(folder):
    with pytest.raises(PolicyError, match=r"there is no policy alone\.yaml beside this file"):
        from_file(folder, "tests:\n  - {expect: {runs: pass}}\n", "alone.test.yaml")


_TIERED = """\
policy: tiered
extra_fields: [brand_new]
facts:
  tiers: {key: schema, columns: {tier: integer}, rows: {orders: {tier: 1}}}
rules:
  - {id: t, severity: low, assert: {tiers.tier: {lte: 2}}}
  - {id: new, severity: low, assert: {brand_new: {exists: true}}}
"""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("given: {tiers.teir: 1}", "no field is called tiers.teir (did you mean tiers.tier?)"),
        ("given: {tiers: {teir: 1}}", "no field is called tiers.teir (did you mean tiers.tier?)"),
        ('given: {tiers: {tier: "1"}}', "tiers.tier takes a whole number"),
        ("given: {tiers: 1}", "tiers has columns"),
        ("without: [tiers.teir]", "no field is called tiers.teir (did you mean tiers.tier?)"),
        ("given: {brand_old: 1}", "no field is called brand_old"),
        ("record: {id: c, tiers: {teir: 1}}", "no field is called tiers.teir"),
        ("record: [{id: c}, {id: d, tiers: {tier: [1]}}]", "tiers.tier takes a whole number"),
    ],
)
def test_a_test_names_the_policy_s_own_facts_as_they_are(tmp_path: Path, given: str, told: str):
    (tmp_path / "p.yaml").write_text(_TIERED)
    path = tmp_path / "p.test.yaml"
    path.write_text(f"tests:\n  - {given}\n    expect: {{t: pass}}\n")
    if not given.startswith("record: {"):
        path.write_text(f"tests:\n  - {{{given}, expect: {{t: pass}}}}\n")
    with pytest.raises(PolicyError) as caught:
        run_test_file(path)
    assert told in str(caught.value)


def test_a_test_may_hold_a_policy_s_own_facts_and_fields(tmp_path: Path):
    (tmp_path / "p.yaml").write_text(_TIERED)
    path = tmp_path / "p.test.yaml"
    path.write_text(
        "tests:\n"
        "  - {name: a, given: {tiers.tier: 1}, expect: {t: pass}}\n"
        "  - {name: b, given: {tiers: {tier: 3}, brand_new: 1}, expect: {t: fail, new: pass}}\n"
        "  - {name: c, given: {tiers: null}, expect: {t: error}}\n"
        "  - {name: d, record: {id: c, pausd: 1, tiers: {tier: 1}}, expect: {t: pass}}\n"
    )
    outcomes = run_test_file(path)
    assert [outcome.passed for outcome in outcomes] == [True] * 5
