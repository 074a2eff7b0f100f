"""A page for each shipped rule: what it asks for, why, what mends it, examples, controls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from auditor.cli.commands.explain import differences
from auditor.policy.language.rules import GroupRule, PolicyRule
from auditor.policy.loading.documents import pack_names
from auditor.policy.loading.examples import Example
from auditor.policy.loading.load import load
from auditor.resources import resource_folder
from auditor.text import listed
from website.reference import cell

Entry = PolicyRule | GroupRule


def pages() -> dict[str, str]:
    """Return the pages by their path on the site, ``rules/index.md`` first."""
    made = {"rules/index.md": ""}
    index = [
        "# Shipped rules\n",
        "`baseline` is on unless you say otherwise; `extends: [baseline, cost]` adds another pack.",
        "`override` sets a rule's severity or disables it, `vars` sets its limits:",
        "[composition](../policy-language.md).\n",
    ]
    for pack in pack_names():
        loaded = load([pack])
        source = (resource_folder("policies") / f"{pack}.yaml").read_text(encoding="utf-8")
        (file,) = (entry for entry in loaded.ruleset.policies if entry.name == pack)
        index += [
            f"## {pack}\n",
            f"{file.title}.\n",
            "| rule | severity | requirement |\n|---|---|---|",
        ]
        for entry, examples in loaded.examples:
            rule = entry.rule
            if rule.policy != pack:
                continue
            made[f"rules/{rule.id}.md"] = "\n".join(_page(entry, examples, source)) + "\n"
            index.append(
                f"| [{rule.id}]({rule.id}.md) | {rule.severity.label} | {cell(rule.title)} |"
            )
        index.append("")
    made["rules/index.md"] = "\n".join(index)
    return made


def _page(entry: Entry, examples: Sequence[Example], source: str) -> Iterator[str]:
    rule = entry.rule
    yield f"# {rule.id}\n"
    yield f"**{rule.title}.**\n"
    yield f"| severity | {rule.severity.label} |\n|---|---|"
    yield f"| pack | [{rule.policy}](index.md#{rule.policy}) |"
    yield f"| requires that | {cell(rule.expects)} |"
    if rule.applies_when:
        yield f"| applies when | {cell(rule.applies_when)} |"
    if rule.per:
        yield f"| judged per | {cell(listed(rule.per, 'and'))} |"
    if rule.tags:
        yield f"| tags | {cell(', '.join(rule.tags))} |"
    for name, codes in rule.controls:
        yield f"| {name} | {', '.join(codes)} |"
    if rule.why:
        yield f"\n## Why\n\n{rule.why}"
    if rule.fix:
        yield f"\n## Fix\n\n{rule.fix}"
    if examples:
        yield "\n## Examples\n\nEach changes the healthy sample record, and is run by a test.\n"
        yield "| verdict | record |\n|---|---|"
        for example in examples:
            given = "; ".join(differences(record) for record in example.records)
            yield f"| {example.expect.label} | {cell(_short(given))} |"
    yield f"\n## Source\n\n```yaml\n{_written(rule.id, source)}\n```"
    yield "\nTo disable it, with a reason that every report shows:\n"
    yield f"```yaml\noverride:\n  {rule.id}:\n    enabled: false\n    reason: say why\n```"


def _short(text: str, most: int = 300) -> str:
    text = re.sub(r"([*_<>\[\]])", r"\\\1", text)
    return text if len(text) <= most else text[: most - 1].rstrip("\\") + "…"


def _written(rule_id: str, source: str) -> str:
    """Return the rule's own lines, without its tests and its indentation."""
    found = re.search(
        rf"^  - id: {re.escape(rule_id)}\n(?:(?!  - id: ).*\n)*", source, re.MULTILINE
    )
    assert found is not None, rule_id  # a pack's rules are written this way
    lines = found[0].partition("\n    tests:\n")[0].rstrip().splitlines()
    return "\n".join(line[2:] for line in lines)
