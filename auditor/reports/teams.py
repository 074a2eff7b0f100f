"""Microsoft Teams: one message with an Adaptive Card, as a webhook or a workflow takes it.

Text from records and policies is in runs of a RichTextBlock, which has no markup; a TextBlock would
read Markdown. A message may take 28 KB (Microsoft's page on webhooks), counted in UTF-16 if the
request does not name its charset.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.model import Outcome, Result
from auditor.reports.brief import Brief, BriefRule, brief
from auditor.reports.facts import UNFINISHED
from auditor.reports.json_text import json_text
from auditor.reports.links import link, run_page
from auditor.text import plural

#: Bytes, in UTF-8 and in UTF-16; a little is left for whoever wraps the message.
LONGEST = 26_000
MARK = r'\A\{"type":"message","summary":"Fivetran audit: '

# The newest that Teams renders in full.
_VERSION = "1.4"
_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
_COLOURS = {
    Outcome.PASSED: "Good",
    Outcome.VIOLATIONS: "Attention",
    Outcome.INCONCLUSIVE: "Warning",
}
_SEVERITIES = {"critical": "Attention", "high": "Attention", "medium": "Warning", "low": "Accent"}
_Object = dict[str, Any]


def render(result: Result) -> Iterator[str]:
    """Yield the message on ``result``, with as many of the worst rules as fit."""
    summary = brief(result)
    for kept in range(len(summary.rules), -1, -1):
        more = summary.more + len(summary.rules) - kept
        text = _rendered(result, summary._replace(rules=summary.rules[:kept], more=more))
        if max(len(text.encode(name)) for name in ("utf-8", "utf-16-le")) <= LONGEST:
            break
    yield text


def _rendered(result: Result, summary: Brief) -> str:
    body = [_heading(summary.heading, result.gate.outcome), _block([_run(summary.sentence)])]
    body += [_block([_run(f"- {reason}")], spacing="None") for reason in summary.reasons]
    if summary.changes:
        body.append(_block([_run(summary.changes, weight="Bolder")]))
    for rule in summary.rules:
        body += _of_rule(rule, result)
    if summary.more:
        body.append(_block([_run(f"and {plural(summary.more, 'more rule')}: see the report")]))
    body.append(_footer(f"fivetran-auditor {result.version}, exit {result.gate.exit_code}"))
    return _message(summary.heading, body, run_page(result))


def placeholder(version: str) -> str:
    """Return a message that says the run did not finish."""
    heading = "⚠️ Fivetran audit: inconclusive"
    body = [
        _heading(heading, Outcome.INCONCLUSIVE),
        _block([_run(f"{UNFINISHED}.")]),
        _footer(f"fivetran-auditor {version}"),
    ]
    return _message(heading, body, "")


def _message(heading: str, body: list[_Object], url: str) -> str:
    opens = {"type": "Action.OpenUrl", "title": "Open the run and its reports", "url": url}
    card = {
        "$schema": _SCHEMA,
        "type": "AdaptiveCard",
        "version": _VERSION,
        "fallbackText": heading,
        "body": body,
        **({"actions": [opens]} if url else {}),
        "msteams": {"width": "Full"},
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    summary = heading.partition(" ")[2]
    return f"{json_text({'type': 'message', 'summary': summary, 'attachments': [attachment]})}\n"


def _of_rule(rule: BriefRule, result: Result) -> Iterator[_Object]:
    title = f": {rule.title}" if rule.title else ""
    yield _block(
        [
            _run(f"{rule.severity} ", weight="Bolder", color=_SEVERITIES[rule.severity]),
            {**_run(rule.rule, weight="Bolder"), **_opens(rule.page)},
            _run(f"{title} ({rule.counts})"),
        ],
        spacing="Medium",
    )
    for item in rule.findings:
        one = item.finding.connections[0] if len(item.finding.connections) == 1 else None
        url = link(result, item.finding.rule, one) if one is not None else ""
        where = {**_run(item.where, color="Accent" if url else "Default"), **_opens(url)}
        yield _block([_run("- "), where, _run(f": {item.said}")], spacing="None")
    if rule.more > 0:
        yield _block([_run(f"and {rule.more:,} more", isSubtle=True)], spacing="None")


def _heading(text: str, outcome: Outcome) -> _Object:
    run = _run(text, weight="Bolder", size="Large", color=_COLOURS[outcome])
    return _block([run])


def _footer(text: str) -> _Object:
    return _block([_run(text, isSubtle=True, size="Small")], spacing="Medium")


def _block(runs: list[_Object], spacing: str = "Small") -> _Object:
    return {"type": "RichTextBlock", "spacing": spacing, "inlines": runs}


def _opens(url: str) -> _Object:
    return {"selectAction": {"type": "Action.OpenUrl", "url": url}} if url else {}


def _run(text: str, **looks: str | bool) -> _Object:
    return {"type": "TextRun", "text": text, **looks}
