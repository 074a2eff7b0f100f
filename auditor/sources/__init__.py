"""Where records come from: the API, a snapshot."""

from auditor.decoding.listed import Listed
from auditor.sources.stream import End, Event, FieldReader, Page, Restart, Source

__all__ = ["End", "Event", "FieldReader", "Listed", "Page", "Restart", "Source"]
