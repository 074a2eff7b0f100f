"""The writer: whole or not at all, and never a stale green."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from random import Random

import pytest
from msgspec import structs
from msgspec.structs import replace

from auditor.errors import Interrupted, ReportError, UsageError
from auditor.model import Finding
from auditor.output.inputs import Inputs
from auditor.reports import REPORTS
from auditor.reports.page.parts import page_script
from auditor.reports.writer import Destination, ReportWriter, parse_destination, write_reports
from tests.builders.sample_results import sample_result

RESULT = sample_result()
JSON = REPORTS["json"]
REPORT = "".join(JSON.render(RESULT))
PLACEHOLDER = JSON.placeholder("1.0")
JUNIT = "".join(REPORTS["junit"].render(sample_result(1, 1)))


def writer(*paths: Path | None, name: str = "json") -> ReportWriter:
    return ReportWriter([Destination(name, path) for path in paths], "1.0")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# -- destinations ---------------------------------------------------------------------------------


def test_two_reports_cannot_share_a_place(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "there")
    for pair in (
        (None, None),
        (tmp_path / "a", tmp_path / "a"),
        (tmp_path / "a", tmp_path / "x/../a"),
        (tmp_path / "there", tmp_path / "link"),
    ):
        reports = [Destination("json", path) for path in pair]
        with pytest.raises(UsageError) as caught:
            writer(*pair).prepare()
        assert str(caught.value) == (
            f"two reports cannot share one path: {reports[0]} and {reports[1]}; "
            "give one of them another path, as in --report FORMAT=PATH"
        )
    assert {path.name for path in tmp_path.iterdir()} == {"link"}


@pytest.mark.parametrize(
    ("links", "refused"),
    [
        ({"r.team=a.csv": "other.json"}, "r.team=a.csv"),
        ({"r.team=a.csv": "r.csv"}, "r.team=a.csv"),
        ({"r.team=a.csv": "r.team=b.csv"}, "r.team=a.csv"),
        ({"r.team=a.csv": "x", "r.team=b.csv": "x"}, "r.team=b.csv"),
        ({"r.csv": "r.team=a.csv"}, "r.csv"),
        ({"other.json": "r.team=a.csv"}, "other.json"),
        ({"r.team=a.csv": "x", "r.team=b.csv": "y", "other.json": "z"}, ""),
        ({"r.team=a.csv": "other.team=a.json"}, ""),
    ],
)
def test_no_part_is_written_through_the_link_of_another(
    tmp_path: Path, links: dict[str, str], refused: str
) -> None:
    for name, target in links.items():
        (tmp_path / name).symlink_to(tmp_path / target)
    reports = ReportWriter(
        [
            parse_destination(f"csv:split=team={tmp_path}/r.csv", tmp_path),
            parse_destination(f"json={tmp_path}/other.json", tmp_path),
        ],
        "1.0",
    )
    if not refused:
        reports.prepare()
        return
    with pytest.raises(UsageError) as caught:
        reports.prepare()
    link = f"{tmp_path / refused}, a link to another report; remove the link"
    assert str(caught.value).endswith(f"may be written to {link}")
    assert set(files(tmp_path)) == set(links)


def test_what_a_page_needs_can_be_loaded_before_there_is_a_result(tmp_path: Path) -> None:
    page_script.cache_clear()
    ReportWriter([Destination("json", tmp_path / "a")], "1.0").load()
    assert page_script.cache_info().currsize == 0
    reports = [Destination(name, tmp_path / name) for name in ("json", "html")]
    ReportWriter(reports, "1.0").load()
    assert page_script.cache_info().currsize == 1


def test_standard_output_shares_no_place_with_parts(tmp_path: Path) -> None:
    split = Destination("junit", tmp_path / "junit.xml", 5)
    for other in (Destination("json", None), Destination("json", tmp_path / "x" / "junit-1.xml")):
        ReportWriter([other, split], "1.0").prepare()
        ReportWriter([split, other], "1.0").prepare()
    assert not Destination("json", None).is_part(tmp_path / "junit.xml")
    assert not split.is_part(tmp_path / "x" / "junit-1.xml")


def test_a_report_that_has_the_name_of_another_s_part_is_left(tmp_path: Path) -> None:
    """In whatever order: what a run writes is no old part of its own."""
    names = ("r.xml", "r-2.xml")
    for order in (names, names[::-1]):
        for name in (*names, "r-3.xml"):
            (tmp_path / name).write_text(JUNIT)
        writer(*(tmp_path / name for name in order), name="junit").prepare()
        assert files(tmp_path) == sorted(names)
        assert {(tmp_path / name).read_text() for name in names} == {
            REPORTS["junit"].placeholder("1.0")
        }


@pytest.mark.parametrize(("name", "left"), [("json", ["r", "r-2", "r.a"]), ("junit", ["r", "r.a"])])
def test_old_parts_are_those_that_a_report_may_have(
    name: str, left: list[str], tmp_path: Path
) -> None:
    """A copy of our own that is numbered is no part of a report that has none."""
    ours = "".join(REPORTS[name].render(sample_result(1, 1)))
    for old in ("r", "r-2", "r.a", "r.team=a"):
        (tmp_path / f"{old}.out").write_text(ours)
    writer(tmp_path / "r.out", name=name).prepare()
    assert files(tmp_path) == sorted(f"{each}.out" for each in left)


def test_the_whole_of_one_report_may_stand_beside_the_parts_of_another(tmp_path: Path) -> None:
    """Numbered parts leave their own name free."""
    whole, split = (Destination("junit", tmp_path / "r.xml", most) for most in (0, 3))
    for order in ((whole, split), (split, whole)):
        ReportWriter(order, "1.0").prepare()
        assert files(tmp_path) == ["r-1.xml", "r.xml"]


@pytest.mark.parametrize(
    ("paths", "takes"),
    [((None,), True), ((None, Path("a")), True), ((Path("a"), None), True), ((Path("a"),), False)],
)
def test_one_report_takes_standard_output_for_itself(
    paths: tuple[Path | None, ...], takes: bool
) -> None:
    assert writer(*paths).takes_stdout is takes


# -- placeholders and reports ---------------------------------------------------------------------


@pytest.mark.parametrize("name", REPORTS)
def test_every_format_is_placed_and_written(name: str, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / REPORTS[name].filename
    reports = writer(path, name=name)
    reports.prepare()
    assert path.read_text(encoding="utf-8") == REPORTS[name].placeholder("1.0")
    assert reports.write(RESULT) == (path,)
    assert path.read_text(encoding="utf-8") == "".join(REPORTS[name].render(RESULT))
    assert files(path.parent) == [path.name]


@pytest.mark.parametrize("name", REPORTS)
def test_every_placeholder_says_inconclusive(name: str) -> None:
    assert "inconclusive" in REPORTS[name].placeholder("1.0").lower()


def test_a_stale_green_is_gone_before_the_run(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("green")
    writer(path).prepare()
    assert path.read_text() == PLACEHOLDER


@pytest.mark.parametrize(
    ("there", "left"),
    [
        ({}, {}),
        ({"r.xml": "ours"}, {"r.xml": "placeholder"}),
        ({"r.xml": "theirs"}, {"r.xml": "theirs"}),
        ({"r.xml": "theirs", "r-2.xml": "ours"}, {"r.xml": "theirs", "r-2.xml": "ours"}),
    ],
)
def test_a_report_of_ours_is_outdated_and_nothing_else_is(
    there: dict[str, str], left: dict[str, str], tmp_path: Path
) -> None:
    assert outdated(Destination("junit", tmp_path / "r.xml"), there, tmp_path) == left


@pytest.mark.parametrize(
    ("there", "left"),
    [
        ({}, {}),
        ({"r-1.xml": "ours", "r-2.xml": "ours"}, {"r-1.xml": "placeholder"}),
        # Of some runs only a later part is left, or the whole.
        ({"r-3.xml": "ours"}, {"r-1.xml": "placeholder"}),
        ({"r.xml": "ours"}, {"r-1.xml": "placeholder"}),
        (
            {"r-2.xml": "ours", "r-3.xml": "theirs"},
            {"r-1.xml": "placeholder", "r-3.xml": "theirs"},
        ),
        ({"r-2.xml": "theirs"}, {"r-2.xml": "theirs"}),
    ],
)
def test_of_a_report_in_parts_any_part_is_outdated(
    there: dict[str, str], left: dict[str, str], tmp_path: Path
) -> None:
    assert outdated(Destination("junit", tmp_path / "r.xml", 5), there, tmp_path) == left


def outdated(destination: Destination, there: dict[str, str], folder: Path) -> dict[str, str]:
    """Return what is in ``folder`` once the places are known, by whose it is."""
    texts = {
        "ours": JUNIT,
        "theirs": "<testsuites/>",
        "placeholder": REPORTS["junit"].placeholder("1.0"),
    }
    for name, whose in there.items():
        (folder / name).write_text(texts[whose])
    ReportWriter([Destination("json", None), destination], "1.0").outdate()
    whose = {text: name for name, text in texts.items()}
    return {path.name: whose[path.read_text()] for path in folder.iterdir()}


def test_what_the_run_reads_is_neither_outdated_nor_replaced(tmp_path: Path) -> None:
    first, read, last = (tmp_path / name for name in ("a.json", "b.json", "c.json"))
    for path in (first, read, last):
        path.write_text(REPORT)
    inputs = Inputs()
    inputs.add("--baseline", read)
    reports = writer(first, read, last)
    with pytest.raises(UsageError) as caught:
        reports.prepare(inputs)
    assert str(caught.value) == (
        f"--baseline {read}: this run would write its report there (json: {read}); "
        "write it elsewhere"
    )
    # The others may not be taken for this run's.
    assert [path.read_text() for path in (first, read, last)] == [PLACEHOLDER, REPORT, PLACEHOLDER]


def test_an_input_that_has_the_name_of_a_part_stays(tmp_path: Path) -> None:
    read, beside = tmp_path / "r-7.xml", tmp_path / "r-x.xml"
    inputs = Inputs()
    for path in (beside, read):
        path.write_text(JUNIT)
        inputs.add("--history", path)
    reports = ReportWriter([Destination("junit", tmp_path / "r.xml", 5)], "1.0")
    with pytest.raises(
        UsageError, match=r"^--history .*/r-7\.xml: this run would write its report"
    ):
        reports.prepare(inputs)
    assert (files(tmp_path), read.read_text()) == (["r-7.xml", "r-x.xml"], JUNIT)
    (tmp_path / "real.xml").write_text(JUNIT)
    read.unlink()
    read.symlink_to(tmp_path / "real.xml")
    inputs = Inputs()
    inputs.add("--history", tmp_path / "real.xml")
    with pytest.raises(UsageError, match=r"^--history .*/real\.xml: this run"):
        reports.prepare(inputs)
    assert (tmp_path / "real.xml").read_text() == JUNIT


def test_modes(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("")
    old.chmod(0o640)
    before = os.umask(0o027)
    try:
        writer(old, tmp_path / "new").prepare()
    finally:
        os.umask(before)
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    old.chmod(0o604)
    writer(old).write(RESULT)
    assert stat.S_IMODE(old.stat().st_mode) == 0o604


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "there.json"
    target.write_text("green")
    link, dangling = tmp_path / "link", tmp_path / "dangling"
    link.symlink_to(target)
    dangling.symlink_to(tmp_path / "real" / "not" / "yet")
    reports = writer(link, dangling)
    reports.prepare()
    assert target.read_text() == PLACEHOLDER
    reports.write(RESULT)
    assert target.read_text() == REPORT
    assert (tmp_path / "real" / "not" / "yet").read_text() == REPORT
    assert link.is_symlink()
    assert dangling.is_symlink()


def test_lone_surrogates_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    writer(path).write(replace(RESULT, warnings=("a \ud800 b \ud83d\ude00",)))
    assert "a \ufffd b \U0001f600" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "order", ["file other", "other file", "stdout other", "parts file", "file parts", "file", ""]
)
def test_reports_that_are_written_at_once_are_the_same(
    order: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whichever of them is first, and where there is one or none."""
    result = sample_result(30, 3)
    places = {
        "file": Destination("json", tmp_path / "a.json"),
        "other": Destination("csv", tmp_path / "b.csv"),
        "parts": Destination("junit", tmp_path / "j.xml", 9),
        "stdout": Destination("json", None),
    }
    reports = ReportWriter([places[name] for name in order.split()], "1.0")
    reports.prepare()
    written = reports.write(result, at_once=True)
    said = {path: path.read_text(encoding="utf-8") for path in written}
    out = capsys.readouterr().out
    assert out == ("".join(JSON.render(result)) if "stdout" in order else "")
    assert written == reports.write(result)
    assert said == {path: path.read_text(encoding="utf-8") for path in written}
    assert sorted(path.name for path in written) == files(tmp_path)


def test_at_once_too_all_that_failed_is_told_in_order(tmp_path: Path) -> None:
    reports = writer(tmp_path / "a.json", tmp_path / "b.json", tmp_path / "c.json")
    reports.prepare()
    for name in ("a.json", "c.json"):
        (tmp_path / name).unlink()
        (tmp_path / name).mkdir()
    with pytest.raises(ReportError) as caught:
        reports.write(RESULT, at_once=True)
    told = [line.partition(": a folder")[0] for line in str(caught.value).split("\n")]
    assert told == [f"cannot write json: {tmp_path / name}" for name in ("a.json", "c.json")]
    assert (tmp_path / "b.json").read_text() == REPORT


def test_the_log_s_commands_are_left_whole_and_no_other_text_s(tmp_path: Path) -> None:
    """A report that is shown in a job's log is read by the job's server."""
    result = replace(RESULT, warnings=("::error::x ##[error]",))
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for name, begins in (("github", "::error"), ("lines", "")):
        read: list[str] = []
        reader = threading.Thread(target=lambda read=read: read.append(fifo.read_text()))
        reader.start()
        writer(fifo, name=name).write(result)
        reader.join()
        assert any(line.startswith("::") for line in read[0].splitlines()) is bool(begins)


def test_reports_of_a_result_one_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ("report.html", "junit.xml", "report.json")
    assert write_reports(RESULT) == tuple(Path("audit-report") / name for name in names)
    assert Path("audit-report/report.json").read_text() == REPORT
    assert write_reports(RESULT, tmp_path / "x", ["csv"]) == (tmp_path / "x" / "report.csv",)
    with pytest.raises(UsageError, match="did you mean csv"):
        write_reports(RESULT, "y", ["csw"])
    with pytest.raises(UsageError, match=r"^two reports cannot share one path: csv: y/a and json"):
        write_reports(RESULT, "y", ["csv=y/a", "json=y/a"])
    assert files(tmp_path) == ["audit-report", "x"]


# -- what cannot be written ------------------------------------------------------------------------


def test_every_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file, folder, good = tmp_path / "file", tmp_path / "folder", tmp_path / "good.json"
    file.write_text("")
    folder.mkdir()
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    bad = {
        file / "under" / "a.json": "a part of the path is a file",
        folder: "a folder is in the way",
        circle: "go in circles",
        tmp_path / ("x" * 300): "the name is too long",
        # That it cannot be removed either is no reason to say anything else.
        tmp_path / "new" / ("x" * 300): "the name is too long",
        Path("/proc/nothing/a.json"): "choose another",
    }
    reports = writer(*bad, good)
    for act in (
        reports.prepare,
        lambda: reports.write(RESULT),
        lambda: reports.write(RESULT, at_once=True),
    ):
        good.unlink(missing_ok=True)
        with pytest.raises(ReportError) as caught:
            act()
        lines = str(caught.value).split("\n")
        assert len(lines) == len(bad)
        for line, (path, why) in zip(lines, bad.items(), strict=True):
            assert line.startswith(f"cannot write json: {path}: ")
            assert why in line
    assert good.read_text() == REPORT
    assert files(tmp_path) == ["circle", "file", "folder", "good.json", "new"]


LIMITED = """
import resource, signal, sys
from pathlib import Path
from auditor.reports import REPORTS
from auditor.reports.writer import Destination, ReportWriter
from tests.builders.sample_results import sample_result
from auditor.errors import ReportError
folder = Path(sys.argv[1])
reports = ReportWriter(
    [Destination("json", folder / "a.json"), Destination("gitlab", folder / "b.json")], "1.0"
)
reports.prepare()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
result = sample_result(300, 3)
sizes = [len("".join(REPORTS[name].render(result)).encode()) for name in ("gitlab", "json")]
assert sizes[0] < sizes[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (sizes[0], sizes[0]))
try:
    reports.write(result)
except ReportError as error:
    print(error)
"""


def test_a_full_disk_leaves_the_placeholder_and_the_others(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"cannot write json: {tmp_path}/a.json: the file is larger")
    assert done.stdout.count("\n") == 1
    assert (tmp_path / "a.json").read_text() == PLACEHOLDER
    written = (tmp_path / "b.json").read_text()
    assert written == "".join(REPORTS["gitlab"].render(sample_result(300, 3)))
    assert files(tmp_path) == ["a.json", "b.json"]


@pytest.mark.skipif(not Path("/sys").is_dir(), reason="no folder that takes no other")
@pytest.mark.parametrize("name", ["json", "junit", "html"])
def test_what_kept_the_folder_from_being_made_is_reported(name: str) -> None:
    """And not that a folder which is not there has no parts of a report."""
    with pytest.raises(ReportError) as caught:
        writer(Path("/sys/reports-of-an-audit/report"), name=name).prepare()
    assert any(why in str(caught.value) for why in ("permitted", "denied", "read-only"))


def test_a_device_that_is_full() -> None:
    reports = writer(Path("/dev/full"))
    reports.prepare()
    with pytest.raises(ReportError, match="/dev/full: no space is left there"):
        reports.write(RESULT)


def test_a_device_that_is_not_ours_to_write_is_found_before_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[object, int]] = []

    def access(path: object, mode: int) -> bool:
        asked.append((path, mode))
        return False

    monkeypatch.setattr(os, "access", access)  # whoever runs the tests may be root
    with pytest.raises(ReportError) as caught:
        writer(Path("/dev/full")).prepare()
    assert str(caught.value) == (
        "cannot write json: /dev/full: permission denied; make the folder writable, "
        "or choose another folder with --output-dir"
    )
    assert asked == [(Path("/dev/full"), os.W_OK)]


def test_a_bug_in_one_report_does_not_stop_the_others(tmp_path: Path) -> None:
    # A finding without its connection is a bug that JUnit stumbles over and JSON does not.
    finding = structs.replace(next(f for f in RESULT.findings if not f.rule.per), connections=())
    broken = replace(RESULT, describe=lambda: (finding,))
    paths = {name: tmp_path / name for name in ("json", "junit", "gitlab")}
    reports = ReportWriter([Destination(*item) for item in paths.items()], "1.0")
    reports.prepare()
    with pytest.raises(AssertionError):
        reports.write(broken)
    assert paths["junit"].read_text() == REPORTS["junit"].placeholder("1.0")
    for name in ("json", "gitlab"):
        assert paths[name].read_text() == "".join(REPORTS[name].render(broken))
    assert files(tmp_path) == sorted(paths)


def test_an_interrupted_report_leaves_the_placeholder(tmp_path: Path) -> None:
    def describe() -> tuple[()]:
        raise Interrupted(signal.SIGINT)

    path = tmp_path / "report.json"
    reports = writer(path)
    reports.prepare()
    with pytest.raises(Interrupted):
        reports.write(replace(RESULT, describe=describe))
    assert path.read_text() == PLACEHOLDER
    assert files(tmp_path) == ["report.json"]


def test_an_interrupted_run_writes_no_further_report(tmp_path: Path) -> None:
    signals = [Interrupted(signal.SIGINT)]

    def describe() -> tuple[Finding, ...]:
        if signals:
            raise signals.pop()
        return RESULT.findings

    paths = {name: tmp_path / name for name in ("json", "junit", "gitlab")}
    reports = ReportWriter([Destination(*item) for item in paths.items()], "1.0")
    reports.prepare()
    with pytest.raises(Interrupted):
        reports.write(replace(RESULT, describe=describe))
    for name, path in paths.items():
        assert path.read_text() == REPORTS[name].placeholder("1.0")


def test_a_report_whose_placeholder_cannot_be_put_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(target: Path, chunks: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    reports = ReportWriter([Destination("junit", tmp_path / "report.xml", 3)], "1.0")
    reports.write(sample_result(30, 3))
    assert len(files(tmp_path)) > 2
    monkeypatch.setattr("auditor.output.write.replace_file", full)
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "report.json").write_text("green")
    (tmp_path / "link.json").symlink_to(tmp_path / "real" / "report.json")
    for stale in (reports, writer(tmp_path / "link.json")):
        with pytest.raises(ReportError, match="no space is left there"):
            stale.prepare()
    assert files(tmp_path) == ["link.json", "real"]
    assert files(tmp_path / "real") == []


def test_an_old_part_that_stays_is_reported_and_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = ReportWriter([Destination("junit", tmp_path / "report.xml", 3)], "1.0")
    reports.write(sample_result(30, 3))
    assert {"report-2.xml", "report-3.xml", "report-4.xml"} <= set(files(tmp_path))
    unlink = Path.unlink

    def refused(path: Path, missing_ok: bool = False) -> None:
        if path.name == "report-3.xml":
            raise PermissionError(errno.EACCES, "Permission denied")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refused)  # whoever runs the tests may be root
    with pytest.raises(ReportError, match="permission denied"):
        reports.prepare()
    assert files(tmp_path) == ["report-1.xml", "report-3.xml"]


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / ".fivetran-auditor-0123456789ab.tmp"
    for act in (
        writer(tmp_path / "report.json").prepare,
        lambda: write_reports(RESULT, tmp_path, ["json"]),
    ):
        left.write_text("half of a rep")
        act()
        assert files(tmp_path) == ["report.json"]


# -- pipes and standard output ---------------------------------------------------------------------


def test_a_fifo_is_written_directly(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reports = writer(fifo)
    reports.prepare()
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_text()))
    reader.start()
    reports.write(RESULT)
    reader.join()
    assert read == [REPORT]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


TO_STDOUT = """
import sys
from auditor.reports.writer import Destination, ReportWriter
from tests.builders.sample_results import sample_result
from auditor.errors import ReportError
reports = ReportWriter([Destination("json", None)], "1.0")
try:
    reports.prepare()
    reports.write(sample_result())
except ReportError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def test_a_report_on_this_processs_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    reports = writer(None)
    assert reports.takes_stdout
    reports.prepare()
    assert capsys.readouterr().out == ""
    assert reports.write(RESULT) == ()
    assert capsys.readouterr().out == REPORT


def test_a_standard_output_that_is_closed_is_found_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    reports = writer(None, tmp_path / "other.json")
    with pytest.raises(ReportError, match="cannot write json: standard output: it is closed"):
        reports.prepare()
    assert (tmp_path / "other.json").read_text() == PLACEHOLDER


def run_to_stdout(redirection: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", f'"$0" -c "$1" {redirection}', sys.executable, TO_STDOUT],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_report_on_standard_output() -> None:
    done = run_to_stdout()
    assert (done.returncode, done.stdout, done.stderr) == (0, REPORT, "")


@pytest.mark.parametrize(
    ("redirection", "why"),
    [
        (">/dev/full", "no space is left there"),
        (">&-", "it is closed"),
        ("| (exec <&-; sleep 0.2)", "the reader went away"),
    ],
)
def test_a_report_lost_on_standard_output_is_4(redirection: str, why: str) -> None:
    if redirection.startswith("|"):
        redirection = f"; echo code $? >&2; }} {redirection}"
        done = subprocess.run(
            ["/bin/sh", "-c", f'{{ "$0" -c "$1" {redirection}', sys.executable, TO_STDOUT],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "code 4" in done.stderr
    else:
        done = run_to_stdout(redirection)
        assert done.returncode == 4
    assert f"cannot write json: standard output: {why}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_pipe_that_does_not_block_is_waited_for() -> None:
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    process = subprocess.Popen(
        [sys.executable, "-c", TO_STDOUT.replace("sample_result()", "sample_result(1000)")],
        stdout=theirs,
    )
    os.close(theirs)
    with os.fdopen(ours, encoding="utf-8") as pipe:
        text = pipe.read()
    assert process.wait() == 0
    assert text == "".join(JSON.render(sample_result(1000)))


# -- killed at any moment --------------------------------------------------------------------------

FOREVER = """
import sys
from pathlib import Path
from auditor.reports.writer import Destination, ReportWriter
from tests.builders.sample_results import sample_result
result = sample_result(400)
result.findings
reports = ReportWriter([Destination("json", Path(sys.argv[1]))], "1.0")
reports.prepare()
print("ready", flush=True)
while True:
    reports.prepare()
    reports.write(result)
"""


def killed(path: Path, kills: int) -> int:
    """Kill a writing process again and again; return how often it was amid a file."""
    whole = {PLACEHOLDER, "".join(JSON.render(sample_result(400)))}
    rng, seen, amid = Random(kills), set(), 0
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", FOREVER, str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0, 0.03))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        seen.add(path.read_text(encoding="utf-8"))
        # What was left half written is cleared by the next run.
        amid += len(files(path.parent)) > 1
    assert seen <= whole
    return amid


@pytest.mark.slow
def test_a_killed_run_leaves_a_whole_file(tmp_path: Path) -> None:
    killed(tmp_path / "report.json", 30)


@pytest.mark.slow
def test_a_run_killed_500_times_leaves_a_whole_file(tmp_path: Path) -> None:
    assert killed(tmp_path / "report.json", 500) > 10
