"""The CI job that a run is a part of, as its service's variables tell it.

From the documentation of GitHub Actions ("Variables reference"), GitLab ("Predefined CI/CD
variables"), Jenkins ("Using environment variables") and Azure Pipelines ("Predefined variables").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Job(NamedTuple):
    """A job: its service ("" for none that is known), its page, and the file of its summary."""

    service: str = ""
    url: str = ""
    summary: str = ""


def job_of(environ: Mapping[str, str]) -> Job:
    """Return the job that ``environ`` is of; one of no service outside of CI."""
    get = environ.get
    if get("GITHUB_ACTIONS") == "true":
        run = f"{get('GITHUB_REPOSITORY', '')}/actions/runs/{get('GITHUB_RUN_ID', '')}"
        server = get("GITHUB_SERVER_URL", "")
        url = f"{server}/{run}" if server and get("GITHUB_RUN_ID") else ""
        return Job("github", url, get("GITHUB_STEP_SUMMARY", ""))
    if get("GITLAB_CI") == "true":
        return Job("gitlab", get("CI_JOB_URL", ""))
    if get("TF_BUILD") == "True":
        collection, build = get("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", ""), get("BUILD_BUILDID", "")
        project = get("SYSTEM_TEAMPROJECT", "").replace(" ", "%20")
        url = f"{collection.rstrip('/')}/{project}/_build/results?buildId={build}"
        return Job("azure", url if collection and build else "")
    if get("JENKINS_URL"):
        return Job("jenkins", get("BUILD_URL", ""))
    return Job()
