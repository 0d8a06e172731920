"""`auditor webhook`: the same audit, asked by the API server before an object exists."""

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


@click.group(short_help="Answer admission reviews with the same audit.")
def webhook() -> None:
    """Answer admission reviews with the same audit."""


@webhook.command()
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
    chosen = choose(policies, Path())
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


@webhook.command()
@click.option("--url", metavar="URL", help="Where the webhook is reached from outside.")
@click.option("--service", metavar="NAMESPACE/NAME", help="Or the Service in front of it.")
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The CA that signed the webhook's certificate, PEM.",
)
@click.option(
    "--failure-policy",
    type=click.Choice(("Ignore", "Fail")),
    default="Ignore",
    show_default=True,
    help="What the API server does when the webhook cannot answer.",
)
def registration(url: str | None, service: str | None, ca: Path, failure_policy: str) -> int:
    """Print the ValidatingWebhookConfiguration that registers the webhook, for `kubectl apply`."""
    import yaml

    from auditor.errors import UsageError
    from auditor.webhook.registration import registered

    if bool(url) == bool(service):
        raise UsageError("say --url URL or --service NAMESPACE/NAME (and not both)")
    manifest = registered(ca.read_bytes(), failure_policy, url=url, service=service)
    click.echo(yaml.safe_dump(manifest, sort_keys=False), nl=False)
    return 0
