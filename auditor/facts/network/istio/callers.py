"""Who calls, as a sidecar gets to know them: by an identity and by an address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from ipaddress import IPv6Address, ip_address
from typing import Any

from auditor.facts.network.answers import Machine, Peer, Stranger, World
from auditor.facts.network.istio.conditions import LOCAL, NOBODY, SOMEBODY, SPIFFE
from auditor.facts.network.istio.matching import IPAddress
from auditor.facts.network.istio.settings import Settings
from auditor.facts.network.istio.sidecars import PROXY, Capture, capture, service_account
from auditor.facts.network.points import pods_by_owner
from auditor.facts.network.requests import Identity
from auditor.facts.selectors import Truth
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Key, Manifest, Ref, Resource, Snapshot
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of who calls."""

    identity: str | None
    """What it proves where it uses mTLS, with SOMEBODY for an account that is not known; None
    where nothing is known.
    """
    addresses: tuple[IPAddress, ...] | None
    """Those that it may have; None where they are not known."""
    sidecar: Truth
    """Whether it uses mTLS of itself."""
    why: str = ""
    """What the doubts are about, where `sidecar` is MAYBE."""


@dataclass(slots=True)
class Callers:
    """The workloads of one snapshot. Not frozen: it remembers what it found out."""

    snapshot: Snapshot
    settings: Settings
    _pods: Mapping[Key, Sequence[Resource]] = field(init=False)
    _namespaces: Mapping[str, Resource] = field(init=False)
    _captures: dict[Ref, tuple[Workload, Capture]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pods = pods_by_owner(self.snapshot)
        self._namespaces = {n.ref.name: n for n in self.snapshot.of_kind("Namespace")}

    def of(self, caller: Peer | Identity) -> Caller:
        """What a sidecar learns of `caller`.

        Raises:
            ValueError: an address is none.
        """
        if isinstance(caller, World):
            return Caller("", (_plain(caller.address),), Truth.NO)
        if isinstance(caller, Identity):
            return self._proven(caller)
        if isinstance(caller, Stranger):
            return self._stranger(caller)
        if isinstance(caller, Machine):
            return Caller("", None, Truth.NO)
        return self._workload(caller)

    def capture(self, target: Workload) -> Capture:
        """Who takes the traffic to and from `target`."""
        known = self._captures.get(target.ref)
        if known is None or known[0] is not target:
            home = self._namespaces.get(target.ref.namespace)
            found = capture(target, self._pods.get(target.ref.key, ()), home)
            known = self._captures[target.ref] = (target, found)
        return known[1]

    def addresses(self, target: Workload) -> tuple[IPAddress, ...] | None:
        """The addresses of its pods; None where none is known."""
        pods = self._pods.get(target.ref.key, ())
        return tuple(ip for pod in pods for ip in _addresses(pod.manifest)) or None

    def _proven(self, caller: Identity) -> Caller:
        domain = caller.trust_domain or self.settings.domains.names[0]
        addresses = (_plain(caller.address),) if caller.address else None
        return Caller(spiffe(domain, caller.namespace, caller.account), addresses, Truth.YES)

    def _stranger(self, caller: Stranger) -> Caller:
        domain = self.settings.domains.names[0]
        # One of a namespace that exists may run as any account of it.
        home, account = (caller.namespace, SOMEBODY) if caller.namespace else (NOBODY, NOBODY)
        identity = spiffe(domain, home, account)
        return Caller(identity, None, Truth.MAYBE, "a pod that is not known may have a sidecar")

    def _workload(self, caller: Workload) -> Caller:
        found = self.capture(caller)
        if found.ambient:
            sidecar, why = Truth.MAYBE, "it is of an ambient namespace, which is not judged"
        else:
            sidecar, why = found.sidecar, found.why
        identity = spiffe(self._domain(caller), caller.ref.namespace, service_account(caller.pod))
        return Caller(identity, self.addresses(caller), sidecar, why)

    def _domain(self, caller: Workload) -> str:
        """The trust domain of its certificate: that of the mesh, or what its sidecar was given when
        it was added (TRUST_DOMAIN; without it Istio's agent takes its default).
        """
        pods = [caller.pod, *(mapping(p.manifest.get("spec")) for p in self._live(caller))]
        for proxy in (proxy for pod in pods for proxy in _proxies(pod)):
            for variable in map(mapping, sequence(proxy.get("env"))):
                value = variable.get("value")
                if variable.get("name") == "TRUST_DOMAIN" and isinstance(value, str) and value:
                    return value
            return LOCAL
        return self.settings.domains.names[0]

    def _live(self, caller: Workload) -> Sequence[Resource]:
        return self._pods.get(caller.ref.key, ())


def spiffe(domain: str, namespace: str, account: str) -> str:
    """The identity of a service account."""
    return f"{SPIFFE}{domain}/ns/{namespace}/sa/{account}"


def _proxies(pod: Manifest) -> Iterator[Manifest]:
    for name in ("containers", "initContainers"):
        for container in map(mapping, sequence(pod.get(name))):
            if container.get("name") == PROXY:
                yield container


def _plain(address: str) -> IPAddress:
    ip = ip_address(address)
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip


def _addresses(pod: Manifest) -> Iterator[IPAddress]:
    listed: list[Any] = [mapping(e).get("ip") for e in sequence(at(pod, ("status", "podIPs")))]
    for value in listed or [at(pod, ("status", "podIP"))]:
        try:
            yield _plain(value if isinstance(value, str) else "")
        except ValueError:
            continue
