"""`auditor access`: who may do what through the API server. One module per verb."""

from __future__ import annotations

from collections.abc import Mapping

import click

from auditor.cli.lazy import Lazy

VERBS: Mapping[str, tuple[str, str]] = {
    "paths": ("auditor.cli.access.paths:paths", "Say who comes to every right, step by step."),
    "who-can": ("auditor.cli.access.who_can:who_can", "Say who may do one thing."),
    "what-can": ("auditor.cli.access.what_can:what_can", "Say what somebody may do."),
    "minimize": (
        "auditor.cli.access.minimize:minimize",
        "Write the smallest roles that keep what was used.",
    ),
    "check": ("auditor.cli.access.check:check", "Answer many questions, one a line."),
}
"""Verb → where its command is, and its line in --help."""


class _Verbs(Lazy):
    """The verbs below `access`."""

    verbs = VERBS


@click.command(cls=_Verbs, short_help="Say who may do what through the API server.")
def access() -> None:
    """Say who may do what through the API server, by the roles and bindings in manifests or in a
    cluster.
    """
