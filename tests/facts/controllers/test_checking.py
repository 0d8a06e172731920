"""Cases are written by hand: whatever stands in one, the answer is one, or names what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.controllers import CaseError, UnmodelledError, course_of, what_if
from tests.facts.controllers.cases import LABELS, deployment, node

Case = dict[str, Any]
Place = tuple[str | int, ...]

BUDGET: Case = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "web"},
    "spec": {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}},
}
QUOTA: Case = {
    "kind": "ResourceQuota",
    "metadata": {"name": "few"},
    "spec": {"hard": {"pods": "5"}},
}
POD: Case = {
    "kind": "Pod",
    "metadata": {"name": "web-1", "labels": LABELS},
    "spec": {"nodeName": "a", "tolerations": [{"key": "k", "tolerationSeconds": 3}]},
    "attributes": {"phase": "Running", "ready": True, "restarts": 1},
}
SERVICE: Case = {
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {"selector": LABELS, "ports": [{"port": 80, "targetPort": 8080}]},
}


def workload(kind: str, image: str = "1") -> Case:
    """Two pods, of a controller of this kind."""
    made = deployment(2, image)
    spec = {key: value for key, value in made["spec"].items() if key != "strategy"}
    return {**made, "kind": kind, "spec": {**spec, "updateStrategy": {"rollingUpdate": {}}}}


def case(action: Case, *objects: Case, **more: Any) -> Case:
    """A case on two nodes."""
    return {"objects": [node("a"), node("b", "z"), *objects], "action": action, **more}


DRAIN = {"args": ["drain", "a", "--ignore-daemonsets", "--timeout=9s"], "node": "a"}
PLACED = [{"name": "web-1", "pod": "web-1", "node": "a", "ready": True}]
CASES = {
    "rollout": case(
        {"type": "update", "object": deployment(2, "2")}, deployment(2, ready="crash"), QUOTA
    ),
    **{
        kind: case({"type": "update", "object": workload(kind, "2")}, workload(kind))
        for kind in ("StatefulSet", "DaemonSet")
    },
    "create": case({"type": "create", "object": BUDGET}),
    "evict": case({"type": "evict", "order": ["web-1"]}, POD, BUDGET, workload("StatefulSet")),
    "scale": case(
        {"type": "scale", "kind": "ReplicaSet", "name": "web", "to": [1, 0]},
        workload("ReplicaSet"),
        POD,
        {**POD, "metadata": {**POD["metadata"], "name": "web-2"}},
    ),
    "lose": case({"type": "lose-node", "how": "taint", "nodes": ["a"]}, POD, initialPods=PLACED),
    "drain": case(
        {"type": "kubectl-drain", "steps": [DRAIN]},
        workload("StatefulSet"),
        BUDGET,
        initialPods=PLACED,
    ),
    "delete": case({"type": "delete-pod", "pod": "web-1"}, workload("StatefulSet")),
    "change": case({"type": "change", "pods": {"0": {"ready": False}}}, POD, SERVICE),
}
ODD: tuple[Any, ...] = (
    None, "", "x", "500%", "-1%", -1, 0, 10**12, 1.5, True, [], {}, [None], ["x"], [{}],
    {"a": None},
)  # fmt: skip


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Everything in a case, by its place."""
    if not isinstance(value, (dict, list)):
        return
    for key, inside in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield (*place, key)
        yield from places(inside, (*place, key))


def put(value: Any, place: Place, odd: Any) -> Any:
    """The same with something else at that place."""
    if not place:
        return odd
    key, *rest = place
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = put(value[key], tuple(rest), odd)
    return copy


@pytest.mark.parametrize("name", CASES)
def test_every_case_here_is_answered(name: str) -> None:
    """So that the test below does not begin from something that is refused anyway."""
    assert what_if(course_of(CASES[name]))


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_whatever_is_wrong_is_named(data: st.DataObject) -> None:
    """One value of a case is replaced by one that has no business there."""
    whole = CASES[data.draw(st.sampled_from(sorted(CASES)))]
    place = data.draw(st.sampled_from(list(places(whole))))
    odd = put(whole, place, data.draw(st.sampled_from(ODD)))
    with suppress(CaseError, UnmodelledError):
        assert isinstance(what_if(course_of(odd)), dict)


@pytest.mark.parametrize(
    ("name", "place", "odd", "complaint"),
    [
        ("rollout", ("objects", 2, "spec", "replicas"), "x", "objects[2]: spec.replicas must be"),
        ("rollout", ("objects", 2, "spec", "replicas"), -1, "objects[2]: spec.replicas: -1"),
        ("rollout", ("objects", 2, "spec", "replicas"), 10**9, "more than 10000"),
        ("delete", ("objects", 2, "kind"), "Deployment", "there is no StatefulSet"),
        ("delete", ("action", "pod"), "web-²", "action.pod: there is no pod 'web-²'"),
        ("delete", ("action", "pod"), "web-٣", "action.pod: there is no pod 'web-٣'"),
        ("delete", ("action", "pod"), "web-" + "1" * 5000, "action.pod: there is no pod"),
        ("rollout", ("action", "object"), None, "action.object: is missing"),
        ("StatefulSet", ("action", "object"), None, "action.object: is missing"),
        ("rollout", ("objects", 2, "kind"), "Secret", "there is no Deployment"),
        ("rollout", ("objects", 3, "spec", "hard", "pods"), "many", "spec.hard.pods"),
        ("rollout", ("objects", 0, "metadata", "name"), "", "objects[0].metadata.name"),
        ("rollout", ("objects", 0, "metadata", "name"), "b", "another Node 'b'"),
        ("lose", ("action", "nodes"), [{}], "action.nodes: has to be a list of names"),
        ("evict", ("action", "order"), {}, "action.order: has to be a list"),
        ("drain", ("action", "steps", 0, "args"), ["--timeout=soon"], "--timeout: 'soon'"),
        ("evict", ("objects", 3, "spec", "maxUnavailable"), {}, "spec.maxUnavailable must be"),
    ],
)
def test_the_field_is_named(name: str, place: Place, odd: Any, complaint: str) -> None:
    with pytest.raises((CaseError, UnmodelledError)) as raised:
        what_if(course_of(put(CASES[name], place, odd)))
    assert complaint in str(raised.value)


def test_null_is_what_is_not_written() -> None:
    """As for the API server: one replica."""
    nulled = put(CASES["rollout"], ("objects", 2, "spec", "replicas"), None)
    whole = put(CASES["rollout"], ("objects", 2, "spec", "replicas"), 1)
    assert what_if(course_of(nulled)) == what_if(course_of(whole))
