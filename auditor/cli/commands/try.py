"""``fivetran-auditor try``: the verdict of a rule on a made-up record, and why."""  # noqa: N999  # the command's name

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from auditor.cli.config.command import Configurable
from auditor.cli.options import completion
from auditor.cli.options.policies import policy_names
from auditor.cli.options.shared import TimeType, policy_option, var_option, variables_of
from auditor.cli.terminal.streams import Terminal, style
from auditor.clock import to_the_second
from auditor.errors import PolicyError, UsageError
from auditor.files import read_file
from auditor.text import one_line

if TYPE_CHECKING:
    from auditor.cli.terminal.layout import Layout
    from auditor.policy.language.rules import GroupRule, PolicyRule
    from auditor.policy.loading.examples import Given
    from auditor.policy.loading.load import Loaded


@click.command(
    name="try",
    cls=Configurable,
    keys=dict.fromkeys(("rule", "given", "without", "now")),
    short_help="Judge a made-up record by one rule, and show why.",
)
@click.argument("rule", shell_complete=completion.rules)
@click.option(
    "--given",
    metavar="{…}|@FILE|-",
    default="{}",
    help="The record's fields, written like an example's given and applied to the healthy record;"
    " @FILE reads them from a file, - from standard input. A rule on groups takes a list."
    "  [default: no changes]",
)
@click.option(
    "--without",
    multiple=True,
    metavar="PATH",
    help="Leave this field out of the record; repeatable.",
)
@policy_option
@var_option
@click.option(
    "--now",
    type=TimeType(),
    metavar="TIME",
    help="Judge as of this time.  [default: that of examples]",
)
@click.pass_obj
def command(
    terminal: Terminal,
    /,
    *,
    rule: str,
    given: str,
    without: tuple[str, ...],
    policies: tuple[str, ...],
    variables: tuple[str, ...],
    now: datetime | None,
) -> int:
    """Judge a made-up record by RULE, and show why it gets its verdict.

    The record is the healthy one that examples start from, with the changes in --given. The
    rule's conditions are shown as a tree, with the result of each part and the record's values.
    Exits with 0 whatever the verdict is: this is an answer, not a gate.
    """
    from auditor.policy.loading.load import load

    names, _ = policy_names(policies)
    loaded = load(names, variables=variables_of(variables))
    entry = loaded.ruleset.rule(rule)
    made = _given(given, without, entry, loaded)
    if given == "-" or given.startswith("@"):
        # A file may be a record of the live account, whose values are not for everybody.
        made = replace(made, text=_named(given))
    for line in _explained(entry, made, loaded, now, terminal.layout()):
        terminal.say(line)
    return 0


def _given(
    text: str, without: tuple[str, ...], entry: PolicyRule | GroupRule, loaded: Loaded
) -> Given:
    """Return the records that ``--given`` and ``--without`` make. Raises PolicyError."""
    from auditor.model import Position
    from auditor.policy.language.rules import GroupRule
    from auditor.policy.loading import nodes
    from auditor.policy.loading.examples import given_of
    from auditor.policy.loading.nodes import SequenceNode, scalar
    from auditor.policy.loading.problems import Problems

    data, label = _read(text)
    problems = Problems()
    problems.knows(label, data)
    try:
        root, found = nodes.parse(data, label)
    except nodes.YamlError as error:
        raise PolicyError(error.problems) from error
    problems.extend(found)
    at = Position("--without", 1, 1)
    leave = SequenceNode(at, tuple(scalar(path, at) for path in without)) if without else None
    made = given_of(
        root,
        leave,
        root,
        problems,
        grouped=isinstance(entry, GroupRule),
        known=loaded.known,
    )
    if problems.errors or made is None:
        raise PolicyError(problems.errors)
    return made


def _read(text: str) -> tuple[bytes, str]:
    """Return the text of ``--given``, and its name in messages. Raises UsageError."""
    from auditor.policy.loading.nodes import MAX_BYTES

    if text == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1), "standard input"
    if not text.startswith("@"):
        if not text.strip():
            raise UsageError("--given is empty; write what the record has, such as {paused: true}")
        return text.encode("utf-8", "surrogateescape"), "--given"
    try:
        return read_file(text[1:], MAX_BYTES + 1), text[1:]
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"--given {one_line(text)}: cannot be read: {why}") from error


def _named(given: str) -> str:
    return "the record given" if given == "-" else f"the record in {one_line(given[1:])}"


def _explained(
    entry: PolicyRule | GroupRule,
    made: Given,
    loaded: Loaded,
    now: datetime | None,
    layout: Layout,
) -> Iterator[str]:
    from auditor.cli.terminal.why import tree_lines, verdict
    from auditor.policy.loading.examples import NOW
    from auditor.policy.testing.examples_run import Trial

    moment = now or NOW
    explained, findings = Trial(entry, loaded.ruleset.facts).tried(made.records, moment)
    yield f"{style(entry.rule.id, 'bold')}  {entry.rule.title}"
    for each in explained:
        where = f"in {each.group}, of " if each.group else ""
        yield f"{where}{made.text}: {verdict(each.verdict)}"
        yield ""
        yield from tree_lines(each, layout)
        yield ""
    for finding in findings:
        yield f"  {style('a report says', 'dim')}  {finding.message}"
    if findings:
        yield ""
    yield f"judged as of {to_the_second(moment)}"
