"""What manifests alone cannot tell: the answer is then a pair, and says why."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.network import Reach, Stranger, World
from auditor.model import Resource

from .cluster import find, namespace, network, pod, policy, resource, serving, workload

B = "podSelector: {matchLabels: {app: b}}"


def asked(source: str, *objects: Resource, target: str = "default/b") -> Reach:
    """What flows between two workloads."""
    net = network(*objects)
    return net.reach(find(net, source), find(net, target))


def admitting(peer: str) -> Resource:
    """A policy for default/b that admits one peer."""
    return policy(f"{B}\ningress: [{{from: [{peer}]}}]")


def test_a_namespace_without_an_object_has_labels_that_are_not_known() -> None:
    """Only its name can be judged."""
    peer = admitting("{namespaceSelector: {matchLabels: {team: red}}}")
    reach = asked("other/a", pod("b"), pod("other/a"), peer)
    assert str(reach.ports) == "no port"
    assert str(reach.possible) == "every port"
    assert reach.unknown == (
        (
            "default/policy[NetworkPolicy] asks for the namespace's label 'team', and namespace"
            " other has no Namespace object to tell it"
        ),
    )
    assert [r.text for r in reach.reasons] == [
        "NetworkPolicy default/policy may admit it on every port"
    ]
    known = asked("other/a", pod("b"), pod("other/a"), peer, namespace("other", team="blue"))
    assert not known.possible
    assert not known.unknown


@pytest.mark.parametrize(
    ("selector", "ports"),
    [
        ("{}", "every port"),
        ("{matchLabels: {kubernetes.io/metadata.name: other}}", "every port"),
        ("{matchLabels: {kubernetes.io/metadata.name: third}}", "no port"),
        ("{matchLabels: {kubernetes.io/metadata.name: third, team: red}}", "no port"),
    ],
)
def test_what_the_name_decides_is_certain(selector: str, ports: str) -> None:
    """Also without a Namespace object."""
    peer = admitting(f"{{namespaceSelector: {selector}}}")
    reach = asked("other/a", pod("b"), pod("other/a"), peer)
    assert str(reach.ports) == str(reach.possible) == ports
    assert not reach.unknown


def test_a_stranger_of_a_namespace_without_an_object_is_as_unknown() -> None:
    """Its own labels are exact, those of its namespace are not."""
    net = network(pod("b"), admitting("{namespaceSelector: {matchLabels: {team: red}}}"))
    reach = net.reach(Stranger("other", {}), find(net, "default/b"))
    assert (str(reach.ports), str(reach.possible)) == ("no port", "every port")


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("Deployment", "pod-template-hash", "abc"),
        ("DaemonSet", "controller-revision-hash", "abc"),
        ("StatefulSet", "statefulset.kubernetes.io/pod-name", "a-0"),
        ("StatefulSet", "apps.kubernetes.io/pod-index", "0"),
        ("Job", "batch.kubernetes.io/controller-uid", "abc"),
        ("Job", "job-name", "a"),
        ("CronJob", "batch.kubernetes.io/job-name", "a-123"),
    ],
)
def test_labels_of_run_time_are_not_known(kind: str, key: str, value: str) -> None:
    """A selector on one of them may match the pods of such a workload, and no written pod."""
    peer = admitting(f"{{podSelector: {{matchLabels: {{{key}: '{value}'}}}}}}")
    reach = asked("default/a", pod("b"), workload(kind, "a"), peer)
    assert (str(reach.ports), str(reach.possible)) == ("no port", "every port")
    assert f"'{key}'" in reach.unknown[0]
    plain = asked("default/a", pod("b"), pod("a"), peer)
    assert not plain.possible


def test_the_pods_of_another_stateful_set_are_not_meant() -> None:
    """The name of a pod begins with that of its StatefulSet."""
    peer = admitting("{podSelector: {matchLabels: {statefulset.kubernetes.io/pod-name: db-0}}}")
    reach = asked("default/a", pod("b"), workload("StatefulSet", "a"), peer)
    assert not reach.possible
    assert not reach.unknown


def test_a_policy_that_may_select_may_isolate() -> None:
    """Where a policy selects by a label of run time, the target may be isolated or open."""
    net = network(
        pod("a"),
        workload("Deployment", "b"),
        policy(
            "{podSelector: {matchLabels: {pod-template-hash: x}}, ingress: [{ports: [{port: 1}]}]}"
        ),
    )
    b = find(net, "default/b")
    reach = net.reach(find(net, "default/a"), b)
    assert (str(reach.ports), str(reach.possible)) == ("TCP 1", "every port")
    assert reach.unknown
    assert net.isolating(b, "Ingress") == ()
    assert len(net.isolating(b, "Ingress", possibly=True)) == 1


def test_a_policy_that_may_select_adds_to_one_that_does() -> None:
    """Beside a policy that surely isolates, one that may select can only admit more."""
    net = network(
        pod("a"),
        workload("Deployment", "b"),
        policy(
            "{podSelector: {matchLabels: {pod-template-hash: x}}, ingress: [{ports: [{port: 1}]}]}"
        ),
        policy("{podSelector: {}, ingress: [{ports: [{port: 2}]}]}", "default/sure"),
    )
    reach = net.reach(find(net, "default/a"), find(net, "default/b"))
    assert (str(reach.ports), str(reach.possible)) == ("TCP 2", "TCP 1-2")


def live(
    kind: str, name: str, uid: str, owner: tuple[str, str, str] | None, **more: Any
) -> Resource:
    """An object of a live cluster, with its uid and its controller (kind, name, uid)."""
    metadata: dict[str, Any] = {"name": name, "namespace": "default", "uid": uid}
    if owner:
        metadata["ownerReferences"] = [
            {"kind": owner[0], "name": owner[1], "uid": owner[2], "controller": True}
        ]
    metadata["labels"] = more.pop("labels", {})
    version = "v1" if kind == "Pod" else "apps/v1"
    return resource({"apiVersion": version, "kind": kind, "metadata": metadata, **more})


def deployment_with_pods(*ips: str) -> list[Resource]:
    """Deployment `a` with a ReplicaSet and live pods at these addresses."""
    template = {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "main", "image": "app"}]},
    }
    labels = {"app": "a", "pod-template-hash": "abc"}
    own = {"template": template, "selector": {"matchLabels": {"app": "a"}}}
    return [
        live("Deployment", "a", "1", None, spec=own),
        live("ReplicaSet", "a-abc", "2", ("Deployment", "a", "1"), labels=labels, spec=own),
        *(
            live(
                "Pod", f"a-abc-{i}", f"p{i}", ("ReplicaSet", "a-abc", "2"),
                labels=labels, spec=template["spec"],
                status={"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]},
            )
            for i, ip in enumerate(ips)
        ),
    ]  # fmt: skip


def test_live_pods_tell_labels_and_addresses() -> None:
    """What the controller wrote is then known, and so is each address."""
    hashed = admitting("{podSelector: {matchLabels: {pod-template-hash: abc}}}")
    reach = asked("default/a", pod("b"), hashed, *deployment_with_pods("10.0.0.1", "10.0.0.2"))
    assert str(reach.ports) == "every port"
    assert not reach.unknown
    block = admitting("{ipBlock: {cidr: 10.0.0.0/24, except: [10.0.0.128/25]}}")
    inside = asked("default/a", pod("b"), block, *deployment_with_pods("10.0.0.1", "10.0.0.2"))
    assert str(inside.ports) == "every port"
    outside = asked("default/a", pod("b"), block, *deployment_with_pods("10.0.0.129"))
    assert not outside.possible


def test_pods_of_a_workload_that_differ_make_a_pair() -> None:
    """Surely flows what flows from each pod; perhaps what flows from one."""
    block = admitting("{ipBlock: {cidr: 10.0.0.0/24}}")
    reach = asked("default/a", pod("b"), block, *deployment_with_pods("10.0.0.1", "10.9.0.1"))
    assert (str(reach.ports), str(reach.possible)) == ("no port", "every port")
    assert reach.unknown == (
        "policies tell the pods apart by their addresses or labels of run time",
    )


def test_pods_that_have_ended_do_not_count() -> None:
    """The address of a completed pod may belong to another one already."""
    *rest, last = deployment_with_pods("10.0.0.1", "10.9.0.1")
    ended = resource({**last.manifest, "status": {"phase": "Failed", "podIP": "10.9.0.1"}})
    block = admitting("{ipBlock: {cidr: 10.0.0.0/24}}")
    reach = asked("default/a", pod("b"), block, *rest, ended)
    assert str(reach.ports) == "every port"


@pytest.mark.parametrize(
    ("block", "address", "reached"),
    [
        ("{cidr: 203.0.113.0/24}", "203.0.113.7", True),
        ("{cidr: 203.0.113.0/24}", "203.0.114.7", False),
        ("{cidr: 0.0.0.0/0, except: [203.0.113.0/24]}", "203.0.113.7", False),
        ("{cidr: 0.0.0.0/0, except: [203.0.113.0/24]}", "8.8.8.8", True),
        ("{cidr: 0.0.0.0/0}", "2001:db8::1", False),
        ("{cidr: '::/0'}", "2001:db8::1", True),
        ("{cidr: '::/0'}", "203.0.113.7", False),
        ("{cidr: '2001:db8::/32', except: ['2001:db8:1::/48']}", "2001:db8:1::5", False),
        ("{cidr: 203.0.113.0/24}", "::ffff:203.0.113.7", True),
        ("{cidr: 203.0.113.200/24}", "203.0.113.7", True),
    ],
)
def test_blocks_are_exact_outside(block: str, address: str, reached: bool) -> None:
    """An address outside is in a block or not, and families are apart."""
    net = network(pod("b"), admitting(f"{{ipBlock: {block}}}"))
    reach = net.reach(World(address), find(net, "default/b"))
    assert bool(reach.ports) is bool(reach.possible) is reached
    assert not reach.unknown


def test_another_rule_may_admit_what_a_block_excludes() -> None:
    """An exception is no denial."""
    both = "{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}, {ipBlock: {cidr: 10.1.0.0/16}}"
    net = network(pod("b"), admitting(both))
    b = find(net, "default/b")
    assert net.reach(World("10.1.2.3"), b).ports
    assert not net.reach(World("10.2.2.3"), b).ports


def test_blocks_meet_pods_by_their_address() -> None:
    """Known addresses are judged exactly, unknown ones not at all."""
    block = admitting("{ipBlock: {cidr: 10.0.0.0/24}}")
    assert asked("default/a", pod("b"), pod("a", ip="10.0.0.9"), block).ports
    assert not asked("default/a", pod("b"), pod("a", ip="10.0.1.9"), block).possible
    reach = asked("default/a", pod("b"), pod("a"), block)
    assert (str(reach.ports), str(reach.possible)) == ("no port", "every port")
    assert reach.unknown == (
        (
            "default/policy[NetworkPolicy] names the addresses 10.0.0.0/24, and those of the pod"
            " are not known"
        ),
    )


def test_a_block_of_all_addresses_holds_every_pod() -> None:
    """Unless other pods show that the cluster has the other family."""
    block = admitting("{ipBlock: {cidr: 0.0.0.0/0}}")
    assert asked("default/a", pod("b"), pod("a"), block).ports
    v6 = asked("default/a", pod("b", ip="fd00::1"), pod("a"), block)
    assert not v6.possible


def test_egress_to_the_world() -> None:
    """The world is a target too."""
    egress = (
        "podSelector: {}\npolicyTypes: [Egress]\negress: [{to: [{ipBlock: {cidr: 8.8.8.0/24}}]}]"
    )
    net = network(pod("a"), policy(egress))
    a = find(net, "default/a")
    assert net.reach(a, World("8.8.8.8")).ports
    assert not net.reach(a, World("9.9.9.9")).possible


def test_a_named_port_of_a_pod_that_is_not_there_is_not_known() -> None:
    """The pod may declare the name, with any number."""
    out = "podSelector: {}\npolicyTypes: [Egress]\negress: [{ports: [{port: http}, {port: 53}]}]"
    net = network(pod("a"), policy(out))
    reach = net.reach(find(net, "default/a"), Stranger("other", {}))
    assert (str(reach.ports), str(reach.possible)) == ("TCP 53", "every TCP port")
    assert "'http'" in reach.unknown[0]


def test_a_doubt_that_changes_nothing_is_not_told() -> None:
    """Where another rule admits all the same, what is unknown does not matter."""
    peers = "{namespaceSelector: {matchLabels: {team: red}}}, {namespaceSelector: {}}"
    reach = asked("other/a", pod("b"), pod("other/a"), admitting(peers))
    assert str(reach.ports) == "every port"
    assert not reach.unknown


def on_node(name: str) -> Resource:
    """A pod on the network of its node."""
    return pod(name, hostNetwork=True, **serving({"containerPort": 9100}))


def test_a_pod_on_the_network_of_its_node_is_not_selected() -> None:
    """Policies are taken not to hold for it, and the answer says that this is not defined."""
    net = network(pod("a"), on_node("b"), policy("podSelector: {}"))
    reach = net.reach(find(net, "default/a"), find(net, "default/b"))
    assert str(reach.ports) == "every port"
    assert len(reach.unknown) == 1
    assert "hostNetwork" in reach.unknown[0]
    assert net.isolating(find(net, "default/b"), "Ingress") == ()


def test_a_pod_on_the_network_of_its_node_is_not_meant_by_selectors() -> None:
    """It looks like the node, which may be the target's own."""
    reach = asked("default/a", on_node("a"), pod("b"), admitting("{podSelector: {}}"))
    assert (str(reach.ports), str(reach.possible)) == ("no port", "every port")
    assert "hostNetwork" in reach.unknown[0]


def test_a_pod_on_the_network_of_its_node_meets_blocks() -> None:
    """Its address is that of the node."""
    node = pod("a", ip="192.168.1.7", hostNetwork=True)
    reach = asked("default/a", node, pod("b"), admitting("{ipBlock: {cidr: 192.168.0.0/16}}"))
    assert str(reach.ports) == "every port"
    assert not reach.unknown


def test_without_policies_nothing_is_unknown() -> None:
    """Doubts come from what policies ask."""
    reach = asked("default/a", on_node("a"), workload("Deployment", "b"))
    assert str(reach.ports) == "every port"
    assert not reach.unknown
