"""What a policy can name: fields, facts, operators and packs, as lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.cli.terminal.streams import style
from auditor.facts.own import OwnFacts
from auditor.fields import FACT_LISTS, RECORD_FIELDS, Exposure, Field
from auditor.policy.language.aggregates import AGGREGATES
from auditor.policy.language.operators import OPERATORS
from auditor.policy.loading.documents import pack_names
from auditor.policy.loading.load import load
from auditor.text import plural

_EXPOSURES = {Exposure.HIDDEN: "hidden in reports", Exposure.SECRET: "secret: exists only"}


def fields() -> Iterator[str]:
    """Yield a line per field of a connection."""
    yield style("Fields of a connection", "bold")
    yield from _fields(RECORD_FIELDS.values())


def facts(own: Iterable[OwnFacts]) -> Iterator[str]:
    """Yield each fact with its list, how its row is found, and its fields; the user's own last."""
    for fact in FACT_LISTS.values():
        found = f"by {fact.key}" if fact.key else "one for the account"
        yield f"{style(fact.name, 'bold')}  GET {fact.path}, {found} (--with {fact.resource})"
        yield from _fields(fact.fields)
        yield ""
    for each in own:
        how = f"by {each.key} ({'globs' if each.globs else 'exact'})"
        rows = f"{plural(len(each.rows), 'row')} of {each.origin}, {how}"
        if not each.rows:
            rows = f"no rows yet, {how}; --facts {each.name}=FILE brings them"
        yield f"{style(each.name, 'bold')}  {rows}"
        yield from _fields(each.fields())
        yield ""


def operators() -> Iterator[str]:
    """Yield a line per operator, family by family, and one per aggregate of a group's members."""
    family = ""
    width = max(map(len, (*OPERATORS, *AGGREGATES)))
    for operator in OPERATORS.values():
        if operator.family != family:
            family = operator.family
            yield style(family.capitalize(), "bold")
        doc = operator.doc.replace("`", "")
        yield f"  {operator.name:<{width}}  {doc} Takes {operator.operand}."
    yield style("Of groups", "bold")
    for aggregate in AGGREGATES.values():
        yield f"  {aggregate.name:<{width}}  {aggregate.doc} Takes a field and tests of a number."


def packs() -> Iterator[str]:
    """Yield a line per shipped pack."""
    names = pack_names()
    width = max(map(len, names))
    for name in names:
        ruleset = load([name]).ruleset
        (title,) = [p.title for p in ruleset.policies if p.name == name] or [""]
        rules = plural(len(ruleset.rules), "rule")
        yield f"{style(f'{name:<{width}}', 'bold')}  {title} ({rules})"


def _fields(known: Iterable[Field]) -> Iterator[str]:
    listed = list(known)
    width = max(len(field.path) for field in listed)
    for field in listed:
        values = f" One of {', '.join(map(str, field.values))}." if field.values else ""
        exposure = _EXPOSURES.get(field.exposure)
        shown = f" ({exposure})" if exposure else ""
        yield f"  {field.path:<{width}}  {field.kind.value}{shown}: {field.doc}{values}"
