"""GitHub's runner, as far as a composite action can see it: expressions, files, bash.

An expression is worked out before a step starts, and its value is put where it stood, as text. So
a value that stands in a script is code; one that stands in ``env`` is a value.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.builders.command import environment

ROOT = Path(__file__).parents[2]
#: `shell: bash`, as GitHub's documentation of workflows has it.
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_TOKEN = re.compile(r"\s*(&&|\|\||==|!=|!|\(|\)|'(?:[^']|'')*'|[\w.-]+)")
_WORDS = {"&&": "and", "||": "or", "!": "not", "==": "==", "!=": "!=", "(": "(", ")": ")"}


@dataclass
class Run:
    """The result of an action's run."""

    code: int = 0
    log: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    #: The actions that were used, with what they were given.
    used: dict[str, dict[str, str]] = field(default_factory=dict)


class Runner:
    """Runs the steps of a composite action with inputs as a workflow would give them."""

    def __init__(self, action: Path, workspace: Path, temp: Path) -> None:
        self.action: dict[str, Any] = yaml.safe_load(action.read_text(encoding="utf-8"))
        self.workspace, self.temp = workspace, temp
        self.names: dict[str, str] = {
            "github.action_path": str(action.parent),
            "runner.temp": str(temp),
        }

    def run(self, given: Mapping[str, str], env: Mapping[str, str], leave_out: str = "") -> Run:
        """Run every step but the one called ``leave_out``, as long as its ``if`` holds."""
        done = Run()
        for name, declared in self.action["inputs"].items():
            self.names[f"inputs.{name}"] = given.get(name, declared.get("default", ""))
        assert set(given) <= set(self.action["inputs"])
        for number, step in enumerate(self.action["runs"]["steps"]):
            condition = step.get("if", "success()")
            if step.get("name") == leave_out or not self._holds(condition, failed=done.code != 0):
                continue
            if "uses" in step:
                done.used[step["uses"].split("@")[0]] = {
                    key: self._filled(str(value)) for key, value in step["with"].items()
                }
                continue
            self._bash(step, number, env, done)
        for name, declared in self.action["outputs"].items():
            done.outputs[name] = self._filled(declared["value"])
        return done

    def _bash(self, step: dict[str, Any], number: int, env: Mapping[str, str], done: Run) -> None:
        script, output, summary = (
            self.temp / f"{what}{number}" for what in ("script.sh", "output", "summary")
        )
        script.write_text(self._filled(step["run"]), encoding="utf-8")
        output.write_text("", encoding="utf-8")
        summary.write_text("", encoding="utf-8")
        own = {name: self._filled(value) for name, value in step.get("env", {}).items()}
        files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
        ran = subprocess.run(
            [*BASH, str(script)],
            cwd=self.workspace,
            env=environment({**env, **own, **files}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=300,
            check=False,
        )
        done.log += (ran.stdout + ran.stderr).decode("utf-8", "replace")
        done.code = done.code or ran.returncode
        done.summary += summary.read_text(encoding="utf-8")
        for line in re.split(r"\r\n|\r|\n", output.read_text(encoding="utf-8")):
            name, found, value = line.partition("=")
            if found:
                self.names[f"steps.{step.get('id')}.outputs.{name}"] = value

    def _filled(self, text: str) -> str:
        return _EXPRESSION.sub(lambda found: self._value(found[1]), text)

    def _value(self, name: str) -> str:
        assert re.fullmatch(r"[\w.-]+", name), name
        if name.startswith("inputs."):
            return self.names[name]
        return self.names.get(name, "")

    def _holds(self, condition: str, *, failed: bool) -> bool:
        """Work out an ``if``: names, texts, ``&&``, ``||``, ``!``, ``==`` and ``!=``."""
        text = re.sub(r"^\$\{\{(.*)\}\}$", r"\1", condition)
        text = text.replace("cancelled()", "'false'").replace("success()", repr(str(not failed)))
        words = []
        for token in _TOKEN.findall(text):
            if token in _WORDS:
                words.append(_WORDS[token])
            elif token.startswith("'"):
                words.append(repr(token[1:-1]) if token[1:-1] not in ("false", "False") else "''")
            else:
                words.append(repr(self._value(token)))
        # Nothing but the words above is in it.
        return bool(eval(" ".join(words), {"__builtins__": {}}))
