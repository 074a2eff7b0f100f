"""Three-valued truth, held to Kleene's tables one by one, through policies."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from auditor.model import Verdict
from auditor.policy.language.truth import Truth, all_of, any_of, negated
from tests.builders.judged import loaded, one_rule, verdict_of

#: A test of `sync_frequency` that is true, false or an error on the record below.
TESTS = {True: "sync_frequency: 60", False: "sync_frequency: 15", None: "service_version: 1"}
RECORD = {"id": "c", "sync_frequency": 60}
VERDICT = {True: Verdict.PASS, False: Verdict.FAIL, None: Verdict.ERROR}
TRUTHS: tuple[Truth, ...] = (True, False, None)

AND = {
    (True, True): True, (True, False): False, (True, None): None,
    (False, True): False, (False, False): False, (False, None): False,
    (None, True): None, (None, False): False, (None, None): None,
}  # fmt: skip
OR = {
    (True, True): True, (True, False): True, (True, None): True,
    (False, True): True, (False, False): False, (False, None): None,
    (None, True): True, (None, False): None, (None, None): None,
}  # fmt: skip
NOT = {True: False, False: True, None: None}


def _verdict(folder: Path, condition: str, when: str = "") -> Verdict:
    body = f"assert: {condition}" + (f"\nwhen: {when}" if when else "")
    return verdict_of(loaded(folder, one_rule(body)).ruleset, RECORD)


@pytest.mark.parametrize("pair", AND)
def test_all(tmp_path: Path, pair: tuple[Truth, Truth]) -> None:
    a, b = pair
    assert all_of(pair) is AND[pair]
    listed = f"{{all: [{{{TESTS[a]}}}, {{{TESTS[b]}}}]}}"
    assert _verdict(tmp_path, listed) is VERDICT[AND[pair]]


@pytest.mark.parametrize("pair", OR)
def test_any(tmp_path: Path, pair: tuple[Truth, Truth]) -> None:
    a, b = pair
    assert any_of(pair) is OR[pair]
    assert _verdict(tmp_path, f"{{any: [{{{TESTS[a]}}}, {{{TESTS[b]}}}]}}") is VERDICT[OR[pair]]


@pytest.mark.parametrize("truth", TRUTHS)
def test_not(tmp_path: Path, truth: Truth) -> None:
    assert negated(truth) is NOT[truth]
    assert _verdict(tmp_path, f"{{not: {{{TESTS[truth]}}}}}") is VERDICT[NOT[truth]]


@pytest.mark.parametrize("triple", list(product(TRUTHS, repeat=3)))
def test_three_parts_are_two_and_one(triple: tuple[Truth, Truth, Truth]) -> None:
    a, b, c = triple
    assert all_of(triple) is AND[AND[a, b], c]
    assert any_of(triple) is OR[OR[a, b], c]


@pytest.mark.parametrize(("when", "asserted"), list(product(TRUTHS, repeat=2)))
def test_when_decides_first(tmp_path: Path, when: Truth, asserted: Truth) -> None:
    got = _verdict(tmp_path, f"{{{TESTS[asserted]}}}", f"{{{TESTS[when]}}}")
    assert got is {True: VERDICT[asserted], False: Verdict.SKIP, None: Verdict.ERROR}[when]


@pytest.mark.parametrize(
    ("condition", "record", "truth"),
    [
        ("{setup_tests: {all_items: {status: PASSED}}}", {"setup_tests": []}, True),
        ("{setup_tests: {none_items: {status: PASSED}}}", {"setup_tests": []}, True),
        ("{setup_tests: {any_item: {status: PASSED}}}", {"setup_tests": []}, False),
        ("{succeeded_at: {exists: true, newer_than: 7d}}", {"succeeded_at": None}, False),
        ("{succeeded_at: {exists: true, newer_than: 7d}}", {"succeeded_at": "soon"}, None),
        ("{succeeded_at: {newer_than: 7d}}", {"succeeded_at": None}, None),
    ],
)
def test_what_the_contract_says(
    tmp_path: Path, condition: str, record: dict[str, object], truth: Truth
) -> None:
    rules = loaded(tmp_path, one_rule(f"assert: {condition}")).ruleset
    assert verdict_of(rules, {"id": "c"} | record) is VERDICT[truth]


ITEMS = [
    ("any_item", "status: FAILED", ["FAILED", None], True),
    ("any_item", "status: FAILED", ["PASSED", None], None),
    ("none_items", "status: FAILED", ["PASSED", None], None),
    ("none_items", "status: FAILED", ["FAILED", None], False),
    ("all_items", "status: PASSED", ["FAILED", None], False),
    ("all_items", "status: PASSED", ["PASSED", None], None),
]


@pytest.mark.parametrize(("operator", "test", "held", "truth"), ITEMS)
def test_items_that_cannot_be_judged(
    tmp_path: Path, operator: str, test: str, held: list[str | None], truth: Truth
) -> None:
    rules = loaded(tmp_path, one_rule(f"assert: {{setup_tests: {{{operator}: {{{test}}}}}}}"))
    record = {"id": "c", "setup_tests": [{"status": status} for status in held]}
    assert verdict_of(rules.ruleset, record) is VERDICT[truth]


@pytest.mark.parametrize(
    ("bound", "truth"), [("{lte: 1}", None), ("{lte: 2}", True), ("{gte: 3}", False), ("2", None)]
)
def test_a_count_of_items_is_settled_where_the_unsure_do_not_matter(
    tmp_path: Path, bound: str, truth: Truth
) -> None:
    count = f"{{where: {{status: FAILED}}, is: {bound}}}"
    rules = loaded(tmp_path, one_rule(f"assert: {{setup_tests: {{count_items: {count}}}}}")).ruleset
    record = {"id": "c", "setup_tests": [{"status": "FAILED"}, {"status": None}, {"status": "x"}]}
    assert verdict_of(rules, record) is VERDICT[truth]
