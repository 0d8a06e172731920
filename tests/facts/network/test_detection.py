"""What enforces network policies, found out from what an installation leaves in a cluster.

Each file of ``enforcers/`` is a small cluster, in the form in which that network plugin is shipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auditor.facts.network.detection import Detected, detected
from auditor.facts.selectors import Truth
from auditor.model import Gap, Resource, Server, Snapshot, Unseen

from .cluster import resource, resources

FOLDER = Path(__file__).with_name("enforcers")
NO_POLICIES = "--disable-network-policy"
SERVER = Server(136, frozenset())
YES, MAYBE, NO = Truth.YES, Truth.MAYBE, Truth.NO


def cluster(*names: str, more: tuple[Resource, ...] = ()) -> Snapshot:
    """The live cluster of these files."""
    found = [one for name in names for one in resources((FOLDER / f"{name}.yaml").read_text())]
    return Snapshot((*found, *more), server=SERVER)


def found(*names: str, more: tuple[Resource, ...] = ()) -> Detected:
    """What enforces there."""
    answer = detected(cluster(*names, more=more))
    assert answer is not None
    return answer


SURE = {
    "antrea": ("antrea", "antrea", "2.1.0"),
    "aws": ("aws", "aws", "1.1.5"),
    "aws-off": ("none", "amazon-vpc-cni and aws", "1.1.5"),
    "aws-with-calico": ("calico", "calico", "3.28.1"),
    "azure": ("azure", "azure", "1.5.37"),
    "azure-without-policies": ("none", "azure-cni", "1.6.13"),
    "calico": ("calico", "calico", "3.28.1"),
    "canal": ("calico", "calico", "3.28.1"),
    "cilium": ("cilium", "cilium", "1.16.3"),
    "cilium-auditing": ("none", "cilium", "1.17.1"),
    "cilium-before-end-port": ("cilium", "cilium", "1.15.6"),
    "cilium-from-a-mirror": ("cilium", "cilium", "1.17.1"),
    "cilium-never": ("none", "cilium", "1.17.1"),
    "flannel": ("none", "flannel", "0.26.1"),
    "flannel-with-istio": ("none,istio", "flannel", "0.26.1"),
    "flannel-with-policies": ("kube-network-policies", "kube-network-policies", "0.7.0"),
    "gke-dataplane-v2": ("gke-dataplane-v2", "gke-dataplane-v2", "1.14.9"),
    "gke-without-policies": ("none", "netd", "0.5.1"),
    "k3s": ("kube-router", "k3s", "v1.31.2+k3s1"),
    "k3s-without-policies": ("none", "k3s", "v1.31.2+k3s1"),
    "kindnet": ("kube-network-policies", "kindnet", "20250214"),
    "kindnet-of-old": ("none", "kindnet", "20230511"),
    "kube-router": ("kube-router", "kube-router", "2.2.1"),
    "kube-router-without-firewall": ("none", "kube-router", "2.2.1"),
    "openshift": ("ovn-kubernetes", "ovn-kubernetes", ""),
    "ovn-kubernetes": ("ovn-kubernetes", "ovn-kubernetes", "1.1"),
    "weave-net": ("spec", "weave-net", "2.8.1"),
}
UNSURE = {
    "aws-strict": "pods without a policy are isolated",
    "cilium-always": "pods without a policy are isolated",
    "cilium-not-ready": "none of its 3 agents is ready",
}
UNKNOWN = ("k3s-without-flannel",)


def test_every_cluster_has_its_answer() -> None:
    """None of the files is forgotten."""
    assert {file.stem for file in FOLDER.iterdir()} == {*SURE, *UNSURE, *UNKNOWN}


@pytest.mark.parametrize("name", SURE)
def test_an_installation_is_known_by_what_it_leaves(name: str) -> None:
    """Profile, product and version, and an object that shows it."""
    answer = found(name)
    assert (answer.name, answer.product, answer.version) == SURE[name]
    assert (answer.sure, answer.why) == (True, "")
    assert answer.profile.enforces is (NO if answer.name.startswith("none") else YES)
    refs = {one.ref for one in cluster(name).resources}
    assert answer.evidence
    assert all(one.ref in refs and one.message for one in answer.evidence)


@pytest.mark.parametrize("name", UNSURE)
def test_what_may_be_otherwise_is_said(name: str) -> None:
    """It is installed, and does something else than its profile, or nothing."""
    answer = found(name)
    assert not answer.sure
    assert UNSURE[name] in answer.why


@pytest.mark.parametrize("name", UNKNOWN)
def test_another_network_is_none_that_we_know(name: str) -> None:
    """k3s without its own flannel has whatever somebody installed."""
    assert detected(cluster(name)) is None


def test_an_empty_cluster_tells_nothing() -> None:
    """No agent is not the same as no enforcement: some stand outside of the cluster's objects."""
    assert detected(Snapshot((), server=SERVER)) is None


def test_settings_change_answers() -> None:
    """Read from where Cilium has them: its ConfigMap, and the tag of its image."""
    new, old = found("cilium"), found("cilium-before-end-port")
    assert new.settings["policy-cidr-match-mode"] == "nodes"
    assert (new.profile.blocks_match_nodes, new.profile.blocks_match_pods) == (YES, NO)
    assert (old.profile.blocks_match_nodes, old.profile.blocks_match_pods) == (NO, NO)
    assert (new.profile.end_port, old.profile.end_port) == (YES, NO)


def test_the_evidence_names_image_and_nodes() -> None:
    """One looks there first where the answer surprises."""
    [one] = found("calico").evidence
    assert one.message == "calico: image docker.io/calico/node:v3.28.1, ready on 3 of 3 nodes"
    assert one.path == ("spec", "template", "spec", "containers", 0, "image")


def node(name: str) -> Resource:
    """A node of another make."""
    return resource({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})


def test_nodes_without_an_agent_enforce_nothing() -> None:
    """Fargate, Windows, a virtual kubelet: policies hold on the other nodes alone."""
    nodes = tuple(node(f"n{number}") for number in range(5))
    assert found("calico", more=nodes[:3]).sure
    answer = found("calico", more=nodes)
    assert not answer.sure
    assert answer.why == "calico has agents on 3 of 5 nodes: nothing enforces on the others"


def test_two_that_enforce_are_told() -> None:
    """Nobody can say which of two has the last word."""
    answer = found("calico", "cilium")
    assert not answer.sure
    assert "calico and cilium both enforce" in answer.why


def changed(name: str, **change: Any) -> Snapshot:
    """The cluster of a file with another namespace, pod or status of its DaemonSet."""
    [agent] = cluster(name).resources
    manifest: dict[str, Any] = {**agent.manifest}
    if "namespace" in change:
        manifest["metadata"] = {**manifest["metadata"], "namespace": change.pop("namespace")}
    if "status" in change:
        manifest["status"] = change.pop("status")
    template = manifest["spec"]["template"]
    if "labels" in change:
        template = {**template, "metadata": {"labels": change.pop("labels")}}
    pod = {**template["spec"], **change}
    manifest["spec"] = {**manifest["spec"], "template": {**template, "spec": pod}}
    return Snapshot((resource(manifest),), server=SERVER)


@pytest.mark.parametrize(
    "spoiled",
    [
        pytest.param(changed("calico", labels={"app": "calico"}), id="other labels"),
        pytest.param(changed("calico", hostNetwork=False), id="not on the node's network"),
        pytest.param(
            changed("calico", containers=[{"name": "calico-node", "image": "evil/node:v3"}]),
            id="only by its name",
        ),
        pytest.param(
            changed("cilium-from-a-mirror", namespace="shop"), id="a mirror for who knows whom"
        ),
        pytest.param(
            changed("calico", status={"desiredNumberScheduled": 0, "numberReady": 0}),
            id="switched off: no node wants it",
        ),
        pytest.param(changed("calico", status="3"), id="a status that is none"),
        pytest.param(changed("calico", containers=[None, 3, {"image": ["x"]}]), id="no containers"),
    ],
)
def test_what_only_looks_like_an_agent_is_none(spoiled: Snapshot) -> None:
    """Whoever may make a DaemonSet could otherwise say that policies hold."""
    assert detected(spoiled) is None


def test_settings_that_could_not_be_read_are_not_supposed() -> None:
    """Without the list of ConfigMaps, Cilium may be set to enforce nothing."""
    gap = Gap("list of configmaps", "forbidden", Unseen.INCOMPLETE, ("ConfigMap",))
    [agent] = cluster("cilium-not-ready").resources
    ready = {**agent.manifest, "status": {"desiredNumberScheduled": 1, "numberReady": 1}}
    answer = detected(Snapshot((resource(ready),), (gap,), SERVER))
    assert answer
    assert not answer.sure
    assert "cilium-config" in answer.why


@pytest.mark.parametrize("tag", ["v" + "9" * 5000 + ".1", "latest", ":", "@", "v1..2", ""])
def test_a_tag_may_be_anything(tag: str) -> None:
    """It is an image that somebody wrote."""
    image = f"docker.io/kindest/kindnetd:{tag}"
    answer = detected(changed("kindnet", containers=[{"name": "kindnet", "image": image}]))
    assert answer is None or not answer.sure or answer.version


def test_other_arguments_of_k3s_are_not_shown() -> None:
    """One of them has the password of its database."""
    words = ["server", "--datastore-endpoint", "mysql://k3s:hunter2@tcp(db)/k3s", NO_POLICIES]
    one = node("server")
    metadata = {"name": "server", "annotations": {"k3s.io/node-args": json.dumps(words)}}
    answer = detected(Snapshot((replace(one, manifest={**one.manifest, "metadata": metadata}),)))
    assert answer
    [evidence] = answer.evidence
    assert evidence.message == f"k3s was started with server {NO_POLICIES}"


@pytest.mark.parametrize("written", ["[" * 100_000, "3", '{"a": 1}', '["server", 3, null]', "nul"])
def test_arguments_of_k3s_may_be_anything(written: str) -> None:
    """An annotation is text."""
    odd = resource(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "n", "annotations": {"k3s.io/node-args": written}},
            "status": [],
        }
    )
    answer = detected(Snapshot((odd,), server=SERVER))
    assert (answer is not None) == written.startswith('["server"')


ODD: tuple[Any, ...] = (None, 3, -1, True, "", "x", [], [None], {}, {"a": 1}, ["--run-firewall"])
BODY = ("data", "metadata", "spec", "status")
DAMAGED = [file.stem for file in sorted(FOLDER.iterdir())]


def spoiled(value: Any, odd: Any) -> Iterator[Any]:
    """The value with `odd` in the place of each thing in it, one at a time."""
    yield odd
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from ({**value, key: each} for each in spoiled(inside, odd))
    if isinstance(value, list):
        for index, inside in enumerate(value):
            for each in spoiled(inside, odd):
                yield [*value[:index], each, *value[index + 1 :]]


@pytest.mark.parametrize("name", DAMAGED)
def test_whatever_stands_in_a_field_there_is_an_answer(name: str) -> None:
    """Objects are written by others: no type is certain below the name."""
    whole = cluster(name)
    for one in whole.resources:
        body = {key: value for key, value in one.manifest.items() if key in BODY}
        for odd in ODD:
            for change in filter(lambda each: isinstance(each, dict), spoiled(body, odd)):
                manifest = {**one.manifest, **change}
                other = Resource(one.ref, manifest, one.origin)
                rest = tuple(each for each in whole.resources if each is not one)
                answer = detected(Snapshot((*rest, other), server=SERVER))
                assert answer is None or answer.product
