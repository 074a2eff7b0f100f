"""The docs say what the project does."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

import auditor
from auditor.cli.main import COMMANDS, group
from auditor.policy.analysis.claims import claims
from auditor.policy.language.operators import OPERATORS
from auditor.policy.loading.load import load_policies
from auditor.reports import REPORTS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
# What a changelog says was true when it was written.
CURRENT = [page for page in PAGES if page.name != "CHANGELOG.md"]
NAME = "fivetran-auditor"


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(page: Path, *languages: str) -> Iterator[str]:
    """Yield the fenced blocks of a page in one of ``languages``."""
    text = page.read_text(encoding="utf-8")
    for language, body in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if language in languages:
            yield body


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the first table under ``heading``, header left out."""
    table = re.search(rf"^#+ {heading}$.*?^(\|.*?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    assert table is not None, heading
    lines = table[1].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def command(name: str) -> click.Command:
    found: click.Command = import_module(f"auditor.cli.commands.{name}").command
    return found


# -- commands and options -----------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_helps(name: str):
    made = command(name)
    assert made.name == name
    assert made.help
    for option in made.params:
        if isinstance(option, click.Option):
            assert option.help, f"{name} {option.opts[0]} says nothing of itself"


def invocations() -> Iterator[tuple[str, str, list[str]]]:
    """Yield each command line in the pages: its page, its command, its words."""
    for page in CURRENT:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        # What a module says of itself, in the example of how one is added, is no command line.
        text = re.sub(r"^```python\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
        for line in re.findall(rf"\b{NAME} ([a-z].*)$", text, re.MULTILINE):
            words = re.split(r"[`|;#&]|\s{3,}", line)[0].split()
            if words and re.fullmatch(r"[a-z]+", words[0]):
                yield page.name, words[0], words[1:]


def test_command_lines_in_the_pages_are_found():
    assert {"audit", "validate", "test"} <= {name for _, name, _ in invocations()}


def test_command_lines_in_the_pages_exist():
    wrong = []
    for page, name, words in invocations():
        if name not in COMMANDS:
            wrong.append(f"{page}: {name}")
            continue
        known = {opt for option in command(name).params for opt in option.opts} | {"--help", "-h"}
        wrong += [
            f"{page}: {name} {word}"
            for word in (word.split("=")[0] for word in words if re.match(r"-{1,2}[a-z]", word))
            if word not in known
        ]
    assert wrong == []


def test_every_command_is_told_of():
    told = " ".join(read(str(page.relative_to(ROOT))) for page in CURRENT)
    assert [name for name in COMMANDS if f"{NAME} {name}" not in told] == []


def test_the_make_targets_that_are_told_of_exist():
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    for page in CURRENT:
        for line in "\n".join(blocks(page, "console", "sh", "bash")).splitlines():
            if made := re.match(r"make ([a-z-]+)", line):
                assert made[1] in targets, f"{page.name}: {line}"


def test_a_step_that_always_runs_needs_no_report_that_is_not_there():
    texts = [page.read_text(encoding="utf-8") for page in CURRENT]
    texts += [
        path.read_text() for path in (ROOT / "auditor" / "cli" / "commands" / "starter").iterdir()
    ]
    steps = [
        line for text in texts for line in re.findall(r"^.*\bif: always\(\).*$", text, re.MULTILINE)
    ]
    assert len(steps) > 8
    # A conclusive run has written its reports.
    conclusive = "&& (steps.audit.outputs.code == '0' || steps.audit.outputs.code == '1')"
    needs = ("&& hashFiles('audit-report/", conclusive)
    assert [line for line in steps if not any(need in line for need in needs)] == []


def test_every_action_is_pinned_to_one_commit_everywhere():
    texts = [page.read_text(encoding="utf-8") for page in CURRENT]
    folders = [ROOT / "auditor/cli/commands/starter", ROOT / ".github", ROOT / "integrations"]
    files = [path for folder in folders for path in folder.rglob("*.yml")]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "action.yml", *files)]
    used = re.findall(r"\buses: +(\S+@.*)$", "\n".join(texts), re.MULTILINE)
    others = [each for each in used if not each.startswith("OWNER/")]
    assert len(others) > 20
    assert [each for each in others if not re.search(r"@[0-9a-f]{40} # v[\d.]+$", each)] == []
    names = {re.sub("@.*", "", each) for each in others}
    assert len(set(others)) == len(names), sorted(set(others))


# -- tables -------------------------------------------------------------------------------------


def test_the_exit_codes_in_the_readme_are_those_of_the_help():
    epilog = str(group.epilog)
    told = dict(re.findall(r"^  (\d+) +(.*)$", epilog, re.MULTILINE))
    table: dict[str, str] = dict(rows(read("README.md"), "Exit codes"))
    assert set(re.findall(r"\d+", " ".join(table))) == {*told, "143"}
    for code, meaning in told.items():
        if code != "130":
            said = table[code].replace("`", "").replace("the listing is incomplete", "listing")
            first = re.split(r"[:,;]", meaning)[0]
            assert said.startswith(first), (code, said)


def test_the_operators_in_the_docs_are_those_of_the_code():
    table = rows(read("docs/policy-language.md"), "Operators")
    told = {name.strip("`"): (doc, operand) for _, name, doc, operand in table}
    assert list(told) == list(OPERATORS)
    for name, operator in OPERATORS.items():
        assert told[name] == (operator.doc, operator.operand), name


def test_every_report_format_is_told_of():
    told = "\n".join(page.read_text(encoding="utf-8") for page in CURRENT)
    assert [name for name in REPORTS if f"--report {name}" not in told] == []


def test_every_dependency_has_its_reason():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    why = read("CONTRIBUTING.md").lower()
    names = [re.split(r"[<>=\[ ]", entry)[0].lower() for entry in project["dependencies"]]
    assert [name for name in names if name not in why] == []


def test_every_proof_of_the_threat_model_exists():
    text = read("SECURITY.md")
    proofs = re.findall(r"`(tests/[^`]+)`", text)
    assert len(proofs) > 30
    for proof in proofs:
        path, _, name = proof.partition("::")
        assert (ROOT / path).is_file(), proof
        if name:
            tree = ast.parse(read(path))
            there = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert name in there, proof


def test_every_defence_has_a_proof():
    lines = read("SECURITY.md").splitlines()
    defences = [line for line in lines if re.match(r"\| (?!attempt )[^|]+\|[^|]+\|", line)]
    assert len(defences) > 30
    assert [line for line in defences if "`tests/" not in line.split("|")[3]] == []


# -- examples and links -------------------------------------------------------------------------

POLICIES = [
    pytest.param(body, id=f"{page.name}-{number}")
    for page in CURRENT
    for number, body in enumerate(blocks(page, "yaml"))
    if re.match(r"(#.*\n)*policy:", body)
]


@pytest.mark.parametrize("text", POLICIES)
def test_a_policy_in_the_pages_loads(text: str, tmp_path: Path):
    path = tmp_path / "example.yaml"
    path.write_text(text, encoding="utf-8")
    for name in re.findall(r"\./[\w/-]+\.yaml", text):
        other = tmp_path / name
        other.parent.mkdir(parents=True, exist_ok=True)
        rule = f"{{id: {other.stem}, severity: low, assert: {{paused: false}}}}"
        other.write_text(f"policy: {other.stem}\nrules:\n  - {rule}\n", encoding="utf-8")
    found = re.findall(r"file: (\S+\.csv)\n +key: (\w+)\n +columns: \{(\w+): \w+\}", text)
    for name, key, column in found:
        (tmp_path / name).write_text(f"{key},{column}\nx,1\n", encoding="utf-8")
    rules = load_policies(str(path)).rules
    assert rules
    assert claims(rules) == []


def test_python_in_the_pages_names_what_there_is():
    for page in CURRENT:
        for body in blocks(page, "python"):
            for node in ast.walk(ast.parse(body)):
                if isinstance(node, ast.ImportFrom) and node.module == "auditor":
                    missing = {alias.name for alias in node.names} - set(auditor.__all__)
                    assert not missing, f"{page.name}: {missing}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    text = re.sub(
        r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in slugs, target


def test_no_file_names_the_machine_it_was_made_on():
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode and not (ROOT / ".git").exists():
        pytest.skip("NOT LOOKED AT: a source archive is no repository")
    assert listed.stdout, listed.stderr
    named = re.compile(r"/(?:work|home|Users|root|opt/venv)/\w")
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix in {".py", ".md", ".yaml", ".toml", ".js", ".css", ".j2"}:
            found = named.search(path.read_text(encoding="utf-8"))
            assert found is None or path == Path(__file__), f"{name}: {found}"
