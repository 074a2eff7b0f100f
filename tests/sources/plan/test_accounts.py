"""Which account a resource belongs to: surely one, surely two, or unclear."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor import PlanSource, SnapshotSource, audit, load_policies
from auditor.errors import UsageError
from auditor.model import Result
from auditor.sources.plan.accounts import ProviderAccounts
from auditor.sources.plan.document import parse_plan
from tests.builders.plans import connection, document, estate

RULES = """\
policy: p
rules:
  - {id: differ, severity: low, per: account, assert: {unique: [service, schema]}}
"""
EU, US = "fivetran_connector.eu", "fivetran_connector.us"


def _provided(**configurations: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan of two connections of one name, with these provider configurations.

    `us` and `eu` are those of a connection each; of one alone, `by`, both are.
    """
    plan = document("alike")
    name = "registry.terraform.io/fivetran/fivetran"
    plan["configuration"]["provider_config"] = {
        f"fivetran.{alias}": {"name": "fivetran", "full_name": name, "expressions": expressions}
        for alias, expressions in configurations.items()
    }
    for resource in plan["configuration"]["root_module"]["resources"]:
        alias = resource["name"] if resource["name"] in configurations else "by"
        resource["provider_config_key"] = f"fivetran.{alias}"
    return plan


def _key(*references: str, constant: str = "", **more: Any) -> dict[str, Any]:
    return {"api_key": {"constant_value": constant} if constant else {"references": references}}


#: By hand, as OpenTofu writes it: no plan of it has the `for_each`, nor which key a resource takes.
EACH = _provided(by=_key("each.value.key", "each.value"))


def _over(
    folder: Path, plan: Mapping[str, Any], estates: Mapping[str, Mapping[str, str]]
) -> Result:
    """Lay a plan over accounts of connections by id and group, each by its name in the plan."""
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / "rules.yaml").write_text(RULES)
    sources: dict[str, SnapshotSource] = {}
    made: dict[str, SnapshotSource] = {}
    for name, rows in estates.items():
        items = [
            {"id": i, "service": "mysql", "schema": i, "group_id": group}
            for i, group in rows.items()
        ]
        text = json.dumps(items)
        if text not in made:
            path = folder / f"{len(made)}.json"
            path.write_text(text)
            made[text] = SnapshotSource(str(path))
        sources[name] = made[text]
    source = PlanSource(str(folder / "plan.json"))
    source.lay_over(sources)
    return audit(source, load_policies(str(folder / "rules.yaml")))


def _groups(result: Result) -> list[str]:
    return [group.verdict.label for rule in result.checks for group in rule.groups]


@pytest.mark.parametrize(
    ("us", "eu", "names", "may_be_one"),
    [
        (_key(constant="a"), _key(constant="a"), 1, True),
        (_key(constant="a"), _key(constant="b"), 2, False),
        ({}, {}, 1, True),  # both by the environment
        # The environment's key, with a secret of another account beside it.
        (
            {"api_secret": {"constant_value": "a"}},
            {"api_secret": {"constant_value": "b"}},
            2,
            False,
        ),
        (_key(constant="a"), {}, 2, False),
        (_key("var.key"), _key("var.key"), 2, True),  # the same, or a function of it
        (_key("var.us"), _key("var.eu"), 2, False),
        (_key('var.k["us"]', "var.k"), _key('var.k["eu"]', "var.k"), 2, False),
        (_key(), _key(), 2, True),  # a function of what is nowhere
        (_key(), _key(constant="a"), 2, True),
        (_key("each.value"), _key(constant="a"), 2, True),
        # A key that is written out is one account's, whatever its secret is called.
        (
            _key(constant="a") | {"api_secret": {"references": ["var.a"]}},
            _key(constant="a") | {"api_secret": {"references": ["var.b"]}},
            1,
            True,
        ),
        (
            _key(constant="a") | {"api_url": {"constant_value": "https://a"}},
            _key(constant="a") | {"api_url": {"constant_value": "https://b"}},
            2,
            False,
        ),
    ],
)
def test_credentials_tell_accounts_apart(
    us: dict[str, Any], eu: dict[str, Any], names: int, may_be_one: bool
):
    found = estate(_provided(us=us, eu=eu))
    assert len(found.accounts) == names
    one, other = (connection(found, address).account for address in (US, EU))
    assert found.providers.may_be_one(one, other) is may_be_one


def test_equal_configurations_that_share_a_group_are_one_account():
    plan = _provided(us=_key("var.key"), eu=_key("var.key"))
    assert estate(plan).accounts == ("fivetran.eu", "fivetran.us")
    for resource in plan["resource_changes"]:
        resource["change"]["after"]["group_id"] = "g_us"
    assert estate(plan).accounts == ("fivetran.eu",)
    # Two keys that are written out are two accounts, whatever else is said.
    told = _provided(us=_key(constant="a"), eu=_key(constant="b"))
    told["resource_changes"] = plan["resource_changes"]
    assert len(estate(told).accounts) == 2


def test_two_that_look_alike_are_never_mixed(tmp_path: Path):
    plan = document("alike")
    with pytest.raises(UsageError) as caught:
        _over(tmp_path, plan, {"": {"a": "g_us"}})
    assert "--over fivetran=SNAPSHOT --over fivetran.eu=SNAPSHOT" in str(caught.value)
    assert "one SNAPSHOT for both if they are one account" in str(caught.value)
    apart = _over(tmp_path, plan, {"fivetran": {"a": "g_us"}, "fivetran.eu": {"b": "g_eu"}})
    assert _groups(apart) == ["pass", "pass"]


def test_a_listing_that_has_something_of_both_shows_that_they_are_one(tmp_path: Path):
    plan = document("alike")
    assert _groups(_over(tmp_path, plan, {"": {"a": "g_us", "b": "g_eu"}})) == ["fail"]
    # Whoever names one listing for both says so; what is two for sure is not believed.
    same = {"a": "g_us"}
    assert _groups(_over(tmp_path, plan, {"fivetran": same, "fivetran.eu": same})) == ["fail"]
    told = _provided(us=_key(constant="a"), eu=_key(constant="b"))
    with pytest.raises(UsageError, match="the plan is of 2 accounts"):
        _over(tmp_path, told, {"fivetran.us": same, "fivetran.eu": same})


def test_a_for_each_of_providers_is_told_by_what_the_listings_have(tmp_path: Path):
    us, eu = {"a": "g_us"}, {"b": "g_eu"}
    both = {'fivetran.by["us"]': us, 'fivetran.by["eu"]': eu}
    assert _groups(_over(tmp_path, EACH, both)) == ["pass", "pass"]
    assert _groups(_over(tmp_path, EACH, {"": us | eu})) == ["fail"]
    assert _groups(_over(tmp_path, EACH, {"fivetran.by": {}})) == ["fail"]  # as it was said
    for estates in ({"": us}, {'fivetran.by["us"]': us, 'fivetran.by["eu"]': {}}):
        with pytest.raises(UsageError, match=r"fivetran\.by has for_each") as caught:
            _over(tmp_path, EACH, estates)
        assert EU in str(caught.value)
        assert "--over fivetran.by=SNAPSHOT" in str(caught.value)


def test_alone_each_resource_of_a_for_each_is_judged_apart(tmp_path: Path):
    found = estate(EACH)
    assert found.accounts == (f"fivetran.by[{EU}]", f"fivetran.by[{US}]")
    # Two of one name, and no group of two.
    assert _groups(_over(tmp_path, EACH, {})) == ["skip", "skip"]
    # As long as their addresses may be.
    plan = copy.deepcopy(EACH)
    for resource in plan["resource_changes"]:
        resource["module_address"] = f"module.{'m' * 300}"
        resource["address"] = f"{resource['module_address']}.{resource['address']}"
    module = {"module": {"resources": plan["configuration"]["root_module"].pop("resources")}}
    plan["configuration"]["root_module"]["module_calls"] = {"m" * 300: module}
    assert len(estate(plan).accounts) == 2


@pytest.mark.parametrize(
    ("over", "named"),
    [
        (["s.json"], {"": "s.json"}),
        (["fivetran=a", "fivetran.eu=b=c"], {"fivetran": "a", "fivetran.eu": "b=c"}),
        (["fivetran.eu=b", "fivetran=a"], {"fivetran": "a", "fivetran.eu": "b"}),
        (["odd=name.json"], {"": "odd=name.json"}),
        (["fivetran=a"], None),
        (["fivetran=a", "fivetran=b"], None),
        (["a", "b"], None),
        (["fivetran=a", "fivetran.xx=b"], None),
        (['fivetran["k"]=a', "fivetran.eu=b"], None),
    ],
)
def test_estates_are_named_by_provider_configuration(over: list[str], named: dict[str, str] | None):
    found = estate("alike")
    if named is None:
        with pytest.raises(UsageError, match="write --over fivetran=SNAPSHOT"):
            found.providers.estates(over, found.accounts)
    else:
        assert found.providers.estates(over, found.accounts) == named


def test_a_for_each_names_an_estate_by_key():
    found = estate(EACH)
    named = found.providers.estates(['fivetran.by["a=b"]=c', "fivetran.by=d"], found.accounts)
    assert named == {'fivetran.by["a=b"]': "c", "fivetran.by": "d"}
    with pytest.raises(UsageError, match=r"write --over 'fivetran\.by\[\"KEY\"\]=SNAPSHOT'"):
        found.providers.estates(["a", "b"], found.accounts)


def test_a_configuration_that_is_nowhere_may_be_any():
    """As plans of Terraform before 1.1 have it, of what a module is handed."""
    plan = parse_plan(json.dumps(document("alike")).encode(), "")
    accounts = ProviderAccounts(plan)
    assert accounts.of("team:fivetran", US) == "team:fivetran"
    assert accounts.may_be_one("team:fivetran", "fivetran")
    assert accounts.may_be_one("", "fivetran")
