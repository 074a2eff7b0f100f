"""Where rules have pages of their own, for reports to link to."""

from __future__ import annotations

import re

import click

from auditor.cli.options.pipeline import is_address
from auditor.errors import UsageError
from auditor.reports.links import is_web

docs_url_option = click.option(
    "--docs-url",
    metavar="URL",
    help="Pages about rules that reports link to: a site built from the auditor's docs, or an"
    " address like https://…/{rule} with one page per rule; {policy} is the rule's policy.",
)


def docs_of(url: str | None) -> str:
    """Return where rules have pages, "" for nowhere.

    Raises UsageError if ``url`` is not an address that a report can link to.
    """
    if url is None:
        return ""
    filled = url.replace("{rule}", "rule").replace("{policy}", "policy")
    if not (is_address(filled) and is_web(filled)):
        raise UsageError(
            f"--docs-url {url!r}: write an address, https://…, without credentials;"
            " only {rule} and {policy} may be in braces",
            option="docs_url",
        )
    if "{rule}" not in url and re.search(r"[?#{]", url):
        raise UsageError(
            f"--docs-url {url!r}: write {{rule}} where a rule's id belongs; without it, the address"
            " is taken for a site",
            option="docs_url",
        )
    return url
