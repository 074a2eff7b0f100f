"""Where reports for code hosts point: at files of the user's repository, and nowhere else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.builders.command import run
from tests.builders.saved_listings import record
from tests.reports.test_sarif import SCHEMA

# Violates no-pause-after-trial and auto-schedule of the pack baseline, and the rule below.
RECORD = record("warm_lake", pause_after_trial=True, schedule_type="manual", paused=True)
RULES = """
rules:
  - {id: not-paused, severity: high, assert: {paused: false}}
"""
EXTENDING = f"""policy: house
extends:
  - baseline
override:
  auto-schedule: {{severity: high}}{RULES}"""
OF_BASELINE = ("no-pause-after-trial", "auto-schedule")
ALL = (*OF_BASELINE, "not-paused")


def audited(folder: Path, *options: str, only: tuple[str, ...] = ALL) -> dict[str, str]:
    """Return what SARIF, GitHub's and GitLab's report say, in a folder with a saved listing."""
    (folder / "listing.json").write_text(json.dumps([RECORD]))
    names = ("sarif", "github", "gitlab")
    formats = [word for name in names for word in ("--report", f"{name}={name}.out")]
    chosen = [f"--only={rule}" for rule in only]
    done = run(["audit", "--snapshot", "listing.json", *formats, *chosen, *options], folder)
    assert done.returncode == 1, done.stderr
    return {name: (folder / f"{name}.out").read_text() for name in names}


def sarif_places(text: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return the places that SARIF names for each rule, related ones behind."""
    document = json.loads(text)
    jsonschema.validate(document, SCHEMA)
    places = {}
    for result in document["runs"][0]["results"]:
        found = []
        for location in (*result["locations"], *result.get("relatedLocations", [])):
            physical = location["physicalLocation"]
            artifact = physical["artifactLocation"]
            line = physical["region"]["startLine"]
            found.append((artifact["uri"], artifact.get("uriBaseId"), line))
        places[result["ruleId"]] = found
    return places


def github_places(text: str) -> dict[str, tuple[str, str] | None]:
    """Return the file and line of each rule's annotation."""
    places: dict[str, tuple[str, str] | None] = {}
    for command in text.splitlines():
        if title := re.search(r"title=\w+%3A ([\w-]+)", command):
            place = re.search(r"file=([^,]+),line=(\d+)", command)
            places[title[1]] = (place[1], place[2]) if place else None
    return places


def gitlab_places(text: str) -> dict[str, tuple[str, int]]:
    """Return the path and line of each rule's issue."""
    found = {issue["check_name"]: issue["location"] for issue in json.loads(text)}
    return {rule: (place["path"], place["lines"]["begin"]) for rule, place in found.items()}


def line_in_pack(rule: str) -> int:
    """Return the line of a rule in the pack baseline."""
    text = (Path(__file__).parents[2] / "policies" / "baseline.yaml").read_text()
    return text[: text.index(f"- id: {rule}\n")].count("\n") + 1


def test_a_rule_of_a_pack_is_placed_where_the_users_policy_brings_it(tmp_path: Path):
    (tmp_path / "house.yaml").write_text(EXTENDING)
    said = audited(tmp_path, "-p", "./house.yaml")
    # The line that extends, the line that overrides, the rule's own line.
    lines = {"no-pause-after-trial": 3, "auto-schedule": 5, "not-paused": 7}
    assert github_places(said["github"]) == {
        rule: ("house.yaml", str(line)) for rule, line in lines.items()
    }
    assert gitlab_places(said["gitlab"]) == {
        rule: ("house.yaml", line) for rule, line in lines.items()
    }
    sarif = sarif_places(said["sarif"])
    assert sarif["not-paused"] == [("house.yaml", None, 7)]
    for rule in OF_BASELINE:
        in_pack = ("baseline.yaml", "PACKS", line_in_pack(rule))
        assert sarif[rule] == [("house.yaml", None, lines[rule]), in_pack]


def test_a_pack_that_no_file_names_is_looked_for_in_no_repository(tmp_path: Path):
    said = audited(tmp_path, "-p", "baseline", only=OF_BASELINE)
    assert github_places(said["github"]) == dict.fromkeys(OF_BASELINE)
    assert "rule: pack:baseline:" in said["github"]
    # GitLab wants a path: the file in which a repository names packs.
    assert gitlab_places(said["gitlab"]) == dict.fromkeys(OF_BASELINE, ("auditor.yaml", 1))
    for rule in OF_BASELINE:
        expected = [("baseline.yaml", "PACKS", line_in_pack(rule))]
        assert sarif_places(said["sarif"])[rule] == expected
    assert "PACKS" in json.loads(said["sarif"])["runs"][0]["originalUriBaseIds"]


@pytest.mark.parametrize("extends", ["extends: [baseline]", ""], ids=["extended", "beside it"])
def test_a_file_of_ones_own_may_be_called_like_a_pack(tmp_path: Path, extends: str):
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "baseline.yaml").write_text(f"policy: baseline\n{extends}{RULES}")
    said = audited(tmp_path, "-p", "policies/", *(() if extends else ("-p", "baseline")))
    sarif = sarif_places(said["sarif"])
    # Neither hides the other, and each stands where it stands.
    assert sarif.keys() == set(ALL)
    assert sarif["not-paused"] == [("policies/baseline.yaml", None, 4)]
    place = ("policies/baseline.yaml", None, 2)
    in_pack = ("baseline.yaml", "PACKS", line_in_pack("auto-schedule"))
    assert sarif["auto-schedule"] == ([place, in_pack] if extends else [in_pack])


def test_a_pack_that_is_extended_by_way_of_another_file(tmp_path: Path):
    (tmp_path / "base.yaml").write_text("policy: base\nextends: [baseline]\n")
    (tmp_path / "house.yaml").write_text(f"policy: house\nextends: [./base.yaml]{RULES}")
    said = audited(tmp_path, "-p", "./house.yaml")
    assert gitlab_places(said["gitlab"])["auto-schedule"] == ("base.yaml", 2)
