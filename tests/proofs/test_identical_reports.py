"""The same input gives the same bytes, in every time zone, with every hash seed and Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.reports import REPORTS
from auditor.sandbox.estate import build_estate
from tests.builders.command import environment
from tests.builders.slow import mostly_slow
from tests.project.test_wheel import REGISTRY

_PLACES = [
    {"TZ": "UTC", "PYTHONHASHSEED": "0"},
    {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1"},
    {"TZ": "America/St_Johns", "PYTHONHASHSEED": "4294967295", "LANG": "C"},
    {"TZ": "<+0545>-5:45", "PYTHONHASHSEED": "random", "PYTHONOPTIMIZE": "1"},
]


_NOWS = ("2026-01-15T12:00:00Z", "2026-03-29T01:30:00Z")
_ROOT = Path(__file__).parents[2]


def _reports(
    folder: Path, out: str, now: str, place: dict[str, str], python: Path | str = sys.executable
) -> dict[str, bytes]:
    """Return each report on the same account, and what was said, as ``python`` writes them."""
    saved = folder / "saved.json"
    if not saved.exists():
        saved.write_text(json.dumps(list(build_estate(40).records)), encoding="utf-8")
    done = subprocess.run(
        [
            *(str(python), "-m", "auditor", "audit", "-p", "baseline", "-p", "security"),
            *("--snapshot", "saved.json", "--now", now, "-o", out),
            *(f"--report={name}" for name in REPORTS),
        ],
        cwd=folder,
        env=environment(place),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in {1, 3}, done.stderr
    files = {path.name: path.read_bytes() for path in sorted((folder / out).iterdir())}
    assert len(files) == len(REPORTS)
    return {**files, "said": done.stdout.replace(out.encode(), b"out")}


def _differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]


@pytest.mark.parametrize("now", mostly_slow(_NOWS, len(_NOWS)))
def test_reports_are_the_same_bytes_everywhere(now: str, tmp_path: Path) -> None:
    first, *others = (
        _reports(tmp_path, f"out{number}", now, place) for number, place in enumerate(_PLACES)
    )
    for other in others:
        assert _differing(first, other) == []


def _version(python: Path | str) -> str:
    """Return what ``python`` says it is; nothing where it is none, as a shim may be."""
    words = [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _pythons() -> dict[str, Path]:
    """Return the interpreters there are, by version: named in PYTHONS, on PATH, of pyenv."""
    found = [Path(name) for name in os.environ.get("PYTHONS", "").split(os.pathsep) if name]
    found += [Path(path) for v in _VERSIONS if (path := shutil.which(f"python{v}"))]
    if pyenv := shutil.which("pyenv"):

        def told(*words: str) -> list[str]:
            done = subprocess.run([pyenv, *words], capture_output=True, text=True, check=False)
            return done.stdout.split()

        for name in told("versions", "--bare"):
            found += [Path(prefix) / "bin" / "python" for prefix in told("prefix", name)]
    return {version: python for python in reversed(found) if (version := _version(python))}


_VERSIONS = ("3.11", "3.12", "3.13", "3.14")


@pytest.mark.slow
@pytest.mark.parametrize("version", _VERSIONS)
def test_reports_are_the_same_bytes_from_every_python(version: str, tmp_path: Path) -> None:
    """In an environment of its own, with the dependencies as they are today."""
    python = _pythons().get(version)
    if python is None:
        pytest.skip(f"NOT COMPARED: there is no Python {version} here; PYTHONS may name one")
    registry = {name: value for name, value in os.environ.items() if name.startswith(REGISTRY)}
    theirs = tmp_path / "venv" / "bin" / "python"
    install = [theirs, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", _ROOT]
    for words in ([python, "-m", "venv", tmp_path / "venv"], install):
        done = subprocess.run(
            list(map(str, words)), env=environment(registry), capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
    assert _version(theirs) == version
    for number, now in enumerate(_NOWS):
        ours = _reports(tmp_path, f"ours{number}", now, _PLACES[0])
        other = _reports(tmp_path, f"other{number}", now, _PLACES[1], theirs)
        assert _differing(ours, other) == []
