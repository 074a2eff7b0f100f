"""``fivetran-auditor schema``: the JSON Schema of a policy, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.options.command import StrictCommand
from auditor.errors import ReportError, UsageError
from auditor.output.disk import replace_file, write_stdout
from auditor.text import printable

_HELP = """Print the JSON Schema (2020-12) of a policy file.

An editor with it completes fields, operators and documented values, tells what each is, and
marks what the loader would refuse. It is the same for every policy: save it once, beside them.

\b
  fivetran-auditor schema -o policies/policy.schema.json

In VS Code with the extension YAML (redhat.vscode-yaml), and in any editor with the YAML
language server, the first line of a policy names it, from the policy's own folder:

\b
  # yaml-language-server: $schema=./policy.schema.json

or the workspace's .vscode/settings.json does for all of them:

\b
  {"yaml.schemas": {"./policies/policy.schema.json": "policies/*.yaml"}}
"""


@click.command(
    name="schema",
    cls=StrictCommand,
    help=_HELP,
    short_help="Print the JSON Schema of a policy, for editors.",
)
@click.option("--waivers", is_flag=True, help="Print the schema of a waiver file instead.")
@click.option("--config", is_flag=True, help="Print the schema of auditor.yaml instead.")
@click.option(
    "-o", "--output", metavar="FILE", help="Where to, - for standard output.  [default: -]"
)
@click.pass_context
def command(context: click.Context, /, *, waivers: bool, config: bool, output: str | None) -> int:
    """Print the JSON Schema of a policy file, or write it."""
    from auditor.acceptance.schema import waivers_schema
    from auditor.cli.config.command import config_options
    from auditor.cli.config.file import config_schema
    from auditor.policy.schemas.policy import as_text, policy_schema

    if waivers and config:
        raise UsageError("--waivers and --config are two schemas; ask for one at a time")
    made = (
        waivers_schema()
        if waivers
        else config_schema(config_options(context))
        if config
        else policy_schema()
    )
    chunks = (as_text(made),)
    name = "standard output" if output in {None, "-"} else str(output)
    try:
        if output in {None, "-"}:
            write_stdout(chunks)
            return 0
        replace_file(Path(name).resolve(), chunks)
    except OSError as error:
        reason = error.strerror or "it is a folder, or closed"
        raise ReportError(f"cannot write {printable(name)}: {reason}") from error
    context.obj.say(f"Wrote {printable(name)}")
    return 0
