"""``fivetran-auditor schema``: the JSON Schema of a policy, for editors."""

from __future__ import annotations

import click

from auditor.cli.config.schemas import schema_text
from auditor.cli.options.command import StrictCommand
from auditor.errors import UsageError
from auditor.output.target import Target
from auditor.output.write import put_document
from auditor.text import listed

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

Test files match that too. The first lines of a file count more than settings: name in those of a
NAME.test.yaml the schema that --tests prints.
"""


@click.command(
    name="schema",
    cls=StrictCommand,
    help=_HELP,
    short_help="Print the JSON Schema of policy files, for editors.",
)
@click.option("--tests", is_flag=True, help="Print the schema of a test file instead.")
@click.option("--waivers", is_flag=True, help="Print the schema of a waiver file instead.")
@click.option("--config", is_flag=True, help="Print the schema of auditor.yaml instead.")
@click.option(
    "-o", "--output", metavar="FILE", help="File to write, - for standard output.  [default: -]"
)
@click.pass_context
def command(
    context: click.Context, /, *, tests: bool, waivers: bool, config: bool, output: str | None
) -> int:
    """Print the JSON Schema of a policy file, or write it."""
    asked = {"tests": tests, "waivers": waivers, "config": config}
    named = [name for name, wanted in asked.items() if wanted]
    if len(named) > 1:
        options = listed([f"--{name}" for name in named], "and")
        raise UsageError(f"{options} are {len(named)} schemas; ask for one at a time")
    wanted = named[0] if named else "policy"
    target = Target.named(output)
    put_document(target, (schema_text(wanted, context),), "name another file with --output")
    if target.path is not None:
        context.obj.say(f"Wrote {target}")
    return 0
