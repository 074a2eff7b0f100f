"""Collecting problems: each once, in order, with its line where that may be shown."""

from __future__ import annotations

import pytest

from auditor.errors import Problem
from auditor.model import Position
from auditor.policy.loading.problems import Problems

LINES = "policy: p\r\nrules:\n  - {id: é}\n"


def at(line: int, column: int = 1, file: str = "a.yaml") -> Position:
    return Position(file, line, column)


def test_problems_are_told_by_file_and_place_and_each_once():
    found = Problems()
    for position in (at(2), at(10), at(2), at(1, file="0.yaml"), at(2, 5)):
        found.add(position, "wrong", "hint")
    found.warn(at(1), "doubtful")
    assert [p.position for p in found.errors] == [at(1, file="0.yaml"), at(2), at(2, 5), at(10)]
    assert [(p.position, p.warning) for p in found.warnings] == [(at(1), True)]


def test_the_source_line_is_shown_and_one_beyond_the_end_is_empty():
    found = Problems()
    found.knows("a.yaml", LINES.encode())
    for number in (1, 2, 3, 9):
        found.add(at(number), "wrong")
    assert [p.source_line for p in found.errors] == ["policy: p", "rules:", "  - {id: é}", ""]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("policy: p\n", True),
        ("# a\nwaivers: []\n", True),
        ("{tests: []}\n", True),
        ('"policy" : p\n', True),
        ("root:x:0:0:\npasswd: y\n", False),
        ("my policy: p\n", False),
        ("", False),
    ],
)
def test_no_line_is_shown_of_what_does_not_look_like_ours(text: str, shown: bool):
    found = Problems()
    found.knows("a.yaml", text.encode())
    found.add(at(1), "wrong")
    assert bool(found.errors[0].source_line) is shown
    known = Problems()
    known.knows("a.yaml", text.encode(), ours=True)
    known.add(at(1), "wrong")
    assert known.errors[0].source_line == text.split("\n", maxsplit=1)[0]


def test_a_problem_of_someone_else_shows_no_line_of_a_file_that_is_not_known():
    found = Problems()
    found.knows("a.yaml", LINES.encode())
    found.extend([Problem(at(1), "m", source_line="x"), Problem(at(1, file="b"), "m", "", "y")])
    assert [p.source_line for p in found.errors] == ["x", ""]


def test_a_long_message_is_cut():
    found = Problems()
    found.add(at(1), "m" * 1001, "h" * 5000)
    (problem,) = found.errors
    assert (len(problem.message), problem.message[-1], len(problem.hint)) == (1000, "…", 1000)


@pytest.mark.parametrize(
    ("line", "text", "cut"),
    [
        ("why: see #12", "see", True),
        ("why: see # a comment", "see", False),
        ("why: see", "see", False),
        ("why: see#12", "see#12", False),
    ],
)
def test_a_text_that_ends_at_a_number_sign_is_seen(line: str, text: str, cut: bool):
    found = Problems()
    found.knows("a.yaml", line.encode(), ours=True)
    assert found.is_cut_by_comment(at(1, 6), text) is cut
