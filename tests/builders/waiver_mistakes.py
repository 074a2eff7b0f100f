"""Waiver files with a mistake, and what is told of it."""

from __future__ import annotations

from tests.builders.listed import waiver

ENDS = "(every waiver ends: write its last day, such as 2026-06-30, or a moment with its zone)"
SUCH = "such as {group: finance, service: postgres}; for every connection write all"
TEXTS = "(quote a number; an empty text or list selects nothing)"
KEYS = "rule, connections, reason, owner"

#: By what is wrong: the file, and where it is told and how.
PROBLEMS: dict[str, tuple[str, str]] = {
    "a list": ("- a\n", "1:1: this is not a waiver file (it is a mapping with waivers: [...])"),
    "a policy": (
        "policy: x\nrules: []\n",
        "1:1: this is a policy, not a waiver file (pass it with --policy)",
    ),
    "neither": ("x: 1\n", "1:1: this is not a waiver file (it is a mapping with waivers: [...])"),
    "no list": ("waivers: {rule: x}\n", "1:10: waivers: takes a list (one each after a dash)"),
    "no mapping": (
        "waivers: [x]\n",
        f"1:11: this is not a waiver (a waiver is a mapping with {KEYS} and expires)",
    ),
    "twice": (
        waiver() + "    owner: me\n",
        "7:5: the key owner appears twice (the first is at line 5; remove one)",
    ),
    "no rule": (
        waiver(rule=""),
        "2:5: a waiver needs rule: (a rule's id, or a glob such as sync-*)",
    ),
    "no connections": (
        waiver(connections=""),
        (
            "2:5: a waiver needs connections:"
            " (such as {id: …}, schema, service, group, address; or all)"
        ),
    ),
    "no reason": (waiver(reason=""), "2:5: a waiver needs reason: (say why it is accepted)"),
    "no owner": (waiver(owner=""), "2:5: a waiver needs owner: (say who answers for it)"),
    "no end": (
        waiver(expires=""),
        "2:5: a waiver needs expires: (the last day, such as 2026-06-30)",
    ),
    "unknown key": (
        waiver(until="2026-12-31"),
        "7:5: a waiver has no key until (did you mean expires?)",
    ),
    "misspelt key": (waiver(reson="x"), "7:5: a waiver has no key reson (did you mean reason?)"),
    "empty reason": (
        waiver(reason='" "'),
        "4:13: reason: takes a text (quote it; say why it is accepted)",
    ),
    "a number": (waiver(owner="7"), "5:12: owner: takes a text (quote it; say who answers for it)"),
    "cut": (waiver(reason="see #12"), "4:13: reason: is cut at the # (quote the text)"),
    "never": (waiver(expires="never"), f"6:14: expires: never is not a date {ENDS}"),
    "no such day": (
        waiver(expires="2026-02-30"),
        f"6:14: expires: 2026-02-30 is not a date {ENDS}",
    ),
    "no zone": (
        waiver(expires="2026-02-03T10:00:00"),
        f"6:14: expires: 2026-02-03T10:00:00 is not a date {ENDS}",
    ),
    "out of range": (
        waiver(expires="0001-01-01T00:00:00+23:59"),
        f"6:14: expires: 0001-01-01T00:00:00+23:59 is not a date {ENDS}",
    ),
    "another order": (
        waiver(expires="31.12.2026"),
        f"6:14: expires: 31.12.2026 is not a date {ENDS}",
    ),
    "everything": (waiver(connections="{}"), f"3:18: connections: says which ones ({SUCH})"),
    "ids alone": (
        waiver(connections="[a, b]"),
        f"3:18: connections: says which ones (write {{id: [a, b]}}, or another choice, {SUCH})",
    ),
    "everything as a word": (
        waiver(connections='"*"'),
        f"3:18: connections: says which ones ({SUCH})",
    ),
    "everything as a glob": (
        waiver(connections='{id: "*"}'),
        "3:18: this selects every connection (write connections: all if you mean that)",
    ),
    "everything in a list": (
        waiver(connections='{group: [g, "**"]}'),
        "3:18: this selects every connection (write connections: all if you mean that)",
    ),
    "nothing": (
        waiver(connections="{id: []}"),
        f"3:23: id: takes a text, or a list of them {TEXTS}",
    ),
    "an empty text": (
        waiver(connections='{id: ""}'),
        f"3:23: id: takes a text, or a list of them {TEXTS}",
    ),
    "a number as id": (
        waiver(connections="{id: 7}"),
        f"3:23: id: takes a text, or a list of them {TEXTS}",
    ),
    "group_id": (
        waiver(connections="{group_id: g}"),
        "3:19: a choice of connections has no key group_id (did you mean group?)",
    ),
    "while a text": (
        waiver(**{"while": "5"}),
        (
            "7:12: a condition is a mapping of field paths to tests"
            " (write field: value, or combine conditions under all: or any:)"
        ),
    ),
    "while empty": (
        waiver(**{"while": "{}"}),
        "7:12: an empty condition holds for everything (say what must hold)",
    ),
    "while misspelt": (
        waiver(**{"while": "{sync_freqency: 5}"}),
        "7:13: no field is called sync_freqency (did you mean sync_frequency?)",
    ),
    "while of a variable": (
        waiver(**{"while": "{any: [{sync_frequency: {gte: {var: floor}}}]}"}),
        "7:48: a waiver cannot use variables (write the value)",
    ),
    "while of text": (
        waiver(**{"while": '{sync_frequency: "5"}'}),
        "7:29: sync_frequency is a whole number, not 5 (write 5 without quotes)",
    ),
    "a policy with a list of them": (
        "policy: x\nwaivers:\n",
        "1:1: a waiver file has no key policy (one of waivers, extra_fields)",
    ),
    "a number for a list": (
        "\nwaivers: 3\n",
        "2:10: waivers: takes a list (one each after a dash)",
    ),
    "a text for a list": ("waivers: none\n", "1:10: waivers: takes a list (one each after a dash)"),
    "unknown key of the file": (
        "waivers: []\nzzzzzzzz: 1\n",
        "2:1: a waiver file has no key zzzzzzzz (one of waivers, extra_fields)",
    ),
    "extra fields of a number": (
        f"extra_fields: [5]\n{waiver()}",
        f"1:15: extra_fields: takes a text, or a list of them {TEXTS}",
    ),
    "a key like no other": (
        waiver(zzzzzzzz="x"),
        f"7:5: a waiver has no key zzzzzzzz (one of {KEYS}, expires, while)",
    ),
    "a choice like no other": (
        waiver(connections="{zzzzzzzz: x}"),
        (
            "3:19: a choice of connections has no key zzzzzzzz"
            " (one of id, schema, service, group, address)"
        ),
    ),
    "a list as owner": (waiver(owner="[me]"), "5:12: owner: takes a text (say who answers for it)"),
    "a number as reason": (
        waiver(reason="12"),
        "4:13: reason: takes a text (quote it; say why it is accepted)",
    ),
    "an end that is a list": (
        waiver(expires="[2026-02-03]"),
        f"6:14: expires: this is not a date {ENDS}",
    ),
    "an id alone": (
        waiver(connections="quick_fox"),
        f"3:18: connections: says which ones (write {{id: quick_fox}}, or another choice, {SUCH})",
    ),
    "a list of lists": (
        waiver(connections="[a, [b]]"),
        f"3:18: connections: says which ones ({SUCH})",
    ),
    "an empty list": (waiver(connections="[]"), f"3:18: connections: says which ones ({SUCH})"),
    "one of two is no text": (
        waiver(connections="{id: [a, 7]}"),
        f"3:23: id: takes a text, or a list of them {TEXTS}",
    ),
    "ids in a list of a list": (
        waiver(connections="{id: [a, [b]]}"),
        f"3:23: id: takes a text, or a list of them {TEXTS}",
    ),
    "a choice with a mistake": (
        waiver(connections="{id: a, schema: 7}"),
        f"3:34: schema: takes a text, or a list of them {TEXTS}",
    ),
    "while of a variable in a list": (
        waiver(**{"while": "{sync_frequency: [5, {var: floor}]}"}),
        "7:39: a waiver cannot use variables (write the value)",
    ),
    "not YAML": ("waivers: [\n", "2:1: not YAML: did not find expected node content"),
}
