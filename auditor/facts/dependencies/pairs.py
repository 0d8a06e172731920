"""Edges from NetworkPolicies: somebody once wrote a rule for these two.

Counted are rules that name both ends by labels. One for every pod, or that admits every pod or an
address, says nothing of who needs whom.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from auditor.facts.dependencies.edges import CONFIDENCE, Edge, Evidence
from auditor.facts.network import PortSet
from auditor.facts.network.points import labels_of
from auditor.facts.network.ports import PROTOCOLS
from auditor.facts.selectors import METADATA_NAME, Labels, RefusedError, Truth, parse_selector
from auditor.facts.workloads import Workload, container_ports, is_port
from auditor.manifests import at, mapping, sequence
from auditor.model import Path, Resource, Snapshot

GROUP = "networking.k8s.io"
SUBJECT: Path = ("spec", "podSelector")

Labelled = tuple[Workload, Labels]
"""A workload, and the labels of its pods."""


def pairs(
    snapshot: Snapshot,
    workloads: Sequence[Workload],
    namespaces: Mapping[str, Mapping[str, str]],
) -> Iterator[Edge]:
    """An edge for each two workloads that a rule names. Costs a selector for each rule and each
    workload of the namespaces that it means.
    """
    spaces: dict[str, list[Labelled]] = {}
    for workload in workloads:
        labelled = (workload, labels_of(workload))
        spaces.setdefault(workload.ref.namespace, []).append(labelled)
    for policy in snapshot.of_kind("NetworkPolicy"):
        if policy.ref.group != GROUP:
            continue
        own, chosen = spaces.get(policy.ref.namespace, []), at(policy.manifest, SUBJECT)
        # One that selects every pod is about nobody in particular.
        selected = tuple(_matching(chosen, own)) if mapping(chosen) else ()
        for inward, ends, path, ports in _rules(policy):
            for other in _named(ends, policy, spaces, namespaces) if selected else ():
                for one in selected:
                    source, target = (other, one) if inward else (one, other)
                    if source.ref != target.ref:
                        yield _edge(source, target, ports, policy, path)


def _edge(
    source: Workload, target: Workload, ports: Sequence[Any], policy: Resource, path: Path
) -> Edge:
    told = f"NetworkPolicy {policy.ref.namespace}/{policy.ref.name} has a rule for the two"
    sure = CONFIDENCE[Evidence.POLICIES]
    found = _numbers(target, ports)
    return Edge(source, target, found, Evidence.POLICIES, sure, told, policy.ref, path)


def _rules(policy: Resource) -> Iterator[tuple[bool, list[Any], Path, list[Any]]]:
    """Inward or outward, the peers, the place and the ports of each rule."""
    for direction, ends in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(sequence(at(policy.manifest, ("spec", direction)))):
            inside = mapping(rule)
            path: Path = ("spec", direction, index)
            yield (
                direction == "ingress",
                sequence(inside.get(ends)),
                path,
                sequence(inside.get("ports")),
            )


def _named(
    peers: Sequence[Any],
    policy: Resource,
    spaces: Mapping[str, list[Labelled]],
    namespaces: Mapping[str, Mapping[str, str]],
) -> Iterator[Workload]:
    for peer in map(mapping, peers):
        selector = peer.get("podSelector")
        if not mapping(selector):  # every pod: nobody in particular
            continue
        for space in _meant(peer.get("namespaceSelector"), policy, spaces, namespaces):
            yield from _matching(selector, spaces.get(space, ()))


def _meant(
    chosen: Any,
    policy: Resource,
    spaces: Mapping[str, list[Labelled]],
    namespaces: Mapping[str, Mapping[str, str]],
) -> Iterator[str]:
    if chosen is None:
        yield policy.ref.namespace
        return
    try:
        selector = parse_selector(chosen, ())
    except RefusedError:
        return
    for space in spaces:
        labels = namespaces.get(space)
        known = Labels(labels) if labels is not None else Labels({METADATA_NAME: space}, open=True)
        if selector.truth(known) is Truth.YES:
            yield space


def _matching(selector: Any, workloads: Sequence[Labelled]) -> Iterator[Workload]:
    try:
        parsed = parse_selector(selector, ())
    except RefusedError:
        return
    for workload, labels in workloads:
        if parsed.truth(labels) is Truth.YES:
            yield workload


def _numbers(target: Workload, ports: Sequence[Any]) -> PortSet:
    """The ports of a rule as far as they are single numbers or names; none where it has none."""
    found = PortSet.NONE
    for entry in map(mapping, ports):
        protocol, wanted = entry.get("protocol") or "TCP", entry.get("port")
        if protocol not in PROTOCOLS:
            continue
        if is_port(wanted):
            found |= PortSet.of(protocol, wanted)
        else:
            named = (
                n for n, p, name, _ in container_ports(target) if (p, name) == (protocol, wanted)
            )
            found |= PortSet.of(protocol, *named)
    return found
