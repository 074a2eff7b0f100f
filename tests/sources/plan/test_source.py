"""However a plan's JSON is altered, it is judged or refused, and nothing else."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.errors import SourceError, UsageError
from auditor.model import Outcome
from auditor.policy import load_policies
from auditor.run import Options, audit
from auditor.sources.plan.source import PlanSource
from tests.builders.plans import document
from tests.builders.slow import tries

NAMES = ["walk", "forms", "modules", "schedules", "secrets", "v2-noop", "accounts", "moves"]
_ODD = st.sampled_from(
    (None, True, False, 0, -1, 1.5, 1e300, "", "x", [], {}, [{}], {"a": None}, [[]], "[0]")
)
RULES = """\
policy: p
rules:
  - {id: a, severity: low, when: {schedule_type: auto}, assert: {sync_frequency: {gte: 15}}}
  - {id: b, severity: low, assert: {config.host: {exists: true}}}
  - {id: c, severity: low, assert: {config: {length: {gte: 1, lte: 9}}}}
  - {id: d, severity: low, per: group_id, assert: {unique: [service, schema]}}
  - {id: e, severity: low, assert: {plan.action: {not_equals: delete}}}
  - {id: f, severity: low, when: {plan.times_faster: {exists: true}},
     assert: {plan.times_faster: {lte: 4}}}
  - {id: g, severity: low, assert: {schema_config.columns: {none_items: {hashed: false}}}}
"""


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, below in pairs:
        found += _places(below, (*path, key))
    return found


def _put(plan: Any, path: tuple[Any, ...], value: Any, *, gone: bool) -> None:
    *above, last = path
    for step in above:
        plan = plan[step]
    if gone:
        del plan[last]
    else:
        plan[last] = value


PLACES = {
    name: [
        path
        for path in _places(document(name))
        if path[0] in {"resource_changes", "configuration", "complete", "errored", "checks"}
    ]
    for name in NAMES
}


@settings(
    max_examples=tries(200),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.sampled_from(NAMES), st.data(), _ODD, st.booleans())
def test_a_plan_with_anything_in_it_is_judged_or_refused(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    data: st.DataObject,
    odd: Any,
    gone: bool,
):
    plan = copy.deepcopy(document(name))
    _put(plan, data.draw(st.sampled_from(PLACES[name])), odd, gone=gone)
    path = _folder(tmp_path_factory) / "plan.json"
    path.write_text(json.dumps(plan))
    rules = load_policies(str(path.with_name("rules.yaml")))
    try:
        result = audit(PlanSource(str(path)), rules, Options())
    except (UsageError, SourceError):
        return
    assert result.gate.outcome in Outcome
    assert result.total == sum(result.counts.values())
    for finding in result.findings:
        assert finding.message


def _folder(factory: pytest.TempPathFactory) -> Path:
    folder = factory.getbasetemp() / "broken"
    if not folder.is_dir():
        folder.mkdir()
        (folder / "rules.yaml").write_text(RULES)
    return folder
