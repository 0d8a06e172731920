"""What the verbs of the webhook share that rehearse it: flags, the court, and the cluster."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import SEVERITIES, Chosen
from auditor.cli.webhook.serve import MODES, terms_of

if TYPE_CHECKING:
    from auditor.declared import Admission
    from auditor.model import Audit, Snapshot
    from auditor.webhook.court import Court


@dataclass(frozen=True, slots=True)
class Asked:
    """What --mode, --fail-on and --format say."""

    mode: str | None
    fail_on: str | None
    form: str

    def terms(self, chosen: Chosen) -> Admission:
        """As the configuration says, with the flags before its defaults."""
        return terms_of(chosen, self.mode, self.fail_on)


_OPTIONS = (
    click.option(
        "--mode",
        type=click.Choice(MODES),
        help="What becomes of a request that adds a fault, where no rule of the configuration "
        "fits; 'deny' shows what denying would do.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(SEVERITIES),
        help="From which severity on a fault counts, where no rule says; by default 'high'.",
    ),
    click.option(
        "--format",
        "form",
        type=click.Choice(("text", "json")),
        default="text",
        show_default=True,
        help="How to answer.",
    ),
)


def rehearsing(command: Callable[..., int]) -> Callable[..., int]:
    """--mode, --fail-on and --format, given to the command as one argument `asked`."""

    @functools.wraps(command)
    def gathered(**given: Any) -> int:
        asked = Asked(given.pop("mode"), given.pop("fail_on"), given.pop("form"))
        return command(**given, asked=asked)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


def court_for(chosen: Chosen, snapshot: Snapshot) -> Court:
    """The court that the webhook would have in that cluster: nothing in a manifest waives, and the
    scope of an audit does not count.
    """
    from dataclasses import replace

    from auditor.webhook.court import Court

    settings = replace(chosen.judging(snapshot), inline=None, scope=None)
    return Court(chosen.bench, settings)


def unseen(audit: Audit) -> list[str]:
    """What could not be seen, a line each."""
    from auditor.model import Unseen

    gaps = (gap for gap in audit.gaps if gap.severity is Unseen.INCOMPLETE)
    return [f"{gap.what}: {gap.why}" for gap in gaps]
