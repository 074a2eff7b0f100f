"""The accounts of a plan: which provider configurations stand for the same one."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from auditor.sources.plan.document import Module, Plan, ProviderConfig
from auditor.sources.plan.references import given_to, parse_where


class ProviderAccounts:
    """The accounts that a plan's provider configurations stand for."""

    def __init__(self, plan: Plan) -> None:
        self._names: dict[str, str] = {}
        seen: dict[object, str] = {}
        for key, config in plan.configured.provider_config.items():
            if not config.full_name.endswith("/fivetran") and config.name != "fivetran":
                continue
            identity = _credentials(config, plan.configured.root_module)
            self._names[key] = seen.setdefault(identity, key)
        # What is destroyed is configured no more: of several accounts, which one is not told.
        names = set(self._names.values())
        self._only = names.pop() if len(names) == 1 else ""

    def of(self, key: str) -> str:
        """Return the account that a resource's provider configuration stands for."""
        return self._names.get(key, key or self._only)

    def used(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the accounts that any resource uses."""
        return tuple(sorted(set(filter(None, names))))


def _credentials(config: ProviderConfig, root: Module) -> object:
    """Return what is equal for two provider configurations of one account, and for no others.

    A module's variable stands for what the module is given. What hides its value, as a call of a
    function does, is equal to nothing else.
    """
    try:
        given = msgspec.json.decode(config.expressions, type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError:
        return object()
    names = tuple(name for name, _ in parse_where(config.module_address))
    return tuple(
        (name, _told(given[name], names, root))
        for name in ("api_key", "api_secret", "api_url")
        if name in given
    )


def _told(raw: msgspec.Raw, names: tuple[str, ...], root: Module) -> object:
    """Return what an expression in the module that ``names`` lead to comes to."""
    found = given_to(raw, names, root)
    if found is None:
        return object()
    expression, names = found
    if expression.constant_value is not msgspec.UNSET:
        return msgspec.json.encode(expression.constant_value, order="deterministic")
    return (names, *expression.references) if expression.references else object()
