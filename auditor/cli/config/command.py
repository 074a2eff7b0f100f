"""Commands whose options have defaults in ``auditor.yaml`` and in the environment.

The command line comes first, then the environment, then the file, then the option's own default. In
the file, settings of the account that ``--account`` names come before those of all. The first list
replaces the others; options that take NAME=VALUE are merged by name.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from auditor.cli.config.settings import (
    CONFIG_FILE,
    MISNAMED,
    PREFIX,
    ConfigFile,
    ConfiguredAccount,
    key_of,
    pairs,
    takes_pairs,
)
from auditor.cli.options import completion
from auditor.cli.options.command import StrictCommand
from auditor.cli.options.reports import Unread
from auditor.cli.options.repository import upward
from auditor.cli.options.shared import Keys
from auditor.errors import AuditorError, UsageError, about
from auditor.suggest import nearest
from auditor.text import listed, one_line

_FILE = "auditor.cli.config.command.file"
_SHOW = "auditor.cli.config.command.show"
_ACCOUNT = "auditor.cli.config.command.account"
_WORDS = "auditor.cli.config.command.words"


class Configurable(StrictCommand):
    """A command with ``--account``, ``--config`` and ``--show-config``.

    Every option can be set by its long name: ``--fail-on`` by ``fail_on`` in the file and by
    ``FIVETRAN_AUDITOR_FAIL_ON``. ``keys`` are the exceptions, by parameter: another name, or None
    for an option that does not mean the same as in ``audit``. ``unread`` is called if the arguments
    cannot be read, with a context that holds those that can; the others are None.
    """

    def __init__(
        self,
        *arguments: Any,
        keys: Mapping[str, str | None] | None = None,
        unread: Unread | None = None,
        **attributes: Any,
    ) -> None:
        super().__init__(*arguments, **attributes)
        self._unread = unread
        #: The parameters that can be configured, by their names in the file.
        self.keys: dict[str, click.Parameter] = {}
        for parameter in self.params:
            key = (keys or {}).get(str(parameter.name), key_of(parameter))
            if key is not None and parameter.expose_value:
                parameter.envvar = f"{PREFIX}{key.upper()}"
                self.keys[key] = parameter
        self.params += [_account_option(), _config_option(), _show_option()]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; a wrong value in the environment is reported by its variable."""
        words = list(args)
        # One command may make several runs, one for each account, and they share nothing.
        for name in (_FILE, _ACCOUNT, _SHOW):
            ctx.meta.pop(name, None)
        ctx.meta[_WORDS] = tuple(words)
        try:
            rest = super().parse_args(ctx, args)
            if not ctx.resilient_parsing:
                account_of(ctx)
            return rest
        except UsageError as error:
            self._report_unread(ctx, words)
            raise placing(ctx)(error) from error
        except AuditorError:
            self._report_unread(ctx, words)
            raise
        except click.UsageError as error:
            self._report_unread(ctx, words)
            if not isinstance(error, click.BadParameter):
                raise
            parameter = self.keys.get(key_of(error.param)) if error.param else None
            if parameter is not None and error.param_hint is None:
                source = ctx.get_parameter_source(str(parameter.name))
                if source is ParameterSource.ENVIRONMENT:
                    error.param_hint = f"{parameter.envvar} in the environment"
            raise

    def _report_unread(self, ctx: click.Context, words: list[str]) -> None:
        if self._unread is None or ctx.resilient_parsing:
            return
        lenient = click.Context(
            self,
            parent=ctx.parent,
            info_name=ctx.info_name,
            obj=ctx.obj,
            resilient_parsing=True,
            ignore_unknown_options=True,
            allow_extra_args=True,
        )
        with lenient, contextlib.suppress(click.UsageError, AuditorError):
            super().parse_args(lenient, list(words))
        if not lenient.meta.get(_SHOW):
            self._unread(lenient, words, config_file(lenient))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, or show what it would run with."""
        if ctx.meta.get(_SHOW):
            # Imported here: nothing else needs it.
            from auditor.cli.config.show import in_force

            for line in in_force(ctx, self.keys, ctx.meta.get(_FILE)):
                ctx.obj.say(line)
            return 0
        self.merge_pairs(ctx)
        placed = placing(ctx)
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise placed(error) from error

    def merge_pairs(self, ctx: click.Context) -> None:
        """Give options that take NAME=VALUE each name from where it is nearest."""
        for parameter in self.keys.values():
            if takes_pairs(parameter):
                ctx.params[str(parameter.name)] = tuple(text for text, _ in pairs(ctx, parameter))


def placing(context: click.Context) -> Callable[[UsageError], AuditorError]:
    """Return what adds to an error where the option that it is about was set for ``context``."""
    command, file = context.command, context.meta.get(_FILE)
    assert isinstance(command, Configurable)
    config = next(parameter for parameter in command.params if parameter.name == "config")
    keys = {**command.keys, "config": config}

    def placed(error: UsageError) -> AuditorError:
        # Imported here: few runs end so.
        from auditor.cli.config import origin

        return origin.placed(error, context, keys, file)

    return placed


def config_options(context: click.Context) -> dict[str, click.Option]:
    """Return every option that a file may set, by its key: those of ``audit``.

    The root group of ``context`` has that command; a command that runs without a group is its own.
    """
    root = context.find_root().command
    command = root.get_command(context, "audit") if isinstance(root, click.Group) else root
    assert isinstance(command, Configurable)
    return {key: o for key, o in command.keys.items() if isinstance(o, click.Option)}


def _account_option() -> click.Option:
    return click.Option(
        ["--account"],
        metavar="NAME",
        is_eager=True,
        expose_value=False,
        callback=_choose,
        help="Use the API key and the settings of the account with this name in the configuration.",
    )


def _choose(context: click.Context, _option: click.Parameter, name: str | None) -> None:
    if name is not None:
        context.meta[_ACCOUNT] = name
        _overlay(context)


def accounts_of(context: click.Context) -> Mapping[str, ConfiguredAccount]:
    """Return the accounts in the run's file. Raises UsageError if there are none."""
    file = context.meta.get(_FILE)
    if file is None or not file.accounts:
        raise UsageError(f"no accounts are named: write accounts: into {CONFIG_FILE}")
    found: Mapping[str, ConfiguredAccount] = file.accounts
    return found


def account_of(context: click.Context) -> ConfiguredAccount | None:
    """Return the chosen account. Raises UsageError if it is not in the file."""
    name = context.meta.get(_ACCOUNT)
    if name is None:
        return None
    known = accounts_of(context)
    if name not in known:
        hint = nearest(name, known) or f"the accounts are {listed(known, 'and')}"
        raise UsageError(f"--account {one_line(name)}: there is no such account ({hint})")
    return known[name]


def of_accounts(context: click.Context) -> Iterator[tuple[str, click.Context]]:
    """Yield each account of the run's file, and the command line with ``--account`` for it.

    None is yielded where one was chosen: the run is that account's alone.
    """
    file = context.meta.get(_FILE)
    if file is None or account_of(context) is not None:
        return
    command, words = context.command, words_of(context)
    assert isinstance(command, Configurable)
    # What contexts know is shared by all of a run.
    known = dict(context.meta)
    for name in file.accounts:
        with command.make_context(
            str(context.info_name),
            [*words, "--account", name],
            parent=context.parent,
            obj=context.obj,
        ) as own:
            command.merge_pairs(own)
            yield name, own
    context.meta.update(known)
    context.meta.pop(_ACCOUNT, None)


def keys_of(context: click.Context) -> Keys:
    """Return the variables that hold the key and the secret of this run."""
    account, file = account_of(context), context.meta.get(_FILE)
    if account is not None:
        return Keys(account.variables)
    return Keys(None, tuple(file.accounts) if file is not None else ())


def words_of(context: click.Context) -> tuple[str, ...]:
    """Return the command line of the run, without the command's own name."""
    words: tuple[str, ...] = context.meta[_WORDS]
    return words


def _config_option() -> click.Option:
    return click.Option(
        ["--config"],
        metavar="FILE",
        shell_complete=completion.files,
        envvar=f"{PREFIX}CONFIG",
        is_eager=True,
        expose_value=False,
        callback=_load,
        help="File with defaults for options.  [default: the nearest"
        f" {CONFIG_FILE} in this folder or above, within the repository]",
    )


def _show_option() -> click.Option:
    return click.Option(
        ["--show-config"],
        is_flag=True,
        expose_value=False,
        callback=_note_show,
        help="Print the options in force and where each comes from, then exit.",
    )


def _check_environment(context: click.Context) -> None:
    """Raise UsageError for a variable that looks like an option's but is not."""
    assert isinstance(context.command, Configurable)
    own = {f"{PREFIX}CONFIG", *(f"{PREFIX}{key.upper()}" for key in context.command.keys)}
    strange = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in own)
    # Audit's options are loaded only if something may be wrong: that loads the command.
    known = {f"{PREFIX}{key.upper()}" for key in config_options(context)} if strange else set()
    for name in strange:
        if name not in known:
            hint = nearest(name, [*known, f"{PREFIX}CONFIG"]) or "see audit --show-config"
            raise UsageError(
                f"{one_line(name)} is set in the environment, and no option reads it ({hint})"
            )


def _check_names(found: Path | None) -> None:
    """Raise UsageError for a file that looks like the configuration but is not read."""
    for other in MISNAMED:
        path = upward(other)
        if path is not None and (found is None or len(path.parts) <= len(found.parts)):
            raise UsageError(
                f"{path.as_posix()} is not read; call it {CONFIG_FILE}, or name it with --config"
            )


def config_file(context: click.Context) -> str | None:
    """Return the file that the options of this run were read from; None if there is none."""
    file = context.meta.get(_FILE)
    return None if file is None else str(file.name)


def settings_in_force(context: click.Context) -> tuple[str, ...]:
    """Return the options that a file has set for this run, as a sentence; "" without a file."""
    file = context.meta.get(_FILE)
    if file is None:
        return ()
    assert isinstance(context.command, Configurable)
    name = context.meta.get(_ACCOUNT)
    notes = () if name is None else (f"the account {name} of {one_line(file.name)}",)
    made = [
        key
        for key, parameter in context.command.keys.items()
        if key in file.settings
        and context.get_parameter_source(str(parameter.name)) is ParameterSource.DEFAULT_MAP
    ]
    return (*notes, f"{one_line(file.name)} sets {listed(made, 'and')}") if made else notes


def _note_show(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    context.meta[_SHOW] = wanted


def _load(context: click.Context, _option: click.Parameter, name: str | None) -> None:
    """Make the file's settings the defaults of the command's parameters."""
    if name is not None and not name.strip():
        raise UsageError("--config is empty; leave the option out")
    if not context.resilient_parsing:
        _check_environment(context)
    path = upward(CONFIG_FILE) if name is None else Path(name)
    if name is None and not context.resilient_parsing:
        _check_names(path)
    # A link to nothing is a mistake; no file at all is the usual case.
    if path is None:
        return
    # Imported here: a run without a file does not need it.
    from auditor.cli.config.file import read_config, readable_config

    context.meta[_FILE] = ConfigFile(path.as_posix(), {})
    read = readable_config if context.resilient_parsing else read_config
    with about("config"):
        file = read(path, context, config_options(context))
    if context.obj is not None:
        for account in file.accounts.values():
            # Whichever account is audited, a policy or an answer may contain the key of any.
            context.obj.keep_secret(account.variables)
    context.meta[_FILE] = file
    _overlay(context)


def _overlay(context: click.Context) -> None:
    """Make the file's settings, and those of the chosen account, the command's defaults."""
    file, name = context.meta.get(_FILE), context.meta.get(_ACCOUNT)
    if file is None:
        return
    if name in file.accounts:
        file = file._replace(settings={**file.settings, **file.accounts[name].settings})
        context.meta[_FILE] = file
    settings = file.settings
    assert isinstance(context.command, Configurable)
    context.default_map = {
        str(parameter.name): settings[key].value
        for key, parameter in context.command.keys.items()
        if key in settings
    }
