"""A comparison in Markdown: worst first, bounded, and hostile text stays text."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from auditor.model import Connection, Severity
from auditor.past.compare import Comparison, Fate, compare
from auditor.past.earlier import report_of
from auditor.reports.comparison.markdown import placeholder, render
from auditor.reports.markdown import LONGEST
from tests.builders.sample_results import sample_result
from tests.reports.test_markdown import ALIVE, SPANS


def compared(connections: int = 60, *, hostile: bool = False) -> Comparison:
    old, new = (
        report_of(sample_result(connections, 9, seed=seed, hostile=hostile), f"{seed}.json")
        for seed in (1, 2)
    )
    return compare(old, new, Severity.LOW)


def text_of(comparison: Comparison) -> str:
    return "".join(render(comparison))


def test_every_count_is_the_comparison_s():
    comparison = compared()
    text = text_of(comparison)
    rows = dict(re.findall(r"^\| ([a-z]+) \| ([\d,]+) \| ", text, re.MULTILINE))
    always = (Fate.NEW, Fate.FIXED, Fate.UNCHANGED)
    assert {name: int(count.replace(",", "")) for name, count in rows.items()} == {
        change.value: count
        for change, count in comparison.counts.items()
        if count or change in always
    }
    headings = re.findall(r"^### (\w+): ", text, re.MULTILINE)
    order = [change.value.capitalize() for change in Fate]
    assert headings == sorted(headings, key=order.index)


@pytest.mark.parametrize("connections", [60, 4000])
def test_it_is_bounded_and_says_what_is_left(connections: int):
    comparison = compared(connections)
    text = text_of(comparison)
    assert len(text) <= LONGEST
    told = [c for c in comparison.changes if c.change not in (Fate.UNCHANGED, Fate.ACCEPTED)]
    match = re.search(r"([\d,]+) of ([\d,]+) changes shown, worst first", text)
    assert (match is not None) is (connections == 4000)
    if match:
        assert int(match[2].replace(",", "")) == len(told)


def test_one_change_that_is_too_long_costs_no_count():
    comparison = compared()
    many = tuple(Connection(f"c{n}", "s", "x" * 200, "g") for n in range(2000))
    first = replace(comparison.changes[0], connections=many, message="m" * 500)
    text = text_of(replace(comparison, changes=(first, *comparison.changes[1:])))
    assert len(text) <= LONGEST
    assert f"| new | {comparison.counts[Fate.NEW]:,} |" in text


def test_hostile_text_is_dead():
    text = text_of(compared(hostile=True))
    assert not ALIVE.search(SPANS.sub("", text))


def test_a_placeholder_says_that_nothing_was_compared():
    text = placeholder("9.9")
    assert "inconclusive" in text.splitlines()[0]
    assert "did not finish" in text
    assert "9.9" in text
