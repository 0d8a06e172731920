"""Where the volumes of a pod let it run.

Rules: kube-scheduler plugins volumebinding, volumezone and volumerestrictions, as far as
manifests tell. What a provisioner will decide is named as not provable; how many volumes a node
can attach, and how much a storage pool has left, is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from auditor.facts.placement.filters import Check
from auditor.facts.placement.node_selectors import NodeTerm, read_terms
from auditor.facts.placement.occupancy import Occupancy
from auditor.facts.placement.pods import Claim, Pod
from auditor.facts.selectors import RefusedError
from auditor.facts.wording import dotted, text
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Manifest, Resource, Snapshot

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_ZONES = {
    "topology.kubernetes.io/zone": "failure-domain.beta.kubernetes.io/zone",
    "topology.kubernetes.io/region": "failure-domain.beta.kubernetes.io/region",
}
"""Labels of volumes that tie them to nodes, with their older names."""


class Volumes:
    """The storage objects of a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        claims = snapshot.of_kind("PersistentVolumeClaim")
        self._claims = {(r.ref.namespace, r.ref.name): r for r in claims}
        self._volumes = {r.ref.name: r for r in snapshot.of_kind("PersistentVolume")}
        self._classes = {r.ref.name: r for r in snapshot.of_kind("StorageClass")}

    def checks(self, pod: Pod, occupancy: Occupancy) -> Iterator[Check]:
        """One check per claim that is bound to a volume."""
        for claim in pod.claims:
            found = self._claims.get((pod.namespace, claim.name))
            volume = self._volumes.get(_bound_to(found)) if found else None
            if volume is not None:
                yield _reachable(volume, occupancy)
            if found and _is_exclusive(found) and occupancy.claims[pod.namespace, claim.name]:
                yield lambda _: "cannot mount a volume that one pod alone may use"

    def unsupported(self, pod: Pod) -> Iterator[str]:
        """What of the volumes of `pod` cannot be judged, in sentences."""
        for claim in pod.claims:
            why = self._doubt(pod.namespace, claim)
            if why:
                yield f"where the volume {claim.name} of pod {pod.id} can be mounted: {why}"

    def _doubt(self, namespace: str, claim: Claim) -> str | None:
        found = self._claims.get((namespace, claim.name))
        if found is None and claim.template is None:
            return "the PersistentVolumeClaim is not given"
        spec = mapping(found.manifest.get("spec")) if found else mapping(claim.template)
        volume = text(spec.get("volumeName"))
        if not volume:
            return self._unbound(found, spec)
        if volume not in self._volumes:
            return f"PersistentVolume {volume} is not given"
        try:
            _terms(self._volumes[volume])
        except RefusedError as error:
            return f"PersistentVolume {volume}: {dotted(error.path)} {error.why}"
        return None

    def _unbound(self, claim: Resource | None, spec: Manifest) -> str | None:
        """Why it cannot be told where the volume of an unbound claim will be."""
        name = self._class_name(claim, spec)
        if name is None:
            return "its claim names no StorageClass and none is the default"
        if not name:
            return "its claim waits for a volume that somebody makes by hand"
        found = self._classes.get(name)
        return _unbound_in(found.manifest, name) if found else f"StorageClass {name} is not given"

    def _class_name(self, claim: Resource | None, spec: Manifest) -> str | None:
        notes = texts(at(claim.manifest, ("metadata", "annotations"))) if claim else {}
        name = notes.get(_OLD_CLASS, spec.get("storageClassName"))
        if isinstance(name, str):
            return name
        for resource in self._classes.values():
            notes = texts(at(resource.manifest, ("metadata", "annotations")))
            if notes.get(_DEFAULT_CLASS) == "true":
                return resource.ref.name
        return None


def _unbound_in(storage_class: Manifest, name: str) -> str | None:
    if storage_class.get("volumeBindingMode") != "WaitForFirstConsumer":
        return f"StorageClass {name} chooses the place before the pod has one"
    if sequence(storage_class.get("allowedTopologies")):
        return f"StorageClass {name} allows some places only"
    if storage_class.get("provisioner") == "kubernetes.io/no-provisioner":
        return f"StorageClass {name} has volumes that somebody makes by hand"
    return None


def _bound_to(claim: Resource) -> str:
    return text(mapping(claim.manifest.get("spec")).get("volumeName"))


def _is_exclusive(claim: Resource) -> bool:
    modes = sequence(mapping(claim.manifest.get("spec")).get("accessModes"))
    return "ReadWriteOncePod" in modes


def _terms(volume: Resource) -> tuple[NodeTerm, ...] | None:
    path = ("spec", "nodeAffinity", "required")
    required = at(volume.manifest, path)
    if required is None:
        return None
    terms: Any = mapping(required).get("nodeSelectorTerms")
    return read_terms(terms, (*path, "nodeSelectorTerms"))


def _reachable(volume: Resource, occupancy: Occupancy) -> Check:
    """Whether a node can reach the volume, by its node affinity and its zone labels."""
    try:
        terms = _terms(volume)
    except RefusedError:
        terms = ()
    places = tuple(_places(volume))

    def check(index: int) -> str | None:
        node = occupancy.nodes[index]
        fits = terms is None or any(t.matches(node.name, node.labels) for t in terms)
        if not fits or not all(place.holds(node.labels) for place in places):
            return f"cannot reach the volume {volume.ref.name}"
        return None

    return check


@dataclass(frozen=True, slots=True)
class _Place:
    """A zone or region label of a volume."""

    names: tuple[str, str]
    values: frozenset[str]

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether a node with these labels is there; one that names no place is anywhere."""
        if not any(name in labels for pair in _ZONES.items() for name in pair):
            return True
        return any(labels.get(name) in self.values for name in self.names)


def _places(volume: Resource) -> Iterator[_Place]:
    labels = texts(at(volume.manifest, ("metadata", "labels")))
    for pair in _ZONES.items():
        for name in pair:
            if name in labels:
                yield _Place(pair, frozenset(labels[name].split("__")))
