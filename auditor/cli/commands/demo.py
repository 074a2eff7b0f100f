"""``fivetran-auditor demo``: the embedded API and ``audit`` in one, with nothing to configure."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.options.command import StrictCommand
from auditor.cli.options.policies import DEFAULT_PACK
from auditor.cli.terminal.conclusion import Reporting, audit_and_report
from auditor.cli.terminal.streams import Terminal, style
from auditor.gate import INCONCLUSIVE
from auditor.policy import load_policies
from auditor.redaction.credentials import Scrubber
from auditor.reports.writer import DEFAULT_FORMATS, ReportWriter, parse_destination
from auditor.run import Options
from auditor.version import __version__


@click.command(
    name="demo", cls=StrictCommand, short_help="Audit a made-up account; nothing to configure."
)
@click.option(
    "--connections",
    type=click.IntRange(1),
    default=250,
    show_default=True,
    help="Number of connections.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of the made-up account.")
@click.option("--healthy", is_flag=True, help="Audit an account with nothing to find.")
@click.option(
    "-o",
    "--output-dir",
    type=click.Path(path_type=Path),
    default="audit-report",
    show_default=True,
    help="Folder for the reports.",
)
@click.pass_obj
def command(
    terminal: Terminal, *, connections: int, seed: int, healthy: bool, output_dir: Path
) -> int:
    """Serve a made-up account on loopback, audit it over HTTP, and write its reports.

    Exits with 0 if the demo worked; the gate's own answer is printed.
    """
    from auditor.sandbox.estate import build_estate
    from auditor.sandbox.server import Sandbox
    from auditor.sources.api.account import Credentials
    from auditor.sources.api.walk import FivetranSource

    destinations = [parse_destination(name, output_dir) for name in DEFAULT_FORMATS]
    writer = ReportWriter(destinations, __version__, clean=terminal.scrubber.chunks)
    writer.prepare()
    ruleset = load_policies(DEFAULT_PACK)
    terminal.say("A made-up account is served on this machine and audited over HTTP.\n")
    with Sandbox(build_estate(connections, seed, healthy=healthy)) as sandbox:
        source = FivetranSource(sandbox.url, Credentials(sandbox.key, sandbox.secret))
        options = Options(scrubber=Scrubber([(sandbox.key, sandbox.secret)]))
        result, code = audit_and_report(source, ruleset, options, writer, Reporting(terminal))
    if code >= INCONCLUSIVE:
        return code
    note = f"In a pipeline the gate would have answered exit {result.gate.exit_code}."
    page = output_dir / "report.html"
    terminal.say(f"\n{style('The demo worked.', 'green')} {note}\nOpen {page} in a browser.")
    return 0
