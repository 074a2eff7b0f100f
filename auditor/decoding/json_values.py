"""JSON as Python has it, read strictly, and what no JSON holds: nothing, and what is not shown.

The standard library reads it, where the fast decoder of ``records.py`` cannot or must not.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from typing import Any, Final

import msgspec

#: What a field that is not there holds. Not None: null is a value of its own.
MISSING: Final = msgspec.UNSET
#: Takes the pairs of an object, as they stand there.
Hook = Callable[[list[tuple[str, Any]]], dict[str, Any]]
#: A float holds up to 309 digits; one more for a sign.
_LONGEST_INTEGER = 310
_BOM = b"\xef\xbb\xbf"


class Opaque(msgspec.Struct, frozen=True, gc=False):
    """An object that no rule looks into: that it is there is all that is known of it."""


class Concealed:
    """What stands in memory for a live credential: that it is there is all that is known."""

    def __repr__(self) -> str:
        return "[redacted]"


CONCEALED: Final = Concealed()


class Unread(msgspec.Struct, frozen=True):
    """What a fact holds that could not be read: nothing is known of it, not even that it is none.

    ``reason`` says why, and where it was asked for.
    """

    reason: str

    def __str__(self) -> str:
        return f"not read ({self.reason})"


class Astray(msgspec.Struct, frozen=True):
    """What stands at a path that goes below something else than an object: nobody can say.

    ``above`` is what stands there instead, in words: ``config is text``.
    """

    above: str

    def __str__(self) -> str:
        return f"not to be read: {self.above}, not an object"


class UndecodableError(ValueError):
    """A body that is no page of connections.

    ``transient`` is true where the same request may well give a whole body the next time (cut or
    malformed JSON), false where it would not (NaN, invalid UTF-8, nesting past all measure).
    """

    def __init__(self, message: str, *, transient: bool) -> None:
        self.transient = transient
        super().__init__(message)


def kind_of(value: object) -> str:
    """Return what ``value`` is in a reader's words: ``missing``, ``null``, ``text``, and so on."""
    if type(value) in UNREADABLE:
        return str(value)
    for types, words in _KINDS:
        if isinstance(value, types):
            return words
    return "an object"


#: What stands where nothing could be read, not even that there is nothing.
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

    Strings that a decoder skips are not looked at by it, so that the whole of it is checked here.
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
    # Python refuses to read integers of over 4,300 digits; one that no float holds is no value.
    number = int(digits) if len(digits) <= _LONGEST_INTEGER else math.inf
    return number if abs(number) <= sys.float_info.max else math.inf


def parse(body: bytes, *, hook: Hook | None = None, out_of_range: float = math.inf) -> Any:
    """Return the value of a body in UTF-8. Raises UndecodableError.

    ``hook`` makes what it likes of an object, ``out_of_range`` stands for what no float holds.
    """

    def number(parsed: float) -> Any:
        return parsed if math.isfinite(parsed) else out_of_range

    try:
        return json.loads(
            str(body, "utf-8"),  # of bytes it would guess the encoding: UTF-16 is full of NULs
            parse_constant=_refuse_constant,
            parse_int=lambda digits: number(_integer(digits)),
            parse_float=lambda digits: number(float(digits)),
            object_pairs_hook=hook,
        )
    except RecursionError as error:
        raise UndecodableError("nested too deeply to be read", transient=False) from error
    except json.JSONDecodeError as error:
        at = len(error.doc[: error.pos].encode())
        raise UndecodableError(f"not JSON: {error.msg} at byte {at}", transient=True) from error
