"""Killed, stopped or refused by the disk at any step: no half file, no stale green.

Each command is run once to see its steps (``moments.py``), and then hit at every one of them. The
slow tests take them all, the others some that are spread over the run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest

from auditor import __version__
from auditor.errors import SourceError
from auditor.past.history import open_of, run_of
from auditor.reports import REPORTS
from auditor.reports.comparison import COMPARISONS
from auditor.reports.writer import ReportWriter, parse_destination
from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from tests.builders.command import (
    COMMAND,
    KEYS,
    _in_html,
    _in_json,
    _in_junit,
    environment,
    file_limit,
    in_bash,
    outcome_in,
)
from tests.builders.every_report import said_by_all
from tests.builders.fault_server import page
from tests.builders.listed import HOUSE, record
from tests.builders.saved_listings import read
from tests.proofs.moments import ROOT, Ended, Hit, Runs, run_afresh

CONNECTIONS = 5
JUDGE = "audit -p house.yaml --now 2026-03-10T12:00:00Z"
EVERY = " ".join(f"--report {name}" for name in REPORTS)
#: What says the outcome of so many reports.
SAYS = {3: outcome_in, len(REPORTS): said_by_all}
#: What says it of one.
WORDS = {".html": _in_html, ".xml": _in_junit, ".json": _in_json}
THREE = ("html", "junit", "json")
SPLIT = "--report junit:split=4 --report json --report html"


_NUMBERS = re.compile("[0-9]+")


@dataclass(frozen=True)
class Scene:
    """A command, what stood there ``before`` it, its code, and the files it writes.

    ``reports`` are files that get a placeholder, by what makes it; ``parts`` get none;
    ``snapshot`` is the file of a fetch.
    """

    name: str
    command: str
    code: int
    before: str = ""
    reports: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    snapshot: str = ""

    def __str__(self) -> str:
        return self.name


def _audited(*names: str) -> dict[str, str]:
    folder = "audit-report"
    return {f"{folder}/{REPORTS[n].filename}": REPORTS[n].placeholder(__version__) for n in names}


SCENES = {
    scene.name: scene
    for scene in (
        Scene(
            "a first audit",
            f"{JUDGE} --snapshot bad.json --history kept",
            1,
            reports=_audited(*THREE),
        ),
        Scene(
            "an audit",
            f"{JUDGE} --snapshot bad.json {EVERY} --history kept",
            1,
            f"{JUDGE} --snapshot good.json {EVERY} --history kept",
            _audited(*REPORTS),
        ),
        Scene(
            "an audit of the API",
            f"{JUDGE} --base-url URL --page-size 2 {SPLIT}",
            1,
            f"{JUDGE} --snapshot good.json {SPLIT}",
            {
                "audit-report/junit-1.xml": REPORTS["junit"].placeholder(__version__),
                **_audited("json", "html"),
            },
            tuple(f"audit-report/junit-{n}.xml" for n in range(2, 10)),
        ),
        Scene(
            "a fetch",
            "fetch --base-url URL --page-size 2 -o saved.ndjson",
            0,
            "fetch --base-url URL --page-size 2 -o saved.ndjson",
            snapshot="saved.ndjson",
        ),
        Scene(
            "a first fetch",
            "fetch --base-url URL --page-size 2 -o saved.ndjson.gz",
            0,
            snapshot="saved.ndjson.gz",
        ),
        Scene(
            "a comparison",
            "compare good-report.json bad-report.json --report html --report json"
            " --report markdown",
            1,
            "compare bad-report.json good-report.json --report html --report json"
            " --report markdown",
            {
                f"audit-report/{COMPARISONS[n].filename}": COMPARISONS[n].placeholder(__version__)
                for n in ("html", "json", "markdown")
            },
        ),
        Scene(
            "a demo",
            "demo --connections 3",
            0,
            f"{JUDGE} --snapshot good.json",
            {path: _NUMBERS.sub("", text) for path, text in _audited(*THREE).items()},
        ),
    )
}


@dataclass(frozen=True)
class Whole:
    """A run of a scene that nothing happened to: what was there before, and what is after."""

    ended: Ended
    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    seconds: float


class Stage:
    """Where scenes are played: the processes, the API, and a house of files to begin with."""

    def __init__(self, folder: Path, runs: Runs, url: str) -> None:
        self._folder = folder
        self._runs = runs
        self.url = url
        self._wholes: dict[str, Whole] = {}
        self._count = 0
        self.house = folder / "house"
        self.house.mkdir()
        good = [record(name, schema=name) for name in "abcd"]
        bad = [*good[:2], record("c", sync_frequency=5), record("d", paused=True)]
        (self.house / "house.yaml").write_text(HOUSE)
        for name, listing in (("good", good), ("bad", bad)):
            (self.house / f"{name}.json").write_bytes(page(listing))
            report = f"{JUDGE} --snapshot {name}.json --report json={name}-report.json"
            self.run(report, self.house)

    def run(
        self,
        command: str,
        folder: Path,
        hit: Hit | None = None,
        kill_after: float | None = None,
    ) -> Ended:
        return self._runs.run(self.words(command), folder, hit, environment(KEYS), kill_after)

    def words(self, command: str) -> list[str]:
        return command.replace("URL", self.url).split()

    def whole(self, scene: Scene) -> Whole:
        """Return the result of a run of ``scene`` to which nothing happens."""
        if scene.name not in self._wholes:
            start = self._folder / f"before {scene.name}"
            shutil.copytree(self.house, start)
            if scene.before:
                self.run(scene.before, start)
            folder = self.begin(scene)
            before = files(folder, scene)
            ended = self.run(scene.command, folder, Hit(-1, "kill", calls=True))
            assert ended.code == scene.code, ended.err
            whole = Whole(ended, before, files(folder, scene), self._runs.took)
            assert not hidden(whole.after)
            self._wholes[scene.name] = whole
            shutil.rmtree(folder)
        return self._wholes[scene.name]

    def begin(self, scene: Scene) -> Path:
        """Return a folder as it is before ``scene``."""
        self._count += 1
        return Path(
            shutil.copytree(
                self._folder / f"before {scene.name}", self._folder / f"run {self._count}"
            )
        )


@pytest.fixture(name="stage", scope="module")
def _stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with ExitStack() as stack:
        runs = stack.enter_context(Runs())
        # Of an account every record of which can be judged.
        sandbox = stack.enter_context(Sandbox(build_estate(CONNECTIONS, 38)))
        yield Stage(tmp_path_factory.mktemp("stage"), runs, sandbox.url)


def files(folder: Path, scene: Scene) -> dict[str, bytes]:
    """Return every file in ``folder`` by its path from there, but for a history's lock.

    Of a demo's reports the numbers are left out: some tell the time, and one is the port.
    """
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }
    if scene.name == "a demo":
        for path in found.keys() & scene.reports.keys():
            found[path] = _NUMBERS.sub("", found[path].decode()).encode()
    return found


def hidden(found: Mapping[str, bytes]) -> list[str]:
    return [name for name in found if Path(name).name.startswith(".")]


# -- what has to hold, whatever happened -----------------------------------------------------------


def check_reports(
    scene: Scene,
    whole: Whole,
    found: Mapping[str, bytes],
    done: Sequence[str],
    *,
    gone: bool = False,
    kept: str = "",
) -> None:
    """Assert that each report is the placeholder, the new one, or, not touched yet, the old one.

    ``done`` are the steps that were taken. With ``gone`` it may be missing, too; ``kept`` could
    not be removed.
    """
    asked = any(step == "send" or step.startswith("read bad") for step in done)
    for path in [*scene.reports, *scene.parts]:
        allowed = [whole.after.get(path, b"")]
        if path in scene.reports:
            allowed.append(scene.reports[path].encode())
        if gone or path in scene.parts:
            allowed.append(b"")
        touched = re.compile(f"(rename|remove) (.* )?{path}").fullmatch
        if path == kept or not (asked or any(map(touched, done))):
            allowed.append(whole.before.get(path, b""))
        assert found.get(path, b"") in allowed, f"{path} is torn, or an old one"


def check_history(found: Mapping[str, bytes], torn: int) -> int:
    """Assert that a history can be read, but for ``torn`` lines; return how many runs it has."""
    lines = found.get("kept/history.ndjson", b"").splitlines()
    runs = [run for line in lines if line and (run := run_of(line)) is not None]
    assert len(list(filter(None, lines))) - len(runs) <= torn
    if "kept/open.json" in found:
        assert open_of(found["kept/open.json"]) is not None
    return len(runs)


def is_whole(path: Path) -> bool:
    """Whether a snapshot passes for a complete listing; then it is one."""
    try:
        listing = read(path)
    except SourceError:
        return False
    assert not listing.complete or len(listing.ids) == CONNECTIONS
    return listing.complete


def check_snapshot(stage: Stage, scene: Scene, whole: Whole, folder: Path) -> None:
    """Assert that the snapshot is the old one or whole, and that nothing else passes for whole."""
    found = files(folder, scene)
    name = scene.snapshot
    if found.get(name) != whole.before.get(name):
        assert is_whole(folder / name), f"{name} is torn"
    for left in hidden(found):
        code = stage.run(f"{JUDGE} --snapshot {left} --report csv=/dev/null", folder).code
        assert (code == 3) is not is_whole(folder / left), f"{left} was judged: exit {code}"


def check_next_run(stage: Stage, scene: Scene, whole: Whole, folder: Path, torn: int) -> None:
    """Assert that the next run is as if nothing had happened, and clears up what was left."""
    runs = check_history(files(folder, scene), torn)
    ended = stage.run(scene.command, folder)
    assert ended.code == scene.code, ended.err
    found = files(folder, scene)
    assert found.keys() == whole.after.keys()
    if "kept/history.ndjson" in found:
        assert check_history(found, torn) == runs + 1
        # The trend is longer if the run before was kept.
        assert SAYS[len(scene.reports)](folder / "audit-report") == "violations"
    else:
        for path in [*scene.reports, *scene.parts]:
            assert found.get(path) == whole.after.get(path)
    if scene.snapshot:
        assert is_whole(folder / scene.snapshot)


# -- killed ----------------------------------------------------------------------------------------


def kills(whole: Whole) -> list[Hit]:
    """Return every moment: before each step, and amid each that writes."""
    found = [Hit(number, "kill") for number in range(len(whole.ended.steps))]
    for number, step in enumerate(whole.ended.steps):
        if step == "write":
            found.append(Hit(number, "half"))
    return sorted(found, key=lambda hit: hit.at)


def spread(moments: Sequence[Hit], count: int) -> list[Hit]:
    """Return ``count`` of ``moments``, over all of them."""
    return [moments[len(moments) * n // count] for n in range(min(count, len(moments)))]


def check_killed(
    stage: Stage, scene: Scene, hit: Hit | None, *, kill_after: float = 0, again: bool = True
) -> None:
    """Kill a run of ``scene``, look at what it leaves, and with ``again`` at the next run."""
    whole = stage.whole(scene)
    folder = stage.begin(scene)
    ended = stage.run(scene.command, folder, hit, kill_after if hit is None else None)
    if hit is not None:
        assert ended.code == -signal.SIGKILL
    found = files(folder, scene)
    # The last step had begun when the run was hit, no more.
    check_reports(scene, whole, found, ended.steps[:-1])
    if scene.snapshot:
        check_snapshot(stage, scene, whole, folder)
    # The system may cut a write that is killed, too.
    torn = int(hit is None or hit.how == "half")
    check_history(found, torn)
    if again:
        check_next_run(stage, scene, whole, folder, torn)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("name", "count"),
    [("an audit", 8), ("an audit of the API", 4), ("a fetch", 4), ("a first fetch", 4)],
)
def test_a_killed_run_leaves_whole_files(name: str, count: int, stage: Stage) -> None:
    for number, hit in enumerate(spread(kills(stage.whole(SCENES[name])), count)):
        check_killed(stage, SCENES[name], hit, again=number % 2 == 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_a_run_killed_at_any_step_leaves_whole_files(name: str, stage: Stage) -> None:
    for number, hit in enumerate(kills(stage.whole(SCENES[name]))):
        check_killed(stage, SCENES[name], hit, again=hit.how == "half" or number % 4 == 0)


@pytest.mark.slow
def test_there_are_500_moments(stage: Stage) -> None:
    assert sum(len(kills(stage.whole(scene))) for scene in SCENES.values()) >= 500


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_a_run_killed_at_random_leaves_whole_files(name: str, stage: Stage) -> None:
    random = Random(name)
    for _ in range(20):
        seconds = random.uniform(0, stage.whole(SCENES[name]).seconds)
        check_killed(stage, SCENES[name], None, kill_after=seconds, again=False)


@pytest.mark.parametrize(("at", "how"), [(30, "kill"), (100, "half")])
def test_a_second_process_is_killed_in_the_same_way(
    at: int, how: str, stage: Stage, tmp_path: Path
) -> None:
    scene = SCENES["an audit"]
    whole = stage.whole(scene)
    hit = next(hit for hit in kills(whole) if hit.at >= at and hit.how == how)
    folder = stage.begin(scene)
    words = [*COMMAND, *stage.words(scene.command)]
    ended = run_afresh(words, folder, hit, environment(KEYS), tmp_path / "aside")
    assert ended.code == -signal.SIGKILL
    assert [s.split()[0] for s in ended.steps] == [
        s.split()[0] for s in whole.ended.steps[: hit.at + 1]
    ]
    check_reports(scene, whole, files(folder, scene), ended.steps[:-1])
    check_next_run(stage, scene, whole, folder, int(how == "half"))


def test_no_reader_takes_a_placeholder_for_a_pass(tmp_path: Path) -> None:
    ReportWriter([parse_destination(name, tmp_path) for name in REPORTS], "1").prepare()
    assert said_by_all(tmp_path) == "placeholder"


# -- told to stop ----------------------------------------------------------------------------------

CODES = {"int": 130, "term": 143}
STOPPED = ("an audit", "an audit of the API", "a fetch", "a comparison", "a demo")


def stops(whole: Whole) -> list[Hit]:
    """Return a signal for each step, of the two in turn."""
    return [Hit(n, ("int", "term")[n % 2]) for n in range(len(whole.ended.steps))]


def check_stopped(stage: Stage, scene: Scene, hit: Hit) -> None:
    whole = stage.whole(scene)
    folder = stage.begin(scene)
    ended = stage.run(scene.command, folder, hit)
    if hit.calls and ended.code == scene.code:
        assert ended.calls <= hit.at, "the signal was lost"
        return  # It was to come later than this run had calls.
    # The first calls are made before there is a handler.
    early = hit.calls and not ended.err
    code = CODES[hit.how]
    assert ended.code == code or (early and ended.code == 128 - code)
    found = files(folder, scene)
    done = ended.steps if hit.calls else (*ended.steps[: hit.at], *ended.steps[hit.at + 1 :])
    check_reports(scene, whole, found, done)
    check_history(found, 0)
    if not early:
        word = {"int": "interrupted", "term": "terminated"}[hit.how]
        assert re.fullmatch(f"error: {word}: .*\n", ended.err), ended.err
    if not hit.calls:
        assert hidden(found) == [], "a temporary file was left behind"
    if scene.snapshot:
        if "nothing was saved" in ended.err:
            assert found.get(scene.snapshot) == whole.before.get(scene.snapshot)
        check_snapshot(stage, scene, whole, folder)
    shutil.rmtree(folder)


@pytest.mark.parametrize(("name", "count"), [("an audit", 6), ("a fetch", 3), ("a comparison", 2)])
def test_a_signal_at_a_step_is_its_code(name: str, count: int, stage: Stage) -> None:
    for hit in spread(stops(stage.whole(SCENES[name])), count):
        check_stopped(stage, SCENES[name], hit)


@pytest.mark.slow
@pytest.mark.parametrize("name", STOPPED)
def test_a_signal_at_any_step_is_its_code(name: str, stage: Stage) -> None:
    for hit in stops(stage.whole(SCENES[name])):
        check_stopped(stage, SCENES[name], hit)


def called(whole: Whole, count: int, seed: str) -> list[Hit]:
    """Return signals at calls of functions: some of the first and the last, and at random."""
    calls, random = whole.ended.calls, Random(seed)
    chosen = {*range(count // 4), *range(calls - count // 4, calls)}
    chosen |= {random.randrange(calls) for _ in range(count // 2)}
    return [Hit(n, ("int", "term")[n % 2], calls=True) for n in sorted(chosen)]


@pytest.mark.slow
@pytest.mark.parametrize("name", STOPPED)
def test_a_signal_at_any_call_is_its_code(name: str, stage: Stage) -> None:
    for hit in called(stage.whole(SCENES[name]), 80, name):
        check_stopped(stage, SCENES[name], hit)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_command_is_loaded_ends_it_in_peace(
    number: signal.Signals, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        f"sys.addaudithook(lambda event, arguments: (event, arguments[:1]) == "
        f"('import', ('click',)) and os.kill(os.getpid(), {number}))\n"
    )
    path = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    for command in (COMMAND, [str(Path(sys.executable).with_name("fivetran-auditor"))]):
        done = subprocess.run(
            [*command, "demo"],
            cwd=tmp_path,
            env=environment(path),
            capture_output=True,
            check=False,
            # What starts the tests in the background may have it ignored.
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
        )
        assert (done.returncode, done.stdout, done.stderr) == (-number, b"", b"")


# -- refused by the disk ---------------------------------------------------------------------------

REFUSALS = {
    "open": "EACCES",
    "mkdir": "EROFS",
    "write": "ENOSPC",
    "fsync": "EIO",
    "rename": "EACCES",
    "remove": "EACCES",
    "chmod": "EPERM",
    "flock": "ENOLCK",
    "truncate": "EIO",
    "out": "EPIPE",
}
REFUSED = ("a first audit", "an audit", "an audit of the API", "a fetch", "a comparison", "a demo")


def refusals(whole: Whole) -> list[Hit]:
    """Return a failure of each step that is a call of the disk's, or writes to standard output."""
    steps = enumerate(step.split()[0] for step in whole.ended.steps)
    return [Hit(n, REFUSALS[step]) for n, step in steps if step in REFUSALS]


def check_refused(stage: Stage, scene: Scene, hit: Hit) -> None:
    whole = stage.whole(scene)
    folder = stage.begin(scene)
    ended = stage.run(scene.command, folder, hit)
    step = whole.ended.steps[hit.at].split()[0]
    assert ended.code in ({scene.code} if step == "out" else {scene.code, 4})
    found = files(folder, scene)
    if step != "remove":
        assert hidden(found) == [], "a temporary file was left behind"
    if ended.code == scene.code:
        assert ended.err == ""
        for path in [*scene.reports, *scene.parts]:
            assert found.get(path) == whole.after.get(path)
        assert not scene.snapshot or is_whole(folder / scene.snapshot)
    else:
        kept = whole.ended.steps[hit.at].removeprefix("remove ")
        check_told(scene, whole, ended, folder, kept)
        check_snapshot(stage, scene, whole, folder)
    check_next_run(stage, scene, whole, folder, 0)
    shutil.rmtree(folder)


def check_told(scene: Scene, whole: Whole, ended: Ended, folder: Path, kept: str) -> None:
    """Assert that a run says in one line what it could not write, and has written all else."""
    found = files(folder, scene)
    assert re.fullmatch(r"error: [^\n]*cannot [^\n]*; [^\n]*\n", ended.err), ended.err
    assert "exit 4" in ended.out or not ended.out
    stale = [path for path in scene.reports if found.get(path) == whole.before.get(path, b"")]
    assert stale == []
    if "exit 4" in ended.out and "cannot keep the history" in ended.err:
        # The reports do without it.
        assert SAYS[len(scene.reports)](folder / "audit-report") == "violations"
        return
    check_reports(scene, whole, found, whole.ended.steps, gone=True, kept=kept)
    states = [found.get(path) == whole.after[path] for path in scene.reports]
    # Told of one report, or before anything was judged.
    assert states.count(False) == 1 if "exit 4" in ended.out else not any(states)


@pytest.mark.parametrize(("name", "count"), [("an audit", 9), ("a fetch", 5), ("a comparison", 3)])
def test_a_step_that_fails_is_4_and_costs_one_report(name: str, count: int, stage: Stage) -> None:
    for hit in spread(refusals(stage.whole(SCENES[name])), count):
        check_refused(stage, SCENES[name], hit)


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_any_step_that_fails_is_4_and_costs_one_report(name: str, stage: Stage) -> None:
    for hit in refusals(stage.whole(SCENES[name])):
        check_refused(stage, SCENES[name], hit)


# -- refused by the system itself ------------------------------------------------------------------

MOUNTED = "mount -t tmpfs -o SIZE none here"


@dataclass(frozen=True)
class Case:
    """A script for bash, in which ``auditor`` is the command, with the code that it ends with.

    What is written to the folder ``here`` is there afterwards. With ``within`` the script runs
    in such surroundings: ``mounts`` of its own, or ``unprivileged``, as root minds no permission.
    """

    name: str
    script: str
    code: int
    says: str = ""
    within: str = ""

    def __str__(self) -> str:
        return self.name


def within(surroundings: str) -> list[str]:
    """Return the command that makes ``surroundings``; skip where they cannot be made."""
    root = os.geteuid() == 0
    if surroundings == "unprivileged":
        if root and shutil.which("setpriv") is None and not os.environ.get("CI"):
            pytest.skip("NOT TESTED WITHOUT PERMISSIONS: setpriv is not installed")
        lost = "-dac_override,-dac_read_search,-fowner"
        return ["setpriv", f"--bounding-set={lost}", "--inh-caps=-all"] if root else []
    if not surroundings:
        return []
    command = ["unshare", "--mount", *([] if root else ["--user", "--map-root-user"])]
    tried = ["mount", "-t", "tmpfs", "none", "/mnt"]
    if not os.environ.get("CI"):
        try:
            subprocess.run([*command, *tried], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("NOT TESTED ON A FULL DISK: nothing can be mounted here")
    return command


AUDIT = f"auditor {JUDGE} --snapshot bad.json"
COMPARE = "auditor compare good-report.json bad-report.json"
FETCH = "auditor fetch --base-url URL"
FOLDER = "mkdir here; chmod 555 here"
CLOSED = "standard output: it is closed; write to a file instead"
CASES = [
    Case("audit, no permission", f"{FOLDER}; {AUDIT} -o here", 4, "permission denied"),
    Case(
        "fetch, no permission",
        f"{FOLDER}; {FETCH} -o here/s",
        4,
        "make the folder writable, or name",
    ),
    Case("compare, no permission", f"{FOLDER}; {COMPARE} --report json -o here", 4, "permission"),
    Case("demo, no permission", f"{FOLDER}; auditor demo -o here", 4, "permission denied"),
    Case("history, no permission", f"{FOLDER}; {AUDIT} --history here/h", 4, "--history"),
]
CASES = [replace(case, within="unprivileged") for case in CASES]
READ_ONLY = f"mkdir here; {MOUNTED.replace('SIZE', 'ro')}"
CASES += [
    replace(case, within="mounts")
    for case in (
        Case("audit, read-only", f"{READ_ONLY}; {AUDIT} -o here", 4, "the file system is read-on"),
        Case("fetch, read-only", f"{READ_ONLY}; {FETCH} -o here/s", 4, "file system is read-only"),
        Case("compare, read-only", f"{READ_ONLY}; {COMPARE} --report json -o here", 4, "read-only"),
        Case("history, read-only", f"{READ_ONLY}; {AUDIT} --history here/h", 4, "--history"),
    )
]
CASES += [
    Case(
        "fetch, a limit",
        f"{file_limit(4)}; {FETCH} -o s",
        4,
        "(ulimit -f), or name another",
    ),
    Case(
        "fetch, a limit, gzip",
        f"{file_limit(1)}; {FETCH} -o s.gz",
        4,
        "(ulimit -f), or name another",
    ),
    Case("compare, a limit", f"{file_limit(8)}; {COMPARE} --report html", 4, "raise it (ulimit"),
    Case("demo, a limit", f"{file_limit(24)}; auditor demo", 4, "raise it (ulimit"),
    Case("fetch, a folder", f"mkdir s; {FETCH} -o s", 4, "a folder is in the way"),
    Case("compare, a folder", f"mkdir s; {COMPARE} --report json=s", 4, "a folder is in the way"),
    Case("fetch, closed", f"{FETCH} -o - >&-", 4, "standard output: it is closed; write to a file"),
    Case("fetch, full", f"{FETCH} -o - >/dev/full", 4, "no space is left there; free some"),
    Case(
        "fetch, a reader gone",
        f"{FETCH} -o - | true; exit ${{PIPESTATUS[0]}}",
        4,
        "the reader went away",
    ),
    Case("fetch, nobody reads what it says", f"{FETCH} -o s >&-; test -s s", 0),
    Case("compare, closed", f"{COMPARE} --report json=- >&-", 4, CLOSED),
    Case("compare, full", f"{COMPARE} --report json=- >/dev/full", 4, "no space is left there"),
    Case("compare, a summary on a full device", f"{COMPARE} >/dev/full", 1),
    Case("compare, a summary nobody reads", f"{COMPARE} | true; exit ${{PIPESTATUS[0]}}", 1),
    Case("demo, closed", "auditor demo --connections 3 >&-", 0),
    Case("demo, full", "auditor demo --connections 3 >/dev/full", 0),
    Case(
        "audit, a reader gone",
        "mkfifo pipe; head -c 1 pipe >read & "
        f"{AUDIT} --report html=pipe --report json=here/report.json; code=$?; wait; exit $code",
        4,
        "html: pipe: the reader went away before the end",
    ),
    Case("history, a folder", f"mkdir -p h/open.json; {AUDIT} --history h", 4, "--history"),
]
#: What runs with every change: one of each kind, and of each command.
FEW = {
    "audit, no permission",
    "fetch, no permission",
    "history, read-only",
    "audit, read-only",
    "fetch, a limit",
    "compare, a limit",
    "fetch, a reader gone",
    "audit, a reader gone",
    "history, a folder",
}


def scripted(case: Case, stage: Stage, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run the script of ``case`` in a folder of its own, ``run`` in ``tmp_path``."""
    shutil.copytree(stage.house, tmp_path / "run")
    script = case.script.replace("URL", stage.url)
    return subprocess.run(
        [*within(case.within), *in_bash(script)],
        cwd=tmp_path / "run",
        env=environment(KEYS),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
        text=True,
    )


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, marks=[] if c.name in FEW else pytest.mark.slow, id=c.name) for c in CASES],
)
def test_what_cannot_be_written_is_4_and_said(case: Case, stage: Stage, tmp_path: Path) -> None:
    done = scripted(case, stage, tmp_path)
    assert done.returncode == case.code, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    if case.says:
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert errors
        assert case.says in errors[0]
    else:
        assert done.stderr == ""
    left = [path for path in (tmp_path / "run").rglob(".*") if path.name != ".lock"]
    assert left == []
    page = tmp_path / "run" / "here" / "report.json"
    if page.is_file():
        assert json.loads(page.read_bytes())["gate"]["outcome"] == "violations"


@pytest.mark.parametrize("pages", [5, 12, 16, pytest.param(None, marks=pytest.mark.slow)])
def test_a_disk_that_is_too_small_costs_what_does_not_fit(
    pages: int | None, stage: Stage, tmp_path: Path
) -> None:
    # A page is 4 KiB; a run of these three needs about 60 of them.
    scene = SCENES["a first audit"]
    seen = set()
    for size in range(1, 120, 3) if pages is None else [pages]:
        script = (
            f"mkdir here; {MOUNTED.replace('SIZE', f'size={4 * size}k')}; {AUDIT} -o here; code=$?;"
            f" cp -a here/. there{size}; exit $code"
        )
        case = Case(f"{size} pages", f"mkdir there{size}; {script}", 4, within="mounts")
        folder = tmp_path / str(size)
        folder.mkdir()
        done = scripted(case, stage, folder)
        assert done.returncode in (1, 4), done.stderr
        seen.add(done.returncode)
        lines = done.stderr.splitlines()
        assert bool(lines) is (done.returncode == 4)
        for line in lines:
            assert re.search(r"cannot write \w+: .*: no space is left there; free some", line)
        found = folder / "run" / f"there{size}"
        assert not list(found.glob(".*"))
        for path in scene.reports:
            report = found / Path(path).name
            written = report.read_bytes() if report.exists() else b""
            failed = f"here/{report.name}: " in done.stderr
            whole = report.exists() and written != scene.reports[path].encode()
            assert whole is (done.returncode == 1 or (not failed and "exit 4" in done.stdout))
            assert not whole or WORDS[report.suffix](report) == "violations"
    assert pages is not None or seen == {1, 4}
