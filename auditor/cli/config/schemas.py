"""The JSON Schemas that editors check our files by."""

from __future__ import annotations

import click

#: For a policy, its test files, a waiver file, and ``auditor.yaml``.
SCHEMAS = ("policy", "tests", "waivers", "config")


def schema_text(name: str, context: click.Context) -> str:
    """Return the schema called ``name`` as JSON text. ``context`` knows the commands' options."""
    from auditor.acceptance.schema import waivers_schema
    from auditor.cli.config.command import config_options
    from auditor.cli.config.file import config_schema
    from auditor.policy.schemas.policy import as_text, policy_schema
    from auditor.policy.schemas.tests import schema_of_tests

    if name == "tests":
        return as_text(schema_of_tests())
    if name == "waivers":
        return as_text(waivers_schema())
    if name == "config":
        return as_text(config_schema(config_options(context)))
    return as_text(policy_schema())
