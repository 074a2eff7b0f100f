"""Fivetran Auditor: policy as code for Fivetran connections."""

__version__ = "0.1.0"
