"""An earlier report, read back: what was written, and what a reader must refuse."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from auditor.errors import UsageError
from auditor.model import (
    Account,
    Completeness,
    Outcome,
    PlanScope,
    Severity,
    SourceInfo,
    Verdict,
)
from auditor.past import earlier
from auditor.past.earlier import NOTHING_FOUND, EarlierRule, parse_report, read_report, report_of
from auditor.policy import Ruleset
from auditor.reports import REPORTS
from auditor.run import Options, audit
from tests.builders.listed import TODAY, Listed, json_of, record
from tests.builders.sample_results import sample_result

RECORDS = [
    record("a", sync_frequency=5),
    record("b", paused=True),
    record("c", paused=None),
    record("d", schema="a"),
]


def written(house: Ruleset, *records: dict[str, Any], **listed: Any) -> dict[str, Any]:
    """Return the JSON report of a run on ``records``."""
    source = Listed(list(records) or RECORDS, **listed)
    result = audit(source, house, Options(now=TODAY, clock=lambda: TODAY))
    document: dict[str, Any] = json.loads(json_of(result))
    return document


def refused(document: Any) -> str:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(UsageError) as caught:
        parse_report(data, "old.json")
    message = str(caught.value)
    assert message.startswith("old.json: ")
    assert "\n" not in message
    return message


def test_what_is_read_is_what_was_found(house: Ruleset):
    result = audit(Listed(RECORDS), house, Options(now=TODAY, clock=lambda: TODAY))
    read = parse_report(json_of(result).encode(), "old.json")
    assert read == report_of(result, "old.json")
    assert read.name == "old.json"
    verdicts = {rule.id: rule.verdicts for rule in read.rules if not rule.per}
    assert verdicts["not-paused"] == bytes(
        [Verdict.PASS, Verdict.FAIL, Verdict.ERROR, Verdict.PASS]
    )
    assert verdicts["sync-floor"][0] == Verdict.FAIL
    grouped = {rule.id: rule.groups for rule in read.rules if rule.per}
    assert [check.verdict for check in grouped["has-postgres"]] == [Verdict.PASS]


def test_a_run_is_conclusive_where_it_judged_everything(house: Ruleset):
    def read(*records: dict[str, Any], **listed: Any) -> bool:
        return parse_report(json.dumps(written(house, *records, **listed)).encode(), "r").conclusive

    assert read(record("a", sync_frequency=5))
    assert not read(record("a", paused=None))
    assert not read(record("a"), completeness=Completeness.INCOMPLETE)
    placeholder = parse_report(REPORTS["json"].placeholder("1").encode(), "r")
    assert not placeholder.conclusive
    assert (placeholder.judged_at, placeholder.source) == (None, SourceInfo("", ""))
    unfinished = {**written(house, record("a")), "judged_at": None}
    assert unfinished["gate"]["outcome"] == "passed"
    assert not parse_report(json.dumps(unfinished).encode(), "r").conclusive
    assert placeholder.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("version", ["1", "1.0", "1.7", "1.10"])
def test_every_minor_version_of_ours_is_read(house: Ruleset, version: str):
    document = {**written(house), "schema_version": version, "more": {"than": ["is", "known"]}}
    assert len(parse_report(json.dumps(document).encode(), "r").rules) == 5


@pytest.mark.parametrize("version", ["10.0", "11.2", "2.0", "0.9", "", "x", "-1", "01.0", "1e0.0"])
def test_no_other_major_version_is_read(house: Ruleset, version: str):
    told = refused({**written(house), "schema_version": version})
    assert f"a report of version {version}" in told
    assert "this one reads version 1: audit again with it" in told


def test_the_time_keeps_its_zone(house: Ruleset):
    document = {**written(house), "judged_at": "2026-01-31T23:30:00-05:00"}
    read = parse_report(json.dumps(document).encode(), "r")
    assert read.judged_at == datetime(2026, 2, 1, 4, 30, tzinfo=UTC)


def test_a_severity_of_each_kind_is_read(house: Ruleset):
    document = written(house)
    for finding, word in zip(document["findings"], ("low", "high", "critical"), strict=False):
        finding["severity"] = word
    read = parse_report(json.dumps(document).encode(), "r")
    assert [f.severity.label for f in read.findings[:3]] == ["low", "high", "critical"]


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        ("", "not one per connection"),
        ("pfe", "not one per connection"),
        ("pfepp", "not one per connection"),
        ("pfex", "has an unknown verdict"),
        ("PFEP", "has an unknown verdict"),
        ("pfe\u0001", "has an unknown verdict"),
    ],
)
def test_verdicts_are_one_a_connection_and_known(house: Ruleset, verdicts: str, told: str):
    document = written(house)
    rule = next(rule for rule in document["rules"] if rule["id"] == "not-paused")
    assert len(rule["verdicts"]) == 4
    rule["verdicts"] = verdicts
    assert "the report is damaged" in (message := refused(document))
    assert told in message


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("connections", "id"), ["a"]),
        (("connections", "schema"), ["a"] * 5),
        (("findings", 0, "severity"), "urgent"),
        (("findings", 0, "severity"), "LOW"),
        (("findings", 0, "verdict"), "maybe"),
        (("findings", 0, "connections"), {}),
        (("rules", 0, "severity"), 3),
        (("rules", 2, "groups", 0, "verdict"), "p"),
        (("gate", "outcome"), "fine"),
        (("gate", "exit_code"), "0"),
        (("judged_at",), "yesterday"),
        (("judged_at",), "2026-01-31"),
        (("findings",), None),
        (("source",), []),
    ],
    ids=str,
)
def test_a_damaged_report_is_refused(house: Ruleset, path: tuple[Any, ...], value: object):
    document = written(house)
    *above, last = path
    holder: Any = document
    for step in above:
        holder = holder[step]
    assert holder[last] != value
    holder[last] = value
    assert "the report is damaged" in refused(document)
    assert "audit again" in refused(document)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[1]", b"null", b'{"results": []}', b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_no_report_is_told_how_to_write_one(data: bytes):
    assert refused(data).endswith("write one with --report json")


def test_a_report_of_another_tool_names_it(house: Ruleset):
    other = {**written(house), "tool": {"name": "snyk\x1b[2J", "version": "1"}}
    assert refused(other) == "old.json: a report of snyk\\x1b[2J, not of fivetran-auditor"


def test_a_file_is_read_and_one_that_is_not_there_is_named(house: Ruleset, tmp_path: Path):
    path = tmp_path / "report.json"
    path.write_text(json.dumps(written(house)), encoding="utf-8")
    assert read_report(path).name == str(path)
    with pytest.raises(UsageError, match=r"none\.json: cannot be read: No such file"):
        read_report(tmp_path / "none.json")
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_report(tmp_path)


@pytest.mark.parametrize("column", ["id", "service", "schema", "group_id"])
def test_every_column_of_the_connections_is_as_long_as_the_others(house: Ruleset, column: str):
    document = written(house)
    document["connections"][column].append("one more")
    assert "the columns of connections differ in length" in refused(document)


def test_a_report_is_read_up_to_its_greatest_size(
    house: Ruleset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "old.json"
    path.write_text(json.dumps(written(house)))
    size = path.stat().st_size
    monkeypatch.setattr(earlier, "_MAX_BYTES", size)
    assert len(read_report(path).connections) == len(RECORDS)
    monkeypatch.setattr(earlier, "_MAX_BYTES", size - 1)
    with pytest.raises(UsageError, match="is not a report of this tool"):
        read_report(path)


def test_only_a_complete_listing_of_everything_tells_what_is_gone(house: Ruleset):
    def whole(**listed: Any) -> bool:
        source = Listed(RECORDS, **listed)
        result = audit(source, house, Options(now=TODAY, clock=lambda: TODAY))
        read = parse_report(json_of(result).encode(), "r")
        assert read.whole is report_of(result, "r").whole
        return read.whole

    assert whole()
    assert not whole(filters=(("group_id", "g1"),))
    assert not whole(completeness=Completeness.UNKNOWN)
    assert not whole(completeness=Completeness.INCOMPLETE)
    assert not parse_report(REPORTS["json"].placeholder("1").encode(), "r").whole


@pytest.mark.parametrize(("over", "whole"), [("account.ndjson", True), ("", False)])
def test_a_plan_alone_does_not_tell_what_is_gone(house: Ruleset, over: str, whole: bool):
    document = written(house)
    plan = {"file": "plan.json", "sha256": "0" * 64, "terraform": "1.9.0", "over": over}
    read = parse_report(json.dumps({**document, "plan": plan}).encode(), "r")
    assert read.whole is whole
    result = audit(Listed(RECORDS), house, Options(now=TODAY, clock=lambda: TODAY))
    scope = PlanScope(over=over)
    assert report_of(replace(result, plan=scope), "r").whole is whole


def _not_of_the_rules(document: dict[str, Any]) -> str:
    document["findings"][0]["rule"] = "left"
    return "a finding of left, which is none of the rules"


def _of_no_connection(document: dict[str, Any]) -> str:
    finding = next(f for f in document["findings"] if f["rule"] == "not-paused")
    finding["connections"] = []
    return "a finding of not-paused is not of one connection"


def _of_two_connections(document: dict[str, Any]) -> str:
    finding = next(f for f in document["findings"] if f["rule"] == "sync-floor")
    finding["connections"] *= 2
    return "a finding of sync-floor is not of one connection"


@pytest.mark.parametrize("change", [_not_of_the_rules, _of_no_connection, _of_two_connections])
def test_a_finding_is_of_a_rule_and_of_one_connection_or_group(house: Ruleset, change: Any):
    document = written(house)
    assert refused(document | {"findings": 1})
    told = change(document)
    assert refused(document) == f"old.json: the report is damaged ({told}); audit again"


def test_a_finding_of_a_group_may_be_of_no_connection(house: Ruleset):
    document = written(house, record("a", service="mysql"))
    assert [f["connections"] for f in document["findings"]] == [[]]
    assert len(parse_report(json.dumps(document).encode(), "r").findings) == 1


@pytest.mark.parametrize("hostile", [False, True])
def test_everything_that_a_report_has_of_rules_and_findings_is_read(hostile: bool):
    result = sample_result(40, 9, seed=3, hostile=hostile)
    names = {name: f"Group {name}" for name in result.connections.group_ids}
    owners = ["me", *[""] * (len(result.connections) - 1)]
    connections = dataclasses.replace(
        result.connections, group_names=names, dimensions={"o": owners}
    )
    source = replace(result.source, filters=(("schema", "x"),), account=Account("acme", "Acme"))
    result = replace(
        result, connections=connections, source=source, left_out=("only schema x was listed",)
    )
    read = parse_report(json_of(result).encode(), "old.json")
    assert read == report_of(result, "old.json")
    assert read.rules[0].controls
    assert read.connections[0].group_name == names[read.connections.group_ids[0]]
    assert read.connections.dimensions == {"o": owners}
    assert not read.whole


def test_a_report_of_an_older_version_lacks_what_was_not_written_then(house: Ruleset):
    """Only what every version of the document has."""
    document = written(house)
    for name in ("groups", "plan"):
        document.pop(name, None)
    for listing in ({}, {"completeness": "one_page"}):
        text = json.dumps({**document, "listing": listing})
        assert not parse_report(text.encode(), "r").whole
    del document["listing"]
    for name in ("base_url", "account"):
        document["source"].pop(name, None)
    document["connections"].pop("dimensions", None)
    kept = {"id", "title", "severity", "per", "verdicts", "groups"}
    document["rules"] = [
        {name: value for name, value in rule.items() if name in kept and value}
        | {"per": rule["per"]}
        for rule in document["rules"]
    ]
    for policy in document["policies"]:
        policy.pop("title")
    for finding in document["findings"]:
        for connection in finding["connections"]:
            connection.pop("group_name", None)
    read = parse_report(json.dumps(document).encode(), "r")
    assert read.source == SourceInfo("api", "https://api.fivetran.com")
    assert not read.whole
    assert read.rules[0] == EarlierRule(
        "sync-floor",
        "Sync floor",
        Severity.MEDIUM,
        (),
        bytes([Verdict.FAIL, Verdict.PASS, Verdict.PASS, Verdict.PASS]),
        (),
    )
    assert {rule.url for rule in read.rules} == {""}


def test_what_a_report_says_besides_is_read(house: Ruleset):
    document = written(house)
    rule = document["rules"][0]
    rule["url"] = "https://example.com/rule"
    rule["position"] = {"file": "a.yaml", "line": 3, "column": 7}
    read = parse_report(json.dumps(document).encode(), "r").rules[0]
    assert (read.url, read.position) == ("https://example.com/rule", "a.yaml:3:7")
    # A file that grows while it is read is no report: what was cut off is missed.
    assert refused(json.dumps(document).encode()[:-1]).endswith("write one with --report json")


def test_what_is_wrong_is_told_word_by_word(house: Ruleset):
    def damaged(**change: Any) -> str:
        return refused({**written(house), **change})

    told = "old.json: the report is damaged ({}); audit again"
    assert damaged(judged_at="soon") == told.format("judged_at is not a time: soon")
    rules = written(house)["rules"]
    urgent = [{**rules[0], "severity": "urgent"}, *rules[1:]]
    assert damaged(rules=urgent) == told.format("urgent is not a severity")
    first, *rest = written(house)["findings"]
    for name, told_of in (("severity", "urgent"), ("verdict", "maybe")):
        changed = [{**first, name: told_of}, *rest]
        assert damaged(findings=changed) == told.format(f"{told_of} is not a {name}")
    maybe = [*rules[:2], {**rules[2], "groups": [{"group": "g", "verdict": "maybe"}]}, *rules[3:]]
    assert damaged(rules=maybe) == told.format("maybe is not a verdict")
    short = [{**rules[0], "verdicts": "p"}, *rules[1:]]
    assert damaged(rules=short) == told.format(
        "the verdicts of sync-floor are not one per connection"
    )
    strange = [{**rules[0], "verdicts": "pppx"}, *rules[1:]]
    assert damaged(rules=strange) == told.format("sync-floor has an unknown verdict")
    version = {"schema_version": "2.0", "tool": {"name": "fivetran-auditor", "version": "7\n"}}
    assert damaged(**version) == (
        "old.json: a report of version 2.0, written by fivetran-auditor 7;"
        " this one reads version 1: audit again with it"
    )
    assert refused(b"{") == (
        "old.json: not a JSON report of fivetran-auditor (Input data was truncated);"
        " write one with --report json"
    )


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path):
    path = tmp_path / "old.json"
    with path.open("wb") as file:
        file.truncate((2 << 30) + 1)
    with pytest.raises(UsageError) as caught:
        read_report(path)
    assert str(caught.value) == (f"{path}: over 2,147,483,648 bytes is not a report of this tool")
    with pytest.raises(UsageError) as caught:
        read_report("a\0b")
    assert str(caught.value) == "a\0b: cannot be read: embedded null byte"


def test_a_verdict_of_each_kind_is_read(house: Ruleset):
    document = written(house, *(record(name, sync_frequency=5) for name in "abcdef"))
    found = {f["connections"][0]["id"]: f for f in document["findings"]}
    verdicts = dict(zip("abcdef", Verdict, strict=True))
    document["rules"][0]["verdicts"] = "".join(v.label[0] for v in verdicts.values())
    document["findings"] = [
        {**found[name], "verdict": verdict.label}
        for name, verdict in verdicts.items()
        if verdict not in NOTHING_FOUND
    ]
    read = parse_report(json.dumps(document).encode(), "r")
    assert read.rules[0].verdicts == bytes(Verdict)
    assert [f.verdict.label for f in read.findings] == ["fail", "error", "waived", "known"]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("sync-floor", "sync-floor: 0 findings of 1 check that came to fail"),
        ("not-paused", "not-paused: 0 findings of 1 check that came to fail"),
        ("one-name", "one-name: 0 findings of 1 check that came to fail"),
    ],
)
def test_a_report_without_some_of_its_findings_is_damaged(house: Ruleset, rule: str, told: str):
    """Whoever cuts them away would make a comparison with it say that all is mended."""
    document = written(house)
    document["findings"] = [f for f in document["findings"] if f["rule"] != rule]
    assert refused(document) == f"old.json: the report is damaged ({told}); audit again"


def test_a_finding_of_a_check_that_passed_is_damage(house: Ruleset):
    document = written(house)
    (passed,) = [f for f in document["findings"] if f["rule"] == "sync-floor"]
    document["findings"].append({**passed, "verdict": "pass"})
    assert "sync-floor: 1 finding of 3 checks that came to pass" in refused(document)
    document["findings"][-1] = {**passed, "verdict": "waived"}
    assert "sync-floor: 1 finding of 0 checks that came to waived" in refused(document)
