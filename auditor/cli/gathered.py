"""Makes one argument of several flags, and one flag of what many verbs say alike."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
Option = Callable[[Callable[..., int]], Callable[..., int]]


def gathered(name: str, into: type[Any], *options: Option) -> Option:
    """These flags, given to a command as its argument `name`: a value of the dataclass `into`,
    whose fields have the names of the flags. They stand in --help in this order.
    """

    def given_to(command: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(command)
        def with_one(**given: Any) -> int:
            told = {each.name: given.pop(each.name) for each in fields(into) if each.name in given}
            return command(**given, **{name: into(**told)})

        wrapped: Callable[..., int] = with_one
        for option in reversed(options):
            wrapped = option(wrapped)
        return wrapped

    return given_to


def answer_form(*forms: str, told: str = "How to answer.") -> Callable[[F], F]:
    """--format, given to a command as `form`: one of these, the first where nothing is said."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(forms),
        default=forms[0],
        show_default=True,
        help=told,
    )
