"""A run's own credentials, removed from any text in every form."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from auditor.redaction.credentials import REDACTED, SHORTEST_CREDENTIAL, Scrubber

KEY, SECRET = "the-Key", "S3cr?t/\u00fc>>~ +"


def scrubber() -> Scrubber:
    return Scrubber(((KEY, SECRET),))


def encoded(value: str) -> dict[str, str]:
    plain = b64encode(value.encode()).decode()
    urlsafe = urlsafe_b64encode(value.encode()).decode()
    return {
        "as it is": value,
        "base64": plain,
        "base64 without padding": plain.rstrip("="),
        "as JSON": json.dumps(value)[1:-1],
        "as JSON of any letters": json.dumps(value, ensure_ascii=False)[1:-1],
        "as HTML": escape(value),
        "base64 for URLs": urlsafe,
        "base64 for URLs without padding": urlsafe.rstrip("="),
        "percent-encoded": quote(value, safe=""),
        "as in a form": quote_plus(value),
        "base64, percent-encoded": quote(plain, safe=""),
        "percent-encoded in small letters": quote(value, safe="").lower(),
    }


@pytest.mark.parametrize("how", encoded(KEY))
@pytest.mark.parametrize("value", [KEY, SECRET, f"{KEY}:{SECRET}"])
def test_every_form_is_gone_and_nothing_else(value: str, how: str) -> None:
    form = encoded(value)[how]
    assert scrubber().touches(f"a{form}b")
    assert scrubber().text(f"a {form} b {form}") == f"a {REDACTED} b {REDACTED}"


@pytest.mark.parametrize("padding", range(3))
def test_a_longer_form_is_taken_whole(padding: int) -> None:
    # What is a form and ends like another one must leave no rest behind: "=", or half a pair.
    secret = "s" * (6 + padding)
    ours = Scrubber(((KEY, secret),))
    for form in (*encoded(secret).values(), f"{KEY}:{secret}"):
        assert ours.text(f"<{form}>") == f"<{REDACTED}>"


def test_what_ends_before_a_form_does_is_left_alone() -> None:
    ours = Scrubber((("the-key", "abcdeW"),))
    assert ours.text("YWJjZGVX YWJjZGV") == f"{REDACTED} YWJjZGV"


def test_a_credential_within_another_leaves_no_part_of_either() -> None:
    assert Scrubber((("abcdef", "abcdefghi"),)).text("abcdefghi abcdef") == f"{REDACTED} {REDACTED}"


def test_short_values_are_left_alone_as_holes_in_words_would_be_worse() -> None:
    assert SHORTEST_CREDENTIAL == 6
    ours = Scrubber((("abcde", "fghijk"),))
    assert ours.text("abcde fghijk") == f"abcde {REDACTED}"
    assert not ours.touches("abcde")
    # As a pair they are long enough.
    assert Scrubber((("ab", "cde"),)).text("ab:cde ab cde") == f"{REDACTED} ab cde"


def test_without_credentials_every_text_stays_as_it_is() -> None:
    for ours in (Scrubber(), Scrubber((("", ""),))):
        assert ours.text(f"{KEY}:{SECRET}") == f"{KEY}:{SECRET}"
        assert not ours.touches(KEY)
        assert not ours.touches("")


def test_a_scrubber_is_true_where_it_has_anything_to_scrub() -> None:
    # One that says it has nothing is not asked: a finding would keep the credential it quotes.
    assert scrubber()
    assert not Scrubber()
    assert not Scrubber((("ab", "cd"),))


def test_what_is_not_text_is_scrubbed_too() -> None:
    # As the environment holds bytes that are none.
    ours = Scrubber((("key-1\udcff", "secret-\udcff"),))
    assert ours.text("a key-1\udcff b") == f"a {REDACTED} b"
    assert ours.touches(quote("secret-\udcff", safe="", errors="surrogatepass"))


def test_a_scrubber_shows_none_of_what_it_knows() -> None:
    assert repr(scrubber()) == f"Scrubber({len(_all_forms())} forms)"


def _all_forms() -> set[str]:
    pairs = (KEY, SECRET, f"{KEY}:{SECRET}")
    return {form for value in pairs for form in encoded(value).values()}


@given(
    st.text(min_size=6),
    st.text(min_size=6),
    st.text(max_size=9),
)
def test_no_text_keeps_a_credential(key: str, secret: str, around: str) -> None:
    if key in REDACTED or secret in REDACTED:
        return
    ours = Scrubber(((key, secret),))
    for form in (*encoded(key).values(), *encoded(secret).values()):
        assert form not in ours.text(form)
        assert ours.touches(f"{around}{form}{around}")


@pytest.mark.parametrize("size", [1, 2, 5, 64, 4096])
def test_pieces_of_text_hide_none_wherever_they_end(size: int) -> None:
    value = f"{KEY}:{SECRET}"
    text = "".join(f"{n} {form} …\n" for n, form in enumerate(encoded(value).values()))
    pieces = [text[n : n + size] for n in range(0, len(text), size)]
    found = "".join(scrubber().chunks(pieces))
    assert found == scrubber().text(text)
    assert found.count(REDACTED) == len(encoded(value))


def test_no_pieces_are_no_text() -> None:
    assert list(scrubber().chunks([])) == []


def test_text_that_is_marked_stays_what_it_is() -> None:
    html = [Markup("<p>"), Markup(KEY), Markup("</p>")]
    assert "".join(scrubber().chunks(html)) == f"<p>{REDACTED}</p>"


@pytest.mark.parametrize("length", range(4, len(KEY)))
def test_a_credential_that_was_cut_is_one_all_the_same(length: int) -> None:
    ours = scrubber()
    for cut in (f"at {KEY[:length]}… and", f"at …{KEY[-length:]} and", f"{KEY[:length]}…"):
        assert ours.touches(cut)
        assert ours.text(cut) == cut.replace(KEY[:length], REDACTED).replace(
            KEY[-length:], REDACTED
        )
        assert "".join(ours.chunks(cut)) == ours.text(cut)
    assert ours.text(f"at {KEY[:length]} and") == f"at {KEY[:length]} and"


def test_an_ellipsis_by_itself_hides_nothing() -> None:
    assert scrubber().text("and so on… the…end… ") == "and so on… the…end… "
    assert not scrubber().touches("and so on…")


def test_what_is_added_is_scrubbed_beside_what_was_there():
    first = Scrubber([("firstkey", "firstsecret")])
    both = first.with_more([("firstkey-longer", "othersecret")])
    for text in ("firstkey", "firstsecret", "othersecret", "firstkey-longer"):
        assert both.text(f"a {text} b") == "a [redacted] b"
    assert first.text("othersecret") == "othersecret"
    # The longer one goes first, or half of it would stay.
    assert both.text("firstkey-longer") == "[redacted]"
    assert both.with_more([]).text("othersecret") == "[redacted]"


def test_what_only_looks_like_an_end_of_a_credential_stays() -> None:
    scrubber = Scrubber((("abcdefgh12345678", "ponmlkji87654321"),))
    for text in ("at defgh… and", "at …abcdef and"):
        assert scrubber.text(text) == text
