"""``audit --all-accounts``: a run for each account in the file, and one summary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from auditor.cli.config.command import account_of, accounts_of, words_of
from auditor.cli.config.settings import JUDGED, PLACES
from auditor.cli.terminal.exit_code import exit_code_of
from auditor.cli.terminal.streams import Terminal
from auditor.errors import ReportError, UsageError
from auditor.output.disk import real
from auditor.output.inputs import Inputs
from auditor.reports import ACCOUNT_REPORTS, REPORTS
from auditor.reports.accounts import AccountOutcome, Accounts
from auditor.reports.writer import Destination, ReportWriter, parse_destination
from auditor.text import listed, one_line, plural
from auditor.version import __version__

_ALL = "--all-accounts"
#: How much of an error is shown on the page and in the summary.
_LONGEST = 1000


def audit_all(context: click.Context, folder: Path, inputs: Inputs) -> int:
    """Audit each account by itself; return the worst exit code of all.

    Reports go to a folder named after each account in ``folder``, the page and the summary over all
    to ``folder`` itself, unless they are among ``inputs``. Raises UsageError for reports that all
    accounts would write to one place, ReportError for a page that cannot be written.
    """
    terminal: Terminal = context.obj
    accounts = accounts_of(context)
    # Whatever goes wrong from here on, no older report can be taken for this run's.
    for name in accounts:
        old = [parse_destination(format_, folder / name) for format_ in REPORTS]
        ReportWriter(old, __version__).outdate(inputs)
    if account_of(context) is not None:
        raise UsageError(f"--account and {_ALL}: use only one of them")
    _check_judged(context)
    check_places(context.params["reports"], "--report")
    for each in accounts.values():
        if (own := each.settings.get("report")) is not None and isinstance(own.value, tuple):
            check_places(own.value, f"accounts: {each.name}: report")
    _check_folders(folder, list(accounts))
    words = [word for word in words_of(context) if word != _ALL]
    outcomes = {name: AccountOutcome(name) for name in accounts}
    page = _page(folder, terminal)
    page.prepare(inputs)
    for name in accounts:
        if not terminal.quiet:
            terminal.say(f"== account {name}")
        for left in (JUDGED, PLACES):
            context.meta.pop(left, None)
        terminal.complaint = ""
        code = exit_code_of(
            lambda: _run(context, [*words, "--account", name]),  # noqa: B023  # called at once
            terminal,
            verbose="-v" in words or "--verbose" in words,
            bare=False,
        )
        code = ReportError.exit_code if code is None else code
        outcomes[name] = AccountOutcome(
            name,
            code,
            context.meta.get(JUDGED),
            one_line(terminal.complaint, _LONGEST),
            tuple(
                (format_, path.relative_to(folder).as_posix()) for format_, path in _made(context)
            ),
        )
        found = Accounts(tuple(outcomes.values()), __version__)
        pages = page.write(found)
    terminal.say(f"\n{plural(len(accounts), 'account')}:")
    for name, outcome in outcomes.items():
        terminal.say(f"  {name}: {outcome.answer or f'exit {outcome.code}'}")
    for doubt in found.doubts:
        terminal.say(f"  inconclusive, exit {found.exit_code}: {doubt}")
    for warning in found.warnings:
        terminal.say(f"  warning: {warning}")
    for path in pages:
        terminal.say(f"  {one_line(str(path))}")
    return found.exit_code


def outdate_page(folder: Path) -> None:
    """Mark an older page and summary over all accounts in ``folder`` as outdated."""
    ReportWriter(_places(folder), __version__, ACCOUNT_REPORTS).outdate()


def _check_judged(context: click.Context) -> None:
    """Raise UsageError for options that concern a single account."""
    for option in ("--snapshot", "--terraform-plan"):
        if context.params[option[2:].replace("-", "_")] is not None:
            raise UsageError(f"{option} is of one account: name it with --account, not {_ALL}")


def check_places(reports: Sequence[str], where: str) -> None:
    """Raise UsageError for a report that every account would write to one place."""
    folder = Path("of-an-account")
    paths = {text: parse_destination(text, folder).path for text in reports}
    placed = [text for text, path in paths.items() if path is None or path.parent != folder]
    if placed:
        raise UsageError(
            f"{where} {one_line(listed(placed, 'and'))}: every account would write it to the same"
            " path; name only the format: each account has its own folder"
        )


def _check_folders(folder: Path, names: Sequence[str]) -> None:
    """Raise UsageError if links lead two accounts to one folder."""
    taken: dict[Path, str] = {}
    for name in names:
        place = real(folder / name)
        if place in taken:
            raise UsageError(
                f"{one_line(str(folder / name))} leads to where the reports of {taken[place]} go;"
                " remove the link"
            )
        taken[place] = name


def _page(folder: Path, terminal: Terminal) -> ReportWriter:
    clean = terminal.scrubber.chunks
    return ReportWriter(_places(folder), __version__, ACCOUNT_REPORTS, clean=clean)


def _places(folder: Path) -> list[Destination]:
    return [parse_destination(name, folder, ACCOUNT_REPORTS) for name in ACCOUNT_REPORTS]


def _run(context: click.Context, words: list[str]) -> object:
    with context.command.make_context(
        str(context.info_name), words, parent=context.parent, obj=context.obj
    ) as own:
        return context.command.invoke(own)


def _made(context: click.Context) -> Iterator[tuple[str, Path]]:
    """Yield the reports that an account's run was to write, except older ones, with formats."""
    places: Sequence[Destination] = context.meta.get(PLACES, ())
    for place in places:
        if place.path is not None and place.first.is_file():
            parts = [place.first, *(place.parts_there() if place.in_parts else ())]
            yield from ((place.format, path) for path in dict.fromkeys(parts))
