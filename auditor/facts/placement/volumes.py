"""Where the volumes of a pod let it run.

Rules: kube-scheduler plugins volumebinding, volumezone, volumerestrictions and nodevolumelimits,
as far as manifests tell. What a provisioner will decide is named as not provable; how much a
storage pool has left is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditor.facts.placement.attachments import Attached, attachable, limits_of
from auditor.facts.placement.filters import Verdict
from auditor.facts.placement.node_selectors import NodeTerm, read_terms
from auditor.facts.placement.occupancy import Occupancy
from auditor.facts.placement.pods import Claim, Pod
from auditor.facts.placement.topology import Node
from auditor.facts.selectors import RefusedError
from auditor.facts.wording import dotted, text
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Manifest, Resource, Snapshot
from auditor.values import dataclass

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_ZONES = {
    "topology.kubernetes.io/zone": "failure-domain.beta.kubernetes.io/zone",
    "topology.kubernetes.io/region": "failure-domain.beta.kubernetes.io/region",
}
"""Labels of volumes that tie them to nodes, with their older names."""
_NEWER = {old: new for new, old in _ZONES.items()}


class Volumes:
    """The storage objects of a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        claims = snapshot.of_kind("PersistentVolumeClaim")
        self._claims = {(r.ref.namespace, r.ref.name): r for r in claims}
        self._volumes = {r.ref.name: r for r in snapshot.of_kind("PersistentVolume")}
        self._classes = {r.ref.name: r for r in snapshot.of_kind("StorageClass")}
        self._limits = limits_of(snapshot.of_kind("CSINode"))
        self._templates: dict[tuple[str, str], Manifest] = {}
        """What claims will be that a controller has yet to make, of the pods that were met."""

    def checks(self, pod: Pod, occupancy: Occupancy) -> Iterator[Verdict]:
        """One verdict per claim that is bound to a volume, and for each driver that is limited."""
        yield from self._bound(pod, occupancy)
        if self._limits and pod.claims:
            for claim in pod.claims:
                self._templates[pod.namespace, claim.name] = claim.template or {}
            found = {self._attached(pod.namespace, claim.name) for claim in pod.claims}
            wanted = frozenset(each for each in found if each)
            yield from attachable(wanted, self._limits, occupancy, self._attached)

    def _attached(self, namespace: str, name: str) -> Attached | None:
        """The volume of a claim. One that is not bound will be made by the driver of its class."""
        found = self._claims.get((namespace, name))
        if found and (volume := self._volumes.get(_bound_to(found))):
            csi = mapping(at(volume.manifest, ("spec", "csi")))
            return Attached(text(csi.get("driver")), text(csi.get("volumeHandle"))) if csi else None
        spec = found.manifest.get("spec") if found else self._templates.get((namespace, name))
        storage = self._classes.get(self._class_name(found, mapping(spec)) or "")
        driver = text(storage.manifest.get("provisioner")) if storage else ""
        return Attached(driver, f"{namespace}/{name}") if driver else None

    def _bound(self, pod: Pod, occupancy: Occupancy) -> Iterator[Verdict]:
        for claim in pod.claims:
            found = self._claims.get((pod.namespace, claim.name))
            volume = self._volumes.get(_bound_to(found)) if found else None
            if volume is not None:
                yield _reachable(volume, occupancy)
            elif storage := self._class_of(found, claim):
                yield from _allowed(storage, occupancy)
            if found and _is_exclusive(found) and occupancy.claims[pod.namespace, claim.name]:
                none = ~occupancy.columns.all
                yield Verdict(none, lambda _: "cannot mount a volume that one pod alone may use")

    def _class_of(self, found: Resource | None, claim: Claim) -> Resource | None:
        """The StorageClass that is to make the volume of a claim which is not bound yet."""
        if found and _bound_to(found):
            return None
        spec = mapping(found.manifest.get("spec")) if found else mapping(claim.template)
        return self._classes.get(self._class_name(found, spec) or "")

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
    try:
        _places_of(storage_class)
    except RefusedError as error:
        return f"StorageClass {name}: {dotted(error.path)} {error.why}"
    if storage_class.get("provisioner") == "kubernetes.io/no-provisioner":
        return f"StorageClass {name} has volumes that somebody makes by hand"
    return None


def _places_of(storage_class: Manifest) -> tuple[NodeTerm, ...] | None:
    """Where a StorageClass makes volumes (``allowedTopologies``, of which one has to match); None
    where that is anywhere.

    Raises:
        RefusedError: it cannot be read.
    """
    terms = [
        [
            {**mapping(each), "operator": "In"}
            for each in sequence(at(term, ("matchLabelExpressions",)))
        ]
        for term in map(mapping, sequence(storage_class.get("allowedTopologies")))
    ]
    if not terms:
        return None
    written: Any = [{"matchExpressions": each} for each in terms]
    return read_terms(written, ("allowedTopologies",))


def _allowed(storage: Resource, occupancy: Occupancy) -> Iterator[Verdict]:
    """On which nodes a StorageClass may make a volume, as the plugin volumebinding asks."""
    try:
        terms = _places_of(storage.manifest)
    except RefusedError:
        return
    if terms is None or storage.manifest.get("volumeBindingMode") != "WaitForFirstConsumer":
        return

    def allows(node: Node) -> bool:
        return any(term.matches(node.name, node.labels) for term in terms)

    passes = occupancy.columns.flags(("allowed", terms), terms, [], allows)
    yield Verdict(passes, lambda _: f"is no place of StorageClass {storage.ref.name}")


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


def _reachable(volume: Resource, occupancy: Occupancy) -> Verdict:
    """Which nodes can reach the volume, by its node affinity and its zone labels."""
    try:
        terms = _terms(volume)
    except RefusedError:
        terms = ()
    places = tuple(_places(volume))

    def reaches(node: Node) -> bool:
        fits = terms is None or any(t.matches(node.name, node.labels) for t in terms)
        return fits and all(place.holds(node.labels) for place in places)

    keys = [name for pair in _ZONES.items() for name in pair] if places else []
    passes = occupancy.columns.flags(("reachable", terms, places), terms or (), keys, reaches)
    return Verdict(passes, lambda _: f"cannot reach the volume {volume.ref.name}")


@dataclass(frozen=True, slots=True)
class _Place:
    """A zone or region label of a volume."""

    name: str
    values: frozenset[str]

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether a node with these labels is there; one that names no place is anywhere. An older
        name is looked for on the node under both, the newer one not: as `volumezone` does.
        """
        if not any(name in labels for pair in _ZONES.items() for name in pair):
            return True
        return labels.get(self.name, labels.get(_NEWER.get(self.name, ""))) in self.values


def _places(volume: Resource) -> Iterator[_Place]:
    labels = texts(at(volume.manifest, ("metadata", "labels")))
    for name in (name for pair in _ZONES.items() for name in pair if name in labels):
        yield _Place(name, frozenset(labels[name].split("__")))
