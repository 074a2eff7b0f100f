"""The folder of a history after runs that were killed, torn or simultaneous."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from auditor.clock import iso
from auditor.errors import ReportError, UsageError
from auditor.model import Account, Outcome, Result, SourceInfo, Unjudged
from auditor.past.history import Open, open_of, open_text, run_of
from auditor.past.history_folder import HistoryFolder
from auditor.policy import Ruleset
from auditor.reports.brief import changes_in_words
from auditor.reports.facts import trend_in_words, unjudged
from auditor.reports.page.changes import changes
from auditor.reports.page.island import new_findings
from tests.builders.listed import HOUSE, TODAY, json_of, record
from tests.builders.weeks import BAD, DAYS, GOOD, WEEK, judged, since

INFO = SourceInfo("api", "https://api.fivetran.com", (), "https://api.fivetran.com")


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


def test_a_run_as_of_an_earlier_time_is_told_of_what_came_before_it(house: Ruleset, tmp_path: Path):
    folder = HistoryFolder(tmp_path)
    for week in (2, 3, 0):
        folder.record(judged(house, week, BAD), TODAY)
    result = folder.record(judged(house, 1, GOOD), TODAY)
    assert result.history is not None
    assert [run.judged_at for run in result.history.runs] == [TODAY, TODAY + WEEK]
    assert trend_in_words(result.history).startswith("0 violations: 1 fewer than in the run before")
    (warning,) = result.warnings
    assert warning.startswith("history: 2 runs as of a later time than this one are no part of")
    (warning,) = folder.record(judged(house, 2, GOOD), TODAY).warnings
    assert warning.startswith("history: 1 run as of a later time than this one is no part of")


def test_open_findings_as_of_a_time_that_no_run_is_kept_of_are_told(house: Ruleset, tmp_path: Path):
    """A run with --now or a wrong clock, whose line was deleted, stops what follows for years."""
    folder = HistoryFolder(tmp_path)
    lines = []
    for week in (0, 500):
        folder.record(judged(house, week, BAD), TODAY)
        lines = (tmp_path / "history.ndjson").read_bytes().splitlines(keepends=True)
    (tmp_path / "history.ndjson").write_bytes(lines[0])
    (told,) = folder.record(judged(house, 1, GOOD), TODAY).warnings
    assert told == (
        f"history: {tmp_path / 'open.json'} is as of {iso(TODAY + 500 * WEEK)}, later than this run"
        " and any other that is kept, so it opens and closes nothing; remove the file if that time"
        " is wrong"
    )
    (tmp_path / "open.json").unlink()
    (told,) = folder.record(judged(house, 2, GOOD), TODAY).warnings
    assert told.endswith("findings are open since this run")


def test_what_the_same_snapshot_showed_before_is_not_new(house: Ruleset, tmp_path: Path):
    folder = HistoryFolder(tmp_path)
    folder.record(judged(house, 0, BAD), TODAY)
    result = folder.record(judged(house, 0, BAD, record("b", paused=True)), TODAY + WEEK)
    assert result.history is not None
    new = {f.rule.id: result.history.is_new(f) for f in result.findings}
    assert new == {"sync-floor": False, "not-paused": True}
    assert changes_in_words(result).startswith("1 new, 0 fixed, 2 violations now and 1 before")
    (fresh,) = new_findings(result) or ()
    assert result.findings[fresh].rule.id == "not-paused"
    later = folder.record(judged(house, 1, BAD), TODAY + WEEK)
    assert later.history is not None
    assert later.history.again == {}


def test_what_only_the_run_before_judged_has_dropped_out_of_sight(house: Ruleset, tmp_path: Path):
    folder = HistoryFolder(tmp_path)
    fewer = replace(house, rules=tuple(r for r in house.rules if r.rule.id != "not-paused"))
    bad = [BAD, record("b", paused=True)]
    folder.record(judged(house, 0, *bad), TODAY)
    for week, lost in ((1, [Unjudged("not-paused", "b", "b")]), (2, [])):
        result = folder.record(judged(fewer, week, *bad), TODAY + week * WEEK)
        assert [replace(each, name=each.id) for each in unjudged(result)] == lost
        found = changes(result, new_findings(result))
        assert found is not None
        assert (found.fixed, found.untold) == (0, len(lost))
        assert (", 1 no longer judged, " in changes_in_words(result)) == bool(lost)
        assert [each.rule for each in found.unjudged] == [None] * len(lost)
    # It is open still, and since the first day.
    again = folder.record(judged(house, 3, *bad), TODAY + 3 * WEEK)
    assert again.history is not None
    assert {again.history.since(f) for f in again.findings} == {TODAY}


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
    assert result.warnings == (f"history: 1 line of {lines} cannot be read and was skipped",)
    assert run_of(lines.read_bytes().splitlines()[-1]) == result.history.runs[-1]


def test_a_damaged_open_file_is_told(house: Ruleset, tmp_path: Path):
    folder = HistoryFolder(tmp_path)
    folder.record(judged(house, 0, BAD), TODAY)
    (tmp_path / "open.json").write_text("{")
    result = folder.record(judged(house, 1, BAD), TODAY)
    assert result.warnings == (
        f"history: {tmp_path / 'open.json'} could not be read: findings are open since this run",
    )
    assert result.history is not None
    assert result.history.ended == ()
    assert folder.record(judged(house, 2, BAD), TODAY).warnings == ()
    assert since(open_of((tmp_path / "open.json").read_bytes()) or Open()) == {"a": DAYS[1]}


def test_an_open_file_that_is_gone_is_told_where_runs_are_kept(house: Ruleset, tmp_path: Path):
    """A cache that kept one of the two files: every finding would look as if it began today."""
    folder = HistoryFolder(tmp_path)
    assert folder.record(judged(house, 0, BAD), TODAY).warnings == ()
    (tmp_path / "open.json").unlink()
    result = folder.record(judged(house, 1, BAD), TODAY)
    (told,) = result.warnings
    assert told == (
        f"history: {tmp_path / 'open.json'} is gone, and the runs before this one are not:"
        " findings are open since this run"
    )
    assert since(open_of((tmp_path / "open.json").read_bytes()) or Open()) == {"a": DAYS[1]}
    assert folder.record(judged(house, 2, BAD), TODAY).warnings == ()


def test_another_account_is_refused(house: Ruleset, tmp_path: Path):
    folder = HistoryFolder(tmp_path)
    folder.prepare(INFO)
    folder.prepare(replace(INFO, base_url="https://eu.example"))
    folder.record(judged(house, 0, BAD), TODAY)
    with pytest.raises(UsageError) as caught:
        folder.prepare(replace(INFO, base_url="https://eu.example"))
    assert str(caught.value) == (
        f"--history {tmp_path} is of https://api.fivetran.com, not of https://eu.example;"
        " keep a folder for each account"
    )
    folder.prepare(replace(INFO, kind="snapshot", base_url=""))
    folder.prepare(INFO)
    # One whose address is not known, or that is damaged, is nobody's yet.
    for text in (open_text(Open(as_of=DAYS[0])), "{"):
        (tmp_path / "open.json").write_text(text)
        folder.prepare(replace(INFO, base_url="https://eu.example"))


def test_an_empty_line_is_no_run_that_was_lost(house: Ruleset, tmp_path: Path):
    folder = HistoryFolder(tmp_path)
    folder.record(judged(house, 0, BAD), TODAY)
    with (tmp_path / "history.ndjson").open("ab") as lines:
        lines.write(b"\n\n")
    result = folder.record(judged(house, 1, BAD), TODAY)
    assert result.history is not None
    assert len(result.history.runs) == 2
    assert result.warnings == ()


def test_what_is_told_of_the_history_comes_behind_the_run_s_own_warnings(
    house: Ruleset, tmp_path: Path
):
    (tmp_path / "open.json").write_text("{")
    warned = replace(judged(house, 0, BAD), warnings=("the clocks differ",))
    first, second = HistoryFolder(tmp_path).record(warned, TODAY).warnings
    assert first == "the clocks differ"
    assert second.startswith("history: ")


def test_a_history_takes_the_account_once_it_is_known_and_no_other(house: Ruleset, tmp_path: Path):
    """What was kept before the account said which one it is stays its own."""

    def of(account: Account | None) -> Result:
        result = judged(house, 0, BAD)
        return replace(result, source=replace(result.source, account=account))

    folder = HistoryFolder(tmp_path)
    for account in (None, Account("one", "One"), None, Account("one", "Called anew")):
        folder.record(of(account), TODAY)
    before = (tmp_path / "history.ndjson").read_bytes()
    with pytest.raises(UsageError) as caught:
        folder.record(of(Account("two", "Two")), TODAY)
    assert str(caught.value) == (
        f"--history {tmp_path} is of the account one, not of Two (two);"
        " keep a folder for each account"
    )
    assert (tmp_path / "history.ndjson").read_bytes() == before
    (tmp_path / "open.json").write_text("{")
    (told,) = folder.record(of(Account("two", "Two")), TODAY).warnings
    assert told.endswith("findings are open since this run")


def test_a_folder_that_is_a_file_is_told(tmp_path: Path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(ReportError) as caught:
        HistoryFolder(tmp_path / "taken").prepare(INFO)
    assert str(caught.value) == (
        f"cannot keep the history in {tmp_path / 'taken'}:"
        " a part of the path is a file, not a folder; remove it, or choose another path"
    )


def test_what_cannot_be_opened_in_the_folder_is_told_with_another_to_choose(
    house: Ruleset, tmp_path: Path
):
    (tmp_path / "history.ndjson").mkdir()
    for keep in (
        lambda: HistoryFolder(tmp_path).prepare(INFO),
        lambda: HistoryFolder(tmp_path).record(judged(house, 0, BAD), TODAY),
    ):
        with pytest.raises(ReportError) as caught:
            keep()
        assert str(caught.value) == (
            f"cannot keep the history in {tmp_path}: history.ndjson is not a file;"
            " choose another folder with --history"
        )


def test_what_ended_is_told_once(house: Ruleset, tmp_path: Path):
    folder = HistoryFolder(tmp_path)
    folder.record(judged(house, 0, BAD), TODAY)
    told = [folder.record(judged(house, week, record("a")), TODAY).history for week in (1, 2)]
    assert [[e.id for e in history.ended] for history in told if history] == [["a"], []]
    assert [len(history.runs) for history in told if history] == [2, 3]


def test_lines_that_cannot_be_read_are_counted(house: Ruleset, tmp_path: Path):
    (tmp_path / "history.ndjson").write_bytes(b"one\n\ntwo\n" + b"x" * 9)
    result = HistoryFolder(tmp_path).record(judged(house, 0, BAD), TODAY)
    assert result.warnings == (
        f"history: 3 lines of {tmp_path / 'history.ndjson'} cannot be read and were skipped",
    )
    assert result.history is not None
    assert len(result.history.runs) == 1


_WRITER = """
import sys
from pathlib import Path
from auditor.policy import load_policies
from auditor.past.history_folder import HistoryFolder
from tests.builders.listed import record
from tests.builders.weeks import judged
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
