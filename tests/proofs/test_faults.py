"""Every fault ends as it must, in every report, and none of them in a false green."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.canaries import CANARIES, ECHOES, leaked
from tests.builders.every_report import ids_in_junit, said_by_all, texts_of, writer_to
from tests.builders.slow import mostly_slow
from tests.proofs.faults import CREDENTIALS, Fault, Met, judged_ids, meet
from tests.proofs.http_faults import HTTP
from tests.proofs.mixed_faults import MIXED
from tests.proofs.pagination_faults import PAGINATION
from tests.proofs.record_faults import CLOCK, RECORDS

FAULTS: list[Fault] = [*PAGINATION, *HTTP, *RECORDS, *CLOCK, *MIXED]
_OUTCOMES = {0: "passed", 1: "violations", 3: "inconclusive"}


@pytest.fixture(autouse=True)
def _hostile_environment(monkeypatch: pytest.MonkeyPatch, hostile_home: Path) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(hostile_home))
    monkeypatch.setenv("NETRC", str(hostile_home / ".netrc"))


@pytest.fixture(scope="session")
def hostile_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with a .netrc that would give any server another key."""
    home = tmp_path_factory.mktemp("home")
    for name in (".netrc", "_netrc"):
        (home / name).write_text("default login thief password hunter2\n")
        (home / name).chmod(0o600)
    return home


def test_there_are_enough_of_them() -> None:
    assert len(FAULTS) >= 150
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    rows = {fault.name.split()[0] for fault in FAULTS}
    assert rows >= {f"P{n}" for n in range(1, 14)} | {f"R{n}" for n in range(1, 11)} | {"clock"}
    # The rest of HTTP takes a listener of its own: tests below, and tests/sources.
    assert rows >= {f"H{n}" for n in (1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14)}


@pytest.mark.parametrize(
    "fault",
    mostly_slow(FAULTS, 8, lambda fault: fault.name.split()[0]),
    ids=lambda fault: fault.name,
)
def test_a_fault_ends_as_it_must(fault: Fault, tmp_path: Path) -> None:
    met = meet(fault, tmp_path)
    _as_it_must(fault, met)
    folder = tmp_path / "reports"
    writer_to(folder).write(met.result)
    assert said_by_all(folder) == _OUTCOMES[fault.code]
    assert ids_in_junit(folder) >= set(fault.judged.split())
    written = "\n".join((*texts_of(folder).values(), *met.result.gate.reasons))
    assert leaked(written, [*CANARIES.values(), *ECHOES]) == []
    _never_green(fault, met)
    if fault.code == 0 and not fault.once:
        poisoned = meet(fault, tmp_path, violating=True)
        assert poisoned.result.gate.exit_code == 1, "a violation went by unseen"


def _as_it_must(fault: Fault, met: Met) -> None:
    gate = met.result.gate
    assert met.keys <= {CREDENTIALS.authorization}
    assert gate.exit_code == fault.code, gate.reasons
    reasons = "\n".join(gate.reasons)
    assert fault.says in reasons
    assert judged_ids(met.result) == set(fault.judged.split())
    if fault.requests is not None:
        assert met.requests == fault.requests
    if fault.naps is not None:
        assert met.naps == fault.naps
    if fault.warns:
        assert fault.warns in "\n".join((*met.result.warnings, *met.result.listing.warnings))
    for text in (*gate.reasons, *met.result.listing.problems, *met.result.warnings):
        assert text.isprintable()
        assert "Traceback" not in text


def _never_green(fault: Fault, met: Met) -> None:
    if met.result.gate.exit_code == 0:
        assert judged_ids(met.result) == set(fault.holds.split())
        assert met.result.listing.complete
