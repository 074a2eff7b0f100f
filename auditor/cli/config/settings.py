"""What a file and the environment may set, and how an option is called there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import click
from click.core import ParameterSource

from auditor.cli.options.precedence import SOURCES
from auditor.model import Position

CONFIG_FILE = "auditor.yaml"
PREFIX = "FIVETRAN_AUDITOR_"
#: How an option that takes NAME=VALUE, again and again, is written in the help.
_PAIR = re.compile(r"[A-Z]+=[A-Z]+")


class Setting(NamedTuple):
    """What a file says of one option.

    ``value`` is what click takes for a default: a text as on the command line, a bool for a flag,
    a tuple of texts for an option that is repeated. ``positions`` are those of the texts.
    """

    value: str | bool | tuple[str, ...]
    positions: tuple[Position, ...]


class ConfigFile(NamedTuple):
    """A file that was read: its ``name`` as it was given, and what it sets, by key."""

    name: str
    settings: Mapping[str, Setting]


def key_of(parameter: click.Parameter) -> str:
    """Return what ``parameter`` is called in a file: its long name, with underscores."""
    long = next((name for name in parameter.opts if name.startswith("--")), parameter.opts[0])
    return long.lstrip("-").replace("-", "_")


def takes_pairs(parameter: click.Parameter) -> bool:
    """Whether ``parameter`` is repeated for NAME=VALUE, and so is a mapping in a file."""
    repeated = isinstance(parameter, click.Option) and parameter.multiple
    return repeated and bool(_PAIR.fullmatch(parameter.metavar or ""))


def pairs(
    context: click.Context, parameter: click.Parameter
) -> Iterator[tuple[str, ParameterSource]]:
    """Yield each NAME=VALUE in force and where it comes from; a name counts where it is nearest."""
    name = str(parameter.name)
    typed: Sequence[str] = ()
    if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
        typed = context.params[name]
    layers = (typed, parameter.value_from_envvar(context), context.lookup_default(name))
    seen: set[str] = set()
    for source, texts in zip(SOURCES, layers, strict=False):
        fresh = [text for text in texts or () if text.partition("=")[0] not in seen]
        yield from ((text, source) for text in fresh)
        seen |= {text.partition("=")[0] for text in fresh}
