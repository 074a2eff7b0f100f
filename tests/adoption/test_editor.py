"""What ``init`` writes, in the server that VS Code's YAML extension runs, without a setting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.cli.commands.init import FILES
from tests.adoption.tools import tool
from tests.builders.command import run
from tests.builders.language_server import LanguageServer

pytestmark = pytest.mark.slow

POLICY = """policy: mine
rules:
  - id: often
    severity: hihg
    asert: {sync_frequency: {lte: 60}}
    when:
      sync_frequency:
        lte: 60
"""
#: A file of each kind with a mistake: in which line it is, and how it is called.
WRONG = {
    "policies/house.yaml": (POLICY, {4: '"high"', 5: "asert"}),
    "waivers.yaml": ("waivers:\n  - rule: often\n    conections: all\n", {3: "conections"}),
    "auditor.yaml": ("fail_onn: high\n", {1: "fail_onn"}),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("Prüfung der Regeln")
    assert run(["init"], folder).returncode == 0
    return folder


@pytest.fixture
def server(place: Path) -> Iterator[LanguageServer]:
    with LanguageServer([tool("yaml-language-server")], place) as found:
        yield found


def head(place: Path, name: str, *, jetbrains: bool = False) -> str:
    """Return the line in which a file names its schema."""
    return (place / name).read_text().splitlines(keepends=True)[jetbrains]


@pytest.mark.parametrize("name", sorted(FILES))
def test_nothing_is_wrong_with_what_is_written(name: str, place: Path, server: LanguageServer):
    assert server.problems(place / name, (place / name).read_text()) == []


@pytest.mark.parametrize("jetbrains", [False, True])
@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_misspelt_field_is_underlined(
    name: str, jetbrains: bool, place: Path, server: LanguageServer
):
    text, wanted = WRONG[name]
    line = head(place, name, jetbrains=jetbrains)
    assert ("yaml-language-server" in line) is not jetbrains
    found = server.problems(place / name, line + text)
    for number, word in wanted.items():
        assert any(number + 1 == f.line and word in f.message for f in found), found


def test_keys_operators_and_values_are_completed_and_explained(place: Path, server: LanguageServer):
    path = place / "policies/house.yaml"
    server.problems(path, head(place, "policies/house.yaml") + POLICY)
    assert {"high", "critical"} <= server.completed(path, 4, 14)
    assert {"lte", "between", "exists"} <= server.completed(path, 8, 8)
    assert "--fail-on" in server.told(path, 4, 6)

    path = place / "waivers.yaml"
    text = head(place, "waivers.yaml") + "waivers:\n  - rule: often\n    \n"
    server.problems(path, text)
    assert {"connections", "expires", "while"} <= server.completed(path, 3, 4)
    assert "A rule's id" in server.told(path, 2, 6)

    path = place / "auditor.yaml"
    server.problems(path, head(place, "auditor.yaml") + "policy: [baseline]\n\n")
    assert {"fail_on", "waivers", "accounts"} <= server.completed(path, 2, 0)
    assert "Policies to judge by" in server.told(path, 1, 2)
