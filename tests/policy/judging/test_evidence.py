"""What findings say: in English, about the field that decided, and nothing hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auditor.decoding.gaps import Gap, Lack
from auditor.decoding.json_values import MISSING, Unread
from auditor.decoding.records import Shape
from auditor.model import Connections, Finding
from auditor.policy.judging.evidence import Clause, advice, covers
from auditor.policy.judging.judge import Judge, PlanMode
from tests.builders.judged import NOW, findings_of, loaded, named, one_rule

BASE = {"id": "c", "schema": "Orders", "service": "postgres", "sync_frequency": 5, "paused": True}


def _finding(folder: Path, body: str, head: str = "", **held: Any) -> Finding:
    rules = loaded(folder, one_rule(body, head=head)).ruleset
    (finding,) = findings_of(rules, [BASE | held])
    return finding


@pytest.mark.parametrize(
    ("assertion", "held", "message"),
    [
        (
            "{sync_frequency: {gte: 15, lte: 1440}}",
            {},
            "sync_frequency is 5, expected at least 15",
        ),
        (
            "{sync_frequency: {gte: 15, lte: 1440}}",
            {"sync_frequency": None},
            "cannot be judged: sync_frequency is null, expected at least 15 and at most 1440",
        ),
        (
            "{sync_frequency: {gte: 15}}",
            {"sync_frequency": "60"},
            "cannot be judged: sync_frequency is 60 (text), expected a number, at least 15",
        ),
        (
            "{service_version: {gte: 1}}",
            {},
            "cannot be judged: service_version is missing, expected at least 1",
        ),
        ("{schema: {exists: false}}", {}, "schema is Orders, expected no value"),
        ("{schema: {is_empty: true}}", {}, "schema is Orders, expected empty"),
        (
            "{schema: {starts_with: raw_}}",
            {"schema": ""},
            'schema is "", expected a value that starts with raw_',
        ),
        (
            "{not: {schema: {starts_with: O}}}",
            {},
            "schema is Orders, expected a value that does not start with O",
        ),
        (
            "{any: [{paused: false}, {schema: x}]}",
            {},
            "paused is true, expected false; or schema is Orders, expected x",
        ),
        (
            "{all: [{paused: false}, {schema: x}]}",
            {},
            "paused is true, expected false; schema is Orders, expected x",
        ),
        (
            "{setup_tests: {none_items: {status: FAILED}}}",
            {"setup_tests": [{"status": "PASSED"}, {"status": "FAILED"}]},
            (
                "setup_tests holds status FAILED (item 2 of 2),"
                " expected no item where status is FAILED"
            ),
        ),
        (
            "{not: {setup_tests: {any_item: {status: FAILED}}}}",
            {"setup_tests": [{"status": "PASSED"}, {"status": "FAILED"}]},
            (
                "setup_tests holds status FAILED (item 2 of 2),"
                " expected no item where status is FAILED"
            ),
        ),
        (
            "{setup_tests: {any_item: {status: FAILED}}}",
            {"setup_tests": []},
            "setup_tests holds no item, expected an item where status is FAILED",
        ),
        (
            "{setup_tests: {all_items: {status: PASSED}}}",
            {"setup_tests": [{"status": "FAILED"}] * 5},
            (
                "setup_tests holds status FAILED (item 1 of 5), status FAILED (item 2 of 5),"
                " status FAILED (item 3 of 5) and 2 more,"
                " expected only items where status is PASSED"
            ),
        ),
        (
            "{setup_tests: {none_items: {status: FAILED}}}",
            {"setup_tests": {}},
            (
                "cannot be judged: setup_tests is an object, expected an array,"
                " no item where status is FAILED"
            ),
        ),
        (
            "{succeeded_at: {newer_than: 7d}}",
            {"succeeded_at": "yesterday"},
            (
                "cannot be judged: succeeded_at is yesterday (no timestamp that can be read),"
                " expected not older than 7d"
            ),
        ),
        (
            "{succeeded_at: {newer_than: 7d}}",
            {"succeeded_at": "2027-01-01T00:00:00Z"},
            (
                "cannot be judged: succeeded_at is 2027-01-01T00:00:00Z (in the future),"
                " expected not older than 7d"
            ),
        ),
        (
            "{succeeded_at: {after: {field: failed_at}}}",
            {"succeeded_at": "2026-01-01T00:00:00Z", "failed_at": "2026-01-02T00:00:00Z"},
            (
                "succeeded_at is 2026-01-01T00:00:00Z, expected after failed_at"
                " (failed_at is 2026-01-02T00:00:00Z)"
            ),
        ),
        (
            "{succeeded_at: {before: now-1d}}",
            {"succeeded_at": "2026-01-15T00:00:00Z"},
            "succeeded_at is 2026-01-15T00:00:00Z, expected before 1d ago",
        ),
        (
            "{config.port: {gte: 1}}",
            {"config": {"port": "x"}},
            "cannot be judged: config.port is [hidden] (text), expected a number, at least 1",
        ),
        (
            "{schema: {length: {gt: 8}}}",
            {},
            "schema is of length 6, expected a length of more than 8",
        ),
        (
            "{service_version: 1}",
            {"service_version": int("9" * 400)},
            (
                "cannot be judged: service_version is a number out of range (a number),"
                " expected a number, 1"
            ),
        ),
    ],
)
def test_what_a_finding_says(
    tmp_path: Path, assertion: str, held: dict[str, Any], message: str
) -> None:
    assert _finding(tmp_path, f"assert: {assertion}", **held).message == message


def test_a_time_ahead_and_what_is_unreadable_are_told_where_they_are_the_cause(
    tmp_path: Path,
) -> None:
    later = "{succeeded_at: {before: {field: created_at}}, status.setup_state: {equals: connected}}"
    held = {"succeeded_at": "2099-01-01T00:00:00Z", "status": "x"}
    assert _finding(tmp_path, f"assert: {later}", **held).message == (
        "cannot be judged: succeeded_at is 2099-01-01T00:00:00Z, expected before created_at"
        " (created_at is missing); status.setup_state is not to be read: status is text, not an"
        " object, expected connected"
    )


def test_a_when_that_cannot_be_judged_is_what_the_finding_is_about(tmp_path: Path) -> None:
    finding = _finding(tmp_path, "when: {service_version: {gt: 1}}\nassert: {paused: false}")
    assert finding.message == "cannot be judged: service_version is missing, expected more than 1"
    assert [e.field for e in finding.evidence] == ["service_version"]


def test_missing_is_not_null_below_an_object_that_is_read_whole(tmp_path: Path) -> None:
    body = "assert: {config: {is_empty: false}, config.x: 1}"
    assert _finding(tmp_path, body, config={"y": 1}).evidence[0].actual == "missing"
    assert _finding(tmp_path, body, config={"x": None}).evidence[0].actual == "null"


def test_only_what_decided_is_told(tmp_path: Path) -> None:
    neither = "assert: {not: {any: [{paused: true}, {schema: x}]}}"
    assert [e.field for e in _finding(tmp_path, neither).evidence] == ["paused"]
    both = "assert: {all: [{paused: true}, {schema: x}]}"
    assert [e.field for e in _finding(tmp_path, both).evidence] == ["schema"]


def test_a_named_condition_that_is_denied_is_told_as_its_contrary(tmp_path: Path) -> None:
    head = "conditions: {ours: {any: [{paused: true}, {schema: {starts_with: O}}]}}\n"
    finding = _finding(tmp_path, "assert: {not: {condition: ours}}", head)
    assert finding.message == (
        "paused is true, expected not true; schema is Orders, expected a value that does not start"
        " with O"
    )
    finding = _finding(tmp_path, "assert: {condition: ours}", head, paused=False, schema="x")
    assert finding.message == (
        "paused is false, expected true; schema is x, expected a value that starts with O"
    )


def test_a_rule_with_a_message_of_its_own_advises_nothing_where_it_fails(tmp_path: Path) -> None:
    finding = _finding(tmp_path, "assert: {paused: false}\nmessage: '{schema} is paused'")
    assert (finding.message, finding.advice) == ("Orders is paused", "")
    assert [e.actual for e in finding.evidence] == ["true"]


def test_equal_values_of_which_others_are_hidden_are_told_apart(tmp_path: Path) -> None:
    body = "assert: {schema: {starts_with: x}, service: s3}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    shape = Shape(*rules.reads())
    hidden = {0: frozenset({"schema"}), 1: frozenset({"service"}), 2: frozenset({"schema"})}
    judge = Judge(rules, shape, NOW, str, PlanMode(hidden=hidden))
    judge.take([shape.convert(BASE)] * 3)
    names = named(*(f"c{n}" for n in range(3)))
    found = judge.outcome(lambda _rule: True).findings(names)
    assert [[e.actual for e in f.evidence] for f in found] == [
        ["[sensitive]", "postgres"],
        ["Orders", "[sensitive]"],
        ["[sensitive]", "postgres"],
    ]
    assert found[0].alike == found[2].alike != found[1].alike


def test_equal_evidence_is_told_once(tmp_path: Path) -> None:
    either = "{any: [{paused: false}, {schema: x}]}"
    finding = _finding(tmp_path, f"assert: {{all: [{either}, {either}]}}")
    assert len(finding.evidence) == 2


def test_true_one_and_one_point_zero_are_told_apart(tmp_path: Path) -> None:
    rules = loaded(tmp_path, one_rule("assert: {service_version: 7}")).ruleset
    records = [BASE | {"service_version": value} for value in (1, True, 1.0, "1")]
    actual = [f.evidence[0].actual for f in findings_of(rules, records)]
    assert actual == ["1", "true (a boolean)", "1.0", "1 (text)"]


def test_a_failure_and_an_error_of_the_same_values_differ_by_their_when(tmp_path: Path) -> None:
    rules = loaded(tmp_path, one_rule("assert: {paused: false}\nmessage: '{schema} is paused'"))
    records = [BASE, BASE | {"schema": "b"}, BASE | {"paused": "x"}]
    told = [f.message for f in findings_of(rules.ruleset, records)]
    assert told[:2] == ["Orders is paused", "b is paused"]
    assert told[2].startswith("cannot be judged: paused is x (text)")


def test_an_error_asks_for_all_that_cannot_be_judged_and_a_failure_for_any(tmp_path: Path) -> None:
    either = "assert: {any: [{service_version: {gt: 1}}, {sync_frequency: {gt: 90}}]}"
    assert _finding(tmp_path, either, sync_frequency="x").message == (
        "cannot be judged: service_version is missing, expected more than 1;"
        " sync_frequency is x (text), expected a number, more than 90"
    )
    held = {"service_version": 1}
    assert _finding(tmp_path, either, **held).message == (
        "service_version is 1, expected more than 1; or sync_frequency is 5, expected more than 90"
    )


def test_values_that_differ_in_one_field_are_told_apart(tmp_path: Path) -> None:
    body = "assert: {paused: false, schema: {starts_with: raw_}}"
    rules = loaded(tmp_path, one_rule(body)).ruleset
    told = [f.message for f in findings_of(rules, [BASE | {"schema": n} for n in ("a", "b")])]
    assert [text.rpartition("; ")[2].partition(",")[0] for text in told] == [
        "schema is a",
        "schema is b",
    ]


def test_a_check_that_applies_and_cannot_be_judged_is_about_its_assertion(tmp_path: Path) -> None:
    body = "when: {any: [{paused: true}, {schema: x}]}\nassert: {service_version: {gt: 1}}"
    finding = _finding(tmp_path, body)
    assert [e.field for e in finding.evidence] == ["service_version"]


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        ("config", True), ("config.host", True), ("config[].x", True), ("configured", False),
        ("schema_config.tables[].name", True), ("schema_config.tables", True),
        ("schema_config", False), ("schema_config.tables_of_others", False),
    ],
)  # fmt: skip
def test_what_is_hidden_covers_what_is_below_it_and_nothing_beside(path: str, hidden: bool) -> None:
    assert covers({"config", "schema_config.tables"}, path) is hidden


@pytest.mark.parametrize(
    ("failed", "shown", "more"), [(1, 1, ""), (3, 3, ""), (4, 3, "1 more"), (6, 3, "3 more")]
)
def test_three_items_that_decided_are_told_and_the_others_counted(
    tmp_path: Path, failed: int, shown: int, more: str
) -> None:
    body = "assert: {setup_tests: {none_items: {status: FAILED}}}"
    items = [{"status": "FAILED" if n < failed else "PASSED"} for n in range(6)]
    actual = _finding(tmp_path, body, setup_tests=items).evidence[0].actual
    assert actual.count(" of 6)") == shown
    assert actual.endswith(f" and {more}" if more else ")")


# -- secrets --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "assertion",
    [
        "{config.password: {equals: other}}",
        "{config.password: {length: {gt: 90}}}",
        "{config.password: {starts_with: other}}",
        "{config.list: {none_items: {token: {exists: true}}}}",
        "{config.list: {any_item: {item: {equals: other}}}}",
        "{config.password: {gt: 3}}",
    ],
)
@pytest.mark.parametrize("reveal", ["", "reveal: [config.password, config.list]\n"])
def test_nothing_of_a_secret_is_told(tmp_path: Path, assertion: str, reveal: str) -> None:
    held = {"password": "hunter2hunter2", "list": [{"token": "hunter2hunter2"}]}
    body = f"assert: {assertion}\nmessage: '{{config.password}}'"
    for text in (body, body.partition("\n")[0]):
        told = repr(_finding(tmp_path, text, reveal, config=held)).replace(str(tmp_path), "")
        assert "hunter" not in told
        assert "14" not in told


def test_a_credential_is_a_marker(tmp_path: Path) -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.e30.x"
    body = "assert: {connect_card.token: {exists: false}}"
    finding = _finding(tmp_path, body, connect_card={"token": token})
    assert finding.evidence[0].actual == "[redacted]"


# -- messages -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ("2026-10-30T09:11:50.347937Z", "2026-10-30T09:11:50Z"),
        ("2026-10-30T09:11:50.3+02:00", "2026-10-30T09:11:50+02:00"),
        ("2026-10-30T09:11:50Z", "2026-10-30T09:11:50Z"),
        ("v1.25Z", "v1.25Z"),
        ("at 2026-10-30T09:11:50.3Z", "at 2026-10-30T09:11:50.3Z"),
    ],
)
def test_a_message_tells_times_to_the_second_and_evidence_as_they_are(
    tmp_path: Path, held: str, told: str
) -> None:
    body = "assert: {schema: x}\nmessage: 'last at {schema}'"
    finding = _finding(tmp_path, body, schema=held)
    assert finding.message == f"last at {told}"
    assert finding.evidence[0].actual == held


def test_what_could_not_be_read_is_advised_by_its_reason() -> None:
    """Nobody can ask the record for another value: the reason says what to do."""
    told = str(Unread("403 at /v1/users; allow the key to read it"))
    clause = Clause("owner", "is", told, "", "a value")
    assert advice(clause) == "owner could not be read: 403 at /v1/users; allow the key to read it"


@pytest.mark.parametrize(
    ("clause", "told"),
    [
        (
            Clause("a", "is", "missing", "", "1"),
            (
                "a is missing: write a: {exists: true} in the rule's when to skip such"
                " connections, or"
                " in its assert to fail them"
            ),
        ),
        (
            Clause("a", "is", "null", "", "1"),
            (
                "a is null: write a: {exists: true} in the rule's when to skip such connections, or"
                " in its assert to fail them"
            ),
        ),
        (
            Clause("", "is", "null", "", "1"),
            (
                "the item is null: write the item: {exists: true} in the rule's when to skip such"
                " connections, or in its assert to fail them"
            ),
        ),
        (
            Clause("a", "is", "2030-01-01 (in the future)", "", "older than 1d"),
            (
                "a is ahead of the time that the run judges by: set this machine's clock, or pass"
                " --now, or use before and after for a time that may be in the future"
            ),
        ),
        (
            Clause("a", "is", "5", "text", "x"),
            "a is not text: test for what the API sends there, or skip it in when",
        ),
        (
            Clause("a", "is", "5", "", "x"),
            "a cannot be compared as the rule asks: test for what the API sends there",
        ),
        (
            Clause("a", "is", "known after apply", "", "x", unknown=True),
            "a is known after apply, or pass --on-unknown skip",
        ),
        (
            Clause("plan.action", "is", "missing", "", "create"),
            (
                "plan.* comes only from a Terraform plan: write exists: true in the rule's when,"
                " and"
                " the rule skips the connections of a listing"
            ),
        ),
    ],
)
def test_what_is_advised_is_what_mends_the_cause(clause: Clause, told: str) -> None:
    assert advice(clause) == told


def test_what_only_a_plan_tells_of_schemas_is_advised_as_that() -> None:
    for field in ("schema_config", "schema_config.tables", "schema_config.tables.enabled"):
        assert advice(Clause(field, "is", "missing", "", "x")) == (
            "schema_config.* comes only from a Terraform plan: for a live connection it would take"
            " a request each (GET /v1/connections/ID/schemas), which is not made; write exists:"
            " true in the rule's when"
        )


def test_what_is_there_of_what_only_a_plan_tells_is_advised_as_any_other_field() -> None:
    assert advice(Clause("plan.action", "is", "null", "", "create")).startswith(
        "plan.action is null: write plan.action: {exists: true}"
    )


@pytest.mark.parametrize(
    ("assertion", "held", "wants"),
    [
        ("{config.a: x}", [1], "a text, number or boolean"),
        ("{sync_frequency: {gte: 1}}", "x", "a number"),
        ("{schema: {starts_with: x}}", 5, "text"),
        ("{config.a: {contains: x}}", 5, "text or an array"),
        ("{setup_tests: {any_item: {status: x}}}", 5, "an array"),
        ("{paused: true}", 5, "true or false"),
        ("{config.a: {is_empty: true}}", 5, "a text, an array or an object"),
        ("{status: {length: {gte: 1}}}", "x", "an object"),
    ],
)
def test_a_wrong_type_is_told_with_the_one_that_is_wanted(
    tmp_path: Path, assertion: str, held: object, wants: str
) -> None:
    field = assertion[1:].partition(":")[0]
    above, _, below = field.partition(".")
    record = {above: {below: held} if below else held}
    finding = _finding(tmp_path, f"assert: {assertion}", **record)
    assert finding.message.startswith(f"cannot be judged: {field} ")
    assert f"expected {wants}" in finding.message


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ("text", "is text"),
        ("", 'is ""'),
        (True, "is true"),
        (False, "is false"),
        (5, "is 5"),
        (1.5, "is 1.5"),
        (int("9" * 400), "is a number out of range"),
        (["a", 1, True, 2.5], "holds a, 1, true, 2.5"),
        ([], "is empty"),
        ([[1]], "holds 1 item"),
        ([{}, "a"], "holds 2 items"),
        ([None], "holds 1 item"),
        ({}, "is an object"),
        ({"b": 1}, "is an object"),
    ],
)
def test_a_value_is_told_as_a_person_would(tmp_path: Path, held: Any, told: str) -> None:
    body = "assert: {config.a: {exists: false}}"
    finding = _finding(tmp_path, body, "reveal: [config.a]\n", config={"a": held})
    assert finding.message == f"config.a {told}, expected no value"
    assert finding.advice == ""


_TEST = "test for what the API sends there"


def _null(path: str, held: str = "null") -> str:
    return (
        f"{path} is {held}: write {path}: {{exists: true}} in the rule's when to skip such"
        " connections, or in its assert to fail them"
    )


@pytest.mark.parametrize(
    ("assertion", "held", "told", "advised"),
    [
        (
            "{succeeded_at: {newer_than: 7d}}",
            {"succeeded_at": 5},
            "succeeded_at is 5 (a number), expected a timestamp, not older than 7d",
            f"succeeded_at is not a timestamp: {_TEST}, or skip it in when",
        ),
        (
            "{succeeded_at: {newer_than: 7d}}",
            {"succeeded_at": ["x"]},
            "succeeded_at is an array, expected a timestamp, not older than 7d",
            f"succeeded_at is not a timestamp: {_TEST}, or skip it in when",
        ),
        (
            "{succeeded_at: {before: now}}",
            {"succeeded_at": "x"},
            "succeeded_at is x (no timestamp that can be read), expected before now",
            f"succeeded_at cannot be compared as the rule asks: {_TEST}",
        ),
        (
            "{config.a: {in: [x, y]}}",
            {"config": {"a": 5}},
            "config.a is 5 (a number), expected text, x or y",
            f"config.a is not text: {_TEST}, or skip it in when",
        ),
        (
            "{config.a: {in: [x]}}",
            {"config": {"a": 5}},
            "config.a is 5 (a number), expected text, x",
            f"config.a is not text: {_TEST}, or skip it in when",
        ),
        (
            "{config.a: {equals: true}}",
            {"config": {"a": "true"}},
            "config.a is true (text), expected a boolean, true",
            f"config.a is not a boolean: {_TEST}, or skip it in when",
        ),
        (
            "{config.a: {equals: 1.5}}",
            {"config": {"a": "1.5"}},
            "config.a is 1.5 (text), expected a number, 1.5",
            f"config.a is not a number: {_TEST}, or skip it in when",
        ),
        (
            "{config.a: {equals: x}}",
            {"config": {"a": {}}},
            "config.a is an object, expected a text, number or boolean, x",
            f"config.a is not a text, number or boolean: {_TEST}, or skip it in when",
        ),
        (
            "{config.a: {equals: x}}",
            {"config": {"a": ["x"]}},
            "config.a is an array, expected a text, number or boolean, x",
            f"config.a is not a text, number or boolean: {_TEST}, or skip it in when",
        ),
        (
            "{config.a: {contains: x}}",
            {"config": {"a": [5]}},
            "config.a holds 5, expected a value that contains x",
            f"config.a cannot be compared as the rule asks: {_TEST}",
        ),
        (
            "{config.a: {any_item: {b: x}}}",
            {"config": {"a": [5]}},
            (
                "config.a holds b not to be read: the item is a number, not an object (item 1 of"
                " 1), expected an item where b is x"
            ),
            f"config.a cannot be compared as the rule asks: {_TEST}",
        ),
        (
            "{config.a: {length: {gt: 3}}}",
            {"config": {"a": 5}},
            (
                "config.a is 5 (a number), expected a text, an array or an object, a length of"
                " more than 3"
            ),
            f"config.a is not a text, an array or an object: {_TEST}, or skip it in when",
        ),
        (
            "{data_delay_threshold: {gte: {field: sync_frequency}}}",
            {"data_delay_threshold": "x"},
            (
                "data_delay_threshold is x (text), expected a number, at least sync_frequency"
                " (sync_frequency is 5)"
            ),
            f"data_delay_threshold is not a number: {_TEST}, or skip it in when",
        ),
        (
            "{any: [{sync_frequency: {gte: 15}}, {sync_frequency: {lte: 3}}]}",
            {"sync_frequency": None},
            "sync_frequency is null, expected at least 15 and at most 3",
            (
                "sync_frequency is null: write sync_frequency: {exists: true} in the rule's when to"
                " skip such connections, or in its assert to fail them"
            ),
        ),
        (
            "{any: [{sync_frequency: {gte: 15}}, {data_delay_threshold: {gte: 3}}]}",
            {"sync_frequency": "x", "data_delay_threshold": "y"},
            (
                "sync_frequency is x (text), expected a number, at least 15; data_delay_threshold"
                " is y (text), expected a number, at least 3"
            ),
            (
                f"sync_frequency is not a number: {_TEST}, or skip it in when;"
                f" data_delay_threshold is not a number: {_TEST}, or skip it in when"
            ),
        ),
        (
            "{all: [{config.b: {length: {gte: 1}}}, {config.b: {equals: x}}]}",
            {"config": {"b": {"c": 1}}},
            "config.b is an object, expected a text, number or boolean, x",
            f"config.b is not a text, number or boolean: {_TEST}, or skip it in when",
        ),
        (
            "{data_delay_threshold: {gte: {field: config.a}}}",
            {"data_delay_threshold": 3, "config": {"a": "x"}},
            "data_delay_threshold is 3, expected at least config.a (config.a is x)",
            f"data_delay_threshold cannot be compared as the rule asks: {_TEST}",
        ),
        (
            "{sync_frequency: {gte: 15}}",
            {"sync_frequency": "text"},
            "sync_frequency is text, expected a number, at least 15",
            f"sync_frequency is not a number: {_TEST}, or skip it in when",
        ),
        # What it lacks is on the other side.
        (
            "{data_delay_threshold: {gte: {field: config.a.b}}}",
            {"data_delay_threshold": 3, "config": {"a": "x"}},
            (
                "data_delay_threshold is 3, expected at least config.a.b (config.a.b is not to be"
                " read: config.a is text, not an object)"
            ),
            f"config.a.b cannot be compared as the rule asks: {_TEST}",
        ),
        (
            "{succeeded_at: {newer_than: {field: sync_frequency, unit: minutes}}}",
            {"succeeded_at": NOW.isoformat(), "sync_frequency": None},
            (
                f"succeeded_at is {NOW.isoformat()}, expected not older than sync_frequency in"
                " minutes (sync_frequency is null)"
            ),
            _null("sync_frequency"),
        ),
        (
            "{data_delay_threshold: {gte: {field: sync_frequency}}}",
            {"data_delay_threshold": 3, "sync_frequency": None},
            (
                "data_delay_threshold is 3, expected at least sync_frequency (sync_frequency is"
                " null)"
            ),
            _null("sync_frequency"),
        ),
        (
            "{succeeded_at: {after: {field: failed_at}}}",
            {"succeeded_at": "2026-01-01T00:00:00Z"},
            (
                "succeeded_at is 2026-01-01T00:00:00Z, expected after failed_at (failed_at is"
                " missing)"
            ),
            _null("failed_at", "missing"),
        ),
        (
            "{succeeded_at: {newer_than: {field: sync_frequency, unit: minutes}}}",
            {"succeeded_at": "2026-01-01T00:00:00Z", "sync_frequency": None},
            (
                "succeeded_at is 2026-01-01T00:00:00Z, expected not older than sync_frequency in"
                " minutes (sync_frequency is null)"
            ),
            _null("sync_frequency"),
        ),
        (
            "{succeeded_at: {newer_than: {field: sync_frequency, unit: minutes}}}",
            {"succeeded_at": "2026-01-01T00:00:00Z", "sync_frequency": "x"},
            (
                "succeeded_at is 2026-01-01T00:00:00Z, expected not older than sync_frequency in"
                " minutes (sync_frequency is x)"
            ),
            f"succeeded_at cannot be compared as the rule asks: {_TEST}",
        ),
        (
            "{succeeded_at: {newer_than: {field: sync_frequency, unit: minutes}}}",
            {"succeeded_at": "2027-01-01T00:00:00Z", "sync_frequency": 5},
            (
                "succeeded_at is 2027-01-01T00:00:00Z (in the future), expected not older than"
                " sync_frequency in minutes (sync_frequency is 5)"
            ),
            (
                "succeeded_at is ahead of the time that the run judges by: set this machine's"
                " clock, or pass --now, or use before and after for a time that may be in the"
                " future"
            ),
        ),
        (
            "{succeeded_at: {newer_than: {field: sync_frequency, unit: minutes}}}",
            {"succeeded_at": 7, "sync_frequency": None},
            (
                "succeeded_at is 7 (a number), expected a timestamp, not older than sync_frequency"
                " in minutes (sync_frequency is null)"
            ),
            f"succeeded_at is not a timestamp: {_TEST}, or skip it in when",
        ),
        (
            "{plan.action: create}",
            {},
            "plan.action is missing, expected create",
            (
                "plan.* comes only from a Terraform plan: write exists: true in the rule's when,"
                " and the rule skips the connections of a listing"
            ),
        ),
    ],
)
def test_what_cannot_be_judged_says_why_and_what_to_do(
    tmp_path: Path, assertion: str, held: dict[str, Any], told: str, advised: str
) -> None:
    finding = _finding(tmp_path, f"assert: {assertion}", "reveal: [config.a]\n", **held)
    assert finding.message == f"cannot be judged: {told}"
    assert finding.advice == advised
    first = finding.evidence[0]
    assert finding.message.startswith(f"cannot be judged: {first.field} ")
    assert f"{first.actual}, expected {first.expected}" in finding.message


@pytest.mark.parametrize(
    ("assertion", "held", "told"),
    [
        (
            "{config.a: {length: {gt: 3}}}",
            {"config": {"a": [1]}},
            "config.a is of length 1, expected a length of more than 3",
        ),
        (
            "{config.b: {length: {gt: 3}}}",
            {"config": {"b": "abc"}},
            "config.b is [hidden], expected a length of more than 3",
        ),
        (
            "{config.b: {all_items: {item: x}}}",
            {"config": {"b": ["y", "z"]}},
            "config.b is [hidden], expected only items that are x",
        ),
        (
            "{config.b: {none_items: {c: {any_item: {d: x}}}}}",
            {"config": {"b": [{"c": [{"d": "x"}]}]}},
            "config.b is [hidden], expected no item where c has an item where d is x",
        ),
        (
            "{config.b: {any_item: {shown: x}}}",
            {"config": {"b": [{"shown": "y"}]}},
            "config.b holds shown y (item 1 of 1), expected an item where shown is x",
        ),
        (
            "{setup_tests: {none_items: {title: T, status: FAILED}}}",
            {"setup_tests": [{"title": "T"}, {"title": "T", "status": "FAILED"}, {"title": 5}]},
            (
                "setup_tests holds title T status missing (item 1 of 3), title T status FAILED"
                " (item 2 of 3) and title 5 status missing (item 3 of 3), expected no item where"
                " title is T and status is FAILED"
            ),
        ),
        (
            "{setup_tests: {any_item: {status: {starts_with: F, ends_with: D}}}}",
            {"setup_tests": [{"status": "PASSED"}]},
            (
                "setup_tests holds status PASSED (item 1 of 1), expected an item where status"
                " starts with F and ends with D"
            ),
        ),
        (
            "{setup_tests: {count_items: {where: {status: FAILED}, is: {lte: 0}}}}",
            {"setup_tests": [{"status": "FAILED"}, {"status": "PASSED"}]},
            (
                "setup_tests holds status FAILED (item 1 of 2), expected at most 0 items where"
                " status is FAILED"
            ),
        ),
        (
            "{setup_tests: {count_items: {where: {status: FAILED}, is: {gte: 1}}}}",
            {"setup_tests": [{"status": "PASSED"}, {"status": "PASSED"}]},
            "setup_tests holds 2 items, expected at least 1 item where status is FAILED",
        ),
        (
            "{not: {any: [{paused: true}, {schema: {starts_with: O}}]}}",
            {},
            (
                "paused is true, expected not true; schema is Orders, expected a value that does"
                " not start with O"
            ),
        ),
        (
            "{not: {all: [{paused: true}, {not: {schema: {starts_with: x}}}]}}",
            {},
            (
                "paused is true, expected not true; schema is Orders, expected a value that starts"
                " with x"
            ),
        ),
        (
            "{any: [{not: {all: [{paused: true}, {schema: Orders}]}}, {schema: y}]}",
            {},
            (
                "paused is true, expected not true; or schema is Orders, expected not Orders; or"
                " schema is Orders, expected y"
            ),
        ),
        (
            "{schedule.days_of_week: {all_items: {item: {in: [MONDAY]}}}}",
            {"schedule": {"days_of_week": ["MONDAY", "SUNDAY"]}},
            (
                "schedule.days_of_week holds SUNDAY (item 2 of 2), expected only items that are"
                " MONDAY"
            ),
        ),
    ],
)
def test_what_is_told_of_items_and_lengths(
    tmp_path: Path, assertion: str, held: dict[str, Any], told: str
) -> None:
    reveal = "reveal: [config.a, 'config.b[].shown']\n"
    finding = _finding(tmp_path, f"assert: {assertion}", reveal, **held)
    assert finding.message == told


# -- what is no value ---------------------------------------------------------------------------


def _told_of(
    folder: Path, body: str, record: dict[str, Any], hidden: str = "", head: str = ""
) -> Finding:
    """Return the finding on a record that holds what no listing can say."""
    rules = loaded(folder, one_rule(body, head=head)).ruleset
    shape = Shape(*rules.reads())
    mode = PlanMode(hidden={0: frozenset({hidden})} if hidden else {})
    judge = Judge(rules, shape, NOW, str, mode)
    judge.take([shape.convert({"id": "c", **record})])
    outcome = judge.outcome(lambda _rule: True)
    (finding,) = outcome.findings(Connections(["c"], ["s"], ["n"], ["g"]))
    return finding


UNREAD = Unread("403 at /v1/users; allow the key to read it")


@pytest.mark.parametrize(
    ("body", "record", "field"),
    [
        ("{sync_frequency: {gte: 5}}", {"sync_frequency": UNREAD}, "sync_frequency"),
        ("{config.a: {contains: x}}", {"config": {"a": ["b", UNREAD]}}, "config.a"),
        ("{setup_tests: {any_item: {status: x}}}", {"setup_tests": [{}, UNREAD]}, "setup_tests"),
        (
            "{data_delay_threshold: {gte: {field: sync_frequency}}}",
            {"data_delay_threshold": 5, "sync_frequency": UNREAD},
            "",
        ),
    ],
)
def test_what_could_not_be_read_is_told_with_its_reason(
    tmp_path: Path, body: str, record: dict[str, Any], field: str
) -> None:
    finding = _told_of(tmp_path, f"assert: {body}", record, head="reveal: [config.a]\n")
    reason = "403 at /v1/users; allow the key to read it"
    if field:
        assert finding.message.startswith(f"cannot be judged: {field} is not read ({reason}),")
    assert f" is not read ({reason})" in finding.message
    assert ", expected a" in finding.message
    assert finding.advice == f"{field or 'sync_frequency'} could not be read: {reason}"


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ("hunter2", "[sensitive]"),
        ("", "[sensitive]"),
        (None, "null"),
        (MISSING, "missing"),
        (Gap(Lack.UNKNOWN, "known after apply"), "known after apply"),
    ],
)
def test_of_what_a_plan_hides_it_is_told_whether_it_is_there(
    tmp_path: Path, held: Any, told: str
) -> None:
    body = "assert: {schema: {starts_with: x, exists: true}}"
    record = {} if held is MISSING else {"schema": held}
    finding = _told_of(tmp_path, body, record, "schema")
    assert finding.evidence[0].actual == told


def test_what_is_open_says_how_to_go_on(tmp_path: Path) -> None:
    gap = Gap(Lack.UNKNOWN, "known after apply; write it")
    finding = _told_of(tmp_path, "assert: {schema: {length: 3}}", {"schema": gap})
    assert finding.message == (
        "cannot be judged: schema is known after apply; write it, expected a length of 3"
    )
    assert finding.advice == "schema is known after apply; write it, or pass --on-unknown skip"


def test_what_is_open_beside_a_value_says_how_to_go_on(tmp_path: Path) -> None:
    body = "assert: {data_delay_threshold: {gte: {field: sync_frequency}}}"
    gap = Gap(Lack.UNKNOWN, "known after apply; write it")
    finding = _told_of(tmp_path, body, {"data_delay_threshold": 5, "sync_frequency": gap})
    assert finding.advice == (
        "sync_frequency is known after apply; write it, or pass --on-unknown skip"
    )
