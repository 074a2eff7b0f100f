"""YAML as policies read it: 1.2's scalars, and everything surprising refused with its position."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from auditor.errors import PolicyError, Problem, UsageError
from auditor.policy.loading import nodes
from auditor.policy.loading.documents import pack_names
from auditor.policy.loading.load import load
from auditor.resources import resource_folder
from tests.builders.judged import one_rule, problems_of, written
from tests.builders.slow import tries

SOUND = one_rule("assert: {paused: false}")


def _value(text: str) -> object:
    root, problems = nodes.parse(f"key: {text}\n".encode(), "f")
    assert not problems
    assert isinstance(root, nodes.MappingNode)
    return nodes.plain_value(root)["key"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("y", "y"),
        ("14:00", "14:00"),
        ("1:30:00", "1:30:00"),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("2024-12-01", "2024-12-01"),
        ("2024-12-01T00:00:00Z", "2024-12-01T00:00:00Z"),
        ("~", None),
        ("null", None),
        ("", None),
        ("nULL", "nULL"),
        ("True", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("+1", 1),
        ("-0", 0),
        ("'60'", "60"),
        ('"true"', "true"),
        ("'~'", "~"),
        ("=", "="),
        ("1.2.3", "1.2.3"),
        ("٣", "٣"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    read = _value(text)
    assert read == value
    assert type(read) is type(value)


def test_no_number_is_infinite() -> None:
    assert not [v for v in map(_value, ("9" * 5000, "1e309", "-1e309")) if isinstance(v, float)]
    assert math.isfinite(float(_value("1e308")))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "line", "told"),
    [
        (b"", 1, "the file is empty"),
        (b"# only a comment\n", 1, "the file is empty"),
        (b"a" * (nodes.MAX_BYTES + 1), 1, "the file is over"),
        (b"policy: p\ntitle: \xff\n", 2, "not UTF-8"),
        (SOUND.encode("utf-16"), 1, "not UTF-8"),
        ("# é\n# ééééééé\npolicy: p\ntitle: \0\n".encode(), 4, "a character that YAML forbids"),
        (b"policy: p\ntitle: \x07\n", 2, "a character that YAML forbids"),
        (b"policy: p\npolicy: q\n", 2, "the key policy appears twice"),
        (b"policy: p\ntitle: &a x\n", 2, "anchors (&) are not supported"),
        (b"policy: p\ntitle: &a x\ndescription: *a\n", 3, "aliases (*) are not supported"),
        (b"policy: p\ntitle: !!str x\n", 2, "tags are not supported"),
        (b"policy: p\ntitle: ! x\n", 2, "tags are not supported"),
        (b"policy: p\ntitle: !!python/object/apply:os.system [x]\n", 2, "tags are not supported"),
        (b"policy: p\nvars:\n  <<: {a: 1}\n", 3, "merge keys (<<) are not supported"),
        (b"policy: p\n---\npolicy: q\n", 2, "a second document"),
        (b"policy: p\n1: x\n", 2, "a key must be text: 1"),
        (b"policy: p\ntrue: x\n", 2, "a key must be text: true"),
        (b"policy: p\n~: x\n", 2, "a key must be text: ~"),
        (b"policy: p\n[a]: x\n", 2, "a key must be text"),
        (b"policy: p\n? {a: b}\n: x\n", 2, "a key must be text"),
        (b"policy: p\nrules:\n\t- id: r\n", 3, "not YAML"),
        (b"policy: p\ntitle: *_x\n", 2, "aliases (*) are not supported"),
        (b"policy: p\ntitle: 'x\n", 2, "not YAML"),
        (b"policy: p\nrules: " + b"[" * 70 + b"]" * 70, 2, "nested more than 64 deep"),
        (b"[" * (1 << 20), 1, "nested more than 64 deep"),
        (b"- " * (1 << 19), 1, "nested more than 64 deep"),
        (b"policy: p\nrules:\n" + b" - [a, b, c, d]\n" * 11_000, 10_002, "over 50,000 values"),
        (b"policy: p\rtitle: x\rfoo: y\r", 3, "a policy has no key foo"),
        (b"policy: p\r\ntitle: x\r\nfoo: y\r\n", 3, "a policy has no key foo"),
        ("policy: p\ntitle: 'a\u2028b'\nfoo: x\n".encode(), 3, "a policy has no key foo"),
        (b"- a\n", 1, "this is not a policy"),
        (b"just text", 1, "this is not a policy"),
    ],
)
def test_what_is_refused_says_where(tmp_path: Path, data: bytes, line: int, told: str) -> None:
    problems = problems_of(tmp_path, data)
    assert [p for p in problems if told in p.message and p.position.line == line], problems


def test_a_billion_laughs_end_at_the_first(tmp_path: Path) -> None:
    rows = ["policy: p", "a: &a [x, x, x, x, x, x, x, x, x]"]
    rows += [f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]" for a, b in pairwise("abcdefghi")]
    told = problems_of(tmp_path, "\n".join(rows))
    assert any("aliases" in p.message and p.position.line == 3 for p in told)


def test_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    assert load([written(tmp_path, b"\xef\xbb\xbf" + SOUND.encode())]).ruleset.rules


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("assert: {sync_frequency: {gte:15}}", "write gte: 15"),
        ("assert: {sync_frequency:15}", "write sync_frequency: 15"),
        ("assert: {schema: {glob: *_x}}", "write the text in quotes"),
        ("assert: {paused: false}\nfix: See #12", "quote the text"),
        ("assert: {paused: false}\nmessage: See #12", "quote the text"),
        ("assert: {paused: false}\nmessage: {schema}", "a text that starts with { needs quotes"),
        ("assert: {paused: false}\nmessage: {schema} x", "a text that starts with { or [ needs"),
        ("assert: {paused: false}\nwhy: one: two", "a text with a colon and a space needs quotes"),
        ("assert: {paused: false}\nwhy: %x", "needs quotes"),
        ("assert: {paused: false}\nwhy: @x", "needs quotes"),
        ("assert:\n\tpaused: false", "indent with spaces, not tabs"),
    ],
)
def test_the_traps_of_yaml_get_a_plain_word(tmp_path: Path, line: str, hint: str) -> None:
    text = one_rule(line)
    (problem,) = problems_of(tmp_path, text)
    assert hint in problem.hint
    last = line.splitlines()[-1].strip()
    assert last in text.splitlines()[problem.position.line - 1]


@pytest.mark.parametrize(
    ("wrong", "line", "hint"),
    [
        ("   severity: low", 2, "begins in the same column"),
        ("      severity: low", 2, "begins in the same column"),
        ("\u00a0\u00a0\u00a0\u00a0severity: low", 3, "indent with plain spaces"),
        ("    title:Paused\n    severity: low", 2, "a key ends with a colon and a space"),
        ("    when: {service: jira, paused: false\n    severity: low", 3, "close every {"),
        ("    when: {service: [jira, stripe}\n    severity: low", 2, "close every ["),
        ("    when: {service: jira}}\n    severity: low", 2, "a bracket is closed"),
        ("    title: 'Paused\n    severity: low", 2, "close the quote that is opened here"),
    ],
)
def test_what_is_not_yaml_has_its_place_and_what_to_look_for(
    tmp_path: Path, wrong: str, line: int, hint: str
) -> None:
    text = f"rules:\n  - id: one\n{wrong}\n    when: {{service: {{in: [jira]}}, paused: false}}\n"
    (problem,) = problems_of(tmp_path, text)
    assert problem.position.line == line + 1
    assert hint in problem.hint


# -- anything at all ------------------------------------------------------------------------

_FUZZ = settings(
    max_examples=tries(150),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_PACKS = [(resource_folder("policies") / f"{name}.yaml").read_bytes() for name in pack_names()]
_PIECES = (
    *(b"{}[],:#&*!|>'\"%@`?-~ \n\t"[i : i + 1] for i in range(24)),
    b": ",
    b"\n  ",
    b"<<: ",
    b"!!str ",
    b"*a",
    b"&a ",
    b"\xff",
    b"\x00",
    b"---\n",
    b"null",
    b"no",
    b"{}",
    b"[]",
)


def _load_or_refuse(folder: Path, data: bytes) -> None:
    problems: tuple[Problem, ...] | None = None
    try:
        load([written(folder, data)])
    except PolicyError as error:
        problems = error.problems
    assert problems is None or problems
    for problem in problems or ():
        assert problem.position.line >= 1
        assert problem.position.column >= 1
        assert problem.message.strip()
        assert str(problem).isprintable()


@_FUZZ
@given(st.binary(max_size=300))
@example(b"\xef\xbb\xbf")
@example(b"%YAML 9.9\n---\n")
def test_no_bytes_are_a_traceback(tmp_path: Path, data: bytes) -> None:
    _load_or_refuse(tmp_path, data)


@_FUZZ
@given(st.sampled_from(_PACKS), st.data())
def test_no_damaged_pack_is_a_traceback(tmp_path: Path, pack: bytes, data: st.DataObject) -> None:
    damaged = bytearray(pack)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged)))
        cut = data.draw(st.integers(0, 12))
        damaged[at : at + cut] = data.draw(st.sampled_from(_PIECES) | st.binary(max_size=4))
    _load_or_refuse(tmp_path, bytes(damaged))


@pytest.mark.parametrize(
    "name", ["nothing", "base line", "x" * 5000, "a\0b", "", "a\0b.yaml", "x" * 5000 + ".yaml"]
)
def test_a_name_that_is_nothing_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError):
        load([name])
