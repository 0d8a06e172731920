"""Judges one direction of one connection by NetworkPolicy v1.

Isolation is per direction; policies that select the same pod are united; what is not known makes
the answer a pair, what is surely admitted and what may be.
Rules: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from auditor.facts.network.answers import Direction, Reason
from auditor.facts.network.points import NODE, POD, Point
from auditor.facts.network.policies import KIND, Block, NetPolicy, Pods, PolicyRule
from auditor.facts.network.ports import PortSet
from auditor.facts.selectors import Truth


@dataclass(frozen=True, slots=True)
class Admission:
    """A rule that admits the other side, surely or perhaps."""

    policy: NetPolicy
    rule: PolicyRule
    sure: PortSet
    possible: PortSet
    reason: Reason


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """What the policies that select one end of a connection say of it."""

    sure: PortSet
    possible: PortSet
    admissions: tuple[Admission, ...] = ()
    stops: tuple[Reason, ...] = ()
    """Why nothing is admitted, where nothing is."""
    unknown: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether no policy isolates this end."""
        return not (self.admissions or self.stops)


OPEN = Side(PortSet.ALL, PortSet.ALL)


@dataclass(frozen=True, slots=True)
class Connection:
    """Whose policies are asked, and about whom."""

    direction: Direction
    subject: Point
    """The end whose policies decide."""
    other: Point
    """The end that they admit or not."""

    @property
    def target(self) -> Point:
        """The end to which the connection goes: its ports are meant."""
        return self.subject if self.direction == "Ingress" else self.other


Selecting = tuple[tuple[NetPolicy, Truth], ...]
"""Policies that select a pod, surely or perhaps."""


@dataclass(slots=True)
class Judge:
    """All policies by namespace. Not frozen: it remembers which policies select a point, and what
    they say to everyone whom they admit by the same rules.

    Cost: the first question about a point looks at every policy of its namespace once; every
    further one evaluates the selectors of the rules of the policies that select it.
    """

    policies: dict[str, list[NetPolicy]]
    _matching: dict[Point, Selecting] = field(default_factory=dict)
    _isolating: dict[tuple[Point, Direction], Selecting] = field(default_factory=dict)
    _said: dict[tuple[object, ...], Side] = field(default_factory=dict)

    def selecting(self, point: Point, direction: Direction) -> Selecting:
        """The policies that isolate the point in this direction, or may. A pod on the network of
        its node is selected by none, as most network plugins have it.
        """
        if point.kind != POD:
            return ()
        found = self._isolating.get((point, direction))
        if found is None:
            all_of_it = self._policies_for(point)
            found = tuple(each for each in all_of_it if direction in each[0].rules)
            self._isolating[point, direction] = found
        return found

    def _policies_for(self, point: Point) -> Selecting:
        found = self._matching.get(point)
        if found is None:
            here = self.policies.get(point.namespace, ())
            judged = ((policy, policy.selector.truth(point.labels)) for policy in here)
            found = tuple((policy, truth) for policy, truth in judged if truth)
            self._matching[point] = found
        return found

    def side(self, direction: Direction, source: Point, target: Point) -> Side:
        """What the policies of one end say; the same object where they say the same."""
        subject, other = (target, source) if direction == "Ingress" else (source, target)
        if subject.kind == NODE:
            return self._on_node(subject, direction)
        selecting = self.selecting(subject, direction)
        if not selecting:
            return OPEN
        truths = tuple(
            _admits(rule, policy, other)
            for policy, _ in selecting
            for rule in policy.rules[direction]
        )
        connection = Connection(direction, subject, other)
        if Truth.MAYBE in truths or other.kind == NODE:
            return _united(connection, selecting, truths)
        named = any(rule.named for policy, _ in selecting for rule in policy.rules[direction])
        key = (subject, direction, truths, connection.target.ports if named else ())
        if key not in self._said:
            self._said[key] = _united(connection, selecting, truths)
        return self._said[key]

    def _on_node(self, subject: Point, direction: Direction) -> Side:
        named = [policy for policy, _ in self._policies_for(subject) if direction in policy.rules]
        if not named:
            return OPEN
        return Side(PortSet.ALL, PortSet.ALL, unknown=tuple(map(_not_defined, named)))


def _not_defined(policy: NetPolicy) -> str:
    return (
        f"{policy.ref} selects by its labels a pod on the network of its node (hostNetwork), and"
        " whether a policy holds there is not defined; most network plugins leave such pods out"
    )


def _united(connection: Connection, selecting: Selecting, truths: Iterable[Truth]) -> Side:
    admissions, doubts = [], []
    admits = iter(truths)
    for policy, selects in selecting:
        if selects is Truth.MAYBE:
            doubts.append(_runtime(policy, policy.selector.undecided(connection.subject.labels)))
        for rule in policy.rules[connection.direction]:
            sure, possible = _admitted(rule, next(admits), connection.target)
            if possible:
                reason = _reason(connection.direction, policy, rule, (sure, possible))
                admissions.append(Admission(policy, rule, sure, possible, reason))
            if possible != sure:
                doubts += _doubts(connection, policy, rule)
    sure, possible = _bounds(selecting, admissions)
    if connection.other.kind == NODE and sure != PortSet.ALL:
        # Traffic between a pod and its own node is always allowed, and whether a selector means
        # pods on the network of a node is not defined.
        possible = PortSet.ALL
        doubts.append(
            "pods on the network of their node (hostNetwork) look like the node itself, and may"
            " reach any pod that runs beside them"
        )
    stops = () if admissions else tuple(_stop(connection.direction, one) for one, _ in selecting)
    return Side(sure, possible, tuple(admissions), stops, tuple(dict.fromkeys(doubts)))


def _reason(
    direction: Direction, policy: NetPolicy, rule: PolicyRule, bounds: tuple[PortSet, PortSet]
) -> Reason:
    sure, possible = bounds
    verb = "admits" if sure == possible else "may admit"
    way = "it" if direction == "Ingress" else "it, on its way out,"
    return Reason(policy.ref, rule.path, f"{_named(policy)} {verb} {way} on {possible}")


def _stop(direction: Direction, policy: NetPolicy) -> Reason:
    whom = "it" if direction == "Ingress" else "the source"
    text = f"{_named(policy)} isolates {whom}, and no rule of it admits this"
    return Reason(policy.ref, ("spec", "podSelector"), text)


def _named(policy: NetPolicy) -> str:
    """As a person would say it: ``NetworkPolicy shop/orders``."""
    return f"{KIND} {policy.ref.namespace}/{policy.ref.name}"


def _bounds(selecting: Selecting, admissions: Sequence[Admission]) -> tuple[PortSet, PortSet]:
    """What is surely and what is perhaps admitted.

    A policy that only may select the pod can add its rules to those of the others; where no other
    surely selects it, the pod may as well not be isolated at all.
    """
    if any(truth is Truth.YES for _, truth in selecting):
        certain = {policy for policy, truth in selecting if truth is Truth.YES}
        sure = _union(a.sure for a in admissions if a.policy in certain)
        return sure, _union(a.possible for a in admissions)
    sure = PortSet.ALL
    for policy, _ in selecting:
        sure = sure.intersection(_union(a.sure for a in admissions if a.policy is policy))
    return sure, PortSet.ALL


def _union(sets: Iterable[PortSet]) -> PortSet:
    found = PortSet.NONE
    for ports in sets:
        found = found.union(ports)
    return found


def _admitted(rule: PolicyRule, truth: Truth, target: Point) -> tuple[PortSet, PortSet]:
    """What the rule admits surely and perhaps, where it admits the other end with this `truth`."""
    if truth is Truth.NO:
        return PortSet.NONE, PortSet.NONE
    sure, possible = _ports(rule, target)
    return (sure if truth is Truth.YES else PortSet.NONE), possible


def _admits(rule: PolicyRule, policy: NetPolicy, other: Point) -> Truth:
    if not rule.peers:
        return Truth.YES
    best = Truth.NO
    for peer in rule.peers:
        best = max(best, _is(peer, policy, other))
        if best is Truth.YES:
            break
    return best


def _is(peer: Pods | Block, policy: NetPolicy, other: Point) -> Truth:
    """Whether `other` is who the peer means."""
    if isinstance(peer, Block):
        return other.within[peer]
    if other.kind != POD:
        return Truth.NO
    if peer.namespaces is None:
        home = Truth.YES if other.namespace == policy.ref.namespace else Truth.NO
    else:
        home = peer.namespaces.truth(other.home)
    if home is Truth.NO or peer.pods is None:
        return home
    return min(home, peer.pods.truth(other.labels))


def _ports(rule: PolicyRule, target: Point) -> tuple[PortSet, PortSet]:
    """The ports of a rule on the target, surely and perhaps: names mean what its pods declare."""
    sure = possible = rule.ports
    for protocol, name in rule.named:
        if target.ports is None:
            possible = possible.union(PortSet.span(protocol))
            continue
        found = (n for p, called, n in target.ports if (p, called) == (protocol, name))
        sure = possible = sure.union(PortSet.of(protocol, *found))
    return sure, possible


def _doubts(connection: Connection, policy: NetPolicy, rule: PolicyRule) -> Iterator[str]:
    """Why it cannot be told whether the rule admits the other end, or to which ports."""
    other = connection.other
    if rule.named and connection.target.ports is None:
        names = ", ".join(f"'{name}'" for _, name in rule.named)
        yield f"{policy.ref} names port {names}, and the ports of the pod are not known"
    for peer in rule.peers:
        if _is(peer, policy, other) is not Truth.MAYBE:
            continue
        if isinstance(peer, Block):
            yield f"{policy.ref} names the addresses {peer}, and those of the pod are not known"
            continue
        if peer.namespaces and (keys := peer.namespaces.undecided(other.home)):
            yield (
                f"{policy.ref} asks for the namespace's label {_quoted(keys)}, and namespace"
                f" {other.namespace} has no Namespace object to tell it"
            )
        if peer.pods and (keys := peer.pods.undecided(other.labels)):
            yield _runtime(policy, keys)


def _runtime(policy: NetPolicy, keys: Sequence[str]) -> str:
    return f"{policy.ref} asks for the pod's label {_quoted(keys)}, which only exists at run time"


def _quoted(keys: Sequence[str]) -> str:
    return ", ".join(f"'{key}'" for key in keys)
