"""The page about verdicts shows what the commands say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.builders.command import run

PAGE = Path(__file__).parents[2] / "docs" / "verdicts.md"


def _blocks(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8").partition("## Why this verdict")[2]
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_explain_prints_what_the_page_shows(tmp_path: Path) -> None:
    (policy,), (record,) = _blocks("yaml"), _blocks("json")
    (tmp_path / "freshness.yaml").write_text(policy)
    (tmp_path / "record.json").write_text(record)
    shown = _blocks("console")
    assert len(shown) == 2
    for block in shown:
        line, _, expected = block.partition("\n")
        words = shlex.split(line.removeprefix("$ fivetran-auditor "))
        done = run(words, tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout == expected
