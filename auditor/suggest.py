"""Did you mean: the nearest right word for a wrong one."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.text import nearest as most_like

#: Operators as other tools call them, and ours.
FOREIGN_OPERATORS = {
    **dict.fromkeys(
        ("eq", "equal", "is", "is_equal_to", "==", "value", "const", "equals_to"), "equals"
    ),
    **dict.fromkeys(("ne", "neq", "not_equal", "is_not", "!=", "notequals"), "not_equals"),
    **dict.fromkeys(("greater_than", "more_than", "above", ">", "exclusiveMinimum"), "gt"),
    **dict.fromkeys(
        ("ge", "min", "minimum", "at_least", ">=", "greater_than_or_equal", "greaterthanorequals"),
        "gte",
    ),
    **dict.fromkeys(("less_than", "below", "<", "exclusiveMaximum"), "lt"),
    **dict.fromkeys(
        ("le", "max", "maximum", "at_most", "<=", "less_than_or_equal", "lessthanorequals"), "lte"
    ),
    **dict.fromkeys(
        ("within", "one_of", "any_of", "oneof", "enum", "enumeration", "anyin", "is_in"), "in"
    ),
    **dict.fromkeys(("ni", "notin", "none_of", "anynotin", "not_within"), "not_in"),
    **dict.fromkeys(("includes", "has", "intersect", "contain"), "contains"),
    **dict.fromkeys(("intersects", "anyof"), "contains_any"),
    **dict.fromkeys(("all_in", "allin", "is_subset", "subset", "difference"), "subset_of"),
    **dict.fromkeys(
        ("present", "defined", "not_null", "truthy", "is_defined", "required", "exist"), "exists"
    ),
    **dict.fromkeys(
        ("absent", "undefined", "is_null", "not_exists", "falsy", "null", "is_not_defined"),
        "exists: false",
    ),
    **dict.fromkeys(("empty", "isempty"), "is_empty"),
    **dict.fromkeys(("not_empty", "nonempty"), "is_empty: false"),
    **dict.fromkeys(("startswith", "prefix", "starting_with", "begins_with"), "starts_with"),
    **dict.fromkeys(("endswith", "suffix", "ending_with"), "ends_with"),
    **dict.fromkeys(("wildcard", "like", "fnmatch"), "glob"),
    **dict.fromkeys(("iequals", "equals_icase", "casefold"), "equals_ignore_case"),
    **dict.fromkeys(("size", "len", "minlength", "maxlength", "min_length"), "length"),
    **dict.fromkeys(("age", "older", "days_ago", "expired"), "older_than"),
    **dict.fromkeys(("newer", "since", "younger_than", "recent"), "newer_than"),
    **dict.fromkeys(("some", "any_element", "exists_item", "list_item"), "any_item"),
    **dict.fromkeys(("every", "each", "foreach", "for_all", "all_element"), "all_items"),
    **dict.fromkeys(("no_item", "none", "not_any_item"), "none_items"),
    **dict.fromkeys(("schema", "jsonschema"), "json_schema"),
}

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


def nearest(word: str, known: Iterable[str], foreign: dict[str, str] | None = None) -> str:
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
