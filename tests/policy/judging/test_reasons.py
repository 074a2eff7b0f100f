"""Why findings got their verdicts: what is said of many is what is said of one."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from auditor import SnapshotSource, audit
from auditor.decoding.records import Shape
from auditor.errors import PolicyError
from auditor.model import Finding, Reason, ReasonLine, Result, Verdict
from auditor.policy.judging.judge import Judge, PlanMode
from auditor.policy.judging.reasons import reasons_of
from auditor.policy.judging.tree import TreePart, explained
from tests.builders.judged import NOW, loaded, named, one_rule
from tests.builders.slow import tries
from tests.builders.strategies import conditions, records

_QUICK = settings(
    max_examples=tries(60),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
_WORDS = {True: "t", False: "f", None: "u"}


def _rows(part: TreePart) -> Iterator[tuple[str, str]]:
    """Yield the truth and the text of each part of a tree, as lines of a rule have them."""
    text, shown = part.text, part
    if len(part.parts) == 1 and part.text != "not" and not part.parts[0].text.startswith("item "):
        (shown,) = part.parts
        text = f"{text}: {shown.text}"
    yield _WORDS[shown.truth] if shown.asked else "n", text
    for child in shown.parts:
        if child.text.startswith("item "):
            yield from _of_item(child)
        else:
            yield from _rows(child)


def _of_item(part: TreePart) -> Iterator[tuple[str, str]]:
    """Yield the rows of an item: of an array within it the lines show no items."""
    yield _WORDS[part.truth], part.text
    for child in part.parts:
        if not child.text.startswith("item "):
            yield from _of_item(child)


@given(conditions(), st.none() | conditions(), st.lists(records(), min_size=1, max_size=4))
@_QUICK
def test_lines_and_letters_say_what_the_tree_of_each_finding_says(
    tmp_path_factory: Any, asked: Any, when: Any, made: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("house")
    rule = {"id": "r", "severity": "low", "assert": asked, **({"when": when} if when else {})}
    try:
        ruleset = loaded(folder, json.dumps({"policy": "p", "rules": [rule]})).ruleset
    except PolicyError:
        assume(False)
    shape = Shape(*ruleset.reads())
    judge = Judge(ruleset, shape, NOW, lambda text: text)
    items = shape.array(f"[{','.join(made)}]".encode())
    judge.take(items)
    outcome = judge.outcome(lambda _rule: True)
    connections = named(*map(str, range(len(made))))
    findings = outcome.findings(connections)
    reasons = reasons_of(outcome)["r"]
    for finding in findings:
        at = int(finding.connections[0].id)
        (why,) = explained(outcome, ruleset.rules[0], at, items[at])
        assert why.verdict is finding.verdict
        reason = reasons.of.get(finding.alike)
        expected = [row for branch in why.branches for row in _of_branch(branch.part)]
        if reason is None:
            assert len(reasons.lines) == 1 == len(expected)
            assert reasons.lines[0].text == expected[0][1]
            continue
        assert len(reason.truths) == len(reason.values) == len(reasons.lines)
        told = [
            (letter, f"item {value}" if line.text == "item" else line.text)
            for letter, line, value in zip(reason.truths, reasons.lines, reason.values, strict=True)
            if letter not in "vx"
        ]
        if "n" in reason.truths:
            # Of what was not asked a tree has one sentence, and lines have each part.
            asked_lines = [row for row in told if row[0] != "n"]
            assert asked_lines == [row for row in expected if row[0] != "n"]
        else:
            assert told == expected


def _of_branch(part: TreePart) -> Iterator[tuple[str, str]]:
    return _rows(part)


# -- one by one -----------------------------------------------------------------------------------


def _audited(folder: Path, body: str, *made: dict[str, Any], head: str = "") -> Result:
    listing = folder / "listing.json"
    listing.write_text(
        json.dumps(
            [
                {"id": f"c{n}", "service": "s", "schema": f"n{n}", "group_id": "g", **record}
                for n, record in enumerate(made)
            ]
        )
    )
    return audit(SnapshotSource(str(listing)), loaded(folder, one_rule(body, head=head)).ruleset)


def _told(result: Result, finding: Finding) -> list[str]:
    reasons = result.reasons[finding.rule.id]
    reason = reasons.of[finding.alike]
    return [
        f"{'-' * line.depth}{line.key} {letter} {line.text} [{value}]"
        for line, letter, value in zip(reasons.lines, reason.truths, reason.values, strict=True)
    ]


def test_a_rule_is_lines_and_a_finding_letters_and_values(tmp_path: Path) -> None:
    result = _audited(
        tmp_path,
        "when: {condition: live, schedule_type: auto}\n"
        "assert: {any: [{sync_frequency: {between: [15, 1440]}}, {not: {condition: live}},"
        " {daily_sync_time: {exists: true}}]}",
        {"paused": False, "schedule_type": "auto", "sync_frequency": 5},
        {"paused": False, "schedule_type": "auto", "sync_frequency": "5"},
        head="conditions: {live: {paused: false}}\n",
    )
    failed, doubted = sorted(result.findings, key=lambda finding: finding.verdict)
    assert _told(result, failed) == [
        "when t all of []",
        "- t live: paused is false [false]",
        "- t schedule_type is auto [auto]",
        "assert f any of []",
        "- f sync_frequency is between 15 and 1440 [5]",
        "- f not []",
        "-- t live: paused is false [false]",
        "- f daily_sync_time is set [missing]",
    ]
    assert doubted.verdict is Verdict.ERROR
    assert _told(result, doubted)[3:5] == [
        "assert u any of []",
        "- u sync_frequency is between 15 and 1440 [5 (text)]",
    ]


def test_a_field_that_a_test_compares_with_has_a_line_of_its_own(tmp_path: Path) -> None:
    result = _audited(
        tmp_path,
        "assert: {data_delay_threshold: {gte: {field: sync_frequency}}}",
        {"data_delay_threshold": 5, "sync_frequency": 60},
    )
    (finding,) = result.findings
    assert _told(result, finding) == [
        "assert f data_delay_threshold is at least sync_frequency [5]",
        "- v sync_frequency [60]",
    ]


def test_what_comes_after_a_when_that_cannot_be_judged_is_not_asked(tmp_path: Path) -> None:
    result = _audited(
        tmp_path,
        "when: {sync_frequency: {gte: 5}}\nassert: {paused: false, schedule_type: auto}",
        {"paused": False, "schedule_type": "auto"},
    )
    (finding,) = result.findings
    reason = result.reasons[finding.rule.id].of[finding.alike]
    assert reason.truths == "unnn"


def test_what_reports_hide_is_hidden_in_every_line(tmp_path: Path) -> None:
    result = _audited(
        tmp_path,
        "when: {config.host: {exists: true}}\nassert: {config.password: {exists: false}}",
        {"config": {"host": "db.internal", "password": "hunter2"}},
    )
    (finding,) = result.findings
    told = "\n".join(_told(result, finding))
    assert "hunter2" not in told
    assert "db.internal" not in told
    assert "[hidden]" in told


def test_a_rule_on_groups_tells_which_groups_and_what_was_counted(tmp_path: Path) -> None:
    result = _audited(
        tmp_path,
        "per: group_id\ngroups: {group_id: {starts_with: g}}\nunless: {service: fivetran_log}\n"
        "when: {paused: false}\nassert: {count: {gte: 1, lte: 1}}",
        {"paused": False},
        {"paused": False},
        {"paused": False, "group_id": "other"},
    )
    (finding,) = result.findings
    assert _told(result, finding) == [
        "groups t group_id starts with g []",
        "unless f a connection of the account meets: service is fivetran_log []",
        "when c paused is false []",
        "assert f the number of connections is at least 1 and at most 1 [2]",
        "- t is at least 1 []",
        "- f is at most 1 []",
    ]


def test_a_rule_of_one_line_needs_no_letters(tmp_path: Path) -> None:
    result = _audited(tmp_path, "assert: {paused: false}", {"paused": True})
    reasons = result.reasons["rule"]
    assert reasons.lines == (ReasonLine("assert", 0, "paused is false", "paused"),)
    assert not reasons.of


def test_reasons_travel_with_a_result(tmp_path: Path) -> None:
    result = _audited(
        tmp_path,
        "assert: {paused: false, schedule_type: auto}",
        {"paused": True, "schedule_type": "auto"},
    )
    again: Result = pickle.loads(pickle.dumps(result))
    assert again.reasons == result.reasons
    assert again.reasons["rule"].of == {1: Reason("fft", ("", "true", "auto"))}


def test_the_items_that_decided_have_lines_of_their_own(tmp_path: Path) -> None:
    statuses = ("PASSED", "FAILED", "FAILED", "FAILED", "FAILED")
    result = _audited(
        tmp_path,
        "assert: {setup_tests: {none_items: {title: {starts_with: T}, status: FAILED}}}",
        {"setup_tests": [{"title": f"T{n}", "status": s} for n, s in enumerate(statuses)]},
        {"setup_tests": [{"title": "T", "status": "FAILED"}]},
        {"setup_tests": "none"},
    )
    many, one, text = sorted(result.findings, key=lambda finding: finding.connections[0].id)
    first, *items = _told(result, many)
    assert first.startswith("assert f setup_tests has no item where")
    assert items[:4] == [
        "- t item [2 of 5]",
        "-- t all of []",
        "--- t title starts with T [T1]",
        "--- t status is FAILED [FAILED]",
    ]
    assert [line for line in items if line.startswith("- t item")] == [
        f"- t item [{n} of 5]" for n in (2, 3, 4)
    ]
    assert result.reasons["rule"].of[one.alike].truths == "ftttt" + "x" * 8
    assert result.reasons["rule"].of[text.alike].truths == "u" + "x" * 12


def test_a_hidden_array_has_no_lines_of_items(tmp_path: Path) -> None:
    held = {"config": {"hosts": ["hunter2", "hunter3"]}}
    result = _audited(tmp_path, "assert: {config.hosts: {all_items: {item: x}}}", held)
    (finding,) = result.findings
    assert finding.message == "config.hosts is [hidden], expected only items that are x"
    assert result.reasons["rule"].of == {1: Reason("fxxxxxx", ("[hidden]", *[""] * 6))}


def test_what_a_plan_hides_is_hidden_in_the_lines_of_its_own_finding(tmp_path: Path) -> None:
    body = "assert: {any: [{schema: {starts_with: raw_}}, {paused: true}]}"
    ruleset = loaded(tmp_path, one_rule(body)).ruleset
    shape = Shape(*ruleset.reads())
    hidden = {1: frozenset({"schema"})}
    judge = Judge(ruleset, shape, NOW, lambda text: text, PlanMode(hidden=hidden))
    record = {"id": "c", "service": "s", "schema": "orders", "group_id": "g", "paused": False}
    judge.take(shape.array(json.dumps([record] * 3).encode()))
    outcome = judge.outcome(lambda _rule: True)
    connections = named("c0", "c1", "c2")
    found = outcome.findings(connections)
    reasons = reasons_of(outcome)["rule"]
    values = [reasons.of[finding.alike].values for finding in found]
    shown = ("", "orders", "false")
    assert values == [shown, ("", "[sensitive]", "false"), shown]
    assert found[0].alike == found[2].alike != found[1].alike


def test_a_group_of_which_it_is_not_known_whether_it_is_meant_says_so(tmp_path: Path) -> None:
    result = _audited(
        tmp_path,
        "per: config.tier\ngroups: {config.tier: {gte: 2}}\nassert: {count: {lte: 0}}",
        {"config": {"tier": 2}},
        {"config": {"tier": "two"}},
        head="reveal: [config.tier]\n",
    )
    told = [_told(result, finding) for finding in result.findings]
    assert told == [
        [
            "groups t config.tier is at least 2 []",
            "assert f the number of connections is at most 0 [1]",
        ],
        [
            "groups u config.tier is at least 2 []",
            (
                "assert u the number of connections is at most 0"
                " [config.tier is not what groups: can be asked of]"
            ),
        ],
    ]


def test_a_group_tells_its_bound(tmp_path: Path) -> None:
    own = "{key: group_id, columns: {most: integer}, rows: {g: {most: 2}}}"
    result = _audited(
        tmp_path,
        "per: group_id\nassert: {count: {gte: 1, lte: {field: own.most}}}",
        *[{"schema": f"n{n}"} for n in range(3)],
        head=f"facts: {{own: {own}}}\n",
    )
    (finding,) = result.findings
    assert _told(result, finding) == [
        "assert f the number of connections is at least 1 and at most own.most [3; own.most is 2]",
        "- t is at least 1 []",
        "- f is at most own.most []",
    ]


def test_of_a_field_that_several_lines_show_each_has_its_own_value(tmp_path: Path) -> None:
    result = _audited(
        tmp_path,
        "assert: {any: [{not: {setup_tests: {any_item: {status: F}}}},"
        " {setup_tests: {length: {gte: 9}}}, {setup_tests: {is_empty: true}}]}",
        {"setup_tests": [{"status": "P"}, {"status": "F"}]},
        {"setup_tests": "none"},
    )
    items, text = sorted(result.findings, key=lambda finding: finding.connections[0].id)
    unseen = ["-- x item []", "--- x status is F []"]
    assert _told(result, items) == [
        "assert f any of []",
        "- f setup_tests has no item where status is F [status F (item 2 of 2)]",
        "-- t item [2 of 2]",
        "--- t status is F [F]",
        *unseen * 2,
        "- f setup_tests has a length of at least 9 [of length 2]",
        "- f setup_tests is empty [2 items]",
    ]
    assert _told(result, text) == [
        "assert u any of []",
        "- u setup_tests has no item where status is F [none (text)]",
        *unseen * 3,
        "- u setup_tests has a length of at least 9 [none (text)]",
        "- u setup_tests is empty [none]",
    ]


def test_a_lone_line_of_a_field_has_the_value_of_the_finding(tmp_path: Path) -> None:
    result = _audited(
        tmp_path,
        "assert: {schema: {length: {gte: 15}}, not: {setup_tests: {any_item: {status: F}}},"
        " data_delay_threshold: {gte: {field: sync_frequency}}, sync_frequency: {lte: 9}}",
        {
            "data_delay_threshold": 5,
            "sync_frequency": 60,
            "setup_tests": [{"status": "P"}, {"status": "F"}],
        },
    )
    (finding,) = result.findings
    assert [line for line in _told(result, finding) if " x " not in line] == [
        "assert f all of []",
        "- f schema has a length of at least 15 [of length 2]",
        "- f setup_tests has no item where status is F [status F (item 2 of 2)]",
        "-- t item [2 of 2]",
        "--- t status is F [F]",
        "- f data_delay_threshold is at least sync_frequency [5]",
        "-- v sync_frequency [60]",
        "- f sync_frequency is at most 9 [60]",
    ]


def test_a_line_names_the_field_that_it_shows(tmp_path: Path) -> None:
    result = _audited(
        tmp_path,
        "assert: {setup_tests: {all_items: {status: P, title: T}}, paused: false}",
        {"paused": True},
    )
    paths = [line.path for line in result.reasons["rule"].lines]
    item = ["", "", "setup_tests[].status", "setup_tests[].title"]
    assert paths == ["", "setup_tests", *item * 3, "paused"]


def test_a_group_without_a_bound_says_so_once(tmp_path: Path) -> None:
    own = "{key: group_id, columns: {most: integer}, rows: {h: {most: 2}}}"
    result = _audited(
        tmp_path,
        "per: group_id\nassert: {count: {gte: 1, lte: {field: own.most}}}",
        {},
        head=f"facts: {{own: {own}}}\n",
    )
    (finding,) = result.findings
    assert _told(result, finding) == [
        (
            "assert u the number of connections is at least 1 and at most own.most"
            " [own.most is missing]"
        ),
        "- t is at least 1 []",
        "- u is at most own.most []",
    ]


def test_the_lines_of_one_value_tell_its_type_where_that_is_in_doubt(tmp_path: Path) -> None:
    result = _audited(
        tmp_path,
        "assert: {any: [{sync_frequency: {gte: 15}}, {sync_frequency: {lte: 3}}]}",
        {"sync_frequency": "x"},
    )
    (finding,) = result.findings
    assert _told(result, finding) == [
        "assert u any of []",
        "- u sync_frequency is at least 15 [x (text)]",
        "- u sync_frequency is at most 3 [x (text)]",
    ]
