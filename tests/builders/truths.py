"""Tests that are true, false or an error on one record, and what a rule says of them."""

from __future__ import annotations

from pathlib import Path

from auditor.model import Verdict
from auditor.policy.language.truth import Truth
from tests.builders.judged import loaded, one_rule, verdict_of

#: A test of `sync_frequency` that is true, false or an error on the record below.
TESTS = {True: "sync_frequency: 60", False: "sync_frequency: 15", None: "service_version: 1"}


RECORD = {"id": "c", "sync_frequency": 60}


VERDICT = {True: Verdict.PASS, False: Verdict.FAIL, None: Verdict.ERROR}


TRUTHS: tuple[Truth, ...] = (True, False, None)


def verdict_on_record(folder: Path, condition: str, when: str = "") -> Verdict:
    body = f"assert: {condition}" + (f"\nwhen: {when}" if when else "")
    return verdict_of(loaded(folder, one_rule(body)).ruleset, RECORD)
