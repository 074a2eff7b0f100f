"""``--docs-url``: reports link each rule to its own page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.reports import REPORTS
from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from tests.builders.command import KEYS, run

#: The formats that have a place for an address; a row of CSV has its connection's.
LINKING = set(REPORTS) - {"csv", "gitlab", "lines"}
OWN = """policy: house
extends: [baseline]
rules: [{id: own-rule, severity: critical, assert: {schema: nowhere}}]
"""


def audited(folder: Path, *words: str) -> dict[str, str]:
    """Audit a made-up account; return each report by its format."""
    (folder / "house.yaml").write_text(OWN)
    with Sandbox(build_estate(60, 7)) as sandbox:
        asked = [f"--report={name}" for name in REPORTS]
        more = ["--base-url", sandbox.url, "-p", "./house.yaml", *asked, *words]
        done = run(["audit", *more], folder, KEYS)
    assert done.returncode == 1, done.stderr
    place = folder / "audit-report"
    return {name: (place / format_.filename).read_text() for name, format_ in REPORTS.items()}


def test_shipped_rules_have_pages_on_a_site(tmp_path: Path):
    for name, text in audited(tmp_path, "--docs-url", "https://docs.test/auditor").items():
        assert ("https://docs.test/auditor/rules/" in text) == (name in LINKING), name
        assert "https://docs.test/auditor/rules/own-rule" not in text, name


def test_every_rule_has_a_page_where_the_address_names_it(tmp_path: Path):
    (tmp_path / "auditor.yaml").write_text('docs_url: "https://wiki.test/{policy}/{rule}"\n')
    reports = audited(tmp_path)
    for name in LINKING:
        assert "https://wiki.test/house/own-rule" in reports[name], name
        assert "wiki.test/{" not in reports[name], name
    (run_,) = json.loads(reports["sarif"])["runs"]
    pages = {rule["id"]: rule["helpUri"] for rule in run_["tool"]["driver"]["rules"]}
    assert pages["own-rule"] == "https://wiki.test/house/own-rule"
    assert pages["setup-connected"] == "https://wiki.test/baseline/setup-connected"
    assert {rule["id"]: rule["url"] for rule in json.loads(reports["json"])["rules"]} == pages


def test_without_it_nothing_links(tmp_path: Path):
    reports = audited(tmp_path)
    assert "helpUri" not in reports["sarif"]
    assert [rule for rule in json.loads(reports["json"])["rules"] if "url" in rule] == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "--docs-url is empty"),
        ("wiki.test/{rule}", "without credentials"),
        ("javascript:{rule}", "without credentials"),
        ("https://user:secret@wiki.test/{rule}", "without credentials"),
        ("https://wiki.test/{id}", "only {rule} and {policy} may be in braces"),
        ("https://wiki.test/<b>", "without credentials"),
        ("https://wiki.test/?page=", "write {rule} where"),
        ("https://wiki.test/{policy}", "write {rule} where"),
    ],
)
def test_what_makes_no_address_is_refused(tmp_path: Path, url: str, told: str):
    done = run(["audit", "--docs-url", url], tmp_path, KEYS)
    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
