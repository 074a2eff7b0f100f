"""The page about all accounts of a run: the result of each, and where its reports are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from types import MappingProxyType
from urllib.parse import quote

import msgspec

from auditor.clock import iso
from auditor.model import Outcome, Result, Severity, Verdict

#: From the best result of an account to the worst; any other is worse yet.
_WORST = (0, 1, 2, 3, 4)
#: What an exit code means, and its mark: never colour alone.
_WORDS = {
    None: ("…", "not finished", "open"),
    0: ("✓", Outcome.PASSED.value, "good"),
    1: ("✗", Outcome.VIOLATIONS.value, "bad"),
    2: ("!", "not judged", "bad"),
    3: ("?", Outcome.INCONCLUSIVE.value, "open"),
}
_FAILED = ("!", "failed", "bad")
_STYLE = """
:root { color-scheme: light dark; background: Canvas; color: CanvasText }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
body { overflow-wrap: anywhere }
h1 { font-size: 1.6rem; line-height: 1.2 }
table { border-collapse: collapse; width: 100% }
thead th { font-weight: 500; font-size: .875rem }
th, td { text-align: left; vertical-align: top; padding: .5rem .8rem .5rem 0; min-width: 7rem }
td:nth-child(2) { width: 45% }
tr { border-bottom: 1px solid #8886; break-inside: avoid }
.good { color: light-dark(#17632a, #7fd18e) }
.bad { color: light-dark(#a01818, #ff9a90) }
.open { color: light-dark(#7a4b00, #f0bd5c) }
.good, .bad, .open { font-weight: 600 }
@media screen and (max-width: 40rem) {
  thead { position: absolute; left: -999rem }
  tr, th, td, td:nth-child(2) { display: block; width: auto }
  tr { padding: .7rem 0 }
  th, td { padding: .1rem 0 }
}
"""

_ANSWERED = re.compile(r"^[A-Z ]+ exit \d+: ")

#: How the page begins, and no other report of ours does.
MARK = r"<title>Fivetran audit: all accounts</title>"


class JudgedAccount(msgspec.Struct, frozen=True):
    """What was judged of an account: how many connections and checks, and since when.

    ``counts`` has the number of checks by verdict, ``violations`` of those that fail by severity.
    ``listed`` is what was read: the API's address, the account, and the filters; ``account`` is
    that account in words, "" if it is not known. ``policies`` are the hashes of those in force.
    """

    answer: str
    judged_at: str
    connections: int
    counts: Mapping[str, int]
    violations: Mapping[str, int]
    reasons: tuple[str, ...]
    listed: tuple[object, ...] = ()
    account: str = ""
    policies: frozenset[str] = frozenset()


def judged(result: Result, answer: str) -> JudgedAccount:
    """Return what ``result`` says about its account; ``answer`` is the gate's sentence."""
    failed = {
        severity.label: sum(
            c.count(Verdict.FAIL) for c in result.checks if c.rule.severity is severity
        )
        for severity in Severity
    }
    counts = {verdict.label: count for verdict, count in result.counts.items()}
    source = result.source
    return JudgedAccount(
        answer,
        iso(result.judged_at),
        len(result.connections),
        MappingProxyType(counts),
        MappingProxyType(failed),
        result.gate.reasons,
        (source.base_url, source.account and source.account.id, source.filters),
        str(source.account or ""),
        frozenset(policy.sha256 for policy in result.policies),
    )


class AccountOutcome(msgspec.Struct, frozen=True):
    """The outcome of an account.

    ``code`` is its exit code, None until there is one; ``judged`` is None if nothing was judged,
    and ``error`` then says why. ``reports`` are files, by their paths from the page, each with its
    format.
    """

    name: str
    code: int | None = None
    judged: JudgedAccount | None = None
    error: str = ""
    reports: tuple[tuple[str, str], ...] = ()

    @property
    def answer(self) -> str:
        """The gate's sentence, or what went wrong instead."""
        return self.judged.answer if self.judged is not None else self.error

    @property
    def word(self) -> str:
        """The outcome as a word."""
        return _WORDS.get(self.code, _FAILED)[1]


class Accounts(msgspec.Struct, frozen=True):
    """The outcome of every account of a run so far, in the order of the file."""

    outcomes: tuple[AccountOutcome, ...]
    version: str

    @property
    def finished(self) -> bool:
        """Whether there are accounts and each was run to its end."""
        return bool(self.outcomes) and all(each.code is not None for each in self.outcomes)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why an account may not have been read: its key led to the listing of another one."""
        return tuple(text for text, same in self._repeated if same)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The same of accounts that are judged by policies of their own, which may be meant."""
        return tuple(text for text, same in self._repeated if not same)

    @property
    def _repeated(self) -> Iterator[tuple[str, bool]]:
        """Yield each account that was read before, and whether by the same policies."""
        read: dict[tuple[object, ...], tuple[str, JudgedAccount]] = {}
        for outcome in self.outcomes:
            now = outcome.judged
            if now is None or not now.account:
                continue
            name, before = read.setdefault(now.listed, (outcome.name, now))
            if before is not now:
                both = f"{name} and {outcome.name} listed the same account, {now.account}"
                same = before.policies == now.policies
                yield f"{both}: check the key of {outcome.name}", same

    @property
    def exit_code(self) -> int:
        """The worst of all; inconclusive if the run has not finished, or an account is in doubt."""
        if not self.finished:
            return 3
        codes = [each.code for each in self.outcomes if each.code is not None]
        codes += [3] if self.doubts else []
        return max(codes, key=lambda code: _WORST.index(code) if code in _WORST else len(_WORST))

    @property
    def word(self) -> str:
        """What the exit code means, as a word."""
        return _WORDS.get(self.exit_code, _FAILED)[1]


def placeholder(version: str) -> str:
    """Return the page of a run that did not finish."""
    return "".join(render(Accounts((), version)))


def render(accounts: Accounts) -> Iterator[str]:
    """Yield the page as HTML; it is unfinished if an account has no code, or if there is none."""
    outcomes = accounts.outcomes
    yield '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
    yield "<title>Fivetran audit: all accounts</title>\n"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield f"<style>{_STYLE}</style>\n<main>\n<h1>Fivetran audit: all accounts</h1>\n"
    if not outcomes:
        yield '<p class="open">? inconclusive: the run over all accounts did not finish, or one'
        yield " account has been audited separately since.</p>\n"
    elif any(outcome.code is None for outcome in outcomes):
        yield '<p class="open">? inconclusive: the run did not finish.</p>\n'
    for doubt in accounts.doubts:
        yield f'<p class="open">? inconclusive: {escape(doubt)}.</p>\n'
    for warning in accounts.warnings:
        yield f'<p class="open">! {escape(warning)}.</p>\n'
    if outcomes:
        heads = ("Account", "Outcome", "Reports")
        columns = "".join(f'<th scope="col">{head}</th>' for head in heads)
        yield f"<table>\n<thead><tr>{columns}</tr></thead>\n<tbody>\n"
        for outcome in outcomes:
            yield from _row(outcome)
        yield "</tbody>\n</table>\n"
    yield f"<p>fivetran-auditor {escape(accounts.version)}</p>\n</main>\n</html>\n"


def _row(outcome: AccountOutcome) -> Iterator[str]:
    mark, word, kind = _WORDS.get(outcome.code, _FAILED)
    code = "" if outcome.code is None else f", exit {outcome.code}"
    yield f'<tr><th scope="row">{escape(outcome.name)}</th>'
    yield f'<td><span class="{kind}">{mark} {word}{code}</span>'
    if outcome.answer:
        # The line above has the word and the code already.
        yield f"<br>{escape(_ANSWERED.sub('', outcome.answer))}"
    links = (f'<a href="{quote(path)}">{escape(path)}</a>' for _, path in outcome.reports)
    yield f"</td><td>{'<br>'.join(links)}</td></tr>\n"
