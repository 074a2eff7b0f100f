"""Certificates for servers on loopback, which no machine trusts."""

from __future__ import annotations

import ssl
from pathlib import Path

_HERE = Path(__file__).parent


def certificate(name: str) -> str:
    """Return the path of a certificate: ``loopback`` is for this machine, ``elsewhere`` is not."""
    return str(_HERE / f"{name}.pem")


def certified(name: str) -> ssl.SSLContext:
    """Return what a server needs to show the certificate ``name``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(name))
    return context
