"""A finding's fingerprint: the same as long as it is the same finding.

It rests on the rule's id, the group's key and the ids of the connections, and on nothing else: a
reworded message, a renamed schema or a moved policy file does not make an old finding new.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from auditor.model import Connection, Finding, Rule

#: Hexadecimal digits of a fingerprint: 128 bits of a SHA-256.
LENGTH = 32


def fingerprint(finding: Finding) -> str:
    """Return 32 hexadecimal digits that name ``finding`` in every report and every run."""
    return fingerprint_of(finding.rule, finding.group, finding.connections)


def fingerprint_of(rule: Rule, group: str, connections: Sequence[Connection]) -> str:
    """Return the fingerprint of a finding of ``rule`` on ``group``, "" for none."""
    # The rule and the group have fixed places and no text contains a NUL, so nothing can collide.
    if len(connections) == 1:
        identity = f"{rule.id}\0{group}\0{connections[0].id}"
    else:
        identity = "\0".join((rule.id, group, *sorted(each.id for each in connections)))
    return sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:LENGTH]
