"""``fivetran-auditor init``: a policy, waivers, defaults, and jobs for CI services."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from auditor.cli.config.schemas import schema_text
from auditor.cli.config.settings import CONFIG_FILE
from auditor.cli.options.command import StrictCommand
from auditor.cli.options.docs import docs_of
from auditor.cli.terminal.streams import Terminal, style
from auditor.errors import ReportError, UsageError
from auditor.output.disk import real
from auditor.output.target import Target
from auditor.output.write import put_document
from auditor.text import listed, one_line
from auditor.version import __version__

_F = TypeVar("_F", bound=Callable[..., Any])
_STARTER = Path(__file__).with_name("starter")
_IGNORE = ".gitignore"
_ELSEWHERE = "choose another folder"
_HOOKS = ".pre-commit-config.yaml"
#: What is written, and the template it is made from.
FILES = {
    "policies/house.yaml": "house.yaml",
    "waivers.yaml": "waivers.yaml",
    "auditor.yaml": "auditor.yaml",
}
#: The schemas that editors complete and check them by.
SCHEMAS = {
    ".fivetran-auditor/policy.schema.json": "policy",
    ".fivetran-auditor/tests.schema.json": "tests",
    ".fivetran-auditor/waivers.schema.json": "waivers",
    ".fivetran-auditor/auditor.schema.json": "config",
}
#: The CI services: an option for each, the file, its template, and the option's help.
SERVICES = {
    "github": (".github/workflows/fivetran-audit.yml", "github.yml", "a GitHub Actions workflow"),
    "gitlab": (".gitlab-ci.fivetran-audit.yml", "gitlab.yml", "jobs for GitLab CI"),
    "jenkins": ("Jenkinsfile.fivetran-audit", "jenkins.groovy", "a Jenkins pipeline"),
    "azure": ("azure-pipelines.fivetran-audit.yml", "azure.yml", "an Azure pipeline"),
    "pre-commit": (_HOOKS, "pre-commit.yaml", "hooks for pre-commit or prek"),
}
#: What --terraform also writes: jobs that gate a plan, for the service that is asked for, or for
#: both.
GATES = {
    ".github/workflows/fivetran-plan.yml": "plan_github.yml",
    ".gitlab-ci.fivetran-plan.yml": "plan_gitlab.yml",
}
_GATE_OF = dict(zip(("github", "gitlab"), GATES, strict=True))
#: A repository's folder that can be written into jobs as it is, in each of their languages.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
#: What has its own name in the jobs of each folder of a repository.
_JOBS = re.compile(
    r"\bfivetran-(?:audit|plan|policies)\b|(?<=[ .])fivetran-auditor(?=$|:$)", re.MULTILINE
)
#: Where a file names its schema: for the YAML language server, and for JetBrains' editors.
_SCHEMA_LINE = re.compile(
    r"^(# (?:yaml-language-server: \$schema=|\$schema: ))\S*/([\w.]+)$", re.MULTILINE
)
#: A line that only the job of a folder in a repository has, with the empty line after it.
_OF_PLACE = re.compile(r"^\S.*@CONFIG@.*\n\n|^.*@CONFIG@.*\n", re.MULTILINE)
_DOCS_URL = re.compile(r"^# docs_url: .*$", re.MULTILINE)
_NEXT = """
Next:
  fivetran-auditor validate && fivetran-auditor test    the policy, without an account
  fivetran-auditor sandbox                              a made-up account, to try it on
  fivetran-auditor audit                                with FIVETRAN_API_KEY and _SECRET set"""
_NO_SERVICE = (
    "  fivetran-auditor init --github                        a job: or --gitlab, --jenkins, --azure"
)


def _service_options(command: _F) -> _F:
    for name in reversed(SERVICES):
        _, _, what = SERVICES[name]
        option = click.option(f"--{name}", is_flag=True, help=f"Also write {what}.")
        command = option(command)
    return command


@click.command(
    name="init",
    cls=StrictCommand,
    short_help="Write starter files: policy, waivers, defaults, CI jobs.",
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@_service_options
@click.option(
    "--terraform",
    is_flag=True,
    help="Also write jobs that gate a Terraform plan, for GitHub and GitLab unless you choose one.",
)
@click.option(
    "--docs-url",
    metavar="URL",
    help="A site built from the auditor's docs: reports link to its rules, and editors take the"
    " schemas from there, so none are written.",
)
@click.option("--force", is_flag=True, help="Replace existing files.")
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    folder: Path,
    force: bool,
    terraform: bool,
    docs_url: str | None,
    **services: bool,
) -> int:
    """Write starter files into FOLDER, by default the current folder.

    They are a policy that extends the pack baseline, an empty waiver file, defaults for options,
    and the schemas that editors check these files by; lines are added to .gitignore. If one of the
    files exists, nothing is written unless you give --force.

    An option for a service also writes that service's file, and keeps starter files that exist; if
    there is no auditor.yaml, it and the other missing ones are written. For a folder of a
    repository the service's file goes to the repository's root, where the service looks for it.
    """
    terminal: Terminal = context.obj
    named = [name for name in SERVICES if services[name.replace("-", "_")]]
    chosen = {path: template for path, template, _ in (SERVICES[name] for name in named)}
    if terraform:
        gates = [_GATE_OF[name] for name in named if name in _GATE_OF] or list(GATES)
        chosen.update({path: GATES[path] for path in gates})
    site = _site(docs_url)
    place = _place(folder) if chosen else ""
    chosen = {_path(path, place): template for path, template in chosen.items()}
    starter = {**FILES, **({} if site else SCHEMAS)}
    standing = [name for name in FILES if os.path.lexists(folder / name)]
    kept = bool(chosen and standing)
    manifest = _path(_HOOKS, place)
    hooks = chosen.pop(manifest, None)
    if hooks and not os.path.lexists(_target_path(folder, manifest)):
        chosen[manifest] = hooks
        hooks = None
    lacking = _lacking(folder, starter) if CONFIG_FILE not in standing else {}
    wanted = {**(lacking if kept else starter), **chosen}
    in_the_way = [name for name in wanted if os.path.lexists(_target_path(folder, name))]
    if in_the_way and not force:
        verb = "exists" if len(in_the_way) == 1 else "exist"
        raise UsageError(
            f"{listed(in_the_way, 'and')} already {verb} in {one_line(str(folder))}; nothing was"
            " written. Choose another folder, or replace what is there with --force"
        )
    for name, template in wanted.items():
        text = _text(name, template, context, site, place)
        path = _target_path(folder, name)
        put_document(Target(path), (text,), _ELSEWHERE)
        terminal.say(f"{style('wrote', 'green')} {one_line(str(path))}")
    if kept:
        terminal.say(f"kept {listed(standing, 'and')}")
    if _ignore(folder / _IGNORE):
        terminal.say(f"{style('added', 'green')} to {one_line(str(folder / _IGNORE))}")
    terminal.say(_NEXT)
    if hooks:
        terminal.say(f"\n{manifest} exists already. Add this to its repos:\n")
        terminal.say(_text(manifest, hooks, context, site, place).partition("\n")[2].rstrip())
    elif not chosen:
        terminal.say(_NO_SERVICE)
    return 0


def _lacking(folder: Path, starter: dict[str, str]) -> dict[str, str]:
    """Return what of the ``starter`` a job needs, and ``folder`` lacks: above all the defaults.

    Without them the job would read no waivers. Beside policies of your own, no other is written.
    """
    has_policies = os.path.lexists(folder / "policies")
    return {
        name: template
        for name, template in starter.items()
        if not os.path.lexists(folder / name)
        and not (has_policies and name.startswith("policies/"))
    }


def _site(url: str | None) -> str:
    """Return the address of the site that ``url`` is, with a final slash; "" for none."""
    if url is None:
        return ""
    if "{" in docs_of(url):
        raise UsageError(f"--docs-url {url!r}: schemas come from a site; write only its address")
    return f"{url.rstrip('/')}/"


def _place(folder: Path) -> str:
    """Return the path of ``folder`` in its repository, "" for the root and outside of any.

    Raises UsageError for a folder whose name would be more than a name in a job.
    """
    here = real(folder)
    root = next((f for f in (here, *here.parents) if os.path.lexists(f / ".git")), here)
    place = here.relative_to(root).as_posix()
    if place != "." and not _PLAIN.fullmatch(place):
        raise UsageError(
            f"{one_line(place)}: the jobs of a folder in a repository name it, and take letters,"
            " digits, - _ and . in it only; write the starter into the repository's root"
        )
    return "" if place == "." else place


def _path(path: str, place: str) -> str:
    """Return where a service's file goes, from the folder at ``place`` in its repository."""
    if not place:
        return path
    up = "../" * (place.count("/") + 1)
    return up + _named_for(path, place)


def _target_path(folder: Path, name: str) -> Path:
    """Return where the file ``name`` is, even above a ``folder`` that does not exist yet."""
    if not name.startswith("../"):
        return folder / name
    return Path(os.path.relpath(os.path.normpath(real(folder) / name)))


def _named_for(text: str, place: str) -> str:
    """Return ``text`` with the jobs and files in it named after ``place``."""
    return _JOBS.sub(lambda found: f"{found[0]}-{place.replace('/', '-')}", text)


def _text(name: str, template: str, context: click.Context, site: str, place: str) -> str:
    """Return the content of the file ``name``; its schema is on the ``site``, if there is one.

    A job runs in the repository's root, and gets the configuration in ``place``.
    """
    if name in SCHEMAS:
        return schema_text(template, context)
    text = (_STARTER / template).read_text(encoding="utf-8")
    if site:
        text = _SCHEMA_LINE.sub(lambda found: f"{found[1]}{site}schemas/{found[2]}", text)
        text = _DOCS_URL.sub(lambda _: f"docs_url: {site}", text)
    text = text.replace("@VERSION@", __version__)
    if not place:
        return _OF_PLACE.sub("", text).replace("@IN@", "")
    return (
        _named_for(text, place)
        .replace("@IN@", f"{place}/")
        .replace("@CONFIG@", f"{place}/{CONFIG_FILE}")
    )


def _ignore(path: Path) -> bool:
    """Add what is missing to a ``.gitignore``; return whether anything was."""
    wanted = (_STARTER / "gitignore").read_text(encoding="utf-8")
    try:
        there = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        there = ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ReportError(f"cannot read {one_line(str(path))}: {reason}") from error
    lines = {line.strip() for line in there.splitlines()}
    missing = [line for line in wanted.splitlines() if line not in lines]
    if all(line.startswith("#") for line in missing):
        return False
    apart = f"{there.rstrip()}\n\n" if there.strip() else ""
    put_document(Target(path), (apart + "\n".join(missing) + "\n",), _ELSEWHERE)
    return True
