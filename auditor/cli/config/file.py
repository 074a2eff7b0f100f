"""``auditor.yaml``: defaults for the options of ``audit`` and of the commands that share them.

A key is an option's long name with underscores, and its value is checked by the option's own type,
so every new option can be configured. The file's JSON Schema is derived from the same options. All
problems are reported together, each with its position.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from auditor.cli.config.origin import in_words_of
from auditor.cli.config.settings import (
    ACCOUNT_NAME,
    ANCHORS,
    ConfigFile,
    ConfiguredAccount,
    Setting,
    takes_pairs,
)
from auditor.errors import AuditorError, PolicyError, Problem, UsageError
from auditor.files import read_file
from auditor.model import Position
from auditor.policy.loading import nodes
from auditor.policy.loading.nodes import MappingNode, Node, ScalarNode, SequenceNode
from auditor.policy.loading.problems import Problems
from auditor.redaction.fields import is_named_secret, looks_secret
from auditor.sources.api.account import is_loopback
from auditor.suggest import nearest
from auditor.text import one_line

#: Keys that people are likely to try, and ours.
_FOREIGN = {
    **dict.fromkeys(("extends", "rules", "packs"), "policy"),
    **dict.fromkeys(("format", "formats", "output_format"), "report"),
    **dict.fromkeys(("output", "out"), "output_dir"),
    **dict.fromkeys(("threshold", "severity", "fail"), "fail_on"),
    **dict.fromkeys(("include", "select"), "only"),
    **dict.fromkeys(("exclude", "ignore"), "skip"),
    **dict.fromkeys(("limits", "allow"), "max"),
    **dict.fromkeys(("url", "api", "host"), "base_url"),
}
#: Where a key of the file begins: at the start of an unindented line.
_TOP_LEVEL = re.compile(rb"(?m)^(?=[^\s#-])")
_KEY = re.compile(r"[\w.-]+(?=[\"']?\s*:)")
ACCOUNTS = "accounts"
#: The keys of an account for its credentials: the names of the variables that hold them.
_VARIABLES = ("key_from", "secret_from")
#: What an account may not set: where reports go, and what would be judged unasked.
_NO_ACCOUNTS = frozenset({"output_dir", "snapshot", "terraform_plan", "over", "terraform_dir"})
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_PYTHON: Mapping[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
}
_WANTED = {
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "a text; quote it",
}
_CREDENTIAL = (
    "remove it, revoke it if the file was ever shared, and set FIVETRAN_API_KEY and"
    " FIVETRAN_API_SECRET in the environment"
)


def config_schema(options: Mapping[str, click.Option]) -> dict[str, Any]:
    """Return the JSON Schema of a file that may set ``options``, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:fivetran-auditor:config:1",
        "title": "Defaults for the options of fivetran-auditor",
        "type": "object",
        "properties": {
            **{key: _schema(option) for key, option in options.items()},
            ACCOUNTS: _accounts_schema(options),
        },
        "additionalProperties": False,
    }


def _accounts_schema(options: Mapping[str, click.Option]) -> dict[str, Any]:
    variable = {"type": "string", "pattern": f"^{_VARIABLE.pattern}$"}
    held = "The environment's variable that holds the account's {}."
    own = {
        "key_from": {**variable, "description": held.format("API key")},
        "secret_from": {**variable, "description": held.format("API secret")},
    }
    return {
        "description": "Several accounts, by name: audit --account NAME, or --all-accounts.",
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": f"^{ACCOUNT_NAME.pattern}$"},
        "additionalProperties": {
            "type": "object",
            "required": list(_VARIABLES),
            "properties": {
                **own,
                **{k: _schema(o) for k, o in options.items() if k not in _NO_ACCOUNTS},
            },
            "additionalProperties": False,
        },
    }


def read_config(
    path: Path, context: click.Context, options: Mapping[str, click.Option]
) -> ConfigFile:
    """Return what the file at ``path`` sets of ``options``; comments alone set nothing.

    Raises PolicyError with every problem found, UsageError for a file that cannot be read.
    """
    label = path.as_posix()
    data = _contents(path, label)
    if all(not line.strip() or line.lstrip().startswith(b"#") for line in data.splitlines()):
        return ConfigFile(label, {})
    problems = Problems()
    # A line that may hold a credential is not shown, whatever else is wrong with it.
    keys = set(_KEY.findall(data.decode("utf-8", "replace"))) - set(_VARIABLES)
    tells = not any(is_named_secret(key) for key in keys)
    if tells:
        problems.knows(label, data, ours=True)
    settings: dict[str, Setting] = {}
    reader = _SettingsReader(problems, context, options, path.parent)
    try:
        root, found = nodes.parse(data, label)
        problems.extend(found)
        settings = dict(reader.read(root))
    except nodes.YamlError as error:
        problems.extend(error.problems)
    if problems.errors:
        tells = tells and not reader.doubtful
        raise PolicyError([_shown(problem, tells=tells) for problem in problems.errors])

    def line(position: Position) -> str:
        return _shown_line(problems.line(position), tells=tells)

    return ConfigFile(label, settings, reader.accounts, line)


def readable_config(
    path: Path, context: click.Context, options: Mapping[str, click.Option]
) -> ConfigFile:
    """Return the readable part of a file that has problems: each key by itself.

    For when something is wrong anyway, and it must be known where reports would have gone.
    """
    settings: dict[str, Setting] = {}
    accounts: dict[str, ConfiguredAccount] = {}
    with suppress(AuditorError):
        for piece in _TOP_LEVEL.split(_contents(path, path.as_posix())):
            with suppress(nodes.YamlError):
                root, _ = nodes.parse(piece, path.as_posix())
                reader = _SettingsReader(Problems(), context, options, path.parent)
                settings |= dict(reader.read(root))
                accounts |= reader.accounts
    return ConfigFile(path.as_posix(), settings, accounts)


def _contents(path: Path, label: str) -> bytes:
    try:
        real = Path(os.path.realpath(path))
        if path.is_symlink() and real.suffix.lower() not in {".yaml", ".yml"}:
            # Problems in a file are reported with its lines: not those of a password file.
            raise UsageError(
                f"{one_line(label)}: a link to a file that is not .yaml; name that file"
            )
        return read_file(path, nodes.MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{one_line(label)}: cannot be read: {reason}") from error


def _shown(problem: Problem, *, tells: bool) -> Problem:
    return problem._replace(source_line=_shown_line(problem.source_line, tells=tells))


def _shown_line(line: str, *, tells: bool) -> str:
    return "" if not tells or looks_secret(line) else line


class _SettingsReader:
    """Reads a file's keys, each by its option."""

    def __init__(
        self,
        problems: Problems,
        context: click.Context,
        options: Mapping[str, click.Option],
        folder: Path,
    ) -> None:
        self._problems = problems
        self._context = context
        self._options = options
        self._folder = folder
        #: The content of ``accounts``, by name.
        self.accounts: dict[str, ConfiguredAccount] = {}
        #: Whether something that may be a credential is in place of a variable's name.
        self.doubtful = False

    def read(self, root: Node) -> Iterator[tuple[str, Setting]]:
        """Yield the settings, recording what is wrong."""
        if not isinstance(root, MappingNode):
            hint = "write one option per line, such as fail_on: high"
            self._problems.add(root.position, "this is not a mapping of options to values", hint)
            return
        yield from self._settings((key, node) for key, node in root if key.text != ACCOUNTS)
        if (accounts := root.get(ACCOUNTS)) is not None:
            self._read_accounts(accounts)

    def _settings(
        self, entries: Iterable[tuple[ScalarNode, Node]]
    ) -> Iterator[tuple[str, Setting]]:
        for key, node in entries:
            option = self._options.get(key.text)
            if option is None:
                self._refuse(key)
                continue
            texts = list(self._texts(option, key.text, node))
            positions = tuple(position for position, _ in texts)
            if option.multiple:
                yield key.text, Setting(tuple(str(text) for _, text in texts), positions)
            elif texts:
                yield key.text, Setting(texts[0][1], positions)

    def _read_accounts(self, node: Node) -> None:
        if not isinstance(node, MappingNode) or not node.entries:
            hint = "each a name with key_from: and secret_from:"
            self._problems.add(node.position, "accounts: takes a mapping of accounts", hint)
            return
        for key, held in node:
            if not ACCOUNT_NAME.fullmatch(key.text):
                hint = (
                    "at most 63 small letters, digits, - and _, the first a letter or a digit: its "
                    "reports get a folder of that name"
                )
                message = f"accounts: {one_line(key.text)} is not a valid account name"
                self._problems.add(key.position, message, hint)
            elif not isinstance(held, MappingNode):
                message = f"accounts: {key.text} takes key_from:, secret_from: and options"
                self._problems.add(held.position, message)
            else:
                self._read_account(key, held)

    def _read_account(self, key: ScalarNode, held: MappingNode) -> None:
        variables = tuple(self._variable(key, held, name) for name in _VARIABLES)
        others = [(name, node) for name, node in held if name.text not in _VARIABLES]
        for name, _ in others:
            if name.text in _NO_ACCOUNTS:
                message = (
                    f"accounts: {key.text} cannot set {name.text}: it is for all accounts or none"
                )
                self._problems.add(name.position, message, "move it out of accounts:, or remove it")
        settings = dict(self._settings(others))
        taken = {name for account in self.accounts.values() for name in account.variables}
        for variable in variables:
            if variable and variable in taken:
                hint = "an account that is audited twice hides the one that is not audited"
                message = f"accounts: {variable} is already used by another account"
                self._problems.add(key.position, message, hint)
        self.accounts[key.text] = ConfiguredAccount(
            key.text, (variables[0], variables[1]), settings
        )

    def _variable(self, key: ScalarNode, held: MappingNode, name: str) -> str:
        """Return the variable that the account names; "" if it names none."""
        node = held.get(name)
        if node is None:
            hint = f"name the environment variable that holds it, such as {name}: PRODUCTION_KEY"
            self._problems.add(key.position, f"accounts: {key.text} has no {name}", hint)
        elif not isinstance(node, ScalarNode) or not _VARIABLE.fullmatch(node.text):
            # This may be a credential: it is not repeated, and no line is shown.
            self.doubtful = True
            hint = "capitals, digits and _; the credential itself does not belong in this file"
            self._problems.add(node.position, f"{name}: takes the name of a variable", hint)
        else:
            return node.text
        return ""

    def _refuse(self, key: ScalarNode) -> None:
        name = one_line(key.text)
        if is_named_secret(key.text):
            message = f"{name}: a credential does not belong in this file"
            self._problems.add(key.position, message, _CREDENTIAL)
            return
        known = list(self._options)
        hint = nearest(key.text, known, _FOREIGN) or f"the keys are {', '.join(known)}"
        self._problems.add(key.position, f"there is no option {name}", hint)

    def _texts(
        self, option: click.Option, key: str, node: Node
    ) -> Iterator[tuple[Position, str | bool]]:
        """Yield every text in ``node`` for ``option``, as on the command line."""
        if takes_pairs(option):
            yield from self._pairs(option, key, node)
            return
        items = node.items if option.multiple and isinstance(node, SequenceNode) else (node,)
        if not items:
            self._problems.add(node.position, f"{key}: is an empty list", "remove it, or name one")
        for item in items:
            value = self._value(_item_schema(option)["type"], key, item)
            if value is not None and self._fits(option, key, item.position, value):
                if key in ANCHORS and isinstance(value, str):
                    value = ANCHORS[key](self._folder, value)
                yield item.position, value

    def _pairs(
        self, option: click.Option, key: str, node: Node
    ) -> Iterator[tuple[Position, str | bool]]:
        names = (option.metavar or "").partition("=")[0].lower()
        if not isinstance(node, MappingNode) or not node.entries:
            self._problems.add(node.position, f"{key}: takes a mapping, each {names} with a value")
            return
        for name, held in node:
            items = held.items if isinstance(held, SequenceNode) else (held,)
            if not items or not all(
                isinstance(i, ScalarNode) and i.value is not None for i in items
            ):
                hint = "write a value, or a list of values"
                self._problems.add(
                    held.position, f"{key}: {one_line(name.text)} is not a value", hint
                )
                continue
            text = f"{name.text}={','.join(i.text for i in items if isinstance(i, ScalarNode))}"
            if self._fits(option, key, name.position, text):
                yield name.position, text

    def _value(self, kind: str, key: str, item: Node) -> str | bool | None:
        if isinstance(item, ScalarNode) and (item.value is None or not item.text.strip()):
            self._problems.add(item.position, f"{key}: is empty", "remove it, or give a value")
        elif not isinstance(item, ScalarNode):
            what = "a list" if isinstance(item, SequenceNode) else "a mapping"
            self._problems.add(item.position, f"{key}: takes one value, not {what}")
        elif type(item.value) not in _PYTHON[kind]:
            self._problems.add(item.position, f"{key}: takes {_WANTED[kind]}")
        elif key == "base_url" and not _is_ours(item.text):
            self._problems.add(
                item.position,
                f"{key}: the API key goes to no host that a file names, but for Fivetran's own",
                "say it with --base-url, or in FIVETRAN_AUDITOR_BASE_URL",
            )
        elif "://" in item.text and looks_secret(item.text):
            message = f"{key}: holds a credential, which does not belong in this file"
            self._problems.add(item.position, message, _CREDENTIAL)
        else:
            return item.value if isinstance(item.value, bool) else item.text
        return None

    def _fits(self, option: click.Option, key: str, position: Position, value: str | bool) -> bool:
        """Whether the option itself takes ``value``; records its complaint if not."""
        try:
            option.process_value(self._context, (value,) if option.multiple else value)
        except click.BadParameter as error:
            choices = getattr(option.type, "choices", ())
            hint = nearest(str(value), choices) if choices else ""
            self._problems.add(position, f"{key}: {one_line(error.message)}", hint)
        except UsageError as error:
            self._problems.add(position, one_line(in_words_of(error, key)))
        else:
            return True
        return False


def _is_ours(url: str) -> bool:
    """Whether ``url`` may be in a file: a host of Fivetran's, or this machine."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False
    return host == "fivetran.com" or host.endswith(".fivetran.com") or is_loopback(host)


def _schema(option: click.Option) -> dict[str, Any]:
    item = _item_schema(option)
    described: dict[str, Any] = {"description": option.help} if option.help else {}
    default = option.to_info_dict()["default"]
    if default is not None and default != () and not callable(default):
        described["default"] = list(default) if isinstance(default, tuple) else default
    if takes_pairs(option):
        value = {"type": ["string", "number", "boolean"]}
        values = {"anyOf": [value, {"type": "array", "items": value, "minItems": 1}]}
        return {**described, "type": "object", "additionalProperties": values, "minProperties": 1}
    if option.multiple:
        return {**described, "anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}
    return {**described, **item}


def _item_schema(option: click.Option) -> dict[str, Any]:
    """Return the schema of one value of ``option``: what its click type takes."""
    kind = option.type
    if option.is_flag:
        return {"type": "boolean"}
    if isinstance(kind, click.Choice):
        return {"type": "string", "enum": list(kind.choices)}
    if isinstance(kind, click.IntRange | click.FloatRange):
        return {"type": _number(kind), **_bounds(kind)}
    if kind in (click.INT, click.FLOAT):
        return {"type": _number(kind)}
    return {"type": "string", "minLength": 1}


def _number(kind: click.ParamType[Any]) -> str:
    return "integer" if isinstance(kind, type(click.INT)) else "number"


def _bounds(kind: click.IntRange | click.FloatRange) -> dict[str, float]:
    found: dict[str, float] = {}
    if kind.min is not None:
        found["exclusiveMinimum" if kind.min_open else "minimum"] = kind.min
    if kind.max is not None:
        found["exclusiveMaximum" if kind.max_open else "maximum"] = kind.max
    return found
