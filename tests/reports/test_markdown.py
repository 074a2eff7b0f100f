"""The Markdown report: bounded, severest first, and text stays text."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from auditor.model import BaselineUse, Outcome, Pipeline, PolicyFile, Severity, Verdict
from auditor.reports.brief import counts_of, worst
from auditor.reports.markdown import LONGEST, code, html_code, placeholder, prose, render
from tests.builders.sample_results import HOSTILE, JUDGED_AT, narrowed, sample_result

#: A rule that stands in the open.
OPEN = r"\| (critical|high|medium|low) "
SPANS = re.compile(r"`[^`|\\\n]+`|<code>(?:\w| |&#\d+;)*</code>")
#: What a host would make something of, outside a code span.
ALIVE = re.compile(
    r"<(?!br>|/?details>|/?summary>)|[@`\\\[\]{}$~^&]|#\d|\bGH-\d|://|www\.|\*\*?\w+\*(?!\*)"
)


def text_of(*args: int, **options: bool) -> str:
    return "".join(render(sample_result(*args, **options)))


@pytest.mark.parametrize("outcome", list(Outcome))
def test_it_begins_with_the_outcome(outcome: Outcome) -> None:
    text = "".join(render(sample_result(outcome=outcome)))
    assert outcome.value in text.split("\n", 1)[0]


@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("connections", [0, 60, 5000])
def test_it_is_bounded_and_says_what_it_left_out(connections: int, hostile: bool) -> None:
    result = sample_result(connections, 10, hostile=hostile)
    text = "".join(render(result))
    assert len(text.encode()) <= LONGEST
    assert text.count("<details>") == text.count("</details>") == text.count("</summary>")
    rows = len(re.findall(r"^\| (?:fail|error|waived|known) \|", text, re.MULTILINE))
    if rows < len(result.findings):
        assert f"\n{rows:,} of {len(result.findings):,} findings shown" in text
    else:
        assert "shown, most severe first" not in text


def test_nothing_can_grow_it_past_its_bound() -> None:
    long = "|" * 5000
    policies = tuple(PolicyFile(long, long, "0" * 64) for _ in range(100))
    result = replace(sample_result(100, 200), policies=policies, left_out=(long,) * 1000)
    text = "".join(render(result))
    assert len(text) <= LONGEST
    assert text.startswith("## ")


def test_it_is_bounded_in_bytes_whatever_the_letters_are() -> None:
    result = sample_result(400, 10)
    told = tuple(replace(f, message="\u6f22" * 250) for f in result.findings)
    text = "".join(render(replace(result, describe=lambda: told)))
    assert len(text.encode()) <= LONGEST
    assert "\u6f22" * 250 in text


def test_what_is_accepted_of_a_rule_is_counted_over_it() -> None:
    result = sample_result(40, 10)
    text = "".join(render(result))
    accepted = {
        c.rule.id: ", ".join(
            f"{c.count(v)} {v.label}" for v in (Verdict.WAIVED, Verdict.KNOWN) if c.count(v)
        )
        for c in result.checks
    }
    assert any("waived, " in words for words in accepted.values())
    for name, words in accepted.items():
        if words:
            escaped = re.escape(html_code(name))
            assert re.search(rf"<summary>{escaped} \(\w+\): {words}</summary>", text), name


def test_the_severest_come_first_and_the_accepted_last() -> None:
    result = sample_result(60, 10)
    text = "".join(render(result))
    found = re.findall(
        r"<summary><code>.*</code> \((\w+)\)|^\| (waived|known|fail|error) \|", text, re.MULTILINE
    )
    severities = [severity for severity, _ in found if severity]
    assert severities[0] == result.findings[0].rule.severity.label
    verdicts = [verdict for _, verdict in found if verdict]
    accepted = [verdict in ("waived", "known") for verdict in verdicts]
    assert accepted == sorted(accepted)


def test_every_row_of_a_table_has_its_cells() -> None:
    for table in text_of(400, 10, hostile=True).split("\n\n"):
        widths = {line.count("|") for line in table.split("\n") if line.startswith("|")}
        assert len(widths) <= 1, table


def test_the_worst_rules_are_not_folded_and_name_connections() -> None:
    result = sample_result(600, 30)
    text = "".join(render(replace(result, pipeline=Pipeline("https://ci.example/run_1/~x", ""))))
    before, _, folded = text.partition("<details>")
    rows = [
        line for line in before.splitlines() if re.match(r"\| (critical|high|medium|low) ", line)
    ]
    assert len(rows) == 5
    for row, checks in zip(rows, worst(result), strict=False):
        assert row.startswith(f"| {checks.rule.severity.label} | {code(checks.rule.id)}<br>")
        assert counts_of(checks) in row
        if not checks.groups:
            assert (
                f"and {checks.count(Verdict.FAIL) + checks.count(Verdict.ERROR) - 3:,} more" in row
            )
    assert any(c.count(Verdict.ERROR) and not c.groups for c in worst(result)[:5])
    assert "](https://ci.example/run%5F1/%7Ex)" in before
    assert f"and {len(worst(result)) - 5} more rules" in before
    assert "About this run" in folded


def test_there_is_no_column_of_zeros() -> None:
    result = sample_result(300, 10)
    head = next(line for line in "".join(render(result)).splitlines() if "| Rule | Sev" in line)
    shown = head.strip("| ").split(" | ")[2:]
    assert shown == [verdict.label for verdict, count in result.counts.items() if count]


def test_rules_that_checked_nothing_have_no_columns_of_counts() -> None:
    text = "".join(render(sample_result(0)))
    assert "\n| Rule | Severity |\n|---|---|\n" in text


def test_what_is_new_and_fixed_is_said() -> None:
    use = BaselineUse("b.json", JUDGED_AT, known=4, raised=0, new=3, fixed=2, waived=0, untold=0)
    text = "".join(render(replace(sample_result(), baseline=use)))
    assert "3 new, 2 fixed, 4 known since the baseline of 2026-03-14" in text.split("<details>")[0]


def test_counts_are_stated() -> None:
    result = sample_result(300, 10)
    text = "".join(render(result))
    assert f"{result.counts[Verdict.FAIL]:,} fail" in text
    assert f"{result.counts[Verdict.SKIP]:,} skip" in text


def test_a_narrowed_run_says_so() -> None:
    text = "".join(render(narrowed(sample_result())))
    for said in ("group_id=analytics_prod", "delay-alerts-on", "schema-case", "expired on"):
        assert said in text


def test_nothing_hostile_comes_alive() -> None:
    rest = SPANS.sub("", text_of(400, 10, hostile=True))
    assert not ALIVE.search(rest), ALIVE.search(rest)


@given(st.text(max_size=40) | st.sampled_from(HOSTILE))
@example("see @team, #12 and GH-12")
@example("https://example.invalid www.example.invalid")
@example("a\\|b")
@example("ends with `")
@example("deadbeef1")
@example("__bold__ and *bold*")
@example("a\n# heading")
@example("- item")
@example("1. item")
@example("---")
def test_any_text_is_a_span_or_plain(text: str) -> None:
    for shown in (code(text), prose(text)):
        rest = SPANS.sub("", shown)
        assert not ALIVE.search(rest)
        assert not re.search(r"[|\n*<]|\b_|_\b|\b[0-9a-f]{7,40}\b", rest)
        assert not re.match(r"\s|[-=+>]|\d+[.)](\s|$)", rest)


@pytest.mark.parametrize(
    "text",
    [
        "3 violations at or above low.",
        "schema_name is 5; expected 15 to 1440",
        "failed at 2026-11-28T20:41:42Z, after its last success",
        "Größe",
    ],
)
def test_plain_prose_stays_prose(text: str) -> None:
    assert prose(text) == text


def test_the_placeholder_is_inconclusive() -> None:
    assert placeholder("1.2.3").startswith("## ⚠️ Fivetran audit: inconclusive")
    assert "1.2.3" in placeholder("1.2.3")


def test_a_finding_on_several_connections_counts_those_that_are_not_shown() -> None:
    result = sample_result(300)
    finding = next(f for f in result.findings if len(f.connections) == 1)
    for number, more in ((1, ""), (2, " and 1 more"), (4, " and 3 more")):
        several = replace(finding, connections=finding.connections * number, group="")
        text = "".join(render(replace(result, describe=lambda several=several: (several,))))
        (row,) = [
            line
            for line in text.split("<details>")[0].split("\n")
            if re.match(OPEN, line) and f"`{finding.rule.id}`" in line
        ]
        first = row.split(" | ")[3].partition("<br>")[0].removesuffix(" |")
        assert "".join(re.findall(r" and \d+ more(?=: )", first)) == more


@pytest.mark.parametrize("number", [20, 21, 40])
def test_twenty_reasons_and_policies_are_reported_and_the_others_counted(number: int) -> None:
    result = sample_result()
    reasons = tuple(f"reason {n}" for n in range(number))
    policies = tuple(PolicyFile(f"p{n}", f"p{n}.yaml", "0" * 64) for n in range(number))
    gate = replace(result.gate, reasons=reasons)
    text = "".join(render(replace(result, gate=gate, policies=policies)))
    assert text.count("- reason ") == 20
    (row,) = re.findall(r"\| Policies \| (.*) \|\n", text)
    more = f" and {number - 20} more" if number > 20 else ""
    assert row.endswith(f"</code>{more}" if "</code>" in row[-40:] else f"`){more}")
    assert (f"\n-{more}\n" in text) is bool(more)


def test_rules_are_ordered_by_severity_and_then_by_open_findings() -> None:
    result = sample_result(300)
    low, high = (
        next(c for c in result.checks if c.rule.severity is s and c.count(Verdict.FAIL))
        for s in (Severity.LOW, Severity.CRITICAL)
    )
    few = replace(
        high, verdicts=bytes([Verdict.FAIL]), groups=(), rule=replace(high.rule, id="few")
    )
    many = replace(low, rule=replace(low.rule, id="many"))
    text = "".join(render(replace(result, checks=(many, few), describe=lambda: ())))
    rows = re.findall(r"^\| `(few|many)` \|", text, re.MULTILINE)
    assert rows == ["few", "many"]


def test_a_hundred_rules_have_their_row_and_the_others_are_counted() -> None:
    result = sample_result(1, 1)
    many = [
        replace(result.checks[0], rule=replace(result.rules[0], id=f"r{n}")) for n in range(103)
    ]
    text = "".join(render(replace(result, checks=tuple(many), describe=lambda: ())))
    assert "\nand 3 more rules\n" in text
