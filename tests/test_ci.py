"""The CI job that a run is part of: which service's, and where its page is."""

from __future__ import annotations

import pytest

from auditor.ci import Job, job_of

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/pipelines",
    "GITHUB_RUN_ID": "17",
    "GITHUB_STEP_SUMMARY": "/tmp/summary",
}
GITLAB = {"GITLAB_CI": "true", "CI_JOB_URL": "https://gitlab.com/acme/p/-/jobs/7"}
AZURE = {
    "TF_BUILD": "True",
    "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": "https://dev.azure.com/acme/",
    "SYSTEM_TEAMPROJECT": "Data Platform",
    "BUILD_BUILDID": "9",
}
JENKINS = {"JENKINS_URL": "https://ci/", "BUILD_URL": "https://ci/job/a/3/"}


@pytest.mark.parametrize(
    ("environ", "part"),
    [
        *((GITHUB, name) for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")),
        *((AZURE, name) for name in AZURE if name != "TF_BUILD"),
        (GITLAB, "CI_JOB_URL"),
        (JENKINS, "BUILD_URL"),
    ],
)
def test_an_address_with_a_part_missing_is_none(environ: dict[str, str], part: str) -> None:
    for half in ({**environ, part: ""}, {k: v for k, v in environ.items() if k != part}):
        assert job_of(half).service
        assert job_of(half).url == ""


@pytest.mark.parametrize(
    ("environ", "job"),
    [
        ({}, Job()),
        ({"CI": "true"}, Job()),
        (
            GITHUB,
            Job("github", "https://github.com/acme/pipelines/actions/runs/17", "/tmp/summary"),
        ),
        ({"GITHUB_ACTIONS": "true"}, Job("github")),
        ({"GITHUB_ACTIONS": "false"}, Job()),
        (GITLAB, Job("gitlab", "https://gitlab.com/acme/p/-/jobs/7")),
        (
            AZURE,
            Job("azure", "https://dev.azure.com/acme/Data%20Platform/_build/results?buildId=9"),
        ),
        ({"TF_BUILD": "True"}, Job("azure")),
        (JENKINS, Job("jenkins", "https://ci/job/a/3/")),
    ],
)
def test_the_job_of_an_environment(environ: dict[str, str], job: Job) -> None:
    assert job_of(environ) == job
