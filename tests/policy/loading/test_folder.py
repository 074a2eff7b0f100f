"""A folder of policies: everything that may be in one is read, refused or reported."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from auditor.errors import PolicyError, UsageError
from auditor.policy.loading.folder import read_folder, would_be_read
from auditor.policy.loading.load import load

POLICY = "policy: {0}\nrules:\n  - {{id: {0}, severity: low, assert: {{paused: false}}}}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder ``policies`` with one policy in it, in the working folder."""
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "policies"
    place.mkdir()
    (place / "house.yaml").write_text(POLICY.format("house"))
    return place


def names() -> list[str]:
    return [entry.rule.id for entry in load(["./policies"]).ruleset.rules]


def refusal() -> str:
    with pytest.raises(UsageError) as caught:
        load(["./policies"])
    return str(caught.value)


def test_a_linked_folder_is_read_and_a_circle_is_not_a_fault(folder: Path) -> None:
    beside = folder.parent / "beside"
    beside.mkdir()
    (beside / "team.yml").write_text(POLICY.format("team"))
    (folder / "linked").symlink_to(beside)
    (folder / "again").symlink_to(beside)
    (beside / "back").symlink_to(folder)
    (folder / "circle").symlink_to(".")
    assert sorted(names()) == ["house", "team"]


def test_a_suffix_in_capitals_is_read(folder: Path) -> None:
    (folder / "LOUD.YAML").write_text(POLICY.format("loud"))
    assert sorted(names()) == ["house", "loud"]


@pytest.mark.parametrize("name", ["gone.yaml", "gone.YML", "gone"])
@pytest.mark.parametrize("target", ["nowhere.yaml", "itself"])
def test_a_link_that_leads_nowhere_is_refused(folder: Path, name: str, target: str) -> None:
    (folder / name).symlink_to(name if target == "itself" else target)
    assert f"policies/{name}: this link is broken" in refusal()


def test_a_pipe_or_a_socket_called_as_a_policy_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")
    assert "policies/pipe.yaml: this is a pipe or a device" in refusal()
    (folder / "pipe.yaml").unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(folder)  # the name of a socket may be no longer than a hundred letters
        try:
            listening.bind("talk.yml")
        finally:
            os.chdir(here)
        assert "policies/talk.yml: this is a pipe or a device" in refusal()


def test_a_folder_called_as_a_policy_is_refused(folder: Path) -> None:
    (folder / "team.yaml").mkdir()
    assert "policies/team.yaml: this is a folder with the name of a policy" in refusal()


def test_tests_that_hold_rules_are_refused(folder: Path) -> None:
    (folder / "team.test.yaml").write_text(POLICY.format("team"))
    with pytest.raises(PolicyError) as caught:
        load(["./policies"])
    (problem,) = caught.value.problems
    assert "team.test.yaml is the name of a test file, but it holds rules" in problem.message
    assert (problem.position.file, problem.position.line) == ("policies/team.test.yaml", 2)


@pytest.mark.parametrize("name", [".team.yaml", ".team/rules.yaml"])
def test_what_is_hidden_is_told_of_and_refused_under_strict(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(POLICY.format("team"))
    (warning,) = load(["./policies"]).warnings
    assert warning.message == "this file is hidden and was not read"
    assert warning.position.file == f"policies/{name.partition('/')[0]}"
    assert names() == ["house"]
    with pytest.raises(PolicyError, match="is hidden"):
        load(["./policies"], strict=True)


@pytest.mark.parametrize(
    "name",
    ["README.md", "schema.json", "notes.txt", ".gitignore", ".#house.yaml", "team.test.yaml"],
)
def test_other_files_are_left_alone(folder: Path, name: str) -> None:
    (folder / name).write_text("tests: []\n")
    assert not load(["./policies"], strict=True).warnings
    assert names() == ["house"]


def test_a_volume_of_kubernetes_is_read_by_the_names_that_do_not_change(folder: Path) -> None:
    data = folder / "..2026_01_01"
    data.mkdir()
    (folder / "house.yaml").rename(data / "house.yaml")
    (folder / "..data").symlink_to(data.name)
    (folder / "house.yaml").symlink_to("..data/house.yaml")
    loaded = load(["./policies"], strict=True)
    assert [policy.file for policy in loaded.ruleset.policies] == ["policies/house.yaml"]


def test_a_bare_name_is_a_folder_where_no_pack_has_it(folder: Path) -> None:
    assert [entry.rule.id for entry in load(["policies"]).ruleset.rules] == ["house"]
    folder.rename(folder.parent / "baseline")
    assert len(load(["baseline"]).ruleset.rules) > 1, "a pack comes first"


def test_a_folder_that_may_not_be_entered_is_named(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0)
    try:
        if not os.access(closed, os.R_OK):
            assert "policies/closed: cannot be read" in refusal()
        else:  # root may enter anything
            assert names() == ["house"]
    finally:
        closed.chmod(0o700)


def test_exactly_the_listed_files_are_read(folder: Path) -> None:
    for name in ("a.yaml", "b.YML", ".c.yaml", "d.txt"):
        (folder / name).write_text(POLICY.format(name[-6:-5]))
    found = {path.name for path in read_folder(folder).policies}
    assert {p.name for p in folder.iterdir() if would_be_read(p.relative_to(folder))} == found
