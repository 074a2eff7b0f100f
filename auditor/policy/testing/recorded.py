"""From a finding to a test: an example that records the verdict on a real connection.

It has only the fields that the rule reads. A value that reports mask is replaced by another with
which the rule comes to the same verdict. It is judged before it is printed.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from auditor.clock import to_the_second
from auditor.decoding.gaps import Gap
from auditor.decoding.json_values import CONCEALED, MISSING, UNREADABLE, Astray, Opaque
from auditor.errors import UsageError
from auditor.facts.own import OwnFacts
from auditor.model import Verdict
from auditor.policy.analysis.tables import Space
from auditor.policy.analysis.witnesses import witness
from auditor.policy.judging.evidence import shown
from auditor.policy.language.conditions import Condition, Get, Nested, reach, reads, tests_in
from auditor.policy.language.operands import Reading
from auditor.policy.language.rules import GroupRule, PolicyRule
from auditor.policy.language.values import is_number
from auditor.policy.loading.nodes import parse, plain_value
from auditor.policy.testing.examples_run import Trial
from auditor.redaction.fields import HIDDEN, REDACTED
from auditor.text import listed, one_line

#: The records of a larger group are more than anybody reads.
_MOST_RECORDS = 200
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z")
#: What YAML, in one version or another, does not read as text.
_NO_TEXT = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_MASKED = frozenset({HIDDEN, REDACTED})
#: A character in two halves, as JSON may have it and YAML may not, and one half.
_PAIR = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")
_HALF = re.compile("[\ud800-\udfff]")

_Record = dict[str, Any]


class Verdicts(msgspec.Struct, frozen=True):
    """What to record: the verdict, when it was judged, and the records that led to it.

    ``choices`` are alternative sets of records, smallest first: the connection's own, those of its
    group. ``name`` describes them.
    """

    verdict: Verdict
    now: datetime
    choices: tuple[tuple[Any, ...], ...]
    name: str


def recorded(
    entry: PolicyRule | GroupRule, facts: Mapping[str, OwnFacts], held: Verdicts, policy: str = ""
) -> Iterator[str]:
    """Yield the lines of a test file with one test, which passes today.

    ``policy`` is what the file has to name, "" for a file beside the policy. Raises UsageError,
    with the reason, if no test can record the verdict.
    """
    trial = Trial(entry, facts)
    now = held.now.replace(microsecond=0)
    paths = _paths(entry, facts)
    why = "a group's verdict depends on more than its records"
    for choice in held.choices:
        if len(choice) > _MOST_RECORDS:
            why = f"it takes the {len(choice):,} connections of its group"
            continue
        records = [_plain(record, paths) for record in choice]
        if trial.verdict(records, now) is not held.verdict:
            continue
        masked = _Masked(entry, records)
        kept = masked.kept(lambda each: trial.verdict(each, now) is held.verdict)
        if kept is None:
            why = (
                f"it rests on {listed(sorted(masked.paths), 'and')}, which reports do not show:"
                " list the path under reveal: in the policy, or write the test by hand"
            )
            continue
        lines = list(_lines(entry, kept, held, now, policy))
        _check(lines, kept)
        yield from lines
        return
    raise UsageError(f"{entry.rule.id}: no test can hold this {held.verdict.label}: {why}")


# -- what the rule reads --------------------------------------------------------------------------


def _paths(entry: PolicyRule | GroupRule, facts: Mapping[str, OwnFacts]) -> list[str]:
    """Return each path that decides, without those within arrays; outer ones first."""
    found = [path for condition in _conditions(entry) for path, _ in reads(condition)]
    if isinstance(entry, GroupRule):
        found += [*entry.keys, *entry.compared, *entry.budgets]
    found = [path.partition("[]")[0] for path in found]
    found += [
        facts[path.partition(".")[0]].key for path in found if path.partition(".")[0] in facts
    ]
    return sorted(dict.fromkeys(found), key=lambda path: path.count("."))


def _conditions(entry: PolicyRule | GroupRule) -> list[Condition]:
    if isinstance(entry, PolicyRule):
        found = [entry.when, entry.assertion]
    else:
        found = [entry.when, entry.chosen, entry.unless]
    return [condition for condition in found if condition is not None]


def _plain(record: Any, paths: Iterable[str]) -> _Record:
    """Return the values of ``record`` at ``paths``, as JSON. Raises UsageError."""
    made: _Record = {}
    for path in paths:
        at, value = path, reach(record, path)
        while type(value) is Astray and "." in at:
            # Something other than an object is above: that is what decides.
            at = at.rpartition(".")[0]
            value = reach(record, at)
        if value is not MISSING:
            _put(made, at, _json(value, at))
    return made


def _put(record: _Record, path: str, value: Any) -> None:
    *above, last = path.split(".")
    holder: Any = record
    for step in above:
        holder = holder.setdefault(step, {})
        if not isinstance(holder, dict):
            return  # Its own value decides.
    if not (isinstance(value, dict) and isinstance(holder.get(last), dict)):
        holder[last] = value


def _json(value: Any, path: str) -> Any:
    if value is CONCEALED:
        return REDACTED
    if isinstance(value, Opaque):
        return {}
    if type(value) in UNREADABLE or type(value) is Gap:
        raise UsageError(f"{path} is {one_line(str(value))}: a test cannot hold that")
    if isinstance(value, msgspec.Struct):
        names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
        pairs = ((name, getattr(value, attribute)) for name, attribute in names)
        return {n: _json(held, f"{path}.{n}") for n, held in pairs if held is not MISSING}
    if isinstance(value, dict):
        return {_json(name, path): _json(held, f"{path}.{name}") for name, held in value.items()}
    if isinstance(value, list):
        return [_json(item, f"{path}[]") for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and not is_number(value):
        raise UsageError(f"{path} is a number out of range: a test cannot hold that")
    if isinstance(value, str) and _HALF.search(value):
        raise UsageError(f"{path} has half a character: a test cannot hold that")
    return value


# -- what is not shown ----------------------------------------------------------------------------


class _Masked:
    """Records with other values in place of those that reports mask."""

    def __init__(self, entry: PolicyRule | GroupRule, records: Sequence[_Record]) -> None:
        self._entry = entry
        self.paths: set[str] = set()
        self._veiled = [self._masked(record, "") for record in records]

    def kept(self, holds: Callable[[Sequence[_Record]], bool]) -> list[_Record] | None:
        """Return records that keep the verdict; None if none were found."""
        if holds(self._veiled):
            return self._veiled
        whole = [path for path in sorted(self.paths) if "[]" not in path]
        if not isinstance(self._entry, PolicyRule) or whole != sorted(self.paths):
            return None
        found: list[_Record] = []

        def shows(get: Get) -> bool:
            made = copy.deepcopy(self._veiled[0])
            for path in whole:
                if get(path) is not MISSING:
                    _replace(made, path, get(path))
            if not found and holds([made]):
                found.append(made)
            return bool(found)

        # Every way in which the tests of masked values can come out.
        tests = [t for c in _conditions(self._entry) for t in tests_in(c) if t.path in self.paths]
        table = Space(tests).table(*tests)
        if table is not None:
            witness(table, table.showable, shows)
        return found or None

    def _masked(self, value: Any, path: str) -> Any:
        if isinstance(value, dict):
            return {
                name: self._masked(held, f"{path}.{name}" if path else name)
                for name, held in value.items()
            }
        if isinstance(value, list):
            return [self._masked(item, f"{path}[]") for item in value]
        if value is None or value == REDACTED:
            return value
        seen = shown(path, value, self._entry.reveal, str)
        if seen not in _MASKED:
            return value
        self.paths.add(path)
        if isinstance(value, str):
            return seen
        return False if isinstance(value, bool) else 0


def _replace(record: _Record, path: str, value: Any) -> None:
    *above, last = path.split(".")
    holder: Any = record
    for step in above:
        holder = holder[step]
    holder[last] = value


# -- what is written ------------------------------------------------------------------------------


def _lines(
    entry: PolicyRule | GroupRule,
    records: Sequence[_Record],
    held: Verdicts,
    now: datetime,
    policy: str,
) -> Iterator[str]:
    if policy:
        yield f"policy: {_scalar(policy)}"
    yield "tests:"
    yield f"  - name: {_scalar(held.name)}"
    if any(_asks_time(condition) for condition in _conditions(entry)):
        yield f"    now: {to_the_second(now)}"
    if isinstance(entry, GroupRule):
        yield "    record:"
        for record in records:
            yield f"      - {_flow(record)}"
    elif records[0]:
        yield "    record:"
        for name, value in records[0].items():
            yield f"      {_scalar(name)}: {_flow(value)}"
    else:
        yield "    record: {}"
    yield f"    expect: {{{entry.rule.id}: {held.verdict.label}}}"


def _asks_time(condition: Condition) -> bool:
    return any(
        test.reading is Reading.TIMESTAMP
        or (isinstance(test.operand, Nested) and _asks_time(test.operand.condition))
        for test in tests_in(condition)
    )


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_scalar(key)}: {_flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return _scalar(value) if isinstance(value, str) else json.dumps(value)


def _scalar(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _NO_TEXT
    if plain or _TIME.fullmatch(text):
        return text
    # A CI server must not obey what is printed.
    written = json.dumps(text).replace("##", r"\u0023#").replace("::", r"\u003a:")
    return _PAIR.sub(_whole, written)


def _whole(pair: re.Match[str]) -> str:
    """Return a character as YAML may have it."""
    character = json.loads('"' + pair[0] + '"')
    return rf"\U{ord(character):08x}"


def _check(lines: Sequence[str], records: Sequence[_Record]) -> None:
    """Raise UsageError if what was written is not what was judged."""
    root, problems = parse("\n".join(lines).encode("utf-8", "surrogatepass"), "the test")
    made: Any = plain_value(root)
    (case,) = made["tests"] if not problems else ({"record": None},)
    if case["record"] not in (records[0] if records else {}, list(records)):
        raise UsageError("a value of the record cannot be written as YAML; write the test by hand")
