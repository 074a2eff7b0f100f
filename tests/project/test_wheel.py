"""What is shipped: a wheel and a source archive that work away from the repository."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.builders.command import environment, outcome_in

ROOT = Path(__file__).parents[2]
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


# One tree twice, with all that a machine adds to it.
MACHINES = [
    {"umask": 0o022, "mode": 0o644, "time": 1_000_000_000, "TZ": "UTC", "PYTHONHASHSEED": "1"},
    {
        "umask": 0o077,
        "mode": 0o600,
        "time": 1_700_000_000,
        "TZ": "Asia/Kathmandu",
        "PYTHONHASHSEED": "2",
    },
]


def _built(folder: Path, machine: dict[str, Any], env: dict[str, str]) -> dict[str, str]:
    """Return the hash of each file that a copy of the tree in ``folder`` is built into."""
    tree = folder / "tree"
    for name in ("auditor", "policies", "reports", "tests", "docs"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in [*ROOT.glob("*.md"), ROOT / "pyproject.toml", ROOT / ".gitignore"]:
        shutil.copy(path, tree)
    for path in tree.rglob("*"):
        if path.is_file():
            path.chmod(machine["mode"])
        os.utime(path, (machine["time"], machine["time"]))
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", folder],
        cwd=tree,
        env=environment({"TZ": machine["TZ"], "PYTHONHASHSEED": machine["PYTHONHASHSEED"], **env}),
        umask=machine["umask"],
        capture_output=True,
        timeout=300,
        check=True,
    )
    made = [path for path in folder.iterdir() if path.is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made}


@pytest.mark.parametrize("env", [{}, {"SOURCE_DATE_EPOCH": "1750000000"}], ids=["", "epoch"])
def test_the_same_tree_is_built_into_the_same_bytes(env: dict[str, str], tmp_path: Path):
    one, other = (
        _built(tmp_path / f"machine {number}", machine, env)
        for number, machine in enumerate(MACHINES)
    )
    assert [Path(name).suffix for name in sorted(one)] == [".whl", ".gz"]
    assert one == other


def test_the_wheel_of_the_archive_is_that_of_the_tree(archive: Path, tmp_path: Path):
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    hashes = set()
    for number, tree in enumerate((ROOT, *(path for path in tmp_path.iterdir()))):
        place = tmp_path / f"made {number}"
        _do(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place, folder=tree)
        (made,) = place.iterdir()
        hashes.add(hashlib.sha256(made.read_bytes()).hexdigest())
    assert len(hashes) == 1


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
