"""How fast the auditor is, as ratios to plain loops on the same machine: ``make bench``."""
