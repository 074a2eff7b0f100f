"""``fivetran-auditor waive``: write a waiver for a finding into the waiver file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from auditor.acceptance.edit import NewWaiver, with_waiver
from auditor.acceptance.waivers import HOW_TO_END, Waiver, end_of, read_waivers, term_problem
from auditor.cli.config.command import Configurable
from auditor.cli.options import completion
from auditor.cli.options.policies import policy_names
from auditor.cli.options.repository import upward
from auditor.cli.options.shared import policy_option, var_option, variables_of
from auditor.cli.terminal.streams import Terminal
from auditor.clock import parse_duration
from auditor.errors import UsageError
from auditor.files import read_file
from auditor.model import Rule
from auditor.output.target import Target
from auditor.output.write import put_document
from auditor.policy.language.rules import Ruleset
from auditor.policy.loading import nodes
from auditor.policy.loading.load import load
from auditor.suggest import nearest
from auditor.text import one_line, plural

_FILE = "waivers.yaml"
_GLOB = re.compile(r"[*?\[]")
#: What Fivetran's ids look like: warm_lake.
_ID = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+", re.ASCII)
_RESOURCE = re.compile(r"(?:.*\.)?fivetran_connector\.", re.ASCII)
_OWN = ("rule", "connections", "owner", "reason", "expires")


@click.command(
    name="waive",
    cls=Configurable,
    keys=dict.fromkeys(_OWN),
    short_help="Add a waiver for a finding to the waiver file.",
)
@click.argument("rule", shell_complete=completion.rules)
@click.argument("connections", nargs=-1, required=True, metavar="CONNECTION...")
@click.option("--owner", required=True, metavar="TEXT", help="Who is responsible for the waiver.")
@click.option("--reason", required=True, metavar="TEXT", help="Why the violation is accepted.")
@click.option(
    "--expires",
    required=True,
    metavar="DATE",
    help="Last day of the waiver (UTC), such as 2027-06-30, or how long it lasts, such as 90d.",
)
@click.option(
    "--waivers",
    metavar="FILE",
    shell_complete=completion.files,
    help=f"Waiver file to write to; created if missing.  [default: {_FILE}]",
)
@policy_option
@var_option
@click.pass_obj
def command(
    terminal: Terminal,
    /,
    *,
    rule: str,
    connections: tuple[str, ...],
    owner: str,
    reason: str,
    expires: str,
    waivers: str | None,
    policies: tuple[str, ...],
    variables: tuple[str, ...],
) -> int:
    """Add a waiver of RULE for each CONNECTION, given by its id, to the waiver file.

    Comments in the file are kept, and the new text is read back before it replaces the file. A rule
    that its policy does not allow to be waived is refused, and so is an end later than its
    max_waiver.
    """
    names, _ = policy_names(policies)
    ruleset = load(names, variables=variables_of(variables)).ruleset
    waived = _rule(ruleset, rule)
    now = datetime.now(UTC)
    new = NewWaiver(
        waived.id,
        tuple(_id(name) for name in dict.fromkeys(connections)),
        _said("--reason", reason),
        _said("--owner", owner),
        _end(expires, now),
    )
    name = _file(waivers)
    data = _content(name)
    if data is not None:
        known = read_waivers(data, one_line(name), conditions=ruleset.conditions)
        _refuse_repeated(known.entries, new, now)
    text, after = with_waiver(data, one_line(name), new, ruleset.conditions)
    added = after.entries[-1]
    _refuse_term(added, waived, now)
    put_document(Target(Path(name)), [text], "choose another file with --waivers")
    what = plural(len(new.connections), "connection")
    terminal.say(f"waived {waived.id} for {what} {added.until}: {added.position}")
    for connection in new.connections:
        if not _ID.fullmatch(connection):
            terminal.say(_no_id(connection, added))
    if waivers is None:
        terminal.say(
            f"note: an audit reads it with --waivers {one_line(name)}, or if auditor.yaml sets"
            " waivers"
        )
    return 0


def _rule(ruleset: Ruleset, name: str) -> Rule:
    found = {entry.rule.id: entry.rule for entry in ruleset.rules}
    if name in found:
        return found[name]
    hint = ruleset.disabled.get(name) or nearest(name, found) or "explain lists the rules in force"
    raise UsageError(f"no rule is called {one_line(name)} ({hint})")


def _id(name: str) -> str:
    if not name.strip() or name != one_line(name) or _GLOB.search(name):
        raise UsageError(
            f"{one_line(name) or 'nothing'} is not a connection's id: reports show ids in"
            " brackets; write a waiver for more than ids by hand"
        )
    return name


def _no_id(name: str, waiver: Waiver) -> str:
    """Return what to write if ``name`` is not the id for which the waiver takes it."""
    what, key = ("a resource", "address") if _RESOURCE.match(name) else ("a connection", "schema")
    return (
        f"note: {name} does not look like an id, such as warm_lake, and the waiver covers that id"
        f" alone; if it is the name of {what}, write {{{key}: {name}}} at {waiver.position}"
    )


def _said(option: str, text: str) -> str:
    if not text.strip():
        raise UsageError(f"{option} is empty; an exception has a reason and an owner")
    return one_line(text, 500)


def _end(text: str, now: datetime) -> str:
    """Return the last day, or the moment, as the file has it. Raises UsageError for neither."""
    term = parse_duration(text)
    if term is None:
        if end_of(text) is None:
            wrong = f"--expires {one_line(text)}: that is not a date"
            raise UsageError(f"{wrong}; {HOW_TO_END}, or how long it holds, such as 90d")
        return text
    try:
        return f"{(now + term).date()}"
    except OverflowError as error:
        raise UsageError(f"--expires {one_line(text)}: that is not a duration") from error


def _file(given: str | None) -> str:
    if given is not None and not given.strip():
        raise UsageError("--waivers is empty; leave the option out")
    found = upward(_FILE) if given is None else None
    return given or (found.as_posix() if found is not None else _FILE)


def _content(name: str) -> bytes | None:
    """Return the content of the file; None if there is none. Raises UsageError."""
    try:
        return read_file(name, nodes.MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{one_line(name)}: cannot be read: {reason}") from error


def _refuse_repeated(known: Iterable[Waiver], new: NewWaiver, now: datetime) -> None:
    for waiver in known:
        exact = [s.exact for s in waiver.connections if s.name == "id" and not s.globs]
        same = len(exact) == len(waiver.connections) and all(e >= {*new.connections} for e in exact)
        whole = same and waiver.accepts is None and waiver.fits([new.rule])
        if whole and not waiver.is_expired(now):
            raise UsageError(f"{waiver.title} covers it already, {waiver.until}")


def _refuse_term(waiver: Waiver, rule: Rule, now: datetime) -> None:
    if problem := term_problem(waiver, rule, now):
        why, hint = problem
        raise UsageError(f"{why} ({hint})")
    if waiver.is_expired(now):
        raise UsageError(f"--expires: a waiver that held {waiver.until} accepts nothing")
