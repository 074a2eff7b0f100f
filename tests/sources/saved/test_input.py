"""Bytes of a saved listing: in blocks or at once, compressed, with a mark; always the same."""

from __future__ import annotations

import errno
import gzip
import io
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import SourceError
from auditor.sources.saved.input import Input, input_name, is_regular, open_input, unreadable

DATA = b'{"a": 1}\n' * 50


def rest_of(source: Input) -> bytes:
    return b"".join(iter(source.read, b""))


@pytest.mark.parametrize("block", [1, 3, 64, 10_000])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_every_byte_once_in_blocks_of_any_size(block: int, pack):
    with Input("x", io.BytesIO(pack(DATA)), block=max(block, 2)) as source:
        assert DATA.startswith(source.start)
        assert source.has_more() is (len(source.start) < len(DATA))
        assert rest_of(source) == DATA
        assert source.read() == b""


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_a_byte_order_mark_is_no_part_of_it(mark: bytes):
    with Input("x", io.BytesIO(mark + DATA)) as source:
        assert rest_of(source) == DATA


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf_16_says_what_to_do(mark: bytes):
    with pytest.raises(SourceError, match="x: it is UTF-16 text; save it as UTF-8"):
        Input("x", io.BytesIO(mark + b"a\0"))


@given(st.integers(1, len(DATA)), st.binary(max_size=9), st.integers(2, 40))
def test_what_is_given_back_comes_again(size: int, back: bytes, block: int):
    source = Input("x", io.BytesIO(DATA), block=block)
    first = source.read(size)
    source.give_back(back)
    assert first + rest_of(source)[len(back) :] == DATA


def test_a_mark_is_looked_for_as_far_as_is_allowed():
    source = Input("x", io.BytesIO(b"a" * 30 + b"\n" + b"b" * 30), block=8)
    source.look_for(b"\n")
    assert b"\n" in source.start
    assert len(source.start) < 61
    assert rest_of(source) == b"a" * 30 + b"\n" + b"b" * 30
    bounded = Input("x", io.BytesIO(b"a" * 1000), block=8, largest=40)
    bounded.look_for(b"\n")
    assert 40 < len(bounded.start) <= 48


@pytest.mark.parametrize(
    ("largest", "held"), [(1000, 450), (450, 450), (72, 104), (71, 72), (40, 72), (0, 8)]
)
def test_of_a_document_over_the_bound_just_over_that_much_is_held(largest: int, held: int):
    """Its first block, and then four at a time."""
    source = Input("x", io.BytesIO(DATA), block=8, largest=largest)
    assert source.read_document() == DATA[:held]
    assert rest_of(source) == DATA[held:]


@pytest.mark.parametrize("cut", [3, 15, -1, -8])
def test_gzip_that_is_cut_or_damaged_is_told(cut: int):
    packed = gzip.compress(DATA)
    with pytest.raises(SourceError, match="x: the gzip data is cut or damaged"):
        rest_of(Input("x", io.BytesIO(packed[:cut])))
    with pytest.raises(SourceError, match="the gzip data is cut or damaged"):
        rest_of(Input("x", io.BytesIO(packed[:20] + b"\0\0\0\0" + packed[24:])))


def test_a_file_that_is_not_there_or_a_folder_is_told(tmp_path: Path):
    with pytest.raises(SourceError, match="it cannot be read: No such file or directory"):
        open_input(str(tmp_path / "none"))
    with pytest.raises(SourceError, match="it cannot be read: Is a directory"):
        open_input(str(tmp_path))
    with pytest.raises(SourceError, match="it cannot be read"):
        open_input("a\0b")


@pytest.mark.parametrize(("size", "known"), [(0, 0), (8, 8), (32, 32), (33, 8)])
def test_of_a_small_file_all_is_known_at_once(tmp_path: Path, size: int, known: int):
    (tmp_path / "f").write_bytes(DATA[:size])
    with open_input(str(tmp_path / "f"), block=8) as source:
        assert source.start == DATA[:known]
        assert rest_of(source) == DATA[:size]


def test_what_is_held_at_once_is_bounded_as_over_the_network():
    assert Input("x", io.BytesIO(DATA)).largest == 64 * 1024 * 1024


def test_standard_input_is_left_open_and_a_file_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    stdin = io.TextIOWrapper(io.BytesIO(DATA))
    monkeypatch.setattr(sys, "stdin", stdin)
    with open_input("-", block=8) as source:
        assert (source.name, source.start) == ("standard input", DATA[:8])
    assert not stdin.buffer.closed
    for there in (stdin, None):  # whether there is a standard input or not
        monkeypatch.setattr(sys, "stdin", there)
        file = io.BytesIO(DATA)
        with Input("x", file):
            assert not file.closed
        assert file.closed
    with pytest.raises(SourceError, match=r"^standard input is closed; name a file instead of -$"):
        open_input("-")


class Unreadable(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (OSError("not seekable"), "not seekable"),
        (ValueError("embedded null byte"), "embedded null byte"),
    ],
)
def test_why_it_cannot_be_read_is_told(error: Exception, reason: str):
    assert str(unreadable("x", error)) == f"x: it cannot be read: {reason}"
    with pytest.raises(SourceError, match=r"^x: it cannot be read: Input/output error$"):
        Input("x", Unreadable())


def test_names_and_which_can_be_opened_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "-").touch()
    (tmp_path / "f").touch()
    assert input_name("-") == "standard input"
    assert input_name("a\x1b") == "a\\x1b"
    assert is_regular(str(tmp_path / "f"))
    assert [is_regular(p) for p in ("-", str(tmp_path), "/dev/null", "a\0b", "none")] == [False] * 5
