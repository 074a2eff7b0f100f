"""Test files: ``NAME.test.yaml`` beside a policy, for tests of several rules at once.

    policy: house.yaml        # left out: the policy of the same name
    tests:
      - name: a nightly load of the ledger
        given: {schema: ledger, sync_frequency: 1440}
        vars: {sync_ceiling: 1440}
        expect: {sync-frequency-bounds: pass, daily-window: fail}

``record`` holds a whole record, or several, in place of ``given`` and ``without``; ``now`` is the
time at which a test is judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from auditor.clock import parse_timestamp
from auditor.errors import PolicyError, UsageError
from auditor.files import read_file
from auditor.model import Position, Verdict
from auditor.output.inputs import Inputs
from auditor.policy.loading import nodes
from auditor.policy.loading.documents import policy_paths
from auditor.policy.loading.examples import (
    CASE_KEYS,
    FILE_KEYS,
    NOW,
    Example,
    Given,
    Known,
    check_record,
    in_words,
    message_of,
    read_given,
    verdict_of,
)
from auditor.policy.loading.load import Loaded, load
from auditor.policy.loading.nodes import MappingNode, Node, ScalarNode, SequenceNode, plain_value
from auditor.policy.loading.problems import Problems
from auditor.policy.testing.examples_run import ExampleOutcome, judged
from auditor.suggest import nearest
from auditor.text import one_line

SUFFIXES = (".test.yaml", ".test.yml")


class Expectation(msgspec.Struct, frozen=True):
    """A rule's id, with its position, and the verdict it should come to."""

    rule_id: str
    position: Position
    verdict: Verdict


class Case(msgspec.Struct, frozen=True):
    """One test of a test file. ``variables`` are as ``--var`` takes them."""

    name: str
    position: Position
    given: Given
    expects: tuple[Expectation, ...]
    message: str | None
    variables: tuple[tuple[str, str], ...]
    variables_at: Position
    now: datetime = NOW


class TestFile(msgspec.Struct, frozen=True):
    """A test file: its label, the policy it tests (by name and as it loads), its tests."""

    label: str
    policy: str
    loaded: Loaded
    cases: tuple[Case, ...]

    __test__ = False  # Not a class of tests, despite its name.


def is_test_file(name: str) -> bool:
    """Whether ``name`` is that of a test file."""
    return name.endswith(SUFFIXES)


def files_beside(policy: Path) -> list[Path]:
    """Return the test files of a policy's own name that are beside it."""
    found = (policy.with_name(policy.stem + suffix) for suffix in SUFFIXES)
    return [path for path in found if path.is_file()]


def run_test_file(path: Path, inputs: Inputs | None = None) -> tuple[ExampleOutcome, ...]:
    """Return the outcome of every test in the file at ``path``, one per rule it names.

    Files that are read are recorded in ``inputs``. Raises PolicyError with every problem in the
    file or in its policy, UsageError for a missing file.
    """
    problems, inputs = Problems(), inputs or Inputs()
    inputs.add("the tests", path)
    file = _read(path, problems, inputs)
    found = file if file is not None and not problems.errors else None
    outcomes = tuple(_run(found, problems)) if found is not None else ()
    if problems.errors:
        raise PolicyError(problems.errors)
    return outcomes


# -- running --------------------------------------------------------------------------------------


def _run(file: TestFile, problems: Problems) -> Iterator[ExampleOutcome]:
    known: dict[tuple[tuple[str, str], ...], Loaded] = {(): file.loaded}
    for case in file.cases:
        if case.variables not in known:
            try:
                known[case.variables] = load([file.policy], variables=dict(case.variables))
            except UsageError as error:
                problems.add(case.variables_at, str(error).removeprefix("--var "))
                continue
        yield from _outcomes(case, known[case.variables], file, problems)


def _outcomes(
    case: Case, loaded: Loaded, file: TestFile, problems: Problems
) -> Iterator[ExampleOutcome]:
    rules = {entry.rule.id: entry for entry in loaded.ruleset.rules}
    for expectation in case.expects:
        entry = rules.get(expectation.rule_id)
        if entry is None:
            unknown = f"no rule in force is called {one_line(expectation.rule_id)}"
            hint = (
                nearest(expectation.rule_id, rules) or f"fivetran-auditor explain -p {file.policy}"
            )
            problems.add(expectation.position, unknown, hint)
            continue
        # A message is for every rule that fails here; the others have none.
        told_here = expectation.verdict in {Verdict.FAIL, Verdict.ERROR}
        message = case.message if told_here else None
        example = Example(
            expectation.position,
            case.given,
            expectation.verdict,
            message,
            case.name,
            case.position,
            varied=bool(case.variables),
            now=case.now,
        )
        yield from judged(entry, [example], loaded.ruleset.facts)


# -- reading --------------------------------------------------------------------------------------


def _read(path: Path, problems: Problems, inputs: Inputs) -> TestFile | None:
    (source,) = policy_paths(str(path))
    try:
        data = read_file(source.path, nodes.MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{source.label}: cannot be read: {error.strerror}") from error
    problems.knows(source.label, data)
    try:
        root, found = nodes.parse(data, source.label)
    except nodes.YamlError as error:
        problems.extend(error.problems)
        return None
    problems.extend(found)
    if not isinstance(root, MappingNode):
        problems.add(root.position, "a test file is a mapping", "with policy: and tests:")
        return None
    _check_keys(root, FILE_KEYS, "test file", problems)
    policy = _policy(path, root, problems)
    tests = root.get("tests")
    if not isinstance(tests, SequenceNode) or not tests.items:
        message = "a test file needs tests: with at least one test"
        if isinstance(tests, MappingNode):
            message = "tests: takes a list here, and each test names its rules under expect:"
        problems.add(
            (tests or root).position, message, "write - {given: {…}, expect: {RULE: fail}}"
        )
        return None
    # Without variables: the policy's own problems are reported as its own.
    loaded = load([policy], inputs=inputs) if policy is not None else None
    known = loaded.known if loaded is not None else Known()
    cases = [_case(node, number, problems, known) for number, node in enumerate(tests.items, 1)]
    sound = tuple(case for case in cases if case is not None)
    _check_names(sound, problems)
    if policy is None or loaded is None:
        return None
    return TestFile(source.label, policy, loaded, sound)


def _policy(path: Path, root: MappingNode, problems: Problems) -> str | None:
    """Return the policy that is tested, as ``load`` takes it."""
    node = root.get("policy")
    if node is None:
        stem = next(path.name.removesuffix(s) for s in SUFFIXES if path.name.endswith(s))
        found = [
            p for p in (path.with_name(stem + end) for end in (".yaml", ".yml")) if p.is_file()
        ]
        if found:
            return _as_path(found[0])
        message = f"there is no policy {stem}.yaml beside this file"
        problems.add(root.position, message, "name one with policy: FILE or PACK")
        return None
    if not isinstance(node, ScalarNode) or not isinstance(node.value, str) or not node.text.strip():
        problems.add(node.position, "policy: takes the name of a file or a pack")
        return None
    is_path = "/" in node.text or node.text.endswith((".yaml", ".yml"))
    name = _as_path(path.parent / node.text) if is_path else node.text
    try:
        policy_paths(name)
    except UsageError as error:
        hint = "paths are relative to this file's folder"
        if not is_path and path.with_name(f"{node.text}.yaml").is_file():
            hint = f"for the file beside this one, write policy: {node.text}.yaml"
        problems.add(node.position, str(error), hint)
        return None
    return name


def _as_path(path: Path) -> str:
    # A bare name would be a pack.
    return str(path) if path.is_absolute() or "/" in str(path) else f"./{path}"


def _case(node: Node, number: int, problems: Problems, known: Known) -> Case | None:
    if not isinstance(node, MappingNode):
        hint = "write {given: {…}, expect: {RULE: fail}}"
        problems.add(node.position, "a test is a mapping", hint)
        return None
    if not _check_keys(node, CASE_KEYS, "test", problems):
        return None
    given = _given(node, problems, known)
    expects = tuple(_expectations(node, problems))
    message, sound = message_of(node, tuple(e.verdict for e in expects), problems)
    variables = _variables(node.get("vars"), problems)
    now = _now(node.get("now"), problems)
    if given is None or not expects or not sound or variables is None or now is None:
        return None
    at = node.get("vars") or node
    name = _name(node, problems) or f"test {number}"
    return Case(name, node.position, given, expects, message, variables, at.position, now)


def _name(node: MappingNode, problems: Problems) -> str:
    name = node.get("name")
    if name is None:
        return ""
    if isinstance(name, ScalarNode) and isinstance(name.value, str) and name.text.strip():
        return one_line(name.text)
    problems.add(name.position, "name: takes a text", "quote it")
    return ""


def _given(node: MappingNode, problems: Problems, known: Known) -> Given | None:
    record = node.get("record")
    if record is None:
        return read_given(node, problems, known=known)
    if node.get("given") is not None or node.get("without") is not None:
        message = "record: is a whole record; given: and without: change the healthy one"
        problems.add(record.position, message, "write one or the other")
        return None
    value: Any = plain_value(record)
    several = value if isinstance(value, list) else [value]
    if not several or not all(isinstance(item, dict) for item in several):
        problems.add(record.position, "record: takes a record, or a list of records")
        return None
    if not check_record(record, problems, known):
        return None
    return Given(tuple(several), f"the record {in_words(value)}")


def _expectations(node: MappingNode, problems: Problems) -> Iterator[Expectation]:
    expect = node.get("expect")
    if not isinstance(expect, MappingNode) or not expect.entries:
        message = "expect: takes each rule with its verdict"
        problems.add((expect or node).position, message, "such as {RULE: fail, OTHER-RULE: pass}")
        return
    for key, value in expect:
        verdict = verdict_of(value, expect, problems)
        if verdict is not None:
            yield Expectation(key.text, key.position, verdict)


def _variables(node: Node | None, problems: Problems) -> tuple[tuple[str, str], ...] | None:
    """Return variables as ``--var`` takes them: lists with commas."""
    if node is None:
        return ()
    if not isinstance(node, MappingNode) or not node.entries:
        problems.add(node.position, "vars: takes a mapping of names to values")
        return None
    found = []
    for key, value in node:
        items = value.items if isinstance(value, SequenceNode) else (value,)
        texts = [item.text for item in items if isinstance(item, ScalarNode)]
        is_list = isinstance(value, SequenceNode)
        if len(texts) != len(items) or (is_list and any("," in text for text in texts)):
            problems.add(value.position, f"{one_line(key.text)}: takes a value, or a list of them")
            return None
        found.append((key.text, ",".join(texts)))
    return tuple(sorted(found))


def _now(node: Node | None, problems: Problems) -> datetime | None:
    """Return the time a test is judged as of; None if a problem was recorded."""
    if node is None:
        return NOW
    moment = parse_timestamp(node.text) if isinstance(node, ScalarNode) else None
    if moment is None:
        hint = "such as 2026-01-31T12:00:00Z"
        problems.add(node.position, "now: takes a time with a zone", hint)
    return moment


def _check_keys(node: MappingNode, keys: tuple[str, ...], what: str, problems: Problems) -> bool:
    unknown = [key for key, _ in node if key.text not in keys]
    for key in unknown:
        message = f"a {what} has no key {one_line(key.text)}"
        problems.add(key.position, message, nearest(key.text, keys))
    return not unknown


def _check_names(cases: tuple[Case, ...], problems: Problems) -> None:
    seen: dict[str, Position] = {}
    for case in cases:
        if case.name in seen:
            message = f"a test called {case.name} already exists at {seen[case.name]}"
            problems.add(case.position, message, "give each test its own name")
        else:
            seen[case.name] = case.position
