"""The shipped packs: whole, honest about their examples, and right about two whole accounts.

Also: true to the API as it is documented. What a rule reads and no documentation knows is never a
pass, and no shape that is documented is an error.
"""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from auditor import audit, load_policies
from auditor.clock import WEEKDAYS, iso
from auditor.decoding.records import Shape
from auditor.fields import FIELDS, Field, Kind
from auditor.gate import Bar, decide
from auditor.model import (
    Completeness,
    Connections,
    Listing,
    Outcome,
    Position,
    RuleChecks,
    Severity,
    Verdict,
)
from auditor.policy.judging.judge import Judge, Judgement
from auditor.policy.language.conditions import All, AnyOf, Condition, Nested, Not, Test, reads
from auditor.policy.language.rules import GroupRule, PolicyRule
from auditor.policy.loading import nodes
from auditor.policy.loading.documents import pack_names
from auditor.policy.loading.examples import HEALTHY, NOW, Example, Given
from auditor.policy.loading.load import Loaded, load
from auditor.policy.testing.examples_run import gaps, judged, run_examples
from auditor.policy.testing.files import files_beside, run_test_file
from auditor.resources import resource_folder
from auditor.sandbox import details
from auditor.sandbox.estate import SandboxEstate, build_estate
from auditor.sandbox.words import SERVICE_ACCOUNTS
from auditor.sources.saved.source import SnapshotSource
from tests.builders.slow import mostly_slow, tries

PACKS = ["baseline", "cost", "governance", "reliability", "security"]
#: Judges a Terraform plan; of an account it has nothing to say.
OF_A_CHANGE = "terraform"
#: Judges what other lists say of a connection; ``test_pack_account`` has these lists.
OF_THE_LISTS = "account"
MOMENTS = [datetime(2026, 3, 4, 5, 6, tzinfo=UTC), datetime(2026, 11, 22, 0, 3, tzinfo=UTC)]
#: What has to be set before the packs fit an account: here, the sandbox's.
SET = {"service_accounts": ",".join(SERVICE_ACCOUNTS)}
#: Rules that only ask whether a value is one that the others know. Few accounts have a new one.
KNOWN = {"schedule-known", "states-known", "way-known"}
#: Rules on facts that only a user has: idle until rows are brought.
BROUGHT = {"sync-floors-hold", "mar-budgets-hold"}


@cache
def packs() -> Loaded:
    return load(PACKS, strict=True, variables=SET)


def judge(loaded: Loaded, estate: SandboxEstate, *, listed: bool = False) -> Judgement:
    shape = Shape(*loaded.ruleset.reads())
    judge = Judge(loaded.ruleset, shape, estate.now, lambda text: text)
    # What an answer about one connection has and a listing has not (set-up tests) is judged too.
    answers = (r if listed else details.connection(estate, r) for r in estate.records)
    judge.take([shape.convert(answer) for answer in answers])
    return judge.outcome(lambda _rule: True)


def with_verdict(checks: tuple[RuleChecks, ...], verdict: Verdict) -> dict[str, int]:
    return {c.rule.id: c.count(verdict) for c in checks if c.count(verdict)}


RULES = [entry.rule for entry in packs().ruleset.rules]
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def test_these_are_the_packs():
    assert pack_names() == sorted([*PACKS, OF_A_CHANGE, OF_THE_LISTS])


def test_they_load_together_without_a_warning():
    assert packs().warnings == ()
    assert packs().ruleset.left_out == ()
    assert len(RULES) >= 45


@pytest.mark.parametrize("name", [*PACKS, OF_A_CHANGE])
def test_each_loads_by_itself(name):
    assert load([name], strict=True).ruleset.policies[0].name == name


@pytest.mark.parametrize("now", MOMENTS)
@pytest.mark.parametrize(
    ("count", "seed"), mostly_slow([(60, 3), (250, 7), (250, 8), (0, 1), (1, 1)], 3)
)
def test_nothing_is_found_in_a_healthy_account(count, seed, now):
    estate = build_estate(count, seed, healthy=True, now=now)
    checks = judge(packs(), estate).checks()
    assert with_verdict(checks, Verdict.FAIL) == {}
    assert with_verdict(checks, Verdict.ERROR) == {}


@pytest.mark.parametrize("now", MOMENTS)
@pytest.mark.parametrize(("count", "seed"), mostly_slow([(60, 3), (60, 4), (250, 7), (250, 8)], 4))
def test_every_rule_finds_something_in_a_violating_account(count, seed, now):
    checks = judge(packs(), build_estate(count, seed, now=now)).checks()
    failing = with_verdict(checks, Verdict.FAIL).keys()
    assert failing | KNOWN | BROUGHT == {rule.id for rule in RULES}
    assert with_verdict(checks, Verdict.ERROR) == {}


@given(
    st.sampled_from([60, 61, 90, 250]),
    st.integers(0, 2**32),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # bounds, made aware
)
@settings(max_examples=tries(25), deadline=None)
def test_whatever_the_account_and_the_hour(count, seed, now):
    healthy = judge(packs(), build_estate(count, seed, healthy=True, now=now)).checks()
    assert with_verdict(healthy, Verdict.FAIL) | with_verdict(healthy, Verdict.ERROR) == {}
    spoilt = judge(packs(), build_estate(count, seed, now=now)).checks()
    failing = with_verdict(spoilt, Verdict.FAIL).keys()
    assert failing | KNOWN | BROUGHT == {rule.id for rule in RULES}
    assert with_verdict(spoilt, Verdict.ERROR) == {}


def test_no_two_rules_ask_the_same():
    asked = Counter((rule.per, rule.applies_when, rule.expects) for rule in RULES)
    assert [question for question, times in asked.items() if times > 1] == []


def test_the_sample_record_is_healthy_by_every_rule():
    given = Given((HEALTHY,), "the healthy record")
    example = Example(Position("here", 1, 1), given, Verdict.PASS)
    for entry in packs().ruleset.rules:
        if isinstance(entry, PolicyRule):
            (outcome,) = judged(entry, [example])
            assert outcome.got in {Verdict.PASS, Verdict.SKIP}, entry.rule.id


def test_no_rule_is_idle_in_a_violating_account():
    for checks in judge(packs(), build_estate(250, now=MOMENTS[0])).checks():
        idle = checks.count(Verdict.SKIP) == checks.total
        assert idle is (checks.rule.id in BROUGHT)


def test_rows_that_a_user_brings_are_judged_and_until_then_it_is_said(tmp_path):
    estate = build_estate(250, now=MOMENTS[0])
    path = tmp_path / "listing.json"
    path.write_text(json.dumps(list(estate.records)))

    def counted(*names, **files):
        result = audit(SnapshotSource(path), load_policies(*names, facts=files))
        checks = {c.rule.id: c for c in result.checks if c.rule.id in BROUGHT}
        return result, {
            name: [c.count(v) for v in (Verdict.FAIL, Verdict.PASS, Verdict.ERROR)]
            for name, c in checks.items()
        }

    result, counts = counted("cost")
    assert counts == {name: [0, 0, 0] for name in BROUGHT}
    (note,) = [note for note in result.notes if "no rows" in note]
    assert note == (
        "no rows for sync_floors, mar_used and mar_budgets, so rules that read them apply to"
        " nothing; bring rows with --facts sync_floors=FILE, or in a policy that extends theirs"
    )
    (tmp_path / "floors.csv").write_text("service,minutes\npostgres,61\n")
    (tmp_path / "budgets.csv").write_text("schema,rows\n*,10\n")
    used = [f"{r['id']},{n % 12}" for n, r in enumerate(estate.records[:-1])]
    (tmp_path / "used.csv").write_text("\n".join(["id,rows", *used]))
    files = {
        "sync_floors": tmp_path / "floors.csv",
        "mar_budgets": tmp_path / "budgets.csv",
        "mar_used": tmp_path / "used.csv",
    }
    result, counts = counted("cost", **files)
    scheduled = [
        r["sync_frequency"] >= 61
        for r in estate.records
        if r["service"] == "postgres" and r["schedule_type"] == "auto" and r["sync_frequency"]
    ]
    over = sum(n % 12 > 10 for n in range(249))
    assert counts["sync-floors-hold"] == [scheduled.count(False), scheduled.count(True), 0]
    assert scheduled.count(False) > 0 < scheduled.count(True)
    # Of one connection nobody has counted the rows: that is no pass.
    assert counts["mar-budgets-hold"] == [over, 249 - over, 1]
    assert not [note for note in result.notes if "no rows" in note]
    # A policy that extends the pack declares them as its own.
    house = tmp_path / "house.yaml"
    house.write_text(
        "policy: house\nextends: [cost]\nfacts:\n"
        "  sync_floors: {key: service, columns: {minutes: integer}, rows: {postgres: 61}}\n"
    )
    assert counted(str(house))[1]["sync-floors-hold"] == counts["sync-floors-hold"]


@pytest.mark.parametrize("now", MOMENTS)
@pytest.mark.parametrize(("count", "seed"), mostly_slow([(20, 3), (60, 4), (250, 7)], 3))
@pytest.mark.parametrize("names", [*([name] for name in PACKS), PACKS], ids=" ".join)
def test_a_healthy_account_passes_strict(names, count, seed, now):
    variables = SET if "governance" in names else {}
    estate = build_estate(count, seed, healthy=True, now=now)
    checks = judge(load(names, strict=True, variables=variables), estate, listed=True).checks()
    listing = Listing(Completeness.VERIFIED, pages=1, connections=count)
    gate = decide(listing, checks, Bar(strict=True))
    assert (gate.outcome, gate.reasons[1:]) == (Outcome.PASSED, ()), gate.reasons


def test_the_accounts_that_may_own_connections_have_to_be_set():
    estate = build_estate(60, healthy=True, now=MOMENTS[0])
    checks = judge(load(["governance"]), estate).checks()
    assert with_verdict(checks, Verdict.FAIL).keys() == {"owner-is-a-service-account"}
    text = (resource_folder("policies") / "governance.yaml").read_text()
    assert "MUST BE SET" in text
    for account in SERVICE_ACCOUNTS:
        assert account == "_fivetran_system" or account not in text


def test_findings_say_something_in_every_rule():
    estate = build_estate(250, now=MOMENTS[0])
    keys = ("id", "service", "schema", "group_id")
    connections = Connections(*([record[key] for record in estate.records] for key in keys))
    findings = list(judge(packs(), estate).findings(connections))
    assert len(findings) > 100
    for finding in findings:
        assert finding.message
        assert "missing" not in finding.message, finding.message
        assert "{" not in finding.message, finding.message
        assert finding.evidence


def test_every_example_passes():
    outcomes = [
        outcome for name in PACKS for outcome in run_examples(load([name])) if not outcome.passed
    ]
    assert [(str(o.position), o.got.label) for o in outcomes] == []


def test_every_rule_fails_passes_and_skips_in_an_example():
    outcomes = list(run_examples(packs()))
    for name in PACKS:
        for path in files_beside(resource_folder("policies") / f"{name}.yaml"):
            outcomes += run_test_file(path)
    assert all(outcome.passed for outcome in outcomes)
    assert list(gaps(packs(), outcomes)) == []


@each_rule
def test_a_rule_says_what_it_wants_why_and_how(rule):
    assert 8 <= len(rule.title) <= 70
    assert not rule.title.endswith(".")
    for text in (rule.why, rule.fix):
        assert text.endswith(".")
        assert 30 <= len(text) <= 220
        assert text[0].isupper()
    assert rule.why != rule.fix
    assert rule.tags


def test_messages_name_the_connection_or_the_group():
    for entry in packs().ruleset.rules:
        assert entry.message is not None, entry.rule.id
        if not isinstance(entry, GroupRule):
            assert "schema" in entry.message.paths, entry.rule.id


def test_severities_are_spread_sensibly():
    spread = Counter(rule.severity for rule in RULES)
    assert 1 <= spread[Severity.CRITICAL] <= 3
    assert spread[Severity.CRITICAL] < spread[Severity.HIGH] < spread[Severity.LOW]
    assert spread[Severity.LOW] + spread[Severity.MEDIUM] > len(RULES) / 2


def test_titles_and_messages_are_each_rules_own():
    titles = [rule.title for rule in RULES]
    whys = [rule.why for rule in RULES]
    assert len(set(titles)) == len(titles)
    assert len(set(whys)) == len(whys)


@pytest.mark.parametrize(
    "missing",
    [
        "networking_method",
        "private_link_id",
        "proxy_agent_id",
        "setup_tests",
        "service_version",
        "connected_by",
        "succeeded_at",
        "failed_at",
        "data_delay_sensitivity",
        "data_delay_threshold",
        "destination_schema_names",
        "destination_configuration",
        "hybrid_deployment_agent_id",
        "daily_sync_time",
        "schedule",
        "config",
        "sync_frequency",
    ],
)
@pytest.mark.parametrize("absent", [True, False], ids=["missing", "null"])
def test_a_field_that_the_api_may_leave_out_is_never_an_error(missing, absent):
    estate = build_estate(60, healthy=True, now=MOMENTS[0])
    for record in estate.records:
        record[missing] = None
        if absent:
            del record[missing]
    checks = judge(packs(), estate).checks()
    assert with_verdict(checks, Verdict.ERROR) == {}


# -- a value that no documentation knows ------------------------------------------------------

#: Fields whose documented values are words. Numbers are in an order, and bounds judge them by it.
WORDS = {
    path: field for path, field in FIELDS.items() if field.values and field.kind is Kind.STRING
}
NEW_WORDS = ["brand_new", "BRAND_NEW", "", "Unknown2"]


def _read_words(entry: PolicyRule | GroupRule) -> list[str]:
    """Return the fields with documented words that a rule reads."""
    conditions = [entry.when]
    if isinstance(entry, PolicyRule):
        conditions.append(entry.assertion)
    paths = {path for c in conditions if c is not None for path, _ in reads(c)}
    return sorted(path for path in WORDS if path in paths)


def _with_word(record: dict[str, Any], path: str, word: str) -> dict[str, Any] | None:
    """Return the record with ``word`` at ``path`` where a word is; None where none is."""
    record = copy.deepcopy(record)
    array, through, rest = path.partition("[]")
    steps = (array if through else path).split(".")
    holder: Any = record
    for step in steps[:-1]:
        holder = holder.get(step)
        if not isinstance(holder, dict):
            return None
    held = holder.get(steps[-1])
    if not through:
        if not isinstance(held, str):
            return None
        holder[steps[-1]] = word
        return record
    if not isinstance(held, list) or not held:
        return None
    if not rest:
        holder[steps[-1]] = [word]
        return record
    holder[steps[-1]] = [{**item, rest.removeprefix("."): word} for item in held]
    return record


def _cases() -> Iterator[Any]:
    for pack in (*PACKS, OF_A_CHANGE):
        loaded = load([pack], variables=SET if pack == "governance" else {})
        for entry, examples in loaded.examples:
            for path in _read_words(entry):
                named = f"{entry.rule.id} {path}"
                yield pytest.param(loaded, entry, examples, path, id=named)


@pytest.mark.parametrize(("loaded", "entry", "examples", "path"), [*_cases()])
def test_a_word_that_is_new_is_never_a_pass(loaded, entry, examples, path):
    """Wherever a rule decides by a word, another word fails it, or fails the pack beside it."""
    words = [*NEW_WORDS, *(v.swapcase() for v in WORDS[path].values if v.swapcase() != v)]
    tried = [
        (example, word, [_with_word(dict(record), path, word) for record in example.records])
        for example in examples
        if example.expect in {Verdict.PASS, Verdict.FAIL}
        for word in words
    ]
    tried = [each for each in tried if None not in each[2]]
    assert tried, "no example has a word there"
    if isinstance(entry, GroupRule):
        for example, word, records in tried:
            verdicts = set().union(*_verdicts(loaded, records).values())
            assert verdicts & {Verdict.FAIL, Verdict.ERROR}, (example.given.text, word)
        return
    checks = _judged(loaded, [record for *_, (record,) in tried])
    for number, (example, word, _) in enumerate(tried):
        verdicts = {c.rule.id: c.verdicts[number] for c in checks if c.verdicts}
        assert verdicts[entry.rule.id] != Verdict.PASS, (example.given.text, word)
        assert {*verdicts.values()} & {Verdict.FAIL, Verdict.ERROR}, (example.given.text, word)


def _judged(loaded: Loaded, records: list[dict[str, Any]], now: datetime = NOW) -> Any:
    shape = Shape(*loaded.ruleset.reads())
    judge = Judge(loaded.ruleset, shape, now, lambda text: text)
    judge.take(shape.array(json.dumps(records).encode()))
    return judge.outcome(lambda _rule: True).checks()


def _verdicts(loaded: Loaded, records: list[dict[str, Any]]) -> dict[str, set[Verdict]]:
    return {c.rule.id: {v for v in Verdict if c.count(v)} for c in _judged(loaded, records)}


@pytest.mark.parametrize(
    "entry",
    [*packs().ruleset.rules, *load([OF_A_CHANGE]).ruleset.rules],
    ids=lambda entry: entry.rule.id,
)
def test_rules_on_closed_vocabularies_name_good_values(entry):
    """An assertion never says which of the documented words is bad."""
    if isinstance(entry, PolicyRule):
        for path, name, denied in _tests_of(entry.assertion):
            if path in WORDS:
                assert not denied, (path, name)
                assert name in {"in", "equals", "exists"}, (path, name)


def _tests_of(
    condition: Condition, base: str = "", *, denied: bool = False
) -> Iterator[tuple[str, str, bool]]:
    match condition:
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from _tests_of(part, base, denied=denied)
        case Not(part):
            yield from _tests_of(part, base, denied=not denied)
        case Test():
            path = ".".join(filter(None, (base, condition.path)))
            yield path, condition.operator.name, denied
            if isinstance(condition.operand, Nested) and condition.operator.of_items:
                inner = denied or condition.operator.name == "none_items"
                yield from _tests_of(condition.operand.condition, f"{path}[]", denied=inner)


# -- shapes that are documented -----------------------------------------------------------------

#: A record as live accounts list it: of what may be missing most is, and links are null.
LISTED: dict[str, Any] = {
    "id": "warm_lake",
    "service": "postgres",
    "schema": "ledger",
    "connected_by": "brisk_harbour",
    "created_at": "2024-12-01T15:43:29.013729Z",
    "succeeded_at": "2026-01-15T11:17:33.211Z",
    "failed_at": None,
    "paused": False,
    "pause_after_trial": False,
    "sync_frequency": 360,
    "data_delay_threshold": 0,
    "data_delay_sensitivity": "LOW",
    "group_id": "busy_valley",
    "private_link_id": None,
    "networking_method": "SshTunnel",
    "proxy_agent_id": None,
    "schedule_type": "auto",
    "status": {
        "tasks": [],
        "warnings": [],
        "setup_state": "connected",
        "schema_status": "ready",
        "sync_state": "scheduled",
        "update_state": "on_schedule",
        "is_historical_sync": False,
    },
    "service_version": 0,
    "config": {"host": "db.example.com", "port": 5432, "user": "reader", "password": "******"},
    "source_sync_details": {},
}
NOTICES = [{"code": "reconnect", "message": "Reconnect", "details": {}}]
SHAPES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "once a day": {"sync_frequency": 1440, "daily_sync_time": "03:00"},
    "once a day, to the second": {"sync_frequency": 1440, "daily_sync_time": "03:00:00"},
    "every so often": {"schedule": {"schedule_type": "INTERVAL", "interval": 360}},
    "on workdays": {
        "schedule": {"schedule_type": "INTERVAL", "interval": 360, "days_of_week": WEEKDAYS[:5]}
    },
    "at times": {
        "sync_frequency": None,
        "schedule": {
            "schedule_type": "TIME_OF_DAY",
            "time_of_day": "03:00",
            "days_of_week": ["MONDAY"],
        },
    },
    "by cron": {"sync_frequency": None, "schedule": {"schedule_type": "CRON", "cron": "0 5 * * 1"}},
    "by hand": {"schedule_type": "manual", "schedule": {"schedule_type": "MANUAL"}},
    "on an agent": {
        "networking_method": "Directly",
        "hybrid_deployment_agent_id": "quiet_agent",
        "config": {"host": "10.1.2.3"},
    },
    "with a private link": {"networking_method": "PrivateLink", "private_link_id": "link"},
    "several hosts": {
        "service": "mongo",
        "networking_method": "SshTunnel",
        "config": {"hosts": ["a.example.com:27017", "b.example.com:27017"]},
    },
    "an application": {"service": "salesforce", "networking_method": "Directly", "config": {}},
    "one table": {
        "service": "google_sheets",
        "schema": "sheets.budget",
        "networking_method": "Directly",
        "config": {"sheet_id": "x"},
    },
    "whose owner is not known": {"connected_by": None},
    "which failed too": {"failed_at": "2026-01-10T00:00:00Z"},
    "with checks": {"data_checks": True},
    "whose alerts are its own": {"data_delay_sensitivity": "CUSTOM", "data_delay_threshold": 60},
    "named as the source names": {"destination_schema_names": "FIVETRAN_NAMING"},
    "in a warehouse": {"destination_configuration": {"virtual_warehouse": "LOADING_WH"}},
    "without one": {"destination_configuration": {}},
    "of the account": {
        "service": "fivetran_log",
        "networking_method": "Directly",
        "config": {"is_account_level_connector": True},
    },
}
#: Which of the documented shapes a company may not want, and the rules that say so.
UNWANTED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "incomplete": (
        {
            "succeeded_at": None,
            "status": {"setup_state": "incomplete"},
            "connect_card": {"token": "sample", "uri": "sample"},
            "connect_card_config": {"redirect_uri": "http://example.com"},
        },
        {"setup-not-abandoned", "connect-cards-do-not-linger", "connect-cards-return-over-https"},
    ),
    "tests": (
        {"setup_tests": [{"title": "Host", "status": "JOB_FAILED", "message": "", "details": {}}]},
        {"setup-tests-pass"},
    ),
    "notices": (
        {"status": {"tasks": NOTICES, "warnings": NOTICES}},
        {"no-open-tasks", "no-open-warnings"},
    ),
    "postponed": (
        {"status": {"sync_state": "rescheduled", "rescheduled_for": "2026-01-16T00:00:00Z"}},
        {"postponed-syncs-start-soon"},
    ),
    "blocked": ({"status": {"schema_status": "blocked_on_capture"}}, {"schema-not-blocked"}),
    "open": ({"networking_method": "Directly"}, {"private-databases"}),
    "open, several": (
        {
            "service": "azure_cosmos_for_mongo",
            "networking_method": "Directly",
            "config": {"hosts": ["198.51.100.24:27017"]},
        },
        {"private-databases", "direct-hosts-have-names"},
    ),
    "at noon": (
        {
            "sync_frequency": None,
            "schedule": {"schedule_type": "TIME_OF_DAY", "time_of_day": "12:00"},
        },
        {"daily-syncs-in-window"},
    ),
}
#: Rules on what is the company's own, or on the one group that a single record makes.
OWN = {"owner-is-a-service-account", "owner-known", "log-in-every-group"}


def _listed(changes: dict[str, Any]) -> dict[str, Any]:
    record = LISTED | changes
    return record | {"status": LISTED["status"] | changes.get("status", {})}


def _found(record: dict[str, Any], verdict: Verdict) -> set[str]:
    verdicts = _verdicts(packs(), [record])
    return {rule for rule, found in verdicts.items() if verdict in found} - OWN


@pytest.mark.parametrize("shape", SHAPES)
def test_what_accounts_list_is_judged_and_well(shape):
    record = _listed(SHAPES[shape])
    found = {"auto-schedule", "few-manual-schedules"} if shape == "by hand" else set()
    assert _found(record, Verdict.ERROR) == set()
    assert _found(record, Verdict.FAIL) == found


@pytest.mark.parametrize("shape", UNWANTED)
def test_what_accounts_list_is_judged_and_found(shape):
    changes, rules = UNWANTED[shape]
    record = _listed(changes)
    assert _found(record, Verdict.ERROR) == set()
    assert _found(record, Verdict.FAIL) == rules


_ALWAYS = {path for path, field in FIELDS.items() if field.always}
#: The specification requires these of a status.
_ALWAYS |= {f"status.{key}" for key in ("setup_state", "sync_state", "update_state")}
_ALWAYS |= {"status.is_historical_sync"}


def _optional() -> list[Field]:
    return [f for p, f in FIELDS.items() if p not in _ALWAYS and "[]" not in p and p.count(".") < 2]


@given(st.data())
@settings(max_examples=tries(100), deadline=None)
def test_whatever_may_be_missing_is_missing_or_null(data):
    changes = data.draw(st.sampled_from([*SHAPES.values(), *(c for c, _ in UNWANTED.values())]))
    record = _listed(copy.deepcopy(changes))
    for field in data.draw(st.lists(st.sampled_from(_optional()), max_size=4)):
        above, _, key = field.path.rpartition(".")
        holder = record.get(above) if above else record
        if not isinstance(holder, dict):
            continue
        if data.draw(st.booleans()) or field.path == "sync_frequency":
            holder[key] = None
        else:
            holder.pop(key, None)
    assert _found(record, Verdict.ERROR) == set()


# -- schedules ------------------------------------------------------------------------------------


@given(
    days=st.sets(st.sampled_from(WEEKDAYS), min_size=1),
    frequency=st.sampled_from([f for f in FIELDS["sync_frequency"].values if isinstance(f, int)]),
    zone=st.integers(-12, 14),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # bounds, made aware
)
@settings(max_examples=tries(200), deadline=None)
def test_who_rests_on_some_days_is_not_stale(days, frequency, zone, now):
    """Whatever the zone: the last sync that was due has succeeded, and the next is not yet due."""
    local = now + timedelta(hours=zone)
    due = (local - timedelta(minutes=frequency * n) for n in range(1 + 8 * 1440 // frequency))
    last = next(moment for moment in due if WEEKDAYS[moment.weekday()] in days)
    record = _listed(
        {
            "sync_frequency": frequency,
            "schedule": {"schedule_type": "INTERVAL", "days_of_week": sorted(days)},
            "succeeded_at": iso(last - timedelta(hours=zone)),
        }
    )
    assert _verdict_at("data-fresh", record, now) is Verdict.PASS
    long_ago = now - timedelta(days=7, minutes=3 * frequency, hours=1)
    record["succeeded_at"] = iso(long_ago)
    assert _verdict_at("data-fresh", record, now) is Verdict.FAIL


@cache
def _only(rule: str) -> Loaded:
    ruleset = packs().ruleset
    rules = tuple(entry for entry in ruleset.rules if entry.rule.id == rule)
    return replace(packs(), ruleset=replace(ruleset, rules=rules))


def _verdict_at(rule: str, record: dict[str, Any], now: datetime) -> Verdict:
    (checks,) = _judged(_only(rule), [record], now)
    return Verdict(checks.verdicts[0])


# -- the lists of services ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "service",
    """db2luw db2z cockroachdb epic_clarity oracle_sap_hva_netweaver azure_cosmos_for_mongo
    es_self_hosted elastic_cloud opensearch opendistro aveva_pi snowflake_db bigquery_db
    databricks_db redshift_db""".split(),
)
def test_these_are_databases(service):
    assert service in _variable("baseline", "databases")


def test_the_list_of_databases_says_where_it_came_from_and_when():
    databases = _variable("baseline", "databases")
    assert "teradata" not in databases
    assert len(set(databases)) == len(databases)
    text = (resource_folder("policies") / "baseline.yaml").read_text()
    above = text.partition("  databases:\n")[0].rpartition("\n  first_day_age")[2]
    assert "OpenAPI" in above
    assert "2026" in above


def _variable(pack: str, name: str) -> list[str]:
    root, _ = nodes.parse((resource_folder("policies") / f"{pack}.yaml").read_bytes(), pack)
    value: list[str] = nodes.plain_value(root)["vars"][name]
    return value


# -- what the documents say -----------------------------------------------------------------------


def test_the_page_on_packs_names_the_rules_that_fail_on_a_new_word():
    page = (resource_folder("policies").parent / "docs" / "packs.md").read_text()
    head = "rules that fail on an unknown value |\n|---|---|\n"
    table = page.partition(head)[2].partition("\n\n")[0]
    rows = [re.findall("`([^`]+)`", line) for line in table.splitlines()]
    named = {path: set(rules) for path, *rules in rows}
    failing: dict[str, set[str]] = {path: set() for path in named}
    for entry, examples in packs().examples:
        if not isinstance(entry, PolicyRule):
            continue
        for path in {*_read_words(entry)} & named.keys():
            for example in examples:
                record = _with_word(dict(example.records[0]), path, "brand_new")
                passes = example.expect is Verdict.PASS
                if passes and record and _verdict_at(entry.rule.id, record, NOW) is Verdict.FAIL:
                    failing[path].add(entry.rule.id)
    assert named == failing
    assert named.keys() >= {path for e in packs().ruleset.rules for path in _read_words(e)} - {
        "schedule.days_of_week[]"
    }
