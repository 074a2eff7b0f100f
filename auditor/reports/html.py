"""The HTML report: one self-contained file that loads nothing.

What matters without scripts (verdict, counts, reasons, rules, the first findings) is markup from
``reports/templates/report.html.j2``; everything else is a JSON island that the report's script
renders as text nodes. The Content-Security-Policy names the two hashes of style and script and
forbids the rest, so that text from a hostile account stays text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from string import Template
from typing import NamedTuple
from urllib.parse import quote

from markupsafe import Markup
from msgspec.structs import replace

from auditor.model import (
    Described,
    Findings,
    Outcome,
    Part,
    Places,
    Result,
    Rule,
    RuleChecks,
    Verdict,
    about,
    places_of,
)
from auditor.reports.claim import claim
from auditor.reports.facts import UNFINISHED, pressing, unsaid_problems, walked_in_words
from auditor.reports.links import rule_page
from auditor.reports.page.cards import affected, cards
from auditor.reports.page.changes import changes, sparks
from auditor.reports.page.controls import controls, hashes
from auditor.reports.page.island import island, new_findings
from auditor.reports.page.parts import asset, content_policy, page_script, templates
from auditor.text import plural

#: How many findings are in the file as plain rows, for readers without scripts.
PLAIN_FINDINGS = 200
#: How many of them are printed; ``report.js`` and ``paper.css`` have the same number.
MOST_PRINTED = 150
MARK = r"<title>[^<]* · Fivetran audit · "

_TEMPLATE = "report.html.j2"
#: What it extends, and what both import from.
_BENEATH = ("page.html.j2", "marks.html.j2")
_STYLES = ("report.css", "trend.css", "paper.css")
_OWNER = "owner:"
#: The most pieces of advice on a rule's card.
_MOST_ADVICE = 3


def render(result: Result) -> Iterable[str]:
    """Yield the report of ``result`` as pieces of UTF-8 text; equal results give equal text."""
    result = _of_part(result)
    script = page_script()
    fresh = new_findings(result)
    style = _style()
    return (
        templates()
        .get_template(_TEMPLATE)
        .generate(
            result=result,
            claim=claim(result),
            counts=_segments(result),
            first=_to_do(result),
            controls=controls(result),
            hashes=hashes(result),
            listed=listed,
            walked=walked_in_words(result.listing),
            missing=unsaid_problems(result),
            cards=cards(result, fresh),
            changes=changes(result, fresh),
            sparks=sparks(result.history, result.rules),
            identity=_identity(result, fresh),
            accepted=_accepted(result),
            advice=_advice(result),
            idle={rule.id: rule for rule in result.idle_rules},
            plain_findings=pressing(result, PLAIN_FINDINGS),
            most_printed=MOST_PRINTED,
            owners=_owners,
            page_of=partial(rule_page, result),
            group_names=dict(
                zip(result.connections.group_ids, result.connections.groups, strict=True)
            ),
            rate=rate,
            trend=_trend(result),
            csp=content_policy(style, script),
            style=Markup(style),  # noqa: S704 — the project's own file
            script=Markup(script),  # noqa: S704 — the project's own files
            island=map(Markup, island(result)),
            Verdict=Verdict,
        )
    )


def _of_part(result: Result) -> Result:
    """Return ``result`` with findings that name only its own connections.

    In a part, a group may reach beyond it; the page links each named connection to its row, and has
    rows only for the part's connections.
    """
    if result.part is None:
        return result
    own, found = {place: row for row, place in enumerate(result.part.places)}, result.findings

    def inside(places: Places) -> Places:
        return about([own[place] for place in places_of(places) if place in own])

    by_rule = [replace(each, about=[*map(inside, each.about)]) for each in found.by_rule]
    return replace(result, describe=Described(Findings(tuple(by_rule), result.connections)))


def placeholder(version: str) -> str:
    """Return the page that is at the report's path until a run has finished.

    It is made without the templates' engine, which would delay a run's first page.
    """
    style = asset("placeholder.css")
    return Template(asset("placeholder.html")).substitute(
        version=version,
        unfinished=UNFINISHED.removeprefix("inconclusive: ").capitalize(),
        policy=content_policy(style, ""),
        style=style,
    )


def load() -> None:
    """Load what rendering needs, while there is nothing else to do."""
    for name in (_TEMPLATE, *_BENEATH):
        templates().get_template(name)
    page_script()
    _style()


def _style() -> str:
    return "".join(map(asset, _STYLES))


class Segment(NamedTuple):
    """A verdict's count, and its segment of a bar of 1,000 units."""

    label: str
    checks: int
    start: int
    width: int


def _segments(result: Result) -> list[Segment]:
    """Return a segment for each verdict, those that need action first."""
    order = (
        Verdict.FAIL, Verdict.ERROR, Verdict.WAIVED, Verdict.KNOWN, Verdict.SKIP, Verdict.PASS,
    )  # fmt: skip
    segments: list[Segment] = []
    seen = 0
    for verdict in order:
        count = result.counts[verdict]
        start, end = (round(n * 1000 / (result.total or 1)) for n in (seen, seen + count))
        segments.append(Segment(verdict.label, count, start, end - start))
        seen += count
    return segments


def _to_do(result: Result) -> list[RuleChecks]:
    """Return the rules that failed or could not be evaluated, severest first."""
    unsettled = [
        checks
        for checks in result.checks
        if checks.count(Verdict.FAIL) or checks.count(Verdict.ERROR)
    ]
    # In an inconclusive run, what prevented an answer comes first.
    causes_first = result.gate.outcome is Outcome.INCONCLUSIVE
    return sorted(
        unsettled,
        key=lambda c: (
            causes_first and not c.count(Verdict.ERROR),
            -c.rule.severity,
            -c.count(Verdict.FAIL),
            -c.count(Verdict.ERROR),
        ),
    )


def _advice(result: Result) -> dict[str, list[str]]:
    """Return what to do about a rule's checks that could not be judged, by the rule's id."""
    advice: dict[str, dict[str, None]] = {}
    for each in result.findings.by_rule:
        for said in each.statements:
            if said.advice:
                advice.setdefault(each.rule.id, {})[said.advice] = None
    return {rule_id: list(texts)[:_MOST_ADVICE] for rule_id, texts in advice.items()}


def _accepted(result: Result) -> Sequence[str]:
    """Return what was accepted, without the last note of a run with a baseline: tiles tell it."""
    return result.accepted[:-1] if result.baseline is not None else result.accepted


def _identity(result: Result, fresh: list[int] | None) -> list[tuple[str, str]]:
    """Return what tells this run from others, as names and texts: the account and the like."""
    touched = affected(result)
    connections = plural(len(result.connections), "connection")
    named = {
        "Account": str(result.source.account or ""),
        "Part": _part(result.part) if result.part is not None else "",
        "Policies": ", ".join(policy.name for policy in result.policies),
        "Affected": f"{touched:,} of {connections}" if touched else "",
        "New": plural(len(fresh), "violation") if fresh is not None else "",
        "Commit": result.pipeline.commit[:12] if result.pipeline else "",
    }
    return [(name, text) for name, text in named.items() if text]


def rate(count: int, total: int) -> str:
    """Return ``count`` of ``total`` as a percentage; only all is 100%, and only none is 0%."""
    share = 100 * count / total
    if 0 < share < 0.1:
        return "<0.1%"
    return ">99.9%" if 99.9 < share < 100 else f"{share:.{0 if share == 100 else 1}f}%"


def _part(part: Part) -> str:
    return f"{part.dimension}: {part.value or 'none'}"


def listed(text: str) -> str:
    """Return a value of a filter as it is in the page's address; ``state.js`` reads it."""
    escaped = text.replace("\\", "\\\\").replace(",", "\\,")
    return quote(escaped, safe="")


def _trend(result: Result) -> object:
    if result.history is None:
        return None
    from auditor.reports.page.trend import measured  # noqa: PLC0415  # for runs with a history only

    return measured(result.history)


def _owners(rule: Rule) -> tuple[list[str], list[str]]:
    """Return a rule's owners (its ``owner:…`` tags, without the prefix) and its other tags."""
    owners = [tag.removeprefix(_OWNER) for tag in rule.tags if tag.startswith(_OWNER)]
    return owners, [tag for tag in rule.tags if not tag.startswith(_OWNER)]
