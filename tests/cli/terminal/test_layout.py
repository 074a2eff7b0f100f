"""Text in columns: cut and folded to fit a terminal, and left alone in a log."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from auditor.cli.terminal.layout import cells, cut, folded, middle_cut, padded


@given(st.text(max_size=60), st.integers(1, 40))
@example("日本語" * 10, 7)
@example("e\u0301" * 20, 5)
def test_cuts_fit(text: str, width: int) -> None:
    for shortened in (cut(text, width), middle_cut(text, width)):
        assert cells(shortened) <= width
        assert shortened == text or "…" in shortened
        assert cells(padded(shortened, width)) == width
    assert cut(text, None) == middle_cut(text, None) == text
    assert "".join("".join(folded(text, width, 3)).split()) == "".join(text.split())
