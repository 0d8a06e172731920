"""`auditor webhook`: the same audit, asked by the API server. One module per verb, each loaded when
it is called.
"""

from __future__ import annotations

from collections.abc import Mapping

import click

from auditor.cli.lazy import Lazy

VERBS: Mapping[str, tuple[str, str]] = {
    "serve": ("auditor.cli.webhook.serve:serve", "Answer admission reviews until SIGTERM."),
    "install": (
        "auditor.cli.webhook.install:install",
        "Print what the webhook needs in a cluster, or put it there.",
    ),
    "doctor": (
        "auditor.cli.webhook.doctor:doctor",
        "Find webhook configurations that can stop a cluster.",
    ),
    "break-glass": (
        "auditor.cli.webhook.break_glass:break_glass",
        "Let everything in for a while, with a reason; or end that.",
    ),
    "registration": (
        "auditor.cli.webhook.registration:registration",
        "Print what registers the webhook with the API server.",
    ),
    "export": (
        "auditor.cli.webhook.export:export",
        "Write the policies as ValidatingAdmissionPolicies.",
    ),
    "preview": (
        "auditor.cli.webhook.preview:preview",
        "Say what would be denied, before anything is.",
    ),
    "replay": (
        "auditor.cli.webhook.replay:replay",
        "Say how recorded reviews would be answered, and what a change does to that.",
    ),
}
"""Verb → where its command is, and its line in --help."""


class _Verbs(Lazy):
    """The verbs below `webhook`."""

    verbs = VERBS


@click.command(cls=_Verbs, short_help="Answer admission reviews with the same audit.")
def webhook() -> None:
    """Answer admission reviews with the same audit."""
