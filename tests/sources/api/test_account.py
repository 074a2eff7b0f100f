"""Credentials and the base URL: what is refused, and that no value is ever shown."""

from __future__ import annotations

from base64 import b64encode

import pytest

from auditor.errors import UsageError
from auditor.sources.api.account import Credentials, check_base_url, credentials_from


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


NONE = (
    "no credentials: set FIVETRAN_API_KEY and FIVETRAN_API_SECRET "
    "(or FIVETRAN_APIKEY and FIVETRAN_APISECRET)"
)
ODD = (
    "holds a blank, a line break or another character that no credential has; set it again without"
)
QUOTED = (
    "begins or ends with a quote, which no credential does; set it again without: an env file, "
    "unlike a shell, takes quotes for a part of the value"
)


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, NONE),
        ({"FIVETRAN_API_KEY": "", "FIVETRAN_API_SECRET": ""}, NONE),
        (
            {"FIVETRAN_API_KEY": "hunter2"},
            "FIVETRAN_API_SECRET is not set; FIVETRAN_API_KEY is: set both",
        ),
        (
            {"FIVETRAN_API_SECRET": "hunter2"},
            "FIVETRAN_API_KEY is not set; FIVETRAN_API_SECRET is: set both",
        ),
        (
            {"FIVETRAN_APIKEY": "hunter2"},
            "FIVETRAN_APISECRET is not set; FIVETRAN_APIKEY is: set both",
        ),
        (
            {"FIVETRAN_API_KEY": "hunter2\n", "FIVETRAN_API_SECRET": "s"},
            f"FIVETRAN_API_KEY {ODD}",
        ),
        (
            {"FIVETRAN_API_KEY": "k", "FIVETRAN_API_SECRET": "hunter2\r\nX: y"},
            f"FIVETRAN_API_SECRET {ODD}",
        ),
        (
            {"FIVETRAN_API_KEY": "k", "FIVETRAN_API_SECRET": " hunter2"},
            f"FIVETRAN_API_SECRET {ODD}",
        ),
        (
            {"FIVETRAN_API_KEY": "k", "FIVETRAN_API_SECRET": "hunter2\udcff"},
            f"FIVETRAN_API_SECRET {ODD}",
        ),
        (
            {"FIVETRAN_API_KEY": '"hunter2"', "FIVETRAN_API_SECRET": "s"},
            f"FIVETRAN_API_KEY {QUOTED}",
        ),
        (
            {"FIVETRAN_API_KEY": "k", "FIVETRAN_API_SECRET": "'hunter2"},
            f"FIVETRAN_API_SECRET {QUOTED}",
        ),
        (
            {"FIVETRAN_API_KEY": "k", "FIVETRAN_API_SECRET": "hunter2\u201d"},
            f"FIVETRAN_API_SECRET {QUOTED}",
        ),
        (
            {"FIVETRAN_APIKEY": "hunter2:x", "FIVETRAN_APISECRET": "s"},
            "FIVETRAN_APIKEY holds a colon, which no API key has; set the key alone",
        ),
    ],
)
def test_what_is_not_a_credential_is_named_not_shown(environ: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        credentials_from(environ)
    assert str(caught.value) == says
    assert "hunter2" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_secret_may_hold_a_colon() -> None:
    environ = {"FIVETRAN_API_KEY": "k", "FIVETRAN_API_SECRET": "s:s"}
    assert credentials_from(environ).authorization == "Basic azpzOnM="


def test_without_credentials_every_pair_that_would_do_is_named() -> None:
    pairs = [("A", "B"), ("C", "D"), ("E", "F")]
    for number, told in (
        (1, "A and B"),
        (2, "A and B (or C and D)"),
        (3, "A and B (or C and D or E and F)"),
    ):
        with pytest.raises(UsageError) as caught:
            credentials_from({}, pairs[:number])
        assert str(caught.value) == f"no credentials: set {told}"


@pytest.mark.parametrize("more", [{}, {"FIVETRAN_API_SECRET": "s"}])
def test_key_and_secret_in_one_are_recognised(more: dict[str, str]) -> None:
    pair = b64encode(b"abcKEYdef:hunter2hunter2").decode()
    with pytest.raises(UsageError) as caught:
        credentials_from({"FIVETRAN_API_KEY": pair, **more})
    assert str(caught.value) == (
        "FIVETRAN_API_KEY holds the key and the secret together, in base64, as Fivetran's own tools"
        " take them; set FIVETRAN_API_KEY and FIVETRAN_API_SECRET apart"
    )


def test_a_key_that_happens_to_be_base64_of_something_is_a_key() -> None:
    # The last is base64 of a pair for a reader who passes over what is no base64.
    for key in ("abcdefghijkl", "QUJD", "a" * 16, "Y!T!p!i"):
        assert credentials_from({"FIVETRAN_API_KEY": key, "FIVETRAN_API_SECRET": "s"})


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
        ("https://gateway.example/X/", "https://gateway.example/X"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
    ],
)
def test_a_good_base_url_is_kept_without_its_slash(url: str, kept: str) -> None:
    assert check_base_url(url) == kept


REFUSED = {
    "--base-url must start with https://": ["", "api.fivetran.com", "ftp://api.fivetran.com"],
    "--base-url must not hold a user or password; credentials come from the environment": [
        "https://user:hunter2@api.fivetran.com",
        "https://hunter2@api.fivetran.com",
        "https://@api.fivetran.com",
    ],
    "--base-url must end with its path: take out what follows ? or #": [
        "https://api.fivetran.com?hunter2",
        "https://api.fivetran.com?",
        "https://api.fivetran.com#",
    ],
    "--base-url names no usable host": [
        "https://",
        "https:///v1",
        "https://ap\u0131.fivetran.com",
        "https://-",
        "https://a-",
        "https://a..b",
        "https://" + "a" * 64 + ".com",
        "https://[fe80::1%eth0]",
    ],
    "--base-url is plain http, which would show the API key to the network; use https://{host}": [
        "http://api.fivetran.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0",
        "http://[::]",
        "http://2130706433",
        "http://127.1",
        "http://128.0.0.1",
    ],
    "--base-url is not a URL: its host or port cannot be read": [
        "https://api.fivetran.com:port",
        "https://api.fivetran.com:99999",
        "https://[::1",
    ],
    "--base-url names port 0, which nothing can listen on": ["https://api.fivetran.com:0"],
    "--base-url holds a blank, a backslash or a control character": [
        "https://api fivetran.com",
        "https://api.fivetran.com\n.example.com",
        "https://api.fivetran.com\\@example.com",
        "https://api.fivetran.com\u200b",
    ],
}


@pytest.mark.parametrize(
    ("says", "url"), [(says, url) for says in REFUSED for url in REFUSED[says]]
)
def test_any_other_base_url_is_a_usage_error(says: str, url: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_base_url(url)
    assert str(caught.value) == says.replace("{host}", url.removeprefix("http://"))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://[gg::1]", "https://[127.0.0.1]", "https://[v1.x]"])
def test_what_brackets_hold_is_an_address_of_ipv6(url: str) -> None:
    # Which of the two says so depends on the Python.
    with pytest.raises(UsageError, match=r"--base-url (names no usable host|is not a URL)"):
        check_base_url(url)
