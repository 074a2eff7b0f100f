"""Which policies are loaded if none are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.cli.options.policies import policy_names
from auditor.errors import UsageError
from tests.builders.command import run


@pytest.mark.parametrize("kind", ["file", "dangling"])
def test_a_file_called_policies_is_not_replaced_by_a_pack(folder: Path, kind: str):
    if kind == "file":
        (folder / "policies").write_text("")
    else:
        (folder / "policies").symlink_to("gone")
    done = run(["audit", "--snapshot", "saved.json"], folder)
    assert done.returncode == 2
    assert "./policies is not a folder of policies" in done.stderr


@pytest.mark.parametrize("chosen", [("cost",), ("./a.yaml", "b/")])
def test_exactly_the_chosen_policies_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: tuple[str, ...]
):
    (tmp_path / "policies").mkdir()
    monkeypatch.chdir(tmp_path)
    assert policy_names(chosen) == (chosen, "")


def test_the_folder_policies_comes_before_the_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    names, how = policy_names(())
    assert (names, how) == (("baseline",), "the shipped pack baseline; choose with --policy")
    (tmp_path / "policies").mkdir()
    assert policy_names(()) == (("./policies",), "./policies, which is there")
    (tmp_path / ".git").mkdir()
    (tmp_path / "deep" / "down").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "down")
    assert policy_names(()) == (("../../policies",), "../../policies, which is there")


def test_a_link_to_nothing_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "policies").symlink_to("gone")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"\./policies is not a folder of policies"):
        policy_names(())
