"""Rows of other lists as a snapshot keeps them: documented fields, and no live credentials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from auditor.decoding.envelope import Envelope, envelope, once
from auditor.decoding.json_values import MISSING, UndecodableError, utf8
from auditor.decoding.records import Decoder, segments
from auditor.fields import FACT_LISTS, Exposure, FactList

#: The documented keys below a value, each with those below it; "[]" are an array's items.
_Tree = dict[str, Any]


class KeptRows:
    """Decodes rows of one list as plain dicts that hold only the catalogue's fields."""

    lists: Mapping[str, Decoder] = MappingProxyType({})

    def __init__(self, fact: FactList) -> None:
        self._fact = fact
        base = f"{fact.name}[]" if fact.several else fact.name
        self._tree: _Tree = {}
        for field in fact.fields:
            if field.path.startswith(f"{base}.") and field.exposure is not Exposure.SECRET:
                node = self._tree
                for step in segments(field.path.removeprefix(f"{base}.")):
                    node = node.setdefault(step, {})

    def page(self, body: bytes) -> Envelope:
        """Decode one answer of the list. Raises UndecodableError."""
        return envelope(once(utf8(body)), lambda items: [self.convert(item) for item in items])

    def array(self, body: bytes) -> list[Any]:  # pragma: no cover  # as a decoder has it
        """Refuse: no list of rows stands alone. Raises UndecodableError."""
        raise UndecodableError(f"no {self._fact.resource}: {body[:20]!r}", transient=False)

    def single(self, body: bytes) -> object:  # pragma: no cover  # as a decoder has it
        """Refuse: no row stands alone. Raises UndecodableError."""
        raise UndecodableError(f"no {self._fact.noun}: {body[:20]!r}", transient=False)

    def convert(self, value: object) -> Any:
        """Return what a snapshot keeps of a row."""
        return _kept(value, self._tree)

    def sift(self, items: list[Any]) -> tuple[list[Any], list[str]]:
        """Return the rows that have their identity, and what is wrong with each other item."""
        name, noun = self._fact.identity, self._fact.noun
        good = [item for item in items if isinstance(item, dict) and _is_name(item.get(name))]
        wrong = len(items) - len(good)
        return good, [f"an item is no {noun}"] * wrong

    def ids(self, records: list[Any]) -> list[str]:
        """Return the rows' identities, in order."""
        return [record[self._fact.identity] for record in records]

    def values(self, records: list[Any], name: str) -> list[object]:
        """Return what rows hold as ``name``."""
        return [record.get(name, MISSING) for record in records]

    def holds(self, name: str) -> bool:  # noqa: ARG002  # as every decoder is asked
        """Whether a field of a connection is kept: none is."""
        return False


def kept_rows(names: Iterable[str]) -> dict[str, KeptRows]:
    """Return the decoders of the lists that the facts ``names`` come from."""
    return {name: KeptRows(FACT_LISTS[name]) for name in names}


def _is_name(value: object) -> bool:
    return type(value) is str and value != ""


def _kept(value: Any, tree: _Tree) -> Any:
    if isinstance(value, dict):
        return {key: _kept(held, tree[key]) for key, held in value.items() if key in tree}
    if isinstance(value, list):
        return [_kept(item, tree.get("[]", {})) for item in value]
    return value
