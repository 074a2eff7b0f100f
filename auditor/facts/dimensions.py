"""Dimensions: what a report shows of each connection beside its identity, such as its team."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from auditor.decoding.json_values import MISSING, Unread
from auditor.decoding.records import Shape
from auditor.model import NOT_READ

#: The field of a fact that is shown whenever a rule reads any of its fields.
SHOWN_WITH: Mapping[str, tuple[str, str]] = {
    "owner": ("owner", "owner.email"),
    "destination": ("region", "destination.region"),
}


class Dimensions:
    """The columns of one walk: for each name, the value at its path as text.

    ``paths`` are the paths by name, ``show`` makes a value at a path fit to show, ``reach`` returns
    the value at a path of a record.
    """

    def __init__(
        self,
        paths: Mapping[str, str],
        shape: Shape,
        show: Callable[[str, Any], str],
        reach: Callable[[Any, str], Any],
    ) -> None:
        self.paths = dict(paths)
        self._show = show
        self._reach = reach
        self._shape = shape
        self.columns: dict[str, list[str]] = {name: [] for name in paths}
        #: The text of each row seen, by path: many connections share a row.
        self._texts: dict[str, dict[int, str]] = {path: {} for path in paths.values()}
        #: Keeps rows alive: an id is unique only while its object exists.
        self._rows: list[Any] = []

    def renewed(self) -> Dimensions:
        """Return the same dimensions for another walk."""
        return Dimensions(self.paths, self._shape, self._show, self._reach)

    def take(self, records: Sequence[Any]) -> None:
        """Take a page of records with facts joined."""
        for name, path in self.paths.items():
            first, _, rest = path.partition(".")
            node = self._shape.root.children[first]
            if not node.joined or not rest:
                self.columns[name] += [self._text(path, self._reach(r, path)) for r in records]
                continue
            texts, rows = self._texts[path], list(map(attrgetter(node.attribute), records))
            ids = list(map(id, rows))
            if not texts.keys() >= set(ids):
                for key, row in zip(ids, rows, strict=True):
                    if key not in texts:
                        texts[key] = self._text(path, self._reach(row, rest))
                        self._rows.append(row)
            self.columns[name] += map(texts.__getitem__, ids)

    def join(self, columns: Mapping[str, list[str]]) -> None:
        """Add the columns of the pages that follow."""
        for name, column in columns.items():
            self.columns[name] += column

    def _text(self, path: str, value: Any) -> str:
        if value is MISSING or value is None:
            return ""
        if type(value) is Unread:
            return NOT_READ
        text = self._show(path, value)
        # A value that is spelled like the mark is quoted, so that it is not taken for the mark.
        return f'"{text}"' if text.strip('"') == NOT_READ else text
