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
from auditor.sandbox import details
from auditor.sandbox.api import HourlyLimit
from auditor.sandbox.endpoints import LIST_NAMES, LISTINGS, NAMES, OBJECT_NAMES
from auditor.sandbox.estate import build_estate
from auditor.sandbox.faults import FAULTS
from auditor.sandbox.oddities import ODDITIES
from auditor.sandbox.server import FAKE_KEY, FAKE_SECRET, Sandbox
from tests.builders.slow import mostly_slow

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
        ("/v1/connections/nobody/schemas", "NotFound_Connector"),
        ("/v1/connectors/nobody", "NotFound_Connector"),
        ("/v1/groups/nobody", "NotFound_Group"),
        ("/v1/users/nobody", "NotFound"),
        ("/v1/proxy/nobody/connections", "NotFound"),
        ("/v1/external-logging/account", "NotFound"),
        ("/v1/connector", "NotFound"),
        ("/v1/roles/Account%20Administrator", "NotFound"),
        ("/v2/connections", "NotFound"),
        ("/", "NotFound"),
        ("/v1/connections/", "NotFound"),
    ],
)
def test_what_is_not_there_is_404(sandbox, target, code):
    answer = get(sandbox, target)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_one_connection(sandbox):
    answer = get(sandbox, f"/v1/connections/{IDS[7]}").json()
    wanted = details.connection(ESTATE, ESTATE.records[7])
    assert (answer["code"], answer["data"]) == ("Success", wanted)
    assert wanted["setup_tests"]


def test_the_older_paths_answer_the_same(sandbox):
    assert flat(walk(sandbox, "/v1/connectors", limit=100)) == list(ESTATE.records)
    for path in (f"connections/{IDS[7]}", f"connections/{IDS[7]}/schemas"):
        old = path.replace("connections", "connectors")
        assert get(sandbox, f"/v1/{old}").json() == get(sandbox, f"/v1/{path}").json()
    of_group = flat(walk(sandbox, f"/v1/groups/{GROUP}/connectors"))
    assert of_group == flat(walk(sandbox, f"/v1/groups/{GROUP}/connections"))


def test_the_schemas_of_a_connection(sandbox):
    data = get(sandbox, f"/v1/connections/{IDS[7]}/schemas").json()["data"]
    assert data["schema_change_handling"] in ("ALLOW_ALL", "ALLOW_COLUMNS", "BLOCK_ALL")
    (schema,) = data["schemas"].values()
    assert len(schema["tables"]) == 3
    assert get(sandbox, f"/v1/connections/{IDS[7]}/schemas").json()["data"] == data
    unfinished = ESTATE.flaws["incomplete-setup"][0]
    answer = get(sandbox, f"/v1/connections/{unfinished}/schemas")
    assert (answer.status_code, answer.json()["code"]) == (404, "NotFound_SchemaConfig")


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.name)
def test_every_other_list_is_paged_the_same_way(sandbox, listing):
    rows = list(listing.rows(ESTATE))
    assert rows
    assert flat(walk(sandbox, f"/v1/{listing.name}", limit=5)) == rows
    for query in ("limit=0", "limit=1001", "cursor=a"):
        assert get(sandbox, f"/v1/{listing.name}?{query}").status_code == 400


@pytest.mark.parametrize(
    "listing", [one for one in LISTINGS if one.single], ids=lambda listing: listing.name
)
def test_a_row_of_a_list_is_answered_by_its_id(sandbox, listing):
    for row in listing.rows(ESTATE)[:3]:
        data = get(sandbox, f"/v1/{listing.name}/{row['id']}").json()["data"]
        assert data | row == data
    answer = get(sandbox, f"/v1/{listing.name}/nobody")
    assert (answer.status_code, answer.json()["code"]) == (404, listing.code)


def test_a_destination_shows_its_settings_only_by_itself(sandbox):
    assert not any("config" in row for row in flat(walk(sandbox, "/v1/destinations")))
    data = get(sandbox, f"/v1/destinations/{GROUP}").json()["data"]
    assert data["config"]["password"] == "******"
    assert data["setup_tests"]


@pytest.mark.parametrize(
    ("target", "keep"),
    [
        ("/v1/users?active=true", lambda row: row["active"]),
        ("/v1/users?active=false", lambda row: not row["active"]),
        (f"/v1/hybrid-deployment-agents?groupId={GROUP}", lambda row: row["group_id"] == GROUP),
        ("/v1/transformations?type=QUICKSTART", lambda row: row["type"] == "QUICKSTART"),
        (f"/v1/transformations?group_id={GROUP}", lambda row: row["id"].endswith(GROUP)),
        (
            f"/v1/transformations?project_id=project_{GROUP}&type=DBT_CORE",
            lambda row: row["id"] == f"dbt_{GROUP}",
        ),
    ],
)
def test_the_filters_of_the_other_lists(sandbox, target, keep):
    path = target.partition("?")[0]
    wanted = [row for row in flat(walk(sandbox, path)) if keep(row)]
    assert get(sandbox, target).json()["data"]["items"] == wanted


def test_a_proxy_agent_names_its_connections(sandbox):
    for row in ESTATE.lists.proxy_agents:
        used = flat(walk(sandbox, f"/v1/proxy/{row['id']}/connections", limit=2))
        assert len(used) == row["connector_count"]
        assert {one["connection_id"] for one in used} <= set(IDS)


def test_system_keys_hold_what_nobody_may_keep(sandbox):
    for row in flat(walk(sandbox, "/v1/system-keys")):
        assert row["key"].startswith("SystemKey")
        assert row["secret"].startswith("SystemSecret")


# Whose key it is


def test_the_key_belongs_to_a_user_with_a_role_for_the_whole_account(sandbox):
    account = get(sandbox, "/v1/account/info").json()["data"]
    assert account.keys() == {"account_id", "account_name", "user_id"}
    user = get(sandbox, f"/v1/users/{account['user_id']}").json()["data"]
    roles = {row["name"]: row["scope"] for row in flat(walk(sandbox, "/v1/roles"))}
    assert roles[user["role"]] == ["ACCOUNT"]


def test_the_key_of_a_team_hides_what_agents_and_proxies_name():
    with Sandbox(ESTATE, reach="team") as sandbox:
        account = get(sandbox, "/v1/account/info").json()["data"]
        user = get(sandbox, f"/v1/users/{account['user_id']}").json()["data"]
        roles = {row["name"]: row["scope"] for row in flat(walk(sandbox, "/v1/roles"))}
        assert roles[user["role"]] != ["ACCOUNT"]
        seen = {row["id"] for row in flat(walk(sandbox, limit=1000))}
        assert 0 < len(seen) < len(IDS)
        groups = {row["id"] for row in flat(walk(sandbox, "/v1/groups"))}
        assert groups == {row["id"] for row in flat(walk(sandbox, "/v1/destinations"))}
        assert len(groups) == len(ESTATE.groups) // 2
        agents = flat(walk(sandbox, "/v1/hybrid-deployment-agents"))
        assert {use["connection_id"] for row in agents for use in row["usage"]} - seen
        proxies = flat(walk(sandbox, "/v1/proxy"))
        shown = flat(walk(sandbox, limit=1000))
        proxied = sum(row["proxy_agent_id"] is not None for row in shown)
        assert sum(row["connector_count"] for row in proxies) > proxied
        hidden = next(id_ for id_ in IDS if id_ not in seen)
        assert get(sandbox, f"/v1/connections/{hidden}").status_code == 404


def test_a_system_key_has_no_user_and_sees_no_system_keys():
    with Sandbox(ESTATE, reach="system") as sandbox:
        account = get(sandbox, "/v1/account/info").json()["data"]
        assert account.keys() == {"account_id", "account_name", "system_key_id"}
        for target in ("/v1/system-keys", f"/v1/system-keys/{account['system_key_id']}"):
            answer = get(sandbox, target)
            assert (answer.status_code, answer.json()["code"]) == (403, "Forbidden")
        assert len(flat(walk(sandbox, limit=1000))) == len(IDS)


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


@pytest.mark.parametrize(
    "options",
    [
        {"fault": "nonsense"},
        {"fault": "grups:forbidden"},
        {"fault": ":forbidden"},
        {"fault": "groups:"},
        {"fault": ("groups:forbidden", "groups:garbage")},
        {"fault": "account/info:cursor-loop"},
        {"reach": "galaxy"},
        {"latency": -1.0},
        {"hourly_limit": 0},
    ],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(UsageError, match=r"write|did you mean"):
        Sandbox(ESTATE, **options)


def test_a_taken_port_is_a_plain_error(sandbox):
    taken = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(UsageError, match="choose another port"), Sandbox(ESTATE, port=taken):
        pass


# Faults

# What ends a walk at once, and so on every endpoint: the status, and the error's code.
REFUSALS = {
    "expired-key": (401, "AuthFailed"),
    "forbidden": (403, "Forbidden"),
    "not-found": (404, "NotFound"),
    "broken-page": (500, "InternalServerError"),
    "html-gateway": (502, None),
    "rate-limit": (429, "TooManyRequests"),
}


def met(sandbox: Sandbox, target: str, most: int = 40) -> str:
    """Walk ``target`` and trust nothing; return the fault that showed, or how the walk ended."""
    seen_rows: set[str] = set()
    seen_cursors: set[str] = set()
    params: dict[str, Any] = {"limit": 1000}
    for _ in range(most):
        try:
            answer = get(sandbox, target, params=params)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            return "cut-page"
        if not answer.ok:
            return _refused(sandbox, target, params, answer)
        try:
            data = answer.json()["data"]
        except requests.exceptions.JSONDecodeError:
            return "garbage"
        if "items" not in data:
            return f"object of {len(data)}"
        if not isinstance(data["items"], list):
            return "no-items"
        cursor = data.get("next_cursor")
        if cursor in seen_cursors:
            return "cursor-loop"
        rows = [json.dumps(item) for item in data["items"]]
        if len(seen_rows | set(rows)) < len(seen_rows) + len(rows):
            return "duplicate-id"
        seen_rows |= set(rows)
        if any("since_last_release" in item for item in data["items"]):
            return "undocumented"
        if cursor is None:
            return f"list of {len(seen_rows)}"
        seen_cursors.add(cursor)
        params["cursor"] = cursor
    return "endless"


def _refused(sandbox: Sandbox, target: str, params: Any, answer: requests.Response) -> str:
    for name, (status, code) in REFUSALS.items():
        if answer.status_code == status:
            if code is None:
                assert answer.headers["Content-Type"] == "text/html"
            else:
                assert answer.json()["code"] == code
            if name == "rate-limit":
                assert answer.headers["Retry-After"] == "2"
                assert get(sandbox, target, params=params).ok
            return name
    return str(answer.status_code)


def counted(fault: str, rows: int) -> str:
    """What ``met`` says of ``fault`` over a list of ``rows``: most name themselves."""
    match fault:
        case "empty":
            return "list of 0"
        case "narrow":
            return f"list of {rows // 2}"
        case "moved":
            # A list of one row is read before the row is gone.
            return f"list of {max(rows - 1, 1)}"
    return fault


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("count", [1, 2, 250])
def test_a_walk_that_trusts_nothing_meets_every_fault(name, count):
    """However small the account and large the page, a fault is never silently absent."""
    with Sandbox(build_estate(count, now=NOW), fault=name) as sandbox:
        assert met(sandbox, "/v1/connections") == counted(name, count)


def target_of(name: str) -> str:
    """Return a path to endpoint ``name`` at which something is there."""
    ids = {
        "connections": IDS[7],
        "proxy": max(ESTATE.lists.proxy_agents, key=lambda row: row["connector_count"])["id"],
    } | {
        one.name: one.rows(ESTATE)[0]["id"]
        for one in LISTINGS
        if one.single and one.name != "proxy"
    }
    parent = name.partition("/{id}")[0]
    return f"/v1/{name.replace('{id}', ids.get(parent, ''))}"


@pytest.fixture(scope="module")
def whole(sandbox: Sandbox) -> dict[str, str]:
    """How a walk of each endpoint ends that has something to answer."""
    names = [name for name in NAMES if name != "external-logging/account"]
    return {name: met(sandbox, target_of(name)) for name in names}


@pytest.mark.parametrize("fault", mostly_slow(FAULTS, 3))
def test_every_endpoint_can_go_wrong_in_every_way_and_the_others_stay_well(fault, whole):
    names = [name for name in whole if name in LIST_NAMES or not FAULTS[fault].lists_only]
    # Every other one is spoilt, then the rest: each endpoint is seen both ill and well.
    for spoilt in (names[::2], names[1::2]):
        with Sandbox(ESTATE, fault=[f"{name}:{fault}" for name in spoilt]) as sandbox:
            for name, ending in whole.items():
                wanted = ending
                if name in spoilt:
                    rows = int(ending.removeprefix("list of ")) if name in LIST_NAMES else 0
                    wanted = counted(fault, rows)
                assert met(sandbox, target_of(name)) == wanted, name


def test_the_names_of_endpoints_are_all_of_them():
    assert set(NAMES) == {*LIST_NAMES, *OBJECT_NAMES}
    assert {key.rpartition("/")[2] for key in ODDITIES} <= {
        name.rpartition("/")[2] for name in LIST_NAMES
    }


def test_a_missing_account_log_can_be_a_forbidden_one():
    with Sandbox(ESTATE, fault="external-logging/account:forbidden") as sandbox:
        assert get(sandbox, "/v1/external-logging/account").status_code == 403
        assert get(sandbox, f"/v1/external-logging/{GROUP}").ok


def test_several_endpoints_go_wrong_each_in_its_way():
    faults = ("users:forbidden", "groups:cut-page", "connector-sdk/packages:empty")
    with Sandbox(ESTATE, fault=faults) as sandbox:
        assert met(sandbox, "/v1/users") == "forbidden"
        assert met(sandbox, "/v1/groups") == "cut-page"
        assert met(sandbox, "/v1/connector-sdk/packages") == "list of 0"
        assert met(sandbox, "/v1/connections") == f"list of {len(IDS)}"


def test_a_moved_list_settles():
    """The first walk misses a row; each later one is whole, without the row that is gone."""
    with Sandbox(ESTATE, fault="moved") as sandbox:
        first = [row["id"] for row in flat(walk(sandbox, limit=1000))]
        assert [id_ for id_ in IDS if id_ not in first] == [IDS[84]]
        for _ in range(2):
            assert [row["id"] for row in flat(walk(sandbox, limit=1000))] == IDS[1:]


def test_undocumented_rows_are_the_same_on_every_walk_and_the_others_untouched():
    with Sandbox(ESTATE, fault="undocumented") as sandbox:
        rows = flat(walk(sandbox, limit=1000))
        assert rows == flat(walk(sandbox, limit=7))
    changed = 0
    for row, before in zip(rows, ESTATE.records, strict=True):
        changed += row != before
        assert row["id"] == before["id"]
        assert row == before or "since_last_release" in row
    assert changed == 84
    assert {row["networking_method"] for row in rows} >= {"UnmanagedPrivateLink", "Directly"}
    assert {type(row["sync_frequency"]) for row in rows} == {int, str, type(None)}


def test_a_fault_strikes_after_a_first_page_that_is_well():
    with Sandbox(ESTATE, fault="html-gateway") as sandbox:
        data = get(sandbox, "/v1/connections?limit=1000").json()["data"]
        assert [item["id"] for item in data["items"]] == IDS[:84]
        second = {"limit": 1000, "cursor": data["next_cursor"]}
        assert get(sandbox, "/v1/connections", params=second).status_code == 502


def test_a_fault_leaves_the_other_endpoints_alone():
    with Sandbox(ESTATE, fault="broken-page") as sandbox:
        assert flat(walk(sandbox, "/v1/groups", limit=5)) == list(ESTATE.groups)
