"""A page that is hard to compress, and the forms in which it may be sent."""

from __future__ import annotations

import random
from typing import Any

from tests.builders.fault_server import page, record

_RANDOM = random.Random(7)
#: Some 4 kB, and hard to pack, so that a cut at any place cuts something.
BODY = page(record(n, noise=_RANDOM.randbytes(40).hex()) for n in range(24))
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "chunked": {"chunk": 300},
    "gzip": {"gzip": True},
    "gzip chunked": {"gzip": True, "chunk": 300},
    "gzip to the close": {"gzip": True, "length": False},
    "plain to the close": {"length": False},
}


def head_of(whole: bytes) -> int:
    return whole.index(b"\r\n\r\n") + 4
