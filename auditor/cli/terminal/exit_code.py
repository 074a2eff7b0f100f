"""How a command ends: every error becomes an exit code and a message, in one place."""

from __future__ import annotations

from collections.abc import Callable

import click

from auditor.cli.terminal.streams import Terminal
from auditor.errors import AuditorError, Interrupted, PolicyError

_NO_MEMORY = (
    "no memory is left: nothing this run says can be trusted; give it more, or less to read, such "
    "as one group"
)


def exit_code_of(
    run: Callable[[], object], terminal: Terminal, *, verbose: bool, bare: bool
) -> int | None:
    """Return the exit code of ``run``, None if it forgot its own.

    ``bare`` means that no command was given, so that printing help is not a success. Raises
    Interrupted only.
    """
    try:
        returned = run()
    except click.exceptions.Exit as ending:
        # Without a command nothing was judged, however helpful the help is.
        return click.UsageError.exit_code if bare else ending.exit_code
    except PolicyError as error:
        terminal.complain_of(error.problems)
        return error.exit_code
    except AuditorError as error:
        terminal.complain(str(error))
        return error.exit_code
    except click.UsageError as error:
        terminal.complain(_usage(error))
        return error.exit_code
    except click.Abort:
        return 130
    except MemoryError:
        terminal.complain(_NO_MEMORY)
        return AuditorError.exit_code
    except Exception as error:  # noqa: BLE001  # the one place: a bug must end as 4, not as 1
        if (stopped := _signal_beneath(error)) is not None:
            raise stopped from None
        terminal.complain_of_bug(error, verbose=verbose)
        return AuditorError.exit_code
    return returned if type(returned) is int else None


def _signal_beneath(error: BaseException) -> Interrupted | None:
    """Return the signal that ``error`` came of: it may end a lock or a file in mid-air."""
    beneath: BaseException | None = error
    while beneath is not None and not isinstance(beneath, Interrupted):
        beneath = beneath.__context__
    return beneath


def _usage(error: click.UsageError) -> str:
    hint = f"\nTry '{error.ctx.command_path} --help'." if error.ctx is not None else ""
    return f"{error.format_message()}{hint}"
