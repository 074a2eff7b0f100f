"""In every command, an option with one value takes it only once, and never an empty one."""

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


def test_flags_lists_and_other_levels_do_not_count_as_repetition(tmp_path: Path):
    (tmp_path / "auditor.yaml").write_text("fail_on: low\n")
    env = {"FIVETRAN_AUDITOR_FAIL_ON": "medium"}
    words = ["--strict", "--strict", "--report", "html", "--report", "csv", "--fail-on", "high"]
    assert run(["audit", "--show-config", *words], tmp_path, env).returncode == 0


def every(name: str) -> list[click.Parameter]:
    """Return what of a command takes a text."""
    params = import_module(f"auditor.cli.commands.{name}").command.params
    return [each for each in params if not getattr(each, "is_flag", False)]


FILLED = [(name, parameter) for name in COMMANDS for parameter in every(name)]


@pytest.mark.parametrize(
    ("name", "parameter"), FILLED, ids=[f"{name} {each.opts[0]}" for name, each in FILLED]
)
def test_a_variable_that_is_not_set_is_not_a_value(name: str, parameter: click.Parameter):
    command = import_module(f"auditor.cli.commands.{name}").command
    refused = r" is empty; (leave (the option|it) out|it needs)"
    for blank in ("", " \t"):
        values = [blank, *["x"] * (parameter.nargs - 1)]
        words = [parameter.opts[0], *values] if isinstance(parameter, click.Option) else ["x"] * 9
        if isinstance(parameter, click.Argument):
            arguments = [each for each in command.params if isinstance(each, click.Argument)]
            words = [*words[: arguments.index(parameter)], *values]
        with pytest.raises(click.UsageError, match=refused):
            command.make_context(name, words)


def test_an_empty_snapshot_is_not_the_working_folder(tmp_path: Path):
    (tmp_path / "saved.json").write_text("[]")
    done = run(["audit", "--snapshot", "", "-o", "reports"], tmp_path)
    assert done.returncode == 2
    assert "--snapshot is empty; leave the option out" in done.stderr
    assert not (tmp_path / "reports").exists()


def test_policies_given_as_arguments_are_told_of_their_option(tmp_path: Path):
    done = run(["audit", "policies/"], tmp_path)
    assert done.returncode == 2
    assert "extra argument (policies/); policies are named with -p\n" in done.stderr
    assert "named with -p" not in run(["completion", "bash", "zsh"], tmp_path).stderr
