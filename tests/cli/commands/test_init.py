"""``init``: what it writes works as it stands, and nothing of anyone's is overwritten."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import yaml

from auditor import __version__
from auditor.acceptance.waivers import load_waivers
from auditor.cli.commands.audit import command as audit
from auditor.cli.commands.init import FILES, GATES
from auditor.cli.config.command import config_options
from auditor.cli.config.file import config_schema
from auditor.policy.loading.documents import pack_names
from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from auditor.sandbox.words import SERVICE_ACCOUNTS
from tests.builders.command import KEYS, outcome_in, run, shell
from tests.builders.plans import plan_file

#: What the pack governance wants to be told of an account.
OWNERS = {"FIVETRAN_AUDITOR_VAR": f"service_accounts={','.join(SERVICE_ACCOUNTS)}"}
WORKFLOW = ".github/workflows/fivetran-audit.yml"
GITLAB = ".gitlab-ci.fivetran-audit.yml"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a starter in it. Nothing may change what ``init`` wrote."""
    folder = tmp_path_factory.mktemp("started")
    done = run(["init"], folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(name in done.stdout for name in FILES)
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
    assert set(files_in(started)) == set(FILES)


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
        done = run(["audit", "--base-url", sandbox.url], started, KEYS | OWNERS)
    assert done.returncode == code, done.stderr
    assert outcome_in(started / "audit-report") == outcome
    assert "house (policies/house.yaml)" in done.stdout
    idle = re.search(r"idle .*", done.stdout)
    assert idle is None or "spreadsheets-sync-hourly" not in idle[0]


def test_it_extends_every_pack(started: Path):
    policy = yaml.safe_load((started / "policies/house.yaml").read_text())
    # The pack for a change is named by the jobs that gate one.
    assert policy["extends"] == [name for name in pack_names() if name != "terraform"]


def test_the_defaults_fit_their_schema_and_so_do_the_commented_ones(started: Path):
    text = (started / "auditor.yaml").read_text()
    uncommented = re.sub(r"^# (?=(?:max|baseline): )", "", text, flags=re.MULTILINE)
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
    assert "upload-artifact" in after[2]["uses"]
    assert "secrets." not in str(workflow["jobs"]["policies"]), "a fork has none"


def test_the_jobs_run_and_make_the_files_they_hand_on(started: Path):
    workflow, gitlab = jobs((started / WORKFLOW).read_text()), jobs((started / GITLAB).read_text())
    scripts = {
        WORKFLOW: [
            s["run"] for job in workflow["jobs"].values() for s in job["steps"] if "run" in s
        ],
        GITLAB: [line for job in gitlab.values() for line in job.get("script", ())],
    }
    with Sandbox(build_estate(60, 7, healthy=True)) as sandbox:
        env = {**KEYS, **OWNERS, "FIVETRAN_AUDITOR_BASE_URL": sandbox.url}
        for name, lines in scripts.items():
            ours = [line for line in lines if re.search("^ *fivetran-auditor ", line, re.MULTILINE)]
            assert len(ours) == 3, name
            for script in ours:
                done = shell(
                    script.replace("fivetran-auditor ", "auditor "),
                    started,
                    {**env, "GITHUB_OUTPUT": str(started.parent / "step-output")},
                )
                assert done.returncode == 0, f"{name}: {script}\n{done.stdout}{done.stderr}"
    assert (started.parent / "step-output").read_text() == "code=0\n"
    handed = [
        *gitlab["fivetran-audit"]["artifacts"]["reports"].values(),
        *gitlab["fivetran-policies"]["artifacts"]["reports"].values(),
        "audit-report/report.sarif",
        "audit-report/report.md",
    ]
    text = (started / WORKFLOW).read_text()
    for name in handed:
        assert (started / name).is_file(), name
    assert all(name in text for name in handed[-2:])


def test_the_gitlab_jobs_extend_one_that_is_there(started: Path):
    gitlab = jobs((started / GITLAB).read_text())
    assert {job["extends"] for name, job in gitlab.items() if name[0] != "."} <= set(gitlab)
    reports = gitlab["fivetran-audit"]["artifacts"]["reports"]
    assert set(reports) == {"junit", "codequality"}
    assert gitlab["fivetran-audit"]["artifacts"]["when"] == "always"
    assert gitlab[".fivetran-auditor"]["cache"]["paths"]


# -- it overwrites nothing ----------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_stands_is_named_and_nothing_is_written(tmp_path: Path, name: str):
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
    assert set(files_in(tmp_path)) == set(FILES)
    assert "mine\n" not in files_in(tmp_path).values()


def test_a_link_to_nothing_stands_too(tmp_path: Path):
    (tmp_path / "auditor.yaml").symlink_to("elsewhere.yaml")
    assert run(["init"], tmp_path).returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["auditor.yaml"]


def test_another_folder_is_made(tmp_path: Path, started: Path):
    done = run(["init", "new/place"], tmp_path)
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


# -- a gate for plans ---------------------------------------------------------------------------


def test_terraform_adds_the_gates_and_leaves_a_starter_that_stands(tmp_path: Path):
    done = run(["init", "--terraform"], tmp_path)
    assert done.returncode == 0
    assert set(files_in(tmp_path)) == {*FILES, *GATES}
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
