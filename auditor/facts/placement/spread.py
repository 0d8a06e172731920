"""Spreading pods over domains, as a must and as a wish.

Rules: kube-scheduler plugin podtopologyspread, with the defaults it uses for pods that have no
constraint of their own and belong to a Service or a controller.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from auditor.facts.placement.filters import Check
from auditor.facts.placement.occupancy import BEST, Occupancy
from auditor.facts.placement.pods import Pod
from auditor.facts.placement.rules import Spread
from auditor.facts.placement.tolerations import FORBIDDING, untolerated
from auditor.facts.placement.topology import Node
from auditor.facts.selectors import (
    Labels,
    RefusedError,
    Requirement,
    Selector,
    parse_selector,
)
from auditor.manifests import mapping, texts
from auditor.model import Snapshot

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"


Services = Mapping[str, Sequence[Mapping[str, str]]]
"""By namespace, the labels that each of its Services selects."""


def services_of(snapshot: Snapshot) -> Services:
    """The Services of a snapshot."""
    found: dict[str, list[Mapping[str, str]]] = {}
    for service in snapshot.of_kind("Service"):
        chosen = texts(mapping(service.manifest.get("spec")).get("selector"))
        found.setdefault(service.ref.namespace, []).append(chosen)
    return found


class Eligible:
    """Which nodes count for a pod under each pair of inclusion policies; asked once each."""

    def __init__(self, pod: Pod, occupancy: Occupancy) -> None:
        self._pod = pod
        self._occupancy = occupancy
        self._known: dict[tuple[bool, bool], list[bool]] = {}

    def nodes(self, spread: Spread) -> list[bool]:
        """For each node, whether the policies of `spread` let it count."""
        key = (spread.honor_affinity, spread.honor_taints)
        if key not in self._known:
            self._known[key] = [self._counts(*key, node) for node in self._occupancy.nodes]
        return self._known[key]

    def _counts(self, affinity: bool, taints: bool, node: Node) -> bool:
        shape = self._pod.shape
        if affinity and not shape.choice.admits(node.name, node.labels):
            return False
        return not taints or not any(untolerated(node.taints, shape.tolerations, FORBIDDING))


def per_node(spread: Spread, pod: Pod, occupancy: Occupancy) -> Mapping[int, int]:
    """The pods that count for `spread`, by node: none that are being deleted, and none at all for
    an empty selector, which selects all pods but counts none (countPodsMatchSelector).
    """
    found: dict[int, int] = {}
    if spread.selector is None or not spread.selector.requirements:
        return found
    for group in occupancy.groups:
        if group.terminating or group.namespace != pod.namespace:
            continue
        if spread.counts(group.labels):
            for index, count in group.nodes.items():
                found[index] = found.get(index, 0) + count
    return found


def _labelled(occupancy: Occupancy, spreads: Iterable[Spread]) -> list[bool]:
    """Which nodes have the labels of all constraints."""
    keys = {spread.key for spread in spreads}
    return [keys <= node.labels.keys() for node in occupancy.nodes]


def spread_checks(pod: Pod, occupancy: Occupancy, eligible: Eligible) -> Iterator[Check]:
    """One check per hard constraint."""
    hard = [spread for spread in pod.shape.spreads if spread.hard]
    labelled = _labelled(occupancy, hard) if hard else []
    for spread in hard:
        yield _check(
            spread,
            pod,
            occupancy,
            [all(pair) for pair in zip(labelled, eligible.nodes(spread), strict=True)],
        )


def _check(spread: Spread, pod: Pod, occupancy: Occupancy, counted: list[bool]) -> Check:
    counts = per_node(spread, pod, occupancy)
    domains: dict[str, int] = {}
    for index, node in enumerate(occupancy.nodes):
        if counted[index]:
            value = node.labels[spread.key]
            domains[value] = domains.get(value, 0) + counts.get(index, 0)
    least = min(domains.values(), default=2**31 - 1)
    if len(domains) < spread.min_domains:
        least = 0
    allowed = spread.max_skew + least - (1 if spread.counts(Labels(pod.labels)) else 0)

    def check(index: int) -> str | None:
        value = occupancy.nodes[index].labels.get(spread.key)
        if value is None:
            return f"has no label {spread.key}, over which the pod is spread"
        if domains.get(value, 0) > allowed:
            return f"would skew the spread over {spread.key}"
        return None

    return check


@dataclass(frozen=True, slots=True)
class _Scene:
    """Who is to be placed, among which nodes."""

    pod: Pod
    occupancy: Occupancy
    nodes: Sequence[int]
    labelled: Sequence[bool]
    eligible: Eligible


def score_spread(
    pod: Pod, occupancy: Occupancy, nodes: Sequence[int], eligible: Eligible, services: Services
) -> list[int] | None:
    """0 to 100 for each of `nodes`: the fewer pods of the constraint a domain has, the more. None
    where no soft constraint applies.
    """
    spreads: Sequence[Spread] = [spread for spread in pod.shape.spreads if not spread.hard]
    own = bool(pod.shape.spreads)
    if not own:
        spreads = tuple(_defaults(pod, services))
    if not spreads:
        return None
    labelled = _labelled(occupancy, spreads) if own else [True] * len(occupancy.nodes)
    scene = _Scene(pod, occupancy, nodes, labelled, eligible)
    tallies = [_tally(spread, scene) for spread in spreads]
    raw = {index: _raw(tallies, occupancy, index) for index in nodes if labelled[index]}
    most, least = max(raw.values(), default=0), min(raw.values(), default=0)
    if not most:
        return [BEST if index in raw else 0 for index in nodes]
    return [BEST * (most + least - raw[i]) // most if i in raw else 0 for i in nodes]


@dataclass(frozen=True, slots=True)
class _Tally:
    """How many pods each domain has, and how much a pod weighs."""

    spread: Spread
    per_node: Mapping[int, int]
    domains: Mapping[str, int]
    weight: float

    def score(self, occupancy: Occupancy, index: int) -> float:
        """The less the better; the skew that is allowed waters down differences."""
        value = occupancy.nodes[index].labels.get(self.spread.key)
        if value is None:
            return 0.0
        one_each = self.spread.key == HOSTNAME
        count = self.per_node.get(index, 0) if one_each else self.domains[value]
        return count * self.weight + float(self.spread.max_skew - 1)


def _tally(spread: Spread, scene: _Scene) -> _Tally:
    """The tally over the domains that the nodes in question make. On those of the hostname, all
    pods count, whatever the inclusion policies say.
    """
    counts = per_node(spread, scene.pod, scene.occupancy)
    scored = [index for index in scene.nodes if scene.labelled[index]]
    if spread.key == HOSTNAME:
        return _Tally(spread, counts, {}, math.log(len(scored) + 2))
    values = [node.labels.get(spread.key, "") for node in scene.occupancy.nodes]
    domains = {values[index]: 0 for index in scored}
    counted = scene.eligible.nodes(spread)
    for index, count in counts.items():
        if scene.labelled[index] and counted[index] and values[index] in domains:
            domains[values[index]] += count
    return _Tally(spread, counts, domains, math.log(len(domains) + 2))


def _raw(tallies: Sequence[_Tally], occupancy: Occupancy, index: int) -> int:
    """The sum, rounded away from zero at a half, as Go does."""
    total = 0.0
    for tally in tallies:
        total += tally.score(occupancy, index)
    whole = math.floor(total)
    return whole + (total - whole >= 0.5)


def _defaults(pod: Pod, services: Services) -> Iterator[Spread]:
    selector = _own_selector(pod, services)
    if selector.requirements:
        for key, skew in ((HOSTNAME, 3), (ZONE, 5)):
            yield Spread(key, hard=False, max_skew=skew, min_domains=1, selector=selector)


def _own_selector(pod: Pod, services: Services) -> Selector:
    """What the Services of a pod and its controller select, all together."""
    found: list[Requirement] = []
    for chosen in services.get(pod.namespace, ()):
        if chosen.items() <= pod.labels.items():
            found += [Requirement(k, "In", frozenset((v,))) for k, v in chosen.items()]
    if pod.owner is not None:
        try:
            found += parse_selector(pod.owner, ()).requirements
        except (RefusedError, ValueError):
            return Selector()
    return Selector(tuple(dict.fromkeys(found)))
