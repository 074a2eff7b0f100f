"""``--show-config``: the options in force, and where each of them comes from.

The output is YAML that can be saved as an ``auditor.yaml``; a comment beside each value says where
it comes from.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime

import click
from click.core import ParameterSource

from auditor.cli.config.settings import (
    CONFIG_FILE,
    PREFIX,
    ConfigFile,
    Setting,
    pairs,
    takes_pairs,
)
from auditor.cli.options.policies import policy_names
from auditor.cli.options.precedence import SOURCES
from auditor.clock import iso
from auditor.model import Position
from auditor.policy.loading.nodes import scalar
from auditor.redaction.fields import REDACTED, is_named_secret, looks_secret
from auditor.text import listed, one_line

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./=*-]*")
_WIDEST = 48
_NOWHERE = Position("", 1, 1)


def in_force(
    context: click.Context, keys: Mapping[str, click.Parameter], file: ConfigFile | None
) -> Iterator[str]:
    """Yield one line per option, and the variables in the environment that are not options."""
    yield f"# {CONFIG_FILE if file is None else one_line(file.name)}: " + (
        "not there" if file is None else "read"
    )
    rows = [row for key, parameter in keys.items() for row in _rows(context, key, parameter, file)]
    width = min(max((len(left) for left, _ in rows), default=0), _WIDEST)
    for left, origin in rows:
        yield f"{left:<{width}}  # {origin}" if origin else left
    if unset := [key for key, parameter in keys.items() if _is_unset(context, parameter)]:
        yield f"# not set: {listed(unset, 'and')}"
    known = {f"{PREFIX}CONFIG", *(f"{PREFIX}{key.upper()}" for key in keys)}
    for name in sorted(os.environ):
        # Another command's option: a key that no command has was refused before.
        if name.startswith(PREFIX) and name not in known:
            yield f"# {one_line(name)} is set, but is not an option of {context.info_name}"


def _rows(
    context: click.Context, key: str, parameter: click.Parameter, file: ConfigFile | None
) -> Iterator[tuple[str, str]]:
    """Yield the text for an option, and where it comes from."""
    if _is_unset(context, parameter):
        return
    setting = file.settings.get(key) if file else None
    if takes_pairs(parameter):
        yield f"{key}:", ""
        for text, source in pairs(context, parameter):
            yield _pair(text), _origin(source, parameter, setting, text)
        return
    source = context.get_parameter_source(str(parameter.name)) or ParameterSource.DEFAULT
    value = context.params[str(parameter.name)]
    if key == "policy":
        value, _ = policy_names(value)
    yield f"{key}: {_value(value)}", _origin(source, parameter, setting)


def _pair(text: str) -> str:
    name, _, value = text.partition("=")
    hides = is_named_secret(name) or looks_secret(value)
    return f"  {_text(name)}: {_text(REDACTED) if hides else _text(value, any_scalar=True)}"


def _is_unset(context: click.Context, parameter: click.Parameter) -> bool:
    value = context.params[str(parameter.name)]
    return (value is None or value == ()) and parameter.name not in {"policies", "paths"}


def _origin(
    source: ParameterSource, parameter: click.Parameter, setting: Setting | None, text: str = ""
) -> str:
    """Return where a value comes from; ``text`` selects one of several."""
    if source is ParameterSource.COMMANDLINE:
        return "command line"
    if source is ParameterSource.ENVIRONMENT:
        return f"environment, {parameter.envvar}"
    if source not in SOURCES[:-1] or setting is None:
        return "default"
    values = setting.value if isinstance(setting.value, tuple) else ()
    position = setting.positions[values.index(text) if text in values else 0]
    return f"{one_line(position.file)}:{position.line}"


def _value(value: object) -> str:
    """Return ``value`` as YAML, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{int(value) if value == int(value) else value}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_value, value))}]"
    text = iso(value) if isinstance(value, datetime) else str(value)
    return _text(REDACTED if "://" in text and looks_secret(text) else text)


def _text(text: str, *, any_scalar: bool = False) -> str:
    """Return ``text`` as a YAML scalar, quoted where it would be read as anything else."""
    read = scalar(text, _NOWHERE).value
    plain = _PLAIN.fullmatch(text) and (read is not None if any_scalar else read == text)
    return text if plain else json.dumps(text, ensure_ascii=False)
