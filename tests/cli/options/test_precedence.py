"""Where an option was given, and which of two places is nearer to the user."""

from __future__ import annotations

import click
import pytest

from auditor.cli.options.precedence import as_near
from auditor.cli.options.shared import given

PLACES = ("typed", "environment", "file", "default")


def context_of(monkeypatch: pytest.MonkeyPatch, one: str, other: str) -> click.Context:
    """Return a command's context in which ``--one`` and ``--other`` were given in these places."""
    command = click.Command(
        "made-up",
        params=[click.Option(["--one"], envvar="ONE"), click.Option(["--other"], envvar="OTHER")],
    )
    words: list[str] = []
    file: dict[str, str] = {}
    for name, place in (("one", one), ("other", other)):
        monkeypatch.delenv(name.upper(), raising=False)
        if place == "typed":
            words += [f"--{name}", "x"]
        elif place == "environment":
            monkeypatch.setenv(name.upper(), "x")
        elif place == "file":
            file[name] = "x"
    return command.make_context("made-up", words, default_map=file)


@pytest.mark.parametrize("one", PLACES)
@pytest.mark.parametrize("other", PLACES)
def test_the_command_line_comes_before_the_environment_before_the_file(
    monkeypatch: pytest.MonkeyPatch, one: str, other: str
):
    context = context_of(monkeypatch, one, other)
    near = one != "default" and PLACES.index(one) <= PLACES.index(other)
    assert as_near(context, "one", "other") is near
    assert given(context, {"one"}, "other") == (["--one"] if near else [])
