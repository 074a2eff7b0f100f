"""Where a report goes: what ``--report`` says, what it cannot say, and which files are parts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from auditor.errors import UsageError
from auditor.output.target import Target
from auditor.reports import PROBLEM_REPORTS, REPORTS
from auditor.reports.destinations import Destination, parse_destination
from auditor.text import listed

OUT = Path("out")


def no_path(name: str, file: str) -> str:
    return (
        f"that is not a path; write {name}=FILE, {name}=- for standard output, or {name} alone for "
        f"{file} in the output folder"
    )


NAME = "split takes the name of one of the --dimensions"
NUMBER_OR_NAME = "split takes a whole number of at least 2, or the name of one of the --dimensions"


@pytest.mark.parametrize(
    ("text", "destination"),
    [
        ("html", Destination("html", OUT / "report.html")),
        ("json=r.json", Destination("json", Path("r.json"))),
        ("json=a/b/", Destination("json", Path("a/b/report.json"))),
        ("json=/tmp/r.json", Destination("json", Path("/tmp/r.json"))),
        ("json=a=b:c.json", Destination("json", Path("a=b:c.json"))),
        ("json=-", Destination("json", None)),
        ("csv=/dev/stdout", Destination("csv", None)),
        ("junit:split=5000", Destination("junit", OUT / "junit.xml", 5000)),
        ("junit:split=2=j.xml", Destination("junit", Path("j.xml"), 2)),
        ("junit:split=999999999=d/", Destination("junit", Path("d/junit.xml"), 999_999_999)),
    ],
)
def test_what_it_says(text: str, destination: Destination):
    assert parse_destination(text, OUT) == destination


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("htm", "no such format (did you mean html?)"),
        ("HTML", "no such format (did you mean html?)"),
        ("html,json", "no such format (write --report html --report json)"),
        ("html,jsn", "no such format (did you mean html?)"),
        ("out/scan.html", "no such format (write --report html=out/scan.html)"),
        ("", f"no such format (it takes {listed(REPORTS)})"),
        (
            "json=",
            no_path("json", "report.json"),
        ),
        ("csv=a\0b", no_path("csv", "report.csv")),
        ("csv=\ud800", no_path("csv", "report.csv")),
        ("junit:split=1", f"{NUMBER_OR_NAME}; write junit:split=5000"),
        ("junit:split=", f"{NUMBER_OR_NAME}; write junit:split=5000"),
        ("junit:split", f"{NUMBER_OR_NAME}; write junit:split=5000"),
        ("junit:split=1e3", f"{NUMBER_OR_NAME}; write junit:split=5000"),
        ("junit:split=-5", f"{NUMBER_OR_NAME}; write junit:split=5000"),
        ("junit:split=1000000000", f"{NUMBER_OR_NAME}; write junit:split=5000"),
        ("gitlab:split=5", f"{NAME}; write gitlab:split=team"),
        ("csv:split", f"{NAME}; write csv:split=team"),
        ("junit:split=5,split=6", "split is given twice"),
        ("junit:split=5,split=team", "split is given twice"),
        ("csv:split=team,split=owner", "split is given twice"),
        ("junit:spilt=5", "junit has no option spilt (did you mean split?)"),
        ("csv:SPLIT=team", "csv has no option SPLIT (did you mean split?)"),
        ("csv:colour=5", "csv has no option colour (it takes semicolon or split)"),
        ("junit:", "junit has no option without a name (it takes split)"),
        (
            "junit:split=5=-",
            "several files cannot go to standard output; write junit:split=5=FILE",
        ),
        (
            "csv:split=team=/dev/stdout",
            "several files cannot go to standard output; write csv:split=team=FILE",
        ),
    ],
)
def test_what_it_cannot_say(text: str, said: str):
    with pytest.raises(UsageError) as caught:
        parse_destination(text, OUT)
    shown = text.replace("\0", "\\x00").replace("\ud800", "\\ud800")
    assert str(caught.value) == f"--report {shown}: {said}"


def test_a_table_of_formats_without_options_takes_none():
    for option in ("split=team", "colour"):
        with pytest.raises(UsageError) as caught:
            parse_destination(f"github:{option}", OUT, PROBLEM_REPORTS)
        assert str(caught.value) == (
            f"--report github:{option}: github takes no option; write github or github=FILE"
        )


@pytest.mark.parametrize(
    ("text", "destination"),
    [
        ("csv:split=team", Destination("csv", OUT / "report.csv", by="team")),
        ("json:split=team=x/", Destination("json", Path("x/report.json"), by="team")),
        ("junit:split=team=j.xml", Destination("junit", Path("j.xml"), by="team")),
        (
            "csv:semicolon,split=cost centre=a.csv",
            Destination("csv", Path("a.csv"), 0, "semicolon", "cost centre"),
        ),
        (
            "csv:split=team,semicolon",
            Destination("csv", OUT / "report.csv", 0, "semicolon", "team"),
        ),
    ],
)
def test_a_dimension_makes_a_part_for_each_of_its_values(text: str, destination: Destination):
    found = parse_destination(text, OUT)
    assert found == destination
    assert found.in_parts
    assert found.first == found.path


LONG = "x" * 60


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("finance", "finance"),
        ("data_2-b", "data_2-b"),
        ("", "-none"),
        # What is not a valid name everywhere has a hash, and so has what reads like one.
        ("Finance", "finance--b696d75511dc16f2"),
        ("FINANCE", "finance--66d9c488b5fa766b"),
        ("a--b", "a-b--90827a2e56361a8f"),
        ("-none", "none--6a5eb87c8894cb56"),
        ("Ärzte & Co", "rzte-co--22e69773762942c9"),
        ("a/../b", "a-b--900ea8b7e0d8fe30"),
        ("\ud800", "--91a681b998555fb4"),
        (LONG, LONG),
        (f"{LONG}x", f"{LONG}--c508e75f24e25db9"),
        (f"{LONG[:-1]}!!y", f"{LONG[:-1]}--22865ae98b32c282"),
    ],
)
def test_a_part_is_named_by_its_value(value: str, name: str):
    whole = Destination("csv", Path("a/report.csv"), by="team")
    assert whole.part_of(value) == Path(f"a/report.team={name}.csv")


def test_a_dimension_is_spelled_as_a_value_is():
    whole = Destination("csv", Path("a/report.csv"), by="cost centre")
    assert whole.part_of("1") == Path("a/report.cost-centre--1d2ae3f248f89a96=1.csv")


def test_parts_by_a_dimension_are_told_from_numbered_ones(tmp_path: Path):
    whole = Destination("csv", tmp_path / "report.csv", by="team")
    named = ("report.team=finance.csv", "report.owner=-none.csv")
    numbered, others = ("report-2.csv",), ("report.team.csv", "report.Team=a.csv", "report.=a.csv")
    for name in ("report.csv", *named, *numbered, *others):
        (tmp_path / name).touch()
    assert [path.name for path in whole.parts_there(numbered=False)] == sorted(named)
    assert [path.name for path in whole.parts_there()] == sorted([*named, *numbered])


def test_parts_are_numbered_beside_their_first(tmp_path: Path):
    whole = Destination("junit", tmp_path / "junit.xml")
    split = Destination("junit", tmp_path / "junit.xml", 5)
    assert (whole.first, split.first) == (tmp_path / "junit.xml", tmp_path / "junit-1.xml")
    assert (whole.target, split.target) == (Target(whole.first), Target(split.first))
    assert Destination("junit", None).target == Target(None)
    assert split.part(12) == tmp_path / "junit-12.xml"
    assert (whole.in_parts, split.in_parts) == (False, True)
    names = ("junit-2.xml", "junit.xml", "junit-10.xml", "junit-1.xml")
    others = ("junit-0.xml", "junit-02.xml", "junit-1.xml.bak", "junit_1.xml", "my-junit-1.xml")
    for name in (*names, *others):
        (tmp_path / name).touch()
    assert {p.name for p in tmp_path.iterdir() if split.is_part(p)} == set(names)
    assert [p.name for p in split.parts_there()] == ["junit-10.xml", "junit-2.xml", "junit.xml"]
    assert not split.is_part(tmp_path / "elsewhere" / "junit-1.xml")
    assert not Destination("junit", None).is_part(tmp_path / "junit-1.xml")


def test_a_link_to_the_folder_is_the_folder(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert Destination("junit", tmp_path / "link/j.xml").is_part(tmp_path / "real/j-3.xml")


def test_a_place_is_named_as_people_read_it():
    assert str(Destination("json", None)) == "json: standard output"
    assert str(Destination("json", Path("a\x1b.json"))) == "json: a\\x1b.json"


@pytest.mark.parametrize(
    ("text", "path", "variant"),
    [
        ("csv", "out/report.csv", ""),
        ("csv:semicolon", "out/report.csv", "semicolon"),
        ("csv:semicolon=a.csv", "a.csv", "semicolon"),
        ("csv:semicolon=-", None, "semicolon"),
        ("sarif:suppressed=x/", "x/report.sarif", "suppressed"),
    ],
)
def test_a_word_chooses_another_form(text: str, path: str | None, variant: str) -> None:
    found = parse_destination(text, Path("out"))
    assert (found.path, found.variant) == (path and Path(path), variant)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("csv:semicolons", "csv has no option semicolons (did you mean semicolon?)"),
        ("csv:semicolon,semicolon", "semicolon cannot be combined with semicolon"),
        ("sarif:semicolon", "sarif has no option semicolon"),
        ("junit:suppressed", "junit has no option suppressed"),
    ],
)
def test_no_other_word_does(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=re.escape(told)):
        parse_destination(text, Path("out"))
