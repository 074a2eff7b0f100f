"""A page of 10 KiB, cut at every byte in every encoding: fetched again, never accepted."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.builders.bodies import head_of
from tests.builders.fault_server import FaultServer, page, record, response
from tests.builders.walks import walk

_RANDOM = random.Random(11)
_BODY = page(record(n, noise=_RANDOM.randbytes(70).hex()) for n in range(43))
_WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "plain to the close": {"length": False},
    "chunked": {"chunk": 512},
    "gzip": {"gzip": True},
    "gzip to the close": {"gzip": True, "length": False},
    "gzip chunked": {"gzip": True, "chunk": 512},
}


def test_the_page_is_large_enough() -> None:
    assert len(_BODY) >= 10 * 1024


def _cut_everywhere(way: str, step: int) -> None:
    whole = response(_BODY, **_WAYS[way])
    # What follows the last chunk, or its length, is not the body's.
    last = len(whole) - (7 if "chunked" in way else 0)
    script: list[bytes] = []
    with FaultServer(lambda _request: script.pop(0)) as server:
        for end in range(head_of(whole), last, step):
            script[:] = [whole[:end], whole]
            done = walk(server)
            assert len(done.ids) == 43, end
            assert script == [], f"a body without its last {len(whole) - end} bytes was taken"


@pytest.mark.parametrize("way", _WAYS)
def test_a_page_cut_here_and_there(way: str) -> None:
    _cut_everywhere(way, 199)


@pytest.mark.slow
@pytest.mark.parametrize("way", _WAYS)
def test_a_page_cut_at_every_byte(way: str) -> None:
    _cut_everywhere(way, 1)
