"""The class of every command: an option with one value is given once, and has a value."""

from __future__ import annotations

from types import MappingProxyType

import click

#: What to do if giving an option twice had a reason.
_INSTEAD = MappingProxyType(
    {
        "--group": "audit each group in a separate run, or leave it out for all of them",
        "--schema": "audit each connection in a separate run, or leave it out for all of them",
        "--snapshot": "judge each in a separate run, or name a folder that holds the parts",
        "--waivers": "put all waivers into one file",
        "--max": "write each severity once",
    }
)


class StrictCommand(click.Command):
    """A command that refuses an option with one value given twice, and any empty value.

    Of two values the last would silently win, and the first may be the one that mattered. A value
    in the environment or in a file does not count, and a flag may be repeated. An empty value is
    a variable that a pipeline did not set: as a path it would be the working folder.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments. Raises click.UsageError for what is given twice, or empty."""
        if not ctx.resilient_parsing:
            values, _, order = self.make_parser(ctx).parse_args(args=list(args))
            _check_once(ctx, order)
            for parameter in dict.fromkeys(order):
                _check_filled(ctx, parameter, values[str(parameter.name)])
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            # Validate and test take policies as arguments; here they would be a surprise.
            named = any("--policy" in each.opts for each in self.params)
            if not named or "unexpected extra argument" not in error.message:
                raise
            told = f"{error.message}; policies are named with -p"
            raise click.UsageError(told, ctx) from error


def _check_once(ctx: click.Context, order: list[click.Parameter]) -> None:
    seen: set[str | None] = set()
    for parameter in order:
        if not isinstance(parameter, click.Option):
            continue
        if parameter.multiple or parameter.is_flag or parameter.count:
            continue
        if parameter.name in seen:
            name = max(parameter.opts, key=len)
            raise click.UsageError(
                f"{name} is given twice: {_INSTEAD.get(name, 'give it once')}", ctx
            )
        seen.add(parameter.name)


def _check_filled(ctx: click.Context, parameter: click.Parameter, value: object) -> None:
    for text in value if isinstance(value, list | tuple) else (value,):
        if isinstance(text, str) and not text.strip():
            is_option = isinstance(parameter, click.Option)
            name = max(parameter.opts, key=len) if is_option else _placeholder(parameter)
            what = "the option" if is_option else "it"
            instead = "it needs a value" if parameter.required else f"leave {what} out"
            raise click.UsageError(f"{name} is empty; {instead}", ctx)


def _placeholder(parameter: click.Parameter) -> str:
    """Return how the usage line names an argument, without the marks around it."""
    return parameter.human_readable_name.strip("[]{}.")
