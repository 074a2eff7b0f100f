"""The policy language: what conditions mean and how they read, apart from how they are written."""
