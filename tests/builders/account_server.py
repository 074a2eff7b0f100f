"""A loopback server of one account: its connections and all further lists, each as a test wants.

``AccountServer(lists, broken=…)`` answers every list by path from rows; ``broken`` has an answer
(status, body) in the place of a list.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Rows = Sequence[Any]


@dataclass
class AccountServer:
    """Serves ``lists`` by path; ``requests`` are the paths that were asked for, in order."""

    lists: Mapping[str, Rows | Mapping[str, Any]]
    broken: Mapping[str, tuple[int, bytes]] = field(default_factory=dict)
    delay: float = 0.0
    page: int = 1000
    requests: list[str] = field(default_factory=list)
    #: So many requests have to be under way before any is answered; 0 for none.
    together: int = 0
    #: Of a list by its path: what stands in its headers.
    headers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        account = self
        barrier = threading.Barrier(max(self.together, 1))

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                account.requests.append(parts.path)
                time.sleep(account.delay)
                if account.together:
                    barrier.wait(30)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                status, body = account.answer(parts.path, query)
                headers = account.headers.get(parts.path, {})
                self.send_response_only(status)
                headers = {"Date": self.date_time_string(), **headers}
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, path: str, query: Mapping[str, str]) -> tuple[int, bytes]:
        if path in self.broken:
            return self.broken[path]
        found = self.lists.get(path)
        if found is None:
            return 404, b'{"code":"NotFound","message":"no such list"}'
        if isinstance(found, Mapping):
            return 200, json.dumps({"code": "Success", "data": found}).encode()
        limit = min(int(query.get("limit", "100")), self.page)
        start = int(query.get("cursor", "0"))
        data: dict[str, Any] = {"items": list(found[start : start + limit])}
        if start + limit < len(found):
            data["next_cursor"] = str(start + limit)
        return 200, json.dumps({"code": "Success", "data": data}).encode()


def connection(name: str, **fields: Any) -> dict[str, Any]:
    """Return a connection as the API lists it."""
    return {
        "id": name,
        "service": "postgres",
        "schema": name,
        "group_id": "g1",
        "paused": False,
        "connected_by": "u1",
        "sync_frequency": 60,
        "private_link_id": None,
        **fields,
    }


ACCOUNT: Mapping[str, Any] = {
    "/v1/connections": [
        connection("one", private_link_id="l1"),
        connection("two", group_id="g2", connected_by="u2", service="mysql"),
        connection("three", connected_by="gone"),
        connection("four", connected_by=None, group_id="g3"),
    ],
    "/v1/groups": [
        {"id": "g1", "name": "Prod", "created_at": "2024-01-01T00:00:00Z"},
        {"id": "g2", "name": "Dev", "created_at": "2024-01-01T00:00:00Z"},
    ],
    "/v1/account/info": {"account_id": "acc_1", "account_name": "Acme", "user_id": "u1"},
    "/v1/users": [
        {"id": "u1", "email": "ada@example.com", "active": True, "role": "Admin"},
        {"id": "u2", "email": "bob@example.org", "active": False, "role": "Reader"},
    ],
    "/v1/roles": [
        {"name": "Admin", "is_custom": False, "is_deprecated": False, "scope": ["ACCOUNT"]},
        {"name": "Reader", "is_custom": True, "is_deprecated": True, "scope": ["DESTINATION"]},
    ],
    "/v1/destinations": [
        {"id": "g1", "group_id": "g1", "region": "AWS_EU_WEST_1", "setup_status": "CONNECTED"},
        {"id": "g2", "group_id": "g2", "region": "GCP_US_EAST4", "setup_status": "BROKEN"},
    ],
    "/v1/metadata/connector-types": [
        {
            "id": "postgres",
            "name": "PostgreSQL",
            "type": "Database",
            "service_status": "general_availability",
            "supported_features": [{"id": "PRIVATE_NETWORKING"}, {"id": "HISTORY"}],
        },
        {"id": "mysql", "name": "MySQL", "type": "Database", "service_status": "sunset"},
    ],
    "/v1/private-links": [{"id": "l1", "name": "link", "state": "OK", "region": "AWS_EU_WEST_1"}],
    "/v1/proxy": [{"id": "p1", "status": "CONNECTED"}],
    "/v1/hybrid-deployment-agents": [{"id": "h1", "online": True, "display_name": "one"}],
    "/v1/external-logging": [{"id": "g1", "service": "cloudwatch", "enabled": True}],
    "/v1/webhooks": [
        {"id": "w1", "type": "group", "group_id": "g1", "active": True, "events": ["sync_end"]},
        {"id": "w2", "type": "account", "active": False, "events": [], "secret": "S3CRETS3CRET"},
    ],
    "/v1/transformations": [
        {"id": "t1", "status": "FAILED", "type": "DBT_CORE", "paused": False, "group_id": "g1"},
    ],
    "/v1/transformation-projects": [{"id": "d1", "type": "DBT_CORE", "group_id": "g1"}],
}
