"""Generated patterns and texts that show differences between readers of RE2's syntax."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

from auditor.policy.loading.documents import pack_names
from auditor.resources import resource_folder

#: Texts as people have them.
REAL = ("prod_crm", "test_orders", "tmp", "10.0.0.1", "fe80::1", "a.b", "xx", "a\nb", "RAW", "")
_ROOT = Path(__file__).parents[2]

_ATOMS = (
    *"abAks1_- éß\u017fK.^$,{}]😀",
    *(r"\n", r"\b", r"\B", r"\A", r"\z", r"\d", r"\D", r"\s", r"\S", r"\w", r"\W", r"\t", r"\-"),
    *(r"\x41", r"\x{e9}", r"\101", r"\.", r"\_", r"\Qa.b\E", "{1", "{,2}", "x{0}"),
    *("[a-c]", "[^a]", "[[:alpha:]]", "[[:^digit:]]", r"[\d_]", r"[^\W1]", "[a-]", "[]a]"),
    *("[^]a]", "[k-s]", r"[[:word:]-]", r"[\w-.]", "[é-\u017f]", "[[:punct:]é]", r"[^\x00-z]"),
    *("(?i)", "(?-i)", "(?s)", "(?m)", "(?U)"),
)
_SCRAPS = (
    *r"()[]*+?{}\|^$.-:?P<>=!i019,xapLEQz",
    *("[:", ":]", "(?", "(?:", "(?P<", "(?=", "{2", r"\1", r"\x", r"\Q", r"\E", "[^", " alpha"),
)
_OPENINGS = ("(", "(?:", "(?i:", "(?s-i:", "(?m:", "(?P<n>", "(?<m>")
_REPEATS = ("*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?", "{2,}", "{0}", "{0,}")
_LETTERS = "abcAkKs SS1_-\n.éÉß\u017fK😀{}],2\t"


def made_up(random: Random) -> str:
    """Return a pattern: mostly one that can be read."""
    if random.random() < 0.8:
        return _composed(random, random.randrange(1, 6))
    return "".join(random.choice(_SCRAPS + _ATOMS) for _ in range(random.randrange(1, 8)))


def texts(random: Random, count: int) -> list[str]:
    """Return texts of the letters that the patterns are about."""
    return ["".join(random.choices(_LETTERS, k=random.randrange(9))) for _ in range(count)]


def _composed(random: Random, depth: int) -> str:
    kind = random.random()
    if depth <= 0 or kind < 0.35:
        return random.choice(_ATOMS)
    if kind < 0.55:
        return _composed(random, depth - 1) + _composed(random, depth - 1)
    if kind < 0.65:
        return _composed(random, depth - 1) + "|" + _composed(random, depth - 1)
    if kind < 0.75:
        return random.choice(_OPENINGS) + _composed(random, depth - 1) + ")"
    return _composed(random, depth - 1) + random.choice(_REPEATS)


def written() -> set[str]:
    """Return the patterns of the packs, the pages and the tests."""
    found = set()
    files = [resource_folder("policies") / f"{name}.yaml" for name in pack_names()]
    files += [*_ROOT.glob("docs/*.md"), *_ROOT.glob("tests/**/*.py"), _ROOT / "README.md"]
    for path in files:
        text = path.read_text(encoding="utf-8")
        for quoted in re.findall(
            r"(?:regex_\w+|test_names): *(?:'([^'\n]+)'|\"([^\"\n]+)\")", text
        ):
            found.update(filter(None, quoted))
    return found
