"""Workloads of the cluster itself, known by who made them and by every image that they run.

A name or a label says nothing: who hides a miner in kube-system calls it kube-proxy. The table is
`platform.yaml`, with where each row was read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from auditor.facts.workloads import Workload, chain, workload_of
from auditor.manifests import at, mapping, sequence
from auditor.model import Resource
from auditor.values import dataclass

MIRROR = "kubernetes.io/config.mirror"
TABLE = Path(__file__).with_name("platform.yaml")


@dataclass(frozen=True, slots=True)
class Part:
    """One row: a part of a cluster, and how it is known."""

    name: str
    does: str
    source: str
    """Where its form was read."""
    made: tuple[str, ...]
    """Kinds of objects that it comes as; ``static`` for a static pod."""
    namespaces: tuple[str, ...]
    images: tuple[re.Pattern[str], ...]
    policies: tuple[str, ...]
    """What it cannot be without, or is shipped with: patterns of policies."""

    @property
    def reason(self) -> str:
        """Why a finding on it is folded."""
        return f"platform ({self.name}, {self.does})"

    def explains(self, policy: str) -> bool:
        """Whether a finding of that policy is in its nature."""
        return any(fnmatchcase(policy, pattern) for pattern in self.policies)

    def is_of(self, workload: Workload, made: str) -> bool:
        """Whether the workload has its form, and runs its images and no other."""
        images = [container.spec.get("image") for container in workload.containers]
        return (
            made in self.made
            and workload.ref.namespace in self.namespaces
            and bool(images)
            and all(isinstance(image, str) and self._runs(repository(image)) for image in images)
        )

    def _runs(self, image: str) -> bool:
        return any(pattern.fullmatch(image) for pattern in self.images)


def part_of(resource: Resource, owners: Mapping[str, Resource]) -> Part | None:
    """Which part of the platform `resource` is, or was really made by; None where it is none.
    `owners` are the objects of the cluster by their uid.
    """
    *_, top = (resource, *chain(resource, owners))
    here = parts_in(top.ref.namespace)
    workload = workload_of(top) if here else None
    if workload is None:
        return None
    made = "static" if _is_static(top, owners) else workload.ref.kind
    return next((part for part in here if part.is_of(workload, made)), None)


def _is_static(resource: Resource, owners: Mapping[str, Resource]) -> bool:
    """The shadow of a static pod: its kubelet marks it, names its own node as the owner, and runs
    it there. A shadow that no kubelet made is taken away by the kubelet.
    """
    metadata = mapping(resource.manifest.get("metadata"))
    if resource.ref.kind != "Pod" or MIRROR not in mapping(metadata.get("annotations")):
        return False
    for owner in map(mapping, sequence(metadata.get("ownerReferences"))):
        node = owners.get(str(owner.get("uid")))
        if node and (node.ref.kind, node.ref.group) == ("Node", ""):
            named = (owner.get("name"), at(resource.manifest, ("spec", "nodeName")))
            return named == (node.ref.name, node.ref.name)
    return False


@lru_cache(maxsize=4096)
def repository(image: str) -> str:
    """The repository of an image reference in full: docker.io/library/nginx of nginx:1.27.

    Rules: github.com/distribution/reference (normalize.go).
    """
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    name = head + slash + last.partition(":")[0]
    domain, slash, rest = name.partition("/")
    if slash and (domain == "localhost" or {".", ":"} & set(domain)):
        return name if domain != "index.docker.io" else f"docker.io/{rest}"
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


@cache
def table() -> tuple[Part, ...]:
    """The rows of `platform.yaml`."""
    data = yaml.load(TABLE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return tuple(_part(row, data) for row in data["parts"])


@cache
def parts_in(namespace: str) -> tuple[Part, ...]:
    """The parts that may be in that namespace."""
    return tuple(part for part in table() if namespace in part.namespaces)


def _part(row: Mapping[str, Any], data: Mapping[str, Any]) -> Part:
    policies = [each for need in row["needs"] for each in data["needs"][need]]
    return Part(
        row["name"],
        row["does"],
        row["source"],
        tuple(row["made"]),
        tuple(row["namespaces"]),
        tuple(p for image in row["images"] for p in _patterns(image, data["registries"])),
        tuple(policies),
    )


def _patterns(image: str, registries: Mapping[str, list[str]]) -> list[re.Pattern[str]]:
    """``*`` stands for part of one name between dots and slashes. A first name with a dollar sign
    stands for every registry of that list.
    """
    head, _, rest = image.partition("/")
    written = [f"{each}/{rest}" for each in registries[head[1:]]] if head[0] == "$" else [image]
    return [re.compile(re.escape(each).replace(r"\*", "[a-z0-9_-]+")) for each in written]
