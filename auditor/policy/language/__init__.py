"""The policy language: what conditions mean, how they read, without how they are written."""
