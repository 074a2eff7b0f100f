"""The commands: one file each, wiring options to the library."""
