"""The programs on the nodes that make a pod network or enforce its policies, and how each is known.

By the image of a container and a label of its pods together: a name alone says nothing, since
anybody may call a DaemonSet cilium. An image counts under a registry of its makers or of those who
repackage it; under another one (a mirror) only in a namespace that is the cluster's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from auditor.facts.workloads import Container, Workload, workload_of
from auditor.manifests import at
from auditor.model import Resource, Snapshot
from auditor.values import dataclass

REGISTRIES = re.compile(
    r"docker\.io|index\.docker\.io|quay\.io|ghcr\.io|mcr\.microsoft\.com|gke\.gcr\.io|gcr\.io"
    r"|registry\.k8s\.io|public\.ecr\.aws|registry\.rancher\.com|registry\.suse\.com"
    r"|projects\.(?:packages\.broadcom|registry\.vmware)\.com"
    r"|\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?"
)
SYSTEM = frozenset(
    (
        "antrea-system",
        "calico-system",
        "cilium",
        "kube-flannel",
        "kube-ovn",
        "kube-system",
        "openshift-ovn-kubernetes",
        "ovn-kubernetes",
    )
)
"""Namespaces in which nobody but who runs the cluster makes anything."""


@dataclass(frozen=True, slots=True)
class Product:
    """One program, and how it is known."""

    name: str
    profile: str
    """Of `auditor.facts.network.profiles.PROFILES`; empty for one that only forwards."""
    images: tuple[str, ...]
    """Repositories without their registry."""
    labels: tuple[tuple[str, str], ...]
    """Any of these on its pods."""
    source: str
    """Where its form was read."""


def _labelled(key: str, *values: str) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for value in values)


_GITHUB = "https://github.com"
PRODUCTS: tuple[Product, ...] = (
    Product(
        "gke-dataplane-v2",
        "gke-dataplane-v2",
        ("gke.gcr.io/cilium/cilium", "gke.gcr.io/advanced-datapath/cilium"),
        _labelled("k8s-app", "cilium", "anetd"),
        "https://cloud.google.com/kubernetes-engine/docs/concepts/dataplane-v2",
    ),
    Product(
        "cilium",
        "cilium",
        (
            "cilium/cilium",
            "containernetworking/cilium/cilium",
            "isovalent/cilium",
            "rancher/mirrored-cilium-cilium",
        ),
        _labelled("k8s-app", "cilium"),
        f"{_GITHUB}/cilium/cilium/blob/main/install/kubernetes/cilium/values.yaml",
    ),
    Product(
        "calico",
        "calico",
        (
            "calico/node",
            "calico/node-windows",
            "gke.gcr.io/calico/node",
            "oss/calico/node",
            "oss/v2/calico/node",
            "rancher/hardened-calico",
            "rancher/mirrored-calico-node",
        ),
        _labelled("k8s-app", "calico-node", "calico-node-windows", "canal"),
        f"{_GITHUB}/projectcalico/calico/blob/master/manifests/calico.yaml",
    ),
    Product(
        "aws",
        "aws",
        ("amazon/aws-network-policy-agent",),
        _labelled("k8s-app", "aws-node"),
        f"{_GITHUB}/aws/amazon-vpc-cni-k8s/blob/master/config/master/aws-k8s-cni.yaml",
    ),
    Product(
        "amazon-vpc-cni",
        "",
        ("amazon-k8s-cni",),
        _labelled("k8s-app", "aws-node"),
        f"{_GITHUB}/aws/amazon-vpc-cni-k8s/blob/master/config/master/aws-k8s-cni.yaml",
    ),
    Product(
        "azure",
        "azure",
        ("containernetworking/azure-npm",),
        _labelled("k8s-app", "azure-npm"),
        f"{_GITHUB}/Azure/azure-container-networking/blob/master/npm/azure-npm.yaml",
    ),
    Product(
        "azure-cni",
        "",
        ("containernetworking/azure-cns",),
        _labelled("k8s-app", "azure-cns"),
        f"{_GITHUB}/Azure/azure-container-networking/blob/master/cns/azure-cns.yaml",
    ),
    Product(
        "antrea",
        "antrea",
        (
            "antrea/antrea-agent-ubi",
            "antrea/antrea-agent-ubuntu",
            "antrea/antrea-ubuntu",
            "antrea/antrea-windows",
        ),
        _labelled("component", "antrea-agent"),
        f"{_GITHUB}/antrea-io/antrea/blob/main/build/yamls/antrea.yml",
    ),
    Product(
        "ovn-kubernetes",
        "ovn-kubernetes",
        (
            "openshift-release-dev/ocp-v4.0-art-dev",
            "ovn-kubernetes/ovn-kubernetes/ovn-kube-fedora",
            "ovn-kubernetes/ovn-kubernetes/ovn-kube-ubuntu",
            "ovn-org/ovn-kubernetes/ovn-kube-fedora",
            "ovn-org/ovn-kubernetes/ovn-kube-ubuntu",
            "ovnkube/ovn-daemonset-fedora",
            "ovnkube/ovn-daemonset-ubuntu",
        ),
        _labelled("app", "ovnkube-node"),
        f"{_GITHUB}/ovn-kubernetes/ovn-kubernetes/tree/master/helm/ovn-kubernetes",
    ),
    Product(
        "kube-router",
        "kube-router",
        ("cloudnativelabs/kube-router",),
        _labelled("k8s-app", "kube-router"),
        f"{_GITHUB}/cloudnativelabs/kube-router/blob/master/daemonset/kubeadm-kuberouter.yaml",
    ),
    Product(
        "kube-network-policies",
        "kube-network-policies",
        ("networking/kube-network-policies",),
        (
            *_labelled("app", "kube-network-policies", "flannel"),
            *_labelled("k8s-app", "kube-network-policies", "flannel"),
        ),
        f"{_GITHUB}/kubernetes-sigs/kube-network-policies/blob/main/install.yaml",
    ),
    Product(
        "kindnet",
        "kube-network-policies",
        ("kindest/kindnetd", "aojea/kindnetd"),
        (*_labelled("app", "kindnet"), *_labelled("k8s-app", "kindnet")),
        f"{_GITHUB}/kubernetes-sigs/kind/tree/main/images/kindnetd",
    ),
    Product(
        "flannel",
        "",
        (
            "coreos/flannel",
            "flannel-io/flannel",
            "flannel/flannel",
            "flannelcni/flannel",
            "rancher/hardened-flannel",
            "rancher/mirrored-flannelcni-flannel",
        ),
        (*_labelled("app", "flannel"), *_labelled("k8s-app", "canal", "flannel")),
        f"{_GITHUB}/flannel-io/flannel/blob/master/Documentation/kube-flannel.yml",
    ),
    Product(
        "netd",
        "",
        ("gke.gcr.io/netd", "gke.gcr.io/netd-amd64", "gke-release/netd"),
        _labelled("k8s-app", "netd"),
        f"{_GITHUB}/GoogleCloudPlatform/netd/blob/master/netd.yaml",
    ),
    Product(
        "weave-net",
        "spec",
        ("weaveworks/weave-npc",),
        _labelled("name", "weave-net"),
        f"{_GITHUB}/weaveworks/weave/blob/master/prog/weave-kube/weave-daemonset-k8s-1.11.yaml",
    ),
    Product(
        "kube-ovn",
        "spec",
        ("kubeovn/kube-ovn",),
        _labelled("app", "kube-ovn-cni"),
        f"{_GITHUB}/kubeovn/kube-ovn/blob/master/dist/images/install.sh",
    ),
)
"""More telling ones first: of one DaemonSet, each container is known as the first that fits."""


@dataclass(frozen=True, slots=True)
class Agent:
    """A program that runs, or would run, on the nodes."""

    product: Product
    workload: Workload
    container: Container

    @property
    def resource(self) -> Resource:
        """Its DaemonSet."""
        return self.workload.resource

    @property
    def image(self) -> str:
        """As it is written."""
        return str(self.container.spec.get("image"))

    @property
    def wanted(self) -> int:
        """On how many nodes it should run: 0 where it is switched off."""
        return _count(self.resource, "desiredNumberScheduled")

    @property
    def ready(self) -> int:
        """On how many it does."""
        return _count(self.resource, "numberReady")


def agents(snapshot: Snapshot) -> Iterator[Agent]:
    """Every agent that is known, whether it runs or not."""
    for resource in snapshot.of_kind("DaemonSet"):
        workload = workload_of(resource)
        if workload is None or resource.ref.group not in ("apps", "extensions"):
            continue
        if workload.pod.get("hostNetwork") is not True:
            continue  # none of them could do its work
        for container in workload.containers:
            product = container.list == "containers" and _product(workload, container)
            if product:
                yield Agent(product, workload, container)


def _product(workload: Workload, container: Container) -> Product | None:
    image = container.spec.get("image")
    if not isinstance(image, str):
        return None
    system = workload.ref.namespace in SYSTEM
    for product in PRODUCTS:
        if any(workload.labels.get(key) == value for key, value in product.labels) and any(
            is_image(image, known, mirrored=system) for known in product.images
        ):
            return product
    return None


def is_image(image: str, known: str, *, mirrored: bool) -> bool:
    """Whether the reference is of the repository `known`, which may name its registry; with
    `mirrored`, under whatever registry.
    """
    registry, path = _parts(image)
    head, _, rest = known.partition("/")
    if "." in head:
        return (registry, path) == (head, rest) or (mirrored and path.endswith(f"/{known}"))
    if path == known and REGISTRIES.fullmatch(registry):
        return True
    return mirrored and f"/{path}".endswith(f"/{known}")


def _parts(image: str) -> tuple[str, str]:
    """Registry and repository. Rules: github.com/distribution/reference (normalize.go)."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    name = head + slash + last.partition(":")[0]
    registry, slash, path = name.partition("/")
    if slash and (registry == "localhost" or {".", ":"} & set(registry)):
        return registry, path
    return "docker.io", name


def version_of(image: str) -> str:
    """``1.16.3`` of ``quay.io/cilium/cilium:v1.16.3@sha256:…``; empty where the tag is none."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    found = re.search(r"\d{1,6}(?:\.\d{1,6})+|\d{8}", tag)
    return found[0] if found else ""


def flags(agent: Agent) -> Mapping[str, str]:
    """The arguments of its container, ``--name=value``, and its variables of fixed value, under
    their names.
    """
    told: dict[str, str] = {}
    for key in ("command", "args"):
        words = agent.container.spec.get(key)
        for word in words if isinstance(words, list) else ():
            if isinstance(word, str) and word.startswith("--"):
                name, _, value = word.removeprefix("--").partition("=")
                told[name] = value or "true"
    return {**told, **variables(agent.container)}


def variables(container: Container) -> Mapping[str, str]:
    """The variables of a container whose value is written there."""
    entries = container.spec.get("env")
    found = {}
    for entry in entries if isinstance(entries, list) else ():
        name, value = at(entry, ("name",)), at(entry, ("value",))
        if isinstance(name, str) and isinstance(value, str):
            found[name] = value
    return found


def _count(resource: Resource, name: str) -> int:
    value = at(resource.manifest, ("status", name))
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
