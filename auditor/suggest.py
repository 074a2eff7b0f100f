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

#: Fields as older answers of the API, Terraform and other tools call them, and ours.
FOREIGN_FIELDS = {
    **dict.fromkeys(("connection_id", "connector_id", "uid", "uuid"), "id"),
    **dict.fromkeys(("name", "connector_name", "connection_name", "display_name"), "schema"),
    **dict.fromkeys(("type", "service_type", "source_type", "connector", "source"), "service"),
    **dict.fromkeys(("destination_id", "groupid", "workspace_id"), "group_id"),
    **dict.fromkeys(("created_by", "creator", "user_id", "owner_id"), "connected_by"),
    **dict.fromkeys(("owner_email", "email"), "owner.email"),
    **dict.fromkeys(("created", "creation_time", "createdat"), "created_at"),
    **dict.fromkeys(("last_sync", "last_synced", "last_synced_at", "last_success"), "succeeded_at"),
    **dict.fromkeys(("last_failure", "last_failed_at", "last_error"), "failed_at"),
    **dict.fromkeys(
        ("frequency", "sync_interval", "interval", "schedule_interval"), "sync_frequency"
    ),
    **dict.fromkeys(("connection_type", "network", "networking"), "networking_method"),
    **dict.fromkeys(("state", "setup_status"), "status.setup_state"),
    **dict.fromkeys(("sync_status",), "status.sync_state"),
    **dict.fromkeys(("region", "location"), "destination.region"),
    **dict.fromkeys(("host", "hostname"), "config.host"),
    **dict.fromkeys(("group_name",), "group.name"),
}

#: Fields that mean the contrary of one of ours, and what to write instead.
CONTRARY_FIELDS = {
    **dict.fromkeys(("enabled", "active", "is_active", "running"), "paused: false"),
    **dict.fromkeys(("disabled", "is_paused", "inactive"), "paused: true"),
}

#: Objects mistaken for one of their values, and the field that holds it.
VALUES_OF = {
    "connector_type": "service",
    "group": "group_id",
    "destination": "group_id",
    "owner": "connected_by",
    "status": "status.setup_state",
    "schedule": "schedule.schedule_type",
}

#: Words that combine conditions in other tools, and what to write here.
FOREIGN_JOINS = {
    **dict.fromkeys(("and", "allof", "all_of", "must", "every", "&&"), "all: [ … ]"),
    **dict.fromkeys(("or", "anyof", "any_of", "oneof", "one_of", "should", "||"), "any: [ … ]"),
    **dict.fromkeys(
        ("nor", "none", "noneof", "none_of", "must_not", "neither"), "not: {any: [ … ]}"
    ),
    **dict.fromkeys(("!", "negate", "isnt", "not_"), "not: { … }"),
    **dict.fromkeys(("if", "then", "else", "unless"), "when: beside assert:"),
}

#: How an operator's contrary begins.
_DENYING = ("not_", "not", "does_not_", "doesnot", "no_", "isnt_", "is_not_", "never_")


def denied(word: str, operators: Mapping[str, object], foreign: Mapping[str, str]) -> str:
    """Return the operator whose contrary ``word`` is, such as ``not_contains``; "" for none."""
    low = word.lower().replace("-", "_")
    for start in sorted(_DENYING, key=len, reverse=True):
        rest = low.removeprefix(start)
        if rest != low:
            found = rest if rest in operators else foreign.get(rest, "")
            if found in operators:
                return found
    return ""


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
