"""The tests that stand beside rules: reading and running them."""
