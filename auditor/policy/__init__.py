"""Policies: from YAML to rules that judge.

The way of a policy: ``nodes`` (YAML with positions) → ``documents`` (files and what they extend)
→ ``settling`` (variables, overrides) → ``rule_reader`` and ``reading`` (rules, conditions) →
``compiling`` (what judges) and ``describing`` (what findings say).
"""

from auditor.policy.language.rules import GroupRule, PolicyRule, Ruleset
from auditor.policy.loading.load import load, load_policies

__all__ = ["GroupRule", "PolicyRule", "Ruleset", "load", "load_policies"]
