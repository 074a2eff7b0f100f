"""The CI run that reports link to."""

from __future__ import annotations

import pytest

from auditor.ci import Job, job_of
from auditor.cli.options.pipeline import pipeline_of
from auditor.errors import UsageError
from auditor.model import Pipeline

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        (
            {
                "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "acme/data", "GITHUB_RUN_ID": "42", "GITHUB_SHA": SHA,
            },
            "https://github.com/acme/data/actions/runs/42",
        ),
        (
            {
                "GITLAB_CI": "true", "CI_JOB_URL": "https://gitlab.com/acme/data/-/jobs/7",
                "CI_COMMIT_SHA": SHA,
            },
            "https://gitlab.com/acme/data/-/jobs/7",
        ),
        (
            {
                "JENKINS_URL": "https://ci.acme.test/",
                "BUILD_URL": "https://ci.acme.test/job/a/3/", "GIT_COMMIT": SHA,
            },
            "https://ci.acme.test/job/a/3/",
        ),
        (
            {
                "TF_BUILD": "True", "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/",
                "SYSTEM_TEAMPROJECT": "Data Team", "BUILD_BUILDID": "9", "BUILD_SOURCEVERSION": SHA,
            },
            "https://dev.azure.com/acme/Data%20Team/_build/results?buildId=9",
        ),
    ],
    ids=["github", "gitlab", "jenkins", "azure"],
)  # fmt: skip
def test_each_ci_says_where_its_run_is(environment: dict[str, str], url: str) -> None:
    assert pipeline_of(None, job_of(environment)) == Pipeline(url, SHA)
    given = pipeline_of("https://elsewhere.test/1", job_of(environment))
    assert given == Pipeline("https://elsewhere.test/1", SHA)


def test_outside_of_ci_there_is_no_run_url() -> None:
    assert pipeline_of(None, Job()) is None
    assert pipeline_of("https://ci.test/1", Job()) == Pipeline("https://ci.test/1")


BAD = (
    "javascript:alert(1)", "", "https://", "ftp://ci.test/1", "https://user:secret@ci.test/1",
    "https://ci.test/a b", "https://ci.test/\n", f"https://ci.test/{'a' * 1000}", "https://[::1",
)  # fmt: skip


@pytest.mark.parametrize("url", BAD)
def test_what_is_not_an_address_is_refused_or_passed_over(url: str) -> None:
    with pytest.raises(UsageError, match="--run-url"):
        pipeline_of(url, Job())
    assert pipeline_of(None, job_of({"GITLAB_CI": "true", "CI_JOB_URL": url})) is None


def test_a_commit_is_hexadecimal_or_none() -> None:
    given = {"GITLAB_CI": "true", "CI_JOB_URL": "https://ci.test/1", "CI_COMMIT_SHA": "<b>"}
    assert pipeline_of(None, job_of(given)) == Pipeline("https://ci.test/1")
