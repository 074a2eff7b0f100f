"""Waivers in comments: as strict as those of a file, at the line of the comment."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from auditor.acceptance.comments import Comment, comment_waivers, together
from auditor.errors import PolicyError
from auditor.model import PolicyFile, Position
from tests.builders.listed import waiver, waivers_in

SOUND = 'waive sync-* reason="agreed with finance" owner=data expires=2027-06-30'
PLACE = Position("main.tf", 7, 3)


def comment(text: str, *addresses: str) -> Comment:
    return Comment(PLACE, text, addresses or ("fivetran_connection.a",))


def test_a_comment_is_a_waiver_of_its_resource():
    waivers = comment_waivers([comment(SOUND, "fivetran_connection.a", "x.b")], "infra")
    (entry,) = waivers.entries
    assert (entry.rule, entry.reason, entry.owner) == ("sync-*", "agreed with finance", "data")
    assert entry.position == PLACE
    assert entry.expires.isoformat().startswith("2027-06-30T23:59:59")
    (selector,) = entry.connections
    assert (selector.name, selector.exact) == (
        "address",
        frozenset({"fivetran_connection.a", "x.b"}),
    )
    assert waivers.file.file == "comments in infra"


FORM = 'write: fivetran-auditor: waive RULE reason="…" owner=… expires=2027-06-30'
NEEDS = {
    "reason": "a waiver needs reason: (say why it is accepted)",
    "owner": "a waiver needs owner: (say who answers for it)",
    "expires": "a waiver needs expires: (the last day, such as 2026-06-30)",
}
ENDS = "every waiver ends: write its last day, such as 2026-06-30, or a moment with its zone"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", [f"this comment waives nothing ({FORM})"]),
        ("wave r", [f"this comment waives nothing ({FORM})"]),
        ("waive", [f"this comment waives nothing ({FORM})"]),
        ('waive r reason="x', [f"a quote in this comment is not closed ({FORM})"]),
        (f"{SOUND} owner=me", [f"owner=me is given twice ({FORM})"]),
        (f"{SOUND} while=x", [f"while=x is not understood ({FORM})"]),
        (f"{SOUND} connections=all", [f"connections=all is not understood ({FORM})"]),
        (f"{SOUND} forever", [f"forever is not understood ({FORM})"]),
        ("waive r owner", [f"owner is not understood ({FORM})"]),
        ("waive r", [*NEEDS.values()]),
        ("waive r owner=me expires=2027-06-30", [NEEDS["reason"]]),
        ("waive r reason=x expires=2027-06-30", [NEEDS["owner"]]),
        ("waive r reason=x owner=me", [NEEDS["expires"]]),
        ("waive r reason=x owner=me expires=never", [f"expires: never is not a date ({ENDS})"]),
        (
            "waive r reason='' owner=me expires=2027-06-30",
            ["reason: takes a text (quote it; say why it is accepted)"],
        ),
        (
            "waive '' reason=x owner=me expires=2027-06-30",
            ["rule: takes a text (quote it; a rule's id, or a glob such as sync-*)"],
        ),
    ],
)
def test_a_mistake_is_told_at_the_comment(text: str, told: list[str]):
    with pytest.raises(PolicyError) as caught:
        comment_waivers([comment(SOUND), comment(text)], "infra")
    assert str(caught.value).splitlines() == [f"main.tf:7:3: {each}" for each in told]


def test_a_reason_may_hold_what_a_comment_is_written_with():
    text = """waive r reason='a=b #1: "x", {y}' owner=me expires=2027-06-30T12:00:00+02:00"""
    (entry,) = comment_waivers([comment(text)], "infra").entries
    assert (entry.reason, entry.until) == ('a=b #1: "x", {y}', "until 2027-06-30T10:00:00Z")


def test_every_mistake_is_told_and_every_comment_is_a_waiver():
    other = Comment(Position("a.tf", 1, 1), "waive", ("x.y",))
    with pytest.raises(PolicyError) as caught:
        comment_waivers([comment("wave"), other], "infra")
    assert [str(problem.position) for problem in caught.value.problems] == [
        "main.tf:7:3",
        "a.tf:1:1",
    ]
    second = Comment(Position("a.tf", 2, 1), SOUND, ("x.y",))
    waivers = comment_waivers([comment(SOUND), second], "in\x1bfra")
    assert [str(entry.position) for entry in waivers.entries] == ["main.tf:7:3", "a.tf:2:1"]
    text = f"main.tf:7:3 {SOUND}\na.tf:2:1 {SOUND}\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert waivers.file == PolicyFile("waivers", r"comments in in\x1bfra", digest)
    assert waivers.warnings == ()


def test_the_waivers_of_a_file_and_of_comments_are_one(tmp_path: Path):
    none, some = comment_waivers([], "infra"), comment_waivers([comment(SOUND)], "infra")
    file = waivers_in(tmp_path, waiver())
    assert together(None, none) is None
    assert together(None, some) is some
    assert together(file, none) is file
    both = together(file, some)
    assert both is not None
    assert both.entries == (*file.entries, *some.entries)
    digest = hashlib.sha256(f"{file.file.sha256}{some.file.sha256}".encode()).hexdigest()
    name = f"{tmp_path / 'waivers.yaml'} and comments in infra"
    assert both.file == PolicyFile("waivers", name, digest)
    doubtful = waivers_in(tmp_path, waiver(**{"while": "{schedule_type: {not_equals: hourly}}"}))
    warned = together(doubtful, some)
    assert warned is not None
    assert warned.warnings == doubtful.warnings
    assert len(warned.warnings) == 1


def test_another_text_is_another_hash():
    other = comment_waivers([comment(SOUND.replace("data", "me"))], "infra")
    assert other.file.sha256 != comment_waivers([comment(SOUND)], "infra").file.sha256
