"""Which account each resource of a plan belongs to, as far as its provider configurations show.

A plan names no account. It has the expressions of a configuration's credentials, and of each
expression only what it refers to: two that call a function on one variable look alike. So two
configurations are surely one account, surely two, or either; in doubt they are judged apart until
something else shows that they are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from auditor.errors import UsageError
from auditor.sources.plan.document import Module, Plan, ProviderConfig
from auditor.sources.plan.references import BY_KEY, PLAIN_VARIABLE, given_to, parse_where
from auditor.text import listed, one_line

#: The attributes that distinguish accounts.
_CREDENTIALS = ("api_key", "api_secret", "api_url")
#: The instance key of a configuration that has ``for_each``, such as ``["eu"]``.
_KEY = r'(?:\["(?:\\.|[^"\\])*"\])?'


class Credential(msgspec.Struct, frozen=True):
    """One of a configuration's credentials: ``value`` is equal if it is written alike.

    It is ``sure`` if what is written alike really is equal: a constant, or a credential that is not
    written.
    """

    value: object
    sure: bool


_UNSET = Credential((), sure=True)
#: Each by its name, None for one whose value is hidden.
Credentials = Mapping[str, Credential | None]
_HIDDEN: Credentials = dict.fromkeys(_CREDENTIALS)


class ProviderAccounts:
    """The accounts that a plan's provider configurations stand for, each by the name of one.

    One with ``for_each`` (OpenTofu) stands for several, and no plan says which of them a resource
    uses: each resource has an account of its own, which may be any other's.
    """

    def __init__(self, plan: Plan) -> None:
        self._credentials: dict[str, Credentials] = {}
        self._names: dict[str, str] = {}
        self._several: set[str] = set()
        #: Configurations found to be one account: the name that stands for it.
        self._united: dict[str, str] = {}
        for key, config in sorted(plan.configured.provider_config.items()):
            if not config.full_name.endswith("/fivetran") and config.name != "fivetran":
                continue
            given, several = _given(config, plan.configured.root_module)
            if several:
                self._several.add(key)
            same = (name for name, other in self._credentials.items() if _surely_one(given, other))
            self._names[key] = key if several else next(same, key)
            self._credentials.setdefault(self._names[key], given)
        # A destroyed resource is no longer configured: which of several accounts it is in is
        # unknown.
        names = set(self._names.values())
        self._only = names.pop() if len(names) == 1 and not self._several else ""

    def of(self, key: str, address: str) -> str:
        """Return the account of the resource at ``address``, by its provider configuration."""
        if key in self._several:
            return f"{key}[{address}]"
        return self._names.get(key, key or self._only)

    def may_be_one(self, one: str, other: str) -> bool:
        """Whether nothing distinguishes two accounts; "" is an unknown one."""
        if one == other or not one or not other:
            return True
        ours, theirs = self._credentials_of(one), self._credentials_of(other)
        return all(_may_be_equal(ours[name], theirs[name]) for name in _CREDENTIALS)

    def unite(self, names: Iterable[str]) -> None:
        """Unite those of ``names`` that are written alike: they share something of one account.

        Hidden ones stay apart.
        """
        by_value: dict[object, str] = {}
        for name in sorted({self.final(name) for name in names if name}):
            given = self._credentials_of(name)
            written = tuple(each.value for each in given.values() if each is not None)
            first = by_value.setdefault(written, name)
            if len(written) == len(_CREDENTIALS) and first != name:
                self._united[name] = first

    def final(self, name: str) -> str:
        """Return the name of the account that ``name`` was found to be."""
        while name in self._united:
            name = self._united[name]
        return name

    def used(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the accounts that any resource uses."""
        return tuple(sorted({self.final(name) for name in names if name}))

    def configuration(self, name: str) -> str:
        """Return the provider configuration that names an account."""
        return next((key for key in self._several if name.startswith(f"{key}[")), name)

    def estates(self, over: Sequence[str], names: Sequence[str]) -> dict[str, str]:
        """Return the listings that ``over`` names, by their accounts.

        ``names`` are the accounts of the plan. A single listing without a name is of the account
        "". Raises UsageError for an account without a listing, or if they do not fit.
        """
        keys = self._keys(names)
        if len(keys) <= 1 and not self._several.intersection(keys):
            if len(over) > 1:
                raise UsageError("--over is given twice, and the plan is of one account")
            return {"": over[0].removeprefix(f"{keys[0]}=") if keys else over[0]}
        named = [self._split(text, keys) for text in over]
        if named == [None]:
            self.check_one(names)
            return {"": over[0]}
        found = dict(filter(None, named))
        if len(found) < len(over) or {self.configuration(name) for name in found} != set(keys):
            raise self._what_to_write(names)
        return found

    def check_one(self, names: Sequence[str]) -> None:
        """Raise UsageError if the accounts ``names`` cannot be one."""
        for number, name in enumerate(names):
            if not all(self.may_be_one(name, other) for other in names[:number]):
                raise self._what_to_write(names)

    def refusal(self, name: str, names: Sequence[str], address: str) -> UsageError:
        """Return why the listing for an account's resources cannot be determined."""
        key = self.configuration(name)
        if key in self._several:
            return UsageError(
                f"the provider configuration {one_line(key)} has for_each, and neither the plan nor"
                f" a listing shows which of its accounts {one_line(address)} is in: give each"
                " account its own configuration, or its own plan; if all are one account,"
                f" write --over {one_line(key)}=SNAPSHOT"
            )
        others = [other for other in names if other != name and self.may_be_one(name, other)]
        alike = listed([self.configuration(other) for other in others[:3]], "or")
        return UsageError(
            f"the plan does not show whether the provider configuration {one_line(key)} is of the"
            f" same account as {one_line(alike)}: it shows what credentials refer to, but"
            f" not what a function makes of it; write {self._over_options(names)},"
            " with one SNAPSHOT for both if they are one account"
        )

    def _credentials_of(self, name: str) -> Credentials:
        return _HIDDEN if name != self.configuration(name) else self._credentials.get(name, _HIDDEN)

    def _keys(self, names: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(self.configuration(name) for name in names))

    def _split(self, text: str, keys: Sequence[str]) -> tuple[str, str] | None:
        """Return the account that ``NAME=SNAPSHOT`` names, or None, and the listing."""
        for key in keys:
            each = _KEY if key in self._several else ""
            match = re.match(f"({re.escape(key)}{each})=(.*)", text, re.DOTALL)
            if match is not None:
                return match[1], match[2]
        return None

    def _over_options(self, names: Iterable[str]) -> str:
        return one_line(
            " ".join(
                f"--over '{key}[\"KEY\"]=SNAPSHOT'"
                if key in self._several
                else f"--over {key}=SNAPSHOT"
                for key in self._keys(names)
            )
        )

    def _what_to_write(self, names: Sequence[str]) -> UsageError:
        keys = self._keys(names)
        return UsageError(
            f"the plan is of {len(keys)} accounts, one for each provider configuration"
            f" ({one_line(listed(keys, 'and'))}); write {self._over_options(names)}"
        )


def _given(config: ProviderConfig, root: Module) -> tuple[Credentials, bool]:
    """Return a configuration's arguments, and whether they depend on a ``for_each``."""
    try:
        given = msgspec.json.decode(config.expressions, type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError:
        return _HIDDEN, False
    names = tuple(name for name, _ in parse_where(config.module_address))
    found: dict[str, Credential | None] = {}
    several = False
    for name in _CREDENTIALS:
        found[name] = _credential(given[name], names, root) if name in given else _UNSET
        references = _references(given.get(name))
        several = several or any(each.startswith(BY_KEY) for each in references)
    return (_HIDDEN if several else found), several


def _references(raw: msgspec.Raw | None) -> Sequence[str]:
    found = given_to(raw, (), Module()) if raw is not None else None
    return found[0].references if found is not None else ()


def _credential(raw: msgspec.Raw, names: tuple[str, ...], root: Module) -> Credential | None:
    """Return the credential that an expression is, in the module that ``names`` lead to.

    A module's variable stands for what the module is given. None if that is hidden: by a function
    called on constants, or by a default, which is not read.
    """
    found = given_to(raw, names, root)
    if found is None:
        return None
    expression, where = found
    if expression.constant_value is not msgspec.UNSET:
        value = msgspec.json.encode(expression.constant_value, order="deterministic")
        return Credential(value, sure=True)
    if not expression.references or any(r.startswith(BY_KEY) for r in expression.references):
        return None
    if where and all(PLAIN_VARIABLE.fullmatch(name) for name in expression.references):
        return None  # By a default.
    return Credential((where, *expression.references), sure=False)


def _surely_one(ours: Credentials, theirs: Credentials) -> bool:
    """Whether two configurations are one account, whatever functions do."""
    mine, other = ours["api_key"], theirs["api_key"]
    if mine is None or mine != other or not mine.sure:
        return False
    # A key written out belongs to one account, whatever its secret is called.
    asked = ("api_url",) if mine is not _UNSET else _CREDENTIALS
    return all(
        ours[name] == theirs[name] and (given := ours[name]) is not None and given.sure
        for name in asked
    )


def _may_be_equal(ours: Credential | None, theirs: Credential | None) -> bool:
    return ours is None or theirs is None or ours == theirs
