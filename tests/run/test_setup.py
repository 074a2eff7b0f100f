"""What a run asks its source for, which groups it judges of a narrowed listing, and its names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.decoding.records import Decoder, Shape
from auditor.model import Completeness, SourceInfo, Verdict
from auditor.output.target import Target
from auditor.policy import Ruleset, load_policies
from auditor.redaction.fields import Scrubber
from auditor.reports.parts import parts
from auditor.run import audit
from auditor.sources import Event
from auditor.sources.saved.snapshot_file import SnapshotHeader, SnapshotWriter
from auditor.sources.saved.source import SnapshotSource
from tests.builders.facts import rule
from tests.builders.listed import (
    TODAY,
    Listed,
    counts_of,
    record,
    waiver,
    waivers_in,
)
from tests.builders.scripted import BAD, GOOD, KEY, SECRET, options

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
        "only connections of the group g1 were listed",
        "only connections with the name a [redacted] were listed",
    )
    assert result.narrowed_by == ("group_id=g1", "schema=a [redacted]")
    assert result.notes == ("a file set [redacted]",)


def test_where_to_read_it_again_is_told_without_credentials(house: Ruleset):
    where = SourceInfo("api", SECRET, again=("--group", SECRET))

    class Source(Listed):
        info = where

    result = audit(Source([GOOD]), house, options(scrubber=Scrubber(((KEY, SECRET),))))
    assert result.source == SourceInfo("api", "[redacted]", again=("--group", "[redacted]"))


@pytest.mark.parametrize(
    ("given", "asked"),
    [((), {"account", "group"}), (("owner", "role"), {"account", "group", "owner", "role"})],
)
def test_a_source_is_asked_for_lists_that_no_rule_reads(
    house: Ruleset, given: tuple[str, ...], asked: set[str]
):
    seen: list[Decoder] = []

    class Source(Listed):
        def events(self, decoder: Decoder) -> Iterator[Event]:
            seen.append(decoder)
            return super().events(decoder)

    audit(Source([GOOD]), house, options(lists=given))
    (shape,) = seen
    assert isinstance(shape, Shape)
    assert set(shape.lists) == asked


def test_reports_show_whose_a_connection_is_where_rules_ask_and_what_else_is_wanted(
    tmp_path: Path,
):
    path = tmp_path / "p.yaml"
    path.write_text("policy: p\nrules:\n" + rule("r", "{owner.active: true}"))
    with SnapshotWriter(Target.named(tmp_path / "s.ndjson"), SnapshotHeader(TODAY, "")) as writer:
        writer.add_list("users", [{"id": "u1", "email": "ada@example.com", "active": True}])
        writer.add([record("a", connected_by="u1", networking_method="Directly")])
        writer.finish(walks=1, completeness=Completeness.ONE_PAGE)
    source, more = (
        SnapshotSource(tmp_path / "s.ndjson"),
        {"net": "networking_method", "active": "owner.active"},
    )
    result = audit(source, load_policies(str(path)), options(dimensions=more))
    assert dict(result.connections.dimensions) == {
        "owner": ["ada@example.com"],
        "net": ["Directly"],
        "active": ["true"],
    }


def test_a_source_that_reads_fields_itself_gets_them_whatever_rules_read(house: Ruleset):
    seen: list[Decoder] = []

    class Source(Listed):
        reads = frozenset({"networking_method"})

        def events(self, decoder: Decoder) -> Iterator[Event]:
            seen.append(decoder)
            return super().events(decoder)

    audit(Source([GOOD]), house, options())
    (shape,) = seen
    assert isinstance(shape, Shape)
    assert "networking_method" in shape.root.children


@pytest.mark.parametrize(("on", "groups"), [(True, ["g1"]), (False, ["g1", "g2"])])
def test_a_group_is_in_the_parts_of_its_own_where_a_run_is_to_be_split(
    house: Ruleset, on: bool, groups: list[str]
):
    records = [record("a", connected_by="x"), record("b", connected_by="y", group_id="g2")]
    result = audit(Listed(records), house, options(dimensions={"by": "connected_by"}, parts=on))
    ((_, one), _) = parts(result, "by")
    (checks,) = [each for each in one.checks if each.rule.id == "one-name"]
    assert [check.group for check in checks.groups] == groups


def test_what_a_waiver_s_while_reads_is_read_whole(house: Ruleset, tmp_path: Path):
    text = waiver(**{"while": "{config: {length: {gte: 1}}}"})
    ours = options(waivers=waivers_in(tmp_path, text))
    bad = [BAD | {"config": {"host": "h"}}, BAD | {"id": "c", "config": {}}]
    assert counts_of(audit(Listed(bad), house, ours))["waived"] == 1


def test_of_an_incomplete_listing_no_group_was_seen_whole(house: Ruleset):
    result = audit(Listed([GOOD], completeness=Completeness.INCOMPLETE), house, options())
    found = {c.rule.id: check.verdict for c in result.checks for check in c.groups}
    # What was found is found, however much more there is.
    unseen = dict.fromkeys(("one-name", "few-paused"), Verdict.ERROR)
    assert found == {**unseen, "has-postgres": Verdict.PASS}
