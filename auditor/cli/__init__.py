"""The command line: what people type, read and see."""
