"""Saved listings: snapshots, answers of the API, arrays and streams of records."""
