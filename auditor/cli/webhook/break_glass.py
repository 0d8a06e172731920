"""`auditor webhook break-glass`: let everything in for a while, and end that."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from auditor.cli.ends import ends_with
from auditor.cli.options import PolicyOptions, choice_of_policies, choose, cluster_access
from auditor.cli.screen import say
from auditor.cli.webhook.terms import Missing
from auditor.text import escaped

UNITS = {"m": 60, "h": 3600}


class Duration(click.ParamType[int]):
    """30m or 2h, read into seconds."""

    name = "30m|2h"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The seconds, or a usage error that names the flag."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([1-9]\d{0,3})([mh])", str(value))
        seconds = int(match[1]) * UNITS[match[2]] if match else 0
        if not 0 < seconds <= 24 * UNITS["h"]:
            self.fail(f"'{value}' is no time up to 24h, like 30m or 2h", param, ctx)
        return seconds


@click.command(short_help="Let everything in for a while, with a reason; or end that.")
@cluster_access
@choice_of_policies
@click.option("--reason", metavar="TEXT", help="Why; every request that is let in tells it.")
@click.option("--for", "seconds", type=Duration(), help="For how long, at most 24h.")
@click.option("--end", is_flag=True, help="Judge again, and restore the failurePolicy.")
@click.option("--registration", default="auditor", show_default=True, metavar="NAME")
def break_glass(
    kubeconfig: str | None,
    context: str | None,
    reason: str | None,
    seconds: int | None,
    end: bool,
    registration: str,
    policies: PolicyOptions,
) -> int:
    """Let everything in for a while, with a reason; or end that. Without flags, say how it stands.

    It works while the webhook is down, since it changes what the API server does: failurePolicy is
    Ignore until --end. Replicas let everything in within ten seconds, with a warning and an
    annotation in the audit log, and judge again when the time is over. --end judges what was
    written meanwhile, by the policies and the configuration that are named here.
    """
    from auditor.errors import UsageError
    from auditor.sources.cluster import Connection
    from auditor.webhook.breaking import Breaking

    opening = reason is not None or seconds is not None
    if opening and (end or not (reason and reason.strip() and seconds)):
        raise UsageError("say --reason TEXT --for TIME, or --end alone, or nothing")
    breaking = Breaking(Connection(kubeconfig, context), registration)
    if opening:
        lines = breaking.open(" ".join(str(reason).split()), int(seconds or 0))
    else:
        since = breaking.since() if end else None
        lines = breaking.end() if end else breaking.state()
    for line in lines:
        say(escaped(line))
    if opening or since is None:
        return 0
    return _judged(since, kubeconfig, context, policies)


def _judged(
    since: datetime, kubeconfig: str | None, context: str | None, policies: PolicyOptions
) -> int:
    """Tell the faults of what was written since, and say so with the exit code."""
    from auditor.audit import audit
    from auditor.sources.cluster import ClusterSource
    from auditor.webhook.outage import unjudged

    chosen = choose(policies, Path())
    snapshot = ClusterSource(kubeconfig, context).snapshot()
    live = audit(snapshot, chosen.bench, chosen.judging(snapshot))
    found = unjudged(live, since, chosen.admission)
    for each in found:
        finding = each.finding
        say(escaped(f"came in: {finding.policy.id} {finding.ref}: {finding.message}"))
    missing = Missing.of(live)
    missing.say("auditor audit --cluster --format json")
    say(f"{len(found) or 'no'} fault{'s' * (len(found) != 1)} on what was written meanwhile")
    return ends_with(found, missing.gaps)
