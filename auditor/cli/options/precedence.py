"""Where an option's value was given, and which place takes precedence."""

from __future__ import annotations

import click
from click.core import ParameterSource

#: From the nearest to the user to the farthest.
SOURCES = (
    ParameterSource.COMMANDLINE,
    ParameterSource.ENVIRONMENT,
    ParameterSource.DEFAULT_MAP,
    ParameterSource.DEFAULT,
)


def as_near(context: click.Context, name: str, than: str) -> bool:
    """Whether the parameter ``name`` was given as near to the user as ``than`` was, or nearer."""
    source = context.get_parameter_source(name) or ParameterSource.DEFAULT
    other = context.get_parameter_source(than) or ParameterSource.DEFAULT
    given = source is not ParameterSource.DEFAULT
    return given and SOURCES.index(source) <= SOURCES.index(other)
