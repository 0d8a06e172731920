"""What enforces network policies, and what it does where the specification leaves that open.

`Profile` is what a judge reads; `PROFILES` are those that have a name, and `ANSWERS` says where
each of their answers was read. What has no source stays undefined.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from auditor.errors import UsageError
from auditor.facts.selectors import Truth
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """The answers of one enforcer. `Truth.MAYBE` leaves an answer undefined.

    Questions are those that NetworkPolicy v1 leaves to the implementation; each field names one.
    """

    name: str
    enforces: Truth = Truth.YES
    """Whether network policies have any effect."""
    blocks_match_pods: Truth = Truth.YES
    """Whether an ipBlock means a pod by its address. The documentation advises against it; the
    conformance tests of Kubernetes demand it (test/e2e/network/netpol/network_policy.go)."""
    blocks_match_nodes: Truth = Truth.YES
    """Whether an ipBlock means a node, and the pods on its network, by its address."""
    selectors_match_host_network: Truth = Truth.MAYBE
    """Whether a peer's selector means a pod on the network of its node."""
    selects_host_network: Truth = Truth.MAYBE
    """Whether a policy holds for a pod on the network of its node that it selects."""
    reaches_itself: Truth = Truth.YES
    """Whether a pod reaches itself whatever policies say."""
    node_reaches_its_pods: Truth = Truth.YES
    """Whether a node reaches the pods on it whatever policies say."""
    reaches_its_node: Truth = Truth.YES
    """Whether a pod reaches the node on which it runs whatever policies say."""
    end_port: Truth = Truth.YES
    """Whether `endPort` is read; NO: only `port` is."""
    named_ports: Truth = Truth.YES
    """Whether a port by its name is read; NO: such an entry admits nothing."""
    sctp: Truth = Truth.YES
    """Whether rules for SCTP are read."""
    other_protocols: Truth = Truth.MAYBE
    """Whether ICMP and the like pass to a pod that is isolated."""
    cluster_policies: Truth = Truth.YES
    """Whether ClusterNetworkPolicies have any effect."""
    admin_policies: Truth = Truth.YES
    """Whether AdminNetworkPolicies and the BaselineAdminNetworkPolicy have any effect."""
    strict: bool = True
    """Whether objects pass an API server first, which refuses a cluster-wide policy that leaves a
    selector out or names ports beside networks. Who only analyses files reads on."""
    mesh: Truth = Truth.YES
    """Whether Istio's sidecars, where there are any, enforce its policies."""


SPEC = Profile("spec")
"""Nothing but what the specification says."""

QUESTIONS: Mapping[str, str] = {
    "enforces": "network policies have an effect",
    "blocks_match_pods": "an ipBlock means a pod by its address",
    "blocks_match_nodes": "an ipBlock means a node by its address",
    "selectors_match_host_network": "a peer's selector means a pod with hostNetwork",
    "selects_host_network": "a policy holds for a pod with hostNetwork",
    "reaches_itself": "a pod always reaches itself",
    "node_reaches_its_pods": "a node always reaches its own pods",
    "reaches_its_node": "a pod always reaches its own node",
    "end_port": "endPort is read",
    "named_ports": "ports by name are read",
    "sctp": "rules for SCTP are read",
    "other_protocols": "ICMP passes to a pod that is isolated",
    "cluster_policies": "ClusterNetworkPolicies have an effect",
    "admin_policies": "AdminNetworkPolicies have an effect",
    "mesh": "sidecars enforce Istio's policies",
}
"""Field → what it asks, as a person would say it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one enforcer does, and where that was read."""

    truth: Truth
    source: str


def _yes(source: str) -> Answer:
    return Answer(Truth.YES, source)


def _no(source: str) -> Answer:
    return Answer(Truth.NO, source)


def _varies(source: str) -> Answer:
    """A source that says that it depends: on the version, or on what the snapshot does not tell."""
    return Answer(Truth.MAYBE, source)


_GITHUB = "https://github.com"
_CILIUM_POLICY = f"{_GITHUB}/cilium/cilium/blob/v1.20.2/Documentation/network/kubernetes/policy.rst"
_CILIUM_ENTITIES = "https://docs.cilium.io/en/stable/security/policy/language/#entities-based"
_CILIUM_CODE = "decided by Cilium 1.20.2's own policy code"
_GKE = "https://cloud.google.com/kubernetes-engine/docs/concepts/dataplane-v2 (is Cilium)"
_CALICO = f"{_GITHUB}/projectcalico/calico"
_CALICO_NETS = f"{_CALICO}/blob/master/libcalico-go/lib/backend/k8s/conversion/conversion.go"
_CALICO_CODE = "decided by Calico 3.34's own calculation graph"
_OVN = f"{_GITHUB}/ovn-kubernetes/ovn-kubernetes"
_OVN_GRESS = f"{_OVN}/blob/master/go-controller/pkg/ovn/gress_policy.go"
_OPENSHIFT = (
    "https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/"
    "network_security/network-policy"
)
_AWS_CONTROLLER = f"{_GITHUB}/aws/amazon-network-policy-controller-k8s"
_AWS_RESOLVER = f"{_AWS_CONTROLLER}/blob/main/pkg/resolvers/endpoints.go"
_AWS_AGENT = f"{_GITHUB}/aws/aws-network-policy-agent"
_ANTREA = f"{_GITHUB}/antrea-io/antrea"
_ANTREA_FLOWS = f"{_ANTREA}/blob/main/pkg/agent/controller/networkpolicy/pod_reconciler.go"
_KUBE_ROUTER = f"{_GITHUB}/cloudnativelabs/kube-router"
_KUBE_ROUTER_RULES = f"{_KUBE_ROUTER}/blob/master/pkg/controllers/netpol/policy.go"
_KUBE_ROUTER_PODS = f"{_KUBE_ROUTER}/blob/master/pkg/controllers/netpol/utils.go"
_AZURE = f"{_GITHUB}/Azure/azure-container-networking"
_AZURE_RULES = f"{_AZURE}/blob/master/npm/pkg/controlplane/translation/translatePolicy.go"
_AZURE_PODS = f"{_AZURE}/blob/master/npm/pkg/controlplane/controllers/v2/podController.go"
_NPGUARD = f"{_GITHUB}/np-guard/netpol-analyzer"
_KNP = f"{_GITHUB}/kubernetes-sigs/kube-network-policies"
_KNP_RULES = f"{_KNP}/blob/main/pkg/networkpolicy/networkpolicy.go"
_TIERS = "https://network-policy-api.sigs.k8s.io/implementations/"
_FLANNEL = f"{_GITHUB}/flannel-io/flannel/blob/master/README.md"

ANSWERS: Mapping[str, Mapping[str, Answer]] = {
    "spec": {},
    "istio": {
        "mesh": _yes("https://istio.io/latest/docs/concepts/security/#authorization-policies"),
    },
    "npguard": {
        "blocks_match_pods": _no(f"{_NPGUARD}/issues/456"),
        "blocks_match_nodes": _no(f"{_NPGUARD}/issues/456"),
        "selectors_match_host_network": _yes(f"{_NPGUARD} (knows no hostNetwork)"),
        "selects_host_network": _yes(f"{_NPGUARD} (knows no hostNetwork)"),
        "node_reaches_its_pods": _no(f"{_NPGUARD}/blob/main/pkg/netpol/eval/check.go"),
        "reaches_its_node": _no(f"{_NPGUARD}/blob/main/pkg/netpol/eval/check.go"),
        "mesh": _no(f"{_NPGUARD} (reads none of Istio's policies)"),
        "cluster_policies": _no(f"{_NPGUARD} (knows AdminNetworkPolicies alone)"),
        "admin_policies": _yes(f"{_NPGUARD}/blob/main/README.md"),
    },
    "none": {
        "enforces": _no(_FLANNEL),
        "other_protocols": _yes(_FLANNEL),
        "mesh": _no("add istio where sidecars enforce: --cni none,istio"),
        "cluster_policies": _no(_FLANNEL),
        "admin_policies": _no(_FLANNEL),
    },
    "cilium": {
        "blocks_match_pods": _no(_CILIUM_POLICY),
        "blocks_match_nodes": _no(_CILIUM_POLICY),
        "selectors_match_host_network": _no(_CILIUM_ENTITIES),
        "selects_host_network": _no(_CILIUM_ENTITIES),
        "node_reaches_its_pods": _yes(f"{_CILIUM_CODE} (allow-localhost)"),
        "reaches_its_node": _no(_CILIUM_CODE),
        "end_port": _yes(f"{_GITHUB}/cilium/cilium/pull/32807 (since 1.16)"),
        "named_ports": _yes(_CILIUM_CODE),
        "sctp": _yes(f"{_GITHUB}/cilium/cilium/pull/35238 (in policies)"),
        "other_protocols": _no(_CILIUM_CODE),
        "cluster_policies": _varies(f"{_TIERS} (by version)"),
        "admin_policies": _varies(f"{_TIERS} (by version)"),
    },
    "calico": {
        "blocks_match_pods": _yes(_CALICO_NETS),
        "blocks_match_nodes": _yes(_CALICO_NETS),
        "selectors_match_host_network": _no(f"{_CALICO}/issues/4493"),
        "selects_host_network": _no(f"{_GITHUB}/projectcalico/felix/issues/1361"),
        "reaches_its_node": _no(
            f"{_GITHUB}/kubernetes/kops/commit/1aef760d867c06992d85e00df09ba5ecd558dada"
            " (defaultEndpointToHostAction comes after the policies of the pod)"
        ),
        "named_ports": _yes(_CALICO_CODE),
        "sctp": _yes(f"{_GITHUB}/projectcalico/libcalico-go/pull/1182"),
        "other_protocols": _no(
            "https://docs.tigera.io/calico/latest/network-policy/policy-rules/icmp-ping"
        ),
        "cluster_policies": _varies(f"{_TIERS} (by version)"),
        "admin_policies": _varies(f"{_TIERS} (by version)"),
    },
    "ovn-kubernetes": {
        "blocks_match_pods": _yes(_OVN_GRESS),
        "blocks_match_nodes": _yes(_OVN_GRESS),
        "selectors_match_host_network": _varies(f"{_OVN}/pull/2093, {_OVN}/pull/3669"),
        "selects_host_network": _no(_OPENSHIFT),
        "node_reaches_its_pods": _yes(_OPENSHIFT),
        "end_port": _yes(_OVN_GRESS),
        "named_ports": _varies(f"{_OVN}/issues/2117 (may open every port of the protocol)"),
        "sctp": _yes(_OVN_GRESS),
        "other_protocols": _no(_OPENSHIFT),
        "cluster_policies": _varies(f"{_TIERS} (by version)"),
        "admin_policies": _yes(_OPENSHIFT),
    },
    "aws": {
        "blocks_match_pods": _yes(_AWS_RESOLVER),
        "blocks_match_nodes": _yes(_AWS_RESOLVER),
        "selectors_match_host_network": _varies(
            f"{_AWS_CONTROLLER}/issues/202, {_AWS_CONTROLLER}/pull/206 (by version)"
        ),
        "selects_host_network": _no(f"{_AWS_CONTROLLER}/pull/206"),
        "node_reaches_its_pods": _yes(f"{_AWS_AGENT}/pull/65"),
        "end_port": _yes(_AWS_RESOLVER),
        "named_ports": _yes(_AWS_RESOLVER),
        "other_protocols": _no(f"{_AWS_AGENT}/issues/90"),
        "cluster_policies": _varies(f"{_TIERS} (not among them)"),
        "admin_policies": _varies(f"{_TIERS} (not among them)"),
    },
    "antrea": {
        "blocks_match_pods": _yes(_ANTREA_FLOWS),
        "blocks_match_nodes": _yes(_ANTREA_FLOWS),
        "selectors_match_host_network": _no(f"{_ANTREA}/pull/3080"),
        "selects_host_network": _no(f"{_ANTREA}/pull/2093"),
        "cluster_policies": _varies(f"{_TIERS} (by version)"),
        "admin_policies": _varies(f"{_TIERS} (by version)"),
    },
    "kube-router": {
        "blocks_match_pods": _yes(_KUBE_ROUTER_RULES),
        "blocks_match_nodes": _yes(_KUBE_ROUTER_RULES),
        "selectors_match_host_network": _no(_KUBE_ROUTER_PODS),
        "selects_host_network": _no(_KUBE_ROUTER_PODS),
        "node_reaches_its_pods": _yes(f"{_KUBE_ROUTER}/blob/master/pkg/controllers/netpol/pod.go"),
        "named_ports": _yes(f"{_KUBE_ROUTER}/issues/338"),
        "sctp": _varies(f"{_KUBE_ROUTER}/issues/1019"),
        "cluster_policies": _varies(f"{_TIERS} (not among them)"),
        "admin_policies": _varies(f"{_TIERS} (not among them)"),
    },
    "azure": {
        "blocks_match_pods": _yes(_AZURE_RULES),
        "blocks_match_nodes": _yes(_AZURE_RULES),
        "selectors_match_host_network": _no(_AZURE_PODS),
        "selects_host_network": _no(_AZURE_PODS),
        "node_reaches_its_pods": _yes(f"{_AZURE}/pull/1887"),
        "end_port": _yes(_AZURE_RULES),
        "named_ports": _yes(f"{_AZURE}/pull/553"),
        "sctp": _varies(f"{_AZURE}/pull/1442 (not on Windows)"),
        "other_protocols": _no(_AZURE_RULES),
        "cluster_policies": _varies(f"{_TIERS} (not among them)"),
        "admin_policies": _varies(f"{_TIERS} (not among them)"),
    },
    "gke-dataplane-v2": {
        "blocks_match_pods": _no(f"{_GKE}; {_CILIUM_POLICY}"),
        "blocks_match_nodes": _varies(f"{_GITHUB}/cilium/cilium/pull/28421 (by a setting)"),
        "selectors_match_host_network": _no(f"{_GKE}; {_CILIUM_ENTITIES}"),
        "reaches_its_node": _no(f"{_GKE}; {_CILIUM_CODE}"),
        "selects_host_network": _no(f"{_GKE}; {_CILIUM_ENTITIES}"),
        "end_port": _varies(f"{_GITHUB}/cilium/cilium/issues/28684 (by version)"),
        "sctp": _varies(f"{_GITHUB}/cilium/cilium/pull/35238 (by version)"),
        "other_protocols": _no(f"{_GKE}; {_CILIUM_CODE}"),
        "cluster_policies": _varies(f"{_TIERS} (not among them)"),
        "admin_policies": _varies(f"{_TIERS} (not among them)"),
    },
    "kube-network-policies": {
        "blocks_match_pods": _yes(_KNP_RULES),
        "blocks_match_nodes": _yes(_KNP_RULES),
        "selects_host_network": _varies(f"{_KNP}/pull/389 (by version)"),
        "cluster_policies": _varies(f"{_TIERS} (by version and flags)"),
        "admin_policies": _varies(f"{_TIERS} (by version and flags)"),
    },
}
"""Name → field → what it does there. Of a field that is not named, what the specification says."""

OVERLAYS = frozenset(("spec", "istio"))
"""Those that say nothing of what the CNI does, and stand beside any other."""


LENIENT = frozenset(("npguard",))
"""Those that read what no API server has checked."""


def _profile(name: str, answers: Mapping[str, Answer]) -> Profile:
    told: dict[str, Any] = {field: answer.truth for field, answer in answers.items()}
    return replace(SPEC, name=name, strict=LENIENT.isdisjoint(name.split(",")), **told)


PROFILES: Mapping[str, Profile] = {name: _profile(name, told) for name, told in ANSWERS.items()}


def profile_of(names: Iterable[str]) -> Profile:
    """The one profile that these names add up to; the specification's where there is none. A name
    may itself be several with commas between.

    Raises:
        UsageError: there is no such profile, or two of them contradict each other.
    """
    wanted = split(names)
    for name in wanted:
        if name not in PROFILES:
            raise UsageError(_no_such(name))
    bases = [name for name in wanted if name not in OVERLAYS]
    for one, other in combinations(bases, 2):
        _check(one, other)
    told: dict[str, Answer] = {}
    for name in bases:
        for field, answer in ANSWERS[name].items():
            if field not in told or told[field].truth is Truth.MAYBE:
                told[field] = answer
    for name in OVERLAYS.intersection(wanted):
        told.update(ANSWERS[name])
    return _profile(",".join(wanted) or SPEC.name, told)


def split(names: Iterable[str]) -> tuple[str, ...]:
    """The single names, each once, in the order given."""
    parts = (part.strip() for name in names for part in name.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def _check(one: str, other: str) -> None:
    """Raises:
    UsageError: they contradict each other. Who says nothing contradicts nobody, but about whether
        policies have an effect at all.
    """
    for field, asked in QUESTIONS.items():
        if field != "enforces" and not (field in ANSWERS[one] and field in ANSWERS[other]):
            continue
        answers = [getattr(PROFILES[name], field) for name in (one, other)]
        if Truth.MAYBE not in answers and answers[0] != answers[1]:
            yes, no = (one, other) if answers[0] is Truth.YES else (other, one)
            raise UsageError(
                f"--cni: {one} and {other} contradict each other: {asked} with {yes}, and not"
                f" with {no}; name the one that enforces"
            )


_KNOWN_AS = {"flannel": "none", "canal": "calico"}
"""Plugins without a profile of their own → what enforces policies beside them."""


def _no_such(name: str) -> str:
    if name in _KNOWN_AS:
        return f"--cni: there is no profile '{name}': what it enforces is '{_KNOWN_AS[name]}'"
    close: Sequence[str] = difflib.get_close_matches(name, PROFILES, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"there is {', '.join(PROFILES)}"
    return f"--cni: there is no profile '{name}'; {hint}"
