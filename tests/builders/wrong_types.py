"""Values in YAML, of every type there is."""

from __future__ import annotations

WRONG_TYPES = ("3", "true", "null", "[]", "{}", "[3]", "{a: 3}", "''")
