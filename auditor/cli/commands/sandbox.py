"""``fivetran-auditor sandbox``: serve the embedded API on loopback until a signal."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from shlex import quote
from types import FrameType

import click

from auditor.cli.options.command import StrictCommand
from auditor.errors import Interrupted, UsageError
from auditor.output.target import Target
from auditor.output.write import put_document
from auditor.sandbox.endpoints import NAMES
from auditor.sandbox.faults import FAULTS, parse
from auditor.sandbox.reach import REACHES, WHOLE
from auditor.text import one_line

_ENDINGS = (signal.SIGINT, signal.SIGTERM)


def _completed(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    endpoint, colon, _ = incomplete.rpartition(":")
    offers = [f"{endpoint}{colon}{name}" for name in FAULTS]
    if not colon:
        offers += [f"{name}:" for name in NAMES]
    return [offer for offer in offers if offer.startswith(incomplete)]


def _checked(
    _context: click.Context, _parameter: click.Parameter, faults: tuple[str, ...]
) -> tuple[str, ...]:
    try:
        parse(faults)
    except UsageError as cause:
        raise click.BadParameter(str(cause)) from cause
    return faults


@click.command(name="sandbox", cls=StrictCommand, short_help="Serve a made-up account on loopback.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port to serve on; 0 picks a free one.",
)
@click.option(
    "--connections",
    type=click.IntRange(0),
    default=250,
    show_default=True,
    help="Number of connections.",
)
@click.option(
    "--seed",
    default=7,
    show_default=True,
    help="Seed of the account; the same seed makes the same account.",
)
@click.option("--healthy", is_flag=True, help="Serve an account with nothing to find.")
@click.option(
    "--latency",
    type=click.IntRange(0, 3_600_000),
    default=0,
    show_default=True,
    metavar="MS",
    help="Delay of each response.",
)
@click.option("--gzip", is_flag=True, help="Compress responses for clients that accept it.")
@click.option(
    "--hourly-limit",
    type=click.IntRange(1),
    metavar="N",
    help="Refuse more than N requests per hour.",
)
@click.option(
    "--reach",
    type=click.Choice(tuple(REACHES)),
    default=WHOLE,
    show_default=True,
    help="What the API key can see. "
    + " ".join(f"{name}: {reach.doc}." for name, reach in REACHES.items()),
)
@click.option(
    "--write-facts",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Also write what only the company knows of the account, its floors, budgets and regions, "
    "as CSV files for audit's --facts. Files that differ are not overwritten.",
)
@click.option(
    "--fault",
    "faults",
    metavar="[ENDPOINT:]FAULT",
    multiple=True,
    shell_complete=_completed,
    callback=_checked,
    help="Make one endpoint fail, named by its path below /v1/ (groups:forbidden); the default is "
    "connections. Repeatable. Lists have short pages then, and fail from the second page on unless "
    "noted otherwise. " + " ".join(f"{name}: {fault.doc}." for name, fault in FAULTS.items()),
)
def command(
    *,
    port: int,
    connections: int,
    seed: int,
    healthy: bool,
    latency: int,
    gzip: bool,
    hourly_limit: int | None,
    reach: str,
    folder: Path | None,
    faults: tuple[str, ...],
) -> int:
    """Serve a made-up Fivetran account on loopback, for trying rules and pipelines.

    The same seed and count make the same account; times in it are relative to the start. Stop it
    with Ctrl-C.
    """
    # Imported here: the help and every other command do without it.
    from auditor.sandbox.company import files
    from auditor.sandbox.estate import build_estate
    from auditor.sandbox.server import Sandbox

    estate = build_estate(connections, seed, healthy=healthy)
    facts = _written(folder, dict(files(estate.facts))) if folder is not None else []
    sandbox = Sandbox(
        estate,
        port=port,
        latency=latency / 1000,
        gzip=gzip,
        hourly_limit=hourly_limit,
        fault=faults,
        reach=reach,
    )
    previous = {number: signal.signal(number, _interrupt) for number in _ENDINGS}
    try:
        with sandbox:
            _introduce(sandbox.url, sandbox.key, sandbox.secret, connections, facts)
            for endpoint, fault in parse(faults).items():
                _say(f"It goes wrong on purpose, at {endpoint}: {fault.doc}.")
            while True:
                time.sleep(3600)
    except (Interrupted, KeyboardInterrupt):
        _say("\nThe sandbox has stopped.")
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return 0  # Stopping is how a server ends.


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number)


def _say(text: str) -> None:
    # A script that started it may have stopped reading; it serves anyway.
    with suppress(BrokenPipeError):
        click.echo(text)


def _written(folder: Path, texts: Mapping[str, str]) -> list[str]:
    """Write files of facts, and return the options that name them.

    Raises UsageError before it writes any where another file of that name is there.
    """
    for name, text in texts.items():
        path = folder / name
        try:
            same = not path.exists() or path.read_text(encoding="utf-8") == text
        except (OSError, UnicodeDecodeError):
            same = False
        if not same:
            raise UsageError(
                f"--write-facts: {one_line(str(path))} is there, and is another; "
                "name another folder, or remove it"
            )
    for name, text in texts.items():
        put_document(Target(folder / name), (text,), "choose another folder")
    return [f"--facts {Path(name).stem}={quote(str(folder / name))}" for name in texts]


def _introduce(url: str, key: str, secret: str, connections: int, facts: list[str]) -> None:
    _say(f"A sandbox with {connections:,} connections listens on {url}. Ctrl-C ends it.")
    _say("The credentials are made up and open nothing else. In another terminal:\n")
    _say(f"  export FIVETRAN_API_KEY={key}")
    _say(f"  export FIVETRAN_API_SECRET={secret}")
    _say(f"  export FIVETRAN_AUDITOR_BASE_URL={url}")
    _say("  fivetran-auditor audit\n")
    if facts:
        _say("With what only the company knows of it:\n")
        words = ["fivetran-auditor audit -p cost -p account", *facts]
        _say("  " + " \\\n    ".join(words) + "\n")
