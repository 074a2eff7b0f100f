"""The tests that are beside rules: reading and running them."""
