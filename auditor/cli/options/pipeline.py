"""The CI run that an audit is part of: its address and commit, as reports may show them.

CI variables that are not an address or a commit are ignored; a ``--run-url`` that is not an address
is an error.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import click

from auditor.ci import Job
from auditor.errors import UsageError
from auditor.model import Pipeline
from auditor.text import is_plain

_LONGEST = 1000
_COMMIT = re.compile(r"[0-9a-f]{7,64}")

run_url_option = click.option(
    "--run-url",
    metavar="URL",
    help="CI run that reports link to.  [default: found in GitHub, GitLab, Jenkins and Azure]",
)


def pipeline_of(run_url: str | None, job: Job) -> Pipeline | None:
    """Return the CI run of ``job``, None outside of CI.

    Raises UsageError if ``run_url`` is not an address that a page can link to.
    """
    if run_url is not None and not is_address(run_url):
        said = f"--run-url {run_url!r}: write an address, https://…, without credentials"
        raise UsageError(said, option="run_url")
    url = run_url or (job.url if is_address(job.url) else "")
    commit = job.commit if _COMMIT.fullmatch(job.commit) else ""
    return Pipeline(url, commit) if url or commit else None


def is_address(text: str) -> bool:
    """Whether a page can link to ``text``: http or https, a host, nobody's credentials."""
    if not is_plain(text) or len(text) > _LONGEST or re.search(r"\s", text):
        return False
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        )
    except ValueError:
        return False
