"""Keeping secrets out of everything the process writes.

Three lines of defence. Live credentials are never decoded (``records.py``). Values of fields that
are not documented, or that hold configuration and free text, are ``[hidden]`` unless a policy
reveals them. Anything else that looks like a secret is ``[redacted]``: no prefix, no length, no
hash. And the API key and secret are scrubbed from every value.
"""

from __future__ import annotations

import re
from functools import cache

from auditor.fields import IDENTITY, Exposure, find
from auditor.redaction.credentials import REDACTED, Scrubber

__all__ = [
    "HIDDEN",
    "REDACTED",
    "Scrubber",
    "exposure",
    "guarded",
    "is_named_secret",
    "looks_secret",
]

HIDDEN = "[hidden]"

_SECRET_WORDS = frozenset(
    """
    password passwd passphrase pwd secret secrets token tokens key keys credential credentials
    apikey authorization auth jwt
    """.split()
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LOOKS_SECRET = re.compile(
    r"""
      eyJ[A-Za-z0-9_=-]{5,}                              # a JSON Web Token, whole or cut
    | -----BEGIN\ [A-Z ]*-----                           # PEM
    | (?<=[a-z0-9+.-])://[^/\s?#@]*@                     # a user part in a URL
    | (?i:basic|bearer)\ +[A-Za-z0-9+/=_.-]{8,}          # an Authorization header
    | [?&](?i:auth|token|key|secret|sig|signature|password|access_token)=[^&\s]+
    | \b(?:AKIA|ASIA)[A-Z0-9]{12,}                       # AWS
    | \b(?:ghp|gho|ghs|github_pat|glpat|xox[abprs]|sk|pk|rk)[_-][A-Za-z0-9_-]{10,}
    """,
    re.VERBOSE,
)
# Times are checked more often than anything else, and never contain any of this.
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z")
# Any of these contains one of them; numbers contain neither.
_MAY_LOOK_SECRET = re.compile("[A-Za-z]{2}|://")
# Only from the start of a run: a search from every character would take quadratic time.
_TOKEN = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_=-]{24,}")


@cache
def exposure(path: str, reveal: frozenset[str] = frozenset()) -> Exposure:
    """Return how values at ``path`` may be shown, under a policy that reveals ``reveal``.

    What no documentation names (``extra_fields`` of a policy) is hidden like configuration.
    """
    field = find(path)
    if field is None:
        return Exposure.SHOWN if path in reveal else Exposure.HIDDEN
    if field.exposure is Exposure.HIDDEN and path in reveal:
        return Exposure.SHOWN
    return field.exposure


def guarded(path: str, text: str, reveal: frozenset[str] = frozenset()) -> str:
    """Return ``text``, a value at ``path``, or what may be shown instead."""
    if path in IDENTITY:
        return text
    shown = exposure(path, reveal)
    if shown is Exposure.SECRET:
        return REDACTED
    if shown is Exposure.HIDDEN:
        return HIDDEN
    return REDACTED if is_named_secret(path) or looks_secret(text) else text


def looks_secret(text: str) -> bool:
    """Whether ``text`` looks like a credential: a token, a key, a URL with a user part."""
    if _MOMENT.fullmatch(text):
        return False
    if _MAY_LOOK_SECRET.search(text) and _LOOKS_SECRET.search(text):
        return True
    return any(map(_is_random, _TOKEN.findall(text)))


@cache
def is_named_secret(path: str) -> bool:
    """Whether the key is named like a secret, by whole words; documented names are not."""
    field = find(path)
    if field is not None and not field.open:
        return False
    key = path.removesuffix("[]").rpartition(".")[2]
    return any(word.lower() in _SECRET_WORDS for word in _WORDS.findall(key))


def _is_random(token: str) -> bool:
    """Whether a long run of token characters looks random, not written by people.

    Written names have separators, words and few digits; a random token mixes character classes
    throughout.
    """
    classes = sum(any(test(c) for c in token) for test in (str.islower, str.isupper, str.isdigit))
    if classes == 3:
        return True
    digits = sum(c.isdigit() for c in token)
    return classes == 2 and len(token) >= 32 and digits * 5 >= len(token)
