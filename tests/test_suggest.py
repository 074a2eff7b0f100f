"""Did you mean: the right word for a wrong one, whatever tool the wrong one is from."""

from __future__ import annotations

import pytest

from auditor.policy.language.operators import FOREIGN_OPERATORS, OPERATORS
from auditor.policy.loading.documents import POLICY_KEYS
from auditor.policy.loading.rule_parser import RULE_KEYS
from auditor.suggest import AMBIGUOUS_PATTERNS, FOREIGN_KEYS, nearest


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("pasued", "did you mean paused?"),
        ("PAUSED", "did you mean paused?"),
        ("group-id", "did you mean group_id?"),
        ("zzzzzz", "one of paused, group_id, schema"),
    ],
)
def test_a_misspelt_word_is_told_the_likeliest_or_the_few_there_are(word: str, hint: str):
    assert nearest(word, ["paused", "group_id", "schema"]) == hint


def test_no_word_is_suggested_if_none_is_similar():
    words = [f"word{n}" for n in range(12)]
    assert nearest("zzz", words) == f"one of {', '.join(words)}"
    assert nearest("zzz", [*words, "word12"]) == ""
    assert nearest("zzz", []) == ""


def test_a_foreign_word_is_translated_before_similar_words_are_suggested():
    assert nearest("min", OPERATORS, FOREIGN_OPERATORS) == "did you mean gte?"
    assert nearest("Greater-Than", OPERATORS, FOREIGN_OPERATORS) == "did you mean gt?"
    assert nearest("not_exists", OPERATORS, FOREIGN_OPERATORS) == "did you mean exists: false?"
    assert nearest("exclusiveMaximum", OPERATORS, FOREIGN_OPERATORS) == "did you mean lt?"


def test_a_foreign_word_is_not_translated_to_a_word_unknown_there():
    assert "gte" not in nearest("min", ["equals", "max_items"], FOREIGN_OPERATORS)


def test_every_translation_leads_to_a_word_of_ours():
    assert {ours.partition(":")[0] for ours in FOREIGN_OPERATORS.values()} <= set(OPERATORS)
    assert set(FOREIGN_KEYS.values()) <= {*RULE_KEYS, *POLICY_KEYS}


def test_no_word_of_ours_is_translated_or_ambiguous():
    assert set(FOREIGN_OPERATORS).isdisjoint(OPERATORS)
    assert AMBIGUOUS_PATTERNS.isdisjoint({*OPERATORS, *FOREIGN_OPERATORS})
