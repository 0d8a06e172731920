"""What a policy of Istio meets in the mesh: whom it selects, on which ports, with what mTLS.

The answers are those of the network engine (`network.istio`); here they are put together for
policies, which judge one object. Members that the mesh does not tell apart are told as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditor.facts.network.istio.admission import read_policy
from auditor.facts.network.istio.conditions import Dropped, compiled
from auditor.facts.network.istio.matching import UnloadableError
from auditor.facts.network.istio.mesh import Mesh
from auditor.facts.network.istio.peer_authentication import (
    PeerAuthentication,
    age,
    compose,
    parse_peer_authentication,
    selects,
)
from auditor.facts.network.istio.policies import (
    GROUP,
    AuthorizationPolicy,
    AuthorizationRule,
    Clause,
    Refusal,
)
from auditor.facts.network.istio.settings import ROOT
from auditor.facts.network.istio.sidecars import OWN_PORTS
from auditor.facts.network.points import labels_of
from auditor.facts.network.ways.services import Leads, Services
from auditor.facts.selectors import Labels, Truth
from auditor.facts.wording import dotted
from auditor.facts.workloads import Workload, container_ports
from auditor.manifests import at, mapping, sequence
from auditor.model import Path, Ref, Resource, Snapshot
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


_Policy = AuthorizationPolicy | PeerAuthentication


@dataclass(frozen=True, slots=True)
class Port:
    """A TCP port of a member."""

    number: int
    protocol: str
    """http, tcp, auto (the proxy looks at what is sent), or mixed where Services differ."""
    mode: str
    """STRICT, PERMISSIVE or DISABLE."""
    closed: bool
    """Whether it admits nobody who does not speak HTTP: ALLOW policies select the member, and none
    of their rules is left there."""


@dataclass(frozen=True, slots=True)
class Member:
    """A workload, as the mesh sees it."""

    workload: Workload
    sidecar: Truth
    ambient: bool
    rest: str
    """The mode of every port without one of its own."""
    ports: tuple[Port, ...]
    """Those that Services lead to or containers declare."""
    past: tuple[int, ...]
    """Those of them that do not go through its sidecar, but for the sidecar's own."""
    leads: tuple[Leads, ...]

    @property
    def name(self) -> str:
        """``pii/customers``."""
        return self.workload.name

    @property
    def modes(self) -> frozenset[str]:
        """Those of its ports, where any is known."""
        return frozenset(port.mode for port in self.ports) or frozenset((self.rest,))


class Members:
    """The workloads of a snapshot as members of its mesh, each computed when first asked for."""

    def __init__(self, snapshot: Snapshot, workloads: Sequence[Workload]) -> None:
        self.mesh = Mesh(snapshot)
        self.snapshot = snapshot
        self._services = Services(snapshot)
        self._workloads = workloads
        self._known: dict[Ref, Member] = {}
        self._dropped: dict[tuple[Ref, Path], bool] = {}

    @cached_property
    def by_namespace(self) -> dict[str, list[Workload]]:
        """The workloads."""
        found: dict[str, list[Workload]] = {}
        for workload in self._workloads:
            found.setdefault(workload.ref.namespace, []).append(workload)
        return found

    @cached_property
    def alike(self) -> dict[str, list[tuple[Labels, list[Workload]]]]:
        """The workloads by namespace, those together that no selector tells apart."""
        found: dict[str, dict[object, tuple[Labels, list[Workload]]]] = {}
        for workload in self._workloads:
            labels = labels_of(workload)
            key = (frozenset(labels.known.items()), frozenset(labels.hidden.items()), labels.open)
            here = found.setdefault(workload.ref.namespace, {})
            here.setdefault(key, (labels, []))[1].append(workload)
        return {namespace: list(classes.values()) for namespace, classes in found.items()}

    def near(self, policy: _Policy) -> Iterator[tuple[Labels, list[Workload]]]:
        """Those that a policy may select: of its namespace, or all from the root namespace; from
        there a PeerAuthentication with a selector means nobody.
        """
        if policy.ref.namespace != self.mesh.settings.root:
            yield from self.alike.get(policy.ref.namespace, ())
        elif not (isinstance(policy, PeerAuthentication) and policy.labels):
            for classes in self.alike.values():
                yield from classes

    def of(self, workload: Workload) -> Member:
        """The member that a workload is."""
        if workload.ref not in self._known:
            self._known[workload.ref] = self._member(workload)
        return self._known[workload.ref]

    def _member(self, workload: Workload) -> Member:
        capture = self.mesh.capture(workload)
        leads = tuple(lead for lead in self._services.leads(workload) if lead.protocol == "TCP")
        declared = {n for n, protocol, _, _ in container_ports(workload) if protocol == "TCP"}
        numbers = sorted((declared | {lead.number for lead in leads}) - set(OWN_PORTS))
        modes = self._modes(workload)
        return Member(
            workload=workload,
            sidecar=capture.sidecar,
            ambient=capture.ambient,
            rest=modes["default"],
            ports=tuple(
                self._port(workload, number, modes.get(number, modes["default"]))
                for number in numbers
                if not capture.bypasses(number)
            ),
            past=tuple(number for number in numbers if capture.bypasses(number)),
            leads=leads,
        )

    def _modes(self, workload: Workload) -> dict[int | str, str]:
        """Those that it has, or would have with a sidecar."""
        policies, root = self.mesh.peer_authentications, self.mesh.settings.root
        found = compose(policies, root, workload.ref.namespace, labels_of(workload))
        modes: dict[int | str, str] = {port: each.mode for port, each in found.ports.items()}
        return modes | {"default": found.default.mode}

    def _port(self, workload: Workload, number: int, mode: str) -> Port:
        kinds = self.mesh.speaks(workload, number)
        protocol = next(iter(kinds)) if len(kinds) == 1 else "mixed"
        return Port(number, protocol, mode, self._is_closed(workload, number))

    def _is_closed(self, workload: Workload, number: int) -> bool:
        selecting = self.mesh.selecting(workload)
        allowing = [p for p in selecting if p.action == "ALLOW" and not p.dry_run]
        return bool(allowing) and not any(
            self._may_admit(policy, rule, number) for policy in allowing for rule in policy.rules
        )

    def _may_admit(self, policy: AuthorizationPolicy, rule: AuthorizationRule, port: int) -> bool:
        """Whether a rule may admit somebody to a port without speaking HTTP."""
        if self._is_dropped(policy, rule):
            return False
        operations = rule.operations or ((),)
        return all(_is_of(clause, port) for clause in rule.conditions) and any(
            all(_is_of(clause, port) for clause in clauses) for clauses in operations
        )

    def _is_dropped(self, policy: AuthorizationPolicy, rule: AuthorizationRule) -> bool:
        """Whether nothing is left of a rule where nobody speaks HTTP."""
        key = (policy.ref, rule.path)
        if key not in self._dropped:
            home, domains = policy.ref.namespace, self.mesh.settings.domains
            try:
                left = compiled(rule, policy.action, home, domains, http=False)
                self._dropped[key] = isinstance(left, Dropped)
            except UnloadableError:
                self._dropped[key] = False
        return self._dropped[key]


def _is_of(clause: Clause, port: int) -> bool:
    """Whether a clause leaves room for a port; any that does not speak of ports does."""
    if clause.field not in ("ports", "destination.port"):
        return True
    return (not clause.values or str(port) in clause.values) and str(port) not in clause.unwanted


def mesh(facts: Facts, policy: Resource) -> dict[str, Any] | None:
    """What an AuthorizationPolicy or a PeerAuthentication meets; None of any other object. Members
    are told as ``{"first": "pii/customers", "count": 3}``.
    """
    if policy.ref.group != GROUP:
        return None
    members = facts.members
    read = _read(policy)
    near = list(members.near(read))
    alike = [workloads for labels, workloads in near if _selects(read, labels)]
    selected = [members.of(workload) for workloads in alike for workload in workloads]
    enforced = [each for each in selected if each.sidecar > Truth.NO]
    return {
        **_settings(members),
        "in_root": policy.ref.namespace == members.mesh.settings.root,
        "selected": len(selected),
        "neighbours": sum(len(workloads) for _, workloads in near),
        "plaintext": _plaintext(members, policy, enforced or selected),
        "disabled": _named(each for each in enforced if each.modes == {"DISABLE"}),
        "uncovered": [] if _is_of_the_mesh(members, read) else list(_uncovered(selected)),
        "elsewhere": _named(
            each for each in selected if each.workload.ref.namespace != policy.ref.namespace
        ),
        "ambient": _named(each for each in selected if each.ambient),
        "ports": list(_ports(enforced)),
        "service_ports": list(_service_ports(selected)),
        "targets": list(_targets(members, policy)),
        "outranked": list(_outranked(members, read)),
        "refused": [
            {"path": list(refusal.invalid.path), "why": _why(refusal), "by": refusal.by}
            for refusal in read.refusals
        ],
    }


def _read(policy: Resource) -> _Policy:
    if policy.ref.kind == "PeerAuthentication":
        return parse_peer_authentication(policy)
    return read_policy(policy)


def _selects(policy: _Policy, labels: Labels) -> bool:
    targeted = isinstance(policy, AuthorizationPolicy) and policy.targeted
    return not targeted and not policy.unreadable and selects(policy.labels, labels) is Truth.YES


def _why(refusal: Refusal) -> str:
    """A whole sentence: those that begin with a verb speak of their field."""
    why = refusal.invalid.why
    verbs = ("cannot ", "has ", "is ", "must ", "names ", "needs ")
    return f"{dotted(refusal.invalid.path)} {why}" if why.startswith(verbs) else why


def _settings(members: Members) -> dict[str, Any]:
    settings = members.mesh.settings
    here = any(
        (found.ref.namespace, found.ref.name) == (ROOT, "istio")
        for found in members.snapshot.of_kind("ConfigMap")
    )
    return {
        "known": here and not settings.unknown,
        "root_namespace": settings.root,
        "trust_domains": sorted(set(settings.domains.names)),
        "path_normalization": settings.normalization.value,
        "providers": sorted(settings.providers),
    }


def _named(members: Iterable[Member]) -> dict[str, Any]:
    names = sorted(member.name for member in members)
    return {"first": names[0] if names else "", "count": len(names)}


def _plaintext(
    members: Members, policy: Resource, selected: Sequence[Member]
) -> dict[str, Any] | None:
    """Who takes plain text on some port; None where all ask for mTLS. Where nobody is selected yet,
    nobody is named if a workload of this namespace would take it.
    """
    if not selected:
        found, root = members.mesh.peer_authentications, members.mesh.settings.root
        modes = compose(found, root, policy.ref.namespace, Labels({}))
        return None if modes.default.mode == "STRICT" else _named(())
    takers = _named(each for each in selected if each.modes != {"STRICT"})
    return takers if takers["count"] else None


def _is_of_the_mesh(members: Members, policy: _Policy) -> bool:
    """Whether it means all members of the mesh, and nobody who is none: the control plane and the
    system have workloads without a sidecar everywhere.
    """
    return policy.ref.namespace == members.mesh.settings.root and not policy.labels


def _uncovered(selected: Sequence[Member]) -> Iterator[dict[str, Any]]:
    """Who is not protected, and why."""
    without = [
        each
        for each in selected
        if each.sidecar is Truth.NO and not each.ambient and not _serves_nobody(each)
    ]
    if without:
        yield {**_named(without), "why": "no sidecar"}
    past: dict[int, list[Member]] = {}
    for member in selected:
        for port in member.past if member.sidecar is Truth.YES else ():
            past.setdefault(port, []).append(member)
    for port, theirs in sorted(past.items()):
        yield {**_named(theirs), "why": f"port {port} goes past the sidecar"}


def _serves_nobody(member: Member) -> bool:
    return member.workload.ref.kind in ("CronJob", "Job") and not member.leads


def _ports(enforced: Sequence[Member]) -> Iterator[dict[str, Any]]:
    """The ports by number and protocol, with who has them, and where they are closed."""
    found: dict[tuple[int, str], list[tuple[Member, Port]]] = {}
    for member in enforced:
        for port in member.ports:
            found.setdefault((port.number, port.protocol), []).append((member, port))
    for (number, protocol), theirs in sorted(found.items()):
        yield {
            "number": number,
            "protocol": protocol,
            **_named(member for member, _ in theirs),
            "closed": _named(member for member, port in theirs if port.closed),
        }


def _service_ports(selected: Sequence[Member]) -> Iterator[dict[str, Any]]:
    """Ports of Services that are none of the workloads behind them."""
    own = {port.number for member in selected for port in member.ports}
    own |= {port for member in selected for port in member.past}
    found = {
        (f"{lead.service.ref.namespace}/{lead.service.ref.name}", port, lead.number)
        for member in selected
        for lead in member.leads
        if isinstance(port := lead.entry.get("port"), int) and port not in own
    }
    for service, port, target in sorted(found):
        yield {"service": service, "port": port, "target": target}


def _targets(members: Members, policy: Resource) -> Iterator[dict[str, Any]]:
    """Services that a policy names as targets and behind which sidecars run."""
    targets = sequence(at(policy.manifest, ("spec", "targetRefs")))
    here = members.by_namespace.get(policy.ref.namespace, ()) if targets else ()
    for index, target in enumerate(map(mapping, targets)):
        behind = [
            member
            for member in map(members.of, here)
            if any(lead.service.ref.name == target.get("name") for lead in member.leads)
        ]
        named = _named(each for each in behind if each.sidecar is Truth.YES)
        if target.get("kind") == "Service" and named["count"]:
            yield {"index": index, **named}


def _outranked(members: Members, policy: _Policy) -> Iterator[dict[str, Any]]:
    """Older PeerAuthentications of the same scope, which count in its place."""
    if not isinstance(policy, PeerAuthentication) or policy.unreadable:
        return
    near = list(members.near(policy))
    for other in members.mesh.peer_authentications:
        if not _is_rival(other, policy):
            continue
        shared = [
            workload.name
            for labels, workloads in near
            if _selects(policy, labels) and _selects(other, labels)
            for workload in workloads
        ]
        if shared or not policy.labels:
            yield {
                "name": str(other.ref),
                "mode": other.mode or "UNSET",
                "dated": age(other.resource)[0] != "" != age(policy.resource)[0],
                "first": min(shared) if policy.labels else "",
            }


def _is_rival(other: PeerAuthentication, policy: PeerAuthentication) -> bool:
    return (
        other.ref.namespace == policy.ref.namespace
        and not other.unreadable
        and bool(other.labels) == bool(policy.labels)
        and age(other.resource) < age(policy.resource)
    )
