"""``fivetran-auditor explain``: the rules in force, or one of them in full."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Unpack

import click
from msgspec.structs import replace

from auditor.cli.config.command import Configurable, keys_of
from auditor.cli.options import completion
from auditor.cli.options.listing import listing_of, listing_options, seen_in, typed
from auditor.cli.options.plan import (
    PlanChoice,
    beside_plan_options,
    check_beside_plan,
    plan_source,
    waivers_beside,
)
from auditor.cli.options.policies import policy_names
from auditor.cli.options.shared import (
    ApiOptions,
    TimeType,
    facts_of,
    lists_of,
    policy_option,
    var_option,
    variables_of,
)
from auditor.cli.terminal.streams import Terminal, style
from auditor.clock import in_words, to_the_second
from auditor.errors import SourceError, UsageError
from auditor.model import Rule, Verdict
from auditor.policy.language.rules import GroupRule, PolicyRule
from auditor.policy.loading.examples import HEALTHY, Example
from auditor.policy.loading.load import Loaded, load
from auditor.text import listed, one_line, plural

if TYPE_CHECKING:
    from auditor.cli.terminal.layout import Layout
    from auditor.model import Result, RuleChecks
    from auditor.policy.language.rules import Ruleset
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
@beside_plan_options
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
    over: tuple[str, ...],
    terraform_dir: str | None,
    on_unknown: str,
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
    is looked up in the live account, in --snapshot, or in --terraform-plan, which may be laid
    --over either.

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
        plan = _plan(context, terraform_plan, over, terraform_dir)
        names, chosen = policy_names(policies)
        loaded = load(names, variables=values, facts=files)
        if connection is not None:
            if terraform_plan == "":
                raise UsageError("--terraform-plan is empty; name the plan that CONNECTION is in")
            entry = loaded.ruleset.rule(str(rule))
            source = (
                listing_of(context, snapshot, api, keys_of(context))
                if plan is None
                else plan_source(plan, api, keys_of(context))
            )
            look, seen = seen_in(
                source,
                replace(loaded.ruleset, rules=(entry,)),
                connection,
                terminal,
                now=now,
                timeout=timeout,
                lists=api["lists"],
                skip_unknown=on_unknown == "skip",
                waivers=waivers_beside(source, None, terraform_dir),
            )
            lines = _why(look, seen, terminal.layout())
        elif lone := typed(context, {"snapshot", "now"}):
            raise UsageError(f"{listed(lone, 'and')}: name a rule and a connection")
        elif terraform_plan is not None:
            rules = loaded.ruleset.rules if rule is None else (loaded.ruleset.rule(rule),)
            if plan is None:
                lines = _of_plans(rules)
            else:
                lines = _of_one_plan(
                    plan_source(plan, api, keys_of(context)),
                    replace(loaded.ruleset, rules=rules),
                    terminal,
                    timeout=timeout,
                    lists=api["lists"],
                )
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


def _of_plans(entries: Sequence[PolicyRule | GroupRule]) -> Iterator[str]:
    """Yield what any plan can show about each rule."""
    from auditor.policy.judging.undecided import plan_answer

    said = []
    for entry in entries:
        answer, missing = plan_answer(entry, datetime.now(UTC))
        held = f": none holds {listed(missing, 'and')}" if missing else ""
        said.append((entry.rule, f"{answer.value}{held}"))
    return _beside_rules(said)


def _of_one_plan(
    source: Source, ruleset: Ruleset, terminal: Terminal, *, timeout: float, lists: Sequence[str]
) -> Iterator[str]:
    """Yield what a plan shows about each rule. Raises SourceError if nothing of it was judged."""
    from auditor.policy.judging.change import UNDECIDED
    from auditor.run import Options, audit

    # What is unknown until applied is counted as such: an error is something else.
    options = Options(
        timeout=timeout, scrubber=terminal.scrubber, lists=lists_of(lists), skip_unknown=True
    )
    result = audit(source, ruleset, options)
    problems = result.listing.problems
    if problems and not result.connections:
        raise SourceError("; ".join(problems))
    undecided = Counter(
        finding.rule.id
        for finding in result.findings
        if finding.verdict is Verdict.ERROR or finding.note == UNDECIDED
    )
    yield from _beside_rules([(c.rule, _counts(c, undecided[c.rule.id])) for c in result.checks])
    yield from _gaps(result)


def _beside_rules(said: Sequence[tuple[Rule, str]]) -> Iterator[str]:
    width = max(len(rule.id) for rule, _ in said)
    for rule, text in said:
        yield f"  {rule.severity.label:<8}  {rule.id:<{width}}  {text}"


def _counts(checks: RuleChecks, undecided: int) -> str:
    """Return what a plan shows about a rule, where what is unknown is skipped."""
    skipped = checks.count(Verdict.SKIP)
    parts = {
        "judged": checks.total - skipped - undecided,
        "cannot be judged": undecided,
        "unknown until applied": checks.left_unknown,
        "not in the plan": checks.not_in_plan,
        "not applicable": skipped - checks.left_unknown - checks.not_in_plan,
    }
    return ", ".join(f"{n:,} {word}" for word, n in parts.items() if n) or "nothing to judge"


def _gaps(result: Result) -> Iterator[str]:
    """Yield what is missing in the listing."""
    for problem in result.listing.problems:
        yield f"the listing is incomplete: {problem}"


def _plan(
    context: click.Context, path: str | None, over: tuple[str, ...], folder: str | None
) -> PlanChoice | None:
    """Return the plan to judge, None for none. Raises UsageError for options that do not fit."""
    if path:
        check_beside_plan(context, path)
        return PlanChoice(path, over, folder)
    if lone := typed(context, {"over", "terraform_dir"}):
        raise UsageError(f"{listed(lone, 'and')}: name the plan with --terraform-plan FILE")
    return None


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
    for finding in result.findings:
        # With where Terraform sets it, as the report says it.
        if finding.resources and about.id in {each.id for each in finding.connections}:
            yield finding.message
    yield result.clock_note or f"judged as of {to_the_second(result.judged_at)}"
    yield from _gaps(result)


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
