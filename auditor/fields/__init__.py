"""The catalogue of fields: those of a connection, and those of the facts beside it.

Rules are checked against it when they load, the policy schema and the docs derive from it, and
reports show values of nothing else.

Documented values are not closed: Fivetran's spec types them as free strings, so a value that is
not here is new, not wrong. It is a warning in a policy and judged literally in a record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from msgspec.structs import replace

from auditor.fields.connection import (
    BEFORE,
    CONNECTION_FIELDS,
    IDENTITY,
    PLAN,
    SCHEMA_CONFIG,
)
from auditor.fields.facts import FACT_LISTS, FactList
from auditor.fields.kinds import Exposure, Field, Kind

__all__ = [
    "BEFORE",
    "FACT_LISTS",
    "FIELDS",
    "IDENTITY",
    "PLAN",
    "RECORD_FIELDS",
    "SCHEMA_CONFIG",
    "Exposure",
    "FactList",
    "Field",
    "Kind",
    "can_be_named",
    "children",
    "find",
    "item_of",
]

#: The fields of a connection by their paths.
RECORD_FIELDS: Mapping[str, Field] = MappingProxyType({f.path: f for f in CONNECTION_FIELDS})

#: Every documented field by its path: those of a connection, then those of each fact.
FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        **RECORD_FIELDS,
        **{field.path: field for each in FACT_LISTS.values() for field in each.fields},
    }
)


#: What msgspec does not take in the name of a field.
_UNNAMEABLE = re.compile(r'["\\\x00-\x1f]')


def find(path: str) -> Field | None:
    """Return the field at ``path``; below an open object, one that takes any value.

    What lies below an open object inherits its exposure.
    """
    field = FIELDS.get(path)
    if field is not None:
        return field
    if not can_be_named(path):
        return None
    if path.startswith(f"{BEFORE}."):
        was = find(path.removeprefix(f"{BEFORE}."))
        return replace(was, path=path, always=False) if was and not was.joined else None
    parent, dot, _ = path.rpartition(".")
    while dot:
        above = FIELDS.get(parent.removesuffix("[]"))
        if above is not None:
            return (
                Field(path, Kind.ANY, above.doc, open=True, exposure=above.exposure)
                if above.open
                else None
            )
        parent, dot, _ = parent.rpartition(".")
    return None


def can_be_named(path: str) -> bool:
    """Whether a decoder can be asked to look for ``path``: it takes no quote and no backslash."""
    return _UNNAMEABLE.search(path) is None


def item_of(path: str) -> Field:
    """Return the items of the array at ``path`` as a field: documented, or of any type."""
    base = f"{path}[]"
    known = find(base)
    if known is not None:
        return known
    described = next(children(base), None) is not None
    return Field(base, Kind.OBJECT if described else Kind.ANY, "An item.", open=not described)


def children(path: str) -> Iterator[Field]:
    """Yield the documented fields directly below ``path`` ("" for the record itself)."""
    prefix = f"{path}." if path else ""
    for field in FIELDS.values():
        rest = field.path.removeprefix(prefix)
        if field.path.startswith(prefix) and rest and "." not in rest and "[]" not in rest:
            yield field
