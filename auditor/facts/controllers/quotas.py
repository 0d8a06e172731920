"""What ResourceQuotas let a ReplicaSet create.

Counted are all pods that have not ended, those that are being deleted among them
(``pkg/quota/v1/evaluator/core/pods.go`` of Kubernetes 1.36).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from auditor.facts.placement.quantities import UNIT, parse
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest
from auditor.values import dataclass

COUNTS = ("pods", "count/pods")


@dataclass(frozen=True, slots=True)
class Quotas:
    """The limits of a namespace, and what a pod of each revision takes of them."""

    hard: tuple[tuple[str, int], ...]
    takes: tuple[Mapping[str, int], ...]

    @classmethod
    def of(cls, quotas: Iterable[Manifest], templates: Sequence[Manifest]) -> Quotas:
        """The ResourceQuotas, as far as they limit pods, CPU and memory."""
        hard = [
            (key, parse(value))
            for quota in quotas
            for key, value in mapping(at(quota, ("spec", "hard"))).items()
        ]
        keys = {key for key, _ in hard}
        return cls(tuple(hard), tuple(_taken(template, keys) for template in templates))

    def admits(self, pods: Iterable[tuple[int, object, int, int]], revision: int) -> bool:
        """Whether one more pod of that revision may be created."""
        return not self.why(pods, revision)

    def why(self, pods: Iterable[tuple[int, object, int, int]], revision: int) -> str:
        """What stands against it; empty where nothing does."""
        if not self.hard:
            return ""
        there = [(self.takes[r], number) for r, _, _, number in pods]
        for key, limit in self.hard:
            more = self.takes[revision].get(key, 0)
            used = sum(each.get(key, 0) * n for each, n in there)
            if more and used + more > limit:
                return f"exceeded quota: {key} {used / UNIT:g} used of {limit / UNIT:g}"
        return ""


def _taken(template: Manifest, keys: Iterable[str]) -> Mapping[str, int]:
    found = {}
    containers = [mapping(c) for c in sequence(at(template, ("spec", "containers")))]
    for key in keys:
        if key in COUNTS:
            found[key] = UNIT
            continue
        section, _, resource = key.rpartition(".")
        path = ("resources", section or "requests", resource)
        said = [at(container, path) for container in containers]
        found[key] = sum(parse(each) for each in said)
    return found
