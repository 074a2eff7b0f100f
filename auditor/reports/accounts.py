"""The page about all accounts of a run: the result of each, and where its reports are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple

import msgspec
from markupsafe import Markup

from auditor.clock import iso
from auditor.model import Outcome, Result, Severity, Verdict
from auditor.reports.page.parts import asset, content_policy, templates
from auditor.text import listed, plural

#: From the best result of an account to the worst; any other is worse yet.
_WORST = (0, 1, 2, 3, 4)
#: What an exit code means.
_WORDS = {
    None: "not finished",
    0: Outcome.PASSED.value,
    1: Outcome.VIOLATIONS.value,
    2: "not judged",
    3: Outcome.INCONCLUSIVE.value,
}
_FAILED = "failed"
_NOT_JUDGED = 2
#: The exit codes of an account that was judged as a whole.
_WHOLE = (0, 1)
_STYLES = ("report.css", "comparison.css", "accounts.css", "paper.css")
#: How many accounts a reason names.
_MOST_NAMED = 5

_ANSWERED = re.compile(r"^[A-Z ]+ exit \d+: ")

#: How the page begins, and no other report of ours does.
MARK = r"<title>(?:[A-Z][a-z ]+ · )?Fivetran audit: all accounts</title>"


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
        return _WORDS.get(self.code, _FAILED)

    @property
    def badness(self) -> int:
        """How bad the outcome is: 0 is the best, and no outcome yet the least known."""
        return _badness(self.code)


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
        return max(codes, key=_badness)

    @property
    def word(self) -> str:
        """What the exit code means, as a word."""
        return _WORDS.get(self.exit_code, _FAILED)


def _badness(code: int | None) -> int:
    return _WORST.index(code) if code in _WORST else len(_WORST)


class Row(NamedTuple):
    """An account on the page.

    ``page`` is the path of its own page, ``said`` what its run answered, without what the row says
    already, and ``reports`` are the paths of all its files, each with a label.
    """

    outcome: AccountOutcome
    page: str
    said: str
    reports: tuple[tuple[str, str], ...]


def placeholder(version: str) -> str:
    """Return the page of a run that did not finish."""
    return "".join(render(Accounts((), version)))


def render(accounts: Accounts) -> Iterable[str]:
    """Yield the page as HTML, worst accounts first."""
    outcomes = sorted(accounts.outcomes, key=lambda each: -each.badness)
    judged = [each.judged for each in outcomes if each.judged is not None]
    style = "".join(map(asset, _STYLES))
    return (
        templates()
        .get_template("accounts.html.j2")
        .generate(
            accounts=accounts,
            rows=[*map(_row, outcomes)],
            headline=_headline(accounts),
            lead=_lead(accounts),
            reasons=[*_reasons(accounts)],
            whole=_whole(accounts),
            read=len(judged),
            connections=sum(each.connections for each in judged),
            counts={
                verdict.label: sum(each.counts[verdict.label] for each in judged)
                for verdict in Verdict
            },
            levels=[severity.label for severity in reversed(Severity)],
            csp=content_policy(style, ""),
            style=Markup(style),  # noqa: S704 — the project's own files
        )
    )


def _whole(accounts: Accounts) -> int:
    """Return how many accounts were judged as a whole."""
    return sum(each.code in _WHOLE for each in accounts.outcomes)


def _headline(accounts: Accounts) -> str:
    if accounts.exit_code == _NOT_JUDGED and _whole(accounts):
        return "Not all judged"
    return accounts.word.capitalize()


def _lead(accounts: Accounts) -> str:
    outcomes, whole = accounts.outcomes, _whole(accounts)
    if not outcomes:
        return (
            "The run over all accounts did not finish, or one account has been audited separately "
            "since."
        )
    if not accounts.finished:
        done = sum(each.code is not None for each in outcomes)
        return f"The run did not finish: {done:,} of {plural(len(outcomes), 'account')} are done."
    if whole < len(outcomes):
        return f"{whole:,} of {plural(len(outcomes), 'account')} could be judged as a whole."
    if whole == 1:
        return "The account was judged."
    return f"All {plural(whole, 'account')} were judged."


def _reasons(accounts: Accounts) -> Iterator[str]:
    """Yield how many accounts ended how, worst first, and why one may not have been read."""
    worst = sorted(accounts.outcomes, key=lambda each: -each.badness)
    for word, group in groupby(worst, key=lambda each: each.word):
        names = [each.name for each in group]
        more = len(names) - _MOST_NAMED
        shown = [*names[:_MOST_NAMED], f"{more:,} more"] if more > 0 else names
        how = "with violations" if word == Outcome.VIOLATIONS.value else word
        yield f"{plural(len(names), 'account')} {how}: {listed(shown, 'and')}"
    yield from accounts.doubts


def _row(outcome: AccountOutcome) -> Row:
    pages = [path for format_, path in outcome.reports if format_ == "html"]
    return Row(
        outcome,
        pages[0] if pages else "",
        # The row has the word and the code already.
        _ANSWERED.sub("", outcome.answer),
        tuple((path, path.removeprefix(f"{outcome.name}/")) for _, path in outcome.reports),
    )
