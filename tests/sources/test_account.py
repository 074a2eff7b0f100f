"""Credentials and the base URL: what is refused, and that no value is ever shown."""

from __future__ import annotations

import pytest

from auditor.errors import UsageError
from auditor.sources.account import Credentials, check_base_url, credentials_from


def test_our_names_come_first() -> None:
    environ = {
        "FIVETRAN_API_KEY": "ours",
        "FIVETRAN_API_SECRET": "s1",
        "FIVETRAN_APIKEY": "theirs",
        "FIVETRAN_APISECRET": "s2",
    }
    assert credentials_from(environ) == Credentials("ours", "s1")


def test_the_terraform_names_work() -> None:
    names = ("FIVETRAN_APIKEY", "FIVETRAN_APISECRET")
    found = credentials_from(dict(zip(names, ("k", "s"), strict=True)))
    assert found == Credentials("k", "s", names)


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, "FIVETRAN_API_KEY and FIVETRAN_API_SECRET"),
        ({"FIVETRAN_API_KEY": "", "FIVETRAN_API_SECRET": ""}, "no credentials"),
        ({"FIVETRAN_API_KEY": "hunter2"}, "FIVETRAN_API_SECRET is not set"),
        ({"FIVETRAN_API_SECRET": "hunter2"}, "FIVETRAN_API_KEY is not set"),
        ({"FIVETRAN_APIKEY": "hunter2"}, "FIVETRAN_APISECRET is not set"),
        ({"FIVETRAN_API_KEY": "hunter2\n", "FIVETRAN_API_SECRET": "s"}, "FIVETRAN_API_KEY holds"),
        ({"FIVETRAN_API_KEY": "k", "FIVETRAN_API_SECRET": "hunter2\r\nX: y"}, "SECRET holds"),
        ({"FIVETRAN_API_KEY": "k", "FIVETRAN_API_SECRET": " hunter2"}, "SECRET holds"),
        ({"FIVETRAN_API_KEY": "k", "FIVETRAN_API_SECRET": "hunter2\udcff"}, "SECRET holds"),
        ({"FIVETRAN_API_KEY": "hunter2:x", "FIVETRAN_API_SECRET": "s"}, "colon"),
    ],
)
def test_what_is_no_credential_is_named_not_shown(environ: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        credentials_from(environ)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_half_set_pair_never_meets_the_other_account() -> None:
    environ = {"FIVETRAN_API_KEY": "a", "FIVETRAN_APIKEY": "b", "FIVETRAN_APISECRET": "c"}
    with pytest.raises(UsageError, match="FIVETRAN_API_SECRET is not set"):
        credentials_from(environ)


def test_credentials_cannot_be_printed() -> None:
    shown = f"{Credentials('the-key', 'the-secret')!r} {Credentials('the-key', 'the-secret')}"
    assert "the-key" not in shown
    assert "the-secret" not in shown


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://api.fivetran.com", "https://api.fivetran.com"),
        ("https://api.fivetran.com/", "https://api.fivetran.com"),
        ("HTTPS://api.fivetran.com//", "https://api.fivetran.com"),
        ("https://gateway.example:8443/fivetran/", "https://gateway.example:8443/fivetran"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
    ],
)
def test_a_good_base_url_is_kept_without_its_slash(url: str, kept: str) -> None:
    assert check_base_url(url) == kept


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.fivetran.com",
        "ftp://api.fivetran.com",
        "http://api.fivetran.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0",
        "http://[::]",
        "http://2130706433",
        "http://127.1",
        "https://",
        "https:///v1",
        "https://user:hunter2@api.fivetran.com",
        "https://hunter2@api.fivetran.com",
        "https://@api.fivetran.com",
        "https://api.fivetran.com?hunter2",
        "https://api.fivetran.com?",
        "https://api.fivetran.com#",
        "https://api.fivetran.com:port",
        "https://api.fivetran.com:99999",
        "https://api.fivetran.com:0",
        "https://api fivetran.com",
        "https://api.fivetran.com\n.example.com",
        "https://api.fivetran.com\\@example.com",
        "https://api.fivetran.com\u200b",
        "https://ap\u0131.fivetran.com",
        "https://-",
        "https://a..b",
        "https://" + "a" * 64 + ".com",
        "https://[::1",
        "https://[gg::1]",
        "https://[127.0.0.1]",
        "https://[v1.x]",
    ],
)
def test_any_other_base_url_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="--base-url") as caught:
        check_base_url(url)
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).isprintable()
