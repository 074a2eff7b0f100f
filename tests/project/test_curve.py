"""The curve of cost: its bends, its picture, and the rest of its page."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import SnapshotSource, audit, load_policies
from bench.curve.__main__ import picture
from bench.curve.axes import AXES, Axis
from bench.curve.bends import TOLERANCE, Bend, Point, bends
from bench.curve.page import BEGIN, DASH, END, Curve, replaced, said, table
from bench.curve.picture import Panel, draw, number, ticks

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"

AMOUNTS = st.lists(st.integers(0, 10**6), min_size=3, max_size=9, unique=True).map(sorted)
SLOPES = st.floats(0.01, 100)
POINTS = AMOUNTS.flatmap(
    lambda amounts: st.lists(
        st.floats(0, 1000), min_size=len(amounts), max_size=len(amounts)
    ).map(lambda costs: [Point(a, c) for a, c in zip(amounts, costs, strict=True)])
)  # fmt: skip


# -- bends --------------------------------------------------------------------------------------


@given(AMOUNTS, SLOPES, st.floats(0, 100))
def test_a_straight_line_has_no_bend(amounts: list[int], slope: float, start: float):
    assert list(bends([Point(a, start + slope * a) for a in amounts])) == []


@given(AMOUNTS, SLOPES, st.just(0) | st.floats(0.01, 4), st.data())
def test_a_line_of_two_slopes_bends_at_its_knee_alone(
    amounts: list[int], slope: float, times: float, data: st.DataObject
):
    knee = data.draw(st.sampled_from(amounts[1:-1]))
    points = [Point(a, slope * min(a, knee) + times * slope * max(a - knee, 0)) for a in amounts]
    found = list(bends(points))
    if abs(times - 1) < TOLERANCE - 1e-6:
        assert found == []
    elif abs(times - 1) > TOLERANCE + 1e-6:
        (bend,) = found
        assert bend.amount == knee
        assert bend.share == pytest.approx(times - 1, abs=1e-6)


@given(POINTS, st.sampled_from((0.25, 2, 1024)), st.sampled_from((0.5, 8, 4096)))
def test_units_make_no_bend(points: list[Point], wide: float, high: float):
    scaled = [Point(each.amount * wide, each.cost * high) for each in points]
    assert [b.amount for b in bends(scaled)] == [b.amount * wide for b in bends(points)]


@given(POINTS, st.floats(0, 100))
def test_noise_explains_bends_and_makes_none(points: list[Point], noise: float):
    noisy = [Point(each.amount, each.cost, noise) for each in points]
    assert set(bends(noisy)) <= set(bends(points))


def test_noise_is_not_a_bend():
    costs = (1.0, 2.0, 3.5)
    assert [b.amount for b in bends([Point(n, c) for n, c in enumerate(costs)])] == [1]
    assert list(bends([Point(n, c, 0.2) for n, c in enumerate(costs)])) == []


def test_two_points_have_no_bend():
    assert list(bends([Point(0, 1), Point(1, 5)])) == []


@pytest.mark.parametrize(
    ("bend", "words"),
    [
        (Bend(1, 1.0, 1.25), "+25%"),
        (Bend(1, 1.0, 0.5), "-50%"),
        (Bend(1, 0.0, 0.5), "rise"),
        (Bend(1, 0.5, -0.5), "fall"),
    ],
)
def test_a_bend_in_words(bend: Bend, words: str):
    assert said(bend) == words


# -- the picture --------------------------------------------------------------------------------


@given(st.floats(1e-6, 1e9))
def test_ticks_reach_as_far_as_the_points_and_no_unround_number(most: float):
    found = ticks(most)
    assert found[0] == 0
    assert found[-1] >= most * (1 - 1e-6)
    assert 2 <= len(found) <= 6
    steps = [after - before for before, after in pairwise(found)]
    assert steps == pytest.approx([steps[0]] * len(steps))


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.25, "0.25"), (2500, "2.5k"), (100_000, "100k"), (1e6, "1M")]
)
def test_numbers_are_short(value: float, text: str):
    assert number(value) == text


def _drawn(title: str = "all", panel: str = "one") -> ET.Element:
    points = [Point(0, 1), Point(50, 2), Point(100, 6)]
    one = Panel(panel, "seconds", points, frozenset({50.0}))
    return ET.fromstring(draw(title, [(one, Panel("two", "memory", points))]))


def test_the_picture_has_each_point_and_each_bend():
    drawn = _drawn()
    assert len(drawn.findall(f"{SVG}g/{SVG}polyline")) == 2
    circles = drawn.findall(f"{SVG}g/{SVG}circle")
    rings = [each for each in circles if each.get("class") == "bend"]
    assert (len(circles) - len(rings), len(rings)) == (6, 2)  # one in the legend
    sides = [float(drawn.get(name, "")) for name in ("width", "height")]
    for circle in circles:
        assert 0 <= float(circle.get("cx", "")) <= sides[0]
        assert 0 <= float(circle.get("cy", "")) <= sides[1]


@given(st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters="\ufffe\uffff")))
def test_what_the_picture_says_is_escaped(text: str):
    drawn = _drawn(text, f"<{text}>&\"'")
    assert (drawn.findtext(f"{SVG}title") or "") == text
    assert f"<{text}>&\"'" in [each.text for each in drawn.iter(f"{SVG}text")]


def test_the_picture_loads_nothing_and_knows_the_dark():
    text = draw("all", [])
    assert "prefers-color-scheme: dark" in text
    assert [word for word in ("href", "url(", "script", "@import") if word in text] == []


# -- the page -----------------------------------------------------------------------------------


def _curve(name: str = "rules") -> Curve:
    seconds = [Point(10, 1.0), Point(20, 2.0), Point(40, 8.0)]
    memory = [Point(10, 30, 2), Point(20, 33, 2), Point(40, 53, 2)]
    return Curve(name, "10,000 connections", seconds, memory)


def test_the_table_has_a_line_for_each_point_with_what_each_costs():
    lines = table([_curve()]).splitlines()[2:]
    assert lines == [
        "| **rules**: 10,000 connections | 10 | 1.00 | 30 |  |  |  |",
        f"|  | 20 | 2.00 | 33 | 100,000.0 | {DASH} | seconds +200%, MiB +233% |",
        "|  | 40 | 8.00 | 53 | 300,000.0 | 1,024.00 |  |",
    ]


def test_a_picture_is_made_of_the_curves():
    titles = {each.text for each in ET.fromstring(picture([_curve()])).iter(f"{SVG}text")}
    assert {"rules, seconds", "rules, MiB"} <= titles


def test_the_page_holds_the_last_figures_and_all_else():
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    made = replaced(replaced(page, "old"), "| new |")
    assert "\nold\n" not in made
    assert "(images/curve.svg)\n\n| new |\n" in made
    assert made.partition(BEGIN)[0] == page.partition(BEGIN)[0]
    assert made.partition(END)[2] == page.partition(END)[2]


def test_a_page_without_its_markers_is_refused():
    with pytest.raises(ValueError, match="the page has no"):
        replaced("# Performance\n", "| new |")


# -- what grows ---------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.name)
def test_amounts_rise_and_are_enough_to_bend(axis: Axis):
    for amounts in (axis.amounts, axis.few):
        assert len(amounts) >= 3
        assert list(amounts) == sorted(set(amounts))
    assert axis.said(quick=False)


def test_a_million_connections_is_a_point():
    assert AXES[0].amounts[-1] == 1_000_000
    assert len({axis.name for axis in AXES}) == len(AXES)


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.name)
def test_every_input_can_be_judged(axis: Axis, tmp_path: Path):
    made = axis.make(axis.few[1] if axis.name != "connections" else 40, 40, tmp_path)
    policy = made.policy if made.policy.is_absolute() else ROOT / made.policy
    result = audit(SnapshotSource(str(made.pages)), load_policies(str(policy)))
    assert len(result.connections.ids) == 40
    assert result.gate.outcome.value in {"passed", "violations"}
