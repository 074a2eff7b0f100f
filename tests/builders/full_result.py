"""A result of which every field is set, with no two numbers alike where they could be mixed up."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from auditor.model import (
    Attribute,
    BaselineUse,
    Checkout,
    Completeness,
    Connections,
    Evidence,
    FactsInfo,
    Finding,
    Gate,
    GroupCheck,
    History,
    Listing,
    Outcome,
    Part,
    PastRun,
    Pipeline,
    PlanScope,
    PolicyFile,
    Position,
    Resource,
    Result,
    Rule,
    RuleChecks,
    Severity,
    SourceInfo,
    Verdict,
    WaiverUse,
)
from tests.builders.sample_results import JUDGED_AT


def full_result() -> Result:
    """Return a result of which every field is set, and of each at least one that is not."""
    floor = Rule(
        "floor",
        "Sync every 15 minutes at most",
        Severity.CRITICAL,
        "baseline",
        Position("pack:baseline", 10, 5),
        "sync_frequency is at least 15",
        'schedule_type is "auto"',
        "Anything faster multiplies warehouse cost.",
        "Sync less often.",
        ("cost", "owner:finops"),
        (("soc2", ("A1.1", "CC7.1")), ("iso27001", ("A.8.20",))),
        reads=("schedule_type", "sync_frequency"),
        named_at=Position("policies/house.yaml", 4, 3),
        max_waiver=timedelta(days=14),
    )
    named = Rule(
        "named",
        "",
        Severity.LOW,
        "house",
        Position("policies/house.yaml", 20, 5),
        "schema matches ^[a-z_]+$ as a whole",
        reads=("schema",),
        waivable=False,
    )
    single = Rule(
        "single",
        "One connection per service",
        Severity.MEDIUM,
        "baseline",
        Position("pack:baseline", 40, 5),
        "count is 1",
        fix="Delete the older of the two.",
        per=("group_id", "service"),
        reads=("service",),
    )
    few = Rule(
        "few",
        "Few connections",
        Severity.HIGH,
        "house",
        Position("policies/house.yaml", 60, 5),
        "count is at most 3",
        per=("account",),
    )
    idle = Rule(
        "idle",
        "",
        Severity.HIGH,
        "house",
        Position("policies/house.yaml", 80, 5),
        "setup_tests exists",
        reads=("setup_tests",),
        may_be_idle=True,
    )
    ids = ("quick_fox", "calm_sea", "lost_key", "old_oak", "by_hand", "far_away", "new/one")
    schemas = ("orders", "crm", "Billing", "Events", "people", "web", "web")
    groups = ("prod", "prod", "prod", "dev", "dev", "dev", "dev")
    listed = Connections(
        ids,
        ("postgres",) * 7,
        schemas,
        groups,
        ("fivetran_connector.orders", "", "", "", "", "", ""),
        {"prod": "Production"},
        {"team": ("core", "", "core", "", "", "", ""), "tier": ("1",) * 7},
    )
    at = {connection.id: connection for connection in listed}
    sets = Attribute(
        "sync_frequency",
        "fivetran_connector.orders",
        "sync_frequency",
        "60",
        "5",
        Position("infra/main.tf", 14, 3),
    )
    wanted = "at least 15"
    findings = (
        Finding(
            floor,
            Verdict.FAIL,
            (at["quick_fox"],),
            (Evidence("sync_frequency", "5", wanted),),
            "orders: sync_frequency is 5; expected at least 15",
            note="the waiver of waivers.yaml:2 expired on 2026-03-01",
            resources=(Resource("fivetran_connector.orders", "update", (sets,)),),
        ),
        Finding(
            floor,
            Verdict.ERROR,
            (at["lost_key"],),
            (Evidence("sync_frequency", "missing", wanted),),
            "Billing: sync_frequency is missing",
            advice="Write if_missing: fail.",
            resources=(
                Resource("fivetran_connector.billing", "no-op", (), Position("infra/b.tf", 2, 1)),
            ),
        ),
        Finding(floor, Verdict.WAIVED, (at["old_oak"],), (), "Events: too fast"),
        Finding(
            floor,
            Verdict.KNOWN,
            (at["new/one"],),
            (),
            "web: too fast",
            note="known since the baseline of 2026-01-05",
        ),
        Finding(few, Verdict.ERROR, tuple(listed), (), "7 of 7 could not be counted"),
        Finding(
            single,
            Verdict.FAIL,
            (at["quick_fox"], at["calm_sea"], at["lost_key"]),
            (Evidence("count", "3", "1"),),
            "3 connections are postgres",
            '["prod", "postgres"]',
            resources=(
                Resource("fivetran_connector.crm", "create", (), Position("infra/main.tf", 30, 1)),
            ),
        ),
        Finding(
            single,
            Verdict.WAIVED,
            (at["old_oak"], at["by_hand"]),
            (Evidence("count", "4", "1"),),
            "4 connections are postgres",
            '["dev", "postgres"]',
            "waived until 2026-06-30 by dana@example.com: migration under way",
        ),
        Finding(named, Verdict.FAIL, (at["lost_key"],), (), "not lower case", alike=1),
        Finding(named, Verdict.FAIL, (at["old_oak"],), (), "not lower case", alike=1),
    )
    of_floor = (
        Verdict.FAIL, Verdict.PASS, Verdict.ERROR, Verdict.WAIVED, Verdict.SKIP, Verdict.SKIP,
        Verdict.KNOWN,
    )  # fmt: skip
    of_named = [Verdict.FAIL if schema != schema.lower() else Verdict.PASS for schema in schemas]
    past = PastRun(
        JUDGED_AT - timedelta(days=1),
        Outcome.PASSED,
        False,
        6,
        tuple((severity, 10 * severity) for severity in Severity),
        11,
        12,
        13,
        ("a" * 64,),
    )
    return Result(
        version="1.0.0",
        judged_at=JUDGED_AT,
        source=SourceInfo(
            "plan",
            "plan.json",
            (("group_id", "prod"), ("schema", "x")),
            "https://api.fivetran.com",
        ),
        listing=Listing(
            Completeness.UNKNOWN, 2, 7, 3, ("page 2 was cut",), ("an empty next_cursor",)
        ),
        policies=(
            PolicyFile("baseline", "baseline", "3f1a9c52" * 8),
            PolicyFile("house", "policies/house.yaml", "b07d44e1" * 8, "How we run it"),
        ),
        connections=listed,
        checks=(
            RuleChecks(floor, bytes(of_floor), not_in_plan=1, left_unknown=1),
            RuleChecks(named, bytes(of_named)),
            RuleChecks(
                single,
                b"",
                (
                    GroupCheck('["prod", "postgres"]', Verdict.FAIL),
                    GroupCheck('["dev", "postgres"]', Verdict.WAIVED),
                    GroupCheck('["test", "postgres"]', Verdict.SKIP),
                ),
            ),
            RuleChecks(few, b"", (GroupCheck("", Verdict.ERROR),)),
            RuleChecks(idle, bytes([Verdict.SKIP]) * 7, not_in_plan=7),
        ),
        gate=Gate(
            Outcome.INCONCLUSIVE,
            3,
            Severity.HIGH,
            ("2 checks could not be evaluated", "1 violation at or above high."),
            ((Severity.LOW, 5), (Severity.HIGH, 0)),
            ("page 2 was cut",),
        ),
        describe=lambda: findings,
        clock_note="--now: not the run's own clock",
        taken_at=JUDGED_AT - timedelta(hours=2),
        left_out=("--skip fresh: 1 rule was left out",),
        narrowed_by=("--skip", "fresh"),
        notes=("auditor.yaml sets fail_on",),
        warnings=("waivers.yaml:2: expired",),
        accepted=("1 violation is known",),
        waivers=(
            WaiverUse(
                "floor",
                Position("waivers.yaml", 2, 5),
                "agreed [here](x)",
                "dana@example.com",
                JUDGED_AT - timedelta(days=13),
                "sync_frequency is 5",
                True,
                21,
                22,
                23,
            ),
        ),
        baseline=BaselineUse(
            "baseline.json", JUDGED_AT - timedelta(days=68), 31, 32, 33, 34, 35, 36, 37
        ),
        history=History((past,), {"floor": {"quick_fox": JUDGED_AT - timedelta(days=9)}}),
        plan=PlanScope(
            "", 1, "Acme (acme_inc)", mended=("floor: far_away",), improved=("single: 4 before",)
        ),
        facts=(FactsInfo("owner", "/v1/users", 0, "", "HTTP 403"),),
        pipeline=Pipeline("https://ci.example.com/runs/7", "0123abcd"),
        checkout=Checkout("/repo", "infra"),
        docs_url="https://docs.example.com/{policy}/{rule}",
        part=Part("team", "core", 9, range(7), Gate(Outcome.VIOLATIONS, 1, Severity.LOW, ())),
    )


def narrow_result() -> Result:
    """Return a run over a selection, in a folder that is no repository, which passed."""
    result = full_result()
    gate = Gate(Outcome.PASSED, 0, None, ("No violation counts.",))
    listing = Listing(Completeness.VERIFIED, 2, 7, 2)
    return replace(result, gate=gate, listing=listing, plan=None, part=None, checkout=Checkout())
