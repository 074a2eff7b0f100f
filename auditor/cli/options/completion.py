"""What the shell offers for the values of options and arguments.

Each function is a ``shell_complete`` for click: it takes the context, the parameter and the text
typed so far, and returns what may follow. Nothing here fails: a policy with mistakes offers what
can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import click
from click.shell_completion import CompletionItem

from auditor.cli.options.policies import policy_names
from auditor.errors import UsageError
from auditor.text import one_line

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def files(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer the shell's own files."""
    return [CompletionItem(typed, type="file")]


def listings(
    _context: click.Context, _parameter: click.Parameter, typed: str
) -> list[CompletionItem]:
    """Offer the live account, and files."""
    return [CompletionItem(typed, type="file"), *_starting(typed, ["live"])]


def policies(
    _context: click.Context, _parameter: click.Parameter, typed: str
) -> list[CompletionItem]:
    """Offer the shipped packs, and files."""
    from auditor.policy.loading.documents import pack_names

    return [CompletionItem(typed, type="file"), *_starting(typed, pack_names())]


def rules(context: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer the ids of the rules in the policies that were named, with their titles."""
    found = [(one_line(node_id), one_line(title)) for node_id, title, _ in _rules(context)]
    return [CompletionItem(name, help=title) for name, title in found if name.startswith(typed)]


def tags(context: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer the tags of the rules in the policies that were named."""
    return _starting(typed, sorted({one_line(tag) for *_, own in _rules(context) for tag in own}))


def lists(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Offer the other lists of the account."""
    from auditor.fields import FACT_LISTS

    return _starting(typed, [fact.resource for fact in FACT_LISTS.values()])


def words(known: Iterable[str]) -> Complete:
    """Return a function that offers the words ``known``."""
    known = tuple(known)

    def complete(
        _context: click.Context, _parameter: click.Parameter, typed: str
    ) -> list[CompletionItem]:
        return _starting(typed, known)

    return complete


def _starting(typed: str, known: Iterable[str]) -> list[CompletionItem]:
    return [CompletionItem(word) for word in known if word.startswith(typed)]


def _rules(context: click.Context) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the id, title and tags of each rule, as far as the files can be read."""
    from auditor.policy.loading.documents import DocumentReader, policy_paths
    from auditor.policy.loading.nodes import MappingNode, ScalarNode, SequenceNode
    from auditor.policy.loading.problems import Problems

    names, _ = policy_names(tuple(context.params.get("policies") or ()))
    reader = DocumentReader(Problems())
    for name in names:
        with suppress(UsageError):
            for source in policy_paths(name):
                reader.read(source)
    for rule in (node for document in reader.documents.values() for node in document.rules):
        if not isinstance(rule, MappingNode) or not isinstance(rule.get("id"), ScalarNode):
            continue
        own = rule.get("tags")
        items = own.items if isinstance(own, SequenceNode) else ()
        yield _text(rule.get("id")), _text(rule.get("title")), [_text(item) for item in items]


def _text(node: object) -> str:
    return str(getattr(node, "text", ""))
