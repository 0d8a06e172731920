"""All pairs at once give the answers that each pair gives."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.network import Network, PortSet

from .cluster import find, namespace, network, pod, policy, serving
from .test_properties import BOTH, NAMES, cluster, many

QUICK = settings(max_examples=150, database=None, deadline=None)


def one_by_one(net: Network) -> dict[tuple[str, str], tuple[PortSet, PortSet]]:
    """What flows between every two different pods, surely and perhaps."""
    found = {}
    for source in NAMES:
        for target in (name for name in NAMES if name != source):
            reach = net.reach(find(net, source), find(net, target))
            if reach.possible:
                found[source, target] = (reach.ports, reach.possible)
    return found


def at_once(net: Network) -> dict[tuple[str, str], tuple[PortSet, PortSet]]:
    """The same from the matrix."""
    found = {}
    points = {name: set(net.points_of(find(net, name))) for name in NAMES}
    for point, flow in net.pairs():
        senders = set(net.matrix.members(flow.sources))
        for target in (name for name in NAMES if point in points[name]):
            for source in NAMES:
                if source != target and senders & points[source]:
                    found[source, target] = (flow.ports, flow.possible)
    return found


@QUICK
@given(many, st.sampled_from([BOTH, {}, {"default": "blue"}]))
def test_all_pairs_at_once_are_the_pairs_one_by_one(policies: list[Any], teams: Any) -> None:
    """Also where labels of namespaces are not known."""
    net = cluster(policies, teams)
    assert at_once(net) == one_by_one(net)


blocks = st.sampled_from(
    [
        {"cidr": "10.0.0.0/8", "except": ["10.0.0.1/32"]},
        {"cidr": "10.0.0.0/30"},
        {"cidr": "0.0.0.0/0"},
        {"cidr": "fd00::/8"},
    ]
)
rules = st.fixed_dictionaries(
    {},
    optional={
        "peers": st.lists(st.builds(lambda block: {"ipBlock": block}, blocks), max_size=2),
        "ports": st.lists(st.sampled_from([{"port": "http"}, {"port": 81}]), max_size=2),
    },
)


@QUICK
@given(
    st.lists(rules, max_size=3), st.lists(rules, max_size=3), st.lists(st.booleans(), min_size=4)
)
def test_addresses_named_ports_and_node_networks_are_told_apart(
    ingress: list[Any], egress: list[Any], on_node: list[bool]
) -> None:
    """Blocks mean single pods, a name means another number on each, and nodes are no pods."""
    spec = {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": r.get("peers", []), "ports": r.get("ports", [])} for r in ingress],
        "egress": [{"to": r.get("peers", []), "ports": r.get("ports", [])} for r in egress],
    }
    pods = [
        pod(
            name,
            ip=f"10.0.0.{place}" if place else "",
            hostNetwork=on_node[place],
            **serving({"name": "http", "containerPort": 80 + place % 2}),
        )
        for place, name in enumerate(NAMES)
    ]
    net = network(*pods, namespace("default"), namespace("other"), policy(spec, "default/p"))
    assert at_once(net) == one_by_one(net)
