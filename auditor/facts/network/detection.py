"""Finds out what enforces the network policies of a cluster, from what its installation leaves.

Read are DaemonSets (image and labels together, never a name: see `agents`), the ConfigMaps of their
settings, and what k3s writes on its nodes. All of it is in a saved snapshot too. An agent that no
node wants is switched off; one that runs on no node, or not on every node, enforces nothing there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from itertools import pairwise
from typing import Any

from auditor.facts.network.agents import Agent, agents, flags, is_image, variables, version_of
from auditor.facts.network.profiles import PROFILES, Profile, profile_of
from auditor.facts.selectors import Truth
from auditor.facts.workloads import workload_of
from auditor.manifests import at, texts
from auditor.model import Evidence, Path, Resource, Snapshot
from auditor.values import dataclass

FIRST_KINDNET = "20240723"
"""Since that day kindnetd of kind enforces policies: https://github.com/kubernetes-sigs/kind/pull/3612"""
KINDNET_RELEASE = (1, 3)
"""Since then kindnetd of its own releases does: https://github.com/kubernetes/minikube/issues/19871"""
K3S_ARGUMENTS = "k3s.io/node-args"
"""The annotation in which k3s writes how it was started: https://docs.k3s.io/reference/flag-deprecation"""
_NO_POLICIES = "--disable-network-policy"


@dataclass(frozen=True, slots=True)
class Detected:
    """What enforces, as far as the cluster tells."""

    name: str
    """Of its profile; several with commas between."""
    product: str
    """What is installed: ``flannel``, whose profile is none."""
    version: str = ""
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Those that change answers, or may."""
    evidence: tuple[Evidence, ...] = ()
    sure: bool = True
    why: str = ""
    """What is not sure, where something is not."""
    profile: Profile = PROFILES["spec"]
    """Its answers, as version and settings make them."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What an agent's settings make of it."""

    enforces: bool
    settings: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Truth] = field(default_factory=dict)
    """Fields of the profile that the settings change."""
    unsure: str = ""
    path: Path = ()
    """What of the DaemonSet tells it."""


def detected(snapshot: Snapshot) -> Detected | None:
    """What enforces the network policies of a cluster; None where nothing tells.

    Cost: one pass over the DaemonSets, the ConfigMaps and the Nodes.
    """
    found = [agent for agent in agents(snapshot) if agent.wanted]
    judged = [(agent, _verdict(agent, snapshot)) for agent in found]
    enforcing = [(agent, verdict) for agent, verdict in judged if verdict.enforces]
    if enforcing:
        answer: Detected | None = _of_agents(enforcing, snapshot)
    elif judged:
        answer = _nothing(judged)
    else:
        answer = _of_k3s(snapshot)
    return _with_mesh(answer, snapshot) if answer else None


def _of_agents(enforcing: Sequence[tuple[Agent, _Verdict]], snapshot: Snapshot) -> Detected:
    agent, verdict = enforcing[0]
    products = tuple(dict.fromkeys(one.product.name for one, _ in enforcing))
    version = version_of(agent.image)
    base = PROFILES[agent.product.profile]
    changed: dict[str, Any] = dict(verdict.answers)
    doubts = [
        *_rivals(products),
        *_absent([one for one, _ in enforcing if one.product == agent.product], snapshot),
        *([verdict.unsure] if verdict.unsure else []),
    ]
    return Detected(
        name=agent.product.profile,
        product=" and ".join(products),
        version=version,
        settings=verdict.settings,
        evidence=tuple(_evidence(one, told.path) for one, told in enforcing),
        sure=not doubts,
        why="; ".join(doubts),
        profile=replace(base, **changed),
    )


def _rivals(products: Sequence[str]) -> Iterator[str]:
    if len(products) > 1:
        yield f"{' and '.join(products)} both enforce, and which of them has the last word is open"


def _absent(running: Sequence[Agent], snapshot: Snapshot) -> Iterator[str]:
    """Whether some nodes are without it."""
    name = running[0].product.name
    wanted, ready = sum(a.wanted for a in running), sum(a.ready for a in running)
    nodes = len(snapshot.by_kind.get("Node", ()))
    if not ready:
        yield f"{name} is installed, and none of its {wanted} agents is ready"
    elif wanted < nodes:
        yield f"{name} has agents on {wanted} of {nodes} nodes: nothing enforces on the others"


def _nothing(judged: Sequence[tuple[Agent, _Verdict]]) -> Detected:
    agent, verdict = next((one for one in judged if one[1].settings), judged[0])
    return Detected(
        name="none",
        product=" and ".join(dict.fromkeys(one.product.name for one, _ in judged)),
        version=version_of(agent.image),
        settings=verdict.settings,
        evidence=tuple(_evidence(one, told.path) for one, told in judged),
        sure=not verdict.unsure,
        why=verdict.unsure,
        profile=PROFILES["none"],
    )


def _evidence(agent: Agent, path: Path) -> Evidence:
    place = path or (*agent.container.path, "image")
    said = f"{agent.product.name}: image {agent.image}, ready on {agent.ready} of {agent.wanted}"
    return Evidence(f"{said} nodes", agent.workload.ref, place)


def _verdict(agent: Agent, snapshot: Snapshot) -> _Verdict:
    judge = _SETTINGS.get(agent.product.name)
    if judge:
        return judge(agent, snapshot)
    return _Verdict(bool(agent.product.profile))


def _config(agent: Agent, snapshot: Snapshot, *names: str) -> Mapping[str, str] | None:
    """The data of a ConfigMap beside the agent; None where it is not there."""
    for resource in snapshot.of_kind("ConfigMap"):
        here = resource.ref.namespace == agent.workload.ref.namespace
        if here and _is_named(resource.ref.name, names):
            return texts(resource.manifest.get("data"))
    return None


def _is_named(name: str, names: Sequence[str]) -> bool:
    """One of these, or with a hash behind it, as kustomize writes."""
    return any(
        name == one or re.fullmatch(re.escape(one) + r"-[a-z0-9]{10}", name) for one in names
    )


_CILIUM = (
    "enable-policy",
    "policy-cidr-match-mode",
    "policy-audit-mode",
    "enable-k8s-networkpolicy",
    "allow-localhost",
    "enable-sctp",
    "kube-proxy-replacement",
)


def _cilium(agent: Agent, snapshot: Snapshot) -> _Verdict:
    """https://docs.cilium.io/en/stable/network/kubernetes/configuration/ (ConfigMap cilium-config),
    https://docs.cilium.io/en/stable/security/policy/intro/ (enforcement modes)
    """
    config = _config(agent, snapshot, "cilium-config")
    told = {**(config or {}), **{k: v for k, v in flags(agent).items() if k in _CILIUM}}
    settings = {key: told[key] for key in _CILIUM if key in told}
    off = (
        told.get("enable-policy") == "never"
        or told.get("policy-audit-mode") == "true"
        or told.get("enable-k8s-networkpolicy") == "false"
    )
    modes = set(re.split(r"[\s,]+", told.get("policy-cidr-match-mode", "")))
    answers: dict[str, Truth] = {}
    if "nodes" in modes:
        answers["blocks_match_nodes"] = Truth.YES
    if "pods" in modes:
        answers["blocks_match_pods"] = Truth.YES
    if told.get("allow-localhost") == "policy":
        answers["node_reaches_its_pods"] = Truth.NO
    # https://github.com/cilium/cilium/issues/28684: before 1.16 endPort is passed over.
    version = _numbers(version_of(agent.image))
    if version and version < (1, 16) and agent.product.name == "cilium":
        answers["end_port"] = Truth.NO
    unsure = ""
    if config is None and _unlisted(snapshot, "ConfigMap"):
        unsure = "the settings of cilium (ConfigMap cilium-config) could not be read"
    elif told.get("enable-policy") == "always":
        unsure = (
            "cilium is set to enable-policy: always, so that pods without a policy are isolated"
        )
    return _Verdict(not off, settings, answers, unsure)


def _aws(agent: Agent, snapshot: Snapshot) -> _Verdict:
    """https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy-configure.html"""
    told: dict[str, str] = {}
    for container in agent.workload.containers:
        told.update(variables(container))
    told.update(flags(agent))
    config = _config(agent, snapshot, "amazon-vpc-cni") or {}
    on = _first(told, "enable-network-policy", "ENABLE_NETWORK_POLICY")
    controller = config.get("enable-network-policy-controller")
    mode = told.get("NETWORK_POLICY_ENFORCING_MODE", "")
    settings = {"enable-network-policy": on} if on else {}
    settings |= {"enable-network-policy-controller": controller} if controller else {}
    settings |= {"NETWORK_POLICY_ENFORCING_MODE": mode} if mode else {}
    unsure = ""
    if mode == "strict":
        unsure = "the network policy agent is strict: pods without a policy are isolated"
    return _Verdict(on == "true" and controller != "false", settings, unsure=unsure)


def _first(told: Mapping[str, str], *names: str) -> str:
    return next((told[name] for name in names if name in told), "")


def _kube_router(agent: Agent, _: Snapshot) -> _Verdict:
    """https://github.com/cloudnativelabs/kube-router/blob/master/docs/user-guide.md"""
    firewall = flags(agent).get("run-firewall", "true")
    return _Verdict(firewall == "true", {"run-firewall": firewall})


def _kindnet(agent: Agent, _: Snapshot) -> _Verdict:
    tag = version_of(agent.image)
    if re.fullmatch(r"\d{8}", tag):
        return _Verdict(tag >= FIRST_KINDNET)
    version = _numbers(tag)
    if version:
        return _Verdict(version >= KINDNET_RELEASE)
    return _Verdict(enforces=True, unsure=f"the version of kindnet is not known ({agent.image})")


def _kube_ovn(agent: Agent, snapshot: Snapshot) -> _Verdict:
    """Its controller has a flag: https://kubeovn.github.io/docs/stable/en/reference/setup-options/"""
    for resource in snapshot.of_kind("Deployment"):
        found = workload_of(resource)
        if found is None or found.labels.get("app") != "kube-ovn-controller":
            continue
        for container in found.containers:
            on = flags(Agent(agent.product, found, container)).get("enable-np", "true")
            if on != "true":
                return _Verdict(enforces=False, settings={"enable-np": on})
    return _Verdict(enforces=True)


def _antrea(agent: Agent, snapshot: Snapshot) -> _Verdict:
    """https://antrea.io/docs/main/docs/feature-gates/"""
    config = _config(agent, snapshot, "antrea-config") or {}
    text = config.get("antrea-agent.conf", "")
    mode = re.search(r"^trafficEncapMode:\s*[\"']?(\w+)", text, re.MULTILINE)
    return _Verdict(enforces=True, settings={"trafficEncapMode": mode[1]} if mode else {})


def _calico(agent: Agent, _: Snapshot) -> _Verdict:
    """https://docs.tigera.io/calico/latest/reference/configure-calico-node"""
    backend = variables(agent.container).get("CALICO_NETWORKING_BACKEND", "")
    return _Verdict(
        enforces=True, settings={"CALICO_NETWORKING_BACKEND": backend} if backend else {}
    )


_SETTINGS: Mapping[str, Callable[[Agent, Snapshot], _Verdict]] = {
    "antrea": _antrea,
    "aws": _aws,
    "calico": _calico,
    "cilium": _cilium,
    "gke-dataplane-v2": _cilium,
    "kindnet": _kindnet,
    "kube-ovn": _kube_ovn,
    "kube-router": _kube_router,
}


def _of_k3s(snapshot: Snapshot) -> Detected | None:
    """k3s has flannel and the policies of kube-router inside of its own process.

    https://docs.k3s.io/networking/networking-services#network-policy-controller
    """
    servers = [node for node in snapshot.of_kind("Node") if "server" in _started_with(node)[:1]]
    if not servers:
        return None
    node = servers[0]
    version = at(node.manifest, ("status", "nodeInfo", "kubeletVersion"))
    words = [word for server in servers for word in _started_with(server)]
    if "none" in _values(words, "--flannel-backend"):
        return None  # another network, and none that we know
    off = any(
        word.partition("=")[::2] in ((_NO_POLICIES, ""), (_NO_POLICIES, "true")) for word in words
    )
    name = "none" if off else "kube-router"
    path = ("metadata", "annotations", K3S_ARGUMENTS)
    return Detected(
        name=name,
        product="k3s",
        version=version if isinstance(version, str) else "",
        settings={"disable-network-policy": "true"} if off else {},
        evidence=(Evidence(f"k3s was started with {' '.join(_telling(words))}", node.ref, path),),
        profile=PROFILES[name],
    )


def _started_with(node: Resource) -> list[str]:
    written = texts(at(node.manifest, ("metadata", "annotations"))).get(K3S_ARGUMENTS, "")
    try:
        words = json.loads(written) if written else []
    except (ValueError, RecursionError):
        return []
    return [word for word in words if isinstance(word, str)] if isinstance(words, list) else []


def _telling(words: Sequence[str]) -> Iterator[str]:
    """What of it is about policies: the other arguments are nobody's business, and may hold the
    address of a database with its password.
    """
    yield words[0]
    yield from (word for word in dict.fromkeys(words[1:]) if word.startswith(_NO_POLICIES))


def _values(words: Sequence[str], name: str) -> set[str]:
    """What stands after the flag, either way of writing it."""
    joined = {word.partition("=")[2] for word in words if word.startswith(f"{name}=")}
    return joined | {after for word, after in pairwise(words) if word == name}


_PILOT = ("istio/pilot", "istio-release/pilot", "tetrate/istio/pilot", "asm/pilot")


def _with_mesh(answer: Detected, snapshot: Snapshot) -> Detected:
    """Where nothing enforces policies of the network, sidecars may still enforce Istio's."""
    if answer.name != "none":
        return answer
    istiod = next(_istiod(snapshot), None)
    if istiod is None:
        return answer
    said = Evidence(
        "istiod: its sidecars enforce Istio's policies", istiod.ref, ("metadata", "name")
    )
    profile = profile_of((answer.name, "istio"))
    return replace(answer, name=profile.name, profile=profile, evidence=(*answer.evidence, said))


def _istiod(snapshot: Snapshot) -> Iterator[Resource]:
    for resource in snapshot.of_kind("Deployment"):
        workload = workload_of(resource)
        if workload is None or workload.labels.get("app") != "istiod":
            continue
        images = [str(container.spec.get("image")) for container in workload.containers]
        mirrored = workload.ref.namespace == "istio-system"
        if any(is_image(one, known, mirrored=mirrored) for one in images for known in _PILOT):
            yield resource


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split("."))) if "." in version else ()


def _unlisted(snapshot: Snapshot, kind: str) -> bool:
    return any(kind in gap.kinds for gap in snapshot.gaps)
