"""Completions of option values, from the real command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from auditor.cli.main import COMMANDS
from auditor.policy.loading.documents import pack_names
from auditor.reports import REPORTS
from tests.builders.command import environment, run

VARIABLE = "_FIVETRAN_AUDITOR_COMPLETE"


HOUSE = """\
policy: house
rules:
  - {id: first-rule, title: "The\\nfirst", severity: low, tags: [own], assert: {paused: false}}
  - {id: broken, severity: nonsense, assert: {no_such_field: 3}}
"""


def offered(folder: Path, *words: str, shell: str = "bash") -> list[str]:
    """Return the lines that a shell gets when the last of ``words`` is being typed."""
    typed = words[-1]
    asked = {
        VARIABLE: f"{shell}_complete",
        "COMP_WORDS": " ".join(["fivetran-auditor", *words]),
        "COMP_CWORD": typed if shell == "fish" else str(len(words)),
    }
    done = run([], folder, asked)
    assert done.stderr == "", "it would be written into the line that is being typed"
    return done.stdout.splitlines()


def plain(folder: Path, *words: str) -> list[str]:
    return [line.removeprefix("plain,") for line in offered(folder, *words) if "plain," in line]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("",), list(COMMANDS)),
        (("exp",), ["explain"]),
        (("audit", "--fail-on", ""), ["low", "medium", "high", "critical", "none"]),
        (("audit", "--fail-on", "h"), ["high"]),
        (("audit", "--max", ""), ["low=", "medium=", "high=", "critical="]),
        (("audit", "--report", ""), list(REPORTS)),
        (("audit", "--report", "j"), ["junit", "json"]),
        (("validate", "--report", ""), ["sarif", "github"]),
        (("audit", "-p", ""), pack_names()),
        (("audit", "--policy", "co"), ["cost"]),
        (("validate", "rel"), ["reliability"]),
        (("test", "sec"), ["security"]),
        (("audit", "--verify"), ["--verify-listing"]),
        (("audit", "--over", ""), ["live"]),
        (("explain", "--over", "l"), ["live"]),
        (("explain", "--on-unknown", ""), ["error", "skip"]),
        (("completion", ""), ["bash", "zsh", "fish"]),
        (("explain", "schema-n"), ["schema-naming"]),
        (("explain", "-p", "cost", "warehouse-"), ["warehouse-of-its-own"]),
        (("audit", "--only", "schema-n"), ["schema-naming"]),
        (("audit", "-p", "cost", "--skip", "warehouse-"), ["warehouse-of-its-own"]),
        (("audit", "-p", "cost", "--tag", "co"), ["cost"]),
    ],
    ids=" ".join,
)
def test_it_offers(tmp_path: Path, words: tuple[str, ...], expected: list[str]):
    assert plain(tmp_path, *words) == expected


@pytest.mark.parametrize(
    "option",
    [
        *("-p", "--snapshot", "--waivers", "--baseline", "--config", "-o"),
        *("--over", "--terraform-dir"),
    ],
)
def test_files_are_the_shell_s_own_affair(tmp_path: Path, option: str):
    first = offered(tmp_path, "audit", option, "re")[0]
    assert first.split(",")[0] in {"file", "dir"}


def test_rules_of_a_policy_with_mistakes_are_offered_all_the_same(tmp_path: Path):
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "house.yaml").write_text(HOUSE, encoding="utf-8")
    assert plain(tmp_path, "explain", "") == ["first-rule", "broken"]
    assert plain(tmp_path, "audit", "--tag", "") == ["own"]
    assert offered(tmp_path, "explain", "fi", shell="zsh") == ["plain", "first-rule", "The first"]
    assert offered(tmp_path, "explain", "fi", shell="fish")[0].startswith("plain,first-rule")


def test_the_policy_of_auditor_yaml_is_the_one(tmp_path: Path):
    (tmp_path / "auditor.yaml").write_text("policy: cost\n", encoding="utf-8")
    assert plain(tmp_path, "explain", "warehouse-") == ["warehouse-of-its-own"]


@pytest.mark.parametrize(
    "words",
    [
        ("no-such-command", ""),
        ("explain", "-p", "no-such-pack", ""),
        ("explain", "-p", "./missing.yaml", ""),
        ("explain", "-p", "./broken.yaml", ""),
        ("audit", "--page-size", "many", "--report", "nothing-like-it"),
    ],
    ids=" ".join,
)
def test_it_is_silent_when_there_is_nothing_to_offer(tmp_path: Path, words: tuple[str, ...]):
    (tmp_path / "broken.yaml").write_text("policy: [", encoding="utf-8")
    (tmp_path / "auditor.yaml").write_text("nonsense: [", encoding="utf-8")
    assert [word for word in plain(tmp_path, *words) if word not in COMMANDS] == []


@pytest.mark.parametrize("asked", ["bash_complete", "nonsense", "tcsh_complete", "bash_nonsense"])
def test_it_is_silent_when_it_is_asked_wrongly(tmp_path: Path, asked: str):
    done = run([], tmp_path, {VARIABLE: asked})
    assert (done.stdout, done.stderr) == ("", "")
    assert done.returncode == 1


def test_nothing_heavy_is_loaded_to_offer_commands(tmp_path: Path):
    script = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('LOADED', *sys.modules))\n"
        "from auditor.cli.main import main\n"
        "main()\n"
    )
    asked = {VARIABLE: "bash_complete", "COMP_WORDS": "fivetran-auditor a", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(asked),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = set(done.stdout.split("LOADED ")[1].split())
    assert loaded.isdisjoint({"yaml", "msgspec", "re2", "requests", "jinja2", "jsonschema"})
