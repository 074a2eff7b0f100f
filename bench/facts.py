"""Ten rules, of which five or none read facts: a snapshot with lists, and the two policies.

The five that read none ask the same of a connection's own fields, and as many connections fail.

    python -m bench.facts FOLDER
"""

from __future__ import annotations

import json
import random
import sys
from hashlib import sha256
from pathlib import Path

from bench.listing import pages_of

_USERS, _GROUPS = 500, 200
#: Each rule twice: as it asks a fact, and as it asks the connection itself.
_RULES = (
    ("{owner.active: true}", "{pause_after_trial: false}"),
    ("{owner.email: {ends_with: '@example.com'}}", "{networking_method: {not_equals: none}}"),
    ("{destination.region: {starts_with: AWS}}", "{group_id: {starts_with: group}}"),
    ("{group.name: {starts_with: Group}}", "{service: {not_equals: none}}"),
    ("{floors.minutes: {gte: 5}}", "{data_delay_threshold: {gte: 0}}"),
)
_OWN = (
    "facts:\n  floors: {key: service, columns: {minutes: integer}, rows: {mysql: 15},"
    " default: {minutes: 5}}\n"
)


def write_facts(folder: Path) -> None:
    """Write ``facts.ndjson``, ``facts.yaml`` and ``none.yaml`` beside the pages in ``folder``."""
    chance = random.Random(1)
    users = [
        {"id": f"u{n}", "email": f"u{n}@example.com", "active": chance.random() > 0.15}
        for n in range(_USERS)
    ]
    groups = [f"group_{number:03}" for number in range(_GROUPS)]
    lists = {
        "users": users,
        "groups": [{"id": group, "name": f"Group {group}"} for group in groups],
        "destinations": [
            {"id": group, "group_id": group, "region": "AWS_EU_WEST_1"} for group in groups
        ],
        "account": [{"id": "bench", "name": "Bench"}],
    }
    records = [
        {**record, "connected_by": f"u{chance.randrange(_USERS)}"}
        for body in pages_of(folder)
        for record in json.loads(body)["data"]["items"]
    ]
    header = {"fivetran_auditor_snapshot": 2, "taken_at": "2026-01-01T00:00:00Z", "filters": {}}
    told = [{"list": name, "rows": rows} for name, rows in lists.items()]
    lines = [json.dumps(value, separators=(",", ":")) for value in (header, *told, *records)]
    text = "".join(f"{line}\n" for line in lines)
    closing = {"end": True, "connections": len(records), "walks": 1, "completeness": "one_page"}
    closing["sha256"] = sha256(text.encode()).hexdigest()
    (folder / "facts.ndjson").write_text(f"{text}{json.dumps(closing)}\n")
    for number, name in enumerate(("facts", "none")):
        rules = "".join(
            f"  - {{id: F{n}, severity: low, assert: {pair[number]}}}\n"
            for n, pair in enumerate(_RULES)
        )
        own = _OWN if name == "facts" else ""
        plain = Path("bench/rules.yaml").read_text().partition("rules:\n")[2]
        five = plain.partition("  - id: R6")[0]
        (folder / f"{name}.yaml").write_text(f"policy: {name}\n{own}rules:\n{five}{rules}")


if __name__ == "__main__":
    write_facts(Path(sys.argv[1]))
