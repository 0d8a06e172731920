"""`auditor network`: who can reach whom. One module per verb, each loaded when it is called."""

from __future__ import annotations

from collections.abc import Mapping

import click

from auditor.cli.lazy import Lazy

VERBS: Mapping[str, tuple[str, str]] = {
    "list": ("auditor.cli.network.list:list_connections", "List who reaches whom."),
    "explain": ("auditor.cli.network.explain:explain", "Say why one connection is allowed or not."),
    "check": ("auditor.cli.network.check:check", "Answer many questions, one a line."),
    "diff": ("auditor.cli.network.diff:diff", "Say which flows a change opens and closes."),
    "graph": ("auditor.cli.network.graph:graph", "Draw who reaches whom."),
}
"""Verb → where its command is, and its line in --help."""


class _Verbs(Lazy):
    """The verbs below `network`."""

    verbs = VERBS


@click.command(cls=_Verbs, short_help="Say who can reach whom, and why.")
def network() -> None:
    """Say who can reach whom in manifests or a cluster, and why."""
