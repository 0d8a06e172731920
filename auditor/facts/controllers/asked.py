"""Looks whether a case says what its model reads: a field that is left out or misspelt must not be
answered as if nothing were done.

Fields that no known one resembles may be there: recordings write notes of their own beside.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace

from auditor.facts.controllers.case import Case, CaseError, Course
from auditor.manifests import at, mapping, sequence
from auditor.values import dataclass

SCALED_DOWN = ("ReplicaSet", "ReplicationController")


@dataclass(frozen=True, slots=True)
class Form:
    """What one type of action is made of, besides ``type`` and ``kind``."""

    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    pods: bool = False
    """Whether the case lists ``initialPods`` beside the action."""
    kinds: tuple[str, ...] = ()
    """One of these kinds is among the objects."""


UPDATE = Form(("object",), ("storedUpdateStrategy",))
SCALE_DOWN = Form(("name", "to"), kinds=SCALED_DOWN)
FORMS: Mapping[str, Form] = {
    "create": Form(("object",)),
    "evict": Form(("order",), ("mode",)),
    "lose-node": Form(("how", "nodes"), pods=True),
    "kubectl-drain": Form(("steps",), pods=True),
    "observe": Form(),
    "change": Form(may=("pods", "service")),
    "delete-pod": Form(("pod",)),
}
"""Type of the action → its form; every other is an `UPDATE`."""


def examine(course: Course, kind: str) -> None:
    """Look at all actions of a course. `kind`: what the first is done to.

    Raises:
        CaseError: something is missing or misspelt, or a node is not there.
    """
    for number, action in enumerate(course.actions):
        case = replace(course.first, action=action)
        _examine(case, kind, f"steps[{number}].action" if course.stepped else "action")


def _examine(case: Case, kind: str, place: str) -> None:
    scaled_down = case.type == "scale" and kind in SCALED_DOWN
    form = FORMS.get(case.type, SCALE_DOWN if scaled_down else UPDATE)
    known = ("type", "kind", *form.needs, *form.may)
    for key in case.action:
        if key not in known and (meant := difflib.get_close_matches(key, known, 1, 0.75)):
            raise CaseError(f"{place}.{key}: is no field; did you mean '{meant[0]}'?")
    for key in form.needs:
        if key not in case.action:
            raise CaseError(f"{place}.{key}: is missing; '{case.type}' asks for it")
    if form.pods and not isinstance(case.more.get("initialPods"), list):
        raise CaseError("initialPods: has to list the pods that are there, and their nodes")
    if form.kinds and not case.of_kind(*form.kinds):
        raise CaseError(f"objects: there is no {' or '.join(form.kinds)}")
    if form.pods:
        _check_nodes(case, place)


def _check_nodes(case: Case, place: str) -> None:
    there = [at(node, ("metadata", "name")) for node in case.of_kind("Node")]
    drained = [mapping(step).get("node") for step in sequence(case.action.get("steps"))]
    for name in (*sequence(case.action.get("nodes")), *drained):
        if name not in there:
            raise CaseError(f"{place}: there is no node {name!r}")
