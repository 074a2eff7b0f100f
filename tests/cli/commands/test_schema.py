"""``schema``: printed or written, and an error if it cannot be written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.policy.schemas.policy import policy_schema
from tests.builders.command import run

SCHEMA = policy_schema()


def test_the_command_prints_it_or_writes_it(tmp_path: Path) -> None:
    printed = run(["schema"], tmp_path)
    assert (printed.returncode, json.loads(printed.stdout)) == (0, SCHEMA)
    written = run(["schema", "-o", "policy.schema.json"], tmp_path)
    assert written.returncode == 0
    assert (tmp_path / "policy.schema.json").read_text(encoding="utf-8") == printed.stdout


def test_the_command_says_how_an_editor_uses_it(tmp_path: Path) -> None:
    told = run(["schema", "--help"], tmp_path).stdout
    assert "# yaml-language-server: $schema=./policy.schema.json" in told
    assert "yaml.schemas" in told


def test_a_schema_that_cannot_be_written_is_not_a_success(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("a file")
    done = run(["schema", "-o", "in-the-way/policy.schema.json"], tmp_path)
    assert done.returncode == 4
    assert "in-the-way/policy.schema.json" in done.stderr


@pytest.mark.parametrize("option", [(), ("--tests",), ("--waivers",), ("--config",)])
def test_what_a_schema_refers_to_is_in_it(option: tuple[str, ...], tmp_path: Path) -> None:
    # An editor that meets a reference to nothing checks and completes nothing at all.
    schema = json.loads(run(["schema", *option], tmp_path).stdout)
    named = {name.removeprefix("#/$defs/") for name in _references(schema)}
    assert named == set(schema.get("$defs", ()))


def _references(value: Any) -> Iterator[str]:
    for held in value.values() if isinstance(value, dict) else value:
        if isinstance(held, dict | list):
            yield from _references(held)
    if isinstance(value, dict) and isinstance(value.get("$ref"), str):
        yield value["$ref"]
