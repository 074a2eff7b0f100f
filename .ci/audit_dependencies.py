"""Ask whether a locked release has a known vulnerability: `make audit-dependencies`.

pip-audit ends with 0 and "no known vulnerabilities" where a mirror knows of none, so before an
answer counts, the service has to find the vulnerability of a release that is known to have one.

Exit codes: 0 every release was asked about and none has a known vulnerability; 1 one has; 3 not
audited, which `--where-reachable` (for CI on machines without a way out) turns into 0, as loudly.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

#: In the order of trying.
SERVICES = ("pypi", "osv")
#: CVE-2024-22195 and others.
KNOWN_TO_BE_VULNERABLE = "jinja2==3.1.2"

CLEAN, VULNERABLE, NOT_AUDITED = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said of a lock file: releases asked about, with a problem, and not known."""

    asked: int = 0
    vulnerable: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class Unreachable(Exception):  # noqa: N818  # it is no error of the lock file
    """The service gave no answer. The text says why."""


def ask(service: str, lock: Path) -> Answer:
    """Return what ``service`` says of the releases in ``lock``. Raises Unreachable."""
    asking = ["-m", "pip_audit", "--vulnerability-service", service, "--format", "json"]
    asking += ["--disable-pip", "--no-deps", "--progress-spinner", "off"]
    done = subprocess.run(  # noqa: S603  # the words are ours
        [sys.executable, *asking, "--requirement", str(lock)],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        told = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = done.stderr.strip().splitlines()[-1:] or [f"pip-audit ended with {done.returncode}"]
        # An index of one's own may have a password in its address.
        raise Unreachable(re.sub(r"//[^/@\s]*@", "//", last[0])[:160]) from None
    known = [one for one in told if "skip_reason" not in one]
    return Answer(
        asked=len(known),
        vulnerable=tuple(
            f"{one['name']} {one['version']}: {flaw['id']}, "
            f"repaired in {', '.join(flaw['fix_versions']) or 'no release yet'}"
            for one in known
            for flaw in one["vulns"]
        ),
        unknown=tuple(one["name"] for one in told if "skip_reason" in one),
    )


def why_not(service: str) -> str:
    """Return why answers of ``service`` do not count, "" where they do."""
    with tempfile.TemporaryDirectory() as folder:
        control = Path(folder) / "control.txt"
        control.write_text(f"{KNOWN_TO_BE_VULNERABLE}\n", encoding="utf-8")
        try:
            answer = ask(service, control)
        except Unreachable as error:
            return str(error)
    if answer.vulnerable:
        return ""
    return f"it knows of no vulnerability in {KNOWN_TO_BE_VULNERABLE}, which has some"


def audit(service: str, locks: list[Path]) -> tuple[int, str]:
    """Return the exit code for ``locks`` and a sentence for what was not audited. Prints."""
    code, open_ends = CLEAN, []
    for lock in locks:
        try:
            answer = ask(service, lock)
        except Unreachable as error:
            open_ends.append(f"{lock.name}: {error}")
            continue
        for line in answer.vulnerable:
            code = VULNERABLE
            print(f"VULNERABLE {lock.name}: {line}")
        if answer.unknown or not answer.asked:
            open_ends.append(f"{lock.name}: {', '.join(answer.unknown) or 'nothing was asked'}")
        else:
            found = len(answer.vulnerable) or "none"
            print(f"{lock.name}: releases asked about: {answer.asked}, vulnerabilities: {found}")
    return code, "; ".join(open_ends)


def main() -> int:
    """Audit the lock files that are named, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("locks", nargs="+", type=Path)
    parser.add_argument("--where-reachable", action="store_true")
    chosen = parser.parse_args()
    reasons = []
    for service in SERVICES:
        if reason := why_not(service):
            reasons.append(f"{service}: {reason}")
            continue
        code, open_ends = audit(service, chosen.locks)
        break
    else:
        code, open_ends = CLEAN, "; ".join(reasons)
    if open_ends:
        print(f"\n*** NOT AUDITED for known vulnerabilities: {open_ends}\n", file=sys.stderr)
        return code or (CLEAN if chosen.where_reachable else NOT_AUDITED)
    return code


if __name__ == "__main__":
    sys.exit(main())
