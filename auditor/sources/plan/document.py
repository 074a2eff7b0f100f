"""A plan's JSON, as ``terraform show -json`` writes it, and files that are mistaken for one.

Only the address, the type and the like of every resource are decoded; its values stay bytes until
its type shows that it is one of Fivetran's. The values in ``planned_values``, ``prior_state`` and
``variables`` are never decoded: they contain secrets in clear text. The resources that the first
two list say whether ``resource_changes`` was shortened; they cannot be trusted for more.

The format is Terraform's ("JSON Output Format", version 1.2) and OpenTofu's; unknown names are
ignored, as both require.
"""

from __future__ import annotations

import codecs
import gzip
import mmap
import re
import sys
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Union

import msgspec

from auditor.errors import SourceError, UsageError
from auditor.files import open_file
from auditor.text import one_line, plural, printable

PREFIX = "fivetran_"
#: How to make a plan; every message about a file that is not a plan says so.
HOW = "make one with: terraform plan -out=tfplan && terraform show -json tfplan > plan.json"

_MAJORS = frozenset({"0", "1"})
_GZIP = b"\x1f\x8b"
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_CHUNK = 1 << 22
_KEY = re.compile(rb'"([a-z_@]{1,40})"\s*:')


class Change(msgspec.Struct, gc=False):
    """What a plan does to one object. Values are as the provider has them."""

    actions: list[str] = msgspec.field(default_factory=list)
    before: Any = None
    after: Any = None
    after_unknown: Any = None
    before_sensitive: Any = None
    after_sensitive: Any = None
    replace_paths: list[Any] = msgspec.field(default_factory=list)
    importing: Any = None


class ResourceChange(msgspec.Struct, gc=False):
    """One instance of a resource in a plan; ``change`` is not decoded yet."""

    address: str = ""
    type: str = ""
    name: str = ""
    mode: str = "managed"
    module_address: str = ""
    previous_address: str = ""
    provider_name: str = ""
    index: Union[str, int, None] = None
    deposed: str = ""
    action_reason: str = ""
    change: msgspec.Raw = msgspec.Raw(b"{}")

    def decoded(self) -> Change:
        """Return what is done to it. Raises msgspec.MsgspecError."""
        return msgspec.json.decode(self.change, type=Change)


class Expression(msgspec.Struct, gc=False):
    """An attribute in the configuration: a constant, what it refers to, or neither."""

    references: list[str] = msgspec.field(default_factory=list)
    constant_value: Any = msgspec.UNSET


class ConfiguredResource(msgspec.Struct, gc=False):
    """A resource in the configuration, with all of its instances."""

    address: str = ""
    type: str = ""
    mode: str = "managed"
    provider_config_key: str = ""
    expressions: msgspec.Raw = msgspec.Raw(b"{}")
    for_each_expression: Union[Expression, None] = None
    count_expression: Union[Expression, None] = None


class Output(msgspec.Struct, gc=False):
    """An output of a module."""

    expression: msgspec.Raw = msgspec.Raw(b"{}")


class Module(msgspec.Struct, gc=False):
    """A module in the configuration."""

    resources: list[ConfiguredResource] = msgspec.field(default_factory=list)
    module_calls: dict[str, ModuleCall] = msgspec.field(default_factory=dict)
    outputs: dict[str, Output] = msgspec.field(default_factory=dict)


class ModuleCall(msgspec.Struct, gc=False):
    """A call of a module: where it is, its arguments, and its content."""

    source: str = ""
    expressions: dict[str, msgspec.Raw] = msgspec.field(default_factory=dict)
    module: Module = msgspec.field(default_factory=Module)
    for_each_expression: Union[Expression, None] = None
    count_expression: Union[Expression, None] = None


class ProviderConfig(msgspec.Struct, gc=False):
    """A configuration of a provider; its arguments may include a credential."""

    name: str = ""
    full_name: str = ""
    alias: str = ""
    module_address: str = ""
    expressions: msgspec.Raw = msgspec.Raw(b"{}")


class Configuration(msgspec.Struct, gc=False):
    """The configuration that was planned."""

    provider_config: dict[str, ProviderConfig] = msgspec.field(default_factory=dict)
    root_module: Module = msgspec.field(default_factory=Module)


class DeferredChange(msgspec.Struct, gc=False):
    """A change deferred to a later plan."""

    reason: str = ""
    resource_change: Union[ResourceChange, None] = None


class CheckAddress(msgspec.Struct, gc=False):
    """The name of a check."""

    to_display: str = ""


class Check(msgspec.Struct, gc=False):
    """A precondition, a postcondition or a check block, and its result in the plan."""

    address: CheckAddress = msgspec.field(default_factory=CheckAddress)
    status: str = ""


class Told(msgspec.Struct, gc=False):
    """A resource that a state lists, without its values."""

    address: str = ""
    type: str = ""
    mode: str = "managed"


class ToldModule(msgspec.Struct, gc=False):
    """The resources of a module in a state."""

    resources: list[Told] = msgspec.field(default_factory=list)
    child_modules: list[ToldModule] = msgspec.field(default_factory=list)

    def addresses(self) -> Iterator[str]:
        """Yield the addresses of all managed resources of Fivetran's."""
        modules = [self]
        while modules:
            module = modules.pop()
            modules += reversed(module.child_modules)
            for told in module.resources:
                if told.mode == "managed" and told.type.startswith(PREFIX):
                    yield told.address


class ToldValues(msgspec.Struct, gc=False):
    """What there is before a plan, or after it."""

    root_module: ToldModule = msgspec.field(default_factory=ToldModule)


class ToldState(msgspec.Struct, gc=False):
    """The state that was planned upon."""

    values: ToldValues = msgspec.field(default_factory=ToldValues)


class Plan(msgspec.Struct, gc=False):
    """A plan; what is missing is UNSET, such as ``resource_changes`` in a refresh-only one."""

    format_version: Union[str, msgspec.UnsetType] = msgspec.UNSET
    terraform_version: str = ""
    resource_changes: Union[list[ResourceChange], msgspec.UnsetType, None] = msgspec.UNSET
    deferred_changes: list[DeferredChange] = msgspec.field(default_factory=list)
    configuration: Union[Configuration, msgspec.UnsetType] = msgspec.UNSET
    checks: Union[list[Check], None] = None
    applyable: Union[bool, msgspec.UnsetType] = msgspec.UNSET
    complete: Union[bool, msgspec.UnsetType] = msgspec.UNSET
    errored: bool = False
    planned_values: Union[ToldValues, msgspec.UnsetType, None] = msgspec.UNSET
    prior_state: Union[ToldState, msgspec.UnsetType, None] = msgspec.UNSET
    # Their presence distinguishes a plan from a state; their content is not read.
    resource_drift: Union[msgspec.Raw, msgspec.UnsetType] = msgspec.UNSET
    values: Union[msgspec.Raw, msgspec.UnsetType] = msgspec.UNSET

    @property
    def changes(self) -> list[ResourceChange]:
        """Every object in the plan."""
        return self.resource_changes or []

    def left_out(self) -> list[str]:
        """Return the resources that the plan lists elsewhere but says nothing about: it was cut.

        Terraform makes ``planned_values`` from the changes. A complete plan has a change for
        whatever there is before it, unless it only refreshes: then it has no list of changes.
        """
        told: dict[str, None] = {}
        if isinstance(self.planned_values, ToldValues):
            told.update(dict.fromkeys(self.planned_values.root_module.addresses()))
        if self.complete is True and self.changes and isinstance(self.prior_state, ToldState):
            told.update(dict.fromkeys(self.prior_state.values.root_module.addresses()))
        changed = {change.address for change in self.changes if change.mode == "managed"}
        return [address for address in told if address not in changed]

    @property
    def configured(self) -> Configuration:
        """The configuration, an empty one if the plan has none."""
        return Configuration() if self.configuration is msgspec.UNSET else self.configuration


_DECODER = msgspec.json.Decoder(Plan)


def read_plan(path: str) -> Plan:
    """Return the plan in the file at ``path``, or in standard input for ``-``.

    Raises UsageError for what is not a plan, SourceError for one that is cut, damaged or
    unreadable.
    """
    name = "standard input" if path == "-" else printable(path)
    return parse_plan(_bytes(path, name), name)


def parse_plan(body: bytes | mmap.mmap, name: str) -> Plan:
    """Return the plan that ``body`` holds; ``name`` is what messages call it. Raises as above."""
    body = _plain(body, name)
    start = bytes(body[:_CHUNK]).lstrip()
    if not start:
        raise SourceError(f"{name}: it is empty, as if `terraform show` had failed; {HOW}")
    if start.startswith(b"PK"):
        raise UsageError(f"{name}: this is the plan's own binary file; {HOW}")
    if not start.startswith(b"{"):
        raise UsageError(f"{name}: this is not a plan's JSON; {HOW}")
    if _first_key(start) == b"@level" or b'"@level"' in start.partition(b"\n")[0]:
        raise UsageError(
            f"{name}: this is the stream of messages of `terraform plan -json`, no plan; {HOW}"
        )
    _check_utf8(body, name)
    try:
        plan = _DECODER.decode(body)
    except msgspec.ValidationError as error:
        _refuse_others(start, name)
        raise SourceError(f"{name}: the plan is damaged: {error}; {HOW}") from error
    except (msgspec.MsgspecError, RecursionError) as error:
        raise SourceError(f"{name}: the plan is cut or damaged: {error}; {HOW}") from error
    _check_form(plan, name)
    return plan


def _check_form(plan: Plan, name: str) -> None:
    """Raise UsageError for a document of another kind or an unknown format."""
    version = plan.format_version
    parts = (plan.resource_changes, plan.planned_values, plan.configuration, plan.prior_state)
    if all(part is msgspec.UNSET for part in parts):
        if plan.values is not msgspec.UNSET or version is not msgspec.UNSET:
            raise UsageError(
                f"{name}: this is a state, which `terraform show -json` writes when no plan is"
                f" named; {HOW}"
            )
        raise UsageError(f"{name}: this JSON is not a plan; {HOW}")
    if version is msgspec.UNSET:
        raise UsageError(f"{name}: this JSON is not a plan, it has no format_version; {HOW}")
    if version.partition(".")[0] not in _MAJORS:
        raise UsageError(
            f"{name}: a plan of format {one_line(version, 20)} is not known, 1.x is; use a release"
            " of fivetran-auditor that reads it, or an earlier Terraform"
        )


def _refuse_others(start: bytes, name: str) -> None:
    """Raise UsageError for a JSON object whose first key does not begin a plan."""
    first = _first_key(start)
    if first in {b"code", b"data", b"items", b"version", b"id"}:
        raise UsageError(f"{name}: this JSON is not a plan; {HOW}")


def _first_key(start: bytes) -> bytes:
    found = _KEY.search(start[:200])
    return found[1] if found else b""


def _bytes(path: str, name: str) -> bytes | mmap.mmap:
    try:
        if path == "-":
            if sys.stdin is None:
                raise SourceError("standard input is closed; name a file instead of -")
            return sys.stdin.buffer.read()
        with open_file(path) as file:
            try:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except (OSError, ValueError):  # A pipe, or nothing in it.
                return file.read()
    except FileNotFoundError as error:
        raise UsageError(f"{name}: no such file; {HOW}") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{name}: it cannot be read: {reason or error}") from error


def _plain(body: bytes | mmap.mmap, name: str) -> bytes | mmap.mmap:
    """Return ``body`` as UTF-8 without a mark: PowerShell writes UTF-16, and some gzip it."""
    if body[:2] == _GZIP:
        try:
            body = gzip.decompress(body)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise SourceError(f"{name}: the gzip data is cut or damaged ({error})") from error
    encoding = _UTF16.get(bytes(body[:2]))
    if encoding is not None:
        try:
            return str(body[2:], encoding).encode()
        except UnicodeError as error:
            raise SourceError(f"{name}: its UTF-16 text is cut or damaged") from error
    return body[3:] if body[:3] == codecs.BOM_UTF8 else body


def _check_utf8(body: bytes | mmap.mmap, name: str) -> None:
    """Raise SourceError unless all of it is UTF-8: a decoder ignores texts that it skips."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(body), _CHUNK):
            chunk = body[at : at + _CHUNK]
            if not (chunk.isascii() and decoder.getstate() == (b"", 0)):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise SourceError(f"{name}: the plan is damaged: it is not UTF-8; {HOW}") from error


def is_fivetran(change: ResourceChange) -> bool:
    """Whether a resource is one of Fivetran's, by its type, whatever mirror it came from."""
    return change.type.startswith(PREFIX)


def providers(plan: Plan) -> list[str]:
    """Return the full names of the providers of Fivetran's resources, each once."""
    names = (c.provider_name for c in plan.changes if is_fivetran(c) and c.provider_name)
    return sorted(set(names))


def unsettled_checks(plan: Plan) -> list[str]:
    """Return the plan's checks that did not pass, without messages: one may hold a secret."""
    by_status: dict[str, list[str]] = {}
    for check in plan.checks or ():
        if check.status in {"fail", "error"}:
            by_status.setdefault(check.status, []).append(check.address.to_display)
    words: Mapping[str, str] = {"fail": "failed", "error": "could not be evaluated"}
    return [
        f"{plural(len(names), 'check')} of the plan {words[status]}: "
        f"{one_line(', '.join(names[:5]))}"
        for status, names in by_status.items()
    ]
