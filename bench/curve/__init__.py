"""How cost grows with connections, rules, findings, facts and groups: ``make bench-curve``."""
