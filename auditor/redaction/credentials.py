"""Scrubbing a run's own credentials from everything the process writes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

REDACTED = "[redacted]"
#: What marks the place where text was cut.
CUT = "…"

#: Shorter credentials are not scrubbed: that would tear holes in ordinary words.
SHORTEST_CREDENTIAL = 6
#: A shorter part of one reveals nothing, and also occurs at the end of ordinary words.
SHORTEST_CUT = 4
_BATCH = 1 << 17


class Scrubber:
    """Removes the run's own credentials, in every form they may take, from text.

    Credentials that were cut are removed too: text before an ellipsis that is the beginning of one,
    or text after an ellipsis that is its end.
    """

    def __init__(self, credentials: Iterable[tuple[str, str]] = ()) -> None:
        forms: set[str] = set()
        for key, secret in credentials:
            for value in (key, secret, f"{key}:{secret}"):
                if len(value) >= SHORTEST_CREDENTIAL:
                    forms |= _encodings(value)
        self._knows(forms)

    def _knows(self, forms: set[str]) -> None:
        self._forms = sorted(forms, key=lambda form: (-len(form), form))
        # Any text with one of the forms has one of these.
        self._least = [f for f in self._forms if not any(o in f for o in forms if o != f)]
        # Longest first, so that no form is replaced only in part.
        self._any = re.compile("|".join(map(re.escape, self._forms))) if forms else None
        self._longest = max(map(len, forms), default=0)
        # What the text at a cut has to contain for a closer look to be worth it.
        self._at_cuts = {
            form[start : start + SHORTEST_CUT]
            for form in forms
            for start in range(len(form) - SHORTEST_CUT + 1)
        }

    def with_more(self, credentials: Iterable[tuple[str, str]]) -> Scrubber:
        """Return a scrubber that removes these credentials too."""
        made = Scrubber(credentials)
        made._knows({*self._forms, *made._forms})
        return made

    def __repr__(self) -> str:
        return f"Scrubber({len(self._forms)} forms)"

    def __bool__(self) -> bool:
        """Whether there is anything to scrub."""
        return bool(self._forms)

    def text(self, text: str) -> str:
        """Return ``text`` with every form of every credential as ``[redacted]``."""
        if any(form in text for form in self._least):
            for form in self._forms:
                text = text.replace(form, REDACTED)
        return self._without_cuts(text) if CUT in text else text

    def chunks(self, chunks: Iterable[str]) -> Iterable[str]:
        """Return text in pieces without credentials, wherever the pieces begin and end."""
        return self._streamed(chunks) if self._forms else chunks

    def touches(self, text: str) -> bool:
        """Whether ``text`` holds a credential in any form, whole or cut."""
        if any(form in text for form in self._least):
            return True
        return CUT in text and self._without_cuts(text) != text

    def _streamed(self, chunks: Iterable[str]) -> Iterator[str]:
        assert self._any is not None
        held = ""
        for chunk in _batches(chunks):
            text, start = held + chunk, 0
            # Whatever begins before this position is complete here.
            settled = max(len(text) - self._longest, 0)
            pieces = []
            if any(form in text for form in self._least):
                while (match := self._any.search(text, start)) and match.start() < settled:
                    pieces += [text[start : match.start()], REDACTED]
                    start = match.end()
            end = max(settled, start)
            held = text[end:]
            if end:
                clean = "".join([*pieces, text[start:end]])
                yield self._without_cuts(clean) if CUT in clean else clean
        if held:
            yield self.text(held)

    def _without_cuts(self, text: str) -> str:
        pieces = text.split(CUT)
        ended = [*map(self._cut_end, pieces[:-1]), pieces[-1]]
        return CUT.join([ended[0], *map(self._cut_start, ended[1:])])

    def _cut_end(self, text: str) -> str:
        """Return ``text`` without the beginning of a credential at its end."""
        if text[-SHORTEST_CUT:] in self._at_cuts:
            for length in range(self._longest - 1, SHORTEST_CUT - 1, -1):
                if any(len(f) > length and text.endswith(f[:length]) for f in self._forms):
                    return text[:-length] + REDACTED
        return text

    def _cut_start(self, text: str) -> str:
        """Return ``text`` without the end of a credential at its beginning."""
        if text[:SHORTEST_CUT] in self._at_cuts:
            for length in range(self._longest - 1, SHORTEST_CUT - 1, -1):
                if any(len(f) > length and text.startswith(f[-length:]) for f in self._forms):
                    return REDACTED + text[length:]
        return text


def _batches(chunks: Iterable[str]) -> Iterator[str]:
    """Yield ``chunks`` as larger ones: each is looked at as a whole."""
    batch, size = list[str](), 0
    for chunk in chunks:
        batch.append(chunk)
        size += len(chunk)
        if size > _BATCH:
            yield "".join(batch)
            batch, size = [], 0
    # Joined, not added: adding to text that is marked as HTML would escape it.
    yield "".join(batch)


def _encodings(value: str) -> set[str]:
    # Imported here: a process without credentials does not need it.
    import base64  # noqa: PLC0415  # see above
    import json  # noqa: PLC0415  # see above
    from html import escape  # noqa: PLC0415  # see above
    from urllib.parse import quote, quote_plus  # noqa: PLC0415  # see above

    # An environment may hold bytes that are not text: they are surrogates here, and no reason to
    # fail.
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
        # Text as reports escape it; these differ only for characters that no Fivetran key has.
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        escape(value),
    }
