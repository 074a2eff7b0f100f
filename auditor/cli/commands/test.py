"""``fivetran-auditor test``: run the tests that are beside the rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from auditor.cli.config.command import Configurable, config_file, keys_of
from auditor.cli.options import completion
from auditor.cli.options.listing import listing_of, listing_options, seen_in, typed
from auditor.cli.options.policies import DEFAULT_PACK, none_own, policy_names
from auditor.cli.options.reports import outdating
from auditor.cli.options.shared import (
    ApiOptions,
    TimeType,
    checked,
    more_policies_option,
    output_options,
    paths_of,
)
from auditor.cli.terminal.outcomes import lines_of, lines_of_gaps, lines_of_mutants
from auditor.cli.terminal.streams import Terminal
from auditor.errors import UsageError
from auditor.model import Verdict
from auditor.output.inputs import Inputs
from auditor.policy.language.conditions import reach
from auditor.policy.language.rules import GroupRule, PolicyRule, Ruleset
from auditor.policy.loading.documents import policy_paths
from auditor.policy.loading.examples import Example
from auditor.policy.testing.choice import by_expression, by_line
from auditor.policy.testing.examples_run import ExampleOutcome
from auditor.policy.testing.mutation_run import Mutated
from auditor.policy.testing.mutation_run import mutate as mutate_rule
from auditor.policy.testing.recorded import Verdicts, recorded
from auditor.policy.testing.suite import Suite, by_file, path_of, rule_named, run_suite
from auditor.reports import TEST_REPORTS
from auditor.reports.writer import ReportWriter, parse_destination
from auditor.text import listed, one_line, plural
from auditor.version import __version__

if TYPE_CHECKING:
    from auditor.run import Look, Seen

#: The folder of a report without a path of its own.
FOLDER = "test-report"
_AT_LINE = re.compile(r"(.+):([1-9][0-9]{0,8})", re.DOTALL | re.ASCII)
_FAILED = 1
_NOTHING = 2


_REQUIRABLE = {verdict.label: verdict for verdict in (Verdict.PASS, Verdict.FAIL, Verdict.SKIP)}


def _required(text: str) -> tuple[Verdict, ...]:
    """Return the verdicts that ``text`` names. Raises UsageError."""
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in _REQUIRABLE:
            raise UsageError(
                f"--require: {one_line(word) or 'nothing'} is not one of"
                f" {listed(_REQUIRABLE, 'and')}"
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
    help="Fail unless every rule has a test for each of these verdicts that it can give, such as"
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
        policy, entry, facts = rule_named(names, record[1])
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
        for line in recorded(entry, facts, _verdicts(entry, look, seen), policy):
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
            raise UsageError("--require checks every rule: leave out -k and :LINE")
        names, how = policy_names(given)
        suite = run_suite(names, inputs)
    finally:
        writer.prepare(inputs)
    chosen = [o for o in _tests_at(lines, suite) if choose is None or choose(o)]
    if not chosen:
        raise UsageError(_why_no_tests(names, suite, pattern))
    to_err = writer.takes_stdout
    mutated = _mutated(suite, chosen if narrowed else None) if mutate else []
    lacking = [gap for gap in suite.gaps if set(gap.missing) & set(required)]
    if mutate and not mutated:
        raise UsageError("--mutate changes the rules of policies: name the policy, not its tests")
    by = "" if lines or pattern is None else " by -k"
    for line in lines_of(suite, chosen, by, narrowed=narrowed, quiet=quiet, verbose=verbose):
        terminal.say(line, to_err=to_err)
    for line in (*lines_of_mutants(mutated, quiet=quiet), *lines_of_gaps(lacking, required)):
        terminal.say(line, to_err=to_err)
    if how and names == (DEFAULT_PACK,):
        # Also for those who want the count alone: it is of none of their tests.
        terminal.say(none_own("tested"), to_err=to_err)
    writer.write(chosen)
    survived = any(each.survivors for each in mutated)
    failed = not all(outcome.passed for outcome in chosen)
    return _FAILED if failed or survived or lacking else 0


def _verdicts(entry: PolicyRule | GroupRule, look: Look, seen: Seen) -> Verdicts:
    """Return the rule's verdict on the connection that was looked up."""
    ((_, explanations),) = seen.why
    if not explanations:
        raise UsageError(f"the group of {one_line(seen.connection.id)} is not known")
    own, *_ = explanations
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
    """Return ``paths`` without line numbers, and the lines by the file's label.

    Raises UsageError for a line beyond a file's end, and for paths with lines beside others.
    """
    names: list[str] = []
    lines: dict[str, list[int]] = {}
    whole: list[str] = []
    for path in paths:
        found = _AT_LINE.fullmatch(path)
        if found is None or Path(path).exists() or not Path(found[1]).is_file():
            names.append(path)
            whole.append(path)
            continue
        name = str(path_of(found[1]))
        names.append(name)
        with suppress(OSError):  # whoever reads the policy says what is wrong with the file
            last = len(Path(found[1]).read_bytes().splitlines())
            if int(found[2]) > last:
                raise UsageError(f"{one_line(path)}: the file ends at line {last:,}")
        (source,) = policy_paths(name)
        lines.setdefault(source.label, []).append(int(found[2]))
    if lines and whole:
        raise UsageError(
            f"{one_line(whole[0])} has no :LINE and another path has: to run all of its tests, run"
            " them by themselves"
        )
    return tuple(dict.fromkeys(names)), lines


def _tests_at(lines: Mapping[str, Sequence[int]], suite: Suite) -> Sequence[ExampleOutcome]:
    """Return the tests at ``lines`` of files; all of them if there are none.

    Raises UsageError for a line without a test: the others that pass say nothing of it.
    """
    if not lines or not suite.outcomes:
        return suite.outcomes
    chosen: list[ExampleOutcome] = []
    files = by_file(suite.outcomes)
    rules = [entry.rule.position for entry, _ in suite.entries]
    for file, wanted in lines.items():
        starts = [position for position in rules if position.file == file]
        for line in wanted:
            found = by_line(files.get(file, ()), line, starts)
            if not found:
                tests = plural(len(suite.outcomes), "test")
                raise UsageError(f"{one_line(file)}:{line}: none of {tests} is at that line")
            chosen += found
    return [outcome for outcome in suite.outcomes if any(outcome is one for one in chosen)]


def _mutated(suite: Suite, chosen: Sequence[ExampleOutcome] | None) -> list[Mutated]:
    """Return the result of changing every rule, or only those that ``chosen`` tests are for."""
    wanted = None if chosen is None else {outcome.rule.id for outcome in chosen}
    examples: dict[str, list[Example]] = {}
    for outcome in suite.outcomes:
        examples.setdefault(outcome.rule.id, []).append(outcome.example)
    return [
        mutate_rule(entry, examples.get(entry.rule.id, ()), facts)
        for entry, facts in suite.entries
        if wanted is None or entry.rule.id in wanted
    ]


def _why_no_tests(names: Sequence[str], suite: Suite, pattern: str | None) -> str:
    if suite.outcomes and pattern is not None:
        return f"-k {one_line(pattern)}: none of {plural(len(suite.outcomes), 'test')} matches"
    where = listed(map(one_line, names), "and")
    return (
        f"nothing was tested: there is no test in {where};"
        " write tests: beside a rule, or NAME.test.yaml beside a policy"
    )
