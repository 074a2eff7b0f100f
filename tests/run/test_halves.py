"""A saved listing in two halves: the same result as in one piece, whatever is in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.acceptance.waivers import load_waivers
from auditor.model import Result
from auditor.policy import Ruleset, load_policies
from auditor.run import Options, Progress, audit, halves
from auditor.sources.saved import source as saved
from auditor.sources.saved.source import SnapshotSource
from tests.builders.listed import TODAY, json_of, record
from tests.builders.saved_listings import save
from tests.builders.slow import tries

RULES = """\
policy: house
facts:
  teams:
    key: group_id
    columns: {most: integer, team: text}
    rows: {g1: {most: 2, team: red}, g2: {most: 1, team: blue}}
rules:
  - {id: floor, severity: medium, assert: {sync_frequency: {gte: 15}}}
  - {id: tests, severity: low, assert: {setup_tests: {none_items: {status: FAILED}}}}
  - {id: card, severity: low, assert: {connect_card: {exists: false}}}
  - {id: names, severity: low, per: group_id, assert: {unique: [service, schema]}}
  - {id: paused, severity: low, per: [group_id, paused], assert: {count: {lte: 2}}}
  - {id: rare, severity: low, per: account, when: {paused: true}, assert: {share: {lte: 0.2}}}
  - {id: total, severity: low, per: service, assert: {sum: {sync_frequency: {lte: 200}}}}
  - {id: least, severity: low, per: group_id, assert: {min: {sync_frequency: {gte: 15}}}}
  - {id: budget, severity: low, per: group_id, groups: {teams.team: red},
     assert: {count: {lte: {field: teams.most}}}}
  - {id: some, severity: low, per: account, when: {service: s3}, unless: {service: hubspot},
     assert: {count: {gte: 1}}}
"""
WAIVERS = """\
waivers:
  - {rule: floor, connections: {service: s3}, while: {sync_frequency: {gte: 5}}, reason: agreed,
     owner: data-platform, expires: 2026-12-31}
"""
#: A value of another type now and then, one that no rule can read, and one that is not documented.
_NUMBERS = st.sampled_from([1, 5, 15, 45, 60, 60.5, "60", None])
_TESTS = st.lists(
    st.fixed_dictionaries({"status": st.sampled_from(["PASSED", "FAILED", "Odd", 1])})
)
_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "service": st.sampled_from(["s3", "postgres", "hubspot"]),
        "schema": st.sampled_from(["one", "two"]),
        "group_id": st.sampled_from(["g1", "g2", "g3", 7]),
        "paused": st.sampled_from([True, False, None]),
        "sync_frequency": _NUMBERS,
        "setup_tests": _TESTS,
        "connect_card": st.just({"token": "a"}),
    },
)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    path = tmp_path_factory.mktemp("rules") / "house.yaml"
    path.write_text(RULES)
    return load_policies(str(path))


@pytest.fixture(scope="module")
def run_options(tmp_path_factory: pytest.TempPathFactory) -> Options:
    path = tmp_path_factory.mktemp("waivers") / "waivers.yaml"
    path.write_text(WAIVERS)
    shown = {"team": "teams.team", "often": "sync_frequency"}
    return Options(clock=lambda: TODAY, waivers=load_waivers(path), dimensions=shown, parts=True)


def _write(folder: Path, pages: list[Any]) -> None:
    """Write answers of the API, or whatever else is among them."""
    for number, page in enumerate(pages, 1):
        text = page
        if isinstance(page, list):
            more = {"next_cursor": f"c{number}"} if number < len(pages) else {}
            text = json.dumps({"code": "Success", "data": {"items": page, **more}})
        (folder / f"{number:03}.json").write_text(text)


@contextmanager
def _here(work: partial[bytes]) -> Iterator[Callable[[], bytes | None]]:
    """Do in this process what the second one would do, to a clock of its own."""

    def answer() -> bytes:
        taken = work.args[1].clock.taken
        before = set(taken)
        came_to = work()
        taken.intersection_update(before)
        return came_to

    yield answer


@contextmanager
def _nobody(work: partial[bytes]) -> Iterator[Callable[[], bytes | None]]:
    yield lambda: None


def _results(folder: Path, rules: Ruleset, options: Options) -> Iterator[Result]:
    """Yield the result in two halves, with a second process that fails, and in one piece."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved, "_LARGE", 0)
        for beside in (_here, _nobody):
            patch.setattr(halves, "beside", beside)
            yield audit(SnapshotSource(folder), rules, options)
    yield audit(SnapshotSource(folder), rules, options)


def _documents(folder: Path, rules: Ruleset, options: Options) -> set[str]:
    return {json_of(result) for result in _results(folder, rules, options)}


@settings(max_examples=tries(100))
@given(pages=st.lists(st.lists(_FIELDS, max_size=6), min_size=2, max_size=6))
def test_two_halves_come_to_the_same_as_one_piece(
    pages: list[list[Mapping[str, Any]]],
    rules: Ruleset,
    run_options: Options,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("pages")
    named = [
        [record(f"c{page}-{n}", **each) for n, each in enumerate(records)]
        for page, records in enumerate(pages)
    ]
    _write(folder, named)
    assert len(_documents(folder, rules, run_options)) == 1


_ONE, _TWO = [record("a"), record("b")], [record("c"), record("d", sync_frequency=1)]
_NAMELESS = [{"service": "s3"}]
_SNAPSHOT = '{"fivetran_auditor_snapshot": 2, "taken_at": "2026-03-09T12:00:00Z"}\n'


def test_the_second_half_is_told_of_at_once(rules: Ruleset, tmp_path: Path) -> None:
    _write(tmp_path, [_ONE, _TWO, [record("e")], [record("f")]])
    (tmp_path / ".hidden").touch()
    seen: list[Progress] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved, "_LARGE", 0)
        patch.setattr(halves, "beside", _here)
        audit(SnapshotSource(tmp_path), rules, Options(clock=lambda: TODAY), seen.append)
    assert [(now.pages, now.connections) for now in seen] == [(1, 2), (4, 6)]


def test_a_snapshot_among_answers_knows_its_time_and_they_do_not(
    rules: Ruleset, tmp_path: Path
) -> None:
    _write(tmp_path, ["", [record(f"x{n}") for n in range(20)], _ONE, _TWO])
    save(tmp_path / "001.json", [record("s")])
    (document,) = _documents(tmp_path, rules, Options(clock=lambda: TODAY, strict=True))
    assert "does not say when it was taken" in document


@pytest.mark.parametrize("second", ["a snapshot", "records"])
def test_a_whole_snapshot_makes_no_whole_of_what_follows_it(
    second: str, rules: Ruleset, tmp_path: Path
) -> None:
    save(tmp_path / "1.json", [record(f"x{n}") for n in range(20)])
    if second == "a snapshot":
        save(tmp_path / "2.json", [record("a")])
    else:
        (tmp_path / "2.json").write_text(json.dumps([record("a")]))
    sizes = [(tmp_path / name).stat().st_size for name in ("1.json", "2.json")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved, "_HERE", (sizes[0] + 1) / sum(sizes))
        (document,) = _documents(tmp_path, rules, Options(clock=lambda: TODAY))
    assert json.loads(document)["listing"]["completeness"].startswith("unknown")


@pytest.mark.parametrize(
    "second",
    [
        pytest.param([_TWO, _ONE], id="connections listed twice"),
        pytest.param([_TWO, _TWO], id="twice in the second half"),
        pytest.param([_TWO, "no JSON"], id="not JSON"),
        pytest.param([_TWO, _NAMELESS], id="no connection"),
        pytest.param([_TWO, '{"code": "AuthFailed"}'], id="an error"),
        pytest.param([_TWO, _SNAPSHOT], id="a snapshot that was cut"),
        pytest.param([_TWO, json.dumps([record("e")])], id="records without an answer"),
        pytest.param([json.dumps({"code": "Success", "data": {"items": _TWO}}), [record("e")]],
                     id="two last pages"),
        pytest.param([json.dumps({"code": "Success", "data": {"items": _TWO}, "total": 50})],
                     id="more than was saved"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_second_half_is_told_as_in_one_piece(
    second: list[Any], rules: Ruleset, run_options: Options, tmp_path: Path
) -> None:
    _write(tmp_path, [_ONE, [record(f"x{n}") for n in range(20)], *second])
    (document,) = _documents(tmp_path, rules, run_options)
    assert (
        json.loads(document)["listing"]["problems"] or json.loads(document)["listing"]["warnings"]
    )


# -- with a process of its own ---------------------------------------------------------------

_AUDIT = """
import json, os, sys
from pathlib import Path
from auditor import SnapshotSource, audit, load_policies
from auditor.run import Options
from tests.builders.listed import TODAY, json_of
forks, seen = [], []
os.register_at_fork(after_in_parent=lambda: forks.append(1))
result = audit(SnapshotSource(sys.argv[1]), load_policies(sys.argv[2]),
               Options(clock=lambda: TODAY),
               lambda now: seen.append((now.pages, now.connections)))
json.dump((len(forks), seen, json_of(result)), sys.stdout)
"""


def _audited(folder: Path, policy: Path, processors: int) -> tuple[int, list[tuple[int, int]], str]:
    """Return how many processes began, the pages and connections seen so far, and the report."""
    some = set(sorted(os.sched_getaffinity(0))[:processors])
    done = subprocess.run(
        [sys.executable, "-c", _AUDIT, str(folder), str(policy)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, some),
    )
    assert not done.stderr
    forks, seen, document = json.loads(done.stdout)
    return forks, [tuple(each) for each in seen], document


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="a second process helps where there are two processors that can be counted",
)
@pytest.mark.parametrize(("size", "forks"), [(9 << 20, 1), (1 << 20, 0)], ids=["large", "small"])
def test_a_large_listing_is_judged_by_two_processes(size: int, forks: int, tmp_path: Path) -> None:
    policy, folder = tmp_path / "house.yaml", tmp_path / "pages"
    policy.write_text(RULES)
    folder.mkdir()
    weight = "x" * (size // 2)
    ill = [{"status": "FAILED", "details": weight}]
    _write(folder, [
        [record(f"c{n}", setup_tests=ill, sync_frequency=n), record(f"d{n}", config=weight)]
        for n in range(4)
    ])  # fmt: skip
    two, one = _audited(folder, policy, 2), _audited(folder, policy, 1)
    each = [(1, 2), (2, 4), (3, 6), (4, 8)]
    assert one[:2] == (0, each)
    assert two == (forks, [*each[:2], each[-1]] if forks else each, one[2])
