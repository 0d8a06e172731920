"""Looks at a case before any model does, so that models need not: every value has the type that the
API gives it, every object is one that an API server takes, and no number is beyond what a model
can count through.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from auditor.facts.controllers.case import CaseError, Course, UnmodelledError
from auditor.facts.controllers.validation import faults as invalid
from auditor.facts.placement.quantities import QuantityError, parse
from auditor.facts.schema.types import Unfit
from auditor.facts.schema.types import faults as unfit
from auditor.facts.unwritten import unwritten
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest, Ref

VERSION = 136
"""The Kubernetes whose controllers are modelled."""
MOST_REPLICAS = 10_000
API_VERSIONS: Mapping[str, str] = {
    "DaemonSet": "apps/v1",
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "Node": "v1",
    "Pod": "v1",
    "PodDisruptionBudget": "policy/v1",
    "ReplicationController": "v1",
    "ResourceQuota": "v1",
    "Service": "v1",
}
"""The kinds that models read, whatever version an object says."""
WORKLOADS = ("DaemonSet", "Deployment", "StatefulSet")
QUANTITIES = {
    "Node": ("status", "allocatable"),
    "ResourceQuota": ("spec", "hard"),
}
"""Where a kind has a mapping of quantities."""
ACTION: Mapping[str, type] = {
    "kind": str,
    "name": str,
    "how": str,
    "pod": str,
    "nodes": list,
    "order": list,
    "to": list,
    "steps": list,
    "pods": dict,
    "service": dict,
    "object": dict,
}
"""The fields of an action that models read."""
WORDS: Mapping[type, str] = {str: "text", list: "a list", dict: "an object"}


def checked(course: Course, updated: Collection[str] = ()) -> Course:
    """The course without what is null, which is nothing. `updated`: the kinds of workloads of which
    more is asked than names, labels and replicas.

    Raises:
        CaseError: a value is of another type, or the API server would not have the object.
        UnmodelledError: there are more replicas than a model can follow.
    """
    case = course.first
    objects = tuple(_object(each, f"objects[{n}]") for n, each in enumerate(case.objects))
    _check_existing(objects, updated)
    actions = tuple(
        _action(each, f"steps[{n}].action" if course.stepped else "action")
        for n, each in enumerate(course.actions)
    )
    first = replace(case, objects=objects, action=actions[0], more=_plain(case.more))
    return replace(course, first=first, actions=actions)


def _check_existing(objects: Sequence[Manifest], updated: Collection[str]) -> None:
    """What is there already was taken by an API server, each under a name of its own."""
    names: set[tuple[str, str, str]] = set()
    for number, each in enumerate(objects):
        name, namespace = (at(each, ("metadata", key)) for key in ("name", "namespace"))
        if not isinstance(name, str) or not name:
            raise CaseError(f"objects[{number}].metadata.name: has to be text")
        key = (str(each["kind"]), str(namespace or ""), name)
        if key in names:
            raise CaseError(f"objects[{number}]: there is another {key[0]} {name!r}")
        names.add(key)
        judged = each["kind"] in updated or each["kind"] not in WORKLOADS
        if judged and (fault := next(invalid(each), None)):
            raise CaseError(f"objects[{number}]: {fault}")


def _action(action: Manifest, field: str) -> Manifest:
    found: dict[str, Any] = _plain(action)
    for key, wanted in ACTION.items():
        if key in found and not isinstance(found[key], wanted):
            raise CaseError(f"{field}.{key}: has to be {WORDS[wanted]}")
    for name in sequence(found.get("nodes")):
        if not isinstance(name, str):
            raise CaseError(f"{field}.nodes: has to be a list of names")
    if "object" in found:
        found["object"] = _object(found["object"], f"{field}.object")
    return found


def _object(manifest: Manifest, field: str) -> Manifest:
    plain: Manifest = _plain(manifest)
    if not isinstance(plain.get("kind"), str):
        raise CaseError(f"{field}.kind: has to be text")
    if fault := next(_faults(plain), ""):
        raise CaseError(f"{field}: {fault}")
    replicas = at(plain, ("spec", "replicas"))
    if isinstance(replicas, int) and replicas > MOST_REPLICAS:
        raise UnmodelledError(f"{field}.spec.replicas: more than {MOST_REPLICAS} are not modelled")
    return plain


def _faults(manifest: Manifest) -> Iterator[str]:
    """What is not as the API has it: the types of fields, and quantities."""
    kind = str(manifest["kind"])
    ref = Ref(API_VERSIONS.get(kind, ""), kind, "", "")
    found = unfit(unwritten(ref, manifest), VERSION)
    yield from (str(each) for each in found if each.what is Unfit.TYPE)
    for path, value in _quantities(manifest, kind):
        try:
            parse(value)
        except QuantityError as error:
            yield f"{path}: {error}"


def _quantities(manifest: Manifest, kind: str) -> Iterator[tuple[str, Any]]:
    way = QUANTITIES.get(kind, ())
    for key, value in mapping(at(manifest, way)).items() if way else ():
        yield f"{'.'.join(way)}.{key}", value
    pod = manifest if kind == "Pod" else mapping(at(manifest, ("spec", "template")))
    for number, container in enumerate(sequence(at(pod, ("spec", "containers")))):
        for section in ("requests", "limits"):
            said = mapping(at(container, ("resources", section)))
            for key, value in said.items():
                yield f"containers[{number}].resources.{section}.{key}", value


def _plain(value: Any) -> Any:
    """The value as a controller sees it: what is null is not there, and 3.0 is 3."""
    if isinstance(value, Mapping):
        return {key: _plain(inside) for key, inside in value.items() if inside is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(inside) for inside in value if inside is not None]
    return int(value) if isinstance(value, float) and value.is_integer() else value
