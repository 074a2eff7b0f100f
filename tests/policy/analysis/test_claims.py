"""What is reported of rules that mean nothing, and what never is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.errors import PolicyError, Problem
from auditor.model import Verdict
from auditor.policy.analysis.claims import analysed, claims, idle_waiver, place
from auditor.policy.language.rules import PolicyRule, Ruleset
from auditor.policy.loading.load import load, load_policies
from tests.builders.judged import checks_of, written
from tests.builders.slow import tries
from tests.builders.strategies import records

ROOT = Path(__file__).parents[3]
_LAW = settings(
    max_examples=tries(60),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def _rules(folder: Path, *rules: str) -> Ruleset:
    """Load rules, each its keys in YAML; the first is called a, the second b, and so on."""
    lines = [
        f"  - {{id: {chr(97 + n)}, severity: low, {rule}}}"
        if "severity" not in rule
        else f"  - {{id: {chr(97 + n)}, {rule}}}"
        for n, rule in enumerate(rules)
    ]
    return load_policies(written(folder, "\n".join(["policy: p", "rules:", *lines, ""])))


def _told(folder: Path, *rules: str) -> list[Problem]:
    return claims(_rules(folder, *rules).rules)


_NEVER_APPLIES = (
    "when: {sync_frequency: {gte: 60}, any: [{sync_frequency: {lt: 30}}]}",
    "when: {all: [{service: postgres}, {service: mysql}]}",
    "when: {all: [{service: [a, b]}, {service: {not_in: [a, b, c]}}]}",
    "when: {all: [{schema: {starts_with: prod_}}, {schema: {starts_with: test_}}]}",
    "when: {all: [{schema: {starts_with: prod_}}, {not: {schema: {starts_with: prod}}}]}",
    "when: {all: [{schema: {ends_with: _a}}, {schema: {ends_with: _b}}]}",
    "when: {all: [{schema: {equals_ignore_case: A}}, {schema: {equals_ignore_case: b}}]}",
    "when: {all: [{paused: true}, {not: {paused: true}}]}",
    "when: {all: [{sync_frequency: {exists: false}}, {sync_frequency: 60}]}",
    "when: {all: [{succeeded_at: {newer_than: 1d}}, {succeeded_at: {older_than: 2d}}]}",
    "when: {all: [{created_at: {before: now-3d}}, {created_at: {newer_than: 2d}}]}",
    (
        "when: {all: [{created_at: {before: '2024-01-01T00:00:00Z'}},"
        " {created_at: {after: '2025-01-01T00:00:00Z'}}]}"
    ),
    "when: {all: [{daily_sync_time: {gt: '02:00'}}, {daily_sync_time: {lt: '02:01'}}]}",
    (
        "when: {all: [{setup_tests: {any_item: {status: FAILED}}},"
        " {setup_tests: {none_items: {status: FAILED}}}]}"
    ),
    "when: {setup_tests: {any_item: {all: [{status: FAILED}, {status: PASSED}]}}}",
    (
        "when: {all: [{setup_tests: {all_items: {status: PASSED}}},"
        " {setup_tests: {any_item: {status: [FAILED, JOB_FAILED]}}}]}"
    ),
    "when: {schedule.days_of_week: {contains: MONDAY, subset_of: [TUESDAY, SUNDAY]}}",
    "when: {config: {exists: false}, config.host: {exists: true}}",
    "when: {owner: {exists: false}, owner.active: true}",
    "when: {status: {is_empty: true}, status.setup_state: connected}",
    "when: {all: [{schema: {length: {gte: 5}}}, {schema: {length: {lt: 3}}}]}",
    "when: {all: [{schema: {is_empty: true}}, {schema: {starts_with: a}}]}",
    "when: {all: [{schema: {regex_search: x}}, {not: {schema: {regex_search: x}}}]}",
    "when: {all: [{sync_frequency: {between: [1, 5]}}, {sync_frequency: {between: [6, 9]}}]}",
)
_NEVER_FAILS = (
    "when: {schema: {glob: 'a*'}}, assert: {not: {schema: {glob: 'b*'}}}",
    "when: {schema: {starts_with: raw_eu_}}, assert: {schema: {glob: [raw_*, stg_*]}}",
    "when: {schema: {glob: '*_eu'}}, assert: {schema: {ends_with: eu}}",
    "when: {sync_frequency: {lte: 60}}, assert: {sync_frequency: {lt: 100}}",
    "when: {service: postgres}, assert: {service: [postgres, mysql]}",
    "when: {service: postgres}, assert: {service: {not_equals: mysql}}",
    "when: {schema: {starts_with: prod_eu}}, assert: {schema: {starts_with: [prod_, test_]}}",
    "when: {succeeded_at: {older_than: 7d}}, assert: {succeeded_at: {older_than: 3d}}",
    "assert: {any: [{paused: true}, {paused: false}]}",
    (
        "when: {setup_tests: {all_items: {status: PASSED}}},"
        " assert: {setup_tests: {none_items: {status: FAILED}}}"
    ),
    "when: {config.host: {exists: true}}, assert: {config: {exists: true}}",
    (
        "when: {schedule.days_of_week: {subset_of: [MONDAY]}},"
        " assert: {schedule.days_of_week: {none_items: SUNDAY}}"
    ),
    "assert: {any: [{sync_frequency: {gte: 60}}, {sync_frequency: {lte: 60}}]}",
    "assert: {any: [{succeeded_at: {exists: true}}, {succeeded_at: {exists: false}}]}",
    "when: {status.setup_state: broken}, assert: {not: {status.setup_state: connected}}",
    (
        "when: {setup_tests: {all_items: {status: PASSED}}},"
        " assert: {setup_tests: {none_items: {not: {status: PASSED}}}}"
    ),
    (
        "when: {daily_sync_time: {between: ['22:00', '05:00']}},"
        " assert: {not: {daily_sync_time: {between: ['06:00', '21:00']}}}"
    ),
)
_NEVER_HOLDS = (
    "when: {sync_frequency: {gte: 60}}, assert: {sync_frequency: {lt: 30}}",
    "when: {paused: true}, assert: {paused: false}",
    "when: {schema: {starts_with: prod_}}, assert: {schema: {starts_with: test_}}",
    "when: {service: [a, b]}, assert: {service: {not_in: [a, b, c]}}",
    "when: {failed_at: {exists: false}}, assert: {failed_at: {exists: true, older_than: 3d}}",
    "assert: {all: [{sync_frequency: {lte: 5}}, {sync_frequency: {gte: 30}}]}",
    (
        "when: {setup_tests: {any_item: {status: FAILED}}},"
        " assert: {setup_tests: {all_items: {status: PASSED}}}"
    ),
)


@pytest.mark.parametrize("when", _NEVER_APPLIES)
def test_a_rule_that_never_applies_is_reported(tmp_path: Path, when: str) -> None:
    (told,) = _told(tmp_path, f"{when}, assert: {{networking_method: Directly}}")
    assert told.message == "a never applies: no record can meet its when"
    assert told.hint.startswith("none has ")
    assert told.warning
    assert (told.position.line, told.position.column) > (3, 30)


@pytest.mark.parametrize("rule", _NEVER_FAILS)
def test_a_rule_that_can_never_fail_is_reported(tmp_path: Path, rule: str) -> None:
    (told,) = _told(tmp_path, rule)
    assert told.message.startswith("a can never fail: ")
    assert _verdict(tmp_path, rule, told.hint) == Verdict.PASS


@pytest.mark.parametrize("rule", _NEVER_HOLDS)
def test_a_rule_that_never_holds_is_reported(tmp_path: Path, rule: str) -> None:
    (told,) = _told(tmp_path, rule)
    assert told.message.startswith("a always fails: ")
    assert _verdict(tmp_path, rule, told.hint) == Verdict.FAIL
    if rule.startswith("when"):
        assert re.search(r"its when is at \S+policy\.yaml:3:\d+", told.message)


def test_a_rule_that_can_never_be_judged_is_reported(tmp_path: Path) -> None:
    rule = "when: {networking_method: {exists: false}}, assert: {networking_method: PrivateLink}"
    (told,) = _told(tmp_path, rule)
    assert told.message.startswith("a can never be judged: every record that it applies to is an")
    assert _verdict(tmp_path, rule, told.hint) == Verdict.ERROR


_OF_ITEMS = (
    "setup_tests: {none_items: {status: FAILED}}",
    "setup_tests: {any_item: {status: PASSED}}",
    "setup_tests: {all_items: {title: {starts_with: Check}}}",
)


@pytest.mark.parametrize(("when", "asked"), [*permutations(_OF_ITEMS, 2)])
def test_what_items_may_be_is_not_accused(tmp_path: Path, when: str, asked: str) -> None:
    assert not _told(tmp_path, f"when: {{{when}}}, assert: {{{asked}}}")


def _verdict(folder: Path, rule: str, hint: str) -> Verdict:
    """Return the verdict of an example, written beside its rule as the warning says."""
    found = re.fullmatch(
        r"(given: .*?)(?: (?:passes|fails|fails both|cannot be judged|falls under .*))", hint
    )
    assert found, hint
    (entry,) = _rules(folder, f"{rule}, tests: [{{{found[1]}, expect: pass}}]").rules
    loaded = load([str(folder / "policy.yaml")])
    ((_, (example,)),) = loaded.examples
    (checks,) = checks_of(Ruleset((entry,), ()), example.records).values()
    return Verdict(checks.verdicts[0])


@pytest.mark.parametrize(
    ("rule", "part", "where"),
    [
        (
            "when: {service: postgres}, assert: {service: [postgres, x], paused: false}",
            "service is postgres or x",
            "in its assert, since its when at",
        ),
        (
            "when: {sync_frequency: {gte: 5}}, assert: {sync_frequency: {gte: 1, lte: 60}}",
            "sync_frequency is at least 1",
            "in its assert, since its when at",
        ),
        (
            "when: {service: postgres, any: [{service: [postgres, b]}]}, assert: {paused: false}",
            "service is postgres or b",
            "in its when (the rule",
        ),
        (
            "assert: {any: [{sync_frequency: {gte: 5}}, {sync_frequency: {gte: 60}}]}",
            "sync_frequency is at least 60",
            "in its assert (the rule",
        ),
        (
            "when: {paused: true}, assert: {any: [{paused: false}, {sync_frequency: 60}]}",
            "paused is false",
            "in its assert, since its when at",
        ),
    ],
)
def test_a_part_that_decides_nothing_is_reported(
    tmp_path: Path, rule: str, part: str, where: str
) -> None:
    (told,) = _told(tmp_path, rule)
    assert told.message.startswith(f"a: {part} decides nothing {where}")
    assert "the rule is at" in told.message


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("assert: {sync_frequency: {lte: 60}}", "assert: {sync_frequency: {gte: 120}}"),
        (
            "when: {service: mysql}, assert: {sync_frequency: {lte: 60}}",
            "when: {paused: false}, assert: {sync_frequency: {gte: 120}}",
        ),
        ("assert: {schema: {starts_with: a_}}", "assert: {schema: {starts_with: b_}}"),
        (
            "assert: {any: [{paused: true}, {sync_frequency: {gte: 60}}]}",
            "assert: {all: [{paused: false}, {sync_frequency: {lt: 60}}]}",
        ),
    ],
)
def test_two_rules_that_no_connection_satisfies_are_reported(
    tmp_path: Path, first: str, second: str
) -> None:
    (told,) = _told(tmp_path, first, second)
    assert told.message.startswith("no connection can satisfy b and a, at ")
    assert re.search(r"policy\.yaml:3:\d+, where both apply", told.message)
    assert told.hint.endswith("falls under both and fails one")
    assert told.position.line == 4
    assert told.position.column > 38
    for rule in (first, second):
        assert _verdict(tmp_path, rule, told.hint) in {Verdict.PASS, Verdict.FAIL}


@pytest.mark.parametrize(
    ("strong", "weak"),
    [
        ("assert: {sync_frequency: {lte: 60}}", "assert: {sync_frequency: {lte: 1440}}"),
        (
            "severity: high, assert: {sync_frequency: {lte: 60}}",
            "severity: low, assert: {sync_frequency: {lte: 60}}",
        ),
        (
            "assert: {sync_frequency: {lte: 60}}",
            "when: {paused: false}, assert: {sync_frequency: {lte: 60}}",
        ),
        ("assert: {service: [a, b]}", "assert: {service: [a, b, c]}"),
        (
            "assert: {paused: false, pause_after_trial: false}",
            "assert: {pause_after_trial: false}",
        ),
        ("assert: {schema: {starts_with: prod_eu_}}", "assert: {schema: {starts_with: prod_}}"),
    ],
)
def test_a_rule_that_says_nothing_of_its_own_is_reported(
    tmp_path: Path, strong: str, weak: str
) -> None:
    (told,) = _told(tmp_path, strong, weak)
    assert told.message.startswith("b is redundant: whatever fails it also fails a, at ")
    assert _verdict(tmp_path, weak, told.hint) == Verdict.FAIL
    assert _verdict(tmp_path, strong, told.hint) == Verdict.FAIL


@pytest.mark.parametrize(
    "rules",
    [
        # What is documented is not all there is.
        ("assert: {status.setup_state: [connected, broken, incomplete, unknown]}",),
        ("assert: {networking_method: {not_in: [Directly]}}",),
        # A number need not be whole.
        ("when: {sync_frequency: {gt: 5}}, assert: {not: {sync_frequency: {lt: 6}}}",),
        # Of a field that is not there, exists makes a skip and no error.
        (
            (
                "when: {networking_method: {exists: true, equals: Directly}},"
                " assert: {private_link_id: {exists: false}}"
            ),
        ),
        # A graver rule with a wider bound is a second tier.
        (
            "severity: low, assert: {sync_frequency: {lte: 60}}",
            "severity: high, assert: {sync_frequency: {lte: 1440}}",
        ),
        # What applies to others contradicts nothing.
        (
            "when: {service: a}, assert: {sync_frequency: {lte: 60}}",
            "when: {service: b}, assert: {sync_frequency: {gte: 120}}",
        ),
        # What is paused satisfies both.
        (
            "assert: {any: [{paused: true}, {sync_frequency: {lte: 60}}]}",
            "assert: {any: [{paused: true}, {sync_frequency: {gte: 120}}]}",
        ),
        # Patterns are not looked into.
        ("when: {schema: {regex_search: ^a}}, assert: {schema: {starts_with: a}}",),
        ("when: {schema: {glob: 'a?*'}}, assert: {not: {schema: {glob: 'b?*'}}}",),
        # What one rule forbids another may speak of: where the first is waived.
        (
            "assert: {schedule_type: auto}",
            "when: {schedule_type: manual}, assert: {paused: true}",
        ),
        # Another field may be anything.
        ("when: {succeeded_at: {after: {field: failed_at}}}, assert: {failed_at: {exists: true}}",),
        # A time of this run and one of the calendar.
        (
            (
                "when: {created_at: {older_than: 30d}},"
                " assert: {created_at: {before: '2090-01-01T00:00:00Z'}}"
            ),
        ),
        # Where the first errs the second still fails.
        (
            "assert: {succeeded_at: {older_than: 1d}, sync_frequency: {lte: 60}}",
            "assert: {sync_frequency: {lte: 60}, failed_at: {exists: true}}",
        ),
        ("per: service, when: {paused: true}, assert: {count: {lte: 3}}",),
    ],
)
def test_sound_rules_are_not_accused(tmp_path: Path, rules: tuple[str, ...]) -> None:
    assert _told(tmp_path, *rules) == []


@pytest.mark.parametrize(
    ("when", "asserted", "told"),
    [
        ("contains_all: [MONDAY, FRIDAY]", "contains: MONDAY", "can never fail"),
        ("contains_all: [MONDAY, FRIDAY, SUNDAY]", "contains_all: [SUNDAY, MONDAY]", "never fail"),
        ("contains_all: [MONDAY, FRIDAY]", "contains_any: [FRIDAY, SUNDAY]", "can never fail"),
    ],
)
def test_contains_all_is_compared_item_by_item(
    tmp_path: Path, when: str, asserted: str, told: str
) -> None:
    rule = "when: {schedule.days_of_week: {%s}}, assert: {schedule.days_of_week: {%s}}"
    (found,) = _told(tmp_path, rule % (when, asserted))
    assert told in found.message
    assert _told(tmp_path, rule % (asserted, when)) == []


def test_what_a_variable_decides_is_left_alone(tmp_path: Path) -> None:
    text = (
        "policy: p\nvars: {start: '00:00', end: '06:00'}\nrules:\n"
        "  - {id: a, severity: low, when: {daily_sync_time: {exists: true}}, assert:"
        " {daily_sync_time: {gte: {var: start}, lte: {var: end}}}}\n"
    )
    path = written(tmp_path, text)
    assert claims(load_policies(path).rules) == []
    written(tmp_path, text.replace("{var: start}", "'00:00'").replace("start: '00:00', ", ""))
    (told,) = claims(load_policies(path).rules)
    assert "decides nothing in its assert" in told.message


def test_what_a_rule_comes_to_by_its_variables_is_told_as_that(tmp_path: Path) -> None:
    text = (
        "policy: p\nvars: {floor: 0, most: 60}\nrules:\n"
        "  - {id: a, severity: low, when: {service_version: {gt: 5}},"
        " assert: {service_version: {gte: {var: floor}}}}\n"
        "  - {id: b, severity: low, assert: {sync_frequency: {lte: {var: most}}}}\n"
        "  - {id: c, severity: low, assert: {sync_frequency: {lte: 1440}}}\n"
        "  - {id: d, severity: low, assert: {sync_frequency: {gte: 100}}}\n"
    )
    found = [problem.message for problem in claims(load_policies(written(tmp_path, text)).rules)]
    assert len(found) == 2, found  # that b makes c redundant rests on the variable
    assert "a can never fail as variables are set: " in found[0]
    assert "no connection can satisfy d and b" in found[1]
    assert found[1].endswith("where both apply as variables are set")
    plain = text.replace("{var: floor}", "0").replace("{var: most}", "60")
    plain = plain.replace("vars: {floor: 0, most: 60}\n", "")
    found = [problem.message for problem in claims(load_policies(written(tmp_path, plain)).rules)]
    assert len(found) == 3, found
    assert not any("variables" in message for message in found)
    assert any("c is redundant" in message for message in found)


def test_two_rules_that_are_the_same_are_so_whatever_their_variable(tmp_path: Path) -> None:
    rule = "  - {id: %s, severity: low, assert: {sync_frequency: {lte: {var: most}}}}\n"
    text = f"policy: p\nvars: {{most: 60}}\nrules:\n{rule % 'a'}{rule % 'b'}"
    (found,) = claims(load_policies(written(tmp_path, text)).rules)
    assert "b is redundant" in found.message


@pytest.mark.parametrize("value", [15, 3], ids=["above the bound", "below the bound"])
def test_what_is_idle_by_a_variables_value_is_left_alone(tmp_path: Path, value: int) -> None:
    text = (
        f"policy: p\nvars: {{floor: {value}}}\nrules:\n  - {{id: a, severity: low, assert:"
        " {all: [{sync_frequency: {gte: {var: floor}}}, {sync_frequency: {gte: 5}}]}}\n"
    )
    assert claims(load_policies(written(tmp_path, text)).rules) == []


@pytest.mark.parametrize(
    ("test", "item", "cover"),
    [
        ("schema: {starts_with: [raw_eu_, stg_, raw_]}", "raw_eu_", "raw_"),
        ("schema: {ends_with: [_eu, _raw_eu]}", "_raw_eu", "_eu"),
        ("schema: {glob: [raw_*, 'raw_eu_*']}", "raw_eu_", "raw_"),
        ("schema: {regex_search: [^a, ^b, ^a]}", "^a", "^a"),
        ("service: [a, b, a]", "a", "a"),
        ("sync_frequency: {not_in: [5, 15, 5]}", "5", "5"),
        ("setup_tests: {none_items: {status: [FAILED, FAILED]}}", "FAILED", "FAILED"),
    ],
)
def test_an_item_that_another_has_is_reported(
    tmp_path: Path, test: str, item: str, cover: str
) -> None:
    (told,) = _told(tmp_path, f"assert: {{{test}}}")
    assert told.message == f"a: {item} decides nothing in its list, since {cover} is there"


def test_items_that_differ_are_not(tmp_path: Path) -> None:
    for test in (
        "schema: {starts_with: [raw_, stg_]}",
        "schema: {glob: [raw_*, '*raw_']}",
        "schema: [a, A]",
        "config.port: [1, '1', true]",
    ):
        assert _told(tmp_path, f"assert: {{{test}}}") == []


@pytest.mark.parametrize("word", ["when", "unless", "groups"])
def test_the_conditions_of_rules_on_groups_are_looked_at(tmp_path: Path, word: str) -> None:
    rule = f"per: service, {word}: {{all: [{{service: a}}, {{service: b}}]}}"
    (told,) = _told(tmp_path, f"{rule}, assert: {{count: {{lte: 3}}}}")
    assert told.message == f"a: no record can meet its {word}"
    same = f"per: service, {word}: {{all: [{{service: a}}, {{service: [a, b]}}]}}"
    (told,) = _told(tmp_path, f"{same}, assert: {{count: {{lte: 3}}}}")
    assert f"decides nothing in its {word}" in told.message


def test_a_table_that_would_be_too_long_is_not_made(tmp_path: Path) -> None:
    parts = ", ".join(f"{{config.a{n}: {{regex_search: x{n}}}}}" for n in range(20))
    assert _told(tmp_path, f"assert: {{any: [{parts}, {{paused: true}}, {{paused: false}}]}}") == []


# -- where they are told --------------------------------------------------------------------------


def test_claims_are_warnings_with_their_line_and_strict_makes_them_errors(tmp_path: Path) -> None:
    _rules(tmp_path, "when: {paused: true}, assert: {paused: false}")
    loaded = load([str(tmp_path / "policy.yaml")])
    found = analysed(loaded)
    (told,) = found.warnings
    assert told.source_line.strip().startswith("- {id: a")
    assert found.ruleset.warnings == (str(told),)
    with pytest.raises(PolicyError) as caught:
        analysed(loaded, strict=True)
    assert caught.value.problems == (told,)


def test_a_sound_policy_is_as_it_was(tmp_path: Path) -> None:
    _rules(tmp_path, "assert: {paused: false}")
    loaded = load([str(tmp_path / "policy.yaml")])
    assert analysed(loaded, strict=True) is loaded


@pytest.mark.parametrize("pack", sorted(p.stem for p in (ROOT / "policies").glob("*[!t].yaml")))
def test_no_pack_is_accused(pack: str) -> None:
    assert claims(load_policies(pack).rules) == []


def test_a_pack_beside_another_is_not_accused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # in the repository they are files like any other
    packs = ("baseline", "cost", "governance", "reliability", "security", "terraform")
    assert claims(load_policies(*packs).rules) == []


@pytest.mark.parametrize(
    ("accepts", "told"),
    [
        ("{all: [{paused: true}, {paused: false}]}", "no record can meet its while"),
        ("{sync_frequency: {lte: 30}}", "a record that meets its while never fails a"),
        ("{sync_frequency: {gte: 30}}", ""),
        ("{service: x}", ""),
    ],
)
def test_a_while_that_no_violation_meets_is_reported(
    tmp_path: Path, accepts: str, told: str
) -> None:
    rules = _rules(tmp_path, "assert: {sync_frequency: {lte: 60}}", f"assert: {accepts}").rules
    first, second = rules
    assert isinstance(first, PolicyRule)
    assert isinstance(second, PolicyRule)
    assert idle_waiver(second.assertion, [first]).startswith(told)
    assert bool(idle_waiver(second.assertion, [first])) is bool(told)
    assert place(second.assertion).line == 4


def test_a_while_is_asked_of_all_that_a_waiver_is_for(tmp_path: Path) -> None:
    first, second, third = _rules(
        tmp_path,
        "assert: {sync_frequency: {lte: 60}}",
        "assert: {sync_frequency: {gte: 30}}",
        "assert: {sync_frequency: {lte: 15}}",
    ).rules
    assert isinstance(first, PolicyRule)
    assert isinstance(second, PolicyRule)
    assert isinstance(third, PolicyRule)
    assert idle_waiver(third.assertion, [first])
    assert not idle_waiver(third.assertion, [first, second])


# -- laws -----------------------------------------------------------------------------------------

_FEW: Mapping[str, Sequence[Any]] = {
    "paused": [True, False, {"exists": True}, {"not_equals": True}],
    "sync_frequency": [
        60,
        {"gte": 1},
        {"lt": 1},
        {"lte": 60},
        {"gt": 60},
        {"exists": False},
        [0, 1],
        {"between": [0, 60]},
    ],
    "schema": ["a", ["a", "A"], {"starts_with": "raw_"}, {"is_empty": True}, {"exists": True}],
    "status.setup_state": ["connected", {"not_in": ["connected", "broken"]}],
    "setup_tests": [
        {"any_item": {"status": "FAILED"}},
        {"all_items": {"status": ["PASSED"]}},
        {"none_items": {"status": "FAILED"}},
        {"is_empty": False},
    ],
    "daily_sync_time": [{"gte": "02:00"}, {"lt": "14:30"}, {"exists": True}],
    "succeeded_at": [{"older_than": "1m"}, {"newer_than": "36h"}, {"before": "now"}],
}


@st.composite
def _conditions(draw: st.DrawFn, depth: int = 1) -> dict[str, Any]:
    """A condition out of so few tests that they often contradict each other."""
    how = draw(st.integers(0, 4)) if depth else 4
    if how < 2:
        parts = draw(st.lists(_conditions(depth=0), min_size=1, max_size=3))
        return {"any" if how else "all": parts}
    if how == 2:
        return {"not": {"any": [draw(_conditions(depth=0))]}}
    path = draw(st.sampled_from(sorted(_FEW)))
    return {path: draw(st.sampled_from(_FEW[path]))}


_KINDS = {
    r"(\w+) never applies": lambda v: v["1"] in {Verdict.SKIP, Verdict.ERROR},
    r"(\w+) can never fail": lambda v: v["1"] is not Verdict.FAIL,
    r"(\w+) fails whatever": lambda v: v["1"] is not Verdict.PASS,
    r"no connection can satisfy (\w+) and (\w+),": lambda v: {v["1"], v["2"]} != {Verdict.PASS},
    r"(\w+) is redundant: whatever fails it also fails (\w+),": lambda v: (
        v["1"] is not Verdict.FAIL or v["2"] is Verdict.FAIL
    ),
}


@_LAW
@given(
    st.lists(st.tuples(st.none() | _conditions(), _conditions()), min_size=2, max_size=6),
    st.lists(records(), min_size=1, max_size=8),
)
def test_no_judged_record_contradicts_a_claim(
    tmp_path: Path, rules: list[Any], texts: list[str]
) -> None:
    body = [
        {"id": f"r{n}", "severity": "low", "assert": a} | ({} if w is None else {"when": w})
        for n, (w, a) in enumerate(rules)
    ]
    path = written(tmp_path, json.dumps({"policy": "p", "rules": body}))
    ruleset = load_policies(path)
    found = claims(ruleset.rules)
    checks = checks_of(ruleset, texts)
    for claim in found:
        for pattern, stands in _KINDS.items():
            named = re.match(pattern, claim.message)
            if named is None:
                continue
            for index in range(len(texts)):
                verdicts = {
                    str(n): Verdict(checks[name].verdicts[index])
                    for n, name in enumerate(named.groups(), 1)
                }
                assert stands(verdicts), (claim, texts[index])
