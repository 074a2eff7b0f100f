"""Links: to connections in Fivetran's dashboard, and to the pages that rules have."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from auditor.model import PACK, Connection, Position, Result, Rule
from auditor.reports import REPORTS
from auditor.reports.links import dashboard, link, page_of, rule_page
from tests.builders.sample_results import sample_result

START = "https://fivetran.com/dashboard/connections/"
RESULT = sample_result(3, 2)


def served(base_url: str, result: Result = RESULT) -> Result:
    return replace(result, source=replace(result.source, base_url=base_url))


def rule(*reads: str) -> Rule:
    return replace(RESULT.rules[0], reads=reads)


@pytest.mark.parametrize(
    ("base_url", "start"),
    [
        ("https://api.fivetran.com", START),
        ("https://API.fivetran.com/", START),
        ("https://api.fivetran.com.evil.test", ""),
        ("https://evil.test/api.fivetran.com", ""),
        ("https://api.fivetran.com@evil.test", ""),
        ("http://127.0.0.1:8080", ""),
        ("http://[::1", ""),
        ("", ""),
    ],
)
def test_only_fivetran_s_own_api_has_a_dashboard(base_url: str, start: str):
    assert dashboard(served(base_url)) == start


@pytest.mark.parametrize(
    ("reads", "page"),
    [
        (("paused",), "status"),
        ((), "status"),
        (("paused", "setup_tests[].status"), "setup"),
        (("status.setup_state",), "setup"),
        (("status.sync_state",), "status"),
        (("config.host",), "setup"),
        (("private_link.state",), "setup"),
        (("hybrid_deployment_agent_id",), "setup"),
        (("connected_by",), "status"),
    ],
)
def test_a_rule_leads_to_the_page_that_it_is_about(reads: tuple[str, ...], page: str):
    assert page_of(rule(*reads)) == page


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("warm_lake", "warm_lake"),
        ("a-b-9", "a-b-9"),
        ("../admin", ""),
        ("a b", ""),
        ("é", ""),
        ("[redacted]", ""),
        ("x…", ""),
        ("", ""),
    ],
)
def test_only_a_plain_id_is_linked(name: str, shown: str):
    found = link(
        served("https://api.fivetran.com"), rule("paused"), Connection(name, "s", "s", "g")
    )
    assert found == (f"{START}{shown}/status" if shown else "")
    assert link(served(""), rule("paused"), Connection("warm_lake", "s", "s", "g")) == ""


@pytest.mark.parametrize(
    ("docs_url", "shipped", "own"),
    [
        ("", "", ""),
        ("https://docs.test/auditor", "https://docs.test/auditor/rules/r_1/", ""),
        ("https://docs.test/auditor/", "https://docs.test/auditor/rules/r_1/", ""),
        ("https://w.test/{rule}", "https://w.test/r_1", "https://w.test/r_1"),
        ("https://w.test/{policy}#{rule}", "https://w.test/a%20b#r_1", "https://w.test/a%20b#r_1"),
        # Who makes a result may write anything.
        ("javascript:alert(1)//{rule}", "", ""),
        ("https://w.test/)[x]({rule}", "", ""),
        ('https://w.test/"{rule}', "", ""),
    ],
)
def test_a_rule_has_a_page_where_it_is_said_where(docs_url: str, shipped: str, own: str):
    result = replace(RESULT, docs_url=docs_url)
    for file, page in ((f"{PACK}baseline", shipped), ("policies/house.yaml", own)):
        made = replace(RESULT.rules[0], id="r_1", policy="a b", position=Position(file, 1, 1))
        assert rule_page(result, made) == page


#: The formats that name single connections to people who can follow a link, and JSON.
LINKED = {"html", "json", "csv", "markdown", "slack", "teams"}


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_every_format_links_to_fivetran_alone_and_to_the_page_of_the_rule(name: str):
    result = sample_result(60, 2)
    about_setup = result.rules[0]
    assert page_of(about_setup) == "setup"
    elsewhere = "".join(REPORTS[name].render(served("http://127.0.0.1:8080", result)))
    assert "fivetran.com/dashboard" not in elsewhere
    told = "".join(REPORTS[name].render(served("https://api.fivetran.com", result)))
    finding = next(f for f in result.findings if f.rule.id == about_setup.id)
    if name == "html":
        assert f'"dashboard":"{START}"' in told
        assert '"page":"setup"' in told
    else:
        assert (f"{START}{finding.connections[0].id}/setup" in told) is (name in LINKED)
