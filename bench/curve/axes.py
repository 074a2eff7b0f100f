"""What grows, and what stays the same: the inputs of each point of a curve."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import ROOT

_RULES = Path("bench/rules.yaml")
_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Input:
    """One point's input: how much there is of what grows, the pages, and the policy."""

    amount: int
    pages: Path
    policy: Path


@dataclass(frozen=True, slots=True)
class Axis:
    """What grows, by which amounts.

    ``over`` is the number of connections, where they do not grow, and ``held`` says what else stays
    the same. ``make`` writes the input of an amount into a folder. ``few`` and ``over_few`` are
    those of a small run.
    """

    name: str
    held: str
    amounts: tuple[int, ...]
    few: tuple[int, ...]
    make: Callable[[int, int, Path], Input]
    over: int = 0
    over_few: int = 500

    def inputs(self, folder: Path, *, quick: bool) -> list[Input]:
        """Write every input of the axis, in the order of the amounts."""
        over = self.over_few if quick else self.over
        amounts = self.few if quick else self.amounts
        return [self.make(amount, over, folder / self.name) for amount in amounts]

    def said(self, *, quick: bool) -> str:
        """Return what stays the same, in words."""
        over = self.over_few if quick else self.over
        return f"{over:,} connections, {self.held}" if self.over else self.held


def _listing(folder: Path, count: int, share: float = _SHARE, groups: int = 200) -> Path:
    place = folder / f"{count}-{share}-{groups}"
    if not place.exists():
        words = ["--forms", "pages", "--share", str(share), "--groups", str(groups)]
        command = [sys.executable, "-m", "bench.listing", str(count), str(place), *words]
        subprocess.run(command, cwd=ROOT, check=True)
    return place / "pages"


def _policy(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(f"policy: {name}\n{text}")
    return path


def _ten() -> str:
    return (ROOT / _RULES).read_text().partition("rules:\n")[2]


def _connections(amount: int, _: int, folder: Path) -> Input:
    return Input(amount, _listing(folder, amount), _RULES)


def _rules(amount: int, over: int, folder: Path) -> Input:
    """The ten rules over and over, under other ids; the first alone where there is one."""
    pages = _listing(folder, over)
    tens = [_ten().replace("id: R", f"id: S{number}R") for number in range(max(amount // 10, 1))]
    text = tens[0].partition("\n")[0] + "\n" if amount == 1 else "".join(tens)
    return Input(amount, pages, _policy(folder, f"rules-{amount}", f"rules:\n{text}"))


def _findings(amount: int, over: int, folder: Path) -> Input:
    """``amount`` is the percentage that is ill by each rule; the findings are counted."""
    pages = _listing(folder, over, amount / 100)
    command = [sys.executable, "-m", "bench.verdicts", str(pages.parent)]
    counted = json.loads(subprocess.check_output(command, cwd=ROOT))
    return Input(sum(counted.values()), pages, _RULES)


def _facts(amount: int, over: int, folder: Path) -> Input:
    """Ten rules, and one that reads a column of a file with ``amount`` rows; none at 0."""
    pages = _listing(folder, over)
    name = f"facts-{amount}"
    if not amount:
        rule = "  - {id: F, severity: low, assert: {group_id: {exists: true}}}\n"
        return Input(0, pages, _policy(folder, name, f"rules:\n{_ten()}{rule}"))
    rows = "".join(f"group_{number:06},{number % 5}\n" for number in range(amount))
    (folder / f"{name}.csv").write_text(f"group_id,tier\n{rows}")
    text = (
        "facts:\n"
        f"  tiers: {{file: {name}.csv, key: group_id, columns: {{tier: integer}},"
        " default: {tier: 1}}\n"
        f"rules:\n{_ten()}  - {{id: F, severity: low, assert: {{tiers.tier: {{gte: 0}}}}}}\n"
    )
    return Input(amount, pages, _policy(folder, name, text))


def _groups(amount: int, over: int, folder: Path) -> Input:
    """Ten rules on connections, and two on groups."""
    pages = _listing(folder, over, groups=amount)
    per = (
        "  - {id: G1, severity: low, per: group_id, assert: {unique: [service, schema]}}\n"
        "  - {id: G2, severity: low, per: group_id, when: {schedule_type: manual},"
        " assert: {share: {lte: 0.5}}}\n"
    )
    return Input(amount, pages, _policy(folder, "groups", f"rules:\n{_ten()}{per}"))


AXES = (
    Axis(
        "connections",
        "10 rules, 2% violations",
        (1_000, 10_000, 100_000, 300_000, 1_000_000),
        (250, 1_000, 2_500),
        _connections,
    ),
    Axis("rules", "2% violations", (1, 10, 50, 100, 250, 500), (1, 10, 50), _rules, 10_000),
    Axis("findings", "10 rules", (0, 5, 10, 25, 50, 100), (0, 50, 100), _findings, 20_000),
    Axis(
        "facts",
        "11 rules, 2% violations, rows of one file",
        (0, 1_000, 10_000, 30_000, 100_000),
        (0, 1_000, 10_000),
        _facts,
        20_000,
    ),
    Axis(
        "groups",
        "12 rules, two of them per group",
        (1, 100, 1_000, 3_000, 10_000),
        (1, 50, 100),
        _groups,
        20_000,
    ),
)
