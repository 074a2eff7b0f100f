"""Scrubbing a run's own credentials from whatever the process writes."""

from __future__ import annotations

from collections.abc import Iterable

REDACTED = "[redacted]"

#: Shorter credentials are not scrubbed: they would tear holes into ordinary words.
SHORTEST_CREDENTIAL = 6


class Scrubber:
    """Removes the run's own credentials, in every form they may take, from text."""

    def __init__(self, credentials: Iterable[tuple[str, str]] = ()) -> None:
        forms: set[str] = set()
        for key, secret in credentials:
            for value in (key, secret, f"{key}:{secret}"):
                if len(value) >= SHORTEST_CREDENTIAL:
                    forms |= _encodings(value)
        self._forms = sorted(forms, key=lambda form: (-len(form), form))

    def __repr__(self) -> str:
        return f"Scrubber({len(self._forms)} forms)"

    def __bool__(self) -> bool:
        """Whether there is anything to scrub."""
        return bool(self._forms)

    def text(self, text: str) -> str:
        """Return ``text`` with every form of every credential as ``[redacted]``."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, REDACTED)
        return text

    def touches(self, text: str) -> bool:
        """Whether ``text`` holds a credential in any form."""
        return any(form in text for form in self._forms)


def _encodings(value: str) -> set[str]:
    # Imported here: a process that knows no credentials does without.
    import base64  # noqa: PLC0415  # see above
    from urllib.parse import quote, quote_plus  # noqa: PLC0415  # see above

    # An environment may hold bytes that are no text: surrogates here, and no reason to fail.
    raw = value.encode("utf-8", "surrogatepass")
    plain = base64.b64encode(raw).decode()
    urlsafe = base64.urlsafe_b64encode(raw).decode()
    return {
        value,
        plain,
        plain.rstrip("="),
        urlsafe,
        urlsafe.rstrip("="),
        quote(raw, safe=""),
        quote_plus(raw),
        quote(plain, safe=""),
        quote(raw, safe="").lower(),
    }
