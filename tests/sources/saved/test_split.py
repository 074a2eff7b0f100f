"""Splitting saved JSON: whatever the block's size, the same records, in bounded work and memory."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.decoding.json_values import UndecodableError
from auditor.decoding.records import Shape, WholeRecords
from auditor.sources.saved import split
from auditor.sources.saved.input import LARGEST, Input
from auditor.sources.saved.split import array_batches, first_key, line_blocks, objects
from tests.builders.saved_listings import record
from tests.builders.slow import tries

TRICKY = st.text(st.sampled_from('{}[],"\\:ab\n \u2028é\ud800'), max_size=8)
VALUES = st.recursive(
    st.none() | st.integers() | TRICKY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TRICKY, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(TRICKY | st.just("id"), VALUES, max_size=3), max_size=6)
BLOCKS = st.integers(4, 40)
INDENTS = st.sampled_from([None, 0, 2])


def inside(text: str, block: int) -> Input:
    """Return an input that stands behind the bracket that opens ``text``."""
    return Input("a test", io.BytesIO(text.encode()[1:]), block=block)


def joined(batches: Any) -> list[Any]:
    return [item for batch in batches for item in batch]


@settings(max_examples=tries(200), deadline=None)
@given(items=st.lists(VALUES, max_size=6) | OBJECTS, block=BLOCKS, indent=INDENTS)
def test_an_array_is_split_into_its_items(items: list[Any], block: int, indent: int | None):
    text = json.dumps(items, indent=indent)
    assert joined(array_batches(inside(text, block), WholeRecords().array)) == items


@settings(max_examples=tries(200), deadline=None)
@given(items=OBJECTS, block=BLOCKS, at=st.integers(0), byte=st.sampled_from('{}[],":\\x '))
def test_a_broken_array_is_read_as_the_whole_of_it_would_be(
    items: list[Any], block: int, at: int, byte: str
):
    """One character inserted anywhere: the same answer as from a parser that sees all of it."""
    text = json.dumps(items)
    place = 1 + at % len(text)
    text = text[:place] + byte + text[place:]
    decoder = WholeRecords()
    try:
        expected = decoder.array(text.encode())
    except UndecodableError:
        with pytest.raises(UndecodableError):
            joined(array_batches(inside(text, block), decoder.array))
    else:
        assert joined(array_batches(inside(text, block), decoder.array)) == expected


@settings(max_examples=tries(200), deadline=None)
@given(items=OBJECTS, block=BLOCKS, indent=INDENTS, between=st.sampled_from(["", "\n", " \r\n"]))
def test_objects_in_a_row_are_taken_apart(
    items: list[Any], block: int, indent: int | None, between: str
):
    pieces = [json.dumps(item, indent=indent) for item in items]
    source = Input("a test", io.BytesIO(between.join(pieces).encode()), block=block)
    assert [p.decode() for p in objects(source, in_array=False)] == pieces
    array = inside(f"[{' , '.join(pieces)} ] ", block)
    assert [p.decode() for p in objects(array, in_array=True)] == pieces


@settings(max_examples=tries(200), deadline=None)
@given(text=st.text(st.sampled_from("ab\n\r\u2028"), max_size=40), block=BLOCKS)
def test_lines_end_at_line_feeds_alone(text: str, block: int):
    found = list(line_blocks(Input("a test", io.BytesIO(text.encode()), block=block)))
    lines = [line.decode() for lines, _ in found for line in lines]
    whole = text.split("\n")
    assert lines == (whole if whole[-1] else whole[:-1])
    assert [ended for _, ended in found if not ended] == ([False] if whole[-1] else [])


def cut(text: bytes, block: int, largest: int = LARGEST) -> Input:
    return Input("a test", io.BytesIO(text), block=block, largest=largest)


@pytest.mark.parametrize("block", [3, 5, 64])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{"a":1},{"a":2}', "the array is cut: its closing bracket is missing"),
        (b'{"a":1}]x', "not JSON: something follows the array at byte 9"),
        (b'{"a":1}]' + b" " * 90 + b"]", "not JSON: something follows the array at byte 99"),
        (b'{"a":1},x]', "not JSON: Expecting value at byte 9"),
    ],
)
def test_an_array_that_does_not_end_where_it_should_is_told(text: bytes, says: str, block: int):
    with pytest.raises(UndecodableError, match=f"^{says}$"):
        joined(array_batches(cut(text, block), WholeRecords().array))


def test_where_an_array_breaks_is_counted_in_its_file_and_from_one():
    """The decoder counts from its own piece, of which nobody knows."""
    text = b'{"a":1},{"b":2},{"c":tru}]'
    for block in (1 << 10, 9, 17):
        with pytest.raises(UndecodableError, match=r"^not JSON: Expecting value at byte 22$"):
            joined(array_batches(cut(text, block), WholeRecords().array))
        # Of some values nobody says where they are: then it is where their piece begins.
        with pytest.raises(UndecodableError, match=r"^NaN is not JSON, after byte (1|17)$"):
            joined(array_batches(cut(text.replace(b"tru", b"NaN"), block), WholeRecords().array))


@pytest.mark.parametrize("block", [3, 5, 64])
@pytest.mark.parametrize(
    ("text", "in_array", "says"),
    [
        (b'{"a":1}x{"a":2}', False, "there is something between two objects at byte 7"),
        (b'{"a":1} , {"a":2}', False, "there is something between two objects at byte 8"),
        (b'{"a":1} {"a":2}]', True, "a comma is missing between two objects at byte 8"),
        (b'{"a":1}, ,{"a":2}]', True, "there is something between two objects at byte 9"),
        (b',{"a":1}]', True, "there is something between two objects at byte 0"),
        (b'{"a":1}]', False, "a bracket closes nothing at byte 7"),
        (b'{"a":1} x]', False, "something follows that is no object at byte 8"),
        (b'{"a":1}x]', True, "an item is no object at byte 7"),
        (b'{"a":1}, x]', True, "an item is no object at byte 9"),
        (b'{"a":1}, x', True, "an item is no object at byte 9"),
        (b'{"a":1}, X', True, "an item is no object at byte 9"),
        (b'{"a":1}, ]', True, "a comma has no item behind it at byte 9"),
        (b'{"a":1}] x', True, "something follows the array at byte 9"),
        (b'{"a":1}]' + b" " * 90 + b"x", True, "something follows the array at byte 98"),
        (b'{"a":1}', True, "it is cut, or a bracket is missing"),
        (b'{"a":1},', True, "it is cut, or a bracket is missing"),
        (b'{"a":1} {"b":2', False, "it is cut, or a bracket is missing"),
        (b'{"a":1} {"b":2} x', False, "something follows that is no object at byte 16"),
    ],
)
def test_what_is_not_an_object_is_told(text: bytes, in_array: bool, says: str, block: int):
    with pytest.raises(UndecodableError, match=f"^not JSON: {says}$"):
        list(objects(cut(text, block), in_array=in_array))


@pytest.mark.parametrize(
    "split",
    [
        lambda source: list(line_blocks(source)),
        lambda source: list(objects(source, in_array=False)),
        lambda source: joined(array_batches(source, Shape([]).array)),
    ],
)
def test_a_value_as_large_as_is_allowed_is_not_over_it(split: Any):
    with pytest.raises(UndecodableError, match=r"^one value takes more than 3\.8147e-05 MiB$"):
        split(cut(b'{"' + b"x" * 39, 41, largest=40))
    with suppress(UndecodableError):  # it is cut, and not too large
        split(cut(b'{"' + b"x" * 38, 40, largest=40))
        return
    with pytest.raises(UndecodableError, match="cut"):
        split(cut(b'{"' + b"x" * 38, 40, largest=40))


def test_items_that_begin_unlike_are_no_value_together():
    items = [{f"k{number}": number} for number in range(200)]
    source = cut(json.dumps(items).encode()[1:], 16, largest=60)
    assert joined(array_batches(source, WholeRecords().array)) == items


def test_of_records_that_begin_alike_none_is_scanned_but_the_last(monkeypatch: pytest.MonkeyPatch):
    """A guess is proved by decoding alone, wherever the block is cut."""
    scanned: list[int] = []
    scan = split._spans
    monkeypatch.setattr(split, "_spans", lambda piece: scanned.append(len(piece)) or scan(piece))
    text = json.dumps([record(number) for number in range(600)]).encode()[1:]
    blocks = [*array_batches(cut(text, 4096), Shape([]).array)]
    assert len(blocks) > len(text) / 6000
    assert sum(scanned) < 4 * 4096


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (b'{"a b" : 1}', b'"a b" :'),
        (b' \n{ "a\\"b":1}', b'"a\\"b":'),
        *((text, b"") for text in (b"", b"[1]", b"{}", b'{"a"}', b'{"%s":1}' % (b"x" * 201))),
    ],
)
def test_the_first_key_is_that_of_an_object(text: bytes, key: bytes):
    assert first_key(text) == key


def big_array(mebibytes: int) -> bytes:
    items = [json.dumps(record(n, config={"pad": "x" * 1500})) for n in range(mebibytes * 600)]
    return f"[{','.join(items)}]".encode()


@pytest.mark.parametrize("hurt", ["open string", "open bracket", "stray bracket", "lost comma"])
def test_malformed_input_costs_little_more_than_whole_input(hurt: str):
    """Work is counted in bytes handed to the decoder, a few times the input at most."""
    data = big_array(6)
    middle = data.index(b'{"id": "c1800"')
    wound = {"open string": b'"', "open bracket": b"{", "stray bracket": b"}]", "lost comma": b"1 "}
    data = data[:middle] + wound[hurt] + data[middle:]
    shape, decoded = Shape([]), 0

    def decode(body: bytes) -> list[Any]:
        nonlocal decoded
        decoded += len(body)
        return shape.array(body)

    with pytest.raises(UndecodableError):
        joined(array_batches(Input("a test", io.BytesIO(data[1:])), decode))
    assert decoded < 8 * len(data)


def test_a_record_over_the_limit_is_refused():
    data = b'{"id":"' + b"x" * (3 << 20)
    for taken_apart in (
        lambda s: joined(array_batches(s, Shape([]).array)),
        lambda s: list(objects(s, in_array=False)),
        lambda s: list(line_blocks(s)),
    ):
        with pytest.raises(UndecodableError, match="2 MiB"):
            taken_apart(Input("a test", io.BytesIO(data), largest=2 << 20))


# Of the process image alone: what getrusage says is inherited from the process that started it.
PEAK = r"""
import re, sys
from pathlib import Path
from auditor.decoding.records import Shape
from auditor.sources.saved.source import SnapshotSource
count = 0
for event in SnapshotSource(sys.argv[1]).events(Shape([])):
    count += len(getattr(event, "records", ()))
print(count, re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.parametrize("form", ["array", "lines"])
def test_a_large_file_takes_no_more_memory_than_a_small_one(tmp_path: Path, form: str):
    peaks = []
    for size in (6, 48):
        data = big_array(size)
        if form == "lines":
            data = b"\n".join(json.dumps(item).encode() for item in json.loads(data))
        path = tmp_path / f"{size}.json"
        path.write_bytes(data)
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(path)], capture_output=True, check=True, text=True
        )
        count, kib = map(int, done.stdout.split())
        assert count == size * 600
        peaks.append(kib)
    assert peaks[1] - peaks[0] < 12 * 1024
