"""The one way to write a file, a pipe or standard output."""
