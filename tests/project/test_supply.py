"""Dependencies: the locked releases, and their known vulnerabilities."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.builders.command import environment

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# Each lock file, and what it has to hold.
WANTED = {
    "dev.txt": [
        *PROJECT["build-system"]["requires"],
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["dev"],
    ],
    "peers.txt": PROJECT["dependency-groups"]["peers"],
    "tools.txt": PROJECT["dependency-groups"]["tools"],
}


def text_of(name: str) -> str:
    return (ROOT / "requirements" / name).read_text(encoding="utf-8")


def entries(name: str) -> dict[str, tuple[str, str]]:
    """Return the releases in a lock file: the version of each, and the lines under it."""
    found = re.findall(r"^([a-z0-9.-]+)==(\S+)(.*\n(?:[ ]+.*\n)*)", text_of(name), re.MULTILINE)
    return {package: (version, rest) for package, version, rest in found}


@pytest.mark.parametrize("name", WANTED)
def test_the_lock_holds_what_the_project_asks_for(name: str):
    locked = entries(name)
    for line in WANTED[name]:
        wanted = Requirement(line)
        package = canonicalize_name(wanted.name)
        assert package in locked, f"{package} is not in {name}: make lock"
        version = locked[package][0]
        assert wanted.specifier.contains(version), f"{line}, but {name} has {version}: make lock"


@pytest.mark.parametrize("name", WANTED)
def test_the_lock_holds_nothing_that_the_project_no_longer_asks_for(name: str):
    asked = {canonicalize_name(Requirement(line).name) for line in WANTED[name]}
    locked = entries(name)
    for package, (_, rest) in locked.items():
        askers = set(re.findall(r"# +(?:via )?([a-z0-9-]+)(?: \(.*\))?$", rest, re.MULTILINE))
        askers -= {"via"}
        assert askers, package
        # What the project itself asks for bears the project's name.
        ours = PROJECT["project"]["name"] in askers
        assert not ours or package in asked, f"nothing asks for {package} any more: make lock"
        assert askers <= {*locked, PROJECT["project"]["name"]}, package


@pytest.mark.parametrize("name", WANTED)
def test_every_release_in_the_lock_has_hashes_and_names_no_place(name: str):
    text = text_of(name)
    packages = re.findall(r"^[^\s#].*", text, re.MULTILINE)
    locked = entries(name)
    # Nothing but releases: no option, no index, no address, no path.
    assert len(packages) == len(locked)
    assert "://" not in text
    assert "--index" not in text
    assert " @ " not in text
    for package, (_, rest) in locked.items():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", rest), package


def test_a_test_cannot_reach_beyond_this_machine():
    # 192.0.2.0/24 is for documentation: nobody is there.
    with socket.socket() as made, pytest.raises(AssertionError, match="beyond loopback"):
        made.connect(("192.0.2.1", 9))


# -- known vulnerabilities ----------------------------------------------------------------------

# Stands in for pip-audit: answers with the file of the service that is asked, or fails.
PIP_AUDIT = """
import json, pathlib, sys
service = sys.argv[sys.argv.index("--vulnerability-service") + 1]
lock = pathlib.Path(sys.argv[sys.argv.index("--requirement") + 1])
told = pathlib.Path(__file__).with_name(f"{service}.{lock.stem}.json")
if not told.exists():
    sys.exit("ConnectionError: cannot reach https://reader:pa55@advisories.example/")
print(told.read_text())
sys.exit(bool([one for one in json.loads(told.read_text())["dependencies"] if one.get("vulns")]))
"""
FLAW = {"id": "PYSEC-1", "fix_versions": ["3.1.3"]}
SEEN = {"name": "jinja2", "version": "3.1.2", "vulns": [FLAW]}
FINE = {"name": "click", "version": "8.5.1", "vulns": []}
UNKNOWN = {"name": "click", "skip_reason": "not found"}


def audit(
    folder: Path, answers: dict[str, list[Any]], *options: str
) -> subprocess.CompletedProcess[str]:
    """Run the audit of one lock file where pip-audit is told ``answers``: service.file to it."""
    for name, dependencies in answers.items():
        (folder / f"{name}.json").write_text(json.dumps({"dependencies": dependencies}))
    (folder / "pip_audit.py").write_text(PIP_AUDIT)
    (folder / "dev.txt").write_text("click==8.5.1\n")
    return subprocess.run(
        [sys.executable, ROOT / ".ci" / "audit_dependencies.py", *options, "dev.txt"],
        cwd=folder,
        env=environment({"PYTHONPATH": str(folder)}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_audit_that_finds_nothing_is_clean(tmp_path: Path):
    done = audit(tmp_path, {"pypi.control": [SEEN], "pypi.dev": [FINE]})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "dev.txt: releases asked about: 1, vulnerabilities: none\n"


def test_a_vulnerable_release_is_named_with_its_repair(tmp_path: Path):
    done = audit(tmp_path, {"pypi.control": [SEEN], "pypi.dev": [SEEN, FINE]}, "--where-reachable")
    assert done.returncode == 1
    assert "jinja2 3.1.2: PYSEC-1, repaired in 3.1.3" in done.stdout


def test_a_second_service_is_asked_where_the_first_is_out_of_reach(tmp_path: Path):
    done = audit(tmp_path, {"osv.control": [SEEN], "osv.dev": [SEEN]})
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({}, "cannot reach"),
        ({"pypi.control": [UNKNOWN], "pypi.dev": [FINE]}, "knows of no vulnerability"),
        ({"pypi.control": [SEEN | {"vulns": []}], "pypi.dev": [FINE]}, "knows of no vulnerability"),
        ({"pypi.control": [SEEN]}, "dev.txt: ConnectionError"),
        ({"pypi.control": [SEEN], "pypi.dev": []}, "nothing was asked"),
        ({"pypi.control": [SEEN], "pypi.dev": [UNKNOWN]}, "dev.txt: click"),
    ],
    ids=["no service", "a mirror", "a blind service", "lost on the way", "nothing", "unknown"],
)
def test_what_was_not_audited_never_looks_clean(
    answers: dict[str, list[Any]], why: str, tmp_path: Path
):
    done = audit(tmp_path, answers)
    assert done.returncode == 3
    assert "NOT AUDITED" in done.stderr
    assert why in done.stderr
    assert "pa55" not in done.stderr
    assert done.stdout == ""
    # In CI it may pass, as loudly.
    lenient = audit(tmp_path, answers, "--where-reachable")
    assert lenient.returncode == 0
    assert lenient.stderr == done.stderr


def test_a_vulnerability_outranks_what_was_not_audited(tmp_path: Path):
    done = audit(tmp_path, {"pypi.control": [SEEN], "pypi.dev": [SEEN, UNKNOWN]})
    assert done.returncode == 1
    assert "NOT AUDITED" in done.stderr
