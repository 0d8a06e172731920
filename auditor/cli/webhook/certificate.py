"""Where the webhook's certificate comes from: flags of `serve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.gathered import gathered
from auditor.errors import UsageError
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.webhook.certificates import Source

_FILE = click.Path(dir_okay=False, path_type=Path)

_OPTIONS = (
    click.option(
        "--tls-cert",
        type=_FILE,
        help="Certificate with its chain, PEM; taken up anew when it changes.",
    ),
    click.option("--tls-key", type=_FILE, help="Private key of the certificate, PEM."),
    click.option(
        "--ca-cert",
        type=_FILE,
        help="Instead: an ECDSA CA to sign certificates with, PEM; each replica its own.",
    ),
    click.option("--ca-key", type=_FILE, help="Private key of the CA, PEM."),
    click.option(
        "--tls-name",
        "tls_names",
        multiple=True,
        metavar="NAME",
        help="Name or address to sign for, NAME.NAMESPACE.svc for a Service.",
    ),
    click.option(
        "--registration",
        default="auditor",
        show_default=True,
        metavar="NAME",
        help="The webhook configurations that call us: not ready where they do not trust us.",
    ),
)


@dataclass(frozen=True, slots=True)
class CertificateOptions:
    """What the flags say, under their names."""

    tls_cert: Path | None
    tls_key: Path | None
    ca_cert: Path | None
    ca_key: Path | None
    tls_names: tuple[str, ...]
    registration: str

    def source(self) -> Source:
        """Where certificates come from.

        Raises:
            UsageError: not exactly one of the two ways is named, or one of them by halves.
        """
        from auditor.webhook.authority import Issuer
        from auditor.webhook.certificates import Pair

        given = (self.tls_cert, self.tls_key, self.ca_cert, self.ca_key)
        match given:
            case (Path() as certificate, Path() as key, None, None) if not self.tls_names:
                return Pair(certificate, key)
            case (None, None, Path() as certificate, Path() as key) if self.tls_names:
                return Issuer(Pair(certificate, key), self.tls_names)
        raise UsageError(
            "say --tls-cert FILE --tls-key FILE, or --ca-cert FILE --ca-key FILE --tls-name NAME"
        )


certificate_options = gathered("certificate", CertificateOptions, *_OPTIONS)
