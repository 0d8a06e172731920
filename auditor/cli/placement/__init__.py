"""`auditor placement`: where pods run and what they survive. One module per verb."""

from __future__ import annotations

from collections.abc import Mapping

import click

from auditor.cli.lazy import Lazy

VERBS: Mapping[str, tuple[str, str]] = {
    "show": (
        "auditor.cli.placement.show:show",
        "Draw zones, racks and nodes with what runs there.",
    ),
    "drain": ("auditor.cli.placement.drain:drain", "Say what a drain of a node does."),
    "lose": (
        "auditor.cli.placement.lose:lose",
        "Say what the loss of a zone, a rack or a node does.",
    ),
    "rollout": (
        "auditor.cli.placement.rollout:rollout",
        "Say what an update of a workload passes through.",
    ),
    "simulate": (
        "auditor.cli.placement.simulate:simulate",
        "Say which nodes can take a pod, and how they score.",
    ),
    "what-if": (
        "auditor.cli.placement.what_if:what_if",
        "Say what the controllers make of one action.",
    ),
    "verify": (
        "auditor.cli.placement.verify:verify",
        "Show again what was shown of a fix.",
    ),
}
"""Verb → where its command is, and its line in --help."""


class _Verbs(Lazy):
    """The verbs below `placement`."""

    verbs = VERBS


@click.command(cls=_Verbs, short_help="Say where pods run, and what they survive.")
def placement() -> None:
    """Say where pods run, and what becomes of them in an update, a drain or the loss of a node."""
