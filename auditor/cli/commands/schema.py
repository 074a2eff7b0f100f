"""``fivetran-auditor schema``: the JSON Schema of a policy, for editors."""

from __future__ import annotations

import click

from auditor.cli.config.schemas import schema_text
from auditor.cli.options.command import StrictCommand
from auditor.errors import UsageError
from auditor.output.target import Target
from auditor.output.write import put_document

_HELP = """Print the JSON Schema (2020-12) of a policy file.

With it an editor completes and describes fields, operators and documented values, and marks what
the loader would refuse. Every policy has the same schema: save it once, beside your policies.

\b
  fivetran-auditor schema -o policies/policy.schema.json

In VS Code with the YAML extension (redhat.vscode-yaml), and in any editor with the YAML language
server, the first of these lines at the top of a policy names its schema, by its path from there;
in JetBrains' editors the second does:

\b
  # yaml-language-server: $schema=./policy.schema.json
  # $schema: ./policy.schema.json

or name it for all policies in the workspace's .vscode/settings.json:

\b
  {"yaml.schemas": {"./policies/policy.schema.json": "policies/*.yaml"}}
"""


@click.command(
    name="schema",
    cls=StrictCommand,
    help=_HELP,
    short_help="Print the JSON Schema of policy files, for editors.",
)
@click.option("--waivers", is_flag=True, help="Print the schema of a waiver file instead.")
@click.option("--config", is_flag=True, help="Print the schema of auditor.yaml instead.")
@click.option(
    "-o", "--output", metavar="FILE", help="File to write, - for standard output.  [default: -]"
)
@click.pass_context
def command(context: click.Context, /, *, waivers: bool, config: bool, output: str | None) -> int:
    """Print the JSON Schema of a policy file, or write it."""
    if waivers and config:
        raise UsageError("--waivers and --config are two schemas; ask for one at a time")
    wanted = "waivers" if waivers else "config" if config else "policy"
    target = Target.named(output)
    put_document(target, (schema_text(wanted, context),), "name another file with --output")
    if target.path is not None:
        context.obj.say(f"Wrote {target}")
    return 0
