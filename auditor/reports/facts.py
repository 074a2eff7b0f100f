"""What every report says about a run besides its findings, as names and texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, filterfalse, islice
from posixpath import join, normpath

from auditor.clock import iso
from auditor.model import (
    Beside,
    Checkout,
    Finding,
    History,
    Listing,
    Outcome,
    Position,
    Result,
    Rule,
    Unjudged,
    Verdict,
)
from auditor.reports.claim import claim, part_in_words
from auditor.text import plural

#: A format that cannot hold everything shows this many of a finding's connections.
MOST_CONNECTIONS = 50
#: The sentence of every placeholder.
UNFINISHED = "inconclusive: the run did not finish, and nothing was judged"

_NOWHERE = Checkout()
_ACCEPTED = (Verdict.WAIVED, Verdict.KNOWN)


def facts(result: Result) -> dict[str, str]:
    """Return what the run rests on and its outcome, leaving out what it does not have.

    Version, time, source and filters, listing, policies with their hashes, the gate's answer
    with its reasons, the number of checks of each verdict, what was left out, what was
    accepted, warnings.
    """
    gate, source = result.gate, result.source
    named = {
        "version": result.version,
        "judged_at": iso(result.judged_at),
        "clock_note": result.clock_note,
        "source": f"{source.kind}: {source.location}",
        "account": str(source.account) if source.account else "",
        "run_url": result.pipeline.url if result.pipeline else "",
        "commit": result.pipeline.commit if result.pipeline else "",
        **{f"filter.{name}": value for name, value in source.filters},
        "listing": listing_in_words(result),
        "outcome": gate.outcome.value,
        "claim": claim(result).sentence,
        "part": part_in_words(result.part, len(result.connections)) if result.part else "",
        "exit_code": str(gate.exit_code),
        "fail_on": gate.fail_on.label if gate.fail_on else "none",
        **{f"max.{severity.label}": str(most) for severity, most in gate.limits},
        "checks": str(result.total),
        **{verdict.label: str(count) for verdict, count in result.counts.items()},
        "not_in_plan": str(result.not_in_plan or ""),
        "over": result.plan.over if result.plan is not None else "",
    }
    for name, texts in (
        ("policy", [f"{p.name} ({p.file}) sha256:{p.sha256}" for p in result.policies]),
        ("facts", facts_in_words(result)),
        ("reason", gate.reasons),
        ("problem", result.listing.problems),
        ("left_out", result.left_out),
        ("note", result.notes),
        ("accepted", result.accepted),
        ("warning", (*result.listing.warnings, *result.warnings)),
    ):
        named |= {f"{name}.{number}": text for number, text in enumerate(texts, 1)}
    return {name: value for name, value in named.items() if value}


def facts_in_words(result: Result) -> list[str]:
    """Return where each fact that a rule may read came from, and whether it could be read."""
    found = []
    for each in result.facts:
        held = f"not read: {each.problem}" if each.problem else plural(each.rows, "row")
        digest = f" sha256:{each.sha256}" if each.sha256 else ""
        found.append(f"{each.name} ({each.origin}): {held}{digest}")
    return found


def listing_in_words(result: Result) -> str:
    """Return how many connections were listed, and how complete that is."""
    listing = result.listing
    on = f" on {plural(listing.pages, 'page')}" if listing.pages else ""
    counted = f"{plural(listing.connections, 'connection')}{on}"
    return f"{counted}: {listing.completeness.value}"


def walked_in_words(listing: Listing) -> str:
    """Return how a listing was walked: ``3 pages, 2 walks``; "" for a file without pages."""
    if not listing.pages:
        return ""
    return f"{plural(listing.pages, 'page')}, {plural(listing.walks, 'walk')}"


def trend_in_words(history: History) -> str:
    """Return how many violations there are, and how many there were in the runs before.

    Two runs are compared by the rules that both judged, and not at all if they listed different
    parts of the account.
    """
    runs = history.runs
    last = runs[-1]
    total = plural(last.total, "violation")
    if len(runs) == 1:
        return f"{total} in the first run of this history."
    before = runs[-2]
    beside = last.beside(before)
    if beside is None:
        return (
            f"{total}; not compared with the run before ({before.judged_at:%Y-%m-%d}), which"
            " judged other connections or other rules."
        )
    change = beside.now - beside.then
    moved = f"{abs(change):,} {'more' if change > 0 else 'fewer'} than" if change else "as many as"
    by = "" if beside.rules is None else f" by the {plural(beside.rules, 'rule')} that both judged"
    doubts = [
        *(["which was inconclusive"] if before.outcome is Outcome.INCONCLUSIVE else []),
        *(["which used other policies"] if set(before.policies) != set(last.policies) else []),
    ]
    about = ", ".join([f"{before.judged_at:%Y-%m-%d}", *doubts])
    counted = total if beside.rules is None else plural(beside.now, "violation")
    sentence = f"{counted}{by}: {moved} in the run before ({about})"
    alike = [run for run in runs[:-2] if last.beside(run) == Beside(last.total, run.total, None)]
    if alike:
        sentence += f", {alike[0].total:,} in the first of {len(alike) + 2:,} comparable runs"
        sentence += f" ({alike[0].judged_at:%Y-%m-%d})"
    accepted = last.waived + last.known - before.waived - before.known
    if change < 0 and accepted > 0:
        # What is accepted no longer counts, but is not fixed.
        sentence += (
            f"; {accepted:,} more {'is' if accepted == 1 else 'are'} waived or known than before"
        )
    return f"{sentence}."


def counts_in_words(result: Result) -> str:
    """Return ``480 checks: 300 pass, 100 fail, …``, every verdict named."""
    parts = [f"{count:,} {verdict.label}" for verdict, count in result.counts.items()]
    return f"{plural(result.total, 'check')}: {', '.join(parts)}"


def unsaid_problems(result: Result) -> tuple[str, ...]:
    """Return the problems of the listing that no reason of the gate tells."""
    reasons = result.gate.reasons
    return tuple(
        problem
        for problem in result.listing.problems
        if not any(reason.endswith(problem) for reason in reasons)
    )


def sentences(texts: Iterable[str]) -> str:
    """Return ``texts`` as one line, each with a full stop."""
    return " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in texts)


def acceptance(finding: Finding) -> str:
    """Return why a finding is accepted, beginning with the word: ``waived: …``, ``known: …``."""
    label, note = finding.verdict.label, finding.note
    return note if note.startswith(label) else f"{label}: {note}" if note else label


def headline(finding: Finding) -> str:
    """Return a finding's message, with its note unless that is why it is accepted."""
    if not finding.note or is_accepted(finding):
        return finding.message
    return f"{finding.message} ({finding.note})"


def beside(finding: Finding) -> str:
    """Return a finding's headline, for use beside the name of its one connection.

    It does not repeat the connection: ``syncs every 5 minutes``.
    """
    said = headline(finding)
    if finding.group or len(finding.connections) != 1 or not finding.connections[0].schema:
        return said
    name = finding.connections[0].schema
    before = next((each for each in (f"{name}: ", f"{name} ") if said.startswith(each)), "")
    return said.removeprefix(before) or said


def is_accepted(finding: Finding) -> bool:
    """Whether someone has accepted the finding: it is waived, or in the baseline."""
    return finding.verdict in _ACCEPTED


def pressing(result: Result, limit: int) -> list[Finding]:
    """Return at most ``limit`` findings: severest first, accepted ones last."""
    found = result.findings
    counting_first = chain(filterfalse(is_accepted, found), filter(is_accepted, found))
    return list(islice(counting_first, limit))


def connections_in_words(finding: Finding) -> list[str]:
    """Return ``service/schema (id) in group g`` for each connection; a long list is cut."""
    shown = finding.connections[:MOST_CONNECTIONS]
    words = [f"{c.service}/{c.schema} ({c.id}) in group {c.group}" for c in shown]
    more = len(finding.connections) - len(shown)
    return [*words, f"and {plural(more, 'more connection')}"] if more else words


def where_in_words(finding: Finding, *, briefly: bool = False) -> str:
    """Return where a finding is, in a few words: its connection with its group, or its group.

    ``briefly`` gives names without ids: ``crm in Production`` is not ``salesforce/crm (tiny_kite)
    in Production (keen_maple)``.
    """
    first, more = finding.connections[:1], len(finding.connections) - 1
    named = [f"{c.service}/{c.schema} ({c.id}) in {c.group}" for c in first]
    if briefly:
        named = [f"{c.schema or c.id} in {c.group_name or c.group_id}" for c in first]
    if finding.group:
        of = f" ({plural(len(finding.connections), 'connection')})" if named else ""
        return f"{finding.group}{of}"
    return f"{named[0]} and {plural(more, 'more connection')}" if more > 0 else "".join(named)


def evidence_in_words(finding: Finding) -> list[str]:
    """Return ``field: actual (expected: …)`` for each field that decided the finding."""
    return [f"{e.field}: {e.actual} (expected: {e.expected})" for e in finding.evidence]


def spot(rule: Rule) -> Position | None:
    """Return the line of the user's own files that brings in ``rule``; None if none does.

    A shipped pack is not in the user's repository: a host would look for it in vain, or show
    another file of that name.
    """
    return rule.named_at if rule.position.in_pack else rule.position


def written_at(finding: Finding) -> Position | None:
    """Return the line whose change would fix it: the resource's, in a plan's own files.

    Without those it is the rule's, as in ``spot``; None if no file of the user's has it.
    """
    for resource in finding.resources:
        positions = [attribute.position for attribute in resource.attributes]
        found = next(filter(None, [*positions, resource.position]), None)
        if found is not None:
            return found
    return spot(finding.rule)


def repository_path(file: str, checkout: Checkout = _NOWHERE) -> str:
    """Return a policy file's path in its repository: relative, without ``.`` and ``..``.

    A host that shows a finding beside its rule looks the file up by this path. ``file`` is relative
    to the working folder, which ``checkout`` knows; hosts do not have files outside the repository.
    """
    if checkout.root:
        root = f"{checkout.root.rstrip('/')}/"
        whole = normpath(join(root, checkout.folder, file))
        file = whole.removeprefix(root) if whole.startswith(root) else file
    steps = [step for step in file.split("/") if step not in ("", ".", "..")]
    return "/".join(steps) or "policy"


def unjudged(result: Result) -> Sequence[Unjudged]:
    """Return the earlier findings of which ``result`` cannot tell whether they are fixed.

    By a history those are what is still open without having been found by this run.
    """
    if result.baseline is not None:
        return result.baseline.unjudged
    history = result.history
    if history is None or len(history.runs) < 2:
        return ()
    found = {_key(finding.rule, finding) for finding in result.findings}
    known = {(rule, name) for rule, names in history.open_since.items() for name in names}
    schemas = dict(zip(result.connections.ids, result.connections.schemas, strict=True))
    groups = {rule.id for rule in result.rules if rule.per}
    return [
        Unjudged(rule, name) if rule in groups else Unjudged(rule, schemas.get(name) or name, name)
        for rule, name in sorted(known - found)
    ]


def _key(rule: Rule, finding: Finding) -> tuple[str, str]:
    return rule.id, finding.group if rule.per else finding.connections[0].id
