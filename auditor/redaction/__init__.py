"""Keeping secrets out of everything the process writes."""
