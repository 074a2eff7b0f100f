"""Examples beside a rule, as a policy has them."""

from __future__ import annotations

from pathlib import Path

from auditor.policy.loading.load import load
from auditor.policy.testing.examples_run import ExampleOutcome, run_examples

FREQUENT = """\
policy: house
vars: {floor: 15, private: [PrivateLink]}
rules:
  - id: not-too-often
    severity: low
    when: {schedule_type: auto, any: [{networking_method: {var: private}}, {id: {exists: true}}]}
    assert: {sync_frequency: {gte: {var: floor}}}
    message: "{schema} syncs every {sync_frequency} minutes"
    tests:
"""


def beside(folder: Path, policy: str, *tests: str) -> tuple[ExampleOutcome, ...]:
    """Run ``tests`` beside the last rule of ``policy``."""
    rows = "".join(f"      - {test}\n" for test in tests)
    (folder / "house.yaml").write_text(policy + rows)
    return run_examples(load(["./house.yaml"]))
