"""Results of any size for the tests of reports: made up, but consistent and always the same.

``sample_result`` keeps what a real run keeps: one verdict a check, a finding for each fail,
error, waived and known verdict and for no other, findings severest first, and a gate whose
answer follows from them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import msgspec
from msgspec.structs import replace

from auditor.model import (
    Completeness,
    Connection,
    Connections,
    Evidence,
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
from auditor.text import plural

JUDGED_AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)

#: What a hostile account, policy or file name may hold; each tries another way out.
HOSTILE = (
    "<script>window.pwned=1</script>",
    "</script><img src=x onerror=window.pwned=2>",
    "javascript:window.pwned=3",
    "{{7*7}}{% raw %}${7*7}",
    "\"'`><svg onload=window.pwned=4>",
    "=HYPERLINK('http://example.invalid','x')",
    "@SUM(1+1)|`rm -rf` [x](javascript:alert(1))",
    "::error file=a::##[error]&lt;!--",
    "]]>&amp;<!-- \u00e9\u4e2d\U0001f4a3 __proto__",
)

_SERVICES = (
    ("postgres", 14), ("salesforce", 11), ("google_ads", 9), ("mysql", 9), ("hubspot", 8),
    ("sql_server", 7), ("google_sheets", 7), ("netsuite_suiteanalytics", 5), ("stripe", 5),
    ("s3", 5), ("facebook_ads", 4), ("zendesk", 4), ("jira", 3), ("shopify", 3), ("kafka", 2),
    ("workday", 2), ("mongo", 1), ("dynamodb", 1),
)  # fmt: skip
_GROUPS = (
    "analytics_prod", "finance_prod", "marketing_prod", "growth", "sales_ops", "data_science",
    "analytics_staging", "finance_staging", "sandbox_dev", "emea_warehouse", "apac_warehouse",
    "legacy_redshift",
)  # fmt: skip
_TEAMS = ("core", "crm", "billing", "events", "ads", "orders", "people", "support", "web", "legacy")


class _Kind(msgspec.Struct, frozen=True):
    """A rule of the sample: what it says, what its evidence looks like, how often it fails."""

    rule: Rule
    field: str
    expected: str
    actual: tuple[str, ...]
    fails: float = 0.1
    errors: float = 0.01
    skips: float = 0.1


def _rule(number: int, identity: str, severity: Severity, title: str, **texts: object) -> Rule:
    file = "policies/house.yaml" if number % 3 else "baseline"
    position = Position(file, 8 + 14 * number, 5)
    policy = "house" if number % 3 else "baseline"
    return Rule(identity, title, severity, policy, position, **texts)  # type: ignore[arg-type]


_LOW, _MEDIUM, _HIGH, _CRITICAL = Severity
_KINDS = (
    _Kind(
        _rule(
            0, "no-broken-connections", _CRITICAL, "No connection is broken",
            expects='status.setup_state is "connected"',
            applies_when="paused is false",
            why="A broken connection delivers nothing, and its tables grow stale without a sign.",
            fix="Open the connection's Setup tab and follow the error shown there, or delete it.",
            tags=("owner:data-platform", "reliability"), reads=("status.setup_state", "paused"),
            controls=(("soc2", ("A1.2", "CC7.1")),),
        ),
        "status.setup_state", '"connected"', ('"broken"', '"incomplete"'), 0.05,
    ),
    _Kind(
        _rule(
            1, "private-databases", _HIGH, "Databases are reached over a private network",
            expects="networking_method is one of PrivateLink, SshTunnel or ProxyAgent",
            applies_when="service is one of postgres, mysql or sql_server",
            why="A database that listens on the public internet is found and tried within hours.",
            fix="Set up PrivateLink or an SSH tunnel, then set networking_method in Terraform.",
            tags=("owner:security", "network"), reads=("networking_method", "service"),
            controls=(("soc2", ("CC6.6",)), ("iso27001", ("A.8.20", "A.8.22"))),
        ),
        "networking_method", "one of PrivateLink, SshTunnel or ProxyAgent",
        ('"Directly"', '"Unknown"'), 0.16, 0.004, 0.6,
    ),
    _Kind(
        _rule(
            2, "one-name-per-service", _MEDIUM, "One name per service in a destination",
            expects="service and schema are unique", per=("group_id",),
            why="Two connections that write one schema overwrite each other's tables.",
            fix="Delete the older of the two, or give it a schema of its own.",
            tags=("owner:data-platform",), reads=("service", "schema"),
        ),
        "service, schema", "unique", ('("postgres", "core_orders"): 2 connections',), 0.4, 0.05,
    ),
    _Kind(
        _rule(
            3, "sync-frequency-bounds", _MEDIUM, "Sync every 15 minutes to once a day",
            expects="sync_frequency is at least 15 and at most 1440",
            applies_when='schedule_type is "auto" and sync_frequency exists',
            why="Anything faster multiplies warehouse cost; anything slower is stale.",
            fix="Set the frequency on the connection's Setup tab, or sync_frequency in Terraform.",
            tags=("owner:finops", "cost"), reads=("sync_frequency", "schedule_type"),
            controls=(("soc2", ("A1.1",)),),
        ),
        "sync_frequency", "at least 15 and at most 1440", ("1", "5", "2880"), 0.18,
    ),
    _Kind(
        _rule(
            4, "fresh", _HIGH, "Data arrived within three sync intervals",
            expects="succeeded_at is newer than 3 x sync_frequency minutes, or any of 1 more",
            applies_when='paused is false and schedule_type is "auto"',
            why="A dashboard on data from last week is worse than no dashboard.",
            fix="Read the connection's logs for the last failed sync; resync if it was fixed.",
            tags=("owner:data-platform", "reliability"), reads=("succeeded_at", "sync_frequency"),
        ),
        "succeeded_at", "newer than 3 x sync_frequency minutes",
        ("2026-03-02T04:11:09Z (12 days old)", "2026-02-01T00:00:00Z (41 days old)", "null"),
        0.12, 0.02,
    ),
    _Kind(
        _rule(
            5, "no-sunset-services", _LOW, "No service that Fivetran is about to retire",
            expects="service is not one of oracle_legacy or google_analytics_360",
            applies_when="service is one of oracle_legacy or google_analytics_360",
            why="A retired connector stops without a replacement.", fix="Move to its successor.",
            reads=("service",),
        ),
        "service", "another service", ('"oracle_legacy"',), 0.0, 0.0, 1.0,
    ),
    _Kind(
        _rule(
            6, "schema-naming", _LOW, "Schemas are named after team and source",
            expects="schema matches ^[a-z]+_[a-z0-9_]+$ as a whole",
            why="A name that says whose data it is saves every later question.",
            fix="A schema cannot be renamed: create a new connection and delete this one.",
            tags=("naming",), reads=("schema",),
        ),
        "schema", "matches ^[a-z]+_[a-z0-9_]+$ as a whole", ('"Test2"', '"copy of core"'), 0.22,
        0.0, 0.0,
    ),
    _Kind(
        _rule(
            7, "setup-tests-pass", _MEDIUM, "Setup tests pass",
            expects="no item of setup_tests has status FAILED or JOB_FAILED",
            applies_when="setup_tests exists", why="A failed setup test is a sync failure to come.",
            fix="Run the setup tests again and follow their messages.",
            tags=("owner:data-platform",), reads=("setup_tests[].status",),
        ),
        "setup_tests[1].status", "not one of FAILED or JOB_FAILED", ('"FAILED"',), 0.07, 0.02, 0.3,
    ),
    _Kind(
        _rule(
            8, "no-pause-after-trial", _HIGH, "Connections do not pause when their trial ends",
            expects="pause_after_trial is false",
            why="The pipeline stops on the day the trial ends, without anyone deciding it.",
            fix="Clear “pause after trial” on the connection's Setup tab.",
            tags=("owner:finops",), reads=("pause_after_trial",),
        ),
        "pause_after_trial", "false", ("true",), 0.03, 0.001,
    ),
    _Kind(
        _rule(
            9, "delay-alerts-on", _LOW, "Delay alerts are sensitive enough",
            expects="data_delay_sensitivity is one of HIGH, NORMAL or CUSTOM",
            why="A delay that nobody is told of is found by a customer.",
            fix="Set the delay sensitivity on the connection's Setup tab.",
            reads=("data_delay_sensitivity",),
        ),
        "data_delay_sensitivity", "one of HIGH, NORMAL or CUSTOM", ('"LOW"', '"SYNC_FREQUENCY"'),
        0.2,
    ),
)  # fmt: skip


def sample_result(
    connections: int = 60,
    rules: int = 8,
    *,
    seed: int = 1,
    hostile: bool = False,
    outcome: Outcome = Outcome.INCONCLUSIVE,
    complete: bool = True,
) -> Result:
    """Return a result of ``connections`` x ``rules``, one of the rules a ``per`` rule.

    ``outcome`` decides which verdicts there are: ``INCONCLUSIVE`` has all six, ``VIOLATIONS`` no
    errors, ``PASSED`` neither errors nor failures (but waived and known ones). ``complete=False``
    is a listing that lost a page, which is inconclusive whatever the verdicts. ``hostile`` puts
    ``HOSTILE`` strings into every text that a report shows.
    """
    rng = Random(seed)
    kinds = [_numbered(n) for n in range(rules)]
    if hostile:
        kinds = [_hostile_kind(kind, n) for n, kind in enumerate(kinds)]
    estate = _estate(rng, connections, hostile=hostile)
    checks = tuple(_checks(rng, kind, estate, outcome) for kind in kinds)
    findings = _findings(rng, kinds, checks, estate, hostile=hostile)
    outcome = outcome if complete else Outcome.INCONCLUSIVE
    bad = HOSTILE if hostile else None
    return Result(
        version="1.0.0",
        judged_at=JUDGED_AT,
        source=SourceInfo(
            "api",
            bad[1] if bad else "https://api.fivetran.com",
            (("group_id", bad[0]),) if bad else (),
        ),
        listing=_listing(connections, complete=complete, hostile=hostile),
        policies=(
            PolicyFile("baseline", "baseline", "3f1a9c52" * 8, "What every account should hold"),
            PolicyFile(
                bad[1] if bad else "house",
                bad[0] if bad else "policies/house.yaml",
                "b07d44e1" * 8,
                bad[4] if bad else "How we run Fivetran",
            ),
        ),
        connections=estate,
        checks=checks,
        gate=_gate(checks, outcome, complete=complete, hostile=hostile),
        describe=lambda: findings,
        clock_note=bad[4] if bad else "",
        left_out=(bad[0], bad[3]) if bad else (),
        warnings=(bad[1], bad[4]) if bad else (),
    )


def narrowed(result: Result) -> Result:
    """Return ``result`` as a run with ``--group`` and ``--skip``, under another clock."""
    return replace(
        result,
        source=replace(result.source, filters=(("group_id", "analytics_prod"),)),
        clock_note="--now: judged as of 2026-03-14T09:26:53Z, not the run's own clock",
        left_out=(
            "only connections of the group analytics_prod were listed",
            "--skip 'delay-*': 1 rule was left out (delay-alerts-on)",
            "policies/house.yaml disables 1 rule (schema-case)",
        ),
        warnings=("waivers.yaml:12: the waiver for fresh on conn_000007 expired on 2026-03-01",),
    )


def _numbered(number: int) -> _Kind:
    kind = _KINDS[number % len(_KINDS)]
    again = number // len(_KINDS)
    if not again:
        return kind
    return replace(kind, rule=replace(kind.rule, id=f"{kind.rule.id}-{again + 1}"))


def _hostile_kind(kind: _Kind, number: int) -> _Kind:
    # A rule's id is letters, digits, - and _ (checked at load); every other text is free.
    bad = HOSTILE[number % len(HOSTILE) :] + HOSTILE[: number % len(HOSTILE)]
    rule = replace(
        kind.rule, title=bad[0], policy=bad[1], position=Position(bad[2], 3, 5), expects=bad[3],
        applies_when=bad[4], why=bad[5], fix=bad[6], tags=(bad[0], bad[7]),
        controls=((bad[0], (bad[1],)),), reads=(bad[0],),
    )  # fmt: skip
    return replace(kind, rule=rule, field=bad[0], expected=bad[1], actual=bad)


def _estate(rng: Random, count: int, *, hostile: bool) -> Connections:
    names, weights = zip(*_SERVICES, strict=True)
    services = rng.choices(HOSTILE if hostile else names, None if hostile else weights, k=count)
    groups = rng.choices(
        HOSTILE if hostile else _GROUPS, range(len(HOSTILE if hostile else _GROUPS), 0, -1), k=count
    )
    teams = rng.choices(_TEAMS, k=count)
    schemas = [
        f"{HOSTILE[n % len(HOSTILE)]}{n}" if hostile else f"{team}_{service}_{n}"
        for n, (team, service) in enumerate(zip(teams, services, strict=True))
    ]
    ids = [f"{HOSTILE[n % len(HOSTILE)]}{n}" if hostile else f"conn_{n:06}" for n in range(count)]
    return Connections(ids, services, schemas, groups)


def _checks(rng: Random, kind: _Kind, estate: Connections, outcome: Outcome) -> RuleChecks:
    fails = 0.0 if outcome is Outcome.PASSED else kind.fails
    errors = kind.errors if outcome is Outcome.INCONCLUSIVE else 0.0
    accepted = kind.fails * 0.1
    rest = 1 - kind.skips
    weights = [
        max(0.0, rest - fails - errors - 2 * accepted),
        fails, errors, kind.skips, accepted, accepted,
    ]  # fmt: skip
    if kind.rule.per:
        keys = sorted(set(estate.group_ids))
        drawn = rng.choices(tuple(Verdict), weights, k=len(keys))
        return RuleChecks(kind.rule, b"", tuple(map(GroupCheck, keys, drawn)))
    return RuleChecks(kind.rule, bytes(rng.choices(range(6), weights, k=len(estate))))


_SHOWN = (Verdict.FAIL, Verdict.ERROR, Verdict.WAIVED, Verdict.KNOWN)


def _findings(
    rng: Random,
    kinds: list[_Kind],
    checks: tuple[RuleChecks, ...],
    estate: Connections,
    *,
    hostile: bool,
) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    for kind, check in sorted(
        zip(kinds, checks, strict=True), key=lambda pair: -pair[0].rule.severity
    ):
        for index, byte in enumerate(check.verdicts):
            if (verdict := Verdict(byte)) in _SHOWN:
                findings.append(_finding(rng, kind, verdict, (estate[index],), hostile=hostile))
        for group in check.groups:
            if group.verdict in _SHOWN:
                members = [n for n, key in enumerate(estate.group_ids) if key == group.group]
                several = tuple(estate[n] for n in members[:2])
                findings.append(
                    replace(
                        _finding(rng, kind, group.verdict, several, hostile=hostile),
                        group=group.group,
                    )
                )
    return tuple(findings)


def _finding(
    rng: Random,
    kind: _Kind,
    verdict: Verdict,
    connections: tuple[Connection, ...],
    *,
    hostile: bool,
) -> Finding:
    actual = "missing" if verdict is Verdict.ERROR else rng.choice(kind.actual)
    if verdict is Verdict.ERROR:
        message = f"{kind.field} is missing, so the rule could not be evaluated"
    else:
        message = f"{connections[0].schema}: {kind.field} is {actual}; expected {kind.expected}"
    note = {
        Verdict.WAIVED: "waived until 2026-06-30 by dana@example.com: migration under way",
        Verdict.KNOWN: "known since the baseline of 2026-01-05",
    }.get(verdict, "")
    if hostile:
        note = note and rng.choice(HOSTILE)
    evidence = Evidence(kind.field, actual, kind.expected)
    return Finding(kind.rule, verdict, connections, (evidence,), message, "", note)


def _listing(count: int, *, complete: bool, hostile: bool) -> Listing:
    pages = max(1, -(-count // 1000))
    warnings = (HOSTILE[0],) if hostile else ()
    if complete:
        known = Completeness.ONE_PAGE if pages == 1 else Completeness.VERIFIED
        return Listing(known, pages, count, 1 if pages == 1 else 2, (), warnings)
    problem = f"page {pages + 1} could not be fetched: HTTP 503 after 5 attempts"
    problems = (HOSTILE[1] if hostile else problem,)
    return Listing(Completeness.INCOMPLETE, pages, count, 1, problems, warnings)


def _gate(
    checks: tuple[RuleChecks, ...], outcome: Outcome, *, complete: bool, hostile: bool
) -> Gate:
    counts = {verdict: sum(c.count(verdict) for c in checks) for verdict in Verdict}
    reasons = []
    if not complete:
        reasons.append("The listing is incomplete: 1 page could not be fetched.")
    if counts[Verdict.ERROR]:
        reasons.append(f"{plural(counts[Verdict.ERROR], 'check')} could not be evaluated.")
    if counts[Verdict.FAIL]:
        reasons.append(f"{plural(counts[Verdict.FAIL], 'violation')} at or above low.")
    if outcome is Outcome.INCONCLUSIVE and not reasons:
        reasons.append("There was nothing to judge.")
    if hostile:
        reasons.append(HOSTILE[1])
    code = {Outcome.PASSED: 0, Outcome.VIOLATIONS: 1, Outcome.INCONCLUSIVE: 3}[outcome]
    return Gate(outcome, code, Severity.LOW, tuple(reasons))
