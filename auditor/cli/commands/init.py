"""``fivetran-auditor init``: a policy, waivers, defaults and CI jobs to start from."""

from __future__ import annotations

import os
from pathlib import Path

import click

from auditor.cli.options.command import StrictCommand
from auditor.cli.terminal.streams import Terminal, style
from auditor.errors import UsageError
from auditor.output.target import Target
from auditor.output.writing import put_document
from auditor.text import listed, one_line
from auditor.version import __version__

_STARTER = Path(__file__).with_name("starter")
#: What is written, and the template it is made from.
FILES = {
    "policies/house.yaml": "house.yaml",
    "waivers.yaml": "waivers.yaml",
    "auditor.yaml": "auditor.yaml",
    ".github/workflows/fivetran-audit.yml": "github.yml",
    ".gitlab-ci.fivetran-audit.yml": "gitlab.yml",
}
#: What is written besides with --terraform: jobs that gate a plan.
GATES = {
    ".github/workflows/fivetran-plan.yml": "plan_github.yml",
    ".gitlab-ci.fivetran-plan.yml": "plan_gitlab.yml",
}
_NEXT = """
Next:
  fivetran-auditor validate && fivetran-auditor test    the policy, without an account
  fivetran-auditor sandbox                              a made-up account, to try it on
  fivetran-auditor audit                                with FIVETRAN_API_KEY and _SECRET set

Keep the CI file of your service and delete the other. Reports go to audit-report/: keep them
out of version control."""


@click.command(
    name="init",
    cls=StrictCommand,
    short_help="Write a starter: policy, waivers, defaults, CI jobs.",
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option(
    "--terraform",
    is_flag=True,
    help="Write jobs that gate a Terraform plan, too; where a starter stands, those alone.",
)
@click.pass_obj
def command(terminal: Terminal, /, *, folder: Path, force: bool, terraform: bool) -> int:
    """Write a starter into FOLDER, the working folder if none is named.

    A policy that extends the shipped packs, an empty waiver file, defaults for the options, a
    GitHub Actions workflow and a GitLab job. Where one of them stands already none is written,
    but for --force.
    """
    files = dict(FILES)
    if terraform:
        # A starter that stands is somebody's by now.
        begun = any(os.path.lexists(folder / name) for name in FILES)
        files = dict(GATES) if begun else {**FILES, **GATES}
    standing = [name for name in files if os.path.lexists(folder / name)]
    if standing and not force:
        verb = "stands" if len(standing) == 1 else "stand"
        raise UsageError(
            f"{listed(standing, 'and')} {verb} in {one_line(str(folder))} already; nothing was"
            " written. Choose another folder, or replace what is there with --force"
        )
    for name, template in files.items():
        text = (_STARTER / template).read_text(encoding="utf-8").replace("@VERSION@", __version__)
        put_document(Target(folder / name), (text,), "choose another folder")
        terminal.say(f"{style('wrote', 'green')} {one_line(str(folder / name))}")
    terminal.say(_NEXT)
    return 0
