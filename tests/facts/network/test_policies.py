"""Reading NetworkPolicy v1: what the API server accepts, and what it makes of it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from auditor.facts.network import InvalidPolicy
from auditor.facts.network.policies import NetPolicy, parse_policy

from .cluster import network, pod, policy, ports

PEER = "ingress: [{from: [%s]}]"
PORT = "ingress: [{ports: [%s]}]"


@pytest.mark.parametrize(
    ("spec", "directions"),
    [
        ("podSelector: {}", ["Ingress"]),
        ("{podSelector: {}, egress: []}", ["Ingress"]),
        ("{podSelector: {}, egress: null}", ["Ingress"]),
        ("{podSelector: {}, egress: [{}]}", ["Ingress", "Egress"]),
        ("{podSelector: {}, policyTypes: [], egress: [{}]}", ["Ingress", "Egress"]),
        ("{podSelector: {}, policyTypes: [Egress]}", ["Egress"]),
        ("{podSelector: {}, policyTypes: [Egress], ingress: [{}]}", ["Egress"]),
        ("{podSelector: {}, policyTypes: [Ingress], egress: [{}]}", ["Ingress"]),
        ("{podSelector: {}, policyTypes: [Ingress, Egress]}", ["Ingress", "Egress"]),
        ("{podSelector: {}, policyTypes: [Ingress, Ingress]}", ["Ingress"]),
        ("{}", ["Ingress"]),
        ("null", ["Ingress"]),
    ],
)
def test_directions(spec: str, directions: list[str]) -> None:
    """Without policyTypes a policy isolates ingress, and egress if it has a rule for it."""
    read = parse_policy(policy(spec))
    assert isinstance(read, NetPolicy)
    assert list(read.rules) == directions


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("[]", ("spec",)),
        ("text", ("spec",)),
        ("podSelector: []", ("spec", "podSelector")),
        ("podSelector: {matchLabels: {a: 1}}", ("spec", "podSelector", "matchLabels", "a")),
        ("policyTypes: [ingress]", ("spec", "policyTypes", 0)),
        ("policyTypes: Ingress", ("spec", "policyTypes")),
        ("policyTypes: [Ingress, Egress, Egress]", ("spec", "policyTypes")),
        ("policyTypes: [{}]", ("spec", "policyTypes", 0)),
        ("ingress: {}", ("spec", "ingress")),
        ("ingress: [5]", ("spec", "ingress", 0)),
        ("ingress: [{from: {}}]", ("spec", "ingress", 0, "from")),
        ("egress: [{to: [text]}]", ("spec", "egress", 0, "to", 0)),
        (PEER % "{}", ("spec", "ingress", 0, "from", 0)),
        (PEER % "null", ("spec", "ingress", 0, "from", 0)),
        (PEER % "{podSelectors: {}}", ("spec", "ingress", 0, "from", 0)),
        (PEER % "{podSelector: null}", ("spec", "ingress", 0, "from", 0)),
        (PEER % "{podSelector: 1}", ("spec", "ingress", 0, "from", 0, "podSelector")),
        (
            PEER % "{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}",
            ("spec", "ingress", 0, "from", 0, "ipBlock"),
        ),
        (PEER % "{ipBlock: {}}", ("spec", "ingress", 0, "from", 0, "ipBlock", "cidr")),
        (PEER % "{ipBlock: 10.0.0.0/8}", ("spec", "ingress", 0, "from", 0, "ipBlock")),
        (PORT % "{protocol: tcp}", ("spec", "ingress", 0, "ports", 0, "protocol")),
        (PORT % "{protocol: ICMP}", ("spec", "ingress", 0, "ports", 0, "protocol")),
        (PORT % "{protocol: [TCP]}", ("spec", "ingress", 0, "ports", 0, "protocol")),
        (PORT % "{port: 0}", ("spec", "ingress", 0, "ports", 0, "port")),
        (PORT % "{port: 65536}", ("spec", "ingress", 0, "ports", 0, "port")),
        (PORT % "{port: '80'}", ("spec", "ingress", 0, "ports", 0, "port")),
        (PORT % "{port: true}", ("spec", "ingress", 0, "ports", 0, "port")),
        (PORT % "{port: [80]}", ("spec", "ingress", 0, "ports", 0, "port")),
        (PORT % "{port: HTTP}", ("spec", "ingress", 0, "ports", 0, "port")),
        (PORT % "{port: a--b}", ("spec", "ingress", 0, "ports", 0, "port")),
        (PORT % "{port: sixteen-letters-}", ("spec", "ingress", 0, "ports", 0, "port")),
        (PORT % "{endPort: 90}", ("spec", "ingress", 0, "ports", 0, "endPort")),
        (PORT % "{port: http, endPort: 90}", ("spec", "ingress", 0, "ports", 0, "endPort")),
        (PORT % "{port: 80, endPort: 79}", ("spec", "ingress", 0, "ports", 0, "endPort")),
        (PORT % "{port: 80, endPort: 65536}", ("spec", "ingress", 0, "ports", 0, "endPort")),
        (PORT % "{port: 80, endPort: '90'}", ("spec", "ingress", 0, "ports", 0, "endPort")),
        (PORT % "text", ("spec", "ingress", 0, "ports", 0)),
        (
            "{policyTypes: [Ingress], egress: [{to: [{}]}]}",
            ("spec", "egress", 0, "to", 0),
        ),
    ],
)
def test_what_the_api_server_refuses(spec: str, path: tuple[str | int, ...]) -> None:
    """An invalid policy names the field at fault, and has no effect at all."""
    refused = parse_policy(policy(spec))
    assert isinstance(refused, InvalidPolicy)
    assert refused.path == path
    assert refused.why
    net = network(pod("a"), pod("b"), policy(spec))
    assert net.invalid == (refused,)
    assert ports(net, "default/a", "default/b") == "every port"


@pytest.mark.parametrize(
    ("cidr", "excluded", "valid"),
    [
        ("10.0.0.0/8", ["10.1.0.0/16"], True),
        ("10.0.0.0/8", ["10.0.0.0/9", "10.128.0.0/9"], True),
        ("10.0.0.0/8", ["10.0.0.0/8"], False),
        ("10.0.0.0/8", ["11.0.0.0/16"], False),
        ("10.1.0.0/16", ["10.0.0.0/8"], False),
        ("10.0.0.0/8", ["::/96"], False),
        ("10.0.0.0/8", "10.1.0.0/16", False),
        ("10.1.2.3/8", [], True),
        ("010.1.0.0/8", [], True),
        ("10.0.0.0", [], False),
        ("10.0.0.0/33", [], False),
        ("10.0.0.0/255.0.0.0", [], False),
        ("10.0.0/8", [], False),
        ("::/0", ["fc00::/7"], True),
        ("fe80::%eth0/64", [], False),
        ("2001:db8::/129", [], False),
        (["10.0.0.0/8"], [], False),
        (None, [], False),
    ],
)
def test_blocks(cidr: Any, excluded: Any, valid: bool) -> None:
    """What is excluded must be strictly inside; a CIDR is an address and a prefix length."""
    peer = {"ipBlock": {"cidr": cidr, "except": excluded}}
    read = parse_policy(policy({"podSelector": {}, "ingress": [{"from": [peer]}]}))
    assert isinstance(read, NetPolicy) is valid


@pytest.mark.parametrize("value", [None, 1, True, 1.5, "x", [], {}, [None], [[]], {"a": []}])
def test_nothing_that_is_written_makes_it_crash(value: Any) -> None:
    """Each field of a full policy may hold anything."""
    text = """
    podSelector: {matchLabels: {a: b}, matchExpressions: [{key: k, operator: In, values: [v]}]}
    policyTypes: [Ingress]
    ingress:
    - from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}, {podSelector: {}}]
      ports: [{port: 80, protocol: TCP, endPort: 90}]
    """
    for path in _paths(yaml.safe_load(text)):
        spec = yaml.safe_load(text)
        inner = spec
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value
        net = network(pod("a"), pod("b"), policy(spec))
        assert str(net.reach(net.workloads[0], net.workloads[1]).ports)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    steps = inner if isinstance(value, dict | list) else ()
    found = [path] if path else []
    for key, below in steps:
        found += _paths(below, (*path, key)) if isinstance(below, dict | list) else [(*path, key)]
    return found
