"""Waiver files with a mistake, and the message about it."""

from __future__ import annotations

from tests.builders.listed import (
    waiver,
)

PROBLEMS: dict[str, tuple[str, str]] = {
    "a list": ("- a\n", "1:1: this is not a waiver file"),
    "a policy": ("policy: x\nrules: []\n", "this is a policy, not a waiver file"),
    "no list": ("waivers: {rule: x}\n", "1:10: waivers: takes a list"),
    "no mapping": ("waivers: [x]\n", "1:11: this is not a waiver"),
    "twice": (waiver() + "    owner: me\n", "the key owner appears twice"),
    "no rule": (waiver(rule=""), "2:5: a waiver needs rule:"),
    "no connections": (waiver(connections=""), "a waiver needs connections:"),
    "no reason": (waiver(reason=""), "a waiver needs reason:"),
    "no owner": (waiver(owner=""), "a waiver needs owner:"),
    "no end": (waiver(expires=""), "a waiver needs expires:"),
    "unknown key": (waiver(until="2026-12-31"), "no key until (did you mean expires?)"),
    "misspelt key": (waiver(reson="x"), "no key reson (did you mean reason?)"),
    "empty reason": (waiver(reason='" "'), "4:13: reason: takes a text"),
    "a number": (waiver(owner="7"), "owner: takes a text"),
    "cut": (waiver(reason="see #12"), "reason: is cut at the #"),
    "never": (waiver(expires="never"), "6:14: expires: never is not a date"),
    "no such day": (waiver(expires="2026-02-30"), "2026-02-30 is not a date"),
    "no zone": (waiver(expires="2026-02-03T10:00:00"), "is not a date"),
    "out of range": (waiver(expires="0001-01-01T00:00:00+23:59"), "is not a date"),
    "another order": (waiver(expires="31.12.2026"), "is not a date"),
    "everything": (waiver(connections="{}"), "3:18: connections: says which ones"),
    "ids alone": (waiver(connections="[a, b]"), "3:18: connections: says which ones"),
    "everything as a word": (waiver(connections='"*"'), "connections: says which ones"),
    "everything as a glob": (waiver(connections='{id: "*"}'), "write connections: all"),
    "everything in a list": (waiver(connections='{group: [g, "**"]}'), "selects every connection"),
    "nothing": (waiver(connections="{id: []}"), "id: takes a text, or a list of them"),
    "an empty text": (waiver(connections='{id: ""}'), "id: takes a text"),
    "a number as id": (waiver(connections="{id: 7}"), "quote a number"),
    "group_id": (waiver(connections="{group_id: g}"), "did you mean group?"),
    "while a text": (waiver(**{"while": "5"}), "a condition is a mapping"),
    "while empty": (waiver(**{"while": "{}"}), "an empty condition holds for everything"),
    "while misspelt": (waiver(**{"while": "{sync_freqency: 5}"}), "did you mean sync_frequency?"),
    "while of a variable": (
        waiver(**{"while": "{any: [{sync_frequency: {gte: {var: floor}}}]}"}),
        "7:48: a waiver cannot use variables",
    ),
    "while of text": (waiver(**{"while": '{sync_frequency: "5"}'}), "7:29:"),
    "not YAML": ("waivers: [\n", "not YAML"),
}
