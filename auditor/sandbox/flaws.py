"""What is wrong in an estate: a table of flaws, each named after what people police.

A flaw spoils one healthy connection. Some carry several names, as trouble does: a broken set-up
is late, stale and has failed. The names an estate reports are exact: a connection is under a name
if, and only if, it has that flaw.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from auditor.clock import iso
from auditor.sandbox.services import DATABASES, PLATFORM, SUNSET
from auditor.sandbox.words import PEOPLE

Record = dict[str, Any]

#: Not a token: three segments that only look like one.
FAKE_TOKEN = "eyJhbGciOiJub25lIn0.eyJzYW5kYm94Ijp0cnVlfQ.not-a-signature"


@dataclass(frozen=True, slots=True)
class Moment:
    """What a flaw draws from: the estate's generator and its present."""

    rng: random.Random
    now: datetime

    def ago(self, low: float, high: float) -> str:
        """Return a time between ``low`` and ``high`` days ago, as the API writes it."""
        return iso(self.now - timedelta(days=self.rng.uniform(low, high)))

    def person(self) -> str:
        """Return the id of somebody."""
        return PEOPLE[self.rng.randrange(len(PEOPLE))][0]


@dataclass(frozen=True, slots=True)
class Flaw:
    """One way to spoil a connection, under the ``names`` it then goes by.

    ``share`` is how many connections in a thousand have it; at least one does, if any ``fits``.
    """

    names: tuple[str, ...]
    share: int
    fits: Callable[[Record], bool]
    spoil: Callable[[Record, Moment], None]


def spoil(
    records: list[Record], rng: random.Random, now: datetime
) -> Mapping[str, tuple[str, ...]]:
    """Spoil some of ``records`` in place; return the ids under each name, in listing order.

    No connection is spoilt twice, so that each flaw can be seen by itself.
    """
    moment = Moment(rng, now)
    found: dict[str, set[int]] = {}
    lost = _lose_a_platform_connection(records)
    free = [
        number
        for number, record in enumerate(records)
        if record["service"] != PLATFORM.id and record is not lost
    ]
    rng.shuffle(free)
    for flaw in FLAWS:
        wanted = max(1, round(len(records) * flaw.share / 1000))
        chosen = set(islice((n for n in free if flaw.fits(records[n])), wanted))
        for number in sorted(chosen):
            flaw.spoil(records[number], moment)
        free = [number for number in free if number not in chosen]
        for name in flaw.names:
            found[name] = found.get(name, set()) | chosen
    found["loaded-twice"] = _load_twice(records, free, max(1, len(records) * 5 // 1000))
    flaws = {
        name: tuple(records[number]["id"] for number in sorted(numbers))
        for name, numbers in found.items()
        if numbers
    }
    return flaws | ({"group-without-log": (lost["group_id"],)} if lost else {})


def _lose_a_platform_connection(records: list[Record]) -> Record | None:
    """Turn the platform connection of the last group into one to a harmless service."""
    platforms = [record for record in records if record["service"] == PLATFORM.id]
    if not platforms:
        return None
    record = platforms[-1]
    record["service"] = "hubspot"
    record["schema"] = record["schema"].replace(PLATFORM.id, "hubspot_portal")
    record["config"] = {"schema": record["schema"], "auth_type": "OAuth"}
    return record


def _load_twice(records: list[Record], free: list[int], wanted: int) -> set[int]:
    """Make the second connection of some pairs in one group a copy of the first."""
    first_of_group: dict[str, int] = {}
    twins: set[int] = set()
    for number in free:
        if len(twins) >= 2 * wanted:
            break
        copied = records[number]
        partner = first_of_group.pop(copied["group_id"], None)
        if partner is None:
            first_of_group[copied["group_id"]] = number
            continue
        kept = {key: copied[key] for key in ("id", "created_at", "connected_by")}
        copied.clear()
        copied.update(copy.deepcopy(records[partner]), **kept)
        twins |= {partner, number}
    return twins


def _anything(_record: Record) -> bool:
    return True


def _is_database(record: Record) -> bool:
    return record["service"] in DATABASES


def _is_application(record: Record) -> bool:
    return record["networking_method"] == "Directly" and "." not in record["schema"]


def _is_regulated(record: Record) -> bool:
    return record.get("hybrid_deployment_agent_id") is not None


def _repeats(record: Record) -> bool:
    """Whether there is an interval, shorter than a day, that staleness can be measured by."""
    return record["sync_frequency"] is not None and record["sync_frequency"] < 1440


def _sync_every(record: Record, minutes: int, moment: Moment) -> None:
    record["sync_frequency"] = minutes
    record["succeeded_at"] = iso(moment.now - timedelta(seconds=minutes * 30))
    record.pop("daily_sync_time", None)
    record.pop("schedule", None)


def _every_minute(record: Record, moment: Moment) -> None:
    _sync_every(record, 1, moment)


def _every_five_minutes(record: Record, moment: Moment) -> None:
    _sync_every(record, 5, moment)
    record["connected_by"] = moment.person()


def _pause_after_trial(record: Record, _moment: Moment) -> None:
    record["pause_after_trial"] = True


def _schedule_by_hand(record: Record, _moment: Moment) -> None:
    record["schedule_type"] = "manual"
    record["schedule"] = {"schedule_type": "MANUAL"}
    record["sync_frequency"] = record["sync_frequency"] or 360
    record.pop("daily_sync_time", None)
    record["connected_by"] = None


def _break(record: Record, moment: Moment) -> None:
    record["status"].update(
        setup_state="broken",
        sync_state="scheduled",
        update_state="delayed",
        tasks=[{"code": "reconnect", "message": "Reconnect the source.", "details": {}}],
    )
    record["succeeded_at"] = moment.ago(9, 30)
    record["failed_at"] = moment.ago(0.05, 0.5)
    record["setup_tests"] = [
        {"title": "Validating credentials", "status": "FAILED", "message": "Access was denied."},
        {"title": "Checking permissions", "status": "SKIPPED", "message": ""},
    ]


def _leave_incomplete(record: Record) -> None:
    record["status"].update(setup_state="incomplete", sync_state="scheduled")
    record["succeeded_at"] = record["failed_at"] = None
    record.pop("setup_tests", None)
    record.pop("source_sync_details", None)
    record["connect_card"] = {
        "token": FAKE_TOKEN,
        "uri": f"https://fivetran.com/connect-card/setup?auth={FAKE_TOKEN}",
    }
    record["connect_card_config"] = {
        "redirect_uri": "https://example.com/done",
        "hide_setup_guide": True,
        "all_fields": False,
    }


def _abandon(record: Record, moment: Moment) -> None:
    _leave_incomplete(record)
    record["created_at"] = moment.ago(60, 200)
    record["setup_tests"] = [
        {
            "title": "Connecting to the host",
            "status": "JOB_FAILED",
            "message": "The test did not finish.",
            "details": "No answer within 60 seconds.",
        }
    ]


def _begin(record: Record, moment: Moment) -> None:
    _leave_incomplete(record)
    record["created_at"] = moment.ago(0.1, 3)


def _starve(record: Record, moment: Moment) -> None:
    record["status"].update(sync_state="scheduled", update_state="delayed")
    record["succeeded_at"] = moment.ago(6, 30)
    record["failed_at"] = None


def _fail(record: Record, moment: Moment) -> None:
    minutes = record["sync_frequency"]
    record["failed_at"] = iso(moment.now - timedelta(minutes=minutes * 0.02))
    record["status"]["warnings"] = [
        {
            "code": "resync_table_warning",
            "message": "A table has to be synced anew.",
            "details": "accounts",
        }
    ]


def _never_sync(record: Record, moment: Moment) -> None:
    record["created_at"] = moment.ago(40, 300)
    record["succeeded_at"] = record["failed_at"] = None
    record.pop("source_sync_details", None)


def _resync_for_weeks(record: Record, moment: Moment) -> None:
    record["status"].update(is_historical_sync=True, sync_state="syncing")
    record["created_at"] = moment.ago(60, 300)
    record["succeeded_at"] = moment.ago(21, 50)
    record["failed_at"] = None


def _warn(record: Record, _moment: Moment) -> None:
    record["status"]["warnings"] = [
        {
            "code": "snowflake_discontinuing_password_auth",
            "message": "Password sign-in ends; use a key pair.",
            "details": {},
        }
    ]
    record["setup_tests"] = [
        {"title": "Validating credentials", "status": "WARNING", "message": "Password sign-in."}
    ]
    record["service_version"] = 0


def _expose(record: Record, _moment: Moment) -> None:
    record["networking_method"] = "Directly"
    record["private_link_id"] = record["proxy_agent_id"] = None
    record["config"] |= {"always_encrypted": False, "host": "198.51.100.24"}
    record["config"].pop("tunnel_host", None)
    record["config"].pop("tunnel_port", None)


def _unlink(record: Record, _moment: Moment) -> None:
    record["networking_method"] = "PrivateLink"
    record["private_link_id"] = record["proxy_agent_id"] = None


def _unproxy(record: Record, _moment: Moment) -> None:
    record["networking_method"] = "ProxyAgent"
    record["private_link_id"] = record["proxy_agent_id"] = None


def _misname(record: Record, moment: Moment) -> None:
    words = record["schema"].split("_")
    bad = ("-".join(words), "".join(word.title() for word in words), f"2024_{record['schema']}")
    record["schema"] = bad[moment.rng.randrange(len(bad))]
    record["config"]["schema"] = record["schema"]
    record["destination_schema_names"] = "SOURCE_NAMING"


def _mute(record: Record, _moment: Moment) -> None:
    record["data_delay_sensitivity"] = "LOW"


def _alert_late(record: Record, _moment: Moment) -> None:
    record["data_delay_sensitivity"] = "CUSTOM"
    record["data_delay_threshold"] = 2880


def _sync_at_noon(record: Record, moment: Moment) -> None:
    _sync_every(record, 1440, moment)
    record["daily_sync_time"] = "12:00"


def _sync_daily_at_any_time(record: Record, moment: Moment) -> None:
    _sync_every(record, 1440, moment)


def _pause_for_months(record: Record, moment: Moment) -> None:
    record["paused"] = True
    record["status"]["sync_state"] = "paused"
    record["created_at"] = moment.ago(250, 900)
    record["succeeded_at"] = moment.ago(70, 200)
    record["failed_at"] = None


def _load_a_sunset_service(record: Record, _moment: Moment) -> None:
    record["schema"] = record["schema"].replace(record["service"], SUNSET.id)
    record["service"] = SUNSET.id
    record["config"] = {"schema": record["schema"], "sync_mode": "AllAccounts"}


def _reschedule(record: Record, moment: Moment) -> None:
    record["status"].update(
        sync_state="rescheduled", rescheduled_for=iso(moment.now + timedelta(hours=3))
    )


def _block(record: Record, _moment: Moment) -> None:
    record["status"]["schema_status"] = "blocked_on_customer"


def _detach_agent(record: Record, _moment: Moment) -> None:
    record["hybrid_deployment_agent_id"] = None


def _take_over(record: Record, moment: Moment) -> None:
    record["connected_by"] = moment.person()
    record["data_delay_sensitivity"] = "SYNC_FREQUENCY"


#: The ones that few connections fit come first.
FLAWS: tuple[Flaw, ...] = (
    Flaw(("agent-missing",), 4, _is_regulated, _detach_agent),
    Flaw(("public-database", "plain-connection"), 14, _is_database, _expose),
    Flaw(("private-link-without-id",), 6, _is_database, _unlink),
    Flaw(("proxy-agent-without-id",), 5, _is_database, _unproxy),
    Flaw(("schema-blocked",), 4, _is_database, _block),
    Flaw(("sunset-service",), 5, _is_application, _load_a_sunset_service),
    Flaw(("bad-schema-name", "source-naming"), 16, _is_application, _misname),
    Flaw(("stale", "delayed"), 20, _repeats, _starve),
    Flaw(("failed-after-success", "warning"), 14, _repeats, _fail),
    Flaw(("daily-outside-window",), 8, _anything, _sync_at_noon),
    Flaw(("daily-without-time",), 12, _anything, _sync_daily_at_any_time),
    Flaw(("one-minute-sync",), 6, _anything, _every_minute),
    Flaw(("five-minute-sync", "personal-owner"), 12, _anything, _every_five_minutes),
    Flaw(("pause-after-trial",), 8, _anything, _pause_after_trial),
    Flaw(("manual-schedule", "unknown-owner"), 14, _anything, _schedule_by_hand),
    Flaw(
        (
            "broken-setup",
            "task",
            "failed-setup-test",
            "failed-after-success",
            "delayed",
            "stale",
        ),
        16,
        _repeats,
        _break,
    ),
    Flaw(
        ("incomplete-setup", "abandoned-setup", "never-synced", "failed-setup-test"),
        10,
        _anything,
        _abandon,
    ),
    Flaw(("incomplete-setup",), 5, _anything, _begin),
    Flaw(("never-synced",), 6, _anything, _never_sync),
    Flaw(("long-historical-sync",), 6, _anything, _resync_for_weeks),
    Flaw(("warning", "old-version"), 14, _anything, _warn),
    Flaw(("low-sensitivity",), 12, _anything, _mute),
    Flaw(("late-alert",), 4, _anything, _alert_late),
    Flaw(("paused-for-long",), 12, _anything, _pause_for_months),
    Flaw(("rescheduled",), 6, _anything, _reschedule),
    Flaw(("personal-owner",), 10, _anything, _take_over),
)
