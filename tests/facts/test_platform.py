"""Workloads of the cluster itself are known by owner and image together."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from auditor.audit import audit
from auditor.facts.platform import repository, table
from auditor.model import Audit, Resource, Settings, Snapshot, Status
from auditor.policies.loader import load
from auditor.terms import Scope
from tests.bench import bench
from tests.facts.network.cluster import resource

PRIVILEGED = "workload/privileged_container"

# As kubeadm makes it, less what matters to nobody here:
# https://github.com/kubernetes/kubernetes/blob/master/cmd/kubeadm/app/phases/addons/proxy/manifests.go
KUBE_PROXY: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "DaemonSet",
    "metadata": {
        "name": "kube-proxy",
        "namespace": "kube-system",
        "uid": "ds",
        "labels": {"k8s-app": "kube-proxy"},
    },
    "spec": {
        "selector": {"matchLabels": {"k8s-app": "kube-proxy"}},
        "template": {
            "metadata": {"labels": {"k8s-app": "kube-proxy"}},
            "spec": {
                "hostNetwork": True,
                "priorityClassName": "system-node-critical",
                "containers": [
                    {
                        "name": "kube-proxy",
                        "image": "registry.k8s.io/kube-proxy:v1.36.3",
                        "securityContext": {"privileged": True},
                    }
                ],
                "volumes": [{"name": "modules", "hostPath": {"path": "/lib/modules"}}],
            },
        },
    },
}


def changed(*steps: tuple[tuple[str | int, ...], Any]) -> Resource:
    manifest: Any = copy.deepcopy(KUBE_PROXY)
    for (*way, last), value in steps:
        inside = manifest
        for step in way:
            inside = inside[step]
        inside[last] = value
    return resource(manifest)


def judged(*objects: Resource, workloads: str = "workloads", names: tuple[str, ...] = ()) -> Audit:
    settings = Settings(scope=Scope(workloads=workloads))
    return audit(Snapshot(objects), bench(*names), settings)


IMAGE = ("spec", "template", "spec", "containers", 0, "image")


def test_kube_proxy_is_folded_and_does_not_fail() -> None:
    """It cannot do its work without; the finding is there, with the reason."""
    answer = judged(changed())
    assert answer.open == ()
    assert {f.reason for f in answer.findings} == {"platform (kube-proxy, node networking)"}
    assert {f.status for f in answer.findings} == {Status.PLATFORM}
    assert PRIVILEGED in {f.policy.id for f in answer.findings}


NOT_IT = {
    "another image": (IMAGE, "registry.example/kube-proxy:v1.36.3"),
    "an image whose name begins so": (IMAGE, "registry.k8s.io/kube-proxy-plus:v1"),
    "a registry whose name ends so": (IMAGE, "evil.registry.k8s.io/kube-proxy:v1"),
    "a registry of somebody's account": (
        IMAGE,
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:v1",
    ),
    "another namespace": (("metadata", "namespace"), "shop"),
    "one container more": (
        ("spec", "template", "spec", "initContainers"),
        [{"name": "init", "image": "busybox"}],
    ),
    "no image": (IMAGE, None),
}


@pytest.mark.parametrize("step", NOT_IT.values(), ids=NOT_IT.keys())
def test_what_only_calls_itself_so_is_still_a_finding(step: Any) -> None:
    """A name and a label are there for the taking."""
    answer = judged(changed(step), names=(PRIVILEGED,))
    assert [f.status for f in answer.findings] == [Status.OPEN]


def test_the_image_outside_of_its_owners_form_is_still_a_finding() -> None:
    """A pod of nobody's runs the image with whatever command it likes."""
    spec = KUBE_PROXY["spec"]["template"]["spec"]
    metadata = KUBE_PROXY["metadata"]
    pod = resource({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    assert len(judged(pod, names=(PRIVILEGED,)).open) == 1


NODE = resource({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "uid": "node-1"}})


def static(uid: str = "node-1", node: str = "n1", **notes: str) -> Resource:
    """A mirror pod as the kubelet makes it."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": uid, "controller": True}
    return resource(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "kube-apiserver-n1",
                "namespace": "kube-system",
                "annotations": {"kubernetes.io/config.mirror": "abc"} if not notes else {},
                "ownerReferences": [owner],
            },
            "spec": {
                "nodeName": node,
                "hostNetwork": True,
                "containers": [{"name": "a", "image": "registry.k8s.io/kube-apiserver:v1.36.3"}],
            },
        }
    )


HOST = "workload/host_namespaces"


def test_a_static_pod_of_the_control_plane_is_folded() -> None:
    """Its node owns it and its kubelet marked it."""
    assert judged(NODE, static(), names=(HOST,)).open == ()


@pytest.mark.parametrize(
    "pod", [static(uid="other"), static(node="n2"), static(x="")], ids=["uid", "node", "mark"]
)
def test_a_pod_that_claims_a_node_is_still_a_finding(pod: Resource) -> None:
    """Another uid, another node, or no mark."""
    assert len(judged(NODE, pod, names=(HOST,)).open) == 1


def test_only_what_a_part_needs_is_folded() -> None:
    """CoreDNS has no business with privileges or the files of a node."""
    image = "registry.k8s.io/coredns/coredns:v1.12.0"
    dns = changed((("kind",), "Deployment"), (IMAGE, image))
    open_now = {finding.policy.id for finding in judged(dns).open}
    assert {PRIVILEGED, "workload/host_path_volume", HOST} <= open_now
    assert "workload/runs_as_root_user" not in open_now


def test_personal_data_is_told_of_the_platform_too() -> None:
    """No part of a cluster needs to hold any where everybody can ask for it."""
    told = {policy for part in table() for policy in part.policies}
    assert not {each for each in told if each.startswith(("data/", "network/"))}


def test_the_table_names_policies_that_there_are() -> None:
    """A renamed policy must not come back as noise."""
    there = {policy.id for policy in load()[0]}
    assert {each for part in table() for each in part.policies} <= there


def test_every_row_says_where_it_was_read() -> None:
    """Whoever doubts a row can look."""
    assert all(part.source.startswith("https://") for part in table())


def test_all_makes_no_difference_and_platform_tells_of_it_alone() -> None:
    """For whoever runs the platform."""
    other = changed((("metadata", "namespace"), "shop"), (("metadata", "uid"), "x"))
    assert len(judged(changed(), other, workloads="all", names=(PRIVILEGED,)).open) == 2
    alone = judged(changed(), other, workloads="platform", names=(PRIVILEGED,))
    assert [str(f.ref) for f in alone.open] == ["kube-system/kube-proxy[DaemonSet]"]
    assert alone.outside == 1


def test_what_was_added_to_its_running_pods_is_told() -> None:
    """A debugger in kube-proxy's pod is none of kube-proxy's needs."""
    spec = copy.deepcopy(KUBE_PROXY["spec"]["template"]["spec"])
    spec["ephemeralContainers"] = [
        {"name": "sh", "image": "busybox", "securityContext": {"privileged": True}}
    ]
    owner = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "name": "kube-proxy",
        "uid": "ds",
        "controller": True,
    }
    metadata = {
        "name": "kube-proxy-1",
        "namespace": "kube-system",
        "labels": {"k8s-app": "kube-proxy"},
        "ownerReferences": [owner],
    }
    pod = resource({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    (finding,) = judged(changed(), pod, names=(PRIVILEGED,)).open
    assert "'sh'" in finding.message
    assert [str(ref) for ref in finding.pods] == ["kube-system/kube-proxy-1[Pod]"]


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("nginx:1.27", "docker.io/library/nginx"),
        ("calico/node:v3", "docker.io/calico/node"),
        ("index.docker.io/calico/node", "docker.io/calico/node"),
        ("quay.io/calico/node@sha256:abc", "quay.io/calico/node"),
        ("localhost/a:1", "localhost/a"),
        ("localhost:5000/a/b:1@sha256:abc", "localhost:5000/a/b"),
    ],
)
def test_an_image_has_one_repository(image: str, full: str) -> None:
    """As the container runtime reads the reference."""
    assert repository(image) == full
