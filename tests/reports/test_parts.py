"""``--report FORMAT:split=NAME``: a report for each team, about its own part only."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import ReportError, UsageError
from auditor.model import Completeness, PlanScope
from auditor.output.target import Target
from auditor.past.earlier import read_report
from auditor.reports import REPORTS
from auditor.reports.destinations import Destination, parse_destination
from auditor.reports.writer import write_reports
from auditor.sources.saved.snapshot_file import SnapshotHeader, SnapshotWriter
from tests.builders.account_server import ACCOUNT, AccountServer, connection
from tests.builders.command import KEYS, run
from tests.builders.sample_results import sample_result
from tests.builders.saved_listings import record
from tests.builders.slow import tries

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "auditor/reports/report.schema.json").read_text(encoding="utf-8")
)
TEAMS = "schema,team\nshop_*,finance\nads_*,Data Platform\nads_odd,\n"
POLICY = """\
policy: p
facts:
  tiers: {file: teams.csv, key: schema, match: glob, columns: {team: text}}
rules:
  - {id: running, severity: high, assert: {paused: false}}
  - {id: fast, severity: low, assert: {sync_frequency: {lte: 60}}}
  - {id: names, severity: medium, per: group_id, assert: {unique: [service, schema]}}
  - {id: has-log, severity: medium, per: group_id, when: {service: log}, assert: {count: {gte: 1}}}
  - id: manual
    severity: low
    per: account
    when: {schedule_type: manual}
    assert: {share: {lte: 0.9}}
"""
PLAIN = {"paused": False, "sync_frequency": 60, "schedule_type": "auto", "service": "postgres"}
#: Each connection's name, group, and what else it has.
ESTATE: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("shop_one", "g1", {}),
    ("shop_two", "g1", {"paused": True}),
    ("ads_one", "g2", {"sync_frequency": 1440}),
    ("ads_two", "g1", {"service": "log"}),
    ("ads_odd", "g2", {}),
    ("stray", "g3", {"sync_frequency": "often"}),
)
FINANCE, PLATFORM, NONE = "finance", "data-platform--7c7cf36acd6eb7d1", "-none"


def house(
    folder: Path, teams: str = TEAMS, policy: str = POLICY, estate: Any = ESTATE
) -> list[str]:
    """Write an account with its teams, and return what judges it."""
    (folder / "teams.csv").write_text(teams)
    (folder / "p.yaml").write_text(policy)
    records = [
        {**record(n), **PLAIN, "schema": name, "group_id": group, **more}
        for n, (name, group, more) in enumerate(estate)
    ]
    header = SnapshotHeader(datetime(2026, 3, 1, tzinfo=UTC), "https://api.fivetran.com")
    with SnapshotWriter(Target.named(folder / "s.ndjson"), header) as writer:
        writer.add(records)
        writer.finish(walks=1, completeness=Completeness.ONE_PAGE)
    return ["audit", "-p", "./p.yaml", "--snapshot", "s.ndjson", "--dimensions", "team=tiers.team"]


def reports(folder: Path, name: str = "report.*json") -> dict[str, dict[str, Any]]:
    """Return the JSON reports in the output folder by what tells the part in their names."""
    found = {}
    for path in sorted((folder / "audit-report").glob(name)):
        document = json.loads(path.read_bytes())
        jsonschema.validate(document, SCHEMA)
        found[path.name.removeprefix("report").removesuffix(".json")] = document
    return found


def test_a_report_of_each_team_and_the_whole_beside_them(tmp_path: Path):
    done = run([*house(tmp_path), "--report", "json:split=team"], tmp_path)
    assert done.returncode == 3  # of one connection a check could not be evaluated
    found = reports(tmp_path)
    names = {part: list(r["connections"]["schema"]) for part, r in found.items()}
    assert names == {
        "": [name for name, _, _ in ESTATE],
        f".team={FINANCE}": ["shop_one", "shop_two"],
        f".team={PLATFORM}": ["ads_one", "ads_two"],
        ".team=-none": ["ads_odd", "stray"],
    }
    said = {part: (r["gate"]["outcome"], r["gate"]["exit_code"]) for part, r in found.items()}
    assert said == {
        "": ("inconclusive", 3),
        f".team={FINANCE}": ("violations", 1),
        f".team={PLATFORM}": ("violations", 1),
        ".team=-none": ("inconclusive", 3),
    }
    assert found[""].get("part") is None
    assert found[f".team={FINANCE}"]["part"] == {
        "dimension": "team",
        "value": "finance",
        "connections": 6,
        "outcome": "inconclusive",
        "exit_code": 3,
    }
    assert "audit-report/report.team=data-platform" in done.stdout


def test_a_group_finding_names_its_connections(tmp_path: Path):
    estate = (*ESTATE, ("ads_two", "g1", {"service": "log"}))
    run([*house(tmp_path, estate=estate), "--report", "json:split=team"], tmp_path)
    found = reports(tmp_path)

    def groups(part: str, rule: str) -> dict[str, str]:
        (of_rule,) = [r for r in found[part]["rules"] if r["id"] == rule]
        return {each["group"]: each["verdict"] for each in of_rule["groups"]}

    # A duplicate is of those who have it; what all of a group is judged by is everybody's there.
    doubled = "g1, log, ads_two"
    assert groups("", "names") == {doubled: "fail", "g2": "pass", "g3": "pass"}
    assert groups(f".team={FINANCE}", "names") == {}
    assert groups(f".team={PLATFORM}", "names") == {doubled: "fail", "g2": "pass"}
    assert groups(".team=-none", "names") == {"g2": "pass", "g3": "pass"}
    # A finding that names no connection is of every connection in its group.
    assert groups(f".team={FINANCE}", "has-log") == {"g1": "pass"}
    assert groups(f".team={PLATFORM}", "has-log") == {"g1": "pass", "g2": "fail"}
    assert groups(".team=-none", "has-log") == {"g2": "fail", "g3": "fail"}
    assert groups(f".team={FINANCE}", "manual") == {"account": "skip"}
    for report in found.values():
        told = [(f["rule"], f["group"]) for f in report["findings"] if f["rule"] == "has-log"]
        of = next(r for r in report["rules"] if r["id"] == "has-log")
        assert told == [("has-log", g["group"]) for g in of["groups"] if g["verdict"] == "fail"]


def test_groups_with_one_name_are_in_the_part_of_each(tmp_path: Path):
    estate = [("shop_one", "g" * 210 + "1", {}), ("ads_one", "g" * 210 + "2", {})]
    run([*house(tmp_path, estate=estate), "--report", "json:split=team"], tmp_path)
    for part, report in reports(tmp_path).items():
        (of,) = [each for each in report["rules"] if each["id"] == "has-log"]
        assert [each["verdict"] for each in of["groups"]] == ["fail"] * (1 if part else 2)
        assert "has-log" in {each["rule"] for each in report["findings"]}


def island(page: Path) -> Any:
    """Return the data of an HTML report."""
    _, _, rest = page.read_text("utf-8").partition('<script type="application/json" id="data">')
    return json.loads(rest.partition("</script>")[0])


def test_a_page_of_a_part_has_a_group_that_reaches_beyond_it(tmp_path: Path):
    estate = [("shop_one", "g1", {}), ("shop_one", "g1", {}), ("ads_one", "g2", {})]
    policy = POLICY.replace("unique: [service, schema]", "unique: service")
    estate[1] = ("ads_two", "g1", {})
    words = [*house(tmp_path, policy=policy, estate=estate), "--report=html:split=team"]
    done = run([*words, "--report=json:split=team"], tmp_path)
    assert done.returncode == 1, done.stderr
    of = reports(tmp_path)[f".team={FINANCE}"]
    (names,) = [each for each in of["findings"] if each["rule"] == "names"]
    assert len(names["connections"]) == 2
    data = island(tmp_path / f"audit-report/report.team={FINANCE}.html")
    assert data["schemas"] == ["shop_one"]
    assert data["connection"][data["rule"].index(2)] == 0


def test_connections_whose_ids_are_shown_alike_are_told_apart(tmp_path: Path):
    long = "x" * 210  # No id is shown at this length.
    estate = [
        ("shop_one", "g1", {"id": f"{long}1"}),
        ("ads_one", "g1", {"id": f"{long}2", "paused": True}),
        ("shop_two", "g1", {"id": f"{long}3", "paused": True}),
    ]
    policy = POLICY.replace("unique: [service, schema]", "unique: service")
    words = [*house(tmp_path, policy=policy, estate=estate), "--report=csv:split=team"]
    run([*words, "--report=html:split=team"], tmp_path)
    folder = tmp_path / "audit-report"
    for part, teams in (("", ["Data Platform", "finance"]), (f".team={FINANCE}", ["finance"])):
        text = (folder / f"report{part}.csv").read_text(encoding="utf-8-sig")
        rows = csv.DictReader(io.StringIO(text))
        assert [row["team"] for row in rows if row["rule"] == "running"] == teams
    # The card of the rule on groups counts each connection once.
    assert '<p class="where">3 of 3 connections' in (folder / "report.html").read_text("utf-8")
    data = island(folder / f"report.team={FINANCE}.html")
    assert data["connection"][data["rule"].index(2)] == [0, 1]


@pytest.fixture(scope="module")
def all_formats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with every report, split, on an estate that can be judged."""
    folder = tmp_path_factory.mktemp("formats")
    words = house(folder, estate=[each for each in ESTATE if each[0] != "stray"])
    done = run([*words, *(f"--report={name}:split=team" for name in REPORTS)], folder)
    assert done.returncode == 1, done.stderr
    return folder / "audit-report"


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_every_format_says_which_part_it_is(name: str, all_formats: Path):
    whole = all_formats / REPORTS[name].filename
    part = whole.with_name(f"{whole.stem}.team=finance{whole.suffix}")
    told = part.read_text(encoding="utf-8-sig").replace("\\u0026", "&")
    if name != "gitlab":
        assert "2 of 5 connections, those with team finance" in told
        assert "violations (exit 1)" in told
    assert "shop_two" in told
    assert "ads_one" not in told
    assert "ads_one" in whole.read_text(encoding="utf-8-sig")
    assert REPORTS[name].begins(part.read_bytes()[:4096])


def test_a_part_is_no_greener_than_what_it_rests_on(tmp_path: Path):
    """A listing that is not whole leaves every part unsettled, a check only its own."""
    words = [*house(tmp_path), "--report", "json:split=team"]
    text = (tmp_path / "s.ndjson").read_text()
    (tmp_path / "s.ndjson").write_text("".join(text.splitlines(keepends=True)[:-1]))
    assert run(words, tmp_path).returncode == 3
    assert {r["gate"]["outcome"] for r in reports(tmp_path).values()} == {"inconclusive"}


def test_what_is_too_much_of_an_account_is_too_much_in_each_part(tmp_path: Path):
    teams = "schema,team\n*,rest\nshop_*,finance\n"
    estate = [
        ("shop_one", "g1", {"sync_frequency": 1440}),
        ("other", "g1", {"sync_frequency": 1440, "service": "log"}),
    ]
    words = [*house(tmp_path, teams, estate=estate), "--report", "json:split=team"]
    assert run([*words, "--max", "low=1"], tmp_path).returncode == 1
    found = reports(tmp_path)
    assert [found[f".team={team}"]["gate"]["outcome"] for team in ("finance", "rest")] == [
        "violations",
        "violations",
    ]
    assert run([*words, "--max", "low=2"], tmp_path).returncode == 0
    found = reports(tmp_path)
    assert [found[f".team={team}"]["gate"]["outcome"] for team in ("finance", "rest")] == [
        "passed",
        "passed",
    ]
    assert "1 low violation allowed by --max low=2" in str(found[".team=rest"]["gate"]["reasons"])


def test_a_team_that_could_not_be_read_is_settled_nowhere(tmp_path: Path):
    """Whose it is, is not known: it may be anybody's."""
    account = {
        **ACCOUNT,
        "/v1/connections": [connection("one"), connection("two", connected_by="gone")],
    }
    policy = "policy: p\nrules:\n  - {id: r, severity: low, assert: {schema: {exists: true}}}\n"
    (tmp_path / "p.yaml").write_text(policy)
    words = ["audit", "-p", "./p.yaml", "--dimensions", "owner=owner.email"]
    words += ["--report", "json:split=owner"]
    with AccountServer(account, {"/v1/users": (403, b"{}")}) as server:
        done = run([*words, "--base-url", server.url], tmp_path, KEYS)
    assert done.returncode == 0
    found = reports(tmp_path)
    assert set(found) == {"", ".owner=not-read--" + _hash("not read")}
    unread = found[".owner=not-read--" + _hash("not read")]
    assert unread["gate"]["outcome"] == "inconclusive"
    assert "owner of 2 connections could not be read" in unread["gate"]["reasons"][0]


def test_a_team_named_not_read_is_not_mistaken_for_an_unread_one(tmp_path: Path):
    teams = 'schema,team\nshop_*,not read\nads_*,"""not read"""\nads_odd,other\n'
    policy = POLICY[: POLICY.index("  - {id: fast")]
    run([*house(tmp_path, teams, policy), "--report", "json:split=team"], tmp_path)
    found = [r for part, r in reports(tmp_path).items() if part]
    said = {r["part"]["value"]: r["gate"]["outcome"] for r in found}
    assert said == {
        '"not read"': "violations",
        '""not read""': "passed",
        "other": "passed",
        "": "passed",
    }


def _hash(text: str) -> str:
    return Destination("csv", Path("r.csv"), by="d").part_of(text).name.split("--")[-1][:16]


def test_nothing_of_an_earlier_run_stays(tmp_path: Path):
    words = house(tmp_path)
    folder = tmp_path / "audit-report"
    run([*words, "--report", "markdown:split=team"], tmp_path)
    parts = sorted(p.name for p in folder.iterdir())
    assert len(parts) == 4
    copies = ("report.old.md", "report-1.md", "mine.team=finance.md")
    for name in copies:
        (folder / name).write_bytes((folder / f"report.team={FINANCE}.md").read_bytes())
    (folder / "report.team=theirs.md").write_text("# Notes\n")
    kept = {*copies, "report.team=theirs.md"}
    # Another split, none at all, a run that fails at once: no part of before is taken for theirs.
    (tmp_path / "teams.csv").write_text("schema,team\n*,new\n")
    run([*words, "--report", "markdown:split=team"], tmp_path)
    there = {p.name for p in folder.iterdir()} - kept
    assert there == {"report.md", "report.team=new.md"}
    run([*words, "--report", "markdown"], tmp_path)
    assert {p.name for p in folder.iterdir()} - kept == {"report.md"}
    run([*words, "--report", "markdown:split=team"], tmp_path)
    failed = run([*words, "--report", "markdown:split=team", "--fail-on", "x"], tmp_path)
    assert failed.returncode == 2
    assert {p.name for p in folder.iterdir()} - kept == {"report.md"}
    assert "inconclusive" in (folder / "report.md").read_text()


def test_a_junit_report_in_numbered_parts_gives_way_to_one_by_team(tmp_path: Path):
    words, folder = house(tmp_path), tmp_path / "audit-report"
    run([*words, "--report", "junit:split=3"], tmp_path)
    assert (folder / "junit-2.xml").exists()
    run([*words, "--report", "junit:split=team"], tmp_path)
    names = {p.name for p in folder.iterdir()}
    assert names == {"junit.xml", *(f"junit.team={p}.xml" for p in (FINANCE, PLATFORM, NONE))}
    run([*words, "--report", "junit:split=3"], tmp_path)
    assert not [p for p in folder.iterdir() if "=" in p.name or p.name == "junit.xml"]


def test_a_part_is_a_narrowed_run_for_whoever_reads_it(tmp_path: Path):
    """As a baseline, in a comparison and in code scanning it closes nothing of the others."""
    words = [*house(tmp_path), "--report", "json:split=team", "--report", "sarif:split=team"]
    run(words, tmp_path)
    folder = tmp_path / "audit-report"
    categories = {
        path.name: json.loads(path.read_bytes())["runs"][0]["automationDetails"]["id"]
        for path in folder.glob("*.sarif")
    }
    assert len(set(categories.values())) == len(categories) == 4
    assert not read_report(folder / f"report.team={FINANCE}.json").whole
    whole, part = (f"audit-report/report{each}.json" for each in ("", f".team={FINANCE}"))
    done = run(["compare", whole, part, "--report", "json=c.json"], tmp_path)
    told = json.loads((tmp_path / "c.json").read_bytes())
    assert done.returncode in {0, 1, 3}, done.stderr
    assert not any(change["change"] in {"gone", "fixed"} for change in _changes(told))


def _changes(comparison: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in ("gone", "fixed"):
        for each in comparison.get(name, []):
            yield {**each, "change": name} if isinstance(each, dict) else {"change": name}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("csv:split=taem", "split=taem: there is no such dimension (did you mean team?)"),
        ("csv:split=owner", "write --dimensions owner=owner.email"),
        ("csv:split=floor", "write --dimensions floor=FIELD"),
        ("csv:split=secret", "config.host is hidden in reports"),
        ("csv:split=team,split=team", "split is given twice"),
        ("csv:split=5", "split takes the name of one of the --dimensions; write csv:split=team"),
        ("csv:split=team=-", "several files cannot go to standard output"),
        ("csv:semicolon,spilt=team", "csv has no option spilt (did you mean split?)"),
    ],
)
def test_invalid_ways_to_split_are_refused(words: str, said: str, tmp_path: Path):
    done = run(
        [*house(tmp_path), "--dimensions", "secret=config.host", "--report", words], tmp_path
    )
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())


def test_a_plan_is_judged_as_a_whole(tmp_path: Path):
    words = [*house(tmp_path)[:3], "--dimensions", "team=tiers.team", "--report", "csv:split=team"]
    (tmp_path / "plan.json").write_text("{}")
    done = run([*words, "--terraform-plan", "plan.json"], tmp_path)
    assert done.returncode == 2
    assert "cannot be used with --terraform-plan" in " ".join(done.stderr.split())


def test_a_library_names_a_dimension_of_its_run_and_no_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    result = sample_result(4, 1)
    with pytest.raises(ReportError, match="this run has no dimension team"):
        write_reports(result, tmp_path, ["csv:split=team"])
    named = dataclasses.replace(result.connections, dimensions={"team": ["a", "b", "a", ""]})
    result = msgspec.structs.replace(result, connections=named)
    written = write_reports(result, tmp_path, ["csv:split=team"])
    names = [path.name for path in written]
    assert names == [f"report{part}.csv" for part in ("", ".team=a", ".team=b", ".team=-none")]
    assert len({path.read_bytes() for path in written}) == 4
    monkeypatch.setattr("auditor.reports.parts.MOST_PARTS", 3)
    assert write_reports(result, tmp_path, ["csv:split=team"]) == written
    monkeypatch.setattr("auditor.reports.parts.MOST_PARTS", 2)
    whole = written[0].read_bytes()
    written[0].write_bytes(b"")
    with pytest.raises(ReportError, match="team would make 3 parts, 2 at most"):
        write_reports(result, tmp_path, ["csv:split=team"])
    assert written[0].read_bytes() == whole
    planned = msgspec.structs.replace(result, plan=PlanScope())
    with pytest.raises(ReportError, match="a report on a plan is not split"):
        write_reports(planned, tmp_path, ["csv:split=team"])


def test_a_part_takes_no_place_that_is_read_or_written_to(tmp_path: Path):
    words = house(tmp_path)
    for other in ("json=r.team=x.csv", "csv=r.csv"):
        done = run([*words, "--report", "csv:split=team=r.csv", "--report", other], tmp_path)
        assert done.returncode == 2
        assert "two reports cannot share one path" in done.stderr
    (tmp_path / "r.team=old.json").write_bytes(b"{}")
    done = run(
        [*words, "--report", "json:split=team=r.json", "--baseline", "r.team=old.json"], tmp_path
    )
    assert done.returncode == 2
    assert (tmp_path / "r.team=old.json").read_bytes() == b"{}"


@pytest.mark.parametrize(
    ("links", "refused"),
    [
        ({f"r.team={FINANCE}.csv": "other.json"}, True),
        ({f"r.team={FINANCE}.csv": "r.csv"}, True),
        ({f"r.team={FINANCE}.csv": f"r.team={PLATFORM}.csv"}, True),
        ({f"r.team={FINANCE}.csv": "x", f"r.team={PLATFORM}.csv": "x"}, True),
        ({"r.csv": f"r.team={FINANCE}.csv"}, True),
        ({"other.json": f"r.team={FINANCE}.csv"}, True),
        ({f"r.team={FINANCE}.csv": "x", "other.json": "y"}, False),
    ],
)
def test_no_report_is_written_through_the_link_of_another(
    tmp_path: Path, links: Mapping[str, str], refused: bool
):
    words = [*house(tmp_path), "--report=csv:split=team=r.csv", "--report=json=other.json"]
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    before = {path.name for path in tmp_path.iterdir()}
    done = run(words, tmp_path)
    assert ("a link to another report; remove the link" in done.stderr) is refused
    assert done.returncode == (2 if refused else 3)
    if refused:
        assert {path.name for path in tmp_path.iterdir()} == before
    else:
        assert (tmp_path / "x").read_text("utf-8-sig").startswith("type,")
        assert json.loads((tmp_path / "y").read_bytes())["findings"]


def test_a_part_replaces_no_input_through_a_link(tmp_path: Path):
    words = house(tmp_path)
    (tmp_path / f"r.team={FINANCE}.json").symlink_to("p.yaml")
    done = run([*words, "--report", "json:split=team=r.json"], tmp_path)
    assert done.returncode == 2
    assert "p.yaml: this run would write its report there" in done.stderr
    assert (tmp_path / "p.yaml").read_text() == POLICY


def test_an_id_is_not_a_way_to_split(tmp_path: Path):
    estate = [(f"c{n}", "g", {}) for n in range(1001)]
    words = [*house(tmp_path, estate=estate), "--dimensions", "id=id"]
    done = run([*words, "--report", "lines:split=id"], tmp_path)
    assert done.returncode == 4
    assert "id would make 1,001 parts, 1,000 at most; the whole report is there" in done.stderr
    folder = tmp_path / "audit-report"
    assert [path.name for path in folder.iterdir()] == ["report.txt"]
    assert (folder / "report.txt").read_text().startswith("violations")


def test_options_go_in_any_order():
    wanted = Destination("csv", Path("r.csv"), variant="semicolon", by="team")
    for words in ("csv:semicolon,split=team=r.csv", "csv:split=team,semicolon=r.csv"):
        assert parse_destination(words, Path()) == wanted
    with pytest.raises(UsageError, match="sarif has no option semicolon"):
        parse_destination("sarif:suppressed,semicolon", Path())


VALUES = st.text(max_size=80) | st.sampled_from(
    ["", "a", "A", "none", "-none", "..", "a/b", "con", "a.b", "a b", "a-b", "a--b", "é", "e\u0301"]
)


@given(values=st.sets(VALUES, max_size=30), by=st.text(min_size=1, max_size=70))
@settings(max_examples=tries(200), deadline=None)
def test_names_are_safe_and_no_other_values(values: set[str], by: str):
    place = Destination("csv", Path("out/report.csv"), by=by)
    paths = {place.part_of(value) for value in values}
    # Nor on a system that takes A for a.
    assert len({str(path).casefold() for path in paths}) == len(values)
    for path in paths:
        assert path.parent == Path("out")
        assert place.is_part(path)
        assert len(path.name) < 200
        assert set(path.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-=.")
