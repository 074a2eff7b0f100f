"""Runs one command and prints what it took, as JSON: exit code, seconds, processor seconds, MiB.

It is a small process of its own, since a process looks no smaller than the one that started it.

    python -m bench.once COMMAND …
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def main() -> None:
    """Run the command that the command line holds."""
    started = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    # Told here, so that the process is not waited for twice.
    process.returncode = os.waitstatus_to_exitcode(status)
    processor = usage.ru_utime + usage.ru_stime
    print(json.dumps([process.returncode, seconds, processor, usage.ru_maxrss / 1024]))


if __name__ == "__main__":
    main()
