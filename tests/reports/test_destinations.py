"""Where a report goes: what ``--report`` says, what it cannot say, and which files are parts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from auditor.errors import UsageError
from auditor.reports.destinations import Destination, parse_destination

OUT = Path("out")


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
        ("", "no such format (it takes "),
        ("json=", "that is not a path; write json=FILE, json=- for standard output, or json alone"),
        ("json=a\0b", "that is not a path"),
        (
            "junit:split=1",
            "of at least 2, or the name of one of the --dimensions; write junit:split=5000",
        ),
        ("junit:split=", "split takes a whole number"),
        ("junit:split", "split takes a whole number"),
        ("junit:split=1e3", "split takes a whole number"),
        ("junit:split=1000000000", "split takes a whole number"),
        ("junit:split=5,split=6", "split is given twice"),
        ("junit:spilt=5", "junit has no option spilt (did you mean split?)"),
        ("junit:", "junit has no option without a name"),
        (
            "gitlab:split=5",
            "split takes the name of one of the --dimensions; write gitlab:",
        ),
        ("junit:split=5=-", "several files cannot go to standard output"),
    ],
)
def test_what_it_cannot_say(text: str, said: str):
    with pytest.raises(UsageError) as caught:
        parse_destination(text, OUT)
    assert said in str(caught.value)
    assert "\0" not in str(caught.value)


def test_parts_are_numbered_beside_their_first(tmp_path: Path):
    whole = Destination("junit", tmp_path / "junit.xml")
    split = Destination("junit", tmp_path / "junit.xml", 5)
    assert (whole.first, split.first) == (tmp_path / "junit.xml", tmp_path / "junit-1.xml")
    assert split.part(12) == tmp_path / "junit-12.xml"
    names = ("junit.xml", "junit-1.xml", "junit-2.xml", "junit-10.xml")
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
