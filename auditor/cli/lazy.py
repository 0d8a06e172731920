"""A group of verbs, each loaded when it is called, and listed without loading any."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, MutableMapping
from typing import Any, ClassVar

import click


class Lazy(click.Group):
    """A group whose verbs are in modules of their own."""

    verbs: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """Verb → where its command is (``module:name``), and its line in --help."""

    @property
    def commands(self) -> MutableMapping[str, click.Command]:
        """All of them, loaded: for whoever writes their pages."""
        return {verb: self.loaded(verb) for verb in self.verbs}

    @commands.setter
    def commands(self, value: Any) -> None:
        """What click would keep there is not needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self.loaded(cmd_name) if cmd_name in self.verbs else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, line) for verb, (_, line) in self.verbs.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            close = difflib.get_close_matches(args[0], self.verbs, n=1)
            if close:
                raise click.UsageError(f"{error.message} Did you mean '{close[0]}'?", ctx) from None
            raise

    def loaded(self, verb: str) -> click.Command:
        """The command of this verb."""
        module, _, attribute = self.verbs[verb][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command
