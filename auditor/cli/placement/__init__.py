"""`auditor placement`: where pods run and what they survive. One module per verb."""

from __future__ import annotations

from collections.abc import Mapping

import click

from auditor.cli.lazy import Lazy

VERBS: Mapping[str, tuple[str, str]] = {
    "simulate": (
        "auditor.cli.placement.simulate:simulate",
        "Say which nodes can take a pod, and how they score.",
    ),
    "what-if": (
        "auditor.cli.placement.what_if:what_if",
        "Say what the controllers make of one action.",
    ),
}
"""Verb → where its command is, and its line in --help."""


class _Verbs(Lazy):
    """The verbs below `placement`."""

    verbs = VERBS


@click.command(cls=_Verbs, short_help="Say where pods run, and what they survive.")
def placement() -> None:
    """Say where pods run, and what becomes of them in an update, a drain or the loss of a node."""
