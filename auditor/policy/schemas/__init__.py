"""The JSON Schema of policy files, derived from the language."""
