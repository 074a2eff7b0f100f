"""The history: since when each finding is open, in a folder that survives any run."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auditor.acceptance.baseline import baseline_of
from auditor.clock import parse_timestamp
from auditor.model import (
    Account,
    Completeness,
    Outcome,
    PastRun,
    PolicyFile,
    Severity,
    Verdict,
)
from auditor.past.earlier import report_of
from auditor.past.history import (
    Open,
    ended,
    line_of,
    open_of,
    open_text,
    past_run,
    run_of,
    still_open,
    trend,
)
from auditor.policy import Ruleset, load_policies
from auditor.run import Options, audit
from tests.builders.listed import HOUSE, TODAY, Listed, record, waiver, waivers_in
from tests.builders.weeks import BAD, DAYS, GOOD, WEEK, judged, since


def test_a_finding_is_open_until_it_is_seen_to_be_mended(house: Ruleset):
    opened = still_open(Open(), judged(house, 0, BAD, record("b")))
    assert since(opened) == {"a": DAYS[0]}
    opened = still_open(opened, judged(house, 1, BAD, record("b", sync_frequency=1)))
    assert since(opened) == {"a": DAYS[0], "b": DAYS[1]}
    opened = still_open(opened, judged(house, 2, GOOD, record("b", sync_frequency=1)))
    assert since(opened) == {"b": DAYS[1]}
    opened = still_open(opened, judged(house, 3, BAD, record("b")))
    assert since(opened) == {"a": DAYS[3]}


@pytest.mark.parametrize(
    ("records", "listed"),
    [
        ((record("a", sync_frequency="x"),), {}),
        ((record("b"),), {"completeness": Completeness.INCOMPLETE}),
        ((record("b"),), {"completeness": Completeness.UNKNOWN}),
        ((record("b"),), {"filters": (("group_id", "g2"),)}),
        ((), {"completeness": Completeness.INCOMPLETE}),
    ],
    ids=["error", "incomplete", "unknown", "filtered", "nothing"],
)
def test_what_is_not_judged_stays_open(house: Ruleset, records: Any, listed: Any):
    first = still_open(Open(), judged(house, 0, BAD))
    assert since(still_open(first, judged(house, 1, *records, **listed))) == {"a": DAYS[0]}


def test_what_a_narrowed_run_has_judged_is_not_open_any_more(house: Ruleset):
    first = still_open(Open(), judged(house, 0, BAD, record("b", sync_frequency=5)))
    narrowed = judged(house, 1, GOOD, filters=(("schema", "a"),))
    assert since(still_open(first, narrowed)) == {"b": DAYS[0]}


def test_a_connection_that_is_gone_is_not_open(house: Ruleset):
    first = still_open(Open(), judged(house, 0, BAD, record("b")))
    assert since(still_open(first, judged(house, 1, record("b")))) == {}


def test_a_rule_that_is_left_out_stays_as_it_was(house: Ruleset):
    first = still_open(Open(), judged(house, 0, BAD))
    narrow = judged(house, 1, GOOD)
    narrow = replace(narrow, checks=narrow.checks[1:])
    assert since(still_open(first, narrow)) == {"a": DAYS[0]}


def test_a_run_as_of_the_past_changes_nothing_but_an_older_time(house: Ruleset):
    opened = still_open(Open(), judged(house, 3, BAD, record("b")))
    late = still_open(opened, judged(house, 1, BAD, record("b", sync_frequency=1)))
    assert since(late) == {"a": DAYS[1]}
    assert late.as_of == DAYS[3]
    assert since(still_open(late, judged(house, 0, GOOD, record("b")))) == {"a": DAYS[1]}


def test_a_group_is_open_whoever_is_in_it(house: Ruleset):
    twins = [record("a", schema="x"), record("b", schema="x")]
    opened = still_open(Open(), judged(house, 0, *twins))
    ((name, time),) = opened.since["one-name"].items()
    assert "x" in name
    more = still_open(opened, judged(house, 1, *twins, record("c", schema="x")))
    assert more.since["one-name"] == {name: time}
    assert "one-name" not in still_open(more, judged(house, 2, *twins[:1])).since


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c"]), unique=True), max_size=6))
def test_open_since_is_the_start_of_the_last_unbroken_run(house: Ruleset, weeks: list[list[str]]):
    opened = Open()
    for week, broken in enumerate(weeks):
        records = [record(n, sync_frequency=5 if n in broken else 60) for n in "abc"]
        opened = open_of(open_text(still_open(opened, judged(house, week, *records))).encode())
        assert opened is not None
    expected = {}
    for name in weeks[-1] if weeks else ():
        start = len(weeks)
        while start and name in weeks[start - 1]:
            start -= 1
        expected[name] = DAYS[start]
    assert since(opened) == expected


def test_a_line_says_what_the_run_was(house: Ruleset):
    result = judged(house, 0, BAD, record("b", paused=True), record("c", sync_frequency="x"))
    line = line_of(result, datetime(2030, 1, 1, tzinfo=UTC))
    assert line.count(b"\n") == 1
    assert run_of(line) == past_run(result)
    told = json.loads(line)
    assert told["ran_at"] == "2030-01-01T00:00:00Z"
    assert told["rules"]["not-paused"] == {"severity": "high", "fail": 1}
    assert told["violations"] == {"low": 0, "medium": 1, "high": 1, "critical": 0}
    assert told["policies"][0]["sha256"] == result.policies[0].sha256
    assert run_of(line[: len(line) // 2]) is None
    assert run_of(b'{"format": 2}') is None


def test_the_trend_has_the_last_sixty_in_order(house: Ruleset):
    run = past_run(judged(house, 0, BAD))
    runs = [replace(run, judged_at=TODAY + n * WEEK) for n in range(70)]
    drawn = trend([*runs[35:69], *runs[:35]], runs[69])
    assert [r.judged_at for r in drawn] == [TODAY + n * WEEK for n in range(10, 70)]


def test_the_trend_of_a_run_ends_with_it_whatever_was_judged_as_of_a_later_time(house: Ruleset):
    run = past_run(judged(house, 0, BAD))
    early, now, late = (replace(run, judged_at=TODAY + n * WEEK) for n in range(3))
    assert trend([late, early], now) == (early, now)
    assert trend([now, late], early) == (early,)


@pytest.mark.parametrize("held", [None, "x"])
def test_a_group_that_cannot_be_judged_stays_open(house: Ruleset, held: object):
    paused = [record("a", paused=True), record("b", paused=True)]
    opened = still_open(Open(), judged(house, 0, *paused))
    assert opened.since["few-paused"] == {"account": DAYS[0]}
    unclear = judged(house, 1, record("a", paused=held), record("b"))
    assert still_open(opened, unclear).since["few-paused"] == {"account": DAYS[0]}
    assert "few-paused" not in still_open(opened, judged(house, 2, record("a"))).since


def test_an_error_is_open_since_it_was_first_seen(house: Ruleset):
    opened = still_open(Open(), judged(house, 0, record("a", sync_frequency="x")))
    assert since(opened) == {"a": DAYS[0]}
    assert since(still_open(opened, judged(house, 1, BAD))) == {"a": DAYS[0]}


def test_times_are_kept_in_utc_and_to_the_second(house: Ruleset):
    there = datetime(2026, 3, 1, 1, 30, 15, 999_999, tzinfo=timezone(timedelta(hours=5)))
    result = replace(judged(house, 0, BAD), judged_at=there)
    opened = still_open(Open(), result)
    assert (since(opened), opened.as_of) == ({"a": "2026-02-28T20:30:15Z"}, "2026-02-28T20:30:15Z")
    assert opened.times(["sync-floor"]) == {
        "sync-floor": {"a": datetime(2026, 2, 28, 20, 30, 15, tzinfo=UTC)}
    }
    ran = datetime(2026, 3, 1, 0, 0, 0, 1, timezone(timedelta(hours=-8)))
    assert past_run(result).judged_at == datetime(2026, 2, 28, 20, 30, 15, tzinfo=UTC)
    assert run_of(line_of(result, ran)) == past_run(result)
    line = json.loads(line_of(result, ran))
    assert line["ran_at"] == "2026-03-01T08:00:00Z"
    assert line["judged_at"] == "2026-02-28T20:30:15Z"


@pytest.mark.parametrize(
    ("listed", "left_out", "full"),
    [
        ({}, (), True),
        ({"filters": (("group_id", "g1"),)}, (), False),
        ({}, ("a rule was disabled",), False),
    ],
    ids=["whole", "narrowed", "rules left out"],
)
def test_a_run_is_full_where_nothing_was_left_out(
    house: Ruleset, listed: Any, left_out: tuple[str, ...], full: bool
):
    result = judged(house, 0, BAD, **listed)
    assert past_run(replace(result, left_out=(*result.left_out, *left_out))).full is full


def test_a_run_counts_by_severity_what_fails_and_nothing_else(house: Ruleset):
    result = judged(
        house,
        0,
        BAD,
        record("b", sync_frequency=5, paused=True),
        record("c", sync_frequency="x"),
        record("d", schema="a"),
    )
    run = past_run(result)
    assert [(s.label, n) for s, n in run.violations] == [
        ("low", 1),
        ("medium", 2),
        ("high", 1),
        ("critical", 0),
    ]
    assert (run.total, run.errors, run.waived, run.known, run.connections) == (4, 1, 0, 0, 4)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"format": 10},
        {"judged_at": "yesterday"},
        {"judged_at": "2026-03-10"},
        {"outcome": "fine"},
        {"connections": "4"},
        {"policies": [{}]},
    ],
    ids=str,
)
def test_a_line_that_is_not_ours_tells_of_no_run(house: Ruleset, change: dict[str, Any]):
    line = json.loads(line_of(judged(house, 0, BAD), TODAY))
    assert run_of(json.dumps({**line, "more": 1}).encode()) is not None
    assert run_of(json.dumps({**line, **change}).encode()) is None


@pytest.mark.parametrize(
    "change",
    [{"format": 2}, {"as_of": "soon"}, {"open": {"sync-floor": {"soon": ["a"]}}}, {"open": []}],
    ids=str,
)
def test_an_open_file_that_is_not_ours_says_nothing(house: Ruleset, change: dict[str, Any]):
    document = json.loads(open_text(still_open(Open(), judged(house, 0, BAD))))
    assert open_of(json.dumps({**document, "more": 1}).encode()) is not None
    assert open_of(json.dumps({**document, **change}).encode()) is None


def test_a_snapshot_without_an_address_keeps_the_account(house: Ruleset):
    first = still_open(Open(), judged(house, 0, BAD))
    assert first.base_url == "https://api.fivetran.com"
    later = still_open(first, judged(house, 1, BAD, kind="snapshot", base_url=""))
    assert later.base_url == "https://api.fivetran.com"


def test_runs_of_one_time_stay_as_they_came(house: Ruleset):
    run = past_run(judged(house, 0, BAD))
    runs = [replace(run, connections=n) for n in range(61)]
    assert [r.connections for r in trend(runs[:-1], runs[-1])] == list(range(1, 61))


def test_what_ended_is_told_by_name_and_whether_it_is_gone(house: Ruleset):
    bad = {"sync_frequency": 5, "paused": True}
    before = still_open(Open(), judged(house, 0, record("a", **bad), record("b", **bad)))
    now = judged(house, 1, record("a", schema="orders", paused=True))
    told = {(e.rule, e.name, e.id, e.gone) for e in ended(before, still_open(before, now), now)}
    assert told == {
        ("sync-floor", "orders", "a", False),
        ("sync-floor", "b", "b", True),
        ("not-paused", "b", "b", True),
        ("few-paused", "account", "", False),
    }
    since = {e.since for e in ended(before, still_open(before, now), now)}
    assert since == {parse_timestamp(DAYS[0])}


def test_what_a_baseline_knows_is_counted_apart_from_what_is_waived(house: Ruleset):
    before = baseline_of(report_of(judged(house, 0, BAD), "then.json"))
    now = TODAY + WEEK
    given = Options(now=now, clock=lambda: now, baseline=before)
    run = past_run(audit(Listed([BAD, record("b", paused=True)]), house, given))
    assert (run.known, run.waived, run.errors, run.total) == (1, 0, 0, 1)


def test_a_duplicate_is_open_while_a_member_of_its_group_cannot_be_compared(tmp_path: Path):
    path = tmp_path / "house.yaml"
    path.write_text(HOUSE.replace("[service, schema]", "[sync_frequency]"))
    rules = load_policies(str(path))
    opened = still_open(Open(), judged(rules, 0, record("a"), record("b")))
    ((name, time),) = opened.since["one-name"].items()
    unclear = judged(rules, 1, record("a"), record("b", sync_frequency=[60]))
    assert still_open(opened, unclear).since["one-name"] == {name: time, "g1": DAYS[1]}
    mended = judged(rules, 1, record("a"), record("b", sync_frequency=90))
    assert "one-name" not in still_open(opened, mended).since


def test_the_whole_line_of_a_run_and_what_is_read_of_it(house: Ruleset, tmp_path: Path):
    """One of everything: fails, an error, a waived and a known one, filters, an account."""
    now = TODAY + WEEK
    given = Options(
        now=now,
        clock=lambda: now,
        baseline=baseline_of(report_of(judged(house, 0, BAD), "then.json")),
        waivers=waivers_in(tmp_path, waiver(connections="{id: b}")),
    )
    records = [
        BAD,
        record("b", sync_frequency=5),
        record("c", sync_frequency=1, paused=True),
        record("d", sync_frequency="x"),
    ]
    filters = (("schema", "x\ny"), ("group_id", "g"))
    result = audit(Listed(records, filters=filters), house, given)
    source = replace(result.source, account=Account("acme", "Acme"))
    policies = (PolicyFile("house\x1b", "house.yaml", "0" * 64),)
    result = replace(result, source=source, policies=policies, version="9.9")
    line = line_of(result, TODAY)
    assert json.loads(line) == {
        "format": 1,
        "ran_at": "2026-03-10T12:00:00Z",
        "judged_at": "2026-03-17T12:00:00Z",
        "version": "9.9",
        "source": "api: https://api.fivetran.com",
        "base_url": "https://api.fivetran.com",
        "policies": [{"name": "house\x1b", "sha256": "0" * 64}],
        "full": False,
        "outcome": "inconclusive",
        "exit_code": 3,
        "connections": 4,
        "counts": {"pass": 4, "fail": 2, "error": 3, "skip": 0, "waived": 1, "known": 1},
        "violations": {"low": 0, "medium": 1, "high": 1, "critical": 0},
        "rules": {
            "sync-floor": {"severity": "medium", "fail": 1, "error": 1, "waived": 1, "known": 1},
            "not-paused": {"severity": "high", "fail": 1},
            "one-name": {"severity": "low", "error": 1},
            "few-paused": {"severity": "low", "error": 1},
        },
        "account": "acme",
        "filters": ["group_id=g", "schema=x\\x0ay"],
        "judged": ["sync-floor", "not-paused", "one-name", "few-paused", "has-postgres"],
    }
    assert run_of(line) == PastRun(
        judged_at=now,
        outcome=Outcome.INCONCLUSIVE,
        full=False,
        connections=4,
        violations=tuple(zip(Severity, (0, 1, 1, 0), strict=True)),
        errors=3,
        waived=1,
        known=1,
        policies=("0" * 64,),
        filters=("group_id=g", "schema=x\\x0ay"),
        by_rule={
            "sync-floor": 1, "not-paused": 1, "one-name": 0, "few-paused": 0, "has-postgres": 0,
        },
        policy_names=("house\\x1b",),
    )  # fmt: skip


def test_a_line_of_an_older_version_lacks_what_was_not_written_then(house: Ruleset):
    line = json.loads(line_of(judged(house, 0, BAD), TODAY))
    assert "account" not in line
    assert "filters" not in line
    del line["judged"]
    line["violations"], line["counts"] = {}, {}
    run = run_of(json.dumps(line).encode())
    assert run is not None
    assert (run.by_rule, run.filters) == (None, ())
    assert (run.total, run.errors, run.waived, run.known) == (0, 0, 0, 0)


@pytest.mark.parametrize("counts", [{"fail": "1"}, {"fail": True}, [], {"fail": 1.5}], ids=str)
def test_a_count_that_is_no_number_is_no_run(house: Ruleset, counts: object):
    line = json.loads(line_of(judged(house, 0, BAD), TODAY))
    line["rules"]["sync-floor"] = counts
    assert run_of(json.dumps(line).encode()) is None


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000], ids=len)
def test_bytes_that_are_no_document_are_no_run_and_nothing_open(data: bytes):
    assert run_of(data) is None
    assert open_of(data) is None


def test_the_whole_file_of_what_is_open(house: Ruleset):
    """By rule, then by time, then by name; a rule with nothing open is not in it."""
    first = still_open(Open(), judged(house, 1, record("b", paused=True, sync_frequency=5), BAD))
    late = judged(house, 0, BAD, record("b"))
    source = replace(late.source, account=Account("acme", "Acme"))
    opened = still_open(first, replace(late, source=source))
    text = open_text(opened)
    assert text == (
        '{"format":1,"as_of":"2026-03-17T12:00:00Z","base_url":"https://api.fivetran.com","open":'
        '{"not-paused":{"2026-03-17T12:00:00Z":["b"]},"sync-floor":'
        '{"2026-03-10T12:00:00Z":["a"],"2026-03-17T12:00:00Z":["b"]}},"account":"acme"}\n'
    )
    read = open_of(text.encode())
    assert read == opened
    assert open_of(text.replace(',"account":"acme"', "").encode()) == replace(opened, account="")
    # A run that does not say which account it was of leaves the one that is known.
    assert still_open(opened, judged(house, 2, BAD)).account == "acme"


def test_of_two_runs_as_of_one_moment_the_second_counts_as_well(house: Ruleset):
    first = still_open(Open(), judged(house, 0, BAD, record("b")))
    second = still_open(first, judged(house, 0, GOOD, record("b", sync_frequency=5)))
    assert since(second) == {"b": DAYS[0]}


def test_what_ended_is_told_in_the_order_of_names(house: Ruleset):
    names = list("hgfedcba")
    bad = (record(name, sync_frequency=5) for name in names)
    opened = still_open(Open(), judged(house, 0, *bad))
    mended = judged(house, 1, *map(record, names))
    told = list(ended(opened, still_open(opened, mended), mended))
    assert [(e.name, e.id, e.gone) for e in told] == [(n, n, False) for n in sorted(names)]


def test_a_group_that_is_not_there_any_more_is_open_where_the_listing_is_not_whole(house: Ruleset):
    lacking = record("a", service="mysql", group_id="g2")
    opened = still_open(Open(), judged(house, 0, lacking, record("b")))
    assert opened.since["has-postgres"] == {"g2": DAYS[0]}
    gone = judged(house, 1, record("b"))
    assert "has-postgres" not in still_open(opened, gone).since
    for listed in ({"completeness": Completeness.UNKNOWN}, {"filters": (("schema", "b"),)}):
        part = still_open(opened, judged(house, 1, record("b"), **listed))
        assert part.since["has-postgres"]["g2"] == DAYS[0]


def test_the_times_of_rules_are_those_asked_for(house: Ruleset):
    bad = record("a", sync_frequency=5, paused=True)
    opened = still_open(Open(), judged(house, 0, bad))
    opened = still_open(opened, judged(house, 1, bad, record("b", sync_frequency=5)))
    assert opened.times(["sync-floor", "unheard-of"]) == {
        "sync-floor": {"a": TODAY, "b": TODAY + WEEK},
        "unheard-of": {},
    }


def test_names_of_one_time_stand_in_their_order():
    opened = Open({"r": {"b": DAYS[1], "c": DAYS[0], "a": DAYS[1]}, "q": {"z": DAYS[0]}}, DAYS[1])
    by_rule = json.loads(open_text(opened))["open"]
    assert by_rule == {"q": {DAYS[0]: ["z"]}, "r": {DAYS[0]: ["c"], DAYS[1]: ["a", "b"]}}
    assert [*by_rule, *by_rule["r"]] == ["q", "r", DAYS[0], DAYS[1]]
    other = Open({"q": {"z": DAYS[0]}, "r": {"a": DAYS[1], "b": DAYS[1], "c": DAYS[0]}}, DAYS[1])
    assert open_text(other) == open_text(opened)


def test_what_is_waived_or_known_is_open_still(house: Ruleset, tmp_path: Path):
    opened = still_open(Open(), judged(house, 0, BAD, record("b", sync_frequency=5)))
    now = TODAY + WEEK
    given = Options(
        now=now,
        clock=lambda: now,
        baseline=baseline_of(report_of(judged(house, 0, BAD), "then.json")),
        waivers=waivers_in(tmp_path, waiver(connections="{id: b}")),
    )
    accepted = audit(Listed([BAD, record("b", sync_frequency=5)]), house, given)
    assert accepted.counts[Verdict.FAIL] == 0
    assert since(still_open(opened, accepted)) == {"a": DAYS[0], "b": DAYS[0]}


def test_a_group_is_closed_where_it_was_judged_and_otherwise_only_where_all_were(tmp_path: Path):
    path = tmp_path / "house.yaml"
    path.write_text(HOUSE.replace("per: account, when: {paused", "per: group_id, when: {paused"))
    rules = load_policies(str(path))
    paused, other = {"paused": True}, [record("c", group_id="g2"), record("d", group_id="g2")]
    first = judged(rules, 0, record("a", **paused), record("b", **paused), *other)
    opened = still_open(Open(), first)
    assert opened.since["few-paused"] == {"g1": DAYS[0]}

    def few(*records: dict[str, Any], **listed: Any) -> set[str]:
        after = still_open(opened, judged(rules, 1, *records, **listed))
        return set(after.since.get("few-paused", {}))

    unclear = [record(name, group_id="g2", paused=None) for name in "cd"]
    third = record("e", group_id="g3")
    assert few(record("a"), record("b"), filters=(("group_id", "g1"),)) == set()
    assert few(record("a"), record("b"), *unclear) == {"g2"}
    assert few(*other, third) == set()
    assert few(*unclear, third) == {"g1", "g2"}
    assert few(*other, third, completeness=Completeness.UNKNOWN) == {"g1"}
