"""Who reaches whom in classes: the same as every pair asked for itself."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.connections import INTERNET, Connections, End, Link
from auditor.facts.network import PortSet

from .network.cluster import namespace, network, pod, policy, resources
from .network.test_properties import cluster, many

QUICK = settings(max_examples=100, database=None, deadline=None)

TEAMS = st.sampled_from([None, "a", "b"])

OTHER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: %s, namespace: a}
spec: {template: {metadata: {labels: {app: %s}}, spec: {containers: []}}}
"""


def rows(world: Connections) -> dict[tuple[str, str], PortSet]:
    """Every open pair, from the rows."""
    return {
        (source.name, target.name): link.possible
        for row in world.into(world.targets, world.sources)
        for link, sources in row.links
        for target in row.ends
        for source in sources
    }


@given(policies=many, teams=st.fixed_dictionaries({"default": TEAMS, "other": TEAMS}))
@QUICK
def test_rows_are_what_every_pair_says(
    policies: list[tuple[str, Any]], teams: dict[str, str | None]
) -> None:
    """Asked in classes, by target and by source, and one by one."""
    net = cluster(policies, teams)
    world = Connections(net)
    found = rows(world)
    mirrored = {
        (source.name, target.name): link.possible
        for row in world.out_of(world.sources, world.targets)
        for link, targets in row.links
        for source in row.ends
        for target in targets
    }
    assert found == mirrored
    whole = 0
    for source in world.workloads:
        for target in world.workloads:
            if source is not target:
                reach = net.reach(source.peer, target.peer)
                link = world.link(source, target)
                assert (link.ports, link.possible, set(link.reasons)) == (
                    reach.ports - reach.assumed,
                    reach.possible,
                    set(reach.reasons),
                )
                assert found.get((source.name, target.name), PortSet.NONE) == reach.possible
                assert not (world.is_closed(source, target) and reach.possible)
                whole += reach.ports == PortSet.ALL
    counts = world.counts(world.workloads, world.workloads)
    assert counts.pairs == len(world.workloads) * (len(world.workloads) - 1)
    assert counts.whole == whole


def test_two_workloads_of_one_name_are_told_apart() -> None:
    """By their kinds; others keep the short name."""
    world = Connections(network(*resources(OTHER % ("x", "x")), pod("a/x"), pod("a/y")))
    assert {end.name for end in world.workloads} == {"a/x[Deployment]", "a/x[Pod]", "a/y"}


def test_a_pod_is_no_pair_with_itself_but_replicas_are() -> None:
    """An isolated pod reaches itself, and no other of its class."""
    shut = policy({"podSelector": {}, "policyTypes": ["Ingress"]}, "a/p")
    world = Connections(network(namespace("a"), pod("a/one"), pod("a/two"), shut))
    one, two = world.workloads
    assert world.link(one, one).ports == PortSet.ALL
    assert world.link(one, two) == world.link(two, one)
    assert not world.link(one, two).possible
    assert world.counts(world.workloads, world.workloads).closed == 2


def test_pods_that_differ_by_their_node_alone_are_two_classes() -> None:
    """A pod and the node on which it runs always reach each other: what is on the network of that
    node reaches an isolated pod there, and no other.
    https://kubernetes.io/docs/concepts/services-networking/network-policies/
    """
    shut = policy({"podSelector": {}, "policyTypes": ["Ingress"]}, "a/p")
    hosts = [
        pod(f"b/{name}", ip=ip, hostNetwork=True, nodeName=name)
        for name, ip in (("n1", "172.18.0.2"), ("n2", "172.18.0.3"))
    ]
    pods = [pod("a/one", nodeName="n1"), pod("a/two", nodeName="n2")]
    world = Connections(network(namespace("a"), namespace("b"), *pods, *hosts, shut))
    found = rows(world)
    for number, name in enumerate(("a/one", "a/two"), start=1):
        assert found[f"b/n{number}", name] == PortSet.ALL
        assert (f"b/n{3 - number}", name) not in found


def test_the_internet_is_asked_by_every_address_that_rules_tell_apart() -> None:
    """A rule for a few addresses lets the internet in by them alone."""
    block = {"ipBlock": {"cidr": "198.200.0.0/16"}}
    rule = policy({"podSelector": {}, "ingress": [{"from": [block]}]}, "a/p")
    world = Connections(network(namespace("a"), pod("a/one"), rule))
    [one] = world.workloads
    link = world.link(INTERNET, one)
    assert link.partly
    assert link.ports == PortSet.ALL


def test_words_for_what_is_not_sure() -> None:
    """Perhaps is no yes."""
    some = PortSet.of("TCP", 80)
    assert Link(some, some).said == "TCP 80"
    assert Link(PortSet.NONE, some).said == "perhaps TCP 80"
    assert Link(some, PortSet.ALL).said == "TCP 80, and perhaps more"
    assert End("x", "workload").workload is None
