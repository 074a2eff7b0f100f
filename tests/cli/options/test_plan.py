"""The options of a plan: what goes together, and what would judge something else than was meant."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from auditor.cli.main import group
from auditor.cli.options.plan import check_beside_plan, waivers_beside
from auditor.errors import UsageError
from tests.builders.listed import Listed


def context_of(*words: str) -> click.Context:
    command = group.get_command(click.Context(group), "audit")
    assert command is not None
    return command.make_context("audit", list(words))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--over", "live"), "--over without --terraform-plan: name the plan"),
        (("--require-resources",), "--require-resources without --terraform-plan"),
        (("--terraform-dir", "."), "--terraform-dir without --terraform-plan"),
        (("--terraform-plan", "p", "--snapshot", "s"), "--snapshot cannot be used with"),
        (("--terraform-plan", "p", "--group", "g"), "--group cannot be used with"),
        (("--terraform-plan", "p", "--history", "h"), "--history cannot be used with"),
        (("--terraform-plan", "p", "--page-size", "5"), "--page-size cannot apply to a plan"),
        (
            ("--terraform-plan", "p", "--over", "s.json", "--verify-listing"),
            "--verify-listing cannot apply to a plan",
        ),
        (("--terraform-plan", "-", "--over", "-"), "cannot both read standard input"),
        (("--terraform-plan", "-", "--over", "a=-"), "cannot both read standard input"),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_together(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    context = context_of(*words)
    with pytest.raises(UsageError) as caught:
        check_beside_plan(context, context.params["terraform_plan"])
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--snapshot", "s", "--page-size", "5"),
        ("--terraform-plan", "p", "--over", "s.json"),
        ("--terraform-plan", "p", "--over", "live", "--page-size", "5"),
        ("--terraform-plan", "-", "--over", "s.json"),
    ],
    ids=" ".join,
)
def test_what_goes_together(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    context = context_of(*words)
    check_beside_plan(context, context.params["terraform_plan"])


def test_only_a_plan_has_waivers_in_comments():
    assert waivers_beside(Listed([]), None, "infra") is None
