"""``fivetran-auditor audit``: fetch, judge, report, gate."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click
from click.core import ParameterSource
from msgspec.structs import replace

from auditor.ci import Job, job_of
from auditor.cli.config.command import (
    Configurable,
    account_of,
    config_file,
    keys_of,
    settings_in_force,
)
from auditor.cli.config.settings import JUDGED, PLACES, ConfiguredAccount
from auditor.cli.options import completion
from auditor.cli.options.docs import docs_of, docs_url_option
from auditor.cli.options.listing import saved_listing
from auditor.cli.options.pipeline import pipeline_of, run_url_option
from auditor.cli.options.plan import (
    PlanChoice,
    check_beside_plan,
    plan_options,
    plan_source,
    waivers_beside,
)
from auditor.cli.options.policies import policy_names
from auditor.cli.options.reports import outdating, splittable
from auditor.cli.options.repository import checkout
from auditor.cli.options.rules import (
    ExceptionOptions,
    baseline_of,
    exception_options,
    limits_of,
    selected,
    waivers_of,
)
from auditor.cli.options.shared import (
    AgeType,
    ApiOptions,
    TimeType,
    allow_empty_option,
    api_options,
    api_source,
    checked,
    dimensions_of,
    dimensions_option,
    facts_of,
    facts_option,
    fail_on_option,
    given,
    history_option,
    lists_of,
    output_options,
    own_fields,
    policy_option,
    severity_of,
    strict_option,
    var_option,
    variables_of,
)
from auditor.cli.terminal.conclusion import Reporting, audit_and_report
from auditor.cli.terminal.streams import Terminal, unstyled
from auditor.cli.terminal.summary import answer
from auditor.errors import about
from auditor.output.inputs import Inputs
from auditor.policy.loading.load import Loaded, load
from auditor.reports import REPORTS
from auditor.reports.accounts import judged
from auditor.reports.writer import DEFAULT_FORMATS, Destination, ReportWriter, parse_destination
from auditor.run import Options
from auditor.sources import Eager, Source
from auditor.text import listed
from auditor.version import __version__

if TYPE_CHECKING:
    from auditor.past.history_folder import HistoryFolder


#: The folder for reports without a path of their own, by default.
FOLDER = "audit-report"
#: The options beside the source and the policies without which a rule is judged otherwise.
_JUDGES = ("variables", "facts", "over", "terraform_dir", "on_unknown")
#: Where an option is set that no later command finds by itself.
_TYPED = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


class _MoreOptions(ApiOptions, ExceptionOptions):
    """The options that the option bundles pass to the command."""


@click.command(
    name="audit",
    cls=Configurable,
    unread=outdating(REPORTS, FOLDER, DEFAULT_FORMATS),
    keys={"all_accounts": None},
    short_help="Judge every connection, write reports and gate.",
)
@policy_option
@var_option
@facts_option
@dimensions_option
@click.option(
    "--snapshot",
    metavar="FILE",
    shell_complete=completion.files,
    help="Judge a saved listing: a snapshot, saved API responses, or a folder of them; - for"
    " stdin.",
)
@plan_options
@api_options
@exception_options
@fail_on_option
@allow_empty_option
@strict_option
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT[=PATH]",
    shell_complete=completion.words(REPORTS),
    default=DEFAULT_FORMATS,
    show_default=True,
    callback=checked(lambda texts: [parse_destination(text, Path()) for text in texts]),
    help=f"{listed(REPORTS)}; repeatable; =- is standard output. FORMAT:split=NAME also writes a"
    " part for each value of one of the --dimensions, junit:split=5000 files of at most 5000 test"
    " cases each, csv:semicolon suits Excel where numbers have a decimal comma,"
    " sarif:suppressed adds what does not gate.",
)
@click.option(
    "-o",
    "--output-dir",
    type=click.Path(path_type=Path, file_okay=True),
    default=FOLDER,
    show_default=True,
    help="Folder for reports without a path of their own.",
)
@click.option(
    "--max-age",
    type=AgeType(),
    metavar="DURATION",
    help="Oldest saved listing to accept: 36h, 7d, 2w.  [default: any age; 24h with --strict]",
)
@click.option("--now", type=TimeType(), metavar="TIME", help="Judge as of this time.")
@history_option
@run_url_option
@docs_url_option
@click.option(
    "--no-ci",
    is_flag=True,
    help="Add nothing to the CI job's pages automatically: no GitHub step summary and annotations,"
    " no GitLab Code Quality file.",
)
@output_options
@click.option(
    "--all-accounts",
    is_flag=True,
    help="Audit every account in the configuration: reports for each, a page and a summary for"
    " all.",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    policies: tuple[str, ...],
    variables: tuple[str, ...],
    facts: tuple[str, ...],
    dimensions: tuple[str, ...],
    snapshot: str | None,
    terraform_plan: str | None,
    over: tuple[str, ...],
    terraform_dir: str | None,
    on_unknown: str,
    require_resources: bool,
    fail_on: str,
    allow_empty: bool,
    strict: bool,
    reports: tuple[str, ...],
    output_dir: Path,
    max_age: timedelta | None,
    now: datetime | None,
    history: str | None,
    run_url: str | None,
    docs_url: str | None,
    no_ci: bool,
    quiet: bool,
    verbose: bool,
    no_color: bool,
    timeout: float,
    all_accounts: bool,
    **more: Unpack[_MoreOptions],
) -> int:
    """Judge every connection by your rules, write reports, and gate with the exit code.

    Whatever could not be fetched, evaluated or written is never a pass: the exit code says so.
    """
    terminal: Terminal = context.obj
    terminal.quiet = quiet
    if no_color:
        terminal.without_colour()
    job = job_of(os.environ)
    shown_in = Job() if no_ci else job
    own = account_of(context)
    if all_accounts or own is not None:
        # Imported here: a run without a named account does not need it.
        from auditor.cli.config.accounts import audit_all, outdate_page

        # The page over all accounts reports an older run.
        outdate_page(output_dir)
        if all_accounts:
            inputs = _inputs(context, snapshot, history, more)
            return audit_all(context, output_dir, inputs)
        assert own is not None
        # One account's reports and history are not another's.
        output_dir = output_dir / own.name
        history = None if history is None else f"{history}/{own.name}"
    destinations = [parse_destination(text, output_dir) for text in reports]
    destinations += _implied_reports(shown_in, destinations, output_dir)
    context.meta[PLACES] = destinations
    writer = ReportWriter(destinations, __version__, clean=terminal.scrubber.chunks)
    inputs = _inputs(context, snapshot, history, more)
    _add_plan(inputs, terraform_plan, over, terraform_dir)
    for text in facts:
        inputs.add("--facts", text.partition("=")[2])
    # Whatever goes wrong from here on, no report of an earlier run can be taken for this one's.
    writer.outdate(inputs)
    if own is not None:
        _check_account(context, own.name)
    check_beside_plan(context, terraform_plan)
    loaded, chosen = _load(policies, variables, facts, writer, inputs, strict=strict)
    shown = splittable(
        destinations,
        dimensions_of(dimensions, loaded.ruleset),
        own_fields(loaded.ruleset),
        terraform_plan,
    )
    plan = None
    if terraform_plan is not None:
        plan = PlanChoice(terraform_plan, over, terraform_dir, require_resources)
    source = _source(context, snapshot, plan, more, strict=strict)
    ruleset = selected(loaded.ruleset, more)
    options = Options(
        fail_on=severity_of(fail_on),
        strict=strict,
        allow_empty=allow_empty,
        timeout=timeout,
        now=now,
        scrubber=terminal.scrubber,
        limits=limits_of(more["limits"]),
        waivers=waivers_beside(
            source,
            waivers_of(more["waivers"], strict=strict, ruleset=ruleset),
            terraform_dir,
        ),
        baseline=baseline_of(more["baseline"]),
        notes=settings_in_force(context),
        max_age=max_age,
        skip_unknown=on_unknown == "skip",
        lists=lists_of(more["lists"]),
        dimensions=shown,
        parts=any(destination.by for destination in destinations),
        pipeline=pipeline_of(run_url, job),
        docs_url=docs_of(docs_url),
        checkout=checkout(),
        again=_again(context, own, policies),
    )
    reporting = Reporting(
        terminal,
        quiet=quiet,
        verbose=verbose,
        chosen=chosen,
        history=_history(history, source),
        job=shown_in,
    )
    # Whatever was given can be read, and what is asked for can be written. What is left takes a
    # while: meanwhile the API's first page is on its way.
    if isinstance(source, Eager):
        source.begin()
    # Imported here, and not before the first request.
    from auditor.policy.analysis.claims import analysed

    ruleset = replace(ruleset, warnings=analysed(loaded, strict=strict).ruleset.warnings)
    result, code = audit_and_report(source, ruleset, options, writer, reporting)
    # What --all-accounts reports about each account.
    lost = None if code == result.gate.exit_code else code
    context.meta[JUDGED] = judged(result, unstyled(answer(result, lost)))
    return code


def _load(
    policies: tuple[str, ...],
    variables: tuple[str, ...],
    facts: tuple[str, ...],
    writer: ReportWriter,
    inputs: Inputs,
    *,
    strict: bool,
) -> tuple[Loaded, str]:
    """Return what was loaded and how it was chosen; every report then has its placeholder."""
    try:
        own_facts = facts_of(facts)
        names, chosen = policy_names(policies)
        loaded = load(
            names,
            variables=variables_of(variables),
            facts=own_facts,
            strict=strict,
            inputs=inputs,
        )
        return loaded, chosen
    finally:
        # Policies and what they extend are known now, whatever is wrong with them.
        writer.prepare(inputs)


def _source(
    context: click.Context,
    snapshot: str | None,
    plan: PlanChoice | None,
    options: _MoreOptions,
    *,
    strict: bool,
) -> Source:
    """Return the source that the options name: a plan, a saved listing, or the API."""
    if plan is None and snapshot is not None:
        misplaced = given(context, {*ApiOptions.__annotations__, "timeout"}, "snapshot")
        return saved_listing(snapshot, misplaced)
    options["verify_listing"] = options["verify_listing"] or strict
    keys = keys_of(context)
    return api_source(options, keys) if plan is None else plan_source(plan, options, keys)


def _again(
    context: click.Context, own: ConfiguredAccount | None, policies: tuple[str, ...]
) -> tuple[str, ...]:
    """Return what ``explain`` has to be told to judge as this run does."""
    words = [] if own is None else ["--account", own.name]
    if context.get_parameter_source("config") in _TYPED:
        words += ["--config", str(config_file(context))]
    for parameter in context.command.params:
        # What is in the configuration, it finds there too.
        if parameter.name in _JUDGES and context.get_parameter_source(parameter.name) in _TYPED:
            held = context.params[parameter.name]
            texts = (held,) if isinstance(held, str) else held
            words += [word for text in texts for word in (parameter.opts[0], text)]
    # All of them, and not the file that holds the rule: what extends it may set its variables.
    words += [word for policy in policy_names(policies)[0] for word in ("-p", policy)]
    return tuple(words)


def _check_account(context: click.Context, name: str) -> None:
    """Raise UsageError for a report that does not belong to the one account ``name``."""
    from auditor.cli.config.accounts import check_places

    if context.get_parameter_source("reports") is not ParameterSource.COMMANDLINE:
        check_places(context.params["reports"], f"accounts: {name}: report")


def _implied_reports(job: Job, asked: Sequence[Destination], folder: Path) -> Iterator[Destination]:
    """Yield the report that a job's service takes from the reports' folder, if there is one."""
    formats = {destination.format for destination in asked}
    in_files = any(destination.path is not None for destination in asked)
    if job.service == "gitlab" and in_files and "gitlab" not in formats:
        yield parse_destination("gitlab", folder)


def _history(folder: str | None, source: Source) -> HistoryFolder | None:
    """Return the history in ``folder``, checked to be writable before anything is fetched."""
    if folder is None:
        return None
    # Imported here: a run without a history does not need it.
    from auditor.past.history_folder import HistoryFolder

    history = HistoryFolder(Path(folder))
    with about("history"):
        history.prepare(source.info)
    return history


def _inputs(
    context: click.Context, snapshot: str | None, history: str | None, options: ExceptionOptions
) -> Inputs:
    """Return the inputs that no report may replace; policies are added as they load."""
    inputs = Inputs()
    inputs.add("--config", config_file(context))
    inputs.add("--baseline", options["baseline"])
    inputs.add("--waivers", options["waivers"])
    inputs.add("--snapshot", snapshot)
    if snapshot is not None and snapshot != "-":
        # Every file in a folder is read: a report there would be taken for records.
        inputs.add_folder("--snapshot", Path(snapshot), lambda path: len(path.parts) == 1)
    if history is not None:
        for name in ("history.ndjson", "open.json", ".lock"):
            inputs.add("--history", f"{history}/{name}")
    return inputs


def _add_plan(
    inputs: Inputs, plan: str | None, over: Sequence[str], terraform_dir: str | None
) -> None:
    """Add the files that a plan is judged by."""
    inputs.add("--terraform-plan", plan)
    for name in over:
        if name != "live":
            inputs.add("--over", name.rpartition("=")[2])
    if terraform_dir is not None:
        inputs.add_folder("--terraform-dir", Path(terraform_dir), _is_terraform)


def _is_terraform(path: Path) -> bool:
    return path.name.endswith((".tf", ".tf.json", ".tofu", ".tofu.json"))
