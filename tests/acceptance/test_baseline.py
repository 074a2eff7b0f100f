"""A baseline: what it makes known, what is new or fixed, and which reports it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from auditor.acceptance.baseline import Baseline, baseline_of, read_baseline
from auditor.errors import UsageError
from auditor.model import Account, Completeness, Outcome, Result, SourceInfo, Verdict
from auditor.past.earlier import parse_report, read_report, report_of
from auditor.policy import Ruleset, load_policies
from auditor.policy.loading.select import select
from auditor.reports import REPORTS
from auditor.reports import json as report_json
from auditor.run import Options, audit
from tests.builders.listed import (
    HOUSE,
    TODAY,
    Listed,
    baseline_from,
    by_verdict,
    check_sums,
    counts_of,
    json_of,
    record,
    waiver,
    waivers_in,
)
from tests.builders.slow import tries


def rules(folder: Path, text: str = HOUSE) -> Ruleset:
    path = folder / "house.yaml"
    path.write_text(text)
    return load_policies(str(path))


def judged(
    house: Ruleset, source: Listed | list[dict[str, Any]], baseline: Baseline | None, **more: Any
) -> Result:
    listed = source if isinstance(source, Listed) else Listed(source)
    options = Options(clock=lambda: TODAY, baseline=baseline, **more)
    result = audit(listed, house, options)
    check_sums(result)
    return result


OLD = [
    record("a", sync_frequency=5),
    record("b", sync_frequency=5, paused=True),
    record("c", schema="same", paused=True),
    record("d", schema="same"),
]
#: sync-floor on a and b; not-paused on b and c; one-name on c and d; few-paused on b and c.
FOUND = 6


@pytest.fixture(name="before")
def _before(house: Ruleset) -> Baseline:
    first = judged(house, OLD, None)
    assert counts_of(first)["fail"] == FOUND
    assert first.gate.exit_code == 1
    return baseline_from(first)


def test_a_run_against_itself_has_nothing_new(house: Ruleset, before: Baseline):
    result = judged(house, OLD, before)
    assert result.gate.exit_code == 0
    assert counts_of(result)["known"] == FOUND
    assert "fail" not in counts_of(result)
    assert "6 violations known" in result.gate.reasons
    said = "6 violations known from baseline.json of 2026-03-10T12:00:00Z; 0 new, 0 fixed"
    assert result.accepted == (said,)
    assert {f.note for f in result.findings} == {"known from baseline.json of 2026-03-10T12:00:00Z"}


def test_neither_order_nor_texts_matter(tmp_path: Path, before: Baseline):
    texts = HOUSE.replace("{id: sync-floor,", "{id: sync-floor, message: other, title: other,")
    other = rules(tmp_path, texts.replace("gte: 15", "gte: 20"))
    moved = [{**r, "schema": r["schema"] + "_" if r["id"] == "a" else r["schema"]} for r in OLD]
    result = judged(other, list(reversed(moved)), before)
    assert counts_of(result)["known"] == FOUND
    assert result.gate.exit_code == 0


def test_a_new_connection_and_a_new_violation_are_new(house: Ruleset, before: Baseline):
    worse = [{**OLD[0], "paused": True}, *OLD[1:], record("e", sync_frequency=1)]
    result = judged(house, worse, before)
    assert by_verdict(result)["fail"] == {
        ("not-paused", "", ("a",)),
        ("sync-floor", "", ("e",)),
        ("few-paused", "account", ("a", "b", "c")),
    }
    assert result.gate.exit_code == 1
    assert "3 new, 0 fixed" in result.accepted[0]


def test_a_group_covers_the_connections_it_listed_and_no_new_one(house: Ruleset, before: Baseline):
    fewer = judged(house, [*OLD[:1], {**OLD[1], "paused": False}, *OLD[2:]], before)
    assert "few-paused" not in {f.rule.id for f in fewer.findings}
    third = judged(house, [*OLD, record("e", schema="same")], before)
    assert by_verdict(third)["fail"] == {("one-name", "g1, postgres, same", ("c", "d", "e"))}
    other = [*OLD[:2], {**OLD[2], "group_id": "g2"}, {**OLD[3], "group_id": "g2"}]
    moved = judged(house, other, before)
    assert by_verdict(moved)["fail"] == {("one-name", "g2, postgres, same", ("c", "d"))}


def test_what_is_fixed_is_counted(house: Ruleset, before: Baseline):
    better = [{**OLD[0], "sync_frequency": 60}, *OLD[1:3]]
    result = judged(house, better, before)
    assert counts_of(result)["known"] == FOUND - 2
    assert "0 new, 2 fixed" in result.accepted[0]
    assert result.gate.exit_code == 0


@pytest.mark.parametrize(
    "source",
    [
        Listed(OLD[:1], filters=(("schema", "a"),)),
        Listed(OLD[:1], completeness=Completeness.UNKNOWN),
        Listed(OLD[:1], completeness=Completeness.INCOMPLETE),
    ],
)
def test_what_was_not_listed_is_not_fixed(house: Ruleset, before: Baseline, source: Listed):
    result = judged(house, source, before)
    assert counts_of(result)["known"] == 1
    assert "0 fixed" in result.accepted[0]


def test_what_is_not_judged_is_not_fixed(house: Ruleset, before: Baseline):
    broken = [{**OLD[0], "sync_frequency": None}, *OLD[1:]]
    assert "0 new, 0 fixed, 1 not judged by this run" in judged(house, broken, before).accepted[0]
    few = select(house, only=["not-paused"])
    assert "0 new, 0 fixed, 4 not judged by this run" in judged(few, OLD, before).accepted[0]


def test_an_error_is_never_known(house: Ruleset, before: Baseline):
    unsettled = [{**OLD[0], "sync_frequency": "5"}, *OLD[1:]]
    result = judged(house, unsettled, before)
    assert counts_of(result)["error"] == 1
    assert result.gate.exit_code == 3


def test_what_a_changed_rule_finds_may_be_another_violation(tmp_path: Path, before: Baseline):
    text = HOUSE.replace("gte: 15", "gte: 30").replace(
        "{paused: false}", "{paused: {equals: false}}"
    )
    result = judged(rules(tmp_path, text), OLD, before)
    assert counts_of(result)["known"] == FOUND
    (said,) = (w for w in result.warnings if "changed" in w)
    assert said.startswith("1 rule was changed since the baseline (sync-floor): what is known")
    assert not any("changed" in w for w in judged(rules(tmp_path, HOUSE), OLD, before).warnings)


def test_of_many_changed_rules_three_are_named_and_none_that_found_nothing(tmp_path: Path):
    def policy(most: int) -> Ruleset:
        each = (
            f"  - {{id: r{n}, severity: low, assert: {{sync_frequency: {{lte: {most + n}}}}}}}\n"
            for n in range(5)
        )
        idle = f"  - {{id: r, severity: low, assert: {{sync_frequency: {{lte: {9000 + most}}}}}}}\n"
        return rules(tmp_path, "policy: house\nrules:\n" + "".join([*each, idle]))

    listed = [record("a", sync_frequency=360)]
    old = judged(policy(10), listed, None)
    result = judged(policy(20), listed, baseline_from(old))
    (said,) = (w for w in result.warnings if "changed" in w)
    assert said.startswith("5 rules were changed since the baseline (r0, r1 and r2): what is")


def test_a_severer_rule_counts_again(tmp_path: Path, before: Baseline):
    severer = rules(tmp_path, HOUSE.replace("severity: medium", "severity: critical"))
    result = judged(severer, OLD, before)
    assert {at[0] for at in by_verdict(result)["fail"]} == {"sync-floor"}
    assert "0 new, 0 fixed, 2 of rules made more severe since" in result.accepted[0]
    assert any("counted again: 2 violations of the baseline" in w for w in result.warnings)
    milder = rules(tmp_path, HOUSE.replace("severity: medium", "severity: low"))
    assert "fail" not in counts_of(judged(milder, OLD, before))


def test_what_was_waived_does_not_become_known(house: Ruleset, tmp_path: Path):
    waivers = waivers_in(tmp_path, waiver(connections="all"))
    first = judged(house, OLD, None, waivers=waivers)
    assert counts_of(first)["waived"] == 2
    result = judged(house, OLD, baseline_from(first))
    assert {at[0] for at in by_verdict(result)["fail"]} == {"sync-floor"}


def test_what_was_known_stays_known_and_a_waiver_comes_first(
    house: Ruleset, before: Baseline, tmp_path: Path
):
    second = baseline_from(judged(house, OLD, before))
    assert counts_of(judged(house, OLD, second))["known"] == FOUND
    waivers = waivers_in(tmp_path, waiver(connections="all"))
    result = judged(house, OLD, before, waivers=waivers)
    assert counts_of(result)["waived"] == 2
    assert counts_of(result)["known"] == FOUND - 2
    assert "0 fixed, 2 waived now" in result.accepted[1]


# -- what can be none -----------------------------------------------------------------------------


def refused(document: dict[str, Any] | bytes) -> str:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(UsageError) as caught:
        baseline_of(parse_report(data, "old.json"))
    assert str(caught.value).startswith("old.json: ")
    return str(caught.value)


def test_reports_that_can_be_no_baseline(house: Ruleset):
    sound = json.loads(json_of(judged(house, OLD, None)))
    assert "cannot be read" not in refused(b"")
    assert "not a JSON report" in refused(b"{")
    assert "not a JSON report" in refused(b"[1]")
    assert "not a JSON report" in refused(b'{"results": []}')
    assert "not a JSON report" in refused(b"\xff\xfe")
    assert "a report of snyk" in refused({**sound, "tool": {"name": "snyk", "version": "1"}})
    assert "a report of version 2.0" in refused({**sound, "schema_version": "2.0"})
    assert "a report of version 0.9" in refused({**sound, "schema_version": "0.9"})
    assert "damaged" in refused({**sound, "findings": None})
    assert "damaged" in refused({**sound, "judged_at": "yesterday"})
    assert "damaged" in refused({**sound, "connections": {**sound["connections"], "id": ["a"]}})
    odd = json.loads(json.dumps(sound))
    odd["findings"][0]["severity"] = "urgent"
    assert "damaged" in refused(odd)
    odd = json.loads(json.dumps(sound))
    odd["rules"][0]["verdicts"] = "?" * len(OLD)
    assert "damaged" in refused(odd)
    assert "did not finish" in refused(REPORTS["json"].placeholder("0.1.0").encode())
    unsettled = judged(house, [record("a", paused=None)], None)
    assert "was inconclusive (2 checks" in refused(json_of(unsettled).encode())
    empty = judged(house, [], None, allow_empty=True)
    assert "no connection" in refused(json_of(empty).encode())


def test_what_a_later_minor_version_adds_is_passed_over(house: Ruleset):
    sound = json.loads(json_of(judged(house, OLD, None)))
    later = {**sound, "schema_version": "1.7", "colour": "blue"}
    assert len(parse_report(json.dumps(later).encode(), "old.json").findings) == FOUND


def test_a_baseline_of_another_account_is_refused(house: Ruleset, before: Baseline):
    for source, told in (
        (
            Listed(OLD, base_url="http://127.0.0.1:9"),
            "a baseline of https://api.fivetran.com cannot be used",
        ),
        (Listed(OLD, "snapshot", "http://127.0.0.1:9"), "cannot be used for http://127.0.0.1:9"),
        (Listed(OLD, "terraform-plan", ""), "another kind of source"),
        (Listed([record("z")]), "no connection in common"),
        (Listed([record("z")], completeness=Completeness.UNKNOWN), "no connection in common"),
    ):
        with pytest.raises(UsageError, match=told):
            judged(house, source, before)


def test_a_snapshot_of_the_same_account_is_fine(house: Ruleset, before: Baseline):
    for base_url in ("https://api.fivetran.com", ""):
        assert counts_of(judged(house, Listed(OLD, "snapshot", base_url), before))["known"] == FOUND


def test_a_listing_that_failed_is_inconclusive_whatever_the_baseline(
    house: Ruleset, before: Baseline
):
    source = Listed([record("z")], completeness=Completeness.INCOMPLETE)
    assert judged(house, source, before).gate.exit_code == 3
    assert judged(house, [], before).gate.exit_code == 3


def test_a_file_is_read_back_as_it_was_written(house: Ruleset, tmp_path: Path):
    result = judged(house, OLD, None)
    path = tmp_path / "report.json"
    path.write_text(json_of(result), encoding="utf-8")
    report = read_report(path)
    assert report.judged_at == result.judged_at
    assert report.source == result.source
    assert report.outcome is result.gate.outcome
    assert list(report.connections) == list(result.connections)
    for then, now in zip(report.rules, result.checks, strict=True):
        assert (then.id, then.severity) == (now.rule.id, now.rule.severity)
        assert (then.verdicts, then.groups) == (now.verdicts, now.groups)
    for was, finding in zip(report.findings, result.findings, strict=True):
        assert (was.rule, was.verdict, was.connections, was.group, was.evidence) == (
            finding.rule.id, finding.verdict, finding.connections, finding.group, finding.evidence,
        )  # fmt: skip
    assert len(read_baseline(path).single) == 4
    with pytest.raises(UsageError, match="cannot be read"):
        read_report(tmp_path / "none.json")


def test_the_report_has_both_in_numbers(house: Ruleset, before: Baseline, tmp_path: Path):
    ended = waiver(rule="not-paused", connections="{id: c}", expires="2026-03-09")
    text = waiver(**{"while": "{paused: true}"}, connections="{id: [a, b]}") + ended[9:]
    result = judged(house, OLD, before, waivers=waivers_in(tmp_path, text))
    document = json.loads(json_of(result))
    schema = json.loads((Path(report_json.__file__).parent / "report.schema.json").read_text())
    Draft202012Validator(schema).validate(document)
    first, second = document["waivers"]
    assert (first["matched"], first["void"], first["covered"]) == (2, 1, 1)
    assert (first["while"], first["expired"]) == ("paused is true", False)
    assert (second["matched"], second["covered"], second["expired"]) == (1, 0, True)
    assert second["expires"] == "2026-03-09T23:59:59.999999Z"
    assert document["baseline"] == {
        "file": "baseline.json",
        "judged_at": "2026-03-10T12:00:00Z",
        "known": FOUND - 1,
        "raised": 0,
        "new": 0,
        "fixed": 0,
        "gone": 0,
        "waived": 1,
        "untold": 0,
    }


# -- laws -----------------------------------------------------------------------------------------

RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from("abcdefgh"),
            "service": st.sampled_from(["postgres", "mysql"]),
            "schema": st.sampled_from(["s1", "s2"]),
            "group_id": st.sampled_from(["g1", "g2"]),
            "paused": st.booleans(),
            "sync_frequency": st.sampled_from([5, 60]),
        }
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda record: record["id"],
)
LAWS = settings(
    max_examples=tries(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@LAWS
@given(records=RECORDS, order=st.randoms(use_true_random=False))
def test_nothing_is_new_in_what_the_baseline_saw(
    house: Ruleset, records: list[dict[str, Any]], order: Any
):
    first = judged(house, records, None)
    again = list(records)
    order.shuffle(again)
    result = judged(house, again, baseline_from(first))
    assert result.gate.exit_code == 0
    assert result.counts[Verdict.FAIL] == 0
    assert result.counts[Verdict.KNOWN] == first.counts[Verdict.FAIL]
    assert ", 0 fixed" in result.accepted[0]


@LAWS
@given(before=RECORDS, after=RECORDS)
def test_only_what_the_baseline_saw_is_known(
    house: Ruleset, before: list[dict[str, Any]], after: list[dict[str, Any]]
):
    assume({r["id"] for r in before} & {r["id"] for r in after})
    then, plain = judged(house, before, None), judged(house, after, None)
    result = judged(house, after, baseline_from(then))
    old, now, found = by_verdict(then), by_verdict(plain), by_verdict(result)
    seen = old.get("fail", set())
    known = {
        (rule, group, ids)
        for rule, group, ids in now.get("fail", set())
        if any(r == rule and g == group and set(ids) <= set(i) for r, g, i in seen)
    }
    assert found.get("known", set()) == known
    assert found.get("fail", set()) == now.get("fail", set()) - known


@LAWS
@given(records=RECORDS)
def test_a_connection_that_is_added_is_judged(house: Ruleset, records: list[dict[str, Any]]):
    before = baseline_from(judged(house, records, None))
    added = record("new", paused=True)
    result = judged(house, [*records, added], before)
    assert ("not-paused", "", ("new",)) in by_verdict(result)["fail"]
    assert result.gate.exit_code == 1


def test_findings_that_are_shown_by_one_name_are_each_remembered(house: Ruleset):
    """Two groups may be shown alike: a secret in their names, a cut."""
    twins = [record("a", schema="x"), record("b", schema="x")]
    found = audit(Listed(twins), house, Options(clock=lambda: TODAY))
    report = report_of(found, "then.json")
    (finding,) = [f for f in report.findings if f.rule == "one-name"]
    other = replace(finding, connections=finding.connections[:1])
    known = baseline_of(replace(report, findings=(finding, other))).grouped
    assert [len(each.connections) for each in known["one-name", finding.group]] == [2, 1]


@pytest.mark.parametrize("kind", ["api", "snapshot", "terraform plan"])
def test_a_baseline_serves_a_source_of_its_own_kind(house: Ruleset, kind: str):
    before = baseline_from(judged(house, Listed(OLD, kind), None))
    assert counts_of(judged(house, Listed(OLD, kind), before))["known"] == FOUND


def test_what_was_waived_is_remembered_beside_what_counted(house: Ruleset, tmp_path: Path):
    waivers = waivers_in(tmp_path, waiver(connections="{id: a}"))
    remembered = baseline_from(judged(house, OLD, None, waivers=waivers))
    assert ("sync-floor", "a") not in remembered.single
    assert ("sync-floor", "b") in remembered.single
    assert remembered.waived is not None
    assert set(remembered.waived.single) == {("sync-floor", "a")}


OURS, THEIRS = Account("ours", "Ours"), Account("theirs")
API, HERE = "https://api.fivetran.com", "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        (SourceInfo("api", "x", (), API), SourceInfo("api", "x", (), API), ""),
        (SourceInfo("api", "x", (), API), SourceInfo("snapshot", "x", (), API), ""),
        (SourceInfo("snapshot", "x", (), API), SourceInfo("api", "x", (), API), ""),
        (SourceInfo("plan", "x"), SourceInfo("plan", "x"), ""),
        (SourceInfo("plan", "x"), SourceInfo("api", "x"), "another kind of source"),
        (SourceInfo("api", "x"), SourceInfo("plan", "x"), "another kind of source"),
        (SourceInfo("api", "x", (), API), SourceInfo("api", "x", (), HERE), f"cannot be.*{HERE}"),
        # Where one of the two does not say, it may be the same.
        (SourceInfo("api", "x", (), ""), SourceInfo("api", "x", (), HERE), ""),
        (SourceInfo("api", "x", (), API), SourceInfo("api", "x", (), ""), ""),
        (SourceInfo("api", "x", (), API, OURS), SourceInfo("api", "x", (), API, OURS), ""),
        (SourceInfo("api", "x", (), API, OURS), SourceInfo("api", "x", (), API), ""),
        (SourceInfo("api", "x", (), API), SourceInfo("api", "x", (), API, OURS), ""),
        (
            SourceInfo("api", "x", (), API, OURS),
            SourceInfo("api", "x", (), API, THEIRS),
            r"a baseline of the account Ours \(ours\) cannot be used for theirs; use one of",
        ),
    ],
)
def test_a_baseline_is_of_the_same_account_as_far_as_both_say(
    before: Baseline, then: SourceInfo, now: SourceInfo, told: str
):
    of_then = replace(before, report=replace(before.report, source=then))
    if not told:
        of_then.check_source(now)
        return
    with pytest.raises(UsageError, match=told):
        of_then.check_source(now)


def test_a_run_that_did_not_finish_is_no_baseline_whatever_it_found(before: Baseline):
    with pytest.raises(UsageError, match="that run did not finish"):
        baseline_of(replace(before.report, judged_at=None))


def test_an_inconclusive_run_is_no_baseline_with_its_reason_or_without(before: Baseline):
    unsure = replace(before.report, exit_code=3, outcome=Outcome.INCONCLUSIVE, reasons=())
    with pytest.raises(UsageError, match="that run was inconclusive: what it did not judge"):
        baseline_of(unsure)
    with pytest.raises(UsageError, match=r"that run was inconclusive \(page 2\): what"):
        baseline_of(replace(unsure, reasons=("page 2", "page 3")))
