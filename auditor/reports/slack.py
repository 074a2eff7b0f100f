"""Slack: one message in Block Kit, as an incoming webhook takes it.

Text from records and policies is in elements without markup, so nothing in it is a mention, a link
or bold. Slack refuses a message with more than 50 blocks or a header of more than 150 characters
(its reference of Block Kit), and one whose blocks come to some 13,000 characters.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.model import Outcome, Result
from auditor.reports.brief import BriefRule, brief
from auditor.reports.claim import HEADINGS
from auditor.reports.facts import UNFINISHED
from auditor.reports.json_text import json_text
from auditor.reports.links import link, run_page
from auditor.text import plural, shortened

#: Slack truncates nothing: it refuses a message that is too long.
LONGEST_HEADER = 150
MOST_BLOCKS = 50
LONGEST = 12_000
MARK = r'\A\{"text":"Fivetran audit: '

_Object = dict[str, Any]


def render(result: Result) -> Iterator[str]:
    """Yield the message on ``result``."""
    summary = brief(result)
    blocks = [
        _header(summary.heading),
        _plain(summary.sentence),
        *([_plain("\n".join(summary.reasons))] if summary.reasons else []),
        *([_plain(summary.changes)] if summary.changes else []),
    ]
    for rule in summary.rules:
        blocks += _of_rule(rule, result)
    if summary.more:
        blocks.append(_plain(f"and {plural(summary.more, 'more rule')}: see the report"))
    if url := run_page(result):
        opened = [_link(url, "Open the run and its reports")]
        blocks.append(_rich([{"type": "rich_text_section", "elements": opened}]))
    blocks.append(_context(f"fivetran-auditor {result.version}, exit {result.gate.exit_code}"))
    yield _message(result.gate.outcome, summary.sentence, blocks)


def placeholder(version: str) -> str:
    """Return a message that says the run did not finish."""
    blocks = [
        _header("⚠️ Fivetran audit: inconclusive"),
        _plain(f"{UNFINISHED}."),
        _context(f"fivetran-auditor {version}"),
    ]
    return _message(Outcome.INCONCLUSIVE, f"{UNFINISHED}.", blocks)


def _message(outcome: Outcome, sentence: str, blocks: list[_Object]) -> str:
    # The text is what a notification shows; three characters in it begin markup.
    said = f"{HEADINGS[outcome].lower()}. {sentence}"
    said = said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{json_text({'text': f'Fivetran audit: {said}', 'blocks': blocks})}\n"


def _of_rule(rule: BriefRule, result: Result) -> Iterator[_Object]:
    title = f": {rule.title}" if rule.title else ""
    heading = [
        _text(f"{rule.severity} ", bold=True),
        _link(rule.page, rule.rule) if rule.page else _text(rule.rule, bold=True),
        _text(f"{title} ({rule.counts})"),
    ]
    items = []
    for item in rule.findings:
        one = item.finding.connections[0] if len(item.finding.connections) == 1 else None
        url = link(result, item.finding.rule, one) if one is not None else ""
        where = _link(url, item.where) if url else _text(item.where)
        items.append({"type": "rich_text_section", "elements": [where, _text(f": {item.said}")]})
    if rule.more > 0:
        more = [_text(f"and {rule.more:,} more")]
        items.append({"type": "rich_text_section", "elements": more})
    elements: list[_Object] = [{"type": "rich_text_section", "elements": heading}]
    if items:
        elements.append({"type": "rich_text_list", "style": "bullet", "elements": items})
    yield _rich(elements)


def _header(text: str) -> _Object:
    return {"type": "header", "text": _typed(shortened(text, LONGEST_HEADER))}


def _plain(text: str) -> _Object:
    return {"type": "section", "text": _typed(text)}


def _context(text: str) -> _Object:
    return {"type": "context", "elements": [_typed(text)]}


def _rich(elements: list[_Object]) -> _Object:
    return {"type": "rich_text", "elements": elements}


def _typed(text: str) -> _Object:
    # Without ``emoji`` a name between colons stays a name.
    return {"type": "plain_text", "text": text, "emoji": False}


def _text(text: str, *, bold: bool = False) -> _Object:
    return {"type": "text", "text": text, **({"style": {"bold": True}} if bold else {})}


def _link(url: str, text: str) -> _Object:
    return {"type": "link", "url": url, "text": text}
