"""A module's tests stand in its place under its name, and every test file has a place."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Where tests stand that are about no single module. CONTRIBUTING says what each is for.
ELSEWHERE = ("builders", "project", "proofs", "runs")
#: The modules without a test file of their own, each with the reason.
WITHOUT: dict[str, str] = {}


def _has_code(path: Path) -> bool:
    """Return whether a module defines a function, or a class with one, or runs something."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.If) for node in tree.body)


def _place(path: Path) -> str:
    """Return where the tests of a module of ours stand: ``past/compare`` for one.

    The code of a package is tested under the package's name, within its folder.
    """
    inner = path.relative_to(ROOT / "auditor").with_suffix("")
    return str(inner.parent / (path.parent.name if inner.name == "__init__" else inner.name))


MODULES = {_place(path): path for path in sorted((ROOT / "auditor").rglob("*.py"))}
TESTS = {
    str(path.parent.relative_to(ROOT / "tests") / path.stem.removeprefix("test_"))
    for path in sorted((ROOT / "tests").rglob("test_*.py"))
    if path.relative_to(ROOT / "tests").parts[0] not in ELSEWHERE
}


def test_every_module_with_code_has_tests_of_its_name():
    missing = {place for place, path in MODULES.items() if _has_code(path)} - TESTS
    assert missing == set(WITHOUT)


def test_every_test_file_is_of_a_module():
    """One or several: ``test_html.py``, and ``test_html_browsing.py`` beside it."""
    strangers = [
        test
        for test in TESTS
        if not any(test == module or test.startswith(f"{module}_") for module in MODULES)
    ]
    assert sorted(strangers) == []


def test_every_exception_has_a_reason():
    assert all(len(reason) > 20 for reason in WITHOUT.values())
