"""A module's tests have its path and name, and every test file has a place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.builders.sources import syntax_trees

ROOT = Path(__file__).parents[2]
#: Where tests stand that are about no single module. CONTRIBUTING says what each is for.
ELSEWHERE = ("adoption", "builders", "project", "proofs", "runs", "terraform")
#: The modules without a test file of their own, each with the reason.
_SERVED = "asked over its socket, as a client asks: sandbox/test_server.py"
_MADE = "seen in the records that it makes: sandbox/test_estate.py"
_PLANNED = "seen in what plans come to: sources/plan/test_estate.py"
_OF_PLANS = "seen in runs on plans: cli/commands/test_audit_terraform_plan.py"
_JOINED = "seen in what is joined: facts/test_join.py and facts/test_own.py"
_TESTED = "seen in what the command prints: cli/commands/test_test.py"
_TABLE = "a table, held to be whole: fields/test_fields.py"
WITHOUT = {
    "__main__": "it starts cli/main.py; every test of the command as a process runs it",
    "cli/terminal/outcomes": _TESTED,
    "policy/testing/suite": _TESTED,
    "decoding/listed": "a value, and nothing that it does",
    "policy/judging/compiler": "held to the plain reading of conditions: proofs/test_laws.py",
    "sources/api/access": "seen in what is read by it: sources/api/test_reach.py",
    "sources/api/listing": "a walk over one list, whichever it is: sources/api/test_walk.py",
    "sources/stream": "the protocol of a source: types, and nothing that they do",
    **{f"sandbox/{name}": _SERVED for name in ("api", "endpoints", "faults", "lists", "reach")},
    **{f"sandbox/{name}": _MADE for name in ("connector_types", "details", "flaws", "oddities")},
    **{f"sandbox/{name}": _MADE for name in ("services", "spoil", "words")},
    **{f"sources/plan/{name}": _PLANNED for name in ("attributes", "connections", "planned")},
    "sources/plan/records": _OF_PLANS,
    **{f"facts/{name}": _JOINED for name in ("dimensions", "files", "gathered", "shape")},
    "policy/loading/facts": _JOINED,
    "sources/api/lists": _JOINED,
    **{f"fields/{name}": _TABLE for name in ("connection", "facts", "kinds")},
}


def _has_code(path: Path) -> bool:
    """Return whether a module defines a function, or a class with one, or runs something."""
    kinds = ast.FunctionDef | ast.ClassDef | ast.If
    return any(isinstance(node, kinds) for node in syntax_trees()[path].body)


def _place(path: Path) -> str:
    """Return where the tests of a module are: ``past/compare`` for one.

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


def test_every_exception_names_where_it_is_tested():
    for reason in WITHOUT.values():
        for path in re.findall(r"[\w/]+\.py", reason):
            assert (ROOT / "tests" / path).is_file() or (ROOT / "auditor" / path).is_file()
        assert len(reason) > 20
