"""`auditor webhook install`: prints what the webhook needs in a cluster, or puts it there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.gathered import gathered
from auditor.cli.options import cluster_access
from auditor.cli.screen import say
from auditor.errors import UsageError
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.config import Declared
    from auditor.sources.cluster import Connection
    from auditor.terms import Opening
    from auditor.webhook.installation import CertManager, Given, Installation, Manifest, Own
    from auditor.webhook.registration import Terms


class Label(click.ParamType[str]):
    """A name as namespaces have it: RFC 1123."""

    name = "NAME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name, or a usage error that names the flag."""
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", str(value)):
            self.fail(f"'{value}' is no name of a namespace or Secret", param, ctx)
        return str(value)


class Cidr(click.ParamType[str]):
    """A range of addresses."""

    name = "CIDR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The range with its prefix length, or a usage error that names the flag."""
        from ipaddress import ip_network

        try:
            return str(ip_network(value))
        except ValueError as error:
            self.fail(f"{error}", param, ctx)


WAYS = ("own", "secret", "cert-manager")
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs the webhook's certificates."""

    way: str
    secret: str | None
    ca: Path | None
    new_ca: bool

    def __post_init__(self) -> None:
        given = bool(self.secret and self.ca)
        if (self.way == "secret") != given or (not given and (self.secret or self.ca)):
            raise UsageError(
                "--certificates secret needs --secret NAME and --ca FILE; others neither"
            )

    def certificates(
        self, connection: Connection | None, namespace: str
    ) -> Own | Given | CertManager:
        """As the installation has them.

        Raises:
            WriteError: the CA of that cluster cannot be kept.
        """
        from auditor.webhook.applying import own_authority
        from auditor.webhook.authority import new_authority
        from auditor.webhook.installation import CertManager, Given, Own
        from auditor.webhook.registration import certificates

        if self.new_ca and not (connection and self.way == "own"):
            raise UsageError(
                "--new-ca replaces the CA of a cluster: say --apply, and no other source"
            )
        if self.secret and self.ca:
            return Given(self.secret, certificates(self.ca.read_bytes()))
        if self.way == "cert-manager":
            return CertManager()
        if connection is None:
            return Own(new_authority())
        return own_authority(connection, namespace, renew=self.new_ca)


_SIGNING = (
    click.option(
        "--certificates",
        "way",
        type=click.Choice(WAYS),
        default="own",
        show_default=True,
        help="A CA of our own, which is kept from one call to the next with --apply; a Secret that"
        " somebody else keeps; or cert-manager.",
    ),
    click.option(
        "--secret", type=Label(), help="With --certificates secret: one of type kubernetes.io/tls."
    ),
    click.option("--ca", type=_FILE, help="And the CA that signed its certificate, PEM."),
    click.option("--new-ca", is_flag=True, help="With --apply: replace our own CA by a new one."),
)


@dataclass(frozen=True, slots=True)
class Registering:
    """What the API server is told."""

    failure_policy: str
    timeout: int
    exempt: tuple[str, ...]

    def terms(self, openings: Sequence[Opening]) -> Terms:
        """With the custom kinds that a configuration declares."""
        from auditor.webhook.registration import SYSTEM_NAMESPACES, Terms

        unasked = (*SYSTEM_NAMESPACES, *self.exempt)
        return Terms(self.failure_policy, self.timeout, unasked, tuple(openings))


_REGISTERING = (
    click.option(
        "--failure-policy",
        type=click.Choice(("Ignore", "Fail")),
        default="Ignore",
        show_default=True,
        help="What the API server does when no replica answers.",
    ),
    click.option(
        "--timeout",
        type=click.IntRange(1, 30),
        default=5,
        show_default=True,
        help="Seconds that the API server waits for an answer.",
    ),
    click.option(
        "--exempt", multiple=True, type=Label(), help="Do not ask about this namespace either."
    ),
)


@dataclass(frozen=True, slots=True)
class Running:
    """What runs, and how it judges."""

    image: str
    namespace: str
    replicas: int
    config: Path | None
    api_server: tuple[str, ...]
    flags: tuple[str, ...]

    def installation(
        self, certificates: Own | Given | CertManager, configuration: str
    ) -> Installation:
        """As it is put into a cluster."""
        from auditor.webhook.installation import Installation

        return Installation(
            image=self.image,
            certificates=certificates,
            namespace=self.namespace,
            replicas=self.replicas,
            serve=self.flags,
            configuration=configuration,
            **({"api_server": self.api_server} if self.api_server else {}),
        )


_RUNNING = (
    click.option("--image", required=True, help="An image that runs `auditor`, by digest."),
    click.option("--namespace", type=Label(), default="auditor", show_default=True),
    click.option("--replicas", type=click.IntRange(1), default=2, show_default=True),
    click.option(
        "--config",
        type=_FILE,
        help="The .auditor.yaml by which the webhook judges: modes, central waivers.",
    ),
    click.option(
        "--api-server",
        multiple=True,
        type=Cidr(),
        help="Addresses of API servers, for the NetworkPolicy [default: all].",
    ),
    click.option(
        "--serve", "flags", multiple=True, metavar="FLAG", help="One more flag of `serve`."
    ),
)


@click.command(short_help="Print what the webhook needs in a cluster, or put it there.")
@cluster_access
@gathered("running", Running, *_RUNNING)
@gathered("registering", Registering, *_REGISTERING)
@gathered("signing", Signing, *_SIGNING)
@click.option("--apply", is_flag=True, help="Put it into the cluster instead of printing it.")
def install(
    kubeconfig: str | None,
    context: str | None,
    running: Running,
    registering: Registering,
    signing: Signing,
    apply: bool,
) -> int:
    """Print Namespace, roles, Deployment, Service and registration of the webhook as YAML, or
    --apply them.

    It may write nothing to the cluster but one Lease. System namespaces and the webhook's own are
    not asked about. With --certificates own, what is printed holds the private key of a CA: apply
    it, and do not keep it.
    """
    _flags_of_serve(running.flags)
    text, mutate = _read(running.config, running.flags)
    connection = _connection(kubeconfig, context) if apply else None
    certificates = signing.certificates(connection, running.namespace)
    installation = running.installation(certificates, text)
    terms = registering.terms(_openings(running.config))
    registrations = _registrations(installation, terms, mutate=mutate)
    _warn_of(running.image)
    if connection is None:
        _print(installation, registrations)
    else:
        _apply(installation, registrations, connection)
    return 0


def _warn_of(image: str) -> None:
    """A tag can be moved: then replicas differ, and who moves it answers for the cluster."""
    if not DIGEST.search(image):
        say(
            f"warning: --image {image} is no digest: whoever may move the tag replaces the webhook,"
            " and replicas may differ; name it as REPOSITORY@sha256:…",
            err=True,
        )


def _connection(kubeconfig: str | None, context: str | None) -> Connection:
    from auditor.sources.cluster import Connection

    connection = Connection(kubeconfig, context)
    connection.version()  # fails at once where there is no cluster
    return connection


def _openings(config: Path | None) -> tuple[Opening, ...]:
    """The custom kinds that it declares."""
    from auditor.cli.config import load

    return load(config, config.parent).openings if config else ()


def _flags_of_serve(flags: Sequence[str]) -> None:
    """Refuse what `serve` would refuse: the replicas would end, one after the other. Files are
    those of the image, of which nothing is known here.
    """
    from auditor.cli.webhook.serve import serve

    context = click.Context(serve, info_name="auditor webhook serve")
    given, rest, _ = serve.make_parser(context).parse_args(list(flags))
    if rest:
        raise click.UsageError(f"--serve {rest[0]}: is no flag; write --serve=--flag=value")
    for parameter in serve.params:
        if isinstance(parameter.type, (click.Choice, click.IntRange)) and parameter.name in given:
            parameter.type_cast_value(context, given[parameter.name])


def _nothing_beside(declared: Declared) -> None:
    """Refuse folders beside the configuration: they stay behind, and no replica would start."""
    from auditor.errors import ConfigError

    for folder in declared.config.policies:
        if not Path(folder).is_absolute():
            raise ConfigError(
                f"{declared.file}: policies: the folder '{folder}' is not installed with this file;"
                " build it into the image and name it by --serve=--policies=/FOLDER"
            )


def _read(config: Path | None, flags: Sequence[str]) -> tuple[str, bool]:
    """The configuration, once it is known to be one, and whether it wants objects completed."""
    if config is None:
        return "", False
    from auditor.cli.admission import checked
    from auditor.cli.config import load
    from auditor.policies.loader import load as load_policies

    declared = load(config, config.parent)
    _nothing_beside(declared)
    others = declared.policy_folders or any("policies" in flag for flag in flags)
    if not others:  # else the policies are those of the image, of which nothing is known here
        checked(declared.admission, load_policies()[0])
    return config.read_text("utf-8"), bool(declared.admission.mutate)


def _registrations(
    installation: Installation, terms: Terms, *, mutate: bool
) -> list[dict[str, Any]]:
    """Who is asked: to judge, and where the configuration wants it, to add what is missing."""
    from auditor.webhook.installation import NAME, CertManager
    from auditor.webhook.registration import mutating, registered

    given = installation.certificates
    bundle = None if isinstance(given, CertManager) else given.bundle
    service = f"{installation.namespace}/{NAME}"
    found = [registered(bundle, terms, service=service)]
    return [*found, mutating(bundle, service=service)] if mutate else found


def _print(installation: Installation, registrations: Sequence[Manifest]) -> None:
    import yaml

    from auditor.webhook.installation import Own, objects

    if isinstance(installation.certificates, Own):
        say("note: this holds the private key of a new CA; apply it, and do not keep it", err=True)
    documents = [*objects(installation), *registrations]
    click.echo(yaml.safe_dump_all(documents, sort_keys=False), nl=False)


def _apply(
    installation: Installation, registrations: Sequence[Manifest], connection: Connection
) -> None:
    from auditor.webhook.applying import put
    from auditor.webhook.installation import NAME, objects

    for line in put(connection, objects(installation), registrations):
        say(line)
    where = f"-n {installation.namespace} rollout status deployment/{NAME}"
    say(f"next: kubectl {where}; then auditor webhook doctor", err=True)
