"""Spreading pods over domains, as a must and as a wish.

Rules: kube-scheduler plugin podtopologyspread, with the defaults it uses for pods that have no
constraint of their own and belong to a Service or a controller.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from auditor.facts.placement.columns import Bools, Columns, Domains, Ints
from auditor.facts.placement.filters import Verdict
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
from auditor.terms import HOSTNAME
from auditor.values import dataclass

ZONE = "topology.kubernetes.io/zone"


Floats = NDArray[np.float64]
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

    def __init__(self, pod: Pod, columns: Columns) -> None:
        self._pod = pod
        self._columns = columns
        self._known: dict[tuple[bool, bool], Bools] = {}

    def nodes(self, spread: Spread) -> Bools:
        """For each node, whether the policies of `spread` let it count."""
        key = (spread.honor_affinity, spread.honor_taints)
        if key not in self._known:
            choice, tolerations = self._pod.shape.choice, self._pod.shape.tolerations
            self._known[key] = self._columns.flags(
                ("eligible", *key, choice.known_by, tolerations),
                choice.required or (),
                choice.labels,
                lambda node: self._counts(*key, node),
            )
        return self._known[key]

    def _counts(self, affinity: bool, taints: bool, node: Node) -> bool:
        shape = self._pod.shape
        if affinity and not shape.choice.admits(node.name, node.labels):
            return False
        return not taints or not any(untolerated(node.taints, shape.tolerations, FORBIDDING))


def per_node(spread: Spread, pod: Pod, occupancy: Occupancy) -> Ints:
    """The pods that count for `spread`, by node: none that are being deleted, and none at all for
    an empty selector, which selects all pods but counts none (countPodsMatchSelector).
    """
    found = np.zeros(len(occupancy.nodes), dtype=np.int64)
    if spread.selector is None or not spread.selector.requirements:
        return found
    for group in occupancy.groups_in((pod.namespace,)):
        if not group.terminating and spread.counts(group.labels):
            for index, count in group.nodes.items():
                found[index] += count
    return found


def _labelled(occupancy: Occupancy, spreads: Iterable[Spread]) -> Bools:
    """Which nodes have the labels of all constraints."""
    found = occupancy.columns.all
    for spread in spreads:
        found = found & occupancy.columns.domains(spread.key).present
    return found


def spread_checks(pod: Pod, occupancy: Occupancy, eligible: Eligible) -> Iterator[Verdict]:
    """One verdict per hard constraint."""
    hard = [spread for spread in pod.shape.spreads if spread.hard]
    labelled = _labelled(occupancy, hard)
    for spread in hard:
        yield _verdict(spread, pod, occupancy, labelled & eligible.nodes(spread))


def _verdict(spread: Spread, pod: Pod, occupancy: Occupancy, counted: Bools) -> Verdict:
    domains = occupancy.columns.domains(spread.key)
    sums = domains.sums(per_node(spread, pod, occupancy), counted)
    there = np.bincount(domains.of_node[counted], minlength=len(sums)) > 0
    least = int(sums[there].min()) if there.any() else 2**31 - 1
    if int(there.sum()) < spread.min_domains:
        least = 0
    allowed = spread.max_skew + least - (1 if spread.counts(Labels(pod.labels)) else 0)

    def why(index: int) -> str:
        if not domains.present[index]:
            return f"has no label {spread.key}, over which the pod is spread"
        return f"would skew the spread over {spread.key}"

    return Verdict(domains.present & (sums[domains.of_node] <= allowed), why)


@dataclass(frozen=True, slots=True)
class _Scene:
    """Who is to be placed, among which nodes."""

    pod: Pod
    occupancy: Occupancy
    scored: Bools
    """The nodes in question that have the labels of all constraints."""
    labelled: Bools
    eligible: Eligible


def score_spread(
    pod: Pod, occupancy: Occupancy, fits: Bools, eligible: Eligible, services: Services
) -> Ints | None:
    """0 to 100 for each node that fits: the fewer pods of the constraint a domain has, the more.
    None where no soft constraint applies.
    """
    spreads: Sequence[Spread] = [spread for spread in pod.shape.spreads if not spread.hard]
    own = bool(pod.shape.spreads)
    if not own:
        spreads = tuple(_defaults(pod, services))
    if not spreads:
        return None
    labelled = _labelled(occupancy, spreads) if own else occupancy.columns.all
    scored = labelled & fits
    scene = _Scene(pod, occupancy, scored, labelled, eligible)
    total = np.zeros(len(occupancy.nodes))
    for spread in spreads:
        total = total + _score(spread, scene)
    return _normalised(total, scored)


def _normalised(total: Floats, scored: Bools) -> Ints:
    """Rounded away from zero at a half, as Go does, and turned around: the least gets most."""
    whole = np.floor(total)
    raw = (whole + (total - whole >= 0.5)).astype(np.int64)
    most = int(raw[scored].max(initial=0))
    least = int(raw[scored].min()) if scored.any() else 0
    best = BEST * (most + least - raw) // most if most else BEST
    found: Ints = np.where(scored, best, 0)
    return found


def _score(spread: Spread, scene: _Scene) -> Floats:
    """How many pods the domain of each node has, weighed; the skew that is allowed waters down
    differences. The less the better.
    """
    domains = scene.occupancy.columns.domains(spread.key)
    counts = per_node(spread, scene.pod, scene.occupancy)
    if spread.key == HOSTNAME:
        weight = math.log(int(scene.scored.sum()) + 2)
    else:
        weight = math.log(_domains_of(domains, scene.scored) + 2)
        counted = scene.labelled & scene.eligible.nodes(spread)
        counts = domains.sums(counts, counted)[domains.of_node]
    found: Floats = np.where(domains.present, counts * weight + float(spread.max_skew - 1), 0.0)
    return found


def _domains_of(domains: Domains, scored: Bools) -> int:
    """How many domains the scored nodes make: those without the label, and with an empty one, are
    one together.
    """
    there = np.bincount(domains.of_node[scored], minlength=len(domains.numbers) + 1) > 0
    absent, empty = len(domains.numbers), domains.numbers.get("")
    return int(there.sum()) - int(empty is not None and there[absent] and there[empty])


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
