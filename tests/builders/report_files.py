"""Runs of the command as a user runs it, with every format written, and what to read them with."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import junitparser

from auditor.model import Verdict
from auditor.reports import REPORTS

Counts = Counter[str]
LABELS = [verdict.label for verdict in Verdict]
FOUND = [label for label in LABELS if label not in ("pass", "skip")]

#: Rules on connections, on groups and on the account; some that err, one that applies to nothing.
POLICY = """\
policy: house
extends: [baseline]
extra_fields: [made_up]
rules:
  - id: one-name-per-service
    severity: medium
    per: group_id
    assert: {unique: [service]}
  - id: few-manual-schedules
    severity: low
    per: account
    when: {schedule_type: manual}
    assert: {share: {lte: 0.01}}
  - id: never-there
    severity: high
    when: {service: [postgres, mysql]}
    assert: {made_up: 1}
  - id: for-nothing
    severity: low
    when: {service: no_such_service}
    assert: {paused: false}
"""
#: The same, but every check can be evaluated.
SURE = POLICY.replace("assert: {made_up: 1}", "assert: {made_up: {exists: true}}")

ALL_FORMATS = [word for name in REPORTS for word in ("--report", name)]


def text_of(folder: Path, name: str) -> str:
    return (folder / REPORTS[name].filename).read_bytes().decode()


def document(folder: Path) -> Any:
    return json.loads(text_of(folder, "json"))


# -- what each file counts, read with a consumer that is not ours where there is one ---------------


def by_json(folder: Path) -> Counts:
    """Count from single verdicts: letters, groups; the findings are counted apart."""
    found: Counts = Counter()
    letters = {verdict.label[0]: verdict.label for verdict in Verdict}
    for rule in document(folder)["rules"]:
        found.update(letters[letter] for letter in rule.get("verdicts", ""))
        found.update(group["verdict"] for group in rule.get("groups", ()))
    return found


def by_junit(folder: Path) -> Counts:
    """Count elements with junitparser; passes and skips are stated, since passes are rolled up."""
    found: Counts = Counter()
    read = junitparser.JUnitXml.fromfile(str(folder / "junit.xml"))
    for suite in list(read)[1:]:
        stated = {p.name: p.value for p in suite.properties()}
        for case in suite:
            kinds = [type(result).__name__.lower() for result in case.result]
            found[kinds[0] if kinds else "passed"] += 1
        for label in ("pass", "skip", "waived", "known"):
            found[label] += int(stated[label])
    read.update_statistics()
    assert read.failures == found["failure"]
    found["fail"] = found.pop("failure", 0)
    found["error"] = found["error"]
    idle = sum(1 for suite in list(read)[1:] for c in suite if c.name == "applied to nothing")
    assert found.pop("skipped", 0) == found["waived"] + found["known"] + idle
    rolled = found.pop("passed", 0)
    assert rolled <= found["pass"]
    return found


def by_sarif(folder: Path) -> Counts:
    (run,) = json.loads(text_of(folder, "sarif"))["runs"]
    alerts = [result for result in run["results"] if result["ruleId"] != "inconclusive"]
    found = Counter(result["properties"]["verdict"] for result in alerts)
    # What is accepted is no alert.
    labels = ("pass", "skip", "waived", "known")
    found.update({label: int(run["properties"][label]) for label in labels})
    return found


def by_csv(folder: Path) -> Counts:
    run, *rows = csv.DictReader(
        io.StringIO(text_of(folder, "csv").removeprefix("\ufeff"), newline=""), strict=True
    )
    found = Counter(row["verdict"] for row in rows)
    for label in ("pass", "skip"):
        match = re.search(rf"; {label}=(\d+)", run["note"])
        assert match
        found[label] = int(match[1])
    return found


def by_markdown(folder: Path) -> Counts:
    """Add up the table of rules, row by row."""
    lines = text_of(folder, "markdown").split("\n")
    head = next(n for n, line in enumerate(lines) if line.startswith("| Rule |"))
    names = cells(lines[head])[2:]
    found: Counts = Counter()
    for line in lines[head + 2 :]:
        if not line.startswith("|"):
            break
        numbers = [int(cell.replace(",", "")) for cell in cells(line)[2:]]
        found.update(dict(zip(names, numbers, strict=True)))
    # A verdict that no check came to has no column.
    found.update(dict.fromkeys(LABELS, 0))
    return found


def by_github(folder: Path) -> Counts:
    match = re.search(r"checks: ((?:[\d,]+ \w+(?:, )?)+)", text_of(folder, "github"))
    assert match
    pairs = (part.split() for part in match[1].split(", "))
    return Counter({label: int(count.replace(",", "")) for count, label in pairs})


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


COUNTED = {
    "json": by_json,
    "junit": by_junit,
    "sarif": by_sarif,
    "csv": by_csv,
    "markdown": by_markdown,
    "github": by_github,
}


# -- which findings each file names ----------------------------------------------------------------


def named_in_json(folder: Path) -> Counter[str]:
    return Counter(finding["fingerprint"] for finding in document(folder)["findings"])


def open_in_json(folder: Path) -> Counter[str]:
    """Return what is neither waived nor known."""
    return Counter(
        finding["fingerprint"]
        for finding in document(folder)["findings"]
        if finding["verdict"] in {"fail", "error"}
    )


def named_in_sarif(folder: Path) -> Counter[str]:
    (run,) = json.loads(text_of(folder, "sarif"))["runs"]
    alerts = [result for result in run["results"] if result["ruleId"] != "inconclusive"]
    return Counter(result["fingerprints"]["fivetranAuditor/v1"] for result in alerts)


def named_in_csv(folder: Path) -> Counter[str]:
    rows = csv.DictReader(io.StringIO(text_of(folder, "csv").removeprefix("\ufeff"), newline=""))
    return Counter(row["fingerprint"] for row in rows if row["type"] == "finding")


def named_in_gitlab(folder: Path) -> Counter[str]:
    issues = json.loads(text_of(folder, "gitlab"))
    return Counter(i["fingerprint"] for i in issues if i["check_name"] != "inconclusive")
