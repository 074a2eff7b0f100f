"""The tutorial, command by command, in one folder: each prints what the page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import FAKE_KEY, FAKE_SECRET, Sandbox
from tests.builders.command import KEYS, run
from tests.builders.pages import fits

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")


def steps() -> Iterator[tuple[str, str]]:
    """Yield what the page does: a command with what it prints, or what is written instead."""
    for language, body in re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        if language == "yaml":
            yield "", body
            continue
        yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", body, re.MULTILINE)


def test_the_tutorial_does_what_it_says(tmp_path: Path):
    assert FAKE_KEY in PAGE
    assert FAKE_SECRET in PAGE
    done = []
    with Sandbox(build_estate(250, 7)) as sandbox:
        env = {**KEYS, "FIVETRAN_AUDITOR_BASE_URL": sandbox.url, "NO_COLOR": "1"}
        for command, shown in steps():
            if not command:
                policy = tmp_path / "policies/house.yaml"
                text = policy.read_text().rstrip() + "\n\n"
                head, found, rule = text.partition("  - id: money-is-fresh")
                if found:  # a line of it is written anew
                    key = shown.split(":")[0]
                    rule = re.sub(rf"^{key}: .*\n", shown, rule, count=1, flags=re.MULTILINE)
                policy.write_text(head + found + rule if found else text + shown)
                assert yaml.safe_load(policy.read_text())["rules"][-1]["id"] == "money-is-fresh"
                continue
            name, *words = command.split()
            assert name == "fivetran-auditor"
            ran = run(words, tmp_path, env)
            assert fits(ran.stdout + ran.stderr, shown), f"$ {command}\n{ran.stdout}{ran.stderr}"
            told = re.search(r"exit (\d)", ran.stdout)
            assert ran.returncode == (int(told[1]) if told else 0)
            done.append(command)
    assert len(done) >= 10


def test_what_is_left_out_is_all_that_may_differ():
    assert fits("a\nb\nc", "a\n…\nc")
    assert fits("a\nc", "a\n…\nc")
    assert fits("it is 3; more", "it is 3; …")
    assert not fits("a\nb", "a")
    assert not fits("it is 4; more", "it is 3; …")
