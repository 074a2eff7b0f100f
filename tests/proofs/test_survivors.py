"""The list of mutants that no test notices: each has a reason, and its code exists."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from itertools import chain

import pytest

from tests.proofs.mutants import mutants_of
from tests.proofs.mutation import (
    ROOT,
    held,
    held_by,
    is_called,
    listed,
    main,
    modules,
    scripts,
)  # fmt: skip

ACCEPTED = listed()
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutants"]


@pytest.mark.slow
def test_a_survivor_is_a_change_of_code_that_is_there() -> None:
    for path in {mutant.module for mutant in ACCEPTED}:
        source = (ROOT / path).read_text(encoding="utf-8")
        made = {(mutant.function, mutant.change) for mutant, _ in mutants_of(path, source)}
        own = {(mutant.function, mutant.change) for mutant in ACCEPTED if mutant.module == path}
        assert own - made == set(), "the line has changed: run make mutants"


def test_what_is_held_is_mutated_and_each_once() -> None:
    assert set(held()) <= {*modules(), *scripts()}
    assert held() == sorted(set(held()))
    assert {mutant.module for mutant in ACCEPTED} <= set(held())


def test_every_survivor_has_a_reason() -> None:
    assert all(len(reason) > 20 for reason in ACCEPTED.values())


def test_the_modules_that_are_judged_are_there() -> None:
    for pattern in SETTINGS["modules"] + SETTINGS["without"] + SETTINGS["every_branch"]:
        assert list(ROOT.glob(pattern)), pattern


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


def test_an_unknown_module_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources.api.walk", "wlak"]) == 2
    told = capsys.readouterr().out
    assert told.startswith("no such module: wlak; there are ")
    assert "sources.api.walk" in told


@pytest.mark.parametrize("path", [*modules(), *scripts()])
def test_every_module_is_held_by_tests_that_are_there(path: str) -> None:
    tests = [*chain(*held_by(path))]
    assert tests
    assert all((ROOT / test).is_file() for test in tests)


def test_what_is_named_for_a_module_is_named_for_one_that_is_there() -> None:
    places = {path.removeprefix("auditor/").removesuffix(".py") for path in modules()}
    for pattern in SETTINGS["also"]:
        assert any(fnmatchcase(place, pattern) for place in places), pattern
