"""docs/controls.md names every control of the shipped rules, with the rules, and no other.

``python -m tests.project.test_controls_page`` writes the lists of rules anew; the reasons beside
them are written by a person.
"""

from __future__ import annotations

import re
import textwrap
from collections import defaultdict
from functools import cache
from pathlib import Path

from auditor.model import Rule
from auditor.policy.loading.documents import pack_names
from auditor.policy.loading.load import load

PAGE = Path(__file__).resolve().parents[2] / "docs" / "controls.md"
OWN = "auditor"
#: A section of the page says its framework first: ``soc2``, as the policies name it.
_SECTION = re.compile(r"^## .+\n\n`(\w+)`[^|]*(?P<table>(?:\|.*\n)+)", re.MULTILINE)
_NONE = re.compile(r"(?<=a number of our own:)[^.]*(?=\.)")
#: A row: the control, the reason, the rules.
_ROW = re.compile(r"^\| (\S+) \| (.+) \| (.*) \|$")


@cache
def shipped() -> tuple[Rule, ...]:
    ruleset = load(sorted(pack_names()), strict=True).ruleset
    return tuple(entry.rule for entry in ruleset.rules)


def by_control() -> dict[str, dict[str, list[str]]]:
    """Return the ids of the rules of each control, by framework."""
    of: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for rule in shipped():
        for framework, names in rule.controls:
            for name in names:
                of[framework][name].append(rule.id)
    return of


def only_our_own() -> list[str]:
    return sorted(r.id for r in shipped() if [name for name, _ in r.controls] == [OWN])


def in_ticks(ids: list[str]) -> str:
    return ", ".join(f"`{identity}`" for identity in sorted(ids))


def rows(table: str) -> list[tuple[str, str, str]]:
    found = [match.groups() for line in table.splitlines()[2:] if (match := _ROW.match(line))]
    assert len(found) == len(table.splitlines()) - 2
    return [(control, reason, rules) for control, reason, rules in found]


def test_the_page_lists_each_control_with_exactly_its_rules() -> None:
    said = {
        match[1]: {control: rules for control, _, rules in rows(match["table"])}
        for match in _SECTION.finditer(PAGE.read_text("utf-8"))
    }
    mapped = by_control()
    assert said == {
        framework: {control: in_ticks(ids) for control, ids in of.items()}
        for framework, of in mapped.items()
    }


def test_every_control_has_a_reason_of_its_own() -> None:
    text = PAGE.read_text("utf-8")
    reasons = [each for match in _SECTION.finditer(text) for _, each, _ in rows(match["table"])]
    assert len(reasons) == len(set(reasons)) > 40
    assert all(each.endswith(".") and len(each) > 15 for each in reasons)


def test_every_shipped_rule_has_one_number_of_our_own() -> None:
    for rule in shipped():
        (number,) = dict(rule.controls)[OWN]
        assert re.fullmatch(r"FA-\d\.\d", number)


def test_published_controls_are_spelled_as_published() -> None:
    forms = {"soc2": r"(CC\d|A1|C1|PI1)\.\d", "iso27001": r"A\.[5-8]\.\d{1,2}", OWN: r".*"}
    assert by_control().keys() == forms.keys()
    for framework, of in by_control().items():
        assert all(re.fullmatch(forms[framework], control) for control in of)


def test_rules_of_no_published_framework_are_named() -> None:
    (named,) = _NONE.findall(PAGE.read_text("utf-8"))
    assert " ".join(named.split()) == in_ticks(only_our_own())


def main() -> None:
    text = PAGE.read_text("utf-8")
    mapped = by_control()

    def rewritten(match: re.Match[str]) -> str:
        table = "".join(
            f"| {control} | {reason} | {in_ticks(mapped[match[1]].get(control, []))} |\n"
            for control, reason, _ in rows(match["table"])
        )
        head = "".join(match["table"].splitlines(keepends=True)[:2])
        return match[0].replace(match["table"], head + table)

    text = _SECTION.sub(rewritten, text)
    (named,) = _NONE.findall(text)
    start = text.rindex("\n\n", 0, text.index(named)) + 2
    end = text.index(named) + len(named) + 1
    said = " ".join(text[start:end].replace(named, f" {in_ticks(only_our_own())}").split())
    text = text[:start] + textwrap.fill(said, 105, break_on_hyphens=False) + text[end:]
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
