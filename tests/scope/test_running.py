"""One fault is one finding, on what people can edit."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from auditor.audit import audit
from auditor.fixes.case import Before
from auditor.fixes.offer import with_fixes
from auditor.fixes.proof import prove_together
from auditor.model import Audit, Origin, Resource, Settings, Snapshot
from auditor.terms import Authorship, Scope, Writer
from tests.bench import bench
from tests.company import made
from tests.facts.network.cluster import NoLines, resource

PRIVILEGED = "workload/privileged_container"
LABELS = {"app": "web"}
PROXY = {"name": "istio-proxy", "image": "istio/proxyv2", "securityContext": {"privileged": True}}


def judged(*objects: Resource, scope: Scope | None = None) -> Audit:
    settings = Settings(scope=scope or Scope())
    return audit(Snapshot(objects), bench(PRIVILEGED), settings)


def pods(count: int, **change: Any) -> list[Resource]:
    """Pods of ReplicaSet web, each with a change of its specification or annotations."""
    found = []
    for number in range(count):
        pod = made("Pod", f"web-{number}", "ReplicaSet/web", LABELS, bad=False)
        manifest: Any = copy.deepcopy(pod.manifest)
        manifest["metadata"]["annotations"] = change.get("notes", {})
        manifest["spec"]["containers"] += change.get("containers", [])
        manifest["spec"] |= change.get("spec", {})
        found.append(resource(manifest))
    return found


def controllers(*, bad: bool = False, kind: str = "Deployment") -> list[Resource]:
    return [
        made(kind, "web", "", LABELS, bad=bad),
        made("ReplicaSet", "web", f"{kind}/web", LABELS, bad=bad),
    ]


def test_fifty_pods_with_the_same_sidecar_are_one_finding() -> None:
    """On the Deployment, with who added it and in how many pods."""
    injected = pods(50, containers=[PROXY], notes={"sidecar.istio.io/status": "{}"})
    (finding,) = judged(*controllers(), *injected).findings
    assert str(finding.ref) == "shop/web[Deployment]"
    assert finding.message == (
        "container 'istio-proxy' runs privileged (in 50 running pods: container 'istio-proxy' was "
        "added by Istio's sidecar injector)"
    )
    assert len(finding.pods) == 50
    assert finding.remedy is None
    assert finding.authorship
    assert "istio-injection" in finding.authorship.mend


def test_a_container_that_only_has_the_name_is_of_no_known_injector() -> None:
    """The annotation that the injector leaves is missing."""
    (finding,) = judged(*controllers(), *pods(1, containers=[PROXY])).findings
    assert "in 1 running pod: " in finding.message
    assert "a mutating admission webhook or policy" in finding.message


def test_two_causes_are_two_findings() -> None:
    """Each is mended in another place."""
    debugger = {"name": "sh", "image": "busybox", "securityContext": {"privileged": True}}
    debugged = pods(1, spec={"ephemeralContainers": [debugger]})[0]
    other = resource({**debugged.manifest, "metadata": {**debugged.manifest["metadata"]}})
    writers = (Writer("kubectl-debug", "Update", "ephemeralcontainers"),)
    live = replace(other, origin=Origin("x", NoLines(), authorship=Authorship(writers=writers)))
    manifest: Any = copy.deepcopy(pods(1, containers=[PROXY])[0].manifest)
    manifest["metadata"]["name"] = "web-9"
    first, second = judged(*controllers(), live, resource(manifest)).findings
    messages = sorted((first.message, second.message))
    assert "'istio-proxy'" in messages[0]
    assert "was added to the running pod by kubectl-debug" in messages[1]


def test_what_the_template_has_as_well_is_told_once() -> None:
    """The pods are copies of it."""
    answer = judged(*controllers(bad=True), *pods(3))
    assert [str(f.ref) for f in answer.findings] == ["shop/web[Deployment]"]
    assert answer.findings[0].pods == ()


def test_an_older_revision_that_still_runs_is_told_on_the_deployment() -> None:
    """With the pods that it has left; a revision that was scaled to nothing is history."""
    old = made("ReplicaSet", "old", "Deployment/web", LABELS, bad=True)
    pod: Any = copy.deepcopy(made("Pod", "old-1", "ReplicaSet/old", LABELS, bad=True).manifest)
    (finding,) = judged(*controllers(), old, resource(pod)).findings
    assert finding.message == (
        "container 'main' runs privileged (in 1 running pod: of an older revision that still runs)"
    )
    idle: Any = copy.deepcopy(old.manifest)
    idle["spec"]["replicas"] = 0
    answer = judged(*controllers(), resource(idle))
    assert answer.findings == ()
    assert len(answer.folded) == 1


def test_admission_judges_each_pod_for_itself() -> None:
    """Without a scope nothing is gathered: a request is about one object."""
    injected = pods(2, containers=[PROXY])
    answer = audit(Snapshot((*controllers(), *injected)), bench(PRIVILEGED), Settings())
    assert [f.ref.name for f in answer.findings] == ["web-0", "web-1"]


def owned_by_kafka(name: str, image: str = "kafka") -> Resource:
    manifest: Any = copy.deepcopy(made("Pod", name, "", LABELS, bad=True).manifest)
    manifest["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "core.strimzi.io/v1beta2",
            "kind": "StrimziPodSet",
            "name": "events",
            "uid": "k",
            "controller": True,
        }
    ]
    manifest["spec"]["containers"][0]["image"] = image
    return resource(manifest)


def test_pods_whose_owner_was_not_read_are_told_once() -> None:
    """A dump of pods alone, or a forbidden list of ReplicaSets: the fault is one all the same."""
    (finding,) = judged(*pods(5, containers=[PROXY])).findings
    assert "in 5 running pods: all of ReplicaSet shop/web" in finding.message
    assert [ref.name for ref in finding.pods] == [f"web-{n}" for n in range(5)]


FAULTS = st.lists(st.sampled_from(["clean", "bad", "injected"]), min_size=1, max_size=6)


@given(
    template=st.booleans(),
    revision=st.booleans(),
    read=st.booleans(),
    faults=FAULTS,
)
def test_no_faulty_pod_is_lost(
    template: bool, revision: bool, read: bool, faults: list[str]
) -> None:
    """Each is told itself, is among the pods of a finding, or has a template with that fault."""
    objects = [
        made("Deployment", "web", "", LABELS, bad=template),
        made("ReplicaSet", "web", "Deployment/web", LABELS, bad=revision),
    ]
    made_pods = []
    for number, fault in enumerate(faults):
        one: Any = copy.deepcopy(
            made("Pod", f"p{number}", "ReplicaSet/web", LABELS, bad=fault == "bad").manifest
        )
        one["spec"]["containers"] += [PROXY] if fault == "injected" else []
        made_pods.append(resource(one))
    answer = judged(*(objects if read else []), *made_pods)
    told = {(f.ref.name, f.anchor) for f in answer.findings}
    named = {(ref.name, f.anchor) for f in answer.findings for ref in f.pods}
    for pod, fault in zip(made_pods, faults, strict=True):
        anchor = {"bad": "main", "injected": "istio-proxy"}.get(fault)
        if anchor:
            ours = {(pod.ref.name, anchor), *([("web", anchor)] if read else [])}
            assert ours & (told | named)
    assert len({f.fingerprint for f in answer.findings}) <= 3


def test_pods_of_one_custom_owner_are_told_once() -> None:
    """On the first pod, since the owner was not read; it is named."""
    (finding,) = judged(*(owned_by_kafka(f"events-{n}") for n in range(3))).findings
    assert str(finding.ref) == "shop/events-0[Pod]"
    assert "in 3 running pods: all of StrimziPodSet shop/events" in finding.message
    assert [ref.name for ref in finding.pods] == ["events-0", "events-1", "events-2"]


def test_a_stranger_that_claims_the_owner_is_told_for_itself() -> None:
    """It runs something else than the others."""
    answer = judged(owned_by_kafka("events-0"), owned_by_kafka("miner", image="miner"))
    assert len(answer.findings) == 2


def test_a_pod_that_merely_claims_a_deployment_is_told_for_itself() -> None:
    """No controller would have made it: its labels fit no selector."""
    pod: Any = copy.deepcopy(pods(1, containers=[PROXY])[0].manifest)
    pod["metadata"]["labels"] = {"app": "other"}
    (finding,) = judged(*controllers(), resource(pod)).findings
    assert finding.ref.kind == "Pod"


def test_several_fixes_of_a_running_template_go_together() -> None:
    """The pods that the templates left behind are no reason to doubt the fixes."""
    objects = [*controllers(bad=True)]
    pod: Any = made("Pod", "web-1", "ReplicaSet/web", LABELS, bad=True).manifest
    other = made("Deployment", "api", "", {"app": "api"}, bad=True)
    snapshot = Snapshot((*objects, resource(pod), other))
    settings = Settings(scope=Scope())
    answer = with_fixes(audit(snapshot, bench(PRIVILEGED), settings), bench(PRIVILEGED), settings)
    changes = tuple(change for f in answer.findings if f.fix for change in f.fix.changes)
    before = Before(answer, bench(PRIVILEGED), settings)
    assert len(changes) == 2
    assert prove_together(before, answer.findings, changes, ()).holds
