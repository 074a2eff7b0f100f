"""A key that sees too little is found out by lists that name what it does not list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor.decoding.records import Shape, WholeRecords
from auditor.model import Completeness
from auditor.sandbox.estate import build_estate
from auditor.sandbox.server import Sandbox
from auditor.sources.api.client import HttpOptions
from auditor.sources.api.walk import FivetranSource
from auditor.sources.stream import End
from tests.builders.account_server import AccountServer, connection
from tests.builders.command import KEYS, outcome_in, run
from tests.builders.plans import plan_file
from tests.builders.walks import CREDENTIALS

AGENTS, PACKAGES, PROXIES = (
    "/v1/hybrid-deployment-agents",
    "/v1/connector-sdk/packages",
    "/v1/proxy",
)
WITNESSES = (AGENTS, PACKAGES, PROXIES)
SHAPE = Shape(["proxy_agent_id"])
WHOLE: Mapping[str, Any] = {
    "/v1/connections": [connection("one", proxy_agent_id="p1"), connection("two")],
    "/v1/account/info": {"account_id": "acc", "user_id": "u/1"},
    "/v1/users/u%2F1": {"id": "u/1", "role": "Account Reviewer"},
    "/v1/roles": [
        {"name": "Account Reviewer", "scope": ["ACCOUNT"]},
        {"name": "Destination Reviewer", "scope": ["DESTINATION", "CONNECTOR"]},
    ],
    AGENTS: [{"id": "a1", "usage": [{"connection_id": "two"}]}, {"id": "a2"}],
    PACKAGES: [{"id": "k1", "connection_id": "one"}, {"id": "k2"}],
    PROXIES: [{"id": "p1", "connector_count": 1}, {"id": "p2", "connector_count": 0}, {"id": "p3"}],
}
HIDES = "the API key does not see the whole account: "
HIDDEN = {
    "an agent": (
        AGENTS,
        [{"id": "a1", "usage": [{"connection_id": "two"}, {"connection_id": "gone"}]}],
        "1 connection that a hybrid deployment agent names was not listed, such as gone (of a1)",
    ),
    "a package": (
        PACKAGES,
        [{"id": "k1", "connection_id": "x"}, {"id": "k2", "connection_id": "y"}],
        "2 connections that a Connector SDK package names were not listed, such as x (of k1)",
    ),
    "a count": (
        PROXIES,
        [{"id": "p1", "connector_count": 3}],
        "2 connections that a proxy agent counts were not listed, such as of p1",
    ),
}


def end_of(server: AccountServer, decoder: Shape | WholeRecords = SHAPE, **options: Any) -> End:
    source = FivetranSource(
        server.url,
        CREDENTIALS,
        verify_listing=options.pop("verify_listing", True),
        options=HttpOptions(sleep=lambda _: None),
        **options,
    )
    *_, end = source.events(decoder)
    assert isinstance(end, End)
    return end


# -- what is hidden -----------------------------------------------------------------------------


def test_a_key_that_sees_everything_is_believed():
    with AccountServer(WHOLE) as server:
        assert end_of(server) == End(Completeness.ONE_PAGE)
        asked = list(server.requests)
    # Each is asked once: nothing was odd.
    assert [asked.count(path) for path in WITNESSES] == [1, 1, 1]


@pytest.mark.parametrize("decoder", [SHAPE, WholeRecords()], ids=["audit", "fetch"])
@pytest.mark.parametrize(("path", "rows", "told"), HIDDEN.values(), ids=HIDDEN)
def test_what_others_name_and_the_listing_lacks_is_hidden(
    path: str, rows: list[Any], told: str, decoder: Shape | WholeRecords
):
    with AccountServer({**WHOLE, path: rows}) as server:
        end = end_of(server, decoder)
        # Once more, to tell what is hidden from what was made or deleted meanwhile.
        assert [server.requests.count(each) for each in WITNESSES] == [
            2 if each == path else 1 for each in WITNESSES
        ]
    assert end.completeness is Completeness.INCOMPLETE
    assert end.problems == (
        f"{HIDES}{told}; use a key whose user has a role for the whole account",
    )


def test_all_that_is_hidden_is_one_problem():
    rows = {path: rows for path, rows, _ in HIDDEN.values()}
    with AccountServer({**WHOLE, **rows}) as server:
        (problem,) = end_of(server).problems
    assert [told for _, _, told in HIDDEN.values() if told not in problem] == []


class Changing(AccountServer):
    """A list that another one replaces after the first request."""

    def answer(self, path: str, query: Mapping[str, str]) -> tuple[int, bytes]:
        if path in WITNESSES and self.requests.count(path) > 1:
            return 200, json.dumps({"code": "Success", "data": {"items": WHOLE[path]}}).encode()
        return super().answer(path, query)


@pytest.mark.parametrize(("path", "rows"), [each[:2] for each in HIDDEN.values()], ids=HIDDEN)
def test_what_changed_while_it_was_listed_is_not_hidden(path: str, rows: list[Any]):
    with Changing({**WHOLE, path: rows}) as server:
        assert end_of(server) == End(Completeness.ONE_PAGE)


def test_without_the_field_no_count_is_compared():
    with AccountServer({**WHOLE, PROXIES: [{"id": "p1", "connector_count": 99}]}) as server:
        assert end_of(server, Shape(["paused"])) == End(Completeness.ONE_PAGE)


@pytest.mark.parametrize(
    "options",
    [{"verify_listing": False}, {"group": "g1"}, {"schema": "one"}],
    ids=["not asked for", "a group", "a schema"],
)
def test_reach_is_checked_only_if_requested_and_possible(options: dict[str, Any]):
    rows = [connection("one", group_id="g1")]
    with AccountServer({**WHOLE, "/v1/connections": rows}) as server:
        assert end_of(server, **options).problems == ()
        assert server.requests == ["/v1/connections"]


@pytest.mark.parametrize(
    "rows",
    [
        [{"id": "a1", "usage": 7}],
        [{"id": "a1", "usage": [7, None, {}, {"connection_id": None}, {"connection_id": 7}]}],
    ],
)
def test_what_names_nobody_names_nobody(rows: list[Any]):
    packages = [{"id": "k1", "connection_id": 7}, {"id": "k2", "connection_id": None}]
    proxies = [{"id": "p1", "connector_count": count} for count in ("9", True, None, 9.5)]
    wrong = {AGENTS: rows, PACKAGES: packages, PROXIES: proxies[:1]}
    with AccountServer({**WHOLE, **wrong}) as server:
        assert end_of(server).problems == ()


# -- what could not be told ---------------------------------------------------------------------


@pytest.mark.parametrize("path", [*WITNESSES, "/v1/account/info", "/v1/users/u%2F1", "/v1/roles"])
def test_what_cannot_be_read_is_reported_and_no_proof(path: str):
    refused = (403, b'{"code":"Forbidden","message":"no"}')
    with AccountServer(WHOLE, broken={path: refused}) as server:
        end = end_of(server)
    assert (end.completeness, end.problems) == (Completeness.ONE_PAGE, ())
    (warning,) = end.warnings
    assert warning.startswith(
        "whether the API key sees every connection could not be looked at in full: "
    )
    assert f"{path}" in warning
    assert "the API key may not read it" in warning


def test_an_item_that_is_not_a_row_is_reported():
    with AccountServer({**WHOLE, AGENTS: [7, *WHOLE[AGENTS]]}) as server:
        (warning,) = end_of(server).warnings
    assert "not a hybrid deployment agent" in warning


# -- the role -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "found", "told"),
    [
        ("/v1/users/u%2F1", {"role": "Destination Reviewer"}, "is Destination Reviewer, no role"),
        ("/v1/users/u%2F1", {"role": None}, "has no role of the account"),
        ("/v1/users/u%2F1", {"role": "Odd"}, "does not list the key's own role, Odd"),
        ("/v1/roles", [{"name": "Account Reviewer"}], "does not list the key's own role"),
        ("/v1/account/info", {"account_id": "a", "system_key_id": "s"}, ""),
        ("/v1/account/info", {"account_id": "a", "user_id": 7}, ""),
    ],
)
def test_a_role_that_is_not_of_the_account_is_a_warning(path: str, found: Any, told: str):
    with AccountServer({**WHOLE, path: found}) as server:
        end = end_of(server)
    assert end.problems == ()
    assert len(end.warnings) == bool(told)
    assert told in "".join(end.warnings)


# -- the command --------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--verify-listing", "--strict"])
@pytest.mark.parametrize(("reach", "code"), [("account", 0), ("system", 0), ("team", 3)])
def test_a_key_of_a_team_is_inconclusive(tmp_path: Path, reach: str, code: int, option: str):
    words = ["audit", "--fail-on", "none", option]
    with Sandbox(build_estate(250, 7, healthy=True), reach=reach) as sandbox:
        done = run([*words, "--base-url", sandbox.url], tmp_path, KEYS)
    assert done.returncode == code, done.stdout + done.stderr
    assert outcome_in(tmp_path / "audit-report") == ("inconclusive" if code else "passed")
    assert (HIDES in done.stdout) == bool(code)
    assert ("Destination Reviewer" in done.stdout) == bool(code)


def test_a_snapshot_is_not_saved_of_half_an_account(tmp_path: Path):
    words = ["fetch", "--verify-listing", "-o", "x.ndjson"]
    with Sandbox(build_estate(250, 7), reach="team") as sandbox:
        done = run([*words, "--base-url", sandbox.url], tmp_path, KEYS)
    assert (done.returncode, HIDES in done.stderr) == (3, True)
    assert list(tmp_path.iterdir()) == []


def test_a_plan_over_half_an_account_is_inconclusive(tmp_path: Path):
    words = ["audit", "--terraform-plan", str(plan_file("walk")), "--over", "live"]
    with Sandbox(build_estate(250, 7), reach="team") as sandbox:
        done = run([*words, "--verify-listing", "--base-url", sandbox.url], tmp_path, KEYS)
    report = json.loads((tmp_path / "audit-report/report.json").read_text())
    assert done.returncode == 3
    (problem,) = [p for p in report["listing"]["problems"] if HIDES in p]
    # Counts too: the run decodes for it what the source looks at.
    assert "a proxy agent counts" in problem
