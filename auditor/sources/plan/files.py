"""Where a plan's resources are written: the lines of ``.tf`` files, which no plan has.

Only the headers of resources, their attributes and the comments beside them are looked for. A small
scanner knows comments, strings with interpolations, heredocs and braces, and skips everything else.
Another follows the keys of ``.tf.json``, where ``//`` is a comment. Modules are found where their
source is a local folder, or where ``terraform init`` has put them.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from os.path import normpath
from pathlib import Path

import msgspec

from auditor.errors import UsageError
from auditor.model import Position
from auditor.sources.plan.document import Configuration, Module
from auditor.text import printable

#: How a comment begins that waives a rule for the resource it is in or above.
MARK = "fivetran-auditor:"
#: The files of a configuration.
PATTERNS = ("*.tofu", "*.tofu.json", "*.tf", "*.tf.json")
_MODULES = Path(".terraform") / "modules" / "modules.json"
_LARGEST = 4 << 20
_TOKEN = re.compile(
    r"""
      (?P<blank>[^\S\n]+)
    | (?P<line>\n)
    | (?P<comment>(?:\#|//)[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<heredoc><<-?[ \t]*(?P<mark>[A-Za-z_][\w-]*)[^\n]*\n)
    | (?P<word>[A-Za-z_][\w-]*)
    | (?P<open>[{\[(])
    | (?P<close>[}\])])
    | (?P<equals>=(?!=)|:)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


_JSON = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\],:]|[^\s{}\[\],:"]+')


class Written(msgspec.Struct, frozen=True):
    """A resource in a file: its header, its attributes by path, and the comments beside it.

    ``texts`` are what its own attributes are set to, as written but without comments. A call of a
    module, ``module.NAME``, is like a resource that nobody comments on.
    """

    name: str
    position: Position
    attributes: Mapping[str, Position]
    comments: tuple[tuple[Position, str], ...] = ()
    texts: Mapping[str, str] = msgspec.field(default_factory=dict)


class Folder:
    """The files of a configuration: its root folder, and the modules that it calls.

    Raises UsageError for what is not a folder.
    """

    def __init__(self, path: str, configuration: Configuration) -> None:
        self.path = path
        root = Path(path)
        if not root.is_dir():
            raise UsageError(f"{printable(path)}: no such folder; name the one with the .tf files")
        self._installed = _installed(root)
        self._resources: dict[tuple[tuple[str, ...], str], Written] = {}
        self._read(root, (), configuration.root_module)

    def locate(self, module: Sequence[str], name: str, attribute: str) -> Position | None:
        """Return where an attribute of ``TYPE.NAME`` in a module is written, or else its header."""
        written = self._resources.get((tuple(module), name))
        if written is None:
            return None
        path = attribute
        while path:
            found = written.attributes.get(path)
            if found is not None:
                return found
            path = path.rpartition(".")[0]
        return written.position

    def text(self, module: Sequence[str], name: str, attribute: str) -> tuple[Position, str] | None:
        """Return what an attribute of ``TYPE.NAME`` or ``module.NAME`` is set to, and where."""
        written = self._resources.get((tuple(module), name))
        text = written.texts.get(attribute) if written is not None else None
        if written is None or text is None:
            return None
        return written.attributes[attribute], text

    def comments(self) -> Iterator[tuple[tuple[str, ...], str, Position, str]]:
        """Yield the comments beside resources: module, ``TYPE.NAME``, position, and words."""
        for (module, name), written in self._resources.items():
            for position, text in written.comments:
                yield module, name, position, text

    def _read(self, folder: Path, names: tuple[str, ...], module: Module) -> None:
        for file in _files(folder):
            for written in read_file(file):
                found = self._resources.setdefault((names, written.name), written)
                if found is not written and _overrides(file):
                    attributes = {**found.attributes, **written.attributes}
                    comments = (*found.comments, *written.comments)
                    texts = {**found.texts, **written.texts}
                    merged = msgspec.structs.replace(
                        found, attributes=attributes, comments=comments, texts=texts
                    )
                    self._resources[names, written.name] = merged
        for name, call in module.module_calls.items():
            inner = (*names, name)
            place = self._installed.get(".".join(inner))
            if place is None and call.source.startswith(("./", "../")):
                place = folder / call.source
            if place is not None and place.is_dir():
                # As in the repository: a host knows no file by a path through `..`.
                self._read(Path(normpath(place)), inner, call.module)


def read_file(file: Path) -> list[Written]:
    """Return the resources in a file; none if it cannot be read."""
    try:
        if file.stat().st_size > _LARGEST:
            return []
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    label = printable(file.as_posix())
    if file.suffix == ".json":
        return _resources_in(text, label)
    return _Scanner(text, label).resources()


def _files(folder: Path) -> list[Path]:
    """Return the files of a module, overriding ones last.

    OpenTofu prefers its own files to those of the same name.
    """
    found = [file for pattern in PATTERNS for file in sorted(folder.glob(pattern))]
    return sorted(found, key=_overrides)


def _overrides(file: Path) -> bool:
    return file.name.partition(".")[0].endswith("override")


class _Scanner:
    """Goes through one file, keeping track of the blocks it is in."""

    def __init__(self, text: str, label: str) -> None:
        self._text = text
        self._label = label
        self._starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self._found: list[Written] = []
        #: The words since the line began, and the position of the first.
        self._header: list[str] = []
        self._at = 0
        #: For each open brace or bracket, whether its content has a path.
        self._opened: list[bool] = []
        self._path: list[str] = []
        #: The open resource, "" for none: where it begins, and what it holds.
        self._name = ""
        self._start = 0
        self._attributes: dict[str, Position] = {}
        self._texts: dict[str, str] = {}
        #: The attribute that is being set, "" for none: its text so far, and where the rest begins.
        self._setting, self._set, self._rest = "", "", 0
        self._inside: list[tuple[Position, str]] = []
        self._above: list[tuple[Position, str]] = []

    def resources(self) -> list[Written]:
        """Return every resource block of the file."""
        for kind, text, at in self._tokens():
            match kind:
                case "comment":
                    self._comment(text, at)
                case "open":
                    self._open(text)
                case "close":
                    self._close(at)
                case "word" | "string":
                    self._at = self._at if self._header else at
                    self._header.append(text)
                case "equals":
                    self._equals(at + 1)
                case "line":
                    self._header = []
                    self._end_setting(at)
        return self._found

    def _comment(self, text: str, at: int) -> None:
        self._set += self._text[self._rest : at] if self._setting else ""
        self._rest = at + len(text)
        lead, mark, words = text.partition(MARK)
        if mark and not lead.strip("#/* \t"):  # Otherwise the words are mentioned, not meant.
            noted = self._position(at), words.removesuffix("*/").strip()
            (self._inside if self._opened else self._above).append(noted)

    def _open(self, text: str) -> None:
        header, within = self._header, bool(self._opened)
        nests = text == "{" and bool(header) and all(self._opened[1:])
        if not within and header[:1] == ["resource"] and len(header) == 3:
            self._name, self._start = f"{header[1]}.{header[2]}", self._at
            self._attributes, self._inside, self._above = {}, self._above, []
        elif not within and header[:1] == ["module"] and len(header) == 2:
            self._name, self._start, self._attributes = f"module.{header[1]}", self._at, {}
        elif within and nests:
            self._path.append(header[0])
            self._attributes.setdefault(".".join(self._path), self._position(self._at))
        self._opened.append(within and nests)
        self._header = []

    def _close(self, at: int) -> None:
        self._header = []
        self._end_setting(at)
        if not self._opened:
            return
        if self._opened.pop() and self._path:
            self._path.pop()
        if self._opened:
            return
        if self._name:
            start = self._position(self._start)
            noted = () if self._name.startswith("module.") else tuple(self._inside)
            self._found.append(Written(self._name, start, self._attributes, noted, self._texts))
        self._name, self._attributes, self._inside, self._above = "", {}, [], []
        self._texts = {}

    def _equals(self, at: int) -> None:
        if self._opened and len(self._header) == 1 and all(self._opened[1:]):
            written = ".".join((*self._path, self._header[0]))
            self._attributes.setdefault(written, self._position(self._at))
            if len(self._opened) == 1 and not self._setting:
                self._setting, self._set, self._rest = written, "", at

    def _end_setting(self, at: int) -> None:
        """End an attribute at the end of a line, or of its block, that is not within brackets."""
        if self._setting and len(self._opened) == 1:
            self._texts[self._setting] = (self._set + self._text[self._rest : at]).strip()
            self._setting = ""

    def _tokens(self) -> Iterator[tuple[str, str, int]]:
        at, text = 0, self._text
        while at < len(text):
            if text[at] == '"':
                end = _string_end(text, at)
                yield "string", text[at + 1 : end - 1], at
                at = end
                continue
            match = _TOKEN.match(text, at)
            assert match is not None
            kind = match.lastgroup or "other"
            kind = "heredoc" if match["heredoc"] else kind
            if kind == "heredoc":
                close = re.compile(rf"^[ \t]*{re.escape(match['mark'])}[ \t]*$", re.MULTILINE)
                ended = close.search(text, match.end())
                at = ended.end() if ended else len(text)
                continue
            if kind not in {"blank", "other"}:
                yield kind, match[0], at
            at = match.end()

    def _position(self, at: int) -> Position:
        line = bisect_right(self._starts, at)
        return Position(self._label, line, at - self._starts[line - 1] + 1)


def _resources_in(text: str, label: str) -> list[Written]:
    """Return the resources in a JSON file; none if it is not JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return []
    starts = [0, *(m.end() for m in re.finditer("\n", text))]
    found: dict[str, tuple[Position, dict[str, Position], list[tuple[Position, str]]]] = {}
    texts: dict[str, dict[str, str]] = {}
    for path, value, at in _keys(text):
        called = path[:1] == ("module",)  # module, name; or else resource, type, name
        name = path[:2] if called else path[1:3]
        if not (called or path[:1] == ("resource",)) or len(name) < 2:
            continue
        line = bisect_right(starts, at)
        position = Position(label, line, at - starts[line - 1] + 1)
        _, attributes, noted = found.setdefault(".".join(name), (position, {}, []))
        lead, mark, words = value.partition(MARK)
        within = path[2 if called else 3 :]
        if path[-1] == "//":
            meant = mark and not lead.strip() and not called
            noted += [(position, words.strip())] if meant else []
        elif within:  # An attribute.
            attributes.setdefault(".".join(within), position)
            if len(within) == 1 and value:
                texts.setdefault(".".join(name), {}).setdefault(within[0], f'"{value}"')
    return [
        Written(name, position, attributes, tuple(noted), texts.get(name, {}))
        for name, (position, attributes, noted) in found.items()
    ]


def _keys(text: str) -> Iterator[tuple[tuple[str, ...], str, int]]:
    """Yield the path of every key in valid JSON, its text value or "", and its position.

    Arrays add nothing to a path: a list of blocks is as good as the block.
    """
    #: For each open object or array, the key being read, None for an array.
    opened: list[str | None] = []
    at, value, pending = -1, "", False
    for match in _JSON.finditer(text):
        token = match[0]
        if token in "{[":
            if pending:
                yield _path(opened), "", at
                pending = False
            opened.append("" if token == "{" else None)
        elif token in "]},":
            if pending:
                yield _path(opened), value, at
                pending = False
            if token == ",":
                opened[-1] = None if opened[-1] is None else ""
            else:
                opened.pop()
        elif token[0] == '"' and opened and opened[-1] == "" and not pending:
            opened[-1], at, value, pending = json.loads(token), match.start(), "", True
        elif token[0] == '"':
            value = json.loads(token)


def _path(opened: Sequence[str | None]) -> tuple[str, ...]:
    return tuple(key for key in opened if key is not None)


def _string_end(text: str, at: int) -> int:
    """Return where a string that begins at ``at`` ends: interpolations may contain strings."""
    at += 1
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == '"':
            return at + 1
        elif text[at] == "\n":
            return at
        elif text.startswith(("${", "%{"), at) and not text.startswith(("$${", "%%{"), at - 1):
            at = _insertion_end(text, at + 2)
        else:
            at += 1
    return at


def _insertion_end(text: str, at: int) -> int:
    depth = 1
    while at < len(text) and depth:
        if text[at] == '"':
            at = _string_end(text, at)
            continue
        depth += (text[at] == "{") - (text[at] == "}")
        at += 1
    return at


def _installed(root: Path) -> dict[str, Path]:
    """Return the folders where ``terraform init`` has put modules, by their key."""
    try:
        read = json.loads((root / _MODULES).read_text(encoding="utf-8"))
        modules = read["Modules"]
        return {m["Key"]: root / m["Dir"] for m in modules if m.get("Key")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
