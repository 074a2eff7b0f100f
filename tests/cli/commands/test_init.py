"""``init``: what it writes works as it is, and nobody's files are overwritten."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import click
import jsonschema
import pytest
import yaml

from auditor import __version__
from auditor.acceptance.waivers import load_waivers
from auditor.cli.commands.audit import command as audit
from auditor.cli.commands.init import FILES, GATES, SCHEMAS, SERVICES
from auditor.cli.config.command import config_options
from auditor.cli.config.file import config_schema
from auditor.policy.loading.documents import pack_names
from auditor.resources import resource_folder
from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from tests.builders.command import COMMAND, KEYS, outcome_in, run, shell
from tests.builders.listed import HOUSE, waiver
from tests.builders.plans import plan_file
from tests.builders.slow import mostly_slow
from website import reference

WORKFLOW = ".github/workflows/fivetran-audit.yml"
GITLAB = ".gitlab-ci.fivetran-audit.yml"
STARTER = {*FILES, *SCHEMAS}
JOBS = {path for path, _, _ in SERVICES.values()}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a starter in it. Nothing may change what ``init`` wrote."""
    folder = tmp_path_factory.mktemp("started")
    done = run(["init", *(f"--{name}" for name in SERVICES)], folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(name in done.stdout for name in (*FILES, *SCHEMAS, *JOBS, ".gitignore"))
    return folder


def files_in(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file() and "report" not in path.as_posix()
    }


def jobs(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)
    return found


# -- it works as it stands ----------------------------------------------------------------------


def test_it_writes_what_it_says_and_no_more(started: Path):
    assert set(files_in(started)) == {*STARTER, *JOBS, ".gitignore"}


def test_it_is_valid_and_passes_its_own_tests(started: Path):
    validated = run(["validate", "--strict"], started)
    assert validated.returncode == 0, validated.stdout
    assert "0 waivers" in validated.stdout, "auditor.yaml names the waivers"
    tested = run(["test"], started)
    assert tested.returncode == 0, tested.stdout
    assert "1 of 1 rule fail, pass and, where they can, skip in a test" in tested.stdout


@pytest.mark.parametrize(
    ("healthy", "code", "outcome"), [(True, 0, "passed"), (False, 1, "violations")]
)
def test_it_audits_an_account(started: Path, healthy: bool, code: int, outcome: str):
    with Sandbox(build_estate(250, 7, healthy=healthy)) as sandbox:
        done = run(["audit", "--base-url", sandbox.url], started, KEYS)
    assert done.returncode == code, done.stderr
    assert outcome_in(started / "audit-report") == outcome
    assert "house (policies/house.yaml)" in done.stdout
    idle = re.search(r"idle .*", done.stdout)
    assert idle is None or "spreadsheets-sync-hourly" not in idle[0]


def test_only_the_baseline_is_on_and_what_the_others_want_is_named(started: Path):
    text = (started / "policies/house.yaml").read_text()
    assert yaml.safe_load(text)["extends"] == ["baseline"]
    named = dict(re.findall(r"^#   (\w+) +(.*)$", text, re.MULTILINE))
    # The pack for a change is named by the jobs that gate one.
    assert sorted({*named, "baseline", "terraform"}) == pack_names()
    for pack, words in named.items():
        declared = yaml.safe_load((resource_folder("policies") / f"{pack}.yaml").read_text())[
            "vars"
        ]
        assert set(re.findall(r"[a-z]+_[a-z_]+", words)) <= set(declared), pack


def test_an_editor_finds_the_schemas_and_they_fit(started: Path):
    for name in FILES:
        text = (started / name).read_text()
        found = re.match(r"# yaml-language-server: \$schema=(\S+)\n# \$schema: \1\n", text)
        assert found is not None, name
        schema = json.loads(((started / name).parent / found[1]).read_text())
        jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(text))
        assert (started / name).parent.joinpath(found[1]).resolve() in {
            (started / path).resolve() for path in SCHEMAS
        }


def test_schemas_are_taken_from_a_site(tmp_path: Path):
    """Editors fetch the schemas that the site serves, and the starter works as it is."""
    _, served = reference.schemas()

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = served.get(self.path.removeprefix("/auditor/schemas/"))
            self.send_response(404 if text is None else 200)
            self.end_headers()
            self.wfile.write((text or "").encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/auditor"
        done = run(["init", "--docs-url", url], tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        for name in FILES:
            text = (tmp_path / name).read_text()
            found = re.match(r"# yaml-language-server: \$schema=(\S+)\n# \$schema: \1\n", text)
            assert found is not None, name
            with urlopen(found[1]) as answer:
                schema = json.load(answer)
            jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(text))
        server.shutdown()
    assert set(files_in(tmp_path)) == {*FILES, ".gitignore"}
    assert yaml.safe_load((tmp_path / "auditor.yaml").read_text())["docs_url"] == f"{url}/"
    with Sandbox(build_estate(60, 7)) as sandbox:
        assert run(["audit", "--base-url", sandbox.url], tmp_path, KEYS).returncode == 1
    report = json.loads((tmp_path / "audit-report/report.json").read_text())
    pages = {rule["id"]: rule.get("url") for rule in report["rules"]}
    assert pages["setup-connected"] == f"{url}/rules/setup-connected/"
    assert pages["spreadsheets-sync-hourly"] is None


@pytest.mark.parametrize("url", ["", "docs.test", "https://docs.test/{rule}", "https://d.test/?a"])
def test_schemas_are_taken_from_no_other_place(tmp_path: Path, url: str):
    done = run(["init", "--docs-url", url], tmp_path)
    assert (done.returncode, "--docs-url" in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_the_defaults_fit_their_schema_and_so_do_the_commented_ones(started: Path):
    text = (started / "auditor.yaml").read_text()
    uncommented = re.sub(r"^# (?=(?:max|baseline|docs_url): )", "", text, flags=re.MULTILINE)
    for document in (text, uncommented):
        jsonschema.validate(
            yaml.safe_load(document), config_schema(config_options(click.Context(audit)))
        )
    assert set(yaml.safe_load(uncommented)) > set(yaml.safe_load(text))


def test_the_example_of_a_waiver_is_one(started: Path, tmp_path: Path):
    text = (started / "waivers.yaml").read_text()
    assert load_waivers(started / "waivers.yaml").entries == ()
    path = tmp_path / "waivers.yaml"
    path.write_text(re.sub(r"^#(?=  )", "", text, flags=re.MULTILINE), encoding="utf-8")
    (waiver,) = load_waivers(path, strict=True).entries
    assert (waiver.rule, waiver.owner) == ("private-databases", "data-platform@example.com")
    assert waiver.accepts is not None


@pytest.mark.parametrize("name", ["override", "vars"])
def test_the_commented_parts_of_the_policy_are_right(started: Path, tmp_path: Path, name: str):
    text = (started / "policies/house.yaml").read_text()
    body = re.sub(rf"^# ({name}:)\n((?:#  .*\n)+)", _uncommented, text, flags=re.MULTILINE)
    assert body != text
    path = tmp_path / "house.yaml"
    path.write_text(body, encoding="utf-8")
    done = run(["validate", "--strict", "./house.yaml"], tmp_path)
    assert done.returncode == 0, done.stdout


def _uncommented(match: re.Match[str]) -> str:
    return f"{match[1]}\n{match[2].replace('# ', ' ', 1).replace(chr(10) + '# ', chr(10) + ' ')}"


# -- the jobs -----------------------------------------------------------------------------------


def test_the_workflow_caches_audits_and_keeps_what_came_of_it(started: Path):
    workflow = jobs((started / WORKFLOW).read_text())
    assert set(workflow["jobs"]) == {"policies", "audit"}
    for job in workflow["jobs"].values():
        python = next(s for s in job["steps"] if "setup-python" in s.get("uses", ""))
        assert python["with"]["cache"] == "pip"
        # The action fails where the file that the cache depends on is missing.
        assert (started / python["with"]["cache-dependency-path"]).is_file()
        assert {"run": f"pip install fivetran-auditor=={__version__}"} in job["steps"]
    audit = workflow["jobs"]["audit"]
    assert audit["permissions"]["security-events"] == "write"
    after = audit["steps"][-3:]
    assert all(step["if"].startswith("always()") for step in after)
    assert "GITHUB_STEP_SUMMARY" in after[0]["run"]
    assert "upload-sarif" in after[1]["uses"]
    assert "outputs.code == '0' || steps.audit.outputs.code == '1'" in after[1]["if"]
    assert "upload-artifact" in after[2]["uses"]
    assert "secrets." not in str(workflow["jobs"]["policies"]), "a fork has none"


def scripts(started: Path) -> dict[str, list[str]]:
    """Return the scripts that each service runs, but for those that install."""
    github, gitlab = jobs((started / WORKFLOW).read_text()), jobs((started / GITLAB).read_text())
    azure = jobs((started / SERVICES["azure"][0]).read_text())
    jenkins = (started / SERVICES["jenkins"][0]).read_text()
    hooks = jobs((started / SERVICES["pre-commit"][0]).read_text())["repos"][0]["hooks"]
    found = {
        "github": [s["run"] for job in github["jobs"].values() for s in job["steps"] if "run" in s],
        "gitlab": [line for job in gitlab.values() for line in job.get("script", ())],
        "azure": [step["bash"] for step in azure["steps"] if "bash" in step],
        "jenkins": re.findall(r"sh '(?:\.fivetran-venv/bin/)?(fivetran-.*)'", jenkins),
        "pre-commit": [f"{hook['entry']} policies/house.yaml" for hook in hooks],
    }
    assert set(found) == set(SERVICES)
    return {
        name: [text for text in texts if "fivetran-auditor " in text and "install" not in text]
        for name, texts in found.items()
    }


@pytest.mark.parametrize("service", mostly_slow(SERVICES, len(SERVICES)))
def test_the_jobs_run_and_make_the_files_they_hand_on(started: Path, service: str, tmp_path: Path):
    place = tmp_path / "checkout"
    shutil.copytree(started, place)
    command = tmp_path / "fivetran-auditor"
    command.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    command.chmod(0o755)
    texts = scripts(started)[service]
    with Sandbox(build_estate(60, 7, healthy=True)) as sandbox:
        env = {
            **KEYS,
            "FIVETRAN_AUDITOR_BASE_URL": sandbox.url,
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
        }
        for text in texts:
            done = shell(f"set -eo pipefail\n{text}", place, env)
            assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    told = (started / SERVICES[service][0]).read_text()
    if service == "github":
        assert (tmp_path / "output").read_text() == "code=0\n"
    handed = set(re.findall(r"(?:audit|test)-report/[\w.-]+\.\w+", told))
    assert handed or service == "pre-commit"
    assert [name for name in handed if not (place / name).is_file()] == []


def test_the_workflow_s_audit_step_is_the_gate(started: Path, tmp_path: Path):
    shutil.copytree(started, tmp_path / "checkout")
    (tmp_path / "fivetran-auditor").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "fivetran-auditor").chmod(0o755)
    (text,) = (text for text in scripts(started)["github"] if " audit " in text)
    env = {
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
    }
    assert shell(f"set -eo pipefail\n{text}", tmp_path / "checkout", env).returncode == 3
    assert (tmp_path / "output").read_text() == "code=3\n"


def test_the_gitlab_jobs_extend_one_that_is_there(started: Path):
    gitlab = jobs((started / GITLAB).read_text())
    assert {job["extends"] for name, job in gitlab.items() if name[0] != "."} <= set(gitlab)
    reports = gitlab["fivetran-audit"]["artifacts"]["reports"]
    assert set(reports) == {"junit", "codequality"}
    assert gitlab["fivetran-audit"]["artifacts"]["when"] == "always"
    assert gitlab[".fivetran-auditor"]["cache"]["paths"]


# -- in a folder of a repository ----------------------------------------------------------------


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """Return a team's folder in a repository."""
    folder = tmp_path / "finance/fivetran"
    folder.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    return folder


def test_what_services_read_goes_to_the_root_and_names_the_folder(team: Path):
    root = team.parents[1]
    done = run(["init", *(f"--{name}" for name in SERVICES), "--terraform"], team)
    assert done.returncode == 0, done.stderr
    own = {path.relative_to(team).as_posix() for path in team.rglob("*") if path.is_file()}
    assert own == {*FILES, *SCHEMAS, ".gitignore"}
    assert "wrote ../../.github/workflows/fivetran-audit-finance-fivetran.yml" in done.stdout
    above = {path for path in root.rglob("*") if path.is_file() and team not in path.parents}
    assert {path.relative_to(root).as_posix() for path in above} == {
        ".github/workflows/fivetran-audit-finance-fivetran.yml",
        ".github/workflows/fivetran-plan-finance-fivetran.yml",
        ".gitlab-ci.fivetran-audit-finance-fivetran.yml",
        ".gitlab-ci.fivetran-plan-finance-fivetran.yml",
        "Jenkinsfile.fivetran-audit-finance-fivetran",
        "azure-pipelines.fivetran-audit-finance-fivetran.yml",
        ".pre-commit-config.yaml",
    }
    for path in above:
        text = path.read_text()
        assert not re.search(r"@[A-Z]+@", text)
        assert "finance/fivetran/auditor.yaml" in text
        # Jobs of another team stand beside them in one pipeline.
        if path.name.startswith(".gitlab"):
            assert all(name.endswith("-finance-fivetran") for name in jobs(text))
    workflow = jobs((root / ".github/workflows/fivetran-audit-finance-fivetran.yml").read_text())
    # YAML 1.1 takes the key on: for true.
    triggers = workflow[True]["pull_request"]["paths"]
    assert all(name.startswith(("finance/fivetran/", ".github/")) for name in triggers)
    assert workflow["concurrency"]["group"].startswith("fivetran-audit-finance-fivetran-")
    (hook, *_) = jobs((root / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert re.search(hook["files"], "finance/fivetran/policies/house.yaml")
    assert not re.search(hook["files"], "policies/house.yaml")


@pytest.mark.parametrize("healthy", [True, False])
def test_a_job_of_the_root_judges_by_the_policies_of_the_folder(team: Path, healthy: bool):
    root = team.parents[1]
    assert run(["init", "--github", "--pre-commit"], team).returncode == 0
    workflow = jobs((root / ".github/workflows/fivetran-audit-finance-fivetran.yml").read_text())
    with Sandbox(build_estate(60, 7, healthy=healthy)) as sandbox:
        env = {**KEYS, **workflow["env"], "FIVETRAN_AUDITOR_BASE_URL": sandbox.url}
        assert run(["validate"], root, env).returncode == 0
        assert run(["test"], root, env).returncode == 0
        done = run(["audit", "--output-dir", "audit-report"], root, env)
    assert done.returncode == (0 if healthy else 1), done.stderr
    report = json.loads((root / "audit-report/report.json").read_text())
    assert "spreadsheets-sync-hourly" in {rule["id"] for rule in report["rules"]}
    for hook in jobs((root / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]:
        words = [*hook["entry"].split()[1:], *hook["args"]]
        names = ["waivers.yaml", "policies/house.yaml"][-1 if words[0] == "test" else 0 :]
        done = run([*words, *(f"finance/fivetran/{name}" for name in names)], root)
        assert done.returncode == 0, done.stderr


def test_files_in_the_root_are_not_overwritten(team: Path):
    root = team.parents[1]
    workflow = root / ".github/workflows/fivetran-audit-sales.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text("name: ours\n")
    (root / ".pre-commit-config.yaml").write_text("repos: []\n")
    # The folder need not be there yet.
    done = run(["init", "sales", "--github"], root)
    assert (done.returncode, workflow.read_text()) == (2, "name: ours\n"), done.stdout
    assert not (root / "sales").exists()
    done = run(["init", "sales", "--pre-commit"], root)
    assert done.returncode == 0, done.stderr
    assert (root / ".pre-commit-config.yaml").read_text() == "repos: []\n"
    assert "exists already. Add this to its repos" in done.stdout
    assert "sales/auditor.yaml" in done.stdout


@pytest.mark.parametrize("name", ["a b", "$(touch pwned)", "é", "a'b", "-x", "a\nb", "${{ x }}"])
def test_a_folder_that_a_job_cannot_name_is_refused(team: Path, name: str):
    folder = team / name
    folder.mkdir()
    done = run(["init", "--github"], folder)
    assert (done.returncode, "into the repository's root" in done.stderr) == (2, True)
    assert list(folder.iterdir()) == []
    # Without a job nothing names it.
    assert run(["init"], folder).returncode == 0


# -- it overwrites nothing ----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(STARTER))
def test_an_existing_file_is_named_and_nothing_is_written(tmp_path: Path, name: str):
    standing = tmp_path / name
    standing.parent.mkdir(parents=True, exist_ok=True)
    standing.write_text("mine\n", encoding="utf-8")
    done = run(["init"], tmp_path)
    assert done.returncode == 2
    assert name in done.stderr
    assert "--force" in done.stderr
    assert files_in(tmp_path) == {name: "mine\n"}
    forced = run(["init", "--force"], tmp_path)
    assert forced.returncode == 0
    assert set(files_in(tmp_path)) == {*STARTER, ".gitignore"}
    assert "mine\n" not in files_in(tmp_path).values()


def test_a_dangling_link_counts_as_existing(tmp_path: Path):
    (tmp_path / "auditor.yaml").symlink_to("elsewhere.yaml")
    assert run(["init"], tmp_path).returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["auditor.yaml"]


def test_another_folder_is_made(tmp_path: Path, started: Path):
    done = run(["init", "new/place", *(f"--{name}" for name in SERVICES)], tmp_path)
    assert done.returncode == 0
    assert files_in(tmp_path / "new/place") == files_in(started)


def test_what_is_in_the_way_ends_as_4(tmp_path: Path):
    (tmp_path / "policies").write_text("a file", encoding="utf-8")
    done = run(["init"], tmp_path)
    assert done.returncode == 4
    assert "cannot write policies/house.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_is_not_replaced_by_force(tmp_path: Path):
    (tmp_path / "auditor.yaml").mkdir()
    done = run(["init", "--force"], tmp_path)
    assert done.returncode == 4
    assert "a folder is in the way" in done.stderr
    assert (tmp_path / "auditor.yaml").is_dir()


def test_a_job_is_added_later_and_existing_files_are_kept(tmp_path: Path):
    assert run(["init"], tmp_path).returncode == 0
    (tmp_path / "policies/house.yaml").write_text("mine\n", encoding="utf-8")
    before = files_in(tmp_path)
    done = run(["init", "--gitlab"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "kept policies/house.yaml, waivers.yaml and auditor.yaml" in done.stdout
    assert set(files_in(tmp_path)) - set(before) == {GITLAB}
    assert files_in(tmp_path)["policies/house.yaml"] == "mine\n"
    again = run(["init", "--gitlab"], tmp_path)
    assert again.returncode == 2
    assert f"{GITLAB} already exists" in again.stderr
    assert run(["init", "--gitlab", "--force"], tmp_path).returncode == 0
    assert files_in(tmp_path)["policies/house.yaml"] == "mine\n"


def test_a_job_beside_a_policy_and_waivers_gets_the_defaults_that_name_them(tmp_path: Path):
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/mine.yaml").write_text(HOUSE)
    (tmp_path / "waivers.yaml").write_text(waiver(expires="2999-12-31"))
    done = run(["init", "--github"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "wrote auditor.yaml" in done.stdout
    assert "kept waivers.yaml" in done.stdout
    assert not (tmp_path / "policies/house.yaml").exists()
    assert "fine: 5 rules in 1 file, 1 waiver" in run(["validate"], tmp_path).stdout


def test_existing_hooks_are_kept_and_the_addition_is_printed(tmp_path: Path):
    (tmp_path / ".pre-commit-config.yaml").write_text("repos: []\n", encoding="utf-8")
    done = run(["init", "--pre-commit"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert files_in(tmp_path)[".pre-commit-config.yaml"] == "repos: []\n"
    shown = yaml.safe_load(done.stdout.partition("Add this to its repos:")[2])
    assert [hook["id"] for hook in shown[0]["hooks"]] == [
        "fivetran-auditor-validate",
        "fivetran-auditor-test",
    ]


@pytest.mark.parametrize(
    ("there", "after"),
    [
        ("", "# Rep…"),
        ("build/\n", "build/\n\n# Rep…"),
        ("build/", "build/\n\n# Rep…"),
        ("audit-report/\n*.ndjson\n", "audit-report/\n*.ndjson\n\n# Rep…"),
    ],
)
def test_what_git_is_to_ignore_is_added_once(tmp_path: Path, there: str, after: str):
    path = tmp_path / ".gitignore"
    path.write_text(there, encoding="utf-8")
    assert run(["init"], tmp_path).returncode == 0
    text = path.read_text()
    assert text.startswith(after.removesuffix("…"))
    lines = text.splitlines()
    for line in ("audit-report/", "test-report/", "*.ndjson", "*.ndjson.gz"):
        assert lines.count(line) == 1
    assert run(["init", "--force"], tmp_path).returncode == 0
    assert path.read_text() == text


def test_what_git_ignores_and_cannot_be_read_is_left_alone(tmp_path: Path):
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9\n")
    done = run(["init"], tmp_path)
    assert (done.returncode, "it is not UTF-8" in done.stderr) == (4, True)
    assert (tmp_path / ".gitignore").read_bytes() == b"caf\xe9\n"


# -- a gate for plans ---------------------------------------------------------------------------


def test_terraform_adds_the_gates_and_keeps_an_existing_starter(tmp_path: Path):
    done = run(["init", "--terraform"], tmp_path)
    assert done.returncode == 0
    assert set(files_in(tmp_path)) == {*STARTER, *GATES, ".gitignore"}
    for name in GATES:
        (tmp_path / name).unlink()
    mine = tmp_path / "policies" / "house.yaml"
    mine.write_text("policy: mine\nrules: []\n")
    assert run(["init", "--terraform"], tmp_path).returncode == 0
    assert mine.read_text().startswith("policy: mine")
    assert run(["init", "--terraform"], tmp_path).returncode == 2


@pytest.mark.parametrize("name", GATES)
def test_the_options_of_a_gate_are_those_of_audit(tmp_path: Path, name: str):
    assert run(["init", "--terraform"], tmp_path).returncode == 0
    text = (tmp_path / name).read_text()
    jobs(text)
    (line,) = re.findall(r"fivetran-auditor audit(.*?)(?:\|\| code|\n  artifacts)", text, re.DOTALL)
    assert "--terraform-plan -" in line
    known = {option for param in audit.params for option in param.opts}
    assert set(re.findall(r"--[a-z-]+", line)) <= known


@pytest.mark.parametrize("name", GATES)
def test_a_gate_answers_on_a_real_plan(tmp_path: Path, name: str):
    assert run(["init", "--terraform"], tmp_path).returncode == 0
    text = (tmp_path / name).read_text()
    (line,) = re.findall(r"fivetran-auditor audit(.*?)(?:\|\| code|\n  artifacts)", text, re.DOTALL)
    words = line.replace("\\\n", " ").replace("--over live", "").split()
    done = run(["audit", *words], tmp_path, given=plan_file("walk").read_bytes())
    assert done.returncode in {1, 3}, done.stderr
    assert "fivetran_connector_schedule.orders" in done.stdout + done.stderr
