"""The Slack message: within the limits of Block Kit, and text stays text."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from msgspec.structs import replace

from auditor.model import Outcome, Pipeline, Result
from auditor.reports.slack import LONGEST, placeholder, render
from tests.builders.chat_messages import RUN, elements, overlong
from tests.builders.sample_results import narrowed, sample_result

#: From https://docs.slack.dev/reference/block-kit/blocks: most characters of a text by its block.
TEXTS = {"header": 150, "section": 3000, "context": 3000}
#: The elements of text that know no markup.
PLAIN = {"plain_text", "text", "link"}


def message(result: Result) -> dict[str, Any]:
    text = "".join(render(result))
    assert text.endswith("}\n")
    read: dict[str, Any] = json.loads(text)
    return read


def check(said: dict[str, Any]) -> None:
    """Fail where Slack would refuse the message."""
    blocks = said["blocks"]
    assert 0 < len(said["text"]) <= 3000
    assert 0 < len(blocks) <= 50
    compact = json.dumps(blocks, ensure_ascii=False, separators=(",", ":"))
    # An escape stands for one character.
    assert len(re.sub(r"\\(.)", r"\1", compact)) <= LONGEST
    for block in blocks:
        assert block["type"] in {*TEXTS, "rich_text"}
        if block["type"] == "context":
            assert len(block["elements"]) <= 10
        for element in elements(block):
            if "text" in element and isinstance(element["text"], str):
                assert element["type"] in PLAIN
                # An empty text is refused too.
                assert 0 < len(element["text"]) <= TEXTS.get(block["type"], 3000)
            if element.get("type") == "rich_text_list":
                assert element["elements"]
                assert {item["type"] for item in element["elements"]} == {"rich_text_section"}
            if element.get("type") == "plain_text":
                assert element["emoji"] is False


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("connections", [0, 60, 3000])
def test_slack_takes_it(connections: int, hostile: bool, outcome: Outcome) -> None:
    result = sample_result(connections, 12, hostile=hostile, outcome=outcome)
    said = message(replace(narrowed(result), pipeline=Pipeline(RUN, "")))
    check(said)
    assert outcome.value in said["blocks"][0]["text"]["text"]
    assert outcome.value in said["text"]


@pytest.mark.parametrize("letter", ["x", "語", "\\", '"', "<", "&"])
def test_nothing_can_grow_it_past_its_bound(letter: str) -> None:
    check(message(overlong(letter)))


def test_a_notification_holds_no_markup() -> None:
    result = sample_result(6, 4)
    gate = replace(result.gate, reasons=("<!channel> & <@U1>",))
    text = message(replace(result, gate=gate))["text"]
    assert "<" not in text
    assert "&" not in text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")


def test_connections_and_the_run_are_links() -> None:
    result = sample_result(60, 6)
    source = replace(result.source, base_url="https://api.fivetran.com")
    said = message(replace(result, source=source, pipeline=Pipeline(RUN, "")))
    urls = [e["url"] for e in elements(said["blocks"]) if e.get("type") == "link"]
    assert urls[-1] == RUN
    assert len(urls) > 3
    assert all(u.startswith("https://fivetran.com/dashboard/connections/") for u in urls[:-1])
    for odd in ("", "javascript:alert(1)", "https://a b", "http://x/<y>", "file:///etc"):
        said = message(replace(result, pipeline=Pipeline(odd, "")))
        assert "Open the run" not in json.dumps(said)


def test_the_placeholder_is_inconclusive() -> None:
    said = json.loads(placeholder("1.2.3"))
    check(said)
    assert "inconclusive" in said["text"]
    assert "1.2.3" in said["blocks"][-1]["elements"][0]["text"]
