"""What a cluster-wide policy means as it is written, and what the API server refuses."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.network import InvalidPolicy, World
from auditor.facts.network.cluster_policies import ClusterPolicy, parse_cluster_policy
from auditor.model import Path

from .cluster import cluster_policy, find, network, node, pod

HEAD: dict[str, Any] = {"tier": "Admin", "priority": 1, "subject": {"namespaces": {}}}
OLD_HEAD: dict[str, Any] = {"priority": 1, "subject": {"namespaces": {}}}
ALL: dict[str, Any] = {"namespaces": {}}


def parsed(spec: Any, kind: str = "ClusterNetworkPolicy", name: str = "x") -> Any:
    """The policy, or why there is none."""
    return parse_cluster_policy(cluster_policy(spec, name, kind))


def rule(**more: Any) -> dict[str, Any]:
    """A policy with one egress rule."""
    return {**HEAD, "egress": [{"action": "Accept", "to": [ALL], **more}]}


def old_rule(**more: Any) -> dict[str, Any]:
    """The same, as AdminNetworkPolicy has it."""
    return {**OLD_HEAD, "egress": [{"action": "Allow", "to": [ALL], **more}]}


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        (3, ("spec",)),
        (None, ("spec", "subject")),
        ({**HEAD, "tier": "Middle"}, ("spec", "tier")),
        ({**HEAD, "tier": None}, ("spec", "tier")),
        ({**HEAD, "tier": ["Admin"]}, ("spec", "tier")),
        ({**HEAD, "priority": 1001}, ("spec", "priority")),
        ({**HEAD, "priority": -1}, ("spec", "priority")),
        ({**HEAD, "priority": True}, ("spec", "priority")),
        ({**HEAD, "priority": None}, ("spec", "priority")),
        ({**HEAD, "subject": {}}, ("spec", "subject")),
        ({**HEAD, "subject": []}, ("spec", "subject")),
        ({**HEAD, "subject": {**ALL, "pods": {}}}, ("spec", "subject")),
        ({**HEAD, "subject": {"pods": {}}}, ("spec", "subject", "pods", "podSelector")),
        ({**HEAD, "ingress": 3}, ("spec", "ingress")),
        ({**HEAD, "ingress": [None]}, ("spec", "ingress", 0, "from")),
        ({**HEAD, "ingress": [{"action": "Deny", "from": [ALL]}] * 26}, ("spec", "ingress")),
        (rule(action="Allow"), ("spec", "egress", 0, "action")),
        (rule(action=["Deny"]), ("spec", "egress", 0, "action")),
        (rule(to=[]), ("spec", "egress", 0, "to")),
        (rule(to=[None]), ("spec", "egress", 0, "to", 0)),
        (rule(to=[{}]), ("spec", "egress", 0, "to", 0)),
        (rule(to=[{**ALL, "nodes": {}}]), ("spec", "egress", 0, "to", 0)),
        (rule(to=[ALL] * 26), ("spec", "egress", 0, "to")),
        (rule(to=[{"networks": []}]), ("spec", "egress", 0, "to", 0, "networks")),
        (rule(to=[{"networks": ["10.0.0.0/8"] * 2}]), ("spec", "egress", 0, "to", 0, "networks")),
        (rule(to=[{"networks": ["10.0.0.0"]}]), ("spec", "egress", 0, "to", 0, "networks", 0)),
        (rule(to=[{"networks": ["::ffff:1.2.3.4/128"]}]),
         ("spec", "egress", 0, "to", 0, "networks", 0)),
        (rule(to=[{"networks": [3]}]), ("spec", "egress", 0, "to", 0, "networks", 0)),
        (rule(to=[{"domainNames": ["a.*.b"]}]), ("spec", "egress", 0, "to", 0, "domainNames", 0)),
        (rule(to=[{"domainNames": ["a.b"]}], action="Deny"), ("spec", "egress", 0)),
        (rule(name="x" * 101), ("spec", "egress", 0, "name")),
        (rule(name=3), ("spec", "egress", 0, "name")),
        (rule(protocols=[]), ("spec", "egress", 0, "protocols")),
        (rule(protocols=[None]), ("spec", "egress", 0, "protocols", 0)),
        (rule(protocols=[{"tcp": {}}]), ("spec", "egress", 0, "protocols", 0, "tcp")),
        (rule(protocols=[{"icmp": {}}]), ("spec", "egress", 0, "protocols", 0)),
        (rule(protocols=[{"tcp": {"destinationPort": {"number": 0}}}]),
         ("spec", "egress", 0, "protocols", 0, "tcp", "destinationPort", "number")),
        (rule(protocols=[{"udp": {"destinationPort": {"range": {"start": 5, "end": 5}}}}]),
         ("spec", "egress", 0, "protocols", 0, "udp", "destinationPort", "range", "end")),
        (rule(protocols=[{"destinationNamedPort": 80}]),
         ("spec", "egress", 0, "protocols", 0, "destinationNamedPort")),
        (rule(to=[{"nodes": {}}], protocols=[{"destinationNamedPort": "web"}]),
         ("spec", "egress", 0, "protocols")),
    ],
)  # fmt: skip
def test_what_the_api_server_refuses(spec: Any, path: Path) -> None:
    """The whole policy is none, and the field is told."""
    found = parsed(spec)
    assert isinstance(found, InvalidPolicy)
    assert found.path == path


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        (old_rule(action="Accept"), ("spec", "egress", 0, "action")),
        ({**OLD_HEAD, "subject": {"pods": {"podSelector": {}}}},
         ("spec", "subject", "pods", "namespaceSelector")),
        (old_rule(ports=[{"portNumber": {"port": 70000}}]),
         ("spec", "egress", 0, "ports", 0, "portNumber", "port")),
        (old_rule(ports=[{"portNumber": {"port": 1, "protocol": "ICMP"}}]),
         ("spec", "egress", 0, "ports", 0, "portNumber", "protocol")),
        (old_rule(ports=[{"portNumber": {"port": 1, "protocol": ["TCP"]}}]),
         ("spec", "egress", 0, "ports", 0, "portNumber", "protocol")),
        (old_rule(ports=[{"portRange": {"start": 9, "end": 8}}]),
         ("spec", "egress", 0, "ports", 0, "portRange", "end")),
        (old_rule(to=[{"networks": ["::/0"]}], ports=[{"namedPort": "web"}]),
         ("spec", "egress", 0, "ports")),
    ],
)  # fmt: skip
def test_what_is_refused_of_the_older_form(spec: Any, path: Path) -> None:
    """Its own names of fields and actions."""
    found = parsed(spec, "AdminNetworkPolicy")
    assert isinstance(found, InvalidPolicy)
    assert found.path == path


def test_there_is_one_baseline_policy() -> None:
    """By its name; it passes nothing on."""
    body = {"subject": ALL, "ingress": [{"action": "Deny", "from": [ALL]}]}
    assert isinstance(parsed(body, "BaselineAdminNetworkPolicy", "default"), ClusterPolicy)
    other = parsed(body, "BaselineAdminNetworkPolicy", "other")
    assert isinstance(other, InvalidPolicy)
    assert other.path == ("metadata", "name")
    passing = {"subject": ALL, "ingress": [{"action": "Pass", "from": [ALL]}]}
    assert isinstance(parsed(passing, "BaselineAdminNetworkPolicy", "default"), InvalidPolicy)


def test_what_is_written_is_what_is_read() -> None:
    """Ports in numbers and by name, and several networks as several peers."""
    found = parsed(
        rule(
            to=[
                {"networks": ["10.0.0.0/8", "fd00::/8"]},
                {"pods": {"namespaceSelector": {}, "podSelector": {}}},
            ],
            protocols=[
                {"tcp": {"destinationPort": {"number": 80}}},
                {"sctp": {"destinationPort": {"range": {"start": 5, "end": 9}}}},
            ],
        )
    )
    assert isinstance(found, ClusterPolicy)
    (only,) = found.rules["Egress"]
    assert [type(peer).__name__ for peer in only.peers] == ["Block", "Block", "Pods"]
    assert str(only.ports) == "TCP 80, SCTP 5-9"
    assert "Ingress" not in found.rules


GOOD: dict[str, Any] = {
    **HEAD,
    "ingress": [{"action": "Deny", "from": [ALL], "name": "first"}],
    "egress": [
        {
            "action": "Accept",
            "to": [
                {"pods": {"namespaceSelector": {"matchLabels": {"a": "b"}}, "podSelector": {}}},
                {"nodes": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}},
                {"networks": ["10.0.0.0/8"]},
                {"domainNames": ["*.shop.example"]},
            ],
            "protocols": [
                {"tcp": {"destinationPort": {"number": 80}}},
                {"udp": {"destinationPort": {"range": {"start": 1, "end": 9}}}},
            ],
        }
    ],
}
GOOD_OLD: dict[str, Any] = {
    **OLD_HEAD,
    "egress": [
        {
            "action": "Pass",
            "to": [{"networks": ["::/0"]}, {"nodes": {}}],
            "ports": [
                {"portNumber": {"port": 80}},
                {"portRange": {"protocol": "SCTP", "start": 1, "end": 1}},
            ],
        }
    ],
}
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, "x", 7, -1, 10**40, 0.5, [], {}, {"a": "b"}, [{}], [None], "10.0.0.0/8", {3: 4}]
)


@st.composite
def broken(draw: st.DrawFn, spec: Any) -> Any:
    """The same with something else in two places."""
    found = copy.deepcopy({"spec": spec})
    for _ in range(2):
        *way, last = draw(st.sampled_from(list(places(found))))
        parent = found
        for step in way:
            parent = parent[step]
        parent[last] = copy.deepcopy(draw(JUNK))
    return found["spec"]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in list(inside):
        yield (*path, key)
        if isinstance(each, dict | list):
            yield from places(each, (*path, key))


@settings(max_examples=400, deadline=None, database=None)
@given(st.one_of(
    st.tuples(st.just("ClusterNetworkPolicy"), broken(GOOD)),
    st.tuples(st.just("AdminNetworkPolicy"), broken(GOOD_OLD)),
    st.tuples(st.just("BaselineAdminNetworkPolicy"), broken(GOOD_OLD)),
))  # fmt: skip
def test_whatever_is_written_has_a_clear_outcome(written: tuple[str, Any]) -> None:
    """A policy or why there is none, and an answer about every pod."""
    kind, spec = written
    odd = cluster_policy(spec, "default", kind)
    assert isinstance(parse_cluster_policy(odd), ClusterPolicy | InvalidPolicy)
    net = network(pod("a"), pod("b", hostNetwork=True), node("one", "10.0.0.1"), odd)
    for name in ("default/a", "default/b"):
        for source in (find(net, "default/a"), World("8.8.8.8")):
            reach = net.reach(source, find(net, name))
            assert reach.possible.covers(reach.ports)
    assert net.externals()


def test_both_good_ones_are_good() -> None:
    """Or nothing above would show anything."""
    assert isinstance(parsed(GOOD), ClusterPolicy)
    assert isinstance(parsed(GOOD_OLD, "AdminNetworkPolicy"), ClusterPolicy)
