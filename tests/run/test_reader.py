"""Reading a source: what is judged of its events, and what a listing may claim."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auditor.decoding.listed import Listed as Facts
from auditor.decoding.records import Decoder
from auditor.errors import SourceError
from auditor.model import Completeness, Connections, Outcome
from auditor.output.target import Target
from auditor.policy import Ruleset, load_policies
from auditor.redaction.fields import Scrubber
from auditor.run import Progress, audit
from auditor.run.reader import Reader
from auditor.run.setup import set_up
from auditor.sources import End, Event, Page, Restart
from auditor.sources.saved.snapshot_file import SnapshotHeader, SnapshotWriter
from auditor.sources.saved.source import SnapshotSource
from tests.builders.listed import (
    TODAY,
    Listed,
    by_verdict,
    counts_of,
    record,
    waiver,
    waivers_in,
)
from tests.builders.scripted import BAD, GOOD, KEY, SECRET, Scripted, options


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
    ours = options(dimensions={"called": "id"})
    result = audit(Scripted(events), house, ours, seen.append)
    assert result.gate.outcome is Outcome.PASSED
    assert [c.id for c in result.connections] == ["b"]
    assert dict(result.connections.dimensions) == {"called": ["b"]}
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


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("more", ["page", "end"])
def test_what_comes_after_the_end_is_not_judged(house: Ruleset, more: str, live: bool):
    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(GOOD)
        yield End(Completeness.VERIFIED)
        yield page(BAD) if more == "page" else End(Completeness.VERIFIED)

    result = audit(Scripted(events, live=live), house, options())
    assert result.listing.problems == (f"the source went on after its end ({more})",)
    assert result.listing.completeness is Completeness.INCOMPLETE
    assert (result.gate.exit_code, list(result.connections.ids)) == (3, ["b"])


@pytest.mark.parametrize(("hours", "believed"), [(24, True), (25, False)])
def test_an_answer_of_another_day_is_not_believed(house: Ruleset, hours: int, believed: bool):
    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(GOOD, as_of=TODAY)
        yield page(BAD, as_of=TODAY + timedelta(hours=hours))
        yield End(Completeness.ONE_WALK)

    result = audit(Scripted(events, live=True), house, options())
    why = (
        "the server's clock says 2026-03-11T13:00:00Z and this machine's 2026-03-10T12:00:00Z: "
        "either the response is old, or a clock is wrong"
    )
    assert result.listing.problems == (() if believed else (why,))
    # What was saved may be of any time.
    assert audit(Scripted(events, "snapshot"), house, options()).listing.problems == ()


@pytest.mark.parametrize(
    ("number", "busy"),
    [
        (0, "page 1, 0 connections in all"),
        (1, "page 1, after connection c0, 1 connection in all"),
        (300, "page 1, after connection c249, 250 connections in all"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "narrower"),
    [("api", ", or narrow the listing with --group"), ("snapshot", ""), ("terraform-plan", "")],
)
def test_a_deadline_says_what_it_was_busy_with(
    house: Ruleset, number: int, busy: str, kind: str, narrower: str
):
    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(*(record(f"c{n}") for n in range(number)))
        yield page(BAD)
        yield End(Completeness.ONE_PAGE)

    source = Scripted(events, kind)
    run = set_up(source, house, options(timeout=1500))
    reader = Reader(run, deadline=0.0)
    reader.read(source.events(run.shape))
    (problem,) = reader.listing().problems
    assert problem == (
        f"the listing was not judged within 1,500 s (--timeout); busy with {busy}; raise "
        f"--timeout{narrower}"
    )


@pytest.mark.parametrize(("kind", "described"), [("api", [1, 1, 2]), ("snapshot", [0, 0, 0])])
def test_findings_are_described_while_the_api_is_waited_for(
    house: Ruleset, kind: str, described: list[int]
):
    seen = []

    def events(page: Callable[..., Page]) -> Iterator[Event]:
        for records in ([BAD], [GOOD], [record("c", sync_frequency=5)]):
            yield page(*records)
            assert reader.walk.judge is not None
            seen.append(len(reader.walk.judge.outcome(lambda _rule: True).described))
        yield End(Completeness.ONE_WALK)

    source = Scripted(events, kind)
    run = set_up(source, house, options())
    reader = Reader(run, deadline=math.inf)
    reader.read(source.events(run.shape))
    assert seen == described


def test_a_live_source_comes_to_the_same(house: Ruleset):
    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(BAD)
        yield page(GOOD)
        yield End(Completeness.ONE_WALK)

    live, saved = (audit(Scripted(events, live=on), house, options()) for on in (True, False))
    assert live == saved
    assert live.findings == saved.findings


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


def test_facts_that_never_come_are_inconclusive_of_an_account_without_connections(tmp_path: Path):
    path = tmp_path / "groups.yaml"
    path.write_text(
        "policy: p\nrules: [{id: r, severity: low, assert: {group.name: {exists: true}}}]\n"
    )
    never = threading.Event()

    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page()
        never.wait()

    class Asking(Scripted):
        waiting = "page 2: 503"

    result = audit(Asking(events, live=True), load_policies(str(path)), options(timeout=0.2))
    never.set()
    assert result.gate.outcome is Outcome.INCONCLUSIVE
    (problem,) = result.listing.problems
    assert problem.startswith("the listing was not read to its end within 0.2 s")
    assert "page 2: 503" in problem


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


def test_only_what_the_api_answers_is_a_page(house: Ruleset, tmp_path: Path):
    records = [{"id": f"c{n}", "service": "s3", "schema": "x", "group_id": "g"} for n in range(600)]
    array = tmp_path / "array.json"
    array.write_text(json.dumps(records))
    assert audit(SnapshotSource(str(array)), house, options()).listing.pages == 0
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"code": "Success", "data": {"items": records}}))
    assert audit(SnapshotSource(str(answer)), house, options()).listing.pages == 1


@pytest.mark.parametrize("number", [1, 250, 251, 600])
def test_identities_that_come_with_a_page_are_those_of_its_records(house: Ruleset, number: int):
    """A plan's connections have no ids yet, and addresses of their own."""
    names = [f"c{n}" for n in range(number)]
    columns = ([f"{each}-{name}" for name in names] for each in ("id", "service", "schema", "in"))
    named = Connections(*columns, [f"at.{name}" for name in names])

    def events(page: Callable[..., Page]) -> Iterator[Event]:
        yield page(*(record("same", sync_frequency=5) for _ in names), identities=named)
        yield End(Completeness.ONE_PAGE)

    result = audit(Scripted(events), house, options())
    assert list(result.connections) == list(named)
    assert list(result.connections.addresses) == list(named.addresses)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(("name", "verdict"), [("Prod", "pass"), ("Dev", "fail")])
def test_facts_are_joined_to_every_record(tmp_path: Path, name: str, verdict: str, late: bool):
    path = tmp_path / "groups.yaml"
    path.write_text("policy: p\nrules: [{id: r, severity: low, assert: {group.name: Prod}}]\n")
    header = SnapshotHeader(TODAY, "")
    with SnapshotWriter(Target.named(tmp_path / "s.ndjson"), header) as writer:
        writer.add_list("groups", [{"id": "g1", "name": name}])
        writer.add([record(f"c{n}") for n in range(251)])
        writer.finish(walks=1, completeness=Completeness.ONE_PAGE)

    class Source(SnapshotSource):
        def events(self, decoder: Decoder) -> Iterator[Event]:
            order = (Page, Facts, End) if late else (Facts, Page, End)
            return iter(sorted(super().events(decoder), key=lambda each: order.index(type(each))))

    result = audit(Source(tmp_path / "s.ndjson"), load_policies(str(path)), options())
    assert counts_of(result) == {verdict: 251}


@pytest.mark.parametrize(("days", "verdict"), [(10, "waived"), (50, "fail")])
def test_a_waiver_s_while_asks_at_the_time_that_rules_do(
    house: Ruleset, tmp_path: Path, days: int, verdict: str
):
    bad = BAD | {"succeeded_at": "2026-03-01T00:00:00Z"}
    ours = waivers_in(tmp_path, waiver(**{"while": "{succeeded_at: {newer_than: 30d}}"}))
    at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=days)
    result = audit(Listed([bad]), house, options(waivers=ours, now=at))
    assert counts_of(result)[verdict] == 1
