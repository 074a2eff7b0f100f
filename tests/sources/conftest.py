"""No test of sources sees the environment's credentials, proxies or certificates."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.endswith(("_CA_BUNDLE", "SSL_CERT_FILE")):
            monkeypatch.delenv(name)
        if name.startswith("FIVETRAN_"):
            monkeypatch.delenv(name)
