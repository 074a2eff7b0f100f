"""The tests of policies: found beside the rules and in files, and run together."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from auditor.errors import Problem, UsageError
from auditor.facts.own import OwnFacts
from auditor.model import PACK
from auditor.output.disk import real
from auditor.output.inputs import Inputs
from auditor.policy.language.rules import GroupRule, PolicyRule
from auditor.policy.loading.documents import names_folder, policy_paths
from auditor.policy.loading.load import load
from auditor.policy.testing.examples_run import ExampleOutcome, MissingTests, gaps, run_examples
from auditor.policy.testing.files import files_beside, is_test_file, run_test_file
from auditor.text import one_line


class Suite(msgspec.Struct, frozen=True):
    """Tests that were run: their outcomes, the rules that lack tests, the warnings of policies.

    ``entries`` are the rules in the named policies, each with its facts.
    """

    outcomes: tuple[ExampleOutcome, ...]
    entries: tuple[tuple[PolicyRule | GroupRule, Mapping[str, OwnFacts]], ...]
    gaps: tuple[MissingTests, ...]
    warnings: tuple[Problem, ...]

    @property
    def rules(self) -> int:
        """How many rules are in the named policies."""
        return len(self.entries)


def run_suite(names: Sequence[str], inputs: Inputs) -> Suite:
    """Run every test of the policies, folders, packs and test files in ``names``.

    Raises PolicyError with every problem of a policy, UsageError for an unknown name.
    """
    policies, files = found_in(names)
    # Together first, as an audit loads them: an id must be unique in all of them.
    together = load([str(path) for path in policies], inputs=inputs) if policies else None
    outcomes: list[ExampleOutcome] = []
    entries: list[tuple[PolicyRule | GroupRule, Mapping[str, OwnFacts]]] = []
    for path in policies:
        # Then each by itself: its tests were written for its own variables.
        (label,) = (source.label for source in policy_paths(str(path)))
        alone = load([str(path)])
        own = [e for e in alone.ruleset.rules if e.rule.position.file == label]
        entries += [(entry, alone.ruleset.facts) for entry in own]
        outcomes += [o for o in run_examples(alone) if o.position.file == label]
    for path in files:
        outcomes += run_test_file(path, inputs)
    if together is None:
        return Suite(tuple(outcomes), (), (), ())
    labels = {source.label for path in policies for source in policy_paths(str(path))}
    lacking = [gap for gap in gaps(together, outcomes) if gap.rule.position.file in labels]
    return Suite(tuple(outcomes), tuple(entries), tuple(lacking), together.warnings)


def found_in(names: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """Return the policies and the test files in ``names``, each once."""
    policies: dict[Path, Path] = {}
    files: dict[Path, Path] = {}
    for name in names:
        if is_test_file(name):
            if not Path(name).is_file():
                said = f"{one_line(name)}: no such file"
                raise UsageError(said, option="policy", item=name)
            files.setdefault(real(Path(name)), path_of(name))
            continue
        below = list(_tests_below(Path(name))) if names_folder(name) else []
        for path in below:
            files.setdefault(real(path), path)
        for path in _policies(name, optional=bool(below)):
            policies.setdefault(real(path), path)
            for file in files_beside(path):
                files.setdefault(real(file), file)
    return list(policies.values()), list(files.values())


def own_tests(names: Sequence[str]) -> list[Path]:
    """Return the test files in ``names``, except those of shipped packs. Raises UsageError."""
    _, files = found_in(names)
    sources = [(file, policy_paths(str(file))) for file in files]
    return [file for file, (source,) in sources if not source.label.startswith(PACK)]


def _policies(name: str, *, optional: bool) -> list[Path]:
    try:
        return [path_of(str(source.path)) for source in policy_paths(name)]
    except UsageError:
        # A folder may contain only test files, for policies that are elsewhere.
        if optional:
            return []
        raise


def _tests_below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if is_test_file(path.name) and path.is_file() and not hidden:
            yield path


def path_of(name: str) -> Path:
    """Return the path of a named file, in a form that ``load`` does not take for a pack."""
    # A bare name is a pack's, and pathlib drops the ./ that says otherwise.
    return Path(name) if "/" in name else Path(os.path.join(".", name))  # noqa: PTH118


def rule_named(
    names: Sequence[str], rule: str
) -> tuple[str, PolicyRule | GroupRule, Mapping[str, OwnFacts]]:
    """Return the policy to name in a test of ``rule``, the rule and its facts.

    The policy is "" for the file that the rule is in: tests are beside it. Raises UsageError if no
    policy has the rule.
    """
    policies, _ = found_in(names)
    loads = [(path, load([str(path)])) for path in policies]
    having = [(p, each) for p, each in loads if any(e.rule.id == rule for e in each.ruleset.rules)]
    for path, each in having:
        entry = each.ruleset.rule(rule)
        (source,) = policy_paths(str(path))
        if source.label == entry.rule.position.file and not entry.rule.position.in_pack:
            return "", entry, each.ruleset.facts
    for path, each in having:
        (source,) = policy_paths(str(path))
        name = source.label.removeprefix(PACK) if source.label.startswith(PACK) else path.name
        return name, each.ruleset.rule(rule), each.ruleset.facts
    for _, each in loads[:1]:
        each.ruleset.rule(rule)  # Says which is nearest.
    raise UsageError(f"no policy that was named has a rule called {one_line(rule)}")


def by_file(outcomes: Iterable[ExampleOutcome]) -> dict[str, list[ExampleOutcome]]:
    """Return outcomes by the file that their tests are in."""
    files: dict[str, list[ExampleOutcome]] = {}
    for outcome in outcomes:
        files.setdefault(outcome.position.file, []).append(outcome)
    return files
