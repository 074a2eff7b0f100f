"""Links of a report: to a connection in Fivetran's dashboard, a rule's page, the CI run.

Fivetran's own SDK prints ``https://fivetran.com/dashboard/connections/{id}/status``. Other
addresses have no such page, so only runs against Fivetran's API have links.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from auditor.model import Connection, Result, Rule

DASHBOARD = "https://fivetran.com/dashboard/connections/"
_API = "api.fivetran.com"
#: An address that a report can hold as it is: nothing in it ends a link or begins anything else.
_WEB = re.compile(r"https?://[A-Za-z0-9.\-]+(?::[0-9]+)?(?:/[A-Za-z0-9%/._~=&?#@+,-]*)?")
#: The fields that the dashboard's Setup page is about.
_SETUP = (
    "setup_tests",
    "status.setup_state",
    "status.tasks",
    "networking_method",
    "private_link",
    "proxy_agent",
    "hybrid_",
    "external_secrets",
    "connect_card",
    "config",
)


def dashboard(result: Result) -> str:
    """Return what the addresses of connections begin with; "" if they have none."""
    return dashboard_of(result.source.base_url)


def dashboard_of(base_url: str) -> str:
    """Return what the addresses of an API's connections begin with; "" if they have none."""
    try:
        return DASHBOARD if urlsplit(base_url).hostname == _API else ""
    except ValueError:
        return ""


def page_of(rule: Rule) -> str:
    """Return the dashboard page for a rule's subject: the connection's set-up, or its status."""
    is_setup = any(path.startswith(_SETUP) for path in rule.reads)
    return "setup" if is_setup else "status"


def addresses(result: Result, rule: Rule) -> Callable[[Connection], str]:
    """Return a function from a connection to its address in the dashboard, "" if it has none."""
    start, page = dashboard(result), page_of(rule)

    def address(connection: Connection) -> str:
        plain = connection.id.replace("_", "").replace("-", "")
        is_name = plain.isascii() and plain.isalnum()
        return f"{start}{connection.id}/{page}" if is_name else ""

    return address if start else lambda _: ""


def link(result: Result, rule: Rule, connection: Connection) -> str:
    """Return the address of ``connection`` in the dashboard; "" if it has none."""
    return addresses(result, rule)(connection)


def rule_page(result: Result, rule: Rule) -> str:
    """Return the address of a rule's own page; "" if it has none.

    A site built from the project's docs has a page for each shipped rule, and for no other.
    """
    place = result.docs_url
    if "{rule}" in place:
        url = place.replace("{rule}", rule.id).replace("{policy}", quote(rule.policy, safe=""))
    elif place and rule.position.in_pack:
        url = f"{place.rstrip('/')}/rules/{rule.id}/"
    else:
        return ""
    return url if is_web(url) else ""


def is_web(text: str) -> bool:
    """Whether ``text`` is an address that a report can hold as it is, in any format."""
    return _WEB.fullmatch(text) is not None


def run_page(result: Result) -> str:
    """Return the address of the CI run, where its artifacts are; "" if there is none to show."""
    url = result.pipeline.url if result.pipeline else ""
    return url if is_web(url) else ""
