"""Policies: from YAML to rules that judge."""
