"""Text goes where the user said, for every command: a file, a pipe, a device, a stream, a link."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.builders.command import environment, in_bash, run, shell
from tests.builders.listed import HOUSE, record
from tests.output.test_inputs import AUDIT

#: A command that writes to PLACE, and what stands in what it wrote.
COMMANDS = {
    "audit": ("audit -p house.yaml --snapshot listing.json --report json=PLACE", '"gate"'),
    "compare": ("compare known.json known.json --report json=PLACE", '"by_rule"'),
    "validate": ("validate house.yaml --report sarif=PLACE", '"runs"'),
    "test": ("test house.yaml --report junit=PLACE", "<testsuites>"),
    "schema": ("schema -o PLACE", '"$schema"'),
}
STREAMS = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a policy, a listing and the report of a run that passed."""
    folder = tmp_path_factory.mktemp("audited")
    tests = (
        "  - {id: t, severity: low, assert: {paused: false}, tests: [{given: {}, expect: pass}]}"
    )
    (folder / "house.yaml").write_text(f"{HOUSE}{tests}\n")
    answer = {"code": "Success", "data": {"items": [record("a")], "next_cursor": None}}
    (folder / "listing.json").write_text(json.dumps(answer))
    report = "audit -p house.yaml --snapshot listing.json --report json=known.json"
    assert run(report.split(), folder).returncode == 0
    return folder


@pytest.fixture(name="house")
def _house(tmp_path: Path, audited: Path) -> Path:
    return Path(shutil.copytree(audited, tmp_path, dirs_exist_ok=True))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_that_is_not_there_yet_is_made(name: str, house: Path):
    command, held = COMMANDS[name]
    done = run(command.replace("PLACE", "new/folder/file").split(), house)
    assert done.returncode == 0, done.stderr
    assert held in (house / "new" / "folder" / "file").read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_standard_output_by_any_name(name: str, house: Path):
    command, held = COMMANDS[name]
    for place in STREAMS if name in {"validate", "schema"} else STREAMS[1:2]:
        done = run(command.replace("PLACE", place).split(), house)
        assert done.returncode == 0, done.stderr
        assert held in done.stdout
    assert not list(house.glob("audit-report"))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_fifo_stays_one(name: str, house: Path):
    command, held = COMMANDS[name]
    os.mkfifo(house / "fifo")
    done = shell(f"cat fifo > read & auditor {command.replace('PLACE', 'fifo')} && wait", house)
    assert done.returncode == 0, done.stderr
    assert (house / "fifo").is_fifo()
    assert held in (house / "read").read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_device_is_4_and_stays(name: str, house: Path):
    command, _ = COMMANDS[name]
    done = run(command.replace("PLACE", "/dev/full").split(), house)
    assert done.returncode == 4, done.stderr
    assert "no space is left" in done.stderr
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_link_is_followed_and_a_circle_is_reported(name: str, house: Path):
    command, held = COMMANDS[name]
    (house / "link").symlink_to("real")
    assert run(command.replace("PLACE", "link").split(), house).returncode == 0
    assert (house / "link").is_symlink()
    assert held in (house / "real").read_text()
    (house / "round").symlink_to("round")
    done = run(command.replace("PLACE", "round").split(), house)
    assert done.returncode == 4, done.stderr
    assert "go in circles" in done.stderr


def test_standard_error_is_written_and_not_replaced(house: Path):
    command = COMMANDS["audit"][0].replace("PLACE", "/dev/stderr")
    done = shell(f"echo before > log; auditor {command} 2>> log", house)
    assert done.returncode == 0
    assert (house / "log").read_text().startswith("before\n{")
    assert '"gate"' in (house / "log").read_text()


def test_a_descriptor_of_ones_own(house: Path):
    command = COMMANDS["audit"][0].replace("PLACE", "/dev/fd/7")
    assert shell(f"auditor {command} 7> here", house).returncode == 0
    assert '"gate"' in (house / "here").read_text()
    done = shell(f"auditor {command}", house)
    assert done.returncode == 4
    assert "/dev/fd/7: it is closed" in done.stderr


def test_init_writes_through_links_and_over_no_device(tmp_path: Path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "policies").symlink_to("kept")
    done = run(["init"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "kept" / "house.yaml").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["audit", "validate"])
def test_a_fifo_that_nobody_reads_is_given_up(name: str, house: Path):
    os.mkfifo(house / "fifo")
    done = run(COMMANDS[name][0].replace("PLACE", "fifo").split(), house)
    assert done.returncode == 4
    assert "no process reads from it; start the reader first" in done.stderr
    assert (house / "fifo").is_fifo()


@pytest.mark.parametrize("file", ["history.ndjson", "open.json", ".lock"])
def test_a_fifo_in_a_history_is_reported(file: str, house: Path):
    (house / "kept").mkdir()
    os.mkfifo(house / "kept" / file)
    command = "audit -p house.yaml --snapshot listing.json --history kept"
    done = run(command.split(), house)
    assert done.returncode == 4
    assert f"{file} is not a file" in done.stderr


@pytest.mark.parametrize(
    "command",
    ["audit -p house.yaml --snapshot listing.json", "validate ./house.yaml", "test ./house.yaml",
     "compare known.json known.json", "schema -o x", "init", "explain", "fetch"],
)  # fmt: skip
def test_a_working_folder_that_is_gone_is_reported(command: str, house: Path):
    done = subprocess.run(
        in_bash(f"mkdir gone && cd gone && rmdir ../gone && auditor {command}"),
        cwd=house, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in {2, 4}, done.stderr
    assert "Traceback" not in done.stderr
    assert "this is a bug" not in done.stderr


NUMBERS = ("nan", "inf", "-inf", "-1", "1e999", "1e300", "x", "")


@pytest.mark.parametrize("option", ["--timeout", "--max-wait"])
@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_no_clock_reaches_is_2(option: str, number: str, house: Path):
    done = run(["audit", "-p", "house.yaml", option, number], house)
    assert done.returncode == 2, done.stderr
    assert option in done.stderr


def test_numbers_of_the_file_and_the_environment_too(house: Path):
    done = run(["audit", "-p", "house.yaml"], house, {"FIVETRAN_AUDITOR_TIMEOUT": "nan"})
    assert done.returncode == 2
    assert "FIVETRAN_AUDITOR_TIMEOUT" in done.stderr
    (house / "auditor.yaml").write_text("max_wait: .inf\n")
    assert run(["audit", "-p", "house.yaml"], house).returncode == 2


def test_a_folder_that_may_not_be_entered_is_reported(house: Path, as_nobody: list[str]):
    (house / "policies" / "closed").mkdir(parents=True)
    (house / "policies" / "closed").chmod(0)
    done = subprocess.run(
        [*as_nobody, *in_bash("auditor validate policies/")],
        cwd=house, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    (house / "policies" / "closed").chmod(0o755)
    assert done.returncode == 2, done.stderr
    assert "policies/closed" in done.stderr


@pytest.fixture(name="as_nobody")
def _as_nobody(house: Path) -> list[str]:
    if os.geteuid():
        return []
    for path in (house, *house.parents[:2]):
        path.chmod(0o755)
    return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def test_an_audit_again_is_the_same_bytes(house: Path):
    (house / "policies").mkdir()
    (house / "house.yaml").rename(house / "policies" / "house.yaml")
    reports = []
    for name in ("a.json", "b.json"):
        words = [*AUDIT, "--now", "2026-03-10T12:00:00Z", "--report", f"json={name}"]
        assert run(words, house).returncode == 0
        reports.append((house / name).read_bytes())
    assert reports[0] == reports[1]
