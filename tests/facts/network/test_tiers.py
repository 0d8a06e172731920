"""Tier Admin, NetworkPolicies, tier Baseline: who decides first, and what is said of it."""

from __future__ import annotations

import pytest

from auditor.facts.network import Network, Reach, Request, Stranger, Verdict, World
from auditor.model import Resource

from .cluster import (
    INGRESS,
    cluster_policy,
    find,
    namespace,
    network,
    node,
    pod,
    policy,
    serving,
    workload,
)

EVERYBODY = "subject: {namespaces: {}}"
DENY = "{action: Deny, from: [{namespaces: {}}]}"
PASS = "{action: Pass, from: [{namespaces: {}}]}"
ACCEPT = "{action: Accept, from: [{namespaces: {}}]}"
ISOLATED = policy("podSelector: {matchLabels: {app: b}}")
OPENED = policy("{podSelector: {matchLabels: {app: b}}, ingress: [{}]}", "default/opened")


def tier(name: str, priority: int, *rules: str, called: str = "") -> Resource:
    """A ClusterNetworkPolicy with these ingress rules for every pod."""
    listed = ", ".join(rules)
    spec = f"{EVERYBODY}\ntier: {name}\npriority: {priority}\ningress: [{listed}]"
    return cluster_policy(spec, called or f"{name.lower()}-{priority}")


def asked(*policies: Resource) -> Reach:
    """What flows from default/a to default/b."""
    net = network(pod("a"), pod("b"), namespace("default"), *policies)
    assert not net.invalid
    return net.reach(find(net, "default/a"), find(net, "default/b"))


@pytest.mark.parametrize(
    ("policies", "ports"),
    [
        ([tier("Admin", 1, DENY), OPENED], "no port"),
        ([tier("Admin", 1, ACCEPT), ISOLATED], "every port"),
        ([tier("Admin", 1, PASS), ISOLATED], "no port"),
        ([tier("Admin", 1, PASS), tier("Admin", 2, DENY)], "every port"),
        ([tier("Admin", 2, DENY), tier("Admin", 1, ACCEPT)], "every port"),
        ([tier("Baseline", 1, DENY)], "no port"),
        ([tier("Baseline", 1, DENY), OPENED], "every port"),
        ([tier("Baseline", 1, ACCEPT), ISOLATED], "no port"),
        ([tier("Baseline", 1, PASS), tier("Baseline", 2, DENY)], "every port"),
        ([tier("Admin", 1, PASS), tier("Baseline", 1, DENY)], "no port"),
        ([tier("Admin", 1, DENY, ACCEPT)], "no port"),
        ([tier("Admin", 1, ACCEPT, DENY)], "every port"),
    ],
)
def test_the_first_that_matches_decides(policies: list[Resource], ports: str) -> None:
    """By tier, then priority, then place; and whoever decides is the last who is asked."""
    reach = asked(*policies)
    assert str(reach.ports) == str(reach.possible) == ports
    assert not reach.unknown


def test_each_port_finds_its_own_rule() -> None:
    """A rule for some ports leaves the others to the next one."""
    some = (
        "{action: Accept, from: [{namespaces: {}}],"
        " protocols: [{tcp: {destinationPort: {range: {start: 80, end: 90}}}}]}"
    )
    one = (
        "{action: Pass, from: [{namespaces: {}}],"
        " protocols: [{udp: {destinationPort: {number: 53}}}]}"
    )
    reach = asked(tier("Admin", 1, some, one, DENY))
    assert str(reach.ports) == "TCP 80-90, UDP 53"


def test_the_reasons_come_in_the_order_in_which_they_are_asked() -> None:
    """From tier to tier, each with the place of its rule."""
    reach = asked(tier("Admin", 1, PASS), OPENED, tier("Baseline", 1, DENY))
    assert [(str(r.ref), r.path, r.text) for r in reach.reasons] == [
        (
            "admin-1[ClusterNetworkPolicy]",
            ("spec", "ingress", 0),
            "ClusterNetworkPolicy admin-1 leaves it to what comes after the tier on every port",
        ),
        (
            "default/opened[NetworkPolicy]",
            ("spec", "ingress", 0),
            "NetworkPolicy default/opened admits it on every port",
        ),
    ]
    denied = asked(tier("Admin", 1, DENY), OPENED)
    assert [r.text for r in denied.reasons] == [
        "ClusterNetworkPolicy admin-1 denies it on every port"
    ]
    last = asked(tier("Baseline", 1, DENY))
    assert [r.text for r in last.reasons] == [
        "no NetworkPolicy selects it",
        "ClusterNetworkPolicy baseline-1 denies it on every port",
    ]


def test_equal_priorities_that_disagree_are_not_decided() -> None:
    """Any of them may count: the answer is a pair, and says whose fault it is."""
    reach = asked(tier("Admin", 5, DENY, called="one"), tier("Admin", 5, ACCEPT, called="two"))
    assert (str(reach.ports), str(reach.possible)) == ("no port", "every port")
    (why,) = reach.unknown
    assert why == (
        "ClusterNetworkPolicy one and ClusterNetworkPolicy two have the same priority 5 in tier"
        " Admin and disagree on every port: which of them counts is not defined"
    )
    assert why in [reason.text for reason in reach.reasons]


def test_equal_priorities_that_agree_or_do_not_meet_are_decided() -> None:
    """What only one of them matches is its own, whatever comes after."""
    web = (
        "{action: Accept, from: [{namespaces: {}}],"
        " protocols: [{tcp: {destinationPort: {number: 80}}}]}"
    )
    reach = asked(
        tier("Admin", 5, web, called="one"),
        tier("Admin", 5, web, called="two"),
        tier("Admin", 6, DENY),
    )
    assert str(reach.ports) == str(reach.possible) == "TCP 80"
    assert not reach.unknown
    lonely = asked(tier("Admin", 5, web), tier("Admin", 5, called="two"), tier("Admin", 6, DENY))
    assert str(lonely.ports) == str(lonely.possible) == "TCP 80"


def test_the_older_kinds_are_the_same_tiers() -> None:
    """AdminNetworkPolicy goes before NetworkPolicies, the one BaselineAdminNetworkPolicy after."""
    spec = f"{EVERYBODY}\npriority: 1\ningress: [{{action: Allow, from: [{{namespaces: {{}}}}]}}]"
    admin = cluster_policy(spec, "admin", "AdminNetworkPolicy")
    spec = f"{EVERYBODY}\ningress: [{DENY}]"
    last = cluster_policy(spec, "default", "BaselineAdminNetworkPolicy")
    assert str(asked(admin, ISOLATED, last).ports) == "every port"
    assert str(asked(last).ports) == "no port"
    assert str(asked(last, OPENED).ports) == "every port"


def test_both_kinds_of_a_last_tier_have_no_order() -> None:
    """The specification does not say which goes first."""
    last = cluster_policy(
        f"{EVERYBODY}\ningress: [{DENY}]", "default", "BaselineAdminNetworkPolicy"
    )
    reach = asked(last, tier("Baseline", 1, ACCEPT))
    assert (str(reach.ports), str(reach.possible)) == ("no port", "every port")
    assert "which goes first" in " ".join(reach.unknown)
    assert str(asked(last, tier("Baseline", 1, DENY)).possible) == "no port"


def test_a_policy_does_not_isolate_what_it_selects() -> None:
    """What no rule of it matches goes on."""
    elsewhere = "{action: Accept, from: [{namespaces: {matchLabels: {team: red}}}]}"
    assert str(asked(tier("Admin", 1, elsewhere)).ports) == "every port"


def test_nobody_outside_is_meant_by_rules_for_what_comes_in() -> None:
    """They name pods alone."""
    net = network(pod("b"), namespace("default"), tier("Admin", 1, DENY))
    assert net.reach(World("8.8.8.8"), find(net, "default/b"), INGRESS).ports


def test_networks_mean_pods_too() -> None:
    """Whoever denies all addresses denies the pods of the cluster, unless he passes them before."""
    spec = f"{EVERYBODY}\ntier: Admin\npriority: 1\negress: "
    deny = "{action: Deny, to: [{networks: [0.0.0.0/0]}]}"
    denied = asked(cluster_policy(f"{spec}[{deny}]"))
    assert str(denied.possible) == "no port"
    passing = "{action: Pass, to: [{namespaces: {}}]}"
    assert str(asked(cluster_policy(f"{spec}[{passing}, {deny}]")).ports) == "every port"


def nodes_denied(*objects: Resource) -> Reach:
    """What flows from default/a to default/b, where egress to linux nodes is denied."""
    rule = "{action: Deny, to: [{nodes: {matchLabels: {os: linux}}}]}"
    spec = f"{EVERYBODY}\ntier: Admin\npriority: 1\negress: [{rule}]"
    net = network(pod("a"), namespace("default"), cluster_policy(spec), *objects)
    return net.reach(find(net, "default/a"), find(net, "default/b"))


def test_nodes_are_meant_by_their_addresses() -> None:
    """And so is a pod on the network of one; an ordinary pod that runs there is not."""
    linux, other = node("one", "172.18.0.2", os="linux"), node("two", "172.18.0.3", os="plan9")
    there = pod("b", ip="172.18.0.2", hostNetwork=True)
    assert str(nodes_denied(there, linux, other).possible) == "no port"
    assert nodes_denied(pod("b", ip="172.18.0.3", hostNetwork=True), linux, other).ports
    assert nodes_denied(pod("b", ip="10.0.0.1"), linux, other).ports
    named = pod("b", hostNetwork=True, nodeName="one")
    assert str(nodes_denied(named, linux, other).possible) == "no port"
    somewhere = nodes_denied(pod("b", hostNetwork=True), linux, other)
    assert (str(somewhere.ports), str(somewhere.possible)) == ("no port", "every port")
    assert "on which node" in somewhere.unknown[0]


def test_the_addresses_of_a_domain_are_not_known() -> None:
    """Whether an address outside is that of the domain only a resolver could tell."""
    rules = (
        "[{action: Accept, to: [{domainNames: [shop.example]}]},"
        " {action: Deny, to: [{networks: [0.0.0.0/0]}]}]"
    )
    spec = f"{EVERYBODY}\ntier: Admin\npriority: 1\negress: {rules}"
    net = network(pod("a"), pod("b", ip="10.0.0.1"), namespace("default"), cluster_policy(spec))
    out = net.reach(find(net, "default/a"), World("8.8.8.8"))
    assert (str(out.ports), str(out.possible)) == ("no port", "every port")
    assert "shop.example" in out.unknown[0]
    assert not net.reach(find(net, "default/a"), find(net, "default/b")).possible


@pytest.mark.parametrize(
    ("action", "ports"), [("Accept", "every port"), ("Deny", "no port"), ("Pass", "no port")]
)
def test_a_peer_of_an_unknown_type_fails_closed(action: str, ports: str) -> None:
    """Such a rule accepts nobody, and denies everybody where it denies or passes anything."""
    reach = asked(tier("Admin", 1, f"{{action: {action}, from: [{{planets: {{}}}}]}}"))
    assert str(reach.ports) == str(reach.possible) == ports
    if action == "Pass":
        assert "fails closed, since peers by planets are not known" in reach.reasons[0].text


def test_a_pod_on_the_network_of_its_node_is_neither_subject_nor_peer() -> None:
    """Here the specification says so."""
    net = network(
        pod("a", hostNetwork=True),
        pod("b"),
        namespace("default"),
        tier("Admin", 1, DENY),
    )
    a, b = find(net, "default/a"), find(net, "default/b")
    for ends in ((a, b), (b, a)):
        reach = net.reach(*ends)
        assert str(reach.ports) == str(reach.possible) == "every port"
        assert not reach.unknown


def test_named_ports_are_those_of_the_target() -> None:
    """Of any protocol; a pod that has no such name has no such port."""
    web = "{action: Accept, from: [{namespaces: {}}], protocols: [{destinationNamedPort: web}]}"
    net = network(
        pod("a"),
        pod("b", **serving({"name": "web", "containerPort": 53, "protocol": "UDP"})),
        namespace("default"),
        tier("Admin", 1, web, DENY),
    )
    a, b = find(net, "default/a"), find(net, "default/b")
    assert str(net.reach(a, b).ports) == "UDP 53"
    assert not net.reach(b, a).possible


def test_a_namespace_that_is_not_known_may_be_subject() -> None:
    """Without its object only its name can be judged."""
    spec = (
        "subject: {namespaces: {matchLabels: {team: red}}}\ntier: Admin\npriority: 1\n"
        f"ingress: [{DENY}]"
    )
    net = network(pod("a"), pod("b"), cluster_policy(spec))
    reach = net.reach(find(net, "default/a"), find(net, "default/b"))
    assert (str(reach.ports), str(reach.possible)) == ("no port", "every port")
    assert "'team'" in reach.unknown[0]


def test_a_label_of_run_time_may_be_subject() -> None:
    """As with other policies."""
    spec = (
        "subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels:"
        " {pod-template-hash: x}}}}\ntier: Admin\npriority: 1\ningress: [" + DENY + "]"
    )
    net = network(pod("a"), workload("Deployment", "b"), namespace("default"), cluster_policy(spec))
    reach = net.reach(find(net, "default/a"), find(net, "default/b"))
    assert (str(reach.ports), str(reach.possible)) == ("no port", "every port")
    assert "'pod-template-hash'" in reach.unknown[0]


def verdict(net: Network, source: str, target: str) -> Verdict:
    """What becomes of a request."""
    return net.ruling(find(net, source), find(net, target), Request(80)).verdict


def test_a_ruling_rests_on_no_assumption() -> None:
    """Whether a NetworkPolicy holds on the network of a node is not defined, though `reach` takes
    it not to.
    """
    net = network(pod("a"), pod("b", hostNetwork=True), policy("podSelector: {}"))
    target = find(net, "default/b")
    assert str(net.reach(find(net, "default/a"), target).assumed) == "every port"
    assert verdict(net, "default/b", "default/b") is Verdict.ALLOWED
    open_to = policy("{podSelector: {}, ingress: [{}]}")
    harmless = network(pod("a"), pod("b", hostNetwork=True), open_to)
    assert verdict(harmless, "default/a", "default/b") is Verdict.ALLOWED
    stranger = net.ruling(Stranger("default", {}), target, Request(80))
    assert stranger.verdict is Verdict.UNDEFINED
    assert "hostNetwork" in stranger.unknown[0]


@pytest.mark.parametrize(
    ("place", "ports", "possible"),
    [
        ({"nodeName": "one"}, "every port", "every port"),
        ({"nodeName": "two"}, "no port", "no port"),
        ({}, "no port", "every port"),
    ],
)
def test_its_own_node_reaches_a_pod(place: dict[str, str], ports: str, possible: str) -> None:
    """Whatever policies say; another node does not, and where it is not told that is not known."""
    net = network(
        pod("a", hostNetwork=True, nodeName="one"), pod("b", **place), namespace("default"),
        ISOLATED,
    )  # fmt: skip
    reach = net.reach(find(net, "default/a"), find(net, "default/b"))
    assert (str(reach.ports), str(reach.possible)) == (ports, possible)
    if place.get("nodeName") == "one":
        assert [reason.text for reason in reach.reasons] == [
            "a pod and the node on which it runs always reach each other"
        ]
