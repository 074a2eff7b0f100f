"""Waivers in comments: as strict as those of a file, and reported at the comment's line."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.acceptance.comments import Comment, comment_waivers, together
from auditor.errors import PolicyError
from auditor.model import Position
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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wave r", "this comment waives nothing"),
        ("waive", "this comment waives nothing"),
        ('waive r reason="x', "a quote in this comment is not closed"),
        (f"{SOUND} owner=me", "owner=me is given twice"),
        (f"{SOUND} while=x", "while=x is not understood"),
        (f"{SOUND} forever", "forever is not understood"),
        ("waive r owner=me expires=2027-06-30", "a waiver needs reason:"),
        ("waive r reason=x expires=2027-06-30", "a waiver needs owner:"),
        ("waive r reason=x owner=me", "a waiver needs expires:"),
        ("waive r reason=x owner=me expires=never", "never is not a date"),
        ("waive r reason='' owner=me expires=2027-06-30", "reason: takes a text"),
    ],
)
def test_a_mistake_is_told_at_the_comment(text: str, said: str):
    with pytest.raises(PolicyError) as caught:
        comment_waivers([comment(SOUND), comment(text)], "infra")
    assert {problem.position for problem in caught.value.problems} == {PLACE}
    assert said in str(caught.value)


def test_the_waivers_of_a_file_and_of_comments_are_one(tmp_path: Path):
    none, some = comment_waivers([], "infra"), comment_waivers([comment(SOUND)], "infra")
    file = waivers_in(tmp_path, waiver())
    assert together(None, none) is None
    assert together(None, some) is some
    assert together(file, none) is file
    both = together(file, some)
    assert both is not None
    assert both.entries == (*file.entries, *some.entries)
    assert both.file.file.endswith("waivers.yaml and comments in infra")
    assert both.file.sha256 not in {file.file.sha256, some.file.sha256}


def test_another_text_is_another_hash():
    other = comment_waivers([comment(SOUND.replace("data", "me"))], "infra")
    assert other.file.sha256 != comment_waivers([comment(SOUND)], "infra").file.sha256
