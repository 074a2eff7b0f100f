"""Literals in a policy: checked against their field's type, prepared for their operator."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from auditor.clock import parse_duration, parse_relative, parse_time_of_day, parse_timestamp
from auditor.fields import Exposure, Field, Kind, item_of
from auditor.policy.language.operands import Literal, Now
from auditor.policy.language.operators import (
    OF_A_LIST,
    OF_SEVERAL,
    OperandForm,
    Operator,
    TextPart,
)
from auditor.policy.language.patterns import Matches, PatternError, glob, pattern
from auditor.policy.language.values import Span, Takes
from auditor.policy.loading.nodes import Node, ScalarNode, SequenceNode, plain_value
from auditor.policy.loading.problems import Problems
from auditor.policy.loading.signs import sign_in
from auditor.text import listed, one_line

#: A pattern that matches all of these matches anything.
_PROBES = ("", "\x01", "Zz 0-9_./@é", "\U0001f600" * 40)
_LONGEST_OFFSET = timedelta(days=36_525)
_REFERENCES = frozenset({"$ref", "$dynamicRef"})
_PATTERNS = frozenset({"pattern", "patternProperties"})
#: Forms of operand in which a text stands for itself.
_LETTER_BY_LETTER = frozenset(
    {
        OperandForm.SCALAR,
        OperandForm.SCALARS,
        OperandForm.NEEDLE,
        OperandForm.NEEDLES,
        OperandForm.TEXT,
    }
)
#: Forms whose values are bounds, which need not be documented values.
_ENDS = frozenset({OperandForm.ORDERED, OperandForm.RANGE})
#: One of several characters, in a glob.
_CHOICE = re.compile(r"\[[^\]]*\]")
#: The operators of text need no time.
_NO_TIME = datetime.max.replace(tzinfo=UTC)
_CONTROL = {chr(code) for code in range(32)} | {"\x7f"}


class Literals:
    """Reads the literal operands of one file's conditions."""

    def __init__(self, problems: Problems, resolved: Callable[[Node], Node | None]) -> None:
        self._problems = problems
        self._resolved = resolved
        self._readers: Mapping[OperandForm, Callable[[Operator, Field, Node], Any]] = {
            OperandForm.BOOLEAN: self._boolean,
            OperandForm.SCALAR: self._scalar,
            OperandForm.SCALARS: self._scalars,
            OperandForm.ORDERED: self._ordered,
            OperandForm.RANGE: self._range,
            OperandForm.NEEDLE: self._needle,
            OperandForm.NEEDLES: self._needles,
            OperandForm.TEXT: self._part,
            OperandForm.GLOB: self._glob,
            OperandForm.PATTERN: self._pattern,
            OperandForm.MOMENT: self._moment,
            OperandForm.DURATION: self._duration,
            OperandForm.SCHEMA: self._schema,
        }

    def operand(
        self, operator: Operator, found: Field, node: Node, *, meant: bool = False
    ) -> Literal | None:
        """Return the operand at ``node``; None when a problem was noted in its place.

        ``meant`` means that ``*``, ``?`` and braces in it are literal.
        """
        if isinstance(node, SequenceNode):
            items: list[Node] = []
            for item in node.items:
                value = self._resolved(item)
                if value is None:
                    return None
                # A variable that is a list stands for its items.
                if value is not item and isinstance(value, SequenceNode):
                    items.extend(value.items)
                else:
                    items.append(value)
            node = SequenceNode(node.position, tuple(items))
        if (
            not meant
            and operator.form in _LETTER_BY_LETTER
            and not self._is_plain(operator, found, node)
        ):
            return None
        if operator.takes_alternatives and isinstance(node, SequenceNode):
            value = self._alternatives(operator, found, node)
        else:
            value = self._readers[operator.form](operator, found, node)
        if value is None:
            return None
        return Literal(value, _phrased(operator, value, node), _patterns(operator, node))

    # -- one reader per form ------------------------------------------------------------------

    def _boolean(self, operator: Operator, _found: Field, node: Node) -> bool | None:
        if isinstance(node, ScalarNode) and type(node.value) is bool:
            return node.value
        _, hint = _as_boolean(node) if isinstance(node, ScalarNode) else (None, "")
        self._wrong(node, f"{operator.name}: takes true or false", hint)
        return None

    def _scalar(self, operator: Operator, found: Field, node: Node) -> Any:
        if not isinstance(node, ScalarNode):
            hint = (
                f"write {OF_A_LIST.name}: for several"
                if operator.form is OperandForm.SCALAR
                else ""
            )
            self._wrong(node, f"{_name(found)} is compared with single values", hint)
            return None
        return self._typed(operator, found, node)

    def _scalars(self, operator: Operator, found: Field, node: Node) -> Any:
        items = self._list(operator, node)
        item = item_of(found.path) if operator.takes_values is Takes.ARRAY else found
        values = [self._scalar(operator, item, entry) for entry in items or ()]
        if not values or None in values:
            return None
        kinds = {"number" if type(v) in {int, float} else type(v).__name__ for v in values}
        # A value of another type than the field's is an error; one of several may have its type,
        # and then the others would never be looked at.
        if len(kinds) > 1 and operator.excludes:
            hint = "write a list for each type, in conditions of their own"
            self._wrong(node, f"{operator.name}: values of unlike types cannot be compared", hint)
            return None
        if {True, False} == set(values) and set(map(type, values)) == {bool}:
            hint = "write exists: true to require a value"
            self._wrong(node, f"{operator.name}: the only values are true and false", hint)
            return None
        return tuple(values)

    def _ordered(self, operator: Operator, found: Field, node: Node) -> Any:
        value = self._scalar(operator, found, node)
        if value is None:
            return None
        if type(value) in {int, float}:
            return value
        self._wrong(node, f"{operator.name}: takes a number", "")
        return None

    def _range(self, operator: Operator, found: Field, node: Node) -> Span | None:
        if not isinstance(node, SequenceNode) or len(node.items) != 2:
            self._wrong(node, f"{operator.name}: takes the least and the most", "write [15, 1440]")
            return None
        least, most = (self._ordered(operator, found, item) for item in node.items)
        if least is None or most is None:
            return None
        span = Span(least, most)
        if span.is_wrapped and found.kind is not Kind.TIME_OF_DAY:
            low, high = node.items
            message = f"{operator.name}: {written(low)} is more than {written(high)}"
            self._wrong(node, message, f"write [{written(high)}, {written(low)}]")
            return None
        return span

    def _alternatives(self, operator: Operator, found: Field, node: SequenceNode) -> Any:
        """Return several operands, any of which will do."""
        read = self._readers[operator.form]
        values = [read(operator, found, item) for item in self._list(operator, node) or ()]
        if not values or None in values:
            return None
        patterns = operator.form is not OperandForm.TEXT
        if patterns and not self._selective(
            operator, node, lambda text: _any_matches(values, text)
        ):
            return None
        return tuple(values)

    def _needle(self, operator: Operator, found: Field, node: Node) -> Any:
        if found.kind is Kind.STRING:
            return self._part(operator, found, node)
        if not isinstance(node, ScalarNode):
            self._wrong(
                node,
                f"{operator.name}: takes one value",
                f"write {OF_SEVERAL[0].name}: for several",
            )
            return None
        return self._typed(operator, item_of(found.path), node)

    def _needles(self, operator: Operator, found: Field, node: Node) -> Any:
        values = [self._needle(operator, found, item) for item in self._list(operator, node) or ()]
        return tuple(values) if values and None not in values else None

    def _part(self, operator: Operator, found: Field, node: Node) -> str | None:
        text = self._text(operator, found, node)
        if text is None or not isinstance(node, ScalarNode):
            return text
        if operator.part is not TextPart.ALL and not self._has_its_case(found, node, text):
            return None

        def meets(value: str) -> bool:
            return operator.holds(value, text, _NO_TIME) is True

        def nearly(value: str) -> bool:
            return operator.holds(value.lower(), text.lower(), _NO_TIME) is True

        return text if self._met_by_some(operator, found, node, meets, nearly) else None

    def _has_its_case(self, found: Field, node: ScalarNode, text: str) -> bool:
        """Whether a part of a value of ``found`` may have the case of ``text``."""
        if not found.lower or text == text.lower():
            return True
        message = f"{_name(found)} has no capital letters, and {one_line(node.text)} has"
        self._wrong(node, message, f"write {one_line(node.text.lower())}")
        return False

    def _met_by_some(
        self,
        operator: Operator,
        found: Field,
        node: ScalarNode,
        meets: Callable[[str], bool],
        nearly: Callable[[str], bool],
    ) -> bool:
        """Whether the test of a part is not wrong in its case; one that no value meets is doubtful.

        ``nearly`` ignores the case. What is documented may not be all.
        """
        values = [value for value in found.values if isinstance(value, str)]
        if not values or any(map(meets, values)):
            return True
        phrase = operator.phrase.said.format(one_line(node.text))
        message = f"no documented value of {_name(found)} {phrase}"
        near = [value for value in values if nearly(value)]
        if near:
            self._wrong(node, message, f"case matters: there is {listed(near, 'and')}")
            return False
        self._problems.warn(node.position, message, f"documented: {listed(values)}")
        return True

    def _text(self, operator: Operator, _found: Field, node: Node) -> str | None:
        if not isinstance(node, ScalarNode) or not isinstance(node.value, str):
            hint = "quote it" if isinstance(node, ScalarNode) and node.text else ""
            if isinstance(node, SequenceNode) and operator.form is OperandForm.NEEDLE:
                hint = f"write {listed([o.name for o in OF_SEVERAL])} for several"
            self._wrong(node, f"{operator.name}: takes a text", hint)
            return None
        if not node.value:
            self._wrong(node, f'{operator.name}: "" holds for every text', "write the text")
            return None
        return node.value

    def _glob(self, operator: Operator, found: Field, node: Node) -> Any:
        text = self._matched(operator, found, node)
        if text is None or not isinstance(node, ScalarNode):
            return None
        if not self._has_its_case(found, node, _CHOICE.sub("", text)):
            return None
        lower = glob(text.lower())
        if not self._met_by_some(
            operator, found, node, glob(text), lambda value: lower(value.lower())
        ):
            return None
        return self._selective(operator, node, glob(text))

    def _pattern(self, operator: Operator, found: Field, node: Node) -> Any:
        text = self._matched(operator, found, node)
        if text is None:
            return None
        try:
            matches = pattern(text, whole=operator.whole_text)

            def nearly(value: str) -> bool:
                return pattern(f"(?i){text}", whole=operator.whole_text)(value)

            if isinstance(node, ScalarNode) and not self._met_by_some(
                operator, found, node, matches, nearly
            ):
                return None
            return self._selective(operator, node, matches)
        except PatternError as error:
            self._wrong(
                node,
                f"not a pattern that can be matched in linear time: {one_line(str(error))}",
                _pattern_hint(text),
            )
            return None

    def _matched(self, operator: Operator, found: Field, node: Node) -> str | None:
        text = self._text(operator, found, node)
        if text is None or not _CONTROL & set(text):
            return text
        self._wrong(
            node,
            "the pattern holds a control character",
            r"in double quotes \b is a backspace; use single quotes",
        )
        return None

    def _selective(self, operator: Operator, node: Node, matches: Matches) -> Matches | None:
        """Return ``matches`` unless it accepts everything."""
        if not all(matches(probe) for probe in _PROBES):
            return matches
        message = f"{operator.name}: {one_line(written(node))} matches every text"
        self._wrong(node, message, "write exists: true to require a value")
        return None

    def _moment(self, operator: Operator, _found: Field, node: Node) -> datetime | Now | None:
        text = node.value if isinstance(node, ScalarNode) else None
        if isinstance(text, str):
            offset = parse_relative(text)
            if offset is not None and abs(offset) > _LONGEST_OFFSET:
                self._wrong(node, f"{operator.name}: {text} is over 100 years from now", "")
                return None
            if offset is not None:
                return Now(offset)
            moment = parse_timestamp(text)
            if moment is not None:
                return moment
        self._wrong(
            node,
            f"{operator.name}: takes a timestamp, a field, or now",
            "write 2026-01-31T00:00:00Z, {field: created_at}, now, now+6h or now-30d",
        )
        return None

    def _duration(self, operator: Operator, _found: Field, node: Node) -> timedelta | None:
        text = node.value if isinstance(node, ScalarNode) else None
        duration = parse_duration(text) if isinstance(text, str) else None
        if duration:
            return duration
        self._wrong(
            node,
            f"{operator.name}: takes a duration",
            "write 90m, 36h, 7d, 2w, or {field: sync_frequency, times: 3, unit: minutes}",
        )
        return None

    def _schema(self, operator: Operator, _found: Field, node: Node) -> Any:
        from jsonschema import SchemaError  # noqa: PLC0415  # 70 ms, rare

        from auditor.policy.loading.json_schema import Validator  # noqa: PLC0415  # as above

        schema = plain_value(node)
        if not isinstance(schema, dict) or not schema:
            self._wrong(node, f"{operator.name}: takes a JSON Schema that is not empty", "")
            return None
        if _mentions(schema, _REFERENCES):
            message = "a schema in a policy cannot refer to others"
            self._wrong(node, message, "write it out, without $ref")
            return None
        if strange := next(_unasserted_keywords(schema), ""):
            hint = "validators do not assert format, so it would decide nothing"
            hint = hint if strange == "format" else "only keywords of the 2020-12 draft decide"
            self._wrong(node, f"{one_line(strange)} is not a keyword that decides anything", hint)
            return None
        if _mentions(schema, _PATTERNS):
            # The validator's own engine backtracks: a pattern could hang the run.
            hint = "write regex_search or regex_fullmatch beside json_schema"
            self._wrong(node, "a schema in a policy has no patterns", hint)
            return None
        try:
            Validator.check_schema(schema)
        except SchemaError as error:
            self._wrong(node, f"not a JSON Schema: {one_line(error.message)}", "")
            return None
        return Validator(schema)

    # -- signs of a pattern -----------------------------------------------------------------

    def _is_plain(self, operator: Operator, found: Field, node: Node) -> bool:
        """Whether no text in ``node`` looks like a pattern or a template; records one that does."""
        if found.kind is not Kind.STRING or found.exposure is not Exposure.SHOWN or found.free:
            return True
        items = node.items if isinstance(node, SequenceNode) else (node,)
        for item in items:
            text = item.value if isinstance(item, ScalarNode) else None
            if isinstance(text, str) and (sign := sign_in(text, operator)):
                looks, hint = sign
                self._wrong(item, f"{one_line(text)} is compared letter by letter, {looks}", hint)
                return False
        return True

    # -- types ------------------------------------------------------------------------------

    def _typed(self, operator: Operator, found: Field, node: ScalarNode) -> Any:
        """Return the scalar's value, of the field's type; None if it has another."""
        value = node.value
        if value is None:
            self._wrong(node, f"{_name(found)} cannot be compared with null", _NULL)
            return None
        if found.kind is Kind.OBJECT:
            message = f"{_name(found)} is an object, which equals no single value"
            self._wrong(node, message, "ask for its fields with any_item:")
            return None
        check = _TYPES.get(found.kind)
        if check is not None:
            fitting, hint = check(node)
            if fitting is None:
                message = f"{_name(found)} is {found.kind.value}, not {one_line(written(node))}"
                self._wrong(node, message, hint)
                return None
            value = fitting
        return value if self._documented(operator, found, node, value) else None

    def _documented(self, operator: Operator, found: Field, node: ScalarNode, value: Any) -> bool:
        if found.lower and isinstance(value, str) and value != value.lower():
            message = f"{_name(found)} is never {one_line(value)}"
            self._wrong(
                node, message, f"write {one_line(value.lower())}: it has no capital letters"
            )
            return False
        if not found.values or value in found.values or operator.form in _ENDS:
            return True
        known = listed(map(str, found.values))
        same = {str(v).lower(): v for v in found.values}.get(str(value).lower())
        if same is not None:
            self._wrong(
                node,
                f"{_name(found)} is never {one_line(str(value))}",
                f"write {same}: case matters",
            )
            return False
        self._problems.warn(
            node.position,
            f"{_name(found)} is not documented to be {one_line(str(value))}",
            f"documented: {known}",
        )
        return True

    def _list(self, operator: Operator, node: Node) -> tuple[Node, ...] | None:
        if isinstance(node, SequenceNode) and node.items:
            return node.items
        if isinstance(node, SequenceNode):
            self._wrong(node, f"{operator.name}: an empty list decides nothing", "name the values")
        else:
            self._wrong(node, f"{operator.name}: takes a list", f"write [{written(node)}]")
        return None

    def _wrong(self, node: Node, message: str, hint: str) -> None:
        self._problems.add(node.position, message, hint)


_NULL = "write exists: false for null or missing, exists: true for any value"


def written(node: Node, conjunction: str = "or") -> str:
    """Return ``node`` for an English sentence: ``15``, ``auto``, ``PrivateLink or SshTunnel``."""
    if isinstance(node, ScalarNode):
        if type(node.value) is bool:
            return str(node.value).lower()
        # 017 and 0x1F are 17 and 31 to us; a reader should not have to know that.
        return str(node.value) if type(node.value) is int else node.text
    if isinstance(node, SequenceNode):
        return listed([written(item) for item in node.items], conjunction)
    return "an object"


def _phrased(operator: Operator, value: Any, node: Node) -> str:
    """Return an operand as it follows its operator's phrase in a sentence."""
    if isinstance(value, Now) and value.offset:
        amount = written(node).removeprefix("now")[1:]
        return f"{amount} from now" if value.offset > timedelta(0) else f"{amount} ago"
    return written(node, operator.joins)


def _patterns(operator: Operator, node: Node) -> tuple[str, ...]:
    """Return the patterns of an operator that matches some, as they were written."""
    if operator.form not in {OperandForm.GLOB, OperandForm.PATTERN}:
        return ()
    items = node.items if isinstance(node, SequenceNode) else (node,)
    return tuple(item.text for item in items if isinstance(item, ScalarNode))


def _any_matches(patterns: Iterable[Matches], text: str) -> bool:
    return any(matches(text) for matches in patterns)


def _name(found: Field) -> str:
    return found.path or "this"


def _mentions(schema: Any, words: frozenset[str]) -> bool:
    if isinstance(schema, dict):
        return any(key in words or _mentions(value, words) for key, value in schema.items())
    return isinstance(schema, list) and any(_mentions(item, words) for item in schema)


def _unasserted_keywords(schema: Any) -> Iterator[str]:
    """Yield the keywords of a schema, and of those within it, that no validator asserts."""
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key not in _KEYWORDS:
            yield str(key)
        elif _KEYWORDS[key] == "schema":
            yield from _unasserted_keywords(value)
        elif _KEYWORDS[key] == "schemas":
            inner = value.values() if isinstance(value, dict) else value
            for each in inner if isinstance(value, dict | list) else ():
                yield from _unasserted_keywords(each)


#: The keywords of JSON Schema 2020-12 that decide or describe, and what they contain.
_KEYWORDS = {
    **dict.fromkeys(
        (
            *("type", "const", "enum", "multipleOf", "maximum", "exclusiveMaximum", "minimum"),
            *("exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems"),
            *("uniqueItems", "maxContains", "minContains", "maxProperties", "minProperties"),
            *("required", "dependentRequired", "title", "description", "default", "examples"),
            *("deprecated", "readOnly", "writeOnly", "$schema", "$comment", "$ref", "$dynamicRef"),
        ),
        "value",
    ),
    **dict.fromkeys(
        (
            *("items", "contains", "additionalProperties", "propertyNames", "not", "if", "then"),
            *("else", "unevaluatedItems", "unevaluatedProperties"),
        ),
        "schema",
    ),
    **dict.fromkeys(
        (
            *("prefixItems", "properties", "patternProperties", "dependentSchemas", "allOf"),
            *("anyOf", "oneOf"),
        ),
        "schemas",
    ),
}


def _as_text(node: ScalarNode) -> tuple[Any, str]:
    return (node.value, "") if isinstance(node.value, str) else (None, f'quote it: "{node.text}"')


def _as_number(node: ScalarNode) -> tuple[Any, str]:
    if type(node.value) in {int, float}:
        return node.value, ""
    unquoted = isinstance(node.value, str) and node.value.strip().isdigit()
    return None, f"write {node.text.strip()} without quotes" if unquoted else "write a number"


def _as_boolean(node: ScalarNode) -> tuple[Any, str]:
    if type(node.value) is bool:
        return node.value, ""
    if node.text.lower() in {"true", "false"}:
        return None, f"write {node.text.lower()} without quotes"
    meant = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
    word = meant.get(node.text.lower())
    return None, f"write {word}" if word else "write true or false"


def _as_time_of_day(node: ScalarNode) -> tuple[Any, str]:
    minutes = parse_time_of_day(node.value) if isinstance(node.value, str) else None
    return minutes, "" if minutes is not None else "write HH:MM, such as 02:00"


_TYPES: Mapping[Kind, Callable[[ScalarNode], tuple[Any, str]]] = {
    Kind.STRING: _as_text,
    Kind.INTEGER: _as_number,
    Kind.BOOLEAN: _as_boolean,
    Kind.TIME_OF_DAY: _as_time_of_day,
}


#: What Perl's patterns have and RE2's do not: look-around, back-references, atomic groups.
_BEYOND = re.compile(r"\(\?(?:[=!>]|<[=!])|\\[1-9]|\\k|[*+?}]\+")


def _pattern_hint(pattern: str) -> str:
    """Return what to do about a pattern that cannot be matched."""
    if _BEYOND.search(pattern):
        return "RE2's syntax has no look-around and no back-references"
    return r"escape a literal character with a backslash, such as \( and \["
