"""Waivers: what a file may say, whom a waiver covers, when it ends, and what is told of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from auditor.acceptance.schema import waivers_schema
from auditor.acceptance.waivers import load_waivers
from auditor.errors import PolicyError, UsageError
from auditor.model import Completeness, Result, Verdict
from auditor.policy import Ruleset, load_policies
from auditor.policy.loading import nodes
from auditor.redaction.fields import Scrubber
from auditor.run import Options, audit
from tests.builders.listed import (
    HOUSE,
    TODAY,
    Listed,
    by_verdict,
    check_sums,
    counts_of,
    json_of,
    record,
    waiver,
    waivers_in,
)

PROBLEMS: dict[str, tuple[str, str]] = {
    "a list": ("- a\n", "1:1: this is no waiver file"),
    "a policy": ("policy: x\nrules: []\n", "this is a policy, not a waiver file"),
    "no list": ("waivers: {rule: x}\n", "1:10: waivers: takes a list"),
    "no mapping": ("waivers: [x]\n", "1:11: this is no waiver"),
    "twice": (waiver() + "    owner: me\n", "the key owner stands twice"),
    "no rule": (waiver(rule=""), "2:5: a waiver needs rule:"),
    "no connections": (waiver(connections=""), "a waiver needs connections:"),
    "no reason": (waiver(reason=""), "a waiver needs reason:"),
    "no owner": (waiver(owner=""), "a waiver needs owner:"),
    "no end": (waiver(expires=""), "a waiver needs expires:"),
    "unknown key": (waiver(until="2026-12-31"), "no key until (did you mean expires?)"),
    "misspelt key": (waiver(reson="x"), "no key reson (did you mean reason?)"),
    "empty reason": (waiver(reason='" "'), "4:13: reason: takes a text"),
    "a number": (waiver(owner="7"), "owner: takes a text"),
    "cut": (waiver(reason="see #12"), "reason: is cut at the #"),
    "never": (waiver(expires="never"), "6:14: expires: never is no date"),
    "no such day": (waiver(expires="2026-02-30"), "2026-02-30 is no date"),
    "no zone": (waiver(expires="2026-02-03T10:00:00"), "is no date"),
    "out of range": (waiver(expires="0001-01-01T00:00:00+23:59"), "is no date"),
    "another order": (waiver(expires="31.12.2026"), "is no date"),
    "everything": (waiver(connections="{}"), "3:18: connections: says which ones"),
    "everything as a word": (waiver(connections='"*"'), "connections: says which ones"),
    "everything as a glob": (waiver(connections='{id: "*"}'), "write connections: all"),
    "everything in a list": (waiver(connections='{group: [g, "**"]}'), "chooses every connection"),
    "nothing": (waiver(connections="{id: []}"), "id: takes a text, or a list of them"),
    "an empty text": (waiver(connections='{id: ""}'), "id: takes a text"),
    "a number as id": (waiver(connections="{id: 7}"), "quote a number"),
    "group_id": (waiver(connections="{group_id: g}"), "did you mean group?"),
    "while a text": (waiver(**{"while": "5"}), "a condition is a mapping"),
    "while empty": (waiver(**{"while": "{}"}), "an empty condition holds for everything"),
    "while misspelt": (waiver(**{"while": "{sync_freqency: 5}"}), "did you mean sync_frequency?"),
    "while of a variable": (
        waiver(**{"while": "{any: [{sync_frequency: {gte: {var: floor}}}]}"}),
        "7:48: a waiver knows no variables",
    ),
    "while of text": (waiver(**{"while": '{sync_frequency: "5"}'}), "7:29:"),
    "not YAML": ("waivers: [\n", "not YAML"),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_what_is_wrong_is_told_with_its_spot(case: str, tmp_path: Path):
    text, told = PROBLEMS[case]
    with pytest.raises(PolicyError) as caught:
        waivers_in(tmp_path, text)
    assert told in str(caught.value)
    assert all(str(p.position).startswith(str(tmp_path)) for p in caught.value.problems)


def test_every_problem_is_told_at_once(tmp_path: Path):
    text = waiver(rule="", owner="") + waiver(expires="soon").removeprefix("waivers:\n")
    with pytest.raises(PolicyError) as caught:
        waivers_in(tmp_path, text)
    assert len(caught.value.problems) == 3


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(UsageError, match="cannot be read"):
        load_waivers(tmp_path / "none.yaml")


def test_a_doubtful_value_is_a_warning_and_with_strict_an_error(tmp_path: Path):
    text = waiver(**{"while": "{schedule_type: {not_equals: hourly}}"})
    assert len(waivers_in(tmp_path, text).warnings) == 1
    with pytest.raises(PolicyError, match="hourly"):
        load_waivers(tmp_path / "waivers.yaml", strict=True)


def test_a_file_without_waivers_is_fine(tmp_path: Path):
    assert waivers_in(tmp_path, "waivers: []\n").entries == ()
    assert waivers_in(tmp_path, "waivers:\n").entries == ()


#: What a schema cannot know, or a document no longer shows.
LOADERS = {"twice", "cut", "not YAML", "no such day", "no zone", "out of range"}
LOADERS |= {"everything as a glob", "everything in a list", "while of a variable"}


def document(text: str) -> object:
    root, _ = nodes.parse(text.encode(), "waivers.yaml")
    return nodes.plain_value(root)


@pytest.fixture(name="schema", scope="module")
def _schema() -> Draft202012Validator:
    schema = waivers_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("case", sorted(PROBLEMS.keys() - LOADERS))
def test_the_schema_refuses_what_the_reader_does(case: str, schema: Draft202012Validator):
    assert list(schema.iter_errors(document(PROBLEMS[case][0])))


@pytest.mark.parametrize(
    "text",
    [
        waiver(),
        waiver(connections="all", **{"while": "{sync_frequency: {lte: 5}, paused: false}"}),
        waiver(connections='{id: [a, "b*"], group: g}', expires="2026-12-31T10:00:00+02:00"),
        waiver(**{"while": "{new: 1}"}) + "extra_fields: [new]\n",
        "waivers: []\n",
        "waivers:\n",
    ],
)
def test_the_schema_takes_what_the_reader_does(
    text: str, schema: Draft202012Validator, tmp_path: Path
):
    waivers_in(tmp_path, text)
    assert not list(schema.iter_errors(document(text)))


# -- whom it covers -------------------------------------------------------------------------------


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> Ruleset:
    path = tmp_path / "house.yaml"
    path.write_text(HOUSE)
    return load_policies(str(path))


def judged(
    house: Ruleset, folder: Path, text: str, records: list[dict[str, Any]], **more: Any
) -> Result:
    options = {"clock": lambda: TODAY, **more}
    source = options.pop("source", None) or Listed(records)
    result = audit(source, house, Options(waivers=waivers_in(folder, text), **options))
    check_sums(result)
    return result


FAST = [
    record("a", sync_frequency=5),
    record("b", sync_frequency=5, service="mysql"),
    record("c", sync_frequency=5, group_id="g2"),
]


@pytest.mark.parametrize(
    ("rule", "connections", "covered"),
    [
        ("sync-floor", "{id: a}", "a"),
        ("sync-*", "{id: [a, c]}", "ac"),
        ('"*"', "{service: postgres}", "ac"),
        ("sync-floor", "{service: postgres, group: g1}", "a"),
        ("sync-floor", '{schema: "[ab]"}', "ab"),
        ("sync-floor", '{group: "g?"}', "abc"),
        ("sync-floor", '{service: [mysql, "post*"], id: ["b*", c]}', "bc"),
        ("sync-floor", "all", "abc"),
        ("sync-floor", "{id: A}", ""),
        ("sync-floor", "{service: postgres, id: b}", ""),
        ("not-paused", "all", ""),
        ("sync", "all", ""),
    ],
)
def test_all_that_is_given_must_match(
    house: Ruleset, tmp_path: Path, rule: str, connections: str, covered: str
):
    result = judged(house, tmp_path, waiver(rule=rule, connections=connections), FAST)
    found = by_verdict(result)
    assert {at[2][0] for at in found.get("waived", set())} == set(covered)
    assert {at[2][0] for at in found.get("fail", set())} == set("abc") - set(covered) | (set()), (
        found
    )
    assert result.gate.exit_code == (0 if covered == "abc" else 1)


def test_a_waived_finding_says_who_why_and_until_when(house: Ruleset, tmp_path: Path):
    (finding,) = judged(house, tmp_path, waiver(), FAST[:1]).findings
    assert finding.verdict is Verdict.WAIVED
    assert finding.note == "waived by data-platform through 2026-12-31: agreed with finance"


def test_the_gate_and_the_result_say_how_many_are_waived(house: Ruleset, tmp_path: Path):
    result = judged(house, tmp_path, waiver(connections="all"), FAST)
    assert "3 violations waived" in result.gate.reasons
    (accepted,) = result.accepted
    assert accepted.startswith("3 violations waived by ")
    assert "(1 of 1 waiver in force, sha256:" in accepted


def test_a_waiver_never_covers_an_error(house: Ruleset, tmp_path: Path):
    records = [record("a", sync_frequency=None), record("b", sync_frequency="5")]
    result = judged(house, tmp_path, waiver(rule='"*"', connections="all"), records)
    assert counts_of(result)["error"] == 2
    assert "waived" not in counts_of(result)
    assert result.gate.exit_code == 3


def test_a_finding_about_a_group_needs_all_its_connections(house: Ruleset, tmp_path: Path):
    records = [record("a", schema="same"), record("b", schema="same")]
    text = waiver(rule="one-name", connections="{id: a}")
    assert counts_of(judged(house, tmp_path, text, records))["fail"] == 1
    result = judged(house, tmp_path, waiver(rule="one-name", connections="{id: [a, b]}"), records)
    assert counts_of(result)["waived"] == 1
    third = [*records, record("c", schema="same")]
    result = judged(house, tmp_path, waiver(rule="one-name", connections="{id: [a, b]}"), third)
    assert counts_of(result)["fail"] == 1


@pytest.mark.parametrize(
    ("connections", "covered"),
    [("{group: g1}", True), ('{group: "g*"}', True), ("{group: g2}", False), ("all", True),
     ("{group: g1, service: postgres}", False)],
)  # fmt: skip
def test_a_group_without_members_is_chosen_by_its_name(
    house: Ruleset, tmp_path: Path, connections: str, covered: bool
):
    text = waiver(rule="has-postgres", connections=connections)
    result = judged(house, tmp_path, text, [record("a", service="mysql")])
    assert counts_of(result).get("waived", 0) == covered


# -- while ----------------------------------------------------------------------------------------


def test_a_waiver_is_void_where_its_value_no_longer_holds(house: Ruleset, tmp_path: Path):
    text = waiver(connections="all", **{"while": "{sync_frequency: 5}"})
    records = [record("a", sync_frequency=5), record("b", sync_frequency=1)]
    result = judged(house, tmp_path, text, records)
    assert {f.connections[0].id: f.verdict.label for f in result.findings} == {
        "a": "waived", "b": "fail",
    }  # fmt: skip
    (told,) = [w for w in result.warnings if "void" in w]
    assert "is void for 1 violation: not any more sync_frequency is 5" in told


def test_what_only_a_waiver_reads_is_decoded(house: Ruleset, tmp_path: Path):
    text = waiver(**{"while": "{config.purpose: {starts_with: near}, setup_tests: {length: 1}}"})
    for config, verdict in (({"purpose": "near-real-time"}, "waived"), ({}, "fail")):
        one = record("a", sync_frequency=5, config=config, setup_tests=[{"status": "PASSED"}])
        (finding,) = judged(house, tmp_path, text, [one]).findings
        assert finding.verdict.label == verdict


def test_while_holds_for_all_connections_of_a_group(house: Ruleset, tmp_path: Path):
    text = waiver(rule="one-name", connections="all", **{"while": "{sync_frequency: 60}"})
    same = [record("a", schema="s"), record("b", schema="s")]
    assert counts_of(judged(house, tmp_path, text, same))["waived"] == 1
    same[1]["sync_frequency"] = 30
    assert counts_of(judged(house, tmp_path, text, same))["fail"] == 1


def test_a_while_that_cannot_be_evaluated_waives_nothing(house: Ruleset, tmp_path: Path):
    text = waiver(**{"while": "{daily_sync_time: {exists: false}, config.x: 1}"})
    assert counts_of(judged(house, tmp_path, text, FAST[:1]))["fail"] == 1


# -- the end --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expires", "now", "verdict"),
    [
        ("2026-03-10", datetime(2026, 3, 10, 23, 59, 59, tzinfo=UTC), "waived"),
        ("2026-03-10", datetime(2026, 3, 11, tzinfo=UTC), "fail"),
        ("2026-03-10T12:00:00Z", datetime(2026, 3, 10, 12, tzinfo=UTC), "waived"),
        ("2026-03-10T12:00:00Z", datetime(2026, 3, 10, 12, 0, 1, tzinfo=UTC), "fail"),
        ("2026-03-10T12:00:00+02:00", datetime(2026, 3, 10, 11, tzinfo=UTC), "fail"),
        ("9999-12-31", datetime(2026, 3, 10, tzinfo=UTC), "waived"),
    ],
)
def test_it_ends_with_its_last_moment(
    house: Ruleset, tmp_path: Path, expires: str, now: datetime, verdict: str
):
    result = judged(house, tmp_path, waiver(expires=expires), FAST[:1], clock=lambda: now)
    assert [f.verdict.label for f in result.findings] == [verdict]
    assert any("has expired" in w for w in result.warnings) is (verdict == "fail")


def test_it_ends_by_the_real_clock_whatever_time_is_replayed(house: Ruleset, tmp_path: Path):
    past = TODAY - timedelta(days=400)
    text = waiver(expires="2026-03-01")
    assert counts_of(judged(house, tmp_path, text, FAST[:1], now=past))["fail"] == 1
    future = TODAY + timedelta(days=4000)
    result = judged(house, tmp_path, waiver(), FAST[:1], now=future)
    assert counts_of(result)["waived"] == 1


@pytest.mark.parametrize("now", [None, TODAY - timedelta(days=400)])
@pytest.mark.parametrize(("kind", "verdict"), [("api", "fail"), ("snapshot", "waived")])
def test_where_this_clock_is_wrong_the_live_server_counts_and_no_snapshot(
    house: Ruleset, tmp_path: Path, kind: str, verdict: str, now: datetime | None
):
    source = Listed(FAST[:1], kind, as_of=TODAY + timedelta(days=400))
    result = judged(house, tmp_path, waiver(), [], source=source, now=now)
    # Groups are not seen whole where the clock is a year off: that makes the run inconclusive.
    assert result.findings[0].verdict.label == verdict


@pytest.mark.parametrize(("days", "told"), [(0, True), (14, True), (15, False), (200, False)])
def test_one_that_ends_soon_is_named(house: Ruleset, tmp_path: Path, days: int, told: bool):
    end = (TODAY + timedelta(days=days)).date().isoformat()
    result = judged(house, tmp_path, waiver(expires=end), FAST[:1])
    soon = [w for w in result.warnings if f"ends soon: it holds through {end}" in w]
    assert bool(soon) is told


def test_what_matches_nothing_is_named(house: Ruleset, tmp_path: Path):
    text = waiver(rule="sync-flor") + waiver(connections="{id: gone}").removeprefix("waivers:\n")
    result = judged(house, tmp_path, text, FAST[:1])
    first, second = result.warnings
    assert "matches nothing: no rule is called sync-flor (did you mean sync-floor?)" in first
    assert "waivers.yaml:7:5" in second
    assert "matches nothing" in second


@pytest.mark.parametrize(
    "source",
    [
        Listed([record("b")], filters=(("group_id", "g1"),)),
        Listed([record("b")], completeness=Completeness.UNKNOWN),
        Listed([record("b")], completeness=Completeness.INCOMPLETE),
    ],
)
def test_what_was_not_listed_is_not_held_against_a_waiver(
    house: Ruleset, tmp_path: Path, source: Listed
):
    result = judged(house, tmp_path, waiver(), [], source=source)
    assert not [w for w in result.warnings if "matches nothing" in w]


def test_a_credential_in_a_reason_is_scrubbed(house: Ruleset, tmp_path: Path):
    scrubber = Scrubber([("key-of-the-account", "secret-of-the-account")])
    text = waiver(reason="the secret is secret-of-the-account")
    result = judged(house, tmp_path, text, FAST[:1], scrubber=scrubber)
    assert "secret-of-the-account" not in json_of(result)


# -- laws -----------------------------------------------------------------------------------------

RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.uuids().map(str),
            "service": st.sampled_from(["postgres", "mysql"]),
            "schema": st.sampled_from(["s1", "s2", None]),
            "group_id": st.sampled_from(["g1", "g2", None]),
            "paused": st.sampled_from([True, False, None, "no"]),
            "sync_frequency": st.sampled_from([5, 60, None, "5"]),
        }
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda record: record["id"],
)
WAIVERS = st.lists(
    st.builds(
        lambda rule, connections, accepts, end: waiver(
            rule=json.dumps(rule), connections=connections, expires=end, **accepts
        ).removeprefix("waivers:\n"),
        st.sampled_from(["*", "sync-*", "not-paused", "one-name", "few-*", "has-*", "nothing"]),
        st.sampled_from(["all", "{group: g1}", "{service: my*}", "{schema: [s1, s2], group: g2}"]),
        st.sampled_from([{}, {"while": "{sync_frequency: 5}"}, {"while": "{paused: true}"}]),
        st.sampled_from(["2026-03-09", "2026-03-10", "2027-01-01"]),
    ),
    max_size=4,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(records=RECORDS, texts=WAIVERS)
def test_waivers_turn_violations_into_waived_ones_and_change_nothing_else(
    house: Ruleset, tmp_path: Path, records: list[dict[str, Any]], texts: list[str]
):
    plain = judged(house, tmp_path, "waivers: []\n", records)
    text = "waivers:\n" + "".join(texts)
    result = judged(house, tmp_path, text, records)
    before, after = by_verdict(plain), by_verdict(result)
    assert after.get("error") == before.get("error")
    now = after.get("fail", set()) | after.get("waived", set())
    assert now == before.get("fail", set())
    assert result.total == plain.total
    for verdict in (Verdict.PASS, Verdict.SKIP, Verdict.ERROR):
        assert result.counts[verdict] == plain.counts[verdict]
    for finding in result.findings:
        waived = finding.verdict is Verdict.WAIVED
        assert finding.note.startswith("waived by") is waived
        assert waived or not finding.note or finding.note.startswith("its waiver")
    assert (result.gate.exit_code == 3) is (plain.gate.exit_code == 3)
