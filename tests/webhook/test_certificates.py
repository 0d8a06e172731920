"""Certificates that the webhook makes for itself, and when it takes up which."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification

from auditor.errors import ConfigError
from auditor.webhook.authority import Authority, Issuer, check, days_left, issue, new_authority
from auditor.webhook.certificates import Certificates, Leaf, Pair, Trust, rehearse
from auditor.webhook.registered import host_of, trust

from .conftest import Running

HOST = "auditor-webhook.auditor.svc"


Start = Callable[..., Running]


def lay(authority: Authority, folder: Path) -> Pair:
    """The CA's files, as a Secret is mounted."""
    pair = Pair(folder / "ca.crt", folder / "ca.key")
    pair.certificate.write_bytes(authority.certificate)
    pair.key.write_bytes(authority.key)
    return pair


@dataclass
class Registration:
    """What is registered, as a test wants it."""

    trusts: tuple[Trust, ...] = field(default=())

    def __call__(self) -> tuple[Trust, ...]:
        return self.trusts


def trusting(*authorities: Authority, host: str = HOST) -> tuple[Trust, ...]:
    return (Trust(host, b"".join(each.certificate for each in authorities)),)


def test_what_is_signed_is_believed_by_a_strict_verifier() -> None:
    """Of another library than the one that a handshake uses, by the rules of the Web PKI."""
    authority = new_authority()
    leaf = issue(authority, (HOST, "127.0.0.1"), timedelta(days=7))
    ca, own = (x509.load_pem_x509_certificate(pem) for pem in (authority.certificate, leaf.chain))
    builder = verification.PolicyBuilder().store(verification.Store([ca]))
    chain = builder.build_server_verifier(x509.DNSName(HOST)).verify(own, [])
    assert [each.subject for each in chain] == [own.subject, ca.subject]
    with pytest.raises(verification.VerificationError):
        builder.build_server_verifier(x509.DNSName("other.svc")).verify(own, [])
    assert 6.9 < days_left(own.public_bytes(Encoding.PEM)) <= 7
    assert days_left(authority.certificate) > 3649


def test_the_ca_may_not_make_other_cas() -> None:
    """Its key would otherwise be worth more than one webhook."""
    ca = x509.load_pem_x509_certificate(new_authority().certificate)
    basic = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.critical
    assert (basic.value.ca, basic.value.path_length) == (True, 0)


def test_a_certificate_does_not_outlive_its_ca() -> None:
    """Whoever sees a valid leaf under a dead CA looks for the fault in the wrong place."""
    authority = new_authority(days=1)
    leaf = issue(authority, (HOST,), timedelta(days=7))
    assert days_left(leaf.chain) <= 1


def test_a_key_of_another_ca_is_refused(tmp_path: Path) -> None:
    """Before anything is signed that nobody would believe."""
    mixed = Authority(new_authority().certificate, new_authority().key)
    with pytest.raises(ConfigError, match="not that of the CA"):
        Certificates(Issuer(lay(mixed, tmp_path), (HOST,)))


@pytest.mark.parametrize("key", [b"", b"garbage", new_authority().key])
def test_a_ca_without_its_own_key_can_sign_nothing(key: bytes) -> None:
    """Whoever installs is told, and not the replicas that then never get ready."""
    good = new_authority()
    check(good)
    with pytest.raises(ValueError, match=r"PEM|not that of the CA"):
        check(Authority(good.certificate, key))


def test_each_leaf_is_renewed_before_it_ends(tmp_path: Path) -> None:
    """At two thirds of its life, without a word from anybody."""
    pair = lay(new_authority(), tmp_path)
    certificates = Certificates(Issuer(pair, (HOST,)))
    assert not certificates.refresh()
    spent = Certificates(Issuer(pair, (HOST,), timedelta(seconds=0.9)))
    before = spent.not_after
    assert _until(spent.refresh)
    assert spent.not_after >= before


def _until(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


def test_a_new_ca_is_served_once_it_is_trusted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Bundle before leaf: until the registration knows the new CA, the old one is served."""
    old, new = new_authority(), new_authority()
    pair, registration = lay(old, tmp_path), Registration(trusting(old))
    certificates = Certificates(Issuer(pair, (HOST,)), registration)
    assert certificates.problem == ""
    lay(new, tmp_path)
    assert not certificates.refresh()
    assert "keeping the old certificate" in caplog.text
    assert (certificates.problem, certificates.refused) == ("", 1)
    registration.trusts = trusting(old, new)
    assert certificates.refresh()
    assert rehearse(certificates._current.context, trusting(new)[0]) == ""
    registration.trusts = trusting(new)
    assert not certificates.refresh()
    assert certificates.problem == ""


def test_where_nothing_served_would_be_trusted_that_is_the_problem(tmp_path: Path) -> None:
    """A registration with another CA, or one that calls another name."""
    ours = new_authority()
    certificates = Certificates(Issuer(lay(ours, tmp_path), (HOST,)))
    for trusts, why in (
        (trusting(new_authority()), "unable to get local issuer|self.signed|signature failure"),
        (trusting(ours, host="other.auditor.svc"), "other.auditor.svc"),
        ((Trust(HOST, b"nonsense"),), "caBundle"),
        (trusting(ours), "^$"),
    ):
        certificates._registered = Registration(trusts)
        certificates.refresh()
        assert re.search(why, certificates.problem), certificates.problem


def test_an_intermediate_in_the_bundle_is_enough(tmp_path: Path) -> None:
    """The API server takes any certificate of the bundle as an anchor; so does the rehearsal."""
    root = trustme.CA()
    middle = root.create_child_ca()
    issued = middle.issue_cert(HOST)
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    (tmp_path / "c").write_bytes(chain)
    (tmp_path / "k").write_bytes(issued.private_key_pem.bytes())
    trust = Trust(HOST, middle.cert_pem.bytes())
    certificates = Certificates(Pair(tmp_path / "c", tmp_path / "k"), Registration((trust,)))
    assert certificates.problem == ""


def test_an_expired_pair_is_not_taken_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither at the start nor later."""
    authority = trustme.CA()
    past = datetime(2020, 1, 1, tzinfo=UTC)

    def write(end: datetime | None = None) -> Pair:
        begin = end and end - timedelta(days=1)
        issued = authority.issue_cert(HOST, not_before=begin, not_after=end)
        (tmp_path / "c").write_bytes(b"".join(b.bytes() for b in issued.cert_chain_pems))
        (tmp_path / "k").write_bytes(issued.private_key_pem.bytes())
        return Pair(tmp_path / "c", tmp_path / "k")

    with pytest.raises(ConfigError, match="expired at 2020-01-01"):
        Certificates(write(past))
    certificates = Certificates(write())
    write(past)
    assert not certificates.refresh()
    assert "expired at 2020-01-01" in caplog.text


def test_a_leaf_is_a_whole_chain() -> None:
    """With its CA after it, and its key fits."""
    authority = new_authority()
    leaf: Leaf = issue(authority, (HOST,), timedelta(days=1))
    assert len(x509.load_pem_x509_certificates(leaf.chain)) == 2
    assert b"BEGIN PRIVATE KEY" in leaf.key
    assert ssl.OPENSSL_VERSION_INFO >= (1, 1, 1)


def test_whom_the_api_server_does_not_trust_is_not_ready(start: Start) -> None:
    """Requests go to another replica, and to this one again once the registration is right."""
    registration = Registration()
    running = start(registered=registration)
    assert running.ask(method="GET", path="/readyz").status == 200
    registration.trusts = (Trust("127.0.0.1", new_authority().certificate),)
    assert _until(lambda: running.ask(method="GET", path="/readyz").status == 503)
    assert b"does not trust us" in running.ask(method="GET", path="/readyz").body
    assert running.ask(method="GET", path="/healthz").status == 200
    registration.trusts = (Trust("127.0.0.1", running.authority.cert_pem.bytes()),)
    assert _until(lambda: running.ask(method="GET", path="/readyz").status == 200)


@pytest.mark.parametrize(
    ("client", "host"),
    [
        ({"service": {"name": "w", "namespace": "n"}}, "w.n.svc"),
        ({"url": "https://10.1.2.3:8443/validate"}, "10.1.2.3"),
        ({"url": "https://[fd00::1]:8443/validate"}, "fd00::1"),
        ({"url": "https://[fd00"}, ""),
        ({}, ""),
    ],
)
def test_the_name_that_is_called_is_known(client: dict[str, object], host: str) -> None:
    """https://pkg.go.dev/k8s.io/apiserver/pkg/util/webhook#ClientConfig: NAME.NAMESPACE.svc."""
    assert host_of(client) == host
    assert trust(client) is None
    assert trust(client | {"caBundle": "not base64!"}) == Trust(host, b"")
