"""Where records come from: the API, a snapshot."""

from auditor.decoding.listed import Listed
from auditor.sources.stream import End, Event, Page, Reading, Restart, Source

__all__ = ["End", "Event", "Listed", "Page", "Reading", "Restart", "Source"]
