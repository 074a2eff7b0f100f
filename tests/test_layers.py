"""Imports point down only, rooms on one floor do not know each other, and nothing goes round."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "auditor"
ROOMS = ("sources", "policy", "reports", "sandbox")
GROUND = 4


def _modules() -> dict[str, Path]:
    """Return every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        steps = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(steps[:-1] if steps[-1] == "__init__" else steps)] = path
    return found


MODULES = _modules()


def _floor(module: str) -> int:
    """Return the floor that design has a module on: 1 is the command line, 4 the ground."""
    steps = module.split(".")
    if module in ("auditor", "auditor.__main__") or steps[1] == "cli":
        return 1
    if module == "auditor.run":
        return 2
    return 3 if steps[1] in ROOMS else GROUND


def _room(module: str) -> str:
    return module.split(".")[1] if _floor(module) == 3 else ""


def _imports(path: Path, *, at_load: bool = False) -> Iterator[str]:
    """Yield the modules of ours that a file imports; ``at_load`` leaves the deferred ones out."""
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if at_load and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if at_load and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        pending += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports say where from, from the top"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                name = inner if inner in MODULES else str(node.module)
                if name in MODULES:
                    yield name


# The version stands in the package itself, and everything may say it.
EDGES = [
    (module, imported)
    for module, path in MODULES.items()
    for imported in dict.fromkeys(_imports(path))
    if module != "auditor" and imported != "auditor"
]


def test_there_is_something_to_look_at():
    assert {_room(module) for module in MODULES} == {"", *ROOMS}
    assert ("auditor.cli.audit", "auditor.run") in EDGES


def test_imports_point_down():
    upward = [edge for edge in EDGES if _floor(edge[0]) > _floor(edge[1])]
    assert upward == []


def test_rooms_do_not_know_each_other():
    across = [
        (module, imported)
        for module, imported in EDGES
        if _room(module) and _room(imported) and _room(module) != _room(imported)
    ]
    assert across == []


def test_no_import_goes_round():
    graph = {
        module: set(_imports(path, at_load=True)) - {"auditor", module}
        for module, path in MODULES.items()
    }
    # Raises CycleError, which names the cycle.
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)


def test_the_package_itself_imports_nothing_of_ours():
    assert list(_imports(PACKAGE / "__init__.py", at_load=True)) == []


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
        "from auditor.cli import main\n"
        f"main({arguments!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = done.stdout.split("LOADED ")[1].split()
    assert "auditor.cli" in loaded
    assert sorted(set(without) & set(loaded)) == []
