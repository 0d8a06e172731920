"""`auditor webhook serve`: the same audit, asked by the API server before an object exists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import (
    SEVERITIES,
    Chosen,
    PolicyOptions,
    choice_of_policies,
    choose,
    cluster_access,
)

if TYPE_CHECKING:
    from auditor.webhook.court import Court

MODES = ("deny", "warn", "audit")


@click.command(short_help="Answer admission reviews until SIGTERM.")
@cluster_access
@choice_of_policies
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")  # noqa: S104 - a server in a pod
@click.option("--port", type=click.IntRange(0, 65535), default=8443, show_default=True)
@click.option(
    "--tls-cert",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Certificate with its chain, PEM; taken up anew when it changes.",
)
@click.option(
    "--tls-key",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Private key of the certificate, PEM.",
)
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default="audit",
    show_default=True,
    help="What happens to a request that adds a fault; 'audit' lets it pass and writes it down.",
)
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    default="high",
    show_default=True,
    help="From which severity on a fault counts.",
)
def serve(
    kubeconfig: str | None,
    context: str | None,
    host: str,
    port: int,
    tls_cert: Path,
    tls_key: Path,
    mode: str,
    fail_on: str,
    policies: PolicyOptions,
) -> int:
    """Serve /validate, /healthz and /readyz over HTTPS until SIGTERM.

    The cluster is followed by watches, so that a request is judged together with what is there.
    """
    import logging

    from auditor.model import Severity
    from auditor.sources.cluster import Connection
    from auditor.sources.watch import Watcher
    from auditor.webhook.certificates import Certificates, Pair
    from auditor.webhook.decide import Mode
    from auditor.webhook.server import Listener
    from auditor.webhook.server import serve as answer
    from auditor.webhook.worker import Rules

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    chosen = choose(policies, Path(), workers=False)
    listener = Listener(host, port, Pair(tls_cert, tls_key))
    Certificates(listener.pair)  # fails at once where they cannot be used
    connection = Connection(kubeconfig, context)
    court = court_of(chosen, connection.version())  # fails at once where there is no cluster
    with Watcher(connection) as live:
        answer(court, live, Rules(Mode(mode), Severity(fail_on)), listener)
    return 0


def court_of(chosen: Chosen, version: int) -> Court:
    """The court that judges with the chosen policies, for an API server of that version. What
    a request says of itself waives nothing.
    """
    from dataclasses import replace

    from auditor.model import Server, Snapshot
    from auditor.webhook.court import Court

    server = Server(version, frozenset())
    settings = replace(chosen.judging(Snapshot((), server=server)), inline=None)
    return Court(chosen.bench, settings)
