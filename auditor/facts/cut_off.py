"""What NetworkPolicies cut a workload off from that it cannot work without.

Told is only what is sure: the policies surely select its pods, and no rule of theirs may admit what
is needed, whatever labels and addresses are not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from auditor.facts.addresses import addresses, is_ip
from auditor.facts.forms import as_object
from auditor.facts.network import Stranger
from auditor.facts.network.answers import Peer
from auditor.facts.network.policies import Block
from auditor.facts.selectors import Requirement, Selector
from auditor.facts.upkeep.calls import Call
from auditor.facts.upkeep.keeper import Lead
from auditor.facts.workloads import Workload
from auditor.model import Gap, Ref, Unseen

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]

NAME_SERVERS: Sequence[tuple[str, str, str, tuple[int, ...]]] = (
    # https://github.com/kubernetes/kubernetes/blob/master/cluster/addons/dns/coredns
    ("kube-system", "k8s-app", "kube-dns", (53,)),
    # https://github.com/openshift/cluster-dns-operator/blob/master/assets/dns/daemonset.yaml
    ("openshift-dns", "dns.operator.openshift.io/daemonset-dns", "default", (53, 5353)),
)
"""Namespace, label and ports of the pods that answer for DNS."""

CACHE = ("kube-system", "k8s-app", "node-local-dns")
"""A cache on the network of each node, which answers instead of them."""

HTTPS = 443
"""The port on which the API server calls a Service unless it is told otherwise."""

CALLER = Stranger("kube-system", {"k8s-app": "konnectivity-agent"})
"""The pod from which an API server may call, where it is not on the network of the pods; at an
address that is not known, as that of the API server itself is not."""


def cut_off(facts: Facts, workload: Workload) -> Told | None:
    """The fact `cut_off` for policies, about one workload:

    - ``dns``: it names hosts, and its pods may ask no name server; ``over_udp`` where they may, but
      over UDP alone.
    - ``called``: the API server calls it, and no rule of the policies that isolate it admits that.

    Costs a few questions to the engine for each workload that is isolated in that direction.
    """
    told = {"dns": _dns(facts, workload), "called": list(_called(facts, workload))}
    return {key: value for key, value in told.items() if value} or None


def _dns(facts: Facts, workload: Workload) -> Told | None:
    policies = facts.network.isolating(workload, "Egress")
    if not policies or workload.pod.get("dnsPolicy") == "None":
        return None
    named = _named_host(facts, workload)
    if named is None or _is_somewhere(facts, *CACHE):
        return None
    udp, tcp = _asks(facts, workload, "UDP"), _asks(facts, workload, "TCP")
    if udp and tcp:
        return None
    return {"host": named[0], "place": named[1], "over_udp": udp, "policies": _isolating(policies)}


def _asks(facts: Facts, workload: Workload, protocol: str) -> bool:
    """Whether the pods may be let out to a name server: one that is there, one that may be, or one
    at an address that some rule names.
    """
    for namespace, key, value, ports in NAME_SERVERS:
        for server in _servers(facts, namespace, key, value):
            reach = facts.network.allowed(workload, server, ("Egress",))
            if any(reach.possible.contains(protocol, port) for port in ports):
                return True
    return any(
        rule.ports.contains(protocol, 53) and any(isinstance(peer, Block) for peer in rule.peers)
        for ref in facts.network.isolating(workload, "Egress", possibly=True)
        if (policy := facts.keeper.policies.get(ref.key))
        for rule in policy.rules.get("Egress", ())
    )


def _servers(facts: Facts, namespace: str, key: str, value: str) -> Sequence[Peer]:
    found = _chosen(facts, namespace, key, value)
    return found or (Stranger(namespace, {key: value}),)


def _chosen(facts: Facts, namespace: str, key: str, value: str) -> Sequence[Workload]:
    selector = Selector((Requirement(key, "In", frozenset((value,))),))
    return [workload for workload, _ in facts.keeper.cast.chosen(namespace, selector)]


def _is_somewhere(facts: Facts, namespace: str, key: str, value: str) -> bool:
    return bool(_chosen(facts, namespace, key, value))


def _named_host(facts: Facts, workload: Workload) -> tuple[str, Told] | None:
    """A host that the workload is told to ask by its name, and where; None where it names none."""
    for edge in facts.needs.get(workload.ref.key, ()):
        name = f"Service {edge.service.ref.namespace}/{edge.service.ref.name}"
        return name, {"object": as_object(edge.ref), "path": edge.path}
    for text in facts.keeper.told(workload):
        for address in addresses(text):
            if "." in address.host and not is_ip(address.host):
                return address.host, {"object": as_object(text.ref), "path": text.path}
    return None


def _called(facts: Facts, workload: Workload) -> Iterator[Told]:
    policies = facts.network.isolating(workload, "Ingress")
    if not policies:
        return
    for lead in facts.keeper.served(workload).leads:
        if lead.number == HTTPS and (unseen := facts.keeper.calls.unseen):
            why = f"no {' and no '.join(unseen)} is read from a cluster yet"
            facts.unknown(Gap("which webhooks NetworkPolicies cut off", why, Unseen.UNKNOWN))
    calls = tuple(calls_to(facts, workload))
    if not calls:
        return
    admitted = facts.network.allowed(CALLER, workload, ("Ingress",)).possible
    for call, lead in calls:
        if not admitted.contains("TCP", lead.pod_port):
            yield {
                "what": call.what,
                "name": call.ref.name,
                "service": f"{lead.ref.namespace}/{lead.ref.name}",
                "port": lead.pod_port,
                "object": as_object(call.ref),
                "path": call.path,
                "policies": _isolating(policies),
            }


def calls_to(facts: Facts, workload: Workload) -> Iterator[tuple[Call, Lead]]:
    """Each call of the API server to `workload`, and how it gets there."""
    for lead in facts.keeper.served(workload).leads:
        for call in facts.keeper.calls.by_service.get((lead.ref.namespace, lead.ref.name), ()):
            if (call.port, "TCP") == (lead.number, lead.protocol):
                yield call, lead


def _isolating(policies: Sequence[Ref]) -> list[Told]:
    return [{"object": as_object(ref), "name": f"{ref.namespace}/{ref.name}"} for ref in policies]
