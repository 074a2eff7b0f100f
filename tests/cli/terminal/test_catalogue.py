"""The lists of fields, facts, operators and packs: nothing is left out."""

from __future__ import annotations

import re

import pytest

from auditor.cli.terminal import catalogue
from auditor.fields import FACT_LISTS, RECORD_FIELDS, Exposure
from auditor.policy.language.aggregates import AGGREGATES
from auditor.policy.language.operators import OPERATORS
from auditor.policy.loading.documents import pack_names
from auditor.policy.loading.load import load

STYLE = re.compile(r"\x1b\[[0-9;]*m")


def lines(found) -> list[str]:
    return [STYLE.sub("", line) for line in found]


def test_every_field_has_a_line_with_its_type_and_values():
    told = {line.split()[0]: line for line in lines(catalogue.fields())[1:]}
    assert list(told) == list(RECORD_FIELDS)
    for path, field in RECORD_FIELDS.items():
        assert f"{field.kind.value}" in told[path]
        assert field.doc in told[path]
        assert all(str(value) in told[path] for value in field.values)
        assert ("exists only" in told[path]) is (field.exposure is Exposure.SECRET)
        assert ("hidden in reports" in told[path]) is (field.exposure is Exposure.HIDDEN)


@pytest.mark.parametrize("name", FACT_LISTS)
def test_every_fact_is_reported_with_its_list(name: str):
    told = lines(catalogue.facts([]))
    fact = FACT_LISTS[name]
    (head,) = [line for line in told if line.startswith(f"{name}  GET ")]
    assert fact.path in head
    assert f"--with {fact.resource}" in head
    assert (f"by {fact.key}" if fact.key else "one for the account") in head
    for field in fact.fields:
        assert any(line.startswith(f"  {field.path} ") for line in told)


def test_facts_without_rows_say_what_brings_them():
    told = lines(catalogue.facts(load(["cost"]).ruleset.facts.values()))
    (head,) = [line for line in told if line.startswith("mar_budgets  ")]
    brought = "--facts mar_budgets=FILE brings them"
    assert head == f"mar_budgets  no rows yet, by schema (globs); {brought}"


def test_every_operator_and_every_pack_has_a_line():
    operators = [line.split()[0] for line in lines(catalogue.operators()) if line[:2] == "  "]
    assert operators == [*OPERATORS, *AGGREGATES]
    assert (
        len([line for line in lines(catalogue.operators()) if "or a list of alternatives" in line])
        == 6
    )
    packs = lines(catalogue.packs())
    assert [line.split()[0] for line in packs] == pack_names()
    assert all(re.search(r"\(\d+ rules?\)$", line) for line in packs)
