"""Which policies isolate which pods, and what their rules admit: NetworkPolicy v1 trap by trap.

The clusters are pods `a`, `b`, `c` in namespace `default`, and `a` in `other`; each has the label
app=<its name>.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.facts.network import Network, Stranger, World
from auditor.model import Resource

from .cluster import (
    EGRESS,
    INGRESS,
    find,
    namespace,
    network,
    pod,
    policy,
    ports,
    resource,
    serving,
    workload,
)

PODS = (
    namespace("default"),
    namespace("other", team="red"),
    pod("a"),
    pod("b"),
    pod("c"),
    pod("other/a"),
)
B = "podSelector: {matchLabels: {app: b}}"


def admitted(net: Network, target: str = "default/b") -> list[str]:
    """Who reaches the target at all, apart from itself."""
    to = find(net, target)
    return [w.name for w in net.workloads if w is not to and net.reach(w, to).ports]


def test_a_pod_that_no_policy_selects_is_open() -> None:
    """Without policies everything flows, and the answer says that nothing selects the target."""
    net = network(*PODS)
    reach = net.reach(find(net, "default/a"), find(net, "default/b"))
    assert str(reach.ports) == "every port"
    assert [(r.ref, r.path, r.text) for r in reach.reasons] == [
        (None, (), "no NetworkPolicy selects it")
    ]
    assert reach.unknown == ()


@pytest.mark.parametrize("ingress", ["", "ingress: []", "ingress: null"])
def test_no_ingress_rule_admits_nothing(ingress: str) -> None:
    """Absent, null or empty, `ingress` isolates."""
    net = network(*PODS, policy(f"{B}\n{ingress}"))
    assert admitted(net) == []
    assert not net.reach(World(), find(net, "default/b")).ports


@pytest.mark.parametrize(
    "rule", ["{}", "null", "{from: []}", "{from: null}", "{ports: []}", "{from: [], ports: null}"]
)
def test_an_empty_rule_admits_everyone_to_everything(rule: str) -> None:
    """Also addresses outside, and pods of namespaces that nobody has made."""
    net = network(*PODS, policy(f"{B}\ningress: [{rule}]"))
    assert admitted(net) == ["default/a", "default/c", "other/a"]
    b = find(net, "default/b")
    assert str(net.reach(World(), b).ports) == "every port"
    assert str(net.reach(World("2001:db8::1"), b).ports) == "every port"
    assert str(net.reach(Stranger("", {}), b).ports) == "every port"


@pytest.mark.parametrize("selector", ["podSelector: {}", "podSelector: null", "policyTypes: []"])
def test_an_empty_pod_selector_selects_the_namespace_of_the_policy(selector: str) -> None:
    """It selects every pod there, and none elsewhere."""
    net = network(*PODS, policy(selector))
    assert [bool(net.isolating(w, "Ingress")) for w in net.workloads] == [True, True, True, False]


def test_a_policy_selects_in_its_own_namespace_only() -> None:
    """Equal labels in another namespace do not count."""
    net = network(*PODS, policy("podSelector: {matchLabels: {app: a}}", "other/p"))
    assert net.isolating(find(net, "default/a"), "Ingress") == ()
    assert [str(ref) for ref in net.isolating(find(net, "other/a"), "Ingress")] == [
        "other/p[NetworkPolicy]"
    ]


@pytest.mark.parametrize(
    ("peers", "expected"),
    [
        ("podSelector: {}", ["default/a", "default/c"]),
        ("podSelector: {matchLabels: {app: a}}", ["default/a"]),
        ("namespaceSelector: {}", ["default/a", "default/c", "other/a"]),
        ("namespaceSelector: {matchLabels: {team: red}}", ["other/a"]),
        (
            "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}",
            ["other/a"],
        ),
        (
            "{namespaceSelector: {}, podSelector: {matchLabels: {app: a}}}",
            ["default/a", "other/a"],
        ),
        (
            "{namespaceSelector: {matchLabels: {team: red}}, podSelector: {matchLabels: {app: c}}}",
            [],
        ),
        (
            (
                "namespaceSelector: {matchLabels: {team: red}}\n"
                "  - podSelector: {matchLabels: {app: c}}"
            ),
            ["default/c", "other/a"],
        ),
        (
            "namespaceSelector: {matchExpressions: [{key: team, operator: NotIn, values: [red]}]}",
            ["default/a", "default/c"],
        ),
        (
            "namespaceSelector: {matchExpressions: [{key: team, operator: DoesNotExist}]}",
            ["default/a", "default/c"],
        ),
        (
            (
                "{namespaceSelector: {}, podSelector: {matchExpressions:"
                " [{key: none, operator: NotIn, values: [x]}]}}"
            ),
            ["default/a", "default/c", "other/a"],
        ),
    ],
)
def test_peers(peers: str, expected: list[str]) -> None:
    """In one entry both selectors must match; of two entries one must."""
    net = network(*PODS, policy(f"{B}\ningress:\n- from:\n  - {peers}"))
    assert admitted(net) == expected
    assert not net.reach(World(), find(net, "default/b")).ports


def test_the_name_label_of_a_namespace_cannot_be_overruled() -> None:
    """The API server writes it, whatever the manifest says."""
    liar = namespace("other", **{"kubernetes.io/metadata.name": "default"})
    peer = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}"
    net = network(pod("b"), pod("other/a"), liar, policy(f"{B}\ningress: [{{from: [{peer}]}}]"))
    assert admitted(net) == []


def test_egress_alone_leaves_ingress_open() -> None:
    """Isolation is judged per direction."""
    net = network(*PODS, policy("{podSelector: {}, policyTypes: [Egress]}"))
    a, b, other = (find(net, name) for name in ("default/a", "default/b", "other/a"))
    assert str(net.reach(other, b).ports) == "every port"
    assert not net.reach(a, b).ports
    assert net.isolating(b, "Ingress") == ()
    assert str(net.reach(a, b, INGRESS).ports) == "every port"
    assert not net.reach(a, b, EGRESS).ports


def test_an_empty_egress_without_policy_types_does_not_isolate_egress() -> None:
    """Only a rule there makes the default include Egress."""
    net = network(*PODS, policy("{podSelector: {matchLabels: {app: a}}, egress: []}"))
    assert ports(net, "default/a", "default/b") == "every port"


def test_rules_of_a_direction_that_the_types_leave_out_are_inert() -> None:
    """They neither isolate nor admit."""
    inert = "{podSelector: {matchLabels: {app: a}}, policyTypes: [Ingress], egress: [{to: []}]}"
    shut = "{podSelector: {matchLabels: {app: a}}, policyTypes: [Egress]}"
    net = network(*PODS, policy(inert), policy(shut, "default/shut"))
    assert not net.reach(find(net, "default/a"), find(net, "default/b")).ports


def test_both_ends_must_allow() -> None:
    """What the source may send and the target may receive is what flows."""
    net = network(
        *PODS,
        policy(f"{B}\ningress: [{{ports: [{{port: 80}}, {{port: 81}}]}}]", "default/in"),
        policy(
            "podSelector: {matchLabels: {app: a}}\npolicyTypes: [Egress]\n"
            "egress: [{ports: [{port: 81}, {port: 82}]}]",
            "default/out",
        ),
    )
    reach = net.reach(find(net, "default/a"), find(net, "default/b"))
    assert str(reach.ports) == "TCP 81"
    assert [(str(r.ref), r.path, r.text) for r in reach.reasons] == [
        (
            "default/in[NetworkPolicy]",
            ("spec", "ingress", 0),
            "NetworkPolicy default/in admits it on TCP 80-81",
        ),
        (
            "default/out[NetworkPolicy]",
            ("spec", "egress", 0),
            "NetworkPolicy default/out admits it, on its way out, on TCP 81-82",
        ),
    ]


def test_each_direction_has_its_own_rules() -> None:
    """What a pod may receive says nothing of what it may send."""
    rules = "ingress: [{ports: [{port: 80}]}]\negress: [{ports: [{port: 81}]}]"
    net = network(*PODS, policy(f"{B}\n{rules}"))
    assert ports(net, "default/a", "default/b") == "TCP 80"
    assert ports(net, "default/b", "default/a") == "TCP 81"


def test_a_workload_may_be_asked_about_as_it_would_be() -> None:
    """The same object with other labels is another peer."""
    net = network(*PODS, policy(f"{B}\ningress: [{{from: [{{podSelector: {{}}}}]}}]"))
    b = find(net, "default/b")
    changed = replace(find(net, "default/a"), labels={"app": "b"})
    assert net.isolating(find(net, "default/a"), "Ingress") == ()
    assert net.isolating(changed, "Ingress") == net.isolating(b, "Ingress") != ()


def test_policies_are_united() -> None:
    """A second policy only admits more; a deny-all beside it changes nothing."""
    net = network(
        *PODS,
        policy(f"{B}\ningress: [{{from: [{{podSelector: {{matchLabels: {{app: a}}}}}}]}}]"),
        policy(f"{B}\ningress: [{{ports: [{{port: 80}}]}}]", "default/second"),
        policy("podSelector: {}", "default/deny"),
    )
    assert ports(net, "default/a", "default/b") == "every port"
    assert ports(net, "default/c", "default/b") == "TCP 80"
    assert len(net.isolating(find(net, "default/b"), "Ingress")) == 3


def test_what_stops_is_named() -> None:
    """Where no rule admits, the policies that isolate are the reasons."""
    net = network(*PODS, policy(B))
    reach = net.reach(find(net, "default/a"), find(net, "default/b"))
    assert [(str(r.ref), r.path) for r in reach.reasons] == [
        ("default/policy[NetworkPolicy]", ("spec", "podSelector"))
    ]
    assert reach.possible == reach.ports


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ("{port: 80}", "TCP 80"),
        ("{port: 80, protocol: UDP}", "UDP 80"),
        ("{protocol: SCTP}", "every SCTP port"),
        ("{}", "every TCP port"),
        ("null", "every TCP port"),
        ("{port: 80, endPort: 90}", "TCP 80-90"),
        ("{port: 80, endPort: 80}", "TCP 80"),
        ("{port: 80}, {port: 53, protocol: UDP}", "TCP 80, UDP 53"),
        ("{port: 80}, {port: 81}, {port: 81, endPort: 83}", "TCP 80-83"),
        ("{port: http}", "TCP 8080"),
        ("{port: http, protocol: UDP}", "UDP 8081"),
        ("{port: http, protocol: SCTP}", "no port"),
        ("{port: unknown}", "no port"),
        ("{port: mesh}", "TCP 15008"),
        ("{port: setup}", "no port"),
    ],
)
def test_ports(entries: str, expected: str) -> None:
    """TCP is the default; a name means what the target's containers (sidecars too) declare for
    that protocol; an ordinary init container is gone by then.
    """
    target = pod(
        "b",
        containers=[
            {"name": "x", "ports": [{"name": "http", "containerPort": 8080}]},
            {"name": "y", "ports": [{"name": "http", "containerPort": 8081, "protocol": "UDP"}]},
        ],
        initContainers=[
            {
                "name": "mesh",
                "restartPolicy": "Always",
                "ports": [{"name": "mesh", "containerPort": 15008}],
            },
            {"name": "setup", "ports": [{"name": "setup", "containerPort": 9}]},
        ],
    )
    net = network(pod("a"), target, policy(f"{B}\ningress: [{{ports: [{entries}]}}]"))
    assert ports(net, "default/a", "default/b") == expected


def test_a_named_port_of_egress_is_resolved_on_each_target() -> None:
    """The same name is another number on another pod, and nothing outside."""
    http = {"name": "http"}
    net = network(
        pod("a"),
        pod("b", **serving({**http, "containerPort": 80})),
        pod("c", **serving({**http, "containerPort": 8080})),
        pod("d", **serving({"containerPort": 80})),
        policy(
            "podSelector: {matchLabels: {app: a}}\npolicyTypes: [Egress]\n"
            "egress: [{ports: [{port: http}]}]"
        ),
    )
    assert ports(net, "default/a", "default/b") == "TCP 80"
    assert ports(net, "default/a", "default/c") == "TCP 8080"
    assert ports(net, "default/a", "default/d") == "no port"
    assert not net.reach(find(net, "default/a"), World()).possible


def test_declared_ports_do_not_limit_what_flows() -> None:
    """A containerPort informs; a policy that admits 9999 admits it."""
    net = network(
        pod("a"),
        pod("b", **serving({"containerPort": 80})),
        policy(f"{B}\ningress: [{{ports: [{{port: 9999}}]}}]"),
    )
    assert ports(net, "default/a", "default/b") == "TCP 9999"


def test_a_policy_for_udp_isolates_tcp_too() -> None:
    """Isolation knows no protocol."""
    net = network(*PODS, policy(f"{B}\ningress: [{{ports: [{{protocol: UDP, port: 53}}]}}]"))
    assert ports(net, "default/a", "default/b") == "UDP 53"


def test_a_pod_always_reaches_itself() -> None:
    """No policy stops a pod's own traffic."""
    net = network(*PODS, policy("{podSelector: {}, policyTypes: [Ingress, Egress]}"))
    assert ports(net, "default/b", "default/b") == "every port"


def test_two_pods_of_a_workload_are_two_pods() -> None:
    """A Deployment's pods reach each other only as policies say."""
    net = network(workload("Deployment", "web", replicas=2), policy("podSelector: {}"))
    assert ports(net, "default/web", "default/web") == "no port"


def test_pods_that_have_ended_are_no_peers_and_keep_no_address() -> None:
    """The address of a completed pod may belong to another one already."""
    gone = pod("gone", ip="10.0.0.9")
    ended = resource({**gone.manifest, "status": {"phase": "Succeeded", "podIP": "10.0.0.9"}})
    net = network(pod("a", ip="10.0.0.9"), pod("b"), ended)
    assert [w.name for w in net.workloads] == ["default/a", "default/b"]


def test_a_policy_of_another_dialect_is_not_taken_for_one_of_ours() -> None:
    """Calico has a NetworkPolicy too."""
    calico = resource(
        {
            "apiVersion": "projectcalico.org/v3",
            "kind": "NetworkPolicy",
            "metadata": {"name": "p", "namespace": "default"},
            "spec": {"selector": "all()"},
        }
    )
    net = network(*PODS, calico)
    assert net.invalid == ()
    assert ports(net, "default/a", "default/b") == "every port"


def test_of_two_policies_with_one_name_the_last_counts() -> None:
    """As the second `kubectl apply` replaces what the first has made."""
    net = network(*PODS, policy(B), policy(f"{B}\ningress: [{{}}]"))
    assert ports(net, "default/a", "default/b") == "every port"


def test_a_stranger_without_labels_is_met_by_what_labels_do_not_matter_for() -> None:
    """A pod that is not there yet is judged by the labels it would have."""
    notin = "podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [a]}]}"
    net = network(*PODS, policy(f"{B}\ningress: [{{from: [{{{notin}}}]}}]"))
    b = find(net, "default/b")
    assert net.reach(Stranger("default", {}), b).ports
    assert not net.reach(Stranger("default", {"app": "a"}), b).ports
    assert not net.reach(Stranger("other", {}), b).ports
    assert not net.reach(Stranger("", {}), b).ports


def test_a_new_namespace_has_no_labels_and_a_name_that_nobody_knows() -> None:
    """It is met by an empty selector and by what asks for absence, and its name is never named."""

    def reaches(selector: str) -> bool:
        rule = f"ingress: [{{from: [{{namespaceSelector: {selector}}}]}}]"
        net = network(*PODS, policy(f"{B}\n{rule}"))
        reach = net.reach(Stranger("", {}), find(net, "default/b"))
        assert not reach.unknown
        return bool(reach.ports)

    assert reaches("{}")
    assert reaches("{matchExpressions: [{key: team, operator: DoesNotExist}]}")
    name = "kubernetes.io/metadata.name"
    assert reaches(f"{{matchExpressions: [{{key: {name}, operator: NotIn, values: [x]}}]}}")
    assert not reaches(f"{{matchLabels: {{{name}: undeclared}}}}")
    assert not reaches("{matchLabels: {team: red}}")


def rules_of(*objects: Resource) -> list[tuple[str, tuple[str | int, ...], str, bool, bool]]:
    """The rules that admit default/a to default/b."""
    net = network(*objects)
    found = net.admitting_rules(find(net, "default/a"), find(net, "default/b"))
    return [(r.policy.ref.name, r.path, str(r.ports), r.whole, r.sure) for r in found]


def test_admitting_rules_are_those_that_admit_the_source() -> None:
    """In the order read, with their place and whether they name ports at all."""
    rules = """
    podSelector: {matchLabels: {app: b}}
    ingress:
    - from: [{podSelector: {matchLabels: {app: c}}}]
    - from: [{podSelector: {}}]
    - ports: [{port: 80}]
    """
    assert rules_of(*PODS, policy(rules, "default/p")) == [
        ("p", ("spec", "ingress", 1), "every port", True, True),
        ("p", ("spec", "ingress", 2), "TCP 80", False, True),
    ]
    assert rules_of(*PODS) == []
