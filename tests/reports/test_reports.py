"""The table of formats: closed, complete, and cheap to read."""

from __future__ import annotations

import os
import subprocess
import sys

from auditor.reports import REPORTS

HEAVY = {
    "auditor.model",
    "auditor.decoding.records",
    "csv",
    "jinja2",
    "json",
    "jsonschema",
    "msgspec",
}


def test_the_formats() -> None:
    assert list(REPORTS) == [
        "html", "junit", "json", "sarif", "markdown", "csv", "github", "gitlab", "lines", "slack",
        "teams",
    ]  # fmt: skip


def test_every_format_has_a_file_and_a_line_of_its_own() -> None:
    assert len({entry.filename for entry in REPORTS.values()}) == len(REPORTS)
    for name, entry in REPORTS.items():
        assert entry.name == name
        assert entry.doc
        assert "\n" not in entry.doc


def test_the_table_imports_nothing_that_a_help_text_would_wait_for() -> None:
    script = "import sys, auditor.reports; print(*sys.modules)"
    # Without what measures coverage, which is heavy and none of ours.
    env = {"PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, check=True)
    assert not HEAVY & set(done.stdout.decode().split())


def test_once_a_format_is_loaded_rendering_opens_nothing_but_what_the_history_needs() -> None:
    script = """
import sys
from auditor.reports import REPORTS
from tests.builders.full_result import full_result
result, opened = full_result(), []
for format_ in REPORTS.values():
    format_.load()
sys.addaudithook(lambda event, told: opened.append(str(told[0])) if event == "open" else None)
for format_ in REPORTS.values():
    "".join(format_.render(result))
print(*[path for path in opened if "/encodings/" not in path], sep="\\n")
"""
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    assert not [
        path for path in told.stdout.split() if "trend" not in path and "template-" not in path
    ]
