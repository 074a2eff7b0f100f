"""A waiver file: what it may say, and where each mistake is reported."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from auditor.acceptance.waivers import (
    check_terms,
    end_of,
    idle_whiles,
    is_waiver_file,
    load_waivers,
    rule_problem,
)
from auditor.errors import PolicyError, UsageError
from auditor.model import PolicyFile, Position
from auditor.policy import load_policies
from auditor.policy.loading import nodes
from auditor.text import printable
from tests.builders.listed import (
    HOUSE,
    waiver,
    waivers_in,
)
from tests.builders.waiver_mistakes import PROBLEMS


@pytest.mark.parametrize("case", PROBLEMS)
def test_what_is_wrong_is_told_with_its_spot(case: str, tmp_path: Path):
    text, told = PROBLEMS[case]
    with pytest.raises(PolicyError) as caught:
        waivers_in(tmp_path, text)
    assert str(caught.value) == f"{tmp_path / 'waivers.yaml'}:{told}"


def test_every_problem_is_told_at_once(tmp_path: Path):
    text = waiver(rule="", owner="") + waiver(expires="soon").removeprefix("waivers:\n")
    with pytest.raises(PolicyError) as caught:
        waivers_in(tmp_path, text)
    assert len(caught.value.problems) == 3


def test_a_file_that_is_not_there(tmp_path: Path):
    for path, why in (
        (tmp_path / "none.yaml", "No such file or directory"),
        (tmp_path, "Is a directory"),
        ("a\0b", "embedded null byte"),
    ):
        with pytest.raises(UsageError) as caught:
            load_waivers(path)
        assert str(caught.value) == f"{printable(str(path))}: cannot be read: {why}"


def test_a_doubtful_value_is_a_warning_and_with_strict_an_error(tmp_path: Path):
    text = waiver(**{"while": "{schedule_type: {not_equals: hourly}}"})
    assert len(waivers_in(tmp_path, text).warnings) == 1
    with pytest.raises(PolicyError, match="hourly"):
        load_waivers(tmp_path / "waivers.yaml", strict=True)


def test_a_file_without_waivers_is_fine(tmp_path: Path):
    assert waivers_in(tmp_path, "waivers: []\n").entries == ()
    assert waivers_in(tmp_path, "waivers:\n").entries == ()


# -- how long it may hold -------------------------------------------------------------------------

TERMS = """\
policy: p
rules:
  - {id: sync-floor, severity: low, max_waiver: 7d, assert: {sync_frequency: {gte: 15}}}
  - {id: never, severity: low, waivable: false, assert: {paused: false}}
"""


def _problems_of_terms(folder: Path, now: datetime, **said: str) -> list[str]:
    path = folder / "terms.yaml"
    path.write_text(TERMS)
    rules = [entry.rule for entry in load_policies(str(path)).rules]
    try:
        check_terms(waivers_in(folder, waiver(**said)), rules, now)
    except PolicyError as error:
        return [problem.message for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("now", "expires", "allowed"),
    [
        (datetime(2026, 3, 10, 12, tzinfo=UTC), "2026-03-17", True),
        (datetime(2026, 3, 10, 12, tzinfo=UTC), "2026-03-18", False),
        (datetime(2026, 3, 10, 0, 0, tzinfo=UTC), "2026-03-17T23:59:59Z", True),
        # East of Greenwich it is the 11th already, and in UTC still the 10th.
        (datetime(2026, 3, 11, 3, tzinfo=timezone(timedelta(hours=5))), "2026-03-18", False),
        (datetime(2026, 3, 9, 22, tzinfo=timezone(timedelta(hours=-5))), "2026-03-17", True),
        (datetime(2026, 3, 10, 12, tzinfo=UTC), "2026-03-18T01:00:00+02:00", True),
        (datetime(2026, 3, 10, 12, tzinfo=UTC), "2026-03-17T23:00:00-02:00", False),
    ],
)
def test_a_waiver_may_hold_to_the_end_of_its_last_day_in_utc(
    tmp_path: Path, now: datetime, expires: str, allowed: bool
):
    assert (_problems_of_terms(tmp_path, now, expires=expires) == []) is allowed


def test_what_may_not_be_waived_is_told_while_it_is_in_force(tmp_path: Path):
    now = datetime(2026, 3, 10, tzinfo=UTC)
    (told,) = _problems_of_terms(tmp_path, now, rule="never")
    assert told.startswith("never may not be waived")
    assert _problems_of_terms(tmp_path, now, rule="never", expires="2026-03-09") == []


def test_an_end_is_a_moment_in_utc():
    day, through = end_of("2026-06-30") or (None, "")
    assert (day, through) == (
        datetime(2026, 6, 30, 23, 59, 59, 999_999, tzinfo=UTC), "through 2026-06-30",
    )  # fmt: skip
    moment, until = end_of("2026-07-01T01:30:00+02:00") or (None, "")
    assert moment is not None
    assert (moment.date(), moment.hour) == (date(2026, 6, 30), 23)
    assert until == "until 2026-06-30T23:30:00Z"
    for text in ("2026-02-30", "2026-06-30T12:00:00", "30.06.2026", ""):
        assert end_of(text) is None


# -- what it chooses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connections", "refused"),
    [
        ('{group: "*", id: a}', False),
        ('{group: "*"}', True),
        ('{group: "**"}', True),
        ('{group: "*", id: "*"}', True),
        ('{id: [a, "*"]}', True),
        ('{id: "?*"}', False),
        ('{id: "X*"}', False),
    ],
)
def test_choosing_everything_is_said_with_all(tmp_path: Path, connections: str, refused: bool):
    if not refused:
        assert len(waivers_in(tmp_path, waiver(connections=connections)).entries) == 1
        return
    with pytest.raises(PolicyError, match="this selects every connection"):
        waivers_in(tmp_path, waiver(connections=connections))


def test_a_glob_has_stars_marks_and_classes_and_an_address_its_own_brackets(tmp_path: Path):
    said = {
        "schema": "{schema: 'raw_[ab]'}",
        "service": "{service: 'my??l'}",
        "address": "{address: 'x.y[\"k\"]'}",
        "group": "{group: 'g*'}",
        "id": "{id: [b, 'a_*']}",
    }
    chosen = {
        name: waivers_in(tmp_path, waiver(connections=text)).entries[0].connections[0]
        for name, text in said.items()
    }
    assert chosen["schema"].chosen(["raw_a", "raw_c", "raw_[ab]"]) == ["raw_a"]
    assert chosen["service"].chosen(["mysql", "my??l", "myl"]) == ["mysql", "my??l"]
    assert chosen["address"].chosen(['x.y["k"]', "x.yk"]) == ['x.y["k"]']
    assert chosen["group"].chosen(["g", "h", "g2"]) == ["g", "g2"]
    assert chosen["id"].chosen(["a_1", "a", "b", "ab"]) == ["a_1", "b"]
    assert (chosen["id"].exact, chosen["id"].globs) == (frozenset({"b"}), ("a_*",))
    for text in ("x.*", "x.?[0]", "*.y[0]", 'x.*[[!"a]'):
        connections = f"{{address: ['{text}', z]}}"
        (selector,) = waivers_in(tmp_path, waiver(connections=connections)).entries[0].connections
        told = ["x.y[0]", "y.y[0]", "x.y0", 'x.[[!"a]', "z"]
        assert (
            selector.chosen(told)
            == {
                "x.*": ["x.y[0]", "x.y0", 'x.[[!"a]', "z"],
                "x.?[0]": ["x.y[0]", "z"],
                "*.y[0]": ["x.y[0]", "y.y[0]", "z"],
                'x.*[[!"a]': ['x.[[!"a]', "z"],
            }[text]
        )


def test_a_policy_with_waivers_in_it_is_no_waiver_file(tmp_path: Path):
    path = tmp_path / "both.yaml"
    path.write_text("policy: p\nwaivers: []\nrules: []\n")
    assert not is_waiver_file(path)
    for text in ("- waivers\n", "waivers\n", "a: 1\n", "waivers: [\n", "waivers:\nrules: ~\n"):
        path.write_text(text)
        assert is_waiver_file(path) is text.startswith("waivers:\n")
    for name in ("both.yaml", "both.yml", "both.txt"):
        path = tmp_path / name
        path.write_text("waivers: []\n")
        assert is_waiver_file(path) is (name != "both.txt")
        assert is_waiver_file(str(path)) is (name != "both.txt")
    assert not is_waiver_file(tmp_path)
    assert not is_waiver_file(tmp_path / "none.yaml")


def test_a_while_that_no_violation_can_meet_is_told_unless_a_group_may(tmp_path: Path):
    path = tmp_path / "house.yaml"
    path.write_text(HOUSE.replace("few-paused", "sync-few"))
    house = load_policies(str(path))
    impossible = {"while": "{sync_frequency: {gte: 15}}"}
    for rule, told in (("sync-floor", 1), ("sync-*", 0), ("sync-few", 0), ("'*'", 0)):
        waivers = waivers_in(tmp_path, waiver(rule=rule, **impossible))
        assert len(list(idle_whiles(waivers, house))) == told, rule


def test_what_an_idle_while_is_told_with(tmp_path: Path):
    names = [f"floor-{letter}" for letter in "fedcba"]
    rules = "".join(
        f"  - {{id: {name}, severity: low, assert: {{sync_frequency: {{gte: 15}}}}}}\n"
        for name in names
    )
    path = tmp_path / "p.yaml"
    path.write_text(f"policy: p\nrules:\n{rules}")
    ruleset = load_policies(str(path))

    def told(rule: str, condition: str) -> list[str]:
        text = waiver(rule=f'"{rule}"', **{"while": condition})
        found = list(idle_whiles(waivers_in(tmp_path, text), ruleset))
        assert all(problem.warning for problem in found)
        return [str(problem).removeprefix(f"{tmp_path}/") for problem in found]

    sound, never = "{sync_frequency: {gte: 15}}", "{all: [{paused: true}, {not: {paused: true}}]}"
    assert told("none-like-it", sound) == []
    assert list(idle_whiles(waivers_in(tmp_path, waiver(rule='"*"')), ruleset)) == []
    (problem,) = told("floor-*", sound)
    assert problem == (
        f"waivers.yaml:7:30: a record that meets its while never fails {', '.join(sorted(names))}"
        f" (it waives nothing; the rule is at {path}:8:5)"
    )
    (problem,) = told("none-like-it", never)
    assert problem == (
        "waivers.yaml:7:28: no record can meet its while: paused is true and paused is not true"
        " (it waives nothing)"
    )


def test_what_may_not_be_waived_is_told_of_every_rule_in_order(tmp_path: Path):
    names = [f"never-{letter}" for letter in "fedcba"]
    rules = "".join(
        f"  - {{id: {name}, severity: low, waivable: false, assert: {{paused: false}}}}\n"
        for name in names
    )
    path = tmp_path / "p.yaml"
    path.write_text(f"policy: p\nrules:\n{rules}")
    rules_in_force = [entry.rule for entry in load_policies(str(path)).rules]
    waivers = waivers_in(tmp_path, waiver(rule='"*"'))
    with pytest.raises(PolicyError) as caught:
        check_terms(waivers, rules_in_force, datetime(2026, 3, 10, tzinfo=UTC))
    assert [
        (str(problem.position), problem.message, problem.hint) for problem in caught.value.problems
    ] == [
        (
            f"{tmp_path / 'waivers.yaml'}:2:5",
            f"{name} may not be waived ({path}:{8 - number}:5: waivable: false)",
            "mend the violation",
        )
        for number, name in enumerate(sorted(names))
    ]


def test_terms_are_told_where_a_file_of_the_users_names_the_rule(tmp_path: Path):
    path = tmp_path / "terms.yaml"
    path.write_text(TERMS)
    named_at = Position("house.yaml", 4, 21)
    rules = [replace(entry.rule, named_at=named_at) for entry in load_policies(str(path)).rules]
    now = datetime(2026, 3, 10, tzinfo=UTC)
    with pytest.raises(PolicyError) as caught:
        check_terms(waivers_in(tmp_path, waiver(rule='"*"')), rules, now)
    longest = "a waiver of sync-floor may last 7 days from now (max_waiver)"
    assert [(problem.message, problem.hint) for problem in caught.value.problems] == [
        ("never may not be waived (house.yaml:4:21: waivable: false)", "mend the violation"),
        (f"{longest}; this one lasts through 2026-12-31", "let it end on 2026-03-17 at the latest"),
    ]


def test_what_a_while_needs_whole_is_told_apart(tmp_path: Path):
    condition = "{paused: true, config: {json_schema: {type: object}}}"
    waivers = waivers_in(tmp_path, waiver() + waiver(**{"while": condition})[9:])
    assert waivers.reads() == (frozenset({"paused"}), frozenset({"config"}))


def test_problems_and_with_strict_warnings_too_stand_in_the_order_of_the_file(tmp_path: Path):
    doubtful = waiver(**{"while": "{schedule_type: {not_equals: hourly}}"})
    text = doubtful + waiver(owner="7").removeprefix("waivers:\n") + waiver(reason="7")[9:]
    path = tmp_path / "waivers.yaml"
    path.write_text(text)
    for strict in (True, False):
        with pytest.raises(PolicyError) as caught:
            load_waivers(path, strict=strict)
        assert [problem.position.line for problem in caught.value.problems] == [7, 11, 15]
        assert [problem.warning for problem in caught.value.problems] == [True, False, False]


def test_a_file_is_read_whole_or_refused(tmp_path: Path):
    """Never a part of it: what is cut off may end in a comment, and nothing would tell."""
    path = tmp_path / "waivers.yaml"
    text = waiver()
    path.write_text(text + "#" * (nodes.MAX_BYTES - len(text)))
    assert len(load_waivers(path).entries) == 1
    assert is_waiver_file(path)
    path.write_text(path.read_text() + "#")
    assert not is_waiver_file(path)
    with pytest.raises(PolicyError, match="the file is over 1,048,576 bytes"):
        load_waivers(path)


def test_a_while_may_name_a_condition_that_the_policies_have(tmp_path: Path):
    path = tmp_path / "p.yaml"
    path.write_text(
        "policy: p\nconditions: {often: {sync_frequency: {lte: 5}}}\n"
        "rules: [{id: a, severity: low, when: {condition: often}, assert: {paused: false}}]\n"
    )
    text = waiver(**{"while": "{condition: often}"})
    with pytest.raises(PolicyError, match="no condition is called often"):
        waivers_in(tmp_path, text)
    named = load_policies(str(path)).conditions
    (entry,) = load_waivers(tmp_path / "waivers.yaml", conditions=named).entries
    assert entry.while_true == "often (sync_frequency is at most 5)"


def test_a_file_is_named_with_its_hash(tmp_path: Path):
    waivers = waivers_in(tmp_path, waiver())
    digest = hashlib.sha256(waiver().encode()).hexdigest()
    assert waivers.file == PolicyFile("waivers", str(tmp_path / "waivers.yaml"), digest)
    assert waivers.warnings == ()


def test_a_sound_file_is_sound_with_strict_too(tmp_path: Path):
    (entry,) = waivers_in(tmp_path, waiver()).entries
    assert load_waivers(tmp_path / "waivers.yaml", strict=True).entries == (entry,)


def test_a_quoted_text_may_hold_a_number_sign_and_a_long_one_is_cut(tmp_path: Path):
    for reason in ("see #12", "x" * 500):
        (entry,) = waivers_in(tmp_path, waiver(reason=f'"{reason}"')).entries
        assert entry.reason == reason
    (entry,) = waivers_in(tmp_path, waiver(reason="x" * 501)).entries
    assert entry.reason == "x" * 499 + "…"


def test_the_note_says_who_until_when_and_why_and_while_what(tmp_path: Path):
    (entry,) = waivers_in(tmp_path, waiver()).entries
    assert entry.note == "waived by data-platform through 2026-12-31: agreed with finance"
    assert entry.while_true == ""
    (bound,) = waivers_in(tmp_path, waiver(**{"while": "{sync_frequency: 5}"})).entries
    assert bound.note == (
        "waived by data-platform through 2026-12-31, while sync_frequency is 5: agreed with finance"
    )


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("sync-floor", ""),
        ("sync-*", ""),
        ("sync-flor", "no rule is called sync-flor (did you mean sync-floor?)"),
        ("zzz", "no rule is called zzz (one of sync-floor, not-paused)"),
        ("off-one", "one is off"),
        ("off-t*", "two is off, and 1 more rule like it"),
        ("off-*", "one is off, and 2 more rules like it"),
    ],
)
def test_a_rule_that_is_none_is_told_with_the_nearest_or_where_it_was_disabled(
    tmp_path: Path, rule: str, told: str
):
    (entry,) = waivers_in(tmp_path, waiver(rule=f'"{rule}"')).entries
    off = {"off-one": "one is off", "off-two": "two is off", "off-twy": "twy is off"}
    assert rule_problem(entry, ["sync-floor", "not-paused"], off) == told
    if told.startswith("no rule"):
        assert rule_problem(entry, [], {}) == f"no rule is called {rule}"


def test_a_while_reads_a_field_that_the_file_declares(tmp_path: Path):
    text = waiver(**{"while": "{new_field: 5}"})
    (entry,) = waivers_in(tmp_path, f"extra_fields: [new_field]\n{text}").entries
    assert entry.while_true == "new_field is 5"
    with pytest.raises(PolicyError, match="new_field"):
        waivers_in(tmp_path, text)
