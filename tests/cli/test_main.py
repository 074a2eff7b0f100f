"""The one place where a run ends: what a command returns or raises, and what becomes of it.

In one process, with a command of the test's own making; ``test_exit_codes.py`` asks the real ones.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import click
import pytest
from click.shell_completion import ShellComplete

from auditor import __version__
from auditor.cli.main import COMMANDS, group, main
from auditor.errors import (
    AuditorError,
    Interrupted,
    PolicyError,
    Problem,
    ReportError,
    SourceError,
    UsageError,
)
from auditor.model import Position

SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: What a signal says that nothing has a note on.
UNDECIDED = (
    "the run decided nothing; a report that it had begun and not written says that it did not "
    "finish, and one that it had not begun may be of an earlier run"
)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("_FIVETRAN_AUDITOR_COMPLETE", "CI", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    for number, handler in zip(SIGNALS, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command line: its exit code, and what it wrote where."""

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run


@pytest.fixture
def ends_with(monkeypatch: pytest.MonkeyPatch, run: Run) -> Run:
    """Return a function that runs a command which returns, raises or does what it is given."""

    def ends_with(ending: Any, *arguments: str) -> tuple[int, str, str]:
        @click.command(name="schema")
        @click.option("-v", "--verbose", is_flag=True)
        def command(*, verbose: bool) -> Any:
            if isinstance(ending, BaseException):
                raise ending
            return ending() if callable(ending) else ending

        monkeypatch.setattr("auditor.cli.commands.schema.command", command)
        return run("schema", *arguments)

    return ends_with


def completions(*words: str) -> dict[str, str | None]:
    *before, last = words
    found = ShellComplete(group, {}, "fivetran-auditor", "X").get_completions(before, last)
    return {item.value: item.help for item in found}


# -- what a command returns -----------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4])
def test_what_a_command_returns_is_the_exit_code(ends_with: Run, code: int) -> None:
    assert ends_with(code) == (code, "", "")


@pytest.mark.parametrize("returned", [None, "text", 1.5, True])
def test_a_command_that_returns_no_code_has_lost_its_answer(
    ends_with: Run, returned: object
) -> None:
    said = "error: this is a bug: the command ended without an exit code\n"
    assert ends_with(returned) == (4, "", said)


# -- what a command raises ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AuditorError("what and where"), 4),
        (UsageError("what and where"), 2),
        (SourceError("what and where"), 3),
        (ReportError("what and where"), 4),
    ],
)
def test_an_error_we_understand_is_one_line_and_its_code(
    ends_with: Run, error: AuditorError, code: int
) -> None:
    assert ends_with(error) == (code, "", "error: what and where\n")


def test_every_problem_of_a_file_is_reported_with_its_place(ends_with: Run) -> None:
    problems = [
        Problem(Position("p.yaml", 2, 5), "not like that", "like this"),
        Problem(Position("p.yaml", 7, 1), "nor that"),
    ]
    code, out, err = ends_with(PolicyError(problems))
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "p.yaml:2:5: error: not like that",
        "    help: like this",
        "p.yaml:7:1: error: nor that",
        "error: 2 errors in p.yaml; nothing was judged",
    ]


def test_an_error_in_a_policy_reads_as_all_its_problems() -> None:
    place = Position("p.yaml", 2, 5)
    error = PolicyError(iter([Problem(place, "a", "b"), Problem(place, "c")]))  # type: ignore[arg-type]  # any order will do
    assert str(error) == "p.yaml:2:5: a (b)\np.yaml:2:5: c"
    assert error.problems == (Problem(place, "a", "b"), Problem(place, "c"))
    assert not error.problems[0].warning
    assert error.problems[1].hint == error.problems[1].source_line == ""


def test_a_usage_error_says_whom_to_ask(ends_with: Run, run: Run) -> None:
    def refuse() -> None:
        click.get_current_context().fail("not like that")

    said = "error: not like that\nTry 'fivetran-auditor schema --help'.\n"
    assert ends_with(refuse) == (2, "", said)
    code, out, err = run("schema", "--nope")
    assert (code, out) == (2, "")
    assert "--nope" in err
    assert err.endswith("Try 'fivetran-auditor schema --help'.\n")


def test_any_other_error_of_clicks_is_no_verdict(ends_with: Run) -> None:
    """Click's own code for it is 1, which would be read as violations."""
    code, out, err = ends_with(click.ClickException("x"))
    assert (code, out) == (4, "")
    assert err.startswith("error: ClickException: x\n")


@pytest.mark.parametrize(
    ("ending", "code"), [(click.exceptions.Exit(3), 3), (click.Abort(), 130)], ids=["exit", "abort"]
)
def test_what_click_ends_a_command_with(ends_with: Run, ending: Exception, code: int) -> None:
    assert ends_with(ending) == (code, "", "")


@pytest.mark.parametrize("flag", ["", "-v", "--verbose"])
def test_a_bug_is_4_and_shown_in_full_only_when_asked(ends_with: Run, flag: str) -> None:
    code, out, err = ends_with(KeyError("a bug"), *filter(None, [flag]))
    assert (code, out) == (4, "")
    assert err.startswith("error: KeyError: 'a bug'\n")
    assert "this is a bug in the auditor" in err
    assert ("Traceback (most recent call last)" in err) is bool(flag)
    assert ("run it with -v" in err) is not bool(flag)


# -- signals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_ends_the_command_with_its_own_code(
    ends_with: Run, number: signal.Signals, code: int, word: str
) -> None:
    said = f"error: {word}: {UNDECIDED}\n"
    assert ends_with(lambda: os.kill(os.getpid(), number)) == (code, "", said)


def test_a_signal_is_reported_with_what_became_of_the_files(ends_with: Run) -> None:
    def save() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except Interrupted as interruption:
            interruption.add_note("nothing was saved to a")
            interruption.add_note("half was saved to b")
            raise

    said = "error: terminated: nothing was saved to a; half was saved to b\n"
    assert ends_with(save) == (143, "", said)


def test_what_a_signal_breaks_off_and_leaves_broken_is_no_bug(ends_with: Run) -> None:
    """A wait that is broken off, as in ``threading``, may release a lock that it does not hold."""

    def waits() -> None:
        lock = threading.Lock()
        try:
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            finally:
                lock.release()
        finally:
            {}.popitem()

    assert ends_with(waits) == (143, "", f"error: terminated: {UNDECIDED}\n")


def closed(end: Callable[[], object]) -> None:
    """Do ``end`` in a generator that is being closed, where Python lets nothing be raised."""

    def generator() -> Iterator[None]:
        try:
            yield
        finally:
            end()

    left = generator()
    next(left)
    del left


def test_a_signal_that_a_callback_swallows_does_not_leave_the_run_waiting(ends_with: Run) -> None:
    def waits() -> None:
        closed(lambda: signal.raise_signal(signal.SIGTERM))
        threading.Event().wait(20)
        pytest.fail("the run went on")

    assert ends_with(waits) == (143, "", f"error: terminated: {UNDECIDED}\n")
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.parametrize("has_timer", [True, False])
def test_a_signal_where_nothing_can_be_raised_ends_the_command_after_all(
    ends_with: Run, has_timer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_timer:  # As on Windows.
        monkeypatch.delattr(signal, "setitimer")
    said = f"error: terminated: {UNDECIDED}\n"
    stop = partial(os.kill, os.getpid(), signal.SIGTERM)
    assert ends_with(partial(closed, stop)) == (143, "", said)


def test_an_error_where_nothing_can_be_raised_is_reported_and_ends_nothing(ends_with: Run) -> None:
    code, out, err = ends_with(lambda: closed({}.popitem) or 0)
    assert (code, out) == (0, "")
    assert err.startswith("Exception ignored ")
    assert err.endswith("KeyError: 'popitem(): dictionary is empty'\n")


@pytest.mark.parametrize("first", SIGNALS)
@pytest.mark.parametrize("second", SIGNALS)
def test_a_second_signal_ends_the_process_at_once(
    ends_with: Run, first: signal.Signals, second: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(BaseException):
        pass

    def gone(code: int) -> None:
        raise Gone(code)

    def tidy() -> None:
        try:
            os.kill(os.getpid(), first)
        finally:
            os.kill(os.getpid(), second)

    monkeypatch.setattr(os, "_exit", gone)
    with pytest.raises(Gone) as ended:
        ends_with(tidy)
    assert ended.value.args == (128 + second,)


@pytest.mark.parametrize("error", [OSError, ValueError])
def test_a_stream_that_is_gone_does_not_hold_up_the_end(
    ends_with: Run, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise error

    def tidy() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            with monkeypatch.context() as broken_stream:
                broken_stream.setattr(sys.stderr, "flush", broken)
                os.kill(os.getpid(), signal.SIGTERM)

    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    assert ends_with(tidy)[0] == 143
    assert codes == [143]


def test_a_signal_is_not_an_error_that_anything_swallows() -> None:
    assert not issubclass(Interrupted, Exception)
    assert Interrupted(2).exit_code == 130
    assert Interrupted(2).args == (2,)


# -- without a command ----------------------------------------------------------------------------


def test_the_help_is_2_when_nobody_asked_for_it(run: Run) -> None:
    code, out, err = run()
    assert (code, err) == (2, "")
    assert out == run("--help")[1] == run("-h")[1]


def test_help_and_version_went_well(run: Run) -> None:
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert out.startswith("Usage: fivetran-auditor [OPTIONS] COMMAND [ARGS]...")
    assert "Commands:" in out.splitlines()
    assert "Show the version and exit." in out
    assert "Show this message and exit." in out
    for name, does in COMMANDS.items():
        assert f"  {name.ljust(10)}  {does}\n" in out
    words = [line.split(None, 1)[0] for line in out.split("Commands:")[1].splitlines() if line]
    assert words[: len(COMMANDS)] == list(COMMANDS)
    for option in ("--version", "-V"):
        assert run(option) == (0, f"fivetran-auditor, version {__version__}\n", "")


def test_the_arguments_are_the_processs_own_unless_given(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["a/path/to/it", "--version"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("fivetran-auditor, version")


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace a command by one whose help was not yet requested; return the result."""
    did: list[str] = []

    @click.command(name="schema")
    @click.argument("needed")
    @click.option("--other", type=int)
    def command(*, needed: str, other: int | None) -> int:
        """Do what is needed."""
        did.append(needed)
        return 3

    monkeypatch.setattr("auditor.cli.commands.schema.command", command)
    return did


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_a_commands_help_comes_before_anything_is_asked_of_it(
    run: Run, fresh: list[str], option: str
) -> None:
    code, out, err = run("schema", "--other", "no number", option)
    assert (code, err, fresh) == (0, "", [])
    assert out.startswith("Usage: fivetran-auditor schema [OPTIONS] NEEDED\n")
    assert "\n  Do what is needed.\n" in out
    assert "\n  -h, --help       Show this message and exit.\n" in out


def test_a_command_that_is_not_asked_for_help_gives_none(run: Run, fresh: list[str]) -> None:
    assert run("schema", "it") == (3, "", "")
    assert fresh == ["it"]


def test_help_that_is_only_looked_at_is_not_given(
    fresh: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert completions("schema", "--help", "--o") == {"--other": None}
    assert completions("schema", "--he") == {"--help": "Show this message and exit."}
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_our_help(run: Run, option: str) -> None:
    for _ in range(2):  # the second time round it is there already
        code, out, err = run("schema", option)
        assert (code, err) == (0, "")
        assert out.startswith("Usage: fivetran-auditor schema [OPTIONS]")
        assert out.count("Show this message and exit.") == 1


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("adit", "did you mean audit?"),
        ("valid", "did you mean validate?"),
        ("zzz", "there are audit, fetch, validate, test, explain, try, compare, schema, init,"),
    ],
)
def test_a_command_that_there_is_not(run: Run, word: str, hint: str) -> None:
    code, out, err = run(word)
    assert (code, out) == (2, "")
    assert f"No such command '{word}' ({hint}" in err
    assert ("demo and completion)" in err) is hint.startswith("there")


def test_what_makes_documents_of_commands_finds_them_all() -> None:
    with click.Context(group, info_name="fivetran-auditor") as context:
        told = group.to_info_dict(context)
    assert list(told["commands"]) == list(COMMANDS)
    assert {command["name"] for command in told["commands"].values()} == set(COMMANDS)


# -- completion -----------------------------------------------------------------------------------


def test_what_is_offered_is_every_command_with_what_it_does() -> None:
    assert completions("") == dict(COMMANDS)
    assert completions("va") == {"validate": COMMANDS["validate"]}
    assert completions("nothing-like-it", "") == dict(COMMANDS)
    assert completions("--v") == {"--version": "Show the version and exit."}
    assert "--waivers" in completions("schema", "--")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, str]]:
    """Return what the answers to a shell were asked for."""
    got: list[tuple[object, str]] = []

    def answer(root: object, instruction: str) -> None:
        got.append((root, instruction))
        sys.exit(0)

    monkeypatch.setattr("auditor.cli.commands.completion.answer", answer)
    monkeypatch.setenv("_FIVETRAN_AUDITOR_COMPLETE", "bash_complete")
    return got


def test_a_shell_that_asks_is_answered(
    run: Run, asked: list[tuple[object, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["fivetran-auditor"])
    assert run() == (0, "", "")
    assert asked == [(group, "bash_complete")]


def test_a_variable_that_was_left_behind_answers_no_command(
    run: Run, asked: list[tuple[object, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["fivetran-auditor", "--version"])
    assert run("--version")[0] == 0
    with pytest.raises(SystemExit):
        main()
    monkeypatch.setattr(sys, "argv", ["fivetran-auditor"])
    assert run("--version")[0] == 0
    assert asked == []
