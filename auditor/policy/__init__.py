"""Policies: from YAML to rules that judge.

The path of a policy: ``loading/nodes`` (YAML with positions) → ``loading/documents`` (files and
what they extend) → ``loading/resolve`` (variables, overrides) → ``loading/rule_parser`` and
``condition_parser`` (rules, conditions) → ``judging/compiler`` (the judge) and ``judging/evidence``
(what findings say).
"""

from auditor.policy.language.rules import GroupRule, PolicyRule, Ruleset
from auditor.policy.loading.load import load, load_policies

__all__ = ["GroupRule", "PolicyRule", "Ruleset", "load", "load_policies"]
