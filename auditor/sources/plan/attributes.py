"""A resource's attributes in a plan, and what is known of each.

A plan has an attribute as planned, or marks it unknown. In an update, what the configuration does
not set and the plan does not know is not sent, and stays as it was: *kept*, not *unknown*.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any

import msgspec

from auditor.decoding.gaps import NOT_IN_PLAN, Gap, Lack, gaps_in
from auditor.sources.plan.document import Change, ConfiguredResource, ResourceChange


class State(Enum):
    """What a plan knows about a field."""

    KNOWN = "known"
    KEPT = "kept"
    DEFAULT = "by default"
    UNKNOWN = Lack.UNKNOWN.value
    NOT_IN_PLAN = Lack.NOT_IN_PLAN.value


class Held(msgspec.Struct, frozen=True, gc=False):
    """The future value of a field, and where it is set.

    ``attribute`` of the resource at ``address`` is what to write to change it. ``before`` is the
    value so far, UNSET if not known. ``sensitive`` are the paths below the field that must not be
    shown, "" for all of it.
    """

    state: State
    value: Any
    address: str = ""
    attribute: str = ""
    before: Any = msgspec.UNSET
    sensitive: frozenset[str] = frozenset()


ABSENT = Held(State.NOT_IN_PLAN, NOT_IN_PLAN)

_GO_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?)"
    r" ([+-][0-9]{2})([0-9]{2})(?: [A-Z]+)?"
)
_EVERYTHING = frozenset({""})
_NOTHING: frozenset[str] = frozenset()


class Attributes:
    """The attributes of one instance of a resource."""

    def __init__(
        self,
        resource: ResourceChange,
        change: Change,
        configured: ConfiguredResource | None,
        *,
        fresh: bool,
    ) -> None:
        self.address = resource.address
        #: Whether the result is a new object: created, or a replacement.
        self.fresh = fresh
        self.after = _object(change.after)
        self.before = _object(change.before)
        self._all_unknown = change.after_unknown is True
        self._unknown = _object(change.after_unknown)
        self._hidden = _hidden(change.after_sensitive, change.before_sensitive)
        self._written = _written(configured)

    def has(self, name: str) -> bool:
        """Whether the resource has the attribute at all: planned, or to be known later."""
        return name in self.after or self.unknown(name)

    def writes(self, name: str) -> bool:
        """Whether the configuration sets the attribute; if there is none, as far as is known."""
        if self._written is not None:
            return name in self._written
        return self.unknown(name) or self.after.get(name) is not None

    def unknown(self, name: str) -> bool:
        """Whether all of the attribute is unknown until applied."""
        return self._all_unknown or self._unknown.get(name) is True

    def expression(self, name: str) -> msgspec.Raw | None:
        """Return the attribute's expression in the configuration."""
        return (self._written or {}).get(name)

    def read(self, name: str, convert: Any = None) -> Held | None:
        """Return what the attribute will be; None if nothing sets it, or ever did.

        An unset attribute of a new object is None: the account decides it, or nobody.
        """
        sensitive = self.sensitive(name)
        before = self._before_value(name, convert)
        if self.unknown(name):
            if self.writes(name):
                return self.gap(name, before=before)
            if self.fresh or before is msgspec.UNSET:
                return None
            return Held(State.KEPT, before, self.address, name, before, sensitive)
        value = self._merged(name)
        gone = self.fresh or name not in self.after
        if value is None and gone and not self.writes(name):
            return None
        converted = value if convert is None else convert(value)
        kept = not self.fresh and not self.writes(name) and converted == before
        state = State.KEPT if kept else State.KNOWN
        return Held(state, converted, self.address, name, before, sensitive)

    def constants(self, name: str) -> frozenset[str]:
        """Return the paths below a block that the configuration writes as constants."""
        raw = self.expression(name)
        try:
            block: Any = msgspec.json.decode(raw) if raw is not None else None
        except msgspec.MsgspecError:
            return _NOTHING
        return frozenset(_constants(block, name))

    def gap(self, name: str, *, before: Any = msgspec.UNSET) -> Held:
        """Return the attribute as unknown until applied, with what to write."""
        return Held(
            State.UNKNOWN,
            Gap(Lack.UNKNOWN, f"known only after apply; write {name} of {self.address}"),
            self.address,
            name,
            before,
            self.sensitive(name),
        )

    def sensitive(self, name: str) -> frozenset[str]:
        """Return the paths below the attribute that contain a sensitive value."""
        if not self._hidden:
            return _NOTHING
        return _EVERYTHING if "" in self._hidden else self._hidden.get(name, _NOTHING)

    def _before_value(self, name: str, convert: Any) -> Any:
        if name not in self.before:
            return msgspec.UNSET
        value = _unwrapped(self.before[name])
        return value if convert is None else convert(value)

    def _merged(self, name: str) -> Any:
        """Return the value, with a gap wherever something in it is not known yet."""
        value, unknown = _unwrapped(self.after.get(name)), _unwrapped(self._unknown.get(name))
        if not unknown:
            return value
        return self._with_gaps(value, unknown, name, _unwrapped(self.before.get(name)))

    def _with_gaps(self, value: Any, unknown: Any, path: str, before: Any) -> Any:
        if unknown is True:
            kept = isinstance(before, (str, int, float, bool)) and not self.fresh
            # Within a block one cannot see whether it is written; it will be what it was.
            if kept and not self._is_written(path):
                return before
            return Gap(Lack.UNKNOWN, f"known only after apply; write {path} of {self.address}")
        if isinstance(unknown, dict) and (value is None or isinstance(value, dict)):
            values, was = value or {}, before if isinstance(before, dict) else {}
            names = dict.fromkeys((*values, *(n for n in unknown if unknown[n])))
            if value is None and not any(unknown.values()):
                return None
            return {
                name: self._with_gaps(
                    values.get(name), unknown.get(name), f"{path}.{name}", was.get(name)
                )
                for name in names
            }
        if isinstance(unknown, list) and isinstance(value, list):
            padded = [*unknown, *[None] * (len(value) - len(unknown))]
            return [
                self._with_gaps(item, mark, f"{path}[{number}]", None)
                for number, (item, mark) in enumerate(zip(value, padded, strict=False))
            ]
        return value

    def _is_written(self, path: str) -> bool:
        first, *rest = path.split(".")
        raw = self.expression(first)
        try:
            block: Any = msgspec.json.decode(raw) if raw is not None else None
        except msgspec.MsgspecError:
            return True
        for step in rest:
            block = _unwrapped(block)
            block = block.get(step) if isinstance(block, dict) else None
        return block is not None


def has_gap(value: Any) -> bool:
    """Whether something within ``value`` is not known."""
    return bool(gaps_in(value))


# -- types ----------------------------------------------------------------------------------------


def number(value: Any) -> Any:
    """Return a number that the provider has as text; "" is the API's null."""
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if text.removeprefix("-").isdecimal() and len(text) < 19:
            return int(text)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def flag(value: Any) -> Any:
    """Return a boolean that the provider has as text; "" is null."""
    return {"true": True, "false": False, "": None}.get(value, value) if _is_text(value) else value


def text(value: Any) -> Any:
    """Return a text; an empty one is the API's null."""
    return None if value == "" else value


def moment(value: Any) -> Any:
    """Return a time as the API writes it; resources have Go's format."""
    match = _GO_TIME.fullmatch(value) if _is_text(value) else None
    if match is None:
        return text(value)
    zone = "Z" if match[3][1:] == match[4] == "00" else f"{match[3]}:{match[4]}"
    return f"{match[1]}T{match[2]}{zone}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


# -- shapes ---------------------------------------------------------------------------------------


def _unwrapped(value: Any) -> Any:
    """Return a block as an object: older providers made it a list of one."""
    if type(value) is not list:
        return value
    return value[0] if len(value) == 1 and isinstance(value[0], dict) else value


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _hidden(*marks: Any) -> dict[str, frozenset[str]]:
    """Return, by attribute, the paths below that are marked sensitive; "" for the resource."""
    found: dict[str, frozenset[str]] = {}
    for each in marks:
        if each is True:
            return {"": _EVERYTHING}
        for name, below in _object(each).items():
            if below and (paths := _marked(_unwrapped(below))):
                found[name] = found.get(name, _NOTHING).union(paths)
    return {name: _EVERYTHING if "" in paths else paths for name, paths in found.items()}


def _marked(marks: Any, path: str = "") -> list[str]:
    if marks is True:
        return [path]
    if isinstance(marks, list):
        return [path] if any(_marked(mark) for mark in marks) else []
    found: list[str] = []
    if isinstance(marks, dict):
        for name, mark in marks.items():
            found += _marked(mark, f"{path}.{name}" if path else name)
    return found


def _constants(block: Any, path: str) -> list[str]:
    block = _unwrapped(block)
    if not isinstance(block, dict):
        return []
    if "constant_value" in block:
        # An attribute that is an object is one constant as a whole.
        inner = block["constant_value"]
        return [path, *_leaves(inner, path)]
    return [found for name, below in block.items() for found in _constants(below, f"{path}.{name}")]


def _leaves(value: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [path]
    return [leaf for name, below in value.items() for leaf in _leaves(below, f"{path}.{name}")]


def _written(configured: ConfiguredResource | None) -> dict[str, msgspec.Raw] | None:
    if configured is None:
        return None
    try:
        return msgspec.json.decode(configured.expressions, type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError:
        return None
