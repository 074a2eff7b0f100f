"""The CI job that a run is part of, from its service's variables.

From the documentation of GitHub Actions ("Variables reference"), GitLab ("Predefined CI/CD
variables"), Jenkins ("Using environment variables") and Azure Pipelines ("Predefined variables").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote


class Job(NamedTuple):
    """A job: its service ("" for an unknown one), its page, its summary's file, its commit."""

    service: str = ""
    url: str = ""
    summary: str = ""
    commit: str = ""


def job_of(environ: Mapping[str, str]) -> Job:
    """Return the job that ``environ`` describes; one without a service outside of CI."""
    get = environ.get
    if get("GITHUB_ACTIONS") == "true":
        server, repository, run = map(
            get, ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
        )
        # An address with a part missing leads elsewhere.
        url = f"{server}/{repository}/actions/runs/{run}" if server and repository and run else ""
        return Job("github", url, get("GITHUB_STEP_SUMMARY", ""), get("GITHUB_SHA", ""))
    if get("GITLAB_CI") == "true":
        url = get("CI_JOB_URL") or get("CI_PIPELINE_URL", "")
        return Job("gitlab", url, commit=get("CI_COMMIT_SHA", ""))
    if get("TF_BUILD") == "True":
        collection = get("SYSTEM_COLLECTIONURI") or get("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "")
        project, build = quote(get("SYSTEM_TEAMPROJECT", "")), get("BUILD_BUILDID", "")
        url = f"{collection.rstrip('/')}/{project}/_build/results?buildId={build}"
        url = url if collection and project and build else ""
        return Job("azure", url, commit=get("BUILD_SOURCEVERSION", ""))
    if get("JENKINS_URL"):
        return Job("jenkins", get("BUILD_URL", ""), commit=get("GIT_COMMIT", ""))
    return Job()
