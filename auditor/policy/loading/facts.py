"""The facts that policies declare, read from their nodes and from the files that they name."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from auditor.errors import UsageError
from auditor.facts.columns import COLUMN_TYPES, FOREIGN_TYPES, ColumnType, WrongValueError
from auditor.facts.files import MAX_BYTES, Declared, FactsFileError, read_facts
from auditor.facts.keys import KeyFault, fault_of_key, faults_for
from auditor.facts.own import OwnFacts
from auditor.facts.shape import fact_of
from auditor.fields import FACT_LISTS, FIELDS, Exposure, Kind, find
from auditor.files import read_file
from auditor.model import Position
from auditor.output.inputs import Inputs
from auditor.policy.loading.documents import Document, check_keys
from auditor.policy.loading.nodes import MappingNode, Node, ScalarNode, plain_value
from auditor.policy.loading.problems import Problems
from auditor.policy.loading.resolve import disagree, files_below
from auditor.suggest import nearest
from auditor.text import listed, one_line, printable

FACTS_KEYS = ("file", "rows", "key", "match", "columns", "default", "optional")
_KEY_KEYS = ("field", "column")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NAMED = "a letter or _, then letters, digits, - and _, such as "
_RESERVED = frozenset({"all", "any", "not", "item", "var", "field"})
MATCHES = {"exact": False, "glob": True}


class _RowKey(msgspec.Struct, frozen=True):
    """What names a row: a field, and the column with its values."""

    field: str
    column: str
    fault: KeyFault = fault_of_key


def settle_facts(
    documents: Mapping[str, Document],
    given: Mapping[str, str],
    problems: Problems,
    inputs: Inputs | None = None,
) -> dict[str, OwnFacts]:
    """Return every fact that a policy declares, with its rows.

    ``given`` are files that replace those of the policies, by the facts' name. Files that are read
    are recorded in ``inputs``. Raises UsageError for a name that no policy declares, or a file that
    cannot be read.
    """
    settled: dict[str, tuple[str, ScalarNode, Node]] = {}
    for label, document in documents.items():
        for key, node in document.facts:
            earlier = settled.get(key.text)
            if earlier is not None and earlier[0] not in files_below(label, documents):
                disagree(key, f"the facts {key.text}", earlier[0], problems)
                continue
            settled[key.text] = (label, key, node)
    for name in given:
        if name not in settled:
            hint = nearest(name, settled) or "declare them under facts: in a policy"
            said = f"--facts {one_line(name)}: no policy in force declares it ({hint})"
            raise UsageError(said, option="facts", item=name)
    reader = _FactsReader(frozenset(settled), problems, inputs or Inputs())
    found: dict[str, OwnFacts] = {}
    for name, (label, key, node) in settled.items():
        facts = reader.read(key, node, documents[label], given.get(name))
        if facts is not None:
            found[name] = facts
    _check_circles(found, problems)
    return found


def facts_notes(documents: Mapping[str, Document], given: Mapping[str, str]) -> Iterator[str]:
    """Yield which facts have other rows than in the file that declares them.

    Rows for facts that are ``optional`` replace nothing.
    """
    first: dict[str, tuple[str, MappingNode]] = {}
    for label, document in documents.items():
        for key, node in document.facts:
            if not isinstance(node, MappingNode):
                continue
            where, earlier = first.setdefault(key.text, (label, node))
            if earlier.get("optional") is not None:
                first[key.text] = (label, node)
                continue
            if earlier is node:
                continue
            # The same path names another file beside another policy.
            if node.get("file") is not None or plain_value(earlier) != plain_value(node):
                yield f"{key.position} redefines the facts {key.text} ({where} has its own rows)"
    for name, path in given.items():
        if name in first and first[name][1].get("optional") is None:
            where = first[name][0]
            yield f"--facts reads {name} from {printable(path)} ({where} has its own rows)"


class _FactsReader:
    """Reads the facts of all policies; ``names`` are their names."""

    def __init__(self, names: frozenset[str], problems: Problems, inputs: Inputs) -> None:
        self._names = names
        self._inputs = inputs
        self._problems = problems

    def read(
        self, name: ScalarNode, node: Node, document: Document, given: str | None
    ) -> OwnFacts | None:
        """Return the facts at ``node``; None when a problem was noted in their place."""
        if not self._is_name(name):
            return None
        if not isinstance(node, MappingNode):
            hint = "such as {file: tiers.csv, key: schema, columns: {tier: integer}}"
            self._problems.add(node.position, f"the facts {one_line(name.text)} are empty", hint)
            return None
        before = len(self._problems.errors)
        check_keys(node, FACTS_KEYS, "fact", self._problems)
        key = self._key(node)
        columns = self._columns(node)
        globs = self._match(node)
        if key is None or columns is None or len(self._problems.errors) > before:
            return None
        exact = node.get("match") is None
        key = msgspec.structs.replace(key, fault=faults_for(find(key.field), exact=exact))
        default = self._default(node, columns)
        facts = OwnFacts(name.text, name.position, key.field, columns, {}, globs, default)
        if given is not None:
            path = Path(given)
            return self._from_file(facts, key, path, printable(given), None)
        return self._sourced(facts, key, node, document)

    def _is_name(self, name: ScalarNode) -> bool:
        text = name.text
        if not _NAME.fullmatch(text):
            message = f"{one_line(text) or 'nothing'} is not a valid name for facts"
            self._problems.add(name.position, message, _NAMED + "tiers")
        elif text in FACT_LISTS:
            message = f"{text} is a fact already, read from {FACT_LISTS[text].path}"
            self._problems.add(name.position, message, "give yours another name")
        elif text in FIELDS or text in _RESERVED:
            what = "a field of a connection" if text in FIELDS else "a word of the language"
            self._problems.add(name.position, f"{text} is {what}", "give the facts another name")
        else:
            return True
        return False

    def _key(self, node: MappingNode) -> _RowKey | None:
        value = node.get("key")
        if value is None:
            hint = "write key: schema for rows named by the connection's schema"
            self._problems.add(node.position, "facts need a key", hint)
            return None
        if isinstance(value, ScalarNode):
            path, column = value, value.text.rpartition(".")[2]
        elif isinstance(value, MappingNode):
            check_keys(value, _KEY_KEYS, "key", self._problems)
            field, named = value.get("field"), value.get("column")
            if not isinstance(field, ScalarNode) or not isinstance(named, ScalarNode):
                hint = "write {field: schema, column: name}"
                self._problems.add(value.position, "key: takes a field and a column", hint)
                return None
            path, column = field, named.text
        else:
            self._problems.add(value.position, "key: takes the path of one field", "such as schema")
            return None
        return _RowKey(path.text, column) if self._is_key(path) else None

    def _is_key(self, path: ScalarNode) -> bool:
        own = path.text.partition(".")[0]
        if own in self._names:
            return "." in path.text
        found = find(path.text) if path.text and "[]" not in path.text else None
        if found is None:
            hint = nearest(path.text, [p for p in FIELDS if "[]" not in p])
            self._problems.add(path.position, f"no field is called {one_line(path.text)}", hint)
        elif found.exposure is Exposure.SECRET or found.kind not in {Kind.STRING, Kind.ANY}:
            held = "a live credential" if found.exposure is Exposure.SECRET else found.kind.value
            message = f"{path.text} is {held}, so it cannot identify a row"
            self._problems.add(path.position, message, "name a field that holds text")
        elif fact_of(path.text) and FACT_LISTS[fact_of(path.text)].several:
            message = f"a connection has several {fact_of(path.text)}, so they name no row"
            self._problems.add(path.position, message, "name a field that holds one text")
        else:
            return True
        return False

    def _columns(self, node: MappingNode) -> tuple[tuple[str, ColumnType], ...] | None:
        value = node.get("columns")
        if not isinstance(value, MappingNode) or not value.entries:
            at = value or node
            hint = "such as columns: {tier: integer, team: text}"
            self._problems.add(at.position, "facts need columns, each with its type", hint)
            return None
        columns: list[tuple[str, ColumnType]] = []
        for key, kind in value:
            text = kind.text if isinstance(kind, ScalarNode) else ""
            column = COLUMN_TYPES.get(text)
            if not _NAME.fullmatch(key.text) or key.text in _RESERVED:
                message = f"{one_line(key.text) or 'nothing'} cannot be the name of a column"
                self._problems.add(key.position, message, _NAMED + "tier")
            elif column is None:
                hint = nearest(text, COLUMN_TYPES, FOREIGN_TYPES)
                hint = hint or f"types: {listed(COLUMN_TYPES)}"
                message = f"{one_line(text) or 'this'} is not a column type"
                self._problems.add(kind.position, message, hint)
            else:
                columns.append((key.text, column))
        return tuple(columns)

    def _match(self, node: MappingNode) -> bool:
        value = node.get("match")
        if value is None:
            return False
        text = value.text if isinstance(value, ScalarNode) else ""
        globs = MATCHES.get(text)
        if globs is None:
            hint = nearest(text, MATCHES) or f"write {listed(MATCHES)}"
            self._problems.add(value.position, f"match: is {one_line(text) or 'no word'}", hint)
        return bool(globs)

    # -- rows -------------------------------------------------------------------------------

    def _sourced(
        self, facts: OwnFacts, key: _RowKey, node: MappingNode, document: Document
    ) -> OwnFacts | None:
        file, rows, optional = node.get("file"), node.get("rows"), node.get("optional")
        if optional is not None:
            if not (isinstance(optional, ScalarNode) and optional.value is True):
                hint = "write optional: true, or leave it out"
                self._problems.add(optional.position, "optional: is not true", hint)
            elif file is not None or rows is not None:
                message = "facts that have rows are not optional"
                self._problems.add(optional.position, message, "leave optional: out")
            return facts
        if (file is None) == (rows is None):
            message = "facts take file: or rows:"
            message += ", not both" if file is not None else ""
            hint = f"or optional: true, for rows that --facts {facts.name}=FILE may bring"
            self._problems.add(node.position, message, hint)
            return None
        if rows is not None:
            return self._in_place(facts, key, rows)
        if not isinstance(file, ScalarNode) or not isinstance(file.value, str) or not file.text:
            at = file or node
            self._problems.add(at.position, "file: takes the path of a file", "such as tiers.csv")
            return None
        path = document.folder / file.text
        return self._from_file(facts, key, path, printable(_label(path)), file.position)

    def _in_place(self, facts: OwnFacts, named_by: _RowKey, node: Node) -> OwnFacts | None:
        if not isinstance(node, MappingNode) or not node.entries:
            hint = "such as rows: {postgres: 5, salesforce: 60}"
            self._problems.add(node.position, "rows: takes a row for each key", hint)
            return None
        rows = {}
        for key, value in node:
            values = self._values(value, facts.columns)
            fault = named_by.fault(key.text)
            if key.text and fault is not None:
                self._problems.add(key.position, *fault)
            elif key.text and values is not None:
                rows[key.text] = values
            elif not key.text:
                self._problems.add(key.position, "a row needs its key", "quote it")
        return msgspec.structs.replace(facts, rows=rows)

    def _default(
        self, node: MappingNode, columns: tuple[tuple[str, ColumnType], ...]
    ) -> tuple[Any, ...] | None:
        value = node.get("default")
        return None if value is None else self._values(value, columns)

    def _values(
        self, node: Node, columns: tuple[tuple[str, ColumnType], ...]
    ) -> tuple[Any, ...] | None:
        """Return the values of a row in place: a mapping, or the value of a single column."""
        if isinstance(node, ScalarNode) and len(columns) == 1:
            name, column = columns[0]
            return self._typed(node, name, column)
        names = [name for name, _ in columns]
        if not isinstance(node, MappingNode):
            hint = f"write {{{names[0]}: …}}"
            self._problems.add(node.position, f"a row has a value for {listed(names)}", hint)
            return None
        check_keys(node, tuple(names), "row", self._problems)
        values: list[Any] = []
        for name, column in columns:
            held = node.get(name)
            if held is None:
                values.append(None)
            elif isinstance(held, ScalarNode):
                values += self._typed(held, name, column) or (None,)
            else:
                self._problems.add(held.position, f"{name} takes one value", "")
        return tuple(values) if len(values) == len(columns) else None

    def _typed(self, node: ScalarNode, name: str, column: ColumnType) -> tuple[Any, ...] | None:
        if node.value is None:
            return (None,)
        try:
            return (column.typed(node.value),)
        except WrongValueError as error:
            message = f"{name} is {one_line(node.text) or 'empty'}, expected {error}"
            self._problems.add(node.position, message)
            return None

    def _from_file(
        self, facts: OwnFacts, key: _RowKey, path: Path, label: str, named_at: Position | None
    ) -> OwnFacts | None:
        """Return ``facts`` with the rows in a file, which the policy names, or else ``--facts``."""
        self._inputs.add(f"the facts {facts.name}", path)
        try:
            data = read_file(path, MAX_BYTES + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            if named_at is None:
                said = f"--facts {facts.name}: {label} cannot be read: {reason}"
                raise UsageError(said, option="facts", item=facts.name) from error
            message = f"{label}: the facts {facts.name} cannot be read: {reason}"
            self._problems.add(named_at, message, "paths are relative to the policy's folder")
            return facts  # What they hold is known, and none of their rules is wrong for this.
        try:
            rows = read_facts(data, Declared(label, key.column, facts.columns, key.fault))
        except FactsFileError as error:
            for problem in error.problems:
                self._problems.add(problem.position, problem.message, problem.hint)
            return facts
        digest = hashlib.sha256(data).hexdigest()
        return msgspec.structs.replace(facts, rows=rows, file=label, sha256=digest)


def _check_circles(facts: Mapping[str, OwnFacts], problems: Problems) -> None:
    """Record facts whose keys refer to each other in a circle, or to a missing column."""
    fields = {field.path: field for each in facts.values() for field in each.fields()}
    for each in facts.values():
        seen, above = [each.name], each.key.partition(".")[0]
        while above in facts and above not in seen:
            seen.append(above)
            above = facts[above].key.partition(".")[0]
        if above in seen:
            circle = " → ".join([*seen[seen.index(above) :], above])
            problems.add(each.position, f"these facts look each other up: {circle}", "")
        elif each.key.partition(".")[0] in facts:
            found = fields.get(each.key)
            if found is None or found.kind is not Kind.STRING:
                held = found.kind.value if found else "no column"
                problems.add(each.position, f"{each.key} is {held}", "name a column of type text")


def _label(path: Path) -> str:
    # As it is named: where a link leads to may change, and a circle leads nowhere.
    here = Path.cwd()
    whole = Path(os.path.normpath(here / path))
    if path.is_absolute() and not whole.is_relative_to(here):
        return whole.as_posix()
    return Path(os.path.relpath(whole, here)).as_posix()
