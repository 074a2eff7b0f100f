"""The facts of one run: gathered while connections arrive, joined before they are judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from auditor.decoding.gaps import NOT_IN_PLAN
from auditor.decoding.listed import Listed
from auditor.decoding.records import Shape
from auditor.facts.join import Join, Table, joining, lacking, routed, tabled, unread
from auditor.fields import FACT_LISTS, PLAN, FactList
from auditor.model import Account, FactsInfo
from auditor.text import plural

#: What every report names: groups, and the account. Fetched whether or not a rule reads them.
ALWAYS = ("group", "account")
_NAMES = {"group": ("group.id", "group.name"), "account": ("account.id", "account.name")}


def names_shown(names: Iterable[str] = ALWAYS) -> frozenset[str]:
    """Return the paths whose values reports show of ``names``, beside what rules read."""
    return frozenset(path for name in names for path in _NAMES.get(name, ()))


class GatheredFacts:
    """The facts known so far.

    ``needed`` are those that rules read: judging waits for them alone. ``origin`` is the kind of
    source, which explains why a list never came.
    """

    def __init__(
        self, shape: Shape, needed: Iterable[str], origin: str, own: Iterable[Table] = ()
    ) -> None:
        self._shape = shape
        self._needed = frozenset(needed) & shape.lists.keys()
        self._origin = origin
        self._listed: dict[str, Listed] = {}
        self._tables: dict[str, Table] = {table.name: table for table in own}
        self._join: Join | None = None

    def with_lists(self, lists: Iterable[Listed]) -> GatheredFacts:
        """Return the same for other lists; the user's own facts stay."""
        own = (table for name, table in self._tables.items() if name in self._shape.own)
        other = GatheredFacts(self._shape, self._needed, self._origin, own)
        for each in lists:
            other.take(each)
        return other

    @property
    def complete(self) -> bool:
        """Whether every list that rules need has been read, or is known to be unreadable."""
        return self._needed <= self._listed.keys()

    def take(self, listed: Listed) -> None:
        """Take a list that was read, or the reason why it was not."""
        fact = FACT_LISTS[listed.name]
        self._listed[listed.name] = listed
        if listed.problem:
            self._tables[fact.name] = unread(fact.name, listed.problem)
        elif fact.through is None:
            self._tables[fact.name] = tabled(fact, listed.rows, listed.doubts)

    def join(self, records: Sequence[Any]) -> None:
        """Give each record its facts. A list that has not arrived by now never will."""
        if self._join is None:
            tables = dict(self._tables)
            for name in self._needed - tables.keys():
                tables[name] = self._routed(name) or self._missing(name)
            read = {name: t for name, t in tables.items() if self._is_read(name)}
            self._join = joining(self._shape, read)
        self._join(records)

    def _is_read(self, name: str) -> bool:
        return name in self._needed or name in self._shape.own

    def _routed(self, name: str) -> Table | None:
        """Return the table of a list whose rows find their group by another; None if not read."""
        fact, listed = FACT_LISTS[name], self._listed.get(name)
        if listed is None or fact.through is None:
            return None
        above = fact.through[0]
        others = self._listed.get(above) or Listed(
            above, problem=self._why_unread(FACT_LISTS[above])
        )
        return routed(fact, self._shape.lists[name], listed, others)

    def _missing(self, name: str) -> Table:
        """Return the table of a list that never arrived: a plan by itself knows no list."""
        if self._origin == PLAN:
            return lacking(name, NOT_IN_PLAN)
        return unread(name, self._why_unread(FACT_LISTS[name]))

    def _why_unread(self, fact: FactList) -> str:
        """Return why a list was never read."""
        if self._origin == "api":
            return f"{fact.path} was not read before the listing broke off"
        if self._origin == PLAN:
            return f"a plan holds no {fact.resource}; judge it with --over live"
        return (
            f"the saved listing holds no {fact.resource}; "
            f"fivetran-auditor fetch --with {fact.resource} saves them"
        )

    @property
    def group_names(self) -> dict[str, str]:
        """The names of groups by their ids, as far as they are known."""
        rows = self._listed["group"].rows if "group" in self._listed else []
        return {row.id: row.name for row in rows if type(row.name) is str and row.name}

    @property
    def account(self) -> Account | None:
        """The account that was read, if it said which one it is."""
        rows = self._listed["account"].rows if "account" in self._listed else []
        if not rows:
            return None
        return Account(rows[0].id, rows[0].name if type(rows[0].name) is str else "")

    def infos(self) -> Iterator[FactsInfo]:
        """Yield where the facts that rules read came from."""
        for name in sorted(self._needed):
            fact, listed = FACT_LISTS[name], self._listed.get(name)
            if listed is None:
                yield FactsInfo(name, fact.path, 0, problem=self._why_unread(fact))
            else:
                problem = listed.problem or "; ".join(listed.doubts)
                yield FactsInfo(name, fact.path, len(listed.rows), problem=problem)

    def warnings(self) -> Iterator[str]:
        """Yield what could not be read although no rule reads it: names that reports lack."""
        for name, listed in self._listed.items():
            if name in self._needed:
                continue
            fact = FACT_LISTS[name]
            if listed.problem:
                lost = "could not be read, so reports lack what it tells"
                yield f"{fact.path} {lost}: {listed.problem}"
            elif listed.doubts:
                count = plural(len(listed.doubts), "item")
                yield f"{fact.path}: {count} could not be read: {listed.doubts[0]}"
