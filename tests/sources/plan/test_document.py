"""What is a plan, and what people pipe by mistake."""

from __future__ import annotations

import gzip
import json

import pytest

from auditor.errors import SourceError, UsageError
from auditor.sources.plan.document import parse_plan, read_plan
from tests.builders.plans import PLANS, document, of_these, plan_file

WHOLE = plan_file("small").read_bytes()
HOW = "terraform show -json tfplan"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (PLANS.joinpath("state.json").read_bytes(), "this is a state"),
        (PLANS.joinpath("empty-state.json").read_bytes(), "this is a state"),
        (PLANS.joinpath("stream.ndjson").read_bytes(), "the stream of messages"),
        (b"PK\x03\x04 and so on", "the plan's own binary file"),
        (b"Terraform used the selected providers to generate", "not a plan's JSON"),
        (b"[]", "not a plan's JSON"),
        (b"{}", "not a plan"),
        (b'{"code": "Success", "data": {"items": []}}', "not a plan"),
        (b'{"resource_changes": []}', "no format_version"),
        (json.dumps(document("small") | {"format_version": "2.0"}).encode(), "format 2.0"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_what_is_not_a_plan_is_refused_with_what_makes_one(body: bytes, said: str):
    with pytest.raises(UsageError, match=said) as caught:
        parse_plan(body, "given.json")
    assert str(caught.value).startswith("given.json: ")
    assert HOW in str(caught.value) or "format 2.0" in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [b"", b" \n", WHOLE[:200], WHOLE[:-2], WHOLE.replace(b'"a"', b'"\xff"', 1)],
    ids=["empty", "blank", "cut early", "cut late", "not UTF-8"],
)
def test_a_plan_that_is_cut_or_damaged_is_inconclusive(body: bytes):
    with pytest.raises(SourceError):
        parse_plan(body, "given.json")


def test_a_damaged_shape_is_inconclusive_and_no_traceback():
    damaged = document("small") | {"resource_changes": {"not": "a list"}}
    with pytest.raises(SourceError, match="damaged"):
        parse_plan(json.dumps(damaged).encode(), "given.json")


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(WHOLE),
        b"\xef\xbb\xbf" + WHOLE,
        b"\xff\xfe" + WHOLE.decode().encode("utf-16-le"),
    ],
    ids=["gzip", "a mark", "PowerShell's UTF-16"],
)
def test_a_plan_is_read_however_it_was_saved(body: bytes):
    assert len(parse_plan(body, "given.json").changes) == len(parse_plan(WHOLE, "").changes) == 5


@pytest.mark.parametrize("version", ["0.2", "1.0", "1.1", "1.2", "1.99"])
def test_every_minor_version_is_read_and_new_names_are_ignored(version: str):
    newer = document("small") | {"format_version": version, "something_new": {"a": [1]}}
    assert len(parse_plan(json.dumps(newer).encode(), "").changes) == 5


def test_a_refresh_only_plan_is_a_plan():
    assert read_plan(str(plan_file("small-refresh-only"))).changes == []


def test_a_missing_file_is_a_mistake_of_the_command_line(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_plan(str(tmp_path / "none.json"))


MADE = sorted(path.stem for path in PLANS.glob("*.json") if "state" not in path.stem)


@pytest.mark.parametrize("name", MADE)
def test_a_plan_that_was_shortened_is_told_from_a_whole_one(name: str):
    """Of a complete plan nothing can go; of another nothing that would still be there."""
    whole = document(name)
    assert parse_plan(json.dumps(whole).encode(), "").left_out() == []
    changes = whole.get("resource_changes", [])
    addresses = [change["address"] for change in changes]
    for gone in changes if len(changes) > 1 else []:
        cut = {**whole, "resource_changes": [one for one in changes if one is not gone]}
        seen = gone["mode"] == "managed" and addresses.count(gone["address"]) == 1
        assert parse_plan(json.dumps(cut).encode(), "").left_out() == [gone["address"]] * seen


def test_only_fivetran_resources_are_missed():
    """Some leave the rest out, since a plan is large."""
    plan = document("small")
    told = plan["planned_values"]["root_module"]["resources"]
    told.append({"address": "aws_instance.a", "mode": "managed", "type": "aws_instance"})
    told.append({"address": "data.fivetran_group.a", "mode": "data", "type": "fivetran_group"})
    assert parse_plan(json.dumps(plan).encode(), "").left_out() == []


def test_modules_in_modules_are_looked_through_in_order():
    told = {"address": "fivetran_group.a", "mode": "managed", "type": "fivetran_group"}
    inner = {"resources": [told | {"address": "module.b.fivetran_group.a"}]}
    for _ in range(100):
        inner = {"child_modules": [inner]}
    root = {"resources": [told], "child_modules": [inner, {"resources": [told | {"address": "c"}]}]}
    plan = {"format_version": "1.2", "planned_values": {"root_module": root}}
    left_out = parse_plan(json.dumps(plan).encode(), "").left_out()
    assert left_out == ["fivetran_group.a", "module.b.fivetran_group.a", "c"]


def test_data_of_the_same_address_is_no_change_of_a_resource():
    plan = document("small")
    plan["resource_changes"][0]["mode"] = "data"
    left_out = parse_plan(json.dumps(plan).encode(), "").left_out()
    assert left_out == [plan["resource_changes"][0]["address"]]


@pytest.mark.parametrize("empty", [None, {}])
def test_a_plan_without_other_lists_may_be_any(empty: object):
    plan = of_these(document("small"), []) | {"planned_values": empty, "prior_state": empty}
    assert parse_plan(json.dumps(plan).encode(), "").left_out() == []
