"""Judges one direction of one connection by one tier of cluster-wide policies.

Policies in order of their priority, rules in the order written: for each port the first rule that
matches counts. It accepts, denies, or passes: then the rest of the tier is left out. A policy that
selects a pod does not isolate it. Of policies with equal priority that match the same traffic any
may count; where they disagree, the answer is not defined.
Rules: kubernetes-sigs/network-policy-api apis/v1alpha2/clusternetworkpolicy_types.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from functools import reduce
from itertools import combinations, groupby

from auditor.facts.network.answers import Direction, Reason
from auditor.facts.network.cluster_policies import CLUSTER, ClusterPolicy, Tier, TierRule, Unknown
from auditor.facts.network.decisions import NO_SAY, Connection, Decision, Effect, Note
from auditor.facts.network.points import NODE, POD, Point
from auditor.facts.network.ports import PortSet
from auditor.facts.network.reading import Reading, at_run_time, homeless
from auditor.facts.selectors import Truth
from auditor.values import dataclass

Selected = tuple[ClusterPolicy, Truth]
"""A policy whose subject a pod is, surely or perhaps."""
Selecting = tuple[Selected, ...]

KEPT = 1 << 17
"""How many answers are kept on whom rules mean, before they are forgotten: some megabytes."""

EFFECTS = {"Accept": Effect.ACCEPTS, "Deny": Effect.DENIES, "Pass": Effect.PASSES}


@dataclass(frozen=True, slots=True)
class Walk:
    """How far some policies of a tier get. Each port is in at least one of the sets."""

    accepts: PortSet = PortSet.NONE
    denies: PortSet = PortSet.NONE
    leaves: PortSet = PortSet.NONE
    """What leaves the tier by a Pass."""
    rest: PortSet = PortSet.ALL
    """What no rule may have matched."""
    notes: tuple[Note, ...] = ()
    unknown: tuple[str, ...] = ()

    def then(self, after: Walk) -> Walk:
        """These policies, and for what is left those after them."""
        left = self.rest
        return Walk(
            self.accepts | (left & after.accepts),
            self.denies | (left & after.denies),
            self.leaves | (left & after.leaves),
            left & after.rest,
            (*self.notes, *_left(after.notes, left)),
            (*self.unknown, *(after.unknown if left else ())),
        )

    def beside(self, other: Walk) -> Walk:
        """These policies and others of which any may be asked first."""
        return Walk(
            self.accepts | other.accepts,
            self.denies | other.denies,
            self.leaves | other.leaves,
            self.rest & other.rest,
            (*self.notes, *other.notes),
            (*self.unknown, *other.unknown),
        )

    def disagrees(self, other: Walk) -> PortSet:
        """What two may match, and not with the same action."""
        return PortSet.union_of(
            mine & (one | two)
            for mine, one, two in (
                (self.accepts, other.denies, other.leaves),
                (self.denies, other.accepts, other.leaves),
                (self.leaves, other.accepts, other.denies),
            )
        )


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The policies that some pods have in common."""

    policies: Selecting
    rules: tuple[TierRule, ...]
    """All of them for one direction, in order."""
    named: bool
    """Whether any names a port."""
    certain: bool
    """Whether it is sure that they select these pods."""

    @classmethod
    def of(cls, policies: Selecting, direction: Direction) -> Chosen:
        """These policies, for one direction."""
        rules = tuple(rule for policy, _ in policies for rule in policy.rules[direction])
        certain = all(truth is Truth.YES for _, truth in policies)
        return cls(policies, rules, any(rule.named for rule in rules), certain)


@dataclass(slots=True)
class ClusterWide:
    """The stage of one tier. Not frozen: it remembers which policies select a point, and what
    they say to everyone whom they mean by the same rules.

    Cost: the first question about a point looks at every policy of the tier, the first one about
    two ends evaluates the selectors of all rules of the policies of one; then it is known for all
    ends that the same policies select.
    """

    tier: Tier
    policies: Sequence[ClusterPolicy]
    """All of the tier."""
    reading: Reading
    _chosen: dict[tuple[Point, Direction], Chosen] = field(default_factory=dict)
    _equal: dict[tuple[Direction, Selecting], Chosen] = field(default_factory=dict)
    _meant: dict[tuple[Chosen, Point], tuple[Truth, ...]] = field(default_factory=dict)
    _said: dict[tuple[object, ...], Decision] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.policies = sorted(self.policies, key=_order)

    def decide(self, connection: Connection) -> Decision:
        """What the policies of the tier say of one end."""
        chosen = self._choose(connection.subject, connection.direction)
        if not chosen.policies:
            return NO_SAY
        truths = self._truths(chosen, connection.other)
        if Truth.MAYBE in truths:
            return self._walked(connection, chosen.policies, truths)
        subject = None if chosen.certain else connection.subject
        key = (chosen, subject, truths, connection.target.ports if chosen.named else ())
        if key not in self._said:
            self._said[key] = self._walked(connection, chosen.policies, truths)
        return self._said[key]

    def selection(self, subject: Point, direction: Direction) -> Selecting:
        """The policies with rules for this direction whose subject the point is, or may be. A pod
        on the network of its node is never one, but to an enforcer that sees no difference.
        """
        return self._choose(subject, direction).policies

    def _choose(self, point: Point, direction: Direction) -> Chosen:
        found = self._chosen.get((point, direction))
        if found is None:
            policies = tuple(self._selected(point, direction))
            found = self._equal.get((direction, policies))
            if found is None:
                found = self._equal[direction, policies] = Chosen.of(policies, direction)
            self._chosen[point, direction] = found
        return found

    def _truths(self, chosen: Chosen, other: Point) -> tuple[Truth, ...]:
        found = self._meant.get((chosen, other))
        if found is None:
            if len(self._meant) > KEPT:
                self._meant.clear()
            found = tuple(self.reading.matches(rule, other) for rule in chosen.rules)
            self._meant[chosen, other] = found
        return found

    def _selected(self, point: Point, direction: Direction) -> Iterator[Selected]:
        on_node = self.reading.profile.selects_host_network is Truth.YES
        if point.kind == POD or (point.kind == NODE and on_node and point.namespace):
            for policy in self.policies:
                truth = self._is_subject(policy, point) if direction in policy.rules else Truth.NO
                if truth:
                    yield policy, truth

    def _is_subject(self, policy: ClusterPolicy, point: Point) -> Truth:
        home, pod = policy.namespaces.truth(point.home), policy.selector.truth(point.labels)
        return min(home, pod, self._read_at_all(policy))

    def _read_at_all(self, policy: ClusterPolicy) -> Truth:
        profile = self.reading.profile
        newer = policy.ref.kind == CLUSTER.kind
        return profile.cluster_policies if newer else profile.admin_policies

    def _walked(
        self, connection: Connection, selecting: Selecting, truths: Iterable[Truth]
    ) -> Decision:
        matching = iter(truths)
        walks = [
            (policy, self._policy(connection, policy, selects, matching))
            for policy, selects in selecting
        ]
        groups = [list(group) for _, group in groupby(walks, key=lambda one: one[0].priority)]
        found = reduce(Walk.then, map(self._tied, groups), Walk())
        if len(groups) > 1 and groups[-1][0][0].priority is None:
            # Which goes first, the policy without a priority or those with one, is not defined.
            other = reduce(Walk.then, map(self._tied, [groups[-1], *groups[:-1]]), Walk())
            found = _either(found, other)
        passes = found.leaves | found.rest
        return Decision(found.accepts, found.denies, passes, found.notes, found.unknown)

    def _policy(
        self,
        connection: Connection,
        policy: ClusterPolicy,
        selects: Truth,
        truths: Iterator[Truth],
    ) -> Walk:
        found = Walk()
        for rule in policy.rules[connection.direction]:
            found = found.then(self._rule(connection, policy, rule, next(truths)))
        if selects is Truth.YES:
            return found
        doubts = tuple(self._selection_doubts(connection.subject, policy))
        return Walk(
            found.accepts, found.denies, found.leaves, PortSet.ALL, found.notes,
            (*doubts, *found.unknown),
        )  # fmt: skip

    def _selection_doubts(self, subject: Point, policy: ClusterPolicy) -> Iterator[str]:
        if keys := policy.namespaces.undecided(subject.home):
            yield homeless(policy.ref, keys, subject)
        if keys := policy.selector.undecided(subject.labels):
            yield at_run_time(policy.ref, keys)
        if self._read_at_all(policy) is Truth.MAYBE:
            name = self.reading.profile.name
            yield f"whether {policy.ref} has any effect with {name} is not known"

    def _rule(
        self, connection: Connection, policy: ClusterPolicy, rule: TierRule, truth: Truth
    ) -> Walk:
        if truth is Truth.NO:
            return Walk()
        target = connection.target
        sure, possible = self.reading.ports(rule, target)
        if any(isinstance(peer, Unknown) for peer in rule.peers):
            sure = possible = PortSet.ALL
        sure = sure if truth is Truth.YES else PortSet.NONE
        if not possible:
            return Walk()
        certain = sure == possible
        note = _note(connection.direction, policy, rule, possible, certain=certain)
        ends = (connection.other, target)
        doubts = () if certain else tuple(self.reading.doubts(policy, rule, *ends))
        action = _action(rule)
        return Walk(
            accepts=possible if action == "Accept" else PortSet.NONE,
            denies=possible if action == "Deny" else PortSet.NONE,
            leaves=possible if action == "Pass" else PortSet.NONE,
            rest=sure.complement(),
            notes=(note,),
            unknown=doubts,
        )

    def _tied(self, group: Sequence[tuple[ClusterPolicy, Walk]]) -> Walk:
        """Policies of equal priority."""
        found = reduce(Walk.beside, (walk for _, walk in group))
        for (one, first), (other, second) in combinations(group, 2):
            if ports := first.disagrees(second):
                text = (
                    f"{_named(one)} and {_named(other)} have the same priority {one.priority} in"
                    f" tier {self.tier} and disagree on {ports}: which of them counts is not"
                    " defined"
                )
                note = Note(Effect.DOUBTS, ports, Reason(one.ref, ("spec", "priority"), text))
                found = found.beside(Walk(notes=(note,), unknown=(text,)))
        return found


def _either(one: Walk, other: Walk) -> Walk:
    """What holds if either order may."""
    both = one.beside(other)
    notes = tuple(dict.fromkeys(both.notes))
    text = (
        "which goes first, the BaselineAdminNetworkPolicy or the ClusterNetworkPolicies of tier"
        " Baseline, is not defined"
    )
    unknown = tuple(dict.fromkeys((*both.unknown, text)))
    return Walk(both.accepts, both.denies, both.leaves, one.rest | other.rest, notes, unknown)


def _order(policy: ClusterPolicy) -> int:
    return 1001 if policy.priority is None else policy.priority


def _action(rule: TierRule) -> str:
    """What the rule does. One that fails closed denies, also where it says Pass."""
    if any(isinstance(peer, Unknown) for peer in rule.peers):
        return "Deny"
    return rule.action


def _note(
    direction: Direction, policy: ClusterPolicy, rule: TierRule, ports: PortSet, *, certain: bool
) -> Note:
    action = _action(rule)
    whole = {
        "Accept": ("accepts", "may accept", "it"),
        "Deny": ("denies", "may deny", "it"),
        "Pass": ("leaves", "may leave", "it to what comes after the tier"),
    }[action]
    verb = whole[0] if certain else whole[1]
    way = whole[2] if direction == "Ingress" else f"{whole[2]}, on its way out,"
    closed = (
        ""
        if action == rule.action and not _closed(rule)
        else (f": it fails closed, since peers by {', '.join(_closed(rule))} are not known")
    )
    text = f"{_named(policy)} {verb} {way} on {ports}{closed}"
    return Note(EFFECTS[action], ports, Reason(policy.ref, rule.path, text))


def _closed(rule: TierRule) -> tuple[str, ...]:
    return tuple(name for p in rule.peers if isinstance(p, Unknown) for name in p.fields)


def _named(policy: ClusterPolicy) -> str:
    """As a person would say it: ``ClusterNetworkPolicy floor``."""
    return f"{policy.ref.kind} {policy.ref.name}"


def _left(notes: Sequence[Note], left: PortSet) -> Iterator[Note]:
    for note in notes:
        if left is PortSet.ALL:
            yield note
        elif ports := note.ports & left:
            yield Note(note.effect, ports, note.reason)
