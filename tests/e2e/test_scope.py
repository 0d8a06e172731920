"""The scope, the platform, running pods and who keeps an object, on a real API server."""

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.scope.labels import parse
from tests.scope.test_labels import ACCEPTED, REFUSED

from .cluster import TestCluster
from .product import PEAPODS, PRIVILEGED, audit_live, auditor, name_of

pytestmark = pytest.mark.e2e

LABELLED: dict[str, dict[str, str]] = {
    "none": {},
    "web": {"app": "web"},
    "api": {"app": "api"},
    "empty": {"app": ""},
    "front": {"app": "web", "tier": "front"},
    "old": {"app": "web", "old": ""},
    "three": {"replicas": "3", "example.com/team": "a"},
    "many": {"replicas": "many", "in": "in", "notin": "x"},
}


@pytest.fixture(scope="module")
def labelled(cluster: TestCluster) -> TestCluster:
    """ConfigMaps with all sorts of labels."""
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "labelled"}})
    for name, labels in LABELLED.items():
        metadata = {"name": name, "namespace": "labelled", "labels": labels}
        cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    return cluster


@pytest.mark.parametrize("selector", [*ACCEPTED, *REFUSED])
def test_a_selector_means_what_the_api_server_makes_of_it(
    labelled: TestCluster, selector: str
) -> None:
    """The same objects, or refused by both."""
    said = labelled.kubectl("get", "configmaps", "-n", "labelled", "-l", selector, "-o", "json")
    if selector in REFUSED:
        assert said.returncode != 0
        return
    assert said.returncode == 0, said.stderr
    names = {item["metadata"]["name"] for item in json.loads(said.stdout)["items"]}
    fitting = {name for name, labels in LABELLED.items() if parse(selector).fits(labels)}
    assert names & set(LABELLED) == fitting


def container(name: str, *, privileged: bool) -> dict[str, Any]:
    return {
        "name": name,
        "image": f"registry.example/{name}:1.0.0",
        "securityContext": {"privileged": privileged},
    }


def deployment(name: str, namespace: str, *, privileged: bool, **metadata: Any) -> dict[str, Any]:
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [container("app", privileged=privileged)]},
    }
    spec = {"replicas": 3, "selector": {"matchLabels": labels}, "template": template}
    own = {"name": name, "namespace": namespace, **metadata}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": own, "spec": spec}


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


RULES = [
    {
        "apiGroups": [
            "",
            "apps",
            "autoscaling",
            "batch",
            "discovery.k8s.io",
            "networking.k8s.io",
            "policy",
            "rbac.authorization.k8s.io",
        ],
        "resources": ["*"],
        "verbs": ["list"],
    }
]


def reader_of(cluster: TestCluster, where: str) -> Path:
    """Somebody who may list what is in one namespace, and nothing else."""
    reader = cluster.kubeconfig_for(f"reader-of-{where}")
    rbac = "rbac.authorization.k8s.io"
    metadata = {"name": "reader", "namespace": where}
    subject = {"kind": "ServiceAccount", "name": f"reader-of-{where}", "namespace": "kube-system"}
    role = {"apiGroup": rbac, "kind": "Role", "name": "reader"}
    cluster.apply(
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": metadata, "rules": RULES},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": role,
            "subjects": [subject],
        },
    )
    return reader


def test_who_may_read_one_namespace_audits_that(cluster: TestCluster) -> None:
    """Its lists are read instead of those of the cluster; what the rest may change is told."""
    cluster.apply(
        PEAPODS / "nodes.yaml",
        namespace("mine"),
        namespace("theirs"),
        deployment("web", "mine", privileged=True),
        deployment("web", "theirs", privileged=True),
    )
    cluster.wait_until_bound("mine")
    reader = reader_of(cluster, "mine")

    def known() -> str:
        found = audit_live(reader, "-n", "mine", "--select", PRIVILEGED).report["gaps"]
        return "" if all(gap["severity"] == "unknown" for gap in found) else str(found)

    cluster.wait_until("the rights of the reader are known", known, 30)
    answer = audit_live(reader, "-n", "mine")
    privileged = [f for f in answer.report["findings"] if f["policy"] == PRIVILEGED]
    assert [name_of(f["object"]) for f in privileged] == ["mine/web[Deployment]"]
    gaps = {gap["what"]: gap for gap in answer.report["gaps"]}
    assert {gap["severity"] for gap in gaps.values()} == {"unknown"}
    assert "only of mine: who is elsewhere may change answers" in gaps["list of pods"]["why"]
    assert "list of nodes" in gaps
    assert "policy data/personal_data_not_isolated" in gaps
    assert answer.code == 1
    wrong = audit_live(reader, "-n", "mein")
    assert wrong.code == 4


def test_a_namespace_that_there_is_not_is_no_clean_one(cluster: TestCluster) -> None:
    """Whoever may list everything is told what was meant."""
    cluster.apply(namespace("orders"))
    said = audit_live(cluster.kubeconfig, "-n", "ordres")
    assert said.code == 3
    assert "did you mean 'orders'?" in said.err


INJECTION = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingAdmissionPolicy",
    "metadata": {"name": "injector"},
    "spec": {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["pods"],
                }
            ],
            "namespaceSelector": {"matchLabels": {"inject": "yes"}},
        },
        "mutations": [
            {
                "patchType": "JSONPatch",
                "jsonPatch": {
                    "expression": (
                        '[JSONPatch{op: "add", path: "/spec/containers/-", value: '
                        'Object.spec.containers{name: "proxy", image: "registry.example/proxy:1", '
                        "securityContext: Object.spec.containers.securityContext{privileged: true}"
                        "}}]"
                    )
                },
            }
        ],
    },
}
BINDING = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingAdmissionPolicyBinding",
    "metadata": {"name": "injector"},
    "spec": {"policyName": "injector"},
}


def test_what_was_injected_into_three_pods_is_one_finding(fresh_cluster: TestCluster) -> None:
    """A real mutating admission adds a container, and kubectl debug another one to one pod."""
    nodes = PEAPODS / "nodes.yaml"
    fresh_cluster.apply(nodes, INJECTION, BINDING, namespace("shop", inject="yes"))

    def injected() -> str:
        said = fresh_cluster.kubectl(
            *("run", "probe", "--image=a", "-n", "shop", "--dry-run=server", "-o", "json"),
            check=True,
        )
        count = len(json.loads(said.stdout)["spec"]["containers"])
        return "" if count == 2 else "the policy is not in force yet"

    fresh_cluster.wait_until("the policy is in force", injected, 30)
    fresh_cluster.apply(deployment("web", "shop", privileged=False))
    fresh_cluster.wait_until_bound("shop")
    pods = sorted(pod["metadata"]["name"] for pod in fresh_cluster.objects("pods", "shop"))
    fresh_cluster.kubectl(
        *("debug", pods[0], "-n", "shop", "--image=busybox", "--profile=sysadmin"),
        *("-c", "sh", "--attach=false"),
        check=True,
    )
    found = audit_live(fresh_cluster.kubeconfig, "-n", "shop", "--select", PRIVILEGED).findings
    debugged, proxy = sorted(found, key=lambda each: len(each["pods"]))
    assert {name_of(each["object"]) for each in found} == {"shop/web[Deployment]"}
    assert [pod["name"] for pod in proxy["pods"]] == pods
    assert "container 'proxy' was added by a mutating admission" in proxy["message"]
    assert [pod["name"] for pod in debugged["pods"]] == pods[:1]
    assert "was added to the running pod by kubectl" in debugged["message"]


HELM = {
    "labels": {"app.kubernetes.io/managed-by": "Helm"},
    "annotations": {
        "meta.helm.sh/release-name": "web",
        "meta.helm.sh/release-namespace": "released",
    },
}


def test_a_finding_names_who_keeps_its_object(cluster: TestCluster) -> None:
    """By the field managers that the API server wrote; one that lies is doubted."""
    cluster.apply(PEAPODS / "nodes.yaml", namespace("released"))
    for name, manager, metadata in (
        ("web", "helm", HELM),
        ("liar", "kubectl-edit", HELM),
        ("plain", "kubectl", {}),
    ):
        manifest = json.dumps(deployment(name, "released", privileged=True, **metadata))
        cluster.kubectl(
            *("apply", "--server-side", f"--field-manager={manager}", "-f", "-"),
            input=manifest,
            check=True,
        )
    cluster.wait_until_bound("released")
    arguments = ("-n", "released", "--select", PRIVILEGED)
    answer = audit_live(cluster.kubeconfig, *arguments)
    kept = {f["object"]["name"]: f["managedBy"] for f in answer.report["findings"]}
    assert kept["web"]["name"] == "Helm release released/web"
    assert kept["web"]["undoesLiveChanges"]
    assert kept["web"]["doubt"] == ""
    assert "kubectl-edit" in kept["liar"]["doubt"]
    assert (kept["plain"]["name"], kept["plain"]["mendAt"]) == ("kubectl apply", "")
    text = auditor("audit", "--cluster", "--kubeconfig", cluster.kubeconfig, *arguments).out
    assert "managed by: Helm release released/web" in text
    assert "mend it in: the chart or the values of Helm release released/web" in text
    access = ("--cluster", "--kubeconfig", cluster.kubeconfig)
    said = auditor("fix", *access, *arguments, "--unsafe")
    fixes = said.out.split("kubectl ")
    mended = [each for each in fixes if "# mend it in the chart or the values of Helm" in each]
    assert len(mended) == 2, said  # not the one that was applied by hand


def test_parts_of_the_cluster_are_folded(fresh_cluster: TestCluster) -> None:
    """kube-proxy as it is shipped; another image under its name is not."""
    made: list[Any] = []
    for name, image in (
        ("kube-proxy", "registry.k8s.io/kube-proxy:v1.36.3"),
        ("kube-proxy-2", "registry.example/kube-proxy:v1.36.3"),
    ):
        one = deployment(name, "kube-system", privileged=True)
        one["kind"] = "DaemonSet"
        del one["spec"]["replicas"]
        one["spec"]["template"]["spec"]["containers"][0]["image"] = image
        made.append(one)
    fresh_cluster.apply(PEAPODS / "nodes.yaml", *made)
    fresh_cluster.wait_until_nodes_ready()
    fresh_cluster.wait_until_bound("kube-system")
    answer = audit_live(fresh_cluster.kubeconfig, "--select", PRIVILEGED)
    told = {name_of(f["object"]): f["status"] for f in answer.report["findings"]}
    assert told == {
        "kube-system/kube-proxy[DaemonSet]": "platform",
        "kube-system/kube-proxy-2[DaemonSet]": "open",
    }


def test_a_static_pod_is_known_by_its_own_node(fresh_cluster: TestCluster) -> None:
    """The API server takes the mark of a mirror pod from anybody; the uid of the node decides."""
    fresh_cluster.apply(PEAPODS / "nodes.yaml")
    fresh_cluster.wait_until_nodes_ready()
    node = fresh_cluster.objects("nodes")[0]["metadata"]
    for name, uid in (("real", node["uid"]), ("forged", "00000000-0000-4000-8000-000000000000")):
        owner = {"apiVersion": "v1", "kind": "Node", "name": node["name"], "uid": uid}
        metadata = {
            "name": name,
            "namespace": "kube-system",
            "annotations": {"kubernetes.io/config.mirror": "a1", "kubernetes.io/config.hash": "a1"},
            "ownerReferences": [owner | {"controller": True}],
        }
        one = container("kube-proxy", privileged=True) | {"image": "registry.k8s.io/kube-proxy:v1"}
        spec = {"nodeName": node["name"], "containers": [one]}
        fresh_cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    found = audit_live(fresh_cluster.kubeconfig, "--select", PRIVILEGED).report["findings"]
    told = {each["object"]["name"]: (each["status"], each["managedBy"]["name"]) for each in found}
    static = f"static pod of node {node['name']}"
    assert told.get("forged", ("open",))[0] == "open"  # unless the garbage collector was faster
    assert told["real"] == ("platform", static)
