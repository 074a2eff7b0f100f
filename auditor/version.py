"""The version, which everything may say."""

__version__ = "0.1.0"
