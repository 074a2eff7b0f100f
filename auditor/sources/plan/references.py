"""Which connection a schedule, a pause state or a config is for, as far as a plan shows.

The configuration names what an attribute refers to, and no more: an index loses what follows it, a
function hides what it does, a local value is missing. What can be decided is decided here, surest
ways first; the rest is undecided, with the connections it could be. Where the files are at hand, an
instance is what is written there, or undecided if that is computed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Union

import msgspec

from auditor.model import Position
from auditor.sources.plan.connections import CONNECTIONS, HOLDERS
from auditor.sources.plan.document import (
    PREFIX,
    Configuration,
    ConfiguredResource,
    Expression,
    Module,
    ModuleCall,
)

Key = Union[str, int, None]
#: An instance of a module: the names and instance keys of the calls that lead to it.
Where = tuple[tuple[str, Key], ...]
#: What an attribute of ``TYPE.NAME`` or ``module.NAME`` in a module is set to, and where.
Texts = Callable[[Sequence[str], str, str], tuple[Position, str] | None]

_KEY = r'(?:\[("(?:\\.|[^"\\])*"|[0-9]+)\])?'
_CALL = re.compile(rf"module\.([^.\[]+){_KEY}\.?")
_THING = re.compile(rf"({PREFIX}[a-z0-9_]+\.[^.\[]+){_KEY}(?:\.(.+))?", re.DOTALL)
_OUTPUT = re.compile(rf"module\.([^.\[]+){_KEY}\.([^.\[]+)(\.id)?")
PLAIN_VARIABLE = re.compile(r"var\.([^.\[]+)(\.id)?")
_VALUE = "each.value"
BY_KEY = ("each.key", _VALUE, "count.index")
_KNOWN = ("data.", "path.", "terraform.", "each.key", "count.index")
_DEPTH = 16
#: Types whose instances are all known here.
_NAMED = CONNECTIONS | HOLDERS.keys()


class Place(msgspec.Struct, frozen=True):
    """An instance of a resource: the module it is in, ``TYPE.NAME``, and its key."""

    where: Where
    name: str
    key: Key = None

    @property
    def address(self) -> str:
        """Its address, as a plan has it."""
        steps = [*((f"module.{name}", key) for name, key in self.where), (self.name, self.key)]
        return ".".join(f"{name}{_bracketed(key)}" for name, key in steps)


class Undecided(msgspec.Struct, frozen=True):
    """What could not be decided; ``among`` are the possible places, None for any.

    ``why`` is a reason beyond what a plan never shows, "" for none.
    """

    among: tuple[Place, ...] | None = None
    why: str = ""


def parse_where(address: str) -> Where:
    """Return the module instance that ``module.a["x"].module.b`` names."""
    return tuple((m[1], parse_key(m[2])) for m in _CALL.finditer(address))


def split_address(address: str) -> tuple[tuple[str, ...], str]:
    """Return the names of the modules that an address leads through, and its ``TYPE.NAME``."""
    modules: list[str] = []
    rest = address
    while (call := _CALL.match(rest)) is not None and rest.startswith("module."):
        modules.append(call[1])
        rest = rest[call.end() :]
    return tuple(modules), rest.partition("[")[0]


def parse_key(text: str | None) -> Key:
    """Return an instance key as written between brackets."""
    if text is None:
        return None
    return str(json.loads(text)) if text.startswith('"') else int(text)


def _bracketed(key: Key) -> str:
    return "" if key is None else f"[{json.dumps(key, ensure_ascii=False)}]"


class References:
    """The references of a configuration, and the instances of each resource in a plan."""

    def __init__(
        self,
        configuration: Configuration,
        places: Sequence[Place],
        texts: Texts | None = None,
        *,
        reads: bool = False,
    ) -> None:
        self._root = configuration.root_module
        self._texts = texts
        #: Whether an attribute is set to a form, and where, by both; None if that is not known.
        self._written: dict[
            tuple[tuple[str, ...], str, str, str], tuple[Position, bool] | None
        ] = {}
        #: Whether some data is not read until the plan is applied.
        self._reads = reads
        self._keys: dict[tuple[Where, str], set[Key]] = {}
        for place in places:
            self._keys.setdefault((place.where, place.name), set()).add(place.key)
            for depth, (name, key) in enumerate(place.where):
                self._keys.setdefault((place.where[:depth], f"module.{name}"), set()).add(key)
        self._places = tuple(places)
        self._mentions: dict[tuple[object, ...], tuple[Place, ...] | None] = {}
        self._resources: dict[int, Mapping[str, ConfiguredResource]] = {}

    def resource(self, place: Place) -> ConfiguredResource | None:
        """Return the resource in the configuration; None if it is no longer there."""
        module = self._module(place.where)
        if module is None:
            return None
        by_address = self._resources.get(id(module))
        if by_address is None:
            by_address = {r.address: r for r in module.resources if r.type.startswith(PREFIX)}
            self._resources[id(module)] = by_address
        return by_address.get(place.name)

    def target(
        self, attribute: Expression, holder: Place, name: str = "", was: Place | None = None
    ) -> Place | Undecided:
        """Return the place whose id ``attribute`` of the resource at ``holder`` is.

        ``name`` is the attribute's, and ``was`` the place whose id it is so far, if that stays.
        """
        resource = self.resource(holder)
        each = resource.for_each_expression if resource else None
        keys = frozenset(self._keys.get((holder.where, holder.name), ()))
        about = _About(was)
        context = _Context(holder.where, holder.key, each, about, keys, holder.name, name)
        found = self._resolve(attribute, context, "id", _DEPTH)
        if isinstance(found, Undecided) and about.why:
            return msgspec.structs.replace(found, why=about.why)
        return found

    # -- deciding ---------------------------------------------------------------------------

    def _resolve(
        self, expression: Expression, context: _Context, wanted: str, depth: int
    ) -> Place | Undecided:
        """Return what ``expression`` refers to: with ``wanted`` "id" its id, with "" the object."""
        references = _longest(expression.references)
        keys = [r for r in references if r.startswith(BY_KEY)]
        things = [r for r in references if not r.startswith(BY_KEY)]
        if depth and len(things) == 1:
            found = self._resource_place(things[0], keys, context, wanted, depth - 1)
        elif depth and not things and len(keys) == 1 and keys[0].startswith(_VALUE):
            found = self._each_value(context, depth - 1)
            if found is not None and not _names_id(found.name, keys[0][len(_VALUE) + 1 :]):
                found = None
        else:
            found = None
        if found is not None and self._has_place(found):
            return found
        return Undecided(self._mentioned_places(things, keys, context, depth))

    def _resource_place(
        self, text: str, keys: list[str], context: _Context, wanted: str, depth: int
    ) -> Place | None:
        resource = _THING.fullmatch(text)
        if resource is not None:
            place = Place(context.where, resource[1], parse_key(resource[2]))
            rest = resource[3] or ""
            if not keys:
                named = rest == wanted or (wanted and rest and _names_id(place.name, rest))
                return place if named else None
            # An index that is an expression hides itself and everything after it.
            indexed = resource[2] is None and not rest and len(keys) == 1
            key = _index(keys[0], context) if indexed else None
            if key is None:
                return None
            place = msgspec.structs.replace(place, key=key)
            return place if self._is_index(keys[0], context, place) else None
        variable, output = PLAIN_VARIABLE.fullmatch(text), _OUTPUT.fullmatch(text)
        if keys or (variable or output) is None:
            return None
        if variable is not None:
            wanted = "" if variable[2] else wanted
            given = self._given(variable[1], context)
        else:
            assert output is not None
            wanted = "" if output[4] else wanted
            given = self._returned(output[1], parse_key(output[2]), output[3], context)
        if given is None:
            return None
        found = self._resolve(*given, wanted, depth)
        return found if isinstance(found, Place) else None

    def _is_index(self, index: str, context: _Context, place: Place) -> bool:
        """Whether ``TYPE.NAME[INDEX]`` is all that there is, as far as anything shows.

        Two of three by number may be any two: ``[count.index + 1]`` looks like ``[count.index]``.
        """
        form = rf"{re.escape(f'{place.name}[{index}]')}{_tail(place.name)}"
        written = self._is_written(context, context.attribute, form)
        by_value = index.startswith(_VALUE)
        by_map = by_value and isinstance(_constant(context.for_each), dict)
        if written and by_value and not by_map:
            written = self._is_written(context, context.each, r"toset\(.*\)")
        if written is not None:
            return written
        others = self._keys.get((place.where, place.name), set())
        if index == "count.index" and context.keys != others:
            return False
        return by_map or self._is_as_before(context, place)

    def _is_as_before(self, context: _Context, place: Place) -> bool:
        """Whether nothing shows that equal keys are not what joins: the id so far may."""
        was = context.about.was
        if was is None or was == place or was.name != place.name:
            return True
        context.about.why = f"so far it is for {was.address}, not for {place.address}"
        return False

    def _is_written(self, context: _Context, attribute: str, form: str) -> bool | None:
        """Whether an attribute is set to ``form``, a pattern without blanks; None if not known."""
        if self._texts is None:
            return None
        # Once for all instances: what is iterated over may be long.
        asked = tuple(name for name, _ in context.where), context.block, attribute, form
        if asked not in self._written:
            found = self._texts(*asked[:3])
            text = "".join(found[1].split()) if found is not None else ""
            plain = text.removeprefix('"${').removesuffix('}"')
            written = re.fullmatch(form, plain) is not None
            self._written[asked] = None if found is None else (found[0], written)
        known = self._written[asked]
        if known is None:
            return None
        position, written = known
        if not written:
            context.about.why = (
                f"what is written at {position} may name another instance than that of its own key"
            )
        return written

    def _each_value(self, context: _Context, depth: int) -> Place | None:
        """Return the instance with the same key in what ``for_each`` iterates over."""
        each = context.for_each
        names = _longest(each.references) if each is not None else []
        if len(names) != 1 or context.key is None or not depth:
            return None
        variable = PLAIN_VARIABLE.fullmatch(names[0])
        if variable is not None and not variable[2]:
            given = self._given(variable[1], context)
            if given is None:
                return None
            if self._is_written(context, context.each, re.escape(names[0])) is False:
                return None
            expression, outer = given
            inner = msgspec.structs.replace(
                context,
                where=outer.where,
                for_each=expression,
                block=outer.block,
                each=outer.attribute,
            )
            return self._each_value(inner, depth - 1)
        over = _THING.fullmatch(names[0])
        if over is None or over[2] is not None or over[3]:
            return None
        place = Place(context.where, over[1], context.key)
        written = self._is_written(context, context.each, _over(over[1]))
        if written is None:
            written = self._is_as_before(context, place)
        return place if written else None

    def _given(self, variable: str, context: _Context) -> tuple[Expression, _Context] | None:
        """Return what a module is given for a variable, and where that expression is."""
        if not context.where:
            return None
        *above, (name, key) = context.where
        call = self._call(tuple(above), name)
        raw = call.expressions.get(variable) if call else None
        expression = parse_expression(raw) if raw is not None else None
        if call is None or expression is None:
            return None
        keys = frozenset(self._keys.get((tuple(above), f"module.{name}"), ()))
        each, about = call.for_each_expression, context.about
        return expression, _Context(
            tuple(above), key, each, about, keys, f"module.{name}", variable
        )

    def _returned(
        self, name: str, key: Key, output: str, context: _Context
    ) -> tuple[Expression, _Context] | None:
        """Return a module's output, and where its expression is."""
        call = self._call(context.where, name)
        declared = call.module.outputs.get(output) if call else None
        expression = parse_expression(declared.expression) if declared else None
        if expression is None:
            return None
        return expression, _Context((*context.where, (name, key)), None, None, context.about)

    def _has_place(self, place: Place) -> bool:
        return place.key in self._keys.get((place.where, place.name), ())

    # -- what could not be decided ----------------------------------------------------------

    def _mentioned_places(
        self, things: list[str], keys: list[str], context: _Context, depth: int
    ) -> tuple[Place, ...] | None:
        """Return every place that is mentioned; None if something hides one.

        For all instances of a block it is the same object.
        """
        each = tuple(context.for_each.references) if context.for_each else ()
        asked = tuple(things), tuple(keys), each, context.where, depth
        if asked not in self._mentions:
            self._mentions[asked] = self._find_mentioned(things, keys, context, depth)
        return self._mentions[asked]

    def _find_mentioned(
        self, things: list[str], keys: list[str], context: _Context, depth: int
    ) -> tuple[Place, ...] | None:
        if any(key.startswith("each.value") for key in keys):
            each = _longest(context.for_each.references) if context.for_each else []
            things = [*things, *(each or ["local.unknown"])]
        if not things:
            return None
        found: dict[Place, None] = {}
        for thing in things:
            mentioned = self._mentioned(thing, context, depth)
            if mentioned is None:
                return None
            found.update(dict.fromkeys(mentioned))
        return tuple(found)

    def _mentioned(self, thing: str, context: _Context, depth: int) -> list[Place] | None:
        resource = _THING.fullmatch(thing)
        if resource is not None:
            if resource[1].partition(".")[0] not in _NAMED:
                return None  # It may have a connection's id, as certificates do.
            key = parse_key(resource[2])
            return [
                place
                for place in self._places
                if place.where == context.where
                and place.name == resource[1]
                and (resource[2] is None or place.key == key)
            ]
        if thing.startswith("data.") and self._reads:
            return None  # It may be read by the id of any.
        variable = re.match(r"var\.([^.\[]+)", thing)
        given = self._given(variable[1], context) if variable and depth else None
        if given is not None:
            expression, outer = given
            names = _longest(expression.references)
            keys = [name for name in names if name.startswith(BY_KEY)]
            rest = [name for name in names if not name.startswith(BY_KEY)]
            among = self._mentioned_places(rest, keys, outer, depth - 1)
            return None if among is None else list(among)
        module = re.match(r"module\.([^.\[]+)", thing)
        if module is not None:
            size = len(context.where)
            return [
                place
                for place in self._places
                if place.where[:size] == context.where
                and len(place.where) > size
                and place.where[size][0] == module[1]
            ]
        # What is known before an apply, or has another type, is not a connection of this plan.
        return [] if thing.startswith(_KNOWN) or (variable and not context.where) else None

    # -- finding ----------------------------------------------------------------------------

    def _module(self, where: Where) -> Module | None:
        return _module(self._root, [name for name, _ in where])

    def _call(self, where: Where, name: str) -> ModuleCall | None:
        module = self._module(where)
        return module.module_calls.get(name) if module is not None else None


class _About(msgspec.Struct):
    """An attribute to decide: whose id it is so far, and why it cannot be decided."""

    was: Place | None = None
    why: str = ""


class _Context(msgspec.Struct, frozen=True):
    """Where an expression is: its module, the key of its block, and its ``for_each``.

    ``keys`` are those of all instances of the block. In the files the expression is ``attribute``
    of ``block``, and what it iterates over is ``each``.
    """

    where: Where
    key: Key
    for_each: Expression | None
    about: _About
    keys: frozenset[Key] = frozenset()
    block: str = ""
    attribute: str = ""
    each: str = "for_each"


def _index(text: str, context: _Context) -> Key:
    """Return the key that ``each.key``, ``each.value`` or ``count.index`` has as an index.

    The value of a written map is another key than its own. An attribute of a value is not the
    instance's key, unless by chance: None if the map is not written out.
    """
    if not text.startswith(_VALUE):
        return context.key
    each = _constant(context.for_each)
    if isinstance(each, dict):
        value: Any = each.get(context.key)
        for name in filter(None, text[len(_VALUE) :].split(".")):
            value = value.get(name) if isinstance(value, dict) else None
        return value if type(value) in (str, int) else None
    return context.key if text == _VALUE else None


def _constant(expression: Expression | None) -> Any:
    """Return the value that is written for an expression, UNSET for none."""
    return msgspec.UNSET if expression is None else expression.constant_value


def _tail(name: str) -> str:
    """Return a pattern for how the id of ``TYPE.NAME`` ends, or the object itself."""
    ids = {"id", HOLDERS.get(name.partition(".")[0], "id")}
    return rf"(?:\.(?:{'|'.join(sorted(ids))}))?"


def _over(name: str) -> str:
    """Return a pattern for what has an entry for instances of ``TYPE.NAME``, by their own keys."""
    thing, tail = re.escape(name), _tail(name)
    own = rf"(?P<k>[\w-]+),(?P<v>[\w-]+)in{thing}:(?P=k)=>(?P=v){tail}"
    by_key = rf"(?P<n>[\w-]+)(?:,[\w-]+)?in.*?:(?P=n)=>{thing}\[(?P=n)\]{tail}"
    return rf"{thing}|\{{for(?:{own}|{by_key})(?:if.*)?\}}"


def parse_expression(raw: msgspec.Raw) -> Expression | None:
    """Return one attribute's expression; None for a block or if it cannot be read."""
    try:
        return msgspec.json.decode(raw, type=Expression)
    except msgspec.MsgspecError:
        return None


def given_to(
    raw: msgspec.Raw, names: tuple[str, ...], root: Module
) -> tuple[Expression, tuple[str, ...]] | None:
    """Return the expression that ``raw`` stands for, and the names of the modules it is in.

    ``raw`` is in the module that ``names`` lead to from ``root``. A variable is followed to the
    module's argument for it. None if it cannot be followed.
    """
    expression = parse_expression(raw)
    while expression is not None and names:
        references = _longest(expression.references)
        variable = PLAIN_VARIABLE.fullmatch(references[0]) if len(references) == 1 else None
        if variable is None or variable[2]:
            break
        *above, name = names
        module = _module(root, above)
        call = module.module_calls.get(name) if module is not None else None
        if call is None:
            return None
        if variable[1] not in call.expressions:
            break  # By its default, which the module has for every caller.
        names = tuple(above)
        expression = parse_expression(call.expressions[variable[1]])
    return None if expression is None else (expression, names)


def _module(root: Module, names: Sequence[str]) -> Module | None:
    """Return the module that the names of calls lead to."""
    module = root
    for name in names:
        call = module.module_calls.get(name)
        if call is None:
            return None
        module = call.module
    return module


def group_in(expression: Expression) -> str:
    """Return the group, as ``fivetran_group.NAME``, whose id an attribute is; "" for none."""
    names = _longest(expression.references)
    found = _THING.fullmatch(names[0]) if len(names) == 1 else None
    if found is None or found[3] != "id" or not found[1].startswith("fivetran_group."):
        return ""
    return names[0].removesuffix(".id")


def _names_id(name: str, attribute: str) -> bool:
    """Whether an attribute of ``TYPE.NAME`` is a connection's id; "" is the object itself.

    A schedule, or the like, has its connection's id as an attribute, and as its own id.
    """
    return attribute in {"", "id", HOLDERS.get(name.partition(".")[0])}


def _longest(references: Sequence[str]) -> list[str]:
    """Return the references that are not the beginning of another: each is listed with its stem."""
    return list(_kept(references))


def _kept(references: Sequence[str]) -> Iterator[str]:
    distinct = dict.fromkeys(references)
    for reference in distinct:
        stems = (f"{reference}.", f"{reference}[")
        if not any(other.startswith(stems) for other in distinct):
            yield reference
