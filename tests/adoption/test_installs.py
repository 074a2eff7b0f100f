"""Every way to install that the pages name, from this tree's wheel, and a run from each."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import sys
import tomllib
import venv
from pathlib import Path

import pytest

from auditor.version import __version__
from tests.adoption.github import ROOT
from tests.adoption.tools import REGISTRY, tracked, use
from tests.project.test_wheel import _do

pytestmark = pytest.mark.slow

UV = ROOT / ".venv" / "tools" / "bin" / "uv"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WITHOUT_RE2 = [name for name in PROJECT["dependencies"] if "google-re2" not in name]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this tree."""
    place = tmp_path_factory.mktemp("wheel")
    _do(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place, folder=ROOT)
    (made,) = place.iterdir()
    return made


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the hash of what the demo reports in this checkout."""
    return _demo(
        Path(sys.executable).with_name("fivetran-auditor"), tmp_path_factory.mktemp("here")
    )


def _demo(command: Path, folder: Path) -> str:
    """Run the demo; return a hash of its JSON report, without what differs from run to run."""
    told = _do(command, "demo", folder=folder)
    assert "The demo worked" in told
    text = (folder / "audit-report" / "report.json").read_text()
    # The sandbox has another port each time, and a run its own time.
    text = re.sub(r"127\.0\.0\.1:\d+", "", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z?", "", text)
    return hashlib.sha256(text.encode()).hexdigest()


def _python(place: Path) -> Path:
    venv.create(place, with_pip=True)
    return place / "bin" / "python"


def _pip(python: Path, *words: str | Path) -> None:
    quiet = ("--quiet", "--quiet", "--disable-pip-version-check", "--no-input")
    _do(python, "-m", "pip", *quiet, *words, folder=python.parent)


def test_without_google_re2_the_answers_are_the_same(wheel: Path, expected: str, tmp_path: Path):
    python = _python(tmp_path / "env")
    _pip(python, "install", "--no-deps", wheel)
    _pip(python, "install", *WITHOUT_RE2)
    probe = "import importlib.util as u; print(u.find_spec('re2'))"
    assert _do(python, "-c", probe, folder=tmp_path) == "None\n"
    assert _demo(python.with_name("fivetran-auditor"), tmp_path) == expected
    told = _do(python.with_name("fivetran-auditor"), "test", *_packs(), folder=tmp_path)
    assert "failed" not in told


def _packs() -> list[str]:
    return sorted(path.stem for path in (ROOT / "policies").glob("*.yaml") if "." not in path.stem)


def test_the_page_names_what_to_install_without_google_re2():
    page = (ROOT / "docs" / "supported.md").read_text()
    (line,) = re.findall(r"^pip install (click .*)$", page, re.MULTILINE)
    assert line.split() == [re.split("[<>=]", name)[0] for name in WITHOUT_RE2]


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
def test_on_musl_nothing_else_is_compiled(processor: str, tmp_path: Path):
    python = _python(tmp_path / "env")
    of = [("--platform", f"musllinux_1_{minor}_{processor}") for minor in (1, 2)]
    ways = ("--only-binary", ":all:", "--python-version", "3.12", "--implementation", "cp")
    house = tmp_path / "wheelhouse"
    _pip(python, "download", *(w for way in of for w in way), *ways, "--dest", house, *WITHOUT_RE2)
    compiled = {path.name for path in house.iterdir() if "none-any" not in path.name}
    assert any(name.startswith("msgspec-") for name in compiled)
    assert [name for name in compiled if "musllinux" not in name] == []


def test_a_checkout_shows_the_demo(tmp_path: Path):
    for path in tracked():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    told = _do("make", "demo", f"PYTHON={sys.executable}", folder=tmp_path)
    assert "The demo worked" in told
    assert (tmp_path / "audit-report/report.html").is_file()
    version = _do(tmp_path / ".venv/bin/fivetran-auditor", "--version", folder=tmp_path)
    assert __version__ in version


def test_from_a_wheelhouse_without_a_network(wheel: Path, expected: str, tmp_path: Path):
    python, house = _python(tmp_path / "env"), tmp_path / "wheelhouse"
    locked = ("--require-hashes", "--only-binary", ":all:", "-r", ROOT / "requirements/run.txt")
    _pip(python, "download", "--dest", house, *locked)
    closed = ("--no-index", "--find-links", house)
    _pip(python, "install", *closed, *locked)
    _pip(python, "install", *closed, "--no-deps", wheel)
    assert _demo(python.with_name("fivetran-auditor"), tmp_path) == expected


def test_as_one_file(wheel: Path, expected: str, tmp_path: Path):
    file = tmp_path / "fivetran-auditor.pyz"
    done = use("shiv", "--console-script", "fivetran-auditor", "--output-file", file, wheel)
    assert done.returncode == 0, done.stdout + done.stderr
    command = tmp_path / "run"
    program = shlex.join([sys.executable, str(file)])
    place = shlex.quote(str(tmp_path))
    command.write_text(f'#!/bin/sh\nSHIV_ROOT={place} exec {program} "$@"\n')
    command.chmod(0o755)
    assert _demo(command, tmp_path) == expected


def test_by_pipx(wheel: Path, expected: str, tmp_path: Path):
    env = {"PIPX_HOME": str(tmp_path / "home"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    done = use("pipx", "install", "--python", sys.executable, wheel, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    assert _demo(tmp_path / "bin" / "fivetran-auditor", tmp_path) == expected


def _uv(*words: str | Path, folder: Path) -> str:
    """Run uv, which finds the registry where pip does."""
    if not UV.exists():
        if os.environ.get("CI"):
            pytest.fail("uv is not installed: make .venv/tools/.made")
        pytest.skip("NOT TRIED WITH UV: it is not installed")
    return _do(UV, *words, folder=folder)


def test_by_uv(wheel: Path, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("UV_TOOL_DIR", str(tmp_path / "tools"))
    monkeypatch.setenv("UV_TOOL_BIN_DIR", str(tmp_path / "bin"))
    monkeypatch.setenv("UV_PYTHON", sys.executable)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("tests.project.test_wheel.REGISTRY", (*REGISTRY, "UV_"))
    _uv("tool", "install", "--quiet", wheel, folder=tmp_path)
    assert _demo(tmp_path / "bin" / "fivetran-auditor", tmp_path) == expected
    told = _uv("tool", "run", "--from", wheel, "fivetran-auditor", "--version", folder=tmp_path)
    assert __version__ in told


@pytest.mark.parametrize("other", ["apache-airflow", "dagster", "dbt-core"])
def test_it_installs_beside_orchestrators(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tests.project.test_wheel.REGISTRY", (*REGISTRY, "UV_"))
    wanted = tmp_path / "wanted.in"
    wanted.write_text("\n".join([*PROJECT["dependencies"], other]))
    ways = ("--quiet", "--python-version", "3.12", "--only-binary", ":all:")
    found = _uv("pip", "compile", *ways, wanted, folder=tmp_path)
    versions = dict(re.findall(r"^([a-z0-9-]+)==([0-9]+)", found, re.MULTILINE))
    # Not beside a release of years ago, which asked for less.
    least = {"apache-airflow": 3, "dagster": 1, "dbt-core": 1}
    assert int(versions[other]) >= least[other]
    assert {"click", "requests", "jinja2", "msgspec"} <= set(versions)
