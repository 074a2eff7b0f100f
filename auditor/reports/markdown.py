"""Markdown for a pull request's comment or a job's summary page: short, severest first.

The verdict, what is new and what to do first are visible; the details of each rule and of the run
are folded. GitHub takes 65,536 characters in a comment; the report stays below ``LONGEST`` and says
what it left out. Text from records and policies becomes a code span, in which nothing is a mention,
a link, a reference or markup; prose without any of those stays prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from auditor.clock import to_the_second
from auditor.model import Connection, Finding, Outcome, Result, RuleChecks, Verdict
from auditor.reports.brief import (
    changes_in_words,
    counts_of,
    first_findings,
    verdict_in_words,
    waiting,
    worst,
)
from auditor.reports.claim import claim
from auditor.reports.facts import (
    UNFINISHED,
    beside,
    counts_in_words,
    facts_in_words,
    is_accepted,
    listing_in_words,
    pressing,
    trend_in_words,
    unsaid_problems,
)
from auditor.reports.links import link, rule_page, run_page
from auditor.text import plural, shortened

#: Bytes, and so characters too.
LONGEST = 60_000
MARK = r"\A## \S+ Fivetran audit: "

_MOST_REASONS = 20
_MOST_RULES = 100
_MOST_FINDINGS = 1000
_CELL = 300
_MOST_FIXES = 3
#: How many rules are visible, with how many findings each.
_FIRST = 5
_NAMED = 3
#: How much of each finding is shown beside them; the rule's folded section has the whole text.
_SAID = 120
#: Space reserved for the sentence that says what was left out.
_RESERVE = 400

_HEADINGS = {
    Outcome.PASSED: "✅ Fivetran audit: passed",
    Outcome.VIOLATIONS: "❌ Fivetran audit: violations",
    Outcome.INCONCLUSIVE: "⚠️ Fivetran audit: inconclusive",
}
# A code span ends at a backtick, a table's cell at a pipe; a backslash changes either.
_UNSPANNED = re.compile(r"[`|\\]|[^\S ]|^ | $")
# Letters of any script, digits, and punctuation that means nothing inside a line: an underscore
# within a word, a dot or a colon before a blank, a colon within a time of day. It does not begin
# like a list or a rule.
_PROSE = re.compile(
    r"""
    (?! [-=\ ] | \d+[.)](?:\s|$) )
    (?: [^\W_] | (?<=[^\W_])_(?=[^\W_]) | [.:%](?=\s|$) | (?<=\d)\.(?=\d) | (?<=\d):(?=\d\d(?!\d))
      | [\ ,;()'"/=?\u2013\u2014\u2018-\u201d\u2026-]
    )*
    """,
    re.VERBOSE,
)
# Plain words that hosts turn into links: an issue (GH-12), a commit.
_REFERENCE = re.compile(r"\bGH-\d|\b[0-9a-f]{7,40}\b", re.IGNORECASE)


def render(result: Result) -> Iterator[str]:
    """Yield the report on ``result``."""
    room, written, total = LONGEST - _RESERVE, 0, len(result.findings)
    for piece in _pieces(result):
        if (size := _size(piece)) <= room:
            room -= size
            yield piece
    for opening, rows, closing in _sections(result, pressing(result, _MOST_FINDINGS)):
        room -= _size(opening) + _size(closing)
        if room < _size(rows[0]):
            break
        yield opening
        for row in rows:
            if (size := _size(row)) > room:
                break
            room, written = room - size, written + 1
            yield row
        else:
            yield closing
            continue
        yield closing
        break
    if written < total:
        yield (
            f"\n{written:,} of {plural(total, 'finding')} shown, most severe first; "
            "the other reports list them all.\n"
        )


def _size(text: str) -> int:
    # Hosts may count characters or bytes; there are never fewer bytes.
    return len(text.encode("utf-8", "surrogatepass"))


def placeholder(version: str) -> str:
    """Return a report that says the run did not finish."""
    return f"## {_HEADINGS[Outcome.INCONCLUSIVE]}\n\n{UNFINISHED}.\n\nfivetran-auditor {version}\n"


def code(text: str) -> str:
    """Return ``text`` as a code span that fits in a table's cell; "" for no text.

    What a backtick span cannot hold in a cell goes into ``<code>``, with every sign as an entity.
    """
    text = shortened(text, _CELL)
    if _UNSPANNED.search(text) is None:
        return text and f"`{text}`"
    return html_code(text)


def html_code(text: str) -> str:
    """Return ``text`` as ``<code>``, for places where Markdown is not read."""
    text = shortened(text, _CELL)
    entities = "".join(c if c.isalnum() or c == " " else _entity(c) for c in text)
    return f"<code>{entities}</code>"


def prose(text: str) -> str:
    """Return ``text`` as it is if it is plain, else as code."""
    plain = _PROSE.fullmatch(text) and not _REFERENCE.search(text)
    return shortened(text, _CELL) if plain else code(text)


def _entity(character: str) -> str:
    if character == "@":
        # An address becomes a link even here, unless it contains a zero-width space.
        return "&#64;&#8203;"
    return " " if character.isspace() else f"&#{ord(character)};"


# -- the run ---------------------------------------------------------------------------------------


def _pieces(result: Result) -> Iterator[str]:
    """Yield the verdict, what is new, what to do first and, folded, what the run rests on."""
    gate = result.gate
    heading = verdict_in_words(result).removeprefix(gate.outcome.value)
    yield f"## {_HEADINGS[gate.outcome]}{heading}\n\n{claim(result).sentence}\n\n"
    yield "".join(_bullets(gate.reasons))
    if changes := changes_in_words(result):
        yield f"\n**{prose(changes)}**\n"
    if missing := unsaid_problems(result):
        yield "".join(["\n**Missing**\n\n", *_bullets(missing)])
    if url := run_page(result):
        yield f"\n{_linked('The run and its reports', url)}\n"
    yield from _first(result)
    yield from _about(result)


def _first(result: Result) -> Iterator[str]:
    """Yield the worst rules, each with its first connections."""
    shown = worst(result)
    first = first_findings(result, shown[:_FIRST], _NAMED)
    for number, checks in enumerate(shown[:_FIRST]):
        rule, named = checks.rule, first[checks.rule.id]
        head = "\n| | Rule | Found | First of them |\n|---|---|---|---|\n" if not number else ""
        where = [
            ": ".join(filter(None, (_where(result, f), prose(shortened(beside(f), _SAID)))))
            for f in named
        ]
        if more := waiting(checks, named):
            where.append(f"and {more:,} more")
        cells = (
            rule.severity.label,
            f"{_linked(code(rule.id), rule_page(result, rule))}<br>{prose(rule.title)}",
            counts_of(checks),
            "<br>".join(where),
        )
        yield f"{head}| {' | '.join(cells)} |\n"
    if len(shown) > _FIRST:
        yield f"\nand {plural(len(shown) - _FIRST, 'more rule')}, below\n"


def _where(result: Result, finding: Finding) -> str:
    if finding.group:
        return f"group {code(finding.group)}"
    shown = finding.connections[:1]
    more = len(finding.connections) - len(shown)
    named = [f"{code(f'{c.service}/{c.schema}')} ({_id(result, finding, c)})" for c in shown]
    return "".join([*named, f" and {more:,} more" if more > 0 else ""])


def _about(result: Result) -> Iterator[str]:
    """Yield what the run rests on: one folded piece, and the rules with their counts."""
    gate, source = result.gate, result.source
    filters = [code(f"{name}={value}") for name, value in source.filters]
    policies = [
        f"{code(p.name)} ({code(p.file)}, sha256 {code(p.sha256)})"
        for p in result.policies[:_MOST_REASONS]
    ]
    facts = facts_in_words(result)[:_MOST_REASONS]
    limits = [f"{severity.label} past {most:,}" for severity, most in gate.limits]
    rows = {
        "Connections": plural(len(result.connections), "connection"),
        "Listing": listing_in_words(result),
        "Checks": counts_in_words(result),
        **_plan_rows(result),
        "Source": " ".join([prose(source.kind), code(source.location), *filters]),
        **({"Account": code(str(source.account))} if source.account else {}),
        "Judged at": " ".join(
            filter(None, [to_the_second(result.judged_at), code(result.clock_note)])
        ),
        "Fails on": ", ".join([gate.fail_on.label if gate.fail_on else "none", *limits]),
        "Policies": "<br>".join(policies) + _more(len(result.policies)),
        **({"Facts": "<br>".join(map(code, facts))} if facts else {}),
        **({"Trend": prose(trend_in_words(result.history))} if result.history else {}),
        "Tool": f"fivetran-auditor {prose(result.version)}",
    }
    table = "".join(f"| {name} | {value} |\n" for name, value in rows.items())
    notes = [
        "".join([f"\n**{title}**\n\n", *_bullets(texts)])
        for title, texts in (
            ("Left out", result.left_out),
            ("Note", result.notes),
            ("Accepted", result.accepted),
            ("Warnings", (*result.listing.warnings, *result.warnings)),
        )
        if texts
    ]
    # What was left out is part of the verdict, and is visible.
    yield from notes[:1] if result.left_out else ()
    folded_notes = "".join(notes[1:] if result.left_out else notes)
    yield f"\n{_fold('About this run')}| Run | |\n|---|---|\n{table}{folded_notes}{_CLOSE}"
    if rules := "".join(_rules(result)):
        yield f"\n{_fold(plural(len(result.checks), 'rule'))}{rules}{_CLOSE}"


#: A host's Markdown resumes after an empty line.
_CLOSE = "\n</details>\n"


def _fold(summary: str) -> str:
    """Return the beginning of a folded section; ``summary`` is already HTML."""
    return f"<details><summary>{summary}</summary>\n\n"


def _plan_rows(result: Result) -> dict[str, str]:
    """Return the extra rows of a run over a plan: what the plan left open."""
    rows: dict[str, str] = {}
    if result.not_in_plan:
        rules = [code(rule.id) for rule in result.unplanned_rules[:_MOST_REASONS]]
        only = f", among them all of {', '.join(rules)}" if rules else ""
        rows["Not in the plan"] = f"{plural(result.not_in_plan, 'check')} not made{only}"
    if result.left_unknown:
        rows["Unknown until applied"] = f"{plural(result.left_unknown, 'check')} skipped"
    return rows


def _linked(text: str, url: str) -> str:
    """Return ``text``, which is Markdown, as a link to ``url``; as it is if ``url`` is ""."""
    # Within an address these could still begin bold or struck text.
    return f"[{text}]({url.replace('_', '%5F').replace('~', '%7E')})" if url else text


def _bullets(texts: Iterable[str]) -> Iterator[str]:
    listed = list(texts)
    for text in listed[:_MOST_REASONS]:
        yield f"- {prose(text)}\n"
    if len(listed) > _MOST_REASONS:
        yield f"-{_more(len(listed))}\n"


def _more(count: int) -> str:
    return f" and {count - _MOST_REASONS:,} more" if count > _MOST_REASONS else ""


def _rules(result: Result) -> Iterator[str]:
    """Yield one row per rule; those with most to do come first, and a long table is cut."""
    if not result.checks:
        return
    ordered = sorted(result.checks, key=_urgency)
    verdicts = [verdict for verdict, count in result.counts.items() if count]
    yield f"| Rule | Severity |{''.join(f' {v.label} |' for v in verdicts)}\n"
    yield f"|---|---|{'---:|' * len(verdicts)}\n"
    for checks in ordered[:_MOST_RULES]:
        counts = "".join(f" {checks.count(verdict):,} |" for verdict in verdicts)
        yield f"| {code(checks.rule.id)} | {checks.rule.severity.label} |{counts}\n"
    if len(ordered) > _MOST_RULES:
        yield f"\nand {plural(len(ordered) - _MOST_RULES, 'more rule')}\n"


def _urgency(checks: RuleChecks) -> tuple[bool, int, int]:
    waiting = checks.count(Verdict.FAIL) + checks.count(Verdict.ERROR)
    return not waiting, -checks.rule.severity, -waiting


# -- the findings ----------------------------------------------------------------------------------


def _sections(result: Result, findings: list[Finding]) -> Iterator[tuple[str, list[str], str]]:
    """Yield a folded section per rule: its opening, one row per finding, its end."""
    by_rule = {checks.rule.id: checks for checks in result.checks}
    for _, group in groupby(findings, key=lambda finding: (finding.rule.id, is_accepted(finding))):
        rows = list(group)
        rule, checks = rows[0].rule, by_rule.get(rows[0].rule.id)
        count = _counted(checks, accepted=is_accepted(rows[0])) if checks is not None else ""
        opening = _fold(f"{html_code(rule.id)} ({rule.severity.label}){count}")
        fixes = dict.fromkeys(finding.fix for finding in rows if finding.fix)
        fix = "".join(f"Fix: {prose(text)}\n\n" for text in list(fixes)[:_MOST_FIXES])
        where = f"Policy: {code(str(rule.position))}\n\n"
        if page := rule_page(result, rule):
            where += f"{_linked('More about the rule', page)}\n\n"
        table = "| Verdict | Connection | Group | Actual | Message |\n|---|---|---|---|---|\n"
        opening = f"\n{opening}{prose(rule.title)}\n\n{fix}{where}{table}"
        yield opening, [_row(result, finding) for finding in rows], _CLOSE


def _counted(checks: RuleChecks, *, accepted: bool) -> str:
    if not accepted:
        return f": {counts_of(checks)}"
    parts = [(v, checks.count(v)) for v in (Verdict.WAIVED, Verdict.KNOWN)]
    return f": {', '.join(f'{count:,} {verdict.label}' for verdict, count in parts if count)}"


def _id(result: Result, finding: Finding, connection: Connection) -> str:
    """Return a connection's id, as a link if there is an address."""
    url = link(result, finding.rule, connection)
    return f"[{code(connection.id)}]({url})" if url else code(connection.id)


def _row(result: Result, finding: Finding) -> str:
    shown = finding.connections[:3]
    names = [f"{code(f'{c.service}/{c.schema}')} ({_id(result, finding, c)})" for c in shown]
    if len(finding.connections) > len(shown):
        names.append(f"and {len(finding.connections) - len(shown):,} more")
    groups = dict.fromkeys(c.group for c in shown) if not finding.group else [finding.group]
    actual = dict.fromkeys(f"{code(e.field)}: {code(e.actual)}" for e in finding.evidence[:5])
    note = f" ({prose(finding.note)})" if finding.note else ""
    cells = (
        finding.verdict.label,
        "<br>".join(names),
        "<br>".join(map(code, groups)),
        "<br>".join(actual),
        f"{prose(finding.message)}{note}",
    )
    return f"| {' | '.join(cells)} |\n"
