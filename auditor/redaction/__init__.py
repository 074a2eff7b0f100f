"""Keeping secrets out of whatever the process writes."""
