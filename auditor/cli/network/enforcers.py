"""--cni: by whom policies are enforced. The only place here that knows how profiles are named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from auditor.facts.network import Profile

F = TypeVar("F", bound=Callable[..., Any])


def choice_of_enforcer(command: F) -> F:
    """--cni, given to the command as `enforcers`: the names, in order."""
    option = click.option(
        "--cni",
        "enforcers",
        default="spec",
        show_default=True,
        metavar="PROFILE[,PROFILE]",
        callback=lambda _context, _option, value: names_of(value),
        help="What enforces network policies.",
    )
    return option(command)


def names_of(value: str) -> tuple[str, ...]:
    """The names of a list written with commas."""
    return tuple(name.strip() for name in value.split(",") if name.strip()) or ("spec",)


def profile_of(names: Sequence[str]) -> Profile:
    """The profile of these names together.

    Raises:
        UsageError: one is not known.
    """
    from auditor.errors import UsageError
    from auditor.facts.network import SPEC

    for name in names:
        if name != SPEC.name:
            raise UsageError(f"--cni: no profile '{name}'; there is '{SPEC.name}'")
    return SPEC
