"""The errors a run can end with, under one root.

AuditorError                 something we understand went wrong; carries the exit code
├── UsageError         2     options, environment or configuration; nothing was judged
├── PolicyError        2     a policy or waiver file; carries every problem with its position
├── SourceError        3     the listing could not be read, or not to its end
└── ReportError        4     a report could not be written

Interrupted                  a signal ended the run: 130 for SIGINT, 143 for SIGTERM
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.model import Position


class AuditorError(Exception):
    """The root: a message for people (what, where, what to do) and an exit code."""

    exit_code: ClassVar[int] = 4


class UsageError(AuditorError):
    """Options, environment or configuration do not fit; nothing was judged.

    ``option`` is the long name of the option whose value is wrong, with underscores, and ``item``
    the one that is wrong of several values: the command line, the environment or a file may have
    set it.
    """

    exit_code = 2

    def __init__(self, message: str, *, option: str = "", item: str = "") -> None:
        self.option = option
        self.item = item
        super().__init__(message)


class SourceError(AuditorError):
    """The listing could not be read, or not to its end."""

    exit_code = 3


class ReportError(AuditorError):
    """A report could not be written."""

    exit_code = 4


class Problem(NamedTuple):
    """One thing that is wrong in a file a person wrote.

    ``hint`` says what to write instead; ``source_line`` is the text of the line, for the caret.
    A warning is shown and does not stop the run (it does under ``--strict``).
    """

    position: Position
    message: str
    hint: str = ""
    source_line: str = ""
    warning: bool = False

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.position}: {self.message}{hint}"


class PolicyError(AuditorError):
    """Policy or waiver files have problems; every one of them is carried, in file order."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@contextmanager
def about(option: str, item: str = "") -> Iterator[None]:
    """Note on a UsageError raised inside which option it is about, unless it says so itself."""
    try:
        yield
    except UsageError as error:
        if not error.option:
            error.option, error.item = option, item
        raise


class Interrupted(BaseException):
    """A signal asked the run to end. Not an AuditorError: no ``except`` may swallow it."""

    def __init__(self, signal_number: int) -> None:
        self.exit_code = 128 + signal_number
        super().__init__(signal_number)
