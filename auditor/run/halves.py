"""A large saved listing is read and judged in two processes, each its half.

Nothing depends on the second one: whatever it does not bring, or brings in an unusual state, this
process reads and judges itself, and says what is wrong.
"""

from __future__ import annotations

import io
import math
import pickle
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from auditor.decoding.records import Shape
from auditor.output.beside import beside
from auditor.run.reader import Reader, SecondHalf
from auditor.run.setup import Setup
from auditor.sources import Divisible, Event


def in_halves(source: Divisible, run: Setup) -> Iterator[Event | SecondHalf]:
    """Yield the events of a saved listing, as its source would, but for what is judged meanwhile.

    Raises as the source does.
    """
    listing = source.listing(run.shape)
    here, there = listing.halves()
    yield from listing.events(here[:1])
    # What both have to agree on is settled with the first page that is judged.
    if not there or run.clock.now is None:
        yield from listing.events([*here[1:], *there])
    else:
        with beside(partial(_second, source, run, there)) as answer:
            yield from listing.events(here[1:])
            half = _half(answer(), run.shape)
        if half is not None and listing.join(half.pages, half.walk.ids):
            yield half
        else:
            yield from listing.events(there)
    yield listing.end()


def _second(source: Divisible, run: Setup, files: Sequence[str]) -> bytes:
    """Read and judge the second half; return it, or b"" if it is not a plain one."""
    listing, reader = source.listing(run.shape), Reader(run, math.inf)
    reader.follow(listing.events(files))
    if listing.pages is None:
        return b""
    return _packed(SecondHalf(listing.pages, reader.walk.part(), run.clock.taken), run.shape)


# -- between processes ----------------------------------------------------------------------


class _Struct:
    """Stands, in what is handed over, for a type that a shape made: no module has those."""


class _Pickler(pickle.Pickler):
    """Names the types that a shape made by their numbers."""

    def __init__(self, file: io.BytesIO, shape: Shape) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._numbers = {struct: number for number, struct in enumerate(shape.structs)}

    def reducer_override(self, value: Any) -> Any:
        number = self._numbers.get(value) if isinstance(value, type) else None
        return NotImplemented if number is None else (_Struct, (number,))


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, shape: Shape) -> None:
        super().__init__(file)
        self._shape = shape

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (_Struct.__module__, _Struct.__name__):
            return self._shape.structs.__getitem__
        return super().find_class(module, name)


def _packed(half: SecondHalf, shape: Shape) -> bytes:
    file = io.BytesIO()
    _Pickler(file, shape).dump(half)
    return file.getvalue()


def _half(packed: bytes | None, shape: Shape) -> SecondHalf | None:
    half: SecondHalf | None = _Unpickler(io.BytesIO(packed), shape).load() if packed else None
    return half
