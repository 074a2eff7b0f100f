"""What a file and the environment may set, and the names of options there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import click
from click.core import ParameterSource

from auditor.cli.options.plan import LIVE
from auditor.cli.options.precedence import SOURCES
from auditor.model import Position

CONFIG_FILE = "auditor.yaml"
PREFIX = "FIVETRAN_AUDITOR_"
#: The key in a run's context for what was judged of its account.
JUDGED = "auditor.cli.judged"
#: The key in a run's context for the destinations of its reports.
PLACES = "auditor.cli.places"
#: An account's name also names a folder, on every system.
ACCOUNT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
#: Names that people give the file, but that are not read.
MISNAMED = ("auditor.yml", ".auditor.yaml", ".auditor.yml")
#: How the help writes an option that takes NAME=VALUE repeatedly.
_PAIR = re.compile(r"\[?[A-Z]+=[A-Z]+\]?")


def _path(folder: Path, text: str) -> str:
    return text if text == "-" or not text.strip() else (folder / text).as_posix()


def _is_path(text: str) -> bool:
    return "/" in text or text.lower().endswith((".yaml", ".yml")) or text in {".", ".."}


def _policy(folder: Path, text: str) -> str:
    if not _is_path(text):
        return text
    path = _path(folder, text)
    return path if _is_path(path) else f"./{path}"


def _report(folder: Path, text: str) -> str:
    name, equals, path = text.partition("=")
    return f"{name}={_path(folder, path)}" if equals else text


def _over_option(folder: Path, text: str) -> str:
    name, equals, path = text.rpartition("=")
    return text if path == LIVE else f"{name}{equals}{_path(folder, path)}"


#: The options that hold paths, with a function that makes one relative to the file's folder.
ANCHORS: Mapping[str, Callable[[Path, str], str]] = MappingProxyType(
    {
        "policy": _policy,
        "snapshot": _path,
        "waivers": _path,
        "baseline": _path,
        "history": _path,
        "output_dir": _path,
        "terraform_plan": _path,
        "terraform_dir": _path,
        "over": _over_option,
        "report": _report,
        "facts": _report,
    }
)


class Setting(NamedTuple):
    """A file's setting of one option.

    ``value`` is what click takes as a default: a text as on the command line, a bool for a flag, a
    tuple of texts for a repeated option. ``positions`` are those of the texts.
    """

    value: str | bool | tuple[str, ...]
    positions: tuple[Position, ...]


class ConfiguredAccount(NamedTuple):
    """One of several accounts: the variables that hold its key and secret, and what it sets."""

    name: str
    variables: tuple[str, str]
    settings: Mapping[str, Setting]


def _hidden(_position: Position) -> str:
    return ""


class ConfigFile(NamedTuple):
    """A file that was read: its ``name`` as given, its settings by key, its accounts.

    ``line`` returns the text at a position, to show it; "" if it may hold a credential.
    """

    name: str
    settings: Mapping[str, Setting]
    accounts: Mapping[str, ConfiguredAccount] = MappingProxyType({})
    line: Callable[[Position], str] = _hidden


def key_of(parameter: click.Parameter) -> str:
    """Return the name of ``parameter`` in a file: its long name, with underscores."""
    long = next((name for name in parameter.opts if name.startswith("--")), parameter.opts[0])
    return long.lstrip("-").replace("-", "_")


def takes_pairs(parameter: click.Parameter) -> bool:
    """Whether ``parameter`` is repeated with NAME=VALUE, and so is a mapping in a file."""
    repeated = isinstance(parameter, click.Option) and parameter.multiple
    return repeated and bool(_PAIR.fullmatch(parameter.metavar or ""))


def pairs(
    context: click.Context, parameter: click.Parameter
) -> Iterator[tuple[str, ParameterSource]]:
    """Yield each NAME=VALUE in force and its origin; for each name the nearest one counts."""
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
