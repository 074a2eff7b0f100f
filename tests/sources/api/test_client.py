"""Statuses: which are retried, after what pauses, and the final message."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.sources.api.client import http_date, retry_after
from tests.builders.fault_server import Answer, FaultServer, kept, page, record, response
from tests.builders.walks import CREDENTIALS, refused, walk

GOOD = response(page([record(1)]))
DATE = "Date: Wed, 21 Oct 2015 07:28:00 GMT"


def error(status: int, *headers: str, body: bytes = b'{"code":"C","message":"M"}') -> Answer:
    return kept(body, status, *headers)


OTHER = "that is not a response to a list request; check --base-url"
ADVICE = {
    400: "the API did not understand the request; check --group, --schema and --page-size",
    401: "the API did not accept FIVETRAN_API_KEY and FIVETRAN_API_SECRET; check both",
    403: "the API key lacks the permission to list connections",
    404: "there is no such address; check --base-url, which ends before /v1",
    407: "the proxy asks for a user and password; check the proxy variable",
}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "InvalidInput"),
        (401, "AuthFailed"),
        (403, "Forbidden"),
        (403, "NotFound_Group"),
        (404, "NotFound"),
        (405, "MethodNotAllowed"),
        (406, "NotAcceptable"),
        (407, ""),
        (410, ""),
        (415, "UnsupportedMediaType"),
        (418, ""),
        (501, ""),
        (201, "Success"),
        (202, "Success"),
        (206, "Success"),
        (299, "Success"),
        (300, ""),
        (999, ""),
    ],
)
def test_a_status_that_will_not_change_is_asked_once(status: int, code: str) -> None:
    body = b'{"code":"%s","message":"said\\nso"}' % code.encode()
    done, server = refused([error(status, body=body)])
    where = f"127.0.0.1:{server.port}/v1/connections, page 1"
    said = f"{code}: said so" if code else "said so"
    assert done.message == f"{where}: HTTP {status} ({said}); {ADVICE.get(status, OTHER)}"
    assert len(server.requests) == 1
    assert done.naps == []


def test_a_code_without_a_message_is_said() -> None:
    done, _ = refused([error(403, body=b'{"code":"Forbidden"}')])
    assert f": HTTP 403 (Forbidden); {ADVICE[403]}" in done.message


@pytest.mark.parametrize("status", [101, 102, 103, 204, 205, 304])
def test_a_status_without_a_body_is_not_an_empty_listing(status: int) -> None:
    done, server = refused([response(b"", status, length=status == 205)])
    assert f"HTTP {status}" in done.message
    assert len(server.requests) == 1


def test_a_continue_comes_before_the_answer() -> None:
    with FaultServer([b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD]) as server:
        assert walk(server).ids == ["c1"]


def test_404_with_a_group_names_the_option() -> None:
    body = b'{"code":"NotFound_Group","message":"Cannot find group"}'
    done, _ = refused([error(404, body=body)], group="gone")
    assert done.message.endswith(
        ": HTTP 404 (NotFound_Group: Cannot find group); no such group; "
        "check --group, which takes a group's id, and --base-url"
    )


@pytest.mark.parametrize(
    ("status", "code", "group"),
    [(404, "NotFound_Group", None), (404, "Other", "gone"), (403, "NotFound_Group", "gone")],
)
def test_no_other_answer_blames_the_group(status: int, code: str, group: str | None) -> None:
    done, _ = refused([error(status, body=b'{"code":"%s"}' % code.encode())], group=group)
    assert done.message.endswith(f": HTTP {status} ({code}); {ADVICE[status]}")


def test_what_the_api_says_is_scrubbed_cleaned_and_cut() -> None:
    said = f"{CREDENTIALS.authorization} {CREDENTIALS.secret}\\u0000\\u202e" + "x" * 5000
    done, _ = refused([error(401, body=f'{{"code":"AuthFailed","message":"{said}"}}'.encode())])
    start = r"AuthFailed: Basic [redacted] [redacted]\x00\u202e"
    assert f": HTTP 401 ({(start + 'x' * 200)[:199]}\u2026); " in done.message


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>Bad</html>", b"[1]", b"5", b'{"code":5,"message":[]}', b"[" * 70_000, b"\xff"],
)
def test_an_error_without_the_apis_words_is_still_an_error(body: bytes) -> None:
    done, _ = refused([error(403, body=body)])
    assert "HTTP 403;" in done.message


def test_an_error_whose_body_is_cut_is_still_that_error() -> None:
    done, _ = refused([response(b"", 401, "Content-Length: 50", length=False) + b'{"code":"Auth'])
    assert "HTTP 401;" in done.message


# -- again ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "attempts"), [(409, 3), (429, 5), (500, 5), (502, 5), (503, 5), (504, 5)]
)
def test_a_status_that_may_pass_is_asked_again(status: int, attempts: int) -> None:
    done, server = refused([error(status)])
    assert f"HTTP {status} (C: M), on all {attempts} attempts; run again later" in done.message
    assert len(server.requests) == attempts
    assert done.naps == [1.0, 2.0, 4.0, 8.0][: attempts - 1]


@pytest.mark.parametrize(("status", "failures"), [(409, 2), (429, 4), (500, 4), (503, 4)])
def test_the_last_attempt_counts(status: int, failures: int) -> None:
    with FaultServer([error(status)] * failures + [GOOD]) as server:
        done = walk(server)
    assert done.ids == ["c1"]
    assert len(done.naps) == failures


def test_pauses_are_drawn_and_bounded() -> None:
    done, _ = refused([b"not http"], attempts=9, random=lambda: 0.5)
    assert done.naps == [0.5, 1, 2, 4, 8, 15, 15, 15]


def test_every_page_has_attempts_of_its_own() -> None:
    def script(number: int) -> list[Answer]:
        last = kept(page([record(number)], str(number) if number < 3 else None))
        return [*[error(500)] * 4, last]

    with FaultServer([*script(1), *script(2), *script(3)]) as server:
        assert walk(server).ids == ["c1", "c2", "c3"]


# -- Retry-After ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        (["Retry-After: 1"], 1),
        (["Retry-After: 7"], 7),
        (["Retry-After: 120"], 120),
        (["Retry-After:   9  "], 9),
        (["Retry-After: 007"], 7),
        (["retry-after: 5"], 5),
        ([DATE, "Retry-After: Wed, 21 Oct 2015 07:28:30 GMT"], 30),
        ([DATE, "Retry-After: Wed, 21 Oct 2015 07:28:01 GMT"], 1),
        ([DATE, "Retry-After: Wednesday, 21-Oct-15 07:28:30 GMT"], 30),
        ([DATE, "Retry-After: Wed Oct 21 07:28:30 2015"], 30),
        ([DATE, "Retry-After: Wed, 21 Oct 2015 09:28:30 +0200"], 30),
    ],
)
def test_a_wait_that_fits_is_waited(headers: list[str], wait: int) -> None:
    with FaultServer([error(429, *headers), GOOD]) as server:
        done = walk(server)
        assert len(server.requests) == 2
    assert done.ids == ["c1"]
    assert done.naps == [wait]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["Retry-After:"],
        ["Retry-After: 0"],
        ["Retry-After: -1"],
        ["Retry-After: +5"],
        ["Retry-After: 1.5"],
        ["Retry-After: 1e3"],
        ["Retry-After: 0x10"],
        ["Retry-After: 5 seconds"],
        ["Retry-After: soon"],
        ["Retry-After: \u00b2"],
        ["Retry-After: NaN"],
        ["Retry-After: Infinity"],
        ["Retry-After: 5", "Retry-After: 6"],
        ["Retry-After: " + "9" * 5000],
        ["Retry-After: " + "0" * 5000],
        ["Retry-After: Wed, 21 Oct 2015 07:28:30 GMT"],
        ["Date: now", "Retry-After: Wed, 21 Oct 2015 07:28:30 GMT"],
        [DATE, "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"],
        [DATE, "Retry-After: Wed, 21 Oct 2015 07:27:59 GMT"],
        [DATE, "Retry-After: Wed, 31 Feb 2015 07:27:59 GMT"],
        [DATE, "Retry-After: Wed, 21 Oct 99999999 07:28:30 GMT"],
        [DATE, "Retry-After: Wed, 21 Oct 2015 07:28:30 +99999999"],
        [DATE, "Retry-After: Wed, 21 Oct"],
        [DATE, "Retry-After: ,,,"],
    ],
)
def test_any_other_wait_falls_back_to_pauses(headers: list[str]) -> None:
    done, server = refused([error(429, *headers)])
    assert len(server.requests) == 5
    assert done.naps == [1, 2, 4, 8]


@pytest.mark.parametrize("seconds", [121, 3600, 999_999_999])
def test_a_wait_that_does_not_fit_ends_the_run_at_once(seconds: int) -> None:
    done, server = refused([error(429, f"Retry-After: {seconds}")])
    where = f"127.0.0.1:{server.port}/v1/connections, page 1"
    assert done.message == (
        f"{where}: HTTP 429 (C: M): it asks to wait {seconds:,} s, and --max-wait leaves 120 s; "
        "run again later, or raise --max-wait"
    )
    assert len(server.requests) == 1
    assert done.naps == []


def test_all_waits_together_fit_or_end_the_run() -> None:
    done, server = refused([error(429, "Retry-After: 50")])
    assert done.naps == [50, 50]
    assert "--max-wait leaves 20 s" in done.message
    assert len(server.requests) == 3


def test_max_wait_holds_for_the_run_and_not_the_page() -> None:
    waits = [error(429, "Retry-After: 50"), kept(page([record(1)], "x"))]
    done, _ = refused([*waits, error(429, "Retry-After: 80")])
    assert done.naps == [50]
    assert done.ids == ["c1"]


def test_a_wait_that_was_asked_for_is_not_a_failed_attempt() -> None:
    with FaultServer([*[error(429, "Retry-After: 2")] * 20, GOOD]) as server:
        assert walk(server).naps == [2] * 20


def test_only_a_429_may_say_how_long() -> None:
    done, _ = refused([error(503, "Retry-After: 100")])
    assert done.naps == [1, 2, 4, 8]


def test_a_second_is_a_wait() -> None:
    said = {"Retry-After": "Wed, 21 Oct 2015 07:28:01 GMT", "Date": DATE.removeprefix("Date: ")}
    assert retry_after(said) == 1
    assert retry_after({**said, "Retry-After": said["Date"]}) is None


@given(st.text(), st.text())
def test_no_header_crashes_the_reading_of_it(after: str, date: str) -> None:
    wait = retry_after({"Retry-After": after, "Date": date})
    assert wait is None or wait > 0


@given(st.integers(0, 32_000_000_000))
def test_an_http_date_comes_back(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert http_date(moment.strftime("%a, %d %b %Y %H:%M:%S GMT")) == moment


@pytest.fixture
def _far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_far_east")
@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0000", ""])
def test_an_http_date_is_in_utc_wherever_it_is_read(zone: str) -> None:
    moment = http_date(f"Wed, 21 Oct 2015 07:28:00 {zone}".strip())
    assert moment is not None
    assert (moment.isoformat(), moment.tzinfo) == ("2015-10-21T07:28:00+00:00", UTC)


# -- redirects --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 399])
@pytest.mark.parametrize(
    ("location", "to"),
    [
        ("https://evil.example/x?token=hunter2", "evil.example"),
        ("https://user:hunter2@evil.example/", "evil.example"),
        ("/v2/hunter2", "another path on the same host"),
        ("http://[hunter2", "an address that cannot be read"),
        ("//evil.example", "evil.example"),
        (f"https://{CREDENTIALS.key}.example/", "an address that cannot be read"),
        ("\x80\xff", "another path on the same host"),
        ("", "another path on the same host"),
    ],
)
def test_no_redirect_is_followed(status: int, location: str, to: str) -> None:
    done, server = refused([error(status, f"Location: {location}")])
    assert done.message.endswith(
        f": HTTP {status}, a redirect to {to}; "
        "redirects are never followed with an API key; check --base-url"
    )
    assert "hunter2" not in done.message
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [299, 400])
def test_only_a_redirect_leads_elsewhere(status: int) -> None:
    done, _ = refused([error(status, "Location: https://evil.example/")])
    assert f"HTTP {status} (C: M); " in done.message
    assert "evil" not in done.message


def test_a_redirect_to_another_server_never_reaches_it() -> None:
    with FaultServer([GOOD]) as thief:
        done, _ = refused([error(302, f"Location: {thief.url}/v1/connections")])
        assert thief.connections == 0
    assert "127.0.0.1" in done.message
