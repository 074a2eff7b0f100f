"""Addresses of a plan, taken apart: modules, instances and keys."""

from __future__ import annotations

import pytest

from auditor.sources.plan.document import (
    Configuration,
    ConfiguredResource,
    Expression,
    Module,
)
from auditor.sources.plan.references import (
    Key,
    Place,
    References,
    Undecided,
    parse_key,
    parse_where,
    split_address,
)


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("", ()),
        ("module.a", (("a", None),)),
        ('module.a["x"].module.b[3]', (("a", "x"), ("b", 3))),
        ('module.a["x.y[0]"]', (("a", "x.y[0]"),)),
        ('module.a["q\\"q"].module.b', (("a", 'q"q'), ("b", None))),
    ],
)
def test_a_module_instance_is_its_calls_and_keys(address: str, where: tuple[object, ...]):
    assert parse_where(address) == where


@pytest.mark.parametrize(
    ("text", "key"), [(None, None), ("0", 0), ("12", 12), ('"0"', "0"), ('"a b"', "a b")]
)
def test_a_number_and_a_text_are_two_keys(text: str | None, key: object):
    assert parse_key(text) == key
    assert type(parse_key(text)) is type(key)


@pytest.mark.parametrize(
    ("address", "split"),
    [
        ("fivetran_connector.a", ((), "fivetran_connector.a")),
        ('module.m["x"].fivetran_connector.a[0]', (("m",), "fivetran_connector.a")),
        ("module.m.module.n.fivetran_group.g", (("m", "n"), "fivetran_group.g")),
    ],
)
def test_an_address_leads_through_modules_to_a_name(address: str, split: object):
    assert split_address(address) == split


CONNECTION, SCHEDULE = "fivetran_connector.c", "fivetran_connector_schedule.s"


def _joined(index: str, each: Expression | None, keys: list[Key], others: list[Key]) -> list[Key]:
    """Return the key of the connection that each schedule is for; "?" if that is not decided.

    A schedule names it as ``fivetran_connector.c[INDEX].id``.
    """
    schedule = ConfiguredResource(SCHEDULE, SCHEDULE.partition(".")[0], for_each_expression=each)
    held = [Place((), SCHEDULE, key) for key in keys]
    places = [*held, *(Place((), CONNECTION, key) for key in others)]
    found = References(Configuration(root_module=Module(resources=[schedule])), places)
    attribute = Expression([CONNECTION, index])
    targets = [found.target(attribute, place) for place in held]
    return ["?" if isinstance(each, Undecided) else each.key for each in targets]


@pytest.mark.parametrize(
    ("index", "each", "joined"),
    [
        ("each.key", Expression(["var.any"]), ["a", "b"]),
        ("each.value", Expression(), ["a", "b"]),  # toset([...])
        ("each.value", Expression(constant_value={"a": "b", "b": "a"}), ["b", "a"]),
        ("each.value", Expression(constant_value={"a": "b", "b": "other"}), ["b", "?"]),
        ("each.value", Expression(constant_value={"a": {"c": "b"}}), ["?", "?"]),
        ("each.value.c", Expression(constant_value={"a": {"c": "b"}, "b": {}}), ["b", "?"]),
        ("each.value.c", Expression(constant_value={"a": "b", "b": "a"}), ["?", "?"]),
        ("each.value.c", Expression(["var.any"]), ["?", "?"]),
    ],
)
def test_the_value_of_a_map_is_another_key_than_its_own(
    index: str, each: Expression, joined: list[Key]
):
    """A schedule of every connection, each under another's name, is not the wrong one's."""
    assert _joined(index, each, ["a", "b"], ["a", "b"]) == joined


def test_some_of_many_by_number_may_be_any_of_them():
    """``[count.index + 1]`` and a slice leave the same references as ``[count.index]``."""
    assert _joined("count.index", None, [0, 1], [0, 1]) == [0, 1]
    assert _joined("count.index", None, [0, 1], [0, 1, 2]) == ["?", "?"]
