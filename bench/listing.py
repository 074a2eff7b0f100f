"""Makes a listing as the API answers it: pages of records, about one in seven ill by each rule.

python -m bench.listing COUNT FOLDER [--share 0.15] [--groups 200] [--forms pages,whole,lines]
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

PAGE = 1000
FORMS = ("pages", "whole", "lines")
_DATABASES = ("postgres", "mysql", "sql_server")
_OTHERS = ("salesforce", "google_sheets", "hubspot", "stripe", "s3", "kafka", "jira", "netsuite")
_WORDS = ("orders", "events", "billing", "ledger", "crm", "ads", "finance", "core", "raw", "eu")
_PRIVATE, _PUBLIC = ("PrivateLink", "SshTunnel"), ("Directly", "ProxyAgent")
_ILL, _GROUPS = 0.15, 200


def write_listing(
    count: int,
    folder: Path,
    *,
    share: float = _ILL,
    groups: int = _GROUPS,
    forms: Collection[str] = FORMS[:2],
) -> None:
    """Write ``count`` records into ``folder``, a page at a time.

    ``share`` of them are ill by each rule. Of ``forms``, ``pages`` are answers of the API in
    ``pages/``, ``whole`` is an array in ``whole.json`` and ``lines`` are those of ``lines.ndjson``.
    """
    (folder / "pages").mkdir(parents=True)
    chance = random.Random(count)  # a seed, so that every run measures the same
    made = (_compact(_record(chance, number, share, groups)) for number in range(count))
    files = [
        folder / name if form in forms else Path(os.devnull)
        for form, name in (("whole", "whole.json"), ("lines", "lines.ndjson"))
    ]
    with files[0].open("w") as whole, files[1].open("w") as lines:
        for start in range(0, count, PAGE):
            texts = list(islice(made, PAGE))
            whole.write(f"{',' if start else '['}{','.join(texts)}")
            lines.writelines(f"{text}\n" for text in texts)
            if "pages" in forms:
                number = start // PAGE + 1
                more = f',"next_cursor":"cursor{number}"' if start + PAGE < count else ""
                body = f'{{"code":"Success","data":{{"items":[{",".join(texts)}]{more}}}}}'
                (folder / "pages" / f"{number:06}.json").write_text(body)
        whole.write("]")


def _record(chance: random.Random, number: int, share: float, groups: int) -> dict[str, Any]:
    ill = {rule: chance.random() < share for rule in range(1, 11)}
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
        "group_id": f"group_{chance.randrange(groups):03}",
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


def main() -> None:
    """Write the listing that the command line asks for."""
    parser = argparse.ArgumentParser("python -m bench.listing")
    parser.add_argument("count", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--share", type=float, default=_ILL)
    parser.add_argument("--groups", type=int, default=_GROUPS)
    parser.add_argument("--forms", type=lambda text: text.split(","), default=FORMS[:2])
    write_listing(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
