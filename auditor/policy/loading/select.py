"""Choosing among the rules in force: ``--only``, ``--skip`` and ``--tag``.

Every report says what was left out: a narrowed run must not look like a full one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import structs

from auditor.errors import UsageError
from auditor.model import Rule
from auditor.policy.language.patterns import glob
from auditor.policy.language.rules import Ruleset
from auditor.suggest import nearest
from auditor.text import listed, one_line, plural

_NAMED = 10


def select(
    ruleset: Ruleset,
    *,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    tags: Sequence[str] = (),
) -> Ruleset:
    """Return ``ruleset`` narrowed to rules that ``only`` names, ``tags`` mark, ``skip`` does not.

    ``only`` and ``skip`` are rule ids or globs. A rule stays if it matches any of ``only``, any of
    ``tags`` and none of ``skip``; an empty one sets no condition. Raises UsageError for a pattern
    or tag that no rule has, and when no rule is left.
    """
    rules = [entry.rule for entry in ruleset.rules]
    ids = [rule.id for rule in rules]
    wanted = _chosen(rules, "--only", only, ids, lambda rule: (rule.id,), ruleset)
    unwanted = _chosen(rules, "--skip", skip, ids, lambda rule: (rule.id,), ruleset)
    every_tag = sorted({tag for rule in rules for tag in rule.tags})
    tagged = _chosen(rules, "--tag", tags, every_tag, lambda rule: rule.tags, ruleset)
    kept = frozenset(ids) - unwanted
    kept &= wanted if only else kept
    kept &= tagged if tags else kept
    given = " ".join(
        f"{option} {one_line(text)}"
        for option, texts in (("--only", only), ("--skip", skip), ("--tag", tags))
        for text in texts
    )
    if not kept:
        raise UsageError(f"{given}: no rule is left, so there is nothing to judge")
    gone = [name for name in ids if name not in kept]
    if not gone:
        return ruleset
    names = listed([*gone[:_NAMED], f"{len(gone) - _NAMED} more"], "and")
    names = listed(gone, "and") if len(gone) <= _NAMED else names
    note = f"{given}: {plural(len(gone), 'rule')} of {len(ids)} left out ({names})"
    return structs.replace(
        ruleset,
        rules=tuple(entry for entry in ruleset.rules if entry.rule.id in kept),
        left_out=(note, *ruleset.left_out),
        unselected=(*ruleset.unselected, *gone),
        selected_by=given,
    )


def _chosen(
    rules: Iterable[Rule],
    option: str,
    patterns: Sequence[str],
    known: Sequence[str],
    words: Callable[[Rule], Sequence[str]],
    ruleset: Ruleset,
) -> frozenset[str]:
    """Return the ids of the rules that have a word which matches one of ``patterns``."""
    found: set[str] = set()
    for text in patterns:
        fits = glob(text)
        matched = {rule.id for rule in rules if any(map(fits, words(rule)))}
        if not matched:
            said = _no_such_rule(option, text, known, ruleset)
            raise UsageError(said, option=option.removeprefix("--"), item=text)
        found |= matched
    return frozenset(found)


def _no_such_rule(option: str, text: str, known: Sequence[str], ruleset: Ruleset) -> str:
    what = "has the tag" if option == "--tag" else "is called"
    hint = ruleset.disabled.get(text) or nearest(text, known) or "explain lists them"
    return f"{option} {one_line(text)}: no rule in force {what} {one_line(text)} ({hint})"
