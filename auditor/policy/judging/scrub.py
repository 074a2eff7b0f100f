"""Removing the run's own credentials from what policies say, before any report can show it.

Nobody writes a key into a rule on purpose; a pipeline's variables may do it, through ``--var``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import structs
from msgspec.structs import replace

from auditor.model import Evidence, Finding, Rule
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


def scrubbed_findings(findings: tuple[Finding, ...], scrubber: Scrubber) -> tuple[Finding, ...]:
    """Return ``findings`` without credentials in what they expected or say."""
    if not scrubber:
        return findings
    said = (text for f in findings for text in (f.message, *(e.expected for e in f.evidence)))
    if not scrubber.touches("\0".join(said)):
        return findings
    return tuple(
        structs.replace(
            finding,
            message=scrubber.text(finding.message),
            evidence=tuple(_evidence(finding.evidence, scrubber)),
        )
        for finding in findings
    )


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


def _evidence(evidence: Iterable[Evidence], scrubber: Scrubber) -> Iterator[Evidence]:
    for each in evidence:
        yield structs.replace(each, expected=scrubber.text(each.expected))
