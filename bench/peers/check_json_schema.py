"""check-jsonschema: the command over one array, whose answer says where each error is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.answer import answer

#: Each rule asks one field, and no other rule asks it.
_RULES = {
    "sync_frequency": "R1",
    "pause_after_trial": "R2",
    "schedule_type": "R3",
    "status.setup_state": "R4",
    "schema": "R5",
    "networking_method": "R6",
    "daily_sync_time": "R7",
    "succeeded_at": "R8",
    "setup_tests": "R9",
    "status.warnings": "R10",
}


def judge(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each violation in the array of ``folder``."""
    with tempfile.TemporaryDirectory() as place:
        schema = Path(place) / "array.schema.json"
        one = json.loads(Path(__file__).with_name("rules.schema.json").read_text())
        schema.write_text(json.dumps({"items": one}))
        command = [sys.executable, "-m", "check_jsonschema", "-o", "JSON", "--schemafile"]
        command += [str(schema), str(folder / "whole.json")]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode not in (0, 1):
        sys.exit(ended.stderr)
    errors = json.loads(ended.stdout)["errors"]
    places = {re.fullmatch(r"\$\[(\d+)\]\.([a-z_.]+)", error["path"]) for error in errors}
    found = {(int(place[1]), place[2]) for place in places if place}
    ids = _ids(folder) if "--pairs" in sys.argv else {}
    for number, field in found:
        yield _RULES[field], ids.get(number, "")


def _ids(folder: Path) -> dict[int, str]:
    records = json.loads((folder / "whole.json").read_bytes())
    return {number: record["id"] for number, record in enumerate(records)}


if __name__ == "__main__":
    answer(judge(Path(sys.argv[1])))
