"""The history: what is open since when, and a folder that survives what happens to runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auditor.errors import ReportError, UsageError
from auditor.model import Completeness, Outcome, Result, SourceInfo
from auditor.past.history import (
    Open,
    line_of,
    open_of,
    open_text,
    past_run,
    run_of,
    still_open,
    trend,
)
from auditor.past.history_folder import HistoryFolder
from auditor.policy import Ruleset, load_policies
from auditor.run import Options, audit
from tests.builders.listed import HOUSE, TODAY, Listed, json_of, record

WEEK = timedelta(days=7)
INFO = SourceInfo("api", "https://api.fivetran.com", (), "https://api.fivetran.com")
DAYS = [(TODAY + n * WEEK).isoformat().replace("+00:00", "Z") for n in range(6)]


@pytest.fixture(name="house", scope="session")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    path = tmp_path_factory.mktemp("house") / "house.yaml"
    path.write_text(HOUSE)
    return load_policies(str(path))


def judged(house: Ruleset, week: int, *records: dict[str, Any], **listed: Any) -> Result:
    """Return what is found in week ``week``."""
    now = TODAY + week * WEEK
    return audit(Listed(list(records), **listed), house, Options(now=now, clock=lambda: now))


BAD, GOOD = record("a", sync_frequency=5), record("a")


def since(opened: Open) -> Mapping[str, str]:
    return opened.since.get("sync-floor", {})


def test_a_finding_is_open_until_it_is_seen_to_be_mended(house: Ruleset):
    opened = still_open(Open(), judged(house, 0, BAD, record("b")))
    assert since(opened) == {"a": DAYS[0]}
    opened = still_open(opened, judged(house, 1, BAD, record("b", sync_frequency=1)))
    assert since(opened) == {"a": DAYS[0], "b": DAYS[1]}
    opened = still_open(opened, judged(house, 2, GOOD, record("b", sync_frequency=1)))
    assert since(opened) == {"b": DAYS[1]}
    opened = still_open(opened, judged(house, 3, BAD, record("b")))
    assert since(opened) == {"a": DAYS[3]}


@pytest.mark.parametrize(
    ("records", "listed"),
    [
        ((record("a", sync_frequency="x"),), {}),
        ((record("b"),), {"completeness": Completeness.INCOMPLETE}),
        ((record("b"),), {"completeness": Completeness.UNKNOWN}),
        ((record("b"),), {"filters": (("group_id", "g2"),)}),
        ((), {"completeness": Completeness.INCOMPLETE}),
    ],
    ids=["error", "incomplete", "unknown", "filtered", "nothing"],
)
def test_what_is_not_judged_stays_open(house: Ruleset, records: Any, listed: Any):
    first = still_open(Open(), judged(house, 0, BAD))
    assert since(still_open(first, judged(house, 1, *records, **listed))) == {"a": DAYS[0]}


def test_a_connection_that_is_gone_is_not_open(house: Ruleset):
    first = still_open(Open(), judged(house, 0, BAD, record("b")))
    assert since(still_open(first, judged(house, 1, record("b")))) == {}


def test_a_rule_that_is_left_out_stays_as_it_was(house: Ruleset):
    first = still_open(Open(), judged(house, 0, BAD))
    narrow = judged(house, 1, GOOD)
    narrow = replace(narrow, checks=narrow.checks[1:])
    assert since(still_open(first, narrow)) == {"a": DAYS[0]}


def test_a_run_as_of_the_past_changes_nothing_but_an_older_time(house: Ruleset):
    opened = still_open(Open(), judged(house, 3, BAD, record("b")))
    late = still_open(opened, judged(house, 1, BAD, record("b", sync_frequency=1)))
    assert since(late) == {"a": DAYS[1]}
    assert late.as_of == DAYS[3]
    assert since(still_open(late, judged(house, 0, GOOD, record("b")))) == {"a": DAYS[1]}


def test_a_group_is_open_whoever_is_in_it(house: Ruleset):
    twins = [record("a", schema="x"), record("b", schema="x")]
    opened = still_open(Open(), judged(house, 0, *twins))
    ((name, time),) = opened.since["one-name"].items()
    assert "x" in name
    more = still_open(opened, judged(house, 1, *twins, record("c", schema="x")))
    assert more.since["one-name"] == {name: time}
    assert "one-name" not in still_open(more, judged(house, 2, *twins[:1])).since


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c"]), unique=True), max_size=6))
def test_open_since_is_the_start_of_the_last_unbroken_run(house: Ruleset, weeks: list[list[str]]):
    opened = Open()
    for week, broken in enumerate(weeks):
        records = [record(n, sync_frequency=5 if n in broken else 60) for n in "abc"]
        opened = open_of(open_text(still_open(opened, judged(house, week, *records))).encode())
        assert opened is not None
    expected = {}
    for name in weeks[-1] if weeks else ():
        start = len(weeks)
        while start and name in weeks[start - 1]:
            start -= 1
        expected[name] = DAYS[start]
    assert since(opened) == expected


def test_a_line_says_what_the_run_was(house: Ruleset):
    result = judged(house, 0, BAD, record("b", paused=True), record("c", sync_frequency="x"))
    line = line_of(result, datetime(2030, 1, 1, tzinfo=UTC))
    assert line.count(b"\n") == 1
    assert run_of(line) == past_run(result)
    told = json.loads(line)
    assert told["ran_at"] == "2030-01-01T00:00:00Z"
    assert told["rules"]["not-paused"] == {"severity": "high", "fail": 1}
    assert told["violations"] == {"low": 0, "medium": 1, "high": 1, "critical": 0}
    assert told["policies"][0]["sha256"] == result.policies[0].sha256
    assert run_of(line[: len(line) // 2]) is None
    assert run_of(b'{"format": 2}') is None


def test_the_trend_has_the_last_sixty_in_order(house: Ruleset):
    run = past_run(judged(house, 0, BAD))
    runs = [replace(run, judged_at=TODAY + n * WEEK) for n in range(70)]
    drawn = trend([*runs[35:], *runs[:35]])
    assert [r.judged_at for r in drawn] == [TODAY + n * WEEK for n in range(10, 70)]


# -- the folder -----------------------------------------------------------------------------------


def test_a_folder_remembers(house: Ruleset, tmp_path: Path):
    folder = HistoryFolder(tmp_path / "not" / "there" / "yet")
    folder.prepare(INFO)
    folder.record(judged(house, 0, BAD), TODAY)
    result = folder.record(judged(house, 1, BAD, record("b", paused=True)), TODAY)
    assert result.history is not None
    assert [run.total for run in result.history.runs] == [1, 2]
    times = {f.rule.id: result.history.since(f) for f in result.findings}
    assert times == {"sync-floor": TODAY, "not-paused": TODAY + WEEK}
    document = json.loads(json_of(result))
    assert [run["violations"]["high"] for run in document["history"]["runs"]] == [0, 1]
    assert {f["rule"]: f["open_since"] for f in document["findings"]} == {
        "sync-floor": DAYS[0], "not-paused": DAYS[1],
    }  # fmt: skip


def test_equal_inputs_give_equal_files(house: Ruleset, tmp_path: Path):
    texts = []
    for name in ("one", "two"):
        folder = HistoryFolder(tmp_path / name)
        results = [folder.record(judged(house, week, BAD), TODAY) for week in range(3)]
        texts.append(
            [json_of(results[-1]), *(p.read_text() for p in sorted(folder.path.iterdir()))]
        )
    assert texts[0] == texts[1]


def test_a_torn_line_is_passed_over_and_told(house: Ruleset, tmp_path: Path):
    folder = HistoryFolder(tmp_path)
    for week in range(2):
        folder.record(judged(house, week, BAD), TODAY)
    lines = tmp_path / "history.ndjson"
    lines.write_bytes(lines.read_bytes()[:-40])
    result = folder.record(judged(house, 2, BAD), TODAY)
    assert result.history is not None
    assert [run.judged_at for run in result.history.runs] == [TODAY, TODAY + 2 * WEEK]
    assert any("1 line of" in warning for warning in result.warnings)
    assert run_of(lines.read_bytes().splitlines()[-1]) == result.history.runs[-1]


def test_a_damaged_open_file_is_told(house: Ruleset, tmp_path: Path):
    folder = HistoryFolder(tmp_path)
    folder.record(judged(house, 0, BAD), TODAY)
    (tmp_path / "open.json").write_text("{")
    result = folder.record(judged(house, 1, BAD), TODAY)
    assert any("findings are open since this run" in warning for warning in result.warnings)
    assert since(open_of((tmp_path / "open.json").read_bytes()) or Open()) == {"a": DAYS[1]}


def test_another_account_is_refused(house: Ruleset, tmp_path: Path):
    folder = HistoryFolder(tmp_path)
    folder.record(judged(house, 0, BAD), TODAY)
    with pytest.raises(UsageError, match="keep a folder for each account"):
        folder.prepare(replace(INFO, base_url="https://eu.example"))
    folder.prepare(replace(INFO, kind="snapshot", base_url=""))


def test_a_folder_that_is_a_file_is_told(tmp_path: Path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(ReportError, match="choose another folder with --history"):
        HistoryFolder(tmp_path / "taken").prepare(INFO)


_WRITER = """
import sys
from pathlib import Path
from auditor.policy import load_policies
from auditor.past.history_folder import HistoryFolder
from tests.past.test_history import judged, record
house, folder, name, count = sys.argv[1:]
rules = load_policies(house)
records = [record(f"{name}{n}", sync_frequency=5) for n in range(50)] + [record("all")]
result = judged(rules, 0, *records, filters=(("group_id", name),))
print("ready", flush=True)
for number in range(int(count)):
    HistoryFolder(Path(folder)).record(result, result.judged_at)
"""


def _writer(tmp_path: Path, name: str, count: int) -> subprocess.Popen[str]:
    (tmp_path / "house.yaml").write_text(HOUSE)
    house = str(tmp_path / "house.yaml")
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, house, str(tmp_path / "h"), name, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def test_runs_at_the_same_time_lose_nothing(tmp_path: Path):
    writers = [_writer(tmp_path, name, 10) for name in "abc"]
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    lines = (tmp_path / "h" / "history.ndjson").read_bytes().splitlines()
    assert len(lines) == 30
    assert None not in map(run_of, lines)
    opened = open_of((tmp_path / "h" / "open.json").read_bytes())
    assert opened is not None
    assert len(since(opened)) == 3 * 50


def test_a_killed_run_leaves_a_line_or_none(house: Ruleset, tmp_path: Path):
    folder = HistoryFolder(tmp_path / "h")
    folder.prepare(INFO)
    seen = 0
    for _ in range(4):
        writer = _writer(tmp_path, "k", 1_000_000)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        # Killed somewhere in the middle of it, once it has written more than before.
        path = tmp_path / "h" / "history.ndjson"
        while len(path.read_bytes().splitlines()) < seen + 3:
            pass
        writer.send_signal(signal.SIGKILL)
        writer.communicate(timeout=60)
        lines = path.read_bytes().splitlines()
        assert len(lines) > seen
        seen = len(lines)
        assert None not in map(run_of, lines)
        # The lock went with the process, and what is open is whole.
        result = folder.record(judged(house, 1, BAD), TODAY)
        assert not [w for w in result.warnings if w.startswith("history")]
        assert open_of((tmp_path / "h" / "open.json").read_bytes()) is not None
        seen += 1
    assert not [w for w in result.warnings if w.startswith("history")]
    assert result.gate.outcome is Outcome.VIOLATIONS
