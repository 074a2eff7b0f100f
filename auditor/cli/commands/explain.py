"""``fivetran-auditor explain``: the rules in force, or one of them in full."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Unpack

import click
from msgspec.structs import replace

from auditor.cli.config.command import Configurable, keys_of
from auditor.cli.options import completion
from auditor.cli.options.listing import listing_of, listing_options, seen_in, typed
from auditor.cli.options.policies import policy_names
from auditor.cli.options.shared import (
    ApiOptions,
    TimeType,
    facts_of,
    given,
    policy_option,
    var_option,
    variables_of,
)
from auditor.cli.terminal.streams import Terminal, style
from auditor.clock import in_words, to_the_second
from auditor.errors import UsageError
from auditor.model import Verdict
from auditor.policy.language.rules import GroupRule, PolicyRule
from auditor.policy.loading.examples import HEALTHY, Example
from auditor.policy.loading.load import Loaded, load
from auditor.text import listed, one_line, plural

if TYPE_CHECKING:
    from auditor.cli.terminal.layout import Layout
    from auditor.run import Look, Seen
    from auditor.sources import Source

#: The most other members of a group that are named.
_MEMBERS = 5


@click.command(
    name="explain",
    cls=Configurable,
    keys=dict.fromkeys(("rule", "connection", "terraform_plan", "fields", "packs", "operators")),
    short_help="List the rules in force, describe one, or show the reason for a verdict.",
)
@click.argument("rule", required=False, shell_complete=completion.rules)
@click.argument("connection", required=False)
@click.option(
    "--terraform-plan",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    shell_complete=completion.files,
    help="Show what a Terraform plan can tell each rule; with FILE, what that plan tells it.",
)
@policy_option
@var_option
@listing_options
@click.option("--now", type=TimeType(), metavar="TIME", help="Judge CONNECTION as of this time.")
@click.option("--fields", is_flag=True, help="List the fields of a connection.")
@click.option(
    "--facts",
    "facts",
    multiple=True,
    is_flag=False,
    flag_value="",
    metavar="[NAME=FILE]",
    shell_complete=completion.files,
    help="List the facts, including those the policies declare; with NAME=FILE, read the facts NAME"
    " from this file instead; repeatable.",
)
@click.option("--operators", is_flag=True, help="List the operators.")
@click.option("--packs", is_flag=True, help="List the shipped packs.")
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    rule: str | None,
    connection: str | None,
    terraform_plan: str | None,
    policies: tuple[str, ...],
    variables: tuple[str, ...],
    fields: bool,
    facts: tuple[str, ...],
    operators: bool,
    packs: bool,
    snapshot: str | None,
    now: datetime | None,
    timeout: float,
    **api: Unpack[ApiOptions],
) -> int:
    """List the rules in force and their locations; with RULE, describe that rule in full.

    With CONNECTION, an id or a name, it shows the reason for the rule's verdict there: the rule's
    conditions as a tree, with the result of each part and the connection's values. The connection
    is looked up in the live account, or in --snapshot or --terraform-plan.

    The English text of a rule's requirement is derived from the condition itself.
    """
    terminal: Terminal = context.obj
    flags = {
        "--fields": fields,
        "--facts": "" in facts,
        "--operators": operators,
        "--packs": packs,
    }
    lists = [name for name, wanted in flags.items() if wanted]
    if lists and rule is not None:
        raise UsageError(f"{listed(lists, 'and')} list what there is; leave {one_line(rule)} out")
    values, files = variables_of(variables), facts_of(tuple(filter(None, facts)))
    if lists:
        lines = _listed(lists, policies, values, files)
    else:
        names, chosen = policy_names(policies)
        loaded = load(names, variables=values, facts=files)
        if connection is not None:
            entry = loaded.ruleset.rule(str(rule))
            if terraform_plan is not None:
                source = _plan(context, terraform_plan)
            else:
                source = listing_of(context, snapshot, api, keys_of(context))
            look, seen = seen_in(
                source,
                replace(loaded.ruleset, rules=(entry,)),
                connection,
                terminal,
                now=now,
                timeout=timeout,
                lists=api["lists"],
            )
            lines = _why(look, seen, terminal.layout())
        elif lone := typed(context, {"snapshot", "now"}):
            raise UsageError(f"{listed(lone, 'and')}: name a rule and a connection")
        elif terraform_plan is not None:
            lines = _of_plans(loaded, terraform_plan, rule, terminal.layout())
        else:
            lines = (
                _all(loaded, chosen)
                if rule is None
                else _describe_rule(loaded, rule, terminal.layout())
            )
    for line in lines:
        terminal.say(line)
    return 0


def _listed(
    lists: Sequence[str],
    policies: tuple[str, ...],
    variables: Mapping[str, str],
    facts: Mapping[str, str],
) -> Iterator[str]:
    from auditor.cli.terminal import catalogue

    for number, name in enumerate(lists):
        if number:
            yield ""
        if name == "--fields":
            yield from catalogue.fields()
        elif name == "--facts":
            names, _ = policy_names(policies)
            loaded = load(names, variables=variables, facts=facts)
            yield from catalogue.facts(loaded.ruleset.facts.values())
        elif name == "--operators":
            yield from catalogue.operators()
        else:
            yield from catalogue.packs()


def _all(loaded: Loaded, chosen: str) -> Iterator[str]:
    ruleset = loaded.ruleset
    if chosen:
        yield f"no --policy was given: {chosen}\n"
    width = max(len(entry.rule.id) for entry in ruleset.rules)
    for policy in ruleset.policies:
        mine = [e.rule for e in ruleset.rules if e.rule.position.file == policy.file]
        title = f": {policy.title}" if policy.title else ""
        yield f"{style(policy.name, 'bold')}{title} ({policy.file}, {plural(len(mine), 'rule')})"
        for rule in mine:
            line = f"{rule.position.line}"
            yield f"  {rule.severity.label:<8}  {rule.id:<{width}}  {rule.title}  :{line}"
            for change in ruleset.overridden.get(rule.id, ()):
                yield f"  {'':<8}  {'':<{width}}  {style(change, 'dim')}"
        yield ""
    for note in ruleset.left_out:
        yield f"left out: {note}"
    for warning in ruleset.warnings:
        yield f"warning: {warning}"


def _of_plans(loaded: Loaded, path: str, only: str | None, layout: Layout) -> Iterator[str]:
    """Yield what plans, or the one at ``path``, can show about each rule in force."""
    from auditor.policy.judging.undecided import plan_answer

    entries = [e for e in loaded.ruleset.rules if only is None or e.rule.id == only]
    if not entries:
        yield from _describe_rule(loaded, only or "", layout)
    counts = _counts_of(loaded, path) if path else {}
    width = max(len(entry.rule.id) for entry in entries)
    for entry in entries:
        answer, missing = plan_answer(entry, datetime.now(UTC))
        held = f": none holds {listed(missing, 'and')}" if missing else ""
        said = counts.get(entry.rule.id, f"{answer.value}{held}")
        yield f"  {entry.rule.severity.label:<8}  {entry.rule.id:<{width}}  {said}"


def _counts_of(loaded: Loaded, path: str) -> Mapping[str, str]:
    """Return what the plan at ``path`` shows about each rule, by the rule's id."""
    from auditor.run import audit
    from auditor.sources.plan.source import PlanSource

    result = audit(PlanSource(path), loaded.ruleset)
    counts = {}
    for checks in result.checks:
        skipped = checks.count(Verdict.SKIP)
        parts = {
            "judged": checks.total - skipped - checks.count(Verdict.ERROR),
            "unknown until applied": checks.count(Verdict.ERROR),
            "not in the plan": checks.not_in_plan,
            "not applicable": skipped - checks.not_in_plan,
        }
        counts[checks.rule.id] = ", ".join(f"{n:,} {word}" for word, n in parts.items() if n)
    return counts


def _plan(context: click.Context, path: str) -> Source:
    """Return the plan at ``path``. Raises UsageError for options that cannot reach it."""
    from auditor.sources.plan.source import PlanSource

    if not path.strip():
        raise UsageError("--terraform-plan is empty; name the plan that CONNECTION is in")
    wrong = given(
        context,
        {"snapshot", *ApiOptions.__annotations__, "timeout"},
        "terraform_plan",
    )
    if wrong:
        raise UsageError(f"{listed(wrong, 'and')} cannot be used with --terraform-plan")
    return PlanSource(path)


def _why(look: Look, seen: Seen, layout: Layout) -> Iterator[str]:
    """Yield a rule's verdict on a connection, and why."""
    from auditor.cli.terminal.why import tree_lines, verdict

    result, about = look.result, seen.connection
    name = f"{about.service} {about.schema} ({about.id}), {about.group}"
    ((rule, explanations),) = seen.why
    yield f"{style(rule.id, 'bold')}  {rule.title}"
    for explained in explanations:
        where = f", its group {explained.group}" if rule.per else ""
        yield f"{name}{where}: {verdict(explained.verdict)}"
        yield ""
        yield from tree_lines(explained, layout)
        others = [result.connections[at] for at in explained.members if at != seen.at]
        if rule.per and others and explained.verdict is not Verdict.PASS:
            shown = [f"{each.service} {each.schema} ({each.id})" for each in others[:_MEMBERS]]
            more = len(others) - len(shown)
            yield f"  with {listed([*shown, *([f'{more:,} more'] if more else [])], 'and')}"
        yield ""
    if not explanations:
        yield f"{name}: no group counts it, because the plan ends it"
    yield result.clock_note or f"judged as of {to_the_second(result.judged_at)}"
    for problem in result.listing.problems:
        yield f"the listing is incomplete: {problem}"


def _describe_rule(loaded: Loaded, name: str, layout: Layout) -> Iterator[str]:
    entry = loaded.ruleset.rule(name)
    examples = next(found for each, found in loaded.examples if each.rule.id == name)
    rule = entry.rule
    yield f"{style(rule.id, 'bold')}  {rule.title}"
    yield f"{rule.severity.label}, {rule.policy}, {rule.position}"
    yield from loaded.ruleset.overridden.get(rule.id, ())
    yield ""
    most = in_words(rule.max_waiver) if rule.max_waiver is not None else ""
    for label, text in (
        ("requires that", rule.expects),
        ("applies when", rule.applies_when),
        ("judged per", listed(rule.per, "and") if rule.per else ""),
        ("why", rule.why),
        ("fix", rule.fix),
        ("tags", ", ".join(rule.tags)),
        ("controls", "; ".join(f"{name} {', '.join(codes)}" for name, codes in rule.controls)),
        ("waivers", (f"at most {most} from now" if most else "") if rule.waivable else "none"),
        ("reads", ", ".join(_reads(entry))),
    ):
        yield from _paragraph(label, text, layout)
    yield from _examples(examples)


def _reads(entry: PolicyRule | GroupRule) -> Sequence[str]:
    if isinstance(entry, PolicyRule):
        return entry.rule.reads
    return tuple(dict.fromkeys((*entry.keys, *entry.compared, *entry.common)))


def _paragraph(label: str, text: str, layout: Layout) -> Iterator[str]:
    if text:
        first, *rest = layout.folded(text, 16)
        yield f"  {style(f'{label:<14}', 'dim')}{first}"
        yield from (f"{' ' * 16}{line}" for line in rest)


def _examples(examples: Sequence[Example]) -> Iterator[str]:
    if not examples:
        return
    yield "\n  examples, over the healthy sample record"
    for example in examples:
        given = "; ".join(differences(record) for record in example.records)
        yield f"    {style(f'{example.expect.label:<6}', 'dim')} {one_line(given, 120)}"


def differences(record: Mapping[str, Any]) -> str:
    """Return what an example's record has that the healthy one does not."""
    parts = [
        f"{path} {json.dumps(value, ensure_ascii=False)}"
        for path, value in _leaves(record)
        if path != "id" and value != dict(_leaves(HEALTHY)).get(path, record)
    ]
    present = {path for path, _ in _leaves(record)}
    parts += [f"without {path}" for path, _ in _leaves(HEALTHY) if path not in present]
    return ", ".join(parts) or "as it is"


def _leaves(value: Mapping[str, Any], base: str = "") -> Iterator[tuple[str, Any]]:
    for key, held in value.items():
        path = f"{base}{key}"
        if isinstance(held, Mapping):
            yield from _leaves(held, f"{path}.")
        else:
            yield path, held
