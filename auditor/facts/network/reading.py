"""What the peers and ports of a rule mean for one pod, as one enforcer reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field

from auditor.facts.network.cluster_policies import (
    ClusterPeer,
    ClusterPolicy,
    Domains,
    Nodes,
    TierRule,
    Unknown,
)
from auditor.facts.network.points import NODE, OUTSIDE, POD, Point, relabelled
from auditor.facts.network.policies import Block, NetPolicy, Pods, PolicyRule
from auditor.facts.network.ports import PortSet
from auditor.facts.network.profiles import Profile
from auditor.facts.selectors import Truth
from auditor.model import Ref
from auditor.values import dataclass

Rule = PolicyRule | TierRule
AnyPolicy = NetPolicy | ClusterPolicy


@dataclass(frozen=True, slots=True)
class Reading:
    """How one enforcer reads rules."""

    profile: Profile

    def admits(self, rule: PolicyRule, policy: NetPolicy, other: Point) -> Truth:
        """Whether a rule of a NetworkPolicy means `other`."""
        if not rule.peers:
            return Truth.YES
        home, best = policy.ref.namespace, Truth.NO
        # A loop of its own: this is asked for every pair that is judged by itself.
        for peer in rule.peers:
            truth = self._is(peer, home, other)
            if truth is Truth.YES:
                return truth
            if truth is Truth.MAYBE:
                best = truth
        return best

    def matches(self, rule: TierRule, other: Point) -> Truth:
        """Whether a rule of a cluster-wide policy means `other`. A peer of a type that nobody
        knows makes the rule fail closed: it accepts nobody, or stands for everybody.
        """
        if any(isinstance(peer, Unknown) for peer in rule.peers):
            return Truth.NO if rule.action == "Accept" else Truth.YES
        return _best(self._is_peer(peer, other) for peer in rule.peers)

    def _is(self, peer: Pods | Block, home: str, other: Point) -> Truth:
        if isinstance(peer, Block):
            return min(other.within[peer], self._blocks(other))
        labelled = by_labels(peer, home, other)
        if other.kind == NODE:
            return min(labelled, self.profile.selectors_match_host_network)
        return labelled

    def _blocks(self, other: Point) -> Truth:
        """Whether a block means such a thing at all."""
        if other.kind == NODE:
            return self.profile.blocks_match_nodes
        return self.profile.blocks_match_pods if other.kind == POD else Truth.YES

    def _is_peer(self, peer: ClusterPeer, other: Point) -> Truth:
        if isinstance(peer, Nodes):
            return other.within[peer]
        if isinstance(peer, Block):
            # Here the specification says that blocks mean pods too.
            return Truth.NO if self._blocks(other) is Truth.NO else other.within[peer]
        if isinstance(peer, Domains):
            return Truth.MAYBE if other.kind == OUTSIDE else Truth.NO
        if other.kind == NODE and self.profile.selectors_match_host_network is not Truth.YES:
            return Truth.NO
        return by_labels(peer, "", other) if isinstance(peer, Pods) else Truth.NO

    def ports(self, rule: Rule, target: Point) -> tuple[PortSet, PortSet]:
        """The ports of a rule on the target, surely and perhaps: names mean what its pods
        declare.
        """
        sure, possible = self._numbers(rule)
        for protocol, name in rule.named if self.profile.named_ports else ():
            if target.ports is None:
                span = PortSet.span(protocol) if protocol else PortSet.ALL
                possible = possible | span
                continue
            named = PortSet.union_of(
                PortSet.of(p, number)
                for p, called, number in target.ports
                if called == name and protocol in ("", p)
            )
            possible = possible | named
            sure = sure | named if self.profile.named_ports is Truth.YES else sure
        return sure, possible

    def _numbers(self, rule: Rule) -> tuple[PortSet, PortSet]:
        if rule.whole:
            return rule.ports, rule.ports
        reads = self.profile
        sure = rule.ports if reads.end_port is Truth.YES else rule.plain
        possible = rule.ports if reads.end_port else rule.plain
        if reads.sctp is not Truth.YES:
            sctp = PortSet.span("SCTP")
            sure, possible = sure - sctp, possible if reads.sctp else possible - sctp
        return sure, possible

    def doubts(self, policy: AnyPolicy, rule: Rule, other: Point, target: Point) -> Iterator[str]:
        """Why it cannot be told whether the rule means the other end, or which ports."""
        if rule.named and target.ports is None:
            names = ", ".join(f"'{name}'" for _, name in rule.named)
            yield f"{policy.ref} names port {names}, and the ports of the pod are not known"
        yield from self._misread(policy, rule)
        for peer in rule.peers:
            yield from self._doubts(policy, peer, other)

    def _misread(self, policy: AnyPolicy, rule: Rule) -> Iterator[str]:
        reads = self.profile
        asked = (
            (reads.end_port, rule.plain != rule.ports, "endPort"),
            (reads.named_ports, bool(rule.named), "ports by name"),
            (reads.sctp, bool(rule.ports.sctp) and not rule.whole, "SCTP"),
        )
        for truth, matters, what in asked:
            if truth is Truth.MAYBE and matters:
                yield f"{policy.ref} needs {what}, and whether that is read is not defined"

    def _doubts(self, policy: AnyPolicy, peer: ClusterPeer, other: Point) -> Iterator[str]:
        if isinstance(peer, Block) and min(other.within[peer], self._blocks(other)) is Truth.MAYBE:
            known = other.within[peer] is not Truth.MAYBE
            why = (
                "whether that means such a pod is not defined"
                if known
                else ("those of the pod are not known")
            )
            yield f"{policy.ref} names the addresses {peer}, and {why}"
        elif isinstance(peer, Nodes) and other.within[peer] is Truth.MAYBE:
            yield f"{policy.ref} names nodes, and on which node the pod runs is not known"
        elif isinstance(peer, Domains) and other.kind == OUTSIDE:
            names = ", ".join(peer.names)
            yield f"{policy.ref} names the domains {names}, and their addresses are not known"
        elif isinstance(peer, Pods):
            yield from self._labels(policy, peer, other)

    def _labels(self, policy: AnyPolicy, peer: Pods, other: Point) -> Iterator[str]:
        truth = by_labels(peer, policy.ref.namespace, other)
        on_node = other.kind == NODE and truth and isinstance(policy, NetPolicy)
        if on_node and self.profile.selectors_match_host_network is Truth.MAYBE:
            yield (
                f"{policy.ref} means by its labels a pod on the network of its node"
                " (hostNetwork), and whether a selector does so is not defined"
            )
        if truth is not Truth.MAYBE:
            return
        if peer.namespaces and (keys := peer.namespaces.undecided(other.home)):
            yield homeless(policy.ref, keys, other)
        if peer.pods and (keys := peer.pods.undecided(other.labels)):
            yield at_run_time(policy.ref, keys)


@dataclass(slots=True)
class Relabelled:
    """Two pods that differ in the labels of some keys alone. Not frozen: it remembers for whom they
    differ.
    """

    one: Point
    two: Point
    keys: frozenset[str]
    _known: dict[tuple[Pods, str], bool] = field(default_factory=dict)

    @classmethod
    def of(cls, one: Point, two: Point) -> Relabelled | None:
        """Both; None where they differ in more."""
        keys = relabelled(one, two)
        return None if keys is None else cls(one, two, keys)

    def differ(self, peer: Pods, home: str) -> bool:
        """Whether a peer of a policy in namespace `home` means one of them more surely."""
        key = (peer, home if peer.namespaces is None else "")
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._differ(peer, home)
        return found

    def _differ(self, peer: Pods, home: str) -> bool:
        asked = peer.pods.requirements if peer.pods else ()
        if self.keys.isdisjoint(requirement.key for requirement in asked):
            return False
        return by_labels(peer, home, self.one) is not by_labels(peer, home, self.two)


def by_labels(peer: Pods, home: str, other: Point) -> Truth:
    """Whether the labels of a peer are those of `other`; `home` is the namespace of a peer that
    names none.
    """
    if other.kind == OUTSIDE or (other.kind == NODE and not other.namespace):
        return Truth.NO
    if peer.namespaces is None:
        there = Truth.YES if other.namespace == home else Truth.NO
    else:
        there = peer.namespaces.truth(other.home)
    if there is Truth.NO or peer.pods is None:
        return there
    return min(there, peer.pods.truth(other.labels))


def homeless(ref: Ref, keys: Sequence[str], other: Point) -> str:
    """The doubt about a label of a namespace."""
    return (
        f"{ref} asks for the namespace's label {_quoted(keys)}, and namespace"
        f" {other.namespace} has no Namespace object to tell it"
    )


def at_run_time(ref: Ref, keys: Sequence[str]) -> str:
    """The doubt about a label of a pod."""
    return f"{ref} asks for the pod's label {_quoted(keys)}, which only exists at run time"


def _quoted(keys: Sequence[str]) -> str:
    return ", ".join(f"'{key}'" for key in keys)


def _best(truths: Iterator[Truth]) -> Truth:
    best = Truth.NO
    for truth in truths:
        best = max(best, truth)
        if best is Truth.YES:
            break
    return best
