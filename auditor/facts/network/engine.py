"""Answers who can reach whom in a snapshot. The snapshot is all that it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product

from auditor.facts.network.answers import (
    Direction,
    Entrance,
    InvalidPolicy,
    Listening,
    Peer,
    Reach,
    Reason,
    Rule,
    World,
)
from auditor.facts.network.judge import Judge, Side
from auditor.facts.network.outside import representatives
from auditor.facts.network.points import Point, Points, Questions
from auditor.facts.network.policies import KIND, Block, NetPolicy, PolicyRule, parse_policy
from auditor.facts.network.ports import PortSet
from auditor.facts.network.profiles import SPEC, Profile
from auditor.facts.network.requests import Request, Ruling, Verdict
from auditor.facts.network.unread import unread
from auditor.facts.network.ways import Ways, source_rules
from auditor.facts.selectors import Truth
from auditor.facts.workloads import Workload
from auditor.model import Gap, Ref, Resource, Snapshot

CACHED = 1 << 16
"""How many answers are kept, each for one pair of what two ends say: some tens of megabytes."""

BOTH: tuple[Direction, ...] = ("Ingress", "Egress")

UNSELECTED = Reason(None, (), "no NetworkPolicy selects it")


class Network:
    """Who can reach whom.

    Connections are judged in steady state, by what `snapshot` says. Replies need no rule. Pods on
    the network of their node are taken to be neither selected by policies nor meant by selectors,
    which is what most network plugins do; the answer then says so in `unknown`.

    Cost: to build, one pass over the snapshot; pods that no policy can tell apart are one point.
    A query evaluates the selectors of the rules of the policies that select its two ends (some
    microseconds each); what follows from them is kept. The first query about a point looks at
    every policy of its namespace. A workload is one point, unless it has live pods that some
    policy tells apart by address or by a label of run time; then each pair of points is judged.
    """

    def __init__(
        self, snapshot: Snapshot, workloads: Sequence[Workload], profile: Profile = SPEC
    ) -> None:
        self.snapshot = snapshot
        self.profile = profile
        self.workloads = tuple(workloads)
        parsed = [parse_policy(resource) for resource in _policies(snapshot)]
        policies = [policy for policy in parsed if isinstance(policy, NetPolicy)]
        self.invalid = tuple(policy for policy in parsed if isinstance(policy, InvalidPolicy))
        """The policies that the API server would refuse, and that therefore have no effect."""
        self.ways = Ways(snapshot)
        """The Services, the Ingresses and the Gateways."""
        self.gaps: tuple[Gap, ...] = (*unread(snapshot, self.invalid), *self.ways.gaps)
        """The policies that have no part in any answer, and why."""
        self._points = Points(snapshot, Questions.of(policies))
        self._judge = Judge(_by_namespace(policies))
        self._of: dict[Ref, tuple[Workload, tuple[Point, ...]]] = {}
        self._composed = lru_cache(CACHED)(_composed)

    def reach(self, source: Peer, target: Peer, directions: tuple[Direction, ...] = BOTH) -> Reach:
        """What `source` may send to `target`: its egress and the target's ingress allow it.

        With one of `directions` alone, what the policies of that end allow, whatever the other
        end's say. A pod always reaches itself; two pods of one workload are two pods.

        Raises:
            ValueError: the address of a World is none.
        """
        if _same_pod(source, target):
            itself = Reason(None, (), "a pod always reaches itself")
            return Reach(PortSet.ALL, PortSet.ALL, (itself,))
        pairs = product(self._points_of(source), self._points_of(target))
        return _together([self._judged(*pair, directions) for pair in pairs])

    def ruling(self, source: Peer, target: Peer, request: Request) -> Ruling:
        """What becomes of one request.

        Raises:
            ValueError: the address of a World is none.
        """
        reach = self.reach(source, target)
        if reach.ports.contains(request.protocol, request.port):
            return Ruling(Verdict.ALLOWED, reach.reasons)
        if not reach.possible.contains(request.protocol, request.port):
            return Ruling(Verdict.DENIED, reach.reasons)
        return Ruling(Verdict.UNDEFINED, reach.reasons, reach.unknown)

    def isolating(
        self, target: Workload, direction: Direction, *, possibly: bool = False
    ) -> tuple[Ref, ...]:
        """The policies that select every pod of `target` in this direction, in the order read;
        with `possibly`, also those that select some of them or of which it cannot be told.
        """
        least: dict[Ref, list[Truth]] = {}
        points = self._points_of(target)
        for point in points:
            for policy, truth in self._judge.selecting(point, direction):
                least.setdefault(policy.ref, []).append(truth)
        sure = [Truth.YES] * len(points)
        return tuple(ref for ref, truths in least.items() if possibly or truths == sure)

    def admitting_rules(self, source: Peer, target: Workload) -> tuple[Rule, ...]:
        """The ingress rules of policies that select `target` and admit `source`, or may, in the
        order read. None where nothing isolates the target.
        """
        found: dict[tuple[object, ...], Rule] = {}
        for pair in product(self._points_of(source), self._points_of(target)):
            side = self._judge.side("Ingress", *pair)
            for one in side.admissions:
                rule = Rule(
                    policy=one.policy.resource,
                    path=one.rule.path,
                    ports=one.possible,
                    whole=one.rule.whole,
                    sure=one.sure == one.possible,
                )
                key = (rule.policy.ref, rule.path)
                found[key] = _merged(found[key], rule) if key in found else rule
        return tuple(found.values())

    def outside(self, target: Workload) -> tuple[World, ...]:
        """Somebody on the internet for each set of public addresses that neither the ingress
        policies of `target` nor the ways to it tell apart; at least one. Who asks all of them asks
        the whole internet.
        """
        sources = source_rules(self.entrances(target))
        return tuple(map(World, representatives([*self._ingress_rules(target), *sources])))

    def tells_addresses_apart(self, target: Workload) -> bool:
        """Whether some ingress policy of `target` admits some addresses and not all."""
        return any(
            isinstance(peer, Block) and not peer.whole
            for rule in self._ingress_rules(target)
            for peer in rule.peers
        )

    def _ingress_rules(self, target: Workload) -> list[PolicyRule]:
        policies = {
            policy
            for point in self._points_of(target)
            for policy, _ in self._judge.selecting(point, "Ingress")
        }
        return [rule for policy in policies for rule in policy.rules["Ingress"]]

    def listening(self, target: Workload) -> tuple[Listening, ...]:
        """The ports that the containers of `target` declare (sidecars too), then further ones to
        which Services lead. A port that is neither declared nor served may still be open.
        """
        return self.ways.listening(target)

    def services_of(self, target: Workload) -> tuple[Resource, ...]:
        """The Services that select pods of `target`."""
        return self.ways.services.of(target)

    def entrances(self, target: Workload) -> tuple[Entrance, ...]:
        """The ways for traffic from outside to pods of `target`, public ones first, whatever
        policies say of that traffic.
        """
        return self.ways.entrances(target)

    def _points_of(self, peer: Peer) -> tuple[Point, ...]:
        if not isinstance(peer, Workload):
            return self._points.of(peer)
        known = self._of.get(peer.ref)
        # The same object may be asked about as it would be after a change.
        if known is None or known[0] is not peer:
            known = self._of[peer.ref] = (peer, self._points.of(peer))
        return known[1]

    def _judged(self, source: Point, target: Point, directions: tuple[Direction, ...]) -> Reach:
        sides = tuple(self._judge.side(name, source, target) for name in directions)
        return self._composed(directions, sides)


def _composed(directions: tuple[Direction, ...], sides: tuple[Side, ...]) -> Reach:
    """What all sides allow together."""
    sure, possible = PortSet.ALL, PortSet.ALL
    for side in sides:
        sure, possible = sure.intersection(side.sure), possible.intersection(side.possible)
    reasons = [reason for side in sides for reason in _reasons(side, possible)]
    if "Ingress" in directions and sides[directions.index("Ingress")].open:
        reasons.insert(0, UNSELECTED)
    return Reach(sure, possible, tuple(reasons), _unknown(sides, certain=sure == possible))


def _reasons(side: Side, possible: PortSet) -> Iterator[Reason]:
    yield from side.stops
    for one in side.admissions:
        if not possible or one.possible.overlaps(possible):
            yield one.reason


def _unknown(sides: Sequence[Side], *, certain: bool) -> tuple[str, ...]:
    """The doubts that matter: none where both bounds agree, except on whether policies hold."""
    telling = (side for side in sides if not certain or side.open)
    return tuple(dict.fromkeys(doubt for side in telling for doubt in side.unknown))


def _policies(snapshot: Snapshot) -> Iterator[Resource]:
    """Each NetworkPolicy once."""
    for resource in snapshot.of_kind(KIND):
        if snapshot.find(resource.ref) is resource:
            yield resource


def _by_namespace(policies: Sequence[NetPolicy]) -> dict[str, list[NetPolicy]]:
    found: dict[str, list[NetPolicy]] = {}
    for policy in policies:
        found.setdefault(policy.ref.namespace, []).append(policy)
    return found


def _same_pod(source: Peer, target: Peer) -> bool:
    if not isinstance(source, Workload) or not isinstance(target, Workload):
        return False
    return source.ref == target.ref and target.ref.kind == "Pod"


def _together(answers: Sequence[Reach]) -> Reach:
    """What holds for every pair of pods, and what holds for some."""
    first = answers[0]
    if len(answers) == 1:
        return first
    sure, possible = first.ports, first.possible
    for answer in answers[1:]:
        sure, possible = sure.intersection(answer.ports), possible.union(answer.possible)
    unknown = [doubt for answer in answers for doubt in answer.unknown]
    if any(answer.ports != sure or answer.possible != possible for answer in answers):
        unknown.append("policies tell the pods apart by their addresses or labels of run time")
    reasons = dict.fromkeys(reason for answer in answers for reason in answer.reasons)
    return Reach(sure, possible, tuple(reasons), tuple(dict.fromkeys(unknown)))


def _merged(one: Rule, other: Rule) -> Rule:
    """The same rule for further pods."""
    return Rule(
        policy=one.policy,
        path=one.path,
        ports=one.ports.union(other.ports),
        whole=one.whole,
        sure=one.sure and other.sure,
    )
