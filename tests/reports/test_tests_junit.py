"""The JUnit report of rules' tests: a suite per rule, read by others, never a stale green."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from junitparser import Failure, JUnitXml

from auditor.reports.facts import UNFINISHED
from tests.builders.command import run
from tests.builders.tested_house import CASES, HOUSE, WRONG


@pytest.fixture
def house(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "house.yaml").write_text(HOUSE)
    (folder / "house.test.yaml").write_text(CASES)
    return tmp_path


def test_the_report_is_read_by_junitparser(house):
    (house / "policies/house.yaml").write_text(HOUSE + WRONG)
    done = run(["test", "--report", "junit"], house)
    assert done.returncode == 1
    suites = {
        suite.name: suite for suite in JUnitXml.fromfile(str(house / "test-report/junit.xml"))
    }
    assert suites.keys() == {"runs", "sync-frequency-bounds"}
    assert (suites["runs"].tests, suites["runs"].failures) == (5, 1)
    names = [(case.classname, case.name) for suite in suites.values() for case in suite]
    assert len(set(names)) == len(names) == 6
    (failed,) = [case for case in suites["runs"] if case.result]
    assert isinstance(failed.result[0], Failure)
    assert failed.result[0].message == "expected pass, got fail"
    assert "policies/house.yaml:13:9" in failed.result[0].text


def test_a_report_on_standard_output_has_it_for_itself(house):
    done = run(["test", "--report", "junit=-"], house)
    assert done.returncode == 0
    report = JUnitXml.fromstring(done.stdout.encode())
    assert sum(len(list(suite)) for suite in report) == 5
    assert done.stderr.endswith("5 passed\n")


def test_a_failed_run_leaves_no_green_report(house):
    path = house / "junit.xml"
    assert run(["test", "--report", "junit=junit.xml"], house).returncode == 0
    green = path.read_text()
    (house / "policies/house.yaml").write_text("policy: house\n")
    assert run(["test", "--report", "junit=junit.xml"], house).returncode == 2
    assert path.read_text() != green
    assert UNFINISHED in path.read_text()


def test_a_report_goes_down_a_pipe_whole(house):
    os.mkfifo(house / "pipe")
    with subprocess.Popen(["cat", "pipe"], cwd=house, stdout=subprocess.PIPE) as reader:
        done = run(["test", "--report", "junit=pipe"], house)
        text, _ = reader.communicate(timeout=30)
    assert done.returncode == 0
    assert sum(len(list(suite)) for suite in JUnitXml.fromstring(text)) == 5


def test_a_report_that_cannot_be_written_is_4(house):
    (house / "taken").write_text("")
    done = run(["test", "--report", "junit=taken/junit.xml"], house)
    assert done.returncode == 4
    assert "a part of the path is a file" in done.stderr
