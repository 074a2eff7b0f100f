"""The same ten rules over the same records, asked of others: ``make bench-peers``.

A script for each peer says the rules of ``bench/rules.yaml`` in the peer's own language, and
answers as ``bench.answer`` does. Those run in an environment of their own, ``.venv/peers``.
"""
