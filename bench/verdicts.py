"""The auditor without reports: verdicts only, through the library."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

from auditor import SnapshotSource, Verdict, audit, load_policies
from bench.answer import answer


def main() -> None:
    """Answer for the pages in the folder named."""
    gc.disable()
    rules = load_policies(str(Path(__file__).with_name("rules.yaml")))
    result = audit(SnapshotSource(str(Path(sys.argv[1]) / "pages")), rules)
    if "--pairs" in sys.argv:
        answer(
            (checks.rule.id, connection)
            for checks in result.checks
            for connection, verdict in zip(result.connections.ids, checks.verdicts, strict=True)
            if verdict == Verdict.FAIL
        )
    else:
        print(json.dumps({checks.rule.id: checks.count(Verdict.FAIL) for checks in result.checks}))


if __name__ == "__main__":
    main()
