"""``fivetran-auditor validate``: every problem in every policy, with its spot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from auditor.acceptance.waivers import Waivers, is_waiver_file, rule_problem
from auditor.cli.config.command import Configurable, config_file
from auditor.cli.options import completion
from auditor.cli.options.policies import policy_names
from auditor.cli.options.reports import outdating
from auditor.cli.options.rules import waivers_of, waivers_option
from auditor.cli.options.shared import strict_option, var_option, variables_of
from auditor.cli.terminal.streams import Terminal, excerpt, style
from auditor.errors import PolicyError, Problem, ReportError
from auditor.output.inputs import Inputs
from auditor.policy.loading.load import load
from auditor.policy.rules import Ruleset
from auditor.policy.testing.files import is_test_file, run_test_file
from auditor.reports import PROBLEM_REPORTS
from auditor.reports.writer import Destination, ReportWriter, parse_destination
from auditor.text import listed, one_line, plural
from auditor.version import __version__


@click.command(
    name="validate",
    cls=Configurable,
    keys={"paths": "policy", "reports": None},
    unread=outdating(PROBLEM_REPORTS, "."),
    short_help="Check policies: every problem with file:line:column.",
)
@click.argument(
    "paths", nargs=-1, metavar="[FILE|FOLDER|PACK]...", shell_complete=completion.policies
)
@var_option
@waivers_option
@strict_option
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT[=PATH]",
    shell_complete=completion.words(PROBLEM_REPORTS),
    help="sarif or github, for pull requests that change policies; =- is standard output.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong.")
@click.option("-v", "--verbose", is_flag=True, help="Show where a bug happened.")
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    paths: tuple[str, ...],
    variables: tuple[str, ...],
    waivers: str | None,
    strict: bool,
    reports: tuple[str, ...],
    quiet: bool,
    verbose: bool,  # noqa: ARG001  # read from the arguments, where a bug may come before options
) -> int:
    """Load policies with all they extend, and waivers, and say everything that is wrong with them.

    Exit 0 when nothing is, 2 when anything is. Without a path: ./policies, else the pack baseline.
    Waiver files and NAME.test.yaml files may stand among the paths, as pre-commit passes them.
    """
    terminal: Terminal = context.obj
    writer = ReportWriter(
        [_destination(text) for text in reports],
        __version__,
        PROBLEM_REPORTS,
        terminal.scrubber.chunks,
    )
    inputs = Inputs()
    inputs.add("--config", config_file(context))
    inputs.add("--waivers", waivers)
    tests = [name for name in dict.fromkeys(paths) if is_test_file(name)]
    excused = [name for name in dict.fromkeys(paths) if is_waiver_file(name)]
    for name in (*tests, *excused):
        inputs.add(name, name)
    writer.outdate(inputs)
    named = tuple(name for name in paths if name not in tests and name not in excused)
    # Waivers are held against the policies; tests bring their own.
    names = () if tests and not (named or excused) else policy_names(named)[0]
    problems: list[Problem] = []
    lost: ReportError | None = None
    counted: list[str] = []
    ruleset: Ruleset | None = None
    code = 0
    try:
        try:
            if names:
                loaded = load(
                    names, variables=variables_of(variables), strict=strict, inputs=inputs
                )
                ruleset = loaded.ruleset
                problems += loaded.warnings
                rules = plural(len(ruleset.rules), "rule")
                counted.append(f"{rules} in {plural(len(ruleset.policies), 'file')}")
        finally:
            writer.prepare(inputs)
    except PolicyError as error:
        problems += error.problems
        code = error.exit_code
    for accepting in (*excused,) or (waivers,):
        try:
            accepted = waivers_of(accepting, strict=strict)
            doubtful = list(_doubtful(accepted, ruleset)) if accepted is not None else []
            problems += doubtful
            code = PolicyError.exit_code if strict and doubtful else code
            counted += [plural(len(accepted.entries), "waiver")] if accepted is not None else []
        except PolicyError as error:
            problems += error.problems
            code = error.exit_code
    for test_file in tests:
        try:
            run = run_test_file(Path(test_file))
            counted.append(f"{plural(len(run), 'test')} in {one_line(test_file)}")
        except PolicyError as error:
            problems += error.problems
            code = error.exit_code
    # A policy that is wrong is told once, however many tests it has.
    problems = list(dict.fromkeys(problems))
    taken = writer.takes_stdout
    try:
        writer.write(problems)
    except ReportError as error:
        lost = error
    for problem in problems:
        terminal.say(excerpt(problem), to_err=taken)
    if code:
        terminal.say(_told(problems), to_err=taken)
    elif not quiet:
        fine = f"{style('fine', 'green')}: {', '.join(counted)}"
        warned = f", {plural(len(problems), 'warning')}" if problems else ""
        terminal.say(fine + warned, to_err=taken)
    if lost is not None:
        terminal.complain(str(lost))
        return lost.exit_code
    return code


def _doubtful(waivers: Waivers, ruleset: Ruleset | None) -> Iterator[Problem]:
    """Yield what is doubtful in a waiver file; ``ruleset`` is None where the policies are wrong."""
    yield from waivers.warnings
    now = datetime.now(UTC)
    for waiver in waivers.entries:
        if waiver.is_expired(now):
            told, hint = f"this waiver held {waiver.until}", "renew it, or take it out"
            yield Problem(waiver.position, told, hint, warning=True)
        if ruleset is None:
            continue
        ids = [entry.rule.id for entry in ruleset.rules]
        if wrong := rule_problem(waiver, ids, ruleset.disabled):
            yield Problem(waiver.position, wrong, "it waives nothing", warning=True)


def _destination(text: str) -> Destination:
    """Return where a report goes; GitHub's commands are for the log unless a file is named."""
    if text == "github":
        return Destination(text, None)
    return parse_destination(text, Path(), PROBLEM_REPORTS)


def _told(problems: Sequence[Problem]) -> str:
    errors = sum(not problem.warning for problem in problems)
    counts = [plural(errors, "error")] if errors else []
    warnings = len(problems) - errors
    counts += [plural(warnings, "warning")] if warnings else []
    return f"{style(listed(counts, 'and'), 'red')}: nothing runs with these files"
