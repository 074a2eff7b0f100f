"""A run and its result."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from auditor.errors import UsageError
from auditor.model import Completeness, Severity
from auditor.policy import Ruleset
from auditor.run import audit, look
from tests.builders.listed import (
    TODAY,
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


def test_without_options_a_run_is_as_strict_as_the_command(house: Ruleset):
    assert audit(Listed([BAD]), house).gate.exit_code == 1
    assert audit(Listed([GOOD]), house).gate.exit_code == 0
    assert look(Listed([BAD]), house, "a").result.gate.exit_code == 1


def test_a_look_judges_as_a_run_with_the_same_options(house: Ruleset):
    ours = options(fail_on=None, now=TODAY - timedelta(days=1), parts=True)
    found = look(Listed([BAD, GOOD]), house, "a", ours)
    assert found.result == audit(Listed([BAD, GOOD]), house, ours)
    (seen,) = found.seen
    assert list(found.records) == [0]
    assert [rule.id for rule, _ in seen.why] == [entry.rule.id for entry in house.rules]
    assert all(why for _, why in seen.why)


@pytest.mark.parametrize("ruleset", [Ruleset((), ()), None, "house.yaml"], ids=repr)
def test_without_a_rule_nothing_is_asked_of_a_source(ruleset: Any):
    with pytest.raises(UsageError, match="there is no rule to judge by"):
        audit(Listed([GOOD]), ruleset)


def test_what_was_saved_is_judged_however_long_it_takes(house: Ruleset):
    result = audit(Listed([BAD, GOOD]), house, options(timeout=1e-9))
    assert (result.listing.problems, len(result.connections)) == ((), 2)
