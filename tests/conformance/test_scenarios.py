"""Drains and updates of objects as users have them, against recordings of the real controllers.

The models themselves are compared elsewhere; here it is what is made of a snapshot for them. Only
recordings whose pods do nothing that a snapshot cannot say are asked about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from auditor.facts.controllers.case import Behaviour, behaviour_of
from auditor.facts.facts import Facts
from auditor.facts.scenarios.cluster import Cluster
from auditor.facts.scenarios.drained import drained
from auditor.facts.scenarios.rolled_out import rolled_out
from auditor.facts.unwritten import unwritten
from auditor.model import Manifest, Ref, Resource, Settings, Snapshot
from tests.conformance.test_controllers import cases

pytestmark = pytest.mark.conformance

APPS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")
LASTING = ("oracle.example/ready", "oracle.example/unready-after")
TIMED = (*LASTING, "oracle.example/ready-after", "oracle.example/stop-after")
"""What only takes time makes no difference to an update, of which all orders are explored."""
PLAIN_FLAGS = ("drain", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout")
Recorded = Mapping[str, Any]


def resource(manifest: Manifest, **metadata: Any) -> Resource:
    found = {**manifest, "metadata": {**manifest["metadata"], **metadata}}
    version = "apps/v1" if manifest["kind"] in APPS else manifest["apiVersion"]
    ref = Ref(
        version, manifest["kind"], found["metadata"].get("namespace", ""), found["metadata"]["name"]
    )
    return unwritten(ref, {**found, "apiVersion": version})


def cluster(*resources: Resource) -> Cluster:
    return Cluster.of(Facts(Snapshot(resources), Settings()))


def behaves(template: Mapping[str, Any], notes: tuple[str, ...]) -> bool:
    """Whether one of these annotations says how its pods behave."""
    return any(note in template.get("metadata", {}).get("annotations", {}) for note in notes)


def template_of(manifest: Manifest) -> dict[str, Any]:
    found: Mapping[str, Any] = (
        manifest if manifest["kind"] == "Pod" else manifest["spec"]["template"]
    )
    return dict(found)


def living(case: Recorded) -> Iterator[Resource]:
    """The objects of a case, with its pods as a live cluster has them."""
    makers = [o for o in case["objects"] if o["kind"] in (*APPS, "Pod")]
    for number, each in enumerate(case["objects"]):
        if each["kind"] != "Pod":
            yield resource(each, uid=f"object-{number}")
    for number, pod in enumerate(case["initialPods"]):
        maker = next(
            o for o in makers if pod["name"] == o["metadata"]["name"]
            or pod["name"].startswith(f"{o['metadata']['name']}-")
        )  # fmt: skip
        yield from born(pod, maker, number, case["objects"])


def born(
    pod: Recorded, maker: Manifest, number: int, objects: list[Manifest]
) -> Iterator[Resource]:
    """A pod of a maker, with the ReplicaSet between it and a Deployment."""
    metadata = dict(template_of(maker).get("metadata", {}))
    owner, uid = maker, f"object-{objects.index(maker)}"
    if maker["kind"] == "Deployment":
        name, uid = f"{maker['metadata']['name']}-1", f"{uid}-1"
        labels = {**metadata.get("labels", {}), "pod-template-hash": "1"}
        metadata = {**metadata, "labels": labels}
        owner = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": name,
                "labels": labels,
                "namespace": maker["metadata"].get("namespace", ""),
                "ownerReferences": [reference(maker, f"object-{objects.index(maker)}")],
            },
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": metadata}},
        }
        yield resource(owner, uid=uid)
    owners = [] if maker["kind"] == "Pod" else [reference(owner, uid)]
    yield resource(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                **metadata,
                "name": pod["name"],
                "namespace": maker["metadata"].get("namespace", ""),
                "ownerReferences": owners,
            },
            "spec": {**template_of(maker)["spec"], "nodeName": pod["node"]},
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": str(pod["ready"])}],
            },
        },
        uid=f"pod-{number}",
    )


def reference(owner: Manifest, uid: str) -> dict[str, Any]:
    version = "apps/v1"
    name = owner["metadata"]["name"]
    return {
        "apiVersion": version,
        "kind": owner["kind"],
        "name": name,
        "uid": uid,
        "controller": True,
    }


def drains() -> Iterator[tuple[Recorded, Recorded, str]]:
    """The cases that a snapshot says all of, with what was recorded of the first node."""
    for case in cases("drains"):
        steps, told = case["action"]["steps"], case["expected"]["steps"]
        node, flags = steps[0]["node"], steps[0]["args"]
        unusual = [f for f in flags if f != node and f.partition("=")[0] not in PLAIN_FLAGS]
        templates = [template_of(o) for o in case["objects"] if o["kind"] in (*APPS, "Pod")]
        if unusual or any(behaves(t, TIMED) for t in templates) or told[0]["result"] == "refused":
            continue
        yield case, told[0], node


def test_drains_of_live_pods_end_as_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    """Completed or blocked, on the same pods, with as many left without a node."""
    wrong: dict[str, object] = {}
    asked = 0
    for case, told, node in drains():
        asked += 1
        there = {each.ref.key: each for each in living(case)}
        outcome = drained(cluster(*there.values()), node)
        ours = outcome.result if len(outcome.ends) == 1 else told["result"]
        if ours != told["result"]:
            wrong[case["id"]] = (outcome.ends, outcome.blocked_on, told["result"])
        lost = sum(count for e in outcome.effects for count, _ in e.waiting)
        recorded = sum(not pod.get("node") for pod in told["podsAfter"])
        if len(outcome.ends) == 1 and not case["differsBetweenRuns"] and lost != recorded:
            wrong[case["id"]] = ("without a node", lost, recorded)
    with capsys.disabled():
        print(f"\ndrains of live pods: {asked - len(wrong)} of {asked} agree", end="")  # noqa: T201 the score
    assert not wrong
    assert asked > 40 or not asked


def updates(name: str) -> Iterator[tuple[Recorded, Manifest, Behaviour]]:
    """The updates that change the image, and how the new pods behave."""
    for case in cases(name):
        sent = case.get("action", {}).get("object")
        if case.get("action", {}).get("type") != "update" or sent is None:
            continue
        (before,) = (o for o in case["objects"] if o["kind"] == sent["kind"])
        if behaves(template_of(before), LASTING) or not same_but_image(before, sent):
            continue
        if case.get("initialSettled") in (None, "complete") and case["expected"].get(
            "accepted", True
        ):
            yield case, before, behaviour_of(template_of(sent)["metadata"])


def same_but_image(before: Manifest, sent: Manifest) -> bool:
    """Whether nothing that a scheduler or controller reads differs."""
    return bare(before) == bare(sent)


def bare(manifest: Manifest) -> dict[str, Any]:
    spec = dict(manifest["spec"])
    template = dict(spec.pop("template"))
    pod = dict(template["spec"])
    pod["containers"] = [{**c, "image": ""} for c in pod["containers"]]
    return {**spec, "pod": pod, "labels": template["metadata"].get("labels")}


@pytest.mark.parametrize("name", ["rollouts", "statefulsets", "daemonsets"])
def test_updates_end_as_recorded(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The recorded end is among ours, and no fewer pods were available than we say."""
    wrong: dict[str, object] = {}
    asked = 0
    for case, before, behaviour in updates(name):
        if "gate-MaxUnavailableStatefulSet-on" in case["tags"]:
            continue
        asked += 1
        there = cluster(*map(resource, case["objects"]))
        (group,) = (g for g in there.groups if g.ref.name == before["metadata"]["name"])
        outcome, told = rolled_out(there, group, behaviour), case["expected"]
        if told["end"] not in outcome.ends and told["end"] != "waiting-for-retry":
            wrong[case["id"]] = (outcome.ends, outcome.words, told["end"])
        elif outcome.effects[0].lowest > told["minAvailable"]:
            wrong[case["id"]] = (outcome.effects[0].lowest, told["minAvailable"])
    with capsys.disabled():
        print(f"\nupdates of {name}: {asked - len(wrong)} of {asked} agree", end="")  # noqa: T201 the score
    assert not wrong
    assert asked
