"""The validator of ``json_schema``: the reference implementation, without its quadratic step.

Its ``uniqueItems`` compares each object with every other: a minute for twenty thousand of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend


def _unique_items(
    _validator: object, wanted: object, instance: Any, _schema: object
) -> Iterator[ValidationError]:
    if wanted and isinstance(instance, list):
        known = {_identity(item) for item in instance}
        if len(known) < len(instance):
            yield ValidationError("an item appears twice")


def _identity(value: Any) -> Hashable:
    """Return a key that values share if JSON calls them equal: 1 and 1.0, but not true."""
    if isinstance(value, dict):
        return frozenset((key, _identity(held)) for key, held in value.items())
    if isinstance(value, list):
        return tuple(map(_identity, value))
    return (type(value) in {int, float}, value) if not isinstance(value, bool) else (bool, value)


Validator = extend(  # type: ignore[no-untyped-call]  # its stubs have none
    Draft202012Validator, {"uniqueItems": _unique_items}
)
