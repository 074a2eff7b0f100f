"""Where reports go: what ``--report FORMAT[:OPTION=N][=PATH]`` says."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from auditor.errors import UsageError
from auditor.output.target import Target
from auditor.reports import REPORTS, Format
from auditor.text import listed, nearest, printable

_NAME = re.compile("[^:=]*")
_OPTION = re.compile("([^,=]*)(=?)([^,=]*)")
#: A part holds its own listing and at least one check.
LEAST_SPLIT = 2


class Destination(msgspec.Struct, frozen=True):
    """A format, and the file its report goes to; None is standard output.

    With ``split`` the report is several files beside ``path``, each of at most that many test
    cases. ``variant`` is the word that chooses another form of it, "" for the usual one.
    """

    format: str
    path: Path | None
    split: int = 0
    variant: str = ""

    def __str__(self) -> str:
        where = "standard output" if self.path is None else printable(str(self.path))
        return f"{self.format}: {where}"

    def part(self, number: int) -> Path:
        """Return the file of a part, ``junit-1.xml`` for ``junit.xml``; 0 is ``path`` itself."""
        assert self.path is not None
        if not number:
            return self.path
        return self.path.with_name(f"{self.path.stem}-{number}{self.path.suffix}")

    @property
    def target(self) -> Target:
        """Where the report goes, or its first part."""
        return Target.named(self.path and self.first)

    def target_of(self, number: int) -> Target:
        """Return where a part goes."""
        return Target(self.part(number))

    @property
    def first(self) -> Path:
        """The file that says *inconclusive* until the whole report is there."""
        return self.part(1 if self.split else 0)

    def is_part(self, path: Path) -> bool:
        """Whether a report to this place, split or whole, may have ``path`` as a file."""
        if self.path is None or _folder(path) != _folder(self.path):
            return False
        stem, suffix = re.escape(self.path.stem), re.escape(self.path.suffix)
        return re.fullmatch(f"{stem}(-[1-9][0-9]*)?{suffix}", path.name) is not None

    def parts_there(self) -> Iterator[Path]:
        """Yield what stands beside ``first`` under the name of a part. Raises OSError."""
        assert self.path is not None
        for path in sorted(self.path.parent.iterdir()):
            if path != self.first and self.is_part(path):
                yield path


def parse_destination(
    text: str, folder: Path, formats: Mapping[str, Format] = REPORTS
) -> Destination:
    """Read ``html``, ``html=path``, ``html=folder/``, ``json=-`` or ``junit:split=5000=path``.

    Without a path the file is in ``folder``, under the format's own name. ``formats`` are those
    that there are.
    Raises UsageError for an unknown format or option, with the nearest one, for a value that does
    not fit, and for an empty path.
    """
    name = _NAME.match(text)[0]  # type: ignore[index]  # it matches the empty text too
    if name not in formats:
        near = nearest(name.lower(), formats)
        hint = f"did you mean {near}?" if near else f"it takes {listed(formats)}"
        raise UsageError(f"--report {printable(text)}: no such format ({hint})")
    split, variant, end = _options(text, formats[name])
    equals, path = text[end : end + 1], text[end + 1 :]
    filename = formats[name].filename
    if not equals:
        return Destination(name, folder / filename, split, variant)
    if not _names_a_file(path):
        raise UsageError(
            f"--report {printable(text)}: that is not a path; write {name}=FILE, {name}=- for "
            f"standard output, or {name} alone for {filename} in the output folder"
        )
    if path.endswith("/"):
        return Destination(name, Path(path) / filename, split, variant)
    target = Target.named(path)
    if split and target.path is None:
        raise UsageError(
            f"--report {printable(text)}: several files cannot go to {target}; "
            f"write {name}:split={split}=FILE"
        )
    return Destination(name, None if target.is_stdout else Path(path), split, variant)


def _folder(path: Path) -> str:
    return os.path.realpath(path.parent)


def _options(text: str, format_: Format) -> tuple[int, str, int]:
    """Return the value of ``split`` or 0, the variant or "", and where both end in ``text``."""
    name, known = format_.name, format_.options
    found, variant, end = dict[str, int](), "", len(name)
    while text[end : end + 1] in (":", ","):
        match = _OPTION.match(text, end + 1)
        assert match is not None
        option, equals, value = match.groups()
        if option in format_.variants:
            # An equals sign behind it begins the path.
            variant, end = option, match.end(1)
            if text[end : end + 1] == ",":
                raise UsageError(f"--report {printable(text)}: {option} goes with no other option")
            break
        if option not in known:
            raise UsageError(f"--report {printable(text)}: {_no_such_option(format_, option)}")
        number = int(value) if re.fullmatch("[0-9]{1,9}", value) else 0
        if not equals or number < LEAST_SPLIT:
            raise UsageError(
                f"--report {printable(text)}: {option} takes a whole number of at least "
                f"{LEAST_SPLIT}; write {name}:{option}=5000"
            )
        if option in found:
            raise UsageError(f"--report {printable(text)}: {option} is given twice")
        found[option], end = number, match.end()
    return found.get("split", 0), variant, end


def _no_such_option(format_: Format, option: str) -> str:
    name, known = format_.name, [*format_.options, *format_.variants]
    if not known:
        return f"{name} takes no option; write {name} or {name}=FILE"
    near = nearest(option.lower(), known)
    hint = f"did you mean {near}?" if near else f"it takes {listed(known)}"
    return f"{name} has no option {printable(option) or 'without a name'} ({hint})"


def _names_a_file(path: str) -> bool:
    try:
        return bool(path) and b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False
