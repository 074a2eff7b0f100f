"""What a waiver covers, and what a baseline knows: by rule, by connection, by group."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from auditor.acceptance.baseline import Baseline
from auditor.acceptance.match import Watch
from auditor.acceptance.schema import waivers_schema
from auditor.model import BaselineUse, Connections, Ended, Result, Unjudged, Verdict
from auditor.policy import Ruleset, load_policies
from auditor.run import Options, audit
from tests.builders.listed import (
    HOUSE,
    TODAY,
    Listed,
    baseline_from,
    by_verdict,
    counts_of,
    record,
    waiver,
    waivers_in,
)
from tests.builders.slow import tries
from tests.builders.waived import FAST, judged


@pytest.fixture(name="schema", scope="module")
def _schema() -> Draft202012Validator:
    schema = waivers_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


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
     ("{group: g}", False), ("{group: g1, service: postgres}", False)],
)  # fmt: skip
def test_a_group_without_members_is_chosen_by_its_name(
    house: Ruleset, tmp_path: Path, connections: str, covered: bool
):
    text = waiver(rule="has-postgres", connections=connections)
    result = judged(house, tmp_path, text, [record("a", service="mysql")])
    assert counts_of(result).get("waived", 0) == covered


@pytest.mark.parametrize(
    ("connections", "covered"),
    [
        ("{service: mysql, schema: s1}", True),
        ('{service: "m*", schema: [s0, s1]}', True),
        ("{service: mysql, schema: s2}", False),
        ("{service: postgres, schema: s1}", False),
        # A group of several accounts' or of no group is not chosen by what it has no key for.
        ("{schema: s1, group: g1}", False),
        ("{id: a, schema: s1}", False),
    ],
)
def test_a_group_without_members_is_chosen_by_each_field_of_its_key(
    tmp_path: Path, connections: str, covered: bool
):
    path = tmp_path / "house.yaml"
    head = "per: group_id, when: {service: postgres}"
    path.write_text(HOUSE.replace(head, "per: [service, schema], when: {paused: true}"))
    rules = load_policies(str(path))
    text = waiver(rule="has-postgres", connections=connections)
    result = judged(rules, tmp_path, text, [record("a", service="mysql", schema="s1")])
    assert counts_of(result).get("waived", 0) == covered


@pytest.mark.parametrize(
    ("path", "connections"), [("id", "{id: a}"), ("plan.address", "{address: x.a}")]
)
def test_a_group_of_one_connection_that_is_no_member_is_chosen_by_its_name(
    tmp_path: Path, path: str, connections: str
):
    file = tmp_path / "house.yaml"
    file.write_text(HOUSE.replace("per: group_id, when: {service", f"per: {path}, when: {{service"))
    rules = load_policies(str(file))
    text = waiver(rule="has-postgres", connections=connections)
    records = [record(name, service="mysql", plan={"address": f"x.{name}"}) for name in "ab"]
    found = by_verdict(judged(rules, tmp_path, text, records))
    prefix = "" if path == "id" else "x."
    assert found["waived"] == {("has-postgres", f"{prefix}a", ())}
    assert found["fail"] == {("has-postgres", f"{prefix}b", ())}


def test_a_waiver_is_void_where_its_value_no_longer_holds(house: Ruleset, tmp_path: Path):
    text = waiver(connections="all", **{"while": "{sync_frequency: 5}"})
    records = [record("a", sync_frequency=5), record("b", sync_frequency=1)]
    result = judged(house, tmp_path, text, records)
    assert {f.connections[0].id: f.verdict.label for f in result.findings} == {
        "a": "waived", "b": "fail",
    }  # fmt: skip
    (told,) = [w for w in result.warnings if "void" in w]
    assert "is void for 1 violation: no longer sync_frequency is 5" in told


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
    max_examples=tries(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
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


def test_a_violation_that_two_waivers_cover_counts_once(house: Ruleset, tmp_path: Path):
    """The first of the file covers it; the second is for it, and covers nothing."""
    text = waiver(owner="first") + waiver(owner="second", rule='"sync-*"', connections="all")[9:]
    result = judged(house, tmp_path, text, FAST)
    assert counts_of(result)["waived"] == 3
    assert [(w.owner, w.matched, w.covered) for w in result.waivers] == [
        ("first", 1, 1),
        ("second", 3, 2),
    ]
    notes = {f.connections[0].id: f.note.split()[2] for f in result.findings}
    assert notes == {"a": "first", "b": "second", "c": "second"}
    assert result.accepted[0].startswith("3 violations waived by ")


def test_a_waiver_that_holds_comes_before_one_that_does_not(house: Ruleset, tmp_path: Path):
    expired = waiver(owner="gone", expires="2026-01-01")
    void = waiver(owner="void", **{"while": "{sync_frequency: 60}"})[9:]
    result = judged(house, tmp_path, expired + void + waiver(owner="held")[9:], FAST[:1])
    (finding,) = result.findings
    assert (finding.verdict, "by held" in finding.note) == (Verdict.WAIVED, True)
    assert [(w.matched, w.void, w.covered) for w in result.waivers] == [
        (1, 0, 0),
        (1, 1, 0),
        (1, 0, 1),
    ]
    (finding,) = judged(house, tmp_path, expired + void, FAST[:1]).findings
    assert finding.verdict is Verdict.FAIL
    assert finding.note == "its waiver has expired, it held through 2026-01-01"


@pytest.mark.parametrize("length", [199, 200, 201, 500])
def test_an_id_that_is_shown_cut_is_known_by_no_other_s_entry(house: Ruleset, length: int):
    """The first hundreds of characters are alike; reports show no more of them."""
    start = "x" * (length - 1)

    def run(end: str, baseline: Baseline | None = None) -> Result:
        listed = Listed([record(start + end, sync_frequency=5), record("b")])
        return audit(listed, house, Options(clock=lambda: TODAY, baseline=baseline))

    before = baseline_from(run("1"))
    assert counts_of(run("2", before)).get("known", 0) == 0
    same = run("1", before)
    assert counts_of(same).get("known", 0) == (1 if length <= 200 else 0)
    # Nor is it told to be fixed where the same name is there still.
    assert same.baseline is not None
    assert same.baseline.fixed == 0


@pytest.mark.parametrize(
    ("record_now", "fate"),
    [
        ({"sync_frequency": 60}, "fixed"),
        ({"sync_frequency": None}, "untold"),
        ({"sync_frequency": "5"}, "untold"),
        ({"sync_frequency": 5}, "known"),
    ],
    ids=str,
)
def test_what_cannot_be_evaluated_is_not_fixed(
    house: Ruleset, record_now: dict[str, Any], fate: str
):
    def run(baseline: Baseline | None, **held: Any) -> Result:
        listed = Listed([record("a", **held), record("b")])
        return audit(listed, house, Options(clock=lambda: TODAY, baseline=baseline))

    use = run(baseline_from(run(None, sync_frequency=5)), **record_now).baseline
    assert use is not None
    found = {name: getattr(use, name) for name in ("known", "fixed", "untold", "new", "waived")}
    assert found == {name: int(name == fate) for name in found}
    assert [each.id for each in use.unjudged] == ["a"] * use.untold


@pytest.mark.parametrize(
    ("paused", "fate"), [(False, "fixed"), (None, "untold"), ("x", "untold")], ids=str
)
def test_a_group_that_cannot_be_evaluated_is_not_fixed(house: Ruleset, paused: object, fate: str):
    def run(baseline: Baseline | None, paused: object) -> Result:
        listed = Listed([record("a", paused=True), record("b", paused=paused)])
        return audit(listed, house, Options(clock=lambda: TODAY, baseline=baseline))

    before = baseline_from(run(None, True))
    use = run(before, paused).baseline
    assert use is not None
    # not-paused of b, and few-paused of the account.
    assert (use.known, getattr(use, fate), use.fixed + use.untold) == (1, 2, 2)
    assert sorted(each.id for each in use.unjudged) == ["", "b"][: use.untold]


def test_a_while_is_asked_of_the_connections_of_every_page(house: Ruleset, tmp_path: Path):
    (entry,) = waivers_in(
        tmp_path, waiver(connections="all", **{"while": "{sync_frequency: 5}"})
    ).entries
    watch, second = Watch([entry], TODAY), Watch([entry], TODAY)
    pages = [(5,), (60, 5), (), (5, 60), (60, 60), (5,)]
    for number, frequencies in enumerate(pages):
        records = [{"sync_frequency": number} for number in frequencies]
        ids = tuple("x" * len(records))
        taking = watch if number < 2 else second
        taking.take(records, Connections(ids, ids, ids, ids))
    watch.join(second.holds, 5)
    watch.join(second.holds, 5)
    assert watch.holds == {0: {0, 2, 3, 7, 8, 12}}


def test_a_group_that_is_shown_cut_is_known_by_no_other_s_entry(house: Ruleset):
    """Where a finding lists no connection its group's name is all that tells it from others."""

    def run(group: str, baseline: Baseline | None = None) -> Result:
        listed = Listed([record("a", service="mysql", group_id=group), record("b")])
        return audit(listed, house, Options(clock=lambda: TODAY, baseline=baseline))

    long = "g" * 250
    before = baseline_from(run(f"{long}a"))
    use = run(f"{long}b", before).baseline
    assert use is not None
    assert (use.known, use.new) == (0, 1)
    short = run("g2", baseline_from(run("g2"))).baseline
    assert short is not None
    assert (short.known, short.new) == (1, 0)
    # A plan's secrets are numbered as they are met: the next plan's first is another.
    hidden = run("[sensitive] 1", baseline_from(run("[sensitive] 1"))).baseline
    assert hidden is not None
    assert (hidden.known, hidden.new) == (0, 1)


@pytest.mark.parametrize(("held", "fate"), [([60], "untold"), (90, "fixed"), (60, "known")])
def test_a_duplicate_is_not_fixed_while_its_group_cannot_be_compared(
    tmp_path: Path, held: object, fate: str
):
    path = tmp_path / "house.yaml"
    path.write_text(HOUSE.replace("[service, schema]", "[sync_frequency]"))
    rules = load_policies(str(path))

    def run(held: object, baseline: Baseline | None = None) -> Result:
        listed = Listed([record("a"), record("b", sync_frequency=held)])
        return audit(listed, rules, Options(clock=lambda: TODAY, baseline=baseline))

    use = run(held, baseline_from(run(60))).baseline
    assert use is not None
    assert [use.known, use.fixed, use.untold] == [
        int(fate == name) for name in ("known", "fixed", "untold")
    ]


def test_of_groups_that_are_shown_alike_one_that_is_still_there_is_not_waived(
    house: Ruleset, tmp_path: Path
):
    """Their names are cut; which of the two findings is the waived one nobody can tell."""
    names = [f"{'s' * 250}{letter}" for letter in "ab"]
    listed = [
        record(f"{name[-1]}{number}", schema=name, sync_frequency=60)
        for name in names
        for number in (1, 2)
    ]
    before = baseline_from(audit(Listed(listed), house, Options(clock=lambda: TODAY)))
    assert len({finding.group for finding in before.report.findings}) == 1
    ours = waivers_in(tmp_path, waiver(rule="one-name", connections='{id: ["a1", "a2"]}'))
    given = Options(clock=lambda: TODAY, baseline=before, waivers=ours)
    result = audit(Listed(listed), house, given)
    assert counts_of(result)["waived"] == counts_of(result)["known"] == 1
    assert result.baseline is not None
    assert (result.baseline.waived, result.baseline.fixed, result.baseline.untold) == (0, 0, 0)


def test_what_became_of_each_finding_of_a_baseline(house: Ruleset, tmp_path: Path):
    """On connections and groups: still there, worse, mended, gone, waived, and not judged."""

    def run(*records: dict[str, Any], baseline: Baseline | None = None, **more: Any) -> Result:
        options = Options(clock=lambda: TODAY, baseline=baseline, **more)
        return audit(Listed(list(records)), house, options)

    bad = {"sync_frequency": 5}
    before = run(
        *(record(name, schema=f"s{name}", **bad) for name in "abcdef"),
        record("n", **bad),
        record("w", **bad),
        record("p", paused=True, schema="sq"),
        record("q", paused=True, schema="sq"),
        record("x", service="mysql", group_id="g2"),
        record("y", service="mysql", group_id="g3"),
        waivers=waivers_in(tmp_path, waiver(connections="{id: [d, w]}")),
    )
    baseline = baseline_from(before)
    columns = baseline.report.connections
    unnamed = ["" if name == "n" else name for name in columns.schemas]
    columns = Connections(columns.ids, columns.services, unnamed, columns.group_ids)
    now = run(
        record("a", schema="other", **bad),
        record("b", schema="sb"),
        record("c", schema="sc", sync_frequency=None),
        record("e", schema="se", **bad),
        record("f", schema="sf", paused=True),
        record("n"),
        record("w", sync_frequency=None),
        record("p", schema="sq"),
        record("q", paused=None, schema="sr"),
        record("x", group_id="g2"),
        record("z", sync_frequency=1),
        baseline=replace(baseline, report=replace(baseline.report, connections=columns)),
        waivers=waivers_in(tmp_path, waiver(connections="{id: e}")),
    )
    assert now.baseline == BaselineUse(
        "baseline.json",
        TODAY,
        known=1,
        raised=0,
        new=2,
        fixed=6,
        waived=1,
        untold=3,
        gone=2,
        ended=(
            Ended("not-paused", "sq", "p"),
            Ended("sync-floor", "sb", "b"),
            Ended("sync-floor", "sf", "f"),
            Ended("sync-floor", "n", "n"),
            Ended("one-name", "g1, postgres, sq"),
            Ended("has-postgres", "g2"),
            Ended("has-postgres", "g3", gone=True),
            # It was waived then, which is no more to be known than what is mended.
            Ended("sync-floor", "sd", "d", gone=True),
        ),
        unjudged=(
            Unjudged("not-paused", "sq", "q"),
            Unjudged("sync-floor", "sc", "c"),
            Unjudged("few-paused", "account"),
        ),
    )
    notes = {(f.rule.id, f.connections[0].id): f.note for f in now.findings if f.connections}
    assert notes["sync-floor", "a"] == "known from baseline.json of 2026-03-10T12:00:00Z"
    assert notes["sync-floor", "z"] == notes["not-paused", "f"] == ""
    assert notes["sync-floor", "e"].startswith("waived by data-platform")


def test_a_rule_made_more_severe_counts_again(house: Ruleset, tmp_path: Path):
    path = tmp_path / "house.yaml"
    path.write_text(HOUSE.replace("medium", "high"))
    records = [record("a", sync_frequency=5), record("b")]
    before = audit(Listed(records), house, Options(clock=lambda: TODAY))
    given = Options(clock=lambda: TODAY, baseline=baseline_from(before))
    result = audit(Listed(records), load_policies(str(path)), given)
    (finding,) = result.findings
    assert (finding.verdict, finding.note) == (
        Verdict.FAIL,
        "not known from baseline.json of 2026-03-10T12:00:00Z: its rule was less severe then",
    )
    assert result.baseline is not None
    assert (result.baseline.raised, result.baseline.known, result.baseline.new) == (1, 0, 0)
    # The other way round it is known: it is no worse than it was.
    before = audit(Listed(records), load_policies(str(path)), Options(clock=lambda: TODAY))
    given = Options(clock=lambda: TODAY, baseline=baseline_from(before))
    assert counts_of(audit(Listed(records), house, given))["known"] == 1


def test_a_duplicate_is_not_fixed_where_one_of_it_is_in_no_group_any_more(tmp_path: Path):
    path = tmp_path / "house.yaml"
    path.write_text(
        HOUSE.replace("per: group_id, assert: {uni", "per: schedule_type, assert: {uni")
    )
    rules = load_policies(str(path))
    auto = {"schema": "x", "schedule_type": "auto"}

    def run(last: object, baseline: Baseline | None = None) -> Result:
        listed = [record("a", **auto), record("b", **{**auto, "schedule_type": last})]
        options = Options(clock=lambda: TODAY, baseline=baseline)
        return audit(Listed([*listed, record("c", schedule_type="manual")]), rules, options)

    before = baseline_from(run("auto"))
    lost, moved = run(None, before).baseline, run("manual", before).baseline
    assert lost is not None
    assert moved is not None
    assert [each.name for each in lost.unjudged] == ["auto, postgres, x"]
    assert [each.name for each in moved.ended] == ["auto, postgres, x"]


def test_a_duplicate_is_not_fixed_where_one_of_it_was_not_listed(house: Ruleset):
    """A group that was listed alone is whole; the other one may have been moved, or be gone."""

    def run(*records: dict[str, Any], baseline: Baseline | None = None) -> Result:
        listed = Listed(list(records), filters=(("group_id", "g1"),))
        return audit(listed, house, Options(clock=lambda: TODAY, baseline=baseline))

    a, b, c = record("a", schema="x"), record("b", schema="x"), record("c", schema="y")
    rules = [entry for entry in house.rules if not entry.rule.id.startswith("few")]
    house = replace(house, rules=tuple(rules))
    before = baseline_from(run(a, b, c))
    renamed = {**b, "schema": "z"}
    for records, fixed in (((a, c), 0), ((a, renamed, c), 1), ((a, renamed), 1), ((c,), 0)):
        use = run(*records, baseline=before).baseline
        assert use is not None
        assert (use.fixed, use.untold, use.gone) == (fixed, 1 - fixed, 0)
    # What is still there is known, whichever of it was listed.
    before = baseline_from(run(a, b, {**c, "schema": "x"}))
    use = run(a, b, baseline=before).baseline
    assert use is not None
    assert (use.known, use.fixed, use.untold) == (1, 0, 0)


def test_a_duplicate_is_fixed_where_one_of_it_is_another_s_now(house: Ruleset):
    def run(*schemas: str, baseline: Baseline | None = None) -> Result:
        listed = [record(name, schema=schema) for name, schema in zip("abc", schemas, strict=True)]
        return audit(Listed(listed), house, Options(clock=lambda: TODAY, baseline=baseline))

    use = run("y", "z", "y", baseline=baseline_from(run("x", "x", "y"))).baseline
    assert use is not None
    assert [each.name for each in use.ended] == ["g1, postgres, x"]
    assert (use.new, use.fixed, use.untold) == (1, 1, 0)


def test_a_rule_that_is_on_groups_now_does_not_tell_of_what_it_found_on_connections(
    house: Ruleset, tmp_path: Path
):
    path = tmp_path / "house.yaml"
    single, grouped = (
        "assert: {sync_frequency: {gte: 15}}",
        "per: group_id, assert: {count: {gte: 1}}",
    )
    path.write_text(HOUSE.replace(single, grouped))
    other = load_policies(str(path))
    records = [record("a", sync_frequency=5), record("b", service="mysql", group_id="g2")]
    for rules, later, told in ((house, other, {"a"}), (other, house, set())):
        before = audit(Listed(records), rules, Options(clock=lambda: TODAY))
        given = Options(clock=lambda: TODAY, baseline=baseline_from(before))
        use = audit(Listed(records), later, given).baseline
        assert use is not None
        assert {each.id for each in use.unjudged} == told
        assert use.fixed == 0


def test_a_group_whose_name_could_be_read_in_two_ways_is_known_by_neither(tmp_path: Path):
    path = tmp_path / "house.yaml"
    head = "per: group_id, when: {service: postgres}"
    path.write_text(HOUSE.replace(head, "per: [schema, service], when: {paused: true}"))
    rules = load_policies(str(path))

    def known(schema: str) -> int:
        listed = Listed([record("a", schema=schema)])
        before = audit(listed, rules, Options(clock=lambda: TODAY))
        given = Options(clock=lambda: TODAY, baseline=baseline_from(before))
        use = audit(listed, rules, given).baseline
        assert use is not None
        return use.known

    assert (known("orders"), known("orders, x")) == (1, 0)


def test_a_while_accepts_nothing_of_a_group_without_members(house: Ruleset, tmp_path: Path):
    text = waiver(rule="has-postgres", connections="{group: g1}", **{"while": "{paused: false}"})
    result = judged(house, tmp_path, text, [record("a", service="mysql")])
    (finding,) = result.findings
    assert (finding.verdict, finding.note) == (
        Verdict.FAIL,
        "its waiver is void: the value that it accepts is no longer there",
    )
    assert [(w.matched, w.void, w.covered) for w in result.waivers] == [(1, 1, 0)]


def test_connections_are_chosen_by_their_address_in_a_plan(tmp_path: Path):
    text = waiver(connections='{address: [\'x.y["k"]\', "z.*"]}', **{"while": "{paused: true}"})
    watch = Watch(waivers_in(tmp_path, text).entries, TODAY)
    addresses = ['x.y["k"]', "", "z.a", 'x.y["l"]', "z.b"]
    ids = tuple("abcde")
    watch.take(
        [{"paused": name != "e"} for name in ids], Connections(ids, ids, ids, ids, addresses)
    )
    assert watch.holds == {0: {0, 2}}


def test_a_glob_chooses_no_value_that_is_missing(house: Ruleset, tmp_path: Path):
    records = [record("a", sync_frequency=5, schema=None), record("b", sync_frequency=5)]
    for connections in ('{schema: "*", id: [a, b]}', '{schema: ["*", b], service: postgres}'):
        result = judged(house, tmp_path, waiver(connections=connections), records)
        waived = by_verdict(result)["waived"]
        assert {ids for rule, _, ids in waived if rule == "sync-floor"} == {("b",)}
