"""Why each finding got its verdict, as columns of the page's data.

A rule's parts are in the data once. Their results, and the values beside them, are a *form* that
many findings share: a value that the finding or its connection already has is a mark, so that the
form is the same whatever the value. ``reports/templates/reasons.js`` reads it.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.fields import IDENTITY
from auditor.model import Connections, Finding, Reason, Result, RuleFindings, RuleReasons

#: Marks in place of a text's number: the finding's evidence for the line's path has it, its
#: connection has it, there is none, and it is not kept.
_IN_EVIDENCE, _OF_CONNECTION, _NONE, _LEFT_OUT = -1, -2, -3, -4
#: The number for a finding without a form.
_NO_FORM = -1
#: The most forms with texts of their own, per rule and for all rules together.
_MOST_OF_RULE, _MOST = 200, 4_000
#: The most forms without such texts, per rule.
_MOST_BARE = 50

#: Letters, and the value of each line: its text or a mark.
_Form = tuple[str | int, ...]


def reason_columns(result: Result) -> Iterator[tuple[str, object]]:
    """Yield each rule's lines, forms and the form of each of its findings; and the texts of values.

    A rule whose findings all have its first form has no list of them.
    """
    reasons = result.reasons
    if not reasons:
        return
    found = result.findings
    several = {each.rule.id: each for each in found.by_rule if each.rule.id in reasons}
    texts: dict[str, int] = {}
    left = _MOST
    columns: list[object] = []
    for rule in result.rules:
        of = reasons.get(rule.id)
        if of is None:
            columns.append(None)
            continue
        forms = _Forms(of, min(left, _MOST_OF_RULE))
        findings = several.get(rule.id)
        numbers = forms.numbers(findings, found.connections) if findings and of.of else []
        left -= forms.with_texts
        lines = [[line.key, line.depth, line.text, line.path] for line in of.lines]
        columns.append([lines, forms.columns(texts), numbers if any(numbers) else []])
    yield "reasons", columns
    yield "reasonTexts", list(texts)


class _Forms:
    """The forms of one rule's findings."""

    def __init__(self, of: RuleReasons, most: int) -> None:
        self._of = of.of
        self._most = most
        self._paths = [line.path for line in of.lines]
        self.with_texts = 0
        self.known: dict[_Form, int] = {}

    def numbers(self, findings: RuleFindings, connections: Connections) -> list[int]:
        """Return the number of each finding's form."""
        by_alike: dict[int, int] = {}
        first = dict(zip(reversed(findings.says), range(len(findings) - 1, -1, -1), strict=True))
        for says, said in enumerate(findings.statements):
            if said.alike not in by_alike:
                reason = self._of.get(said.alike)
                finding = findings.finding(first[says], connections)
                number = _NO_FORM if reason is None else self._number(finding, reason)
                by_alike[said.alike] = number
        return findings.each(lambda said: by_alike[said.alike])

    def _number(self, finding: Finding, reason: Reason) -> int:
        """Return the number of a form; if there are too many, of one without texts, or none."""
        form: _Form = (reason.truths, *self._values(finding, reason))
        has_texts = any(type(value) is str for value in form[1:])
        if has_texts and form not in self.known and self.with_texts >= self._most:
            values = [_LEFT_OUT if type(value) is str else value for value in form[1:]]
            form, has_texts = (reason.truths, *values), False
        if form not in self.known:
            if not has_texts and len(self.known) - self.with_texts >= _MOST_BARE:
                return _NO_FORM
            self.with_texts += has_texts
            self.known[form] = len(self.known)
        return self.known[form]

    def columns(self, texts: dict[str, int]) -> list[list[str | int]]:
        """Return each form with the numbers of its texts in ``texts``, adding new ones."""
        return [
            [
                letters,
                *[texts.setdefault(v, len(texts)) if type(v) is str else v for v in values],
            ]
            for letters, *values in self.known
        ]

    def _values(self, finding: Finding, reason: Reason) -> list[str | int]:
        """Return each line's value, as its text or a mark."""
        if not reason.values:
            return []
        said: dict[str, str] = {}
        for each in finding.evidence:
            said.setdefault(each.field, each.actual)  # The page takes a field's first.
        about = finding.connections[0] if len(finding.connections) == 1 else None
        return [
            _NONE
            if not text
            else _IN_EVIDENCE
            if said.get(path) == text
            else _OF_CONNECTION
            if path in IDENTITY and about is not None and getattr(about, path) == text
            else text
            for path, text in zip(self._paths, reason.values, strict=True)
        ]
