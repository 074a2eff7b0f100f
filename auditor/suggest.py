"""Did you mean: the nearest right word for a wrong one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from auditor.text import nearest as most_like

#: Names that anchor in some tools and not in others, so we ask which is meant.
AMBIGUOUS_PATTERNS = frozenset(
    "regex matches match pattern regexp regex_match notmatch =~ not_regex not_match".split()
)

#: Keys of rules and policies as other tools call them, and ours.
FOREIGN_KEYS = {
    **dict.fromkeys(("name", "rule", "key"), "id"),
    **dict.fromkeys(("level", "priority"), "severity"),
    **dict.fromkeys(
        ("condition", "conditions", "check", "definition", "then", "require", "validate", "expect"),
        "assert",
    ),
    **dict.fromkeys(("if", "given", "filter", "filters", "match", "where", "unless"), "when"),
    **dict.fromkeys(("description", "rationale", "reason"), "why"),
    **dict.fromkeys(("remediation", "guideline", "recommendation", "how_to_fix"), "fix"),
    **dict.fromkeys(("labels", "categories", "category"), "tags"),
    **dict.fromkeys(("group_by", "groupby", "by"), "per"),
    **dict.fromkeys(("examples", "fixtures"), "tests"),
    **dict.fromkeys(("compliance", "frameworks"), "controls"),
    **dict.fromkeys(("variables", "params", "parameters", "settings"), "vars"),
    **dict.fromkeys(("policies", "checks"), "rules"),
    **dict.fromkeys(("overrides",), "override"),
    **dict.fromkeys(("include", "includes", "import", "imports", "extend"), "extends"),
}


def nearest(word: str, known: Iterable[str], foreign: Mapping[str, str] | None = None) -> str:
    """Return a hint that names the likeliest right word, or lists the few there are."""
    words = list(known)
    low = word.lower().replace("-", "_")
    if foreign:
        ours = foreign.get(low) or foreign.get(word)
        if ours and ours.partition(":")[0] in words:
            return f"did you mean {ours}?"
    by_lower = {candidate.lower().replace("-", "_"): candidate for candidate in words}
    close = most_like(low, by_lower)
    if close:
        return f"did you mean {by_lower[close]}?"
    return f"one of {', '.join(words)}" if 0 < len(words) <= 12 else ""
