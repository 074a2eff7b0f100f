"""The class of every command: an option with one value is given once."""

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
    """A command that refuses an option with one value that is given twice.

    The last one would silently win, and the first may be the one that mattered. A value in the
    environment or in a file does not count, and a flag may be repeated.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments. Raises click.UsageError for an option that is given twice."""
        if not ctx.resilient_parsing:
            self._check_once(ctx, args)
        return super().parse_args(ctx, args)

    def _check_once(self, ctx: click.Context, args: list[str]) -> None:
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
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
