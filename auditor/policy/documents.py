"""Policy files as documents: found, read, and checked for the keys they may have.

What is below ``rules`` stays as nodes here; ``rule_reader.py`` reads those, once variables and
overrides are settled across files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from auditor.errors import UsageError
from auditor.fields import Exposure, find
from auditor.model import PolicyFile, Position
from auditor.policy import nodes
from auditor.policy.nodes import Mapping as MappingNode
from auditor.policy.nodes import Node, Scalar, Sequence
from auditor.policy.problems import Problems
from auditor.policy.suggest import FOREIGN_KEYS, nearest
from auditor.resources import resource_folder
from auditor.text import listed, one_line

POLICY_KEYS = (
    "policy",
    "title",
    "description",
    "extends",
    "override",
    "vars",
    "reveal",
    "extra_fields",
    "rules",
)


@dataclass(frozen=True, slots=True)
class Document:
    """One policy file: its own keys as nodes, and the files it extends by their labels."""

    file: PolicyFile
    position: Position
    rules: tuple[Node, ...]
    variables: tuple[tuple[Scalar, Node], ...]
    overrides: tuple[tuple[Scalar, Node], ...]
    extends: tuple[str, ...]
    reveal: frozenset[str]
    extra_fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Place:
    """A policy file: where it is, and how positions and reports name it."""

    path: Path
    label: str


def pack_names() -> list[str]:
    """Return the names of the shipped packs."""
    return sorted(path.stem for path in resource_folder("policies").glob("*.yaml"))


def places(name: str) -> list[Place]:
    """Return the files that a ``--policy`` argument names: a file, a folder's files, or a pack.

    A path has a ``/`` or ends in .yaml or .yml; anything else is a pack. Raises UsageError.
    """
    if not _is_path(name):
        return [_pack(name)]
    path = Path(name)
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if _is_policy_file(p))
        if not found:
            raise UsageError(f"{name}: no policy in this folder; policies end in .yaml or .yml")
        return [Place(p, _label(p)) for p in found]
    if not path.exists():
        raise UsageError(f"{name}: no such file or folder")
    return [Place(path, _label(path))]


class DocumentReader:
    """Reads files and what they extend, each once."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        #: What was read, extended files before those that extend them, by label.
        self.documents: dict[str, Document] = {}
        self._under_way: list[str] = []

    def read(self, place: Place) -> None:
        """Read the file at ``place`` and all it extends."""
        if place.label in self.documents:
            return
        try:
            data = place.path.read_bytes()
        except OSError as error:
            raise UsageError(f"{place.label}: cannot be read: {error.strerror}") from error
        self._problems.knows(place.label, data)
        try:
            root, problems = nodes.parse(data, place.label)
        except nodes.YamlError as error:
            self._problems.extend(error.problems)
            return
        self._problems.extend(problems)
        if isinstance(root, MappingNode) and root.get("policy") is not None:
            self._under_way.append(place.label)
            self._take(place, data, root)
            self._under_way.pop()
            return
        hint = "a policy is a mapping that starts with policy: NAME"
        self._problems.add(root.position, "this is no policy", hint)

    def _take(self, place: Place, data: bytes, root: MappingNode) -> None:
        check_keys(root, POLICY_KEYS, "policy", self._problems)
        extends = tuple(self._extended(place, root.get("extends")))
        name = self._text(root, "policy")
        file = PolicyFile(
            name=name or place.path.stem,
            file=place.label,
            sha256=hashlib.sha256(data).hexdigest(),
            title=self._text(root, "title"),
        )
        rules = root.get("rules")
        self.documents[place.label] = Document(
            file=file,
            position=root.position,
            rules=self._list(rules, "rules"),
            variables=self._mapping(root.get("vars"), "vars"),
            overrides=self._mapping(root.get("override"), "override"),
            extends=extends,
            reveal=self._reveal(root),
            extra_fields=frozenset(self._texts(root, "extra_fields")),
        )

    def _extended(self, place: Place, node: Node | None) -> Iterator[str]:
        for item in self._list(node, "extends"):
            if not isinstance(item, Scalar) or not isinstance(item.value, str):
                self._problems.add(item.position, "extends: takes names of packs and files")
                continue
            other = self._other(place, item)
            if other is None:
                continue
            if other.label in self._under_way:
                start = self._under_way.index(other.label)
                circle = " → ".join([*self._under_way[start:], other.label])
                self._problems.add(item.position, f"extends itself: {circle}", "remove one of them")
                continue
            self.read(other)
            yield other.label

    def _other(self, place: Place, item: Scalar) -> Place | None:
        if not _is_path(item.text):
            if item.text in pack_names():
                return _pack(item.text)
            hint = nearest(item.text, pack_names()) or "a file ends in .yaml"
            message = f"no pack is called {one_line(item.text)}"
            self._problems.add(item.position, message, hint)
            return None
        path = place.path.parent / item.text
        if path.is_file():
            return Place(path, _label(path))
        self._problems.add(
            item.position,
            f"no such file: {one_line(item.text)}",
            "paths start at this file's folder",
        )
        return None

    def _reveal(self, root: MappingNode) -> frozenset[str]:
        extra = set(self._texts(root, "extra_fields"))
        node = root.get("reveal")
        for item in self._list(node, "reveal"):
            text = item.text if isinstance(item, Scalar) else ""
            known = find(text)
            if known is None and text not in extra:
                self._problems.add(item.position, f"no field is called {one_line(text)}")
            elif known is not None and known.exposure is Exposure.SECRET:
                self._problems.add(item.position, f"{text} is a live credential; it stays hidden")
        return frozenset(self._texts(root, "reveal"))

    def _text(self, root: MappingNode, key: str) -> str:
        node = root.get(key)
        if node is None:
            return ""
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.text:
            return one_line(node.text)
        self._problems.add(node.position, f"{key}: takes a text", "quote it")
        return ""

    def _texts(self, root: MappingNode, key: str) -> list[str]:
        texts = []
        for item in self._list(root.get(key), key):
            if isinstance(item, Scalar) and isinstance(item.value, str):
                texts.append(item.text)
            else:
                self._problems.add(item.position, f"{key}: takes a list of texts", "quote it")
        return texts

    def _list(self, node: Node | None, key: str) -> tuple[Node, ...]:
        if node is None:
            return ()
        if isinstance(node, Sequence):
            return node.items
        self._problems.add(node.position, f"{key}: takes a list", "one entry a line, each after -")
        return ()

    def _mapping(self, node: Node | None, key: str) -> tuple[tuple[Scalar, Node], ...]:
        if node is None:
            return ()
        if isinstance(node, MappingNode):
            return node.entries
        self._problems.add(node.position, f"{key}: takes a mapping of names to values")
        return ()


def check_keys(node: MappingNode, known: tuple[str, ...], what: str, problems: Problems) -> None:
    """Note every key of ``node`` that is none of ``known``."""
    for key, _ in node:
        if key.text not in known:
            hint = nearest(key.text, known, FOREIGN_KEYS) or f"a {what} has {listed(known)}"
            problems.add(key.position, f"a {what} has no key {one_line(key.text)}", hint)


def _is_path(name: str) -> bool:
    return "/" in name or name.endswith((".yaml", ".yml")) or name in {".", ".."}


def _is_policy_file(path: Path) -> bool:
    # Tests of policies stand beside them.
    name = path.name
    return (
        path.is_file()
        and not name.startswith(".")
        and name.endswith((".yaml", ".yml"))
        and not name.endswith((".test.yaml", ".test.yml"))
    )


def _pack(name: str) -> Place:
    path = resource_folder("policies") / f"{name}.yaml"
    if not path.is_file():
        hint = nearest(name, pack_names()) or f"packs: {listed(pack_names())}"
        raise UsageError(f"no pack is called {one_line(name)} ({hint}; a file ends in .yaml)")
    return Place(path, f"policies/{name}.yaml")


def _label(path: Path) -> str:
    """Return how a file is named: relative to the working folder where it is below it."""
    whole = path.resolve()
    if whole.parent == resource_folder("policies"):
        return f"policies/{whole.name}"
    here = Path.cwd()
    return whole.relative_to(here).as_posix() if whole.is_relative_to(here) else path.as_posix()
