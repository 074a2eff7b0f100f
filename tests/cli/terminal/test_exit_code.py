"""Whatever a command does, it ends as an exit code and a message."""

from __future__ import annotations

from collections.abc import Callable

import click
import pytest

from auditor.cli.terminal.exit_code import exit_code_of
from auditor.cli.terminal.streams import Terminal
from auditor.errors import Interrupted, PolicyError, Problem, ReportError, UsageError
from auditor.model import Position


def raising(error: BaseException) -> Callable[[], object]:
    def run() -> object:
        raise error

    return run


def code_of(run: Callable[[], object], *, bare: bool = False, verbose: bool = False) -> int | None:
    terminal = Terminal.from_environment()
    code = exit_code_of(run, terminal, verbose=verbose, bare=bare)
    terminal.close()
    return code


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (UsageError("no such thing"), 2, "error: no such thing\n"),
        (ReportError("cannot write x"), 4, "error: cannot write x\n"),
        (click.UsageError("no such option"), 2, "error: no such option\n"),
        (click.exceptions.Exit(0), 0, ""),
        (click.Abort(), 130, ""),
        (ZeroDivisionError("x"), 4, "ZeroDivisionError"),
        (MemoryError(), 4, "error: no memory is left: nothing this run says can be trusted; give"),
        (click.FileError("x.yaml", "no such file"), 4, "FileError"),
        (
            PolicyError([Problem(Position("a.yaml", 3, 5), "no such field")]),
            2,
            "a.yaml:3:5: error: no such field\nerror: 1 error in a.yaml; nothing was judged\n",
        ),
    ],
)
def test_what_is_raised_has_its_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, told: str
):
    assert code_of(raising(error)) == code
    assert told in capsys.readouterr().err


def test_a_mistake_on_the_command_line_ends_with_the_help_that_is_about_it(
    capsys: pytest.CaptureFixture[str],
):
    context = click.Context(click.Command("run"), info_name="fivetran-auditor run")
    for ctx, more in ((context, "Try 'fivetran-auditor run --help'.\n"), (None, "")):
        assert code_of(raising(click.UsageError("no such option", ctx))) == 2
        assert capsys.readouterr().err == f"error: no such option\n{more}"


@pytest.mark.parametrize("verbose", [True, False])
def test_where_a_bug_is_told_to_who_asks_for_it(capsys: pytest.CaptureFixture[str], verbose: bool):
    assert code_of(raising(ZeroDivisionError("x")), verbose=verbose) == 4
    assert ("Traceback" in capsys.readouterr().err) is verbose


def test_help_that_was_asked_for_is_a_success():
    assert code_of(raising(click.exceptions.Exit(0))) == 0


def test_unrequested_help_is_not_a_success():
    assert code_of(raising(click.exceptions.Exit(0)), bare=True) == 2


@pytest.mark.parametrize(("returned", "code"), [(3, 3), (None, None), (True, None), ("0", None)])
def test_only_a_number_is_an_exit_code(returned: object, code: int | None):
    assert code_of(lambda: returned) == code


def test_a_signal_goes_on():
    with pytest.raises(Interrupted):
        code_of(raising(Interrupted(15)))


def test_an_error_that_a_signal_left_behind_is_told_as_the_signal():
    """What tidies up after a wait that was broken off may fail itself, twice even."""
    stopped = Interrupted(15)

    def waits() -> object:
        try:
            try:
                raise stopped
            finally:
                {}.popitem()
        finally:
            [].pop()

    with pytest.raises(Interrupted) as raised:
        code_of(waits)
    assert raised.value is stopped
