"""A run: events of a source into a result. What it may claim, its one time, its identities."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from auditor.decoding.listed import Listed as Facts
from auditor.decoding.records import Decoder
from auditor.errors import SourceError, UsageError
from auditor.model import Completeness, Outcome, Result, Severity, SourceInfo, Verdict
from auditor.policy import Ruleset, load_policies
from auditor.redaction.fields import Scrubber
from auditor.run import CLOCK_TOLERANCE, Options, Progress, audit
from auditor.sources import End, Event, Page, Restart
from auditor.sources.saved.source import SnapshotSource
from tests.builders.listed import (
    TODAY,
    Listed,
    baseline_from,
    by_verdict,
    counts_of,
    record,
    waiver,
    waivers_in,
)

KEY, SECRET = "key-of-the-account", "secret-of-the-account"
#: Makes the events of a source; ``page`` decodes records as an answer's are.
Make = Callable[[Callable[..., Page]], Iterator[Event]]


class Scripted:
    """A source that yields what it is told to."""

    live = False

    def __init__(self, make: Make, kind: str = "api", live: bool = False) -> None:
        self.info = SourceInfo(kind, "somewhere")
        self.live = live
        self._make = make

    def events(self, decoder: Decoder) -> Iterator[Event]:
        def page(*records: dict[str, Any], **more: Any) -> Page:
            return Page(decoder.array(json.dumps(records).encode()), **more)

        return self._make(page)


def options(**more: Any) -> Options:
    return Options(**{"clock": lambda: TODAY, **more})


BAD, GOOD = record("a", sync_frequency=5), record("b")


# -- what a listing comes to ----------------------------------------------------------------------


def test_a_listing_without_an_end_is_inconclusive_and_shows_what_was_judged(house: Ruleset):
    result = audit(Scripted(lambda page: iter([page(BAD), page(GOOD)])), house, options())
    assert result.gate.outcome is Outcome.INCONCLUSIVE
    assert result.listing.problems == ("the listing stopped without an end",)
    assert result.listing.completeness is Completeness.INCOMPLETE
    assert (result.listing.pages, result.listing.connections) == (2, 2)
    assert by_verdict(result)["fail"] == {("sync-floor", "", ("a",))}


def test_a_source_that_fails_is_inconclusive_and_its_words_are_scrubbed(house: Ruleset):
    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(BAD, problems=("item 7 is no object",))
        raise SourceError(f"page 2: the server said {SECRET}\x1b[31m")

    ours = options(scrubber=Scrubber(((KEY, SECRET),)))
    result = audit(Scripted(events), house, ours)
    assert result.gate.exit_code == 3
    assert result.listing.problems == (
        "item 7 is no object",
        "page 2: the server said [redacted]\\x1b[31m",
    )
    assert "the listing stopped without an end" not in result.gate.reasons


def test_a_restart_forgets_all_that_was_gathered(house: Ruleset):
    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(BAD, record("c", paused=True), problems=("gone",), warnings=("gone too",))
        yield Restart("an id came twice")
        yield page(GOOD, warnings=("stays",))
        yield End(Completeness.VERIFIED, walks=3, warnings=("told at the end",))

    seen: list[Progress] = []
    result = audit(Scripted(events), house, options(), seen.append)
    assert result.gate.outcome is Outcome.PASSED
    assert [c.id for c in result.connections] == ["b"]
    assert (result.listing.pages, result.listing.connections, result.listing.walks) == (1, 1, 3)
    assert result.listing.problems == ()
    assert result.listing.warnings == ("stays", "told at the end")
    assert seen == [Progress(1, 2, 1), Progress(1, 1, 2)]


def test_what_is_wrong_at_the_end_is_inconclusive_however_complete(house: Ruleset):
    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(GOOD)
        yield End(Completeness.ONE_PAGE, problems=("the closing count is another",))

    result = audit(Scripted(events), house, options())
    assert not result.listing.complete
    assert result.gate.reasons[0] == "the listing is incomplete: the closing count is another"


@pytest.mark.parametrize(("count", "more"), [(50, ""), (51, "1 more"), (1250, "1,200 more")])
def test_fifty_problems_are_told_and_the_others_counted(house: Ruleset, count: int, more: str):
    texts = tuple(f"number {n}" for n in range(count))

    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(GOOD, problems=texts, warnings=texts)
        yield End(Completeness.ONE_PAGE)

    listing = audit(Scripted(events), house, options()).listing
    for told, noun in ((listing.problems, "problem"), (listing.warnings, "warning")):
        assert told[:50] == texts[:50]
        s = "" if count == 51 else "s"
        assert told[50:] == ((f"and {more} {noun}{s}",) if more else ())


def test_a_live_source_comes_to_the_same(house: Ruleset):
    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(BAD)
        yield page(GOOD)
        yield End(Completeness.ONE_WALK)

    live, saved = (audit(Scripted(events, live=on), house, options()) for on in (True, False))
    assert live == saved
    assert live.findings == saved.findings


def test_nothing_listed_is_no_pass_unless_that_is_allowed(house: Ruleset):
    assert audit(Listed([]), house, options()).gate.exit_code == 3
    assert audit(Listed([]), house, options(allow_empty=True, fail_on=None)).gate.exit_code == 0


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, 1),
        ({"fail_on": Severity.MEDIUM}, 1),
        ({"fail_on": Severity.HIGH}, 0),
        ({"fail_on": None}, 0),
        ({"limits": {Severity.MEDIUM: 1}}, 0),
        ({"limits": {Severity.MEDIUM: 0}, "fail_on": None}, 1),
        ({"limits": {Severity.LOW: 5}}, 1),
    ],
    ids=str,
)
def test_the_bar_is_the_options(house: Ruleset, given: dict[str, Any], code: int):
    assert audit(Listed([BAD, GOOD]), house, options(**given)).gate.exit_code == code


def test_strict_wants_to_know_that_all_was_listed(house: Ruleset):
    source = Listed([GOOD], completeness=Completeness.UNKNOWN)
    assert audit(source, house, options()).gate.exit_code == 0
    assert audit(source, house, options(strict=True)).gate.exit_code == 3


def test_a_restart_forgets_what_waited_for_facts(tmp_path: Path):
    """Pages that came before the facts that rules read are judged when those are there."""
    path = tmp_path / "groups.yaml"
    path.write_text(
        "policy: p\nrules: [{id: r, severity: low, assert: {group.name: {exists: true}}}]\n"
    )
    rules = load_policies(str(path))

    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(BAD)
        yield Restart("an id came twice")
        yield page(GOOD)
        yield Facts("group", [])
        yield End(Completeness.ONE_WALK)

    result = audit(Scripted(events), rules, options())
    assert list(result.connections.ids) == ["b"]
    assert result.listing.pages == 1


@pytest.mark.parametrize("number", [249, 250, 251, 500, 501])
def test_every_record_of_a_long_page_is_judged(house: Ruleset, number: int):
    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(*(record(f"c{n}", sync_frequency=5) for n in range(number)))
        yield End(Completeness.ONE_PAGE)

    result = audit(Scripted(events), house, options())
    assert result.listing.connections == len(result.connections) == number
    found = [f.connections[0].id for f in result.findings if f.rule.id == "sync-floor"]
    assert found == [f"c{n}" for n in range(number)]


def test_a_page_without_records_changes_nothing_for_a_waiver_s_while(
    house: Ruleset, tmp_path: Path
):
    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(BAD)
        yield page()
        yield page(GOOD)
        yield End(Completeness.ONE_PAGE)

    ours = waivers_in(tmp_path, waiver(**{"while": "{sync_frequency: 5}"}))
    assert counts_of(audit(Scripted(events), house, options(waivers=ours)))["waived"] == 1


def test_only_what_was_saved_says_when_it_was_taken(house: Ruleset):
    taken = TODAY - timedelta(hours=1)
    for kind, told in (("api", None), ("snapshot", taken)):
        result = audit(Listed([GOOD], kind=kind, as_of=taken), house, options(now=TODAY))
        assert result.taken_at == told


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), True, "60", None])
def test_a_timeout_is_a_number_of_seconds_above_none(seconds: Any):
    with pytest.raises(UsageError, match="is not a number of seconds above 0"):
        Options(timeout=seconds)


@pytest.mark.parametrize("most", [-1, True, 1.0, None])
def test_a_limit_is_a_number_of_violations(most: Any):
    with pytest.raises(UsageError, match="allows no number of violations"):
        Options(limits={Severity.LOW: most})


# -- narrowed -------------------------------------------------------------------------------------

GROUP, SCHEMA = ("group_id", "g1"), ("schema", "b")


@pytest.mark.parametrize(
    ("filters", "per_group", "per_account"),
    [
        ((), Verdict.PASS, Verdict.PASS),
        ((GROUP,), Verdict.PASS, Verdict.ERROR),
        ((SCHEMA,), Verdict.ERROR, Verdict.ERROR),
        # Two narrowings at once: one connection of a group is not the whole group.
        ((GROUP, SCHEMA), Verdict.ERROR, Verdict.ERROR),
    ],
    ids=["whole", "group", "schema", "group and schema"],
)
def test_a_group_is_judged_where_all_of_it_was_listed(
    house: Ruleset, filters: Any, per_group: Verdict, per_account: Verdict
):
    result = audit(Listed([GOOD], filters=filters), house, options())
    found = {c.rule.id: [check.verdict for check in c.groups] for c in result.checks}
    assert found["one-name"] == [per_group]
    assert found["few-paused"] == [per_account]
    assert result.gate.exit_code == (3 if Verdict.ERROR in (per_group, per_account) else 0)


def test_what_narrows_is_told_without_credentials(house: Ruleset, tmp_path: Path):
    filters = (("group_id", "g1"), ("schema", f"a {SECRET}"))
    ours = options(scrubber=Scrubber(((KEY, SECRET),)), notes=(f"a file set {KEY}",))
    result = audit(Listed([GOOD], filters=filters), house, ours)
    assert result.left_out == (
        "only connections with group_id g1 were listed",
        "only connections with schema a [redacted] were listed",
    )
    assert result.narrowed_by == ("group_id=g1", "schema=a [redacted]")
    assert result.notes == ("a file set [redacted]",)


# -- the one time ---------------------------------------------------------------------------------

LATER = TODAY + timedelta(days=40)


def judged_as_of(house: Ruleset, as_of: datetime | None, kind: str = "api", **more: Any) -> Result:
    return audit(Listed([GOOD], kind=kind, as_of=as_of), house, options(**more))


@pytest.mark.parametrize("seconds", [-300, -1, 0, 300])
def test_small_differences_of_clocks_are_nothing(house: Ruleset, seconds: int):
    result = judged_as_of(house, TODAY + timedelta(seconds=seconds))
    assert (result.judged_at, result.clock_note, result.warnings) == (TODAY, "", ())


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_the_server_s_clock_counts_where_this_one_is_far_off(house: Ruleset, seconds: int):
    theirs = TODAY + timedelta(seconds=seconds)
    result = judged_as_of(house, theirs)
    assert result.judged_at == theirs
    (warning,) = result.warnings
    ours, said = "2026-03-10T12:00:00Z", theirs.isoformat().replace("+00:00", "Z")
    assert warning == (
        f"this machine's clock says {ours}, the server's {said}: the server's counts; set this"
        " machine's"
    )
    assert timedelta(minutes=5) == CLOCK_TOLERANCE


def test_a_snapshot_is_judged_as_of_its_time_and_says_so(house: Ruleset):
    taken = datetime(2026, 1, 1, 6, 30, tzinfo=timezone(timedelta(hours=5)))
    result = judged_as_of(house, taken, kind="snapshot")
    assert result.judged_at == taken
    assert result.clock_note == "judged as of 2026-01-01T01:30:00Z, when the snapshot was taken"
    assert result.warnings == ()


@pytest.mark.parametrize("kind", ["api", "snapshot"])
def test_now_outranks_every_clock_and_is_told_in_utc(house: Ruleset, kind: str):
    given = datetime(2026, 3, 11, 2, 0, tzinfo=timezone(timedelta(hours=-5)))
    result = judged_as_of(house, LATER, kind=kind, now=given)
    assert result.judged_at == given
    assert result.clock_note == "judged as of 2026-03-11T07:00:00Z, given with --now"


@pytest.mark.parametrize("kind", ["api", "snapshot"])
def test_without_a_time_of_the_source_this_clock_counts(house: Ruleset, kind: str):
    result = judged_as_of(house, None, kind=kind)
    assert (result.judged_at, result.clock_note) == (TODAY, "")


def test_the_time_of_the_first_page_is_that_of_all(house: Ruleset):
    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(GOOD, as_of=LATER)
        yield page(BAD, as_of=LATER + timedelta(hours=1))
        yield Restart("it moved")
        yield page(GOOD, as_of=LATER + timedelta(hours=2))
        yield End(Completeness.ONE_WALK)

    assert audit(Scripted(events), house, options()).judged_at == LATER


@pytest.mark.parametrize(
    ("age", "given", "doubt"),
    [
        (timedelta(days=7), {"max_age": timedelta(days=7)}, ""),
        (
            timedelta(days=7, seconds=1),
            {"max_age": timedelta(days=7)},
            "--max-age 7 days: the snapshot is 7 days old",
        ),
        (timedelta(days=1), {"strict": True}, ""),
        (timedelta(days=1, seconds=1), {"strict": True}, "--strict: the snapshot is 24 hours old"),
        (timedelta(days=2), {"strict": True, "max_age": timedelta(days=7)}, ""),
        (
            timedelta(days=8),
            {"strict": True, "max_age": timedelta(days=7)},
            "--max-age 7 days: the snapshot is 8 days old",
        ),
        (timedelta(days=400), {}, ""),
        (timedelta(days=-1), {"max_age": timedelta(0)}, ""),
        (
            None,
            {"max_age": timedelta(days=7)},
            "--max-age 7 days: the saved listing does not say when it was taken",
        ),
    ],
)
def test_a_snapshot_answers_for_the_account_up_to_its_greatest_age(
    house: Ruleset, age: timedelta | None, given: dict[str, Any], doubt: str
):
    as_of = None if age is None else TODAY - age
    result = judged_as_of(house, as_of, kind="snapshot", **given)
    reasons = [reason for reason in result.gate.reasons if "saved" in reason or "old" in reason]
    way_out = "; fetch again, or raise --max-age to judge it all the same"
    assert reasons == ([f"{doubt}{way_out}"] if doubt else [])
    live = judged_as_of(house, as_of, **given)
    assert not [reason for reason in live.gate.reasons if "--max-age" in reason]


# -- identities -----------------------------------------------------------------------------------


def ids_of(house: Ruleset, *names: str, **more: Any) -> Sequence[str]:
    return list(audit(Listed([record(n) for n in names]), house, options(**more)).connections.ids)


def test_an_identity_is_shown_whole_up_to_two_hundred_characters(house: Ruleset):
    long, longer = "x" * 200, "x" * 201
    assert ids_of(house, long, "b", "c") == [long, "b", "c"]
    assert ids_of(house, longer) == ["x" * 199 + "…"]
    assert ids_of(house, "a", longer, "b") == ["a", "x" * 199 + "…", "b"]


def test_an_identity_comes_without_credentials_and_escapes(house: Ruleset):
    ours = Scrubber(((KEY, SECRET),))
    assert ids_of(house, "plain", f"at-{SECRET}", "\x1b[2J", scrubber=ours) == [
        "plain",
        "at-[redacted]",
        "\\x1b[2J",
    ]


@pytest.mark.parametrize("held", [None, 7, ["a"], ""], ids=str)
@pytest.mark.parametrize(
    ("field", "column"),
    [("service", "services"), ("schema", "schemas"), ("group_id", "group_ids")],
)
def test_an_identity_that_is_no_text_is_missing(
    house: Ruleset, field: str, column: str, held: object
):
    result = audit(Listed([record("a", **{field: held}), GOOD]), house, options())
    assert list(getattr(result.connections, column)) == ["(missing)", GOOD[field]]


# -- exceptions -----------------------------------------------------------------------------------


def test_a_waiver_names_what_was_listed_and_not_what_is_shown(house: Ruleset, tmp_path: Path):
    long = "x" * 300
    text = waiver(connections=f'{{id: "{long}"}}')
    source = Listed([record(long, sync_frequency=5), record("x" * 301, sync_frequency=5)])
    result = audit(source, house, options(waivers=waivers_in(tmp_path, text)))
    assert [f.verdict.label for f in result.findings] == ["waived", "fail"]
    assert result.connections.ids[0] == result.connections.ids[1] == "x" * 199 + "…"


@pytest.mark.parametrize(
    ("as_of", "verdict"),
    [
        (datetime(2026, 12, 31, 23, tzinfo=UTC), "waived"),
        (datetime(2027, 1, 1, tzinfo=UTC), "fail"),
    ],
)
def test_waivers_end_by_the_server_s_clock_whatever_now_says(
    house: Ruleset, tmp_path: Path, as_of: datetime, verdict: str
):
    ours = options(waivers=waivers_in(tmp_path, waiver()), now=TODAY)
    result = audit(Listed([BAD, GOOD], as_of=as_of), house, ours)
    # Groups are not seen whole where the clock is far off.
    assert result.findings[0].verdict.label == verdict
    assert result.judged_at == TODAY


def test_a_baseline_of_another_account_ends_the_run_before_it_begins(house: Ruleset):
    baseline = baseline_from(audit(Listed([BAD]), house, options()))
    asked: list[str] = []

    class Other(Listed):
        def events(self, decoder: Decoder) -> Iterator[Event]:
            asked.append("events")
            return super().events(decoder)

    with pytest.raises(UsageError, match="cannot be used for https://elsewhere"):
        audit(Other([BAD], base_url="https://elsewhere.test"), house, options(baseline=baseline))
    assert asked == []


@pytest.mark.parametrize(
    ("listed", "refused"),
    [
        ({}, True),
        ({"filters": (GROUP,)}, False),
        ({"completeness": Completeness.INCOMPLETE}, False),
    ],
    ids=["whole", "narrowed", "incomplete"],
)
def test_only_a_whole_listing_can_have_no_connection_in_common(
    house: Ruleset, listed: dict[str, Any], refused: bool
):
    baseline = baseline_from(audit(Listed([BAD]), house, options()))
    source = Listed([record("z")], **listed)
    if refused:
        with pytest.raises(UsageError, match="no connection in common"):
            audit(source, house, options(baseline=baseline))
    else:
        assert audit(source, house, options(baseline=baseline)).baseline is not None


@pytest.mark.parametrize(
    ("listed", "fate"),
    [
        ({}, "gone"),
        ({"completeness": Completeness.UNKNOWN}, "untold"),
        ({"completeness": Completeness.INCOMPLETE}, "untold"),
        ({"filters": (GROUP,)}, "untold"),
    ],
    ids=["whole", "unknown", "incomplete", "narrowed"],
)
def test_what_is_not_listed_is_gone_only_where_all_was(
    house: Ruleset, listed: dict[str, Any], fate: str
):
    baseline = baseline_from(audit(Listed([BAD, GOOD]), house, options()))
    result = audit(Listed([GOOD], **listed), house, options(baseline=baseline))
    assert result.baseline is not None
    use = result.baseline
    assert (use.fixed, use.gone, use.untold) == ((0, 1, 0) if fate == "gone" else (0, 0, 1))


def test_only_what_the_api_answers_is_a_page(house: Ruleset, tmp_path: Path):
    records = [{"id": f"c{n}", "service": "s3", "schema": "x", "group_id": "g"} for n in range(600)]
    array = tmp_path / "array.json"
    array.write_text(json.dumps(records))
    assert audit(SnapshotSource(str(array)), house, options()).listing.pages == 0
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"code": "Success", "data": {"items": records}}))
    assert audit(SnapshotSource(str(answer)), house, options()).listing.pages == 1


def test_a_run_without_exceptions_accepts_nothing(house: Ruleset):
    result = audit(Listed([BAD, GOOD]), house, options())
    assert (result.accepted, result.waivers, result.baseline) == ((), (), None)
    assert counts_of(result) == {"pass": 6, "fail": 1}
