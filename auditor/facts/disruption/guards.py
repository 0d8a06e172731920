"""PodDisruptionBudgets, and the workloads that each of them covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from auditor.facts.by_label import ByLabel
from auditor.facts.selectors import RefusedError, Selector, Truth, parse_selector
from auditor.facts.workloads import Workload
from auditor.manifests import mapping
from auditor.model import Key, Resource
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

PDB = "PodDisruptionBudget"


@dataclass(frozen=True, slots=True)
class Guard:
    """One budget."""

    resource: Resource
    selector: Selector | None
    """None selects nothing; an empty one all pods of the namespace."""
    least: Any
    """minAvailable, and None where it is not written."""
    most: Any
    """maxUnavailable, likewise."""
    always: bool
    """Whether pods that are not ready may always go."""
    covered: tuple[Workload, ...]
    """Those of whose pods it surely speaks."""
    perhaps: tuple[Workload, ...]
    """Those of whose pods it may speak, by labels that only controllers write."""

    @property
    def rule(self) -> str:
        """What it asks for, as it is written."""
        if self.least is not None:
            return f"minAvailable {self.least}"
        return f"maxUnavailable {self.most}" if self.most is not None else ""


@dataclass
class Guards:
    """The budgets of a snapshot. Not frozen: it is filled once, when made.

    Cost: a budget looks at the workloads of its namespace that have one of the labels it asks for.
    """

    facts: Facts
    by_key: dict[Key, Guard] = field(default_factory=dict)
    _of: dict[Key, list[Guard]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        index = self.facts.by_label
        for resource in self.facts.snapshot.of_kind(PDB):
            guard = _guard(resource, index)
            if guard:
                self.by_key[resource.ref.key] = guard
                for workload in (*guard.covered, *guard.perhaps):
                    self._of.setdefault(workload.ref.key, []).append(guard)

    def of(self, workload: Workload) -> Sequence[Guard]:
        """The budgets that speak of its pods, or may."""
        return self._of.get(workload.ref.key, ())

    def surely_of(self, workload: Workload) -> Sequence[Guard]:
        """Those that surely do."""
        return [guard for guard in self.of(workload) if workload in guard.covered]


def _guard(resource: Resource, index: ByLabel) -> Guard | None:
    spec = mapping(resource.manifest.get("spec"))
    selector: Selector | None = None
    if spec.get("selector") is not None:
        try:
            selector = parse_selector(spec["selector"], ("spec", "selector"))
        except RefusedError:
            return None
    covered: list[Workload] = []
    perhaps: list[Workload] = []
    for workload, labels in index.candidates(resource.ref.namespace, selector):
        truth = selector.truth(labels) if selector else Truth.NO
        if truth > Truth.NO and workload.ref.kind != "PodTemplate":
            (covered if truth is Truth.YES else perhaps).append(workload)
    return Guard(
        resource=resource,
        selector=selector,
        least=spec.get("minAvailable"),
        most=spec.get("maxUnavailable"),
        always=spec.get("unhealthyPodEvictionPolicy") == "AlwaysAllow",
        covered=tuple(covered),
        perhaps=tuple(perhaps),
    )
