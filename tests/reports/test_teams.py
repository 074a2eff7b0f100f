"""The Teams message: a valid card, within a webhook's limit, and text stays text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from auditor.model import Outcome, Pipeline, Result
from auditor.reports.teams import placeholder, render
from tests.builders.chat_messages import RUN, elements, overlong
from tests.builders.sample_results import narrowed, sample_result

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "adaptive-card-1.4.json").read_text())
#: 28 KB, counted in UTF-16 where a request names no charset (Microsoft's page on webhooks).
LIMIT = 28 * 1024


def card_of(text: str) -> dict[str, Any]:
    """Return the card in a message, found to be one that a webhook takes."""
    assert len(text.encode()) <= LIMIT
    assert len(text.encode("utf-16-le")) <= LIMIT
    said = json.loads(text)
    assert said["type"] == "message"
    (attachment,) = said["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card: dict[str, Any] = attachment["content"]
    # Which client draws it, no schema of the card's says.
    plain = {name: value for name, value in card.items() if name != "msteams"}
    jsonschema.Draft6Validator(SCHEMA).validate(plain)
    # Text in anything else would be read as Markdown.
    runs = {e["type"] for e in elements(card) if isinstance(e.get("text"), str)}
    assert runs == {"TextRun"}
    assert all(e["text"] for e in elements(card) if e.get("type") == "TextRun")
    return card


def card(result: Result) -> dict[str, Any]:
    return card_of("".join(render(result)))


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("connections", [0, 60, 3000])
def test_teams_takes_it(connections: int, hostile: bool, outcome: Outcome) -> None:
    result = sample_result(connections, 12, hostile=hostile, outcome=outcome)
    said = card(replace(narrowed(result), pipeline=Pipeline(RUN, "")))
    assert outcome.value in said["body"][0]["inlines"][0]["text"]
    assert said["actions"][0]["url"] == RUN


@pytest.mark.parametrize("letter", ["x", "語", "\U0001f600", "\\", '"'])
def test_nothing_can_grow_it_past_its_bound(letter: str) -> None:
    card(overlong(letter))


def test_the_schema_can_refuse() -> None:
    said = card(sample_result())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft6Validator(SCHEMA).validate({**said, "version": 1})


def test_connections_are_links_only_where_they_have_pages() -> None:
    result = sample_result(60, 6)
    source = replace(result.source, base_url="https://api.fivetran.com")
    for base, some in ((source, True), (replace(source, base_url="http://127.0.0.1:1"), False)):
        said = card(replace(result, source=base))
        opened = [e["selectAction"]["url"] for e in elements(said) if "selectAction" in e]
        assert bool(opened) is some
        assert all(u.startswith("https://fivetran.com/dashboard/connections/") for u in opened)
        assert "actions" not in said


def test_the_placeholder_is_inconclusive() -> None:
    said = card_of(placeholder("1.2.3"))
    assert "inconclusive" in said["fallbackText"]
    assert "1.2.3" in json.dumps(said)
