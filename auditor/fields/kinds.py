"""What is known of a field: its type, its documented values, and whether it may be shown."""

from __future__ import annotations

from enum import Enum

import msgspec


class Kind(Enum):
    """The type of a field's value in the API's JSON."""

    STRING = "text"
    INTEGER = "a whole number"
    BOOLEAN = "true or false"
    TIMESTAMP = "a timestamp"
    TIME_OF_DAY = "a time of day"
    OBJECT = "an object"
    ARRAY = "an array"
    ANY = "any value"


class Exposure(Enum):
    """Whether reports may show a field's value."""

    SHOWN = "shown"
    HIDDEN = "hidden"  # free text or configuration: only with ``reveal``
    SECRET = "secret"  # a live credential: never decoded, never shown, ``exists`` only


class Field(msgspec.Struct, frozen=True):
    """One documented field.

    ``path`` is dotted, ``[]`` stands for the items of an array (``setup_tests[].status``).
    ``always`` says that the spec requires the field in a list, and not null. ``open`` objects
    take any key below them. ``free`` text may hold any sign, as a cron expression does; ``lower``
    text has no capital letter. What is ``joined`` comes from another list than the connections'.
    """

    path: str
    kind: Kind
    doc: str
    values: tuple[str | int, ...] = ()
    always: bool = False
    open: bool = False
    exposure: Exposure = Exposure.SHOWN
    free: bool = False
    lower: bool = False
    joined: bool = False
