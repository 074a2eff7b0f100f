"""Options that commands share: what each value means, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from auditor.cli.options.shared import TimeType, api_source, severity_of, variables_of
from auditor.errors import UsageError
from auditor.model import Severity
from tests.builders.command import KEYS, run

API = {
    "base_url": "https://api.fivetran.com",
    "group": None,
    "schema": None,
    "page_size": 1000,
    "verify_listing": False,
    "max_wait": 120.0,
}


@pytest.mark.parametrize("severity", Severity)
def test_a_bar_is_the_severity_of_its_name(severity: Severity):
    assert severity_of(severity.label) is severity


def test_fail_on_none_is_no_severity():
    assert severity_of("none") is None


def test_a_variable_ends_at_the_first_equals_sign():
    assert variables_of(("a=1", "b=", "c=x=y", "d= ")) == {"a": "1", "b": "", "c": "x=y", "d": " "}
    assert variables_of(()) == {}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("a",), "--var a: write --var NAME=VALUE"),
        (("=1",), "--var =1: write --var NAME=VALUE"),
        (("a=1", "a=1"), "--var a is given twice"),
    ],
)
def test_what_sets_no_variable(settings: tuple[str, ...], said: str):
    with pytest.raises(UsageError) as caught:
        variables_of(settings)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T12:00:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00+05:00", datetime(2026, 1, 31, 7, tzinfo=UTC)),
    ],
)
def test_a_time_is_the_moment_of_its_zone(text: str, moment: datetime):
    found = TimeType().convert(text, None, None)
    assert found == moment
    assert TimeType().convert(found, None, None) is found


@pytest.mark.parametrize("text", ["now", "2026-01-31", "2026-01-31T12:00:00", ""])
def test_a_time_option_without_a_zone_is_refused(text: str):
    with pytest.raises(
        click.BadParameter, match="not a time with a zone; write 2026-01-31T12:00:00Z"
    ):
        TimeType().convert(text, None, None)


def test_the_options_choose_the_source(monkeypatch: pytest.MonkeyPatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    source = api_source({**API, "group": "g1", "schema": "orders"})
    assert source.info.filters == (("group_id", "g1"), ("schema", "orders"))
    assert source.info.base_url == "https://api.fivetran.com"
    assert api_source({**API}).info.filters == ()


@pytest.mark.parametrize("option", ["group", "schema"])
@pytest.mark.parametrize("name", sorted(KEYS))
def test_a_credential_narrows_nothing(monkeypatch: pytest.MonkeyPatch, option: str, name: str):
    for key, value in KEYS.items():
        monkeypatch.setenv(key, value)
    with pytest.raises(UsageError) as caught:
        api_source({**API, option: KEYS[name]})
    assert str(caught.value).startswith(f"--{option} holds the API key or its secret")
    assert KEYS[name] not in str(caught.value)


def test_without_credentials_there_is_no_source(monkeypatch: pytest.MonkeyPatch):
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="FIVETRAN_API_KEY"):
        api_source({**API})


@pytest.mark.parametrize("option", ["--group", "--schema", "--history"])
def test_an_unset_variable_of_a_pipeline_is_refused(tmp_path: Path, option: str):
    done = run(["audit", option, " "], tmp_path)
    assert done.returncode == 2
    assert option in done.stderr
    assert "is empty; leave the option out" in done.stderr
