"""The traps of updates and budgets against what real controllers did (Kubernetes 1.36.3): each
policy fires on recorded cases, and what it says of them is what was recorded.

A finding is taken at its word: where it says that an update never ends, that every eviction is
refused, or that a field is dropped, the recording says so too. And where the recording says so for
that reason, there is a finding.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from auditor.audit import audit
from auditor.facts.controllers import course_of, what_if
from auditor.facts.controllers.budgets import is_ready
from auditor.model import Finding, Resource, Settings, Snapshot
from tests.bench import bench
from tests.facts.network.cluster import resource

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance")) / "controllers"

Recorded = Mapping[str, Any]

pytestmark = pytest.mark.conformance


@cache
def cases(name: str) -> tuple[Recorded, ...]:
    """The recorded cases of one file."""
    file = DATA / f"{name}.jsonl"
    if not file.is_file():
        why = f"no recorded answers in {DATA}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    return tuple(json.loads(line) for line in file.read_text("utf-8").splitlines())


def asked(policy: str, manifests: Iterable[Mapping[str, Any]]) -> tuple[Finding, ...]:
    """What one policy says of these objects."""
    found = tuple(_resource(each) for each in manifests if each.get("apiVersion"))
    return audit(Snapshot(found), bench(policy), Settings()).findings


def _resource(manifest: Mapping[str, Any]) -> Resource:
    return resource({**manifest, "metadata": {"name": "w", **manifest["metadata"]}})


def tagged(name: str, *tags: str) -> Iterator[Recorded]:
    """The cases with all of these tags."""
    return (case for case in cases(name) if set(tags) <= set(case["tags"]))


# Budgets.


def budgeted(case: Recorded, **status: Any) -> list[Mapping[str, Any]]:
    """The objects of an eviction, as they are written: pods that a controller makes stand in no
    file. `status` is what each budget says of itself.
    """
    objects = case["objects"]
    makes = any(o["kind"] in CONTROLLERS for o in objects)
    kept = [o for o in objects if not (makes and o["kind"] == "Pod" and not _is_bare(o, case))]
    return [{**o, **status} if o["kind"] == "PodDisruptionBudget" else o for o in kept]


CONTROLLERS = ("ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "Deployment")


def _is_bare(pod: Recorded, case: Recorded) -> bool:
    """Whether nothing adopts it: the recorder says so by the tag of the whole case."""
    return "mixed-owned-and-bare" in case["tags"] or "owner-none" in case["tags"]


def refused_for_ever(case: Recorded) -> bool:
    """Whether every eviction of a running pod was refused, and the budget allowed none."""
    expected = case["expected"]
    none = all(not b["disruptionsAllowed"] for b in expected["initial"].values())
    return none and all(step["answer"]["code"] == 429 for step in expected["steps"])


SETTLED = [
    ("disruption/budget_without_scale", "owners", "owner-DaemonSet"),
    ("disruption/budget_without_scale", "owners", "owner-none"),
]


@pytest.mark.parametrize(("policy", "family", "owner"), SETTLED)
def test_a_budget_that_cannot_be_worked_out_refuses_everything(
    policy: str, family: str, owner: str
) -> None:
    """Over a DaemonSet, and over pods that nothing controls: what is told is refused for ever, and
    an integer minAvailable is neither told nor refused.
    """
    seen = set()
    for case in tagged("evictions", family, owner):
        found = bool(asked(policy, budgeted(case)))
        (budget,) = (o for o in case["objects"] if o["kind"] == "PodDisruptionBudget")
        relative = not isinstance(budget["spec"].get("minAvailable"), int)
        assert found is relative, case["id"]
        if found:
            assert refused_for_ever(case), case["id"]
        seen.add(found)
    assert True in seen


def test_a_custom_kind_without_scale_refuses_everything() -> None:
    """Pods that name an owner whose kind is defined without a scale, or with one."""
    told = 0
    for case in tagged("evictions", "owners", "owner-Gadget"):
        kind = next(o["kind"] for o in case["objects"] if o["kind"] == "Gadget")
        definition = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{kind.lower()}s.oracle.example"},
            "spec": {
                "group": _group(case, kind),
                "names": {"kind": kind},
                "versions": [{"name": "v1", "subresources": {}}],
            },
        }
        found = asked("disruption/budget_without_scale", [*case["objects"], definition])
        failed = any(not b["observed"] for b in case["expected"]["initial"].values())
        assert bool(found) is failed, case["id"]
        told += bool(found)
        if found:
            assert refused_for_ever(case), case["id"]
    assert told


def _group(case: Recorded, kind: str) -> str:
    version: str = next(o["apiVersion"] for o in case["objects"] if o["kind"] == kind)
    return version.rpartition("/")[0]


def test_two_budgets_on_a_pod_end_every_eviction_with_an_error() -> None:
    """Whatever each of them would allow. Those of different pods do not meet."""
    seen = {True: 0, False: 0}
    for case in tagged("evictions", "two-pdbs"):
        found = bool(asked("disruption/two_budgets", budgeted(case)))
        codes = {step["answer"]["code"] for step in case["expected"]["steps"]}
        assert found is (500 in codes), (case["id"], codes)
        seen[found] += 1
    assert all(seen.values()), seen


def test_a_missing_replica_makes_a_budget_refuse_everything() -> None:
    """Five are wanted and three are there, all of them ready: none of the three may go."""
    told = 0
    for case in (*tagged("evictions", "scale-above-ready"), *tagged("evictions", "grid")):
        ((_, status),) = case["expected"]["initial"].items()
        objects = budgeted(case, status=status)
        if asked("disruption/budget_exhausted", objects):
            assert status["disruptionsAllowed"] == 0, case["id"]
            ready = {o["metadata"]["name"] for o in case["objects"] if is_ready(o)}
            steps = [s for s in case["expected"]["steps"] if s["pod"] in ready]
            assert all(s["answer"]["code"] == 429 for s in steps), case["id"]
            told += 1
    (case,) = tagged("evictions", "scale-above-ready")
    ((_, status),) = case["expected"]["initial"].items()
    (finding,) = asked("disruption/budget_exhausted", budgeted(case, status=status))
    assert "3 pods are ready of the 4 that have to stay" in finding.message
    assert told


def test_what_allows_nothing_when_all_is_well_is_refused_at_once() -> None:
    """On all cases whose pods are as many as are wanted, and ready: told exactly where the first
    eviction is refused.
    """
    seen = {True: 0, False: 0}
    policies = ("disruption/budget_allows_nothing", "disruption/single_replica_undrainable")
    for case in tagged("evictions", "grid"):
        ((_, status),) = case["expected"]["initial"].items()
        whole = status["observed"] and status["currentHealthy"] == status["expectedPods"] > 0
        if not whole:
            continue
        found = any(asked(policy, budgeted(case)) for policy in policies)
        first = case["expected"]["steps"][0]["answer"]["code"]
        assert found is (first == 429), (case["id"], first, status)
        seen[found] += 1
    assert all(seen.values()), seen


# StatefulSets.


def steps_of(case: Recorded) -> list[Recorded]:
    """The steps of a case; one is a case of its own."""
    return list(case["steps"]) if "steps" in case else [case]


def of_kind(case: Recorded, kind: str) -> Recorded:
    """The one object of a kind."""
    found: Recorded = next(o for o in case["objects"] if o["kind"] == kind)
    return found


@pytest.mark.parametrize("how", ["broken-then-rollback", "broken-then-fixed"])
def test_what_is_said_not_to_heal_did_not(how: str) -> None:
    """An OrderedReady set stays stuck after a rollback and after a mended template; without a
    maxUnavailable that counts, a Parallel one heals.
    """
    policy, seen = "rollout/ordered_update_not_healed", {True: 0, False: 0}
    for case in tagged("statefulsets", how):
        found = bool(asked(policy, [of_kind(case, "StatefulSet")]))
        last = steps_of(case)[1]["expected"]["end"]
        if found:
            assert last == "stuck", case["id"]
        elif case["id"].startswith("ss-"):
            assert last == "complete", case["id"]
        seen[found] += 1
    assert all(seen.values()), seen


def test_the_pod_that_blocks_is_the_one_that_was_left_broken() -> None:
    """As the cluster shows it after the rollback: the broken ordinal is of another revision than
    the wanted one, and had to be deleted by hand.
    """
    told = 0
    for case in tagged("statefulsets", "broken-then-rollback"):
        after = steps_of(case)[1]["expected"]
        if after["end"] != "stuck" or not case["id"].startswith("ss-"):
            continue
        found = asked("rollout/broken_ordinal_blocks", [*_running(case, after)])
        ordered = of_kind(case, "StatefulSet")["spec"].get("podManagementPolicy") != "Parallel"
        assert ordered, case["id"]
        assert {f.anchor for f in found} == {f"w-{n}" for n in after["notAvailableOrdinals"]}
        told += 1
    assert told


def _running(case: Recorded, after: Recorded) -> Iterator[Mapping[str, Any]]:
    """The set and its pods as an API server shows them at that end."""
    there = of_kind(case, "StatefulSet")
    metadata = {**there["metadata"], "uid": "u-w"}
    yield {**there, "metadata": metadata, "status": {"updateRevision": "good"}}
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "w", "uid": "u-w"}
    for pod in after["pods"]:
        broken = not pod["ready"]
        labels = {**there["spec"]["selector"]["matchLabels"]}
        labels["controller-revision-hash"] = "bad" if broken else "good"
        waits = {"waiting": {"reason": "CrashLoopBackOff"}} if broken else {"running": {}}
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": pod["pod"], "namespace": metadata["namespace"], "labels": labels,
                "uid": pod["pod"], "ownerReferences": [{**owner, "controller": True}],
            },
            "spec": there["spec"]["template"]["spec"],
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": str(pod["ready"])}],
                "containerStatuses": [{"name": "app", "state": waits}],
            },
        }  # fmt: skip


def test_max_unavailable_of_a_stateful_set_is_dropped() -> None:
    """Told of what was sent where it says more than one, and gone from what was stored."""
    told = 0
    for case in cases("statefulsets"):
        for step in steps_of(case):
            action = step["action"]
            if not case["id"].startswith("ss-") or "storedUpdateStrategy" not in action:
                continue
            if asked("rollout/dropped_max_unavailable", [action["object"]]):
                stored = action["storedUpdateStrategy"].get("rollingUpdate", {})
                assert "maxUnavailable" not in stored, case["id"]
                told += 1
    assert told


# DaemonSets.


def test_a_daemon_set_that_fits_no_node_completes_with_none() -> None:
    """Told exactly where none was desired in the end, and then nothing was available."""
    told = 0
    for case in (c for c in cases("daemonsets") if "steps" not in c):
        if case["action"]["type"] != "update" or not case["expected"].get("accepted", True):
            continue
        nodes = [o for o in case["objects"] if o["kind"] == "Node"]
        found = asked("rollout/daemon_set_fits_no_node", [*nodes, case["action"]["object"]])
        assert bool(found) is (case["expected"]["desired"] == 0), case["id"]
        if found:
            assert (case["expected"]["end"], case["expected"]["minAvailable"]) == ("complete", 0)
            told += 1
    assert told


def test_a_surge_that_finds_its_port_taken_never_ends() -> None:
    """Without maxSurge the old pod leaves first: recorded as complete, and not told. With it the
    model that agrees with all recordings is stuck, and that is told.
    """
    (case,) = tagged("daemonsets", "host-port")
    policy, sent = "rollout/daemon_set_surge_blocked", case["action"]["object"]
    assert case["expected"]["end"] == "complete"
    assert not asked(policy, [sent])
    rolling = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    surging = {**sent, "spec": {**sent["spec"], "updateStrategy": rolling}}
    action = {**case["action"], "object": surging}
    assert what_if(course_of({**case, "action": action}))["ends"] == ["stuck"]
    assert asked(policy, [surging])


# Deployments.

ROOM = ("anti-affinity", "host-port", "capacity", "topology-spread")
BEHAVES = ("oracle.example/ready", "oracle.example/unready-after")


def alike(case: Recorded) -> bool:
    """Whether the update changes an image and nothing else, and all pods become ready: then it is
    the next update of what was there.
    """
    if "steps" in case or case["action"]["type"] != "update":
        return False
    if any(o["kind"] == "ResourceQuota" for o in case["objects"]):
        return False
    if not case["expected"].get("accepted", True) or case.get("initialSettled") != "complete":
        return False
    before, after = of_kind(case, "Deployment"), case["action"]["object"]
    notes = [
        o["spec"]["template"]["metadata"].get("annotations", {}) for o in (before, after)
    ]  # fmt: skip
    if any(key in note for note in notes for key in BEHAVES):
        return False
    return _without_image(before) == _without_image(after)


def _without_image(deployment: Recorded) -> str:
    spec = json.loads(json.dumps(deployment["spec"]))
    for container in spec["template"]["spec"]["containers"]:
        container["image"] = ""
    spec["template"]["metadata"].pop("annotations", None)
    return json.dumps(spec, sort_keys=True)


def test_an_update_is_said_to_be_stuck_exactly_where_it_was() -> None:
    """One pod per node with too little surge, ports and slots of nodes, CPU: told as certain, it
    was stuck in both runs; not told at all, it was stuck in none.
    """
    seen = {True: 0, False: 0}
    families = [c for c in cases("rollouts") if set(ROOM) & set(c["tags"]) and alike(c)]
    for case in families:
        nodes = [o for o in case["objects"] if o["kind"] == "Node"]
        found = asked("rollout/stuck_without_room", [*nodes, of_kind(case, "Deployment")])
        ends = {run["end"] for run in (case["expected"], *case.get("secondRun", ()))}
        if not found:
            assert ends == {"complete"}, (case["id"], case["tags"])
        elif "ends stuck" in found[0].message:
            assert ends == {"stuck"}, (case["id"], case["tags"])
        seen[bool(found)] += 1
    assert all(seen.values()), seen


def test_the_fewest_available_are_those_that_were_promised() -> None:
    """What an update may go down to, by arithmetic alone, is what the recorder worked out too; no
    run of an update whose pods stay ready went below.
    """
    compared = 0
    for case in (c for c in cases("rollouts") if alike(c) and "promised" in c):
        wanted = of_kind(case, "Deployment")
        replicas, least = wanted["spec"].get("replicas", 1), case["promised"]["minAvailable"]
        if replicas < 2:
            continue
        sent = {**wanted, "metadata": {**wanted["metadata"]}}
        sent["metadata"]["annotations"] = {"auditor/needs": str(least)}
        more = {**sent, "metadata": {**sent["metadata"]}}
        more["metadata"]["annotations"] = {"auditor/needs": str(least + 1)}
        assert not asked("rollout/fewer_than_needed", [sent]), case["id"]
        if wanted["spec"].get("strategy", {}).get("type") != "Recreate":
            assert asked("rollout/fewer_than_needed", [more]), case["id"]
        assert case["expected"]["minAvailable"] >= least, case["id"]
        compared += 1
    assert compared > 20


def test_a_fast_failure_slips_through_a_short_watch() -> None:
    """Pods that fail a second after they were ready took the old ones with them; with a probe that
    needs longer to notice than minReadySeconds gives, that is what is told.
    """
    told = 0
    for case in tagged("rollouts", "new-flap"):
        sent = json.loads(json.dumps(case["action"].get("object") or {}))
        promised = case.get("promised", {}).get("minAvailable", 0)
        if not sent or case["expected"]["minAvailable"] >= promised:
            continue
        (container,) = sent["spec"]["template"]["spec"]["containers"]
        container["readinessProbe"] = {"tcpSocket": {"port": 80}, "periodSeconds": 1}
        namespace = sent["metadata"]["namespace"]
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "w", "namespace": namespace},
            "spec": {"selector": {"app": "w"}, "ports": [{"port": 80}]},
        }
        assert asked("rollout/watched_too_shortly", [sent, service]), case["id"]
        told += 1
    assert told
