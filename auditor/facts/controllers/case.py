"""What is asked of the controllers: what there is, how its pods behave, and one action.

The form is that of recorded cases of real controllers: objects as they were sent to the API
server, and annotations on pods that say what their containers do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from auditor.facts.controllers.exploring import MOST_STATES
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Manifest
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.placement import Pod

_SECONDS = re.compile(r"[0-9]{1,9}(?:[.][0-9]{1,9})?")
_UNITS = {"h": 3600.0, "ms": 1e-3, "m": 60.0, "s": 1.0, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(rf"([0-9]{{1,9}}(?:[.][0-9]{{0,9}})?|[.][0-9]{{1,9}})({'|'.join(_UNITS)})")
PREFIX = "oracle.example/"
"""Of the annotations that say how a pod behaves."""


class UnmodelledError(Exception):
    """Something that no model here decides. Its text says what."""


class CaseError(Exception):
    """A case that is none. Its text says which field and why."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the containers of a pod do once it is bound. Times in seconds."""

    ready: str = ""
    """``never``, ``crash`` or ``imagepull``; ``manual`` where its status says it; empty: ready."""
    ready_after: float = 0.0
    unready_after: float | None = None
    """After it became ready, it becomes unready for good."""
    stop_after: float = 0.0
    """How long a deleted pod stays."""


def behaviour_of(metadata: Any) -> Behaviour:
    """What the annotations of a pod, or of a template, say.

    Raises:
        CaseError: a time is none.
    """
    notes = texts(mapping(mapping(metadata).get("annotations")))
    unready = notes.get(f"{PREFIX}unready-after")
    return Behaviour(
        ready=notes.get(f"{PREFIX}ready", ""),
        ready_after=seconds_of(notes.get(f"{PREFIX}ready-after", "0s")),
        unready_after=None if unready is None else seconds_of(unready),
        stop_after=seconds_of(notes.get(f"{PREFIX}stop-after", "0s")),
    )


def seconds_of(text: str, field: str = "annotation") -> float:
    """A time as Go's ``time.ParseDuration`` takes it, ``5s`` or ``1h30m``; or a number of seconds.

    Raises:
        CaseError: it is none.
    """
    if _SECONDS.fullmatch(text):
        return float(text)
    if not re.fullmatch(f"(?:{_PART.pattern})+", text):
        raise CaseError(f"{field}: {text!r} is no time as 5s or 1m30s")
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


@dataclass(frozen=True, slots=True)
class Case:
    """One action on what there is."""

    objects: tuple[Manifest, ...]
    """What existed before, as it was sent to the API server."""
    action: Mapping[str, Any]
    tags: frozenset[str] = frozenset()
    more: Mapping[str, Any] = field(default_factory=dict)
    """The other fields of the case: where pods were placed, whether other nodes are there …"""
    others: tuple[Pod, ...] = ()
    """Pods of others on the nodes, which stay where they are."""
    most_states: int = MOST_STATES
    """As many are explored in one step."""

    @property
    def type(self) -> str:
        """What is done: ``update``, ``evict``, ``kubectl-drain`` …"""
        return str(self.action.get("type", ""))

    def of_kind(self, *kinds: str) -> tuple[Manifest, ...]:
        """The objects of these kinds, in their order."""
        return tuple(each for each in self.objects if each.get("kind") in kinds)


@dataclass(frozen=True, slots=True)
class Course:
    """Several actions, one after the other, on the same objects."""

    first: Case
    actions: tuple[Mapping[str, Any], ...]
    """All of them; the first is that of `first`."""
    stepped: bool
    """Whether the case was written as steps, and is answered as such."""


CIRCUMSTANCES = ("dryRun", "deletedBefore")
"""What recordings write beside an answer and is part of the question."""


def _circumstances(fields: Mapping[str, Any]) -> list[Mapping[str, bool]]:
    """For each step of an eviction under which circumstances it was asked."""
    steps = sequence(mapping(fields.get("expected")).get("steps"))
    return [{key: mapping(step).get(key) is True for key in CIRCUMSTANCES} for step in steps]


def course_of(fields: Mapping[str, Any]) -> Course:
    """The actions of a case, as read from JSON.

    Raises:
        CaseError: it has no objects or no action.
    """
    objects = fields.get("objects")
    if not isinstance(objects, list) or not all(isinstance(each, dict) for each in objects):
        raise CaseError("objects: has to be a list of objects")
    stepped = "steps" in fields
    found = sequence(fields.get("steps")) if stepped else [fields]
    actions = tuple(mapping(mapping(each).get("action")) for each in found)
    if not actions or not all(isinstance(each.get("type"), str) for each in actions):
        raise CaseError(f"{'steps[].' if stepped else ''}action.type: is missing")
    tags = frozenset(each for each in sequence(fields.get("tags")) if isinstance(each, str))
    known = {"objects", "action", "steps", "tags", "expected", "secondRun", "differsBetweenRuns"}
    more = {key: value for key, value in fields.items() if key not in known}
    more["circumstances"] = _circumstances(fields)
    steps = [mapping(step) for step in sequence(fields.get("steps"))]
    more["interrupted"] = [step.get("interrupted") is True for step in steps]
    return Course(Case(tuple(objects), actions[0], tags, more), actions, stepped)


def templates_of(
    before: Manifest,
    course: Course,
    made: Callable[[Manifest], Manifest] = lambda template: template,
) -> tuple[Manifest, ...]:
    """The pod templates of a workload in the order of its revisions, each once; `made`: what its
    controller makes of one.
    """
    found: list[Manifest] = []
    sent = (action["object"] for action in course.actions if "object" in action)
    for each in (before, *sent):
        template = made(mapping(at(each, ("spec", "template"))))
        if template not in found:
            found.append(template)
    return tuple(found)


def namespace_of(manifest: Manifest) -> str:
    """The namespace of an object that belongs to one."""
    return str(at(manifest, ("metadata", "namespace")) or "default")


def name_of(manifest: Manifest) -> str:
    """The name of an object."""
    return str(at(manifest, ("metadata", "name")) or "")


def selector_of(controller: Manifest) -> Manifest:
    """The label selector of a workload; that of a ReplicationController is a plain mapping."""
    said = mapping(at(controller, ("spec", "selector")))
    return {"matchLabels": said} if controller.get("kind") == "ReplicationController" else said


def controller_of(manifest: Manifest) -> Manifest | None:
    """The owner reference of what controls an object."""
    for each in sequence(at(manifest, ("metadata", "ownerReferences"))):
        if mapping(each).get("controller") is True:
            return mapping(each)
    return None
