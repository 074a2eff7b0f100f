"""Another list of the API, read and decoded."""

from __future__ import annotations

from typing import Any

import msgspec


class Listed(msgspec.Struct, frozen=True):
    """Another list that the decoder wants, read to its end or not readable.

    ``name`` is the beginning of its facts' paths. ``problem`` says why it could not be read and
    from where; ``doubts`` describes items that are not rows: nobody knows which rows they were.
    """

    name: str
    rows: list[Any] = msgspec.field(default_factory=list)
    problem: str = ""
    doubts: tuple[str, ...] = ()
