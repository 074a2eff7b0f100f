"""Bytes of a saved listing: in blocks or at once, compressed, with a mark; always the same."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import SourceError
from auditor.sources.saved.input import Input, input_name, is_regular, open_input

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


@pytest.mark.parametrize(("largest", "whole"), [(1000, True), (450, True), (449, False)])
def test_a_document_over_the_bound_is_seen_to_be(largest: int, whole: bool):
    source = Input("x", io.BytesIO(DATA), block=8, largest=largest)
    document = source.read_document()
    assert (document == DATA) is whole or len(document) > largest
    assert whole or len(document) > largest


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


def test_names_and_which_can_be_opened_twice(tmp_path: Path):
    (tmp_path / "f").touch()
    assert input_name("-") == "standard input"
    assert input_name("a\x1b") == "a\\x1b"
    assert is_regular(str(tmp_path / "f"))
    assert [is_regular(p) for p in ("-", str(tmp_path), "/dev/null", "a\0b", "none")] == [False] * 5
