"""A working folder with an auditor.yaml, and what is in force there."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from auditor.cli.config.command import Configurable, config_options
from auditor.cli.main import COMMANDS, group
from tests.builders.command import run

RECORD = {"id": "warm_lake", "service": "postgres", "schema": "orders", "group_id": "group_one"}


POLICY = """\
policy: house
vars: {least: 1, most: 1}
rules:
  - {id: the-rule, severity: medium, assert: {schema: sales}}
  - {id: least, severity: low, per: account, assert: {count: {gte: {var: least}}}}
  - {id: most, severity: low, per: account, assert: {count: {lte: {var: most}}}}
"""


SHARED = [
    name
    for name in COMMANDS
    if name != "audit"
    and isinstance(import_module(f"auditor.cli.commands.{name}").command, Configurable)
]


def configurable(name: str) -> Configurable:
    command = group.get_command(click.Context(group), name)
    assert isinstance(command, Configurable)
    return command


OPTIONS = config_options(click.Context(configurable("audit")))


def configure(folder: Path, text: str, name: str = "auditor.yaml") -> None:
    (folder / name).write_text(text, encoding="utf-8")


def in_force(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> dict[str, str]:
    """Return where each option in force comes from, by ``key: value``."""
    done = run(["audit", "--show-config", *arguments], folder, env)
    assert done.returncode == 0, done.stderr
    rows = [line.split("  # ") for line in done.stdout.splitlines() if "  # " in line]
    return {left.strip(): origin for left, origin in rows}
