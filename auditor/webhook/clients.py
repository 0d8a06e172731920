"""Who may ask for a review: whoever shows a certificate of one authority, under one name."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from auditor.errors import ConfigError
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Clients:
    """Those that may ask."""

    authority: Path
    """The certificates of those who sign for them, PEM."""
    name: str = ""
    """The common name, or a DNS name, that they must have; empty for any."""

    def demand(self, context: ssl.SSLContext) -> None:
        """Have handshakes ask for a certificate. Who shows none still gets through: health is
        everybody's to ask for. Who shows one of somebody else's does not.

        Raises:
            ConfigError: the file is none of certificates.
        """
        try:
            context.load_verify_locations(self.authority)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"cannot trust clients by {self.authority}: {error}") from error
        context.verify_mode = ssl.CERT_OPTIONAL

    def refusal(self, request: web.BaseRequest) -> str:
        """Why this request may not ask, empty where it may."""
        shown = request.get_extra_info("peercert")
        if not shown:
            return "show a client certificate"
        if self.name and self.name not in _names(shown):
            return "this client certificate has another name"
        return ""


def _names(certificate: Mapping[str, Any]) -> Iterator[str]:
    """The common name and the DNS names, as `ssl.SSLSocket.getpeercert` tells them."""
    for part in certificate.get("subject", ()):
        yield from (value for key, value in part if key == "commonName")
    yield from (value for key, value in certificate.get("subjectAltName", ()) if key == "DNS")
