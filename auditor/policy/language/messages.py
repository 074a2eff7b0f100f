"""Messages: text with ``{field.path}`` and ``{var.name}``, and nothing more."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Message(msgspec.Struct, frozen=True):
    """Text and the paths between: ``parts`` alternate, text first."""

    parts: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths whose values the message shows."""
        return self.parts[1::2]

    def filled(self, show: Callable[[str], str]) -> str:
        """Return the message with the text that ``show`` gives for each path."""
        return "".join(show(p) if i % 2 else p for i, p in enumerate(self.parts))
