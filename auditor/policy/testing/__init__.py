"""The tests beside rules: reading and running them."""
