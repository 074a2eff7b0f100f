"""Makes a listing as the API answers it: pages of records, about one in seven ill by each rule."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = 1000
_DATABASES = ("postgres", "mysql", "sql_server")
_OTHERS = ("salesforce", "google_sheets", "hubspot", "stripe", "s3", "kafka", "jira", "netsuite")
_WORDS = ("orders", "events", "billing", "ledger", "crm", "ads", "finance", "core", "raw", "eu")
_PRIVATE, _PUBLIC = ("PrivateLink", "SshTunnel"), ("Directly", "ProxyAgent")
_ILL = 0.15


def write_listing(count: int, folder: Path) -> None:
    """Write ``pages/`` and ``whole.json``, an array of the same ``count`` records."""
    pages = folder / "pages"
    pages.mkdir(parents=True)
    chance = random.Random(count)  # a seed, so that every run measures the same
    texts = [_compact(_record(chance, number)) for number in range(count)]
    (folder / "whole.json").write_text(f"[{','.join(texts)}]")
    starts = range(0, count, PAGE)
    for number, start in enumerate(starts, 1):
        following = f',"next_cursor":"cursor{number}"' if number < len(starts) else ""
        items = ",".join(texts[start : start + PAGE])
        body = f'{{"code":"Success","data":{{"items":[{items}]{following}}}}}'
        (pages / f"{number:06}.json").write_text(body)


def _record(chance: random.Random, number: int) -> dict[str, Any]:
    ill = {rule: chance.random() < _ILL for rule in range(1, 11)}
    pick = chance.choice
    database = chance.random() < 0.4
    schema = f"{pick(_WORDS)}_{_word(chance)}"
    daily = chance.random() < 0.3
    frequency = pick((1, 5, 2880)) if ill[1] else 1440 if daily else pick((15, 60, 360))
    tests = [
        {"title": title, "status": "PASSED", "message": "OK", "details": ""}
        for title in ("Validate login", "Connect through the tunnel", "Check permissions")
    ]
    if ill[9]:
        tests[-1] |= {"status": "FAILED", "details": f"user {_word(chance)} lacks SELECT"}
    warning = {"code": "resync_table_warning", "message": "A table is synced anew", "details": ""}
    return {
        "id": f"{_word(chance)}_{number:x}",
        "service": pick(_DATABASES) if database else pick(_OTHERS),
        "schema": schema.upper() if ill[5] else schema,
        "paused": False,
        "status": {
            "tasks": [],
            "warnings": [warning] if ill[10] else [],
            "setup_state": "broken" if ill[4] else "connected",
            "schema_status": "ready",
            "sync_state": "scheduled",
            "update_state": "on_schedule",
            "is_historical_sync": False,
            "rescheduled_for": None,
        },
        "config": {
            "host": f"{_word(chance)}.eu-west-1.example.com",
            "port": 5432,
            "user": _word(chance),
            "password": "******",
            "database": _word(chance),
            "update_method": "XMIN",
            "connection_type": "Directly",
            "is_secure": True,
            "schema_prefix": _word(chance),
            "tunnel_host": f"{_word(chance)}.bastion.example.com",
            "tunnel_user": _word(chance),
            "public_key": f"ssh-rsa {''.join(_word(chance) for _ in range(20))}",
            "tables": [_word(chance) for _ in range(4)],
        },
        "group_id": f"group_{chance.randrange(200):03}",
        "service_version": 1,
        "connected_by": f"user_{_word(chance)}",
        "created_at": _moment(chance, 2024),
        "succeeded_at": _moment(chance, 2025, "11") if ill[8] else _moment(chance, 2025),
        "failed_at": None,
        "pause_after_trial": ill[2],
        "sync_frequency": frequency,
        "data_delay_threshold": 0,
        "data_delay_sensitivity": "NORMAL",
        "daily_sync_time": None if ill[7] else "14:00",
        "schedule_type": "manual" if ill[3] else "auto",
        "setup_tests": tests,
        "private_link_id": None,
        "networking_method": pick(_PUBLIC if ill[6] else _PRIVATE),
        "proxy_agent_id": None,
        "source_sync_details": {"last_synced": _moment(chance, 2025)},
        "hybrid_deployment_agent_id": None,
        "connect_card": {
            "token": "not-a-token-but-as-long-as-one" * 2,
            "uri": "https://example.com/connect-card/setup?auth=not-a-token-but-as-long-as-one",
        },
        "connect_card_config": {"redirect_uri": "https://example.com", "hide_setup_guide": True},
    }


def _word(chance: random.Random) -> str:
    return f"{chance.getrandbits(40):010x}".translate(_LETTERS)


_LETTERS = str.maketrans("0123456789", "ghijklmnop")


def _moment(chance: random.Random, year: int, month: str = "12") -> str:
    day, second = chance.randrange(1, 29), chance.randrange(60)
    return f"{year}-{month}-{day:02}T{second % 24:02}:{second:02}:{second:02}.{second:06}Z"


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def pages_of(folder: Path) -> Iterator[bytes]:
    """Yield the bodies of the pages that ``write_listing`` wrote to ``folder``."""
    for path in sorted((folder / "pages").iterdir()):
        yield path.read_bytes()


if __name__ == "__main__":
    write_listing(int(sys.argv[1]), Path(sys.argv[2]))
