"""The peers: what each is, and what it needs to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Peer:
    """Something else that can be asked the same rules.

    ``package`` is what is installed, and its version is told; ``modules`` are what ``script``, a
    file beside this one, imports. What cannot say a rule has no script: ``lacks`` says why.
    """

    name: str
    package: str
    script: str = ""
    modules: tuple[str, ...] = ()
    lacks: str = ""

    @property
    def in_node(self) -> bool:
        """Whether Node runs it, and not Python."""
        return self.script.endswith(".cjs")


DUCKDB, POLARS = "DuckDB over NDJSON", "polars, schema given"
PEERS = (
    Peer(DUCKDB, "duckdb", "sql.py", ("duckdb",)),
    Peer(POLARS, "polars", "frame.py", ("polars",)),
    Peer("orjson and a loop", "orjson", "loop.py", ("orjson",)),
    Peer("jsonschema-rs", "jsonschema-rs", "json_schema_rs.py", ("jsonschema_rs", "orjson")),
    Peer("ajv in Node", "ajv", "ajv.cjs", ("ajv",)),
    Peer("ZEN expressions", "zen-engine", "zen_engine.py", ("zen", "orjson")),
    Peer("CEL in Rust", "common-expression-language", "cel_rust.py", ("cel", "orjson")),
    Peer("CEL in Python", "cel-python", "cel_python.py", ("celpy", "orjson")),
    Peer("Rego in C++", "regopy", "rego.py", ("regopy", "orjson")),
    Peer(
        "Cedar",
        "cedarpy",
        lacks="cannot say R5 (no regular expressions) nor R9 (no look into the items of an array)",
    ),
    Peer("Cloud Custodian's filters", "c7n", "custodian.py", ("c7n", "orjson")),
    Peer("jsonschema", "jsonschema", "json_schema.py", ("jsonschema", "orjson")),
    Peer("check-jsonschema", "check-jsonschema", "check_json_schema.py", ("check_jsonschema",)),
)
