"""An account that changes while it is walked: what one walk promises, and what verifying adds.

Every request is answered from the account as it is at that moment, then the account changes by a
schedule that Hypothesis draws: inserts, deletes, renames, page sizes, failures.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.model import Completeness
from tests.sources.fault_server import Answer, FaultServer, Request, kept, record
from tests.sources.walking import Walk, walk

_QUICK = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass
class Account:
    """Ids in the order of the listing; a cursor is an offset, as the API's seem to be.

    ``schedule`` are the changes, one list a request; ``moments`` what it held at each.
    """

    schedule: list[list[tuple[str, int]]] = field(default_factory=list)
    page_size: int = 2
    ids: list[str] = field(default_factory=list)
    moments: list[tuple[str, ...]] = field(default_factory=list)
    #: For each answer with a page: where it began, and what it showed.
    shown: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    names: int = 0

    def begin(self, size: int, page_size: int, schedule: list[list[tuple[str, int]]]) -> None:
        self.names = size
        self.ids = [f"c{n}" for n in range(size)]
        self.page_size, self.schedule = page_size, schedule
        self.moments, self.shown = [], []

    def __call__(self, request: Request) -> Answer:
        asked = len(self.moments)
        self.moments.append(tuple(self.ids))
        changes = self.schedule[asked] if asked < len(self.schedule) else []
        if any(kind == "fail" for kind, _ in changes):
            answer = kept(b"", 503)
        else:
            answer = self._page(int(request.query.get("cursor", "0")))
        for kind, at in changes:
            self._change(kind, at)
        return answer

    def _page(self, start: int) -> Answer:
        end = start + self.page_size
        self.shown.append((start, tuple(self.ids[start:end])))
        data: dict[str, Any] = {"items": [record(i.removeprefix("c")) for i in self.ids[start:end]]}
        if end < len(self.ids):
            data["next_cursor"] = str(end)
        return kept(json.dumps({"code": "Success", "data": data}).encode())

    def _change(self, kind: str, at: int) -> None:
        place = at % (len(self.ids) + 1)
        if kind == "insert":
            self.ids.insert(place, f"c{self.names}")
            self.names += 1
        elif kind == "delete" and self.ids:
            del self.ids[place % len(self.ids)]
        elif kind == "rename" and self.ids:
            # To a listing a rename is another place for the same id.
            self.ids.insert(at % len(self.ids), self.ids.pop())
        elif kind == "size":
            self.page_size = at % 4 + 1


_CHANGE = st.tuples(
    st.sampled_from(("insert", "delete", "rename", "size", "fail")), st.integers(0, 9)
)
_SCHEDULES = st.lists(st.lists(_CHANGE, max_size=2), max_size=8)


def _walks(account: Account, seen: Walk) -> list[tuple[int, tuple[str, ...]]]:
    """Return the answers of the last walk."""
    starts = [n for n, (start, _) in enumerate(account.shown) if start == 0]
    assert starts
    assert seen.error is not None or len(starts) == seen.end.walks
    return account.shown[starts[-1] :]


def test_what_a_walk_promises_of_an_account_that_changes() -> None:
    account = Account()
    ends: set[str] = set()
    with FaultServer(account) as server:

        @_QUICK
        @given(st.integers(0, 9), st.integers(1, 5), _SCHEDULES, st.booleans())
        def law(
            size: int, page_size: int, schedule: list[list[tuple[str, int]]], verify: bool
        ) -> None:
            account.begin(size, page_size, schedule)
            seen = walk(server, verify_listing=verify)
            last = _walks(account, seen) if account.shown else []
            if seen.error is not None:
                ends.add("refused")
                return
            found = seen.end
            ends.add(found.completeness.name)
            # Nothing is listed that was not shown, nothing twice, nothing of an earlier walk.
            listed = [name for _, page in last for name in page]
            assert seen.ids == listed
            assert len(set(listed)) == len(listed)
            if found.completeness is Completeness.ONE_PAGE:
                assert len(last) == 1
                assert tuple(listed) in account.moments, "one page is one moment"
            if found.completeness is Completeness.VERIFIED:
                assert verify
                assert found.walks >= 2
                starts = [n for n, (start, _) in enumerate(account.shown) if start == 0]
                before = account.shown[starts[-2] : starts[-1]]
                assert {n for _, page in before for n in page} == set(listed)
            if verify:
                assert found.completeness is not Completeness.ONE_WALK
            if not any(kind in _MOVES for changes in schedule for kind, _ in changes):
                assert sorted(listed) == sorted(account.moments[0])
                assert found.walks == (2 if verify and len(last) > 1 else 1)

        law()
    assert {"ONE_PAGE", "ONE_WALK", "VERIFIED", "refused"} <= ends


_MOVES = {"insert", "delete", "rename"}


def test_what_hides_in_one_walk_does_not_hide_from_two() -> None:
    """Whatever stays in the account all the time is in a verified listing, if changes end."""
    account = Account()
    hidden = 0
    with FaultServer(account) as server:

        @_QUICK
        @given(
            st.integers(3, 9),
            st.lists(st.integers(0, 8), min_size=1, max_size=2),
            st.integers(0, 2),
        )
        def law(size: int, deleted: list[int], moment: int) -> None:
            nonlocal hidden
            schedule: list[list[tuple[str, int]]] = [[] for _ in range(moment)]
            schedule.append([("delete", at) for at in deleted])
            account.begin(size, 2, schedule)
            once = walk(server)
            stayed = set(account.moments[0]) & set(account.ids)
            hidden += once.error is None and not stayed <= set(once.ids)
            account.begin(size, 2, schedule)
            twice = walk(server, verify_listing=True)
            if twice.error is None:
                stayed = set(account.moments[0]) & set(account.ids)
                assert stayed <= set(twice.ids)

        law()
    assert hidden, "no schedule hid anything from one walk: the law above proves nothing"
