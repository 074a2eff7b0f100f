"""The summary: what it says, how it lines up, and that text in it stays text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auditor.cli.terminal.layout import Layout, cells
from auditor.cli.terminal.streams import Terminal, linked
from auditor.cli.terminal.summary import answer, summary
from auditor.model import Outcome, PolicyFile, Result, Rule, Severity, Verdict
from auditor.redaction.credentials import Scrubber
from auditor.reports.brief import first_findings, worst
from tests.builders.hostile import PAYLOADS
from tests.builders.sample_histories import with_history
from tests.builders.sample_results import narrowed, sample_result

STYLE = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;;[!-~]*?\x1b\\")
REPORTS = [Path("audit-report/report.html"), Path("audit-report/junit.xml")]


def plain(lines: Iterator[str]) -> list[str]:
    return [STYLE.sub("", line) for line in lines]


def told(result: Result, width: int | None = None, **options: bool) -> list[str]:
    return plain(summary(result, REPORTS, layout=Layout(width), **options))


def renamed(result: Result, **texts: str) -> Result:
    """Return ``result`` with rules whose texts are ``texts``; {n} in one is the rule's number."""
    checks = [
        replace(c, rule=replace(c.rule, **{k: v.replace("{n}", str(n)) for k, v in texts.items()}))
        for n, c in enumerate(result.checks)
    ]
    return replace(result, checks=tuple(checks))


# -- what it says ----------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("width", [None, 80, 120])
def test_the_gates_answer_is_the_last_thing(outcome: Outcome, width: int | None) -> None:
    result = sample_result(300, 10, outcome=outcome)
    lines = told(result, width)
    last = "\n".join(lines).split("\n\n")[-1]
    assert last.startswith(f"{outcome.name}  exit {result.gate.exit_code}: ")
    for reason in result.gate.reasons:
        assert reason in last


def test_a_lost_report_outranks_the_gate() -> None:
    lines = plain(summary(sample_result(outcome=Outcome.PASSED), (), lost=4))
    assert lines[-1].startswith("NOT REPORTED  exit 4: ")
    assert "exit 0" not in "\n".join(lines)


def test_quiet_is_one_line() -> None:
    line = STYLE.sub("", answer(sample_result(300, 10)))
    assert "\n" not in line
    assert line.startswith("INCONCLUSIVE  exit 3: ")


def test_quiet_says_as_of_when_a_run_judged_that_was_given_a_time() -> None:
    """What is old passes as of a time when it was not."""
    result, note = sample_result(), "judged as of 2026-01-01T00:00:00Z, given with --now"
    given = replace(result, clock_note=note, taken_at=None)
    assert f"; {note}; " in f"{answer(given)}; "
    own = replace(result, clock_note="when the snapshot was taken", taken_at=result.judged_at)
    assert own.clock_note not in answer(own)


@pytest.mark.parametrize(
    ("ago", "age"),
    [
        (timedelta(hours=3, minutes=1), "the snapshot is 3 hours old"),
        (timedelta(minutes=-4), "the snapshot is 0 seconds old"),
        (timedelta(hours=-3, minutes=-1), "the snapshot says that it was taken 3 hours from now"),
    ],
)
def test_what_was_taken_tomorrow_is_not_new(ago: timedelta, age: str) -> None:
    result = sample_result()
    saved = replace(result, source=replace(result.source, kind="snapshot"))
    at = datetime.now(UTC) - ago
    assert age in answer(replace(saved, taken_at=at, judged_at=at)).split("; ")


def test_the_worst_rules_come_first_with_their_counts() -> None:
    result = sample_result(300, 10)
    failing = [c for c in result.checks if c.count(Verdict.FAIL) or c.count(Verdict.ERROR)]
    rows = [line.split() for line in told(result, verbose=True)]
    shown = [(row[3], row[1], row[2]) for row in rows if row and row[0] in SEVERITIES]
    assert sorted(shown) == sorted(
        (c.rule.id, *(f"{c.count(v):,}" if c.count(v) else "-" for v in UNSETTLED)) for c in failing
    )
    order = [SEVERITIES.index(row[0]) for row in rows if row and row[0] in SEVERITIES]
    assert order == sorted(order, reverse=True)


SEVERITIES = [severity.label for severity in Severity]
UNSETTLED = (Verdict.FAIL, Verdict.ERROR)


def test_a_column_of_errors_only_where_there_are_some() -> None:
    head = [line.split() for line in told(sample_result(300, 10, outcome=Outcome.VIOLATIONS))]
    assert ["severity", "fail", "rule"] in head
    head = [line.split() for line in told(sample_result(300, 10))]
    assert ["severity", "fail", "error", "rule"] in head


def test_what_was_cut_is_counted() -> None:
    result = sample_result(300, 30)
    failing = sum(bool(c.count(Verdict.FAIL) or c.count(Verdict.ERROR)) for c in result.checks)
    assert f"  and {failing - 10} more rules: see the report, or use -v" in told(result)
    assert not any("more rule" in line for line in told(result, verbose=True))


def test_what_the_run_left_out_is_reported() -> None:
    result = replace(narrowed(sample_result()), accepted=("3 violations are waived",))
    text = "\n".join(told(result))
    for said in (*result.left_out, *result.accepted, *result.warnings, result.clock_note):
        assert said in text
    assert ", group analytics_prod" in text


def test_counts_line_up() -> None:
    result = sample_result(3000, 10)
    lines = told(result, verbose=True)
    rows = [line for line in lines if line.split()[:1] and line.split()[0] in SEVERITIES]
    head = next(line for line in lines if line.startswith("  severity"))
    for column in ("fail", "error"):
        end = head.index(column) + len(column)
        assert {row[end - 1 : end + 1][1] for row in rows} == {" "}
        assert {row[end - 1].isdigit() or row[end - 1] == "-" for row in rows} == {True}
    start = head.index("rule")
    assert {row[start - 1 : start + 1].strip() for row in rows} & {" "} == set()
    assert all(row[start - 1] == " " != row[start] for row in rows)


def test_the_parts_of_a_report_share_a_line() -> None:
    paths = [Path("out/report.html"), *(Path(f"out/junit-{n}.xml") for n in range(1, 13))]
    lines = plain(summary(sample_result(), [*paths, Path("out/report.json")]))
    at = lines.index("  reports   out/report.html")
    assert lines[at + 1] == f"{' ' * 12}out/junit-1.xml to junit-12.xml"
    assert lines[at + 2] == f"{' ' * 12}out/report.json"


# -- on a terminal, in a log -----------------------------------------------------------------------


def wordy(width: int | None) -> tuple[Result, list[str]]:
    result = renamed(
        narrowed(sample_result(300, 10)),
        id="a-rule-with-a-name-that-goes-on-and-on-and-does-not-fit-anywhere-{n}",
        title="多くの接続が何か月も壊れたままになっている and nobody looks at them at all {n}",
    )
    paths = [Path("a-folder-with-a-long-name" * 6) / "report.html"]
    return result, plain(summary(result, paths, layout=Layout(width)))


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for lines in (wordy(width)[1], told(sample_result(2000, 30), width, verbose=True)):
        # The line of verdicts is never cut: its numbers matter more than a tidy edge.
        wide = [line for line in lines if cells(line) > width and not line.startswith("  pass ")]
        assert wide == []


def test_a_name_that_is_cut_keeps_both_ends() -> None:
    shown = [line for line in wordy(80)[1] if line.split()[:1] and line.split()[0] in SEVERITIES]
    assert len(shown) == 9
    assert all(re.search(r"a-rule\S*…\S+-\d", line) for line in shown)
    assert any(re.search(r"a-folder\S+…\S+/report\.html", line) for line in wordy(80)[1])


def test_nothing_is_cut_in_a_log() -> None:
    result, lines = wordy(None)
    assert not any("…" in line for line in lines)
    text = "\n".join(lines)
    for checks in result.checks:
        if checks.count(Verdict.FAIL):
            assert checks.rule.id in text
    assert "a-folder-with-a-long-name" * 6 in text


# -- what was found --------------------------------------------------------------------------------


def named(lines: list[str]) -> list[str]:
    """Return the lines of findings: those behind a mark, below a rule."""
    return [line for line in lines if re.match(r" {12}[-?] ", line)]


def test_each_failing_rule_names_its_first_findings_whole_in_a_log() -> None:
    result = with_history(sample_result(300, 10), 3)
    lines = told(result, verbose=True)
    found = [f for f in result.findings if f.verdict in UNSETTLED]
    assert len(named(lines)) == len(found) > 10
    text = "\n".join(lines)
    for finding in found:
        first = finding.connections[0]
        where = finding.group or f"{first.service}/{first.schema} ({first.id}) in {first.group}"
        # Its connection stands there once: the message goes on where the name ends.
        said = finding.message if finding.group else finding.message.split(f"{first.schema}: ")[-1]
        line = next(line for line in named(lines) if where in line and f": {said}" in line)
        since = result.history.since(finding) if result.history is not None else None
        assert since is None or line.endswith(f", since {since:%Y-%m-%d}")
    assert ", since 20" in text
    assert not any(re.match(r" +and [0-9,]+ more$", line) for line in lines)


def test_in_a_narrow_window_ids_give_way_to_what_was_found() -> None:
    result = sample_result(300, 10)
    first = worst(result)[:1]
    ((one,),) = first_findings(result, first, 1).values()
    (connection,) = one.connections
    said = one.message.split(f"{connection.schema}: ")[-1]
    brief = f"{connection.schema} in {connection.group_id}: {said}"
    whole = f"{connection.service}/{connection.schema} ({connection.id}) in {connection.group_id}"
    for width, shown in ((200, f"{whole}: {said}"), (14 + len(brief), brief)):
        assert f"- {shown}" in named(told(result, width))[0]


def test_a_rule_has_its_share_of_the_lines_and_counts_the_rest() -> None:
    result = sample_result(3000, 6)
    for height, most in ((None, 3), (24, 1), (60, 8), (400, 10)):
        lines = plain(summary(result, (), layout=Layout(100, height)))
        rows = [
            n for n, line in enumerate(lines) if line.split()[:1] and line.split()[0] in SEVERITIES
        ]
        for checks, start, end in zip(
            sorted(
                (c for c in result.checks if c.count(Verdict.FAIL) or c.count(Verdict.ERROR)),
                key=lambda c: (
                    -c.rule.severity,
                    -c.count(Verdict.FAIL),
                    -c.count(Verdict.ERROR),
                ),
            ),
            rows,
            [*rows[1:], len(lines)],
            strict=True,
        ):
            shown = named(lines[start:end])
            waiting = checks.count(Verdict.FAIL) + checks.count(Verdict.ERROR)
            assert 1 <= len(shown) <= most
            if not checks.groups:
                more = f"and {waiting - len(shown):,} more"
                assert (more in "\n".join(lines[start:end])) is (waiting > len(shown))


def test_names_and_reports_are_links_where_they_are_taken(tmp_path: Path) -> None:
    result = sample_result(60, 6)
    source = replace(result.source, base_url="https://api.fivetran.com")
    lines = list(summary(replace(result, source=source), [tmp_path / "a report.html"]))
    text = "\n".join(lines)
    assert f"]8;;{(tmp_path / 'a report.html').as_uri()}\x1b" in text
    assert "]8;;https://fivetran.com/dashboard/connections/" in text
    for takes in (True, False):
        path = tmp_path / "out"
        with path.open("w") as out:
            terminal = Terminal(out, None, links_out=takes)
            for line in lines:
                terminal.say(line)
        written = path.read_text()
        assert ("\x1b]8;;" in written) is takes
        assert written.count("\x1b]8;;\x1b\\") * 2 == written.count("\x1b]8;;")


def test_only_our_own_addresses_are_links(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("w") as out:
        terminal = Terminal(out, None, links_out=True, colour_out=True)
        for url in ("https://evil.example/", "javascript:x", "file:///a\x07b", "http://a/"):
            terminal.say(linked("text", url))
    # The link's end stands for itself, and ends nothing.
    assert path.read_text().replace("\x1b]8;;\x1b\\", "").count("\x1b") == 0


# -- credentials -----------------------------------------------------------------------------------


@given(st.integers(0, 70), st.integers(20, 60), st.sampled_from([" ", "-", "/", "x"]))
def test_no_credential_escapes_through_a_fold_or_a_cut(before: int, width: int, joint: str) -> None:
    secret = "Kq7vZp2mXw9tRb4nLc6j"
    scrubber = Scrubber([("key_of_the_run", secret)])
    text = f"{joint * before}{secret}{joint * 30}"
    result = replace(
        renamed(sample_result(12, 4), title=text, id=f"rule-{{n}}-{text}"),
        notes=(text,),
        clock_note=text,
        policies=(PolicyFile("house", text, "0" * 64),),
    )
    layout = Layout(width, 40, scrubber.text)
    written = "".join(plain(summary(result, [Path(text)], chosen=text, layout=layout)))
    squeezed = re.sub(r"\s", "", written)
    assert secret not in squeezed
    # Of a credential on two lines, neither part stands alone.
    assert not any(secret[n : n + 8] in squeezed for n in range(len(secret) - 7))


# -- hostile text ----------------------------------------------------------------------------------


def hostile(payload: str) -> Result:
    """Return a result with ``payload`` in whatever a summary shows, as unescaped as it can be."""
    result = sample_result(60, 10, complete=False)
    gate = replace(result.gate, reasons=(payload, f"{payload} again"))
    listing = replace(result.listing, warnings=(payload,), problems=(payload,))
    source = replace(result.source, location=payload, filters=(("group_id", payload),))
    return replace(
        renamed(result, title=payload),
        gate=gate,
        listing=listing,
        source=source,
        policies=(PolicyFile(payload, payload, "0" * 64, payload),),
        clock_note=payload,
        left_out=(payload,),
        accepted=(payload,),
        warnings=(payload,),
    )


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("width", [None, 80])
def test_nothing_comes_alive(payload: str, colour: bool, width: int | None, tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("w", encoding="utf-8", errors="backslashreplace") as out:
        terminal = Terminal(out, None, colour_out=colour)
        paths = [Path("reports") / payload.replace("\0", "")]
        for line in summary(hostile(payload), paths, verbose=True, layout=Layout(width)):
            terminal.say(line)
    written = path.read_bytes().decode()
    if not colour:
        assert "\x1b" not in written
    for line in STYLE.sub("", written).split("\n"):
        assert line.isprintable(), line
        assert not re.match(r"\s*::", line)
        assert "##[" not in line
        assert "##vso[" not in line
    # Of the colours, only our own are left, and each ends where it began.
    assert set(STYLE.findall(written)) <= OURS
    assert written.count("\x1b") == len(STYLE.findall(written))


OURS = {f"\x1b[{code}m" for code in ("0", "1", "2", "31", "32", "33", "36", "31;1", "33;1", "32;1")}


def test_a_path_that_is_not_text_is_reported(tmp_path: Path) -> None:
    path = Path(os.fsdecode(b"caf\xe9.html"))
    assert r"  reports   caf\udce9.html" in plain(summary(sample_result(), [path]))


def test_rules_are_described_by_their_own_words() -> None:
    rule: Rule = sample_result().checks[0].rule
    assert any(rule.title in line for line in told(sample_result(300, 1)))


def test_rules_that_applied_to_nothing_are_named_unless_they_may() -> None:
    def idle(*may: bool) -> list[str]:
        result = sample_result()
        rules = [
            replace(checks, rule=replace(checks.rule, id=f"rule-{n}", may_be_idle=allowed))
            for n, (checks, allowed) in enumerate(
                zip(
                    [c for c in result.checks if c.rule in result.idle_rules] * 3, may, strict=False
                )
            )
        ]
        lines = told(replace(result, checks=(*rules,)))
        return [line.partition("idle")[2].strip() for line in lines if "idle  " in line]

    assert idle(False) == ["1 rule that applied to nothing: rule-0"]
    assert idle(False, False) == ["2 rules that applied to nothing: rule-0 and rule-1"]
    assert idle(True) == ["1 rule applied to nothing, as its policy allows"]
    assert idle(True, True) == ["2 rules applied to nothing, as their policies allow"]
    assert idle(False, True, True) == [
        "1 rule that applied to nothing: rule-0; so did 2 that may be idle"
    ]


@pytest.mark.parametrize(("walks", "said"), [(1, ""), (2, ", 2 walks"), (3, ", 3 walks")])
def test_walks_are_reported_where_there_was_more_than_one(walks: int, said: str) -> None:
    result = sample_result()
    listing = replace(result.listing, walks=walks, pages=4)
    (line,) = [text for text in told(replace(result, listing=listing)) if " listing " in f" {text}"]
    assert line.endswith(f"(4 pages{said})")


def test_without_checks_the_summary_does_not_mention_them() -> None:
    result = sample_result()
    lines = told(replace(result, checks=(), describe=lambda: ()))
    (line,) = [text for text in lines if text.strip().startswith("judged ")]
    assert "nothing of" not in line
    assert ", 0 checks, as of " in line


def test_parts_that_are_not_the_next_ones_stand_alone() -> None:
    parts = [Path(f"out/junit-{n}.xml") for n in (1, 2, 4, 5)] + [Path("other/junit-6.xml")]
    lines = plain(summary(sample_result(), parts))
    shown = [line.strip() for line in lines if "junit-" in line]
    assert [text.removeprefix("reports").strip() for text in shown] == [
        "out/junit-1.xml to junit-2.xml",
        "out/junit-4.xml to junit-5.xml",
        "other/junit-6.xml",
    ]


def test_the_listing_s_own_warnings_are_reported_too() -> None:
    result = sample_result()
    listing = replace(result.listing, warnings=("page 2: next_cursor is empty",))
    lines = told(replace(result, warnings=("the clocks differ",), listing=listing))
    warned = [line.split(maxsplit=1)[1] for line in lines if line.strip().startswith("warning ")]
    assert warned == ["the clocks differ", "page 2: next_cursor is empty"]


def test_an_empty_snapshot_has_no_age() -> None:
    result = sample_result()
    source = replace(result.source, kind="snapshot")
    saved = replace(result, source=source, taken_at=None)
    said = "the saved listing does not say when it was taken"
    assert said in answer(saved)
    empty = replace(saved, listing=replace(saved.listing, connections=0))
    assert said not in answer(empty)


@pytest.mark.parametrize("outcome", [Outcome.VIOLATIONS, Outcome.INCONCLUSIVE])
def test_a_run_without_a_check_says_so_whatever_its_outcome(outcome: Outcome) -> None:
    result = sample_result(outcome=outcome)
    assert "no check was made" not in answer(result)
    assert "no check was made" in answer(replace(result, checks=(), describe=lambda: ()))
