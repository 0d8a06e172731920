"""What a policy of Istio meets in the mesh."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts import FACTS, Facts
from auditor.model import Settings, Snapshot
from tests.bench import facts, objects

SHOP = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp-db, port: 5432}]
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: web, image: "example.com/web:1"}]}
---
"""
POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: readers, namespace: istio-system}
spec: {rules: [{to: [{operation: {methods: [GET]}}]}]}
---
"""
MODE = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: DISABLE}}
---
"""
SETTINGS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "trustDomain: shop.example"}
---
"""


def told(world: Facts, name: str = "readers", kind: str = "AuthorizationPolicy") -> Any:
    """What is told of the object of this name."""
    found = next(r for r in world.snapshot.resources if (r.ref.kind, r.ref.name) == (kind, name))
    return world.about(found, ("mesh",)).get("mesh")


def test_ports_are_told_with_what_they_speak_and_whether_they_are_closed() -> None:
    """A rule on methods admits nobody to a port of TCP, whatever the Service calls it."""
    said = told(facts(SHOP, POLICY))
    one, nobody = {"first": "shop/web", "count": 1}, {"first": "", "count": 0}
    assert said["ports"] == [
        {"number": 5432, "protocol": "tcp", **one, "closed": one},
        {"number": 8080, "protocol": "http", **one, "closed": one},
    ]
    opener = POLICY.replace("readers", "db").replace("methods: [GET]", 'ports: ["5432"]')
    said = told(facts(SHOP, POLICY, opener))
    assert [port["closed"] for port in said["ports"]] == [nobody, one]


def test_a_dry_run_opens_and_closes_nothing() -> None:
    """It has no part in what a port admits."""
    trial = POLICY.replace("{name", '{annotations: {istio.io/dry-run: "true"}, name')
    assert [port["closed"]["count"] for port in told(facts(SHOP, trial))["ports"]] == [0, 0]


@pytest.mark.parametrize(
    ("mode", "takers"), [("STRICT", None), ("PERMISSIVE", 1), ("DISABLE", 1), ("UNSET", 1)]
)
def test_who_takes_plain_text_follows_the_mode(mode: str, takers: int | None) -> None:
    """Of those that are selected; where nobody is, of the namespace."""
    said = told(facts(SHOP, POLICY, MODE.replace("DISABLE", mode)))
    assert (said["plaintext"] and said["plaintext"]["count"]) == takers
    nobody = told(facts(POLICY, MODE.replace("DISABLE", mode)))["plaintext"]
    assert (nobody and nobody["count"]) == (None if takers is None else 0)


def test_a_port_of_the_service_is_told_where_no_workload_listens_on_it() -> None:
    """80 leads to 8080; 5432 leads to itself."""
    said = told(facts(SHOP, POLICY))["service_ports"]
    assert said == [{"service": "shop/web", "port": 80, "target": 8080}]


def test_who_has_no_sidecar_is_told_as_one_group() -> None:
    """Those of whom the manifests do not tell are left out, and jobs, which serve nobody."""
    policy = POLICY.replace("istio-system", "shop")
    bare = SHOP.replace("labels: {istio-injection: enabled}", "labels: {team: web}")
    other = bare.replace("name: web", "name: other")
    job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: once, namespace: shop}\n"
    said = told(facts(bare, other, policy, job))["uncovered"]
    assert said == [{"first": "shop/other", "count": 2, "why": "no sidecar"}]
    unknown = SHOP.split("---", 1)[1]
    assert told(facts(unknown, policy))["uncovered"] == []


def test_a_policy_of_the_whole_mesh_means_its_members() -> None:
    """The control plane itself has no sidecar."""
    bare = SHOP.replace("labels: {istio-injection: enabled}", "labels: {team: web}")
    assert told(facts(bare, POLICY))["uncovered"] == []
    named = POLICY.replace("spec: {", "spec: {selector: {matchLabels: {app: web}}, ")
    assert told(facts(bare, named))["uncovered"][0]["first"] == "shop/web"


def test_the_ports_of_the_proxy_itself_are_no_hole() -> None:
    """The container of a live sidecar declares them."""
    policy = POLICY.replace("istio-system", "shop")
    proxy = "{name: istio-proxy, image: p, ports: [{containerPort: 15090}, {containerPort: 15021}]}"
    live = SHOP.replace("containers: [", f"containers: [{proxy}, ")
    assert told(facts(live, policy))["uncovered"] == []


def test_an_older_policy_of_the_same_scope_is_told() -> None:
    """By time, and by name where they are as old or have none."""
    second = MODE.replace("default", "second")
    said = told(facts(MODE, second), "second", "PeerAuthentication")["outranked"]
    assert said == [
        {
            "name": "istio-system/default[PeerAuthentication]",
            "mode": "DISABLE",
            "dated": False,
            "first": "",
        }
    ]
    assert told(facts(MODE, second), "default", "PeerAuthentication")["outranked"] == []


def test_settings_that_cannot_be_read_are_not_known() -> None:
    """A policy about trust domains or providers then says nothing."""
    assert told(facts(SETTINGS, POLICY))["known"] is True
    assert told(facts(POLICY))["known"] is False
    assert told(facts(SETTINGS.replace('"trustDomain: shop.example"', '"a: ["'), POLICY))[
        "known"
    ] is False  # fmt: skip


def test_a_policy_of_somebodys_own_group_is_another_kind() -> None:
    """Nothing is told of it, and it closes nothing."""
    strange = POLICY.replace("security.istio.io", "security.example").replace("readers", "x")
    world = facts(SHOP, POLICY, strange)
    assert told(world, "x") is None
    assert told(world) == told(facts(SHOP, POLICY))


@pytest.mark.parametrize("kind", FACTS["mesh"].needs)
def test_every_kind_that_it_needs_changes_what_is_told(kind: str) -> None:
    """So that without the list of one of them a policy on it is not asked."""
    bare = SHOP.replace("istio-injection: enabled", "team: web").replace("shop", "lab")
    made = _workloads() + bare
    policies = POLICY + POLICY.replace("istio-system", "lab")
    world = Facts(
        Snapshot((*objects(SHOP + policies + MODE + SETTINGS), *objects(made))), Settings()
    )
    rest = tuple(r for r in world.snapshot.resources if r.ref.kind != kind)
    assert rest != world.snapshot.resources
    blind = Facts(Snapshot(rest), Settings())
    assert any(world.about(r, ("mesh",)) != blind.about(r, ("mesh",)) for r in rest)


def _workloads() -> str:
    """One of each kind that makes pods."""
    pod = {"template": {"spec": {"containers": [{"name": "a", "image": "example.com/a:1"}]}}}
    job = {"jobTemplate": {"spec": pod}}
    versions = {
        "apps/v1": ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"),
        "batch/v1": ("CronJob", "Job"),
        "v1": ("PodTemplate", "ReplicationController"),
        "argoproj.io/v1alpha1": ("Rollout",),
    }
    found = []
    for version, kinds in versions.items():
        for kind in kinds:
            spec = job if kind == "CronJob" else pod
            body = f"template: {pod['template']}" if kind == "PodTemplate" else f"spec: {spec}"
            names = f"metadata: {{name: {kind.lower()}, namespace: shop}}"
            found.append(f"apiVersion: {version}\nkind: {kind}\n{names}\n{body}\n")
    return "---\n".join((*found, ""))
