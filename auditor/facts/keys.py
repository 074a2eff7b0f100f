"""Keys of rows that no field's value can equal: such a row would never be found by anything."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from auditor.fields import Exposure, Field, Kind
from auditor.text import one_line

#: Returns what is wrong with a key, and what to do about it; None if nothing is.
KeyFault = Callable[[str], tuple[str, str] | None]
_WILD = re.compile(r"[*?]")


def fault_of_key(
    key: str, *, field: Field | None = None, exact: bool = False
) -> tuple[str, str] | None:
    """Return what is wrong with ``key``, a value of ``field``; None if nothing is.

    ``exact`` means that it is compared letter by letter, though nobody has said so.
    """
    if not key.isprintable() or key != key.strip():
        message = f"the key {one_line(repr(key))} begins or ends with a blank, or hides one"
        return message, "there is no such field: remove it"
    if field is None:
        return None
    if field.lower and key != key.lower():
        hint = f"write {one_line(key.lower())}: it has no capital letters"
        return f"{field.path} is never {one_line(key)}", hint
    named = field.kind is Kind.STRING and field.exposure is Exposure.SHOWN and not field.free
    if exact and named and _WILD.search(key):
        message = f"the key {one_line(key)} is compared letter by letter, with its * and ?"
        return message, "write match: glob for globs; match: exact says that they are meant"
    return None


def faults_for(field: Field | None, *, exact: bool) -> KeyFault:
    """Return what finds the faults of keys that are values of ``field``."""
    return partial(fault_of_key, field=field, exact=exact)
