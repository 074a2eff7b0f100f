"""The command line: ``fivetran-auditor``, and the one place where a run ends.

A command returns its exit code or raises; ``main`` turns either into the process's exit, whatever
state its streams are in. Commands are imported when they are run: ``--help`` and ``--version``
import none.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import FrameType, MappingProxyType
from typing import TYPE_CHECKING, NoReturn

import click

from auditor.cli.terminal.exit_code import exit_code_of
from auditor.cli.terminal.streams import Terminal
from auditor.errors import AuditorError, Interrupted
from auditor.text import listed, nearest
from auditor.version import __version__

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: Every command and what it does; each is in the module of its name, as ``command``.
COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "audit": "Judge every connection, write reports and gate.",
        "fetch": "Save a listing as a snapshot.",
        "validate": "Check policies; list every problem with file:line:column.",
        "test": "Run the tests written beside the rules.",
        "explain": "List the rules in force, describe one, or show the reason for a verdict.",
        "try": "Judge a made-up record by one rule, and show why.",
        "compare": "Show what changed between two reports or two sets of policies.",
        "schema": "Print the JSON Schema of policy files, for editors.",
        "init": "Write starter files: policy, waivers, defaults, CI jobs.",
        "waive": "Add a waiver for a finding to the waiver file.",
        "sandbox": "Serve a made-up account on loopback.",
        "demo": "Audit a made-up account; nothing to configure.",
        "completion": "Print the completion script for your shell.",
    }
)

_NAME = "fivetran-auditor"
#: Seconds.
_A_MOMENT = 0.01
_EPILOG = """\b
Exit codes:
  0    everything was judged, and nothing at or above --fail-on failed
  1    violations
  2    bad usage, configuration, policy or waiver file; nothing was judged
  3    inconclusive: incomplete listing, unevaluable check, nothing to judge
  4    a report could not be written, no memory is left, or a bug
  130  interrupted; 143 terminated
"""


#: Commands of other tools, and ours.
_ELSEWHERE = {
    **dict.fromkeys(("lint", "verify", "parse", "fmt"), "validate"),
    **dict.fromkeys(("scan", "check", "run", "eval", "apply", "plan"), "audit"),
    **dict.fromkeys(("ls", "list", "show", "describe", "rules"), "explain"),
    **dict.fromkeys(("pull", "download", "snapshot", "dump", "export"), "fetch"),
    **dict.fromkeys(("diff",), "compare"),
    **dict.fromkeys(("new", "setup"), "init"),
    **dict.fromkeys(("serve", "mock"), "sandbox"),
    **dict.fromkeys(("version",), "--version"),
}


class Commands(click.Group):
    """A group that imports a command's module when the command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Return the names of all commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command called ``cmd_name``. Raises click.UsageError with the nearest."""
        if cmd_name not in COMMANDS:
            if ctx.resilient_parsing:
                return None
            near = _ELSEWHERE.get(cmd_name.lower()) or nearest(cmd_name, COMMANDS)
            hint = f"did you mean {near}?" if near else f"there are {listed(COMMANDS, 'and')}"
            ctx.fail(f"No such command {cmd_name!r} ({hint})")
        command: click.Command = import_module(f"auditor.cli.commands.{cmd_name}").command
        if command.add_help_option:
            command.add_help_option = False
            command.params.append(
                _printing_option("-h", "--help", "Show this message and exit.", _help)
            )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        """Write the commands' table without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer the commands and what each does, without importing any of them."""
        from click.shell_completion import CompletionItem  # Only when asked.

        commands = COMMANDS.items()
        found = [
            CompletionItem(name, help=does)
            for name, does in commands
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]


def _help(context: click.Context) -> str:
    return context.get_help()


def _version(_context: click.Context) -> str:
    return f"{_NAME}, version {__version__}"


def _printing_option(
    short: str, long: str, doc: str, text: Callable[[click.Context], str]
) -> click.Option:
    """Return an option that prints ``text`` and ends; click's own fails on a closed stream."""

    def show(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
        if wanted and not context.resilient_parsing:
            context.obj.say(text(context))
            context.exit()

    return click.Option(
        [short, long],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        help=doc,
        callback=show,
    )


@click.group(
    cls=Commands,
    epilog=_EPILOG,
    add_help_option=False,
    params=[
        _printing_option("-V", "--version", "Show the version and exit.", _version),
        _printing_option("-h", "--help", "Show this message and exit.", _help),
    ],
    context_settings={"max_content_width": 100},
)
def group() -> None:
    """Policy as code for Fivetran: judge every connection against your rules.

    Credentials come from FIVETRAN_API_KEY and FIVETRAN_API_SECRET, never from arguments.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its exit code."""
    # A shell asks for completions with the words in the environment and none on the command line: a
    # variable left behind must not make an audit answer with completions.
    bare = len(sys.argv) == 1 and not arguments
    if bare and (asked := os.environ.get("_FIVETRAN_AUDITOR_COMPLETE")):
        import_module("auditor.cli.commands.completion").answer(group, asked)
    _on_signals(_end_now)
    sys.unraisablehook = _on_unraisable
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    terminal = Terminal.from_environment()
    code = _run(arguments, terminal)
    terminal.close()
    gc.freeze()  # What is left goes with the process: nobody has to search it first.
    sys.exit(code)


def _run(arguments: Sequence[str], terminal: Terminal) -> int:
    """Return the exit code for ``arguments``; nothing is raised.

    A signal ends the run, wherever it is; before and after the run it ends the process at once.
    """
    taken: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        # A second signal ends the process at once, whatever the first is still tidying up.
        _on_signals(_end_now)
        taken.append(number)
        raise Interrupted(number)

    try:
        _on_signals(interrupt)
        code = _ended(arguments, terminal)
        _on_signals(_end_now)
        _raise_no_more()
        if taken:
            # It came where Python lets nothing be raised: in a generator that is being closed.
            raise Interrupted(taken[0])
    except Interrupted as interruption:
        _raise_no_more()
        word = "interrupted" if interruption.exit_code == 130 else "terminated"
        terminal.complain(f"{word}: {_undecided(interruption)}")
        return interruption.exit_code
    if code is None:
        # A lost answer is not a pass.
        terminal.complain("this is a bug: the command ended without an exit code")
        return AuditorError.exit_code
    return code


def _undecided(interruption: Interrupted) -> str:
    """Return what became of the run's files."""
    notes: list[str] = getattr(interruption, "__notes__", [])
    return "; ".join(notes) or (
        "the run decided nothing; a report that it had begun and not written says that it did not "
        "finish, and one that it had not begun may be of an earlier run"
    )


def _ended(arguments: Sequence[str], terminal: Terminal) -> int | None:
    """Return the exit code for ``arguments``, None for a command that forgot its own.

    Raises Interrupted only.
    """

    def run() -> object:
        # Not click's ``main``: that turns any broken pipe into exit code 1.
        words = list(arguments) or ["--help"]
        with group.make_context(_NAME, words, obj=terminal) as context:
            return group.invoke(context)

    return exit_code_of(run, terminal, verbose=_is_verbose(arguments), bare=not arguments)


def _is_verbose(arguments: Sequence[str]) -> bool:
    return any(word in {"-v", "--verbose"} for word in arguments)


def _on_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _on_unraisable(what: sys.UnraisableHookArgs) -> None:
    """Report what Python could not raise, except a signal: that is raised a moment later."""
    if isinstance(what.exc_value, Interrupted):
        _raise_later(what.exc_value)
    else:
        sys.__unraisablehook__(what)


def _raise_later(interruption: Interrupted) -> None:
    """Raise a signal's exception once more, when the callback that swallowed it is over.

    Where a system has no timer, the run goes on to its end, and answers for the signal then.
    """

    def again(_number: int, _frame: FrameType | None) -> None:
        raise interruption

    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, again)
        signal.setitimer(signal.ITIMER_REAL, _A_MOMENT)


def _raise_no_more() -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def _end_now(number: int, _frame: FrameType | None) -> None:
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(128 + number)
