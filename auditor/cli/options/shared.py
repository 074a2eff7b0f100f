"""Options that several commands share, and what they mean.

Every command that uses the API takes the same options and uses it in the same way; every command
that loads policies chooses them alike.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, TypeVar

import click
from click.core import ParameterSource

from auditor.cli.options import completion
from auditor.cli.options.policies import DEFAULT_PACK, POLICY_FOLDER
from auditor.cli.options.precedence import as_near
from auditor.clock import parse_duration, parse_timestamp
from auditor.errors import UsageError
from auditor.model import BASE_URL, Severity
from auditor.suggest import nearest
from auditor.text import listed, one_line

if TYPE_CHECKING:
    from auditor.policy.language.rules import Ruleset
    from auditor.sources.api.walk import FivetranSource

    _MomentType = click.ParamType[datetime]
    _AgeType = click.ParamType[timedelta]
else:
    # Older versions of click have no type argument here.
    _MomentType = _AgeType = click.ParamType

_NO_BAR = "none"
_YEAR = 31_536_000
_F = TypeVar("_F", bound=Callable[..., Any])


class TimeType(_MomentType):
    """A point in time with its zone."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the time in ``value``."""
        moment = value if isinstance(value, datetime) else parse_timestamp(value)
        if moment is None:
            said = f"{one_line(value)} is not a time with a zone; write 2026-01-31T12:00:00Z"
            self.fail(said, param, ctx)
        return moment


class AgeType(_AgeType):
    """A duration: ``90m``, ``36h``, ``7d``, ``2w``."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Return the duration in ``value``."""
        age = value if isinstance(value, timedelta) else parse_duration(str(value))
        if age is None or age <= timedelta(0):
            self.fail(f"{one_line(value)} is not a duration; write 90m, 36h, 7d or 2w", param, ctx)
        return age


class SecondsType(click.FloatRange):
    """A finite number of seconds, at most a year: whoever waits for ever decides nothing."""

    def __init__(self, *, min_open: bool = False) -> None:
        super().__init__(0, _YEAR, min_open=min_open)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number in ``value``; NaN would slip through a check of its range."""
        number: float = click.FLOAT.convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{one_line(str(value))} is not a number of seconds", param, ctx)
        return super().convert(value, param, ctx)


class ApiOptions(TypedDict):
    """The options that ``api_options`` passes to a command, except ``timeout``."""

    base_url: str
    group: str | None
    schema: str | None
    page_size: int
    verify_listing: bool
    max_wait: float
    lists: tuple[str, ...]


class Keys(NamedTuple):
    """Which environment variables hold the API key and its secret.

    ``variables`` are those of the chosen account, None for the usual ones; ``accounts`` are the
    names that could have been chosen.
    """

    variables: tuple[str, str] | None = None
    accounts: tuple[str, ...] = ()


def _not_empty(
    _context: click.Context, parameter: click.Parameter, value: str | None
) -> str | None:
    # An unset variable in a pipeline must not widen or narrow what is listed.
    if value is not None and not value.strip():
        raise click.BadParameter("it is empty; leave the option out", param=parameter)
    return value


def checked(check: Callable[[Any], object]) -> Callable[..., Any]:
    """Return a callback that passes an option's value to ``check`` and keeps it as it is."""

    def callback(_context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
        check(value)
        return value

    return callback


_API_OPTIONS = (
    click.option(
        "--base-url",
        metavar="URL",
        default=BASE_URL,
        show_default=True,
        help="Address of the API: https, or http on loopback.",
    ),
    click.option(
        "--group", metavar="ID", callback=_not_empty, help="Only connections in this group."
    ),
    click.option(
        "--schema", metavar="NAME", callback=_not_empty, help="Only the connection with this name."
    ),
    click.option(
        "--page-size",
        type=click.IntRange(1, 1000),
        default=1000,
        show_default=True,
        metavar="N",
        help="Connections per page, 1 to 1000.",
    ),
    click.option(
        "--verify-listing",
        is_flag=True,
        help="Repeat the walk until two in a row list the same connections, and check that the API"
        " key sees all of them.",
    ),
    click.option(
        "--with",
        "lists",
        multiple=True,
        metavar="LIST",
        shell_complete=completion.lists,
        callback=checked(lambda texts: lists_of(texts)),  # noqa: PLW0108  # defined below
        help="Also read another list of the account, such as users; repeatable, or separated by"
        " commas. Lists that rules need are always read.",
    ),
    click.option(
        "--max-wait",
        type=SecondsType(),
        default=120,
        show_default=True,
        metavar="SECONDS",
        help="Longest total wait for rate limits.",
    ),
    click.option(
        "--timeout",
        type=SecondsType(min_open=True),
        default=600,
        show_default=True,
        metavar="SECONDS",
        help="Longest time for the whole listing.",
    ),
)

allow_empty_option = click.option(
    "--allow-empty", is_flag=True, help="Accept a listing without connections."
)


policy_option = click.option(
    "-p",
    "--policy",
    "policies",
    multiple=True,
    metavar="FILE|FOLDER|PACK",
    shell_complete=completion.policies,
    help="Policies to judge by; repeatable. A path contains a / or ends in .yaml; any other name is"
    f" a shipped pack.  [default: ./{POLICY_FOLDER} if it exists, else the pack {DEFAULT_PACK}]",
)

#: For commands that take paths as arguments: ``audit``'s option is understood too.
more_policies_option = click.option(
    "-p",
    "--policy",
    "more",
    multiple=True,
    metavar="FILE|FOLDER|PACK",
    shell_complete=completion.policies,
    help="Same as a path argument; spelled as in `audit`.",
)


def paths_of(context: click.Context) -> tuple[str, ...]:
    """Return the policies of a command that takes them as arguments, and after ``--policy`` too.

    A file or the environment counts if the command line names none.
    """
    paths: tuple[str, ...] = context.params["paths"]
    more: tuple[str, ...] = context.params["more"]
    typed = context.get_parameter_source("paths") is ParameterSource.COMMANDLINE
    return (*paths, *more) if typed or not more else more


var_option = click.option(
    "--var",
    "variables",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set a variable declared by a policy; repeatable.",
)

facts_option = click.option(
    "--facts",
    "facts",
    multiple=True,
    metavar="NAME=FILE",
    shell_complete=completion.files,
    help="Read the facts NAME, declared by a policy, from this file instead; repeatable.",
)

dimensions_option = click.option(
    "--dimensions",
    "dimensions",
    multiple=True,
    metavar="NAME=FIELD",
    help="Show a field or fact of each connection in reports, such as team=tiers.team; repeatable.",
)

strict_option = click.option(
    "--strict",
    is_flag=True,
    help="Treat policy warnings as errors, and an idle rule or a listing of unknown completeness as"
    " inconclusive; implies --verify-listing.",
)

fail_on_option = click.option(
    "--fail-on",
    type=click.Choice([*(severity.label for severity in Severity), _NO_BAR]),
    default=Severity.LOW.label,
    show_default=True,
    help="Lowest severity that makes the exit code 1.",
)

history_option = click.option(
    "--history",
    metavar="FOLDER",
    callback=_not_empty,
    help="Record each run in this folder, for trends and for how long each finding has been open.",
)

_OUTPUT_OPTIONS = (
    click.option("-q", "--quiet", is_flag=True, help="Print only the gate's answer."),
    click.option("-v", "--verbose", is_flag=True, help="Print more; show the traceback of a bug."),
    click.option("--no-color", is_flag=True, help="Print without colour, as NO_COLOR does."),
)


def api_options(command: _F) -> _F:
    """Add the options of a command that uses the API."""
    return _decorated(_API_OPTIONS, command)


def output_options(command: _F) -> _F:
    """Add the options for how much is printed, and how."""
    return _decorated(_OUTPUT_OPTIONS, command)


def given(context: click.Context, names: set[str], beside: str) -> list[str]:
    """Return those of the parameters ``names`` that were given beside ``beside``, as options.

    A value farther from the user than ``beside``, such as a file's default compared with the
    command line, was not meant for this run.
    """
    return [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name in names and as_near(context, parameter.name, beside)
    ]


def severity_of(fail_on: str) -> Severity | None:
    """Return the severity that ``--fail-on`` names; None for none."""
    return None if fail_on == _NO_BAR else Severity[fail_on.upper()]


def variables_of(settings: tuple[str, ...]) -> dict[str, str]:
    """Return ``--var`` arguments by name. Raises UsageError for one without ``=``, or twice."""
    return _named(settings, "--var", "VALUE")


def facts_of(settings: tuple[str, ...]) -> dict[str, str]:
    """Return ``--facts`` arguments by name. Raises UsageError for one without ``=``, or twice."""
    return _named(settings, "--facts", "FILE")


def dimensions_of(settings: tuple[str, ...], ruleset: Ruleset) -> dict[str, str]:
    """Return the paths that ``--dimensions`` names. Raises UsageError for an unknown field."""
    from auditor.fields import FIELDS, find

    own = own_fields(ruleset)
    found = _named(settings, "--dimensions", "FIELD")
    for name, path in found.items():
        if "[]" in path or (find(path) is None and path not in own):
            known = [*(p for p in FIELDS if "[]" not in p), *own]
            hint = nearest(path, known) or "explain --fields and --facts list them"
            wrong = f"{one_line(name)}={one_line(path)}"
            said = f"--dimensions {wrong}: there is no such field ({hint})"
            raise UsageError(said, option="dimensions", item=name)
    return found


def own_fields(ruleset: Ruleset) -> frozenset[str]:
    """Return the paths of the user's own facts."""
    return frozenset(f.path for facts in ruleset.facts.values() for f in facts.fields())


def lists_of(settings: Iterable[str]) -> tuple[str, ...]:
    """Return the facts whose lists ``--with`` names. Raises UsageError for an unknown list."""
    from auditor.facts.shape import through
    from auditor.fields import FACT_LISTS

    names = {fact.resource: name for name, fact in FACT_LISTS.items()}
    facts = {name: fact.resource for name, fact in FACT_LISTS.items()}
    found: dict[str, None] = {}
    for text in settings:
        for word in (part.strip() for part in text.split(",")):
            if word not in names:
                hint = nearest(word, names, facts) or f"lists: {listed(names)}"
                said = f"--with {one_line(word) or 'nothing'}: no such list ({hint})"
                raise UsageError(said, option="with", item=text)
            found[names[word]] = None
    # A list is read together with the one that says where its rows belong.
    return tuple(dict.fromkeys((*found, *filter(None, map(through, found)))))


def _named(settings: tuple[str, ...], option: str, value_name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals or not name or (value_name == "FILE" and not value):
            said = f"{option} {one_line(text)}: write {option} NAME={value_name}"
            raise UsageError(said, option=option.removeprefix("--"), item=name)
        if name in found:
            raise UsageError(f"{option} {one_line(name)} is given twice")
        found[name] = value
    return found


def _decorated(options: tuple[Callable[[Any], Any], ...], command: _F) -> _F:
    for option in reversed(options):
        command = option(command)
    return command


def api_source(options: ApiOptions, keys: Keys = Keys()) -> FivetranSource:  # noqa: B008  # frozen
    """Return the API that ``options`` and the environment's credentials, under ``keys``, describe.

    Raises UsageError for credentials or an address that do not fit.
    """
    # Imported here: no other command needs HTTP, which takes longest to load.
    from auditor.sources.api.account import VARIABLES, credentials_from
    from auditor.sources.api.client import HttpOptions
    from auditor.sources.api.walk import FivetranSource

    credentials = credentials_from(
        os.environ,
        VARIABLES if keys.variables is None else (keys.variables,),
        f"name an account with --account: {listed(keys.accounts, 'or')}" if keys.accounts else "",
    )
    for option, value in (("--group", options["group"]), ("--schema", options["schema"])):
        if value in {credentials.key, credentials.secret}:
            said = f"{option} holds the API key or its secret; correct the pipeline"
            raise UsageError(said, option=option.removeprefix("--"))
    return FivetranSource(
        options["base_url"],
        credentials,
        group=options["group"],
        schema=options["schema"],
        page_size=options["page_size"],
        verify_listing=options["verify_listing"],
        options=HttpOptions(max_wait=options["max_wait"]),
    )
