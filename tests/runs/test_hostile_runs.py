"""An account and policies full of hostile text, through the command, into every format."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest

from auditor.errors import PolicyError
from auditor.fields import FIELDS
from auditor.policy.loading.load import load_policies
from auditor.reports import REPORTS
from auditor.reports.comparison import COMPARISONS
from tests.builders.browser import OpenReport
from tests.builders.command import run
from tests.builders.hostile import PAYLOADS
from tests.builders.report_files import ALL_FORMATS, document, text_of
from tests.reports.test_github import commands
from tests.reports.test_gitlab import SCHEMA as GITLAB
from tests.reports.test_junit import parsed
from tests.reports.test_markdown import ALIVE, SPANS
from tests.reports.test_sarif import VALIDATOR as SARIF

#: A file name may hold anything but a slash and NUL; the command line takes it as it is.
FILE = "policies/::error::##[x]<b>`|\u202e*.yaml"
STYLE = re.compile(r"\x1b\[[0-9;]*m")


#: Every documented field that does not hold other ones.
LEAVES = [
    path
    for path in FIELDS
    if not any(other.startswith((f"{path}.", f"{path}[]")) for other in FIELDS)
]


def record(number: int, bad: str) -> dict[str, Any]:
    """Return a record with ``bad`` in every documented field, whatever its type."""
    whole: dict[str, Any] = {"id": f"{bad}#{number}", "config": {"host": bad, bad: bad}, bad: bad}
    for path in LEAVES:
        put(whole, path, bad)
    return whole


def put(holder: dict[str, Any], path: str, value: str) -> None:
    first, _, rest = path.partition(".")
    name = first.removesuffix("[]")
    if first.endswith("[]"):
        items = holder.setdefault(name, [{}] if rest else [value])
        if rest:
            put(items[0], rest, value)
    elif rest:
        put(holder.setdefault(name, {}), rest, value)
    else:
        holder.setdefault(name, value)


def rule(number: int, bad: str, assertion: str, **more: str) -> str:
    quoted = json.dumps(bad)
    texts = "".join(f", {key}: {quoted}" for key in ("title", "why", "fix"))
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    severity = ("low", "medium", "high", "critical")[number % 4]
    return (
        f"  - {{id: rule-{number}, severity: {severity}, assert: {assertion}{texts}{extra},"
        f" tags: [{quoted}], controls: {{{quoted}: [{quoted}]}}}}"
    )


ASSERTIONS = (
    "{schema: {regex_fullmatch: '[a-z]+'}}",
    "{service: postgres}",
    "{status.setup_state: connected}",
    "{setup_tests: {none_items: {title: {length: {gte: 1}}}}}",
    "{config.host: nowhere}",
    "{sync_frequency: {gte: 15}}",
    "{succeeded_at: {newer_than: 7d}}",
    "{group_id: {in: [a, b]}}",
    *(f"{{{path}: {{exists: false}}}}" for path in LEAVES if "[]" not in path),
)


def policy(payloads: tuple[str, ...]) -> str:
    asked = ("{unique: [service]}", *ASSERTIONS)
    rules = [
        rule(
            n,
            payloads[n % len(payloads)],
            asked[n % len(asked)],
            **({} if n % len(asked) else {"per": "group_id"}),
        )
        for n in range(max(len(payloads), len(asked)))
    ]
    title = json.dumps(payloads[0])
    head = f"policy: house\ntitle: {title}\nreveal: [config.host]\nrules:\n"
    return head + "\n".join(rules) + "\n"


def loads(bad: str, folder: Path) -> bool:
    """Whether a policy may hold ``bad``."""
    path = folder / "one.yaml"
    path.write_text(policy((bad,)), encoding="utf-8", errors="surrogatepass")
    try:
        load_policies(str(path))
    except PolicyError:
        return False
    return True


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of reports of one run over everything hostile; ``said.txt`` is beside."""
    folder = tmp_path_factory.mktemp("hostile")
    taken = tuple(bad for bad in PAYLOADS if loads(bad, folder))
    assert len(taken) > 30, "most of them have to get as far as the reports"
    path = folder / FILE
    path.parent.mkdir()
    path.write_text(policy(taken), encoding="utf-8")
    # As a fast decoder takes them, and as only the standard library does.
    records = [record(number, bad) for number, bad in enumerate(PAYLOADS)]
    (folder / "records.json").write_text(json.dumps(records))
    words = ["audit", "--snapshot", "records.json", "-p", f"./{FILE}", *ALL_FORMATS, "-v"]
    done = run(words, folder, {"FORCE_COLOR": "1"})
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    (folder / "audit-report" / "said.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    told = document(folder / "audit-report")
    assert len(told["connections"]["id"]) == len(PAYLOADS)
    assert len(told["findings"]) > 10 * len(PAYLOADS)
    return folder / "audit-report"


@pytest.mark.parametrize("name", [name for name in REPORTS if name != "html"])
def test_every_character_can_be_printed(name: str, written: Path) -> None:
    text = text_of(written, name)
    # By its first character a spreadsheet knows the code.
    for line in text.removeprefix("\ufeff" if name == "csv" else "").split("\n"):
        odd = {hex(ord(c)) for c in line if not c.isprintable()}
        assert not odd, line[:200]


def test_the_terminal_gets_our_colours_and_nothing_else(written: Path) -> None:
    for line in STYLE.sub("", (written / "said.txt").read_text(encoding="utf-8")).split("\n"):
        assert line.isprintable(), line
        assert not re.match(r"\s*::", line)
        assert "##[" not in line
        assert "##vso[" not in line


def test_junit(written: Path) -> None:
    root = parsed(text_of(written, "junit"))
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(set(names)) == len(names)
    assert {element.tag for element in root.iter()} <= {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error",
        "skipped", "system-out", "system-err",
    }  # fmt: skip


def messages(value: Any) -> Iterator[str]:
    """Yield every message of a SARIF log, in which [text](target) would be a link."""
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from messages(item)


@pytest.mark.slow
def test_json_and_its_kin(written: Path) -> None:
    schema = json.loads(
        (Path(__file__).parents[2] / "auditor/reports/report.schema.json").read_text("utf-8")
    )
    jsonschema.validate(document(written), schema)
    SARIF.validate(json.loads(text_of(written, "sarif")))
    assert not [text for text in messages(json.loads(text_of(written, "sarif"))) if "](" in text]
    jsonschema.validate(json.loads(text_of(written, "gitlab")), GITLAB)


def test_csv(written: Path) -> None:
    text = text_of(written, "csv")
    table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len({len(row) for row in table}) == 1
    for row in table:
        for cell in row:
            assert not re.match("[=+@\uff1d\uff0b\uff0d\uff20\t\r\n\0-]", cell), cell
    # A reader that takes semicolons for separators sees no formula either.
    assert {row[0] for row in table[1:]} == {"run", "finding"}


def test_markdown(written: Path) -> None:
    rest = SPANS.sub("", text_of(written, "markdown"))
    assert not ALIVE.search(rest), ALIVE.search(rest)
    for table in text_of(written, "markdown").split("\n\n"):
        widths = {line.count("|") for line in table.split("\n") if line.startswith("|")}
        assert len(widths) <= 1, table


def test_github(written: Path) -> None:
    found = commands(text_of(written, "github"))
    assert {command.name for command in found} <= {"error", "warning", "notice"}
    keys = {key for command in found for key in command.properties}
    assert keys == {"title", "file", "line", "col"}


def test_every_field_reached_the_reports(written: Path) -> None:
    read = {evidence["field"] for f in document(written)["findings"] for evidence in f["evidence"]}
    assert {path for path in LEAVES if "[]" not in path} <= read


@pytest.fixture(scope="module")
def compared(written: Path) -> Path:
    """Return the folder of a comparison of the run with one of another policy, in each form."""
    folder = written.parent
    (folder / "calm.yaml").write_text(
        "policy: p\nrules:\n- {id: r, severity: low, assert: {id: x}}\n"
    )
    words = ["audit", "--snapshot", "records.json", "-p", "./calm.yaml", "-o", "calm"]
    assert run([*words, "--report=json"], folder).returncode == 1
    reports = [f"--report={name}" for name in COMPARISONS]
    pair = ["compare", "calm/report.json", "audit-report/report.json"]
    done = run([*pair, *reports, "-o", "compared"], folder, {"FORCE_COLOR": "1"})
    assert done.returncode in {0, 1, 3}, done.stderr
    for line in STYLE.sub("", done.stdout + done.stderr).split("\n"):
        assert line.isprintable(), line
        assert not re.match(r"\s*::", line)
        assert "##[" not in line
    return folder / "compared"


@pytest.mark.slow
def test_nothing_comes_alive_in_a_browser(
    written: Path, compared: Path, open_report: OpenReport
) -> None:
    """Each page is opened, every kind of view in it, and each payload as its address says it."""
    page = open_report(text_of(written, "html"))
    shown = page.evaluate("document.body.innerText")
    assert "javascript:window.pwned=5" in shown
    findings = document(written)["findings"]
    fragments = [
        "#show=connections&columns=connection,id,service,group",
        "#columns=rule,connection,service,group,actual,expected,field,message,id,fix,note,policy",
        *(f"#finding={quote(f['fingerprint'])}" for f in findings[:3]),
        *(
            f"#{key}={quote(bad.encode('utf-8', 'replace'))}"
            for key, bad in zip(cycle(("q", "service", "connection")), PAYLOADS, strict=False)
            if len(bad) < 1000
        ),
    ]
    for fragment in fragments:
        page.evaluate("fragment => { location.hash = fragment }", fragment)
        page.wait_for_timeout(5)
        for row in page.locator(".rows [aria-expanded=false]").all()[:1]:
            row.click()
    assert page.evaluate("window.pwned") is None
    assert page.locator("img, iframe, object, embed, form, base").count() == 0
    assert page.locator("script").count() == 2
    for file in sorted(compared.glob("*.html")):
        page = open_report(file.read_text(encoding="utf-8"))
        assert page.evaluate("window.pwned") is None
        assert page.locator("img, iframe, object, embed, form, base").count() == 0
        assert page.locator("script").count() == 2
        assert page.locator("a[href^=javascript]").count() == 0


def test_html(written: Path) -> None:
    page = text_of(written, "html")
    harmless = len(re.findall("<script", page))
    assert harmless == len(re.findall("</script>", page))
    for payload in PAYLOADS:
        if "<" in payload and len(payload) > 5:
            assert payload not in page
    odd = {hex(ord(c)) for c in page if ord(c) < 32 and c not in "\n\t"}
    assert not odd
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x7f-\x9f]", page)
