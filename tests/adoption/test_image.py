"""The image, really built and really run: as any user, with a read-only root, without a network."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from auditor.version import __version__
from tests.adoption.github import ROOT
from tests.adoption.tools import REGISTRY
from tests.builders.certificates import certificate, certified
from tests.builders.command import KEYS, environment
from tests.builders.fault_server import FaultServer, page, record, response

pytestmark = pytest.mark.slow

NEEDED = ("mmdebstrap", "buildah", "podman", "runc")
NAME = "localhost/fivetran-auditor"
ANY_USER = 1000650000
PAGE = (ROOT / "docs" / "image.md").read_text(encoding="utf-8")


class Store:
    """A private store for images."""

    def __init__(self, place: Path) -> None:
        self.options = [
            "--root", str(place / "root"), "--runroot", str(place / "run"),
            "--storage-driver", "vfs",
        ]  # fmt: skip

    def build(self, name: str) -> str:
        """Build the image; return its id, which is the hash of all that it is."""
        kept = {name: value for name, value in os.environ.items() if name.startswith(REGISTRY)}
        more = {
            "BUILDAH": " ".join(self.options),
            "PYTHON": sys.executable,
            "SOURCE_DATE_EPOCH": "1750000000",
        }
        done = subprocess.run(
            [ROOT / "image" / "build", name],
            env=environment({**kept, **more}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.split()[-1]

    def buildah(self, *words: str) -> str:
        done = subprocess.run(
            ["buildah", *self.options, *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def run(
        self,
        *words: str,
        user: str = "",
        volume: Path | None = None,
        network: str = "none",
        env: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        """Run the image; return its exit code, and what it said."""
        options = ["--runtime", "runc", "--cgroup-manager", "cgroupfs", "run", "--rm"]
        options += ["--read-only", "--network", network, "--cap-drop", "all"]
        # A machine may not allow to raise what podman raises by itself.
        options += ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
        options += ["--user", user] if user else []
        options += ["--volume", f"{volume}:/work"] if volume else []
        done = subprocess.run(
            ["podman", *self.options, *options, *words],
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """Yield a store with the image in it."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or os.getuid() != 0:
        told = f"THE IMAGE IS NOT BUILT: {', '.join(missing) or 'only root can do it here'}"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    # podman takes no path of more than fifty characters.
    place = Path(tempfile.mkdtemp(prefix="images", dir="/tmp"))
    made = Store(place)
    made.build(NAME)
    yield made
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a folder that anybody may write to."""
    folder = tmp_path / "work"
    folder.mkdir()
    folder.chmod(0o777)
    for parent in folder.parents:
        if parent.stat().st_mode & 0o005 != 0o005 and parent.is_relative_to("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o055)
    return folder


def test_the_same_tree_gives_the_same_image(store: Store):
    assert store.build(f"{NAME}:again") == store.buildah(
        "inspect", "--format", "{{.FromImageID}}", NAME
    )


def test_it_audits_the_sandbox_as_any_user_with_a_read_only_root(store: Store, work: Path):
    code, told = store.run(NAME, "demo", user=str(ANY_USER), volume=work)
    assert code == 0, told
    assert "The demo worked" in told
    document = json.loads((work / "audit-report/report.json").read_text())
    assert document["gate"]["outcome"] == "violations"
    assert document["tool"]["version"] == __version__
    assert (work / "audit-report/report.html").stat().st_uid == ANY_USER


def test_its_exit_code_is_the_gate_s(store: Store, work: Path):
    (work / "policies").mkdir()
    rule = "{id: r, severity: low, assert: {schema: {regex_search: '^nowhere$'}}}"
    (work / "policies/p.yaml").write_text(f"policy: p\nrules: [{rule}]\n")
    record = {"id": "i", "service": "s", "schema": "x", "group_id": "g"}
    (work / "saved.ndjson").write_text(json.dumps(record) + "\n")
    assert store.run(NAME, "audit", "--snapshot", "saved.ndjson", volume=work)[0] == 1
    assert store.run(NAME, "validate", volume=work)[0] == 0
    assert store.run(NAME, "audit", "--snapshot", "none.ndjson", volume=work)[0] == 2


@pytest.mark.parametrize(("trusted", "code"), [(True, 0), (False, 3)])
def test_a_company_s_certificate_is_mounted_and_trusted(
    trusted: bool, code: int, store: Store, work: Path
):
    (typed,) = re.findall(r"^podman (?:.*\\\n)*.*company\.pem(?:.*\\\n)*.*$", PAGE, re.MULTILINE)
    words = shlex.split(typed.replace("\\\n", " "))
    assert words[:4] == ["podman", "run", "--rm", "--read-only"]
    named = {
        "/etc/ssl/company.pem:/company.pem:ro": f"{certificate('loopback')}:/company.pem:ro",
        "$PWD:/work": f"{work}:/work",
        "fivetran-auditor": NAME,
    }
    words = [named.get(word, word) for word in words[4:]]
    if not trusted:
        words.remove("REQUESTS_CA_BUNDLE=/company.pem")
        words.remove("--env")
    (work / "policies").mkdir()
    rule = "{id: r, severity: low, assert: {id: {exists: true}}}"
    (work / "policies/p.yaml").write_text(f"policy: p\nrules: [{rule}]\n")
    with FaultServer([response(page([record(1)]))], tls=certified("loopback")) as server:
        done, told = store.run(*words, "--base-url", server.url, network="host", env=KEYS)
    assert (done, "is not trusted" in told) == (code, not trusted), told


def test_nothing_but_the_volume_can_be_written(store: Store):
    code, told = store.run(NAME, "demo", user=str(ANY_USER))
    assert (code, "read-only" in told) == (4, True)


def test_the_page_says_what_is_in_it(store: Store):
    container = store.buildah("from", NAME)
    root = Path(store.buildah("mount", container))
    status = (root / "var/lib/dpkg/status").read_text()
    packages = re.findall(r"^Package: (.*)$", status, re.MULTILINE)
    (block,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert sorted(packages) == block.split()
    there = {
        path.name for folder in ("bin", "usr/bin", "usr/sbin") for path in (root / folder).iterdir()
    }
    assert there.isdisjoint({"sh", "bash", "dash", "apt", "apt-get", "pip", "pip3", "perl"})
    # Compiled, since nothing can be at run time.
    site = root / "usr/local/lib/python3.11/dist-packages"
    assert list((site / "auditor/run/__pycache__").glob("reader.*.pyc"))
    size = sum(p.lstat().st_size for p in root.rglob("*") if p.is_file() and not p.is_symlink())
    (told,) = re.findall(r"about (\d+) MB", PAGE)
    assert abs(size / 1e6 - int(told)) < 10
    store.buildah("rm", container)


def test_it_says_what_it_is_and_runs_as_nobody(store: Store):
    told = json.loads(store.buildah("inspect", "--type", "image", NAME))["OCIv1"]
    assert told["config"]["Labels"]["org.opencontainers.image.version"] == __version__
    assert told["config"]["User"] == "65532:0"
    assert "-I" in told["config"]["Entrypoint"]
    assert told["created"].startswith("2025-06-15")
