"""A further list of the API, as it was read and decoded."""

from __future__ import annotations

from typing import Any

import msgspec


class Listed(msgspec.Struct, frozen=True):
    """A further list that the decoder wants was read to its end, or could not be.

    ``name`` is what its facts' paths begin with. ``problem`` says why it could not be read and
    where it was asked for; ``doubts`` are items that are no rows: which ones, nobody knows.
    """

    name: str
    rows: list[Any] = msgspec.field(default_factory=list)
    problem: str = ""
    doubts: tuple[str, ...] = ()
