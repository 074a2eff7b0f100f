"""An option that takes one value takes it once, in every command."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click
import pytest

from auditor.cli.main import COMMANDS
from auditor.cli.options.command import StrictCommand
from tests.builders.command import run


def single(name: str) -> list[click.Option]:
    """Return the options of a command that take one value."""
    command = import_module(f"auditor.cli.commands.{name}").command
    assert isinstance(command, StrictCommand)
    return [
        option
        for option in command.params
        if isinstance(option, click.Option)
        and not (option.multiple or option.is_flag or option.count)
    ]


def value(option: click.Option) -> str:
    """Return a value that the option takes."""
    if isinstance(option.type, click.Choice):
        return str(option.type.choices[0])
    return {"time": "2026-01-31T12:00:00Z"}.get(option.type.name, "1")


CASES = [(name, option) for name in COMMANDS for option in single(name)]


@pytest.mark.parametrize(
    ("name", "option"), CASES, ids=[f"{name} {option.opts[0]}" for name, option in CASES]
)
def test_it_is_refused_a_second_time(name: str, option: click.Option):
    command = import_module(f"auditor.cli.commands.{name}").command
    for spelling in option.opts:
        values = [value(option)] * option.nargs
        words = [spelling, *values]
        if spelling.startswith("--") and option.nargs == 1:
            words = [f"{spelling}={values[0]}"]
        with pytest.raises(click.UsageError, match="is given twice"):
            command.make_context(name, [*words, option.opts[-1], *values])


def test_the_message_says_what_to_do_instead(tmp_path: Path):
    done = run(["audit", "--group", "one", "--group", "two"], tmp_path)
    assert done.returncode == 2
    assert "--group is given twice: audit each group in a separate run" in done.stderr


def test_flags_lists_and_other_places_are_no_second_time(tmp_path: Path):
    (tmp_path / "auditor.yaml").write_text("fail_on: low\n")
    env = {"FIVETRAN_AUDITOR_FAIL_ON": "medium"}
    words = ["--strict", "--strict", "--report", "html", "--report", "csv", "--fail-on", "high"]
    assert run(["audit", "--show-config", *words], tmp_path, env).returncode == 0
