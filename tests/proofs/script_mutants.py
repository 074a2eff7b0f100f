"""The mutants of a page's script, token by token: the same script but for one place.

Comparisons, ``&&`` and ``||``, ``!``, signs, numbers, ``true`` and ``false``, conditions turned
round, the opposite of a call, statements of a line left out. Texts, patterns and comments are left
as they are; what stands in ``${}`` is a script again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SWAPPED = {
    "===": ("!==",),
    "!==": ("===",),
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "&&": ("||",),
    "||": ("&&",),
    "??": ("&&",),
    "+=": ("-=",),
    "-=": ("+=",),
    "++": ("--",),
    "--": ("++",),
    "*": ("/",),
    "/": ("*",),
    "+": ("-",),
    "-": ("+",),
    "!": ("",),
    "true": ("false",),
    "false": ("true",),
    "some": ("every",),
    "every": ("some",),
    "min": ("max",),
    "max": ("min",),
}
#: After these a slash divides; after anything else it begins a pattern.
_ENDS_A_VALUE = re.compile(r"[\w$)\]}]")
_BEFORE_A_PATTERN = frozenset({"return", "typeof", "case", "of", "in"})
_TOKEN = re.compile(
    r"(?P<space>\s+|//[^\n]*|/\*.*?\*/)"
    r"|(?P<number>\b\d[\d_]*(?:\.\d+)?\b)"
    r"|(?P<word>[A-Za-z_$][\w$]*)"
    r"|(?P<text>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')"
    r"|(?P<sign>===|!==|=>|\?\?|\?\.|&&|\|\||<=|>=|\+=|-=|\+\+|--|\.\.\.|[^\w\s])",
    re.DOTALL,
)
_PATTERN = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\[\n])+/[a-z]*")
_NAMED = re.compile(
    r"^(?:export )?(?:async )?function\*? (\w+)|^(?:export )?(?:class|const|let) (\w+)"
    r"|^  (?:static |async |get |set )*(\w+)\([^)]*\) \{$"
)
_STATEMENT = re.compile(r"^\s*(?:[\w$.?\[\]]+\(.*\)|[\w$.\[\]]+ (?:[-+]?=) .*);$")


@dataclass(frozen=True, order=True)
class Mutant:
    """One change of a file: in which function, and the lines that go and that come."""

    function: str
    change: str


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def script_mutants(source: str) -> Iterator[tuple[Mutant, str]]:
    """Yield each mutant of a script, and the script with it."""
    seen: set[Mutant] = set()
    for start, end, new in _changes(source):
        text = source[:start] + new + source[end:]
        first = source.rfind("\n", 0, start) + 1
        last = len(source) if (at := source.find("\n", end)) < 0 else at
        come = text[first : last + len(new) - (end - start)]
        gone = [f"- {line.strip()}" for line in source[first:last].splitlines()]
        change = "\n".join([*gone, *(f"+ {line.strip()}" for line in come.splitlines() or [""])])
        mutant = Mutant(_function(source[:start]), change)
        if mutant not in seen:
            seen.add(mutant)
            yield mutant, text


def _changes(source: str) -> Iterator[tuple[int, int, str]]:
    """Yield from where to where the script is changed, and into what."""
    tokens = list(_tokens(source, 0, len(source)))
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else None
        if token.kind == "number":
            plain = token.text.replace("_", "")
            more = str(float(plain) + 1) if "." in plain else str(int(plain) + 1)
            yield token.start, token.end, more
        elif token.kind in ("sign", "word") and token.text in _SWAPPED:
            if token.text in ("min", "max", "some", "every") and (
                before is None or before.text not in (".", "?.")
            ):
                continue
            for other in _SWAPPED[token.text]:
                yield token.start, token.end, other
        elif token.text == "if" and token.kind == "word" and tokens[at + 1].text == "(":
            close = _closing(tokens, at + 1)
            inner = source[tokens[at + 1].end : tokens[close].start]
            if not re.search(r"&&|\|\||[<>=!]==?|[<>]|^!", inner):
                yield tokens[at + 1].end, tokens[close].start, f"!({inner})"
    place = 0
    for line in source.splitlines(keepends=True):
        if _STATEMENT.match(line.rstrip("\n")) and _is_balanced(line):
            indent = len(line) - len(line.lstrip())
            yield place + indent, place + len(line.rstrip("\n")), ";"
        place += len(line)


def _tokens(source: str, start: int, end: int) -> Iterator[_Token]:
    """Yield the tokens between two places, but for blanks, texts and patterns."""
    last = ""
    place = start
    while place < end:
        if source[place] == "`":
            place = yield from _template(source, place, end)
            last = "`)"
            continue
        if source[place] == "/" and source[place + 1] not in "/*" and not _divides(last):
            found = _PATTERN.match(source, place)
            assert found, source[place : place + 40]
            place, last = found.end(), ")"
            continue
        found = _TOKEN.match(source, place)
        assert found, source[place : place + 40]
        kind = found.lastgroup or ""
        if kind not in ("space", "text"):
            yield _Token(kind, found.group(), place, found.end())
        if kind != "space":
            last = found.group() if kind != "text" else ")"
        place = found.end()


def _template(source: str, place: int, end: int) -> Iterator[_Token]:
    """Yield the tokens inside a template's ``${}``; return where the template ends."""
    place += 1
    while source[place] != "`":
        if source[place] == "\\":
            place += 2
        elif source.startswith("${", place):
            depth, inner = 1, place + 2
            at = inner
            while depth:
                depth += {"{": 1, "}": -1}.get(source[at], 0)
                at += 1
            yield from _tokens(source, inner, at - 1)
            place = at
        else:
            place += 1
    return place + 1


def _divides(last: str) -> bool:
    return bool(last) and last not in _BEFORE_A_PATTERN and bool(_ENDS_A_VALUE.match(last[-1]))


def _closing(tokens: list[_Token], at: int) -> int:
    depth = 0
    for number in range(at, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[number].text, 0)
        if depth == 0:
            return number
    raise ValueError("a bracket that nothing closes")


def _is_balanced(line: str) -> bool:
    return all(line.count(opened) == line.count(closed) for opened, closed in ("()", "[]", "{}"))


def _function(before: str) -> str:
    """Return what the last line that names a function, a method or a constant calls it."""
    for line in reversed(before.splitlines()):
        if found := _NAMED.match(line):
            return next(name for name in found.groups() if name)
    return ""
