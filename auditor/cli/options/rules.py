"""Options that choose rules and accept violations, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click
from msgspec.structs import replace

from auditor.cli.options import completion
from auditor.cli.options.shared import checked
from auditor.errors import PolicyError, UsageError, about
from auditor.model import Severity
from auditor.policy import Ruleset
from auditor.policy.loading.select import select
from auditor.text import listed, one_line

if TYPE_CHECKING:
    from auditor.acceptance.baseline import Baseline
    from auditor.acceptance.waivers import Waivers
    from auditor.policy.language.conditions import Condition

_F = TypeVar("_F", bound=Callable[..., Any])
_LIMIT = re.compile(r"[0-9]{1,9}", re.ASCII)
_SEVERITIES = {severity.label: severity for severity in Severity}


class ExceptionOptions(TypedDict):
    """The options that ``exception_options`` passes to a command."""

    only: tuple[str, ...]
    skip: tuple[str, ...]
    tags: tuple[str, ...]
    limits: tuple[str, ...]
    waivers: str | None
    baseline: str | None


def limits_of(texts: Sequence[str]) -> dict[Severity, int]:
    """Return ``--max`` arguments by severity. Raises UsageError for what is not SEVERITY=N."""
    found: dict[Severity, int] = {}
    for text in texts:
        name, _, number = text.partition("=")
        severity = _SEVERITIES.get(name)
        if severity is None or not _LIMIT.fullmatch(number):
            raise UsageError(
                f"--max {one_line(text)}: write a severity ({listed(_SEVERITIES)}) and a number,"
                " as --max low=20",
                option="max",
                item=name,
            )
        if severity in found:
            raise UsageError(f"--max {name} is given twice")
        found[severity] = int(number)
    return found


_OPTIONS = (
    click.option(
        "--only",
        multiple=True,
        metavar="RULE",
        shell_complete=completion.rules,
        help="Judge only rules whose id matches this id or glob; repeatable.",
    ),
    click.option(
        "--skip",
        multiple=True,
        metavar="RULE",
        shell_complete=completion.rules,
        help="Leave out rules whose id matches this id or glob; repeatable.",
    ),
    click.option(
        "--tag",
        "tags",
        multiple=True,
        metavar="TAG",
        shell_complete=completion.tags,
        help="Judge only rules with this tag; repeatable.",
    ),
    click.option(
        "--max",
        "limits",
        multiple=True,
        metavar="SEVERITY=N",
        callback=checked(limits_of),
        shell_complete=completion.words(f"{name}=" for name in _SEVERITIES),
        help="Allow up to N violations of this severity, whatever --fail-on says; repeatable.",
    ),
    click.option(
        "--waivers",
        metavar="FILE",
        shell_complete=completion.files,
        help="File of accepted violations, each with a reason, an owner and an end.",
    ),
    click.option(
        "--baseline",
        metavar="REPORT.json",
        shell_complete=completion.files,
        help="An earlier JSON report: its violations are known and do not gate; new ones do.",
    ),
)

waivers_option = _OPTIONS[-2]


def exception_options(command: _F) -> _F:
    """Add the options that choose rules and accept violations."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def selected(ruleset: Ruleset, options: ExceptionOptions) -> Ruleset:
    """Return the rules that ``options`` choose. Raises UsageError if there are none."""
    for option, texts in (("--only", options["only"]), ("--skip", options["skip"])):
        _check_texts(option, texts)
    _check_texts("--tag", options["tags"])
    return select(ruleset, only=options["only"], skip=options["skip"], tags=options["tags"])


def waivers_of(
    name: str | None,
    *,
    strict: bool,
    conditions: Mapping[str, Condition] | None = None,
    ruleset: Ruleset | None = None,
) -> Waivers | None:
    """Return the waivers in the file ``name``, which may name ``conditions``.

    With a ``ruleset`` they may name its own, and a waiver that can waive none of its rules is a
    warning. Raises PolicyError, UsageError.
    """
    if name is None:
        return None
    _check_texts("--waivers", [name])
    from auditor.acceptance.waivers import idle_whiles, load_waivers

    if ruleset is not None:
        conditions = ruleset.conditions
    with about("waivers"):
        waivers = load_waivers(name, strict=strict, conditions=conditions)
    if ruleset is None:
        return waivers
    idle = tuple(idle_whiles(waivers, ruleset))
    if strict and idle:
        raise PolicyError(idle)
    return replace(waivers, warnings=(*waivers.warnings, *idle))


def baseline_of(name: str | None) -> Baseline | None:
    """Return the baseline in the file ``name``. Raises UsageError if it cannot be one."""
    if name is None:
        return None
    _check_texts("--baseline", [name])
    from auditor.acceptance.baseline import read_baseline

    with about("baseline"):
        return read_baseline(name)


def _check_texts(option: str, texts: Iterable[str]) -> None:
    # An unset variable in a pipeline must not silently accept violations or leave rules out.
    if not all(text.strip() for text in texts):
        raise UsageError(f"{option} is empty; leave the option out")
