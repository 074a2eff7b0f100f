"""What the process prints for people, on streams that may be closed, full or not a terminal.

A summary that cannot be written is lost and changes nothing; the exit code stands. Nothing from a
record or a server reaches a terminal as a control sequence, a CI log as a command, or any stream as
a credential.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from auditor.cli.terminal.layout import Layout
from auditor.errors import Problem
from auditor.output.silence import let_go
from auditor.redaction.credentials import Scrubber
from auditor.text import broken_commands, one_line, plural, printable, shortened

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_STYLED = re.compile(r"\x1b\[[0-9;]*m")
#: A link's beginning or end (OSC 8): to a file, or to a page of the dashboard, and to nothing else.
_LINKED = re.compile(
    r"\x1b\]8;;(?:(?:file://|https://fivetran\.com/dashboard/)[A-Za-z0-9%/._~-]*)?\x1b\\"
)
_OURS = re.compile(f"{_STYLED.pattern}|{_LINKED.pattern}")
_BUG = (
    "this is a bug in the auditor, not in your account: nothing it says of this run can be"
    " trusted. Please report it with the command you ran"
)


class Terminal:
    """The two standard streams, and what is known about them."""

    def __init__(
        self,
        out: TextIO | None,
        err: TextIO | None,
        *,
        colour_out: bool = False,
        colour_err: bool = False,
        interactive: bool = False,
        links_out: bool = False,
        links_err: bool = False,
        scrubber: Scrubber | None = None,
    ) -> None:
        self.out = out
        self.err = err
        self.colour_out = colour_out
        self.colour_err = colour_err
        self.interactive = interactive
        self.links_out = links_out
        self.links_err = links_err
        self.scrubber = Scrubber() if scrubber is None else scrubber
        self.quiet = False
        self._progress = ""
        #: Why a run ended, if it ended badly.
        self.complaint = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Terminal:
        """Return the process's own streams, honouring NO_COLOR, FORCE_COLOR, TERM and CI."""
        environ = os.environ if environ is None else environ
        out, err = _usable(sys.stdout), _usable(sys.stderr)
        dumb = environ.get("TERM") == "dumb"
        forced = bool(environ.get("FORCE_COLOR")) and not environ.get("NO_COLOR")
        plain = bool(environ.get("NO_COLOR")) or dumb
        credentials = [
            (environ.get(key, ""), environ.get(secret, ""))
            for key, secret in (
                ("FIVETRAN_API_KEY", "FIVETRAN_API_SECRET"),
                ("FIVETRAN_APIKEY", "FIVETRAN_APISECRET"),
            )
        ]
        return cls(
            out=out,
            err=err,
            colour_out=forced or (_is_terminal(out) and not plain),
            colour_err=forced or (_is_terminal(err) and not plain),
            interactive=_is_terminal(err) and not dumb and not environ.get("CI"),
            links_out=_takes_links(out, environ),
            links_err=_takes_links(err, environ),
            scrubber=Scrubber(credentials),
        )

    def keep_secret(self, variables: tuple[str, str]) -> None:
        """Read the key and secret from these variables, and never show them from now on."""
        key, secret = (os.environ.get(name, "") for name in variables)
        self.scrubber = self.scrubber.with_more([(key, secret)])

    def without_colour(self) -> None:
        """Write no colour from here on."""
        self.colour_out = self.colour_err = False

    def layout(self, *, to_err: bool = False) -> Layout:
        """Return a stream's room for text, without the run's credentials."""
        return Layout.of(self.err if to_err else self.out, self.scrubber.text)

    def say(self, text: str = "", *, to_err: bool = False) -> None:
        """Write a line of what the user came for."""
        colour = self.colour_err if to_err else self.colour_out
        links = self.links_err if to_err else self.links_out
        self._write(self.err if to_err else self.out, self._safe(text, colour=colour, links=links))

    def complain(self, text: str) -> None:
        """Write why the run ends, on standard error."""
        self.complaint = text
        self._write(
            self.err, self._safe(f"{style('error', 'red')}: {text}", colour=self.colour_err)
        )

    def complain_of(self, problems: Sequence[Problem]) -> None:
        """Write every problem in a file with its position."""
        for problem in problems:
            self._write(self.err, self._safe(excerpt(problem), colour=self.colour_err))
        count = sum(not problem.warning for problem in problems)
        rest = len(problems) - count
        lines = [plural(count, "error")] if count else []
        lines += [plural(rest, "warning")] if rest else []
        files = list(dict.fromkeys(problem.position.file for problem in problems))
        where = files[0] if len(files) == 1 else f"{len(files)} files"
        self.complain(f"{' and '.join(lines)} in {one_line(where)}; nothing was judged")
        # Elsewhere nobody sees the lines above: the first problem is said, and not a number.
        first, *more = problems
        self.complaint = f"{first}; and {plural(len(more), 'more problem')}" if more else str(first)

    def complain_of_bug(self, error: Exception, *, verbose: bool) -> None:
        """Write that something unexpected happened and, with ``verbose``, where."""
        self.complain(f"{type(error).__name__}: {shortened(self.scrubber.text(str(error)), 500)}")
        if verbose:
            import traceback  # Needed only here, and rarely.

            for line in "".join(traceback.format_exception(error)).splitlines():
                self._write(self.err, self._safe(line, colour=False))
        self._write(self.err, _BUG + ("." if verbose else ", and run it with -v to see where."))

    def progress(self, text: str) -> None:
        """Show how far a run has come, on one line that the next one replaces."""
        if self.interactive and not self.quiet:
            self._progress = text
            self._raw(f"\r\x1b[2K{printable(text)}")

    def end_progress(self) -> None:
        """Clear the line of progress."""
        if self._progress:
            self._progress = ""
            self._raw("\r\x1b[2K")

    def close(self) -> None:
        """Flush both streams; one that cannot be is let go, so that the exit code stands."""
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None:
                    stream.flush()
            except (OSError, ValueError):
                let_go(stream)

    def _safe(self, text: str, *, colour: bool, links: bool = False) -> str:
        lines = self.scrubber.text(text).split("\n")
        return "\n".join(_safe_line(line, colour=colour, links=links) for line in lines)

    def _write(self, stream: TextIO | None, text: str) -> None:
        self.end_progress()
        if stream is None:
            return
        try:
            stream.write(f"{text}\n")
            stream.flush()
        except (OSError, ValueError):
            let_go(stream)
            self.out = None if stream is self.out else self.out
            self.err = None if stream is self.err else self.err

    def _raw(self, text: str) -> None:
        if self.err is not None:
            with contextlib.suppress(OSError, ValueError):
                self.err.write(text)
                self.err.flush()


def style(text: str, *names: str) -> str:
    """Return ``text`` in a colour or weight; a stream without colour drops it again."""
    return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}\x1b[0m"


def unstyled(text: str) -> str:
    """Return ``text`` as it reads where there is no terminal: in a file."""
    return _OURS.sub("", text)


def linked(text: str, url: str) -> str:
    """Return ``text`` as a link to ``url`` (OSC 8); a stream that takes none drops it again."""
    return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\" if url else text


def excerpt(problem: Problem) -> str:
    """Return a problem with its line and a caret under the spot."""
    kind = style("warning", "yellow") if problem.warning else style("error", "red")
    lines = [f"{problem.position}: {kind}: {printable(problem.message)}"]
    if problem.source_line.strip():
        start = problem.position.column - 1
        # Only a part of a long line is shown.
        cut = max(0, start - 60)
        shown = printable(problem.source_line[cut : cut + 100].rstrip().replace("\t", " "))
        lines += [f"    {shown}", f"    {' ' * (start - cut)}{style('^', 'cyan')}"]
    if problem.hint:
        lines.append(f"    {style('help', 'cyan')}: {printable(problem.hint)}")
    return "\n".join(lines)


def _safe_line(line: str, *, colour: bool, links: bool = False) -> str:
    """Return a line with only our own styles and links, and nothing else that a terminal obeys."""
    pieces, end = [], 0
    for match in _OURS.finditer(line):
        kept = links if _LINKED.fullmatch(match[0]) else colour
        pieces += [printable(line[end : match.start()]), match[0] if kept else ""]
        end = match.end()
    pieces.append(printable(line[end:]))
    return "".join(broken_commands(["".join(pieces)]))


def _usable(stream: TextIO | None) -> TextIO | None:
    # Python leaves None where a stream was closed before the start.
    if stream is not None and hasattr(stream, "reconfigure"):
        with contextlib.suppress(OSError, ValueError):
            stream.reconfigure(errors="backslashreplace")
    return stream


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def _takes_links(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether a stream supports links; FORCE_HYPERLINK decides either way.

    Terminals without support ignore them, except for the Linux console and dumb ones.
    """
    if forced := environ.get("FORCE_HYPERLINK", ""):
        return forced != "0"
    plain = environ.get("TERM", "") in {"", "dumb", "linux"} or bool(environ.get("CI"))
    return _is_terminal(stream) and not plain
