"""``fivetran-auditor completion SHELL``: the script that makes a shell complete the command."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from typing import Any, NoReturn

import click
from click.shell_completion import get_completion_class, shell_complete

from auditor.cli.options.command import StrictCommand
from auditor.cli.terminal.streams import Terminal
from auditor.output.silence import silence_stderr

SHELLS = ("bash", "zsh", "fish")
#: The variable that a shell sets to ask for completions; the name is click's.
VARIABLE = "_FIVETRAN_AUDITOR_COMPLETE"
_NAME = "fivetran-auditor"
_EPILOG = """\b
Add to:
  bash  eval "$(fivetran-auditor completion bash)"   in ~/.bashrc
  zsh   eval "$(fivetran-auditor completion zsh)"    in ~/.zshrc, after compinit
  fish  fivetran-auditor completion fish | source    in ~/.config/fish/config.fish
"""


@click.command(
    name="completion",
    cls=StrictCommand,
    epilog=_EPILOG,
    short_help="Print the completion script for your shell.",
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(context: click.Context, /, *, shell: str) -> int:
    """Print a script that lets a shell complete commands, options, rules, packs and formats."""
    terminal: Terminal = context.obj
    made = get_completion_class(shell)
    assert made is not None
    root = context.find_root().command
    # Not ``source()``: that looks for bash on this machine, which need not be the user's shell.
    completing = made(root, {}, _NAME, VARIABLE)
    terminal.say(completing.source_template % completing.source_vars())
    return 0


def answer(root: click.Command, instruction: str) -> NoReturn:
    """Print what may follow for a shell that asks, and end. Nothing else reaches its line."""
    # Any error would be written into the line that someone is typing.
    silence_stderr()
    arguments: MutableMapping[str, Any] = {"obj": Terminal.from_environment()}
    sys.exit(shell_complete(root, arguments, _NAME, VARIABLE, instruction))
