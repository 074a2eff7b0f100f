"""Templates for other services: GitLab's component, Azure's template, Jenkins' step."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from auditor.version import __version__
from tests.adoption.github import ROOT
from tests.builders.command import COMMAND, KEYS, environment

GITLAB = ROOT / "templates/fivetran-audit/template.yml"
AZURE = ROOT / "integrations/azure/fivetran-audit.yml"
JENKINS = ROOT / "integrations/jenkins/vars/fivetranAudit.groovy"
POLICY = """policy: p
rules:
  - id: r
    severity: high
    assert: {schema: {not_equals: nowhere}}
    tests: [{given: {schema: nowhere}, expect: fail}, {given: {schema: s}, expect: pass}]
"""
NAMES = ["policy", "waivers", "baseline", "group", "report"]
HOSTILE = ["$(touch pwned)", "`touch pwned`", '"; touch pwned; "', "'; touch pwned; '", "--help"]
#: What breaks lines, quotes and YAML, and what looks like an option or a variable.
MORE = [
    "a\ntouch pwned\n", "-", "-h", "\\", '"', "'", "x: y # z", "{a: [b", "*", "!x", "&x",
    "$FIVETRAN_API_SECRET ${FIVETRAN_API_SECRET}", "$(FIVETRAN_API_SECRET)", "%0Atouch pwned",
    "\N{RIGHT-TO-LEFT OVERRIDE}\N{LINE SEPARATOR}é", "x" * 5000,
]  # fmt: skip


@pytest.fixture(scope="module")
def account() -> Iterator[str]:
    """Serve an account with violations; yield its address."""
    with Sandbox(build_estate(40, 7)) as sandbox:
        yield sandbox.url


@pytest.fixture
def machine(tmp_path: Path, account: str) -> Machine:
    return Machine(tmp_path, account)


class Machine:
    """A machine of the service's: a workspace with a policy, the command, an idle pip."""

    def __init__(self, place: Path, account: str) -> None:
        self.workspace, self.bin = place / "workspace", place / "bin"
        (self.workspace / "policies").mkdir(parents=True)
        (self.workspace / "policies/p.yaml").write_text(POLICY)
        self.bin.mkdir()
        for name, script in {
            "fivetran-auditor": f'exec {shlex.join(COMMAND)} "$@"',
            "python": 'printf "%s\\n" "$@" > "${0%/*}/installed"',
        }.items():
            (self.bin / name).write_text(f"#!/bin/sh\n{script}\n")
            (self.bin / name).chmod(0o755)
        (self.bin / "python3").symlink_to("python")
        self.env = {
            **KEYS,
            "FIVETRAN_AUDITOR_BASE_URL": account,
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "NO_COLOR": "1",
        }

    def bash(self, script: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=self.workspace,
            env=environment({**self.env, **env}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not list(self.workspace.parent.rglob("pwned")), script
        return done

    def outcome(self, folder: str = "audit-report") -> str:
        document = json.loads((self.workspace / folder / "report.json").read_text())
        return str(document["gate"]["outcome"])


# -- GitLab -------------------------------------------------------------------------------------


class Component:
    """A component as GitLab takes it apart: inputs go into the values of the second document."""

    def __init__(self, **given: str) -> None:
        header, self.text = GITLAB.read_text(encoding="utf-8").split("\n---\n")
        self.spec = yaml.safe_load(header)["spec"]["inputs"]
        assert set(given) <= set(self.spec)
        self.given = {name: given.get(name, spec["default"]) for name, spec in self.spec.items()}
        for name, value in self.given.items():
            assert value in self.spec[name].get("options", [value]), name
            assert re.search(self.spec[name].get("regex", ""), str(value)), name
        self.jobs: dict[str, Any] = self._filled(yaml.safe_load(self.text))

    def _filled(self, node: Any) -> Any:
        if isinstance(node, dict):
            return {key: self._filled(value) for key, value in node.items()}
        if isinstance(node, list):
            return [self._filled(value) for value in node]
        if not isinstance(node, str):
            return node
        return re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda m: str(self.given[m[1]]), node)

    def run(self, job: str, machine: Machine) -> subprocess.CompletedProcess[str]:
        parent, child = self.jobs[self.jobs[job]["extends"]], self.jobs[job]
        given = {**parent["variables"], **child.get("variables", {})}
        env = {k: v["value"] if isinstance(v, dict) else v for k, v in given.items()}
        return machine.bash("\n".join([*parent["before_script"], *child["script"]]), env)


def test_the_component_takes_what_it_says():
    component = Component()
    used = set(re.findall(r"inputs\.([\w-]+)", component.text))
    assert used == set(component.spec)
    assert all(entry["description"] for entry in component.spec.values())
    assert str(component.spec["version"]["default"]) == __version__
    for job in component.jobs.values():
        for line in [*job.get("script", ()), *job.get("before_script", ())]:
            assert "[[" not in line


def test_the_component_validates_tests_and_audits(machine: Machine):
    component = Component(**{"output-dir": "found", "fail-on": "high"})
    assert component.run("fivetran-policies", machine).returncode == 0
    assert (machine.workspace / "test-report/junit.xml").is_file()
    assert component.run("fivetran-audit", machine).returncode == 0
    assert machine.outcome("found") == "passed"
    assert f"fivetran-auditor=={__version__}" in (machine.bin / "installed").read_text()
    artifacts = component.jobs["fivetran-audit"]["artifacts"]
    for path in (*artifacts["reports"].values(), *artifacts["paths"]):
        assert (machine.workspace / path).exists(), path


def test_the_component_is_a_gate(machine: Machine):
    component = Component(policy="baseline")
    assert component.run("fivetran-audit", machine).returncode == 1
    assert component.run("fivetran-policies", machine).returncode == 0


def test_a_hostile_input_of_the_component_is_a_value(machine: Machine):
    for name, value in zip(NAMES, HOSTILE, strict=True):
        done = Component(**{"policy": "baseline", name: value}).run("fivetran-audit", machine)
        assert done.returncode in {1, 2, 3}, (name, value, done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_hostile_input_of_the_component_is_a_value(machine: Machine, name: str):
    for value in [*HOSTILE, *MORE]:
        done = Component(**{"policy": "baseline", name: value}).run("fivetran-audit", machine)
        assert done.returncode in {1, 2, 3}, (value, done.stdout)


# -- Azure --------------------------------------------------------------------------------------


class Template:
    """A template of steps as Azure takes it apart."""

    def __init__(self, **given: str) -> None:
        document = yaml.safe_load(AZURE.read_text(encoding="utf-8"))
        self.parameters = {entry["name"]: entry for entry in document["parameters"]}
        assert set(given) <= set(self.parameters)
        self.given = {
            name: given.get(name, entry["default"]) for name, entry in self.parameters.items()
        }
        for name, value in self.given.items():
            assert value in self.parameters[name].get("values", [value])
        self.steps: list[dict[str, Any]] = document["steps"]

    def filled(self, text: str) -> str:
        text = re.sub(r"\$\{\{ parameters\.(\w+) \}\}", lambda m: str(self.given[m[1]]), text)
        return re.sub(r"\$\((\w+)\)", lambda m: KEYS[m[1]], text)

    def run(self, machine: Machine) -> int:
        for step in self.steps:
            if "bash" not in step:
                continue
            env = {name: self.filled(value) for name, value in step["env"].items()}
            done = machine.bash(self.filled(step["bash"]), env)
            if done.returncode:
                return done.returncode
        return 0


def test_the_azure_template_takes_what_it_says():
    template = Template()
    text = AZURE.read_text()
    assert set(re.findall(r"parameters\.(\w+)", text)) == set(template.parameters)
    assert str(template.parameters["version"]["default"]) == __version__
    assert not [step for step in template.steps if "${{" in step.get("bash", "")]


def test_the_azure_template_validates_tests_and_audits(machine: Machine):
    template = Template(outputDir="found", failOn="high")
    assert template.run(machine) == 0
    assert machine.outcome("found") == "passed"
    kept = [template.filled(str(step["inputs"])) for step in template.steps if "task" in step]
    assert any("found/junit.xml" in inputs for inputs in kept)
    assert (machine.workspace / "found/junit.xml").is_file()
    assert Template(policy="baseline").run(machine) == 1


def test_the_azure_template_publishes_no_older_report(machine: Machine):
    """Where a policy is broken the audit is not reached, and what is there is published."""
    assert Template().run(machine) == 0
    (machine.workspace / "policies/p.yaml").write_text("policy: [")
    assert Template().run(machine) == 2
    assert not (machine.workspace / "audit-report").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_parameter_of_the_azure_template_is_a_value(machine: Machine, name: str):
    for value in [*HOSTILE, *MORE]:
        assert Template(**{"policy": "baseline", name: value}).run(machine) in {1, 2, 3}, value


# -- Jenkins ------------------------------------------------------------------------------------

# Jenkins' own steps, as far as ours uses them. What was called is printed, a line each.
_JENKINS = """
class Failed extends Exception { Failed(String text) { super(text) } }
def given = new groovy.json.JsonSlurperClassic().parse(new File(args[1]))
def script = new GroovyShell(this.class.classLoader).parse(new File(args[0]))
def variables = [:]
def say = { println(groovy.json.JsonOutput.toJson(it)) }
script.metaClass.error = { String text -> throw new Failed(text) }
script.metaClass.usernamePassword = { Map m -> m }
script.metaClass.withCredentials = { List all, Closure body ->
  all.each {
    if (it.credentialsId == 'nobody') throw new Failed('no such credentials')
    variables[it.usernameVariable] = System.getenv('SANDBOX_KEY')
    variables[it.passwordVariable] = System.getenv('SANDBOX_SECRET')
  }
  try { body() } finally { variables.clear() }
}
script.metaClass.withEnv = { List pairs, Closure body ->
  pairs.each { def (name, value) = it.split('=', 2); variables[name] = value }
  body()
}
script.metaClass.sh = { Map m ->
  def made = new ProcessBuilder('sh', '-xe', '-c', m.script).inheritIO()
  made.environment().putAll(variables)
  def status = made.start().waitFor()
  if (status && !m.returnStatus) throw new Failed("script returned exit code ${status}".toString())
  status
}
script.metaClass.junit = { Map m -> say([junit: m]) }
script.metaClass.archiveArtifacts = { Map m -> say([kept: m]) }
try { script.call(given); say([answer: 'ok']) }
catch (Failed failed) { say([answer: failed.message]) }
"""


def _java() -> str:
    found = sorted(Path("/usr/lib/jvm").glob("java-*-openjdk-*"))
    return str(found[0]) if found else ""


@pytest.fixture
def jenkins(machine: Machine, tmp_path: Path) -> Any:
    """Return the function that runs the step with what it is given, and says what was called."""
    if shutil.which("groovy") is None or not _java():
        if os.environ.get("CI"):
            pytest.fail("groovy is not installed")
        pytest.skip("NOT TRIED UNDER GROOVY: it is not installed")
    (tmp_path / "jenkins.groovy").write_text(_JENKINS)

    def run(**given: str) -> dict[str, Any]:
        (tmp_path / "given.json").write_text(json.dumps(given))
        done = subprocess.run(
            ["groovy", tmp_path / "jenkins.groovy", JENKINS, tmp_path / "given.json"],
            cwd=machine.workspace,
            env=environment(
                {
                    **machine.env,
                    "JAVA_HOME": _java(),
                    "SANDBOX_KEY": KEYS["FIVETRAN_API_KEY"],
                    "SANDBOX_SECRET": KEYS["FIVETRAN_API_SECRET"],
                    "FIVETRAN_API_KEY": "",
                    "FIVETRAN_API_SECRET": "",
                }
            ),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert not list(tmp_path.rglob("pwned"))
        told: dict[str, Any] = {}
        for line in re.findall(r'^\{"(?:junit|kept|answer)".*$', done.stdout, re.MULTILINE):
            told.update(json.loads(line))
        return told

    return run


@pytest.mark.slow
def test_the_jenkins_step_passes_stops_and_keeps_the_reports(machine: Machine, jenkins: Any):
    told = jenkins(outputDir="found", failOn="high")
    assert told["answer"] == "ok"
    assert told["junit"] == {"testResults": "found/junit.xml", "allowEmptyResults": True}
    assert told["kept"]["artifacts"] == "found/**"
    assert machine.outcome("found") == "passed"
    assert jenkins(policy="baseline")["answer"] == "fivetran-auditor: violations (exit 1)"
    assert "takes no polcy" in jenkins(polcy="x")["answer"]


@pytest.mark.slow
def test_an_older_report_is_gone_when_jenkins_could_not_start(machine: Machine, jenkins: Any):
    older = machine.workspace / "audit-report/junit.xml"
    older.parent.mkdir()
    older.write_text("<older/>")
    told = jenkins(credentials="nobody")
    assert told["answer"] == "no such credentials"
    assert told["junit"]["testResults"] == "audit-report/junit.xml"
    assert not older.parent.exists()
    older.parent.mkdir()
    older.write_text("<older/>")
    told = jenkins(policy="./nowhere")
    assert told["answer"] == "fivetran-auditor: nothing was judged (exit 2)"
    assert not older.exists() or "<older/>" not in older.read_text()


@pytest.mark.slow
def test_a_hostile_setting_of_jenkins_is_a_value(jenkins: Any):
    for value in HOSTILE:
        assert jenkins(policy="baseline", group=value)["answer"] != "ok"


# -- all of them --------------------------------------------------------------------------------


def test_who_names_the_project_names_it_as_pyproject_does():
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    home = urls["Source"].removeprefix("https://github.com/")
    named = {}
    for path in [GITLAB, AZURE, ROOT / "CITATION.cff", *ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for line in path.read_text(encoding="utf-8").splitlines():
            # As an address, an action, a component or a repository.
            for found in re.findall(r"(?:github\.com/|uses: |FQDN/|name: )([\w-]+/[\w-]+)", line):
                if found.endswith("/fivetran-auditor"):
                    named[f"{path.name}: {line.strip()}"] = found
    assert len(named) >= 3
    assert {line: found for line, found in named.items() if found != home} == {}


def test_the_citation_is_of_this_release():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert cited["version"] == __version__
    assert cited["repository-code"] == project["urls"]["Source"]
    assert cited["url"] == project["urls"]["Documentation"]
    assert cited["license"] == project["license"]
    assert cited["abstract"] == project["description"]
    assert cited["keywords"] == project["keywords"]
