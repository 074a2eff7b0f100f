"""Completions: from the real command, and through a real bash."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.builders.command import COMMAND, environment, run

VARIABLE = "_FIVETRAN_AUDITOR_COMPLETE"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_the_one_that_the_variable_gives(tmp_path: Path, shell: str):
    script = run(["completion", shell], tmp_path)
    assert script.returncode == 0
    asked = run([], tmp_path, {VARIABLE: f"{shell}_source"})
    assert script.stdout.strip() == asked.stdout.strip()
    assert f"{VARIABLE}={shell}_complete" in script.stdout


def test_another_shell_is_a_usage_error(tmp_path: Path):
    done = run(["completion", "tcsh"], tmp_path)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_real_bash_completes(tmp_path: Path):
    """The script is sourced by bash, and its function is called as readline calls it."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    program = bin_folder / "fivetran-auditor"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    script = """
        eval "$(fivetran-auditor completion bash)"
        complete -p fivetran-auditor
        try() {
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
            _fivetran_auditor_completion fivetran-auditor
            echo "${COMPREPLY[*]}"
        }
        try fivetran-auditor val
        try fivetran-auditor audit --report j
        try fivetran-auditor explain schema-n
    """
    env = environment({"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"})
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    registered, *replies = done.stdout.splitlines()
    assert registered.endswith("-F _fivetran_auditor_completion fivetran-auditor")
    assert replies == ["validate", "junit json", "schema-naming"]
