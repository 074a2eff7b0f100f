"""Defaults for options: ``auditor.yaml``, the environment, and ``--show-config``."""
