"""The list of mutants that no test notices: every entry has a reason, and code it is about."""

from __future__ import annotations

import tomllib

import pytest

from tests.proofs.mutation import ROOT, Mutant, is_called, listed, main, modules

LISTED = listed()


@pytest.mark.parametrize("mutant", LISTED, ids=lambda mutant: f"{mutant.module} {mutant.function}")
def test_a_survivor_is_of_code_that_is_there(mutant: Mutant) -> None:
    assert mutant.module in modules()
    lines = {line.strip() for line in (ROOT / mutant.module).read_text().splitlines()}
    before = [line[2:] for line in mutant.change.splitlines() if line.startswith("- ")]
    assert before
    assert lines.issuperset(before), "the line has changed: run make mutants"
    assert mutant.function.rpartition(".")[2] in (ROOT / mutant.module).read_text()


def test_every_survivor_has_a_reason() -> None:
    assert all(len(reason) > 20 for reason in LISTED.values())


def test_the_modules_that_are_judged_are_there() -> None:
    assert all((ROOT / path).is_file() for path in modules())


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("auditor/sources/api/walk.py", True),
        ("auditor.sources.api.walk", True),
        ("sources/api/walk.py", True),
        ("sources.api", True),
        ("api/", True),
        ("walk", True),
        ("walk.py", True),
        ("client", False),
        ("alk", False),
        ("sources.walk", False),
        ("api.walk.more", False),
        ("", False),
    ],
)
def test_a_module_is_chosen_by_its_path_or_its_room(name: str, meant: bool) -> None:
    assert is_called("auditor/sources/api/walk.py", name) is meant


def test_a_module_that_is_none_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources.api.walk", "wlak"]) == 2
    told = capsys.readouterr().out
    assert told.startswith("no such module: wlak; there are ")
    assert "sources.api.walk" in told


def test_the_tests_that_are_taken_are_there() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    named = options["pytest_add_cli_args_test_selection"]
    named += [a.partition("=")[2] for a in options["pytest_add_cli_args"] if "deselect" in a]
    for name in named:
        path, _, function = name.partition("::")
        assert (ROOT / path).exists(), name
        assert f"def {function}" in (ROOT / path).read_text() if function else True, name
