"""Canaries: secrets planted where secrets are, to be searched for in all that a run writes."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

KEY = "kEy-C4nary+1/one"
SECRET = "s3cret-C4nary+2/two%&"
BASIC = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
#: Every form of a credential that a server could send back.
ECHOES = [
    KEY,
    SECRET,
    f"{KEY}:{SECRET}",
    BASIC,
    f"Basic {BASIC}",
    BASIC.rstrip("="),
    quote(BASIC, safe=""),
    *(base64.b64encode(v.encode()).decode() for v in (KEY, SECRET)),
    *(base64.urlsafe_b64encode(v.encode()).decode() for v in (KEY, SECRET)),
    *(quote(v, safe="") for v in (KEY, SECRET)),
]
#: Paths of a record that hold, or may hold, what nobody must see.
PATHS = """
config.host config.port_text config.user config.password config.secret_key config.api_token
config.database config.connection_string config.private_key config.nested.password
config.accounts config.schema_prefix config.uri config.client_secret config.oauth.refresh_token
connect_card.token connect_card.uri connect_card.more connect_card.nested.token
source_sync_details.last_key source_sync_details.host source_sync_details.nested.note
status.tasks[].message status.tasks[].details status.warnings[].message status.warnings[].details
setup_tests[].message setup_tests[].details external_secrets.password
external_secrets_config.path unknown_field unknown.nested.value
auth.client_access.client_secret auth.access_token
""".split()
CANARIES = {path: f"cnr{n:02d}-quiet-value" for n, path in enumerate(PATHS)}


def with_canaries(record: dict[str, Any]) -> dict[str, Any]:
    """Return ``record`` with a canary at every path."""
    whole = dict(record)
    for path, canary in CANARIES.items():
        *above, last = path.split(".")
        holder = whole
        for step in above:
            if step.endswith("[]"):
                holder = holder.setdefault(step[:-2], [{}])[0]
            else:
                holder = holder.setdefault(step, {})
        holder[last] = canary
    return whole


def leaked(text: str, canaries: Iterable[str]) -> list[str]:
    """Return the canaries that ``text`` shows, in any case, escaped or not."""
    text = text.lower()
    plain = text.replace("&amp;", "&").replace("\\/", "/").replace("%25", "%").replace("%26", "&")
    return [c for c in canaries if c.lower() in text or c.lower() in plain]
