"""``validate``: every problem with its location, their number, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.builders.command import run
from tests.builders.listed import HOUSE, waiver

#: Two mistakes in one file.
WRONG = HOUSE.replace("paused: false", "pausd: false").replace("per: account", "per: acount")
DOUBTFUL = HOUSE.replace("{gte: 15}", "{gte: 15}, schedule_type: hourly")


POLICY = "policy: {0}\nrules:\n  - {{id: {0}, severity: low, assert: {{paused: false}}}}\n"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "house.yaml").write_text(HOUSE)
    (tmp_path / "wrong.yaml").write_text(WRONG)
    (tmp_path / "doubtful.yaml").write_text(DOUBTFUL)
    (tmp_path / "waivers.yaml").write_text(waiver(expires="2999-12-31"))
    (tmp_path / "ended.yaml").write_text(waiver(expires="2020-01-01", rule="sync-flor"))
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code", "last"),
    [
        ("house.yaml", 0, "fine: 5 rules in 1 file"),
        ("house.yaml cost", 0, "fine: "),
        ("house.yaml -q", 0, ""),
        ("house.yaml --waivers waivers.yaml", 0, "fine: 5 rules in 1 file, 1 waiver"),
        ("house.yaml --waivers ended.yaml", 0, "fine: 5 rules in 1 file, 1 waiver, 2 warnings"),
        ("house.yaml --waivers ended.yaml --strict", 2, "2 warnings: nothing runs with these"),
        ("doubtful.yaml", 0, "fine: 5 rules in 1 file, 1 warning"),
        ("doubtful.yaml --strict", 2, "1 warning: nothing runs with these files"),
        ("wrong.yaml", 2, "2 errors: nothing runs with these files"),
        ("wrong.yaml --waivers ended.yaml", 2, "2 errors and 1 warning: nothing runs with these"),
    ],
)
def test_the_last_line_gives_the_result(folder: Path, words: str, code: int, last: str):
    done = run(["validate", *words.split()], folder)
    assert done.returncode == code, done.stdout
    assert done.stderr == ""
    assert [*done.stdout.splitlines(), ""][0 if code == 0 and not last else -2].startswith(last)
    if last == "":
        assert done.stdout == ""


def test_a_pack_that_stands_in_for_policies_is_told(tmp_path: Path):
    note, last = run(["validate"], tmp_path).stdout.splitlines()
    assert note.startswith("note: only the shipped pack baseline was checked: no policy was named")
    assert last.startswith("fine: 12 rules in 1 file")
    assert "note:" not in run(["validate", "baseline"], tmp_path).stdout
    assert run(["validate", "-q"], tmp_path).stdout == ""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "house.yaml").write_text(HOUSE)
    assert "shipped" not in run(["validate"], tmp_path).stdout


def test_every_problem_has_its_location(folder: Path):
    told = run(["validate", "wrong.yaml"], folder).stdout
    lines = WRONG.splitlines()
    for word, hint in (("pausd", "did you mean paused?"), ("acount", "did you mean account?")):
        number = next(n for n, line in enumerate(lines, 1) if word in line)
        column = lines[number - 1].index(word) + 1
        assert f"wrong.yaml:{number}:{column}: " in told
        assert hint in told


def test_what_is_wrong_is_a_report_for_pull_requests(folder: Path):
    done = run(["validate", "wrong.yaml", "--report", "sarif=-"], folder)
    assert done.returncode == 2
    (found,) = json.loads(done.stdout)["runs"]
    assert len(found["results"]) == 2
    assert "2 errors" in done.stderr
    assert run(["validate", "wrong.yaml", "--report", "sarif"], folder).returncode == 2
    assert json.loads((folder / "policies.sarif").read_bytes())["runs"] == [found]
    done = run(["validate", "wrong.yaml", "--report", "github"], folder)
    assert done.stdout.count("::error title=Fivetran policy,file=wrong.yaml,line=") == 2


def test_another_report_is_refused(folder: Path):
    for words, said in (("csv", "it takes sarif or github"), ("sarif=", "that is not a path")):
        done = run(["validate", "house.yaml", "--report", words], folder)
        assert done.returncode == 2
        assert said.split(" and ", maxsplit=1)[0] in done.stderr


def test_policies_may_be_named_as_audit_names_them(tmp_path: Path):
    (tmp_path / "a.yaml").write_text(POLICY.format("a"))
    (tmp_path / "b.yaml").write_text(POLICY.format("b"))
    (tmp_path / "auditor.yaml").write_text("policy: b.yaml\n")
    for command, words, said in (
        ("validate", ["-p", "a.yaml"], "1 rule in 1 file"),
        ("validate", ["a.yaml", "--policy", "b.yaml"], "2 rules in 2 files"),
        ("validate", [], "1 rule in 1 file"),
        ("validate", ["-p", "gone.yaml"], "no such file"),
        ("test", ["-p", "gone.yaml"], "no such file"),
    ):
        done = run([command, *words], tmp_path)
        assert said in done.stdout + done.stderr, (command, words)


#: A rule whose assert its when rules out; it loads, and means nothing.
MEANINGLESS = """\
policy: house
rules:
  - id: slow-and-fast
    severity: low
    when: {sync_frequency: {gte: 60}}
    assert: {sync_frequency: {lt: 30}}
"""


def test_a_rule_that_means_nothing_is_reported_and_strict_refuses_it(folder: Path):
    (folder / "odd.yaml").write_text(MEANINGLESS)
    done = run(["validate", "odd.yaml"], folder)
    assert done.returncode == 0
    assert "odd.yaml:6:31: warning: slow-and-fast always fails" in done.stdout
    assert "its when is at odd.yaml:5:29" in done.stdout
    assert "    assert: {sync_frequency: {lt: 30}}" in done.stdout
    assert "help: given: {sync_frequency: 60} fails" in done.stdout
    assert "fine: 1 rule in 1 file, 1 warning" in done.stdout
    assert run(["validate", "odd.yaml", "--strict"], folder).returncode == 2


def test_a_while_that_waives_nothing_is_reported(folder: Path):
    text = waiver(rule="sync-floor", **{"while": "{sync_frequency: {gte: 15}}"})
    (folder / "idle.yaml").write_text(text)
    done = run(["validate", "house.yaml", "--waivers", "idle.yaml"], folder)
    assert done.returncode == 0
    assert "warning: a record that meets its while never fails sync-floor" in done.stdout
    assert "it waives nothing; the rule is at house.yaml:" in done.stdout
    strict = ["validate", "house.yaml", "--waivers", "idle.yaml", "--strict"]
    assert run(strict, folder).returncode == 2


def test_fields_that_a_connection_may_lack_are_reported_with_a_way_out(tmp_path: Path):
    names = [f"config.k{number:02}" for number in range(12)]
    rules = "".join(
        f"  - {{id: r{n}, severity: low, assert: {{{name}: x}}}}\n" for n, name in enumerate(names)
    )
    (tmp_path / "p.yaml").write_text(f"policy: p\nrules:\n{rules}")
    done = run(["validate", "p.yaml"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        "note: connections may lack these fields; a check then is an error:",
        "  config.k00  r0",
    ]
    assert lines[11:] == [
        "  and 2 more fields",
        "  to skip such connections: when: {config.k00: {exists: true}}",
        "  to fail them: add exists: true to the test of config.k00",
        "fine: 12 rules in 1 file",
    ]
    assert run(["validate", "p.yaml", "-q"], tmp_path).stdout == ""
    assert run(["validate", "p.yaml", "--strict"], tmp_path).returncode == 0


@pytest.mark.parametrize(
    "rule",
    [
        "when: {config.host: {exists: true}}, assert: {config.host: x}",
        "assert: {config.host: {exists: true, equals: x}}",
    ],
)
def test_the_way_out_followed_to_the_letter_leaves_nothing_to_note(tmp_path: Path, rule: str):
    (tmp_path / "p.yaml").write_text(f"policy: p\nrules:\n  - {{id: r, severity: low, {rule}}}\n")
    assert run(["validate", "p.yaml"], tmp_path).stdout == "fine: 1 rule in 1 file\n"
