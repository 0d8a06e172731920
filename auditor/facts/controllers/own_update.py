"""The next update of a Deployment where it runs: the same pods of another revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from auditor.facts.controllers import rollouts
from auditor.facts.controllers.case import Case, Course
from auditor.facts.controllers.rolling import Strategy
from auditor.facts.placement import Pod
from auditor.model import Manifest
from auditor.values import dataclass

MOST_NODES, MOST_PODS, MOST_OTHERS, MOST_STATES = 12, 6, 300, 4000
"""Of a question that is explored: each of its states costs some tenths of a millisecond."""

_MARK = {"auditor/revision": "next"}


@dataclass(frozen=True, slots=True)
class Passage:
    """What becomes of an update."""

    lowest: int
    """The fewest available pods of any order of events."""
    ends: tuple[str, ...]
    why: str
    """What keeps the pods that are missing in the end; empty where none are."""
    whole: bool
    """Whether every order was looked at."""


def own_update(
    template: Manifest, strategy: Strategy, nodes: Sequence[Manifest], others: Sequence[Pod]
) -> Passage | None:
    """Every order in which the update can go, from a start at which all pods are available.

    `template`: labels, namespace and specification of the pods. `others`: the pods of others on the
    nodes. None where there is more than can be looked at.
    """
    pods = strategy.replicas + strategy.surge
    if len(nodes) > MOST_NODES or pods > MOST_PODS or len(others) > MOST_OTHERS:
        return None
    before, after = (_deployment(template, strategy, marks) for marks in ({}, _MARK))
    action = {"type": "update", "object": after}
    case = Case((*nodes, before), action, others=tuple(others), most_states=MOST_STATES)
    told = rollouts.answer(Course(case, (action,), stepped=False))
    if not told.get("accepted"):
        return None
    why = "; ".join(dict.fromkeys(str(each["message"]) for each in told["why"]))
    return Passage(told["minAvailable"], tuple(told["ends"]), why, "notExplored" not in told)


def _deployment(template: Manifest, strategy: Strategy, marks: Mapping[str, str]) -> Manifest:
    metadata = {"labels": template["labels"], "annotations": dict(marks)}
    rolling = {"maxSurge": strategy.surge, "maxUnavailable": strategy.unavailable}
    how: dict[str, Any] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    return {
        "kind": "Deployment",
        "metadata": {"name": "it", "namespace": template["namespace"]},
        "spec": {
            "replicas": strategy.replicas,
            "strategy": {"type": "Recreate"} if strategy.recreate else how,
            "template": {"metadata": metadata, "spec": template["spec"]},
        },
    }
