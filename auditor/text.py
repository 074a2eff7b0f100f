"""Text from elsewhere, made safe to show.

A record's strings may hold terminal escapes, bidirectional controls, lone surrogates, invisible
letters, commands to a CI server. They are escaped once, where values enter a result, so that no
report has to think of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

#: Printable to Python, yet invisible: what Unicode says may be ignored where it cannot be shown
#: (Default_Ignorable_Code_Point in DerivedCoreProperties.txt, Unicode 16), and the blank Braille
#: pattern. The rest of either is unprintable anyway.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
#: What a CI server takes for a command anywhere in a line: GitHub and Azure DevOps, Azure DevOps
#: alone, TeamCity.
_COMMAND = re.compile(r"##(?:vso|teamcity)?\[", re.IGNORECASE)
#: What GitHub takes for one at the start of a line, after any blanks.
_LINE_COMMAND = re.compile(r"^([^\S\n]*:)(?=:)", re.MULTILINE)
#: What may become either together with the text that follows.
_UNDECIDED = re.compile(r"(?:#{1,2}|##[A-Za-z]{1,8}|(?:^|\n)[^\S\n]*:?)\Z")

#: Longer values are cut; a reader needs the start, and a 10 MB string would drown the report.
SHOWN = 200


def is_plain(text: str) -> bool:
    """Whether ``printable`` would return ``text`` as it is."""
    if not text.isprintable() or ("##" in text and _COMMAND.search(text)):
        return False
    return text.isascii() or not _BLANK.search(text)


def printable(text: str) -> str:
    r"""Return ``text`` with every invisible character as an escape: ``\x1b``, ``\u202e``.

    Control characters, bidirectional and other format characters, line and paragraph separators,
    private-use and unassigned code points, lone surrogates and letters without a shape count as
    invisible. A blank breaks up what a CI server would take for a command.
    """
    if is_plain(text):
        return text
    seen = "".join(c if c.isprintable() and not _BLANK.match(c) else _escape(c) for c in text)
    return _without_commands(seen)


def broken_commands(chunks: Iterable[str], *, whole_lines: bool = True) -> Iterator[str]:
    """Yield ``chunks`` with a blank in whatever a CI server would obey, if this was its log.

    With ``whole_lines`` this includes GitHub's ``::command``, which has a line to itself.
    """
    held, fresh = "", True
    for chunk in chunks:
        text = f"{held}{chunk}"  # Added to text that is marked as HTML, it would be escaped.
        undecided = _UNDECIDED.search(text)
        end = len(text) if undecided is None else undecided.start()
        held = text[end:]
        if end:
            yield _harmless(text[:end], fresh=fresh, whole_lines=whole_lines)
            fresh = text[end - 1] == "\n"
    if held:
        yield _harmless(held, fresh=fresh, whole_lines=whole_lines)


def shortened(text: str, limit: int = SHOWN) -> str:
    """Return at most ``limit`` characters of ``text``, with an ellipsis for what was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def one_line(text: str, limit: int = SHOWN) -> str:
    """Return ``text`` printable, on one line, without runs of blanks, and short.

    Cut text ends with an ellipsis: whoever looks for a credential sees that one may be cut.
    """
    seen = text[: limit * 4]
    line = printable(" ".join(seen.split()))
    return shortened(f"{line}…" if len(seen) < len(text) else line, limit)


def listed(words: Iterable[str], conjunction: str = "or") -> str:
    """Return ``a, b or c``."""
    *first, last = list(words) or [""]
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def nearest(word: str, words: Iterable[str]) -> str:
    """Return the one of ``words`` most like ``word``; "" if none is much like it."""
    from difflib import get_close_matches  # noqa: PLC0415  # only for a mistake

    return next(iter(get_close_matches(word, words)), "")


def plural(count: int, noun: str, form: str = "") -> str:
    """Return ``1 rule``, ``1,200 rules``; ``form`` is an irregular plural."""
    return f"{count:,} {noun if count == 1 else form or noun + 's'}"


def _harmless(text: str, *, fresh: bool, whole_lines: bool) -> str:
    """Return ``text`` without commands; ``fresh`` means that it begins a line."""
    if whole_lines and "::" in text:
        begun = "" if fresh else "."
        text = _LINE_COMMAND.sub(r"\1 ", begun + text)[len(begun) :]
    return _without_commands(text)


def _without_commands(text: str) -> str:
    if "##" not in text:
        return text
    return _COMMAND.sub(lambda match: f"{match[0][:-1]} [", text)


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
