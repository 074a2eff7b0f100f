"""The list of mutants that no test notices: every entry has a reason, and code it is about."""

from __future__ import annotations

import pytest

from tests.proofs.mutation import ROOT, Mutant, listed, modules

LISTED = listed()


@pytest.mark.parametrize("mutant", LISTED, ids=lambda mutant: f"{mutant.module} {mutant.function}")
def test_a_survivor_is_of_code_that_is_there(mutant: Mutant) -> None:
    assert mutant.module in modules()
    lines = {line.strip() for line in (ROOT / mutant.module).read_text().splitlines()}
    before = [line[2:] for line in mutant.change.splitlines() if line.startswith("- ")]
    assert before
    assert lines.issuperset(before), "the line has changed: run make mutants"
    assert mutant.function.rpartition(".")[2] in (ROOT / mutant.module).read_text()


def test_every_survivor_has_a_reason() -> None:
    assert all(len(reason) > 20 for reason in LISTED.values())


def test_the_modules_that_are_judged_are_there() -> None:
    assert all((ROOT / path).is_file() for path in modules())
