"""Pods as a scheduler reads them. The only module that knows where a pod says what.

What a template makes has one `Shape`, read once and shared by all of its replicas.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from auditor.facts.placement.node_selectors import NodeTerm, read_term, read_terms
from auditor.facts.placement.quantities import QuantityError
from auditor.facts.placement.requests import Requests, read_requests
from auditor.facts.placement.rules import Affinity, Spread, read_affinity, read_spreads
from auditor.facts.placement.tolerations import Toleration, read_tolerations
from auditor.facts.selectors import RefusedError
from auditor.facts.wording import dotted, text
from auditor.facts.workloads import FINISHED, declared_ports, is_port
from auditor.manifests import mapping, sequence, texts
from auditor.model import Manifest, Path, Resource
from auditor.values import dataclass

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HostPort:
    """A port of the node that a pod takes for itself."""

    address: str
    protocol: str
    port: int

    def clashes(self, other: HostPort) -> bool:
        """Whether both cannot be on one node; 0.0.0.0 stands for every address."""
        if (self.protocol, self.port) != (other.protocol, other.port):
            return False
        return self.address == other.address or EVERY_ADDRESS in (self.address, other.address)


EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 an address that is compared, not bound


@dataclass(frozen=True, slots=True)
class Claim:
    """A PersistentVolumeClaim that a pod mounts."""

    name: str
    template: Manifest | None = None
    """The specification by which a controller makes it, where it does not exist yet."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which nodes a pod may run on, by label and name."""

    labels: Mapping[str, str]
    """The node selector."""
    required: tuple[NodeTerm, ...] | None
    """Alternatives; None where nothing is required."""
    preferred: tuple[NodeTerm, ...] = ()

    @property
    def known_by(self) -> Hashable:
        """Equal for choices that admit the same nodes for the same reasons."""
        return tuple(sorted(self.labels.items())), self.required

    def admits(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a node of that name and these labels may be chosen."""
        if any(labels.get(key) != value for key, value in self.labels.items()):
            return False
        return self.required is None or any(t.matches(name, labels) for t in self.required)


class Shape:
    """What is read of a pod specification; every part is read when first asked for.

    `refused` tells, in words, what the API server would refuse of the parts read so far; of a part
    that it would refuse, nothing counts.
    """

    def __init__(
        self, spec: Manifest, namespace: str, labels: Mapping[str, str], status: Manifest
    ) -> None:
        self.spec = spec
        self.namespace = namespace
        self.labels = labels
        self.status = status
        self.refused: list[str] = []

    def _read(self, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except RefusedError as error:
            self.refused.append(f"{dotted(error.path)} {error.why}")
        except QuantityError as error:
            self.refused.append(str(error))
        except ValueError:
            # The message of a selector that holds a number too long for Python to print.
            self.refused.append("it holds a number of absurd length")
        return otherwise

    @property
    def faults(self) -> tuple[str, ...]:
        """What the API server would refuse of all parts."""
        _ = self.requests, self.tolerations, self.choice, self.affinity, self.spreads, self.ports
        return tuple(self.refused)

    @cached_property
    def known_by(self) -> Hashable:
        """Equal for pods that no rule about other pods can tell apart."""
        return self.namespace, frozenset(self.labels.items()), self.affinity

    @cached_property
    def requests(self) -> Requests:
        """What it asks of a node."""
        return self._read(lambda: read_requests(self.spec, self.status), Requests())

    @cached_property
    def tolerations(self) -> tuple[Toleration, ...]:
        """The taints it can live with."""
        return self._read(lambda: read_tolerations(self.spec.get("tolerations")), ())

    @cached_property
    def choice(self) -> Choice:
        """The nodes it asks for."""
        return self._read(lambda: _choice(self.spec), Choice({}, ()))

    @cached_property
    def affinity(self) -> Affinity:
        """What it asks of the pods around it."""
        value = self.spec.get("affinity")
        return self._read(lambda: read_affinity(value, self.namespace, self.labels), Affinity())

    @cached_property
    def spreads(self) -> tuple[Spread, ...]:
        """How it is to be spread."""
        value = self.spec.get("topologySpreadConstraints")
        return self._read(lambda: read_spreads(value, self.labels), ())

    @cached_property
    def ports(self) -> tuple[HostPort, ...]:
        """The ports of the node that it takes."""
        return self._read(lambda: _ports(self.spec), ())

    @cached_property
    def images(self) -> tuple[str, ...]:
        """The images of its containers, init containers included, as a node names them."""
        containers = (*_listed(self.spec, "initContainers"), *_listed(self.spec, "containers"))
        return tuple(_tagged(text(container.get("image"))) for container in containers)


class Shapes:
    """The shapes of live pods. Those of one template share one: they differ in their node, their
    own name and the volume of their token, of which a shape says nothing.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, list[Shape]] = {}

    def of(
        self, spec: Manifest, namespace: str, labels: Mapping[str, str], status: Manifest
    ) -> Shape:
        """The shape that is known of such a pod, or a new one. Costs a comparison of the two."""
        known = self._known.setdefault((namespace, frozenset(labels.items())), [])
        for shape in known[:_ALIKE]:
            if _same(shape.spec, spec) and all(
                shape.status.get(name) == status.get(name) for name in _OF_STATUS
            ):
                return shape
        known.append(Shape(spec, namespace, labels, status))
        return known[-1]


_ALIKE = 8
"""Among so many of the same labels a shape is looked for."""
_OF_STATUS = ("conditions", "containerStatuses", "initContainerStatuses")
"""What of a status requests are read from."""
_OF_ITS_OWN = frozenset(("nodeName", "hostname", "subdomain", "volumes"))


def _same(one: Manifest, other: Manifest) -> bool:
    """Whether two specifications differ in nothing that a shape tells."""
    if one.keys() - _OF_ITS_OWN != other.keys() - _OF_ITS_OWN:
        return False
    if any(one[key] != other[key] for key in one if key not in _OF_ITS_OWN):
        return False
    return _sources(one) == _sources(other)


def _sources(spec: Manifest) -> list[set[str]]:
    return [volume.keys() - {"name"} for volume in map(mapping, sequence(spec.get("volumes")))]


@dataclass(frozen=True, eq=False)
class Pod:
    """One pod, live or as a template would make it."""

    namespace: str
    name: str
    node: str
    """The node that it is bound to; empty where it is not."""
    shape: Shape
    claims: tuple[Claim, ...] = ()
    owner: Manifest | None = None
    """The label selector of what controls it, where that is a ReplicaSet, a StatefulSet or a
    ReplicationController."""
    terminating: bool = False
    finished: bool = False
    """It has ended and takes no room."""
    live: bool = False
    each_node: bool = False
    """Stands for one pod on every node that admits it: a DaemonSet's."""
    only: str = ""
    """The one node for which a DaemonSet made it."""

    @classmethod
    def from_resource(cls, resource: Resource, shapes: Shapes | None = None) -> Pod:
        """The Pod object `resource`, with one of `shapes` where they are given."""
        manifest = resource.manifest
        metadata, spec = mapping(manifest.get("metadata")), mapping(manifest.get("spec"))
        status = mapping(manifest.get("status"))
        labels, node = texts(metadata.get("labels")), spec.get("nodeName")
        return cls(
            namespace=resource.ref.namespace,
            name=resource.ref.name,
            node=node if isinstance(node, str) else "",
            shape=(shapes.of if shapes else Shape)(spec, resource.ref.namespace, labels, status),
            claims=claims_of(spec, resource.ref.name),
            terminating=bool(metadata.get("deletionTimestamp")),
            finished=status.get("phase") in FINISHED,
            live=bool(metadata.get("uid")),
        )

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels."""
        return self.shape.labels

    @property
    def spec(self) -> Manifest:
        """Its specification."""
        return self.shape.spec

    @property
    def is_ready(self) -> bool:
        """Whether it says so; of one that is not live yet, that it will be."""
        told = map(mapping, sequence(self.shape.status.get("conditions")))
        return not self.live or any(
            each.get("type") == "Ready" and each.get("status") == "True" for each in told
        )

    @property
    def is_plain(self) -> bool:
        """Whether only what is free on nodes, and which these are, decides where it may run."""
        rules = self.shape.affinity
        hard = any(spread.hard for spread in self.shape.spreads)
        return not (hard or rules.near or rules.away or self.shape.ports or self.claims)

    @property
    def id(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    def on(self, node: str) -> Pod:
        """The same pod, bound to `node`."""
        return replace(self, node=node)


def _listed(spec: Manifest, name: str) -> list[Manifest]:
    return [mapping(container) for container in sequence(spec.get(name))]


def _tagged(image: str) -> str:
    return image if image.rfind(":") > image.rfind("/") else f"{image}:latest"


def claims_of(spec: Manifest, pod: str) -> tuple[Claim, ...]:
    """The claims that the volumes of a pod of that name mount."""
    found = []
    for volume in _listed(spec, "volumes"):
        claim = mapping(volume.get("persistentVolumeClaim")).get("claimName")
        own = mapping(volume.get("ephemeral")).get("volumeClaimTemplate")
        if isinstance(claim, str):
            found.append(Claim(claim))
        elif isinstance(own, Mapping):
            found.append(Claim(f"{pod}-{text(volume.get('name'))}", mapping(own.get("spec"))))
    return tuple(found)


def _choice(spec: Manifest) -> Choice:
    selector = spec.get("nodeSelector")
    if selector is not None and texts(selector) != selector:
        raise RefusedError(("spec", "nodeSelector"), "is no mapping of texts")
    path: Path = ("spec", "affinity", "nodeAffinity")
    rules = mapping(spec.get("affinity")).get("nodeAffinity") or {}
    if not isinstance(rules, Mapping):
        raise RefusedError(path, "is no node affinity")
    required = rules.get("requiredDuringSchedulingIgnoredDuringExecution")
    terms = None
    if required is not None:
        where = (*path, "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
        terms = read_terms(mapping(required).get("nodeSelectorTerms"), where)
    soft = rules.get("preferredDuringSchedulingIgnoredDuringExecution")
    return Choice(texts(selector), terms, _preferences(soft, path))


def _preferences(value: Any, path: Path) -> tuple[NodeTerm, ...]:
    found = []
    path = (*path, "preferredDuringSchedulingIgnoredDuringExecution")
    if value is not None and not isinstance(value, list):
        raise RefusedError(path, "is no list of preferences")
    for index, item in enumerate(map(mapping, sequence(value))):
        weight = item.get("weight")
        if not isinstance(weight, int) or isinstance(weight, bool) or not 0 < weight <= 100:
            raise RefusedError((*path, index, "weight"), "is no number from 1 to 100")
        found.append(read_term(item.get("preference"), (*path, index, "preference"), weight))
    return tuple(found)


def _ports(spec: Manifest) -> tuple[HostPort, ...]:
    """Host ports of containers and sidecars; on the node's network, every port is one."""
    found = []
    for path, port in declared_ports(spec):
        number = port.get("hostPort")
        if number is None and spec.get("hostNetwork") is True:
            number = port.get("containerPort")
        if not number and type(number) in (int, type(None)):
            continue
        if not is_port(number):
            raise RefusedError(("spec", *path, "hostPort"), "is no port")
        address, protocol = port.get("hostIP") or EVERY_ADDRESS, port.get("protocol") or "TCP"
        found.append(HostPort(text(address), text(protocol), number))
    return tuple(found)
