"""Decoding: of a page of connections, only what the rules in force read.

A ``Shape`` is made from the paths that rules read and the identity of a connection. It decodes a
page straight into small structs of just those fields, which is several times faster than a full
parse, and what is never decoded can never leak. Nothing is coerced and nothing has a default:
a field that is absent is ``MISSING``, and a value of the wrong type is that value.

A page that the fast decoder refuses (a lone surrogate, a number out of range) goes through the
standard library once before it is given up, and comes out the same.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Optional, Protocol, Union

import msgspec

from auditor.decoding.envelope import (
    TWICE,
    Envelope,
    envelope,
    may_begin_empty,
    no_array,
    once,
)
from auditor.decoding.json_values import (
    CONCEALED,
    MISSING,
    Concealed,
    Opaque,
    UndecodableError,
    kind_of,
    parse,
    utf8,
)
from auditor.fields import IDENTITY, Exposure, find

_Decoder = msgspec.json.Decoder[Any]
#: Replaces any number that no float can hold, in records that are kept whole.
_OUT_OF_RANGE = 10**400
_Scalar = Union[None, bool, int, float, str]
#: What a decoder raises if it cannot decode a body.
_UNDECODED = (msgspec.MsgspecError, RecursionError, ValueError)
_Leaf = Union[_Scalar, Opaque, list[Union[_Scalar, Opaque, list[Any]]]]


class _Said:
    """What a response says about whether more follows: null counts as a statement."""

    def __init__(self, value: object) -> None:
        self.value = value


class Node(msgspec.Struct):
    """One step of a path: how its values are decoded, and how they are reached.

    ``struct`` is what an object here becomes; with None it is ``Opaque``, or with ``whole`` a plain
    dict. ``attribute`` is the node's name in its parent's struct. A ``joined`` node is not part of
    the record: it comes from another list, and is added before the record is judged.
    """

    path: str
    key: str
    attribute: str
    whole: bool = False
    children: dict[str, Node] = msgspec.field(default_factory=dict)
    items: Node | None = None
    struct: type[Any] | None = None
    joined: bool = False

    @property
    def secret(self) -> bool:
        """Whether a value here is a live credential."""
        documented = find(self.path) if self.path else None
        return documented is not None and documented.exposure is Exposure.SECRET


def segments(path: str) -> list[str]:
    """Return the steps of ``path``: ``setup_tests[].status`` is setup_tests, [], status."""
    return path.replace("[]", ".[]").split(".")


class Shape:
    """The part of a record that is decoded.

    ``reads`` are dotted paths, ``[]`` for the items of an array; ``whole`` are those whose objects
    and arrays are needed with all their content, for their length or a schema. The first of
    ``identity`` identifies a record.

    ``lists`` are the shapes of other lists of the API whose rows are joined to records, by the name
    that their paths begin with, and ``own`` those of the user's files. ``base`` is that name in the
    shape of such a list, ``name[]`` where a record has several rows.
    """

    def __init__(
        self,
        reads: Iterable[str],
        whole: Iterable[str] = (),
        *,
        identity: tuple[str, ...] = IDENTITY,
        base: str = "",
        lists: Mapping[str, Shape] = MappingProxyType({}),
        own: Mapping[str, Shape] = MappingProxyType({}),
        noun: str = "connection",
    ) -> None:
        self.root = Node(path=base, key="", attribute="")
        self.lists = lists
        self.own = own
        self._identity = identity
        # A single name would give no tuple, and the user's own rows have none.
        names = identity if len(identity) > 1 else identity * 2
        self._named: Callable[[Any], tuple[Any, ...]] = attrgetter(*names) if names else tuple
        self._noun = noun
        #: The types of the objects in a record, and its own: made here, so that no module has them.
        self.structs: list[type[Any]] = []
        #: What the decoder met in a response: more than it returns if a key is repeated.
        self._met: list[object] = []
        for path in (*identity, *sorted(reads)):
            self._plant(path)
        for name, shape in (*lists.items(), *own.items()):
            self._add_fact(name, shape.root)
        for path in sorted(whole):
            self._plant(path).whole = True
        self._type(self.root)
        # Without a field, too: a rule may ask of a row only whether there is one.
        record: Any = self.root.struct
        #: The type of every record that this shape decodes.
        self.record: Any = record
        said = (Union[_Said, msgspec.UnsetType], MISSING)
        items = ("items", Union[list[record], msgspec.UnsetType], MISSING)
        # A response with any other key is parsed as a whole: it may say that more follows.
        data: Any = msgspec.defstruct(
            "Data",
            [items, ("next_cursor", *said)],
            gc=False,
            namespace=self._noting(),
            forbid_unknown_fields=True,
        )
        answer: Any = msgspec.defstruct(
            "Answer",
            [
                ("code", *said),
                ("message", *said),
                ("data", Union[data, msgspec.UnsetType], MISSING),
            ],
            gc=False,
            forbid_unknown_fields=True,
        )
        self._page: _Decoder = msgspec.json.Decoder(answer, dec_hook=self._decoded)
        self._array: _Decoder = msgspec.json.Decoder(list[record], dec_hook=self._decoded)
        self._single: _Decoder = msgspec.json.Decoder(record, dec_hook=self._decoded)

    # -- decoding ---------------------------------------------------------------------------

    def page(self, body: bytes) -> Envelope:
        """Decode one response of ``GET /v1/connections``; its items are not ``sift``-ed yet.

        Raises UndecodableError for what is not JSON in UTF-8, or repeats its list or cursor.
        """
        body = utf8(body)
        self._met.clear()
        try:
            answer = self._page.decode(body)
        except _UNDECODED:
            return envelope(once(body), self._convert_items)
        finally:
            met = len(self._met)
            self._met.clear()
        data = answer.data
        if data is MISSING:
            return envelope(once(body), self._convert_items)
        items = [] if data.items is MISSING else data.items
        said = (answer.code, answer.message, data.next_cursor)
        if met != 1 + len(items) + sum(each is not MISSING for each in said):
            raise UndecodableError(TWICE, transient=False)
        if data.items is not MISSING and may_begin_empty(body):
            once(body)  # An empty list is not noticed.
        return Envelope(
            _value(answer.code),
            _value(answer.message),
            items,
            _value(data.next_cursor),
            no_array("data.items", MISSING) if data.items is MISSING else "",
        )

    def array(self, body: bytes) -> list[Any]:
        """Decode a JSON array of records. Raises UndecodableError."""
        return _array(self._decode(self._array, body, self._convert_items))

    def single(self, body: bytes) -> object:
        """Decode one JSON value that should be a record. Raises UndecodableError."""
        return self._decode(self._single, body, self.convert)

    def convert(self, value: object) -> Any:
        """Return a plain JSON value as this shape decodes it: an object becomes a record."""
        return _build(self.root, value)

    def sift(self, items: list[Any]) -> tuple[list[Any], list[str]]:
        """Return the items with an id, and what is wrong with each that is not a connection.

        A connection has a text in each field of its identity. What has an id is judged all the
        same: the run is inconclusive, and says what it saw.
        """
        record, named = self.record, self._named
        if set(map(type, items)) <= {record} and all(
            map(_is_text, zip(*map(named, items), strict=True))
        ):
            return items, []
        return _sift(items, record, getattr, self._identity, self._noun)

    def ids(self, records: list[Any]) -> list[str]:
        """Return the ids of sifted records, in order."""
        return list(map(attrgetter(self._identity[0]), records))

    def values(self, records: list[Any], name: str) -> list[object]:
        """Return what sifted records hold as ``name``, a field that is decoded."""
        return [getattr(record, name) for record in records]

    def holds(self, name: str) -> bool:
        """Whether ``name``, a field of a connection, is decoded."""
        return name in self.root.children

    # -- reaching values --------------------------------------------------------------------

    def node(self, path: str) -> Node:
        """Return the node at ``path``, which must be one of those the shape was made from."""
        node = self.root
        for step in segments(path):
            following = node.items if step == "[]" else node.children.get(step)
            if following is None:
                raise KeyError(path)
            node = following
        return node

    # -- construction -----------------------------------------------------------------------

    def _add_fact(self, name: str, row: Node) -> None:
        """Add the rows of another list where its paths begin; ``row`` is the root of its shape."""
        attribute = _attribute(name, len(self.root.children))
        if row.path.endswith("[]"):
            node = Node(name, name, attribute, items=row, joined=True)
        else:
            node = Node(
                name, name, attribute, children=row.children, struct=row.struct, joined=True
            )
        self.root.children[name] = node

    def _plant(self, path: str) -> Node:
        node, walked = self.root, self.root.path
        for step in segments(path):
            if step == "[]":
                walked += "[]"
                node.items = node.items or Node(walked, "[]", "")
                node = node.items
            else:
                walked = f"{walked}.{step}" if walked else step
                if step not in node.children:
                    node.children[step] = Node(walked, step, _attribute(step, len(node.children)))
                node = node.children[step]
        return node

    def _type(self, node: Node) -> Any:
        """Return the type that decodes values at ``node``, making structs on the way."""
        if node.joined:
            return Union[
                _Scalar, Opaque, list[Any]
            ]  # Whatever a record has under this name is not a fact.
        if node.secret and not node.children:
            return Optional[Concealed]
        if node.whole:
            _mark_whole(node)
            return Union[_Scalar, list[Any], dict[str, Any]]
        item: Any = self._type(node.items) if node.items else Union[_Scalar, Opaque, list[Any]]
        if not node.children and node is not self.root:
            return Union[_Scalar, Opaque, list[item]]
        struct: Any = msgspec.defstruct(
            "Record" if node is self.root else "Object",
            [
                (child.attribute, Union[self._type(child), msgspec.UnsetType], MISSING)
                for child in node.children.values()
            ],
            namespace=self._noting() if node is self.root else {},
            gc=False,
            rename={child.attribute: child.key for child in node.children.values()},
        )
        node.struct = struct
        self.structs.append(struct)
        return Union[_Scalar, struct, list[item]]

    def _decode(self, decoder: _Decoder, body: bytes, convert: Callable[[object], Any]) -> Any:
        body = utf8(body)
        try:
            return decoder.decode(body)
        except _UNDECODED:
            return convert(parse(body))
        finally:
            self._met.clear()

    def _noting(self) -> dict[str, Any]:
        """Return a function that makes a struct record each of its values as it is decoded."""
        return {"__post_init__": self._met.append}

    def _decoded(self, wanted: type, value: object) -> object:
        """Decode hook for the two types that msgspec does not know."""
        if wanted is Concealed:
            return CONCEALED
        self._met.append(value)
        return _Said(value)

    def _convert_items(self, value: object) -> Any:
        return [self.convert(item) for item in value] if isinstance(value, list) else value


class WholeRecords:
    """Decodes records as plain dicts with all their content, for a snapshot.

    Two things are replaced. A credential in ``connect_card`` becomes a marker. A number that no
    float can hold (1e999) becomes an integer that no float can hold, which every JSON writer can
    write: a check on it is an error, as it was live.
    """

    def __init__(self, lists: Mapping[str, Decoder] = MappingProxyType({})) -> None:
        self.lists = lists

    def page(self, body: bytes) -> Envelope:
        """Decode one answer of ``GET /v1/connections``. Raises UndecodableError."""
        return envelope(once(utf8(body), _keep, out_of_range=_OUT_OF_RANGE), list)

    def array(self, body: bytes) -> list[Any]:
        """Decode a JSON array of records. Raises UndecodableError."""
        return _array(_kept(body))

    def single(self, body: bytes) -> object:
        """Decode one JSON value that should be a record. Raises UndecodableError."""
        return _kept(body)

    def convert(self, value: object) -> Any:
        """Return a plain JSON value unchanged: it is kept as it is."""
        return value

    def sift(self, items: list[Any]) -> tuple[list[Any], list[str]]:
        """Return the items with an id, and what is wrong with each that is not a connection.

        A connection has a text in each field of its identity. What has an id is judged all the
        same: the run is inconclusive, and says what it saw.
        """
        return _sift(items, dict, lambda item, name: item.get(name, MISSING))

    def ids(self, records: list[Any]) -> list[str]:
        """Return the ids of sifted records, in order."""
        return [record["id"] for record in records]

    def values(self, records: list[Any], name: str) -> list[object]:
        """Return what sifted records hold as ``name``, MISSING where they have none."""
        return [record.get(name, MISSING) for record in records]

    def holds(self, name: str) -> bool:  # noqa: ARG002  # as every decoder is asked
        """Whether a field is decoded: everything is."""
        return True


class Decoder(Protocol):
    """What a source needs from ``Shape`` and ``WholeRecords``, which decode alike."""

    @property
    def lists(self) -> Mapping[str, Decoder]:
        """The decoders of the other lists that are wanted, by their facts' name."""

    def page(self, body: bytes) -> Envelope:
        """Decode one answer of ``GET /v1/connections``. Raises UndecodableError."""

    def array(self, body: bytes) -> list[Any]:
        """Decode a JSON array of records. Raises UndecodableError."""

    def single(self, body: bytes) -> object:
        """Decode one JSON value that should be a record. Raises UndecodableError."""

    def convert(self, value: object) -> Any:
        """Return a plain JSON value as this decoder would decode it."""

    def sift(self, items: list[Any]) -> tuple[list[Any], list[str]]:
        """Return the items with an id, and what is wrong with each that is not a connection.

        A connection has a text in each field of its identity. What has an id is judged all the
        same: the run is inconclusive, and says what it saw.
        """

    def ids(self, records: list[Any]) -> list[str]:
        """Return the ids of sifted records, in order."""

    def values(self, records: list[Any], name: str) -> list[object]:
        """Return what sifted records hold as ``name``, a field that is decoded."""

    def holds(self, name: str) -> bool:
        """Whether ``name``, a field of a connection, is decoded."""


def _value(said: object) -> object:
    return said.value if isinstance(said, _Said) else said


def _attribute(key: str, number: int) -> str:
    plain = key.isidentifier() and key.isascii() and not keyword.iskeyword(key)
    return key if plain and not key.startswith("_") else f"_{number}"


def _mark_whole(node: Node) -> None:
    """Below a whole node nothing is a struct: children are reached as keys of a dict."""
    for child in (*node.children.values(), *([node.items] if node.items else [])):
        child.whole = True
        _mark_whole(child)


def _build(node: Node, value: object) -> Any:
    """Convert a plain JSON value to what the fast decoder would have made of it."""
    if node.secret and not node.children:
        return None if value is None else CONCEALED
    if node.whole:
        return value
    if isinstance(value, dict):
        if node.struct is None:
            return Opaque()
        present = (child for child in node.children.values() if child.key in value)
        return node.struct(
            **{child.attribute: _build(child, value[child.key]) for child in present}
        )
    if isinstance(value, list):
        if node.items:
            return [_build(node.items, item) for item in value]
        return [Opaque() if isinstance(item, dict) else item for item in value]
    return value


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise UndecodableError(f"not an array but {kind_of(value)}", transient=False)
    return value


def _is_text(column: tuple[object, ...]) -> bool:
    """Whether every value of a column is a text that is not empty."""
    return set(map(type, column)) == {str} and "" not in column


def _sift(
    items: list[Any],
    record: type[Any],
    get: Callable[[Any, str], object],
    identity: tuple[str, ...] = IDENTITY,
    noun: str = "connection",
) -> tuple[list[Any], list[str]]:
    good, problems = [], []
    for number, item in enumerate(items, 1):
        if type(item) is not record:
            problems.append(f"item {number} is {kind_of(item)}, not a {noun}")
            continue
        values = {name: get(item, name) for name in identity}
        if _is_text((values[identity[0]],)):
            good.append(item)
        wrong = next((n for n, value in values.items() if not _is_text((value,))), "")
        if wrong:
            held = "empty" if values[wrong] == "" else kind_of(values[wrong])
            problems.append(f"item {number} is not a {noun}: its {wrong} is {held}")
    return good, problems


def _keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Object hook of snapshots: conceals the catalogue's live credentials."""
    record = dict(pairs)
    if "connect_card" in record:
        record["connect_card"] = _conceal_all(record["connect_card"])
    return record


def _conceal_all(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _conceal_all(item) for key, item in value.items()}
    return None if value is None else repr(CONCEALED)


def _kept(body: bytes) -> Any:
    return parse(utf8(body), hook=_keep, out_of_range=_OUT_OF_RANGE)
