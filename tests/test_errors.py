"""The errors a run can end with: their exit codes, and every problem with its location."""

from __future__ import annotations

import signal

import pytest

from auditor.errors import (
    AuditorError,
    Interrupted,
    PolicyError,
    Problem,
    ReportError,
    SourceError,
    UsageError,
    about,
)
from auditor.model import Position


@pytest.mark.parametrize(
    ("error", "code"),
    [(AuditorError, 4), (UsageError, 2), (SourceError, 3), (ReportError, 4)],
)
def test_an_error_has_its_exit_code(error: type[AuditorError], code: int):
    assert error("why").exit_code == code
    assert issubclass(error, AuditorError)


def test_a_policy_error_carries_every_problem_in_order():
    first = Problem(Position("a.yaml", 3, 5), "no field is called x", "did you mean y?", "  x: 1")
    second = Problem(Position("b.yaml", 1, 1), "this is not a policy")
    error = PolicyError([first, second])
    assert (error.exit_code, error.problems) == (2, (first, second))
    assert str(error) == (
        "a.yaml:3:5: no field is called x (did you mean y?)\nb.yaml:1:1: this is not a policy"
    )


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_a_signal_is_not_an_auditor_error_and_has_the_shell_s_code(number: int, code: int):
    assert Interrupted(number).exit_code == code
    assert not issubclass(Interrupted, Exception)


def test_an_error_says_which_option_it_is_about_once():
    with pytest.raises(UsageError, match="gone") as found, about("policy", "outer"):
        raise UsageError("gone")
    assert (found.value.option, found.value.item) == ("policy", "outer")
    with pytest.raises(UsageError) as found, about("policy", "outer"), about("waivers"):
        raise UsageError("gone")
    assert (found.value.option, found.value.item) == ("waivers", "")
    with pytest.raises(SourceError), about("policy"):
        raise SourceError("no page")
    with about("policy"):
        pass
    assert UsageError("why").option == ""
