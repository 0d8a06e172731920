"""The server's certificate, exchanged without a restart when its files change."""

from __future__ import annotations

import hashlib
import logging
import ssl
from dataclasses import dataclass
from pathlib import Path

from auditor.errors import ConfigError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pair:
    """Where a certificate (with its chain) and its private key lie, as PEM."""

    certificate: Path
    key: Path


class Certificates:
    """TLS as we offer it: 1.3 alone, and HTTP/1.1 alone, as the API server asks of webhooks.

    A pair is taken up only whole: loading a new certificate with an old key into a context in use
    would break it for every new connection. So a new context is made and, once it stands, every
    handshake is pointed to it.

    Raises:
        ConfigError: the files cannot be read, or do not belong together.
    """

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._seen = b""
        try:
            self._seen = self._digest()
            self._current = self._load()
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"cannot serve with {pair.certificate} and {pair.key}: {error}; "
                "both must be PEM, and the key must be that of the certificate"
            ) from error
        self.context = _context()
        """What to listen with: it hands every handshake to the newest pair."""
        self.context.sni_callback = self._newest

    def refresh(self) -> bool:
        """Take up the pair in the files if it has changed; whether it did. A pair that cannot be
        used is left aside, and the old one goes on.

        Contents are compared, not times: a mounted Secret changes by a link being turned.
        """
        try:
            seen = self._digest()
            if seen == self._seen:
                return False
            current = self._load()
        except (OSError, ValueError) as error:
            log.warning("%s: keeping the old certificate: %s", self._pair.certificate, error)
            return False
        self._seen, self._current = seen, current
        log.info("%s: serving the new certificate", self._pair.certificate)
        return True

    def _newest(
        self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _old: ssl.SSLContext
    ) -> None:
        connection.context = self._current

    def _digest(self) -> bytes:
        files = (self._pair.certificate, self._pair.key)
        return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).digest()

    def _load(self) -> ssl.SSLContext:
        context = _context()
        # An encrypted key must fail here instead of asking for a password at a terminal.
        context.load_cert_chain(self._pair.certificate, self._pair.key, password=_no_password)
        return context


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["http/1.1"])
    return context


def _no_password() -> str:
    raise ValueError("the private key is encrypted")
