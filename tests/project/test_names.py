"""Names: one class, one name; nothing of the product looks like a test."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from tests.builders.sources import syntax_trees

ROOT = Path(__file__).parents[2]


def test_no_two_classes_share_a_name():
    places: dict[str, list[Path]] = defaultdict(list)
    for path, tree in syntax_trees().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                places[node.name].append(path)
    assert len(places) > 300
    assert {name: several for name, several in places.items() if len(several) > 1} == {}


def test_nothing_of_the_product_begins_with_test():
    assert [path for path in syntax_trees() if path.name.startswith("test_")] == []
    names = [
        (path, node.name)
        for path, tree in syntax_trees().items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    ]
    assert [each for each in names if each[1].startswith("test_")] == []


def test_no_file_holds_what_a_merge_left_open():
    marks = ("<" * 7 + " ", ">" * 7 + " ")
    paths = [
        path
        for folder in ("auditor", "reports", "policies", "docs", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert len(paths) > 700
    assert [
        path
        for path in paths
        if any(line.startswith(marks) for line in path.read_text(errors="replace").splitlines())
    ] == []
