"""A rule that is said to change nothing changes nothing: held against the engine itself."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts import Facts
from auditor.facts.network import Network, Stranger, World
from auditor.facts.network.answers import Peer
from auditor.model import Settings, Snapshot
from tests.facts.network.cluster import namespace, pod, resource

LABELS = st.sampled_from(
    [
        {},
        {"matchLabels": {"app": "web"}},
        {"matchLabels": {"app": "web", "tier": "front"}},
        {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]},
        {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
        {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["front"]}]},
        {"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]},
    ]
)
SPACES = st.sampled_from([{}, {"matchLabels": {"team": "a"}}, {"matchLabels": {"team": "b"}}])
BLOCKS = st.sampled_from(
    [
        {"cidr": "0.0.0.0/0"},
        {"cidr": "10.0.0.0/8"},
        {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]},
        {"cidr": "10.1.2.0/24"},
        {"cidr": "10.2.0.0/16", "except": ["10.2.3.0/24"]},
    ]
)
PEERS = st.one_of(
    st.builds(lambda pods: {"podSelector": pods}, LABELS),
    st.builds(lambda spaces: {"namespaceSelector": spaces}, SPACES),
    st.builds(lambda p, s: {"podSelector": p, "namespaceSelector": s}, LABELS, SPACES),
    st.builds(lambda block: {"ipBlock": block}, BLOCKS),
)
PORTS = st.sampled_from(
    [
        {"port": 80},
        {"port": 80, "endPort": 90},
        {"port": "http"},
        {"protocol": "TCP"},
        {"protocol": "UDP", "port": 53},
    ]
)
RULES = st.builds(
    lambda peers, ports: ({"from": peers} if peers else {}) | ({"ports": ports} if ports else {}),
    st.lists(PEERS, max_size=2),
    st.lists(PORTS, max_size=2),
)
POLICY = st.builds(
    lambda selector, rules: {"podSelector": selector, "ingress": rules},
    LABELS,
    st.lists(RULES, min_size=1, max_size=3),
)

AROUND = (
    namespace("default", team="a"),
    namespace("other", team="b"),
    pod("web", containers=[{"name": "m", "ports": [{"name": "http", "containerPort": 85}]}]),
    pod("api"),
    pod("other/web"),
)
ASKING: tuple[Peer, ...] = (
    *(
        Stranger(space, labels)
        for space in ("default", "other", "")
        for labels in ({}, {"app": "web"}, {"app": "web", "tier": "front"}, {"tier": "back"})
    ),
    *map(World, ("10.1.2.3", "10.2.3.4", "10.2.9.9", "10.9.9.9", "192.0.2.1")),
)


def _policy(name: str, spec: Any) -> Any:
    metadata = {"name": name, "namespace": "default"}
    version = "networking.k8s.io/v1"
    body = {"apiVersion": version, "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
    return resource(body)


def _admitted(specs: list[Any]) -> list[object]:
    policies = [_policy(f"p{n}", spec) for n, spec in enumerate(specs)]
    facts = Facts(Snapshot((*AROUND, *policies)), Settings())
    network: Network = facts.network
    return [
        (reach.ports, reach.possible)
        for target in facts.workloads
        for peer in ASKING
        for reach in [network.reach(peer, target, ("Ingress",))]
    ]


@settings(max_examples=150, deadline=None)
@given(st.lists(POLICY, min_size=1, max_size=3))
def test_without_it_the_same_is_admitted(specs: list[Any]) -> None:
    """To every pod, from pods of all labels and from addresses inside and outside of each block."""
    policies = [_policy(f"p{n}", spec) for n, spec in enumerate(specs)]
    facts = Facts(Snapshot((*AROUND, *policies)), Settings())
    for number, policy in enumerate(policies):
        told = facts.about(policy, ("policy_rules",)).get("policy_rules", {})
        for shadow in told.get("redundant", ()):
            less = copy.deepcopy(specs)
            del less[number]["ingress"][shadow["path"][2]]
            assert _admitted(less) == _admitted(specs), shadow
