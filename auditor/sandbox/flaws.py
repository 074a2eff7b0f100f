"""What is wrong in an estate: two tables of flaws, each named after what people police.

A flaw spoils one healthy connection, or one row of another list; ``spoil.py`` says which. Some
carry several names, as trouble does: a broken set-up is late, stale and has failed. The names an
estate reports are exact: a connection or a row is under a name if, and only if, it has that flaw.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from auditor.clock import iso
from auditor.sandbox.services import (
    ADVERTISING,
    BETA,
    DATABASES,
    DROP_BOX,
    STRIPE,
    SUNSET,
    TIKTOK,
    Service,
)
from auditor.sandbox.words import ADMINISTRATOR, GONE, GUEST, LEAVER, OUT_OF_SERVICE, PEOPLE

Record = dict[str, Any]

#: Not a token: three segments that only look like one.
FAKE_TOKEN = "eyJhbGciOiJub25lIn0.eyJzYW5kYm94Ijp0cnVlfQ.not-a-signature"


@dataclass(frozen=True, slots=True)
class Moment:
    """What a flaw draws from: the estate's generator and its present.

    ``setup_tests`` takes the set-up tests of a connection, by its id: no listing has them.
    """

    rng: random.Random
    now: datetime
    setup_tests: dict[str, tuple[Record, ...]] = field(default_factory=dict)

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
    With ``together`` they are all in one group, as long as it has enough.
    """

    names: tuple[str, ...]
    share: int
    fits: Callable[[Record], bool]
    spoil: Callable[[Record, Moment], None]
    together: bool = False


def _anything(_record: Record) -> bool:
    return True


def _is_database(record: Record) -> bool:
    return record["service"] in DATABASES


def _is_application(record: Record) -> bool:
    return record["networking_method"] == "Directly" and "." not in record["schema"]


def _is_regulated(record: Record) -> bool:
    return record.get("hybrid_deployment_agent_id") is not None


def _is_unregulated_database(record: Record) -> bool:
    return _is_database(record) and not _is_regulated(record)


def _is_linked(destination: Record) -> bool:
    return destination.get("private_link_id") is not None


def _is_no_advertising(record: Record) -> bool:
    return record["service"] not in ADVERTISING


def _repeats(record: Record) -> bool:
    """Whether there is an interval, shorter than a day, that staleness can be measured by."""
    daily = "days_of_week" in record.get("schedule", {})
    return not daily and record["sync_frequency"] is not None and record["sync_frequency"] < 1440


def _sync_every(record: Record, minutes: int, moment: Moment) -> None:
    record["sync_frequency"] = minutes
    record["succeeded_at"] = iso(moment.now - timedelta(seconds=minutes * 30))
    record.pop("daily_sync_time", None)
    record.pop("schedule", None)


def _move_to(service: Service, record: Record) -> None:
    record["schema"] = f"{service.id}_{record['schema']}"
    record["service"] = service.id
    record["config"] = {**service.config, "schema": record["schema"]}
    record.pop("source_sync_details", None)


def _every_minute(record: Record, moment: Moment) -> None:
    _sync_every(record, 1, moment)
    record["connected_by"] = ADMINISTRATOR


def _every_five_minutes(record: Record, moment: Moment) -> None:
    _sync_every(record, 5, moment)
    record["connected_by"] = moment.person()


def _pause_after_trial(record: Record, _moment: Moment) -> None:
    record["pause_after_trial"] = True
    record["connected_by"] = GONE


def _schedule_by_hand(record: Record, moment: Moment) -> None:
    record["schedule_type"] = "manual"
    record["schedule"] = {"schedule_type": "MANUAL"}
    record["sync_frequency"] = record["sync_frequency"] or 360
    record.pop("daily_sync_time", None)
    record["connected_by"] = None
    # Whatever started it has stopped, and nobody was told.
    record["created_at"] = moment.ago(60, 900)
    record["succeeded_at"] = moment.ago(12, 40)
    record["failed_at"] = None


def _break(record: Record, moment: Moment) -> None:
    record["status"].update(
        setup_state="broken",
        sync_state="scheduled",
        update_state="delayed",
        tasks=[{"code": "reconnect", "message": "Reconnect the source.", "details": {}}],
    )
    record["succeeded_at"] = moment.ago(9, 30)
    record["failed_at"] = moment.ago(0.05, 0.5)
    moment.setup_tests[record["id"]] = (
        {"title": "Validating credentials", "status": "FAILED", "message": "Access was denied."},
        {"title": "Checking permissions", "status": "SKIPPED", "message": ""},
    )


def _leave_incomplete(record: Record) -> None:
    record["status"].update(setup_state="incomplete", sync_state="scheduled")
    record["succeeded_at"] = record["failed_at"] = None
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
    record["connect_card_config"]["redirect_uri"] = "http://example.com/done"
    moment.setup_tests[record["id"]] = (
        {
            "title": "Connecting to the host",
            "status": "JOB_FAILED",
            "message": "The test did not finish.",
            "details": "No answer within 60 seconds.",
        },
    )


def _begin(record: Record, moment: Moment) -> None:
    _leave_incomplete(record)
    record["created_at"] = moment.ago(0.1, 3)


def _be_delayed(record: Record, moment: Moment) -> None:
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
    record["succeeded_at"] = None
    record["failed_at"] = moment.ago(0.1, 2)
    record.pop("source_sync_details", None)


def _resync_for_weeks(record: Record, moment: Moment) -> None:
    _move_to(BETA, record)
    record["status"].update(is_historical_sync=True, sync_state="syncing")
    record["created_at"] = moment.ago(60, 300)
    record["succeeded_at"] = moment.ago(21, 50)
    record["failed_at"] = None


def _warn(record: Record, moment: Moment) -> None:
    record["status"]["warnings"] = [
        {
            "code": "snowflake_discontinuing_password_auth",
            "message": "Password sign-in ends; use a key pair.",
            "details": {},
        }
    ]
    moment.setup_tests[record["id"]] = (
        {"title": "Validating credentials", "status": "WARNING", "message": "Password sign-in."},
    )
    # A cron expression has no frequency that its age could be measured by.
    record["sync_frequency"] = None
    record["schedule"] = {"schedule_type": "CRON", "cron": "0 6 * * 1-5"}
    record.pop("daily_sync_time", None)
    record["created_at"] = moment.ago(60, 900)
    record["succeeded_at"] = moment.ago(6, 20)
    record["failed_at"] = None


def _expose(record: Record, _moment: Moment) -> None:
    record["networking_method"] = "Directly"
    record["private_link_id"] = record["proxy_agent_id"] = None
    record["config"] |= {"always_encrypted": False, "user": "root", "connection_type": "Directly"}
    if "hosts" in record["config"]:
        record["config"]["hosts"] = ["198.51.100.24:27017", "198.51.100.25:27017"]
    else:
        record["config"]["host"] = "198.51.100.24"
    for key in ("tunnel_host", "tunnel_port", "tunnel_user"):
        record["config"].pop(key, None)


def _connect_by(way: str, record: Record) -> None:
    record["networking_method"] = record["config"]["connection_type"] = way
    record["private_link_id"] = record["proxy_agent_id"] = None


def _unlink(record: Record, _moment: Moment) -> None:
    _connect_by("PrivateLink", record)


def _unproxy(record: Record, _moment: Moment) -> None:
    _connect_by("ProxyAgent", record)


def _use_a_dead_link(record: Record, _moment: Moment) -> None:
    _connect_by("PrivateLink", record)
    record["private_link_id"] = f"pl_{record['group_id']}{OUT_OF_SERVICE}"


def _send_through_a_lost_proxy(record: Record, _moment: Moment) -> None:
    _connect_by("ProxyAgent", record)
    record["proxy_agent_id"] = f"agent_{record['group_id']}{OUT_OF_SERVICE}"


def _process_on_a_silent_agent(record: Record, _moment: Moment) -> None:
    record["hybrid_deployment_agent_id"] = f"hybrid_{record['group_id']}{OUT_OF_SERVICE}"


def _misname(record: Record, moment: Moment) -> None:
    words = record["schema"].split("_")
    bad = ("-".join(words), "".join(word.title() for word in words), f"2024_{record['schema']}")
    record["schema"] = bad[moment.rng.randrange(len(bad))]
    record["config"]["schema"] = record["schema"]
    record["destination_schema_names"] = "SOURCE_NAMING"


def _mute(record: Record, _moment: Moment) -> None:
    _move_to(STRIPE, record)
    record["data_delay_sensitivity"] = "LOW"  # as a connection is made, and too late for a ledger
    record["destination_configuration"] = {"virtual_warehouse": "COMPUTE_WH"}


def _alert_late(record: Record, _moment: Moment) -> None:
    record["data_delay_sensitivity"] = "CUSTOM"
    record["data_delay_threshold"] = 2880
    record["schema"] += "_quarterly_revenue_by_region_and_segment_and_sales_channel"
    record["config"]["schema"] = record["schema"]


def _sync_at_noon(record: Record, moment: Moment) -> None:
    _sync_every(record, 1440, moment)
    record["daily_sync_time"] = "12:00"


def _sync_daily_at_any_time(record: Record, moment: Moment) -> None:
    _sync_every(record, 1440, moment)


def _pause_for_months(record: Record, moment: Moment) -> None:
    record["paused"] = True
    record["schema"] += "_test"
    record["connected_by"] = LEAVER
    record["status"]["sync_state"] = "paused"
    record["created_at"] = moment.ago(250, 900)
    record["succeeded_at"] = moment.ago(70, 200)
    record["failed_at"] = None


def _load_a_sunset_service(record: Record, _moment: Moment) -> None:
    record["schema"] = record["schema"].replace(record["service"], SUNSET.id)
    record["service"] = SUNSET.id
    record["config"] = {"schema": record["schema"], "sync_mode": "AllAccounts"}


def _reschedule(record: Record, moment: Moment) -> None:
    _move_to(DROP_BOX, record)
    record["status"].update(
        sync_state="rescheduled", rescheduled_for=iso(moment.now + timedelta(hours=3))
    )


def _block(record: Record, _moment: Moment) -> None:
    record["status"]["schema_status"] = "blocked_on_customer"
    record["external_secrets_manager_id"] = "vault_primary"
    record["external_secrets_keys_config"] = {}


def _detach_agent(record: Record, _moment: Moment) -> None:
    record["hybrid_deployment_agent_id"] = None
    if _is_database(record):
        # Else it would be reached over the open internet, which is another flaw.
        _connect_by("SshTunnel", record)
        record["config"]["tunnel_host"] = "bastion.example.com"


def _use_undocumented_words(record: Record, _moment: Moment) -> None:
    # The API's words are no closed sets: each of these is one that its documentation lacks.
    record["status"].update(setup_state="disconnected", sync_state="throttled")
    record["schedule_type"] = "orchestrated"
    record["networking_method"] = "Unknown"  # documented, and says nothing


def _take_over(record: Record, moment: Moment) -> None:
    record["connected_by"] = GUEST
    record["data_delay_sensitivity"] = "SYNC_FREQUENCY"
    _move_to(TIKTOK, record)
    _sync_every(record, 60, moment)


#: The ones that few connections fit come first.
FLAWS: tuple[Flaw, ...] = (
    Flaw(("agent-missing",), 4, _is_regulated, _detach_agent),
    Flaw(("agent-offline",), 4, _is_regulated, _process_on_a_silent_agent),
    Flaw(
        ("public-database", "plain-connection", "administrator"),
        14,
        _is_unregulated_database,
        _expose,
    ),
    Flaw(("private-link-without-id",), 6, _is_unregulated_database, _unlink),
    Flaw(("proxy-agent-without-id",), 5, _is_unregulated_database, _unproxy),
    Flaw(("dead-link",), 5, _is_unregulated_database, _use_a_dead_link),
    Flaw(("proxy-lost",), 5, _is_unregulated_database, _send_through_a_lost_proxy),
    Flaw(("schema-blocked", "unused-secrets-manager"), 4, _is_database, _block),
    Flaw(("sunset-service",), 5, _is_application, _load_a_sunset_service),
    Flaw(("bad-schema-name", "source-naming"), 16, _is_application, _misname),
    Flaw(("stale", "delayed"), 20, _repeats, _be_delayed),
    Flaw(("failed-after-success", "warning"), 14, _repeats, _fail),
    Flaw(("daily-outside-window",), 8, _anything, _sync_at_noon),
    Flaw(("daily-without-time",), 12, _anything, _sync_daily_at_any_time),
    Flaw(
        ("one-minute-sync", "personal-owner", "powerful-owner"),
        6,
        _is_no_advertising,
        _every_minute,
    ),
    Flaw(("five-minute-sync", "personal-owner"), 12, _is_no_advertising, _every_five_minutes),
    Flaw(("pause-after-trial", "personal-owner", "owner-gone"), 8, _anything, _pause_after_trial),
    Flaw(
        ("manual-schedule", "manual-stopped", "unknown-owner", "stale"),
        14,
        _anything,
        _schedule_by_hand,
        together=True,
    ),
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
        (
            "incomplete-setup",
            "abandoned-setup",
            "never-synced",
            "failed-setup-test",
            "insecure-redirect",
        ),
        10,
        _anything,
        _abandon,
    ),
    Flaw(("incomplete-setup",), 5, _anything, _begin),
    Flaw(("never-synced", "only-failed"), 6, _anything, _never_sync),
    Flaw(("long-historical-sync", "beta-service"), 6, _is_application, _resync_for_weeks),
    Flaw(("warning", "test-warning", "stale-cron"), 14, _anything, _warn),
    Flaw(("quiet-ledger", "shared-warehouse"), 12, _is_application, _mute),
    Flaw(("late-alert", "long-schema-name"), 4, _is_application, _alert_late),
    Flaw(
        ("paused-for-long", "test-leftover", "personal-owner", "inactive-owner"),
        12,
        _anything,
        _pause_for_months,
    ),
    Flaw(("rescheduled", "banned-service"), 6, _is_application, _reschedule),
    Flaw(("undocumented-words",), 4, _is_application, _use_undocumented_words),
    Flaw(("personal-owner", "foreign-owner", "eager-advertising"), 10, _is_application, _take_over),
)


@dataclass(frozen=True, slots=True)
class ListFlaw:
    """One way to spoil a row of another list than the connections'.

    ``rows`` is the list, by its attribute of ``Lists``; ``named`` is the field whose value stands
    in ``Estate.flaws``. Each strikes one row, and no two of them strike in the same group.
    """

    name: str
    rows: str
    fits: Callable[[Record], bool]
    changes: Record
    named: str = "id"


#: No group of a healthy estate is there: its data would have left the continent.
REMOTE_REGION = "AWS_AP_SOUTHEAST_2"

LIST_FLAWS: tuple[ListFlaw, ...] = (
    # A link and its destination are in one region; this destination has moved away from its link.
    ListFlaw("region-mismatch", "destinations", _is_linked, {"region": REMOTE_REGION}),
    ListFlaw("broken-destination", "destinations", _anything, {"setup_status": "BROKEN"}),
    ListFlaw("no-active-webhook", "webhooks", _anything, {"active": False}, "group_id"),
    ListFlaw("log-disabled", "external_logging", _anything, {"enabled": False}),
    ListFlaw("failed-transformation", "transformations", _anything, {"status": "FAILED"}),
    ListFlaw("paused-transformation", "transformations", _anything, {"paused": True}),
)
