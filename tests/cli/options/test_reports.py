"""Whatever is wrong with a command, no green report of an earlier run is left in its place."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from auditor.output.inputs import Inputs
from auditor.reports import PROBLEM_REPORTS, REPORTS, TEST_REPORTS
from auditor.reports.comparison import COMPARISONS
from auditor.reports.writer import Destination, ReportWriter
from tests.builders.command import outcome_in, run
from tests.builders.listed import HOUSE, record

TESTED = (
    "  - {id: t, severity: low, assert: {id: {exists: true}}, tests: [{given: {}, expect: pass}]}\n"
)
AUDIT = ("audit", "-p", "house.yaml", "--snapshot", "listing.json")


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a policy, a listing and the reports of a run that passed."""
    folder = tmp_path_factory.mktemp("audited")
    (folder / "house.yaml").write_text(HOUSE)
    answer = {"code": "Success", "data": {"items": [record("a")], "next_cursor": None}}
    (folder / "listing.json").write_text(json.dumps(answer))
    assert run(AUDIT, folder).returncode == 0
    for name in ("out", "other"):
        shutil.copytree(folder / "audit-report", folder / name)
    return folder


@pytest.fixture(name="house")
def _house(tmp_path: Path, audited: Path) -> Path:
    return Path(shutil.copytree(audited, tmp_path, dirs_exist_ok=True))


@pytest.mark.parametrize(
    ("words", "folders"),
    [
        (["--strcit"], ["audit-report"]),
        (["--fail-on", "hgih"], ["audit-report"]),
        (["-o", "out", "--only"], ["out"]),
        (["-o", "out", "--timeout", "nan"], ["out"]),
        (["--output-dir=out", "--group", "a", "--group", "b"], ["out"]),
        (["-o", "out", "-o", "other"], ["out", "other"]),
        (["-oout", "--page-size", "0"], ["out"]),
        (["--output-dri", "out"], ["out"]),
        (["--report", "jsno", "-o", "out"], ["out"]),
        (["-o", "out", "extra"], ["out"]),
        (["-o", "out", "--waivers", "none.yaml"], ["out"]),
        (["-o", "out", "--var", "x"], ["out"]),
        (["-o", "out", "--only", "no-such-rule"], ["out"]),
        (["-o", "out", "--config", "none.yaml"], ["out"]),
        (["-o", "out", "-p", "no-such-pack"], ["out"]),
        (["-o", "out", "--baseline", "listing.json"], ["out"]),
    ],
    ids=" ".join,
)
def test_a_usage_error_leaves_no_green(words: list[str], folders: list[str], house: Path):
    done = run([*AUDIT, *words], house)
    assert done.returncode == 2, done.stderr
    for folder in folders:
        assert outcome_in(house / folder) == "placeholder", folder


@pytest.mark.parametrize(
    "text",
    [
        "output_dir: out\nfail_onn: high\n",
        "output_dir: out\nfail_on: hgih\n",
        "fail_on: [high\noutput_dir: out\n",
        "output_dir: out\noutput_dir: out\n",
        "output_dir: out\nonly: {a: }\n",
    ],
)
def test_a_file_that_is_wrong_leaves_none_where_it_says(text: str, house: Path):
    (house / "auditor.yaml").write_text(text)
    done = run(AUDIT, house)
    assert done.returncode == 2, done.stderr
    assert outcome_in(house / "out") == "placeholder"


def test_the_environment_says_where_and_may_be_wrong(house: Path):
    wrong = {"FIVETRAN_AUDITOR_OUTPUT_DIR": "out", "FIVETRAN_AUDITOR_STRCIT": "true"}
    assert run(AUDIT, house, wrong).returncode == 2
    assert outcome_in(house / "out") == "placeholder"


def test_two_reports_in_one_place_leave_none(house: Path):
    path = "out/report.json"
    done = run([*AUDIT, "--report", f"json={path}", "--report", f"csv={path}"], house)
    assert done.returncode == 2
    assert json.loads((house / path).read_text())["gate"]["outcome"] == "inconclusive"


@pytest.mark.parametrize(
    ("command", "report", "wrong"),
    [
        ("compare out/report.json out/report.json", "html=c.html", "--bogus"),
        ("compare out/report.json out/report.json", "markdown=c.md", "--fail-on=x"),
        ("compare out/report.json out/report.json", "json=c.json", "--against=house.yaml"),
        ("test house.yaml", "junit=c.xml", "--bogus"),
        ("validate house.yaml", "sarif=c.sarif", "--bogus"),
        ("validate house.yaml", "github=c.txt", "--var=x"),
    ],
)
def test_other_commands_leave_none_either(command: str, report: str, wrong: str, house: Path):
    (house / "house.yaml").write_text(HOUSE + TESTED)
    words = [*command.split(), "--report", report]
    assert run(words, house).returncode == 0
    path = house / report.partition("=")[2]
    green = path.read_text()
    done = run([*words, wrong], house)
    assert done.returncode == 2, done.stderr
    if report.startswith("github"):  # nothing was wrong, nothing was said
        assert green == ""
    else:
        assert "did not finish" in path.read_text()


@pytest.mark.parametrize("option", ["--baselin", "--waiver"])
def test_what_may_have_been_meant_to_be_read_stays(option: str, house: Path):
    before = (house / "out" / "report.json").read_bytes()
    words = ["--report", "json=out/report.json", option, "out/report.json"]
    assert run([*AUDIT, *words], house).returncode == 2
    assert (house / "out" / "report.json").read_bytes() == before


def test_what_is_given_twice_may_be_read_either_time(house: Path):
    before = (house / "out" / "report.json").read_bytes()
    twice = ["--baseline", "out/report.json", "--baseline", "other/report.json"]
    assert run([*AUDIT, *twice, "--report", "json=out/report.json"], house).returncode == 2
    assert (house / "out" / "report.json").read_bytes() == before


def test_nothing_new_is_made_and_nothing_foreign_is_touched(house: Path):
    (house / "notes.html").write_text("<title>Mine</title>")
    words = ["--report", "html=notes.html", "--report", "json=new.json", "--bogus"]
    assert run([*AUDIT, *words], house).returncode == 2
    assert (house / "notes.html").read_text() == "<title>Mine</title>"
    assert not (house / "new.json").exists()


@pytest.mark.parametrize("table", [REPORTS, COMPARISONS, TEST_REPORTS, PROBLEM_REPORTS])
def test_every_placeholder_is_known_for_one_of_ours(table: dict[str, object], tmp_path: Path):
    for name in table:
        path = tmp_path / f"{name}.file"
        writer = ReportWriter([Destination(name, path)], "1.0", table)  # type: ignore[arg-type]
        writer.prepare()
        writer = ReportWriter([Destination(name, path)], "2.0", table)  # type: ignore[arg-type]
        before = path.read_bytes()
        writer.outdate(Inputs())
        assert name == "gitlab" or path.read_bytes() != before  # it has no place for a version
