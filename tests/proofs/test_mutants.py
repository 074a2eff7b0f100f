"""The mutants of a module: all code that decides, and nothing else."""

from __future__ import annotations

import ast

import pytest

from tests.proofs.mutants import mutants
from tests.proofs.mutation import ROOT, modules


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("x = a < b", {"x = a <= b", "x = a >= b"}),
        ("x = a == b", {"x = a != b"}),
        ("x = a is None", {"x = a is not None"}),
        ("x = a and b", {"x = a or b", "x = a", "x = b"}),
        ("x = not a", {"x = a"}),
        ("x = a + 1", {"x = a - 1", "x = a + 2"}),
        ("x = True", {"x = False"}),
        ("x = 'pass'", {"x = 'XXpass'"}),
        ("x = 'A sentence.'", set()),
        ("x += 1", {"pass", "x -= 1", "x += 2"}),
        ("raise a", {"pass"}),
        ("note(a)", {"pass"}),
        ("x = a if b else c", {"x = a if not b else c"}),
        ("x = {a, b}", {"x = {b}", "x = {a}"}),
        ("x = {a: b, c: d}", {"x = {c: d}", "x = {a: b}"}),
        ("x = [a for a in b if c]", {"x = [a for a in b]"}),
        ("x = sorted(a, key=b)", {"x = list(a)", "x = sorted(a)"}),
        ("x = any(a)", {"x = all(a)"}),
        ("x = zip(a, b, strict=True)", set()),
        ("x: int | None = a", set()),
        ("x = int | None", set()),
        ("x = cast('int', a)", set()),
        ("assert a == 1", set()),
        ('"""Doc."""', set()),
    ],
)
def test_what_decides_is_broken(source: str, changed: set[str]) -> None:
    assert {text for _, text in mutants(source)} == changed


def test_of_a_module_that_writes_source_what_it_writes_is_broken() -> None:
    source = "x = f'return {a} is not None and {b}'"
    assert {text for _, text in mutants(source, generates=True)} == {
        "x = f'return {a} is None and {b}'",
        "x = f'return {a} is not None or {b}'",
    }
    assert list(mutants(source)) == []


def test_a_mutant_says_in_which_function_it_is_and_only_what_differs() -> None:
    source = "class A:\n    def b(self):\n        if c:\n            return 1\n"
    assert [(mutant.function, mutant.change) for mutant, _ in mutants(source)] == [
        ("A.b", "- if c:\n+ if not c:"),
        ("A.b", "- return 1\n+ return 2"),
    ]


@pytest.mark.parametrize("path", ["auditor/gate.py", "auditor/policy/language/truth.py"])
def test_every_mutant_of_a_module_is_a_program(path: str) -> None:
    assert path in modules()
    for _, text in mutants((ROOT / path).read_text(encoding="utf-8")):
        ast.parse(text)
