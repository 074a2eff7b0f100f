"""The credentials and the API's address, checked before anything is sent."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address
from urllib.parse import SplitResult, urlsplit

from auditor.errors import UsageError

#: The names that we document, and those of Fivetran's Terraform provider.
VARIABLES = (
    ("FIVETRAN_API_KEY", "FIVETRAN_API_SECRET"),
    ("FIVETRAN_APIKEY", "FIVETRAN_APISECRET"),
)
_LOOPBACK = IPv4Network("127.0.0.0/8")
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_QUOTES = frozenset("\"'\u2018\u2019\u201c\u201d")
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key and its secret; ``variables`` name where they came from."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    variables: tuple[str, str] = VARIABLES[0]

    @property
    def authorization(self) -> str:
        """The value of the ``Authorization`` header."""
        return "Basic " + b64encode(f"{self.key}:{self.secret}".encode()).decode("ascii")


#: A key and its secret joined, as base64 may contain them.
_PAIR = re.compile(rb"[!-9;-~]+:[!-~]+")


def credentials_from(
    environ: Mapping[str, str],
    variables: Sequence[tuple[str, str]] = VARIABLES,
    otherwise: str = "",
) -> Credentials:
    """Return the credentials that ``environ`` holds under one of the pairs of ``variables``.

    The first pair with a variable set decides, so that a key is never combined with another
    account's secret. Raises UsageError, which names the variables and never shows a value; if none
    is set it says what ``otherwise`` can be done.
    """
    for names in variables:
        key, secret = (environ.get(name, "") for name in names)
        if not key and not secret:
            continue
        if _is_pair(key):
            raise UsageError(
                f"{names[0]} holds the key and the secret together, in base64, as Fivetran's own"
                f" tools take them; set {names[0]} and {names[1]} apart"
            )
        for name, value in zip(names, (key, secret), strict=True):
            if not value:
                raise UsageError(f"{name} is not set; {_other(names, name)} is: set both")
            if not value.isprintable() or " " in value:
                raise UsageError(
                    f"{name} holds a blank, a line break or another character that no "
                    "credential has; set it again without"
                )
            if value[0] in _QUOTES or value[-1] in _QUOTES:
                raise UsageError(
                    f"{name} begins or ends with a quote, which no credential does; set it again "
                    "without: an env file, unlike a shell, takes quotes for a part of the value"
                )
        if ":" in key:
            raise UsageError(f"{names[0]} holds a colon, which no API key has; set the key alone")
        return Credentials(key, secret, names)
    first, *others = (" and ".join(names) for names in variables)
    instead = f" (or {' or '.join(others)})" if others else ""
    last = f", or {otherwise}" if otherwise else ""
    raise UsageError(f"no credentials: set {first}{instead}{last}")


def _is_pair(key: str) -> bool:
    """Whether ``key`` is base64 of ``KEY:SECRET``."""
    try:
        return _PAIR.fullmatch(b64decode(key, validate=True)) is not None
    except ValueError:
        return False


def check_base_url(url: str) -> str:
    """Return ``url`` without a trailing slash; a path prefix is kept.

    Raises UsageError unless it is https with a host and at most a path; plain http is allowed only
    for loopback, because the key would travel unencrypted.
    """
    parts = _split(url)
    if parts.scheme not in {"https", "http"}:
        raise UsageError("--base-url must start with https://")
    if "@" in parts.netloc:
        raise UsageError(
            "--base-url must not hold a user or password; credentials come from the environment"
        )
    if "?" in url or "#" in url:
        raise UsageError("--base-url must end with its path: take out what follows ? or #")
    host = parts.hostname or ""
    if not (_is_ipv6(host) if "[" in parts.netloc else _NAME.fullmatch(host)):
        raise UsageError("--base-url names no usable host")
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(
            f"--base-url is plain http, which would show the API key to the network; "
            f"use https://{parts.netloc}"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine: ``localhost``, ``127.0.0.0/8`` or ``::1``."""
    try:
        return host in {"localhost", "::1"} or IPv4Address(host) in _LOOPBACK
    except AddressValueError:
        return False


def _is_ipv6(host: str) -> bool:
    try:
        return "%" not in host and bool(IPv6Address(host))
    except AddressValueError:
        return False


def _split(url: str) -> SplitResult:
    if not url.isprintable() or " " in url or "\\" in url:
        raise UsageError("--base-url holds a blank, a backslash or a control character")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError("--base-url is not a URL: its host or port cannot be read") from error
    if port == 0:
        raise UsageError("--base-url names port 0, which nothing can listen on")
    return parts


def _other(names: tuple[str, str], name: str) -> str:
    return names[1] if name == names[0] else names[0]
