"""What is true of every cluster under NetworkPolicies and cluster-wide policies together."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from auditor.facts.network import Network, PortSet, Request, Verdict
from auditor.model import Resource

from . import naive
from .cluster import cluster_policy, find, namespace, network, node, pod, policy, resource, serving
from .test_properties import QUICK, port_entries, selectors, specs
from .test_properties import rules as old_rules

SPACES: Mapping[str, str | None] = {"default": None, "other": "red"}
PODS = ("default/a", "default/b", "other/a", "other/c", "other/host")
NUMBERS = dict(zip(PODS, (80, 81, 82, 80, 81), strict=True))
ADDRESSES = dict(
    zip(PODS, ("10.0.0.1", "10.0.0.9", "10.1.0.1", "10.1.0.9", "172.18.0.2"), strict=True)
)
ASKED = [*(("TCP", number) for number in (79, 80, 81, 82)), ("UDP", 80), ("UDP", 9), ("SCTP", 80)]
ANSWERS = {
    Verdict.ALLOWED: naive.ALLOWED,
    Verdict.DENIED: naive.DENIED,
    Verdict.UNDEFINED: naive.ALLOWED | naive.DENIED,
}

in_cluster = st.one_of(
    st.fixed_dictionaries({"namespaces": selectors}),
    st.fixed_dictionaries(
        {"pods": st.fixed_dictionaries({"namespaceSelector": selectors, "podSelector": selectors})}
    ),
)
networks = st.lists(
    st.sampled_from(["10.0.0.0/24", "10.1.0.0/29", "172.16.0.0/12", "0.0.0.0/0", "::/0"]),
    min_size=1, max_size=2, unique=True,
)  # fmt: skip
beyond = st.one_of(
    st.fixed_dictionaries({"networks": networks}),
    st.fixed_dictionaries({"nodes": st.sampled_from([{}, {"matchLabels": {"os": "linux"}}])}),
)
new_ports = st.sampled_from(
    [
        {"tcp": {"destinationPort": {"number": 80}}},
        {"udp": {"destinationPort": {"range": {"start": 9, "end": 80}}}},
        {"sctp": {"destinationPort": {"number": 80}}},
    ]
)
old_ports = st.sampled_from(
    [
        {"portNumber": {"protocol": "TCP", "port": 80}},
        {"portRange": {"start": 80, "end": 81}},
        {"portRange": {"protocol": "UDP", "start": 1, "end": 100}},
    ]
)


def rules(peers: str, ports: str, actions: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """One rule: ports by name stand only beside pods."""
    numbers = new_ports if ports == "protocols" else old_ports
    name = {"destinationNamedPort" if ports == "protocols" else "namedPort": "http"}
    anyone = st.one_of(in_cluster, beyond) if peers == "to" else in_cluster
    action = st.sampled_from(actions)
    return st.one_of(
        st.fixed_dictionaries(
            {"action": action, peers: st.lists(anyone, min_size=1, max_size=2)},
            optional={ports: st.lists(numbers, min_size=1, max_size=2)},
        ),
        st.fixed_dictionaries(
            {"action": action, peers: st.lists(in_cluster, min_size=1, max_size=2)},
            optional={ports: st.lists(st.one_of(numbers, st.just(name)), min_size=1, max_size=2)},
        ),
    )


def bodies(ports: str, actions: list[str], **more: Any) -> st.SearchStrategy[dict[str, Any]]:
    """The specification of one of the three kinds."""
    return st.fixed_dictionaries(
        {"subject": in_cluster, **more},
        optional={
            "ingress": st.lists(rules("from", ports, actions), max_size=3),
            "egress": st.lists(rules("to", ports, actions), max_size=3),
        },
    )


priorities = st.integers(0, 1)
cluster_wide = st.lists(
    st.one_of(
        st.tuples(
            st.just("ClusterNetworkPolicy"),
            bodies(
                "protocols", ["Accept", "Deny", "Pass"],
                tier=st.sampled_from(["Admin", "Baseline"]), priority=priorities,
            ),
        ),
        st.tuples(
            st.just("AdminNetworkPolicy"),
            bodies("ports", ["Allow", "Deny", "Pass"], priority=priorities),
        ),
    ),
    max_size=4,
)  # fmt: skip
baseline = st.lists(
    st.tuples(st.just("BaselineAdminNetworkPolicy"), bodies("ports", ["Allow", "Deny"])),
    max_size=1,
)
blocks = st.fixed_dictionaries(
    {"cidr": st.just("10.0.0.0/8")}, optional={"except": st.just(["10.1.0.0/16"])}
)
blocking = st.fixed_dictionaries(
    {
        "podSelector": selectors,
        "egress": st.lists(
            st.fixed_dictionaries(
                {"to": st.lists(st.fixed_dictionaries({"ipBlock": blocks}), max_size=1)},
                optional={"ports": st.lists(port_entries, max_size=1)},
            ),
            max_size=2,
        ),
    }
)
namespaced = st.lists(
    st.tuples(st.sampled_from(["default", "other"]), st.one_of(specs, blocking)), max_size=2
)

Wide = list[tuple[str, Any]]


def objects(policies: Wide, wide: Wide, nodes: Mapping[str, str] | None = None) -> list[Resource]:
    """Five pods, one of them on the network of its node, under these policies."""
    listening = {
        name: serving({"name": "http", "containerPort": number}) for name, number in NUMBERS.items()
    }
    listening["other/host"]["hostNetwork"] = True
    for name, node_name in (nodes or {}).items():
        listening[name]["nodeName"] = node_name
    pods = [pod(name, ip=ADDRESSES[name], **listening[name]) for name in PODS]
    homes = [namespace(name, **({"team": team} if team else {})) for name, team in SPACES.items()]
    written = [policy(spec, f"{space}/p{i}") for i, (space, spec) in enumerate(policies)]
    tiers = [
        cluster_policy(spec, "default" if kind.startswith("Baseline") else f"c{i}", kind)
        for i, (kind, spec) in enumerate(wide)
    ]
    return [*pods, *homes, node("one", "172.18.0.2", os="linux"), *written, *tiers]


def verdicts(net: Network) -> dict[tuple[str, str, str, int], Verdict]:
    """What becomes of every packet."""
    found = {}
    for source in PODS:
        for target in PODS:
            ends = find(net, source), find(net, target)
            for protocol, number in ASKED:
                ruling = net.ruling(*ends, Request(number, protocol))
                found[source, target, protocol, number] = ruling.verdict
    return found


@QUICK
@given(namespaced, cluster_wide, baseline)
def test_it_agrees_with_the_words_of_the_specifications(
    policies: Wide, wide: Wide, last: Wide
) -> None:
    """A second reading, packet by packet, gives the same answer."""
    nodes = {"other/host": "one", "default/a": "one", "default/b": "two"}
    everything = objects(policies, [*wide, *last], nodes)
    net = network(*everything)
    assert not net.invalid
    second = naive.Cluster(tuple(each.manifest for each in everything))
    pods = {find(net, name).name: find(net, name).resource.manifest for name in PODS}
    for (source, target, protocol, number), verdict in verdicts(net).items():
        packet = naive.Packet(pods[source], pods[target], protocol, number)
        assert ANSWERS[verdict] == second.answers(packet), (source, target, protocol, number)


@QUICK
@given(namespaced, cluster_wide, baseline, st.randoms(use_true_random=False))
def test_the_order_of_objects_does_not_matter(
    policies: Wide, wide: Wide, last: Wide, chance: random.Random
) -> None:
    """Only priorities do, and what they leave open stays open."""
    everything = objects(policies, [*wide, *last])
    before = verdicts(network(*everything))
    chance.shuffle(everything)
    assert verdicts(network(*everything)) == before


@QUICK
@given(namespaced, cluster_wide, baseline, specs, st.data())
def test_one_more_rule_never_removes_a_flow(
    policies: Wide, wide: Wide, last: Wide, spec: Any, data: st.DataObject
) -> None:
    """In a NetworkPolicy that already isolates a direction, whatever tiers are around it."""
    direction = data.draw(st.sampled_from(["ingress", "egress"]))
    first = {**spec, "policyTypes": [direction.capitalize()]}
    rule = data.draw(old_rules("from" if direction == "ingress" else "to"))
    more = {**first, direction: [*first.get(direction, []), rule]}
    nets = [
        network(*objects([("default", one), *policies], [*wide, *last])) for one in (first, more)
    ]
    before, after = map(flows, nets)
    for pair, (sure, possible) in before.items():
        assert after[pair][0].covers(sure)
        assert after[pair][1].covers(possible)


def flows(net: Network) -> dict[tuple[str, str], tuple[PortSet, PortSet]]:
    """What flows between every two pods, surely and perhaps."""
    found = {}
    for source in PODS:
        for target in PODS:
            reach = net.reach(find(net, source), find(net, target))
            found[source, target] = (reach.ports, reach.possible)
    return found


@QUICK
@given(namespaced, cluster_wide, baseline)
def test_other_words_for_labels_change_nothing(policies: Wide, wide: Wide, last: Wide) -> None:
    """What a label is called is nothing to anybody but selectors."""
    everything = objects(policies, [*wide, *last])
    renamed = [resource(otherwise(each.manifest)) for each in everything]
    assert verdicts(network(*renamed)) == verdicts(network(*everything))


def otherwise(value: Any) -> Any:
    """A manifest with each label and what asks for it under another name."""
    if isinstance(value, list):
        return [otherwise(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {key: otherwise(inside) for key, inside in value.items()}
    for field in ("labels", "matchLabels"):
        if field in found:
            found[field] = {f"x-{key}": f"y-{each}" for key, each in value[field].items()}
    if "operator" in found:
        found["key"] = f"x-{value['key']}"
        found |= {"values": [f"y-{v}" for v in value["values"]]} if "values" in value else {}
    return found


@QUICK
@given(namespaced, cluster_wide, baseline)
def test_all_pairs_at_once_are_the_pairs_one_by_one(policies: Wide, wide: Wide, last: Wide) -> None:
    """The matrix knows the tiers too."""
    net = network(*objects(policies, [*wide, *last]))
    points = {name: set(net.points_of(find(net, name))) for name in PODS}
    found = {}
    for point, flow in net.pairs():
        senders = set(net.matrix.members(flow.sources))
        for target in (name for name in PODS if point in points[name]):
            for source in PODS:
                if source != target and senders & points[source]:
                    found[source, target] = (flow.ports, flow.possible)
    single = {pair: each for pair, each in flows(net).items() if each[1] and pair[0] != pair[1]}
    assert found == single


def vague(policies: Wide, wide: Wide, teams: Mapping[str, str | None]) -> Network:
    """The same pods, with an object for some namespaces alone."""
    rest = [one for one in objects(policies, wide) if one.ref.kind != "Namespace"]
    homes = [namespace(name, **({"team": team} if team else {})) for name, team in teams.items()]
    return network(*rest, *homes)


@QUICK
@given(namespaced, cluster_wide, baseline)
def test_what_is_sure_holds_however_the_unknown_turns_out(
    policies: Wide, wide: Wide, last: Wide
) -> None:
    """Without the Namespace object, `ports` and `possible` enclose the answer for every label the
    namespace may have.
    """
    unsure = flows(vague(policies, [*wide, *last], {"default": None}))
    for team in (None, "red", "blue"):
        exact = flows(vague(policies, [*wide, *last], {"default": None, "other": team}))
        for pair, (sure, possible) in unsure.items():
            assert exact[pair][0].covers(sure)
            assert possible.covers(exact[pair][1])
