"""A small report of every format, kept as a file: a change of a format shows as a diff.

In ``full`` are those for programs, on a result of which every field is set, in ``narrow`` those on
one that passed; in ``unfinished`` is what every format says of a run that did not finish, in
``problems`` what is said of policy files.

``python -m tests.proofs.test_golden`` writes the files anew; read the diff before you commit it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from auditor import __version__
from auditor.errors import Problem
from auditor.model import (
    Account,
    Completeness,
    Connections,
    Evidence,
    FactsInfo,
    Finding,
    Gate,
    GroupCheck,
    Listing,
    Outcome,
    PolicyFile,
    Position,
    Result,
    Rule,
    RuleChecks,
    Severity,
    SourceInfo,
    Verdict,
)
from auditor.reports import PROBLEM_REPORTS, REPORTS, Format
from tests.builders.full_result import full_result, narrow_result
from tests.builders.sample_results import JUDGED_AT

GOLDEN = Path(__file__).parent / "golden"
# The page is more template than report; its own tests read it in a browser.
NAMES = [name for name in REPORTS if name != "html"]


def small_result() -> Result:
    """Return a result of one of everything: pass, fail, error, waived, skip, and two groups."""
    fast = Rule(
        "sync-frequency-bounds",
        "Sync every 15 minutes to once a day",
        Severity.MEDIUM,
        "house",
        Position("policies/house.yaml", 12, 5),
        "sync_frequency is at least 15",
        'schedule_type is "auto"',
        "Anything faster multiplies warehouse cost.",
        "Set the sync frequency on the connection's Setup tab.",
        ("cost",),
        (("soc2", ("A1.1",)),),
        (),
        ("schedule_type", "sync_frequency"),
    )
    names = Rule(
        "one-name-per-service",
        "One name per service",
        Severity.LOW,
        "house",
        Position("policies/house.yaml", 40, 5),
        "service and schema are unique",
        per=("group_id",),
        reads=("service", "schema"),
    )
    ids = ("quick_fox", "calm_sea", "lost_key", "old_oak", "by_hand")
    schemas = ("orders", "crm", "billing", "events", "orders")
    groups = ("prod", "prod", "prod", "dev", "dev")
    listed = Connections(ids, ("postgres",) * 5, schemas, groups, (), {"prod": "Production"})
    at = {connection.id: connection for connection in listed}
    wanted = "at least 15"
    findings = (
        Finding(
            fast,
            Verdict.FAIL,
            (at["quick_fox"],),
            (Evidence("sync_frequency", "5", wanted),),
            "orders syncs every 5 minutes; 15 to 1440 are allowed",
        ),
        Finding(
            fast,
            Verdict.ERROR,
            (at["lost_key"],),
            (Evidence("sync_frequency", "missing", wanted),),
            "sync_frequency is missing, so the rule could not be evaluated",
        ),
        Finding(
            fast,
            Verdict.WAIVED,
            (at["old_oak"],),
            (Evidence("sync_frequency", "1", wanted),),
            "events syncs every 1 minutes; 15 to 1440 are allowed",
            note="waived until 2026-06-30 by dana@example.com: migration under way",
        ),
        Finding(
            names,
            Verdict.FAIL,
            (at["quick_fox"], at["calm_sea"]),
            (Evidence("service, schema", '("postgres", "orders")', "unique"),),
            "2 connections share postgres/orders",
            "prod",
        ),
    )
    verdicts = (Verdict.FAIL, Verdict.PASS, Verdict.ERROR, Verdict.WAIVED, Verdict.SKIP)
    return Result(
        version="1.0.0",
        judged_at=JUDGED_AT,
        source=SourceInfo(
            "api",
            "https://api.fivetran.com",
            (),
            "https://api.fivetran.com",
            Account("acme_inc", "Acme"),
        ),
        facts=(
            FactsInfo("owner", "/v1/users", 12),
            FactsInfo("tiers", "policies/tiers.csv", 40, "c" * 64),
        ),
        listing=Listing(Completeness.ONE_PAGE, 1, 5),
        policies=(PolicyFile("house", "policies/house.yaml", "b07d44e1" * 8, "How we run it"),),
        connections=listed,
        checks=(
            RuleChecks(fast, bytes(verdicts)),
            RuleChecks(
                names,
                b"",
                (GroupCheck("prod", Verdict.FAIL), GroupCheck("dev", Verdict.PASS)),
            ),
        ),
        gate=Gate(
            Outcome.INCONCLUSIVE,
            3,
            Severity.LOW,
            ("1 check could not be evaluated (sync-frequency-bounds)",),
        ),
        describe=lambda: findings,
    )


def _files() -> Iterator[tuple[str, Callable[[], str]]]:
    for name in NAMES:
        filename = REPORTS[name].filename
        yield filename, partial(rendered, name, small_result)
        yield f"unfinished/{filename}", partial(REPORTS[name].placeholder, "1.0.0")
    for result in (full_result, narrow_result):
        folder = result.__name__.removesuffix("_result")
        for name in ("json", "junit", "sarif"):
            yield f"{folder}/{REPORTS[name].filename}", partial(rendered, name, result)
        yield f"{folder}/suppressed.sarif", partial(rendered, "sarif", result, "suppressed")
    for report in PROBLEM_REPORTS.values():
        yield f"problems/{report.filename}", partial(complained, report)


def rendered(name: str, result: Callable[[], Result], variant: str = "") -> str:
    return "".join(REPORTS[name].render(result(), variant))


def complained(report: Format) -> str:
    house = "policies/house.yaml"
    problems = (
        Problem(Position(house, 12, 5), "no such field: [x](y)", "did you mean schema?"),
        Problem(Position("waivers.yaml", 3, 9), "it expired on 2026-03-01", warning=True),
    )
    text = "".join(report.render(problems))
    return text.replace(f'"version":"{__version__}"', '"version":"1.0.0"')


#: What makes each file, by its name below the folder.
FILES = dict(_files())


@pytest.mark.parametrize("name", FILES)
def test_the_format_is_as_it_was(name: str) -> None:
    assert FILES[name]() == (GOLDEN / name).read_text(encoding="utf-8")


def test_there_is_a_file_a_format_and_no_other() -> None:
    found = {str(path.relative_to(GOLDEN)) for path in GOLDEN.rglob("*") if path.is_file()}
    assert found == FILES.keys()


def write() -> None:
    """Write every file anew."""
    for name, text in FILES.items():
        (GOLDEN / name).parent.mkdir(exist_ok=True)
        (GOLDEN / name).write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    write()
