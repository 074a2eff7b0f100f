"""From policy files to the rules in force.

Files are read first, with all they extend; then variables and overrides are settled across them;
then every rule is built. Every problem in every file is collected, and nothing runs with one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from auditor.errors import PolicyError, Problem, UsageError
from auditor.facts.own import OwnFacts
from auditor.model import Position
from auditor.output.inputs import Inputs
from auditor.policy.language.rules import GroupRule, PolicyRule, Ruleset
from auditor.policy.loading.documents import Document, DocumentReader
from auditor.policy.loading.examples import Example, Known
from auditor.policy.loading.facts import facts_notes, settle_facts
from auditor.policy.loading.named_conditions import NamedConditions
from auditor.policy.loading.nodes import MappingNode, ScalarNode
from auditor.policy.loading.problems import Problems
from auditor.policy.loading.resolve import (
    Override,
    check_overrides,
    check_read,
    condition_notes,
    files_below,
    settle_conditions,
    settle_overrides,
    settle_variables,
    variable_notes,
)
from auditor.policy.loading.rule_parser import RuleReader
from auditor.policy.loading.scope import Scope
from auditor.text import listed, one_line


class Loaded(msgspec.Struct, frozen=True):
    """All that was read: the rules in force, their examples, the warnings.

    ``line`` returns the text of a line in one of the files, to show it under a problem. ``known``
    is what tests of the rules may name.
    """

    ruleset: Ruleset
    examples: tuple[tuple[PolicyRule | GroupRule, tuple[Example, ...]], ...]
    warnings: tuple[Problem, ...]
    line: Callable[[Position], str] = msgspec.field(default=lambda _: "")
    known: Known = Known()


def load(
    names: Iterable[str],
    *,
    variables: Mapping[str, str] | None = None,
    facts: Mapping[str, str] | None = None,
    strict: bool = False,
    inputs: Inputs | None = None,
) -> Loaded:
    """Load policies by file, folder or pack, with all they extend.

    ``variables`` override those that policies declare, ``facts`` name files that stand for theirs.
    With ``strict`` a warning stops the load too. Files that are read are recorded in ``inputs``.
    Raises PolicyError with every problem found, UsageError for an unknown name.
    """
    problems = Problems()
    reader = DocumentReader(problems, inputs)
    for name in names:
        reader.read_all(name)
    documents = reader.documents
    ids = _rule_ids(documents, problems)
    try:
        values = settle_variables(documents, variables or {}, problems)
        own = settle_facts(documents, facts or {}, problems, inputs)
    except UsageError as error:
        if problems.errors:
            # What could not be read may declare what nobody else does.
            raise PolicyError(sorted(problems.errors, key=_by_position)) from error
        raise
    overrides = settle_overrides(documents, ids, problems)
    declared = settle_conditions(documents, problems)
    columns = {f"{f.name}.{name}": typed for f in own.values() for name, typed in f.columns}
    scope = Scope(
        values,
        facts={field.path: field for each in own.values() for field in each.fields()},
        fact_keys={name: each.key for name, each in own.items()},
        columns=columns,
    )
    conditions = NamedConditions(declared, scope, problems)
    scope = replace(scope, conditions=conditions)
    rules: list[PolicyRule | GroupRule] = []
    examples: list[tuple[PolicyRule | GroupRule, tuple[Example, ...]]] = []
    left_out: dict[str, str] = {}
    named = _packs_named(documents)
    for label, document in documents.items():
        rule_reader = RuleReader(
            document, scope, problems, named.get(label), _max_waiver(documents, label)
        )
        for node in document.rules:
            if not isinstance(node, MappingNode):
                hint = "a rule is a mapping with id, severity and assert"
                problems.add(node.position, "this is not a rule", hint)
                continue
            override = overrides.get(_text_of(node, "id"))
            read = rule_reader.read(node, override)
            disabled = _disabled(node, override, problems)
            if disabled:
                left_out[_text_of(node, "id")] = disabled
            elif read is not None:
                rules.append(read.rule)
                examples.append((read.rule, read.examples))
            elif not problems.errors:
                # A rule that is neither judged nor refused would look like a pass.
                problems.add(node.position, "this rule was not read; that is a bug in the auditor")
    by_name = conditions.finish()
    if not problems.errors:
        # A rule that could not be read may use any variable.
        check_read(documents, values, problems)
        check_overrides(documents, problems)
        _check_some(documents, problems, standing=bool(ids), in_force=bool(rules))
    if problems.errors or (strict and problems.warnings):
        raise PolicyError(sorted(problems.errors + problems.warnings, key=_by_position))
    ruleset = Ruleset(
        rules=tuple(rules),
        policies=tuple(document.file for document in documents.values()),
        left_out=tuple(left_out.values()),
        warnings=tuple(str(warning) for warning in problems.warnings),
        overridden={name: tuple(_changes(override)) for name, override in overrides.items()},
        disabled=left_out,
        conditions=by_name,
        notes=(
            *condition_notes(documents),
            *variable_notes(documents, variables or {}),
            *facts_notes(documents, facts or {}),
            *_weakened(documents, overrides, ids),
            *_without_rows(own.values()),
        ),
        facts=own,
    )
    extra = frozenset(path for document in documents.values() for path in document.extra_fields)
    known = Known(replace(scope, extra_fields=extra).find, columns)
    return Loaded(ruleset, tuple(examples), tuple(problems.warnings), problems.line, known)


def _without_rows(facts: Iterable[OwnFacts]) -> Iterator[str]:
    """Yield the facts without rows: rules that read them apply to nothing."""
    names = [each.name for each in facts if not each.rows and each.default is None]
    if names:
        yield (
            f"no rows for {listed(names, 'and')}, so rules that read them apply to nothing; bring"
            f" rows with --facts {names[0]}=FILE, or in a policy that extends theirs"
        )


def _check_some(
    documents: Mapping[str, Document], problems: Problems, *, standing: bool, in_force: bool
) -> None:
    """Record that there is no rule at all, or none in force."""
    position = Position(next(iter(documents), "policy"), 1, 1)
    if not standing:
        files = ", ".join(documents) or "the policies"
        problems.add(position, f"no rules in {files}", "write rules:, or extend a pack")
    elif not in_force:
        problems.add(position, "every rule is disabled", "enable at least one")


def load_policies(
    *names: str | os.PathLike[str],
    variables: Mapping[str, object] | None = None,
    facts: Mapping[str, str | os.PathLike[str]] | None = None,
    strict: bool = False,
) -> Ruleset:
    """Return the rules of the policies ``names``: files, folders or shipped packs.

    A ``Path`` is a file or a folder, whatever it is called. ``variables`` are texts, as after
    ``--var``, or what Python has for them: numbers, booleans, lists of texts. ``facts`` name files
    that stand for those of facts that policies declare. Raises PolicyError with every problem
    found, UsageError for an unknown name and for any other value.
    """
    texts = {name: _variable(name, value) for name, value in (variables or {}).items()}
    files = {name: os.fspath(path) for name, path in (facts or {}).items()}
    return load(map(_policy_name, names), variables=texts, facts=files, strict=strict).ruleset


def _policy_name(name: object) -> str:
    if isinstance(name, str):
        return name
    if isinstance(name, os.PathLike):
        path = os.fspath(name)
        if isinstance(path, str):
            return path if "/" in path or os.path.isabs(path) else f"./{path}"  # noqa: PTH117  # text
    raise UsageError(f"{one_line(repr(name))} names no policy; pass a text or a Path")


def _variable(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return str(value)
    if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
        return ",".join(value)
    raise UsageError(
        f"variable {one_line(str(name))}: {one_line(repr(value))} is not a text, number, boolean or"
        " list of texts"
    )


def _packs_named(documents: Mapping[str, Document]) -> dict[str, Position]:
    """Return where a file of the user's extends each pack, directly or through another pack."""
    found: dict[str, Position] = {}
    # The extending file comes after the extended one.
    for label, document in reversed(list(documents.items())):
        for other, position in document.extends.items():
            place = found.get(label) if position.in_pack else position
            if place is not None:
                found.setdefault(other, place)
    return found


def _max_waiver(documents: Mapping[str, Document], label: str) -> timedelta | None:
    """Return the longest term of a waiver for a file's rules: the shortest of all limits.

    A file limits its own rules and those of the files that it extends.
    """
    asked = [
        document.max_waiver
        for other, document in documents.items()
        if other == label or label in files_below(other, documents)
    ]
    return min(filter(None, asked), default=None)


def _by_position(problem: Problem) -> Position:
    return problem.position


def _rule_ids(documents: Mapping[str, Document], problems: Problems) -> dict[str, Position]:
    """Return where each rule is, recording ids that occur twice."""
    found: dict[str, Position] = {}
    for document in documents.values():
        for node in document.rules:
            name = node.get("id") if isinstance(node, MappingNode) else None
            if not isinstance(name, ScalarNode) or not isinstance(name.value, str):
                continue
            if name.text in found:
                problems.add(
                    name.position,
                    f"a rule called {one_line(name.text)} already exists at {found[name.text]}",
                    "give one of them another id, or override the first",
                )
            else:
                found[name.text] = name.position
    return found


def _changes(override: Override) -> Iterator[str]:
    """Yield what is overridden, and where."""
    for name, (key, _) in override.entries.items():
        yield f"{name} is overridden at {key.position}"


def _weakened(
    documents: Mapping[str, Document],
    overrides: Mapping[str, Override],
    ids: Mapping[str, Position],
) -> Iterator[str]:
    """Yield the rules with another severity than in their file, and those allowed to be idle."""
    own = {
        _text_of(node, "id"): _text_of(node, "severity")
        for document in documents.values()
        for node in document.rules
        if isinstance(node, MappingNode)
    }
    for name, override in overrides.items():
        key, value = override.entries.get("severity", (None, None))
        if key is not None and isinstance(value, ScalarNode) and value.text != own.get(name):
            yield (
                f"{key.position} sets the severity of {name} to {value.text}"
                f" ({ids[name].file} has {own.get(name)})"
            )
        key, value = override.entries.get("may_be_idle", (None, None))
        if key is not None and isinstance(value, ScalarNode) and value.value is True:
            yield f"{key.position} lets {name} be idle even with --strict"
        key, value = override.entries.get("waivable", (None, None))
        if key is not None and isinstance(value, ScalarNode) and value.value is True:
            yield f"{key.position} lets {name} be waived"
        key, value = override.entries.get("max_waiver", (None, None))
        if key is not None and isinstance(value, ScalarNode):
            yield f"{key.position} sets max_waiver of {name} to {one_line(value.text)}"


def _disabled(node: MappingNode, override: Override | None, problems: Problems) -> str:
    """Return the sentence that says a rule is disabled; "" for one in force."""
    enabled = override.entries.get("enabled") if override else None
    if enabled is None or override is None:
        return ""
    key, value = enabled
    if not isinstance(value, ScalarNode) or type(value.value) is not bool:
        problems.add(value.position, "enabled: takes true or false")
        return ""
    if value.value:
        return ""
    reason = override.entries.get("reason")
    if reason is None:
        hint = "write reason: beside it; every report shows it"
        problems.warn(key.position, f"{_text_of(node, 'id')} is disabled without a reason", hint)
    because = (
        f": {one_line(reason[1].text)}" if reason and isinstance(reason[1], ScalarNode) else ""
    )
    return f"rule {_text_of(node, 'id')} is disabled at {key.position}{because}"


def _text_of(node: MappingNode, key: str) -> str:
    value = node.get(key)
    return value.text if isinstance(value, ScalarNode) else ""
