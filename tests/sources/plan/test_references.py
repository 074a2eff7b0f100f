"""Addresses of a plan, taken apart: modules, instances and keys."""

from __future__ import annotations

import pytest

from auditor.sources.plan.references import parse_key, parse_where, split_address


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
