"""A CA of our own that signs for the webhook and for nothing else.

Whoever installs makes it; it lies in a Secret that the replicas only read. Each of them signs a
certificate for itself, with a key that never leaves its memory, and a new one well before the old
one ends: the webhook needs no right to write anything, and a stolen key is worth days.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from auditor.values import dataclass
from auditor.webhook.certificates import Leaf, Pair

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

AUTHORITY_DAYS = 3650
LEAF_DAYS = 7
SKEW = timedelta(minutes=5)
"""How far the clock of whoever checks may be behind ours."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA, as PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs a certificate for these names with the CA that lies in two files."""

    authority: Pair
    names: tuple[str, ...]
    life: timedelta = timedelta(days=LEAF_DAYS)

    @property
    def name(self) -> str:
        """The files of the CA."""
        return f"the CA {self.authority.name}"

    def digest(self) -> bytes:
        """Of the CA's files, and of the names."""
        return hashlib.sha256("\0".join(self.names).encode() + self.authority.digest()).digest()

    def leaf(self) -> Leaf:
        """A new one."""
        ca = Authority(self.authority.certificate.read_bytes(), self.authority.key.read_bytes())
        return issue(ca, self.names, self.life)


def new_authority(name: str = "auditor webhook", days: int = AUTHORITY_DAYS) -> Authority:
    """A CA that may sign certificates of servers, and no other CA."""
    from cryptography import x509

    key, now = _key(), datetime.now(UTC)
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    made = _builder(name, _named(name), key, own, (now - SKEW, now + timedelta(days=days)))
    basic = x509.BasicConstraints(ca=True, path_length=0)
    made = made.add_extension(basic, critical=True)
    made = made.add_extension(_usage(signs=True), critical=True)
    return Authority(_pem(made, key), _private(key))


def issue(authority: Authority, names: Sequence[str], life: timedelta) -> Leaf:
    """A certificate of a server with these names or addresses. It ends no later than its CA.

    Raises:
        ValueError: the CA cannot be read, its key is another's, or there is no name.
    """
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    ca, ca_key = _opened(authority)
    if not names:
        raise ValueError("there is no name to sign for")
    key, now = _key(), datetime.now(UTC)
    end = min(now + life, ca.not_valid_after_utc)
    made = _builder(names[0], ca.subject, key, _identifier(ca), (now - SKEW, end))
    made = made.add_extension(_alternatives(names), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    made = made.add_extension(_usage(signs=False), critical=True)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    made = made.add_extension(purpose, critical=False)
    renew = now + (end - now) * 2 / 3
    return Leaf(_pem(made, ca_key) + authority.certificate, _private(key), renew.timestamp())


def check(authority: Authority) -> None:
    """Do nothing for a CA that can sign.

    Raises:
        ValueError: it cannot be read, or its key is another's.
    """
    _opened(authority)


def days_left(certificate: bytes) -> float:
    """Until a PEM certificate expires; negative afterwards.

    Raises:
        ValueError: it is none.
    """
    from cryptography import x509

    return days_until(x509.load_pem_x509_certificate(certificate))


def days_until(certificate: x509.Certificate) -> float:
    """The end of this certificate; negative afterwards."""
    return (certificate.not_valid_after_utc - datetime.now(UTC)) / timedelta(days=1)


def _opened(authority: Authority) -> tuple[x509.Certificate, EllipticCurvePrivateKey]:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    ca = x509.load_pem_x509_certificate(authority.certificate)
    try:
        key = serialization.load_pem_private_key(authority.key, None)
    except TypeError as error:
        raise ValueError("the private key is encrypted") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        # Not a TypeError: the file that the user gave is wrong, and no caller of ours.
        raise ValueError("the key of the CA must be one of an elliptic curve (ECDSA)")  # noqa: TRY004
    if key.public_key() != ca.public_key():
        raise ValueError("the key is not that of the CA's certificate")
    return ca, key


def _builder(
    name: str,
    issuer: x509.Name,
    key: EllipticCurvePrivateKey,
    signer: x509.SubjectKeyIdentifier,
    valid: tuple[datetime, datetime],
) -> x509.CertificateBuilder:
    """What all certificates have. By the identifiers, two CAs of one name are told apart while
    both are trusted.
    """
    from cryptography import x509

    made = x509.CertificateBuilder(issuer, _named(name), key.public_key())
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(valid[0]).not_valid_after(valid[1])
    by = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer)
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return made.add_extension(by, critical=False).add_extension(own, critical=False)


def _identifier(ca: x509.Certificate) -> x509.SubjectKeyIdentifier:
    """As the CA says it, if it does: there is more than one way to compute it, and who checks
    compares.
    """
    from cryptography import x509

    try:
        return ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.SubjectKeyIdentifier.from_public_key(ca.public_key())


def _named(name: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _alternatives(names: Sequence[str]) -> x509.SubjectAlternativeName:
    from cryptography import x509

    def one(name: str) -> x509.GeneralName:
        try:
            return x509.IPAddress(ip_address(name))
        except ValueError:
            return x509.DNSName(name)

    return x509.SubjectAlternativeName([one(name) for name in names])


def _usage(*, signs: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key() -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _pem(made: x509.CertificateBuilder, signer: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization

    return made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _private(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import serialization as form

    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
