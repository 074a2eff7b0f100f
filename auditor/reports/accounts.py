"""The page over all accounts of a run: what each came to, and where its reports are."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from urllib.parse import quote

import msgspec

#: What an exit code means, and how it is marked: never by colour alone.
_WORDS = {
    None: ("…", "not finished", "open"),
    0: ("✓", "passed", "good"),
    1: ("✗", "violations", "bad"),
    2: ("!", "not judged", "bad"),
    3: ("?", "inconclusive", "open"),
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


#: How the page begins, and no other report of ours.
MARK = r"<title>Fivetran audit: all accounts</title>"


class AccountOutcome(msgspec.Struct, frozen=True):
    """What an account came to.

    ``code`` is its exit code, None while there is none; ``answer`` the gate's sentence. ``reports``
    are files, by their paths from the page.
    """

    name: str
    code: int | None = None
    answer: str = ""
    reports: tuple[str, ...] = ()


class Accounts(msgspec.Struct, frozen=True):
    """What every account of a run came to, in the order of the file, so far."""

    outcomes: tuple[AccountOutcome, ...]
    version: str


def placeholder(version: str) -> str:
    """Return the page of a run that did not finish."""
    return "".join(render(Accounts((), version)))


def render(accounts: Accounts) -> Iterator[str]:
    """Yield the page as HTML; it is unfinished where an account has no code, or none is there."""
    outcomes = accounts.outcomes
    yield '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
    yield "<title>Fivetran audit: all accounts</title>\n"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield f"<style>{_STYLE}</style>\n<main>\n<h1>Fivetran audit: all accounts</h1>\n"
    if not outcomes:
        yield '<p class="open">? inconclusive: the run over all accounts did not finish, or one'
        yield " account was audited separately since.</p>\n"
    elif any(outcome.code is None for outcome in outcomes):
        yield '<p class="open">? inconclusive: the run did not finish.</p>\n'
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
        yield f"<br>{escape(outcome.answer)}"
    links = (f'<a href="{quote(path)}">{escape(path)}</a>' for path in outcome.reports)
    yield f"</td><td>{'<br>'.join(links)}</td></tr>\n"
