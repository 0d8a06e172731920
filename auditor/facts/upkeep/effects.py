"""What a NetworkPolicy does to the workloads that are there: whom it selects, and whom it means.

What is not known says nothing: a namespace whose workloads are written elsewhere, a label of run
time, pods that an operator makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.network.answers import Direction
from auditor.facts.network.policies import FIELDS, Block, NetPolicy, Pods, PolicyRule
from auditor.facts.selectors import METADATA_NAME, Truth
from auditor.facts.upkeep.cast import EVERYTHING, Cast, Slip, Spaces
from auditor.facts.upkeep.keeper import Keeper, Meant, Served, names_of, union
from auditor.facts.upkeep.likeness import meant
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest, Path, Resource

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]


def policy_effects(facts: Facts, resource: Resource) -> Told | None:
    """The fact `policy_effects` for policies, about one NetworkPolicy that the API server takes:

    - ``nobody``: it selects no pod; with what was meant, where that can be seen.
    - ``peers``: peers that mean no pod; ``kind`` is slip (of a label), namespace (a slip of one of
      its labels), elsewhere (the pods are in another namespace) or nobody.
    - ``service_ports``: ports of rules that only a Service has, with those of the pods behind it.
    - ``port_names``: names of ports that no pod meant has.
    - ``unread``: what the profile does not take as it is meant: ranges of addresses with pods in
      them (``what`` is block), a selector of pods on the network of their node alone (hosts).

    Costs what the selectors of the policy cost (see `Cast`); whom one peer means, and on what those
    listen, is worked out once.
    """
    policy = facts.keeper.policies.get(resource.ref.key)
    if policy is None:
        return None
    told = _Reader(facts.keeper, policy).told() | {"unread": list(_unread(facts, policy))}
    return {key: value for key, value in told.items() if value} or None


def _unread(facts: Facts, policy: NetPolicy) -> Iterator[Told]:
    profile, cast = facts.network.profile, facts.keeper.cast
    if profile.blocks_match_pods is Truth.NO:
        for path, block in _blocks(policy):
            if pod := facts.keeper.pod_within(block):
                told = {"path": path, "what": "block", "value": str(block.cidr), "port": ""}
                yield {**told, "profile": profile.name, "sure": True, "name": pod}
    if profile.selects_host_network is Truth.NO and cast.knows(policy.ref.namespace):
        chosen = [w for w, _ in cast.chosen(policy.ref.namespace, policy.selector)]
        if chosen and all(w.pod.get("hostNetwork") is True for w in chosen):
            told = {"path": ("spec", "podSelector"), "what": "hosts", "value": "", "port": ""}
            yield {**told, "profile": profile.name, "sure": True, "name": names_of(chosen)}


def _blocks(policy: NetPolicy) -> Iterator[tuple[Path, Block]]:
    for direction, rules in policy.rules.items():
        for rule in rules:
            for index, peer in enumerate(rule.peers):
                if isinstance(peer, Block) and not peer.whole:
                    yield (*rule.path, FIELDS[direction][1], index), peer


class _Reader:
    """Reads one policy."""

    def __init__(self, keeper: Keeper, policy: NetPolicy) -> None:
        self._keeper = keeper
        self._cast: Cast = keeper.cast
        self._policy = policy
        self._home = policy.ref.namespace
        self._chosen = tuple(w for w, _ in self._cast.chosen(self._home, policy.selector))

    def told(self) -> Told:
        ports = list(self._ports())
        return {
            "nobody": self._nobody(),
            "peers": list(self._peers()),
            "service_ports": [told for kind, told in ports if kind == "service_ports"],
            "port_names": [told for kind, told in ports if kind == "port_names"],
        }

    def _nobody(self) -> Told | None:
        if self._chosen:
            return None
        selector = self._policy.selector
        if self._is_told_whole() and (selector.requirements or self._cast.knows(self._home)):
            slip = self._cast.slip(self._home, selector)
            return {"hint": _hint(slip), **_object(slip.workload if slip else None)}
        written = at(self._policy.resource.manifest, ("metadata", "namespace"))
        other = None if written else self._cast.elsewhere(self._home, selector)
        has_workloads = self._home in self._cast.spaces
        return {"hint": "", **_object(other)} if other and not has_workloads else None

    def _peers(self) -> Iterator[Told]:
        for direction, rule in self._rules():
            for index, peer in enumerate(rule.peers):
                path = (*rule.path, FIELDS[direction][1], index)
                if isinstance(peer, Pods):
                    yield from self._peer(path, peer)

    def _peer(self, path: Path, peer: Pods) -> Iterator[Told]:
        meant_by_it = self._keeper.meant(self._home, peer)
        if meant_by_it.anybody:
            return
        spaces = self._spaces(peer)
        if not spaces:
            yield from self._namespace(path, peer)
            return
        for space in (space for space, truth in spaces if truth is Truth.YES):
            slip = (
                self._cast.slip(space, peer.pods or EVERYTHING) if self._cast.knows(space) else None
            )
            if slip:
                yield {"path": path, "kind": "slip", **_slip(slip)}
                return
        if peer.namespaces is None and peer.pods and self._cast.knows(self._home):
            other = self._cast.elsewhere(self._home, peer.pods)
            if other:
                yield {"path": path, "kind": "elsewhere", **_object(other)}
                return
        at_home = peer.namespaces is None and self._is_told_whole()
        if meant_by_it.complete or at_home:
            yield {"path": path, "kind": "nobody"}

    def _is_told_whole(self) -> bool:
        """Whether all pods of its namespace are told: of a cluster they are, also where there are
        none; what files say may lack those that are written elsewhere.
        """
        return self._cast.live or self._cast.knows(self._home)

    def _spaces(self, peer: Pods) -> Spaces:
        if peer.namespaces is None:
            return ((self._home, Truth.YES),)
        return self._cast.namespaces(peer.namespaces)

    def _namespace(self, path: Path, peer: Pods) -> Iterator[Told]:
        """A peer that means no namespace: a slip of one that is there, or, where all are told,
        nobody.
        """
        for requirement in peer.namespaces.requirements if peer.namespaces else ():
            for value in sorted(requirement.values if requirement.operator == "In" else ()):
                right = meant(value, self._namespace_values(requirement.key))
                if right:
                    key = requirement.key
                    told = {"written": f"{key}={value}", "meant": f"{key}={right}"}
                    yield {"path": path, "kind": "namespace", **told}
                    return
        if self._cast.live:
            yield {"path": path, "kind": "nobody"}

    def _namespace_values(self, key: str) -> Iterator[str]:
        for labels in self._cast.homes.values():
            if key in labels.known:
                yield labels.known[key]
        if key == METADATA_NAME:
            yield from self._cast.spaces

    def _rules(self) -> Iterator[tuple[Direction, PolicyRule]]:
        for direction in FIELDS:
            for rule in self._policy.rules.get(direction, ()):
                yield direction, rule

    @cached_property
    def _own(self) -> Meant:
        """Whom the policy selects."""
        return self._keeper.meant(self._home, Pods(None, self._policy.selector))

    def _meant(self, direction: Direction, rule: PolicyRule) -> Meant | None:
        """Whose ports a rule means; None where anybody may be meant."""
        if direction == "Ingress":
            return self._own
        found = [self._keeper.meant(self._home, p) for p in rule.peers if isinstance(p, Pods)]
        if not found or len(found) < len(rule.peers):
            return None
        together = union([each.served for each in found])
        complete = all(each.complete for each in found)
        return Meant(any(each.anybody for each in found), complete, together)

    def _ports(self) -> Iterator[tuple[str, Told]]:
        """What is wrong with a port of some rule, and what kind of fault it is."""
        for direction, rule in self._rules():
            meant_by_it = None if rule.whole else self._meant(direction, rule)
            if meant_by_it is None or not meant_by_it.anybody:
                continue
            served = meant_by_it.served
            if not served.leads and served.names.issuperset(rule.named):
                continue
            entries = sequence(at(self._policy.resource.manifest, (*rule.path, "ports")))
            for index, entry in enumerate(map(mapping, entries)):
                path = (*rule.path, "ports", index, "port")
                if told := _service_port(path, entry, served):
                    yield "service_ports", told
                if meant_by_it.complete and (told := _port_name(path, entry, served)):
                    yield "port_names", told


def _service_port(path: Path, entry: Manifest, served: Served) -> Told | None:
    port, protocol = entry.get("port"), entry.get("protocol") or "TCP"
    if not isinstance(port, int) or entry.get("endPort") or served.ports.contains(protocol, port):
        return None
    leads = [lead for lead in served.leads if (lead.number, lead.protocol) == (port, protocol)]
    if not leads:
        return None
    return {
        "path": path,
        "port": port,
        "pod_ports": sorted({lead.pod_port for lead in leads}),
        "service": f"{leads[0].ref.namespace}/{leads[0].ref.name}",
        "object": as_object(leads[0].ref),
        "place": leads[0].path,
    }


def _port_name(path: Path, entry: Manifest, served: Served) -> Told | None:
    name, protocol = entry.get("port"), entry.get("protocol") or "TCP"
    if not isinstance(name, str) or (protocol, name) in served.names:
        return None
    told = {"path": path, "name": name, "protocol": protocol}
    return {**told, "hint": _port_hint(served, protocol, name)}


def _hint(slip: Slip | None) -> str:
    return slip.meant if slip else ""


def _slip(slip: Slip) -> Told:
    return {"written": slip.written, "meant": slip.meant, **_object(slip.workload)}


def _object(workload: Workload | None) -> Told:
    if workload is None:
        return {"name": "", "object": None}
    return {"name": workload.name, "object": as_object(workload.ref)}


def _port_hint(served: Served, protocol: str, name: str) -> str:
    """What was meant by the name of a port, as a sentence goes on; empty where nothing is close."""
    others = sorted(found for found, called in served.names if called == name)
    if others:
        return f"they have it for {others[0]}"
    for lead in served.leads:
        if (lead.name, lead.protocol) == (name, protocol):
            service = f"{lead.ref.namespace}/{lead.ref.name}"
            return f"that is a port of Service {service}, which leads to port {lead.pod_port}"
    close = meant(name, sorted(called for proto, called in served.names if proto == protocol))
    return f"did you mean '{close}'?" if close else ""
