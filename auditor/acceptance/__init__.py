"""Accepted violations: waivers, the baseline, and applying them to a run."""
