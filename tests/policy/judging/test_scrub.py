"""The run's own credentials in a policy: removed wherever a text leaves it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from auditor.model import Findings, PolicyFile
from auditor.policy.judging.scrub import scrubbed_findings, scrubbed_rules
from auditor.policy.language.rules import Ruleset
from auditor.redaction.credentials import Scrubber
from tests.builders.judged import findings_of, loaded

#: As long as a real key, and not longer.
KEY, SECRET = "Ab3dE6gH9jK2mN5p", "Zy8xW5vU2tS9rQ6pZy8xW5vU2tS9rQ6p"
SCRUBBER = Scrubber(((KEY, SECRET),))

#: Where a policy may hold a text, with HERE in its place.
DOORS = {
    "the policy's title": "policy: p\ntitle: about HERE\nrules:\n  - RULE\n",
    "a rule's title": "policy: p\nrules:\n  - RULE\n    title: about HERE\n",
    "why": "policy: p\nrules:\n  - RULE\n    why: since HERE\n",
    "fix": "policy: p\nrules:\n  - RULE\n    fix: rotate HERE\n",
    "a tag": "policy: p\nrules:\n  - RULE\n    tags: [cost, HERE]\n",
    "a framework": "policy: p\nrules:\n  - RULE\n    controls: {HERE: [a]}\n",
    "a control": "policy: p\nrules:\n  - RULE\n    controls: {CIS: [a, HERE]}\n",
    "a message": "policy: p\nrules:\n  - RULE\n    message: '{schema} is not HERE'\n",
    "an operand": "policy: p\nrules:\n  - {id: r, severity: low, assert: {schema: HERE}}\n",
    "a when": "policy: p\nrules:\n  - RULE\n    when: {schema: {not_equals: HERE}}\n",
    "a variable": "policy: p\nvars: {v: HERE}\nrules:\n"
    "  - {id: r, severity: low, assert: {schema: {var: v}}}\n",
    "a warning": "policy: p\nrules:\n  - RULE\n    when: {status.setup_state: {not_in: [HERE]}}\n",
}  # fmt: skip
RULE = "{id: r, severity: low, assert: {paused: false}}"


def policy(folder: Path, door: str, text: str) -> Ruleset:
    body = "id: r\n    severity: low\n    assert: {paused: false}"
    return loaded(folder, DOORS[door].replace("RULE", body).replace("HERE", text)).ruleset


def said(rules: Ruleset) -> str:
    """Return every text of ``rules`` that a report may show."""
    texts = [msgspec.to_builtins(entry.rule) for entry in rules.rules]
    texts += [entry.message.parts for entry in rules.rules if entry.message is not None]
    texts += [msgspec.to_builtins(p) for p in rules.policies]
    return repr([texts, rules.left_out, rules.warnings, rules.disabled])


@pytest.mark.parametrize("credential", [KEY, SECRET], ids=["key", "secret"])
@pytest.mark.parametrize("door", DOORS)
def test_a_credential_leaves_by_no_door(tmp_path: Path, door: str, credential: str):
    rules = policy(tmp_path, door, credential)
    if door != "a variable":
        assert credential in said(rules), "the test shows nothing"
    clean = scrubbed_rules(rules, SCRUBBER)
    assert credential not in said(clean)
    assert "[redacted]" in said(clean)
    record = {"schema": "s", "paused": True, "status": {"setup_state": "connected"}}
    findings = scrubbed_findings(findings_of(rules, [record]), SCRUBBER)
    assert findings
    shown = [(f.message, [e.expected for e in f.evidence]) for f in findings]
    assert credential not in repr(shown)


def test_the_name_of_a_rule_and_of_a_disabled_one_are_clean_too(tmp_path: Path):
    rules = policy(tmp_path, "why", "nothing")
    (entry,) = rules.rules
    named = msgspec.structs.replace(
        rules,
        rules=(msgspec.structs.replace(entry, rule=msgspec.structs.replace(
            entry.rule, id=f"no-{KEY}", title=f"No {KEY.upper()}")),),
        policies=(PolicyFile(f"p-{KEY}", "p.yaml", "0" * 64, ""),),
        left_out=(f"rule {KEY} is disabled",),
        disabled={"x": f"disabled for {SECRET}"},
    )  # fmt: skip
    clean = scrubbed_rules(named, SCRUBBER)
    assert clean.rules[0].rule.id == clean.rules[0].rule.title == "no-[redacted]"
    assert clean.policies[0].name == "p-[redacted]"
    assert clean.left_out == ("rule [redacted] is disabled",)
    assert clean.disabled == {"x": "disabled for [redacted]"}


@pytest.mark.parametrize(
    "field", ["id", "title", "policy", "expects", "applies_when", "why", "fix"]
)
def test_a_credential_in_one_text_of_a_rule_alone_is_seen(tmp_path: Path, field: str):
    rules = policy(tmp_path, "why", "nothing")
    (entry,) = rules.rules
    rule = msgspec.structs.replace(entry.rule, **{field: f"a {KEY} b"})
    rules = msgspec.structs.replace(rules, rules=(msgspec.structs.replace(entry, rule=rule), entry))
    first, second = scrubbed_rules(rules, SCRUBBER).rules
    assert getattr(first.rule, field) == "a [redacted] b"
    assert second == entry
    others = {"id", "title"} if field == "id" else {field}
    assert {
        name
        for name in rule.__struct_fields__
        if getattr(first.rule, name) != getattr(entry.rule, name)
    } == others


@pytest.mark.parametrize(
    "door",
    [
        {"left_out": (f"a {KEY} b", "c")},
        {"warnings": (f"a {KEY} b", "c")},
        {"policies": (PolicyFile(f"a {KEY} b", "p.yaml", "0" * 64, "c"),)},
        {"policies": (PolicyFile("c", "p.yaml", "0" * 64, f"a {KEY} b"),)},
    ],
    ids=str,
)
def test_a_credential_in_what_is_said_of_the_policy_alone_is_seen(
    tmp_path: Path, door: dict[str, tuple[object, ...]]
):
    rules = msgspec.structs.replace(policy(tmp_path, "why", "nothing"), **door)
    ((name, (first, *_)),) = door.items()
    (told, *rest) = getattr(scrubbed_rules(rules, SCRUBBER), name)
    assert repr(told) == repr(first).replace(KEY, "[redacted]")
    assert tuple(rest) == door[name][1:]


def test_a_message_keeps_its_fields(tmp_path: Path):
    """Its texts are clean; what it shows of a record is the record's."""
    text = f"policy: p\nrules:\n  - {{id: r, severity: low, assert: {{config.{KEY}: x}},"
    text += f" message: '{KEY} of {{schema}}: {{config.{KEY}}} and {KEY}'}}\n"
    rules = scrubbed_rules(loaded(tmp_path, text).ruleset, SCRUBBER)
    (entry,) = rules.rules
    assert entry.message is not None
    parts = ("[redacted] of ", "schema", ": ", f"config.{KEY}", " and [redacted]")
    assert entry.message.parts == parts


@pytest.mark.parametrize("kept", ["message", "expected"])
def test_a_credential_in_one_part_of_a_finding_alone_is_seen(tmp_path: Path, kept: str):
    rules = loaded(
        tmp_path,
        "policy: p\nrules:\n"
        "  - {id: a, severity: low, assert: {paused: false}}\n"
        "  - {id: b, severity: low, assert: {all: [{paused: false}, {schema: x}]}}\n",
    ).ruleset
    found = findings_of(rules, [{"paused": True, "schema": "y"}])
    first, second = found
    if kept == "message":
        second = msgspec.structs.replace(second, message=f"a {KEY} b")
    else:
        evidence = msgspec.structs.replace(second.evidence[1], expected=f"a {KEY} b")
        second = msgspec.structs.replace(second, evidence=(second.evidence[0], evidence))
    one, other = scrubbed_findings(Findings.of((first, second), found.connections), SCRUBBER)
    assert one == first
    clean = repr(second).replace(KEY, "[redacted]")
    assert repr(other) == clean != repr(second)


def test_what_holds_no_credential_stays_as_it_is(tmp_path: Path):
    rules = policy(tmp_path, "why", "nothing of the kind")
    assert scrubbed_rules(rules, SCRUBBER) is rules
    assert scrubbed_rules(rules, Scrubber()) is rules
    findings = findings_of(rules, [{"paused": True}])
    assert scrubbed_findings(findings, SCRUBBER) is findings
    assert scrubbed_findings(findings, Scrubber()) is findings
