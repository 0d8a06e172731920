"""`auditor watch`: the audit of a cluster, again whenever the cluster changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from auditor.cli.gathered import gathered
from auditor.cli.options import PolicyOptions, choice_of_policies, cluster_access
from auditor.cli.scope import ScopeOptions, choice_of_scope
from auditor.values import dataclass

if TYPE_CHECKING:
    import logging

    from auditor.cli.options import Chosen
    from auditor.continuous.judge import Judge
    from auditor.sources.cluster import Connection
    from auditor.sources.watch import Watcher

PORT = 9180


@dataclass(frozen=True, slots=True)
class Serving:
    """Where the numbers are served, and what else is told."""

    host: str
    port: int
    interval: float
    policy_reports: bool
    log_format: str


_OPTIONS = (
    click.option(
        "--host", default="127.0.0.1", show_default=True, help="Address to serve numbers on."
    ),
    click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=PORT,
        show_default=True,
        help="0 for any that is free.",
    ),
    click.option(
        "--interval",
        type=click.FloatRange(1, 86_400),
        default=30,
        show_default=True,
        metavar="SECONDS",
        help="From the end of one audit to the start of the next, at least.",
    ),
    click.option(
        "--policy-reports",
        is_flag=True,
        help="Keep the findings in the cluster as PolicyReports (wgpolicyk8s.io/v1alpha2).",
    ),
    click.option(
        "--log-format",
        type=click.Choice(("text", "json")),
        default="text",
        show_default=True,
        help="Of the lines on standard error: what is new, and what is over.",
    ),
)


@click.command(short_help="Audit a cluster again whenever it changes.")
@cluster_access
@choice_of_policies
@choice_of_scope
@gathered("serving", Serving, *_OPTIONS)
def watch(
    kubeconfig: str | None,
    context: str | None,
    policies: PolicyOptions,
    scope: ScopeOptions,
    serving: Serving,
) -> int:
    """Audit the cluster at once and again after each change, until SIGTERM or SIGINT.

    The cluster is followed by watches. /metrics, /healthz and /readyz are served over HTTP; what is
    new and what is over since the audit before is logged. Ends with 0 when it is told to, whatever
    was found: the numbers say that.
    """
    from auditor.cli.scope import chosen_for
    from auditor.sources.building import Rendering
    from auditor.sources.cluster import Connection

    chosen = chosen_for((), policies, scope, Rendering())
    connection = Connection(kubeconfig, context)
    _kept(chosen, connection, serving)
    return 0


def _kept(chosen: Chosen, connection: Connection, told: Serving) -> None:
    import time

    from auditor.continuous.keeper import Keeper
    from auditor.continuous.numbers import PATIENCE_SECONDS, Numbers
    from auditor.continuous.reports import Reports
    from auditor.continuous.serving import serving
    from auditor.serving.logs import structured

    judge = _judge(chosen, connection)
    live = _watcher(chosen, connection)
    numbers = Numbers(live, told.interval + PATIENCE_SECONDS)
    reports = None
    if told.policy_reports:
        reports = Reports(connection, time.monotonic, numbers.written.add)
    keeper = Keeper(live, judge, numbers, told.interval, reports)
    logged = structured(numbers.lost_logs.add, form=_form(told.log_format))
    with logged, serving(numbers, told.host, told.port) as port, live:
        _say_where(told.host, port)
        keeper.run()


def _judge(chosen: Chosen, connection: Connection) -> Judge:
    """Fails at once where there is no cluster."""
    import time

    from auditor.continuous.judge import Judge
    from auditor.continuous.version import Version
    from auditor.model import Server, Settings, Snapshot

    def settings(version: int) -> Settings:
        return chosen.judging(Snapshot((), server=Server(version, frozenset())))

    return Judge(chosen.bench, settings, Version(connection.version, time.monotonic))


def _watcher(chosen: Chosen, connection: Connection) -> Watcher:
    """The cluster in memory: of each object what is read, and no kind believed for too long."""
    from auditor.policies.kept import keep_for
    from auditor.sources.kinds import KINDS
    from auditor.sources.watch import STALE_SECONDS, Watcher

    bounds = {kind.kind: (STALE_SECONDS,) for kind in KINDS}
    return Watcher(connection, keep=keep_for(chosen.bench.policies), bounds=bounds)


def _form(log_format: str) -> logging.Formatter:
    from auditor.serving.logs import Lines, Prose

    return Lines() if log_format == "json" else Prose()


def _say_where(host: str, port: int) -> None:
    import logging

    logging.getLogger(__name__).info("serving on %s:%d", host, port)
