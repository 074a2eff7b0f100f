"""What every way of judging answers: how many violations each rule has, or each violation."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable


def answer(found: Iterable[tuple[str, str]]) -> None:
    """Print how many violations each rule has; with ``--pairs`` a line per rule and connection.

    A pair is a rule's id and the id of a connection that violates it.
    """
    if "--pairs" in sys.argv:
        sys.stdout.writelines(f"{rule} {connection}\n" for rule, connection in found)
    else:
        print(json.dumps(Counter(rule for rule, _ in found)))
