"""YAML values of every type."""

from __future__ import annotations

WRONG_TYPES = ("3", "true", "null", "[]", "{}", "[3]", "{a: 3}", "''")
