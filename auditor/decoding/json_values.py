"""JSON as Python values, read strictly, and values beyond JSON: missing ones and hidden ones.

The standard library parses what the fast decoder of ``records.py`` cannot or must not.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from typing import Any, Final

import msgspec

#: The value of a field that is missing. Not None: null is a value of its own.
MISSING: Final = msgspec.UNSET
#: Takes the pairs of an object in their order.
Hook = Callable[[list[tuple[str, Any]]], dict[str, Any]]
#: A float holds up to 309 digits; one more for a sign.
_LONGEST_INTEGER = 310
_BOM = b"\xef\xbb\xbf"


class Opaque(msgspec.Struct, frozen=True, gc=False):
    """An object that no rule looks into: all that is known is that it exists."""


class Concealed:
    """Replaces a live credential in memory: all that is known is that it exists."""

    def __repr__(self) -> str:
        return "[redacted]"


CONCEALED: Final = Concealed()


class Unread(msgspec.Struct, frozen=True):
    """The value of a fact that could not be read: nothing is known, not even whether it exists.

    ``reason`` says why, and where it was asked for.
    """

    reason: str

    def __str__(self) -> str:
        return f"not read ({self.reason})"


class Astray(msgspec.Struct, frozen=True):
    """The value at a path below something that is not an object: nobody can say what it is.

    ``above`` says in words what is there instead: ``config is text``.
    """

    above: str

    def __str__(self) -> str:
        return f"not to be read: {self.above}, not an object"


class UndecodableError(ValueError):
    """A body that is not a page of connections.

    ``transient`` is true if the same request may well return a whole body next time (cut or
    malformed JSON), and false if it would not (NaN, invalid UTF-8, excessive nesting).
    """

    def __init__(self, message: str, *, transient: bool) -> None:
        self.transient = transient
        super().__init__(message)


def kind_of(value: object) -> str:
    """Return the kind of ``value`` in words: ``missing``, ``null``, ``text``, and so on."""
    if type(value) in UNREADABLE:
        return str(value)
    for types, words in _KINDS:
        if isinstance(value, types):
            return words
    return "an object"


#: The value where nothing could be read, not even whether there is one.
UNREADABLE: Final = frozenset({Unread, Astray})
_KINDS: tuple[tuple[Any, str], ...] = (
    (msgspec.UnsetType, "missing"),
    (type(None), "null"),
    (bool, "a boolean"),
    ((int, float), "a number"),
    (str, "text"),
    (list, "an array"),
)


def utf8(body: bytes) -> bytes:
    """Return ``body`` without a byte order mark. Raises UndecodableError unless it is UTF-8.

    A decoder does not look at strings that it skips, so the whole body is checked here.
    """
    body = body.removeprefix(_BOM)
    if body.isascii():
        return body
    try:
        str(body, "utf-8")
    except UnicodeDecodeError as error:
        raise UndecodableError(f"not UTF-8 at byte {error.start}", transient=False) from error
    return body


def _refuse_constant(name: str) -> object:
    raise UndecodableError(f"{name} is not JSON", transient=False)


def _integer(digits: str) -> int | float:
    # Python refuses to parse integers of over 4,300 digits; one that no float can hold is not a
    # value.
    number = int(digits) if len(digits) <= _LONGEST_INTEGER else math.inf
    return number if abs(number) <= sys.float_info.max else math.inf


def parse(body: bytes, *, hook: Hook | None = None, out_of_range: float = math.inf) -> Any:
    """Return the value of a body in UTF-8. Raises UndecodableError.

    ``hook`` converts each object; ``out_of_range`` replaces numbers that no float can hold.
    """

    def number(parsed: float) -> Any:
        return parsed if math.isfinite(parsed) else out_of_range

    try:
        return json.loads(
            str(body, "utf-8"),  # given bytes, it would guess the encoding: UTF-16 is full of NULs
            parse_constant=_refuse_constant,
            parse_int=lambda digits: number(_integer(digits)),
            parse_float=lambda digits: number(float(digits)),
            object_pairs_hook=hook,
        )
    except RecursionError as error:
        raise UndecodableError("nested too deeply to be read", transient=False) from error
    except json.JSONDecodeError as error:
        at = len(error.doc[: error.pos].encode())
        # Some of Python's words end in "at", before its own position.
        what = error.msg.removesuffix(" at")
        raise UndecodableError(f"not JSON: {what} at byte {at}", transient=True) from error
