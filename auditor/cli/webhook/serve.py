"""`auditor webhook serve`: the same audit, asked by the API server before an object exists."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.gathered import gathered
from auditor.cli.options import PolicyOptions, choice_of_policies, choose, cluster_access
from auditor.cli.webhook.attendance import attending, lease_option
from auditor.cli.webhook.certificate import CertificateOptions, certificate_options
from auditor.cli.webhook.terms import Modes, court_of, judging
from auditor.errors import UsageError
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.sources.cluster import Connection
    from auditor.webhook.clients import Clients
    from auditor.webhook.court import Court
    from auditor.webhook.server import Listener

REGISTRATION_SECONDS = 5.0
"""How long to wait for the registration each time that it is looked at."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen, and to whom."""

    host: str
    port: int
    client_ca: Path | None
    client_name: str

    def clients(self) -> Clients | None:
        """Who may ask; None for anybody.

        Raises:
            UsageError: a name is asked for, and no certificate.
        """
        from auditor.webhook.clients import Clients

        if self.client_name and not self.client_ca:
            raise UsageError("--client-name says nothing without --client-ca")
        return Clients(self.client_ca, self.client_name) if self.client_ca else None

    def listener(
        self,
        certificate: CertificateOptions,
        connect: Callable[[float], Connection],
        answering: _Flag,
    ) -> Listener:
        """What serves there. `connect` is told how many seconds an answer may take.

        Raises:
            ConfigError: there is no certificate to serve with.
        """
        from auditor.webhook.certificates import Certificates
        from auditor.webhook.registered import LiveRegistration
        from auditor.webhook.server import Listener

        source = certificate.source()
        Certificates(source)  # fails at once where they cannot be used
        registered = LiveRegistration(connect(REGISTRATION_SECONDS), certificate.registration)
        return Listener(
            self.host,
            self.port,
            source,
            registered,
            registered.glass,
            registered.unmended,
            answering.set,
            self.clients(),
        )


_OPTIONS = (
    click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on."),  # noqa: S104 - a server in a pod
    click.option("--port", type=click.IntRange(0, 65535), default=8443, show_default=True),
    click.option(
        "--client-ca",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Answer only to certificates signed by this CA, PEM.",
    ),
    click.option(
        "--client-name", metavar="NAME", default="", help="And only to those of this name."
    ),
)


@click.command(short_help="Answer admission reviews until SIGTERM.")
@cluster_access
@choice_of_policies
@gathered("listening", Listening, *_OPTIONS)
@certificate_options
@judging
@lease_option
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Processes that judge; one more stands by.",
)
def serve(
    kubeconfig: str | None,
    context: str | None,
    policies: PolicyOptions,
    listening: Listening,
    certificate: CertificateOptions,
    modes: Modes,
    lease: str | None,
    workers: int,
) -> int:
    """Serve /validate, /healthz, /readyz and /metrics over HTTPS until SIGTERM.

    The cluster is followed by watches, so that a request is judged together with what is there.
    """
    from auditor.serving.logs import structured
    from auditor.sources.cluster import Connection
    from auditor.sources.watch import Watcher
    from auditor.webhook.evaluators import Staff
    from auditor.webhook.metrics import Metrics
    from auditor.webhook.plan import Plan
    from auditor.webhook.server import serve as answer
    from auditor.webhook.staleness import bounds_of

    listening.clients()  # what is wrong with the flags is said before anything is read
    chosen = choose(policies, Path(), workers=False)
    terms = modes.terms(chosen)
    answering, metrics = _Flag(), Metrics()
    connect = partial(Connection, kubeconfig, context)
    listener = listening.listener(certificate, connect, answering)
    connection = connect()
    court = court_of(chosen, connection.version())  # fails at once where there is no cluster
    plan = Plan(chosen.bench, court.settings, terms).checked()
    live = Watcher(connection, keep=court.keep, bounds=bounds_of(chosen.bench.policies, terms))
    again = partial(_court_again, policies, connection)
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
