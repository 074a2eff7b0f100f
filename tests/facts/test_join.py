"""Facts of the account's lists: joined with connections, three-valued, and requested once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from auditor import load_policies
from auditor.decoding.json_values import MISSING, Unread
from auditor.errors import PolicyError
from auditor.facts.join import tabled
from auditor.fields import FACT_LISTS, FIELDS, Exposure, Kind
from auditor.model import Result, Verdict
from tests.builders.account_server import ACCOUNT, AccountServer, connection
from tests.builders.facts import judged, labels, rule

NAMES = {"/v1/groups", "/v1/account/info", "/v1/connections"}


#: For every list: a condition on it, and what it comes to on the four connections.
CONDITIONS = {
    "group": ("{group.name: Prod}", "pass fail pass error"),
    "destination": ("{destination.region: {starts_with: AWS}}", "pass fail pass error"),
    "owner": ("{owner.active: true}", "pass fail error error"),
    "role": ("{role.scope: {contains: ACCOUNT}}", "pass fail error error"),
    "connector_type": (
        "{connector_type.service_status: {not_equals: sunset}}",
        "pass fail pass pass",
    ),
    "private_link": ("{private_link: {exists: true}}", "pass fail fail fail"),
    "proxy_agent": ("{proxy_agent: {exists: false}}", "pass pass pass pass"),
    "hybrid_agent": ("{hybrid_agent: {exists: false}}", "pass pass pass pass"),
    "external_logging": ("{external_logging: {exists: true}}", "pass fail pass fail"),
    "webhooks": ("{webhooks: {any_item: {active: true}}}", "pass fail pass fail"),
    "transformations": (
        "{transformations: {none_items: {status: FAILED}}}",
        "fail pass fail pass",
    ),
    "transformation_projects": (
        "{transformation_projects: {any_item: {type: DBT_CORE}}}",
        "pass fail pass fail",
    ),
    "account": ("{account.name: Acme}", "pass pass pass pass"),
}


#: What is read too, to find the rows of a list.
ABOVE = {"role": {"/v1/users"}, "transformations": {"/v1/transformation-projects"}}


def test_every_list_has_a_condition():
    assert CONDITIONS.keys() == FACT_LISTS.keys()


@pytest.mark.parametrize("name", CONDITIONS)
def test_each_list_is_joined(tmp_path: Path, name: str):
    condition, expected = CONDITIONS[name]
    with AccountServer(ACCOUNT) as server:
        result = judged(tmp_path, rule("r", condition), server)
    assert labels(result, "r") == expected.split()
    above = ABOVE.get(name, set())
    assert set(server.requests) == NAMES | {FACT_LISTS[name].path} | above
    assert len(server.requests) == len(set(server.requests))


BROKEN: Mapping[str, tuple[int, bytes]] = {
    "forbidden": (403, b'{"code":"Forbidden","message":"not yours"}'),
    "gone": (404, b'{"code":"NotFound","message":"no"}'),
    "down": (503, b"<html>later</html>"),
    "cut": (200, b'{"code":"Success","data":{"items":['),
    "no list": (200, b'{"code":"Success","data":{}}'),
    "refused": (200, b'{"code":"Denied","data":{"items":[]}}'),
    "no JSON": (200, b"hello"),
    "null": (200, b"null"),
    "camels": (200, b'{"code":"Success","data":{"items":[],"nextCursor":"more"}}'),
    "a circle": (200, b'{"code":"Success","data":{"items":[],"next_cursor":"x"}}'),
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("name", CONDITIONS)
def test_what_cannot_be_read_is_an_error_with_its_reason(tmp_path: Path, name: str, how: str):
    fact = FACT_LISTS[name]
    if fact.single and how in {"camels", "a circle"}:
        pytest.skip("it is no list")
    rules = rule("r", CONDITIONS[name][0]) + rule("other", "{paused: false}")
    rules += rule("there", f"{{{name}: {{exists: false}}}}")
    with AccountServer(ACCOUNT, {fact.path: BROKEN[how]}) as server:
        result = judged(tmp_path, rules, server)
    assert labels(result, "r") == ["error"] * 4
    assert labels(result, "there") == ["error"] * 4
    assert labels(result, "other") == ["pass"] * 4
    assert result.gate.exit_code == 3
    found = [finding for finding in result.findings if finding.rule.id == "r"]
    assert len(found) == 4
    assert all("not read" in finding.message for finding in found)
    assert all(fact.path in finding.message for finding in found)
    (info,) = [info for info in result.facts if info.name == name]
    assert fact.path in info.problem


@pytest.mark.parametrize("path", ["/v1/groups", "/v1/account/info"])
def test_names_that_cannot_be_read_are_a_warning(tmp_path: Path, path: str):
    with AccountServer(ACCOUNT, {path: BROKEN["forbidden"]}) as server:
        result = judged(tmp_path, rule("r", "{paused: false}"), server)
    assert result.gate.exit_code == 0
    (warning,) = result.warnings
    assert path in warning
    assert "403" in warning


def test_reports_know_names_whether_a_rule_reads_them_or_not(tmp_path: Path):
    with AccountServer(ACCOUNT) as server:
        result = judged(tmp_path, rule("r", "{paused: false}"), server)
    assert result.connections.group_names == {"g1": "Prod", "g2": "Dev"}
    assert str(result.source.account) == "Acme (acc_1)"
    assert set(server.requests) == NAMES
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "row",
    ["null", "7", '"text"', "[]", "{}", '{"id": null}', '{"id": 7}', '{"id": ""}', '{"id": {}}'],
)
def test_an_item_that_is_not_a_row_may_be_the_one_that_is_missed(tmp_path: Path, row: str):
    users = [*ACCOUNT["/v1/users"], json.loads(row)]
    with AccountServer({**ACCOUNT, "/v1/users": users}) as server:
        result = judged(tmp_path, rule("r", "{owner: {exists: true}}"), server)
    # Who was found is known; whether the third one's owner is gone, nobody knows.
    assert labels(result, "r") == ["pass", "pass", "error", "fail"]


def test_a_list_that_moves_is_walked_again_and_then_given_up(tmp_path: Path):
    users = [ACCOUNT["/v1/users"][0]] * 2
    with AccountServer({**ACCOUNT, "/v1/users": users}, page=1) as server:
        result = judged(tmp_path, rule("r", "{owner.active: true}"), server)
    assert labels(result, "r") == ["error"] * 4
    assert server.requests.count("/v1/users") == 6
    assert all("kept changing" in finding.message for finding in result.findings)


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"Age": "90000"}, "a cache answered with what was listed 1,500 minutes ago"),
        ({"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}, "the server's clock says 2026-01-01T00:00:00Z"),
    ],
    ids=["age", "date"],
)
def test_what_a_cache_kept_of_a_list_says_nothing_of_today(
    tmp_path: Path, headers: Mapping[str, str], told: str
):
    with AccountServer(ACCOUNT, headers={"/v1/users": headers}) as server:
        result = judged(tmp_path, rule("r", "{owner: {exists: true}}"), server)
    assert labels(result, "r") == ["error"] * 4
    assert all(told in finding.message for finding in result.findings)


def test_lists_are_paged(tmp_path: Path):
    with AccountServer(ACCOUNT, page=1) as server:
        result = judged(tmp_path, rule("r", "{owner.active: true}"), server)
    assert labels(result, "r") == ["pass", "fail", "error", "error"]
    assert server.requests.count("/v1/users") == 4  # two walks that list the same


class Shrinking(dict[str, Any]):
    """Lists in which ``path`` loses its first row after each of the first ``times`` pages."""

    def __init__(self, path: str, times: int) -> None:
        super().__init__(ACCOUNT)
        rows = ({"id": f"w{n}", "type": "account", "active": n == 3} for n in range(10))
        self._path, self._times = path, times
        self[path] = list(rows)

    def get(self, path: str, default: Any = None) -> Any:
        found = super().get(path, default)
        if path == self._path and self._times:
            self._times -= 1
            self[path] = found[1:]
        return found


@pytest.mark.parametrize(("times", "expected"), [(0, "fail"), (1, "fail"), (9, "error")])
def test_a_row_hidden_by_a_deletion_is_not_taken_for_absent(
    tmp_path: Path, times: int, expected: str
):
    """The one active webhook begins the second page, and a deletion moves it onto the first."""
    lists = Shrinking("/v1/webhooks", times)
    with AccountServer(lists, page=3) as server:
        result = judged(tmp_path, rule("r", "{webhooks: {none_items: {active: true}}}"), server)
    assert labels(result, "r") == [expected] * 4


def test_a_key_of_another_type_finds_nothing_and_is_an_error(tmp_path: Path):
    odd = [connection("odd", connected_by=7), connection("list", connected_by=["u1"])]
    with AccountServer({**ACCOUNT, "/v1/connections": odd}) as server:
        result = judged(tmp_path, rule("r", "{owner: {exists: false}}"), server)
    assert labels(result, "r") == ["error", "error"]
    assert "connected_by is a number" in result.findings[0].message


def test_a_record_s_own_key_with_a_fact_s_name_is_not_a_fact(tmp_path: Path):
    liars = [connection("liar", connected_by="nobody", owner={"active": True, "id": "nobody"})]
    with AccountServer({**ACCOUNT, "/v1/connections": liars}) as server:
        result = judged(tmp_path, rule("r", "{owner: {exists: true}}"), server)
    assert labels(result, "r") == ["fail"]


def test_kleene_holds_with_what_was_not_read(tmp_path: Path):
    rules = (
        rule("or", "{any: [{paused: false}, {owner.active: true}]}")
        + rule("and", "{all: [{paused: true}, {owner.active: true}]}")
        + rule("not", "{not: {owner.active: true}}")
        + rule("when", "{owner.active: true}", "{service: mysql}")
        + rule("field", "{schema: {not_equals: {field: owner.email}}}")
    )
    with AccountServer(ACCOUNT, {"/v1/users": BROKEN["forbidden"]}) as server:
        result = judged(tmp_path, rules, server)
    assert labels(result, "or") == ["pass"] * 4
    assert labels(result, "and") == ["fail"] * 4
    assert labels(result, "not") == ["error"] * 4
    assert labels(result, "when") == ["skip", "error", "skip", "skip"]
    assert labels(result, "field") == ["error"] * 4


def test_groups_of_connections_form_by_facts(tmp_path: Path):
    rules = "  - {id: r, severity: low, per: group.name, assert: {count: {lte: 1}}}\n"
    with AccountServer(ACCOUNT) as server:
        result = judged(tmp_path, rules, server)
    groups = {check.group: check.verdict.label for check in result.checks[0].groups}
    assert groups == {"Prod": "fail", "Dev": "pass", "no group.name (missing)": "error"}
    with AccountServer(ACCOUNT, {"/v1/groups": BROKEN["forbidden"]}) as server:
        result = judged(tmp_path, rules, server)
    assert {check.verdict.label for check in result.checks[0].groups} == {"error"}
    assert "403" in result.findings[0].message


def test_a_narrowed_listing_has_whole_facts(tmp_path: Path):
    narrow = {**ACCOUNT, "/v1/connections": [connection("two", group_id="g2", connected_by="u2")]}
    with AccountServer(narrow) as server:
        result = judged(tmp_path, rule("r", "{owner.active: false}"), server, group="g2")
    assert labels(result, "r") == ["pass"]


def test_lists_are_read_beside_the_pages(tmp_path: Path):
    """No list waits for another: none is answered before all have been asked for."""
    rules = "".join(rule(name, condition) for name, (condition, _) in CONDITIONS.items())
    with AccountServer(ACCOUNT, together=len(FACT_LISTS) + 1) as server:
        result = judged(tmp_path, rules, server)
    assert len(server.requests) == len(set(server.requests)) == len(FACT_LISTS) + 1
    assert not [info.problem for info in result.facts if info.problem]


def test_pages_wait_for_the_facts_they_are_judged_by(tmp_path: Path):
    many = [connection(f"c{number}") for number in range(12)]
    users = [{"id": f"x{n}", "active": True} for n in range(30)] + [{"id": "u1", "active": True}]
    with AccountServer(
        {**ACCOUNT, "/v1/connections": many, "/v1/users": users}, page=3, delay=0.01
    ) as server:
        result = judged(tmp_path, rule("r", "{owner.active: true}"), server)
    assert labels(result, "r") == ["pass"] * 12


def test_secrets_are_never_decoded_and_never_shown(tmp_path: Path):
    rules = rule("r", "{webhooks: {all_items: {secret: {exists: false}, active: true}}}")
    with AccountServer(ACCOUNT) as server:
        result = judged(tmp_path, rules, server)
    assert labels(result, "r")[0] == "fail"
    assert "S3CRET" not in repr(result.findings)
    secrets = [path for path, f in FIELDS.items() if f.joined and f.exposure is Exposure.SECRET]
    assert secrets == ["webhooks[].secret"]


@pytest.mark.parametrize("fact", FACT_LISTS.values(), ids=FACT_LISTS.keys())
def test_a_row_of_the_table_is_whole(fact: Any):
    base = f"{fact.name}[]" if fact.several else fact.name
    if fact.single:
        return
    for column in (fact.column, fact.identity):
        assert FIELDS[f"{base}.{column}"].kind is Kind.STRING
    key = FIELDS[fact.key]
    assert key.kind is Kind.STRING


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("owner.emial", "owner.email"),
        ("destination.regoin", "destination.region"),
        ("group.nme", "group.name"),
        ("ownr.email", "owner.email"),
    ],
)
def test_a_misspelt_fact_is_refused_with_what_was_meant(tmp_path: Path, written: str, meant: str):
    path = tmp_path / "policy.yaml"
    path.write_text("policy: p\nrules:\n" + rule("r", f"{{{written}: x}}"))
    with pytest.raises(Exception, match=f"did you mean {meant}"):
        load_policies(str(path))


def groups_of(result: Result, name: str) -> dict[str, str]:
    (checks,) = [each for each in result.checks if each.rule.id == name]
    return {group.group: group.verdict.label for group in checks.groups}


def test_groups_are_chosen_by_what_is_told_of_their_key(tmp_path: Path) -> None:
    rules = (
        "  - {id: prod, severity: low, per: group_id, groups: {group.name: Prod},"
        " assert: {count: 0}}\n"
        "  - {id: region, severity: low, per: [service, group_id],"
        " groups: {destination.region: {starts_with: AWS}}, assert: {count: 0}}\n"
        "  - {id: tier, severity: low, per: service, groups: {tiers.tier: 1}, assert: {count: 0}}\n"
    )
    own = (
        "facts:\n  tiers: {key: service, columns: {tier: integer}, rows: {mysql: 2},\n"
        "    default: {tier: 1}}\n"
    )
    with AccountServer(ACCOUNT) as server:
        result = judged(tmp_path, rules, server, own)
    prod = groups_of(result, "prod")
    assert sorted(prod.values()) == ["error", "fail", "skip"]
    tiers = groups_of(result, "tier")
    assert tiers.pop("mysql") == "skip"
    assert set(tiers.values()) == {"fail"}
    assert "fail" in groups_of(result, "region").values()


def test_groups_are_not_chosen_by_what_is_told_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        "policy: p\nrules:\n  - {id: a, severity: low, per: service, groups: {group.name: Prod},"
        " assert: {count: 0}}\n"
    )
    with pytest.raises(PolicyError, match=r"may differ in group\.name"):
        load_policies(str(path))


def _row(**held: Any) -> Any:
    return SimpleNamespace(**held)


def test_of_several_rows_with_one_key_nobody_knows_which_is_meant():
    fact = FACT_LISTS["owner"]
    rows = [_row(id="u1"), _row(id="u2"), _row(id="u1"), _row(id="u1")]
    table = tabled(fact, rows)
    assert table.find("u2", table.absent) is rows[1]
    doubled = table.find("u1", table.absent)
    assert type(doubled) is Unread
    assert "several rows have the id u1" in str(doubled)
    assert table.absent is MISSING


@pytest.mark.parametrize(
    ("odd", "more"), [(1, ""), (2, ", and 1 more such item"), (4, ", and 3 more such items")]
)
def test_the_first_row_without_a_key_is_reported_and_the_others_counted(odd: int, more: str):
    fact = FACT_LISTS["owner"]
    table = tabled(fact, [_row(id="u1"), *[_row(id=7)] * odd])
    assert str(table.absent).rstrip(")").endswith(f"the id of a user is a number{more}")


def test_items_that_are_not_rows_are_reported_with_their_list(tmp_path: Path):
    users = [*ACCOUNT["/v1/users"], 7]
    with AccountServer({**ACCOUNT, "/v1/users": users}) as server:
        result = judged(tmp_path, rule("r", "{owner: {exists: true}}"), server)
    problems = {info.name: info.problem for info in result.facts}
    assert "a number" in problems["owner"]
    assert [name for name, problem in problems.items() if problem] == ["owner"]


# -- transformations, which say in several ways whose they are -------------------------------------

PROJECT = {"transformation_config": {"project_id": "d1"}}
QUICK = {"transformation_config": {"connection_ids": ["two"], "package_name": "p"}}
UNKNOWN = "/v1/transformations: the group of the transformation t is not known"
WHOSE: Mapping[str, tuple[dict[str, Any], str]] = {
    "its group": ({"group_id": "g2"}, "pass fail pass pass"),
    "its group, before its project": ({"group_id": "g2", **PROJECT}, "pass fail pass pass"),
    "its project's group": (PROJECT, "fail pass fail pass"),
    "a null group and its project": ({"group_id": None, **PROJECT}, "fail pass fail pass"),
    "the connections that it names": (QUICK, "pass fail pass pass"),
    "no connection": ({"transformation_config": {"connection_ids": []}}, "pass pass pass pass"),
    "a project that is not listed": (
        {"transformation_config": {"project_id": "d9"}},
        "error error error error",
    ),
    "nothing": ({}, "error error error error"),
    "null": ({"transformation_config": None}, "error error error error"),
    "text": ({"transformation_config": "d1"}, "error error error error"),
    "a group that is a number": ({"group_id": 7, **PROJECT}, "error error error error"),
    "a project that is a number": (
        {"transformation_config": {"project_id": 7}},
        "error error error error",
    ),
    "a connection that is a number": (
        {"transformation_config": {"connection_ids": ["two", 7]}},
        "error error error error",
    ),
    "connections that are text": (
        {"transformation_config": {"connection_ids": "two"}},
        "error error error error",
    ),
}


@pytest.mark.parametrize(("row", "expected"), WHOSE.values(), ids=WHOSE)
def test_whose_a_transformation_is(tmp_path: Path, row: dict[str, Any], expected: str):
    rows = [{"id": "t", "status": "FAILED", "type": "DBT_CORE", "paused": False, **row}]
    with AccountServer({**ACCOUNT, "/v1/transformations": rows}) as server:
        result = judged(
            tmp_path, rule("r", "{transformations: {none_items: {status: FAILED}}}"), server
        )
    assert labels(result, "r") == expected.split()
    if "error" in expected:
        assert UNKNOWN in result.findings[0].message


def test_what_is_certain_of_other_transformations_stays_certain(tmp_path: Path):
    rows = [*ACCOUNT["/v1/transformations"], {"id": "t", "status": "NEW", "paused": False}]
    rules = rule("none", "{transformations: {none_items: {status: FAILED}}}")
    rules += rule("any", "{transformations: {any_item: {status: FAILED}}}")
    with AccountServer({**ACCOUNT, "/v1/transformations": rows}) as server:
        result = judged(tmp_path, rules, server)
    assert labels(result, "none") == ["fail", "error", "fail", "error"]
    assert labels(result, "any") == ["pass", "error", "pass", "error"]


#: What is asked of the arrays, of which two have one transformation and two none; a further one may
#: be anybody's.
SIZES: Mapping[str, str] = {
    "{length: {gte: 1}}": "pass error pass error",
    "{length: {lte: 1}}": "error pass error pass",
    "{length: {lte: 2}}": "pass pass pass pass",
    "{length: 0}": "fail error fail error",
    "{is_empty: false}": "pass error pass error",
    "{is_empty: true}": "fail error fail error",
}


@pytest.mark.parametrize(("asked", "expected"), SIZES.items(), ids=SIZES)
def test_rows_of_an_unknown_owner_leave_the_count_unknown(
    tmp_path: Path, asked: str, expected: str
):
    rows = [*ACCOUNT["/v1/transformations"], {"id": "t", "status": "NEW", "paused": False}]
    with AccountServer({**ACCOUNT, "/v1/transformations": rows}) as server:
        result = judged(tmp_path, rule("r", f"{{transformations: {asked}}}"), server)
    assert labels(result, "r") == expected.split()
    for finding in result.findings:
        if finding.verdict is Verdict.ERROR:
            assert UNKNOWN in finding.message


def test_only_transformations_of_a_project_need_the_list_of_projects(tmp_path: Path):
    path = "/v1/transformation-projects"
    rows = [{"id": "t", "status": "NEW", **QUICK}, {"id": "u", "status": "FAILED", **PROJECT}]
    refused = {path: BROKEN["forbidden"]}
    for count, expected in ((1, "pass"), (2, "error")):
        with AccountServer({**ACCOUNT, "/v1/transformations": rows[:count]}, refused) as server:
            result = judged(
                tmp_path, rule("r", "{transformations: {none_items: {status: FAILED}}}"), server
            )
        assert labels(result, "r") == [expected] * 4
    assert all(path in finding.message for finding in result.findings)
    assert all("403" in finding.message for finding in result.findings)
