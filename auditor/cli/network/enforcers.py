"""--cni: by whom policies are enforced, as the verbs of `auditor network` are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def choice_of_enforcer(command: F) -> F:
    """--cni, given to the command as `enforcers`: the names of profiles, each once; none where
    nothing was said.
    """
    option = click.option(
        "--cni",
        "enforcers",
        multiple=True,
        metavar="PROFILE[,PROFILE]",
        callback=_read,
        help="What enforces network policies [default: what is found in the cluster; for files"
        " the specification].",
    )
    return option(command)


def _read(_context: Any, _option: Any, names: tuple[str, ...]) -> tuple[str, ...]:
    """The single names.

    Raises:
        UsageError: one is none, or two contradict each other.
    """
    from auditor.cli.options import enforcers

    return enforcers(names)
