"""`auditor webhook serve`: the same audit, asked by the API server before an object exists."""

from __future__ import annotations

from functools import partial
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
from auditor.cli.webhook.attendance import attending, lease_option
from auditor.cli.webhook.certificate import CertificateOptions, certificate_options

if TYPE_CHECKING:
    from auditor.declared import Admission
    from auditor.sources.cluster import Connection
    from auditor.webhook.court import Court

REGISTRATION_SECONDS = 5.0
"""How long to wait for the registration each time that it is looked at."""
MODES = ("deny", "warn", "audit")


@click.command(short_help="Answer admission reviews until SIGTERM.")
@cluster_access
@choice_of_policies
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")  # noqa: S104 - a server in a pod
@click.option("--port", type=click.IntRange(0, 65535), default=8443, show_default=True)
@certificate_options
@click.option(
    "--mode",
    type=click.Choice(MODES),
    help="What becomes of a request that adds a fault, where no rule of the configuration fits; "
    "'audit', the default, lets it pass and writes it down.",
)
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    help="From which severity on a fault counts, where no rule says; by default 'high'.",
)
@lease_option
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Processes that judge; one more stands by.",
)
@click.option(
    "--client-ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Answer only to certificates signed by this CA, PEM.",
)
@click.option("--client-name", metavar="NAME", default="", help="And only to those of this name.")
def serve(
    kubeconfig: str | None,
    context: str | None,
    host: str,
    port: int,
    certificate: CertificateOptions,
    mode: str | None,
    fail_on: str | None,
    lease: str | None,
    workers: int,
    client_ca: Path | None,
    client_name: str,
    policies: PolicyOptions,
) -> int:
    """Serve /validate, /healthz, /readyz and /metrics over HTTPS until SIGTERM.

    The cluster is followed by watches, so that a request is judged together with what is there.
    """
    from auditor.errors import UsageError
    from auditor.sources.cluster import Connection
    from auditor.sources.watch import Watcher
    from auditor.webhook.certificates import Certificates
    from auditor.webhook.clients import Clients
    from auditor.webhook.evaluators import Staff
    from auditor.webhook.logs import structured
    from auditor.webhook.metrics import Metrics
    from auditor.webhook.plan import Plan
    from auditor.webhook.registered import LiveRegistration
    from auditor.webhook.server import Listener
    from auditor.webhook.server import serve as answer
    from auditor.webhook.staleness import bounds_of

    if client_name and not client_ca:
        raise UsageError("--client-name says nothing without --client-ca")
    chosen = choose(policies, Path(), workers=False)
    source = certificate.source()
    Certificates(source)  # fails at once where they cannot be used
    asking = Connection(kubeconfig, context, REGISTRATION_SECONDS)
    told = LiveRegistration(asking, certificate.registration)
    clients = Clients(client_ca, client_name) if client_ca else None
    answering = _Flag()
    listener = Listener(host, port, source, told, told.glass, answering.set, clients)
    connection = Connection(kubeconfig, context)
    court = court_of(chosen, connection.version())  # fails at once where there is no cluster
    terms = terms_of(chosen, mode, fail_on)
    bounds = bounds_of(chosen.bench.policies, terms)
    plan, metrics = Plan(chosen.bench, court.settings, terms).checked(), Metrics()
    again = partial(_court_again, policies, connection)
    live = Watcher(connection, keep=court.keep, bounds=bounds)
    beats = attending(lease, connection, live, again, terms, answering.get, metrics.count_unjudged)
    with structured(metrics.lost_logs.add), beats, live:
        answer(plan, live, listener, Staff(workers), metrics)
    return 0


class _Flag:
    """What one thread says and another reads: whether requests are judged here."""

    def __init__(self) -> None:
        self._value = False

    def set(self, value: bool) -> None:
        """Say it."""
        self._value = value

    def get(self) -> bool:
        """What was said last."""
        return self._value


def _court_again(policies: PolicyOptions, connection: Connection) -> Court:
    """Another court like it, that has an engine of its own."""
    return court_of(choose(policies, Path(), workers=False), connection.version())


def terms_of(chosen: Chosen, mode: str | None, fail_on: str | None) -> Admission:
    """What the configuration declares, with the flags before what it says for want of a rule."""
    from dataclasses import replace

    from auditor.declared import Mode
    from auditor.grades import Severity

    terms = chosen.admission
    return replace(
        terms,
        mode=Mode(mode) if mode else terms.mode,
        fail_on=Severity(fail_on) if fail_on else terms.fail_on,
    )


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
