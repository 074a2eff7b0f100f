"""``fivetran-auditor compare``: what changed between two runs, or would between two policies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click
from click.core import ParameterSource

from auditor.cli.config.command import Configurable, config_file
from auditor.cli.options import completion
from auditor.cli.options.policies import policy_names
from auditor.cli.options.reports import outdating
from auditor.cli.options.rules import waivers_of, waivers_option
from auditor.cli.options.shared import (
    TimeType,
    fail_on_option,
    output_options,
    policy_option,
    severity_of,
)
from auditor.cli.terminal.comparison import answer, summary
from auditor.cli.terminal.streams import Terminal
from auditor.errors import ReportError, UsageError, about
from auditor.output.inputs import Inputs
from auditor.past.compare import Comparison, compare
from auditor.past.earlier import EarlierReport, read_report, report_of
from auditor.policy import Ruleset
from auditor.policy.loading.load import load
from auditor.reports.comparison import COMPARISONS
from auditor.reports.writer import ReportWriter, parse_destination
from auditor.run import Options, audit
from auditor.text import listed
from auditor.version import __version__

#: The options that only the form with a snapshot takes, by parameter.
_OF_POLICIES = ("policies", "against", "waivers", "now")
_EPILOG = """\b
Examples:
  compare last-week.json audit-report/report.json
  compare --snapshot listing.ndjson --against main/policies/ --policy policies/
"""


@click.command(
    name="compare",
    cls=Configurable,
    keys=dict.fromkeys(("old", "new", "snapshot", "against", "now", "reports", "output_dir")),
    unread=outdating(COMPARISONS, "audit-report"),
    epilog=_EPILOG,
    short_help="Show what changed between two reports or two sets of policies.",
)
@click.argument("old", required=False, metavar="OLD.json", shell_complete=completion.files)
@click.argument("new", required=False, metavar="NEW.json", shell_complete=completion.files)
@click.option(
    "--snapshot",
    metavar="FILE",
    shell_complete=completion.files,
    help="Instead of comparing two reports, judge this saved listing by two sets of policies.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="FILE|FOLDER|PACK",
    shell_complete=completion.policies,
    help="With --snapshot: the current policies; --policy names the proposed ones. Repeatable.",
)
@policy_option
@waivers_option
@click.option(
    "--now", type=TimeType(), metavar="TIME", help="With --snapshot: judge as of this time."
)
@fail_on_option
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT[=PATH]",
    shell_complete=completion.words(COMPARISONS),
    help=f"{listed(COMPARISONS)}; repeatable; =- is standard output.",
)
@click.option(
    "-o",
    "--output-dir",
    type=click.Path(path_type=Path, file_okay=True),
    default="audit-report",
    show_default=True,
    help="Folder for reports without a path of their own.",
)
@output_options
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    old: str | None,
    new: str | None,
    snapshot: str | None,
    against: tuple[str, ...],
    policies: tuple[str, ...],
    waivers: str | None,
    now: datetime | None,
    fail_on: str,
    reports: tuple[str, ...],
    output_dir: Path,
    quiet: bool,
    verbose: bool,
    no_color: bool,
) -> int:
    """Show what is new, fixed, unchanged, accepted or no longer judged.

    Exits with 0 if nothing got worse, 1 if something did, 3 if either run was inconclusive.
    """
    terminal: Terminal = context.obj
    terminal.quiet = quiet
    if no_color:
        terminal.without_colour()
    destinations = [parse_destination(text, output_dir, COMPARISONS) for text in reports]
    writer = ReportWriter(destinations, __version__, COMPARISONS, terminal.scrubber.chunks)
    inputs = _inputs(context, (old, new), snapshot, waivers)
    writer.outdate(inputs)
    _check_form(context, (old, new), snapshot, against)
    if snapshot is None:
        writer.prepare(inputs)
        assert old is not None
        assert new is not None
        earlier, later = read_report(old), read_report(new)
    else:
        names = policy_names(policies)[0]
        try:
            before, after = (load(each, inputs=inputs).ruleset for each in (against, names))
        finally:
            writer.prepare(inputs)
        named = {**before.conditions, **after.conditions}
        accepted = waivers_of(waivers, strict=False, conditions=named)
        options = Options(now=now, scrubber=terminal.scrubber, waivers=accepted)
        earlier = _judged(snapshot, against, before, options)
        later = _judged(snapshot, names, after, options)
    comparison = compare(earlier, later, severity_of(fail_on))
    return _conclude(terminal, writer, comparison, quiet=quiet, verbose=verbose)


def _check_form(
    context: click.Context,
    names: tuple[str | None, str | None],
    snapshot: str | None,
    against: Sequence[str],
) -> None:
    """Raise UsageError unless there are two reports, or a snapshot and two sets of policies."""
    given = [name for name in names if name is not None]
    if snapshot is not None:
        if given:
            raise UsageError("compare two reports, or one --snapshot by two sets of policies")
        if not against:
            raise UsageError(
                "--snapshot needs --against: the current policies; --policy names the proposed ones"
            )
        if snapshot == "-":
            raise UsageError("--snapshot -: it is judged twice; save it to a file first")
        return
    typed = [p for p in context.command.params if _is_typed(context, p)]
    misplaced = [p.opts[0] for p in typed if p.name in _OF_POLICIES]
    if misplaced:
        raise UsageError(f"{listed(misplaced, 'and')} need --snapshot: reports are judged already")
    if len(given) != len(names):
        raise UsageError("name two JSON reports, the older first: compare OLD.json NEW.json")


def _is_typed(context: click.Context, parameter: click.Parameter) -> bool:
    source = context.get_parameter_source(str(parameter.name))
    return source is ParameterSource.COMMANDLINE


def _inputs(
    context: click.Context,
    names: tuple[str | None, str | None],
    snapshot: str | None,
    waivers: str | None,
) -> Inputs:
    """Return the files to compare or judge; policies are added as they load."""
    inputs = Inputs()
    inputs.add("--config", config_file(context))
    for what, name in zip(("the older report", "the newer report"), names, strict=True):
        inputs.add(what, name)
    inputs.add("--snapshot", snapshot)
    if snapshot is not None:
        inputs.add_folder("--snapshot", Path(snapshot), lambda path: len(path.parts) == 1)
    inputs.add("--waivers", waivers)
    return inputs


def _judged(
    snapshot: str, names: Sequence[str], ruleset: Ruleset, options: Options
) -> EarlierReport:
    """Return the verdicts of the policies ``names`` on a saved listing."""
    # Imported here: two reports are compared without it.
    from auditor.sources.saved.source import SnapshotSource, check_path

    with about("snapshot"):
        check_path(snapshot)
    result = audit(SnapshotSource(snapshot), ruleset, options)
    return report_of(result, listed(names, "and"))


def _conclude(
    terminal: Terminal, writer: ReportWriter, comparison: Comparison, *, quiet: bool, verbose: bool
) -> int:
    """Write the reports and the summary; return the exit code."""
    paths: tuple[Path, ...] = ()
    failure: ReportError | None = None
    try:
        paths = writer.write(comparison)
    except ReportError as error:
        failure = error
    to_err, lost = writer.takes_stdout, failure.exit_code if failure else None
    if quiet:
        terminal.say(answer(comparison, lost), to_err=to_err)
    else:
        layout = terminal.layout(to_err=to_err)
        for line in summary(comparison, paths, verbose=verbose, lost=lost, layout=layout):
            terminal.say(line, to_err=to_err)
    if failure is not None:
        terminal.complain(str(failure))
        return failure.exit_code
    return comparison.answer.exit_code
