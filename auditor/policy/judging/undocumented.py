"""Values that no documentation of the API names, in fields that rules read.

Whoever wrote a rule did not know of them: a rule that names the bad values lets a new one pass. So
each is told once a run, whatever the verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Union

import msgspec

from auditor.fields import Field, find
from auditor.model import Connections
from auditor.policy.language.rules import Ruleset, paths_of
from auditor.text import listed, plural

#: How many values are told, and how many are kept apart.
_TOLD, _KEPT = 20, 1_000
#: How many of the rules that read a field are named.
_NAMED = 3

#: How many connections have a value, and the positions of the first and the last of them.
Seen = tuple[int, int, int]
#: By the number of a watched field, and the value.
SeenValues = Mapping[tuple[int, Union[str, int]], Seen]


class Watched(msgspec.Struct, frozen=True):
    """A field whose values are documented, and the ids of the rules that read it."""

    field: Field
    rules: tuple[str, ...]


def watched(ruleset: Ruleset) -> tuple[Watched, ...]:
    """Return the fields whose values are documented, and that a rule reads."""
    found: dict[str, dict[str, None]] = {}
    for entry in ruleset.rules:
        for path, _ in paths_of(entry):
            for each in (path, f"{path}[]"):
                field = find(each)
                if field is not None and field.values and not each.startswith("plan."):
                    found.setdefault(field.path, {})[entry.rule.id] = None
    fields = {path: find(path) for path in sorted(found)}
    return tuple(
        Watched(field, tuple(found[path])) for path, field in fields.items() if field is not None
    )


class Undocumented:
    """Counts, in one walk, the connections with each value that is not documented."""

    def __init__(self, watched: Sequence[Watched] = ()) -> None:
        self.watched = watched
        self.seen: dict[tuple[int, Union[str, int]], Seen] = {}

    def note(self, number: int, value: Union[str, int], index: int) -> None:
        """Count the connection at ``index``, which has ``value`` in the field with ``number``."""
        key = number, value
        if key not in self.seen and len(self.seen) >= _KEPT:
            return
        count, first, last = self.seen.get(key, (0, index, -1))
        self.seen[key] = (count + (index != last), first, index)

    def join(self, seen: SeenValues, start: int) -> None:
        """Add what was seen from ``start`` on, its positions counted from 0."""
        for key, (more, first, last) in seen.items():
            count, earliest, _ = self.seen.get(key, (0, start + first, 0))
            self.seen[key] = (count + more, earliest, start + last)

    def sentences(self, connections: Connections, clean: Callable[[str], str]) -> Iterator[str]:
        """Yield a sentence for each value, by field and then as they were met."""
        found = sorted(self.seen.items(), key=lambda item: item[0][0])
        for (number, value), (count, first, _) in found[:_TOLD]:
            field, readers = self.watched[number].field, self.watched[number].rules
            some = [*readers[:_NAMED]]
            if len(readers) > _NAMED:
                some.append(f"{len(readers) - _NAMED:,} more")
            one = connections[first]
            shown = "empty" if value == "" else clean(str(value))
            yield (
                f"{field.path} is {shown} on {plural(count, 'connection')}, such as "
                f"{one.schema or one.id}: that value is not documented, and a rule that only names "
                f"bad ones lets it pass; {listed(some, 'and')} "
                f"{'reads' if len(readers) == 1 else 'read'} it"
            )
        if len(found) > _TOLD:
            least = "at least " if len(found) == _KEPT else ""
            yield f"{least}{len(found) - _TOLD:,} more values are not documented"
