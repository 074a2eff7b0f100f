"""--show-config: what is in force, and where each of it comes from."""

from __future__ import annotations

from pathlib import Path

from tests.builders.command import run
from tests.builders.configured import configure, in_force


def test_what_is_in_force_says_where_it_comes_from(folder: Path):
    configure(
        folder,
        "# ours\npolicy: [house.yaml, cost]\nfail_on: high\npage_size: 500\nstrict: true\n"
        "report:\n  - html\n  - json=-\n",
    )
    env = {"FIVETRAN_AUDITOR_PAGE_SIZE": "200", "FIVETRAN_AUDITOR_STRICT": "false"}
    found = in_force(folder, "--timeout", "30", env=env)
    assert found == {
        **found,
        "policy: [house.yaml, cost]": "auditor.yaml:2",
        "fail_on: high": "auditor.yaml:3",
        "page_size: 200": "environment, FIVETRAN_AUDITOR_PAGE_SIZE",
        "strict: false": "environment, FIVETRAN_AUDITOR_STRICT",
        "report: [html, json=-]": "auditor.yaml:7",
        "timeout: 30": "command line",
        "max_wait: 120": "default",
        "output_dir: audit-report": "default",
    }
    assert not (folder / "audit-report").exists(), "it was only asked what it would do"


def test_what_is_in_force_can_be_saved_and_is_then_the_file(folder: Path):
    arguments = [
        "-p",
        "house.yaml",
        "--var",
        "least=1",
        "--var",
        'odd=null, "x: #',
        "--max",
        "low=2",
    ]
    arguments += ["--now", "2026-01-31T12:00:00+01:00", "--group", "007", "--only", "the-*", "-q"]
    before = in_force(folder, *arguments)
    done = run(["audit", "--show-config", *arguments], folder)
    configure(folder, done.stdout)
    after = in_force(folder)
    assert list(after) == list(before)
    assert {origin.partition(":")[0] for origin in after.values()} == {"auditor.yaml"}


def test_what_is_in_force_shows_no_secret(folder: Path):
    arguments = ["--base-url", "https://user:Sup3rS3cretValue@host", "--var", "api_token=Sup3rS3"]
    done = run(["audit", "--show-config", *arguments], folder)
    assert "Sup3r" not in done.stdout + done.stderr
    assert done.stdout.count("[redacted]") == 2
