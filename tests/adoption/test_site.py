"""The site: built strictly, self-contained, every link works, and its search finds pages."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

from auditor.cli.main import COMMANDS
from auditor.fields import FIELDS
from auditor.policy.language.operators import OPERATORS
from auditor.policy.loading.documents import pack_names
from auditor.policy.loading.load import load
from tests.adoption.github import ROOT
from tests.adoption.tools import use
from tests.builders.command import environment

pytestmark = pytest.mark.slow

HOME = "https://owner.example/"
#: Where a page may load something from: attributes that make a browser fetch.
_LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}


class Page(HTMLParser):
    """What a page links to, loads, and can be linked to at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.anchors.add(str(given["id"]))
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        if tag == "link" and given.get("rel") in {"stylesheet", "icon", "preconnect", "preload"}:
            self.loads.append(str(given["href"]))
        if tag in _LOADS and given.get(_LOADS[tag]):
            self.loads.append(str(given[_LOADS[tag]]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site; return the folder of its pages."""
    place = tmp_path_factory.mktemp("site") / "made"
    subprocess.run(
        [sys.executable, "-m", "website", place], cwd=ROOT, env=environment(), check=True
    )
    strictly = ("build", "--strict", "--config-file", place / "mkdocs.yml")
    # The theme's makers advertise their next work in what the build says.
    done = use("mkdocs", *strictly, env={"NO_MKDOCS_2_WARNING": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return place / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """Return every page by its path."""
    return {
        path.relative_to(site).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in site.rglob("*.html")
    }


def test_every_rule_operator_field_and_command_has_its_place(site: Path, pages: dict[str, Page]):
    rules = [e.rule.id for name in pack_names() for e in load([name]).ruleset.rules]
    assert len(set(rules)) > 40
    assert [name for name in rules if f"rules/{name}/index.html" not in pages] == []
    told = {
        "reference/operators": OPERATORS,
        "reference/fields": FIELDS,
        "rules": dict.fromkeys(rules),
    }
    for name, wanted in told.items():
        text = (site / name / "index.html").read_text()
        assert [word for word in wanted if word not in text] == [], name
    assert set(COMMANDS) <= pages["reference/commands/index.html"].anchors


def test_a_rule_s_page_says_why_and_what_mends_it(site: Path):
    text = (site / "rules/no-pause-after-trial/index.html").read_text()
    for heading in ("Why", "Fix", "Examples", "Source"):
        assert f">{heading}<" in text, heading
    assert "pause_after_trial" in text
    assert "tests:" not in text


def test_the_schemas_are_served(site: Path):
    for name in ("policy", "waivers", "auditor", "report", "comparison", "accounts"):
        assert json.loads((site / f"schemas/{name}.schema.json").read_text())["$schema"]


def test_nothing_is_loaded_from_elsewhere(pages: dict[str, Page]):
    for name, page in pages.items():
        assert [load for load in page.loads if urlsplit(load).netloc] == [], name


def test_every_link_within_leads_to_a_page_and_a_heading(site: Path, pages: dict[str, Page]):
    wrong = []
    for name, page in pages.items():
        base = urljoin(HOME, name.removesuffix("index.html"))
        for link in (*page.links, *page.loads):
            target, anchor = urldefrag(urljoin(base, link))
            if not target.startswith(HOME) or name == "404.html":
                continue
            path = unquote(target.removeprefix(HOME))
            found = f"{path}index.html" if path.endswith("/") or not path else path
            if not (site / found).is_file():
                wrong.append(f"{name}: {link}")
            elif anchor and found in pages and anchor not in pages[found].anchors:
                wrong.append(f"{name}: no heading {link}")
    assert wrong == []


def test_every_link_without_is_encrypted(pages: dict[str, Page]):
    links = {link for page in pages.values() for link in page.links if urlsplit(link).netloc}
    assert links
    assert [link for link in links if not link.startswith("https://")] == []


# -- in a browser -------------------------------------------------------------------------------


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    """Serve the site on loopback; yield its address."""
    handler = functools.partial(_Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_the_search_finds_and_the_page_asks_nobody_else(served: str, browser: Any):
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served)
    page.get_by_label("Search").first.click()
    page.keyboard.type("pause_after_trial", delay=20)
    result = page.locator(".md-search-result__link").first
    result.wait_for(state="visible", timeout=30_000)
    found = page.locator(".md-search-result__link").evaluate_all("all => all.map(a => a.href)")
    assert any("no-pause-after-trial" in address for address in found), found
    outside = [url for url in asked if not url.startswith((served, "data:", "blob:"))]
    assert outside == []
    page.close()
