"""Where reports go: what ``--report FORMAT[:OPTION=VALUE][=PATH]`` says."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from auditor.errors import UsageError
from auditor.output.target import Target
from auditor.reports import REPORTS, Format
from auditor.text import listed, nearest, printable

_NAME = re.compile("[^:=]*")
_OPTION = re.compile("([^,=]*)(=?)([^,=]*)")
#: In the name of a part: what comes between the stem and the suffix of the report's own name.
_NUMBERED, _NAMED = "-[1-9][0-9]*", r"\.[a-z0-9_-]+=[a-z0-9_-]+"
#: What may be in a file name on every system; two hyphens mark what may not.
_PLAIN = re.compile("[a-z0-9_]+(?:-[a-z0-9_]+)*")
_LONGEST = 60
#: The part of the connections without a value: no slug begins with one hyphen.
_NONE = "-none"
#: The option that splits a report into several files.
SPLIT = "split"
#: A part holds its own listing and at least one check.
LEAST_SPLIT = 2


class Destination(msgspec.Struct, frozen=True):
    """A format, and the file its report goes to; None is standard output.

    With ``split`` the report is several files beside ``path``, each with at most that many test
    cases. With ``by``, a dimension, it is the whole report at ``path`` and a part for each value
    beside it. ``variant`` is the word for another form of the report, "" for the usual one.
    """

    format: str
    path: Path | None
    split: int = 0
    variant: str = ""
    by: str = ""

    def __str__(self) -> str:
        where = "standard output" if self.path is None else printable(str(self.path))
        return f"{self.format}: {where}"

    def part(self, number: int) -> Path:
        """Return the file of a part, ``junit-1.xml`` for ``junit.xml``; 0 is ``path`` itself."""
        assert self.path is not None
        if not number:
            return self.path
        return self.path.with_name(f"{self.path.stem}-{number}{self.path.suffix}")

    def part_of(self, value: str) -> Path:
        """Return the file of the part with ``value``, ``report.team=finance.md``.

        A value that is not a valid name everywhere, or is too long, is spelled with what is valid
        and a hash of the value after it, so that no two share a name: not every system is
        case-sensitive. The part without a value is ``report.team=-none.md``.
        """
        assert self.path is not None
        about = f"{_slug(self.by)}={_slug(value) if value else _NONE}"
        return self.path.with_name(f"{self.path.stem}.{about}{self.path.suffix}")

    @property
    def in_parts(self) -> bool:
        """Whether the report is several files."""
        return bool(self.split or self.by)

    @property
    def target(self) -> Target:
        """Where the report goes, or its first part."""
        return Target.named(self.path and self.first)

    @property
    def first(self) -> Path:
        """The file that says *inconclusive* until the whole report is there."""
        return self.part(1 if self.split else 0)

    def is_part(self, path: Path) -> bool:
        """Whether a report to this destination, split or whole, may write a file at ``path``."""
        return self._is_file(path, f"(?:{_NUMBERED}|{_NAMED})?")

    def _is_file(self, path: Path, part: str) -> bool:
        if self.path is None or _folder(path) != _folder(self.path):
            return False
        stem, suffix = re.escape(self.path.stem), re.escape(self.path.suffix)
        return re.fullmatch(f"{stem}{part}{suffix}", path.name) is not None

    def parts_there(self, *, numbered: bool = True) -> Iterator[Path]:
        """Yield the files beside ``first`` that have the name of a part. Raises OSError.

        Numbered ones only if the format can be ``numbered``.
        """
        assert self.path is not None
        for path in sorted(self.path.parent.iterdir()):
            if path != self.first and (
                self.is_part(path) if numbered else self._is_file(path, _NAMED)
            ):
                yield path


def parse_destination(
    text: str, folder: Path, formats: Mapping[str, Format] = REPORTS
) -> Destination:
    """Read ``html``, ``html=path``, ``html=folder/``, ``json=-`` or ``junit:split=team=path``.

    Without a path the file is in ``folder``, under the format's own name. ``formats`` is the table
    of known formats. Raises UsageError for an unknown format or option, with the nearest one, for a
    value that does not fit, and for an empty path.
    """
    name = _NAME.match(text)[0]  # type: ignore[index]  # it matches the empty text too
    if name not in formats:
        near = nearest(name.lower(), formats)
        hint = f"did you mean {near}?" if near else f"it takes {listed(formats)}"
        several = name.split(",")
        if len(several) > 1 and set(several) <= formats.keys():
            hint = f"write {' '.join(f'--report {each}' for each in several)}"
        elif (kind := Path(name).suffix[1:]) in formats:
            hint = f"write --report {kind}={printable(name)}"
        raise UsageError(f"--report {printable(text)}: no such format ({hint})")
    split, by, variant, end = _options(text, formats[name])
    filename = formats[name].filename
    if end == len(text):
        return Destination(name, folder / filename, split, variant, by)
    path = text[end + 1 :]
    if not _names_a_file(path):
        raise UsageError(
            f"--report {printable(text)}: that is not a path; write {name}=FILE, {name}=- for "
            f"standard output, or {name} alone for {filename} in the output folder"
        )
    if path.endswith("/"):
        return Destination(name, Path(path) / filename, split, variant, by)
    target = Target.named(path)
    if (split or by) and target.path is None:
        raise UsageError(
            f"--report {printable(text)}: several files cannot go to {target}; "
            f"write {name}:{SPLIT}={split or by}=FILE"
        )
    return Destination(name, None if target.is_stdout else Path(path), split, variant, by)


def _slug(text: str) -> str:
    if _PLAIN.fullmatch(text) and len(text) <= _LONGEST:
        return text
    spelled = "-".join(re.findall("[a-z0-9_]+", text.lower()))[:_LONGEST].removesuffix("-")
    return f"{spelled}--{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _folder(path: Path) -> str:
    return os.path.realpath(path.parent)


def _options(text: str, format_: Format) -> tuple[int, str, str, int]:
    """Return what ``text`` says after the format's name, and where that ends.

    That is the number of ``split`` or 0, its dimension or "", the variant or "".
    """
    split, by, variant, end = 0, "", "", len(format_.name)
    while text[end : end + 1] in (":", ","):
        match = _OPTION.match(text, end + 1)
        assert match is not None
        option, equals, value = match.groups()
        if option in format_.variants:
            if variant:
                raise UsageError(
                    f"--report {printable(text)}: {variant} cannot be combined with {option}"
                )
            # An equals sign after it begins the path.
            variant, end = option, match.end(1)
        elif option == SPLIT and format_.by_dimension:
            if split or by:
                raise UsageError(f"--report {printable(text)}: {option} is given twice")
            split, by = _split(text, format_, value if equals else "")
            end = match.end()
        else:
            raise UsageError(f"--report {printable(text)}: {_no_such_option(format_, option)}")
    return split, by, variant, end


def _split(text: str, format_: Format, value: str) -> tuple[int, str]:
    """Return the most test cases of a part, or 0, and the dimension to split by, or ""."""
    if format_.options and re.fullmatch("[0-9]{1,9}", value) and int(value) >= LEAST_SPLIT:
        return int(value), ""
    # A dimension is never named by a number here: one out of range was meant as a number.
    if value and not re.match(r"[-+]?\d", value):
        return 0, value
    takes = f"a whole number of at least {LEAST_SPLIT}, or " if format_.options else ""
    example = 5000 if format_.options else "team"
    raise UsageError(
        f"--report {printable(text)}: {SPLIT} takes {takes}the name of one of the --dimensions; "
        f"write {format_.name}:{SPLIT}={example}"
    )


def _no_such_option(format_: Format, option: str) -> str:
    name, known = format_.name, [*format_.options, *format_.variants]
    if format_.by_dimension and SPLIT not in known:
        known.append(SPLIT)
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
