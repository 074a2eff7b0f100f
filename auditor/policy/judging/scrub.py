"""Removing the run's own credentials from what policies say, before any report can show it.

Nobody writes a key into a rule on purpose; a pipeline's variables may do it, through ``--var``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from msgspec.structs import replace

from auditor.model import Findings, Rule, Statement
from auditor.policy.language.messages import Message
from auditor.policy.language.rules import Ruleset
from auditor.redaction.credentials import Scrubber


def scrubbed_rules(ruleset: Ruleset, scrubber: Scrubber) -> Ruleset:
    """Return ``ruleset`` with every form of a credential in its texts as ``[redacted]``."""
    texts = [text for entry in ruleset.rules for text in _texts(entry.rule, entry.message)]
    texts += (*ruleset.left_out, *ruleset.warnings)
    texts += (text for policy in ruleset.policies for text in (policy.name, policy.title))
    if not scrubber.touches("\0".join(texts)):
        return ruleset
    clean = scrubber.text
    return replace(
        ruleset,
        rules=tuple(
            replace(
                entry,
                rule=_rule(entry.rule, scrubber),
                message=_message(entry.message, scrubber),
            )
            for entry in ruleset.rules
        ),
        policies=tuple(
            replace(policy, name=clean(policy.name), title=clean(policy.title))
            for policy in ruleset.policies
        ),
        left_out=tuple(map(clean, ruleset.left_out)),
        disabled={name: clean(text) for name, text in ruleset.disabled.items()},
        warnings=tuple(map(clean, ruleset.warnings)),
    )


def scrubbed_findings(findings: Findings, scrubber: Scrubber) -> Findings:
    """Return ``findings`` without credentials in what they expected or say."""
    if not scrubber:
        return findings
    every = chain.from_iterable(each.statements for each in findings.by_rule)
    said = (text for s in every for text in (s.message, *(e.expected for e in s.evidence)))
    if not scrubber.touches("\0".join(said)):
        return findings
    by_rule = [
        replace(each, statements=[_statement(said, scrubber) for said in each.statements])
        for each in findings.by_rule
    ]
    return Findings(tuple(by_rule), findings.connections)


def _statement(said: Statement, scrubber: Scrubber) -> Statement:
    evidence = tuple(replace(each, expected=scrubber.text(each.expected)) for each in said.evidence)
    return replace(said, message=scrubber.text(said.message), evidence=evidence)


def _texts(rule: Rule, message: Message | None) -> Iterator[str]:
    yield from (rule.id, rule.title, rule.why, rule.fix, rule.expects, rule.applies_when)
    yield from (rule.policy, *rule.tags)
    for framework, codes in rule.controls:
        yield from (framework, *codes)
    yield from message.parts if message is not None else ()


def _rule(rule: Rule, scrubber: Scrubber) -> Rule:
    clean = scrubber.text
    name = clean(rule.id)
    return replace(
        rule,
        id=name,
        # A title made from the id may have it in another case.
        title=clean(rule.title) if name == rule.id else name,
        policy=clean(rule.policy),
        expects=clean(rule.expects),
        applies_when=clean(rule.applies_when),
        why=clean(rule.why),
        fix=clean(rule.fix),
        tags=tuple(map(clean, rule.tags)),
        controls=tuple((clean(f), tuple(map(clean, codes))) for f, codes in rule.controls),
    )


def _message(message: Message | None, scrubber: Scrubber) -> Message | None:
    if message is None:
        return None
    parts = (scrubber.text(p) if n % 2 == 0 else p for n, p in enumerate(message.parts))
    return Message(tuple(parts))
