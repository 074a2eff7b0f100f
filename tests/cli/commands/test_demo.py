"""``demo``: a made-up account, audited over HTTP, with nothing to configure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.builders.command import outcome_in, run


@pytest.mark.parametrize(
    ("words", "outcome", "code"), [((), "violations", 1), (("--healthy",), "passed", 0)], ids=str
)
def test_the_demo_works_and_says_what_the_gate_would(
    tmp_path: Path, words: tuple[str, ...], outcome: str, code: int
):
    done = run(["demo", "--connections", "40", "-o", "out", *words], tmp_path)
    assert done.returncode == 0, done.stderr
    assert outcome_in(tmp_path / "out") == outcome
    assert f"In a pipeline the gate would have answered exit {code}." in done.stdout
    assert "Open out/report.html in a browser." in done.stdout
    document = json.loads((tmp_path / "out" / "report.json").read_bytes())
    assert len(document["connections"]["id"]) == 40


def test_a_seed_is_another_account(tmp_path: Path):
    ids = []
    for seed in ("7", "7", "8"):
        run(["demo", "--connections", "5", "--seed", seed], tmp_path)
        document = json.loads((tmp_path / "audit-report" / "report.json").read_bytes())
        ids.append(document["connections"]["id"])
    assert ids[0] == ids[1] != ids[2]


def test_a_report_that_cannot_be_written_is_4_in_the_demo_too(tmp_path: Path):
    (tmp_path / "report.html").mkdir()
    done = run(["demo", "--connections", "3", "-o", "."], tmp_path)
    assert done.returncode == 4
    assert "The demo worked" not in done.stdout
