"""Judges one direction of one connection by NetworkPolicy v1.

Isolation is per direction; policies that select the same pod are united, and where one isolates
it, nobody after them is asked. What is not known makes the answer a pair, what is surely admitted
and what may be.
Rules: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import field

from auditor.facts.network.answers import Direction, Reason
from auditor.facts.network.decisions import (
    NO_SAY,
    Admission,
    Connection,
    Decision,
    Effect,
    Note,
)
from auditor.facts.network.points import NODE, POD, Point
from auditor.facts.network.policies import KIND, NetPolicy, PolicyRule
from auditor.facts.network.ports import PortSet
from auditor.facts.network.reading import Reading, at_run_time
from auditor.facts.selectors import Truth
from auditor.values import dataclass

Selecting = tuple[tuple[NetPolicy, Truth], ...]
"""Policies that select a pod, surely or perhaps."""

Admitted = tuple[NetPolicy, PortSet, PortSet]
"""What a rule of a policy admits, surely and perhaps."""

UNSELECTED = Note(Effect.OPEN, PortSet.NONE, Reason(None, (), "no NetworkPolicy selects it"))

OWN_NODE = Note(
    Effect.ACCEPTS,
    PortSet.ALL,
    Reason(None, (), "a pod and the node on which it runs always reach each other"),
)
NEAR = (
    "pods on the network of their node (hostNetwork) look like the node itself, and may reach any"
    " pod that runs beside them"
)


@dataclass(slots=True)
class Namespaced:
    """The stage of NetworkPolicies. Not frozen: it remembers which policies select a point, and
    what they say to everyone whom they admit by the same rules.

    Cost: the first question about a point looks at every policy of its namespace once; every
    further one evaluates the selectors of the rules of the policies that select it.
    """

    policies: dict[str, list[NetPolicy]]
    reading: Reading
    _matching: dict[Point, Selecting] = field(default_factory=dict)
    _isolating: dict[tuple[Point, Direction], Selecting] = field(default_factory=dict)
    _said: dict[tuple[object, ...], Decision] = field(default_factory=dict)
    _ports: dict[tuple[PolicyRule, object], tuple[PortSet, PortSet]] = field(default_factory=dict)

    def after(self, changed: Mapping[str, list[NetPolicy]]) -> Namespaced:
        """The same with other policies in some namespaces."""
        found = copy(self)
        found.policies = {**self.policies, **changed}
        found._matching = {
            p: told for p, told in self._matching.items() if p.namespace not in changed
        }
        found._isolating = {
            key: told for key, told in self._isolating.items() if key[0].namespace not in changed
        }
        # A policy that is gone is in no selection any more, so that what it said is not found.
        found._said, found._ports = dict(self._said), dict(self._ports)
        return found

    def selecting(self, point: Point, direction: Direction) -> Selecting:
        """The policies that isolate the point in this direction, or may. A pod on the network of
        its node is selected by none, unless the profile says otherwise: most network plugins
        have it so.
        """
        if point.kind == POD or (point.kind == NODE and self._holds_on_nodes is Truth.YES):
            return self._naming(point, direction)
        return ()

    def _own_node(self, direction: Direction) -> Truth:
        """Whether what a node and a pod on it send each other is out of the reach of policies."""
        profile = self.reading.profile
        inward = direction == "Ingress"
        return profile.node_reaches_its_pods if inward else profile.reaches_its_node

    def _naming(self, point: Point, direction: Direction) -> Selecting:
        """Those that select it by its labels."""
        found = self._isolating.get((point, direction))
        if found is None:
            all_of_it = self._policies_for(point)
            found = tuple(each for each in all_of_it if direction in each[0].rules)
            self._isolating[point, direction] = found
        return found

    @property
    def _holds_on_nodes(self) -> Truth:
        return self.reading.profile.selects_host_network

    def _policies_for(self, point: Point) -> Selecting:
        found = self._matching.get(point)
        if found is None:
            here = self.policies.get(point.namespace, ())
            judged = ((policy, policy.selector.truth(point.labels)) for policy in here)
            found = tuple((policy, truth) for policy, truth in judged if truth)
            self._matching[point] = found
        return found

    def selection(self, subject: Point, direction: Direction) -> Selecting:
        """The policies that name the subject, whether they hold for it or not."""
        return self._naming(subject, direction) if subject.kind in (POD, NODE) else ()

    def decide(self, connection: Connection) -> Decision:
        """What the NetworkPolicies of one end say."""
        subject, direction = connection.subject, connection.direction
        selecting = self.selecting(subject, direction)
        if selecting:
            return self._decided(connection, selecting)
        if subject.kind == NODE and self._holds_on_nodes is Truth.MAYBE:
            return self._on_node(connection)
        return OPEN[direction]

    def bounds(
        self, selecting: Selecting, direction: Direction, truths: Iterable[Truth], target: Point
    ) -> tuple[PortSet, PortSet]:
        """What policies that select a pod let through between it and another, surely and perhaps,
        where their rules for this direction mean the other end with these `truths`: as `decide`,
        without the reasons.
        """
        rules = [(policy, rule) for policy, _ in selecting for rule in policy.rules[direction]]
        admitted = [
            (policy, *self.admitted(rule, truth, target))
            for (policy, rule), truth in zip(rules, truths, strict=True)
            if truth
        ]
        sure, possible = _bounds(selecting, admitted)
        return sure, (possible if isolates(selecting) else PortSet.ALL)

    def _on_node(self, connection: Connection) -> Decision:
        named = self._naming(connection.subject, connection.direction)
        if not named:
            return OPEN[connection.direction]
        strict = self._decided(connection, named)
        return Decision(
            accepts=PortSet.NONE,
            denies=PortSet.NONE,
            passes=PortSet.ALL,
            notes=OPEN[connection.direction].notes,
            unknown=tuple(_not_defined(policy) for policy, _ in named),
            assumed=strict.denies,
        )

    def _decided(self, connection: Connection, selecting: Selecting) -> Decision:
        subject, other, direction = connection.subject, connection.other, connection.direction
        truths = tuple(
            self.reading.admits(rule, policy, other)
            for policy, _ in selecting
            for rule in policy.rules[direction]
        )
        if Truth.MAYBE in truths or other.kind == NODE:
            return self._united(connection, selecting, truths)
        named = any(rule.named for policy, _ in selecting for rule in policy.rules[direction])
        # What surely selects two pods says the same of both.
        certain = all(truth is Truth.YES for _, truth in selecting)
        who = selecting if certain else subject
        key = (who, direction, truths, connection.target.ports if named else ())
        if key not in self._said:
            self._said[key] = self._united(connection, selecting, truths)
        return self._said[key]

    def _united(
        self, connection: Connection, selecting: Selecting, truths: Iterable[Truth]
    ) -> Decision:
        admissions, notes, doubts = [], [], []
        admits = iter(truths)
        for policy, selects in selecting:
            if selects is Truth.MAYBE:
                keys = policy.selector.undecided(connection.subject.labels)
                doubts.append(at_run_time(policy.ref, keys))
            for rule in policy.rules[connection.direction]:
                sure, possible = self.admitted(rule, next(admits), connection.target)
                if possible:
                    admissions.append(Admission(policy, rule, sure, possible))
                    notes.append(_admitting(connection.direction, admissions[-1]))
                if possible != sure:
                    ends = (connection.other, connection.target)
                    doubts += self.reading.doubts(policy, rule, *ends)
        sure, possible = _bounds(selecting, [(a.policy, a.sure, a.possible) for a in admissions])
        passes = PortSet.NONE if isolates(selecting) else PortSet.ALL
        near = min(connection.near, self._own_node(connection.direction))
        if connection.other.kind == NODE and sure != PortSet.ALL and near:
            # Traffic between a pod and its own node is always allowed.
            possible = PortSet.ALL
            if near is Truth.YES:
                return Decision(PortSet.ALL, PortSet.NONE, PortSet.NONE, (OWN_NODE,))
            doubts.append(NEAR)
        if not admissions:
            notes += [_stop(connection.direction, policy) for policy, _ in selecting]
        return Decision(
            possible, sure.complement(), passes, tuple(notes), tuple(doubts), tuple(admissions)
        )

    def admitted(self, rule: PolicyRule, truth: Truth, target: Point) -> tuple[PortSet, PortSet]:
        """What the rule admits surely and perhaps, where it means the other end with this
        `truth`.
        """
        if truth is Truth.NO:
            return PortSet.NONE, PortSet.NONE
        key = (rule, target.ports if rule.named else ())
        found = self._ports.get(key)
        if found is None:
            found = self._ports[key] = self.reading.ports(rule, target)
        sure, possible = found
        return (sure if truth is Truth.YES else PortSet.NONE), possible


OPEN: dict[Direction, Decision] = {
    "Ingress": Decision(PortSet.NONE, PortSet.NONE, PortSet.ALL, (UNSELECTED,)),
    "Egress": NO_SAY,
}
"""No NetworkPolicy selects the end. Of a source nobody asks."""


def _not_defined(policy: NetPolicy) -> str:
    return (
        f"{policy.ref} selects by its labels a pod on the network of its node (hostNetwork), and"
        " whether a policy holds there is not defined; most network plugins leave such pods out"
    )


def _admitting(direction: Direction, one: Admission) -> Note:
    verb = "admits" if one.sure == one.possible else "may admit"
    way = "it" if direction == "Ingress" else "it, on its way out,"
    text = f"{_named(one.policy)} {verb} {way} on {one.possible}"
    return Note(Effect.ACCEPTS, one.possible, Reason(one.policy.ref, one.rule.path, text))


def _stop(direction: Direction, policy: NetPolicy) -> Note:
    whom = "it" if direction == "Ingress" else "the source"
    text = f"{_named(policy)} isolates {whom}, and no rule of it admits this"
    return Note(Effect.DENIES, PortSet.ALL, Reason(policy.ref, ("spec", "podSelector"), text))


def _named(policy: NetPolicy) -> str:
    """As a person would say it: ``NetworkPolicy shop/orders``."""
    return f"{KIND} {policy.ref.namespace}/{policy.ref.name}"


def isolates(selecting: Selecting) -> bool:
    """Whether one of them surely selects the pod, so that only what rules admit comes through."""
    return any(truth is Truth.YES for _, truth in selecting)


def _bounds(selecting: Selecting, admitted: Sequence[Admitted]) -> tuple[PortSet, PortSet]:
    """What is surely not denied, and what is perhaps admitted by a rule.

    A policy that only may select the pod can add its rules to those of the others; where no other
    surely selects it, the pod may as well not be isolated at all.
    """
    possible = PortSet.union_of(perhaps for _, _, perhaps in admitted)
    if isolates(selecting):
        certain = {policy for policy, truth in selecting if truth is Truth.YES}
        return PortSet.union_of(surely for by, surely, _ in admitted if by in certain), possible
    sure = PortSet.ALL
    for policy, _ in selecting:
        sure &= PortSet.union_of(surely for by, surely, _ in admitted if by is policy)
    return sure, possible
