"""A network that is made from the one before gives the answers of one that is made from nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.network import Network, PortSet
from auditor.facts.network.delta import delta
from auditor.facts.workloads import workloads_of
from auditor.model import Resource, Snapshot

from .cluster import namespace, network, pod, policy, resource, serving
from .test_properties import many, specs

QUICK = settings(max_examples=200, database=None, deadline=None)
NAMES = ("default/a", "default/b", "other/a", "other/c")

Flows = dict[tuple[str, str], tuple[PortSet, PortSet]]


def flows(net: Network) -> Flows:
    """All that flows, asked pair by pair."""
    found = {}
    for source in net.workloads:
        for target in net.workloads:
            reach = net.reach(source, target)
            if reach.possible:
                found[source.name, target.name] = (reach.ports, reach.possible)
    return found


def at_once(net: Network) -> Flows:
    """The same without a pod and itself, from the matrix."""
    found = {}
    at: dict[Any, list[str]] = {}
    for workload in net.workloads:
        for point in net.points_of(workload):
            at.setdefault(point, []).append(workload.name)
    for point, flow in net.pairs():
        for sender in net.matrix.members(flow.sources):
            for source in at[sender]:
                for target in at[point]:
                    found[source, target] = (flow.ports, flow.possible)
    return {pair: told for pair, told in found.items() if pair[0] != pair[1]}


def changed_flows(before: Network, after: Network) -> Flows:
    """What `delta` says, pair by pair."""
    found = {}
    for change in delta(before, after):
        was, told = change.before, change.after
        assert change.was == ((was.ports, was.possible) if was else (PortSet.NONE, PortSet.NONE))
        assert change.now == ((told.ports, told.possible) if told else (PortSet.NONE, PortSet.NONE))
        for source in change.sources:
            for target in change.targets:
                pair = (f"{source.namespace}/{source.name}", f"{target.namespace}/{target.name}")
                if source != target or source.kind != "Pod" or len(change.sources) == 1:
                    found[pair] = change.now
    return found


def check(before: Snapshot, after: Snapshot) -> None:
    """Succession is right, and so is what it says of changes."""
    old = Network(before, workloads_of(before))
    list(old.pairs())
    new, anew = old.after(after), Network(after, workloads_of(after))
    assert [w.ref for w in new.workloads] == [w.ref for w in anew.workloads]
    assert sorted(p.ref.name for p in new.policies) == sorted(p.ref.name for p in anew.policies)
    assert set(new.invalid) == set(anew.invalid)
    assert set(new.gaps) == set(anew.gaps)
    was, now = flows(old), flows(anew)
    assert flows(new) == now
    assert at_once(new) == at_once(anew)
    nothing = (PortSet.NONE, PortSet.NONE)
    differing = {
        pair: now.get(pair, nothing)
        for pair in (*was, *now)
        if was.get(pair, nothing) != now.get(pair, nothing)
    }
    assert changed_flows(old, new) == differing
    assert changed_flows(old, anew) == differing


def cast(*, node: str = "") -> list[Resource]:
    """Four pods, one of them perhaps on the network of its node, and a Deployment."""
    template = {
        "metadata": {"labels": {"app": "b"}},
        "spec": {"containers": [{"name": "main", "image": "app"}]},
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "other"},
        "spec": {"selector": {"matchLabels": {"app": "b"}}, "template": template},
    }
    numbers = dict(zip(NAMES, (80, 81, 82, 80), strict=True))
    pods = [
        pod(
            name,
            ip=f"10.0.0.{place + 1}",
            **serving({"name": "http", "containerPort": numbers[name]}),
            **({"hostNetwork": True, "nodeName": "n1"} if name == node else {}),
        )
        for place, name in enumerate(NAMES)
    ]
    return [*pods, resource(deployment), namespace("default", team="red"), namespace("other")]


def edited(one: Resource, **labels: str) -> Resource:
    """The same with other labels, in its template too."""
    manifest = json.loads(json.dumps(one.manifest))
    manifest["metadata"]["labels"] = labels
    if "template" in manifest.get("spec", {}):
        manifest["spec"]["template"]["metadata"]["labels"] = labels
    return replace(one, manifest=manifest)


texts = st.sampled_from(["a", "b", "c", "red"])
nodes = st.sampled_from(["", *NAMES])


@QUICK
@given(many, st.tuples(st.sampled_from(["default", "other"]), specs), st.integers(0, 3), nodes)
def test_a_policy_comes_goes_or_changes(
    policies: list[Any], new: Any, place: int, node: str
) -> None:
    written = [policy(spec, f"{space}/p{i}") for i, (space, spec) in enumerate(policies)]
    before = Snapshot((*cast(node=node), *written))
    changed = policy(new[1], f"{new[0]}/p{place}")
    check(before, before.replacing(changed))
    if written:
        check(before, before.replacing(removing=[written[0].ref]))


@QUICK
@given(many, st.integers(0, 6), texts, texts, nodes)
def test_labels_change(policies: list[Any], place: int, app: str, team: str, node: str) -> None:
    """Of a pod, a Deployment or a namespace."""
    objects = cast(node=node)
    written = [policy(spec, f"{space}/p{i}") for i, (space, spec) in enumerate(policies)]
    before = Snapshot((*objects, *written))
    check(before, before.replacing(edited(objects[place], app=app, team=team)))


@QUICK
@given(many, st.sampled_from(["default/new", "other/new"]), st.integers(0, 6), nodes)
def test_an_object_comes_or_goes(policies: list[Any], name: str, place: int, node: str) -> None:
    objects = cast(node=node)
    written = [policy(spec, f"{space}/p{i}") for i, (space, spec) in enumerate(policies)]
    before = Snapshot((*objects, *written))
    check(before, before.replacing(pod(name, ip="10.0.0.9")))
    check(before, before.replacing(removing=[objects[place].ref]))


@pytest.mark.parametrize(
    "spec", [3, None, {"podSelector": 7}, {"podSelector": {}, "ingress": [None]}, {"ingress": 3}]
)
def test_a_policy_that_becomes_something_else(spec: Any) -> None:
    """Also one that no API server would take."""
    good = policy({"podSelector": {"matchLabels": {"app": "a"}}}, "default/p")
    before = Snapshot((*cast(), good))
    check(before, before.replacing(policy(spec, "default/p")))
    check(before.replacing(policy(spec, "default/p")), before)


def test_a_policy_that_asks_for_an_address_that_none_asked_for() -> None:
    block = {"ipBlock": {"cidr": "10.0.0.0/31"}}
    good = policy({"podSelector": {"matchLabels": {"app": "a"}}}, "default/p")
    new = policy({"podSelector": {"matchLabels": {"app": "a"}}, "ingress": [{"from": [block]}]})
    before = Snapshot((*cast(), good))
    check(before, before.replacing(replace(new, ref=good.ref)))


def test_the_same_object_written_twice() -> None:
    """Then nothing is taken over, and the answers are right all the same."""
    good = policy({"podSelector": {"matchLabels": {"app": "a"}}}, "default/p")
    before = Snapshot((*cast(), good, replace(good)))
    check(before, before.replacing(policy({"podSelector": {}}, "default/p")))


def test_pods_of_a_deployment_change() -> None:
    """The pod is no workload; that its Deployment has other pods shows."""
    uid = {"metadata": {"uid": "u1", "name": "d", "namespace": "other"}}
    *pods, deployment, red, other = cast()
    manifest = json.loads(json.dumps(deployment.manifest))
    manifest["metadata"] |= uid["metadata"]
    manifest["kind"] = "StatefulSet"
    owner = resource(manifest)
    made = pod("other/d-0", ip="10.0.0.1")
    live = json.loads(json.dumps(made.manifest))
    live["metadata"] |= {
        "labels": {"app": "b"},
        "ownerReferences": [{"kind": "StatefulSet", "name": "d", "uid": "u1", "controller": True}],
    }
    moved = json.loads(json.dumps(live))
    moved["status"]["podIP"] = "10.0.0.200"
    block = {"ipBlock": {"cidr": "10.0.0.0/25"}}
    rule = policy({"podSelector": {"matchLabels": {"app": "a"}}, "ingress": [{"from": [block]}]})
    before = Snapshot((*pods, owner, red, other, rule, resource(live)))
    check(before, before.replacing(resource(moved)))
    check(before, before.replacing(removing=[made.ref]))


def test_what_did_not_change_is_the_same_object() -> None:
    """Rows and points are shared: that is what it is for."""
    here = network(*cast(), policy({"podSelector": {"matchLabels": {"app": "a"}}}, "other/p"))
    list(here.pairs())
    after = here.after(
        here.snapshot.replacing(policy({"podSelector": {"matchLabels": {"app": "b"}}}, "other/p"))
    )
    point = here.points_of(here.workloads[0])[0]
    assert after.points_of(after.workloads[0]) == (point,)
    assert after.matrix.row("Ingress", point) is here.matrix.row("Ingress", point)


def test_addresses_that_nobody_tells_apart_any_more_are_one_piece_again() -> None:
    """Also where the policy that told them apart is gone and points were taken over."""
    block = {"ipBlock": {"cidr": "203.0.113.0/24"}}
    rule = policy({"podSelector": {}, "ingress": [{"from": [block]}]}, "other/p")
    here = network(*cast(), rule)
    assert len(here.externals()) == 5  # three of IPv4, and IPv6 around what stands for IPv4
    there = here.snapshot.replacing(removing=[rule.ref])
    after = here.after(there)
    assert after.changed is not None
    assert after.externals() == network(*there.resources).externals()
    assert len(after.externals()) == 3
