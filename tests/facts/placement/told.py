"""Reads a case: clusters and pods in a few words, made into manifests.

A node or a pod is a line of labels (``zone=1 disk``; without ``=`` the value is empty) or a
mapping. A pod's line begins with its node: ``a*2 foo`` are two; ``@ns`` is their namespace, ``!``
says that they are being deleted. Expressions are written as kubectl writes them (``foo``, ``!foo``,
``foo in (a,b)``, ``foo > 1``), with ``;`` between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from auditor.facts.placement import Pod, Simulation, Topology
from auditor.model import Settings, Snapshot
from tests.facts.placement.world import resource

Told = Mapping[str, Any]
Manifest = dict[str, Any]
SPACE = "default"
ROOM = {"cpu": "64", "memory": "256Gi", "pods": "110"}
"""What a node holds where nothing is said of it: enough."""
EXPRESSION = re.compile(r"(!?)([\w./-]+)(?: (in|notin) \(([^)]*)\)| ([<>]) (\S+))?")
OPERATORS = {"in": "In", "notin": "NotIn", "<": "Lt", ">": "Gt"}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@dataclass(frozen=True, slots=True)
class Case:
    """One case and what is expected of it."""

    told: Told

    @property
    def fits(self) -> list[str]:
        """The nodes that take the pod."""
        return list(self.told.get("fits", ()))

    @property
    def unproven(self) -> bool:
        """Whether nothing of it can be told from manifests alone."""
        return bool(self.told.get("unproven"))

    def answer(self) -> tuple[list[str], tuple[str, ...]]:
        """The nodes that we say take the pod, and what is not modelled."""
        resources = [resource(each) for each in self._manifests()]
        snapshot = Snapshot(tuple(resources))
        placed = [Pod.from_resource(each) for each in snapshot.of_kind("Pod")]
        names = {SPACE, *(pod.namespace for pod in placed)}
        spaces = {name: labels(self.told.get("spaces", {}).get(name, "")) for name in names}
        topology = Topology.from_snapshot(snapshot, Settings())
        simulation = Simulation(topology, spaces, placed, snapshot)
        asking = Pod.from_resource(resource(_pod("asking", self.told["pod"])))
        return sorted(simulation.feasible(asking).nodes), simulation.unsupported

    def _manifests(self) -> Iterator[Manifest]:
        for name, said in self.told["nodes"].items():
            yield _node(name, said)
        numbers = count()
        for said in self.told.get("pods", ()):
            for each in _placed(said):
                yield _pod(f"p{next(numbers)}", each)
        yield from self._storage()

    def _storage(self) -> Iterator[Manifest]:
        volumes, reach = self.told.get("volumes", {}), self.told.get("reach", {})
        for name, line in volumes.items():
            terms = {"nodeAffinity": {"required": _terms(reach[name])}} if name in reach else {}
            spec = {"csi": {"driver": _driver(name), "volumeHandle": name}, **terms}
            yield _thing("v1", "PersistentVolume", name, spec, labels=labels(line))
        claims = {name: {"volumeName": name} for name in volumes}
        for name, more in self.told.get("claims", {}).items():
            claims[name] = claims.get(name, {}) | more
        for name, spec in claims.items():
            yield _thing("v1", "PersistentVolumeClaim", name, spec, namespace=SPACE)
        for name, mode in self.told.get("classes", {}).items():
            made = _thing("storage.k8s.io/v1", "StorageClass", name, {})
            yield made | {"provisioner": "ebs", "volumeBindingMode": mode}
        for node, most in self.told.get("attach", {}).items():
            drivers = [
                {"name": k, "allocatable": {"count": v} if v else {}} for k, v in most.items()
            ]
            yield _thing("storage.k8s.io/v1", "CSINode", node, {"drivers": drivers})


def labels(line: str) -> dict[str, str]:
    """``zone=1 disk`` → {"zone": "1", "disk": ""}."""
    return {key: value for key, _, value in (word.partition("=") for word in line.split())}


def _thing(version: str, kind: str, name: str, spec: Manifest, **metadata: Any) -> Manifest:
    metadata["name"] = name
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def _node(name: str, said: str | Told) -> Manifest:
    told: Told = {"labels": said} if isinstance(said, str) else said
    spec: Manifest = {"taints": [_taint(each) for each in told.get("taints", ())]}
    if told.get("cordoned"):
        spec["unschedulable"] = True
    made = _thing("v1", "Node", name, spec, labels=labels(told.get("labels", "")))
    room = {key: str(value) for key, value in told.get("room", ROOM).items()}
    return made | {"status": {"allocatable": room}}


def _driver(volume: str) -> str:
    """The first word of the name of a volume, as ``ebs-1``."""
    return volume.partition("-")[0]


def _taint(line: str) -> dict[str, str]:
    rest, _, effect = line.rpartition(":")
    key, _, value = rest.partition("=")
    return {"key": key, "value": value, "effect": effect}


def _placed(said: str | Told) -> Iterator[Told]:
    """The pods of one line."""
    if not isinstance(said, str):
        yield said
        return
    node, *words = said.split()
    name, _, number = node.partition("*")
    spaces = [word[1:] for word in words if word.startswith("@")] or [SPACE]
    own = " ".join(word for word in words if word[0] not in "@!")
    for _ in range(int(number or 1)):
        yield {"at": name, "namespace": spaces[0], "labels": own, "leaving": "!" in words}


def _pod(name: str, told: Told) -> Manifest:
    spec: Manifest = {key: told[key] for key in ("affinity", "nodeName", "overhead", "tolerations")
                      if key in told}  # fmt: skip
    if "at" in told:
        spec["nodeName"] = told["at"]
    if "select" in told:
        spec["nodeSelector"] = labels(told["select"])
    spec["containers"] = [_container(each) for each in _containers(told)]
    spec["initContainers"] = [_container(each) for each in told.get("init", ())]
    spec["affinity"] = spec.get("affinity", {}) | _affinity(told)
    spec["topologySpreadConstraints"] = [_spread(each) for each in told.get("spread", ())]
    spec["volumes"] = [
        {"name": each, "persistentVolumeClaim": {"claimName": each}}
        for each in told.get("mounts", ())
    ]
    metadata: Manifest = {"namespace": told.get("namespace", SPACE)}
    if told.get("leaving"):
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return _thing("v1", "Pod", name, spec, labels=labels(told.get("labels", "")), **metadata)


def _containers(told: Told) -> list[Told]:
    found = [dict(each) for each in told.get("requests", ({},))]
    if "ports" in told:
        found[0]["ports"] = told["ports"]
    return list(found)


def _container(told: Told) -> Manifest:
    made: Manifest = {"name": "c", "image": "app:1"}
    requests = {k: str(v) for k, v in told.items() if k not in ("ports", "stays")}
    if requests:
        made["resources"] = {"requests": requests}
    made["ports"] = [_port(each) for each in told.get("ports", ())]
    return made | ({"restartPolicy": "Always"} if told.get("stays") else {})


def _port(line: str) -> Manifest:
    protocol, address, number = line.split("/")
    said = {"protocol": protocol, "hostIP": address}
    number_of_node = {"hostPort": int(number)} if int(number) else {}
    return {k: v for k, v in said.items() if v} | {"containerPort": 8080} | number_of_node


def _affinity(told: Told) -> Manifest:
    made: Manifest = {}
    if "terms" in told:
        made["nodeAffinity"] = {REQUIRED: _terms(told["terms"])}
    for word, kind in (("near", "podAffinity"), ("away", "podAntiAffinity")):
        if word in told:
            made[kind] = {REQUIRED: [_term(each) for each in told[word]]}
    return made


def _terms(lines: list[str]) -> Manifest:
    return {"nodeSelectorTerms": [_node_term(line) for line in lines]}


def _node_term(line: str) -> Manifest:
    found = _expressions(line)
    fields = [each | {"key": "metadata.name"} for each in found if each["key"] == ".name"]
    rest = [each for each in found if each["key"] != ".name"]
    made = {"matchFields": fields, "matchExpressions": rest}
    return {key: value for key, value in made.items() if value}


def _term(told: Told) -> Manifest:
    made: Manifest = {"topologyKey": told["key"], "labelSelector": _selector(told["to"])}
    if "in" in told:
        made["namespaces"] = told["in"]
    if "spaces" in told:
        made["namespaceSelector"] = _selector(told["spaces"])
    for word, field in (("by", "matchLabelKeys"), ("unlike", "mismatchLabelKeys")):
        if word in told:
            made[field] = told[word]
    return made


def _spread(told: Told) -> Manifest:
    made: Manifest = {"topologyKey": told["over"], "maxSkew": told.get("skew", 1)}
    made["whenUnsatisfiable"] = "DoNotSchedule"
    if "of" in told:
        made["labelSelector"] = _selector(told["of"])
    names = {"least": "minDomains", "affinity": "nodeAffinityPolicy", "taints": "nodeTaintsPolicy",
             "by": "matchLabelKeys"}  # fmt: skip
    return made | {names[word]: told[word] for word in names if word in told}


def _selector(line: str) -> Manifest:
    found = _expressions(line)
    return {"matchExpressions": found} if found else {}


def _expressions(line: str) -> list[Manifest]:
    """What the API calls requirements."""
    return [_expression(each.strip()) for each in line.split(";") if each.strip()]


def _expression(line: str) -> Manifest:
    found = EXPRESSION.fullmatch(line)
    assert found, f"not an expression: {line}"
    absent, key, word, values, sign, number = found.groups()
    if word or sign:
        listed = values.split(",") if word else [number]
        return {"key": key, "operator": OPERATORS[word or sign], "values": listed}
    return {"key": key, "operator": "DoesNotExist" if absent else "Exists"}
