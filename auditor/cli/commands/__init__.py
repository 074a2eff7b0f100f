"""The commands, one module each, holding ``command``."""
