"""Conditions on what a record lacks: what is settled all the same, and what cannot be."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from auditor.model import Verdict
from auditor.policy.language.truth import Truth
from tests.builders.judged import loaded, one_rule, verdict_of
from tests.builders.truths import TESTS, TRUTHS, VERDICT, verdict_on_record


@pytest.mark.parametrize(("when", "asserted"), list(product(TRUTHS, repeat=2)))
def test_when_decides_first(tmp_path: Path, when: Truth, asserted: Truth) -> None:
    got = verdict_on_record(tmp_path, f"{{{TESTS[asserted]}}}", f"{{{TESTS[when]}}}")
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
