"""Policies by someone who means harm: refused at load or harmless, and quickly."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.cli.terminal.streams import excerpt
from auditor.errors import AuditorError, PolicyError
from auditor.model import Verdict
from auditor.policy import load_policies
from tests.builders.judged import checks_of, findings_of, one_rule, written

#: Seconds of the processor, which no neighbour takes away, and bytes: a bomb takes hours, or all.
_SECONDS, _BYTES = 10.0, 200 * 2**20
_SECRET = "hunter2-Canary-5up3r"


@pytest.fixture(autouse=True)
def _bounded() -> Iterator[None]:
    """End a test that takes too long or too much: a gate that hangs gives no answer either."""

    def too_long(_number: int, _frame: object) -> None:
        raise AssertionError(f"it takes more than {_SECONDS:g} s")

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + _BYTES, hard))
    before = signal.signal(signal.SIGVTALRM, too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


# -- patterns ---------------------------------------------------------------------------------

_NESTED = ["(a+)+$", "(a*)*$", "(a|a)*$", "(a|aa)+$", "([a-z]+)*$", "(a?){50}a{50}$", "(.*a){20}$"]
_WELL_KNOWN = [
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}[a-z]{2,3}$",
    r"(\w+\s?)*!$",
    r"^(\d+)*\.\d+$",
    r"(x+x+)+y",
    r"^(?:a+)+b$",
    r"(?:(?:a+)+)+b$",
    r"(a+){10}y",
    r"(.*)(.*)(.*)(.*)(.*)x$",
    r"(?i)(A+)+$",
    r"\s*\s*\s*\s*\s*x$",
    r"[\s\S]*[\s\S]*[\s\S]*x$",
    r"(?:[^x]+x?)*y$",
    r"((a{1,10}){1,10}){1,10}b$",
    r"^(a|b|ab)*c$",
    r"(0|[1-9]\d*)*x",
    r"(?s).*.*.*.*.*=.*",
    r"([^,]*,){50}x",
    # From advisories, one kind each.
    r"^(?:.?)+x$",
    r"^(\w+\s*)+:$",
    r"(?:\s+|\w+)*;$",
    r"^\s*(.+?)\s*=\s*(.+?)\s*;$",
    r"^(?:[a-z0-9]+(?:[._-]?[a-z0-9]+)*)+@x$",
    r"^[a-z]+(?:-?[a-z0-9]+)*-+$",
    r"^((?:[^/]*/)*)(.*)x$",
    r"^(?:(?:[^ab]|a|b)+)*Z$",
    r"<!--(?:[^-]|-[^-])*-->",
    r"<([a-z]+)(?:\s+[a-z]+(?:=(?:a|'[^']*'))?)*\s*/?>x",
    r"(?:%[0-9a-f]{2}|[^%])*%$",
    r"^\d+(?:,\d+)*(?:\.\d+)*x$",
    r"^(?:[0-9]+[a-f]*)+g$",
    r"([0-9]+)*e([0-9]+)*!x",
    r"^(?:a|ab|abc|abcd)+e$",
    r"(?:(?:x|y)?a)*(?:ab)*b!c$",
    r"^(?:[+-]?\d*\.?\d*)+z$",
    r"^(\s*[a-z]+\s*,?)+\.$",
    r"((?:[a-z]+\.)+)+com$",
    r"^.*?,.*?,.*?,.*?,.*?,.*?x$",
    r"(?:\w|\d|_)+$Z|(?:\w|\d)+!Z",
    r"^(?:\S+\s?)+\?$",
    r"(?i)^(?:<br */?>|\s)*z$",
    r"(?m)^(?:a+\s?)+$!",
    r"(?:a*)*?(?:a*)*?(?:a*)*?b!$",
    r"(?:[a-z]*[a-z]*[a-z]*)*[0-9]z$",
    r"^(?:aa|aaa|aaaa)+b$",
    r"(?:(?:(?:a?)?)?)*b!",
    r"^((ab)*|(ba)*|[^c]*)*c$",
    r"(?U)(a+)+b!",
]
_REFUSED = [
    r"(a)\1",
    r"(?=a)a",
    r"(?!a)b",
    r"(?<=a)b",
    r"(?<!a)b",
    r"(?>a+)b",
    r"a++b",
    r"(?P<x>a)(?P=x)",
    r"(?(1)a|b)",
    r"a{1001}",
    r"((a{100}){100}){100}",
    r"(",
    r"[",
    r"*a",
    r"a{2,1}",
    r"\p{Nope}",
    r"(?z)a",
    r"\C+\8",
]
_HARMLESS = [
    r"(a{1,100}){1,9}b$",
    r"x*" * 200,
    r"(" + "|".join("a" * n for n in range(1, 40)) + r")*b$",
    r"[a-z]{0,500}Z$",
    r"(?:a?){200}b$",
    r"\pL+\pN$",
    "(" * 2000 + "a" + ")" * 2000,
]
PATTERNS = [*_NESTED, *_WELL_KNOWN, *_REFUSED, *_HARMLESS]


def test_there_are_fifty_patterns_that_hang_others() -> None:
    assert len({*_NESTED, *_WELL_KNOWN}) >= 50
    assert len(set(PATTERNS)) == len(PATTERNS)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p[:24])
def test_a_pattern_is_refused_or_quick(pattern: str, tmp_path: Path) -> None:
    try:
        rules = load_policies(
            written(
                tmp_path, one_rule(f"assert: {{schema: {{regex_search: {json.dumps(pattern)}}}}}")
            )
        )
    except PolicyError:
        # Those that fit every text are refused too: they ask nothing.
        assert pattern not in _WELL_KNOWN
    else:
        assert pattern not in _REFUSED, "a pattern that the engine lacks was taken"
        values = ["a" * 1_000_000 + "!", "ab " * 333_333, "0" * 1_000_000, "a,<%0x. =" * 111_111]
        checks = checks_of(rules, [{"schema": value} for value in values])["rule"]
        assert set(checks.verdicts) <= {Verdict.PASS, Verdict.FAIL}


@pytest.mark.parametrize(
    "piece",
    ["a", "a+", "a://", "://", "eyJ", "-----BEGIN ", "basic ", "?key", "&sig=", "ghp_", "a1", "="],
)
def test_a_long_value_is_looked_through_for_secrets_soon(piece: str, tmp_path: Path) -> None:
    rules = load_policies(written(tmp_path, one_rule("assert: {networking_method: Directly}")))
    value = piece * (1_000_000 // len(piece)) + "!"
    (finding,) = findings_of(rules, [{"networking_method": value}])
    assert finding.verdict is Verdict.FAIL


# -- bombs ------------------------------------------------------------------------------------

_HEAD = "policy: p\nrules: []\nvars:\n"
BOMBS: dict[str, str] = {
    "laughs": "policy: &a [x,x]\n"
    + "".join(f"k{n}: &b{n} [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n" for n in range(9)),
    "an anchor": "policy: &a p\nrules: []\n",
    "itself": "policy: p\nrules: &a [*a]\n",
    "a merge key": "policy: p\nrules: []\nvars:\n  <<: {a: 1}\n",
    "lists": f"policy: p\nrules: {'[' * 5000}{']' * 5000}\n",
    "mappings": "policy: p\nrules: " + "{a: " * 5000 + "1" + "}" * 5000,
    "indents": _HEAD + "".join(f"{' ' * n}a:\n" for n in range(1, 1000)),
    "nodes": f"policy: p\nrules: [{'1,' * 60_000}]\n",
    "bytes": f"policy: p\ntitle: {'x' * 1_100_000}\n",
    "a tag": "policy: !!python/object/apply:os.system ['touch owned']\n",
    "another tag": "policy: p\nrules: !!binary aGVsbG8=\n",
    "a custom tag": "policy: p\nrules: !include /etc/passwd\n",
    "documents": "policy: p\n---\npolicy: q\n",
    "a key twice": "policy: p\npolicy: q\nrules: []\n",
    "a key that is a list": "policy: p\n? [a]\n: 1\n",
    "a NUL": "policy: p\x00\n",
    "a percent": "%YAML 9.9\n---\npolicy: p\n",
    "open quotes": 'policy: "' + "x" * 100_000,
    "open brackets": "policy: [" + "{a: [" * 100,
    "tabs": "policy:\n\t- x\n",
    "colons": "policy: " + ": " * 50_000,
    "question marks": "? " * 50_000,
    "dashes": "- " * 50_000,
    "hashes": "policy: p\n" + "#" * 1_000_000,
    "quotes": "policy: " + "''" * 100_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, BOMBS[name])
    with pytest.raises(PolicyError) as caught:
        load_policies(path)
    assert all(problem.position.file and problem.position.line for problem in caught.value.problems)
    assert all(len(str(problem)) < 2000 for problem in caught.value.problems)
    assert not (Path.cwd() / "owned").exists()


@pytest.mark.parametrize(
    "operators",
    [
        "gte: 1" + "0" * 5000,
        "gte: 1e999",
        "gte: -.inf",
        "gte: .nan",
        "between: [0, 9" + "9" * 10_000 + "]",
        "equals: 0x" + "f" * 5000,
        "in: [" + "1, " * 40_000 + "1]",
    ],
)
def test_huge_numbers_are_refused_or_harmless(operators: str, tmp_path: Path) -> None:
    text = one_rule(f"assert: {{sync_frequency: {{{operators}}}}}")
    try:
        rules = load_policies(written(tmp_path, text))
    except PolicyError:
        assert not operators.startswith("in")
    else:
        assert len(checks_of(rules, [{"sync_frequency": 360}, {}])["rule"].verdicts) == 2


@pytest.mark.parametrize(
    "body",
    [
        "assert: {sync_frequency: {gte: %s}}",
        "assert: {paused:%s}",
        "assert: {schema: {in: {var: x%s}}}",
        "assert: {x%s: true}",
        "x%s: true",
    ],
)
def test_a_long_value_makes_no_long_message(body: str, tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policies(written(tmp_path, one_rule(body % ("9" * 100_000))))
    assert all(len(str(problem)) < 3000 for problem in caught.value.problems)


@pytest.mark.parametrize(
    "message",
    [
        "{schema.__class__}",
        "{schema!r}",
        "{schema:>99999999}",
        "{0}",
        "{}",
        "{connect_card.token}",
        "{connect_card}",
        "{var.nothing}",
        "{os.environ}",
        "{% for x in y %}",
        "{",
        "}",
    ],
)
def test_a_message_can_ask_for_nothing_but_fields(message: str, tmp_path: Path) -> None:
    body = f"assert: {{paused: false}}\nmessage: {json.dumps(message)}"
    with pytest.raises(PolicyError, match="message"):
        load_policies(written(tmp_path, one_rule(body)))


@pytest.mark.parametrize(
    ("message", "filled"),
    [
        ("{config}", "[hidden]"),
        ("{config.password}", "[hidden]"),
        ("{config.__init__.__globals__}", "missing"),
        ("{{7*7}}", "{7*7}"),
        ("${schema}", "$s"),
        ("%(schema)s", "%(schema)s"),
        ("$(", "$("),
    ],
)
def test_a_template_in_a_message_is_text(message: str, filled: str, tmp_path: Path) -> None:
    body = f"assert: {{paused: false}}\nmessage: {json.dumps(message)}"
    rules = load_policies(written(tmp_path, one_rule(body)))
    record = {"paused": True, "schema": "s", "config": {"password": _SECRET}}
    (finding,) = findings_of(rules, [record])
    assert finding.message == filled
    assert _SECRET not in repr(finding)


# -- files that are none of the policy's business -----------------------------------------------

_PASSWORDS = f"root:{_SECRET}:19000:0:99999:7:::\ndb: [{_SECRET}\n"


def _told(error: AuditorError) -> str:
    problems = error.problems if isinstance(error, PolicyError) else ()
    return "\n".join([str(error), repr(error), *map(excerpt, problems)])


@pytest.mark.parametrize(
    "content",
    [
        _PASSWORDS,
        f"{_SECRET}\n",
        f"password: {_SECRET}\n",
        f"db: {{password: {_SECRET}}}\nrules: [{{password: {_SECRET}}}]\n",
        f"FIVETRAN_API_SECRET={_SECRET}\x00HOME=/\x00",
        f'{{"password": "{_SECRET}"',
        f"- {_SECRET}\n- [",
        f"password: {_SECRET}\npassword: {_SECRET}\n",
        f"password: &a {_SECRET}\n",
        f"password: !vault {_SECRET}\n",
        f"a: '{_SECRET}\n",
        f"a: {_SECRET}: {_SECRET}\n",
        f"\t{_SECRET}\n",
    ],
)
@pytest.mark.parametrize("name", ["shadow", "environ.yaml", "link.yaml", "../up/other.yml"])
def test_no_line_of_another_file_is_shown(name: str, content: str, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True)
    if name.startswith("link"):
        (tmp_path / "secret").write_text(content)
        target.symlink_to(tmp_path / "secret")
    else:
        target.write_text(content)
    path = written(folder, f"policy: p\nextends: ['./{name}']\nrules: []\n")
    with pytest.raises(AuditorError) as caught:
        load_policies(path)
    assert caught.value.exit_code == 2
    assert _SECRET not in _told(caught.value)


@pytest.mark.parametrize("name", ["/etc/passwd", "/proc/self/environ", "/dev/zero", "/dev/stdin"])
def test_what_is_not_a_policy_is_not_even_read(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, f"policy: p\nextends: [{name}]\nrules: []\n")
    with pytest.raises(PolicyError) as caught:
        load_policies(path)
    (problem,) = caught.value.problems
    assert problem.position.line == 2


def test_a_pipe_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    path = written(tmp_path, "policy: p\nextends: [./pipe.yaml]\nrules: []\n")
    with pytest.raises(PolicyError, match="no such file"):
        load_policies(path)


def test_our_own_lines_are_shown(tmp_path: Path) -> None:
    for text in (
        "policy: p\nrulez: []\n",
        '{"policy": "p", "rulez": []}\n',
        "policy: p\nrules: [}\n",
    ):
        with pytest.raises(PolicyError) as caught:
            load_policies(written(tmp_path, text))
        assert any(problem.source_line for problem in caught.value.problems)


@pytest.mark.parametrize(
    "path",
    ["connect_card.token", "connect_card.uri"],
)
@pytest.mark.parametrize(
    "body",
    [
        "assert: {%s: {equals: x}}",
        "assert: {%s: {regex_search: '^a'}}",
        "assert: {%s: {length: {gte: 3}}}",
        "assert: {%s: {starts_with: a}}",
        "assert: {paused: false}\nmessage: '{%s}'",
        "per: [%s]\nassert: {count: {gte: 9}}",
        "assert: {%s: {json_schema: {type: string}}}",
        "assert: {schema: {equals: {field: %s}}}",
    ],
)
def test_a_live_credential_can_be_asked_nothing(path: str, body: str, tmp_path: Path) -> None:
    with pytest.raises(PolicyError):
        load_policies(written(tmp_path, one_rule(body % path)))
