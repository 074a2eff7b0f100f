"""The mutants of a source: the same program, but for one place where it decides otherwise.

Everything that runs is broken, at the module's own level too: tables, defaults, what is made when
the module is imported. Left as they are: annotations, docstrings, sentences (a text with a space in
it, and what stands between the values of one, are held by the tests of words), the texts that the
members and fields of a class begin with, tables of words that hints are made of, the keywords of
decorators and classes, assertions, and what changes no program on any machine of ours (``strict=``
of ``zip``, ``encoding=``).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from tests.proofs.script_mutants import Mutant, script_mutants

__all__ = ["Mutant", "mutants", "mutants_of"]

_NEGATED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_SWAPPED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_NAMES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "sorted": "list",
    "startswith": "endswith",
    "endswith": "startswith",
    "lower": "upper",
    "casefold": "upper",
    "partition": "rpartition",
    "rpartition": "partition",
}
#: What writes programs, and what is turned round in these.
_GENERATES = frozenset({"auditor/policy/judging/compiler.py"})
_WRITTEN = {
    " and ": " or ",
    " or ": " and ",
    " is not ": " is ",
    " is None": " is not None",
    " not in ": " in ",
    " <= ": " < ",
    "if not ": "if ",
    "not (": "(",
    "True": "False",
    "False": "True",
    "else None": "else False",
    "else:": "elif False:",
}
#: Calls whose arguments are types, or names of types.
_OF_TYPES = frozenset({"cast", "TypeVar", "NewType", "isinstance", "NamedTuple", "ParamSpec"})
#: A line of more characters is shown as what differs in it, and so many on either side.
_LONG, _AROUND = 160, 60
#: What changes no program, and the names that other tools have for an operator: words of hints.
_KEPT_KEYWORDS = frozenset({"strict", "encoding", "elsewhere", "denied_elsewhere"})


def mutants_of(path: str, source: str) -> Iterator[tuple[Mutant, str]]:
    """Yield each mutant of a file, a module or a script of the page, and its source with it."""
    if path.endswith(".js"):
        return script_mutants(source)
    return mutants(source, generates=path in _GENERATES)


def mutants(source: str, *, generates: bool = False) -> Iterator[tuple[Mutant, str]]:
    """Yield each mutant of a module, and the module's source with it.

    Of one that ``generates`` source, what it writes is broken too, wherever it writes it.
    """
    tree = ast.parse(source)
    before = ast.unparse(tree).splitlines()
    seen: set[Mutant] = set()
    for function, put, node in list(_places(tree, "", lambda _: None, generates)):
        for variant in [*_variants(node), *(_rewritten(node) if generates else ())]:
            put(variant)
            text = ast.unparse(ast.fix_missing_locations(tree))
            put(node)
            mutant = Mutant(function, _difference(before, text.splitlines()))
            if mutant.change and mutant not in seen:
                seen.add(mutant)
                yield mutant, text


_Put = Callable[[ast.AST], None]


def _places(
    node: ast.AST, function: str, put: _Put, generates: bool
) -> Iterator[tuple[str, _Put, ast.AST]]:
    """Yield every node that may be changed, with what puts another in its place."""
    if _is_kept(node):
        return
    yield function, put, node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        function = f"{function}.{node.name}".removeprefix(".")
    for field, value in ast.iter_fields(node):
        if _is_kept_field(node, field):
            continue
        if isinstance(value, list):
            for number, item in enumerate(value):
                if isinstance(item, ast.AST) and not _is_kept_item(node, item, generates):
                    yield from _places(item, function, _putter_at(value, number), generates)
        elif isinstance(value, ast.AST):
            yield from _places(value, function, _putter(node, field), generates)


def _putter(node: ast.AST, field: str) -> _Put:
    return lambda new: setattr(node, field, new)


def _putter_at(values: list[ast.AST], number: int) -> _Put:
    return lambda new: values.__setitem__(number, new)


def _is_kept(node: ast.AST) -> bool:
    match node:
        case (
            ast.Import()
            | ast.ImportFrom()
            | ast.Assert()
            | ast.FormattedValue(format_spec=ast.JoinedStr(), value=ast.Constant())
        ):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.keyword(arg=str(name)):
            return name in _KEPT_KEYWORDS
        case ast.Assign(targets=[ast.Name(id="__all__" | "__slots__" | "_FOREIGN")]):
            return True
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name in _OF_TYPES
    return False


def _is_kept_field(node: ast.AST, field: str) -> bool:
    if field in ("annotation", "returns", "decorator_list", "ctx", "type_comment"):
        return True
    if isinstance(node, ast.ClassDef) and field in ("keywords", "bases"):
        return True
    if isinstance(node, ast.Subscript) and field == "slice":
        return not isinstance(node.slice, ast.Constant | ast.Slice | ast.UnaryOp | ast.BinOp)
    return isinstance(node, ast.FormattedValue) and field == "format_spec"


def _is_kept_item(node: ast.AST, item: ast.AST, generates: bool) -> bool:
    """Whether one of a list stays: a docstring, a piece of a sentence, a text of a class."""
    match node, item:
        case ast.JoinedStr(), ast.Constant():
            return not generates
        case ast.ClassDef(), ast.Assign() | ast.AnnAssign():
            return isinstance(item.value, ast.Constant) and isinstance(item.value.value, str)
        case _, ast.Expr(value=ast.Constant(value=str())):
            return True
    return False


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    """Yield replacements of a node."""
    match node:
        case ast.Constant(value=value):
            yield from map(ast.Constant, _constants(value))
        case ast.Call():
            yield from _calls(node)
        case ast.Set() | ast.Dict() | ast.comprehension() | ast.match_case():
            yield from _without_one(node)
        case ast.stmt():
            yield from _statements(node)
        case ast.expr():
            yield from _decisions(node)


def _decisions(node: ast.expr) -> Iterator[ast.AST]:
    """Yield an expression that comes out otherwise."""
    match node:
        case ast.Compare():
            for at, operator in enumerate(node.ops):
                for other in _NEGATED[type(operator)]:
                    yield ast.Compare(
                        node.left, [*node.ops[:at], other(), *node.ops[at + 1 :]], node.comparators
                    )
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for at in range(len(values)):
                left = [*values[:at], *values[at + 1 :]]
                yield left[0] if len(left) == 1 else ast.BoolOp(op, left)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(op=op) if type(op) in _SWAPPED and not _is_union(node):
            yield ast.BinOp(node.left, _SWAPPED[type(op)](), node.right)
        case ast.IfExp(test=test) if _is_plain(test):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), test), node.body, node.orelse)


def _statements(node: ast.stmt) -> Iterator[ast.AST]:
    """Yield a statement that does otherwise, or nothing."""
    match node:
        case ast.AugAssign(op=op):
            yield ast.Pass()
            if type(op) in _SWAPPED:
                yield ast.AugAssign(node.target, _SWAPPED[type(op)](), node.value)
        case ast.If(test=test) if _is_plain(test):
            yield ast.If(ast.UnaryOp(ast.Not(), test), node.body, node.orelse)
        case ast.Raise() | ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()):
            yield ast.Pass()
        case ast.Continue() | ast.Break():
            yield ast.Pass()


def _without_one(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a table without one of its entries, a case or a comprehension without a condition."""
    match node:
        case ast.comprehension(ifs=ifs):
            for at in range(len(ifs)):
                rest = [*ifs[:at], *ifs[at + 1 :]]
                yield ast.comprehension(node.target, node.iter, rest, node.is_async)
        case ast.match_case(guard=ast.expr()):
            yield ast.match_case(node.pattern, None, node.body)
        case ast.Set(elts=elements) if len(elements) > 1:
            for at in range(len(elements)):
                yield ast.Set([*elements[:at], *elements[at + 1 :]])
        case ast.Dict(keys=keys, values=values) if len(keys) > 1:
            for at in range(len(keys)):
                yield ast.Dict([*keys[:at], *keys[at + 1 :]], [*values[:at], *values[at + 1 :]])


def _rewritten(node: ast.AST) -> Iterator[ast.Constant]:
    """Yield a piece of source that is written, with one of its words turned round."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return
    for word, other in _WRITTEN.items():
        for found in re.finditer(re.escape(word), node.value):
            yield ast.Constant(node.value[: found.start()] + other + node.value[found.end() :])


def _is_plain(test: ast.expr) -> bool:
    """Whether no other mutant turns the test round."""
    return not isinstance(test, ast.BoolOp | ast.UnaryOp) and not (
        isinstance(test, ast.Compare) and len(test.ops) == 1
    )


def _is_union(node: ast.BinOp) -> bool:
    """Whether it is of types: ``int | None``, a name that begins with a capital."""
    if not isinstance(node.op, ast.BitOr):
        return False
    sides = [node.left, node.right]
    return any(
        (isinstance(side, ast.Constant) and side.value is None)
        or (isinstance(side, ast.Name) and (side.id[:1].isupper() or side.id in _BUILT_IN))
        or (isinstance(side, ast.BinOp) and _is_union(side))
        or isinstance(side, ast.Subscript)
        for side in sides
    )


_BUILT_IN = frozenset({"str", "int", "float", "bool", "bytes", "list", "dict", "tuple"})


def _constants(value: object) -> Iterator[bool | int | float | str | bytes]:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 1
        case str() if " " not in value and "\n" not in value:
            yield f"XX{value}"
        case bytes():
            yield b"XX" + value


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    """Yield a call of the opposite, and calls without one of what is named."""
    match node.func:
        case ast.Name(id=name) if name in _NAMES:
            keywords = [] if name == "sorted" else node.keywords
            yield ast.Call(ast.Name(_NAMES[name], ast.Load()), node.args, keywords)
        case ast.Attribute(attr=name) if name in _NAMES:
            func = ast.Attribute(node.func.value, _NAMES[name], ast.Load())
            yield ast.Call(func, node.args, node.keywords)
    for at, keyword in enumerate(node.keywords):
        if keyword.arg is not None and keyword.arg not in _KEPT_KEYWORDS:
            yield ast.Call(node.func, node.args, [*node.keywords[:at], *node.keywords[at + 1 :]])


def _difference(before: list[str], after: list[str]) -> str:
    """Return the lines that go and that come, where both texts differ."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    gone, come = before[start : len(before) - end], after[start : len(after) - end]
    if len(gone) == len(come) == 1:
        gone, come = _clipped(gone[0].strip(), come[0].strip())
    return "\n".join(
        [*(f"- {line.strip()}" for line in gone), *(f"+ {line.strip()}" for line in come)]
    )


def _clipped(gone: str, come: str) -> tuple[list[str], list[str]]:
    """Return two long lines as what differs, with its surroundings."""
    if max(len(gone), len(come)) <= _LONG:
        return [gone], [come]
    start = 0
    while start < min(len(gone), len(come)) and gone[start] == come[start]:
        start += 1
    end = 0
    while end < min(len(gone), len(come)) - start and gone[-1 - end] == come[-1 - end]:
        end += 1
    first = max(start - _AROUND, 0)
    return [gone[first : len(gone) - end + _AROUND]], [come[first : len(come) - end + _AROUND]]
