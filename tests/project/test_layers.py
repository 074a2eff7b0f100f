"""Imports point down only, rooms on one floor do not import each other, and no cycles."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.builders.sources import PACKAGE, syntax_trees

#: The floors of the house, top first; what stands on none of them is the ground.
FLOORS = (
    ("cli",),
    ("run",),
    ("reports", "acceptance"),
    ("policy",),
    ("sources", "facts", "past", "sandbox"),
    ("decoding", "redaction", "output"),
)
#: The floors within rooms that have several.
INNER = {
    "cli": (("main", "commands"), ("config",), ("options",), ("terminal",)),
    "run": (
        ("halves",),
        ("acceptance", "reader", "result"),
        ("setup", "walk"),
        ("clock", "plan"),
        ("options", "scrub"),
    ),
    "policy": (
        ("testing", "schemas"),
        ("analysis",),
        ("loading", "judging"),
        ("language",),
    ),
    "sources": (("api", "saved", "plan"), ("background",), ("stream",)),
}


def _modules() -> dict[str, Path]:
    """Return every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        steps = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(steps[:-1] if steps[-1] == "__init__" else steps)] = path
    return found


MODULES = _modules()


def _level(name: str, floors: Sequence[tuple[str, ...]]) -> int:
    """Return the floor that has the room ``name``; one below the last for the ground."""
    return next((n for n, rooms in enumerate(floors) if name in rooms), len(floors))


def _steps(module: str) -> list[str]:
    return module.split(".")[1:]


def _room(module: str) -> str:
    """Return the room of a module, "" for the ground and for the package's own doors."""
    first = (_steps(module) or [""])[0]
    return first if any(first in rooms for rooms in FLOORS) else ""


def _imports(path: Path) -> Iterator[str]:
    """Yield our modules that a file imports, including deferred and type-checking imports."""
    for node in ast.walk(syntax_trees()[path]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports say where from, from the top"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                name = inner if inner in MODULES else str(node.module)
                if name in MODULES:
                    yield name


#: The doors of the package know the rooms behind them, and no room knows the doors.
DOORS = ("auditor", "auditor.__main__")


@cache
def edges() -> list[tuple[str, str]]:
    """Return every module, with each that it imports."""
    return [
        (module, imported)
        for module, path in MODULES.items()
        for imported in dict.fromkeys(_imports(path))
        if module not in DOORS and imported != module
    ]


def test_there_is_something_to_look_at():
    assert {_room(module) for module in MODULES} >= {"", *(FLOORS[0] + FLOORS[2] + FLOORS[3])}
    assert ("auditor.cli.commands.audit", "auditor.run") in edges()


def test_nothing_knows_the_doors():
    assert [edge for edge in edges() if edge[1] in DOORS] == []


def test_imports_point_down():
    upward = [
        edge for edge in edges() if _level(_room(edge[0]), FLOORS) > _level(_room(edge[1]), FLOORS)
    ]
    assert upward == []


def test_rooms_of_one_floor_do_not_import_each_other():
    across = [
        edge
        for edge in edges()
        if _room(edge[0]) != _room(edge[1])
        and _room(edge[0])
        and _level(_room(edge[0]), FLOORS) == _level(_room(edge[1]), FLOORS)
    ]
    assert across == []


@pytest.mark.parametrize("room", INNER)
def test_imports_point_down_within_a_room(room: str):
    floors = INNER[room]
    wrong = []
    for module, imported in edges():
        if _room(module) != room or _room(imported) != room:
            continue
        own, other = _steps(module)[1:2], _steps(imported)[1:2]
        if not own or not other or own == other:  # a room's own door, or the same inner room
            continue
        if _level(own[0], floors) >= _level(other[0], floors):
            wrong.append((module, imported))
    assert wrong == []


@pytest.mark.parametrize("room", INNER)
def test_every_inner_room_has_a_floor(room: str):
    inner = {
        _steps(module)[1] for module in MODULES if _room(module) == room and len(_steps(module)) > 1
    }
    assert inner <= {name for floor in INNER[room] for name in floor}


def test_no_import_goes_round():
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for module, imported in edges():
        graph[module].add(imported)
    # Raises CycleError, which names the cycle.
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


def test_a_module_is_named_in_an_import_or_in_a_table():
    """An import by name would hide from the tests above: only the tables of names make one."""
    callers = {
        module
        for module, path in MODULES.items()
        if "import_module(" in path.read_text(encoding="utf-8")
    }
    assert callers == {"auditor", "auditor.cli.main", "auditor.reports"}


HEAVY = ("jinja2", "requests", "urllib3", "jsonschema", "yaml", "msgspec", "re2", "http.client")


@pytest.mark.parametrize(
    ("arguments", "without"),
    [
        (["--version"], HEAVY),
        (["--help"], HEAVY),
        (["audit", "--help"], ("jinja2", "requests", "urllib3", "jsonschema", "http.client")),
        (["sandbox", "--help"], HEAVY),
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_loaded_for_nothing(arguments: list[str], without: tuple[str, ...]):
    script = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('LOADED', *sys.modules))\n"
        "from auditor.cli.main import main\n"
        f"main({arguments!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = done.stdout.split("LOADED ")[1].split()
    assert "auditor.cli.main" in loaded
    assert sorted(set(without) & set(loaded)) == []
