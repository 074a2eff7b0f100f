"""``--report junit:split=N``: several files, each a report, and never an old one among them."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import junitparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace

from auditor.errors import ReportError, UsageError
from auditor.model import Outcome, Result, Verdict
from auditor.reports import REPORTS
from auditor.reports.junit import placeholder, render, render_parts
from auditor.reports.writer import Destination, ReportWriter, parse_destination
from tests.builders.sample_results import sample_result
from tests.builders.slow import tries
from tests.reports.test_junit import parsed, properties

JUNIT = "".join(render(sample_result()))
OTHERS = (
    '<testsuites><testsuite name="somebody" tests="1"><testcase name="a"/></testsuite></testsuites>'
)


def parts_of(result: Result, most: int) -> list[str]:
    return ["".join(chunks) for _, chunks in sorted(render_parts(result, most))]


def names(text: str) -> list[tuple[str | None, str | None]]:
    return [(c.get("classname"), c.get("name")) for c in parsed(text).iter("testcase")]


def writer(path: Path, split: int = 20, *others: Destination) -> ReportWriter:
    return ReportWriter([Destination("junit", path, split), *others], "1.0")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# -- the parts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [2, 3, 50, 5000, 10**9])
@pytest.mark.parametrize("hostile", [False, True])
def test_every_part_is_a_report_of_its_own(most: int, hostile: bool) -> None:
    result = sample_result(60, 10, hostile=hostile)
    parts = parts_of(result, most)
    for text in parts:
        # Valid against both schemas, each suite's numbers those of its testcases.
        assert 1 < len(names(text)) <= most
    seen = [name for text in parts for name in names(text)]
    assert len(set(seen)) == len(seen)
    whole = names("".join(render(result)))
    assert [name for name in seen if not (name[1] or "").startswith("listing, part")] == whole


@given(
    connections=st.integers(0, 40),
    rules=st.integers(0, 6),
    most=st.integers(2, 40),
    outcome=st.sampled_from(Outcome),
    complete=st.booleans(),
)
@settings(max_examples=tries(100), deadline=None)
def test_nothing_is_lost_between_parts(
    connections: int, rules: int, most: int, outcome: Outcome, complete: bool
) -> None:
    result = sample_result(connections, rules, outcome=outcome, complete=complete)
    found: Counter[str] = Counter()
    elements: Counter[str] = Counter()
    parts = parts_of(result, most)
    for number, text in enumerate(parts, 1):
        listing, *suites = parsed(text)
        stated = properties(listing)
        assert stated["outcome"] == result.gate.outcome.value
        assert stated.get("part", "1 of 1") == f"{number} of {len(parts)}"
        broken = listing.find("testcase/error") is not None
        assert broken is (result.gate.outcome is Outcome.INCONCLUSIVE), f"part {number}"
        for suite in suites:
            counts = properties(suite)
            found.update({v.label: int(counts.get(v.label, 0)) for v in Verdict})
            for element in ("failure", "error"):
                elements[element] += len(suite.findall(f"testcase/{element}"))
    assert {v: found[v.label] for v in Verdict} == dict(result.counts)
    assert elements["failure"] == result.counts[Verdict.FAIL]
    assert elements["error"] == result.counts[Verdict.ERROR]


def test_a_suite_that_goes_on_in_another_part_states_its_counts_once() -> None:
    result = sample_result(5, 1)
    (rule,) = result.rules
    first, *others = [parsed(text)[1] for text in parts_of(result, 3)]
    assert properties(first)["checks"] == "5"
    assert [properties(suite) for suite in others] == [{"continues": rule.id}] * len(others)
    assert len(others) > 0


def test_a_run_without_checks_is_a_part_all_the_same() -> None:
    result = sample_result(0, 0)
    assert parts_of(result, 2) == ["".join(render(result))]


def test_another_parser_adds_them_up() -> None:
    result = sample_result(300, 10)
    whole = junitparser.JUnitXml.fromstring("".join(render(result)).encode())
    total = junitparser.JUnitXml()
    parts = parts_of(result, 100)
    for text in parts:
        total += junitparser.JUnitXml.fromstring(text.encode())
    total.update_statistics()
    whole.update_statistics()
    listings = len(parts) - 1
    assert total.tests == whole.tests + listings
    assert (total.failures, total.skipped) == (whole.failures, whole.skipped)
    assert total.errors == whole.errors + listings  # the run is inconclusive in every part


def test_the_first_part_is_written_last() -> None:
    numbers = [number for number, _ in render_parts(sample_result(60, 10), 20)]
    assert numbers == [*range(2, len(numbers) + 1), 1]


# -- the files ------------------------------------------------------------------------------------


def test_the_files_of_a_run(tmp_path: Path) -> None:
    path = tmp_path / "out" / "junit.xml"
    reports = writer(path)
    reports.prepare()
    assert files(path.parent) == ["junit-1.xml"]
    assert (path.parent / "junit-1.xml").read_text() == placeholder("1.0")
    result = sample_result(60, 10)
    written = reports.write(result)
    assert [p.read_text(encoding="utf-8") for p in written] == parts_of(result, 20)
    assert [p.name for p in written] == [f"junit-{n}.xml" for n in range(1, len(written) + 1)]
    assert sorted(p.name for p in written) == files(path.parent)


@pytest.mark.parametrize("split", [0, 20])
def test_what_an_earlier_run_left_is_gone_before_this_one(split: int, tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    for number in (0, 1, 2, 3, 40):
        Destination("junit", path, 20).part(number).write_text(JUNIT)
    not_ours = {
        "junit-4.xml": OTHERS,  # by another tool
        "junit-03.xml": JUNIT,  # a name that we never give
        "junit-2.xml.bak": JUNIT,
        "my-junit-2.xml": JUNIT,
        "junit-two.xml": JUNIT,
    }
    for name, text in not_ours.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "junit-5.xml").mkdir()
    os.mkfifo(tmp_path / "junit-6.xml")
    writer(path, split).prepare()
    kept = "junit-1.xml" if split else "junit.xml"
    assert files(tmp_path) == sorted([kept, "junit-5.xml", "junit-6.xml", *not_ours])
    assert (tmp_path / kept).read_text() == placeholder("1.0")
    for name, text in not_ours.items():
        assert (tmp_path / name).read_text() == text


def test_an_old_part_that_goes_by_itself_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "junit-7.xml"
    old.write_text(JUNIT)

    def gone(path: Path) -> bytes:
        head = path.read_bytes()
        path.unlink()
        return head

    # Another run tidies up at the same time.
    monkeypatch.setattr("auditor.reports.writer.head_of", gone)
    writer(tmp_path / "junit.xml").prepare()
    assert files(tmp_path) == ["junit-1.xml"]


def test_whole_and_in_parts_side_by_side(tmp_path: Path) -> None:
    link = tmp_path.parent / f"{tmp_path.name}-link"
    link.symlink_to(tmp_path)
    reports = writer(tmp_path / "junit.xml", 0, Destination("junit", link / "junit.xml", 20))
    for _ in range(2):
        reports.prepare()
        assert files(tmp_path) == ["junit-1.xml", "junit.xml"]
        written = reports.write(sample_result(60, 10))
        assert files(tmp_path) == sorted(p.name for p in written)


def test_a_part_that_cannot_be_written_leaves_the_placeholder(tmp_path: Path) -> None:
    reports = writer(tmp_path / "junit.xml")
    reports.prepare()
    (tmp_path / "junit-3.xml").mkdir()
    with pytest.raises(ReportError, match="a folder is in the way"):
        reports.write(sample_result(60, 10))
    assert (tmp_path / "junit-1.xml").read_text() == placeholder("1.0")


def test_a_bug_leaves_the_placeholder(tmp_path: Path) -> None:
    result = sample_result(60, 10)
    finding = structs.replace(result.findings[-1], connections=())
    reports = writer(tmp_path / "junit.xml")
    reports.prepare()
    with pytest.raises(AssertionError):
        reports.write(replace(result, describe=lambda: (*result.findings[:-1], finding)))
    assert (tmp_path / "junit-1.xml").read_text() == placeholder("1.0")


def test_a_part_shares_no_place_with_another_report(tmp_path: Path) -> None:
    for other in (
        Destination("json", tmp_path / "junit-2.xml"),
        Destination("junit", tmp_path / "x/../junit-1.xml"),
        Destination("junit", tmp_path / "junit.xml", 30),
    ):
        with pytest.raises(UsageError, match="two reports cannot share one path"):
            writer(tmp_path / "junit.xml", 20, other).prepare()
    assert files(tmp_path) == []


# -- what is written on the command line -----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("junit:split=5000", Destination("junit", Path("out/junit.xml"), 5000)),
        ("junit:split=2=a/b.xml", Destination("junit", Path("a/b.xml"), 2)),
        ("junit:split=0100=a/", Destination("junit", Path("a/junit.xml"), 100)),
        ("junit=a:split=7", Destination("junit", Path("a:split=7"))),
        ("junit:split=9=a=b,c:d", Destination("junit", Path("a=b,c:d"), 9)),
    ],
)
def test_destinations(text: str, expected: Destination) -> None:
    assert parse_destination(text, Path("out")) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("junit:spilt=5", "junit has no option spilt (did you mean split?)"),
        ("junit:colour=5", "junit has no option colour (it takes split)"),
        ("junit:", "junit has no option without a name (it takes split)"),
        ("junit:\x1b=5", r"junit has no option \x1b (it takes split)"),
        ("html:split=5", "html:split=5: split takes the name of one of the --dimensions"),
        ("junti:split=5", "did you mean junit?"),
        ("junit:split", "--dimensions; write junit:split=5000"),
        ("junit:split=1", "a whole number of at least 2"),
        ("junit:split=-3", "a whole number of at least 2"),
        ("junit:split=\u0665", "a whole number of at least 2"),
        ("junit:split=99999999999", "a whole number of at least 2"),
        ("junit:split=5,split=6", "split is given twice"),
        ("junit:split=5,", "junit has no option without a name"),
        ("junit:split=5=", "write junit=FILE"),
        ("junit:split=5=-", "several files cannot go to standard output"),
    ],
)
def test_invalid_destinations_are_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match="--report") as caught:
        parse_destination(text, Path("out"))
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_part_of_ours_is_known_by_how_it_begins() -> None:
    for report in REPORTS.values():
        for text in ("".join(report.render(sample_result())), report.placeholder("1.0")):
            assert report.begins(text.encode()[:4096]), report.name
        assert not report.begins(b"")
        assert not report.begins(b"fivetran-auditor, a text on it")
