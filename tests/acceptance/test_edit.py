"""Adding a waiver to its file: everything else stays, and what is not understood is untouched."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from auditor.acceptance.edit import NewWaiver, with_waiver
from auditor.acceptance.waivers import read_waivers
from auditor.errors import PolicyError, UsageError
from auditor.policy import load_policies
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
    "braces, and a list of another key": f"waivers:\n  - {{{FLOW}}}\nextra_fields:\n    - a\n",
    "a glob": f"waivers:\n{TWO}\n".replace("{id: b}", '{id: [b, "c_*"], schema: "raw_?"}'),
    "a while": f"waivers:\n{TWO}\n    while: {{sync_frequency: {{lte: 5}}}}\n# end\n",
    "a pattern": f"waivers:\n{TWO}\n    while: {{schema: {{regex_search: 'x+', glob: 'x*'}}}}\n",
    "a blank line in a text": f"waivers:\n{TWO}\n".replace(
        "reason: r", "reason: |-\n      a\n\n      b"
    ),
    "a doubt": f"waivers:\n{TWO}\n    while: {{schedule_type: {{not_equals: hourly}}}}\n",
    "bare returns": f"# top\nwaivers:\n{TWO}\n# end\n".replace("\n", "\r"),
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


SAFELY = "w.yaml: nothing can be added to this file safely"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"# top\nwaivers: [{{{FLOW}}}]\n", "w.yaml:2: this list is written in one line"),
        ("\n{waivers: }\n", "w.yaml:2: this list is not understood"),
        ("waivers:\n  []\n", SAFELY),
        (
            "waivers:\n  -\n    " + FLOW.replace(", ", "\n    ") + "\n",
            "w.yaml:3: this list is written in one line",
        ),
        # What is put behind the first line of either would be read, and as another waiver.
        ("waivers:\n  - {" + FLOW.replace("reason: r", 'reason: "r\nr"') + "}\n", SAFELY),
        (f"waivers:\n{TWO}".replace("owner: o", "owner: 'o\n\n o'"), SAFELY),
    ],
)
@pytest.mark.parametrize("rule", ["a", "sync-bounds"])
def test_what_is_written_otherwise_is_left_to_a_hand(text: str, said: str, rule: str) -> None:
    by_hand = "write the waiver by hand, or give each its own - on a line of its own"
    with pytest.raises(UsageError) as caught:
        with_waiver(text.encode(), "w.yaml", replace(NEW, rule=rule, reason="agreed"))
    assert str(caught.value) == f"{said}; {by_hand}"


def test_a_while_may_name_a_condition_of_the_policies(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "policy: p\nconditions: {often: {sync_frequency: {lte: 5}}}\n"
        "rules: [{id: a, severity: low, when: {condition: often}, assert: {paused: false}}]\n"
    )
    text = f"waivers:\n{TWO}\n    while: {{condition: often}}\n"
    _, after = with_waiver(text.encode(), "w.yaml", NEW, load_policies(str(path)).conditions)
    assert [entry.rule for entry in after.entries] == ["a", "sync-bounds"]
    assert after.entries[0].while_true


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("data-platform", "data-platform"),
        ("agreed with (nearly) all; see a/b@c", "agreed with (nearly) all; see a/b@c"),
        ("2030-06-30", "2030-06-30"),
        ("true", '"true"'),
        ("False", '"False"'),
        ("NULL", '"NULL"'),
        ("yes", '"yes"'),
        ("No", '"No"'),
        ("on", '"on"'),
        ("off", '"off"'),
        ("Y", '"Y"'),
        ("n", '"n"'),
        ("a: b", '"a: b"'),
        ("see #12", '"see #12"'),
        ("12", '"12"'),
        ("12030-06-30", '"12030-06-30"'),
        ('Köln "says"', '"Köln \\"says\\""'),
        ("x" * 501, f'"{"x" * 499}…"'),
    ],
)
def test_a_text_is_written_without_quotes_where_every_reader_reads_a_text(
    text: str, written: str
) -> None:
    """Readers of YAML 1.1, too, to whom ``no`` is false."""
    new = NewWaiver("a", ("b", "c"), text, "me", "2030-06-30")
    found, after = with_waiver(None, "w.yaml", new)
    assert found == (
        "# Accepted exceptions: each with a reason, an owner and its last day.\n"
        "waivers:\n  - rule: a\n    connections: {id: [b, c]}\n"
        f"    reason: {written}\n    owner: me\n    expires: 2030-06-30\n"
    )
    assert after.entries[0].reason == one_line(text, 500)


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
