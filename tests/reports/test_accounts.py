"""The page over all accounts."""

from __future__ import annotations

import pytest

from auditor.reports import ACCOUNT_REPORTS
from auditor.reports.accounts import AccountOutcome, Accounts, placeholder, render


def page(*outcomes: AccountOutcome) -> str:
    return "".join(render(Accounts(outcomes, "1.2.3")))


def test_what_it_shows_is_escaped():
    shown = page(AccountOutcome("a", 1, None, "<script>x</script>", (("json", "a/<b>.json"),)))
    assert "<script>" not in shown
    assert 'href="a/%3Cb%3E.json"' in shown


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (0, "✓ passed, exit 0"),
        (1, "✗ violations, exit 1"),
        (2, "! not judged, exit 2"),
        (3, "? inconclusive, exit 3"),
        (4, "! failed, exit 4"),
        (130, "! failed, exit 130"),
    ],
)
def test_an_exit_code_is_reported_in_words(code: int, told: str):
    assert told in page(AccountOutcome("a", code))


def test_an_account_without_a_code_makes_the_page_unfinished():
    done = AccountOutcome("a", 0)
    assert "did not finish" not in page(done)
    shown = page(done, AccountOutcome("b"))
    assert "did not finish" in shown
    assert "… not finished<" in shown


def test_a_placeholder_is_a_page_without_a_pass_and_known_again():
    text = placeholder("1.2.3")
    assert "inconclusive" in text
    assert "passed" not in text
    known = ACCOUNT_REPORTS["accounts"]
    assert known.placeholder("1.2.3") == text
    assert known.begins(text.encode())
    assert known.begins(page(AccountOutcome("a", 0)).encode())
    assert not known.begins(b"<!doctype html>\n<title>Fivetran audit</title>")
