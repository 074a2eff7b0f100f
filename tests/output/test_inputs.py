"""Nothing that a command writes replaces a file that the run reads."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.errors import UsageError
from auditor.output.inputs import Inputs
from auditor.output.target import Target
from tests.builders.command import run, shell
from tests.builders.listed import HOUSE, record

AUDIT = ("audit", "-p", "policies/house.yaml", "--snapshot", "listing.json")
WAIVERS = (
    "waivers:\n"
    "  - {rule: sync-floor, connections: all, reason: x, owner: me, expires: 2030-01-01}\n"
)


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all that a run may read, and the report of one that passed."""
    folder = tmp_path_factory.mktemp("audited")
    (folder / "policies").mkdir()
    (folder / "policies" / "house.yaml").write_text(
        HOUSE.replace("rules:", "extends: [../shared/base.yaml]\nrules:", 1)
    )
    (folder / "shared").mkdir()
    (folder / "shared" / "base.yaml").write_text(
        "policy: base\nrules:\n"
        "  - {id: named, severity: low, assert: {schema: {exists: true}},\n"
        "     tests: [{given: {schema: a}, expect: pass}]}\n"
    )
    (folder / "policies" / "house.test.yaml").write_text(
        "policy: house.yaml\ntests:\n  - {given: {paused: true}, expect: {not-paused: fail}}\n"
    )
    answer = {"code": "Success", "data": {"items": [record("a")], "next_cursor": None}}
    (folder / "listing.json").write_text(json.dumps(answer))
    (folder / "pages").mkdir()
    (folder / "pages" / "1.json").write_text(json.dumps(answer))
    (folder / "waivers.yaml").write_text(WAIVERS)
    (folder / "auditor.yaml").write_text("fail_on: high\n")
    (folder / "f.csv").write_text("schema,team\na,us\n")
    (folder / "facts.yaml").write_text(
        "policy: facts\nfacts: {own: {file: f.csv, key: schema, columns: {team: text}}}\n"
        "rules: [{id: x, severity: low, assert: {own.team: us}}]\n"
    )
    assert run([*AUDIT, "--report", "json=known.json"], folder).returncode == 0
    return folder


@pytest.fixture(name="house")
def _house(tmp_path: Path, audited: Path) -> Path:
    return Path(shutil.copytree(audited, tmp_path, dirs_exist_ok=True))


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("command", "place", "named"),
    [
        ((*AUDIT, "--report", "json=PLACE"), "policies/house.yaml", "the policy policies/house"),
        ((*AUDIT, "--report", "json=PLACE"), "shared/base.yaml", "the policy policies/../shared"),
        ((*AUDIT, "--report", "json=PLACE"), "listing.json", "--snapshot listing.json"),
        ((*AUDIT, "--report", "json=PLACE"), "auditor.yaml", "--config auditor.yaml"),
        (
            (*AUDIT, "--report", "json=PLACE", "--waivers", "waivers.yaml"),
            "waivers.yaml",
            "--waivers waivers.yaml",
        ),
        (
            (*AUDIT, "--report", "json=PLACE", "--baseline", "known.json"),
            "known.json",
            "--baseline known.json",
        ),
        (
            ("audit", "-p", "policies/", "--snapshot", "pages", "--report", "json=PLACE"),
            "pages/2.json",
            "--snapshot pages",
        ),
        (
            ("audit", "-p", "policies/", "--snapshot", "pages", "--report", "json=PLACE"),
            "policies/deep/new.yaml",
            "the policies in policies",
        ),
        (
            (*AUDIT, "--report", "junit:split=2=part.xml", "--waivers", "part-7.xml"),
            "part-7.xml",
            "--waivers part-7.xml",
        ),
        (
            ("compare", "known.json", "known.json", "--report", "json=PLACE"),
            "known.json",
            "the older report known.json",
        ),
        (
            (
                "compare",
                "--snapshot",
                "listing.json",
                "--against",
                "shared/base.yaml",
                "-p",
                "policies/house.yaml",
                "--report",
                "html=PLACE",
            ),
            "shared/base.yaml",
            "the policy shared/base.yaml",
        ),
        (
            ("validate", "policies/house.yaml", "--report", "sarif=PLACE"),
            "shared/base.yaml",
            "the policy policies/../shared/base.yaml",
        ),
        (
            (
                "validate",
                "policies/house.yaml",
                "--waivers",
                "waivers.yaml",
                "--report",
                "sarif=PLACE",
            ),
            "waivers.yaml",
            "--waivers waivers.yaml",
        ),
        (
            ("test", "policies/house.yaml", "--report", "junit=PLACE"),
            "policies/house.yaml",
            "the policy",
        ),
        (
            ("test", "policies/house.yaml", "--report", "junit=PLACE"),
            "policies/house.test.yaml",
            "the tests",
        ),
        (
            ("validate", "policies/house.test.yaml", "--report", "sarif=PLACE"),
            "shared/base.yaml",
            "the policy policies/../shared/base.yaml",
        ),
        (
            ("validate", "waivers.yaml", "--report", "sarif=PLACE"),
            "waivers.yaml",
            "the waivers waivers.yaml",
        ),
        ((*AUDIT[:1], "-p", "facts.yaml", *AUDIT[3:], "--report", "csv=PLACE"), "f.csv", "f.csv"),
        ((*AUDIT, "--facts", "own=f.csv", "--report", "csv=PLACE"), "f.csv", "--facts f.csv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_report_takes_the_place_of_nothing_that_is_read(
    command: tuple[str, ...], place: str, named: str, house: Path
):
    if "part-7.xml" in command:
        (house / "part-7.xml").write_text(WAIVERS)
    before = everything(house)
    done = run([word.replace("PLACE", place) for word in command], house)
    assert done.returncode == 2, done.stderr
    assert named in done.stderr
    assert "this run would write its report there" in done.stderr
    assert everything(house) == before


@pytest.mark.parametrize("how", ["link", "hard link", "another way", "standard input", "stdout"])
def test_a_file_is_known_by_any_name(how: str, house: Path):
    if how == "link":
        (house / "other").symlink_to("waivers.yaml")
    elif how == "hard link":
        os.link(house / "waivers.yaml", house / "other")
    place = "policies/../waivers.yaml" if how == "another way" else "other"
    before = everything(house)
    judged = "auditor audit -p policies/house.yaml --waivers waivers.yaml"
    script = {
        "standard input": f"{judged} --snapshot - --report json=listing.json < listing.json",
        "stdout": f"{judged} --snapshot listing.json --report json=- >> waivers.yaml",
    }.get(how, f"{judged} --snapshot listing.json --report json={place}")
    done = shell(script, house)
    assert done.returncode == 2, done.stderr
    assert everything(house) == before


def test_what_is_refused_costs_no_other_report_its_placeholder(house: Path):
    reports = ["--report", "html=old.html", "--report", "junit=old.xml"]
    assert run([*AUDIT, *reports], house).returncode == 0
    more = "--report json=new.json --report csv=waivers.yaml --waivers waivers.yaml"
    done = run([*AUDIT, *reports, *more.split()], house)
    assert done.returncode == 2
    assert (house / "waivers.yaml").read_text() == WAIVERS
    assert "did not finish" in (house / "old.html").read_text()
    assert "did not finish" in (house / "old.xml").read_text()
    assert not (house / "new.json").exists()


def test_devices_are_read_and_written_at_once(house: Path):
    done = run([*AUDIT, "--report", "json=/dev/null", "--baseline", "known.json"], house)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "takes", [lambda path: path.suffix == ".yaml", lambda path: len(path.parts) == 1]
)
def test_a_folder_says_which_of_its_files_are_read(takes: Callable[[Path], bool], tmp_path: Path):
    inputs = Inputs()
    inputs.add_folder("the policies in", tmp_path, takes)
    inputs.refuse("json", Target(tmp_path / "in" / "report.json"))
    inputs.refuse("json", Target(tmp_path.parent / "a.yaml"))
    with pytest.raises(UsageError, match=r"the policies in .* would write its snapshot there"):
        inputs.refuse("json", Target(tmp_path / "a.yaml"), "snapshot")
