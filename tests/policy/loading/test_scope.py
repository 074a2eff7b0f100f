"""What a condition may name: documented fields, declared ones, and keys below them."""

from __future__ import annotations

import pytest

from auditor.fields import FIELDS, Exposure, Kind
from auditor.policy.loading import nodes
from auditor.policy.loading.scope import Scope, named

SCOPE = Scope(extra_fields=frozenset({"brand_new", "status.fresh"}))


@pytest.mark.parametrize("path", ["paused", "status.setup_state", "setup_tests[].status"])
def test_a_documented_field_has_the_catalogue_s_type(path: str):
    assert SCOPE.find(path) is FIELDS[path]


@pytest.mark.parametrize(
    "path", ["brand_new", "brand_new.deep.er", "brand_new[]", "brand_new[].x", "status.fresh"]
)
def test_a_declared_field_is_of_any_type_and_hidden(path: str):
    field = SCOPE.find(path)
    assert field is not None
    assert (field.kind, field.open, field.exposure) == (Kind.ANY, True, Exposure.HIDDEN)
    assert Scope().find(path) is None


@pytest.mark.parametrize("path", ["brand_newer", "brand", "status.fres", "x.brand_new", ""])
def test_nothing_else_is_found(path: str):
    assert SCOPE.find(path) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{var: floor}", "floor"),
        ("{var: 3}", "3"),
        ("{field: floor}", None),
        ("{var: floor, x: 1}", None),
        ("{var: [a]}", None),
        ("var", None),
        ("[var]", None),
        ("{}", None),
    ],
)
def test_a_mapping_that_only_names(text: str, name: str | None):
    root, problems = nodes.parse(text.encode(), "a.yaml")
    assert not problems
    found = named(root, "var")
    assert (found.text if found else None) == name
