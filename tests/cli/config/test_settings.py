"""What a file and the environment may set: the names, the paths, the pairs."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.core import ParameterSource

from auditor.cli.config.settings import ANCHORS, key_of, pairs, takes_pairs
from tests.builders.configured import OPTIONS

FOLDER = Path("ci/house")


@pytest.mark.parametrize(
    ("option", "text", "anchored"),
    [
        ("policy", "cost", "cost"),
        ("policy", "./house.yaml", "ci/house/house.yaml"),
        ("policy", "house.yaml", "ci/house/house.yaml"),
        ("policy", "HOUSE.YML", "ci/house/HOUSE.YML"),
        ("policy", "rules/", "ci/house/rules"),
        ("policy", "..", "ci/house/.."),
        ("policy", "/etc/house.yaml", "/etc/house.yaml"),
        ("snapshot", "listing.json", "ci/house/listing.json"),
        ("snapshot", "-", "-"),
        ("snapshot", "  ", "  "),
        ("waivers", "w.yaml", "ci/house/w.yaml"),
        ("output_dir", "/tmp/out", "/tmp/out"),
        ("report", "json", "json"),
        ("report", "json=-", "json=-"),
        ("report", "json=r.json", "ci/house/r.json"),
        ("report", "junit:split=5=a=b.xml", None),
    ],
)  # fmt: skip
def test_a_path_starts_at_the_files_folder(option: str, text: str, anchored: str | None):
    found = ANCHORS[option](FOLDER, text)
    if option == "report" and "=" in text:
        name, _, path = text.partition("=")
        assert found.startswith(f"{name}=")
        assert found == (text if path == "-" else f"{name}=ci/house/{path}")
    else:
        assert found == anchored


def test_a_policy_in_the_files_own_folder_stays_a_path():
    assert ANCHORS["policy"](Path(), "./rules") == "./rules"
    assert ANCHORS["policy"](Path(), "house.yaml") == "house.yaml"


@pytest.mark.parametrize(
    ("names", "key"),
    [(["--fail-on"], "fail_on"), (["-p", "--policy"], "policy"), (["-q"], "q")],
)
def test_an_option_is_called_by_its_long_name(names: list[str], key: str):
    assert key_of(click.Option([*names, "made_up"])) == key


def test_the_options_of_pairs_are_mappings():
    assert {key for key, option in OPTIONS.items() if takes_pairs(option)} == {
        "var",
        "max",
        "facts",
        "dimensions",
    }
    assert not takes_pairs(click.Argument(["name"], nargs=-1, metavar="A=B"))


def test_of_two_values_of_a_name_the_nearest_counts(monkeypatch: pytest.MonkeyPatch):
    option = click.Option(["--var"], multiple=True, metavar="NAME=VALUE", envvar="MADE_UP")
    command = click.Command("made-up", params=[option])
    monkeypatch.setenv("MADE_UP", "b=env d=env")
    context = command.make_context(
        "made-up", ["--var", "a=typed", "--var", "d=typed"],
        default_map={"var": ("a=file", "b=file", "c=file=x")},
    )  # fmt: skip
    assert list(pairs(context, option)) == [
        ("a=typed", ParameterSource.COMMANDLINE),
        ("d=typed", ParameterSource.COMMANDLINE),
        ("b=env", ParameterSource.ENVIRONMENT),
        ("c=file=x", ParameterSource.DEFAULT_MAP),
    ]
