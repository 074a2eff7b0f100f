"""The user's own facts: declared in a policy, read as strictly, and joined like lists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auditor import load_policies
from auditor.errors import PolicyError, UsageError
from auditor.facts.columns import COLUMN_TYPES
from auditor.facts.files import Declared, FactsFileError, read_facts
from auditor.facts.own import Globs
from auditor.policy.loading.load import load
from auditor.policy.testing.examples_run import run_examples
from tests.builders.account_server import ACCOUNT, AccountServer, connection
from tests.builders.facts import judged, labels, rule
from tests.builders.slow import tries

COLUMNS = (
    ("tier", COLUMN_TYPES["integer"]),
    ("team", COLUMN_TYPES["text"]),
    ("share", COLUMN_TYPES["number"]),
    ("live", COLUMN_TYPES["boolean"]),
    ("until", COLUMN_TYPES["timestamp"]),
    ("start", COLUMN_TYPES["time_of_day"]),
)
HEADER = "schema,tier,team,share,live,until,start\n"
#: A row with a value in every column.
EVERY = (
    '{"schema": "orders", "team": "core", "tier": 1, "share": 0.5, "live": true,'
    ' "until": "2026-01-31T00:00:00Z", "start": "02:00"}'
)


def read(text: str | bytes, name: str = "f.csv", columns: Any = COLUMNS) -> dict[str, Any]:
    data = text if isinstance(text, bytes) else text.encode()
    return read_facts(data, Declared(name, "schema", columns))


def refused(text: str | bytes, name: str = "f.csv", columns: Any = COLUMNS) -> list[str]:
    """Return each problem as ``line:column message (hint)``."""
    with pytest.raises(FactsFileError) as caught:
        read(text, name, columns)
    return [
        f"{p.position.line}:{p.position.column} {p.message} ({p.hint})"
        for p in caught.value.problems
    ]


def test_every_type_is_read_from_every_format():
    wanted = {
        "orders": (1, "data, core", 0.5, True, "2026-01-31T00:00:00Z", "02:00"),
        "crm": (None,) * 6,
    }
    row = dict(
        zip(("tier", "team", "share", "live", "until", "start"), wanted["orders"], strict=True)
    )
    rows = [{"schema": "orders", **row}, {"schema": "crm"}]
    written = 'orders,1,"data, core",0.5,true,2026-01-31T00:00:00Z,02:00\ncrm,,,,,,\n'
    assert read(HEADER + written) == wanted
    assert read(b"\xef\xbb\xbf" + (HEADER + written).replace("\n", "\r\n").encode()) == wanted
    assert read(json.dumps(rows), "f.json") == wanted
    assert read(json.dumps(rows, indent=2), "f.json") == wanted
    assert read("\n".join(map(json.dumps, rows)) + "\n", "f.ndjson") == wanted
    assert read("\n\n".join(map(json.dumps, rows)), "f.jsonl") == wanted


#: Damaged files, and what is said of the first damage, with its place.
DAMAGED: Mapping[str, tuple[str, str | bytes, str]] = {
    "empty": ("f.csv", "", "1:1 it is empty"),
    "a header alone": ("f.csv", HEADER, "1:1 it has no rows"),
    "a key twice": (
        "f.csv",
        HEADER + "a,1,,,,,\nb,1,,,,,\na,2,,,,,\n",
        "4:1 the key a is already at line 2",
    ),
    "no key": ("f.csv", HEADER + ",1,,,,,\n", "2:1 the key schema is empty"),
    "a blank around a key": ("f.csv", HEADER + " a,1,,,,,\n", "2:1 the key ' a' begins or ends"),
    "a text for a number": ("f.csv", HEADER + "a,one,,,,,\n", "2:3 tier is one, expected a whole"),
    "a fraction": ("f.csv", HEADER + "a,1.5,,,,,\n", "2:3 tier is 1.5, expected a whole number"),
    "a blank number": ("f.csv", HEADER + "a, 1,,,,,\n", "2:3 tier is ' 1', expected a whole"),
    "a blank before a text": ("f.csv", HEADER + "a,1, core,,,,\n", "2:5 team is ' core', expected"),
    "a blank after a text": (
        "f.json",
        '[{"schema": "a", "team": "core "}]',
        '"core ", expected text',
    ),
    "a long cell": ("f.csv", HEADER + f"a,1,{'x' * 1_100_000},,,,\n", "longer than 1,048,576"),
    "yes": ("f.csv", HEADER + "a,1,x,0.1,yes,,\n", "2:11 live is yes, expected true or false"),
    "a date": (
        "f.csv",
        HEADER + "a,1,x,,,2026-01-31,\n",
        "2:9 until is 2026-01-31, expected a time",
    ),
    "infinite": ("f.csv", HEADER + "a,1,x,1e999,,,\n", "2:7 share is 1e999, expected a number"),
    "not a number": ("f.csv", HEADER + "a,1,x,nan,,,\n", "2:7 share is nan, expected a number"),
    "behind quotes": ("f.csv", HEADER + 'a,,"x, ""y""\nz",q,,,\n', "3:4 share is q"),
    "a cell too many": ("f.csv", HEADER + "a,1,,,,,,\n", "2:1 8 cells, and 7 columns"),
    "a cell too few": ("f.csv", HEADER + "a,1\n", "2:1 2 cells, and 7 columns"),
    "an open quote": ("f.csv", HEADER + 'a,1,"x\n', "a quoted cell is never closed"),
    "a stray quote": ("f.csv", HEADER + 'a,1,"x"y,,,,\n', "not CSV"),
    "semicolons": (
        "f.csv",
        HEADER.replace(",", ";"),
        "1:1 no column is called schema (columns are",
    ),
    "a column twice": ("f.csv", "schema,tier,tier\n", "1:13 the column tier appears twice"),
    "a column misspelt": ("f.csv", HEADER.replace("team", "taem"), "did you mean taem?"),
    "UTF-16": ("f.csv", HEADER.encode("utf-16"), "1:1 it is UTF-16"),
    "Latin-1": ("f.csv", (HEADER + "caf\xe9,1,,,,,\n").encode("latin-1"), "2:4 it is not UTF-8"),
    "a NUL": ("f.csv", HEADER + "a\0,1,,,,,\n", "2:2 there is a NUL here"),
    "another suffix": ("f.xlsx", "PK", "1:1 .xlsx is not a format for facts"),
    "an object": ("f.json", '{"a": 1}', "1:1 it is not an array of rows"),
    "a cut array": ("f.json", '[{"schema": "a", "tier": 1}', "1:28 a comma or ] is missing"),
    "a cut object": ("f.json", '[{"schema": "a"', "not JSON"),
    "more behind it": ("f.json", '[{"schema": "a", "tier": 1}] x', "1:30 more follows"),
    "a row that is none": ("f.json", '[\n {"schema": "a"},\n 7]', "3:2 a row is an object"),
    "a name twice": (
        "f.json",
        '[{"schema": "a", "tier": 1, "tier": 2}]',
        "the key tier appears twice",
    ),
    "a number for a key": (
        "f.json",
        '[\n{"tier": 1,\n "schema": 7}]',
        "3:2 the key schema is no text",
    ),
    "no key in a row": (
        "f.json",
        '[{"shcema": "a"}]',
        "the key schema is missing (did you mean shcema?)",
    ),
    "a text in quotes": ("f.json", '[{"schema": "a",\n "tier": "1"}]', '2:2 tier is "1", expected'),
    "true for a number": ("f.json", '[{"schema": "a", "tier": true}]', "tier is true, expected"),
    "NaN": ("f.json", '[{"schema": "a", "share": NaN}]', "NaN is not JSON"),
    "doubled in JSON": (
        "f.json",
        '[{"schema":"a"},\n{"schema":"a"}]',
        "2:2 the key a is already at line 1",
    ),
    "nested": ("f.json", "[" * 100_000, "nested too deeply"),
    "huge": (
        "f.json",
        '[{"schema":"a","tier":' + "9" * 5000 + "}]",
        "more digits than can be read",
    ),
    "two on a line": ("f.ndjson", '{"schema": "a"} {"schema": "b"}', "1:17 more follows"),
    "no JSON on a line": ("f.ndjson", '{"schema": "a"}\nnull\n', "2:1 a row is an object"),
    "a column that no row has": (
        "f.ndjson",
        '{"schema": "a", "teir": 1}',
        "no row has a column tier (did",
    ),
    "a column misspelt in one row": (
        "f.json",
        f"[{EVERY},\n{EVERY.replace('orders', 'b').replace('team', 'Taem')}]",
        "2:17 Taem is not a column, and the row has no team (did you mean team?)",
    ),
}


def test_a_column_that_is_not_declared_may_be_called_much_like_one():
    # The first row shows that it is another column; the second has no team.
    rows = [{**json.loads(EVERY), "teams": 2}, {"schema": "b", "teams": 1, "note": "new"}]
    assert list(read(json.dumps(rows), "f.json")) == ["orders", "b"]


@pytest.mark.parametrize("damage", DAMAGED)
def test_what_is_damaged_is_refused_where_it_is(damage: str):
    name, text, told = DAMAGED[damage]
    problems = refused(text, name)
    assert told in problems[0], problems


def test_every_problem_is_reported_up_to_twenty():
    problems = refused(HEADER + "".join(f"k{n},x,,,,,\n" for n in range(100)))
    assert len(problems) == 20
    assert [problem.partition(":")[0] for problem in problems] == [str(n) for n in range(2, 22)]


def test_a_link_to_itself_is_a_file_that_cannot_be_read(tmp_path: Path):
    (tmp_path / "t.csv").symlink_to("t.csv")
    (tmp_path / "p.yaml").write_text(f"policy: p\n{TIERS}rules: []\n")
    with pytest.raises(PolicyError, match=r"t\.csv: the facts tiers cannot be read: Too many"):
        load_policies(str(tmp_path / "p.yaml"))


@given(
    st.lists(
        st.text(alphabet="ab_*?[]!-", min_size=1, max_size=6), min_size=1, max_size=40, unique=True
    ),
    st.text(alphabet="ab_-[", max_size=7),
)
@example(["ab*ba"], "aba")  # No sign is both of its beginning and of its end.
@settings(deadline=None, max_examples=tries(300))
def test_the_last_glob_that_fits_is_the_one_a_loop_finds(globs: list[str], text: str):
    fitting = [glob for glob in globs if glob == text or fnmatchcase(text, glob)]
    assert Globs(globs).last(text) == (fitting[-1] if fitting else None)


def test_among_globs_with_one_beginning_the_last_match_wins():
    globs = [f"{start}*{number:03}" for start in ("", "core_", "c?re_") for number in range(100)]
    for text in ("core_x_007", "core_007", "core_07", "care_007", "007", "07", "core_x_0071"):
        fitting = [glob for glob in globs if fnmatchcase(text, glob)]
        assert Globs(globs).last(text) == (fitting[-1] if fitting else None), text


# -- in a policy --------------------------------------------------------------------------------

TIERS = (
    "facts:\n"
    "  tiers: {file: t.csv, key: schema, match: glob, columns: {tier: integer, team: text}}\n"
)


def test_a_file_beside_the_policy_is_joined(tmp_path: Path):
    (tmp_path / "t.csv").write_text("schema,tier,team\n*,2,data\no*,1,core\nthree,,\n")
    rules = (
        rule("tier", "{tiers.tier: {lte: 1}}")
        + rule("team", "{tiers.team: {exists: true}}")
        + "  - {id: per, severity: low, per: tiers.team, assert: {count: {lte: 1}}}\n"
        + "  - {id: told, severity: low, assert: {tiers.tier: 1}, message: '{tiers.team}: {id}'}\n"
    )
    with AccountServer(ACCOUNT) as server:
        result = judged(tmp_path, rules, server, TIERS)
    assert labels(result, "tier") == ["pass", "fail", "error", "fail"]
    assert labels(result, "team") == ["pass", "pass", "fail", "pass"]
    messages = [f.message for f in result.findings if f.rule.id == "told"]
    assert "data: two" in messages
    (info,) = result.facts
    assert (info.name, info.rows, len(info.sha256)) == ("tiers", 3, 64)
    groups = {check.group: check.verdict.label for check in result.checks[2].groups}
    assert groups == {"core": "pass", "data": "fail", "no tiers.team (null)": "error"}


def test_rows_in_place_with_a_default(tmp_path: Path):
    own = (
        "facts:\n  floors: {key: service, columns: {minutes: integer}, rows: {mysql: 90},"
        " default: {minutes: 15}}\n"
    )
    with AccountServer(ACCOUNT) as server:
        result = judged(
            tmp_path, rule("r", "{sync_frequency: {gte: {field: floors.minutes}}}"), server, own
        )
    assert labels(result, "r") == ["pass", "fail", "pass", "pass"]
    assert "floors.minutes is 90" in result.findings[0].message


def test_a_rule_may_ask_only_whether_there_is_a_row(tmp_path: Path):
    own = "facts:\n  known: {key: schema, columns: {team: text}, rows: {one: core, two: null}}\n"
    rules = (
        rule("listed", "{known: {exists: true}}")
        + rule("not-listed", "{paused: false}", "{known: {exists: false}}")
        + "  - {id: per, severity: low, per: schema, groups: {known: {exists: true}},"
        " when: {paused: false}, assert: {count: {lte: 1}}}\n"
    )
    with AccountServer(ACCOUNT) as server:
        result = judged(tmp_path, rules, server, own)
    assert labels(result, "listed") == ["pass", "pass", "fail", "fail"]
    assert labels(result, "not-listed") == ["skip", "skip", "pass", "pass"]
    assert [check.verdict.label for check in result.checks[2].groups] == [
        *("pass", "pass"),
        *("skip", "skip"),
    ]


@pytest.mark.parametrize("operator", ["starts_with", "ends_with", "contains"])
def test_an_empty_text_of_a_row_lets_nothing_pass(operator: str, tmp_path: Path):
    """Every text starts and ends with "", and holds it: in a policy it would not even load."""
    own = "facts:\n  part: {key: schema, columns: {is: text}, rows: {one: '', two: two}}\n"
    asserted = f"{{schema: {{{operator}: {{field: part.is}}}}}}"
    rules = rule("r", asserted, "{part: {exists: true}}") + rule(
        "n", f"{{not: {asserted}}}", "{part: {exists: true}}"
    )
    with AccountServer(ACCOUNT) as server:
        result = judged(tmp_path, rules, server, own)
    assert labels(result, "r") == ["error", "pass", "skip", "skip"]
    assert labels(result, "n") == ["error", "fail", "skip", "skip"]
    told = [finding.advice for finding in result.findings if finding.verdict.label == "error"]
    assert all("part.is is empty, which decides nothing" in each for each in told)


def test_rows_are_found_by_a_fact(tmp_path: Path):
    own = (
        "facts:\n  people: {key: owner.email, columns: {left: boolean},"
        " rows: {ada@example.com: true}}\n"
    )
    rules = rule("r", "{people.left: false}", "{people: {exists: true}}")
    with AccountServer(ACCOUNT) as server:
        result = judged(tmp_path, rules, server, own)
    assert labels(result, "r") == ["fail", "skip", "skip", "skip"]
    assert "/v1/users" in server.requests
    with AccountServer(ACCOUNT, {"/v1/users": (403, b"")}) as server:
        result = judged(tmp_path, rules, server, own)
    assert labels(result, "r") == ["error"] * 4
    assert "/v1/users" in result.findings[0].message


@pytest.mark.parametrize(
    ("key", "row", "filters", "told"),
    [
        ("service", "mysql", {}, False),
        ("service", "mssql", {}, True),
        ("schema", "tw*", {}, False),
        ("schema", "tw", {}, True),
        ("group.name", "no such group", {}, True),
        # Of a part of the account nobody knows that no other connection has the row.
        ("service", "mssql", {"schema": "one"}, False),
        ("owner.email", "nobody@example.com", {}, False),
    ],
)
def test_rows_that_no_connection_has_are_a_warning(
    key: str, row: str, filters: dict[str, str], told: bool, tmp_path: Path
):
    own = (
        f"facts:\n  mine: {{key: {key}, match: glob, columns: {{n: integer}},"
        f" rows: {{'{row}': 90, more: 7}}}}\n"
    )
    with AccountServer(ACCOUNT) as server:
        result = judged(
            tmp_path, rule("r", "{mine.n: 1}", "{mine: {exists: true}}"), server, own, **filters
        )
    wanted = f"no connection has a row of mine (2 rows of {tmp_path}/policy.yaml:3:3): none has its"
    assert [text.startswith(wanted) for text in result.warnings] == [True] * told
    if told:
        assert labels(result, "r") == ["skip"] * 4
        assert f"its {key} for a key" in result.warnings[0]


OPTIONAL = "facts:\n  budgets: {key: KEY, columns: {rows: integer}, optional: true}\n"


@pytest.mark.parametrize("key", ["schema", "owner.email", "config.host"])
def test_facts_that_are_optional_are_absent_until_somebody_brings_rows(key: str, tmp_path: Path):
    """No value finds a row: a list that could not be read changes nothing."""
    own = OPTIONAL.replace("KEY", key)
    rules = rule("r", "{budgets.rows: {gte: 7}}", "{budgets.rows: {exists: true}}")
    with AccountServer(ACCOUNT, {"/v1/users": (403, b"")}) as server:
        result = judged(tmp_path, rules, server, own)
    assert labels(result, "r") == ["skip"] * 4
    assert [note for note in result.notes if "no rows for budgets" in note]
    (info,) = [each for each in result.facts if each.name == "budgets"]
    assert (info.rows, info.sha256) == (0, "")


def test_who_extends_a_policy_brings_the_rows_of_its_optional_facts(tmp_path: Path):
    shared, house = tmp_path / "shared.yaml", tmp_path / "house.yaml"
    rules = rule("r", "{budgets.rows: {gte: 7}}", "{budgets.rows: {exists: true}}")
    shared.write_text(f"policy: shared\n{OPTIONAL.replace('KEY', 'schema')}rules:\n{rules}")
    rows = "{key: service, columns: {rows: integer}, rows: {mysql: 5}}"
    house.write_text(f"policy: house\nextends: [./shared.yaml]\nfacts: {{budgets: {rows}}}\n")
    assert load_policies(str(house)).notes == ()
    (tmp_path / "b.csv").write_text("schema,rows\none,7\n")
    ruleset = load_policies(str(shared), facts={"budgets": tmp_path / "b.csv"})
    assert ruleset.facts["budgets"].rows == {"one": (7,)}
    # What the rules read has to be there.
    house.write_text(
        house.read_text()
        .replace("{rows: integer}", "{count: integer}")
        .replace("{mysql: 5}", "{mysql: {count: 5}}")
    )
    with pytest.raises(PolicyError, match=r"budgets\.rows"):
        load_policies(str(house))


def test_rows_that_an_extending_policy_replaces_are_told_of(tmp_path: Path):
    shared, house = tmp_path / "shared.yaml", tmp_path / "house.yaml"
    floors = "facts:\n  floors: {key: service, columns: {n: integer}, rows: {mysql: 15}}\n"
    rules = rule("r", "{sync_frequency: {gte: {field: floors.n}}}")
    shared.write_text(f"policy: shared\n{floors}rules:\n{rules}")
    house.write_text(f"policy: house\nextends: [./shared.yaml]\n{floors.replace('15', '1')}")
    told = f"{house}:4:3 redefines the facts floors ({shared} has its own rows)"
    assert load_policies(str(house)).notes == (told,)
    house.write_text(f"policy: house\nextends: [./shared.yaml]\n{floors}")
    assert load_policies(str(house)).notes == ()


def test_another_file_takes_its_place(tmp_path: Path):
    policy = tmp_path / "p.yaml"
    policy.write_text(f"policy: p\n{TIERS}rules:\n{rule('r', '{tiers.tier: 1}')}")
    other = tmp_path / "other.ndjson"
    other.write_text('{"schema": "*", "tier": 1, "team": "x"}\n')
    ruleset = load_policies(str(policy), facts={"tiers": str(other)})
    assert ruleset.facts["tiers"].rows == {"*": (1, "x")}
    assert ruleset.notes == (f"--facts reads tiers from {other} ({policy} has its own rows)",)
    with pytest.raises(UsageError, match="did you mean tiers"):
        load_policies(str(policy), facts={"teirs": str(other)})
    with pytest.raises(PolicyError, match="the facts tiers cannot be read"):
        load_policies(str(policy))


WRONG = {
    "{}": "facts need a key",
    "x": "are empty",
    "{key: shcema, columns: {a: text}, rows: {x: y}}": "did you mean schema",
    "{key: paused, columns: {a: text}, rows: {x: y}}": "it cannot identify a row",
    "{key: webhooks, columns: {a: text}, rows: {x: y}}": "it cannot identify a row",
    "{key: connect_card.token, columns: {a: text}, rows: {x: y}}": "a live credential",
    "{key: schema, rows: {x: y}}": "facts need columns",
    "{key: schema, columns: {a: string}, rows: {x: y}}": "did you mean text",
    "{key: schema, columns: {a: int}, rows: {x: 1}}": "did you mean integer",
    "{key: schema, columns: {a b: text}, rows: {x: y}}": "cannot be the name of a column",
    "{key: schema, columns: {a: text}}": "facts take file: or rows:",
    "{key: schema, columns: {a: text}, rows: {x: y}, file: t.csv}": "not both",
    "{key: schema, columns: {a: text}, rows: {x: 7}}": "a is 7, expected text",
    "{key: schema, columns: {a: integer}, rows: {x: '7'}}": "expected a whole number",
    "{key: schema, columns: {a: text, b: text}, rows: {x: y}}": "a row has a value for a or b",
    "{key: schema, columns: {a: text}, rows: {x: {b: y}}}": "has no key b",
    "{key: schema, columns: {a: text}, optional: false}": "optional: is not true",
    "{key: schema, columns: {a: text}, optional: yes}": "optional: is not true",
    "{key: schema, columns: {a: text}, optional: true, rows: {x: y}}": "are not optional",
    "{key: schema, columns: {a: text}, optional: true, file: t.csv}": "are not optional",
    "{key: schema, columns: {a: text}, rows: {}}": "takes a row for each key",
    "{key: schema, columns: {a: text}, rows: {x: y}, default: 7}": "expected text",
    "{key: schema, columns: {a: text}, rows: {x: y}, match: regex}": "one of exact, glob",
    "{key: schema, columns: {a: text}, file: none.csv}": "No such file",
    "{key: mine.a, columns: {a: text}, rows: {x: y}}": "look each other up",
    "{key: schema, columns: {a: text}, rows: {'x ': y, z: y}}": "begins or ends with a blank",
    "{key: schema, columns: {a: text}, rows: {'x*': y, z: y}}": "match: glob for globs",
    "{key: service, columns: {a: text}, rows: {MySQL: y, z: y}}": "write mysql",
    "{key: service, columns: {a: text}, rows: {'MySQL*': y}, match: glob}": "write mysql*",
    "{key: group.name, columns: {a: text}, file: wild.csv}": "wild.csv:3:1",
}
RIGHT = (
    "{key: schema, columns: {a: text}, rows: {'x*': y}, match: exact}",
    "{key: group.name, columns: {a: text}, rows: {Production: y}}",
    "{key: config.query, columns: {a: text}, rows: {'select *': y}}",
)


@pytest.mark.parametrize("body", WRONG)
def test_what_is_wrong_with_a_declaration_is_reported(tmp_path: Path, body: str):
    policy = tmp_path / "p.yaml"
    (tmp_path / "wild.csv").write_text("name,a\nPlain,x\nprod_*,y\n")
    policy.write_text(f"policy: p\nfacts:\n  mine: {body}\nrules:\n{rule('r', '{paused: false}')}")
    with pytest.raises(PolicyError) as caught:
        load([str(policy)])
    assert WRONG[body] in str(caught.value)


@pytest.mark.parametrize("body", RIGHT)
def test_a_key_that_some_value_may_equal_is_taken(tmp_path: Path, body: str):
    policy = tmp_path / "p.yaml"
    policy.write_text(f"policy: p\nfacts:\n  mine: {body}\nrules:\n{rule('r', '{paused: false}')}")
    assert len(load([str(policy)]).ruleset.facts["mine"].rows) == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("owner", "is a fact already"),
        ("paused", "a field of a connection"),
        ("any", "a word of the language"),
        ("a.b", "not a valid name for facts"),
    ],
)
def test_names_that_mean_something_else_are_refused(tmp_path: Path, name: str, told: str):
    policy = tmp_path / "p.yaml"
    body = "{key: schema, columns: {a: text}, rows: {x: y}}"
    policy.write_text(
        f"policy: p\nfacts:\n  {name}: {body}\nrules:\n{rule('r', '{paused: false}')}"
    )
    with pytest.raises(PolicyError, match=told):
        load([str(policy)])


def test_a_problem_in_a_file_has_its_own_place(tmp_path: Path):
    (tmp_path / "t.csv").write_text("schema,tier,team\norders,one,data\n")
    policy = tmp_path / "p.yaml"
    policy.write_text(f"policy: p\n{TIERS}rules:\n{rule('r', '{tiers.tier: 1}')}")
    with pytest.raises(PolicyError) as caught:
        load([str(policy)])
    (problem,) = caught.value.problems
    assert problem.position.file.endswith("t.csv")
    assert (problem.position.line, problem.position.column) == (2, 8)


def test_examples_have_the_rows_that_fit_and_may_say_others(tmp_path: Path):
    policy = tmp_path / "p.yaml"
    policy.write_text(
        """
policy: p
facts:
  floors: {key: service, columns: {minutes: integer}, rows: {postgres: 30}, default: 5}
rules:
  - id: r
    severity: low
    when: {owner.active: true}
    assert: {sync_frequency: {gte: {field: floors.minutes}}}
    tests:
      - {given: {sync_frequency: 15}, expect: fail}
      - {given: {sync_frequency: 15, service: mysql}, expect: pass}
      - {given: {sync_frequency: 15, floors.minutes: 1}, expect: pass}
      - {given: {owner.active: false}, expect: skip}
      - {without: [owner], expect: error}
"""
    )
    assert all(outcome.passed for outcome in run_examples(load([str(policy)])))


def test_the_default_is_there_for_a_connection_without_the_key_too(tmp_path: Path):
    own = (
        "facts:\n  floors: {key: connected_by, columns: {minutes: integer}, rows: {u1: 90},"
        " default: {minutes: 15}}\n"
    )
    lacking = [connection("a"), connection("b", connected_by=None), connection("c")]
    lacking[2].pop("connected_by", None)
    with AccountServer({**ACCOUNT, "/v1/connections": lacking}) as server:
        result = judged(tmp_path, rule("r", "{floors.minutes: 15}"), server, own)
    assert labels(result, "r")[1:] == ["pass", "pass"]
