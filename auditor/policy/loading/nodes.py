"""YAML to nodes that know their position.

YAML 1.2 as far as scalars go: ``no``, ``on`` and ``14:00`` are text, ``017`` is 17. What makes YAML
surprising or dangerous is refused with its position: duplicate keys, anchors and aliases, tags,
merge keys, several documents, and files past any reasonable size.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import msgspec
import yaml

from auditor.errors import Problem
from auditor.model import Position
from auditor.text import one_line

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_NODES = 50_000
_TOO_DEEP = f"nested more than {MAX_DEPTH} deep"

LINE_BREAK = re.compile(r"\r\n?|\n")
_FORBIDDEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

Value = str | int | float | bool | None


class ScalarNode(msgspec.Struct, frozen=True):
    """A scalar: its ``value`` as YAML 1.2 reads it, and the ``text`` as it was written."""

    position: Position
    text: str
    value: Value
    plain: bool = True


class SequenceNode(msgspec.Struct, frozen=True):
    """A list of nodes."""

    position: Position
    items: tuple[Node, ...]


class MappingNode(msgspec.Struct, frozen=True):
    """Keys, which are unique text, and what they hold."""

    position: Position
    entries: tuple[tuple[ScalarNode, Node], ...]

    def __iter__(self) -> Iterator[tuple[ScalarNode, Node]]:
        return iter(self.entries)

    def get(self, key: str) -> Node | None:
        """Return what ``key`` holds, or None."""
        return next((value for name, value in self.entries if name.text == key), None)


Node = ScalarNode | SequenceNode | MappingNode


class YamlError(Exception):
    """The file is not YAML that we read. Has the problems found before that was clear."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(str(problems[-1]))


def parse(data: bytes, file: str) -> tuple[Node, list[Problem]]:
    """Return the document in ``data`` and its problems, as long as it is readable.

    ``file`` is how positions name it. Raises YamlError when there is no document to return.
    """
    return _EventReader(data, file).read()


def plain_value(node: Node) -> object:
    """Return ``node`` as plain dicts, lists and scalars."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, SequenceNode):
        return [plain_value(item) for item in node.items]
    return {key.text: plain_value(value) for key, value in node}


def scalar(text: str, position: Position) -> ScalarNode:
    """Return what an unquoted ``text`` would be in a file."""
    return ScalarNode(position, text, _resolve(text))


_ALIKE = "what belongs together begins in the same column: look at this line, and above it"


class _EventReader:
    def __init__(self, data: bytes, file: str) -> None:
        self._data = data
        self._file = file
        self._problems: list[Problem] = []
        self._lines: list[str] = []
        self._starts = [0]
        self._nodes = 0

    def read(self) -> tuple[Node, list[Problem]]:
        if len(self._data) > MAX_BYTES:
            self._stop(Position(self._file, 1, 1), f"the file is over {MAX_BYTES:,} bytes")
        try:
            text = self._data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self._data.count(b"\n", 0, error.start) + 1
            self._stop(Position(self._file, line, 1), "not UTF-8", "save the file as UTF-8")
        self._lines = LINE_BREAK.split(text)
        self._starts = [0, *(match.end() for match in LINE_BREAK.finditer(text))]
        try:
            return self._document(_events(text)), self._problems
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            if error.context in _AT_ITS_START:
                mark = error.context_mark or mark
            position = self._position(mark) if mark else Position(self._file, 1, 1)
            message = one_line(error.problem or error.context or "not YAML")
            # libyaml looks ahead, and gives up at its own depth before the node reaches us.
            if "maximum nesting depth" in message:
                self._stop(position, _TOO_DEEP)
            hint = self._trap(position) or _HINTS.get(error.context) or _hint_of(message)
            self._stop(position, f"not YAML: {message}", hint)
        except yaml.reader.ReaderError as error:
            self._stop(
                self._place(found.start() if (found := _FORBIDDEN.search(text)) else 0),
                f"a character that YAML forbids: {error.reason}",
                "remove it, or write it as an escape in double quotes",
            )

    def _document(self, events: Iterator[yaml.Event]) -> Node:
        next(events)  # the stream's start
        event = next(events)
        if not isinstance(event, yaml.DocumentStartEvent):
            self._stop(Position(self._file, 1, 1), "the file is empty")
        node = self._node(next(events), events, 1)
        next(events)  # the document's end
        event = next(events)
        if isinstance(event, yaml.DocumentStartEvent):
            self._stop(
                self._position(event.start_mark),
                "a second document",
                "one document per file; remove ---",
            )
        return node

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        position = self._position(event.start_mark)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(position, f"over {MAX_NODES:,} values", "split the file")
        if depth > MAX_DEPTH:
            self._stop(position, _TOO_DEEP)
        if isinstance(event, yaml.AliasEvent):
            self._stop(position, "aliases (*) are not supported", "write the text in quotes")
        if getattr(event, "anchor", None):
            self._problem(position, "anchors (&) are not supported", "write the text in quotes")
        if tag := getattr(event, "tag", None):
            self._problem(position, f"tags are not supported: {one_line(tag)}", "remove it")
        if isinstance(event, yaml.ScalarEvent):
            plain = bool(event.implicit[0])
            value = _resolve(event.value) if plain else event.value
            return ScalarNode(position, event.value, value, plain)
        if isinstance(event, yaml.SequenceStartEvent):
            return SequenceNode(position, tuple(self._items(events, depth)))
        return MappingNode(position, tuple(self._entries(events, depth)))

    def _items(self, events: Iterator[yaml.Event], depth: int) -> Iterator[Node]:
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            yield self._node(event, events, depth + 1)

    def _entries(
        self, events: Iterator[yaml.Event], depth: int
    ) -> Iterator[tuple[ScalarNode, Node]]:
        seen: dict[str, Position] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if not isinstance(key, ScalarNode):
                self._problem(key.position, "a key must be text", "quote a text that has braces")
                continue
            if key.plain and not isinstance(key.value, str):
                self._problem(
                    key.position, f"a key must be text: {key.text or 'empty'}", "quote it"
                )
                continue
            if key.text == "<<":
                message = "merge keys (<<) are not supported"
                self._problem(key.position, message, "write the keys out")
                continue
            if key.text in seen:
                first = seen[key.text]
                self._problem(
                    key.position,
                    f"the key {one_line(key.text)} appears twice",
                    f"the first is at line {first.line}; remove one",
                )
                continue
            seen[key.text] = key.position
            yield key, value

    def _position(self, mark: Any) -> Position:
        return self._place(mark.index)

    def _place(self, index: int) -> Position:
        # YAML 1.1 breaks lines at characters that no editor counts, so lines are counted here.
        line = bisect_right(self._starts, index)
        return Position(self._file, line, index - self._starts[line - 1] + 1)

    def _problem(self, position: Position, message: str, hint: str = "") -> None:
        self._problems.append(Problem(position, message, hint, self._line(position)))

    def _stop(self, position: Position, message: str, hint: str = "") -> NoReturn:
        self._problem(position, message, hint)
        raise YamlError(self._problems)

    def _line(self, position: Position) -> str:
        return self._lines[position.line - 1] if position.line <= len(self._lines) else ""

    def _trap(self, position: Position) -> str:
        """Add what YAML's own message does not say, if a line has one of its known traps."""
        for line in (self._line(position), self._lines[max(0, position.line - 2)]):
            if re.search(r":\s+[*&!%@`]", line):
                return "a text that starts with * & ! % @ or ` needs quotes"
            if re.search(r":\s+[{\[].*[}\]]\s*[^\s}\],#]", line):
                return "a text that starts with { or [ needs quotes"
            indent = line[: len(line) - len(line.lstrip())]
            if "\t" in indent:
                return "indent with spaces, not tabs"
            if indent.strip(" "):
                return "indent with plain spaces: this line, or the one above, begins with others"
            if re.match(r"[\s-]*[\w.-]+:\s+[^'\"\s{\[].*:\s", line):
                return "a text with a colon and a space needs quotes"
        line = self._line(position)
        if sum(map(line.count, "}]")) > sum(map(line.count, "{[")):
            return "a bracket is closed that was not opened: remove it"
        return ""


#: What to look for, by what YAML was reading when it gave up.
_HINTS: Mapping[str | None, str] = {
    "while scanning a simple key": "a key ends with a colon and a space: write key: value",
    "while parsing a block mapping": _ALIKE,
    "while parsing a block collection": _ALIKE,
    "while parsing a flow mapping": "close every { that is opened, and put a comma between entries",
    "while parsing a flow sequence": "close every [ that is opened, and put a comma between items",
    "while scanning a quoted scalar": "close the quote that is opened here",
}
#: Of these the mistake is where they start.
_AT_ITS_START = ("while scanning a simple key", "while scanning a quoted scalar")


def _hint_of(message: str) -> str:
    return _ALIKE if message.startswith("mapping values are not allowed") else ""


def _events(text: str) -> Iterator[yaml.Event]:
    yield from yaml.parse(text, Loader=_LOADER)


# The C parser is ten times faster; an installation without libyaml has the same in Python.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _resolve(text: str) -> Value:
    """Read a plain scalar by YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= 400:
        if _INTEGER.fullmatch(text):
            return int(text)
        if _BASED.fullmatch(text):
            return int(text, 0)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text
