"""A line of a table with a bar: what was measured, what it has to be, and whether it is."""

from __future__ import annotations

from dataclasses import dataclass

HEADING = f"{'':<58} {'seconds':>19} {'':>10} {'bar':>8} {'dream':>6}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    figures: str
    value: float
    bar: float
    dream: float
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Whether the bar is met."""
        return self.value <= self.bar

    def __str__(self) -> str:
        said = "dream" if self.value <= self.dream else "met" if self.met else "MISSED"
        value, bar = f"{self.value:.2f}{self.unit}", f"{self.bar:g}{self.unit}"
        return f"{self.what:<58} {self.figures:>19} {value:>10} {bar:>8} {self.dream:>6g}  {said}"
