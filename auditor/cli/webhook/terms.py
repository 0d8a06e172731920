"""What several verbs of the webhook share: what becomes of faults, the court, and what was seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from auditor.cli.gathered import Option, answer_form, gathered
from auditor.cli.options import SEVERITIES, Chosen
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.declared import Admission
    from auditor.model import Audit, Gap, Settings, Snapshot
    from auditor.webhook.court import Court

MODES = ("deny", "warn", "audit")


@dataclass(frozen=True, slots=True)
class Modes:
    """What --mode and --fail-on say."""

    mode: str | None
    fail_on: str | None

    def terms(self, chosen: Chosen) -> Admission:
        """As the configuration says, with the flags before what it says for want of a rule."""
        from auditor.declared import Mode
        from auditor.grades import Severity

        terms = chosen.admission
        return replace(
            terms,
            mode=Mode(self.mode) if self.mode else terms.mode,
            fail_on=Severity(self.fail_on) if self.fail_on else terms.fail_on,
        )


@dataclass(frozen=True, slots=True)
class Asked(Modes):
    """And --format."""

    form: str


def _mode(told: str) -> Option:
    return click.option(
        "--mode",
        type=click.Choice(MODES),
        help="What becomes of a request that adds a fault, where no rule of the configuration fits;"
        f" {told}",
    )


_FAIL_ON = click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    help="From which severity on a fault counts, where no rule says; by default 'high'.",
)

judging = gathered(
    "modes", Modes, _mode("'audit', the default, lets it pass and writes it down."), _FAIL_ON
)
"""--mode and --fail-on, for who judges."""
rehearsing = gathered(
    "asked",
    Asked,
    _mode("'deny' shows what denying would do."),
    _FAIL_ON,
    answer_form("text", "json"),
)
"""--mode, --fail-on and --format, for who says what would be."""


def court_of(chosen: Chosen, version: int) -> Court:
    """The court that judges with the chosen policies, for an API server of that version. What
    a request says of itself waives nothing.
    """
    from auditor.model import Server, Snapshot

    server = Server(version, frozenset())
    return _court(chosen, replace(chosen.judging(Snapshot((), server=server)), inline=None))


def court_for(chosen: Chosen, snapshot: Snapshot) -> Court:
    """The court that the webhook would have in that cluster: nothing in a manifest waives, and the
    scope of an audit does not count.
    """
    return _court(chosen, replace(chosen.judging(snapshot), inline=None, scope=None))


def _court(chosen: Chosen, settings: Settings) -> Court:
    from auditor.webhook.court import Court

    return Court(chosen.bench, settings)


@dataclass(frozen=True, slots=True)
class Missing:
    """What could not be seen."""

    gaps: tuple[Gap, ...]
    """Those that nobody answers for."""
    acknowledged: tuple[Gap, ...]

    @classmethod
    def of(cls, audit: Audit) -> Missing:
        """That of an audit."""
        from auditor.model import Unseen

        found = [gap for gap in audit.gaps if gap.severity is Unseen.INCOMPLETE]
        return cls(
            tuple(gap for gap in found if not gap.acknowledged),
            tuple(gap for gap in found if gap.acknowledged),
        )

    def say(self, names: str = "--format json") -> None:
        """On standard error, with what can be done about it. `names`: what names each of many."""
        from auditor.cli.screen import say
        from auditor.reporters.gaps import gap_lines

        for line in gap_lines(self.gaps, names):
            say(f"could not be seen: {line}", err=True)
        for gap in self.acknowledged:
            say(f"acknowledged: {gap.what}: {gap.why} ({gap.acknowledged})", err=True)
        if self.gaps:
            say(
                "next: let the account list what is missing, declare it (`cni`, `workloads`), or"
                " answer for it under `acknowledged` in .auditor.yaml",
                err=True,
            )
