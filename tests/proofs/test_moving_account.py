"""An account that changes while it is walked: what one walk promises, and what verifying adds.

Every request is answered from the account as it is at that moment, then the account changes by a
schedule that Hypothesis draws: inserts, deletes, renames, page sizes, failures. A state machine
interleaves the same changes, as rules, with the requests of walks that it holds at each request
for as long as it likes.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from auditor.model import Completeness
from auditor.policy import load_policies
from auditor.reports import REPORTS
from auditor.run import audit
from auditor.sources.api.walk import FivetranSource
from tests.builders.every_report import texts_of, writer_to
from tests.builders.fault_server import Answer, FaultServer, Request, kept, page, record
from tests.builders.walks import CREDENTIALS, Walk, walk

_QUICK = settings(
    max_examples=40,
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


# -- a machine ------------------------------------------------------------------------------------


_KINDS = ("insert", "delete", "delete", "rename", "size", "fail")


class Walking(RuleBasedStateMachine):
    """An account and one walk over it. Its requests wait, and every rule may come in between.

    What is known of the account is kept by the machine alone: ``moments``, each state that the
    account was in since the walk's first request; ``shown``, the pages that it was given.
    """

    ends: set[str] = set()  # noqa: RUF012  # what all runs together have to come to
    hidden = 0

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.names = self.failing = 0
        self.page_size = 2
        self.verify = False
        self.asked: Queue[Request | None] = Queue()
        self.answers: Queue[Answer] = Queue()
        self.server = FaultServer(self._answer)
        self.server.__enter__()
        self.walker: threading.Thread | None = None
        self.waiting: Request | None = None
        self._forget()

    def _forget(self) -> None:
        self.seen = Walk()
        self.moments: list[tuple[str, ...]] = []
        self.shown: list[tuple[int, tuple[str, ...]]] = []
        self.stayed: set[str] = set()

    def _answer(self, request: Request) -> Answer:
        self.asked.put(request)
        return self.answers.get()

    # -- the account, at any time -----------------------------------------------------------------

    @initialize(size=st.integers(0, 9), page_size=st.integers(1, 4))
    def stand(self, size: int, page_size: int) -> None:
        self.names, self.page_size = size, page_size
        self.ids = [f"c{n}" for n in range(size)]

    @rule(at=st.integers(0, 30), to=st.integers(0, 30), kind=st.sampled_from(_KINDS))
    def change(self, at: int, to: int, kind: str) -> None:
        if kind == "insert":
            self.ids.insert(at % (len(self.ids) + 1), f"c{self.names}")
            self.names += 1
        elif kind == "size":
            self.page_size = at % 4 + 1
        elif kind == "fail":
            self.failing = at % 6
        elif self.ids:
            name = self.ids.pop(at % len(self.ids))
            if kind == "rename":
                self.ids.insert(to % (len(self.ids) + 1), name)

    @invariant()
    def remember(self) -> None:
        if self.walker:
            self.moments.append(tuple(self.ids))
            self.stayed &= set(self.ids)

    # -- the walk, a request at a time ------------------------------------------------------------

    @precondition(lambda self: self.walker is None)
    @rule(verify=st.booleans())
    def begin(self, verify: bool) -> None:
        self._forget()
        self.verify, self.stayed = verify, set(self.ids)

        def work() -> None:
            try:
                self.seen = walk(self.server, verify_listing=verify)
            finally:
                self.asked.put(None)

        self.walker = threading.Thread(target=work)
        self.walker.start()
        self.waiting = self.asked.get()

    @precondition(lambda self: self.walker is not None)
    @rule(times=st.integers(1, 4))
    def answer(self, times: int) -> None:
        for _ in range(times):
            if self.walker:
                self._answer_once()

    def _answer_once(self) -> None:
        assert self.waiting is not None
        if self.failing:
            self.failing -= 1
            self.answers.put(kept(b"", 503))
        else:
            start = int(self.waiting.query.get("cursor", "0"))
            items = self.ids[start : start + self.page_size]
            self.shown.append((start, tuple(items)))
            more = start + self.page_size < len(self.ids)
            records = [record(name.removeprefix("c")) for name in items]
            self.answers.put(kept(page(records, str(start + self.page_size) if more else None)))
        self.moments.append(tuple(self.ids))
        self.waiting = self.asked.get()
        if self.waiting is None:
            assert self.walker
            self.walker.join()
            self.walker = None
            self.judge()

    def judge(self) -> None:
        """The walk promises no more than what happened allows."""
        if self.seen.error is not None:
            self.ends.add("refused")
            return
        end = self.seen.end
        self.ends.add(end.completeness.name)
        starts = [n for n, (start, _) in enumerate(self.shown) if start == 0]
        last = [name for _, names in self.shown[starts[-1] :] for name in names]
        assert self.seen.ids == last, "nothing but what the last walk was shown"
        assert len(set(last)) == len(last), "nothing twice"
        assert end.walks == len(starts) <= 3
        match end.completeness:
            case Completeness.ONE_PAGE:
                assert tuple(last) in self.moments, "one page is one moment"
            case Completeness.VERIFIED:
                before = {name for _, n in self.shown[starts[-2] : starts[-1]] for name in n}
                assert self.verify
                assert before == set(last), "two walks in a row agree"
            case Completeness.ONE_WALK:
                assert not self.verify, "who asked to verify is never told less"
                Walking.hidden += not self.stayed <= set(last)
                if len(set(self.moments)) == 1:
                    assert tuple(last) == self.moments[0], "of an account at rest it is the account"
            case other:
                raise AssertionError(other)

    def teardown(self) -> None:
        try:
            while self.walker is not None:
                self._answer_once()
        finally:
            self.server.__exit__()


def _run_the_machine(examples: int, steps: int) -> None:
    Walking.ends.clear()
    Walking.hidden = 0
    run_state_machine_as_test(
        Walking, settings=settings(_QUICK, max_examples=examples, stateful_step_count=steps)
    )
    assert Walking.ends == {"ONE_PAGE", "ONE_WALK", "VERIFIED", "refused"}


def test_a_machine_that_changes_the_account_between_requests() -> None:
    _run_the_machine(40, 30)


@pytest.mark.slow
def test_the_machine_at_length() -> None:
    _run_the_machine(400, 50)
    assert Walking.hidden, "nothing was hidden from one walk: --verify-listing would add nothing"


# -- what people are told -------------------------------------------------------------------------


@pytest.mark.parametrize("verify", [False, True])
def test_every_report_says_what_the_walk_can_promise(verify: bool, tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text("policy: p\nrules: [{id: r, severity: low, assert: {paused: true}}]\n")
    with FaultServer([kept(page([record(1)], "x")), kept(page([record(2)]))] * 2) as server:
        source = FivetranSource(server.url, CREDENTIALS, verify_listing=verify)
        result = audit(source, load_policies(str(policy)))
    writer = writer_to(tmp_path / "reports")
    writer.prepare()
    writer.write(result)
    texts = texts_of(tmp_path / "reports")
    # GitLab's list of what is wrong has no place for what was right: docs/reports.md.
    del texts["gl-code-quality-report.json"]
    assert len(texts) == len(REPORTS) - 1
    # A message, and a list of lines, have room for the claim alone.
    for name in ("report.txt", "slack.json", "teams.json"):
        brief = texts.pop(name).lower()
        assert (
            "everything that one walk over several pages listed was judged" in brief
        ) is not verify, name
    for name, written in texts.items():
        text = written.replace("\\-", "-").lower()
        assert ("may have hidden a connection" in text) is not verify, name
        assert ("--verify-listing" in text) is not verify, name
        assert ("two walks in a row listed the same connections" in text) is verify, name
