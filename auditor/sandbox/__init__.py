"""The embedded API: a realistic estate, served on loopback."""
