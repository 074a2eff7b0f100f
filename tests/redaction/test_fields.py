"""What may be shown of a value, by its field, its key's name and its looks."""

from __future__ import annotations

import pytest

from auditor.fields import IDENTITY, Exposure
from auditor.redaction.fields import (
    HIDDEN,
    REDACTED,
    exposure,
    guarded,
    is_named_secret,
    looks_secret,
)

TOKEN = "dGhpcyBJcyBub3QgYSByZWFsIHRva2VuMDE"


# -- by field -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "reveal", "shown"),
    [
        ("paused", "", Exposure.SHOWN),
        ("paused", "paused", Exposure.SHOWN),
        ("config.host", "", Exposure.HIDDEN),
        ("config.host", "config.host", Exposure.SHOWN),
        ("config.host", "config.port", Exposure.HIDDEN),
        ("config.host", "config", Exposure.HIDDEN),
        ("not_documented", "", Exposure.HIDDEN),
        ("not_documented", "not_documented", Exposure.SHOWN),
        ("not_documented", "paused", Exposure.HIDDEN),
        ("connect_card.token", "", Exposure.SECRET),
        ("connect_card.token", "connect_card.token", Exposure.SECRET),
    ],
)
def test_what_a_field_may_show(path: str, reveal: str, shown: Exposure) -> None:
    revealed = frozenset(reveal.split())
    assert exposure(path, revealed) is shown
    if not reveal:
        assert exposure(path) is shown


@pytest.mark.parametrize(
    ("path", "text", "reveal", "shown"),
    [
        ("schedule_type", "auto", "", "auto"),
        ("schedule_type", TOKEN, "", REDACTED),
        ("config.host", "db.example", "", HIDDEN),
        ("config.host", TOKEN, "", HIDDEN),
        ("config.host", "db.example", "config.host", "db.example"),
        ("config.host", TOKEN, "config.host", REDACTED),
        ("config.password", "hunter2", "", HIDDEN),
        ("config.password", "hunter2", "config.password", REDACTED),
        ("config.password", "hunter2", "config.host", HIDDEN),
        ("not_documented", "x", "", HIDDEN),
        ("not_documented", "x", "not_documented", "x"),
        ("a_secret", "x", "a_secret", REDACTED),
        ("connect_card.token", "x", "connect_card.token", REDACTED),
    ],
)
def test_what_is_shown_in_a_values_place(path: str, text: str, reveal: str, shown: str) -> None:
    assert guarded(path, text, frozenset(reveal.split())) == shown


@pytest.mark.parametrize("path", sorted(IDENTITY))
def test_an_identity_is_always_shown(path: str) -> None:
    assert guarded(path, TOKEN) == TOKEN


# -- by name --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("config.password", True),
        ("config.PASSWORD", True),
        ("config.db_password", True),
        ("config.dbPassword", True),
        ("config.clientSecret2", True),
        ("config.APIKey", True),
        ("config.private-key", True),
        ("config.tokens[]", True),
        ("config.host", False),
        ("config.secretary", False),
        ("config.monkey", False),
        ("config.keyboard", False),
        ("config.token.name", False),
        ("config.name[]", False),
        ("not_documented_token", True),
        ("token.not_documented", False),
        # Documented, and no secret for all its name.
        ("service", False),
        ("connect_card.token", False),
    ],
)
def test_a_key_is_named_like_a_secret_by_whole_words(path: str, named: bool) -> None:
    assert is_named_secret(path) is named


# -- by looks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "eyJhbGciOi",
        "x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln y",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----",
        "postgres://app:hunter2@db.example/x",
        "https://hunter2@db.example",
        "ends in a letter: x1+://hunter2@db.example",
        "Basic dXNlcjpw",
        "bearer  abcdefgh",
        "BEARER abcdefgh",
        "https://a.example/?sig=x",
        "https://a.example/?a=b&Token=x",
        "?access_token=x",
        "AKIA" + "A1" * 6,
        "ASIA" + "A1" * 6,
        "ghp_abcdefghij",
        "xoxb-abcdefghij",
        "sk_abcdefghij",
        "glpat-abcdefghij",
        TOKEN,
        "aB3" * 8,
        "a" * 25 + "1" * 7,
        "A" * 25 + "1" * 7,
        "a" * 28 + "1" * 7,  # a fifth of them are digits
        f"before {TOKEN} after",
        "a" * 40 + " " + TOKEN,
    ],
)
def test_what_looks_like_a_secret(text: str) -> None:
    assert looks_secret(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "auto",
        "eyJhbG",
        "https://db.example/a@b",
        "mail me@db.example",
        "basic tests",
        "bearer abcdefg",
        "?page=2&sort=name",
        "AKIA" + "A1" * 5,
        "task_abcdefghij",
        "ghp_abcdefghi",
        "aB3" * 7 + "aB",  # 23 characters
        "analytics_production_orders_daily",
        "ANALYTICS_PRODUCTION_ORDERS_DAILY",
        "a" * 24 + "1" * 7,  # 31 characters of two kinds
        "a" * 26 + "1" * 6,  # too few digits
        "1" * 40,
        "a" * 40,
        "aB" * 20,
        "2026-01-15T11:00:00Z",
        "2026-01-15T11:00:00.123456Z",
    ],
)
def test_what_does_not(text: str) -> None:
    assert not looks_secret(text)
