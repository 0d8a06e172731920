"""A second reading of the specifications: one packet at a time, without any algebra or memory.

For clusters in which everything is known: each pod has an address, each namespace an object. Where
the specifications leave an answer open, it is both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from itertools import permutations
from typing import Any

Manifest = Mapping[str, Any]
Answers = frozenset[str]

ALLOWED, DENIED = frozenset({"allowed"}), frozenset({"denied"})
OLD = {"AdminNetworkPolicy": "Admin", "BaselineAdminNetworkPolicy": "Baseline"}


@dataclass(frozen=True, slots=True)
class Packet:
    """From which pod to which, and what for."""

    source: Manifest
    target: Manifest
    protocol: str
    port: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """All objects."""

    objects: tuple[Manifest, ...]

    def answers(self, packet: Packet) -> Answers:
        """What may become of a packet."""
        if packet.source is packet.target:
            return ALLOWED
        ends = [self.one_end("Egress", packet), self.one_end("Ingress", packet)]
        found = {"allowed"} if all("allowed" in end for end in ends) else set()
        return frozenset(found | {"denied" for end in ends if "denied" in end})

    def one_end(self, direction: str, packet: Packet) -> Answers:
        """What the policies of one end may say."""
        found: Answers = frozenset()
        for first in self.tier("Admin", direction, packet):
            if first != "passed":
                found |= {first}
                continue
            isolated = self.namespaced(direction, packet)
            found |= isolated - {"passed"}
            if "passed" in isolated:
                last = self.tier("Baseline", direction, packet)
                found |= {"allowed" if word == "passed" else word for word in last}
        return found

    def tier(self, tier: str, direction: str, packet: Packet) -> Answers:
        """What one tier of cluster-wide policies may say: in every order that priorities leave."""
        policies = [
            p for p in self.objects if tier in (p.get("spec", {}).get("tier"), OLD.get(p["kind"]))
        ]
        return frozenset(
            next(self.matching(order, direction, packet), "passed")
            for order in permutations(policies)
            if is_in_order(order)
        )

    def matching(self, policies: Any, direction: str, packet: Packet) -> Iterator[str]:
        """What each rule says that matches, in order."""
        mine, other, rules, peers = sides(direction, packet)
        for policy in policies:
            subject = policy["spec"]["subject"]
            if is_on_node(mine) or not self.are(subject, mine):
                continue
            for rule in policy["spec"].get(rules, []):
                entries = rule.get("protocols", rule.get("ports"))
                meant = any(self.is_peer(peer, other) for peer in rule[peers])
                if meant and (entries is None or any(is_entry(e, packet) for e in entries)):
                    action = rule["action"]
                    yield {"Deny": "denied", "Pass": "passed"}.get(action, "allowed")

    def is_peer(self, peer: Manifest, pod: Manifest) -> bool:
        """Whether a peer of a cluster-wide rule is a pod."""
        if "networks" in peer:
            return any(is_inside(pod, network) for network in peer["networks"])
        if "nodes" in peer:
            here = [n for n in self.objects if n["kind"] == "Node" and is_at(pod, n)]
            return any(met(peer["nodes"], node) for node in here)
        return not is_on_node(pod) and self.are(peer, pod)

    def are(self, peer: Manifest, pod: Manifest) -> bool:
        """Whether a pod is among those that `namespaces` or `pods` select."""
        if "namespaces" in peer:
            return met(peer["namespaces"], self.home(pod))
        both = peer["pods"]
        return met(both["namespaceSelector"], self.home(pod)) and met(both["podSelector"], pod)

    def home(self, pod: Manifest) -> Manifest:
        """The namespace of a pod."""
        name = pod["metadata"]["namespace"]
        found = [o for o in self.objects if o["kind"] == "Namespace"]
        return next(one for one in found if one["metadata"]["name"] == name)

    def namespaced(self, direction: str, packet: Packet) -> Answers:
        """What NetworkPolicies may say."""
        mine, other, _, _ = sides(direction, packet)
        policies = [p for p in self.objects if isolates(p, direction, mine)]
        if not policies:
            return frozenset({"passed"})
        admitted = any(self.admits(p, direction, packet) for p in policies)
        answer = ALLOWED if admitted else DENIED
        if is_on_node(other) and not admitted:
            nodes = {mine["spec"].get("nodeName"), other["spec"].get("nodeName")}
            if None in nodes:
                answer = ALLOWED | DENIED  # It may be the node of the other end.
            elif len(nodes) == 1:
                answer = ALLOWED
            else:
                answer = self.perhaps(direction, packet, policies)
        return answer | {"passed"} if is_on_node(mine) else answer

    def perhaps(self, direction: str, packet: Packet, policies: list[Manifest]) -> Answers:
        """Whether selectors mean a pod on the network of its node is not defined."""
        _, other, _, peers = sides(direction, packet)
        like = {**other, "spec": {**other["spec"], "hostNetwork": False}}
        source, target = (like, packet.target) if peers == "from" else (packet.source, like)
        ordinary = Packet(source, target, packet.protocol, packet.port)
        meant = any(self.admits(policy, direction, ordinary) for policy in policies)
        return ALLOWED | DENIED if meant else DENIED

    def admits(self, policy: Manifest, direction: str, packet: Packet) -> bool:
        """Whether a rule of a NetworkPolicy admits a packet for certain."""
        _, other, rules, peers = sides(direction, packet)
        space = policy["metadata"]["namespace"]
        return any(
            (not r.get(peers) or any(self.is_old_peer(p, space, other) for p in r[peers]))
            and (not r.get("ports") or any(is_old_entry(e, packet) for e in r["ports"]))
            for r in policy["spec"].get(rules, [])
        )

    def is_old_peer(self, peer: Manifest, space: str, pod: Manifest) -> bool:
        """Whether a peer of a NetworkPolicy is a pod for certain."""
        if "ipBlock" in peer:
            block = peer["ipBlock"]
            holes = block.get("except", [])
            return is_inside(pod, block["cidr"]) and not any(is_inside(pod, h) for h in holes)
        if is_on_node(pod):
            return False
        if "namespaceSelector" not in peer and pod["metadata"]["namespace"] != space:
            return False
        if not met(peer.get("namespaceSelector", {}), self.home(pod)):
            return False
        return met(peer.get("podSelector", {}), pod)


def sides(direction: str, packet: Packet) -> tuple[Manifest, Manifest, str, str]:
    """Whose policies count, who is at the other end, and the names of two fields."""
    if direction == "Ingress":
        return packet.target, packet.source, "ingress", "from"
    return packet.source, packet.target, "egress", "to"


def is_in_order(policies: tuple[Manifest, ...]) -> bool:
    """Whether no policy stands before one with a lower priority; who has none stands anywhere."""
    numbers = [p["spec"]["priority"] for p in policies if "priority" in p["spec"]]
    return numbers == sorted(numbers)


def tier_of(policy: Manifest) -> str:
    """The tier of a cluster-wide policy."""
    return str(OLD.get(policy["kind"]) or policy.get("spec", {}).get("tier"))


def isolates(policy: Manifest, direction: str, pod: Manifest) -> bool:
    """Whether it is a NetworkPolicy that selects the pod in this direction."""
    if policy["kind"] != "NetworkPolicy":
        return False
    spec, space = policy["spec"], policy["metadata"]["namespace"]
    types = spec.get("policyTypes") or ["Ingress"] + (["Egress"] if spec.get("egress") else [])
    here = space == pod["metadata"]["namespace"] and direction in types
    return here and met(spec["podSelector"], pod)


def is_on_node(pod: Manifest) -> bool:
    """Whether it has the network of its node."""
    return bool(pod["spec"].get("hostNetwork"))


def is_inside(pod: Manifest, network: str) -> bool:
    """Whether its address is in a range."""
    return ip_address(pod["status"]["podIP"]) in ip_network(network)


def is_at(pod: Manifest, node: Manifest) -> bool:
    """Whether its address is that of the node."""
    return pod["status"]["podIP"] in [each["address"] for each in node["status"]["addresses"]]


def met(selector: Manifest, thing: Manifest) -> bool:
    """Whether the labels of a thing are those that a selector asks for."""
    labels = thing["metadata"].get("labels", {})
    if any(labels.get(k) != v for k, v in selector.get("matchLabels", {}).items()):
        return False
    for one in selector.get("matchExpressions", []):
        there, value = one["key"] in labels, labels.get(one["key"])
        answer = {
            "In": there and value in one.get("values", []),
            "NotIn": not there or value not in one.get("values", []),
            "Exists": there,
            "DoesNotExist": not there,
        }[one["operator"]]
        if not answer:
            return False
    return True


def called(packet: Packet, name: str) -> bool:
    """Whether the port of the packet has this name on its target."""
    listed = [p for c in packet.target["spec"]["containers"] for p in c.get("ports", [])]
    wanted = (name, packet.protocol, packet.port)
    return wanted in [(p["name"], p.get("protocol", "TCP"), p["containerPort"]) for p in listed]


def is_old_entry(entry: Manifest, packet: Packet) -> bool:
    """Whether an entry of `ports` of a NetworkPolicy means the packet."""
    if entry.get("protocol", "TCP") != packet.protocol:
        return False
    port = entry.get("port")
    if isinstance(port, str):
        return called(packet, port)
    return port is None or port <= packet.port <= entry.get("endPort", port)


def is_entry(entry: Manifest, packet: Packet) -> bool:
    """Whether an entry of `protocols`, or of `ports` in the older form, means the packet."""
    field, value = next(iter(entry.items()))
    if field in ("destinationNamedPort", "namedPort"):
        return called(packet, value)
    if field in ("portNumber", "portRange"):
        protocol, number = value.get("protocol", "TCP"), value.get("port")
        span = (number, number) if number else (value["start"], value["end"])
    else:
        protocol, port = field.upper(), value["destinationPort"]
        span = (port["number"], port["number"]) if "number" in port else (
            port["range"]["start"], port["range"]["end"],
        )  # fmt: skip
    return protocol == packet.protocol and packet.port in range(span[0], span[1] + 1)
