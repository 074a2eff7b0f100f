"""Several files: what they extend, override, share, and keep for themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auditor.errors import PolicyError, UsageError
from auditor.model import Severity
from auditor.policy.language.rules import Ruleset
from auditor.policy.loading.load import load
from tests.builders.judged import findings_of, loaded, one_rule, verdict_of, written

RULE = "{id: ID, severity: low, assert: {paused: false}}"


def _policy(*rules: str, **keys: str) -> str:
    body = "".join(f"{key}: {value}\n" for key, value in keys.items())
    listed = "\n  - ".join(rules)
    return f"policy: p\n{body}" + (f"rules:\n  - {listed}\n" if rules else "")


def _rule(name: str) -> str:
    return RULE.replace("ID", name)


def _load(folder: Path, *names: str, **options: Any) -> Ruleset:
    return load([str(folder / name) for name in names], **options).ruleset


def _refused(folder: Path, *names: str, **options: Any) -> str:
    with pytest.raises(PolicyError) as caught:
        _load(folder, *names, **options)
    return str(caught.value)


# -- extends --------------------------------------------------------------------------------


def test_each_file_is_loaded_once_however_it_is_reached(tmp_path: Path) -> None:
    written(tmp_path, _policy(_rule("base")), "base.yaml")
    written(tmp_path, _policy(_rule("left"), extends="[../base.yaml]"), "sub/left.yaml")
    top = _policy(_rule("top"), extends="[base.yaml, ./base.yaml, sub/left.yaml, sub/../base.yaml]")
    written(tmp_path, top, "top.yaml")
    found = _load(tmp_path, "top.yaml", "base.yaml", "sub/left.yaml")
    assert [r.rule.id for r in found.rules] == ["base", "left", "top"]
    assert len({file.file for file in found.policies}) == len(found.policies) == 3


def test_a_ladder_of_files_is_climbed_once(tmp_path: Path) -> None:
    written(tmp_path, _policy(_rule("base")), "l0.yaml")
    written(tmp_path, _policy(_rule("other")), "r0.yaml")
    for step in range(1, 40):
        below = f"[l{step - 1}.yaml, r{step - 1}.yaml]"
        for side in "lr":
            written(tmp_path, _policy(extends=below), f"{side}{step}.yaml")
    assert len(_load(tmp_path, "l39.yaml").rules) == 2


def test_a_link_to_a_file_is_the_file(tmp_path: Path) -> None:
    written(tmp_path, _policy(_rule("base")), "base.yaml")
    (tmp_path / "alias.yaml").symlink_to(tmp_path / "base.yaml")
    assert len(_load(tmp_path, "alias.yaml", "base.yaml").rules) == 1


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"a": "[a.yaml]"}, "extends itself"),
        ({"a": "[b.yaml]", "b": "[c.yaml]", "c": "[a.yaml]"}, "extends itself"),
        ({"a": "[nothing.yaml]"}, "no such file: nothing.yaml"),
        ({"a": "[baselin]"}, "did you mean baseline?"),
        ({"a": '["a\\0b.yaml"]'}, "no such file"),
        ({"a": f"[{'x' * 5000}.yaml]"}, "no such file"),
        ({"a": "[3]"}, "names of packs and files"),
        ({"a": "baseline"}, "extends: takes a list"),
    ],
)
def test_what_cannot_be_extended(tmp_path: Path, files: dict[str, str], told: str) -> None:
    for name, extends in files.items():
        written(tmp_path, _policy(_rule(name), extends=extends), f"{name}.yaml")
    assert told in _refused(tmp_path, "a.yaml")


def test_a_rule_id_twice_across_files_is_an_error_at_the_second(tmp_path: Path) -> None:
    written(tmp_path, _policy(_rule("one")), "a.yaml")
    written(tmp_path, _policy(_rule("two"), _rule("one")), "b.yaml")
    told = _refused(tmp_path, "a.yaml", "b.yaml")
    assert "b.yaml:4:10" in told
    assert "a rule called one already exists at" in told


# -- override -------------------------------------------------------------------------------


def test_an_override_replaces_and_nothing_else(tmp_path: Path) -> None:
    base = _policy(
        "{id: x, severity: low, title: Old, tags: [a, b], controls: {s: [A]}, why: old,"
        " assert: {paused: false}, message: old}"
    )
    written(tmp_path, base, "base.yaml")
    override = "{x: {severity: high, tags: [c], controls: {t: [B]}, message: '{schema} new'}}"
    written(tmp_path, _policy(extends="[base.yaml]", override=override), "top.yaml")
    found = _load(tmp_path, "top.yaml")
    rule = found.rules[0].rule
    assert (rule.severity, rule.title, rule.tags) == (Severity.HIGH, "Old", ("c",))
    assert (rule.controls, rule.why) == ((("t", ("B",)),), "old")
    (finding,) = findings_of(found, [{"id": "c", "schema": "s", "paused": True}])
    assert finding.message == "s new"


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("{y: {severity: high}}", "no rule to override is called y"),
        ("{bas: {severity: high}}", "did you mean base?"),
        ("{own: {severity: high}}", "it is in this file"),
        ("{base: {when: {paused: true}}}", "cannot replace when"),
        ("{base: {assert: {paused: true}}}", "cannot replace assert"),
        ("{base: {per: account}}", "cannot replace per"),
        ("{base: {}}", "an override must say what to replace"),
        ("{base: 3}", "an override must say what to replace"),
        ("{base: {enabled: no}}", "enabled: takes true or false"),
        ("{base: {severty: high}}", "did you mean severity?"),
        ("{base: {severity: huge}}", "huge is not a severity"),
        ("{base: {reason: 3, enabled: false}}", "reason: takes a text"),
        ("{base: {message: '{nope}'}}", "nope"),
    ],
)
def test_what_no_override_can_do(tmp_path: Path, override: str, told: str) -> None:
    written(tmp_path, _policy(_rule("base")), "base.yaml")
    top = _policy(_rule("own"), extends="[base.yaml]", override=override)
    written(tmp_path, top, "top.yaml")
    assert told in _refused(tmp_path, "top.yaml")


def test_a_disabled_rule_is_reported_with_its_reason(tmp_path: Path) -> None:
    written(tmp_path, _policy(_rule("base"), _rule("kept")), "base.yaml")
    override = "{base: {enabled: false, reason: our orchestrator does it}}"
    written(tmp_path, _policy(extends="[base.yaml]", override=override), "top.yaml")
    found = _load(tmp_path, "top.yaml")
    assert [r.rule.id for r in found.rules] == ["kept"]
    (told,) = found.left_out
    assert told.startswith("rule base is disabled at ")
    assert told.endswith(": our orchestrator does it")


def test_a_rule_may_be_enabled_again_further_up(tmp_path: Path) -> None:
    written(tmp_path, _policy(_rule("base")), "base.yaml")
    off = _policy(extends="[base.yaml]", override="{base: {enabled: false}}")
    written(tmp_path, off, "off.yaml")
    on = _policy(extends="[off.yaml]", override="{base: {enabled: true}}")
    written(tmp_path, on, "on.yaml")
    assert "every rule is disabled" in _refused(tmp_path, "off.yaml")
    assert _load(tmp_path, "on.yaml").left_out == ()


def test_two_files_that_do_not_extend_each_other_may_not_disagree(tmp_path: Path) -> None:
    written(tmp_path, _policy(_rule("base")), "base.yaml")
    for name in ("a", "b"):
        text = _policy(extends="[base.yaml]", override="{base: {severity: high}}")
        written(tmp_path, text, f"{name}.yaml")
    assert "neither takes precedence" in _refused(tmp_path, "a.yaml", "b.yaml")


# -- variables ------------------------------------------------------------------------------

FLOOR = "{id: floor, severity: low, assert: {sync_frequency: {gte: {var: floor}}}}"


def test_the_extending_file_and_then_the_command_line_have_the_last_word(tmp_path: Path) -> None:
    written(tmp_path, _policy(FLOOR, vars="{floor: 15}"), "base.yaml")
    written(tmp_path, _policy(extends="[base.yaml]", vars="{floor: 5}"), "top.yaml")
    expects = "sync_frequency is at least "
    assert _load(tmp_path, "base.yaml").rules[0].rule.expects == f"{expects}15"
    assert _load(tmp_path, "top.yaml").rules[0].rule.expects == f"{expects}5"
    assert _load(tmp_path, "top.yaml", "base.yaml").rules[0].rule.expects == f"{expects}5"
    given = _load(tmp_path, "top.yaml", variables={"floor": "30"})
    assert given.rules[0].rule.expects == f"{expects}30"


def test_two_siblings_that_declare_a_name_are_an_error(tmp_path: Path) -> None:
    written(tmp_path, _policy(_rule("a"), vars="{floor: 1}"), "a.yaml")
    written(tmp_path, _policy(_rule("b"), vars="{floor: 1}"), "b.yaml")
    assert "a.yaml sets the variable floor too" in _refused(tmp_path, "a.yaml", "b.yaml")


@pytest.mark.parametrize(
    ("default", "given", "told"),
    [
        ("3", "x", "takes a number"),
        ("3", "true", "takes a number"),
        ("3", "", "is empty"),
        ("true", "yes", "takes true or false"),
        ("true", "1", "takes true or false"),
        ("[a]", "a,,b", "takes a list"),
        ("[1]", "a,b", "takes a number"),
    ],
)
def test_the_command_lines_value_is_of_the_defaults_type(
    tmp_path: Path, default: str, given: str, told: str
) -> None:
    written(tmp_path, _policy(_rule("a"), vars=f"{{it: {default}}}"), "a.yaml")
    with pytest.raises(UsageError, match=told):
        _load(tmp_path, "a.yaml", variables={"it": given})


def test_a_text_stays_text_and_a_list_of_texts_a_list_of_texts(tmp_path: Path) -> None:
    rules = (
        "{id: a, severity: low, assert: {schema: {var: one}}}",
        "{id: b, severity: low, assert: {schema: {var: several}}}",
    )
    written(tmp_path, _policy(*rules, vars="{one: x, several: [x, y]}"), "a.yaml")
    found = _load(tmp_path, "a.yaml", variables={"one": "60", "several": "60, 017,no"})
    assert [r.rule.expects for r in found.rules] == ["schema is 60", "schema is 60, 017 or no"]


@pytest.mark.parametrize("name", ["flor", "nothing"])
def test_an_undeclared_variable_is_an_error_everywhere(tmp_path: Path, name: str) -> None:
    written(tmp_path, _policy(FLOOR, vars="{floor: 15}"), "a.yaml")
    with pytest.raises(UsageError, match="no policy in force declares it"):
        _load(tmp_path, "a.yaml", variables={name: "3"})
    rule = FLOOR.replace("{var: floor}", f"{{var: {name}}}")
    written(tmp_path, _policy(rule, vars="{floor: 15}"), "b.yaml")
    assert f"no variable is called {name}" in _refused(tmp_path, "b.yaml")


@pytest.mark.parametrize("given", [{"variables": {"most": "3"}}, {"facts": {"tiers": "no.csv"}}])
def test_what_a_broken_file_may_declare_is_not_called_undeclared(
    tmp_path: Path, given: dict[str, Any]
) -> None:
    written(tmp_path, "policy: p\nvars: {most: 15}\nfacts: {tiers: {}\n", "a.yaml")
    with pytest.raises(PolicyError, match="not YAML"):
        _load(tmp_path, "a.yaml", **given)


@pytest.mark.parametrize("value", ["null", "{a: b}", "[[a]]", "[null]", "{field: schema}"])
def test_a_variable_is_a_value_or_a_list_of_values(tmp_path: Path, value: str) -> None:
    written(tmp_path, _policy(_rule("a"), vars=f"{{it: {value}}}"), "a.yaml")
    assert "the variable it is not a value" in _refused(tmp_path, "a.yaml")


def test_a_wrong_value_of_a_variable_is_reported_where_it_is_used(tmp_path: Path) -> None:
    written(tmp_path, _policy(FLOOR, vars="{floor: '15'}"), "a.yaml")
    assert "write 15 without quotes" in _refused(tmp_path, "a.yaml")


# -- what holds for one file only -----------------------------------------------------------

_SECRET_HOST = {"id": "c", "schema": "s", "config": {"host": "db.example"}}


def test_reveal_holds_for_its_own_file(tmp_path: Path) -> None:
    for name, reveal in (("a", "[config.host]"), ("b", "[]")):
        rule = (
            f"{{id: {name}, severity: low, assert: {{config.host: x}}, message: '{{config.host}}'}}"
        )
        written(tmp_path, _policy(rule, reveal=reveal), f"{name}.yaml")
    found = findings_of(_load(tmp_path, "a.yaml", "b.yaml"), [_SECRET_HOST])
    assert [f.message for f in found] == ["db.example", "[hidden]"]
    assert [f.evidence[0].actual for f in found] == ["db.example", "[hidden]"]


def test_extra_fields_hold_for_their_own_file(tmp_path: Path) -> None:
    steward = (
        "{id: ID, severity: low, assert: {steward: {exists: true}}, message: '{steward.name}'}"
    )
    written(tmp_path, _policy(steward.replace("ID", "a"), extra_fields="[steward]"), "a.yaml")
    found = _load(tmp_path, "a.yaml")
    assert verdict_of(found, {"id": "c", "steward": "x"}).label == "pass"
    written(tmp_path, _policy(steward.replace("ID", "b"), extends="[a.yaml]"), "b.yaml")
    assert "no field is called steward" in _refused(tmp_path, "b.yaml")
    above = _policy(steward.replace("ID", "c"), extends="[d.yaml]", extra_fields="[steward]")
    written(tmp_path, above, "c.yaml")
    written(tmp_path, _policy(steward.replace("ID", "d")), "d.yaml")
    assert "d.yaml" in _refused(tmp_path, "c.yaml")


@pytest.mark.parametrize("path", ["a..b", "''", "'a b'", "all", "not", "item", "'[]'", "'{a}'"])
def test_an_extra_field_is_a_path(tmp_path: Path, path: str) -> None:
    written(tmp_path, _policy(_rule("a"), extra_fields=f"[{path}]"), "a.yaml")
    assert "is not a field path" in _refused(tmp_path, "a.yaml")


def test_what_is_revealed_must_be_known(tmp_path: Path) -> None:
    written(tmp_path, _policy(_rule("a"), reveal="[confg.host]"), "a.yaml")
    assert "no field is called confg.host" in _refused(tmp_path, "a.yaml")


def test_a_rule_is_let_be_idle_by_its_file_or_further_up_and_that_is_reported(
    tmp_path: Path,
) -> None:
    written(tmp_path, one_rule("assert: {paused: false}"), "below.yaml")
    text = "policy: p\nextends: [below.yaml]\noverride:\n  rule: {may_be_idle: true}\n"
    found = loaded(tmp_path, text).ruleset
    assert [entry.rule.may_be_idle for entry in found.rules] == [True]
    assert [note.partition(" ")[2] for note in found.notes] == [
        "lets rule be idle even with --strict"
    ]
    own = loaded(tmp_path, one_rule("assert: {paused: false}\nmay_be_idle: true")).ruleset
    assert ([entry.rule.may_be_idle for entry in own.rules], own.notes) == ([True], ())
    plain = loaded(tmp_path, one_rule("assert: {paused: false}")).ruleset
    assert [entry.rule.may_be_idle for entry in plain.rules] == [False]


@pytest.mark.parametrize(
    ("base", "override", "idle"),
    [
        ("low", "{severity: low}", ["severity"]),
        ("low", "{severity: high}", []),
        ("low", "{enabled: true}", ["enabled"]),
        ("low", "{may_be_idle: false, severity: low}", ["may_be_idle", "severity"]),
        ("low", "{tags: [a, b]}", ["tags"]),
        ("low", "{tags: [b, a]}", []),
        ("low", "{title: other}", []),
    ],
)
def test_an_override_that_changes_nothing_is_reported(
    tmp_path: Path, base: str, override: str, idle: list[str]
) -> None:
    rule = f"{{id: x, severity: {base}, tags: [a, b], assert: {{paused: false}}}}"
    written(tmp_path, _policy(rule), "base.yaml")
    top = _policy(extends="[base.yaml]", override=f"{{x: {override}}}")
    warned = load([written(tmp_path, top, "top.yaml")]).warnings
    assert [str(w.position).split("/")[-1].startswith("top.yaml:3:") for w in warned] == [
        True for _ in idle
    ]
    for name, warning in zip(idle, warned, strict=True):
        assert f"this changes nothing: x has the same {name} already, at " in warning.message
        assert "base.yaml:" in warning.message


def test_an_override_takes_back_what_a_file_below_has_changed(tmp_path: Path) -> None:
    written(tmp_path, _policy(_rule("x")), "base.yaml")
    middle = _policy(extends="[base.yaml]", override="{x: {severity: high, enabled: false}}")
    written(tmp_path, middle, "middle.yaml")
    top = _policy(
        _rule("y"), extends="[middle.yaml]", override="{x: {severity: low, enabled: true}}"
    )
    loaded = load([written(tmp_path, top, "top.yaml")])
    assert [w.message for w in loaded.warnings if "changes nothing" in w.message] == []
    again = top.replace("severity: low, enabled", "severity: high, enabled").replace(
        "{x: {severity: low", "{x: {severity: high"
    )
    found = load([written(tmp_path, again, "top.yaml")]).warnings
    assert ["middle.yaml:" in w.message for w in found if "changes nothing" in w.message] == [True]


@pytest.mark.parametrize(("given", "told"), [("15", False), ("30", True)])
def test_a_variable_is_reported_where_it_has_another_value(
    tmp_path: Path, given: str, told: bool
) -> None:
    text = "policy: p\nvars: {low: 15}\nrules:\n  - {id: a, severity: low, assert: {sync_frequency:"
    written(tmp_path, f"{text} {{gte: {{var: low}}}}}}}}\n", "p.yaml")
    notes = _load(tmp_path, "p.yaml", variables={"low": given}).notes
    assert notes == (
        (f"--var sets the variable low to 30 ({tmp_path}/p.yaml has 15)",) if told else ()
    )


@pytest.mark.parametrize("given", ["[]", "[ ]", "[1]", "[[a]]", "[{a: b}]", "[null]"])
def test_a_list_that_is_given_holds_something_of_its_default_s_kind(
    tmp_path: Path, given: str
) -> None:
    text = _policy("{id: a, severity: low, assert: {service: {in: {var: s}}}}", vars="{s: [x]}")
    written(tmp_path, text, "p.yaml")
    with pytest.raises(UsageError, match="takes texts"):
        _load(tmp_path, "p.yaml", variables={"s": given})


def test_a_variable_that_nothing_reads_is_likened_to_one_that_is_read(tmp_path: Path) -> None:
    text = _policy(
        "{id: a, severity: low, assert: {sync_frequency: {gte: {var: floor}}}}",
        vars="{floor: 15, flor: 20, flors: 20}",
    )
    written(tmp_path, text, "p.yaml")
    told = _refused(tmp_path, "p.yaml")
    assert told.count("did you mean floor?") == 2
