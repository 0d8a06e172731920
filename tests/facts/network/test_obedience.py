"""The engine answers as the profile of the enforcer says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.facts.network import SPEC, Machine, Network, Profile, Reach, Request, Verdict
from auditor.facts.selectors import Truth
from auditor.facts.workloads import workloads_of
from auditor.model import Resource, Snapshot

from .cluster import cluster_policy, find, namespace, pod, policy, serving

NO, MAYBE, YES = Truth.NO, Truth.MAYBE, Truth.YES
B = "podSelector: {matchLabels: {app: b}}"


def under(profile: Profile, *objects: Resource) -> Network:
    """The engine over these objects."""
    snapshot = Snapshot(objects)
    return Network(snapshot, workloads_of(snapshot), profile)


def asked(changes: dict[str, Truth], *objects: Resource) -> Reach:
    """What flows from default/a to default/b where the profile differs so from the standard."""
    net = under(replace(SPEC, name="this", **changes), *objects)  # type: ignore[arg-type]
    return net.reach(find(net, "default/a"), find(net, "default/b"))


def bounds(changes: dict[str, Truth], *objects: Resource) -> tuple[str, str]:
    """The same as people read it."""
    reach = asked(changes, *objects)
    assert bool(reach.unknown) is (reach.ports != reach.possible)
    return str(reach.ports), str(reach.possible)


A, TARGET = pod("a", ip="10.0.0.1"), pod("b", **serving({"name": "web", "containerPort": 80}))
HOST = pod("a", ip="10.0.0.1", hostNetwork=True)


@pytest.mark.parametrize(
    ("field", "objects", "answers"),
    [
        ("enforces", [A, TARGET, policy(B)],
         {YES: ("no port",) * 2, MAYBE: ("no port", "every port"), NO: ("every port",) * 2}),
        ("blocks_match_pods",
         [A, TARGET, policy(f"{B}\ningress: [{{from: [{{ipBlock: {{cidr: 10.0.0.0/8}}}}]}}]")],
         {YES: ("every port",) * 2, MAYBE: ("no port", "every port"), NO: ("no port",) * 2}),
        ("end_port", [A, TARGET, policy(f"{B}\ningress: [{{ports: [{{port: 5, endPort: 9}}]}}]")],
         {YES: ("TCP 5-9",) * 2, MAYBE: ("TCP 5", "TCP 5-9"), NO: ("TCP 5",) * 2}),
        ("named_ports",
         [A, TARGET, policy(f"{B}\ningress: [{{ports: [{{port: web}}, {{port: 9}}]}}]")],
         {YES: ("TCP 9, 80",) * 2, MAYBE: ("TCP 9", "TCP 9, 80"), NO: ("TCP 9",) * 2}),
        ("sctp",
         [A, TARGET, policy(f"{B}\ningress: [{{ports: [{{protocol: SCTP}}, {{port: 9}}]}}]")],
         {YES: ("TCP 9, every SCTP port",) * 2, MAYBE: ("TCP 9", "TCP 9, every SCTP port"),
          NO: ("TCP 9",) * 2}),
    ],
)  # fmt: skip
def test_each_question_has_three_answers(
    field: str, objects: list[Resource], answers: dict[Truth, tuple[str, str]]
) -> None:
    """Yes, no, and not defined, which makes the answer a pair and says why."""
    for truth, expected in answers.items():
        assert bounds({field: truth}, *objects) == expected


@pytest.mark.parametrize(
    ("changes", "answers"),
    [
        ({}, ("no port", "every port")),
        ({"node_reaches_its_pods": NO}, ("no port", "every port")),
        ({"selectors_match_host_network": NO}, ("no port", "every port")),
        ({"selectors_match_host_network": YES}, ("every port", "every port")),
        ({"node_reaches_its_pods": NO, "selectors_match_host_network": NO}, ("no port",) * 2),
    ],
)
def test_a_peer_on_the_network_of_its_node(
    changes: dict[str, Truth], answers: tuple[str, str]
) -> None:
    """Two questions: whether selectors mean it, and whether it reaches the pods beside it."""
    admitting = policy(f"{B}\ningress: [{{from: [{{podSelector: {{}}}}]}}]")
    assert bounds(changes, HOST, TARGET, admitting) == answers


@pytest.mark.parametrize(("block", "answers"), [(YES, ("every port",) * 2), (NO, ("no port",) * 2)])
def test_a_block_and_a_node(block: Truth, answers: tuple[str, str]) -> None:
    """By its address, or not at all."""
    admitting = policy(f"{B}\ningress: [{{from: [{{ipBlock: {{cidr: 10.0.0.0/8}}}}]}}]")
    changes = {"blocks_match_nodes": block, "node_reaches_its_pods": NO}
    assert bounds(changes, HOST, TARGET, admitting) == answers


@pytest.mark.parametrize(
    ("truth", "ports", "verdict", "isolating"),
    [
        (YES, "no port", Verdict.DENIED, 1),
        (MAYBE, "every port", Verdict.UNDEFINED, 0),
        (NO, "every port", Verdict.ALLOWED, 0),
    ],
)
def test_a_target_on_the_network_of_its_node(
    truth: Truth, ports: str, verdict: Verdict, isolating: int
) -> None:
    """A policy holds for it, or not, or it is not defined."""
    target = pod("b", hostNetwork=True)
    net = under(replace(SPEC, selects_host_network=truth), A, target, policy("podSelector: {}"))
    a, b = find(net, "default/a"), find(net, "default/b")
    assert str(net.reach(a, b).ports) == ports
    assert net.ruling(a, b, Request(80)).verdict is verdict
    assert len(net.isolating(b, "Ingress")) == isolating


@pytest.mark.parametrize(
    ("truth", "answers"),
    [(YES, ("every port",) * 2), (MAYBE, ("no port", "every port")), (NO, ("no port",) * 2)],
)
def test_a_pod_and_itself(truth: Truth, answers: tuple[str, str]) -> None:
    """Always, never, or as it happens."""
    net = under(replace(SPEC, reaches_itself=truth), TARGET, policy(B))
    b = find(net, "default/b")
    reach = net.reach(b, b)
    assert (str(reach.ports), str(reach.possible)) == answers


@pytest.mark.parametrize(
    ("kind", "field", "body"),
    [
        ("ClusterNetworkPolicy", "cluster_policies", {"tier": "Admin", "priority": 1}),
        ("AdminNetworkPolicy", "admin_policies", {"priority": 1}),
    ],
)
def test_cluster_wide_policies_may_have_no_effect(
    kind: str, field: str, body: dict[str, Any]
) -> None:
    """Most enforcers know one of the two forms at most."""
    subject: dict[str, Any] = {"namespaces": {}}
    rule = {"action": "Deny", "from": [subject]}
    deny = cluster_policy({**body, "subject": subject, "ingress": [rule]}, "deny", kind)
    answers = {YES: ("no port",) * 2, MAYBE: ("no port", "every port"), NO: ("every port",) * 2}
    for truth, expected in answers.items():
        assert bounds({field: truth}, A, TARGET, namespace("default"), deny) == expected


def test_where_nothing_enforces_that_is_the_reason() -> None:
    """And no policy isolates anybody."""
    net = under(Profile("none", enforces=NO), A, TARGET, policy(B))
    a, b = find(net, "default/a"), find(net, "default/b")
    assert [reason.text for reason in net.reach(a, b).reasons] == [
        "nothing enforces network policies with none"
    ]
    assert net.isolating(b, "Ingress", possibly=True) == ()
    unknown = under(Profile("unknown", enforces=MAYBE), A, TARGET, policy(B))
    assert unknown.isolating(find(unknown, "default/b"), "Ingress") == ()
    assert len(unknown.isolating(find(unknown, "default/b"), "Ingress", possibly=True)) == 1


@pytest.mark.parametrize(
    ("truth", "verdict"),
    [(YES, Verdict.ALLOWED), (MAYBE, Verdict.UNDEFINED), (NO, Verdict.DENIED)],
)
def test_what_has_no_ports_is_as_the_enforcer_has_it(truth: Truth, verdict: Verdict) -> None:
    """Where a policy isolates; where none does, nobody is asked."""
    profile = replace(SPEC, other_protocols=truth)
    ping = Request(0, "ICMP")
    some = under(profile, A, TARGET, policy(f"{B}\ningress: [{{ports: [{{port: 80}}]}}]"))
    assert some.ruling(find(some, "default/a"), find(some, "default/b"), ping).verdict is verdict
    none = under(profile, A, TARGET)
    ruling = none.ruling(find(none, "default/a"), find(none, "default/b"), ping)
    assert ruling.verdict is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("own", "rule", "changes", "answers"),
    [
        (True, "{from: [{podSelector: {}}]}", {}, ("every port", "every port")),
        (True, "{from: [{podSelector: {}}]}", {"node_reaches_its_pods": NO}, ("no port",) * 2),
        (False, "{from: [{namespaceSelector: {}}]}", {}, ("no port", "no port")),
        (False, "{ports: [{port: 9}]}", {}, ("TCP 9", "TCP 9")),
        (False, "{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}", {}, ("no port", "every port")),
        (False, "{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}", {}, ("every port",) * 2),
        (False, "{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}", {"blocks_match_nodes": NO},
         ("no port",) * 2),
    ],
)  # fmt: skip
def test_a_node_itself(
    own: bool,
    rule: str,
    changes: dict[str, Truth],
    answers: tuple[str, str],
) -> None:
    """It is no pod: no selector means it, whatever the profile says of pods on its network; where
    it is not told which one it is, nor is its address.
    """
    profile = replace(SPEC, **changes)  # type: ignore[arg-type]
    net = under(profile, TARGET, policy(f"{B}\ningress: [{rule}]"))
    reach = net.reach(Machine(own), find(net, "default/b"))
    assert (str(reach.ports), str(reach.possible)) == answers
    assert bool(reach.unknown) is (answers[0] != answers[1])


@pytest.mark.parametrize(
    ("own", "truth", "ports"),
    [(True, YES, "every port"), (True, NO, "no port"), (False, YES, "no port")],
)
def test_a_pod_and_the_node_below_it(own: bool, truth: Truth, ports: str) -> None:
    """On its way out a pod is stopped before its node, or is not."""
    isolated = policy(f"{B}\npolicyTypes: [Egress]")
    net = under(replace(SPEC, reaches_its_node=truth), TARGET, isolated)
    assert str(net.reach(find(net, "default/b"), Machine(own)).ports) == ports


def test_no_policy_holds_for_a_node() -> None:
    """Not even one that means every pod, to whom knows no hostNetwork."""
    profile = replace(SPEC, selects_host_network=YES)
    rules = "[{name: a, action: Deny, to: [{namespaces: {}}, {networks: [0.0.0.0/0]}]}]"
    everything = cluster_policy(
        f"{{tier: Admin, priority: 1, subject: {{namespaces: {{}}}}, egress: {rules}}}"
    )
    net = under(profile, namespace("default"), TARGET, everything, policy("podSelector: {}"))
    assert net.invalid == ()
    target = find(net, "default/b")
    assert str(net.reach(Machine(own=True), target, ("Egress",)).ports) == "every port"
    assert str(net.reach(target, target, ("Egress",)).ports) == "every port"
    other = find(under(profile, namespace("default"), A), "default/a")
    assert str(net.reach(other, target, ("Egress",)).ports) == "no port"
