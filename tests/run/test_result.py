"""The result of a run: what it was given, what was read, and what nothing fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auditor.model import Account, Checkout, Completeness, FactsInfo, Pipeline
from auditor.policy import Ruleset, load_policies
from auditor.redaction.fields import Scrubber
from auditor.run import audit
from auditor.sources.plan.source import PlanSource
from tests.builders.facts import rule
from tests.builders.listed import (
    Listed,
    record,
    waiver,
    waivers_in,
)
from tests.builders.plans import plan_file
from tests.builders.scripted import BAD, GOOD, KEY, SECRET, options

SCRUBBER = Scrubber(((KEY, SECRET),))


def rules(
    folder: Path, *, own: str = "", condition: str = "{group.name: {exists: true}}"
) -> Ruleset:
    path = folder / "p.yaml"
    path.write_text(f"policy: p\n{own}rules:\n{rule('r', condition)}")
    return load_policies(str(path))


def test_what_reports_link_to_is_what_was_given(house: Ruleset):
    given = {
        "pipeline": Pipeline("https://ci.test/1", "abc123"),
        "checkout": Checkout("/repository", "here"),
        "docs_url": "https://docs.test",
    }
    result = audit(Listed([GOOD]), house, options(**given))
    assert {name: getattr(result, name) for name in given} == given


def test_the_account_and_its_groups_are_named_without_credentials(house: Ruleset):
    lists = {
        "account": [{"id": f"acc-{SECRET}", "name": f"Acme {SECRET}"}],
        "group": [{"id": "g1", "name": f"Prod {SECRET}"}, {"id": SECRET, "name": "Dev"}],
    }
    result = audit(Listed([GOOD], lists=lists), house, options(scrubber=SCRUBBER))
    assert result.source.account == Account("acc-[redacted]", "Acme [redacted]")
    assert dict(result.connections.group_names) == {"g1": "Prod [redacted]", "[redacted]": "Dev"}
    assert audit(Listed([GOOD]), house, options()).source.account is None


def test_a_list_that_could_not_be_read_says_why(tmp_path: Path, house: Ruleset):
    source = Listed([GOOD], lists={"group": f"403 for {SECRET}"})
    result = audit(source, rules(tmp_path), options(scrubber=SCRUBBER))
    assert result.facts == (FactsInfo("group", "/v1/groups", 0, problem="403 for [redacted]"),)
    assert result.gate.exit_code == 3
    # No rule needs it: reports lack names, and the gate has nothing against that.
    unread = audit(source, house, options(scrubber=SCRUBBER))
    assert unread.warnings == (
        "/v1/groups could not be read, so reports lack what it tells: 403 for [redacted]",
    )
    assert (unread.facts, unread.gate.exit_code) == ((), 0)


def test_how_each_waiver_was_used_is_told(house: Ruleset, tmp_path: Path):
    result = audit(Listed([BAD]), house, options(waivers=waivers_in(tmp_path, waiver())))
    assert [(use.covered, use.expired) for use in result.waivers] == [(1, False)]


def test_a_page_can_tell_why_a_finding_came_to_its_verdict(house: Ruleset):
    result = audit(Listed([BAD, GOOD]), house, options())
    (finding,) = result.findings
    assert result.reasons[finding.rule.id].lines
    assert set(result.reasons) == {checks.rule.id for checks in result.checks}


OWN = "facts:\n  mine: {{key: {key}, columns: {{n: integer}}, {rows}}}\n"
#: By the key of the facts: what a connection is called by it.
CALLED = {"id": "a", "schema": "s", "service": "postgres", "group_id": "g1", "group.name": "Prod"}


@pytest.mark.parametrize("key", CALLED)
@pytest.mark.parametrize("found", [True, False])
def test_rows_that_fit_nothing_are_told(tmp_path: Path, key: str, found: bool):
    row = CALLED[key] if found else "nobody"
    own = OWN.format(key=key, rows=f"rows: {{{row}: 5}}")
    source = Listed(
        [record("a", schema="s"), record("b", group_id="g3")],
        lists={"group": [{"id": "g1", "name": "Prod"}, {"id": "g2", "name": "nobody"}]},
    )
    result = audit(source, rules(tmp_path, own=own, condition="{mine.n: 5}"), options())
    told = (
        f"no connection has a row of mine (1 row of {tmp_path}/p.yaml:3:3): none has its {key} for"
        " a key; correct the keys"
    )
    assert result.warnings == (() if found else (told,))


@pytest.mark.parametrize(
    ("key", "rows", "listed"),
    [
        ("schema", "rows: {x: 1}", {"filters": (("group_id", "g1"),)}),
        ("schema", "rows: {x: 1}", {"completeness": Completeness.INCOMPLETE}),
        ("schema", "rows: {x: 1}", {"records": []}),
        ("schema", "optional: true", {}),
        ("networking_method", "rows: {x: 1}", {}),
        ("group.name", "rows: {x: 1}", {}),
    ],
    ids=["narrowed", "incomplete", "of nothing", "no rows", "no column", "no names"],
)
def test_rows_that_might_fit_what_was_not_seen_are_not_told(
    tmp_path: Path, key: str, rows: str, listed: dict[str, Any]
):
    own = OWN.format(key=key, rows=rows)
    source = Listed(**{"records": [GOOD], **listed})
    result = audit(source, rules(tmp_path, own=own, condition="{mine.n: 5}"), options())
    assert [text for text in result.warnings if "no connection has a row" in text] == []


def test_a_plan_by_itself_says_nothing_of_rows_that_fit_nothing(tmp_path: Path):
    own = OWN.format(key="schema", rows="rows: {nobody: 1}")
    ours = rules(tmp_path, own=own, condition="{mine.n: 5}")
    result = audit(PlanSource(str(plan_file("small"))), ours, options())
    assert [text for text in result.warnings if "no connection has a row" in text] == []
