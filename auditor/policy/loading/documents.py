"""Policy files as documents: found, read, and checked for the keys they may have.

What is below ``rules`` stays nodes here; ``rule_parser.py`` reads them once variables and overrides
are settled across files.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import msgspec

from auditor.clock import parse_duration
from auditor.errors import UsageError, about
from auditor.facts.shape import fact_of
from auditor.fields import FACT_LISTS, FIELDS, Exposure
from auditor.files import read_file
from auditor.model import PACK, PolicyFile, Position
from auditor.output.inputs import Inputs
from auditor.policy.loading import nodes
from auditor.policy.loading.folder import PolicyFolder, is_policy, read_folder, would_be_read
from auditor.policy.loading.nodes import MappingNode, Node, ScalarNode, SequenceNode
from auditor.policy.loading.problems import Problems
from auditor.policy.loading.scope import Scope
from auditor.resources import resource_folder
from auditor.suggest import FOREIGN_KEYS, nearest
from auditor.text import listed, one_line, printable

POLICY_KEYS = (
    "policy",
    "title",
    "description",
    "extends",
    "override",
    "vars",
    "conditions",
    "reveal",
    "extra_fields",
    "facts",
    "max_waiver",
    "rules",
)


_STEP = r"""[^\s.\[\]{}"\\\x00-\x1f]+(?:\[\])?"""
_FIELD_PATH = re.compile(rf"{_STEP}(?:\.{_STEP})*")
#: Words of the language that may be where a field could be.
_RESERVED = frozenset({"all", "any", "not", "condition", "item"})


class Document(msgspec.Struct, frozen=True):
    """One policy file: its own keys as nodes, and the files it extends, by their labels."""

    file: PolicyFile
    position: Position
    rules: tuple[Node, ...]
    variables: tuple[tuple[ScalarNode, Node], ...]
    conditions: tuple[tuple[ScalarNode, Node], ...]
    overrides: tuple[tuple[ScalarNode, Node], ...]
    extends: Mapping[str, Position]
    reveal: frozenset[str]
    extra_fields: frozenset[str]
    facts: tuple[tuple[ScalarNode, Node], ...] = ()
    folder: Path = Path()
    max_waiver: timedelta | None = None


class PolicyPath(msgspec.Struct, frozen=True):
    """A policy file: where it is, and its name in positions and reports."""

    path: Path
    label: str


def pack_names() -> list[str]:
    """Return the names of the shipped packs."""
    folder = resource_folder("policies")
    return sorted(path.stem for path in folder.iterdir() if is_policy(path))


def policy_paths(name: str) -> list[PolicyPath]:
    """Return the files that a ``--policy`` argument names: a file, a folder's files, or a pack.

    A path has a ``/`` or ends in .yaml or .yml. Anything else is a pack or, if there is none of
    that name, a folder. Raises UsageError.
    """
    with about("policy", name):
        if not _is_file_or_folder(name):
            return [_pack(name)]
        path = Path(name)
        if _is_folder(path):
            return [PolicyPath(p, printable(_label(p))) for p in _folder(path).policies]
        if not _is_file(path):
            raise UsageError(f"{name}: no such file or folder")
        return [PolicyPath(path, printable(_label(path)))]


def names_folder(name: str) -> bool:
    """Whether a ``--policy`` argument names a folder, and not a pack."""
    return _is_file_or_folder(name) and _is_folder(Path(name))


class DocumentReader:
    """Reads files and what they extend, each once, and notes in ``inputs`` what it opens."""

    def __init__(self, problems: Problems, inputs: Inputs | None = None) -> None:
        self._problems = problems
        self._inputs = Inputs() if inputs is None else inputs
        #: What was read, extended files before those that extend them, by label.
        self.documents: dict[str, Document] = {}
        self._under_way: list[str] = []

    def read_all(self, name: str) -> None:
        """Read what a ``--policy`` argument names. Raises UsageError for an unknown name."""
        if names_folder(name):
            # A file there would be read by the next run.
            self._inputs.add_folder("the policies in", Path(name), would_be_read)
            with about("policy", name):
                self._warn_of_unread(_folder(Path(name)))
        for source in policy_paths(name):
            self.read(source)

    def _warn_of_unread(self, folder: PolicyFolder) -> None:
        """Record what looks as if it held rules, but is not read as a policy."""
        for path in folder.hidden:
            position = Position(printable(_label(path)), 1, 1)
            message = "this file is hidden and was not read"
            self._problems.warn(position, message, "rename or remove it")
        for path in folder.tests:
            source = PolicyPath(path, printable(_label(path)))
            try:
                root, _ = nodes.parse(_contents(source), source.label)
            except nodes.YamlError:
                continue  # ``test`` reports what is wrong with tests.
            rules = (
                next((key for key, _ in root if key.text == "rules"), None)
                if isinstance(root, MappingNode)
                else None
            )
            if rules is not None:
                message = f"{one_line(path.name)} is the name of a test file, but it holds rules"
                hint = "rename it, or its rules are never in force"
                self._problems.add(rules.position, message, hint)

    def read(self, source: PolicyPath) -> None:
        """Read the file at ``source`` and everything it extends."""
        if source.label in self.documents:
            return
        self._inputs.add("the policy", source.path)
        data = _contents(source)
        self._problems.knows(source.label, data)
        try:
            root, problems = nodes.parse(data, source.label)
        except nodes.YamlError as error:
            self._problems.extend(error.problems)
            return
        self._problems.extend(problems)
        if isinstance(root, MappingNode) and root.get("policy") is not None:
            self._under_way.append(source.label)
            self._take(source, data, root)
            self._under_way.pop()
            return
        if isinstance(root, MappingNode) and root.get("waivers") is not None:
            hint = f"pass it with --waivers {source.label}; in a folder, keep it elsewhere"
            self._problems.add(root.position, "this is a waiver file, not a policy", hint)
            return
        hint = "a policy is a mapping that starts with policy: NAME"
        self._problems.add(root.position, "this is not a policy", hint)

    def _take(self, source: PolicyPath, data: bytes, root: MappingNode) -> None:
        check_keys(root, POLICY_KEYS, "policy", self._problems)
        extends = dict(self._extended(source, root.get("extends")))
        name = self._text(root, "policy")
        self._text(root, "description")
        file = PolicyFile(
            name=name or one_line(source.path.stem),
            file=source.label,
            sha256=hashlib.sha256(data).hexdigest(),
            title=self._text(root, "title"),
        )
        rules = root.get("rules")
        self.documents[source.label] = Document(
            file=file,
            position=root.position,
            rules=self._list(rules, "rules"),
            variables=self._mapping(root.get("vars"), "vars"),
            conditions=self._mapping(root.get("conditions"), "conditions"),
            overrides=self._mapping(root.get("override"), "override"),
            extends=extends,
            reveal=self._reveal(root),
            extra_fields=frozenset(self._extra_fields(root)),
            facts=self._mapping(root.get("facts"), "facts"),
            folder=source.path.parent,
            max_waiver=longest_waiver(root.get("max_waiver"), self._problems),
        )

    def _extended(self, source: PolicyPath, node: Node | None) -> Iterator[tuple[str, Position]]:
        for item in self._list(node, "extends"):
            if not isinstance(item, ScalarNode) or not isinstance(item.value, str):
                self._problems.add(item.position, "extends: takes names of packs and files")
                continue
            other = self._extended_file(source, item)
            if other is None:
                continue
            if other.label in self._under_way:
                start = self._under_way.index(other.label)
                circle = " → ".join([*self._under_way[start:], other.label])
                self._problems.add(item.position, f"extends itself: {circle}", "remove one of them")
                continue
            self.read(other)
            yield other.label, item.position

    def _extended_file(self, source: PolicyPath, item: ScalarNode) -> PolicyPath | None:
        if not _is_path(item.text):
            if item.text in pack_names():
                return _pack(item.text)
            hint = nearest(item.text, pack_names()) or "a file ends in .yaml"
            message = f"no pack is called {one_line(item.text)}"
            self._problems.add(item.position, message, hint)
            return None
        path = source.path.parent / item.text
        if _is_file(path):
            # Its target counts: a link may have any name.
            if Path(os.path.realpath(path)).suffix.lower() in {".yaml", ".yml"}:
                return PolicyPath(path, printable(_label(path)))
            message = f"{one_line(item.text)} is not a policy"
            self._problems.add(item.position, message, "a policy ends in .yaml or .yml")
            return None
        self._problems.add(
            item.position,
            f"no such file: {one_line(item.text)}",
            "paths are relative to this file's folder",
        )
        return None

    def _reveal(self, root: MappingNode) -> frozenset[str]:
        scope = Scope({}, frozenset(self._texts(root, "extra_fields")))
        revealed = self._texts(root, "reveal")
        for path, item in revealed.items():
            known = scope.find(path)
            if known is None:
                hint = nearest(path, FIELDS)
                self._problems.add(item.position, f"no field is called {one_line(path)}", hint)
            elif known.exposure is Exposure.SECRET:
                message, hint = f"{path} is a live credential: it stays hidden", "remove it"
                self._problems.add(item.position, message, hint)
        return frozenset(revealed)

    def _extra_fields(self, root: MappingNode) -> Iterator[str]:
        for path, item in self._texts(root, "extra_fields").items():
            fact = fact_of(path)
            if fact:
                message = f"{one_line(path)}: {fact} is a fact, read from {FACT_LISTS[fact].path}"
                self._problems.add(item.position, message, "its fields are known: remove this")
                continue
            if _FIELD_PATH.fullmatch(path) and path not in _RESERVED:
                yield path
                continue
            message = f"{one_line(path) or 'nothing'} is not a field path"
            self._problems.add(
                item.position, message, "such as steward, status.steward or setup_tests[].id"
            )

    def _text(self, root: MappingNode, key: str) -> str:
        node = root.get(key)
        if node is None:
            return ""
        if isinstance(node, ScalarNode) and isinstance(node.value, str) and node.text:
            return one_line(node.text)
        self._problems.add(node.position, f"{key}: takes a text", "quote it")
        return ""

    def _texts(self, root: MappingNode, key: str) -> dict[str, ScalarNode]:
        texts = {}
        for item in self._list(root.get(key), key):
            if isinstance(item, ScalarNode) and isinstance(item.value, str):
                texts[item.text] = item
            else:
                self._problems.add(item.position, f"{key}: takes a list of texts", "quote it")
        return texts

    def _list(self, node: Node | None, key: str) -> tuple[Node, ...]:
        if node is None:
            return ()
        if isinstance(node, SequenceNode):
            return node.items
        self._problems.add(
            node.position, f"{key}: takes a list", "one entry per line, each after -"
        )
        return ()

    def _mapping(self, node: Node | None, key: str) -> tuple[tuple[ScalarNode, Node], ...]:
        if node is None:
            return ()
        if isinstance(node, MappingNode):
            return node.entries
        self._problems.add(node.position, f"{key}: takes a mapping of names to values")
        return ()


def check_keys(node: MappingNode, known: tuple[str, ...], what: str, problems: Problems) -> None:
    """Record every key of ``node`` that is not one of ``known``."""
    for key, _ in node:
        if key.text not in known:
            hint = nearest(key.text, known, FOREIGN_KEYS) or f"a {what} has {listed(known)}"
            problems.add(key.position, f"a {what} has no key {one_line(key.text)}", hint)


def longest_waiver(node: Node | None, problems: Problems) -> timedelta | None:
    """Return ``max_waiver``; None without it, or if a problem was recorded."""
    if node is None:
        return None
    text = node.text if isinstance(node, ScalarNode) and isinstance(node.value, str) else ""
    term = parse_duration(text)
    if not term:
        hint = "write 90d or 26w; to allow no waiver at all, write waivable: false in the rule"
        problems.add(node.position, "max_waiver: takes a duration", hint)
        return None
    return term


def _is_path(name: str) -> bool:
    return "/" in name or name.endswith((".yaml", ".yml")) or name in {".", ".."}


def _is_file_or_folder(name: str) -> bool:
    """Whether a ``--policy`` argument names a file or a folder, and not a pack."""
    return _is_path(name) or (
        bool(name.strip()) and name not in pack_names() and _is_folder(Path(name))
    )


def _folder(path: Path) -> PolicyFolder:
    """Return what a folder of policies contains. Raises UsageError if it has none."""
    try:
        found = read_folder(path)
    except OSError as error:
        where = one_line(str(error.filename or path))
        raise UsageError(f"{where}: cannot be read: {error.strerror}") from error
    if not found.policies:
        raise UsageError(f"{path}: no policy in this folder; policies end in .yaml or .yml")
    return found


def _pack(name: str) -> PolicyPath:
    if name not in pack_names():
        hint = nearest(name, pack_names()) or f"packs: {listed(pack_names())}"
        raise UsageError(f"no pack is called {one_line(name)} ({hint}; a file ends in .yaml)")
    path = resource_folder("policies") / f"{name}.yaml"
    return PolicyPath(path, _label(path))


def _label(path: Path) -> str:
    """Return a file's label, one per file: relative to the working folder if possible.

    A path that was given as absolute and is not below the working folder stays absolute. A pack has
    a label of its own kind: ``policies/baseline.yaml`` may be a file of the user's. In this
    project's repository, where packs are written, they are files like any other.
    """
    try:
        here = Path.cwd()
        whole = Path(os.path.realpath(path))
        if any(part.startswith("..") for part in whole.parts):
            # Kubernetes keeps a volume's files in a folder whose name changes with each update.
            whole = Path(os.path.abspath(path))  # noqa: PTH100  # not what it links to
    except OSError as error:
        raise UsageError("the working folder no longer exists; change to another") from error
    packs = resource_folder("policies")
    if whole.parent == packs and packs != here / "policies":
        return f"{PACK}{whole.stem}"
    if path.is_absolute() and not whole.is_relative_to(here):
        return whole.as_posix()
    try:
        label = Path(os.path.relpath(whole, here)).as_posix()
    except ValueError:  # On another drive.
        return whole.as_posix()
    return f"./{label}" if label.startswith(PACK) else label


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # A name too long, or with a NUL.
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _contents(source: PolicyPath) -> bytes:
    """Return the file's content, or enough of it to see that it is too large."""
    try:
        return read_file(source.path, nodes.MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{source.label}: cannot be read: {reason}") from error
