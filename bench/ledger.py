"""``python -m bench.ledger``: what each trick for speed buys, as a share of a whole run.

Every trick that the code plays for speed has a row here, with a few lines that undo it in a
process of its own. The time is the processor's, so that a busy machine misleads less. What buys
less than 2% on every run has no place in the code.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.measuring import ROOT

TIMES = 11
RULES = "bench/rules.yaml"
#: The runs that are measured: connections, and the reports.
RUNS: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "10,000 x 10": (10_000, ("html", "junit", "json")),
    "250 x 10": (250, ("html", "junit", "json")),
    "100,000 x 10, json": (100_000, ("json",)),
}


@dataclass(frozen=True, slots=True)
class Trick:
    """One trick: what it does, where, and the Python that undoes it before the command starts."""

    what: str
    where: str
    undo: str


TRICKS = (
    Trick(
        "Only the fields that rules read are decoded",
        "decoding/records.py",
        """
from auditor.decoding.records import Shape
from auditor.fields import FIELDS
everything = [f.path for f in FIELDS.values() if not f.joined and not f.path.startswith("plan")]
narrow = Shape.__init__
def wide(self, reads, whole=(), **more):
    narrow(self, {*reads, *([] if more.get("base") else everything)}, whole, **more)
Shape.__init__ = wide
""",
    ),
    Trick(
        "Operators are inlined into the judge's source",
        "policy/language/operators.py (source)",
        """
from msgspec.structs import force_setattr
from auditor.policy.language.operators import OPERATORS
for row in OPERATORS.values():
    force_setattr(row, "source", "")
""",
    ),
    Trick(
        "Findings that read alike are described once",
        "policy/judging/evidence.py (known), reports/junit.py (alike)",
        """
import auditor.policy.judging.evidence as evidence
evidence._key = lambda values, *, failed: object()
""",
    ),
    Trick(
        "The garbage collector runs rarely",
        "__main__.py",
        """
import gc
gc.set_threshold = lambda *numbers: None
""",
    ),
    Trick(
        "Objects that live until the end are frozen (`gc.freeze`)",
        "cli/main.py, cli/terminal/conclusion.py",
        """
import gc
gc.freeze = lambda: None
""",
    ),
    Trick(
        "Compiled templates are cached",
        "reports/page/template_cache.py",
        """
from auditor.reports.page.template_cache import TemplateCache
TemplateCache.load_bytecode = lambda self, bucket: bucket.reset()
TemplateCache.dump_bytecode = lambda self, bucket: None
""",
    ),
    Trick(
        "Patterns that never backtrack are matched by Python's engine",
        "policy/language/unambiguous.py",
        """
from auditor.policy.language import patterns
patterns._by_python = lambda text, *, whole: None
""",
    ),
    Trick(
        "Other patterns are matched with an RE2 set, those of the row above too",
        "policy/language/patterns.py",
        """
import re2
from auditor.policy.language import patterns
patterns._by_python = lambda text, *, whole: None
def by_re2(text, *, whole):
    compiled = re2.compile(text)
    exact = compiled.fullmatch if whole else compiled.search
    return lambda value: exact(value.encode()) is not None
patterns._by_re2 = by_re2
""",
    ),
    Trick(
        "A command imports what it needs, when it needs it",
        "cli/main.py, and imports inside functions",
        """
import importlib, pkgutil
import auditor
for module in pkgutil.walk_packages(auditor.__path__, "auditor."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
""",
    ),
)


def main() -> None:
    """Measure every trick in every run, and print a table in Markdown."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for count, _ in RUNS.values():
            command = [sys.executable, "-m", "bench.listing", str(count), str(folder / str(count))]
            subprocess.run(command, cwd=ROOT, check=True)
        print(f"| without it, a run takes | where | {' | '.join(RUNS)} |")
        print(f"|---|---|{'---:|' * len(RUNS)}")
        for trick in TRICKS:
            shares = [_share(trick, folder / str(n), r) for n, r in RUNS.values()]
            row = " | ".join(f"{share:+.1%}" for share in shares)
            print(f"| {trick.what} | `{trick.where}` | {row} |", flush=True)


def _share(trick: Trick, folder: Path, reports: tuple[str, ...]) -> float:
    """Return how much longer a run takes without ``trick``, as a share of it: medians in turn."""
    ours: list[float] = []
    without: list[float] = []
    for turn in range((TIMES if len(reports) > 1 else 3) + 1):
        pair = [
            _processor_seconds("", folder, reports),
            _processor_seconds(trick.undo, folder, reports),
        ]
        if turn:  # the first pair warms up
            ours.append(pair[0])
            without.append(pair[1])
    return median(without) / median(ours) - 1


def _processor_seconds(undo: str, folder: Path, reports: tuple[str, ...]) -> float:
    words = ["audit", "--snapshot", str(folder / "pages"), "-p", RULES, "-q"]
    words += ["-o", str(folder / "reports")]
    words += [word for name in reports for word in ("--report", name)]
    program = f"import sys\nsys.argv[1:] = {words!r}\n{undo}\n"
    program += "from auditor.__main__ import main\nmain()\n"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if ended.returncode not in (0, 1):
        raise RuntimeError(f"exit {ended.returncode} with {undo}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
