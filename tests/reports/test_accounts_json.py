"""The summary over all accounts, for programs."""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import product
from typing import Any

import jsonschema
import pytest

from auditor.reports import ACCOUNT_REPORTS
from auditor.reports.accounts import AccountOutcome, Accounts
from auditor.reports.accounts_json import placeholder, render

SCHEMA = json.loads(files("auditor.reports").joinpath("accounts.schema.json").read_text("utf-8"))
CODES = (None, 0, 1, 2, 3, 4, 130)


def document(*codes: int | None) -> dict[str, Any]:
    """Return the summary of accounts that ended with ``codes``, as its schema takes it."""
    outcomes = tuple(AccountOutcome(f"a{n}", code) for n, code in enumerate(codes))
    found: dict[str, Any] = json.loads("".join(render(Accounts(outcomes, "1.2.3"))))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    return found


@pytest.mark.parametrize("codes", list(product(CODES, repeat=2)))
def test_it_passes_only_where_every_account_does(codes: tuple[int | None, int | None]):
    told = document(*codes)
    assert (told["outcome"] == "passed") == (told["exit_code"] == 0) == (set(codes) == {0})
    assert told["finished"] == (None not in codes)
    if None in codes:
        assert (told["outcome"], told["exit_code"]) == ("inconclusive", 3)
    else:
        # What no account comes to by itself is worse than all that one does.
        assert told["exit_code"] == max(code for code in codes if code is not None)


def test_a_run_over_no_accounts_is_not_a_pass():
    assert document()["exit_code"] == 3
    text = placeholder("1.2.3")
    assert "passed" not in text
    assert json.loads(text) == document()


def test_the_summary_is_recognised_and_an_account_s_report_is_not():
    known = ACCOUNT_REPORTS["accounts_json"]
    assert known.placeholder("1.2.3") == placeholder("1.2.3")
    assert known.begins(placeholder("1.2.3").encode())
    assert known.begins("".join(render(Accounts((AccountOutcome("a", 0),), "1.2.3"))).encode())
    report = '{\n"schema_version": "1.4",\n"tool": {"name":"fivetran-auditor"'
    assert not known.begins(report.encode())


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"finished": False}, "a pass that has not finished"),
        ({"accounts": []}, "a pass of nothing"),
        ({"outcome": "fine"}, "a word of nobody's"),
    ],
)
def test_the_schema_refuses_a_pass_of_an_unfinished_run(change: dict[str, Any], wrong: str):
    told = {**document(0), **change}
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(told), wrong
