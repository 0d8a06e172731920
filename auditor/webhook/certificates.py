"""The server's certificate, exchanged without a restart, and never for one that nobody trusts.

A new certificate is rehearsed before it is served: a whole handshake in memory, with the API
server's part played by what the live registration says (its caBundle and the name it calls). That
is the check that the API server makes, made before it counts.
"""

from __future__ import annotations

import hashlib
import logging
import ssl
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from auditor.errors import ConfigError
from auditor.values import dataclass

log = logging.getLogger(__name__)

FLIGHTS = 4
"""So often two ends of a handshake in memory may have to answer each other; TLS 1.3 needs 2."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate to serve, as PEM."""

    chain: bytes
    """The certificate itself, and then those that lead to its CA."""
    key: bytes
    renew_at: float = float("inf")
    """Seconds since the epoch at which its source should be asked for another."""


class Source(Protocol):
    """Where certificates come from."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def digest(self) -> bytes:
        """Of all that its certificate depends on; contents, not times: a mounted Secret changes by
        a link being turned.

        Raises:
            OSError: a file cannot be read.
        """

    def leaf(self) -> Leaf:
        """The certificate to serve now.

        Raises:
            OSError, ValueError: there is none.
        """


@dataclass(frozen=True, slots=True)
class Pair:
    """Where a certificate (with its chain) and its private key lie, as PEM."""

    certificate: Path
    key: Path

    @property
    def name(self) -> str:
        """Both files."""
        return f"{self.certificate} and {self.key}"

    def digest(self) -> bytes:
        """Of both files."""
        files = (self.certificate, self.key)
        return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).digest()

    def leaf(self) -> Leaf:
        """As it stands in the files."""
        return Leaf(self.certificate.read_bytes(), self.key.read_bytes())


@dataclass(frozen=True, slots=True)
class Trust:
    """How the API server will check us: one entry of the live registration."""

    host: str
    """The name or address that it calls, and that the certificate must bear."""
    bundle: bytes
    """The CAs that it trusts, PEM."""


Registered = Callable[[], tuple[Trust, ...]]
"""What is registered now; empty where nothing is."""


def unregistered() -> tuple[Trust, ...]:
    """Where there is no registration to compare with."""
    return ()


class Certificates:
    """TLS as we offer it: 1.3 alone, and HTTP/1.1 alone, as the API server asks of webhooks.

    A pair is taken up only whole: loading a new certificate with an old key into a context in use
    would break it for every new connection. So a new context is made and, once it stands, every
    handshake is pointed to it; connections that are open go on. `prepare` says what more each
    context must do.

    Raises:
        ConfigError: the source has no certificate that can be served.
    """

    def __init__(
        self,
        source: Source,
        registered: Registered = unregistered,
        prepare: Callable[[ssl.SSLContext], None] = lambda _: None,
    ) -> None:
        self._source = source
        self._prepare = prepare
        self._registered = registered
        self._trusts: tuple[Trust, ...] = ()
        self._seen = b""
        self.refused = 0
        """How many times a certificate was left aside."""
        try:
            self._seen = source.digest()
            self._take(self._made())
        except (OSError, ValueError) as error:
            if isinstance(error, FileNotFoundError):
                raise ConfigError(f"cannot serve with {source.name}: {error.strerror}") from error
            raise ConfigError(
                f"cannot serve with {source.name}: {error}; "
                "both must be PEM, and the key must be that of the certificate"
            ) from error
        self.problem = ""
        """Why the API server would not believe us, at the last `refresh`; empty where it would."""
        self.context = _context(prepare)
        """What to listen with: it hands every handshake to the newest pair."""
        self.context.sni_callback = self._newest

    @property
    def not_after(self) -> float:
        """When the certificate that is served expires, in seconds since the epoch."""
        return self._current.not_after

    def refresh(self) -> bool:
        """Look at the registration and at the source, and take up the source's certificate if it
        is a new one; whether it did. May wait for files and for the API server.

        One that cannot be used is left aside, and so is one that the API server does not trust yet
        while it trusts the old one: a new CA is published first and served afterwards.
        """
        try:
            taken = self._renew()
        except (OSError, ValueError) as error:
            self._refuse(str(error))
            taken = False
        self._look()
        return taken

    def _renew(self) -> bool:
        seen = self._source.digest()
        if seen == self._seen and time.time() < self._current.renew_at:
            return False
        made = self._made()
        self._trusts = self._registered()
        if (why := made.mistrust(self._trusts)) and not self._current.mistrust(self._trusts):
            self._refuse(why)
            return False
        self._seen = seen
        self._take(made)
        log.info("%s: serving the new certificate", self._source.name)
        return True

    def _refuse(self, why: str) -> None:
        self.refused += 1
        log.warning("%s: keeping the old certificate: %s", self._source.name, why)

    def _look(self) -> None:
        self._trusts = self._registered()
        why = self._current.mistrust(self._trusts)
        if why and why != self.problem:
            log.error("the API server does not trust the certificate that is served: %s", why)
        self.problem = why

    def _made(self) -> _Current:
        made = _Current(self._source.leaf(), _context(self._prepare))
        if made.not_after <= time.time():
            raise ValueError(f"the certificate expired at {_moment(made.not_after)}")
        return made

    def _take(self, current: _Current) -> None:
        self._current = current

    def _newest(
        self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _old: ssl.SSLContext
    ) -> None:
        connection.context = self._current.context


class _Current:
    """A certificate in a context of its own.

    Raises:
        ValueError: it cannot be read, or is not that of the key. OSError: likewise.
    """

    def __init__(self, leaf: Leaf, context: ssl.SSLContext) -> None:
        self.context = context
        self.renew_at = leaf.renew_at
        _load(self.context, leaf)
        self.not_after = _not_after(leaf.chain)

    def mistrust(self, trusts: tuple[Trust, ...]) -> str:
        """Why one of these would not accept it; empty where all do."""
        if self.not_after <= time.time():
            return f"it expired at {_moment(self.not_after)}"
        return next(filter(None, (rehearse(self.context, each) for each in trusts)), "")


def rehearse(server: ssl.SSLContext, trust: Trust) -> str:
    """Why a handshake between this server and the API server would fail; empty where it would not.

    Like Go, the client takes any certificate of the bundle as an anchor, a root or not.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        client.load_verify_locations(cadata=trust.bundle.decode("ascii"))
        _shake(server, client, trust.host)
    except ssl.SSLCertVerificationError as error:
        return f"for {trust.host}: {error.verify_message or error}"
    except (ssl.SSLError, ValueError) as error:
        return f"the caBundle for {trust.host} cannot be used: {error}"
    return ""


def _shake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> None:
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(back, there, server_hostname=host),
        server.wrap_bio(there, back, server_side=True),
    )
    for _ in range(FLIGHTS):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue


def _load(context: ssl.SSLContext, leaf: Leaf) -> None:
    """Into a context; OpenSSL takes files alone, and these are read by nobody else."""
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder, "tls.crt"), Path(folder, "tls.key")
        certificate.write_bytes(leaf.chain)
        key.touch(0o600)
        key.write_bytes(leaf.key)
        # An encrypted key must fail here instead of asking for a password at a terminal.
        context.load_cert_chain(certificate, key, password=_no_password)


def _not_after(chain: bytes) -> float:
    from cryptography import x509

    return x509.load_pem_x509_certificate(chain).not_valid_after_utc.timestamp()


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _context(prepare: Callable[[ssl.SSLContext], None]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["http/1.1"])
    prepare(context)
    return context


def _no_password() -> str:
    raise ValueError("the private key is encrypted")
