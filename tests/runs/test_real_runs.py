"""The numbers agree: an account is audited, every format written, and each file counted anew."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from auditor.reports import REPORTS
from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from tests.builders.command import KEYS, run
from tests.builders.report_files import (
    ALL_FORMATS,
    COUNTED,
    FOUND,
    LABELS,
    POLICY,
    SURE,
    document,
    named_in_csv,
    named_in_gitlab,
    named_in_json,
    named_in_sarif,
    open_in_json,
    text_of,
)
from tests.reports.test_gitlab import SCHEMA as GITLAB
from tests.reports.test_junit import parsed
from tests.reports.test_sarif import VALIDATOR as SARIF

CONNECTIONS, PAGE = 230, 100
WAIVERS = """\
waivers:
  - rule: one-name-per-service
    owner: dana@example.com
    reason: the second name is going away
    connections: all
    expires: 2999-12-31
"""


@dataclass(frozen=True)
class Case:
    """A run: its policy, what goes wrong with the listing, and the code it ends with."""

    name: str
    policy: str
    code: int
    fault: str | None = None
    healthy: bool = False
    waived: bool = False


CASES = (
    Case("violations", SURE, 1),
    Case("errors", POLICY, 3),
    Case("incomplete", POLICY, 3, fault="cut-page"),
    Case("waived", SURE, 1, waived=True),
    Case("clean", "policy: p\nextends: [baseline]\n", 0, healthy=True),
)


@dataclass(frozen=True)
class Ran:
    case: Case
    folder: Path
    said: str


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    case: Case = request.param
    folder = tmp_path_factory.mktemp(case.name)
    (folder / "policies").mkdir()
    (folder / "policies" / "house.yaml").write_text(case.policy)
    estate = build_estate(CONNECTIONS, 11, healthy=case.healthy)
    more = []
    if case.waived:
        (folder / "waivers.yaml").write_text(WAIVERS)
        more = ["--waivers", "waivers.yaml"]
    with Sandbox(estate, fault=case.fault) as sandbox:
        words = ["audit", "--base-url", sandbox.url, "--page-size", str(PAGE), *ALL_FORMATS, *more]
        done = run(words, folder, KEYS)
    assert done.returncode == case.code, done.stdout + done.stderr
    return Ran(case, folder / "audit-report", done.stdout)


def expected(ran: Ran) -> Counter[str]:
    return Counter({label: COUNTED["json"](ran.folder)[label] for label in LABELS})


def test_the_case_exits_as_expected(ran: Ran) -> None:
    counts, told = expected(ran), document(ran.folder)
    assert (counts["error"] > 0) is (ran.case.policy is POLICY)
    assert (counts["fail"] > 0) is not ran.case.healthy
    assert (counts["waived"] > 0) is ran.case.waived
    assert told["listing"]["complete"] is (ran.case.fault is None)
    seen = len(told["connections"]["id"])
    assert seen == CONNECTIONS if ran.case.fault is None else 0 < seen < CONNECTIONS
    if ran.case.policy is not SURE and ran.case.code == 3:
        judged = {rule["id"]: rule for rule in told["rules"]}
        assert judged["one-name-per-service"]["groups"]
        assert judged["for-nothing"]["counts"]["skip"] == seen


def test_every_rule_judged_every_connection(ran: Ran) -> None:
    told = document(ran.folder)
    seen = len(told["connections"]["id"])
    for rule in told["rules"]:
        judged = len(rule["groups"]) if rule["per"] else len(rule["verdicts"])
        assert rule["counts"]["checks"] == judged
        assert rule["per"] or judged == seen


@pytest.mark.parametrize("name", COUNTED)
def test_every_format_counts_the_same(name: str, ran: Ran) -> None:
    found = COUNTED[name](ran.folder)
    assert {label: found[label] for label in LABELS} == dict(expected(ran))


def test_the_stated_counts_are_the_counted_ones(ran: Ran) -> None:
    counts = document(ran.folder)["counts"]
    assert counts.pop("checks") == sum(counts.values())
    assert Counter(counts) == expected(ran)


def test_the_summary_says_the_same(ran: Ran) -> None:
    counts = expected(ran)
    line = next(line for line in ran.said.split("\n") if line.startswith("  pass "))
    words = line.replace(",", "").split()
    assert dict(zip(words[::2], map(int, words[1::2]), strict=True)) == dict(counts)
    assert f"exit {ran.case.code}: " in ran.said.rstrip().split("\n\n")[-1]


def test_the_findings_are_the_same_ones(ran: Ran) -> None:
    named = named_in_json(ran.folder)
    assert named.total() == sum(expected(ran)[label] for label in FOUND)
    assert max(named.values(), default=1) == 1
    assert named_in_sarif(ran.folder) == open_in_json(ran.folder)
    assert named_in_csv(ran.folder) == named
    assert named_in_gitlab(ran.folder) == named


def test_the_page_knows_them_all(ran: Ran) -> None:
    page = text_of(ran.folder, "html")
    for identity in document(ran.folder)["connections"]["id"]:
        assert identity in page


@pytest.mark.parametrize("name", REPORTS)
def test_every_file_says_the_outcome(name: str, ran: Ran) -> None:
    outcome = document(ran.folder)["gate"]["outcome"]
    text = text_of(ran.folder, name)
    if name == "gitlab":
        found = [issue["check_name"] for issue in json.loads(text)]
        assert ("inconclusive" in found) is (outcome == "inconclusive")
    else:
        assert outcome in text.lower()


def test_every_file_is_accepted_by_its_readers(ran: Ran) -> None:
    schema: Any = json.loads(
        (Path(__file__).parents[2] / "auditor/reports/report.schema.json").read_text("utf-8")
    )
    jsonschema.validate(document(ran.folder), schema)
    SARIF.validate(json.loads(text_of(ran.folder, "sarif")))
    jsonschema.validate(json.loads(text_of(ran.folder, "gitlab")), GITLAB)
    parsed(text_of(ran.folder, "junit"))
