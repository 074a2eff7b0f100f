"""The mutants of the page's scripts: code that decides, nothing in a text or a pattern."""

from __future__ import annotations

import pytest

from tests.proofs.mutation import ROOT, scripts
from tests.proofs.script_mutants import script_mutants


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("x = a === b;", {"x = a !== b;", ";"}),
        ("x = a < 1;", {"x = a <= 1;", "x = a >= 1;", "x = a < 2;", ";"}),
        ("return a && !b;", {"return a || !b;", "return a && b;"}),
        ("if (open) stop(a);", {"if (!(open)) stop(a);"}),
        ("stop(a);", {";"}),
        ('note("a < b && 1 // c", /<1!/);', {";"}),
        ("go `a < ${b + 1} && c`;", {"go `a < ${b - 1} && c`;", "go `a < ${b + 2} && c`;"}),
        ("return a / b; // 1 < 2", {"return a * b; // 1 < 2"}),
        ("return all.some(isOne);", {"return all.every(isOne);"}),
        ("const some = (min) => 0.5;", {"const some = (min) => 1.5;"}),
    ],
)  # fmt: skip
def test_a_line_is_broken_where_it_decides(line: str, changed: set[str]) -> None:
    assert {text for _, text in script_mutants(line)} == changed


def test_a_mutant_says_in_which_function_it_is() -> None:
    source = (
        "function first() {\n  a(1);\n}\nclass Table {\n  draw(rows) {\n    return 1;\n  }\n}\n"
    )
    assert [(mutant.function, mutant.change) for mutant, _ in script_mutants(source)] == [
        ("first", "- a(1);\n+ a(2);"),
        ("draw", "- return 1;\n+ return 2;"),
        ("first", "- a(1);\n+ ;"),
    ]


@pytest.mark.parametrize("path", scripts())
def test_every_script_of_the_page_is_read_and_broken(path: str) -> None:
    source = (ROOT / path).read_text(encoding="utf-8")
    made = list(script_mutants(source))
    assert len(made) > 9
    assert all(text != source for _, text in made)
    assert len({mutant for mutant, _ in made}) == len(made)
