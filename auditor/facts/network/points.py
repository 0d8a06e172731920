"""Pods as policies see them: only what a policy can ask about, so that equal ones are one.

A `Point` is one pod (or one address outside) up to everything that the given policies can tell
apart. The pods of a workload are one point as long as nothing tells them apart: live pods give
their addresses and the labels that controllers write at run time; without live pods both are
unknown.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from auditor.facts.network.answers import Machine, Peer, Stranger, World
from auditor.facts.network.cluster_policies import ClusterPolicy, Nodes
from auditor.facts.network.outside import Span, ends_of, spans
from auditor.facts.network.policies import Block, NetPolicy, Pods
from auditor.facts.network.succession import Change, Changes
from auditor.facts.selectors import METADATA_NAME, Hidden, Labels, Selector, Truth
from auditor.facts.workloads import (
    FINISHED,
    JOB_NAME_LABELS,
    REVISION_LABELS,
    Workload,
    container_ports,
    controller_of,
    resources_by_uid,
)
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Key, Resource, Snapshot
from auditor.values import dataclass

NO_SUCH_NAME = "?"
"""The name of a namespace that nobody has made: no label value, so no selector can name it."""

OUTSIDE = "outside"
POD = "pod"
NODE = "node"

IPAddress = IPv4Address | IPv6Address
Within = tuple[Truth, ...]
"""For each block in order, whether it holds something."""


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """One pod or address. Two with the same content are the same object."""

    kind: str
    """POD; NODE for a pod on the network of its node; OUTSIDE for an address."""
    namespace: str
    """Empty for an address, for a node itself, and for one that nobody has made."""
    labels: Labels
    home: Labels
    """The labels of its namespace."""
    within: Mapping[Block | Nodes, Truth]
    """Whether its address is in each block, or that of a node, that some policy names."""
    ports: tuple[tuple[str, str, int], ...] | None
    """(protocol, name, number) of its named ports; None where they are not known."""


def relabelled(one: Point, two: Point) -> frozenset[str] | None:
    """The keys of the labels in which two points differ; None where they differ in more."""
    rest = [(p.kind, p.namespace, p.home, p.within, p.ports, p.labels.open) for p in (one, two)]
    if rest[0] != rest[1]:
        return None
    ours, theirs = one.labels, two.labels
    known = ours.known.items() ^ theirs.known.items()
    return frozenset(key for key, _ in (*known, *(ours.hidden.items() ^ theirs.hidden.items())))


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a pod or an address, before policies are asked what of it matters."""

    kind: str
    namespace: str
    labels: Labels
    addresses: tuple[IPAddress, ...] | None = None
    """None: not known."""
    ports: tuple[tuple[str, str, int], ...] | None = None
    node: str | None = None
    """The name of the node where it runs."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What the policies of a snapshot ask of pods at all."""

    keys: frozenset[str] = frozenset()
    """Of pod labels."""
    blocks: tuple[Block, ...] = ()
    nodes: tuple[Nodes, ...] = ()
    names: frozenset[str] = frozenset()
    """Of ports."""

    @classmethod
    def of(cls, policies: Iterable[NetPolicy | ClusterPolicy]) -> Questions:
        """The questions of all these policies."""
        keys: set[str] = set()
        asked: dict[Block | Nodes, None] = {}
        names: set[str] = set()
        for policy in policies:
            keys |= _keys(policy.selector)
            for rule in (rule for rules in policy.rules.values() for rule in rules):
                names |= {name for _, name in rule.named}
                asked |= {peer: None for peer in rule.peers if isinstance(peer, Block | Nodes)}
                for peer in rule.peers:
                    keys |= _keys(peer.pods) if isinstance(peer, Pods) else set()
        blocks = tuple(peer for peer in asked if isinstance(peer, Block))
        nodes = tuple(peer for peer in asked if isinstance(peer, Nodes))
        return cls(frozenset(keys), blocks, nodes, frozenset(names))

    def __le__(self, other: Questions) -> bool:
        """Whether `other` asks all of this."""
        return (
            self.keys <= other.keys
            and self.names <= other.names
            and frozenset(self.blocks) <= frozenset(other.blocks)
            and frozenset(self.nodes) <= frozenset(other.nodes)
        )


def _keys(selector: Selector | None) -> set[str]:
    return {requirement.key for requirement in selector.requirements} if selector else set()


@dataclass(slots=True)
class Points:
    """Makes the points of one snapshot. Not frozen: it remembers what it has made."""

    snapshot: Snapshot
    questions: Questions
    _homes: dict[str, Labels] = field(init=False)
    _live: Mapping[Key, Sequence[Resource]] = field(init=False)
    _places: Places = field(init=False)
    _nodes: Machines = field(init=False)
    _families: Counter[int] = field(init=False)
    _made: dict[object, Point] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._homes = namespace_labels(self.snapshot)
        self._live = pods_by_owner(self.snapshot)
        self._families = families(self.snapshot.of_kind("Pod"))
        self._places = Places(self.questions.blocks, *_versions(self._families))
        self._nodes = Machines.of(self.snapshot) if self.questions.nodes else Machines()

    def after(
        self, snapshot: Snapshot, changed: Changes, asked: Iterable[NetPolicy | ClusterPolicy]
    ) -> Points | None:
        """Those of a snapshot that differs from this one in `changed`, and whose changed policies
        are `asked`: equal ones as the same objects. None where anything else of them may differ.
        """
        if not Questions.of(asked) <= self.questions or any(map(_moves, changed.values())):
            return None
        pods = [change for change in changed.values() if change.kind == "Pod"]
        gone = families(change.old for change in pods if change.old)
        count = Counter(self._families)
        count.subtract(gone)
        count.update(families(change.new for change in pods if change.new))
        if _versions(count) != _versions(self._families):
            return None
        found = copy(self)
        found.snapshot, found._families, found._made = snapshot, count, dict(self._made)
        if any(change.owned for change in changed.values()):
            found._live = pods_by_owner(snapshot)
        elif pods:
            found._live = {**self._live, **_alone(pods)}
        return found

    def of(self, peer: Peer) -> tuple[Point, ...]:
        """The distinct points of a peer; at least one.

        Raises:
            ValueError: the address of a World is none.
        """
        if isinstance(peer, World):
            return (self._outside(peer.address),)
        if isinstance(peer, Stranger):
            return (
                self._point(Seen(POD, peer.namespace, Labels(peer.labels, open=not peer.known))),
            )
        if isinstance(peer, Machine):
            return (self._point(Seen(NODE, "", Labels({}), None, ())),)
        # A pod that somebody controls is no workload, and may be asked about all the same.
        itself = peer.resource if peer.ref.kind == "Pod" else None
        live = self._live.get(peer.ref.key) or (itself,)
        ports = tuple(
            (protocol, name, number) for number, protocol, name, _ in container_ports(peer)
        )
        return tuple(dict.fromkeys(self._pod(peer, pod, ports) for pod in live))

    def near(self, one: Peer, other: Peer) -> Truth:
        """Whether the pods of two peers are on one node, all of them. Nodes are no part of a
        point, or most pods of a cluster would differ.
        """
        return beside(self.nodes_of(one), self.nodes_of(other))

    def nodes_of(self, peer: Peer) -> frozenset[str]:
        """The names of the nodes on which its pods run; empty where one is not known."""
        if not isinstance(peer, Workload):
            return frozenset()
        live = self._live.get(peer.ref.key)
        told = [at(pod.manifest, ("spec", "nodeName")) for pod in live or ()]
        names = told if live else [peer.pod.get("nodeName")]
        known = [name for name in names if isinstance(name, str) and name]
        return frozenset(known) if len(known) == len(names) else frozenset()

    def spans(self) -> Iterator[Span]:
        """All addresses, cut wherever a policy may tell them apart."""
        return spans(self.questions.blocks, self._nodes.names)

    def _outside(self, address: str) -> Point:
        ip = ip_address(address)
        mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
        return self._point(Seen(OUTSIDE, "", Labels({}), (mapped or ip,), ()))

    def _pod(
        self, workload: Workload, pod: Resource | None, ports: tuple[tuple[str, str, int], ...]
    ) -> Point:
        kind = NODE if is_on_node(workload) else POD
        labels = labels_of(workload, pod)
        addresses = addresses_of(pod) if pod else ()
        node = at(pod.manifest, ("spec", "nodeName")) if pod else workload.pod.get("nodeName")
        seen = Seen(
            kind,
            workload.ref.namespace,
            labels,
            addresses or None,
            ports,
            node if isinstance(node, str) else None,
        )
        return self._point(seen)

    def _point(self, seen: Seen) -> Point:
        asked = self.questions
        labels, kind = seen.labels, seen.kind
        known = {key: value for key, value in labels.known.items() if key in asked.keys}
        hidden = {key: value for key, value in labels.hidden.items() if key in asked.keys}
        named = None if seen.ports is None else tuple(p for p in seen.ports if p[1] in asked.names)
        within = self._places.of(seen.addresses)
        meant = tuple(self._nodes.mean(peer, seen) for peer in asked.nodes)
        identity = (
            kind, seen.namespace, frozenset(known.items()), frozenset(hidden.items()),
            labels.open, id(within), meant, named,
        )  # fmt: skip
        found = self._made.get(identity)
        if found is None:
            home = self._home(seen.namespace)
            where: dict[Block | Nodes, Truth] = dict(zip(asked.blocks, within, strict=True))
            where |= zip(asked.nodes, meant, strict=True)
            ours = Labels(known, hidden, labels.open)
            found = Point(kind, seen.namespace, ours, home, where, named)
            self._made[identity] = found
        return found

    def _home(self, namespace: str) -> Labels:
        if not namespace:
            return Labels({METADATA_NAME: NO_SUCH_NAME})
        known = self._homes.get(namespace)
        return known or Labels({METADATA_NAME: namespace}, open=True)


def is_on_node(workload: Workload) -> bool:
    """Whether its pods are on the network of their node."""
    return workload.pod.get("hostNetwork") is True


def beside(here: frozenset[str], there: frozenset[str]) -> Truth:
    """Whether pods on these nodes and pods on those are on one node, all of them; each set empty
    where it is not known.
    """
    if not here or not there:
        return Truth.MAYBE
    if here.isdisjoint(there):
        return Truth.NO
    return Truth.YES if len(here | there) == 1 else Truth.MAYBE


@dataclass(slots=True)
class Places:
    """In which blocks addresses are. Not frozen: it remembers the answer for each stretch of
    addresses between two ends of blocks. Cost of a further address: one search among the ends.
    """

    blocks: tuple[Block, ...]
    versions: frozenset[int]
    """Of the addresses that pods have."""
    sure: bool
    """Whether pods show that."""
    _ends: dict[int, list[int]] = field(init=False)
    _there: dict[tuple[int, int], Within] = field(default_factory=dict)
    _equal: dict[Within, Within] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ends = ends_of(self.blocks)

    def of(self, addresses: tuple[IPAddress, ...] | None) -> Within:
        """Whether something with these addresses is in each block, in their order; the same
        object for equal answers. Of two addresses, one of each family, the connection may use the
        one that is inside.
        """
        if not addresses:
            found = tuple(map(self._may_hold, self.blocks))
        else:
            found = tuple(map(max, zip(*map(self._at, addresses), strict=True)))
        return self._equal.setdefault(found, found)

    def _at(self, ip: IPAddress) -> Within:
        stretch = (ip.version, bisect_right(self._ends[ip.version], int(ip)))
        found = self._there.get(stretch)
        if found is None:
            held = (block.holds(ip) for block in self.blocks)
            found = self._there[stretch] = tuple(Truth.YES if one else Truth.NO for one in held)
        return found

    def _may_hold(self, block: Block) -> Truth:
        """Whether it holds a pod whose address is not known."""
        if block.cidr.version not in self.versions:
            return Truth.NO if self.sure else Truth.MAYBE
        return Truth.YES if block.whole else Truth.MAYBE


@dataclass(frozen=True, slots=True)
class Machines:
    """The nodes of a snapshot, by their names and addresses."""

    labels: Mapping[str, Labels] = field(default_factory=dict)
    names: Mapping[IPAddress, str] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Machines:
        """All nodes of the snapshot."""
        labels: dict[str, Labels] = {}
        names: dict[IPAddress, str] = {}
        for node in snapshot.of_kind("Node"):
            labels[node.ref.name] = Labels(texts(at(node.manifest, ("metadata", "labels"))))
            listed = sequence(at(node.manifest, ("status", "addresses")))
            for ip in (_address(mapping(entry).get("address")) for entry in listed):
                if ip:
                    names[ip] = node.ref.name
        return cls(labels, names)

    def mean(self, peer: Nodes, seen: Seen) -> Truth:
        """Whether something is one of the nodes that the peer selects: it has the address of one.
        A pod on the network of its node has, wherever it runs.
        """
        if seen.kind == POD:
            return Truth.NO
        found = [self.names[ip] for ip in seen.addresses or () if ip in self.names]
        if seen.kind == OUTSIDE or found:
            truths = [peer.selector.truth(self.labels[name]) for name in found]
            return max(truths, default=Truth.NO)
        if seen.node is not None and seen.node in self.labels:
            return peer.selector.truth(self.labels[seen.node])
        return self._any(peer, told=seen.node is None)

    def _any(self, peer: Nodes, *, told: bool) -> Truth:
        """Whether the peer selects a node that is not known; where its name is not even told, one
        of those that are.
        """
        if not peer.selector.requirements:
            return Truth.YES
        truths = {peer.selector.truth(labels) for labels in self.labels.values()}
        return truths.pop() if told and len(truths) == 1 else Truth.MAYBE


def namespace_labels(snapshot: Snapshot) -> dict[str, Labels]:
    """The labels of every namespace that has an object, with the one the API server writes."""
    return {
        found.ref.name: Labels(
            {**texts(at(found.manifest, ("metadata", "labels"))), METADATA_NAME: found.ref.name}
        )
        for found in snapshot.of_kind("Namespace")
    }


def families(pods: Iterable[Resource]) -> Counter[int]:
    """How many addresses of each IP version pods have."""
    return Counter(ip.version for pod in pods for ip in addresses_of(pod))


def _versions(count: Counter[int]) -> tuple[frozenset[int], bool]:
    """The IP versions that pods have, and whether pods of the snapshot show it. Without pods that
    have an address it is taken to be IPv4, which is what Kubernetes does unless told otherwise.
    """
    found = frozenset(version for version, number in count.items() if number > 0)
    return (found, True) if found else (frozenset((4,)), False)


def _moves(change: Change) -> bool:
    """Whether points that are not of this object may change with it: those of the pods of a
    namespace, or whom peers mean that ask for nodes.
    """
    if change.kind == "Node":
        return True
    labels = {str(at(one.manifest, ("metadata", "labels"))) for one in change.either}
    return change.kind == "Namespace" and (len(change.either) < 2 or len(labels) > 1)


def _alone(pods: Iterable[Change]) -> dict[Key, list[Resource]]:
    """The pods that nobody controls, by themselves."""
    return {
        each.ref.key: [pod] if (pod := change.new) and not _is_ended(pod) else []
        for change in pods
        for each in change.either
    }


def _is_ended(pod: Resource) -> bool:
    return at(pod.manifest, ("status", "phase")) in FINISHED


def pods_by_owner(snapshot: Snapshot) -> Mapping[Key, Sequence[Resource]]:
    """The pods that have not ended, by the identity of the object that in the end controls them:
    itself for a pod that nobody controls. Found once for a snapshot, and kept in it.
    """
    known: Mapping[Key, Sequence[Resource]] | None = vars(snapshot).get(_BY_OWNER)
    if known is None:
        known = vars(snapshot)[_BY_OWNER] = _by_owner(snapshot)
    return known


_BY_OWNER = "_pods_by_owner"


def _by_owner(snapshot: Snapshot) -> Mapping[Key, Sequence[Resource]]:
    owners = resources_by_uid(snapshot)
    found: dict[Key, list[Resource]] = {}
    for pod in snapshot.of_kind("Pod"):
        if _is_ended(pod):
            continue
        top: Resource = pod
        seen: set[Key] = set()
        while (owner := controller_of(top, owners)) and owner.ref.key not in seen:
            seen.add(owner.ref.key)
            top = owner
        found.setdefault(top.ref.key, []).append(pod)
    return found


def addresses_of(pod: Resource) -> tuple[IPAddress, ...]:
    """The addresses of a live pod."""
    status = mapping(pod.manifest.get("status"))
    listed = [mapping(entry).get("ip") for entry in sequence(status.get("podIPs"))]
    return tuple(ip for ip in map(_address, listed or [status.get("podIP")]) if ip)


def _address(value: Any) -> IPAddress | None:
    try:
        return ip_address(value) if isinstance(value, str) else None
    except ValueError:
        return None


def labels_of(workload: Workload, pod: Resource | None = None) -> Labels:
    """The labels of the workload's pods; those that controllers write are taken from `pod`, one of
    its live pods, and hidden without one.
    """
    written = runtime_labels(workload)
    if pod is None:
        return Labels(workload.labels, written)
    live = texts(at(pod.manifest, ("metadata", "labels")))
    ours = {key: value for key, value in workload.labels.items() if key not in written}
    return Labels(ours | {key: live[key] for key in written if key in live})


def runtime_labels(workload: Workload) -> Mapping[str, Hidden]:
    """The labels that the controller of this kind adds to its pods.

    https://kubernetes.io/docs/reference/labels-annotations-taints/
    """
    name, kind = workload.ref.name, workload.ref.kind
    if kind in ("Job", "CronJob"):
        # The pods of a CronJob belong to Jobs that have its name and a time.
        job = Hidden(name if kind == "Job" else f"{name}-")
        return {
            **dict.fromkeys(JOB_NAME_LABELS, job),
            "controller-uid": Hidden(),
            "batch.kubernetes.io/controller-uid": Hidden(),
            "batch.kubernetes.io/job-completion-index": Hidden(always=False),
        }
    revision = {REVISION_LABELS[kind]: Hidden()} if kind in REVISION_LABELS else {}
    return revision | {
        "DaemonSet": {"pod-template-generation": Hidden(always=False)},
        "StatefulSet": {
            "statefulset.kubernetes.io/pod-name": Hidden(f"{name}-"),
            "apps.kubernetes.io/pod-index": Hidden(always=False),
        },
    }.get(kind, {})
