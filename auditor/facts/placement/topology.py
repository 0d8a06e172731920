"""The nodes of a cluster, what they offer, and how far apart they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Any

from auditor.facts.placement.quantities import LARGEST, QuantityError
from auditor.facts.placement.requests import counted, read_amounts
from auditor.manifests import mapping, sequence, texts
from auditor.model import Manifest, Resource, Settings, Snapshot
from auditor.values import Word, dataclass

SAME_RACK, SAME_ZONE, BEYOND = 2, 4, 6
"""Links of a fat tree between two nodes."""


class Level(Word):
    """The nearest place that two pods share; the nearest one is the first."""

    NODE = "node"
    RACK = "rack"
    ZONE = "zone"
    REGION = "region"
    BEYOND = "beyond"
    """They are in different regions."""


@dataclass(frozen=True, slots=True)
class Taint:
    """What keeps pods away from a node that do not tolerate it."""

    key: str
    value: str
    effect: str

    def __str__(self) -> str:
        return (
            f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"
        )


@dataclass(frozen=True, slots=True)
class Node:
    """One node, as far as a scheduler reads it."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False
    allocatable: Mapping[str, int] | None = None
    """What pods may ask of it: CPU in thousandths, all else in whole units. None: not told."""
    images: Mapping[str, int] = field(default_factory=dict)
    """The images that it has, with their size in bytes."""
    rack: str | None = None
    zone: str | None = None
    region: str | None = None
    refused: tuple[str, ...] = ()
    """Fields that the API server would refuse, in words."""


_UNREACHABLE = tuple(
    Taint("node.kubernetes.io/unreachable", "", effect) for effect in ("NoSchedule", "NoExecute")
)
"""What the node lifecycle controller writes on a node that does not answer."""


def unreachable(node: Node) -> Node:
    """The node once its kubelet has been silent for too long."""
    return replace(node, taints=(*node.taints, *_UNREACHABLE))


@dataclass(frozen=True)
class Topology:
    """All nodes, in the order in which they were read."""

    nodes: tuple[Node, ...]

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot, settings: Settings) -> Topology:
        """The nodes of `snapshot`, with racks, zones and regions by the labels that `settings`
        name.
        """
        found = snapshot.of_kind("Node")
        by_name = {resource.ref.name: _node(resource, settings) for resource in found}
        return cls(tuple(by_name.values()))

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        """The nodes by their names."""
        return {node.name: node for node in self.nodes}

    @cached_property
    def _zoned(self) -> bool:
        return any(node.zone for node in self.nodes)

    def hops(self, a: str, b: str) -> int | None:
        """Links between two nodes: 0 on the same one, 2 in the same rack, 4 in the same zone, 6
        beyond. None where the labels do not tell. A cluster whose nodes name no zone at all is
        one zone.
        """
        one, other = self.by_name.get(a), self.by_name.get(b)
        if one is None or other is None:
            return None
        if one is other:
            return 0
        if one.zone and other.zone and one.zone != other.zone:
            return BEYOND
        zoned = bool(one.zone and other.zone) or not self._zoned
        if not (one.rack and other.rack and zoned):
            return None
        return SAME_RACK if one.rack == other.rack else SAME_ZONE

    def level(self, a: str, b: str) -> Level | None:
        """The nearest place that two nodes share. None where the labels do not tell. A cluster
        whose nodes name no region at all is one region, and the same holds of zones; where none
        names a rack, there is none.
        """
        one, other = self.by_name.get(a), self.by_name.get(b)
        if one is None or other is None:
            return None
        if one is other:
            return Level.NODE
        regions, zones, racks = self._named
        if regions and (same := _same(one.region, other.region)) is not True:
            return None if same is None else Level.BEYOND
        if zones and (same := _same(one.zone, other.zone)) is not True:
            return None if same is None else Level.REGION
        same = _same(one.rack, other.rack) if racks else False
        if same is None:
            return None
        return Level.RACK if same else Level.ZONE

    @cached_property
    def _named(self) -> tuple[bool, bool, bool]:
        """Whether any node names a region, a zone, a rack."""
        nodes = self.nodes
        return any(n.region for n in nodes), self._zoned, any(n.rack for n in nodes)


def _same(one: str | None, other: str | None) -> bool | None:
    """None where one of them is not told."""
    return one == other if one and other else None


def _node(resource: Resource, settings: Settings) -> Node:
    labels = texts(mapping(resource.manifest.get("metadata")).get("labels"))
    spec, status = mapping(resource.manifest.get("spec")), mapping(resource.manifest.get("status"))
    refused: list[str] = []
    return Node(
        name=resource.ref.name,
        labels=labels,
        taints=_taints(spec.get("taints"), resource.ref.name, refused),
        unschedulable=spec.get("unschedulable") is True,
        allocatable=_allocatable(status, resource.ref.name, refused),
        images=_images(status.get("images")),
        rack=labels.get(settings.rack_label) or None,
        zone=labels.get(settings.zone_label) or None,
        region=labels.get(settings.region_label) or None,
        refused=tuple(refused),
    )


def _taints(value: Any, name: str, refused: list[str]) -> tuple[Taint, ...]:
    found = []
    if value is not None and not isinstance(value, list):
        refused.append(f"Node {name}: spec.taints is no list")
    for index, taint in enumerate(map(mapping, sequence(value))):
        parts = (taint.get("key"), taint.get("value") or "", taint.get("effect"))
        if all(isinstance(part, str) for part in parts) and parts[0]:
            found.append(Taint(*map(str, parts)))
        else:
            refused.append(f"Node {name}: spec.taints[{index}] is no taint")
    return tuple(found)


def _allocatable(status: Manifest, name: str, refused: list[str]) -> Mapping[str, int] | None:
    """What is allocatable; the capacity where only that is given, as the API server has it."""
    for key in ("allocatable", "capacity"):
        if status.get(key) is not None:
            try:
                return counted(read_amounts(status[key], ("status", key)))
            except QuantityError as error:
                refused.append(f"Node {name}: {error}")
                return None
    return None


def _images(value: Any) -> Mapping[str, int]:
    sizes: dict[str, int] = {}
    for image in map(mapping, sequence(value)):
        size = image.get("sizeBytes")
        if isinstance(size, int) and 0 <= size <= LARGEST:
            sizes |= {n: size for n in sequence(image.get("names")) if isinstance(n, str)}
    return sizes
