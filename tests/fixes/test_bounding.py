"""A LimitRange and a ResourceQuota that are measured by the workloads of their namespace."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.audit import audit
from auditor.facts import Facts
from auditor.facts.controllers.quotas import Quotas
from auditor.fixes.case import Before
from auditor.fixes.offer import changes_of, with_fixes
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.model import Change, Fix, Gap, Proof, Ref, Resource, Snapshot, Unseen
from tests.bench import SETTINGS, bench, judged
from tests.facts.network.cluster import namespace, pod, resource

RANGE = "resources/no_limit_range"
QUOTA = "resources/no_resource_quota"
SHOP = namespace("shop")


def asking(name: str = "main", **amounts: Any) -> dict[str, Any]:
    """A container that requests so much."""
    return {"name": name, "image": "app:1", "resources": {"requests": amounts}}


def limited(name: str = "main", **amounts: Any) -> dict[str, Any]:
    """A container that is only held to so much."""
    return {"name": name, "image": "app:1", "resources": {"limits": amounts}}


SILENT = {"name": "silent", "image": "app:1"}
BOTH = {**SILENT, "resources": {"limits": {"cpu": 1}, "requests": {"cpu": "1m"}}}


def made(kind: str, name: str, *containers: Any, pods: Any = (), **spec: Any) -> Resource:
    """A workload of namespace shop; `pods`: more of the specification of its pods."""
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": list(containers), **dict(pods)},
    }
    body = {"template": template, **spec}
    if kind == "CronJob":
        template = {"spec": {"template": template, **spec.pop("jobTemplate", {})}}
        body = {**spec, "jobTemplate": template}
    metadata = {"name": name, "namespace": "shop"}
    version = VERSIONS.get(kind, "apps/v1")
    return resource({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": body})


VERSIONS = {"CronJob": "batch/v1", "Job": "batch/v1", "Rollout": "argoproj.io/v1alpha1"}


def web(*containers: Any, **spec: Any) -> Resource:
    """A Deployment of namespace shop."""
    return made("Deployment", "web", *containers, **spec)


def node(name: str = "n1", cpu: str = "4", **fields: Any) -> Resource:
    """A node with so much CPU."""
    amounts = {"cpu": cpu, "memory": "8Gi", "pods": "110"}
    metadata = {"name": name, "labels": {"kubernetes.io/hostname": name}}
    status = {"allocatable": amounts}
    return resource(
        {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": status, **fields}
    )


def changed(policy: str, *found: Resource) -> Change:
    """What the builder makes for namespace shop."""
    shop = () if any(one.ref == SHOP.ref for one in found) else (SHOP,)
    answer = judged((*shop, *found), policy)
    (finding,) = (one for one in answer.findings if one.ref == SHOP.ref)
    assert finding.remedy is not None
    facts = Before(answer, bench(policy), SETTINGS).facts
    (change,) = changes_of(facts, finding, finding.remedy)
    return change


def given(*found: Resource) -> Any:
    """What the LimitRange gives."""
    change = changed(RANGE, *found)
    (limits,) = change.resource.manifest["spec"]["limits"]
    assert limits.keys() == {"type", "defaultRequest"}, "it sets no limits"
    assert limits["type"] == "Container"
    return limits["defaultRequest"]


def hard(*found: Resource) -> Any:
    """What the ResourceQuota bounds."""
    return changed(QUOTA, *found).resource.manifest["spec"]["hard"]


def fix_of(policy: str, *found: Resource, gaps: tuple[Gap, ...] = ()) -> Fix:
    """The fix with its proof. Nothing is written: the objects come of no file."""
    answer = audit(Snapshot((SHOP, *found), gaps), bench(policy), SETTINGS)
    answer = with_fixes(answer, bench(policy), SETTINGS)
    (finding,) = answer.findings
    assert finding.fix
    return finding.fix


def doubts(proof: Proof) -> list[str]:
    """What was not shown, but for that no file was there to be edited."""
    return [why for why in proof.unproven if "it was not read from a file" not in why]


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        ([asking(cpu="250m", memory="64Mi")], {"cpu": "250m", "memory": "64Mi"}),
        # Of an even number the lower of the two in the middle: 100m, not 175m.
        ([asking(cpu="100m"), asking(cpu="0.25")], {"cpu": "100m"}),
        ([asking(cpu=3), asking(cpu="1500m"), asking(cpu="2000m")], {"cpu": "2"}),
        # What is written otherwise is the same amount: 2^30 bytes, 1.5 × 10^9, and no round number.
        ([asking(memory=1073741824)], {"memory": "1Gi"}),
        ([asking(memory="1.5e9")], {"memory": "1500M"}),
        ([asking(memory="1001")], {"memory": "1001"}),
        ([asking(memory="1.5Gi")], {"memory": "1536Mi"}),
        # Finer than a thousandth is rounded up, as the API server does.
        ([asking(cpu="100u")], {"cpu": "1m"}),
        # A limit alone is the request, beside a request it is not.
        ([limited(cpu="300m")], {"cpu": "300m"}),
        ([BOTH], {"cpu": "1m"}),
        # Nothing, and what is no amount, do not count.
        ([asking(cpu="0", memory="1Mi"), asking(cpu="1 core"), SILENT], {"memory": "1Mi"}),
    ],
)  # fmt: skip
def test_what_others_ask_for_in_the_middle_is_given(containers: Any, expected: Any) -> None:
    assert given(web(*containers)) == expected


def test_containers_count_once_and_those_that_last() -> None:
    """Not once a replica; sidecars do, what ends before the start does not."""
    starting = [
        asking("migrate", cpu="5m"),
        {**asking("proxy", cpu="10m"), "restartPolicy": "Always"},
    ]
    first = web(asking(cpu="10m"), replicas=100, pods={"initContainers": starting})
    others = [made("StatefulSet", f"db{n}", asking(cpu="400m")) for n in range(3)]
    elsewhere = pod("far/other", containers=[asking(cpu="7")])
    # 10m 10m 400m 400m 400m
    assert given(first, *others, elsewhere) == {"cpu": "400m"}


def test_the_new_objects_stand_after_their_namespace_and_before_its_pods() -> None:
    """Else the namespace would not be there yet, or pods would be made without the defaults."""
    for policy in (RANGE, QUOTA):
        change = changed(policy, web(asking(cpu=1)), made("StatefulSet", "db", SILENT))
        assert str(change.beside) == "shop/web[Deployment]"
        assert change.resource.ref.namespace == "shop"


def test_an_object_of_the_same_name_is_not_written_over() -> None:
    """One that bounds storage alone, or nothing."""
    taken = [
        resource(
            {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}}
        )
        for kind, name in (("LimitRange", "default-requests"), ("ResourceQuota", "bounds"))
    ]
    names = {changed(p, web(asking(cpu=1)), *taken).resource.ref.name for p in (RANGE, QUOTA)}
    assert names == {"default-requests-2", "bounds-2"}


POD_LEVEL = {"resources": {"requests": {"cpu": "1"}}}
BY_SCOPE = {"scopes": ["NotBestEffort"], "hard": {"pods": 3}}
BY_SELECTOR = {
    "scopeSelector": {"matchExpressions": [{"scopeName": "BestEffort", "operator": "Exists"}]},
    "hard": {"pods": 3},
}


def quota(**spec: Any) -> Resource:
    """A ResourceQuota of namespace shop."""
    metadata = {"name": "team", "namespace": "shop"}
    return resource(
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": spec}
    )


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], "namespace shop has no workloads to measure it by"),
        ([web(SILENT)], "no container of namespace shop says what it asks for"),
        ([web(asking(cpu=1), SILENT, pods=POD_LEVEL)], "bound all of their containers together"),
        ([web(asking(cpu=1), SILENT), quota(**BY_SCOPE)], "counts pods by whether they ask"),
        ([web(asking(cpu=1), SILENT), quota(**BY_SELECTOR)], "counts pods by whether they ask"),
    ],
)
def test_no_requests_are_given_where_that_is_a_guess_or_harms(found: Any, why: str) -> None:
    """The number is the operator's, and no pod of today is to be refused tomorrow."""
    with pytest.raises(CannotBuildError, match=why):
        given(*found)


def test_pods_that_get_nothing_keep_nobody_from_the_fix() -> None:
    """They say all themselves."""
    assert given(web(asking(cpu=1), pods=POD_LEVEL), quota(**BY_SCOPE)) == {"cpu": "1"}


def test_pods_that_get_requests_are_placed_anew() -> None:
    """Two pods of 500m + 500m fit into 2 CPU, and not into 1.9."""
    two = web(asking(cpu="500m"), SILENT, replicas=2)
    proof = fix_of(RANGE, node(cpu="2"), two).proof
    assert {line.partition(" → ")[2] for line in proof.scheduled} == {"n1"}
    assert len(proof.scheduled) == 2
    assert not proof.unschedulable
    (lost,) = fix_of(RANGE, node(cpu="1900m"), two).proof.unschedulable
    assert "shop/web" in lost
    assert "too little CPU" in lost


def test_all_that_get_requests_are_placed_at_once() -> None:
    """Each alone would find room beside the others as they are today: 3 × (400m + 400m) > 2."""
    three = [made("StatefulSet", f"db{n}", asking(cpu="400m"), SILENT) for n in range(3)]
    proof = fix_of(RANGE, node(cpu="2"), *three).proof
    assert len(proof.unschedulable) >= 1


def test_where_nothing_is_given_no_node_is_needed() -> None:
    """A limit counts as the request before any LimitRange is asked."""
    proof = fix_of(RANGE, web(asking(cpu=1, memory=1), limited("two", cpu=2, memory=2))).proof
    assert not proof.scheduled
    assert doubts(proof) == []
    assert proof.resolved


def test_without_nodes_nobody_knows_whether_pods_would_find_room() -> None:
    proof = fix_of(RANGE, web(asking(cpu=1), SILENT)).proof
    assert any("no Node objects are given" in why for why in proof.unproven)


@pytest.mark.parametrize("policy", [RANGE, QUOTA])
def test_what_was_not_seen_might_need_wider_bounds(policy: str) -> None:
    gap = Gap("list of deployments", "forbidden", Unseen.INCOMPLETE, kinds=("Deployment",))
    proof = fix_of(policy, web(asking(cpu=1, memory=1)), gaps=(gap,)).proof
    assert any("list of deployments could not be seen" in why for why in proof.unproven)
    assert doubts(fix_of(policy, web(asking(cpu=1, memory=1))).proof) == []


def scaler(most: int = 6) -> Resource:
    """An autoscaler of web."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return resource(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"scaleTargetRef": target, "maxReplicas": most},
        }
    )


ONE = asking(cpu="100m", memory="10Mi")
SURGE = {"rollingUpdate": {"maxSurge": 1}}
ENDED = {"conditions": [{"type": "Complete", "status": "True"}]}
DAEMONS = [node("n1"), node("n2"), node("n3", spec={"unschedulable": True})]


@pytest.mark.parametrize(
    ("found", "pods"),
    [
        ([pod("shop/one", containers=[ONE])], 1),
        ([web(ONE)], 2),  # 25 % of one, rounded up
        ([web(ONE, replicas=4, strategy=SURGE)], 5),
        ([web(ONE, replicas=4, strategy={"type": "Recreate"})], 4),
        ([web(ONE, replicas=4), scaler(6)], 8),
        ([web(ONE, replicas=4), scaler(6), pod("far/other", containers=[ONE])], 8),
        ([made("StatefulSet", "db", ONE, replicas=3)], 3),
        ([made("Rollout", "blue", ONE, replicas=3)], 6),
        ([made("Job", "load", ONE, parallelism=5, completions=3)], 3),
        ([made("Job", "load", ONE, completions=3)], 1),
        ([made("CronJob", "nightly", ONE, suspend=True)], 1),
        ([made("CronJob", "nightly", ONE, jobTemplate={"parallelism": 2})], 2),
        ([*DAEMONS, made("DaemonSet", "agent", ONE)], 3),
        ([*DAEMONS, made("DaemonSet", "agent", ONE, updateStrategy=SURGE)], 4),
        ([web(ONE, replicas=0), pod("shop/one", containers=[ONE])], 1),
    ],
)
def test_a_quota_is_twice_what_there_can_be(found: list[Resource], pods: int) -> None:
    """Of each pod 100m and 10Mi."""
    expected = {"pods": str(2 * pods), "requests.memory": f"{20 * pods}Mi"}
    milli = 200 * pods
    expected["requests.cpu"] = f"{milli}m" if milli % 1000 else str(milli // 1000)
    assert hard(*found) == expected


@pytest.mark.parametrize(
    ("containers", "pods", "keys"),
    [
        ([asking(cpu=1, memory=1)], {}, {"requests.cpu", "requests.memory"}),
        ([limited(cpu=1, memory=1)], {}, {"requests.cpu", "requests.memory"}),
        ([asking(cpu=1), limited("two", cpu=1, memory=1)], {}, {"requests.cpu"}),
        ([asking(cpu=1), SILENT], {}, set()),
        ([asking(cpu=1)], {"initContainers": [SILENT]}, set()),
        ([asking(cpu=1)], {"ephemeralContainers": [SILENT]}, {"requests.cpu"}),
        ([asking(cpu="0", memory=1)], {}, {"requests.memory"}),
        ([asking(cpu=1)], {"runtimeClassName": "box"}, set()),
        ([asking(cpu=1)], {"runtimeClassName": "box", "overhead": {"cpu": "1"}}, {"requests.cpu"}),
    ],
)
def test_only_what_every_container_says_is_bounded(containers: Any, pods: Any, keys: Any) -> None:
    """The API server refuses pods that do not say what a quota bounds, and with a bound of nothing
    all that ask for something.
    """
    assert hard(web(*containers, pods=pods)).keys() == {"pods", *keys}


def test_what_a_limit_range_gives_is_said() -> None:
    """It is asked before quotas are. 2 pods × (1 + 500m) × 2."""
    limits = {"limits": [{"type": "Container", "defaultRequest": {"cpu": "500m"}}]}
    metadata = {"name": "given", "namespace": "shop"}
    manifest = {"apiVersion": "v1", "kind": "LimitRange", "metadata": metadata, "spec": limits}
    assert hard(web(asking(cpu=1), SILENT), resource(manifest)) == {
        "pods": "4",
        "requests.cpu": "6",
    }


GROWS = pod("far/ca", containers=[{"name": "m", "image": "r.example/cluster-autoscaler:1"}])
WIDE = Resource(Ref("db.example.org/v1", "Stores", "", "x"), {}, SHOP.origin)
"""Of no namespace."""
OWN = {"apiVersion": "db.example.org/v1", "kind": "Store"}


MESHED = resource(
    {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop", "labels": {"istio-injection": "enabled"}},
    }
)


def hook(resources: str, **rule: Any) -> Resource:
    """A webhook that is called for these."""
    rule = {"operations": ["CREATE"], "apiGroups": [""], "resources": [resources], **rule}
    manifest = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "hook"},
        "webhooks": [{"name": "a.example.com", "rules": [rule]}],
    }
    return resource(manifest)


@pytest.mark.parametrize("found", [hook("services"), hook("pods", operations=["DELETE"])])
def test_a_webhook_for_something_else_keeps_nobody_from_the_fix(found: Resource) -> None:
    assert hard(web(asking(cpu=1)), found) == {"pods": "4", "requests.cpu": "4"}


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], "has no workloads to measure it by"),
        ([web(ONE, replicas=0)], "nothing runs in namespace shop"),
        ([made("DaemonSet", "agent", ONE)], "depends on the nodes, and no Node objects are given"),
        (
            [resource({**OWN, "metadata": {"name": "x", "namespace": "shop"}}), web(ONE)],
            "objects of kinds that are not known may make more pods there",
        ),
        ([web(asking(cpu="much"))], "what shop/web asks for cannot be read"),
        (
            [WIDE, web(ONE)],
            "objects of kinds that are not known may make more pods there",
        ),
        ([made("Job", "once", ONE, parallelism=-3)], "a run of -3 pods is none"),
        ([web(ONE), MESHED], "the pods of shop/web get a sidecar"),
        ([web(ONE), hook("pods")], "MutatingWebhookConfiguration.* may add to pods"),
        ([web(ONE), hook("*", operations=["*"], apiGroups=["*"])], "may add to pods"),
        (
            [node(), made("DaemonSet", "agent", ONE), GROWS],
            "depends on the nodes, and nodes are added",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_not_bounded(found: Any, why: str) -> None:
    with pytest.raises(CannotBuildError, match=why):
        hard(*found)


def test_an_ended_job_needs_nothing() -> None:
    """And what it did not say keeps nobody from being bounded."""
    ended = made("Job", "load", SILENT, parallelism=5)
    ended = resource({**ended.manifest, "status": ENDED})
    assert hard(ended, pod("shop/one", containers=[ONE]))["pods"] == "2"
    assert hard(ended, pod("shop/one", containers=[ONE]))["requests.cpu"] == "200m"


def test_a_rollout_of_all_at_once_fits_while_every_old_pod_is_still_ending() -> None:
    """Asked of the model of quotas that judges rollouts, which counts what is ending: web has 6 old
    pods and 8 new ones at the most, db 3 and 3; one more than twice of all is refused.
    """
    store = made("StatefulSet", "db", asking(cpu="500m", memory="1G"), replicas=3)
    found = (SHOP, web(asking(cpu="300m", memory="1Gi"), replicas=4), scaler(6), store)
    manifest = changed(QUOTA, *found[1:]).resource.manifest
    templates = [
        w.resource.manifest["spec"]["template"] for w in Facts(Snapshot(found), SETTINGS).workloads
    ]
    quotas = Quotas.of([manifest], templates)
    there = [(0, "ending", 0, 6), (0, "new", 0, 7), (1, "ending", 0, 3), (1, "new", 0, 3)]
    assert quotas.why(there, 0) == ""
    assert quotas.why([*there, (0, "more", 0, 3)], 0).startswith("exceeded quota: pods")
