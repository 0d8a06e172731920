"""Finds the model that answers a case."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

from auditor.facts.controllers.asked import examine
from auditor.facts.controllers.case import CaseError, Course, UnmodelledError
from auditor.facts.controllers.checking import checked
from auditor.manifests import mapping

Answer = Mapping[str, Any]

UPDATES = ("update", "scale", "rollback", "partition", "update-paused", "scale-paused", "resume")
"""What is done to a workload."""
UPDATED: Mapping[str, str] = {
    "Deployment": "rollouts",
    "StatefulSet": "stateful_sets",
    "DaemonSet": "daemon_sets",
}
"""Kind of the workload → the module that knows its controller."""

MODELS: Mapping[tuple[str, str], str] = {
    ("create", ""): "validation",
    ("evict", ""): "evictions",
    ("lose-node", ""): "node_loss",
    ("kubectl-drain", ""): "drains",
    ("observe", ""): "endpoints",
    ("change", ""): "endpoints",
    ("delete-pod", ""): "stateful_sets",
    **{(action, kind): module for kind, module in UPDATED.items() for action in UPDATES},
    ("scale", "ReplicaSet"): "scale_down",
    ("scale", "ReplicationController"): "scale_down",
}
"""Type of the action, kind of what it is done to (empty where that does not matter) → the module
whose `answer` takes the course and gives the answer.
"""


def what_if(course: Course) -> Answer:
    """What the controllers make of it, in the keys of the recorded cases.

    Raises:
        UnmodelledError: no model knows the action.
        CaseError: a field of the case is wrong.
    """
    updates = course.first.type in (*UPDATES, "delete-pod")
    course = checked(course, UPDATED if updates else ())
    action = course.first.action
    kind = str(action.get("kind") or mapping(action.get("object")).get("kind") or "")
    kind = kind or _workload(course)
    if course.first.type == "delete-pod":
        kind = "StatefulSet"  # of no other does it matter which pod it is
    if updates and kind in UPDATED:
        _check_update(course, kind)
    name = MODELS.get((course.first.type, kind)) or MODELS.get((course.first.type, ""))
    if name is None:
        raise UnmodelledError(_unknown(course.first.type, kind))
    examine(course, kind)
    module = importlib.import_module(f"auditor.facts.controllers.{name}")
    answer: Answer = module.answer(course)
    return answer


def _unknown(action: str, kind: str) -> str:
    """That nothing is known of it, and what there is instead."""
    told = f"no model of the action {action!r} on {kind or 'this'}"
    if on := [each for done, each in MODELS if done == action]:
        return f"{told}; it is known on {', '.join(on)}"
    known = dict.fromkeys(done for done, _ in MODELS)
    meant = difflib.get_close_matches(action, known, 1)
    return f"{told}; " + (
        f"did you mean {meant[0]!r}?" if meant else f"there are {', '.join(known)}"
    )


def _check_update(course: Course, kind: str) -> None:
    """That there is a workload of this kind, and what it becomes."""
    if not course.first.of_kind(kind):
        raise CaseError(f"objects: there is no {kind}")
    if any("object" not in a for a in course.actions if a["type"] != "delete-pod"):
        raise CaseError("action.object: is missing")


def _workload(course: Course) -> str:
    """The kind of the one workload there is, where the action names none."""
    kinds = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")
    found = {str(each.get("kind")) for each in course.first.of_kind(*kinds)}
    return found.pop() if len(found) == 1 else ""
