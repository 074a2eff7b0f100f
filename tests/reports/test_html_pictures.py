"""Pictures of the HTML report, in ``screenshots/``, for a person to look at."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from auditor.model import Outcome
from tests.builders.browser import OpenReport
from tests.builders.html_page import widen
from tests.builders.sample_results import sample_result
from tests.builders.slow import mostly_slow

PICTURES = Path(__file__).resolve().parents[2] / "screenshots"


@pytest.mark.parametrize("outcome", mostly_slow(Outcome, 3), ids=lambda outcome: outcome.value)
def test_pictures_are_taken(open_report: OpenReport, outcome: Outcome) -> None:
    page = open_report(sample_result(outcome=outcome))
    PICTURES.mkdir(exist_ok=True)
    for width, scheme in product((375, 1024, 1920), ("light", "dark")):
        widen(page, width)
        page.emulate_media(color_scheme=scheme)
        assert page.locator("h1").first.inner_text().casefold() == outcome.value
        picture = page.screenshot(path=PICTURES / f"{outcome.value}-{width}-{scheme}.png")
        # A blank page of this size packs to a tenth of that.
        assert len(picture) > 20_000, (width, scheme)
