"""A run and its result."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.model import Completeness, Severity
from auditor.policy import Ruleset
from auditor.run import audit
from tests.builders.listed import (
    Listed,
    counts_of,
)
from tests.builders.scripted import BAD, GOOD, options


def test_nothing_listed_is_no_pass_unless_that_is_allowed(house: Ruleset):
    assert audit(Listed([]), house, options()).gate.exit_code == 3
    assert audit(Listed([]), house, options(allow_empty=True, fail_on=None)).gate.exit_code == 0


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, 1),
        ({"fail_on": Severity.MEDIUM}, 1),
        ({"fail_on": Severity.HIGH}, 0),
        ({"fail_on": None}, 0),
        ({"limits": {Severity.MEDIUM: 1}}, 0),
        ({"limits": {Severity.MEDIUM: 0}, "fail_on": None}, 1),
        ({"limits": {Severity.LOW: 5}}, 1),
    ],
    ids=str,
)
def test_the_bar_is_the_options(house: Ruleset, given: dict[str, Any], code: int):
    assert audit(Listed([BAD, GOOD]), house, options(**given)).gate.exit_code == code


def test_strict_wants_to_know_that_all_was_listed(house: Ruleset):
    source = Listed([GOOD], completeness=Completeness.UNKNOWN)
    assert audit(source, house, options()).gate.exit_code == 0
    assert audit(source, house, options(strict=True)).gate.exit_code == 3


def test_a_run_without_exceptions_accepts_nothing(house: Ruleset):
    result = audit(Listed([BAD, GOOD]), house, options())
    assert (result.accepted, result.waivers, result.baseline) == ((), (), None)
    assert counts_of(result) == {"pass": 6, "fail": 1}
