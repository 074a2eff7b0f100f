"""What is shipped: a wheel and a source archive that work away from the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.cli.running import environment, outcome_in

ROOT = Path(__file__).parents[1]
PACKS = sorted(path.name for path in (ROOT / "policies").glob("*.yaml"))
TEMPLATES = sorted(path.name for path in (ROOT / "reports" / "templates").iterdir())
# How to reach the registry is the machine's own affair.
REGISTRY = ("PIP_", "SSL_", "REQUESTS_CA_BUNDLE", "HTTP", "NO_PROXY", "http", "no_proxy")

pytestmark = pytest.mark.slow


def _do(*command: str | Path, folder: Path) -> str:
    registry = {name: value for name, value in os.environ.items() if name.startswith(REGISTRY)}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment(registry),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def pip(tmp_path_factory: pytest.TempPathFactory) -> list[str | Path]:
    """Return a pip of its own, with what builds the project."""
    place = tmp_path_factory.mktemp("building")
    venv.create(place, with_pip=True)
    command: list[str | Path] = [place / "bin" / "python", "-m", "pip", "--quiet"]
    command.append("--disable-pip-version-check")
    _do(*command, "install", "hatchling", folder=place)
    return command


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, pip: list[str | Path]) -> Path:
    """Return the source archive, built from a copy of what is under version control."""
    place = tmp_path_factory.mktemp("archive")
    _do(pip[0], "-m", "hatchling", "build", "-t", "sdist", "-d", place, folder=ROOT)
    (made,) = place.glob("*.tar.gz")
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, pip: list[str | Path], archive: Path) -> Path:
    """Return the wheel, built from the source archive as a packager would."""
    place = tmp_path_factory.mktemp("wheel")
    _do(*pip, "wheel", "--no-deps", "--wheel-dir", place, archive, folder=place)
    (made,) = place.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """Return the command, installed from the wheel into an environment with nothing else."""
    place = tmp_path_factory.mktemp("installed")
    venv.create(place, with_pip=True)
    _do(place / "bin" / "python", "-m", "pip", "--quiet", "install", wheel, folder=place)
    return place / "bin" / "fivetran-auditor"


def test_the_archive_holds_what_the_wheel_is_made_of(archive: Path):
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert {f"policies/{name}" for name in PACKS} <= names
    assert {f"reports/templates/{name}" for name in TEMPLATES} <= names
    assert {"pyproject.toml", "README.md", "auditor/py.typed", "tests/conftest.py"} <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith(".venv")]


def test_the_wheel_holds_packs_templates_and_types(wheel: Path):
    with ZipFile(wheel) as opened:
        names = set(opened.namelist())
    assert {f"auditor/_resources/policies/{name}" for name in PACKS} <= names
    assert {f"auditor/_resources/templates/{name}" for name in TEMPLATES} <= names
    assert "auditor/py.typed" in names
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == {"auditor"}


def test_the_command_runs_from_another_folder(installed: Path, tmp_path: Path):
    told = _do(installed, "demo", folder=tmp_path)
    assert "The demo worked" in told
    assert outcome_in(tmp_path / "audit-report") == "violations"
    document = json.loads((tmp_path / "audit-report" / "report.json").read_text())
    assert document["policies"][0]["name"] == "baseline"


def test_the_starter_travels_along(installed: Path, tmp_path: Path):
    _do(installed, "init", folder=tmp_path)
    assert "fine" in _do(installed, "validate", "--strict", folder=tmp_path)


def test_the_library_is_importable_and_typed(installed: Path, tmp_path: Path):
    script = (
        "import auditor, pathlib\n"
        "found = auditor.load_policies('baseline')\n"
        "print(len(found.rules), pathlib.Path(auditor.__file__).parent)\n"
    )
    count, place = _do(installed.parent / "python", "-c", script, folder=tmp_path).split()
    assert int(count) > 0
    assert Path(place).is_relative_to(installed.parents[1])
    assert Path(sys.prefix) not in Path(place).parents
