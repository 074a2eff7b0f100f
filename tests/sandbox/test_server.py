"""The server: what a client of the real API relies on, over a real socket."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from auditor.errors import UsageError
from auditor.sandbox.api import HourlyLimit
from auditor.sandbox.estate import build_estate
from auditor.sandbox.faults import FAULTS
from auditor.sandbox.server import FAKE_KEY, FAKE_SECRET, Sandbox

NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
ESTATE = build_estate(250, now=NOW)
IDS = [record["id"] for record in ESTATE.records]
GROUP = ESTATE.groups[3]["id"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(ESTATE) as running:
        yield running


def get(sandbox: Sandbox, target: str, **options: Any) -> requests.Response:
    options.setdefault("auth", (FAKE_KEY, FAKE_SECRET))
    return requests.get(sandbox.url + target, timeout=10, **options)


def walk(
    sandbox: Sandbox, target: str = "/v1/connections", **params: Any
) -> list[list[dict[str, Any]]]:
    """Follow the cursors to the end; the last page has no cursor key at all."""
    pages = []
    while True:
        data = get(sandbox, target, params=params).json()["data"]
        pages.append(data["items"])
        if "next_cursor" not in data:
            return pages
        params["cursor"] = data["next_cursor"]


def flat(pages: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [item for page in pages for item in page]


@pytest.mark.parametrize("limit", [1, 7, 125, 249, 250, 251, 1000, None])
def test_a_walk_yields_every_record_once_as_built(sandbox, limit):
    pages = walk(sandbox, **({} if limit is None else {"limit": limit}))
    assert flat(pages) == list(ESTATE.records)
    size = limit or 100
    assert [len(page) for page in pages] == [
        min(size, 250 - start) for start in range(0, 250, size)
    ]


def test_a_list_of_exactly_one_page_has_no_cursor(sandbox):
    answer = get(sandbox, "/v1/connections?limit=250").json()
    assert answer["code"] == "Success"
    assert answer["message"]
    assert answer["data"].keys() == {"items"}


def test_cursors_are_opaque_and_skip(sandbox):
    cursor = get(sandbox, "/v1/connections?limit=40").json()["data"]["next_cursor"]
    assert json.loads(base64.b64decode(cursor + "==")) == {"skip": 40}
    beyond = base64.b64encode(b'{"skip":999}').decode()
    data = get(sandbox, "/v1/connections", params={"cursor": beyond}).json()["data"]
    assert data == {"items": []}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=ten",
        "limit=",
        "limit=1.5",
        "limit=%D9%A3",
        "cursor=",
        "cursor=a",
        "cursor=%00",
        "cursor=eyJza2lwIjotMX0",
        "cursor=" + base64.b64encode(b'{"skip":"1"}').decode(),
        "cursor=" + base64.b64encode(b"[1]").decode(),
    ],
)
def test_a_bad_parameter_is_invalid_input(sandbox, query):
    answer = get(sandbox, f"/v1/connections?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidInput")


def test_group_filter(sandbox):
    wanted = [record for record in ESTATE.records if record["group_id"] == GROUP]
    assert flat(walk(sandbox, group_id=GROUP, limit=3)) == wanted
    assert flat(walk(sandbox, f"/v1/groups/{GROUP}/connections", limit=3)) == wanted


def test_schema_filter_is_exact(sandbox):
    schema = ESTATE.records[100]["schema"]
    wanted = [record for record in ESTATE.records if record["schema"] == schema]
    assert flat(walk(sandbox, schema=schema)) == wanted
    assert flat(walk(sandbox, schema=schema[:-1])) == []
    assert flat(walk(sandbox, schema=schema.upper())) == []


def test_filters_combine(sandbox):
    record = ESTATE.records[100]
    other = next(g["id"] for g in ESTATE.groups if g["id"] != record["group_id"])
    both = {"schema": record["schema"], "group_id": record["group_id"]}
    assert record in flat(walk(sandbox, **both))
    assert flat(walk(sandbox, **{**both, "group_id": other})) == []


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/v1/connections?group_id=nobody", "NotFound_Group"),
        ("/v1/groups/nobody/connections", "NotFound_Group"),
        ("/v1/connections/nobody", "NotFound_Connector"),
        ("/v1/connectors", "NotFound"),
        ("/", "NotFound"),
        ("/v1/connections/", "NotFound"),
    ],
)
def test_what_is_not_there_is_404(sandbox, target, code):
    answer = get(sandbox, target)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_one_connection(sandbox):
    answer = get(sandbox, f"/v1/connections/{IDS[7]}").json()
    assert (answer["code"], answer["data"]) == ("Success", ESTATE.records[7])


@pytest.mark.parametrize(
    ("target", "items"),
    [
        ("/v1/groups", ESTATE.groups),
        ("/v1/destinations", ESTATE.destinations),
        ("/v1/users", ESTATE.users),
        ("/v1/metadata/connector-types", ESTATE.connector_types),
    ],
)
def test_the_other_lists_are_paged_the_same_way(sandbox, target, items):
    assert flat(walk(sandbox, target, limit=5)) == list(items)


@pytest.mark.parametrize(
    "auth",
    [None, (FAKE_KEY, "wrong"), ("wrong", FAKE_SECRET), (FAKE_KEY, ""), (FAKE_SECRET, FAKE_KEY)],
)
def test_wrong_credentials_are_refused_whatever_is_asked(sandbox, auth):
    for target in ("/v1/connections", "/v1/connections?limit=0", "/nowhere"):
        answer = get(sandbox, target, auth=auth)
        assert (answer.status_code, answer.json()["code"]) == (401, "AuthFailed")


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "Basic  "])
def test_the_scheme_is_read_whatever_its_case(sandbox, scheme):
    token = base64.b64encode(f"{FAKE_KEY}:{FAKE_SECRET}".encode()).decode()
    headers = {"Authorization": f"{scheme} {token}"}
    assert get(sandbox, "/v1/groups", auth=lambda r: r, headers=headers).ok
    headers = {"Authorization": f"Bearer {token}"}
    assert get(sandbox, "/v1/groups", auth=lambda r: r, headers=headers).status_code == 401


def test_the_default_credentials_have_the_length_of_real_ones():
    assert (len(FAKE_KEY), len(FAKE_SECRET)) == (16, 32)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"])
def test_other_methods_are_405(sandbox, method):
    answer = requests.request(
        method,
        sandbox.url + "/v1/connections",
        auth=(FAKE_KEY, FAKE_SECRET),
        data=b"GET / HTTP/1.1\r\n\r\n",
        timeout=10,
    )
    assert (answer.status_code, answer.json()["code"]) == (405, "MethodNotAllowed")
    assert answer.headers["Allow"] == "GET"


def test_head_has_no_body(sandbox):
    answer = requests.head(sandbox.url + "/v1/groups", auth=(FAKE_KEY, FAKE_SECRET), timeout=10)
    assert (answer.status_code, answer.content) == (405, b"")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("application/json;version=2", 200),
        ("Application/JSON; version=2; q=0.5", 200),
        ("text/html, */*;q=0.1", 200),
        ("application/*", 200),
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("application/jsonish", 406),
    ],
)
def test_accept(sandbox, accept, status):
    assert get(sandbox, "/v1/groups", headers={"Accept": accept}).status_code == status


def test_headers(sandbox):
    answer = get(sandbox, "/v1/connections")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Rate-Limit"] == "20000"
    left = int(answer.headers["X-Rate-Limit-Remaining"])
    assert int(get(sandbox, "/v1/groups").headers["X-Rate-Limit-Remaining"]) == left - 1
    assert answer.headers["Date"].endswith("GMT")
    assert "Content-Encoding" not in answer.headers


def test_one_connection_serves_many_requests(sandbox):
    host, port = sandbox.url.removeprefix("http://").split(":")
    client = http.client.HTTPConnection(host, int(port), timeout=10)
    token = base64.b64encode(f"{FAKE_KEY}:{FAKE_SECRET}".encode()).decode()
    client.request("GET", "/v1/groups", headers={"Authorization": f"Basic {token}"})
    client.getresponse().read()
    used = client.sock
    for target in ("/nowhere", "/v1/connections?limit=0", "/v1/users"):
        client.request("GET", target, headers={"Authorization": f"Basic {token}"})
        client.getresponse().read()
        assert client.sock is used
    client.close()


def test_what_is_not_http_is_400(sandbox):
    host, port = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(b"GET /v1/groups HTTP/9.x\r\n\r\n")
        assert b"InvalidInput" in raw.makefile("rb").read()


@pytest.mark.parametrize("target", ["http://[x/v1/groups", "/v1/groups?a=%ff&b", "/v1/%zz", "*"])
def test_no_target_is_too_strange_to_answer(sandbox, target, capfd):
    host, port = sandbox.url.removeprefix("http://").split(":")
    token = base64.b64encode(f"{FAKE_KEY}:{FAKE_SECRET}".encode()).decode()
    head = f"GET {target} HTTP/1.1\r\nAuthorization: Basic {token}\r\nConnection: close\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(head.encode())
        assert raw.makefile("rb").read().startswith(b"HTTP/1.1 ")
    assert capfd.readouterr() == ("", "")


def test_a_body_is_not_taken_for_a_request(sandbox):
    host, port = sandbox.url.removeprefix("http://").split(":")
    inner = b"GET /v1/groups HTTP/1.1\r\n\r\n"
    head = f"POST /v1/groups HTTP/1.1\r\nContent-Length: {len(inner)}\r\n\r\n".encode()
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(head + inner)
        assert raw.makefile("rb").read().count(b"HTTP/1.1 ") == 1


def test_a_client_that_leaves_is_no_news(sandbox, capfd):
    host, port = sandbox.url.removeprefix("http://").split(":")
    token = base64.b64encode(f"{FAKE_KEY}:{FAKE_SECRET}".encode()).decode()
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.sendall(
            f"GET /v1/connections HTTP/1.1\r\nAuthorization: Basic {token}\r\n\r\n".encode()
        )
    assert get(sandbox, "/v1/groups").ok
    assert capfd.readouterr() == ("", "")


def test_a_running_sandbox_cannot_be_started_again(sandbox):
    with pytest.raises(UsageError, match="running already"), sandbox:
        pass
    assert get(sandbox, "/v1/groups").ok


def test_gzip_only_for_those_who_take_it():
    with Sandbox(ESTATE, gzip=True) as sandbox:
        packed = get(sandbox, "/v1/connections?limit=250")
        assert packed.headers["Content-Encoding"] == "gzip"
        plain = get(sandbox, "/v1/connections?limit=250", headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        assert packed.content == plain.content
        raw = get(sandbox, "/v1/connections?limit=250", stream=True).raw.read(decode_content=False)
        assert gzip.decompress(raw) == plain.content
        assert len(raw) < len(plain.content) / 3


def test_the_hourly_limit():
    with Sandbox(ESTATE, hourly_limit=3) as sandbox:
        left = [get(sandbox, "/v1/groups").headers["X-Rate-Limit-Remaining"] for _ in range(3)]
        assert left == ["2", "1", "0"]
        assert get(sandbox, "/v1/groups", auth=None).status_code == 401
        refused = get(sandbox, "/v1/groups")
        assert (refused.status_code, refused.json()["code"]) == (429, "TooManyRequests")
        assert 3590 <= int(refused.headers["Retry-After"]) <= 3600
        assert (refused.headers["X-Rate-Limit"], refused.headers["X-Rate-Limit-Remaining"]) == (
            "3",
            "0",
        )


def test_the_limit_rolls():
    now = 0.0
    limit = HourlyLimit(2, clock=lambda: now)
    assert limit.take()[0] is None
    now = 3000.0
    assert limit.take()[0] is None
    refusal, _ = limit.take()
    assert refusal is not None
    assert ("Retry-After", "600") in refusal.headers
    now = 3600.0
    assert limit.take()[0] is None
    assert limit.take()[0] is not None


def test_eight_clients_at_once(sandbox):
    with ThreadPoolExecutor(8) as pool:
        walks = list(pool.map(lambda _: flat(walk(sandbox, limit=60)), range(8)))
    assert all(items == list(ESTATE.records) for items in walks)


def test_every_request_is_noted():
    with Sandbox(ESTATE) as sandbox:
        get(sandbox, "/v1/connections?limit=5")
        get(sandbox, "/nowhere", auth=None)
        assert sandbox.requests == ("/v1/connections?limit=5", "/nowhere")
    assert len(sandbox.requests) == 2


def test_it_stops_with_clients_connected_and_asking():
    before = set(threading.enumerate())
    with Sandbox(ESTATE, latency=60) as sandbox:
        host, port = sandbox.url.removeprefix("http://").split(":")
        waiting = socket.create_connection((host, int(port)), timeout=10)
        waiting.sendall(b"GET /v1/groups HTTP/1.1\r\nHost: x\r\n\r\n")
        idle = socket.create_connection((host, int(port)), timeout=10)
        while not sandbox.requests:
            time.sleep(0.01)
    waiting.close()
    idle.close()
    assert set(threading.enumerate()) <= before
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, int(port)), timeout=10)
    with pytest.raises(UsageError, match="not running"):
        _ = sandbox.url


def test_a_key_of_ones_own():
    with Sandbox(ESTATE, key="mine", secret="ünïque") as sandbox:
        token = base64.b64encode("mine:ünïque".encode()).decode()
        headers = {"Authorization": f"Basic {token}"}
        assert get(sandbox, "/v1/groups", auth=lambda r: r, headers=headers).ok
        assert get(sandbox, "/v1/groups").status_code == 401
        assert "ünïque" not in repr(sandbox)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "", "::"])
def test_only_loopback_is_served(host):
    with pytest.raises(UsageError, match="loopback only"):
        Sandbox(ESTATE, host=host)


@pytest.mark.parametrize("options", [{"fault": "nonsense"}, {"latency": -1.0}, {"hourly_limit": 0}])
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(UsageError, match="write"):
        Sandbox(ESTATE, **options)


def test_a_taken_port_is_a_plain_error(sandbox):
    taken = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(UsageError, match="choose another port"), Sandbox(ESTATE, port=taken):
        pass


# Faults


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("count", [1, 2, 250])
def test_a_walk_that_trusts_nothing_meets_every_fault(name, count):
    """However small the account and large the page, a fault is never silently absent."""
    with Sandbox(build_estate(count, now=NOW), fault=name) as sandbox:
        assert _meets(sandbox) == name


def _meets(sandbox: Sandbox) -> str:
    seen_ids: set[str] = set()
    seen_cursors: set[str] = set()
    params: dict[str, Any] = {"limit": 1000}
    while True:
        try:
            answer = get(sandbox, "/v1/connections", params=params)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            return "cut-page"
        if answer.status_code == 401:
            return "expired-key"
        if answer.status_code == 429:
            assert answer.headers["Retry-After"] == "2"
            assert get(sandbox, "/v1/connections", params=params).ok
            return "rate-limit"
        if answer.status_code == 502:
            assert answer.headers["Content-Type"] == "text/html"
            return "html-gateway"
        if answer.status_code == 500:
            assert answer.json()["code"] == "InternalServerError"
            return "broken-page"
        data = answer.json()["data"]
        cursor = data.get("next_cursor")
        if cursor in seen_cursors:
            return "cursor-loop"
        ids = [item["id"] for item in data["items"]]
        if len(seen_ids | set(ids)) < len(seen_ids) + len(ids):
            return "duplicate-id"
        if cursor is None:
            return "nothing"
        seen_ids |= set(ids)
        seen_cursors.add(cursor)
        params["cursor"] = cursor


def test_a_fault_strikes_after_a_first_page_that_is_well():
    with Sandbox(ESTATE, fault="html-gateway") as sandbox:
        data = get(sandbox, "/v1/connections?limit=1000").json()["data"]
        assert [item["id"] for item in data["items"]] == IDS[:84]
        second = {"limit": 1000, "cursor": data["next_cursor"]}
        assert get(sandbox, "/v1/connections", params=second).status_code == 502


def test_a_fault_leaves_the_other_endpoints_alone():
    with Sandbox(ESTATE, fault="broken-page") as sandbox:
        assert flat(walk(sandbox, "/v1/groups", limit=5)) == list(ESTATE.groups)
