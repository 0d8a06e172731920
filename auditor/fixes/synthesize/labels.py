"""Which labels mean one workload and nobody else; a new one where none do.

A policy sees pods by their labels alone. A selector that matches a stranger as well would isolate
him, or let him in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import field
from typing import Any

from auditor.facts import Facts
from auditor.facts.network.points import runtime_labels
from auditor.facts.selectors import Requirement, Selector
from auditor.facts.workloads import Workload
from auditor.fixes.labelled import is_asked
from auditor.fixes.operations import patched
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.manifests import at, texts
from auditor.model import Change, Key, Operation
from auditor.values import dataclass

NEW_KEYS = (
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
)
"""What may tell a workload from others, in the words of
https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/"""

RELABELLED = ("Deployment", "StatefulSet", "DaemonSet", "CronJob")
"""Kinds whose controllers replace the pods, or make new ones, when the template changes."""

_VALUE = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


@dataclass(slots=True)
class Labels:
    """Chooses labels for the selectors of one fix. Not frozen: it collects the labels to add."""

    facts: Facts
    added: dict[Key, Change] = field(default_factory=dict)
    """The pod templates with one label more, by their workload."""
    _chosen: dict[tuple[Key, frozenset[Key]], Mapping[str, str]] = field(default_factory=dict)

    def of(self, workload: Workload, friends: Collection[Key] = ()) -> dict[str, str]:
        """The labels that mean `workload`, and of all others in its namespace none but `friends`.

        Raises:
            CannotBuildError: there are none, and none can be added.
        """
        asked = workload.ref.key, frozenset(friends)
        known = self._chosen.get(asked)
        if known is None:
            known = self._chosen[asked] = self._telling(workload, friends)
        return dict(known)

    def _telling(self, workload: Workload, friends: Collection[Key]) -> Mapping[str, str]:
        own = selecting(workload)
        for labels in (own, _lasting(workload, workload.labels)):
            if labels and not any(_meant(self.facts, workload, labels, friends)):
                return labels
        return self._marked(workload, own, friends)

    def _marked(
        self, workload: Workload, own: Mapping[str, str], friends: Collection[Key]
    ) -> Mapping[str, str]:
        """The labels with a new one, which nothing selects by yet."""
        stranger = next(_meant(self.facts, workload, own, friends))
        told = f"no label tells the pods of {workload.name} from those of {stranger.name}"
        if workload.ref.kind not in RELABELLED:
            raise CannotBuildError(
                f"{told}, and those of a {workload.ref.kind} cannot be given one: give it a label"
                " of its own"
            )
        for key in NEW_KEYS:
            labels = {**own, key: workload.ref.name}
            free = key not in workload.labels and not is_asked(self.facts.snapshot, key)
            if free and not any(_meant(self.facts, workload, labels, friends)):
                self.added[workload.ref.key] = _relabelled(workload, key)
                return labels
        raise CannotBuildError(f"{told}: give it a label of its own")


def selecting(workload: Workload) -> dict[str, str]:
    """The labels that mean this workload: those of its own selector, else those of its pods, less
    those that its controller writes at run time. They may mean others as well: see `Labels`.

    Raises:
        CannotBuildError: its pods have none.
    """
    chosen = texts(at(workload.resource.manifest, ("spec", "selector", "matchLabels")))
    for labels in (chosen, workload.labels):
        lasting = _lasting(workload, labels)
        if lasting:
            return lasting
    raise CannotBuildError(f"the pods of {workload.name} have no labels to select them by")


def _lasting(workload: Workload, labels: Mapping[str, str]) -> dict[str, str]:
    passing = {"pod-template-hash", *runtime_labels(workload)}
    return {key: value for key, value in labels.items() if key not in passing}


def _meant(
    facts: Facts, workload: Workload, labels: Mapping[str, str], friends: Collection[Key]
) -> Iterator[Workload]:
    """The others that these labels mean, or may."""
    asked = Selector(tuple(Requirement(k, "In", frozenset((v,))) for k, v in labels.items()))
    for other, _ in facts.keeper.cast.chosen(workload.ref.namespace, asked):
        if other.ref != workload.ref and other.ref.key not in friends:
            yield other


def _relabelled(workload: Workload, key: str) -> Change:
    if not _VALUE.fullmatch(workload.ref.name):
        raise CannotBuildError(f"{workload.ref.name} is too long for the value of a label")
    where = (*workload.template_path, "metadata", "labels", key)
    value: Any = workload.ref.name
    return patched(workload.resource, Operation("add", where, value))
