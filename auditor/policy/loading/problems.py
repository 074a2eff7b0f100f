"""Collecting problems, so that all of them are reported at once."""

from __future__ import annotations

import re

from auditor.errors import Problem
from auditor.model import Position
from auditor.policy.loading.nodes import LINE_BREAK
from auditor.text import shortened

#: A message may name what somebody wrote, which may be a megabyte.
_LONGEST = 1000

#: What every file of ours has at the start of a line, or of a mapping in braces.
_OURS = re.compile(rb"""^[ \t{]*["']?(?:policy|waivers|tests)["']?[ \t]*:""", re.MULTILINE)


class Problems:
    """What is wrong in the files read so far, with the text of the line for each."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._lines: dict[str, list[str]] = {}

    def knows(self, file: str, data: bytes, *, ours: bool = False) -> None:
        """Remember the lines of a file, to show them under its problems.

        Unless it is known to be ``ours`` it has to look like it: a policy may name any file in
        ``extends``, and no line of a password file belongs in a log.
        """
        if not ours and not _OURS.search(data):
            return
        self._lines[file] = LINE_BREAK.split(data.decode("utf-8-sig", "replace"))

    def add(self, position: Position, message: str, hint: str = "") -> None:
        """Record an error."""
        self._note(Problem(position, message, hint, self.line(position)))

    def warn(self, position: Position, message: str, hint: str = "") -> None:
        """Record something that is probably a mistake; an error under ``--strict``."""
        self._note(Problem(position, message, hint, self.line(position), warning=True))

    def extend(self, problems: list[Problem]) -> None:
        """Record problems that someone else found."""
        for problem in problems:
            known = problem.position.file in self._lines
            self._note(problem if known else problem._replace(source_line=""))

    @property
    def errors(self) -> list[Problem]:
        """What must be fixed, by file and position."""
        return sorted((p for p in self._found if not p.warning), key=lambda p: p.position)

    @property
    def warnings(self) -> list[Problem]:
        """What is probably a mistake, by file and position."""
        return sorted((p for p in self._found if p.warning), key=lambda p: p.position)

    def is_cut_by_comment(self, position: Position, text: str) -> bool:
        """Whether the plain ``text`` at ``position`` ends at a ``#`` that was meant as text."""
        rest = self.line(position)[position.column - 1 :].removeprefix(text)
        return re.match(r"\s+#\S", rest) is not None

    def _note(self, problem: Problem) -> None:
        if len(problem.message) > _LONGEST or len(problem.hint) > _LONGEST:
            message, hint = shortened(problem.message, _LONGEST), shortened(problem.hint, _LONGEST)
            problem = problem._replace(message=message, hint=hint)
        if problem not in self._found:
            self._found.append(problem)

    def line(self, position: Position) -> str:
        """Return the text of the line that ``position`` is in; "" if not known."""
        lines = self._lines.get(position.file, [])
        return lines[position.line - 1] if position.line <= len(lines) else ""
