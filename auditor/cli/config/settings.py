"""What a file and the environment may set, and how an option is called there."""

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
#: Where a run leaves what was judged of its account, among what its context knows.
JUDGED = "auditor.cli.judged"
#: Where it leaves the destinations of its reports.
PLACES = "auditor.cli.places"
#: An account's name is that of a folder too, on every system.
ACCOUNT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
#: Names that people give the file, and that are not read.
MISNAMED = ("auditor.yml", ".auditor.yaml", ".auditor.yml")
#: How an option that takes NAME=VALUE, again and again, is written in the help.
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


def _over(folder: Path, text: str) -> str:
    name, equals, path = text.rpartition("=")
    return text if path == LIVE else f"{name}{equals}{_path(folder, path)}"


#: The options that hold paths, by how a path in them is made one from the file's folder.
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
        "over": _over,
        "report": _report,
        "facts": _report,
    }
)


class Setting(NamedTuple):
    """What a file says of one option.

    ``value`` is what click takes for a default: a text as on the command line, a bool for a flag,
    a tuple of texts for an option that is repeated. ``positions`` are those of the texts.
    """

    value: str | bool | tuple[str, ...]
    positions: tuple[Position, ...]


class ConfiguredAccount(NamedTuple):
    """One of several accounts: the variables that hold its key and secret, and what it sets."""

    name: str
    variables: tuple[str, str]
    settings: Mapping[str, Setting]


class ConfigFile(NamedTuple):
    """A file that was read: its ``name`` as it was given, what it sets, by key, its accounts."""

    name: str
    settings: Mapping[str, Setting]
    accounts: Mapping[str, ConfiguredAccount] = MappingProxyType({})


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
