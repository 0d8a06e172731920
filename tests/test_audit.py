"""The core: one verdict, whoever asks and whatever is written."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auditor.audit import audit, audit_changed
from auditor.model import (
    Audit,
    Gap,
    Ref,
    Resource,
    Server,
    Settings,
    Snapshot,
    Status,
    Unseen,
    Waiver,
)

from .bench import SETTINGS, bench, gaps, judged, told
from .company import BRITTLE_BENCH, COMPANY, OBJECTS, made, spoiled
from .facts.network.cluster import NOWHERE, resource


def owned_chain() -> list[Resource]:
    """A Deployment, its ReplicaSet and its pod, all of them privileged."""
    labels = {"app": "web"}
    return [
        made("Deployment", "a", "", labels, bad=True),
        made("ReplicaSet", "a", "Deployment/a", labels, bad=True),
        made("Pod", "a", "ReplicaSet/a", labels, bad=True),
    ]


PRIVILEGED = "workload/privileged_container"


def test_a_fault_of_a_template_is_told_once() -> None:
    """People edit the Deployment; its ReplicaSet and pods say the same thing and are not told."""
    answer = judged(owned_chain(), PRIVILEGED)
    assert told(answer) == [f"{PRIVILEGED} shop/a[Deployment]"]
    assert len(answer.folded) == 2


def test_what_was_added_to_a_pod_is_told_for_the_pod() -> None:
    """A debug container in a running pod is in no template, so that its pod speaks for itself."""
    pod = owned_chain()[2]
    debug = {"name": "debug", "image": "busybox", "securityContext": {"privileged": True}}
    manifest = {**pod.manifest, "spec": {**pod.manifest["spec"], "ephemeralContainers": [debug]}}
    answer = judged([*owned_chain()[:2], resource(manifest)], PRIVILEGED)
    assert told(answer) == [
        f"{PRIVILEGED} shop/a[Deployment]",
        f"{PRIVILEGED} shop/a[Pod]",
    ]


def test_a_fixed_template_lets_its_old_pods_speak() -> None:
    """The Deployment is right again, but what it made before still runs."""
    before = judged(owned_chain(), PRIVILEGED)
    right = made("Deployment", "a", "", {"app": "web"}, bad=False)
    after = before.snapshot.replacing(right)
    answer = audit_changed(before, after, [right.ref], bench(PRIVILEGED), SETTINGS)
    assert told(answer) == [f"{PRIVILEGED} shop/a[ReplicaSet]"]


LIES: list[dict[str, Any]] = [
    {"kind": "ReplicaSet", "name": "a", "uid": "made up", "controller": True},
    {"kind": "ReplicaSet", "name": "other", "uid": "ReplicaSet/a", "controller": True},
    {"kind": "ReplicaSet", "name": "a", "uid": "ReplicaSet/a"},
    {"kind": "ReplicaSet", "name": "a", "uid": "ReplicaSet/a", "controller": "true"},
    {"kind": "Deployment", "name": "a", "uid": "Deployment/a", "controller": True},
]


@pytest.mark.parametrize("lie", LIES)
def test_a_pod_cannot_hide_behind_an_owner_that_did_not_make_it(lie: dict[str, Any]) -> None:
    """Whoever may write a pod may write its owner references."""
    pod = owned_chain()[2]
    metadata = {**pod.manifest["metadata"], "ownerReferences": [lie]}
    answer = judged(
        [*owned_chain()[:2], resource({**pod.manifest, "metadata": metadata})], PRIVILEGED
    )
    assert f"{PRIVILEGED} shop/a[Pod]" in told(answer)


def test_an_object_that_breaks_a_policy_is_a_gap_of_its_own() -> None:
    """Two objects that cannot be judged are two gaps, and the third is judged all the same."""
    pods = [
        made("Pod", name, "", {"number": number}, bad=False)
        for name, number in (("a", "x"), ("b", "y"), ("c", "2"))
    ]
    answer = audit(Snapshot(tuple(pods)), BRITTLE_BENCH, SETTINGS)
    assert [gap.what for gap in answer.gaps] == [
        "policy test/brittle on shop/a[Pod]",
        "policy test/brittle on shop/b[Pod]",
    ]
    assert {gap.severity for gap in answer.gaps} == {Unseen.INCOMPLETE}
    brittle = [each for each in told(answer) if each.startswith("test/brittle")]
    assert brittle == ["test/brittle shop/c[Pod]"]


@pytest.mark.parametrize("value", [2**64, -(2**64), float("nan"), float("inf"), "\ud800", {1: 2}])
def test_what_json_cannot_carry_is_a_gap_for_that_object(value: Any) -> None:
    """No engine may see another object than the one that is written."""
    odd = made("Pod", "a", "", {}, bad=True)
    manifest = {**odd.manifest, "data": {"deep": [value]}}
    answer = judged([resource(manifest), made("Pod", "b", "", {}, bad=True)], PRIVILEGED)
    assert told(answer) == [f"{PRIVILEGED} shop/b[Pod]"]
    failed = [gap.what for gap in answer.gaps if gap.what.startswith("policy")]
    assert failed == [f"policy {PRIVILEGED} on shop/a[Pod]"]


def test_null_is_nothing_special() -> None:
    """Live objects are full of it."""
    pod = made("Pod", "a", "", {}, bad=True)
    pod = resource({**pod.manifest, "status": {"conditions": [{"lastProbeTime": None}]}})
    assert gaps(judged([pod], PRIVILEGED)) == []


@pytest.mark.parametrize(
    ("path", "junk", "why"),
    [
        (("spec", "template", "spec", "containers"), {}, "is no list"),
        (("spec", "template", "spec", "initContainers"), 3, "is no list"),
        (("spec", "template", "spec", "containers", 0), "web", "is no mapping"),
        (("spec", "template", "spec"), [], "is no mapping"),
        (("spec", "template"), "web", "is no mapping"),
        (("spec",), [], "is no mapping"),
    ],
)
def test_containers_that_cannot_be_read_are_a_gap(path: Any, junk: Any, why: str) -> None:
    """They would pass every policy on containers, because there are none to be seen."""
    one = made("Deployment", "a", "", {}, bad=True)
    answer = judged([resource(spoiled(one.manifest, path, junk))], PRIVILEGED)
    place = ".".join(map(str, path))
    assert gaps(answer) == [f"{place} of shop/a[Deployment] (test.yaml:1): {why}"]
    assert answer.gaps[0].severity is Unseen.INCOMPLETE


def test_a_deployment_of_no_known_group_is_a_gap() -> None:
    """A typing error in apiVersion must not take the whole object out of sight."""
    one = made("Deployment", "a", "", {}, bad=True)
    answer = judged([resource({**one.manifest, "apiVersion": "app/v1"})], PRIVILEGED)
    assert gaps(answer) == [
        "apiVersion of shop/a[Deployment] (test.yaml:1): no Deployment of app/v1 is known"
    ]
    assert answer.gaps[0].severity is Unseen.INCOMPLETE


def test_a_kind_of_somebodys_own_api_is_told_as_unknown() -> None:
    """The Job of another scheduler has pods somewhere; the run does not fail for that."""
    one = made("Deployment", "a", "", {}, bad=True)
    manifest = {**one.manifest, "apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job"}
    answer = judged([resource(manifest), made("Deployment", "b", "", {}, bad=False)], PRIVILEGED)
    assert [gap.severity for gap in answer.gaps] == [Unseen.UNKNOWN]


def test_a_list_that_is_missing_takes_the_policies_away_that_need_it() -> None:
    """Without the NetworkPolicies nobody can say that nothing isolates a workload."""
    unread = Gap("networkpolicies", "forbidden", Unseen.INCOMPLETE, ("NetworkPolicy",))
    answer = audit(Snapshot(OBJECTS, (unread,)), bench(), SETTINGS)
    assert not any(finding.policy.facts == ("exposure",) for finding in answer.findings)
    missed = [gap.what for gap in answer.gaps if gap.why.startswith("not assessed")]
    assert missed == [
        "policy data/personal_data_may_leave",
        "policy data/personal_data_not_isolated",
        "policy data/reachable_through_pivot",
        "policy network/dns_cut_off",
        "policy network/dns_over_udp_alone",
        "policy network/isolated_one_way",
        "policy network/monitor_beyond_health",
        "policy network/monitor_blocked",
        "policy network/namespace_without_policies",
        "policy network/no_default_deny",
        "policy network/not_isolated",
        "policy network/public_entrance_to_personal_data",
        "policy network/webhook_cut_off",
    ]
    assert f"{PRIVILEGED} shop/web[Deployment]" in told(answer)


def test_the_order_of_questions_changes_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many objects are asked about at a time, also where few of them have changed."""
    pods = [one for one in OBJECTS if one.ref.kind == "Deployment"]
    found = []
    for number in (1, 3, 1000):
        monkeypatch.setattr("auditor.audit.AT_A_TIME", number)
        monkeypatch.setattr("auditor.audit.AT_A_TIME_BYTES", 2000 * number)
        whole = audit(Snapshot(OBJECTS), bench(), SETTINGS)
        changed = [one.ref for one in pods[:2]]
        found.append((whole, audit_changed(whole, Snapshot(OBJECTS), changed, bench(), SETTINGS)))
    (first, again), *others = found
    assert first.findings
    assert (again.findings, again.gaps) == (first.findings, first.gaps)
    for whole, after in others:
        assert (whole.findings, whole.gaps) == (first.findings, first.gaps)
        assert (after.findings, after.gaps) == (first.findings, first.gaps)


def test_the_worst_comes_first() -> None:
    """High before medium, and within it by object, so that two runs print the same."""
    ranks = [finding.severity.rank for finding in judged(COMPANY).findings]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) > 1
    backwards = judged(tuple(reversed(OBJECTS)))
    assert told(backwards) == told(judged(COMPANY))


def fingerprints(answer: Audit) -> list[tuple[str, str]]:
    """Fingerprint and object of every finding."""
    return sorted((finding.fingerprint, str(finding.ref)) for finding in answer.findings)


def _reordered(manifest: Any) -> Any:
    template = manifest["spec"]["template"]
    sidecar = {"name": "log", "image": "log"}
    template["spec"]["containers"] = [sidecar, *reversed(template["spec"]["containers"])]


def _scaled(manifest: Any) -> Any:
    manifest["spec"]["replicas"] = 7


def _relabelled(manifest: Any) -> Any:
    manifest["metadata"].setdefault("annotations", {})["team"] = "web"


@pytest.mark.parametrize("change", [_reordered, _scaled, _relabelled])
def test_fingerprints_outlive_what_people_do_to_manifests(change: Any) -> None:
    """A baseline and a SARIF viewer know a finding again after it has moved."""
    found = []
    for one in OBJECTS:
        manifest: Any = copy.deepcopy(one.manifest)
        if one.ref.kind in ("Deployment", "StatefulSet"):
            change(manifest)
        found.append(resource(manifest))
    asked = (PRIVILEGED, "data/personal_data_not_isolated", "placement/far_from_database")
    assert fingerprints(judged(found, *asked)) == fingerprints(judged(OBJECTS, *asked))


def test_fingerprints_outlive_a_new_api_version_and_a_moved_file() -> None:
    """apps/v1beta1 and apps/v1 are one object, wherever it is written."""
    one = made("Deployment", "a", "", {}, bad=True)
    elsewhere = type(NOWHERE)("other/place.yaml", NOWHERE.lines)
    old = Resource(
        Ref("apps/v1beta1", "Deployment", "shop", "a"),
        {**one.manifest, "apiVersion": "apps/v1beta1"},
        elsewhere,
    )
    assert judged([old], PRIVILEGED).findings[0].fingerprint == (
        judged([one], PRIVILEGED).findings[0].fingerprint
    )


def test_a_waived_finding_is_still_told() -> None:
    """It is counted, with the reason, and no longer asks for anything."""
    waiver = Waiver(PRIVILEGED, "shop/a[Pod]", "it drives the hardware")
    pod = made("Pod", "a", "", {}, bad=True)
    answer = judged([pod], PRIVILEGED, settings=Settings(waivers=(waiver,)))
    assert [(f.status, f.reason) for f in answer.findings] == [
        (Status.WAIVED, "it drives the hardware")
    ]
    assert answer.open == ()
    assert answer.gaps == ()


def test_a_waiver_that_has_ended_holds_no_longer_for_what_did_not_change() -> None:
    """What is carried over from an earlier answer is weighed with the waivers of today."""
    pods = [made("Pod", name, "", {}, bad=True) for name in ("a", "b")]
    waiver = Waiver(PRIVILEGED, "shop/*", "until the move", today(0))
    before = judged(pods, PRIVILEGED, settings=Settings(waivers=(waiver,)))
    assert before.open == ()
    late = Settings(waivers=(Waiver(PRIVILEGED, "shop/*", "until the move", today(-1)),))
    after = audit_changed(before, before.snapshot, [pods[0].ref], bench(PRIVILEGED), late)
    assert [f.status for f in after.findings] == [Status.OPEN, Status.OPEN]


def today(days: int) -> str:
    """The date so many days from now, as waivers have it."""
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


CUSTOM = {"template": {"spec": {"containers": [{"name": "main", "image": "app"}]}}}


@pytest.mark.parametrize(
    ("api_version", "kind", "severity"),
    [
        ("apps/v1", "Deploymnet", Unseen.INCOMPLETE),
        ("jobset.example.com/v1", "JobSet", Unseen.UNKNOWN),
        ("example.com/v1", "Service", Unseen.UNKNOWN),
    ],
)
def test_containers_of_a_kind_that_nobody_knows_are_told(
    api_version: str, kind: str, severity: Unseen
) -> None:
    """They may run privileged for all we know."""
    metadata = {"name": "web", "namespace": "shop"}
    manifest = {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": CUSTOM}
    gap, *_ = judged([resource(manifest)], PRIVILEGED).gaps
    assert f"containers of shop/web[{kind}]" in gap.what
    assert gap.severity is severity


def test_a_policy_on_what_a_cluster_is_not_asked_for_is_not_passed() -> None:
    """Nobody has looked at the objects that it is about."""
    asked = bench(PRIVILEGED)
    roles = replace(asked.policies[0], id="access/roles", kinds=("Role",))
    server = Server(136, frozenset({"Pod"}))
    both = replace(asked, policies=(*asked.policies, roles))
    answer = audit(Snapshot((), server=server), both, SETTINGS)
    assert gaps(answer) == ["policy access/roles: not assessed: no Role is read from a cluster yet"]
    assert audit(Snapshot(()), both, SETTINGS).gaps == ()


def test_a_policy_without_any_object_to_judge_is_not_missed() -> None:
    """That one Pod cannot be read leaves nothing open about NetworkPolicies that nobody has."""
    unread = Gap("broken.yaml", "no YAML", Unseen.INCOMPLETE, ("Pod",))
    about_policies = "network/selects_no_pod"
    pods = tuple(one for one in OBJECTS if one.ref.kind != "NetworkPolicy")
    missed = f"policy {about_policies}"
    for objects, told_so in ((pods, []), (OBJECTS, [missed])):
        answer = audit(Snapshot(objects, (unread,)), bench(about_policies), SETTINGS)
        assert [gap.what for gap in answer.gaps if gap.what.startswith("policy")] == told_so
