"""Where reports go by the options, and what becomes of those that an earlier run left there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import click

from auditor.errors import AuditorError, UsageError
from auditor.output.inputs import Inputs
from auditor.reports import ACCOUNT_REPORTS, Format
from auditor.reports.destinations import Destination, parse_destination
from auditor.reports.writer import ReportWriter
from auditor.text import nearest, one_line
from auditor.version import __version__

REPORT = ("--report",)
FOLDER = ("-o", "--output-dir")
_OUTPUTS = frozenset({"reports", "report", "output_dir"})
#: Handles arguments that cannot be read: takes those that can, the words as typed, and the
#: configuration file.
Unread = Callable[[click.Context, Sequence[str], str | None], None]


def outdating(formats: Mapping[str, Format], folder: str, standard: Sequence[str] = ()) -> Unread:
    """Return a function that puts placeholders over older reports if a command's options are wrong.

    ``formats`` are those of the command, ``standard`` those that it writes unasked, and ``folder``
    is where they go.
    """

    def outdate(context: click.Context, words: Sequence[str], config: str | None) -> None:
        destinations = list(_destinations(context, words, formats, folder, standard))
        inputs = _inputs(context, words, config)
        ReportWriter(destinations, __version__, formats).outdate(inputs)
        if any(_accounts(context, words)):
            pages = [
                _read(name, Path(place), ACCOUNT_REPORTS)
                for place in _places(context, words, folder)
                for name in ACCOUNT_REPORTS
            ]
            made = [page for page in pages if page is not None]
            ReportWriter(made, __version__, ACCOUNT_REPORTS).outdate(inputs)

    return outdate


def splittable(
    destinations: Iterable[Destination],
    dimensions: Mapping[str, str],
    own: Collection[str],
    plan: str | None,
) -> Mapping[str, str]:
    """Return ``dimensions``, the paths by name, after checking that reports are split by these.

    ``own`` are the paths of the user's own facts, ``plan`` is a plan's file. Raises UsageError for
    a report split by what does not distinguish connections.
    """
    # Imported here: few runs split a report by a dimension.
    from auditor.facts.dimensions import SHOWN_WITH
    from auditor.fields import Exposure
    from auditor.redaction.fields import exposure

    for by in (destination.by for destination in destinations if destination.by):
        name = one_line(by)
        if by not in dimensions:
            near = nearest(by, dimensions)
            _, field = SHOWN_WITH.get(by, ("", "FIELD"))
            hint = f"did you mean {near}?" if near else f"write --dimensions {name}={field}"
            raise UsageError(f"--report: split={name}: there is no such dimension ({hint})")
        if exposure(dimensions[by], frozenset(own)) is not Exposure.SHOWN:
            raise UsageError(
                f"--report: split={name}: {dimensions[by]} is hidden in reports, so its values"
                " cannot name parts; split by a fact of yours, or another field"
            )
        if plan is not None:
            raise UsageError(
                f"--report: split={name} cannot be used with --terraform-plan: what a change makes"
                " worse is judged as a whole; write the report in one file"
            )
    return dimensions


def _destinations(
    context: click.Context,
    words: Sequence[str],
    formats: Mapping[str, Format],
    folder: str,
    standard: Sequence[str],
) -> Iterator[Destination]:
    """Yield every place that the words, the environment or the file may have meant."""
    reports = [*_values(context, words, REPORT)] or _given_values(context, "reports", "report")
    # A wrong format among several invalidates them all: what is under their names is old.
    texts = reports or list(standard)
    if any(_read(text, Path(folder), formats) is None for text in texts):
        texts += formats
    for place in _places(context, words, folder):
        for own in _own_folders(Path(place), *_accounts(context, words)):
            for text in texts:
                destination = _read(text, own, formats)
                if destination is not None:
                    yield destination


def _places(context: click.Context, words: Sequence[str], folder: str) -> list[str]:
    return [*_values(context, words, FOLDER)] or _given_values(context, "output_dir") or [folder]


def _accounts(context: click.Context, words: Sequence[str]) -> tuple[list[str], bool]:
    """Return the accounts that the words name, and whether they mean all of them."""
    names = [*_values(context, words, ("--account",))]
    return names, any(_meant_value(context, w) == "--all-accounts" for w in words if w[:2] == "--")


def _own_folders(folder: Path, names: Sequence[str], all_of_them: bool) -> Iterator[Path]:
    """Yield where the reports go: to ``folder``, or to the accounts' folders in it."""
    if not names and not all_of_them:
        yield folder
    with suppress(OSError):
        for own in sorted(folder.iterdir()) if names or all_of_them else ():
            if own.is_dir() and (all_of_them or own.name in names):
                yield own


def _read(text: str, folder: Path, formats: Mapping[str, Format]) -> Destination | None:
    try:
        return parse_destination(text, folder, formats)
    except AuditorError:
        return None


def _given_values(context: click.Context, *names: str) -> list[str]:
    """Return a parameter's values: one, several, or none if it could not be read."""
    for name in names:
        value = context.params.get(name)
        if value:
            return [str(v) for v in (value if isinstance(value, (list, tuple)) else (value,))]
    return []


def _values(context: click.Context, words: Sequence[str], options: Sequence[str]) -> Iterator[str]:
    """Yield every value that ``words`` give to an option, even if repeated or misspelt."""
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if word.startswith("--"):
            if _meant_value(context, name) in options:
                yield value if equals else "".join(words[number + 1 : number + 2])
        elif word[:2] in options:
            yield word[2:] or "".join(words[number + 1 : number + 2])


def _meant_value(context: click.Context, name: str) -> str:
    known = [text for parameter in context.command.params for text in parameter.opts]
    return name if name in known else nearest(name, known)


def _inputs(context: click.Context, words: Sequence[str], config: str | None) -> Inputs:
    """Return whatever the run may have been meant to read: every path but a report's."""
    inputs = Inputs()
    inputs.add("--config", config)
    for name in set(context.params) - _OUTPUTS:
        for text in _given_values(context, name):
            inputs.add(name, text)
    outputs = {*_values(context, words, REPORT), *_values(context, words, FOLDER)}
    for word in words:
        if word not in outputs and not _is_output(context, word):
            inputs.add("the command line", word)
            inputs.add("the command line", word.partition("=")[2] or word)
    return inputs


def _is_output(context: click.Context, word: str) -> bool:
    return word.startswith("--") and _meant_value(context, word.partition("=")[0]) in (
        *REPORT,
        *FOLDER,
    )
