"""Which of the user's own facts are unused: on request, because a file may serve others too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from auditor.errors import Problem
from auditor.facts.own import OwnFacts
from auditor.policy.language.rules import Ruleset
from auditor.text import listed, one_line, plural

_LISTED = 20
#: The most later rows that a row is compared with: a file may have a hundred thousand.
_COMPARED = 200
#: For other globs it is not known which texts they match.
_STARS_ONLY = re.compile(r"[^?\[]*")


def unused(ruleset: Ruleset) -> list[Problem]:
    """Return what is declared but never read, and rows that another row always hides."""
    paths, whole = ruleset.reads()
    read = {*paths, *whole, *(each.key for each in ruleset.facts.values())}
    found: list[Problem] = []
    for each in ruleset.facts.values():
        columns = [name for name, _ in each.columns if f"{each.name}.{name}" not in read]
        if each.name not in read and len(columns) == len(each.columns):
            message, hint = f"no rule reads the facts {each.name}", "remove them, or read them"
            found.append(Problem(each.position, message, hint, warning=True))
        elif columns:
            message = f"no rule reads {listed(columns, 'and')} of the facts {each.name}"
            found.append(Problem(each.position, message, "", warning=True))
        if each.globs:
            hidden = list(_hidden(each))
            found += (Problem(each.position, text, "", warning=True) for text in hidden[:_LISTED])
            if len(hidden) > _LISTED:
                more = f"and {plural(len(hidden) - _LISTED, 'more such row')} of {each.name}"
                found.append(Problem(each.position, more, "", warning=True))
    return found


def _hidden(facts: OwnFacts) -> Iterator[str]:
    """Yield each row all of whose matches a later one matches too."""
    later: list[str] = []
    for glob in reversed(list(facts.rows)):
        wider = next((other for other in later if fnmatchcase(glob, other)), None)
        if wider is not None:
            yield (
                f"the row {one_line(glob)} of {facts.origin} is never used:"
                f" {one_line(wider)}, which comes later, fits all that it fits"
            )
        if len(later) < _COMPARED and _STARS_ONLY.fullmatch(glob) and "*" in glob:
            later.append(glob)
