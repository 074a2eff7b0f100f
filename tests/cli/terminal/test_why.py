"""A tree of conditions as lines: what decided first, values in a column, advice where it helps."""

from __future__ import annotations

import re

from auditor.cli.terminal.layout import Layout
from auditor.cli.terminal.why import tree_lines, verdict
from auditor.model import Verdict
from auditor.policy.judging.tree import Branch, Explained, TreePart


def lines(
    *branches: Branch,
    layout: Layout | None = None,
    note: str = "",
    came_to: Verdict = Verdict.FAIL,
) -> list[str]:
    explained = Explained(came_to, branches, note=note)
    return [_plain(line) for line in tree_lines(explained, layout or Layout())]


def _plain(line: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def test_values_line_up_in_a_column() -> None:
    parts = (TreePart("a is 1", True, "1"), TreePart("ab is 22", False, "22"))
    assert lines(Branch("assert", TreePart("all of", False, parts=parts))) == [
        "  fails             assert  all of",
        "  holds                       a is 1    1",
        "  fails                       ab is 22  22",
    ]


def test_what_has_one_part_takes_one_line() -> None:
    inner = TreePart("status is PASSED", False, "FAILED")
    assert lines(Branch("assert", TreePart("item 2 of 3", False, parts=(inner,)))) == [
        "  fails             assert  item 2 of 3: status is PASSED  FAILED"
    ]


def test_a_negation_keeps_its_own_line() -> None:
    inner = TreePart("production", False, parts=(TreePart("a is 1", False, "2"),))
    assert lines(Branch("when", TreePart("not", True, parts=(inner,)))) == [
        "  holds             when  not",
        "  fails                     production: a is 1  2",
    ]


def test_advice_is_given_only_where_the_doubt_decided() -> None:
    unsure = TreePart("a is 1", None, "missing", "write exists")
    decided = TreePart("any of", True, parts=(TreePart("b is 1", True, "1"), unsure))
    assert not any("write exists" in line for line in lines(Branch("assert", decided)))
    doubted = TreePart("any of", None, parts=(TreePart("b is 1", False, "1"), unsure))
    found = lines(Branch("assert", doubted))
    assert found[-1].strip() == "write exists"
    assert found[-2].startswith("  cannot be judged")
    # Nothing is to be done about what a plan does not hold.
    assert lines(Branch("assert", doubted), came_to=Verdict.SKIP) == found[:-1]


def test_advice_is_folded_to_the_terminal() -> None:
    part = TreePart("a is 1", None, "missing", "write " * 30)
    narrow = lines(Branch("assert", part), layout=Layout(width=60))
    assert len(narrow) > 3
    assert max(map(len, narrow)) <= 60


def test_what_was_not_asked_and_what_else_is_to_say() -> None:
    part = TreePart("a is 1", None, asked=False)
    assert lines(Branch("assert", part), note="skipped: for a reason") == [
        "  not evaluated     assert  a is 1",
        "  skipped: for a reason",
    ]


def test_each_verdict_is_its_word() -> None:
    assert {_plain(verdict(each)) for each in Verdict} == {each.label for each in Verdict}
