"""Answers who can reach whom in a snapshot. The snapshot is all that it reads."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import product
from weakref import ReferenceType
from weakref import ref as weak

from auditor.facts.network.answers import (
    Direction,
    Entrance,
    InvalidPolicy,
    Listening,
    Machine,
    Peer,
    Reach,
    Reason,
    Rule,
    Stranger,
    World,
)
from auditor.facts.network.cluster_policies import (
    ClusterPolicy,
    Nodes,
)
from auditor.facts.network.composing import composed, connected, merged, then, together
from auditor.facts.network.decisions import Side
from auditor.facts.network.grouping import Grouping
from auditor.facts.network.istio import Mesh
from auditor.facts.network.judge import Judge
from auditor.facts.network.matrix import Flow, Matrix
from auditor.facts.network.outside import Span, representatives
from auditor.facts.network.parsing import Parsed, by_namespace, is_policy, parsed
from auditor.facts.network.passing import Passing, Sent
from auditor.facts.network.points import Point, Points, Questions, is_on_node
from auditor.facts.network.policies import KIND, Block, NetPolicy, PolicyRule
from auditor.facts.network.ports import PortSet
from auditor.facts.network.profiles import SPEC, Profile
from auditor.facts.network.requests import Identity, Request, Ruling, Verdict
from auditor.facts.network.senders import Senders
from auditor.facts.network.strangers import Strangers
from auditor.facts.network.succession import Changes, changes, succeeding
from auditor.facts.network.unread import unread
from auditor.facts.network.ways import Ways, source_rules
from auditor.facts.selectors import Truth
from auditor.facts.workloads import Workload, workloads_of
from auditor.memory import collector_paused
from auditor.model import Gap, Key, Ref, Resource, Snapshot

CACHED = 1 << 16
"""How many answers are kept, each for one pair of what two ends say: some tens of megabytes."""

ITSELF = Reason(None, (), "a pod always reaches itself")

BOTH: tuple[Direction, ...] = ("Ingress", "Egress")


class Network:
    """Who can reach whom, by NetworkPolicies and the two tiers of cluster-wide policies.

    Connections are judged in steady state, by what `snapshot` says. Replies need no rule. Pods on
    the network of their node are taken to be neither selected by policies nor meant by selectors,
    which is what most network plugins do; the answer then says so in `unknown`.

    Cost: to build, one pass over the snapshot; pods that no policy can tell apart are one point.
    A query evaluates the selectors of the rules of the policies that select its two ends (some
    microseconds each); what follows from them is kept. The first query about a point looks at
    every policy of its namespace. A workload is one point, unless it has live pods that some
    policy tells apart by address or by a label of run time; then each pair of points is judged.
    """

    @collector_paused()
    def __init__(
        self,
        snapshot: Snapshot,
        workloads: Sequence[Workload],
        profile: Profile = SPEC,
        before: Network | None = None,
    ) -> None:
        """Of `before`, a network over most of the same objects, all is taken over that the others
        leave as it was; see `after`.
        """
        self.snapshot = snapshot
        self.profile = profile
        self.workloads = tuple(workloads)
        same = before if before and before.profile == profile else None
        changed = same.changes_to(snapshot) if same else None
        old = same._parsed if same else {}
        self._parsed: Mapping[Key, Parsed] = parsed(snapshot, profile, old, changed)
        self.invalid = tuple(p for p in self._parsed.values() if isinstance(p, InvalidPolicy))
        """The policies that the API server would refuse, and that therefore have no effect."""
        self.mesh: Mesh = Mesh(snapshot, same.mesh if same else None)
        """The sidecars; what they let through is part of every answer."""
        self.ways = Ways(snapshot)
        """The Services, the Ingresses and the Gateways."""
        self._passing = Passing(self.mesh, profile)
        self._composed: Callable[[tuple[Side, ...]], Reach] = (
            same._composed if same else lru_cache(CACHED)(composed)
        )
        self._of: dict[Ref, tuple[Workload, tuple[Point, ...]]] = {}
        # Weakly: of a row of changes, only the last is worth its memory.
        self._predecessor = weak(same) if same else None
        self._matrix: Matrix | None = None
        self._compared: tuple[ReferenceType[Snapshot], Changes | None] | None = None
        """Over the points of the network before, which may be others."""
        self.changed: Changes | None = None
        """In what the snapshot differs from that of the network before, where the points of all
        other objects are the same as there."""
        if same is None or changed is None or not self._succeed(same, changed):
            policies, cluster_wide = self.policies, self._cluster_wide
            self._points = Points(snapshot, Questions.of([*policies, *cluster_wide]))
            self._judge = Judge(by_namespace(policies), cluster_wide, profile)

    def after(self, snapshot: Snapshot) -> Network:
        """The network of a snapshot that differs from this one's in few objects.

        Policies are parsed again, points made again and rows judged again only for what changed.
        That does not hold for points where a changed policy asks for a label, a range of addresses
        or a name of a port that none asked for before, or a Node or the labels of a Namespace
        changed: then all points are made and judged anew.
        """
        with collector_paused():
            return Network(snapshot, self.workloads_after(snapshot), self.profile, self)

    def workloads_after(self, snapshot: Snapshot) -> tuple[Workload, ...]:
        """Those of a snapshot that differs in few objects; what did not change is the same."""
        changed = self.changes_to(snapshot)
        if changed is None:
            return workloads_of(snapshot)
        return succeeding(self.workloads, self.snapshot, snapshot, changed)

    def changes_to(self, snapshot: Snapshot) -> Changes | None:
        """In what a snapshot differs, as `succession.changes`; the last answer is kept."""
        if self._compared is None or self._compared[0]() is not snapshot:
            self._compared = (weak(snapshot), changes(self.snapshot, snapshot))
        return self._compared[1]

    @cached_property
    def policies(self) -> tuple[NetPolicy, ...]:
        """The NetworkPolicies that the API server takes, in the order read."""
        return tuple(p for p in self._parsed.values() if isinstance(p, NetPolicy))

    @cached_property
    def _cluster_wide(self) -> tuple[ClusterPolicy, ...]:
        return tuple(p for p in self._parsed.values() if isinstance(p, ClusterPolicy))

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """The policies that have no part in any answer, and why."""
        of_mesh = self.mesh.gaps if self.mesh.present else ()
        return (*unread(self.snapshot, self.invalid), *of_mesh, *self.ways.gaps)

    def _succeed(self, before: Network, changed: Changes) -> bool:
        """Take over the points and what is judged of them; whether that is possible."""
        touched = [key for key, change in changed.items() if is_policy(change)]
        asked = [self._parsed[key] for key in touched if key in self._parsed]
        valid = [policy for policy in asked if not isinstance(policy, InvalidPolicy)]
        points = before._points.after(self.snapshot, changed, valid)
        if points is None:
            return False
        spaces = {key[2] for key in touched if key[1] == KIND}
        wide = any(key[1] != KIND for key in touched)
        here: dict[str, list[NetPolicy]] = {space: [] for space in spaces}
        for policy in self.policies if spaces else ():
            if policy.ref.namespace in here:
                here[policy.ref.namespace].append(policy)
        self._points = points
        self._judge = (
            before._judge.after(here, self._cluster_wide if wide else None)
            if touched
            else before._judge
        )
        if not any(change.owned for change in changed.values()):
            self._of = dict(before._of)
            for ref in (one.ref for change in changed.values() for one in change.either):
                self._of.pop(ref, None)
        self._matrix = vars(before).get("matrix")
        self.changed = changed
        return True

    def reach(self, source: Peer, target: Peer, directions: tuple[Direction, ...] = BOTH) -> Reach:
        """What `source` may send to `target`: its egress and the target's ingress allow it.

        With one of `directions` alone, what the policies of that end allow, whatever the other
        end's say. A pod always reaches itself; two pods of one workload are two pods.

        Raises:
            ValueError: the address of a World is none.
        """
        reach = self.allowed(source, target, directions)
        inward = "Ingress" in directions and not _same_pod(source, target)
        if inward and isinstance(target, Workload) and self.meshed(target):
            return self._passing.narrowed(source, target, reach)
        return reach

    def allowed(
        self, source: Peer, target: Peer, directions: tuple[Direction, ...] = BOTH
    ) -> Reach:
        """What network policies allow, whatever sidecars say; see `reach`.

        Raises:
            ValueError: the address of a World is none.
        """
        itself = _same_pod(source, target) and self.profile.reaches_itself
        if itself is Truth.YES:
            return Reach(PortSet.ALL, PortSet.ALL, (ITSELF,))
        pairs = product(self._points_of(source), self._points_of(target))
        near = self._near(source, target)
        reach = together([self._judged(*pair, directions, near) for pair in pairs])
        if itself is Truth.MAYBE and reach.ports != PortSet.ALL:
            unknown = ("whether a pod reaches itself is not defined", *reach.unknown)
            return replace(reach, possible=PortSet.ALL, unknown=unknown)
        return reach

    def meshed(self, target: Peer) -> bool:
        """Whether policies of the mesh have a say in what reaches `target`, or may."""
        return self._passing.judges(target)

    def requests(
        self,
        source: Peer,
        target: Workload,
        port: int,
        paths: tuple[str, ...] = (),
        methods: tuple[str, ...] = (),
    ) -> tuple[Sent, ...]:
        """What becomes of each request that the policies of `target` tell apart on a TCP port of
        its pods; `paths` and `methods` are told apart as well. Whatever else is sent has the fate
        of one of these.

        Raises:
            ValueError: the address of the source is none.
        """
        asked = self.asked(target, port, paths, methods)
        return tuple(Sent(request, self.ruling(source, target, request)) for request in asked)

    def asked(
        self,
        target: Workload,
        port: int,
        paths: tuple[str, ...] = (),
        methods: tuple[str, ...] = (),
    ) -> tuple[Request, ...]:
        """The requests that `requests` asks about."""
        return self._passing.asked(target, port, paths, methods)

    def ruling(self, source: Peer | Identity, target: Peer, request: Request) -> Ruling:
        """What becomes of one request: network policies are asked first, then the sidecar of the
        target.

        Raises:
            ValueError: the address of the source or of a World is none.
        """
        found = self._connected(source, target, request)
        if found.verdict is Verdict.DENIED or not isinstance(target, Workload):
            return found
        if _same_pod(source, target) or not self.meshed(target):
            return found
        return then(found, self._passing.ruling(source, target, request))

    def _connected(self, source: Peer | Identity, target: Peer, request: Request) -> Ruling:
        """What network policies say of a connection."""
        peer = _unseen(source) if isinstance(source, Identity) else source
        return connected(self.allowed(peer, target), request, self.profile)

    @cached_property
    def matrix(self) -> Matrix:
        """The answers of network policies for all pairs of workloads at once."""
        with collector_paused():
            points = tuple(dict.fromkeys(p for w in self.workloads for p in self._points_of(w)))
        if self._matrix and self._matrix.points == points:
            return self._matrix.judged_by(self._judge)
        return Matrix(self._judge, points)

    def pairs(self) -> Iterator[tuple[Point, Flow]]:
        """Every flow between workloads that network policies allow, by target: all pairs at the
        cost of a `Matrix`. What sidecars say of them is not asked.
        """
        self.matrix.prepare()
        for point in self.matrix.points:
            for flow in self.matrix.into(point):
                yield point, flow

    def succeeds(self, before: Network) -> bool:
        """Whether it was made from that one."""
        return self._predecessor is not None and self._predecessor() is before

    @property
    def judge(self) -> Judge:
        """Who judges one direction of one connection."""
        return self._judge

    @cached_property
    def grouping(self) -> Grouping:
        """The workloads that nothing tells apart."""
        return Grouping(self)

    def nodes_of(self, peer: Peer) -> frozenset[str]:
        """The names of the nodes on which its pods run; empty where one is not known."""
        return self._points.nodes_of(peer)

    def points_of(self, peer: Peer) -> tuple[Point, ...]:
        """The points that stand for the pods of a workload, or for somebody else.

        Raises:
            ValueError: the address of a World is none.
        """
        return self._points_of(peer)

    def isolating(
        self, target: Workload, direction: Direction, *, possibly: bool = False
    ) -> tuple[Ref, ...]:
        """The NetworkPolicies that select every pod of `target` in this direction, in the order
        read; with `possibly`, also those that select some of them or of which it cannot be told.
        A cluster-wide policy is none of them: what its rules do not match goes on to others.
        """
        least: dict[Ref, list[Truth]] = {}
        points = self._points_of(target)
        if len(points) == 1:
            found = self._judge.selecting(points[0], direction)
            return tuple(p.ref for p, truth in found if possibly or truth is Truth.YES)
        for point in points:
            for policy, truth in self._judge.selecting(point, direction):
                least.setdefault(policy.ref, []).append(truth)
        sure = [Truth.YES] * len(points)
        return tuple(ref for ref, truths in least.items() if possibly or truths == sure)

    def isolated(self, target: Workload) -> bool:
        """Whether anything surely keeps somebody from every pod of `target`: a NetworkPolicy, or
        a policy of its sidecar that admits only whom it names.
        """
        if self.isolating(target, "Ingress"):
            return True
        if not self.meshed(target) or self.mesh.capture(target).sidecar is not Truth.YES:
            return False
        return any(policy.action == "ALLOW" for policy in self.mesh.selecting(target))

    def admitting_rules(self, source: Peer, target: Workload) -> tuple[Rule, ...]:
        """The ingress rules of NetworkPolicies that select `target` and admit `source`, or may,
        in the order read, as far as tier Admin leaves anything to them. None where nothing
        isolates the target.
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
                found[key] = merged(found[key], rule) if key in found else rule
        return tuple(found.values())

    def outside(self, target: Workload, direction: Direction = "Ingress") -> tuple[World, ...]:
        """Somebody on the internet for each set of public addresses that neither the policies of
        `target` in this direction nor the ways to it tell apart; at least one. Who asks all of
        them asks the whole internet.
        """
        sources = source_rules(self.entrances(target)) if direction == "Ingress" else ()
        return tuple(map(World, representatives([*self._rules(target, direction), *sources])))

    def tells_addresses_apart(self, target: Workload) -> bool:
        """Whether some ingress policy of `target` admits some addresses and not all."""
        return any(
            isinstance(peer, Block) and not peer.whole
            for rule in self._rules(target, "Ingress")
            for peer in rule.peers
        )

    def _rules(self, target: Workload, direction: Direction) -> list[PolicyRule]:
        policies = {
            policy
            for point in self._points_of(target)
            for policy, _ in self._judge.selecting(point, direction)
        }
        return [rule for policy in policies for rule in policy.rules[direction]]

    def externals(self) -> tuple[Span, ...]:
        """All addresses, in as few pieces as the policies of the snapshot tell apart: whoever
        asks about the first address of each asks about all. IPv4 first, ascending. An IPv4
        address in the form of IPv6 is in none.
        """
        found: list[Span] = []
        last: tuple[Truth, ...] | None = None
        # Points that were taken over may know what a policy asked that is gone.
        asked = Questions.of((*self.policies, *self._cluster_wide))
        peers: tuple[Block | Nodes, ...] = (*asked.blocks, *asked.nodes)
        for span in self._points.spans():
            (point,) = self._points.of(World(str(span.first)))
            here = tuple(point.within[peer] for peer in peers)
            if here == last and found[-1].meets(span):
                found[-1] = Span(found[-1].first, span.last)
            else:
                found.append(span)
            last = here
        return tuple(found)

    def class_of(self, peer: Peer) -> Hashable:
        """What stands for all peers that no policy tells apart: two of one class give and get
        equal answers of `reach`, but for a pod and itself.

        Raises:
            ValueError: the address of a World is none.
        """
        points: Hashable = self._points_of(peer)
        if isinstance(peer, Workload) and len(self._points_of(peer)) == 1:
            points = self.matrix.classes.get(self._points_of(peer)[0], points)
        stand = self.grouping.stand(peer) if isinstance(peer, Workload) else None
        if not self.mesh.present:
            return (points, stand)
        # Sidecars know callers by identity, and each workload has policies of its own.
        own = peer.ref.key if isinstance(peer, Workload) and self.meshed(peer) else None
        return (points, stand, self.mesh.caller(peer), own)

    def senders(self, target: Workload) -> int:
        """A mask of those to whom network policies leave anything on the way to `target`: who is
        not in it sends nothing. All are in it where policies tell the pods of `target` apart.
        """
        return self._senders.to(target)

    def bit_of(self, workload: Workload) -> int:
        """The place of its pods in the masks of `senders`; -1 where policies tell them apart."""
        return self._senders.bit_of(workload)

    def sending(self, target: Workload) -> Iterator[Workload]:
        """The workloads to which network policies leave anything on the way to `target`, or may;
        those on the network of their node always, since assumptions about them are told. Costs what
        they are, and not what there is.
        """
        return self._senders.sending(target)

    @cached_property
    def _senders(self) -> Senders:
        return Senders(self)

    @cached_property
    def strangers(self) -> Strangers:
        """The pods that are not there yet."""
        return Strangers(self)

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

    def _near(self, source: Peer, target: Peer) -> Truth:
        """Whether both are on one node; asked only where one of them looks like its node."""
        for end in (source, target):
            if isinstance(end, Machine):
                return Truth.YES if end.own else Truth.NO
        ends = [end for end in (source, target) if isinstance(end, Workload)]
        on_node = any(map(is_on_node, ends))
        return self._points.near(source, target) if on_node else Truth.MAYBE

    def _judged(
        self, source: Point, target: Point, directions: tuple[Direction, ...], near: Truth
    ) -> Reach:
        sides = tuple(self._judge.side(name, source, target, near) for name in directions)
        return self._composed(sides)


def _unseen(caller: Identity) -> Peer:
    """Who it is to network policies, which see no identities: an address, or some pod."""
    return World(caller.address) if caller.address else Stranger(caller.namespace, {}, known=False)


def _same_pod(source: Peer | Identity, target: Peer) -> bool:
    if not isinstance(source, Workload) or not isinstance(target, Workload):
        return False
    return source.ref == target.ref and target.ref.kind == "Pod"
