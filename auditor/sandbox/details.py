"""What only an answer about one thing shows: results of set-up tests, settings, schemas.

Fivetran's listings of connections and destinations leave these out. They are made when they are
asked for, from the id alone, so that a million connections cost nothing.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from auditor.sandbox.words import TOPICS

if TYPE_CHECKING:
    from auditor.sandbox.estate import SandboxEstate

Row = dict[str, Any]

_TESTS = ("Validating credentials", "Connecting to the host", "Checking permissions")
_HANDLING = ("ALLOW_ALL", "ALLOW_COLUMNS", "BLOCK_ALL")
#: A column that somebody has touched: only those are listed.
_TOUCHED = ("email", "phone_number", "internal_note")


def connection(estate: SandboxEstate, record: Row) -> Row:
    """Return a connection as its own answer has it: the listed record, and its set-up tests."""
    tests = estate.setup_tests.get(record["id"])
    if tests is None and record["status"]["setup_state"] != "connected":
        return record  # nobody has run them yet
    return {**record, "setup_tests": _passed() if tests is None else list(tests)}


def destination(_estate: SandboxEstate, row: Row) -> Row:
    """Return a destination as its own answer has it: the listed row, its settings and tests."""
    config = {
        "host": f"{row['service'].replace('_', '-')}.example.com",
        "user": "fivetran_loader",
        "password": "******",
        "database": "analytics",
    }
    return {**row, "config": config, "setup_tests": _passed()}


def tested(_estate: SandboxEstate, row: Row) -> Row:
    """Return ``row`` with its set-up tests, as a log service has them."""
    return {**row, "setup_tests": _passed()}


def project(_estate: SandboxEstate, row: Row) -> Row:
    """Return a transformation project as its own answer has it."""
    return {**row, "status": "READY", "errors": [], "setup_tests": _passed()}


def schemas(record: Row) -> Row | None:
    """Return what a connection syncs; None while its set-up is unfinished.

    Of a table's columns only those are listed that somebody has touched.
    """
    if record["status"]["setup_state"] == "incomplete":
        return None
    rng = random.Random(f"schemas:{record['id']}")  # noqa: S311  # not for secrets
    handling = _HANDLING[rng.choices((0, 1, 2), (6, 3, 1))[0]]
    name = record["schema"].partition(".")[0]
    tables = {topic: _table(topic, rng) for topic in rng.sample(TOPICS, 3)}
    return {
        "enable_new_by_default": handling == "ALLOW_ALL",
        "schema_change_handling": handling,
        "schemas": {
            name: {"name_in_destination": name, "enabled": True, "tables": tables},
        },
    }


def _table(name: str, rng: random.Random) -> Row:
    touched = rng.sample(_TOUCHED, rng.choices((0, 1, 2), (5, 3, 1))[0])
    return {
        "name_in_destination": name,
        "enabled": rng.random() < 0.9,
        "sync_mode": "SOFT_DELETE",
        "supports_columns_config": True,
        "supports_history_mode": True,
        "enabled_patch_settings": {"allowed": True},
        "columns": {
            column: {
                "name_in_destination": column,
                "enabled": column != "internal_note",
                "hashed": column != "internal_note",
                "is_primary_key": False,
                "enabled_patch_settings": {"allowed": True},
            }
            for column in touched
        },
    }


def _passed() -> list[Row]:
    return [{"title": title, "status": "PASSED", "message": ""} for title in _TESTS]
