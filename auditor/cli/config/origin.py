"""Where a wrong value of an option was set: a variable, or a line of ``auditor.yaml``.

An error is raised where the value is used, in the words of the command line. Somebody who set it
elsewhere has to know where, and may never have heard of the option.
"""

from __future__ import annotations

from collections.abc import Mapping

import click
from click.core import ParameterSource

from auditor.cli.config.settings import ConfigFile, Setting, takes_pairs
from auditor.errors import AuditorError, PolicyError, Problem, UsageError
from auditor.model import Position
from auditor.text import one_line

_LONGEST = 1000


def placed(
    error: UsageError,
    context: click.Context,
    keys: Mapping[str, click.Parameter],
    file: ConfigFile | None,
) -> AuditorError:
    """Return ``error`` with the place where the option that it is about was set.

    ``keys`` are the command's parameters by their names in ``file``. An error about the command
    line, or about no option, is returned as it is.
    """
    parameter = keys.get(error.option)
    source = None if parameter is None else _source(context, parameter, error.item)
    if parameter is not None and source is ParameterSource.ENVIRONMENT:
        text = in_words_of(error, str(parameter.envvar))
        is_named = text.startswith(str(parameter.envvar))
        return UsageError(text if is_named else f"{text} ({parameter.envvar} in the environment)")
    if source is ParameterSource.DEFAULT_MAP and file is not None and error.option in file.settings:
        position = _position(file.settings[error.option], error.item)
        if position is not None:
            message = one_line(in_words_of(error, error.option), _LONGEST)
            return PolicyError([Problem(position, message, source_line=file.line(position))])
    return error


def in_words_of(error: UsageError, name: str) -> str:
    """Return the message of ``error`` with ``name`` where it begins with the option."""
    option, text = f"--{error.option.replace('_', '-')}", str(error)
    return f"{name}{text.removeprefix(option)}" if text.startswith(option) else text


def _source(
    context: click.Context, parameter: click.Parameter, item: str
) -> ParameterSource | None:
    """Return where the value was set; of NAME=VALUE, that of the name ``item``.

    Those are merged before the command runs, and while the arguments are read they are not.
    """
    name = str(parameter.name)
    if takes_pairs(parameter):
        texts = {t for t in context.params.get(name, ()) if t.partition("=")[0] == item}
        if texts & {*(context.lookup_default(name) or ())}:
            return ParameterSource.DEFAULT_MAP
        if texts & {*(parameter.value_from_envvar(context) or ())}:
            return ParameterSource.ENVIRONMENT
    return context.get_parameter_source(name)


def _position(setting: Setting, item: str) -> Position | None:
    """Return where ``setting`` has ``item``, or where it is itself if there is no item."""
    values = setting.value if isinstance(setting.value, tuple) else (setting.value,)
    for value, position in zip(values, setting.positions, strict=True):
        if not item or item in {value, str(value).partition("=")[0]}:
            return position
    return None
