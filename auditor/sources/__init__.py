"""Where records come from: the API, a snapshot."""

from auditor.decoding.listed import Listed
from auditor.sources.stream import (
    Divisible,
    Eager,
    End,
    Event,
    FieldReader,
    InFiles,
    Page,
    Restart,
    Source,
)

__all__ = [
    "Divisible",
    "Eager",
    "End",
    "Event",
    "FieldReader",
    "InFiles",
    "Listed",
    "Page",
    "Restart",
    "Source",
]
