"""Adding a waiver to its file: everything else stays, and what is not understood is untouched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.acceptance.edit import NewWaiver, with_waiver
from auditor.acceptance.waivers import read_waivers
from auditor.errors import PolicyError, UsageError
from auditor.text import one_line

NEW = NewWaiver("sync-bounds", ("quick_fox",), "Agreed: it's fine #1", "data@acme", "2030-06-30")
ITEM = "rule: a\n{0}connections: {{id: b}}\n{0}reason: r\n{0}owner: o\n{0}expires: 2030-01-01"
ONE = f"- {ITEM.format('  ')}"
TWO = f"  - {ITEM.format('    ')}"
FLOW = "rule: a, connections: all, reason: r, owner: o, expires: 2030-01-01"
KEPT = {
    "a starter": "# top\n\nwaivers:\n#  - rule: x\n#    reason: y\n",
    "nothing below": "waivers:",
    "null": "waivers: ~  # none yet\n",
    "an empty list": "waivers: []\nextra_fields: [a.b]\n",
    "no indent": f"waivers:\n{ONE}\nextra_fields: [a]\n",
    "an indent": f"waivers:\n{TWO}\n    # renew it?\n# the end\n",
    "two": f"extra_fields:\n  - a\nwaivers:\n  # first\n{TWO}\n\n  # second\n{TWO}\n\n\n",
    "no last line end": f"waivers:\n{TWO}",
    "a block of text": f"waivers:\n{TWO}\n".replace("reason: r", "reason: |-\n      - a"),
    "windows": f"# top\nwaivers:\n{TWO}\n# end\n".replace("\n", "\r\n"),
    "a mark": f"\ufeffwaivers:\n{TWO}\n",
    "braces": f"waivers:\n  - {{{FLOW}}}\n",
}


@pytest.mark.parametrize("name", KEPT)
def test_everything_else_stays(name: str) -> None:
    before = KEPT[name]
    text, after = with_waiver(before.encode(), "w.yaml", NEW)
    rest = iter(text.splitlines())
    for line in before.splitlines():
        plain = line.replace(" []", "").replace(" ~", "")
        assert any(plain.split("  #")[0] == other.split("  #")[0] for other in rest), line
    assert before.count("#") == text.count("#") - 1
    known = read_waivers(before.encode(), "w.yaml").entries
    assert len(after.entries) == len(known) + 1
    added = after.entries[-1]
    assert (added.rule, added.reason, added.owner, added.until) == (
        "sync-bounds", "Agreed: it's fine #1", "data@acme", "through 2030-06-30",
    )  # fmt: skip
    assert [(s.name, s.exact) for s in added.connections] == [("id", frozenset({"quick_fox"}))]
    if "\r\n" in before:
        assert "\n" not in text.replace("\r\n", "")


def test_it_can_be_done_again_and_again() -> None:
    data: bytes | None = None
    for number in range(4):
        new = NewWaiver("r", (f"c{number}", "d"), "why", "who", "2030-01-01")
        text, after = with_waiver(data, "w.yaml", new)
        data = text.encode()
    assert [min(w.connections[0].exact) for w in after.entries] == ["c0", "c1", "c2", "c3"]


@pytest.mark.parametrize(
    "text",
    [
        f"waivers: [{{{FLOW}}}]\n",
        "{waivers: }\n",
        "waivers:\n  []\n",
        "waivers:\n  -\n    " + FLOW.replace(", ", "\n    ") + "\n",
    ],
)
def test_what_is_written_otherwise_is_left_to_a_hand(text: str) -> None:
    with pytest.raises(UsageError, match=r"w\.yaml.* write the waiver by hand"):
        with_waiver(text.encode(), "w.yaml", NEW)


@pytest.mark.parametrize(
    "text", ["policy: p\n", "waivers: 3\n", "waivers:\n  - {rule: a}\n", ": ["]
)
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(PolicyError):
        with_waiver(text.encode(), "w.yaml", NEW)


_TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(str.strip)


@given(_TEXT, _TEXT, st.sampled_from(sorted(KEPT)))
def test_any_text_is_read_as_it_was_meant_or_refused(reason: str, owner: str, name: str) -> None:
    new = NewWaiver("r", ("c",), one_line(reason), one_line(owner), "2030-01-01")
    _, after = with_waiver(KEPT[name].encode(), "w.yaml", new)
    assert (after.entries[-1].reason, after.entries[-1].owner) == (new.reason, new.owner)
