"""Pictures of the HTML report, in ``screenshots/``, for a person to look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.model import Outcome
from tests.builders.browser import OpenReport
from tests.builders.sample_results import sample_result

PICTURES = Path(__file__).resolve().parents[2] / "screenshots"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [375, 1024, 1920])
@pytest.mark.parametrize("outcome", list(Outcome), ids=lambda outcome: outcome.value)
def test_a_picture_is_taken(
    open_report: OpenReport, outcome: Outcome, width: int, *, dark: bool
) -> None:
    page = open_report(sample_result(outcome=outcome), width=width, dark=dark)
    word = page.locator("h1").first.inner_text()
    PICTURES.mkdir(exist_ok=True)
    scheme = "dark" if dark else "light"
    picture = page.screenshot(path=PICTURES / f"{outcome.value}-{width}-{scheme}.png")
    assert word.casefold() == outcome.value
    # A blank page of this size packs to a tenth of that.
    assert len(picture) > 20_000
