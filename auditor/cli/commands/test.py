"""``fivetran-auditor test``: run the tests that stand beside the rules."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click
import msgspec

from auditor.cli.config.command import Configurable, config_file, keys_of
from auditor.cli.options import completion
from auditor.cli.options.listing import listing_of, listing_options, seen_in, typed
from auditor.cli.options.policies import policy_names
from auditor.cli.options.reports import outdating
from auditor.cli.options.shared import (
    ApiOptions,
    TimeType,
    checked,
    more_policies_option,
    output_options,
    paths_of,
)
from auditor.cli.terminal.streams import Terminal, excerpt, style
from auditor.errors import Problem, UsageError
from auditor.facts.own import OwnFacts
from auditor.model import PACK, Verdict
from auditor.output.disk import real
from auditor.output.inputs import Inputs
from auditor.policy.language.conditions import reach
from auditor.policy.loading.documents import policy_paths
from auditor.policy.loading.examples import Example
from auditor.policy.loading.load import load
from auditor.policy.rules import GroupRule, PolicyRule, Ruleset
from auditor.policy.testing.choice import by_expression, by_line
from auditor.policy.testing.examples_run import ExampleOutcome, Gap, gaps, run_examples
from auditor.policy.testing.files import is_test_file, run_test_file, test_files_beside
from auditor.policy.testing.mutation_run import Mutated
from auditor.policy.testing.mutation_run import mutate as mutate_rule
from auditor.policy.testing.recorded import Verdicts, recorded
from auditor.reports import TEST_REPORTS
from auditor.reports.writer import ReportWriter, parse_destination
from auditor.text import listed, one_line, plural
from auditor.version import __version__

if TYPE_CHECKING:
    from auditor.run import Look, Seen

#: Where a report without a path of its own goes.
FOLDER = "test-report"
_AT_LINE = re.compile(r"(.+):([1-9][0-9]{0,8})", re.DOTALL | re.ASCII)
_DOTS = 80
_FAILED = 1
_NOTHING = 2


class Ran(msgspec.Struct, frozen=True):
    """All that was run: the outcomes, the rules that lack tests, what is doubtful in policies.

    ``entries`` are the rules that stand in the policies that were named, each with its facts.
    """

    outcomes: tuple[ExampleOutcome, ...]
    entries: tuple[tuple[PolicyRule | GroupRule, Mapping[str, OwnFacts]], ...]
    gaps: tuple[Gap, ...]
    warnings: tuple[Problem, ...]

    @property
    def rules(self) -> int:
        """How many rules stand in the policies that were named."""
        return len(self.entries)


_REQUIRABLE = {verdict.label: verdict for verdict in (Verdict.PASS, Verdict.FAIL, Verdict.SKIP)}


def _required(text: str) -> tuple[Verdict, ...]:
    """Return the verdicts that ``text`` names. Raises UsageError."""
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in _REQUIRABLE:
            raise UsageError(
                f"--require: {one_line(word) or 'nothing'} is none of {listed(_REQUIRABLE, 'and')}"
            )
    return tuple(_REQUIRABLE[word] for word in words)


@click.command(
    name="test",
    cls=Configurable,
    keys={
        "paths": "policy",
        "pattern": None,
        "report": None,
        "more": None,
        "mutate": None,
        "require": None,
        "record": None,
        "now": None,
    },
    unread=outdating(TEST_REPORTS, FOLDER),
    short_help="Run the tests written beside the rules.",
)
@click.argument(
    "paths", nargs=-1, metavar="[FILE[:LINE]|FOLDER|PACK]...", shell_complete=completion.policies
)
@more_policies_option
@click.option(
    "-k",
    "pattern",
    metavar="EXPRESSION",
    help="Run only tests whose rule, name or file contains this word or matches this glob; combine"
    " with and, or, not, (…).",
)
@click.option(
    "--mutate",
    is_flag=True,
    help="Change the rules' bounds, operators, list items and nots, one at a time, and list the"
    " changes that no test notices.",
)
@click.option(
    "--require",
    metavar="VERDICTS",
    callback=checked(lambda text: text is None or _required(text)),
    help="Fail unless every rule has a test for each of these verdicts it can come to, such as"
    " pass,fail,skip.",
)
@click.option(
    "--record",
    nargs=2,
    metavar="CONNECTION RULE",
    help="Run nothing; print a test, for a NAME.test.yaml, that expects what RULE says about"
    " CONNECTION today, with secrets hidden.",
)
@listing_options
@click.option(
    "--now", type=TimeType(), metavar="TIME", help="With --record: judge as of this time."
)
@click.option(
    "--report",
    metavar="junit[=PATH]",
    callback=checked(lambda text: text and parse_destination(text, Path(), TEST_REPORTS)),
    help=f"Also write JUnit XML, to {FOLDER}/junit.xml unless you name a path; =- is standard"
    " output.",
)
@output_options
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    paths: tuple[str, ...],  # noqa: ARG001  # read by paths_of
    more: tuple[str, ...],  # noqa: ARG001  # read by paths_of
    pattern: str | None,
    mutate: bool,
    require: str | None,
    record: tuple[str, str] | None,
    snapshot: str | None,
    now: datetime | None,
    report: str | None,
    quiet: bool,
    verbose: bool,
    no_color: bool,
    timeout: float,
    **api: Unpack[ApiOptions],
) -> int:
    """Run the tests written beside the rules and in NAME.test.yaml files beside policies.

    Without arguments it tests ./policies if it exists, else the pack baseline. It tests only the
    policies you name, not those they extend. FILE:LINE selects the test or the rule at that line.
    With --record it tests nothing, but makes a test from a connection of the live account, or of
    --snapshot.

    Exits with 0 if all tests passed; 1 if a test failed, a required test is missing, or no test
    notices a change; 2 if a policy has problems or there was nothing to test.
    """
    terminal: Terminal = context.obj
    terminal.quiet = quiet
    if no_color:
        terminal.without_colour()
    if record is not None:
        others = {"pattern", "mutate", "require", "report"}
        if beside := typed(context, others):
            raise UsageError(
                f"{listed(beside, 'and')} cannot be used with --record: no test is run"
            )
        names, _ = policy_names(paths_of(context))
        policy, entry, facts = _rule_named(names, record[1])
        look, seen = seen_in(
            listing_of(context, snapshot, api, keys_of(context)),
            Ruleset((entry,), (), facts=facts),
            record[0],
            terminal,
            now=now,
            timeout=timeout,
            lists=api["lists"],
            whole=isinstance(entry, GroupRule),
        )
        for line in recorded(entry, facts, _held(entry, look, seen), policy):
            terminal.say(line)
        return 0
    if lone := typed(context, {"snapshot", "now"}):
        raise UsageError(f"{listed(lone, 'and')} without --record: tests have records of their own")
    writer = ReportWriter(
        [] if report is None else [parse_destination(report, Path(FOLDER), TEST_REPORTS)],
        __version__,
        TEST_REPORTS,
        terminal.scrubber.chunks,
    )
    inputs = Inputs()
    inputs.add("--config", config_file(context))
    writer.outdate(inputs)
    try:
        choose = by_expression(pattern) if pattern is not None else None
        given, lines = _lines_named(paths_of(context))
        narrowed = choose is not None or bool(lines)
        required = _required(require) if require is not None else ()
        if required and narrowed:
            raise UsageError("--require asks of every rule: leave out -k and :LINE")
        names, _ = policy_names(given)
        ran = _run(names, inputs)
    finally:
        writer.prepare(inputs)
    chosen = [o for o in _at(lines, ran.outcomes) if choose is None or choose(o)]
    if not chosen:
        raise UsageError(_nothing(names, ran, pattern))
    to_err = writer.takes_stdout
    mutated = _mutated(ran, chosen if narrowed else None) if mutate else []
    lacking = [gap for gap in ran.gaps if set(gap.missing) & set(required)]
    if mutate and not mutated:
        raise UsageError("--mutate changes the rules of policies: name the policy, not its tests")
    by = "" if lines or pattern is None else " by -k"
    for line in _told(ran, chosen, by, narrowed=narrowed, quiet=quiet, verbose=verbose):
        terminal.say(line, to_err=to_err)
    for line in (*_of_mutants(mutated, quiet=quiet), *_of_gaps(lacking, required)):
        terminal.say(line, to_err=to_err)
    writer.write(chosen)
    survived = any(each.survivors for each in mutated)
    failed = not all(outcome.passed for outcome in chosen)
    return _FAILED if failed or survived or lacking else 0


def _rule_named(
    names: Sequence[str], rule: str
) -> tuple[str, PolicyRule | GroupRule, Mapping[str, OwnFacts]]:
    """Return the policy to name in a test of ``rule``, the rule and its facts.

    The policy is "" for the file that the rule stands in: tests stand beside that. Raises
    UsageError where no policy has the rule.
    """
    policies, _ = _found(names)
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
        each.ruleset.rule(rule)  # says which is nearest
    raise UsageError(f"no policy that was named has a rule called {one_line(rule)}")


def _held(entry: PolicyRule | GroupRule, look: Look, seen: Seen) -> Verdicts:
    """Return what the rule came to on the connection that was looked for."""
    ((_, told),) = seen.why
    if not told:
        raise UsageError(f"the group of {one_line(seen.connection.id)} is not known")
    own, *_ = told
    choices: list[tuple[int, ...]] = [(seen.at,)]
    if isinstance(entry, GroupRule):
        keys = {at: [reach(r, path) for path in entry.keys] for at, r in look.records.items()}
        group = tuple(at for at, key in keys.items() if key == keys[seen.at])
        choices += [own.members, group, tuple(look.records)]
    about = seen.connection
    return Verdicts(
        own.verdict,
        look.result.judged_at,
        tuple(tuple(look.records[at] for at in places) for places in choices if places),
        f"{about.service} {about.schema} ({about.id}) on {look.result.judged_at:%Y-%m-%d}",
    )


def _lines_named(paths: Sequence[str]) -> tuple[tuple[str, ...], dict[str, list[int]]]:
    """Return ``paths`` without the lines of files, and those lines by the file's label."""
    names: list[str] = []
    lines: dict[str, list[int]] = {}
    whole: set[str] = set()
    for path in paths:
        found = _AT_LINE.fullmatch(path)
        if found is None or Path(path).exists() or not Path(found[1]).is_file():
            names.append(path)
            whole.add(path)
            continue
        name = str(_path(found[1]))
        names.append(name)
        (source,) = policy_paths(name)
        lines.setdefault(source.label, []).append(int(found[2]))
    return tuple(dict.fromkeys(names)), lines


def _at(
    lines: Mapping[str, Sequence[int]], outcomes: Sequence[ExampleOutcome]
) -> Sequence[ExampleOutcome]:
    """Return the tests that stand at ``lines`` of files; all of them where there are none."""
    if not lines:
        return outcomes
    chosen: list[ExampleOutcome] = []
    for file, own in _by_file(outcomes).items():
        for line in lines.get(file, ()):
            chosen += by_line(own, line)
    return [outcome for outcome in outcomes if any(outcome is one for one in chosen)]


def _mutated(ran: Ran, chosen: Sequence[ExampleOutcome] | None) -> list[Mutated]:
    """Return what came of changing every rule, or only those that ``chosen`` tests are of."""
    wanted = None if chosen is None else {outcome.rule.id for outcome in chosen}
    examples: dict[str, list[Example]] = {}
    for outcome in ran.outcomes:
        examples.setdefault(outcome.rule.id, []).append(outcome.example)
    return [
        mutate_rule(entry, examples.get(entry.rule.id, ()), facts)
        for entry, facts in ran.entries
        if wanted is None or entry.rule.id in wanted
    ]


def _run(names: Sequence[str], inputs: Inputs) -> Ran:
    """Run every test of the policies, folders, packs and test files that ``names`` are.

    Raises PolicyError with every problem of a policy, UsageError for a name that is nothing.
    """
    policies, files = _found(names)
    # Together first, as an audit loads them: an id may stand once in all of them.
    together = load([str(path) for path in policies], inputs=inputs) if policies else None
    outcomes: list[ExampleOutcome] = []
    entries: list[tuple[PolicyRule | GroupRule, Mapping[str, OwnFacts]]] = []
    for path in policies:
        # Each by itself then: its tests were written for its own variables.
        (label,) = (source.label for source in policy_paths(str(path)))
        alone = load([str(path)])
        own = [e for e in alone.ruleset.rules if e.rule.position.file == label]
        entries += [(entry, alone.ruleset.facts) for entry in own]
        outcomes += [o for o in run_examples(alone) if o.position.file == label]
    for path in files:
        outcomes += run_test_file(path, inputs)
    if together is None:
        return Ran(tuple(outcomes), (), (), ())
    labels = {source.label for path in policies for source in policy_paths(str(path))}
    lacking = [gap for gap in gaps(together, outcomes) if gap.rule.position.file in labels]
    return Ran(tuple(outcomes), tuple(entries), tuple(lacking), together.warnings)


def _found(names: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """Return the policies and the test files that ``names`` are, each once."""
    policies: dict[Path, Path] = {}
    files: dict[Path, Path] = {}
    for name in names:
        if is_test_file(name):
            if not Path(name).is_file():
                raise UsageError(f"{one_line(name)}: no such file")
            files.setdefault(real(Path(name)), _path(name))
            continue
        below = list(_tests_below(Path(name))) if _is_folder(name) else []
        for path in below:
            files.setdefault(real(path), path)
        for path in _policies(name, optional=bool(below)):
            policies.setdefault(real(path), path)
            for file in test_files_beside(path):
                files.setdefault(real(file), file)
    return list(policies.values()), list(files.values())


def _policies(name: str, *, optional: bool) -> list[Path]:
    try:
        return [_path(str(source.path)) for source in policy_paths(name)]
    except UsageError:
        # A folder may hold nothing but test files, of policies that are elsewhere.
        if optional:
            return []
        raise


def _is_folder(name: str) -> bool:
    return ("/" in name or name in {".", ".."}) and Path(name).is_dir()


def _tests_below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if is_test_file(path.name) and path.is_file() and not hidden:
            yield path


def _path(name: str) -> Path:
    # ``load`` takes a bare name for a pack, and pathlib drops the ./ that says otherwise.
    return Path(name) if "/" in name else Path(os.path.join(".", name))  # noqa: PTH118


def _nothing(names: Sequence[str], ran: Ran, pattern: str | None) -> str:
    if ran.outcomes and pattern is not None:
        return f"-k {one_line(pattern)}: none of {plural(len(ran.outcomes), 'test')} matches"
    if ran.outcomes:
        return f"none of {plural(len(ran.outcomes), 'test')} stands at that line"
    where = listed(map(one_line, names), "and")
    return (
        f"nothing was tested: there is no test in {where};"
        " write tests: beside a rule, or NAME.test.yaml beside a policy"
    )


# -- what is told ---------------------------------------------------------------------------------


def _told(
    ran: Ran,
    chosen: Sequence[ExampleOutcome],
    by: str,
    *,
    narrowed: bool,
    quiet: bool,
    verbose: bool,
) -> Iterator[str]:
    failed = [outcome for outcome in chosen if not outcome.passed]
    if not quiet:
        for warning in ran.warnings:
            yield excerpt(warning)
        yield from _lines(chosen) if verbose else _dots(chosen)
        for outcome in failed:
            yield from _failure(outcome)
        if not narrowed and ran.rules:
            yield ""
            yield from _coverage(ran)
        yield ""
    yield _count(len(failed), len(chosen) - len(failed), len(ran.outcomes) - len(chosen), by)


def _of_mutants(mutated: Sequence[Mutated], *, quiet: bool) -> Iterator[str]:
    """Yield how many changes the tests notice, and each that they do not."""
    if not mutated:
        return
    survivors = [survivor for each in mutated for survivor in each.survivors]
    changes = sum(each.changes for each in mutated)
    for survivor in () if quiet else survivors:
        yield ""
        told = f"no test notices {survivor.mutant.change}"
        yield f"{survivor.mutant.position}: {survivor.rule.id}: {told}"
        if survivor.notice is not None:
            yield _row("would", f"- {survivor.notice.text}")
    if not quiet:
        yield ""
    share = f"{changes - len(survivors)} of {plural(changes, 'change')} noticed"
    yield style(share, "green") if not survivors else style(share, "red", "bold")


def _of_gaps(lacking: Sequence[Gap], require: Sequence[Verdict]) -> Iterator[str]:
    """Yield which rules lack a test that is required."""
    if not lacking:
        return
    names = listed([gap.rule.id for gap in lacking], "and")
    wanted = listed([verdict.label for verdict in require], "and")
    told = f"{plural(len(lacking), 'rule')} without a test that is required ({wanted}): {names}"
    yield style(told, "red", "bold")


def _by_file(outcomes: Iterable[ExampleOutcome]) -> dict[str, list[ExampleOutcome]]:
    files: dict[str, list[ExampleOutcome]] = {}
    for outcome in outcomes:
        files.setdefault(outcome.position.file, []).append(outcome)
    return files


def _dots(outcomes: Sequence[ExampleOutcome]) -> Iterator[str]:
    for file, own in _by_file(outcomes).items():
        yield file
        marks = [style(".", "green") if o.passed else style("F", "red", "bold") for o in own]
        for start in range(0, len(marks), _DOTS):
            yield "  " + "".join(marks[start : start + _DOTS])


def _lines(outcomes: Sequence[ExampleOutcome]) -> Iterator[str]:
    for outcome in outcomes:
        word = style("PASSED", "green") if outcome.passed else style("FAILED", "red", "bold")
        name = f"  {style(outcome.example.name, 'dim')}" if outcome.example.name else ""
        yield f"{word}  {outcome.position}  {outcome.rule.id} {outcome.expected.label}{name}"


def _failure(outcome: ExampleOutcome) -> Iterator[str]:
    yield ""
    name = f" ({outcome.example.name})" if outcome.example.name else ""
    yield f"{style('FAILED', 'red', 'bold')} {outcome.position} {outcome.rule.id}{name}"
    yield _row("given", outcome.example.given.text)
    yield _row("rule", f"{outcome.rule.expects}{_when(outcome)}")
    yield _row("expected", style(outcome.expected.label, "green"))
    yield _row("got", style(outcome.got.label, "red" if not _agree(outcome) else "green"))
    if not outcome.says_as_expected:
        yield _row("message", f"expected  {one_line(outcome.example.message or '')}")
    for number, finding in enumerate(outcome.findings):
        label = "message" if number == 0 and outcome.says_as_expected else ""
        yield _row(label, finding.message if label else f"got       {finding.message}")
        for evidence in finding.evidence:
            yield _row("", f"{evidence.field}: {evidence.actual}; wanted {evidence.expected}")


def _when(outcome: ExampleOutcome) -> str:
    return f", when {outcome.rule.applies_when}" if outcome.rule.applies_when else ""


def _agree(outcome: ExampleOutcome) -> bool:
    return outcome.got is outcome.expected


def _row(label: str, text: str) -> str:
    return f"    {style(f'{label:<8}', 'dim')}  {text}"


def _coverage(ran: Ran) -> Iterator[str]:
    whole = ran.rules - len(ran.gaps)
    colour = "yellow" if ran.gaps else "green"
    share = style(f"{whole} of {plural(ran.rules, 'rule')}", colour)
    yield f"coverage: {share} fail, pass and, where they can, skip in a test"
    for gap in ran.gaps:
        if gap.untested:
            warning = style("warning", "yellow")
            yield f"{gap.rule.position}: {warning}: {gap.rule.id} has no test"
        else:
            lacks = listed((_ENDING[verdict] for verdict in gap.missing), "and no")
            yield f"{gap.rule.position}: {gap.rule.id} has no test that {lacks}"


_ENDING = {Verdict.FAIL: "fails", Verdict.PASS: "passes", Verdict.SKIP: "skips"}


def _count(failed: int, passed: int, left_out: int, by: str) -> str:
    parts = [style(f"{failed} failed", "red", "bold")] if failed else []
    parts.append(style(f"{passed} passed", "green" if not failed else "dim"))
    if left_out:
        parts.append(f"{left_out} left out{by}")
    return ", ".join(parts)
