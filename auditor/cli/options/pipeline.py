"""The CI run that an audit is part of: its address and commit, as the CI's own variables say.

The names are those that GitHub Actions, GitLab CI, Jenkins and Azure Pipelines document as
predefined variables. A variable that holds no address or no commit is passed over; ``--run-url``
that holds none is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

import click

from auditor.errors import UsageError
from auditor.model import Pipeline
from auditor.text import is_plain

_LONGEST = 1000
_COMMIT = re.compile(r"[0-9a-f]{7,64}")

run_url_option = click.option(
    "--run-url",
    metavar="URL",
    help="The CI run that reports link to.  [default: as GitHub, GitLab, Jenkins or Azure say]",
)


def pipeline_of(run_url: str | None, environment: Mapping[str, str]) -> Pipeline | None:
    """Return the CI run of this process, None outside of one.

    Raises UsageError where ``run_url`` is no address that a page can link to.
    """
    if run_url is not None and not _is_address(run_url):
        raise UsageError(f"--run-url {run_url!r}: write an address, https://…, without credentials")
    url, commit = _found(environment)
    url = run_url or (url if _is_address(url) else "")
    commit = commit if _COMMIT.fullmatch(commit) else ""
    return Pipeline(url, commit) if url or commit else None


def _found(given: Mapping[str, str]) -> tuple[str, str]:
    """Return the address and the commit of the CI that this process runs in."""

    def of(name: str) -> str:
        return given.get(name, "")

    if of("GITHUB_ACTIONS"):
        server, repository = of("GITHUB_SERVER_URL"), of("GITHUB_REPOSITORY")
        return f"{server}/{repository}/actions/runs/{of('GITHUB_RUN_ID')}", of("GITHUB_SHA")
    if of("GITLAB_CI"):
        return of("CI_JOB_URL") or of("CI_PIPELINE_URL"), of("CI_COMMIT_SHA")
    if of("TF_BUILD"):
        project = f"{of('SYSTEM_COLLECTIONURI')}{quote(of('SYSTEM_TEAMPROJECT'))}"
        run = f"{project}/_build/results?buildId={of('BUILD_BUILDID')}"
        return run, of("BUILD_SOURCEVERSION")
    if of("JENKINS_URL"):
        return of("BUILD_URL"), of("GIT_COMMIT")
    return "", ""


def _is_address(text: str) -> bool:
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
