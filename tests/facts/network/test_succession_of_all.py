"""Incremental equals from scratch, whatever kind of object changes: policies of Istio, Services,
Nodes, cluster-wide policies, the labels of Namespaces, several of them at once and one after the
other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.facts.network import Identity, Network, Peer, Request, World
from auditor.facts.workloads import Workload, workloads_of
from auditor.model import Ref, Resource, Snapshot

from .cluster import cluster_policy, namespace, node, pod, policy, resource, serving
from .istio.meshes import PROXY, configuration, peer
from .istio.meshes import policy as authorization
from .test_properties import specs
from .test_succession import check
from .test_tiers_properties import ADDRESSES, NUMBERS, PODS, bodies, priorities

QUICK = settings(
    max_examples=100,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PROXIED = ("default/a", "other/a")
SPACES = ("default", "other")
spaces = st.sampled_from(SPACES)

sources = st.fixed_dictionaries(
    {},
    optional={
        "namespaces": st.sampled_from([["default"], ["other", "no*"], ["*"]]),
        "notNamespaces": st.just(["other"]),
        "principals": st.sampled_from([["cluster.local/ns/other/sa/default"], ["*"]]),
        "ipBlocks": st.sampled_from([["10.0.0.0/29"], ["10.1.0.0/16"]]),
    },
)
operations = st.fixed_dictionaries(
    {},
    optional={
        "ports": st.sampled_from([["80"], ["82"]]),
        "paths": st.sampled_from([["/healthz"], ["/api/*"]]),
        "methods": st.just(["GET"]),
    },
)
mesh_rules = st.fixed_dictionaries(
    {},
    optional={
        "from": st.lists(sources.map(lambda s: {"source": s}), min_size=1, max_size=2),
        "to": st.lists(operations.map(lambda o: {"operation": o}), min_size=1, max_size=2),
    },
)
chosen = st.sampled_from([{}, {"matchLabels": {"app": "a"}}, {"matchLabels": {"team": "red"}}])
authorizations = st.builds(
    lambda spec, space, name: authorization(spec, f"{space}/{name}"),
    st.fixed_dictionaries(
        {
            "action": st.sampled_from(["ALLOW", "DENY"]),
            "rules": st.lists(mesh_rules, max_size=2),
        },
        optional={"selector": chosen},
    ),
    st.sampled_from([*SPACES, "istio-system"]),
    st.sampled_from(["one", "two"]),
)
modes = st.sampled_from(["STRICT", "PERMISSIVE", "DISABLE", "UNSET"])
peers = st.builds(
    lambda spec, space: peer(spec, f"{space}/peers"),
    st.fixed_dictionaries(
        {"mtls": st.fixed_dictionaries({"mode": modes})}, optional={"selector": chosen}
    ),
    st.sampled_from([*SPACES, "istio-system"]),
)
configurations = st.sampled_from(
    [configuration("trustDomain: td"), configuration("enableAutoMtls: false"), configuration("{}")]
)


def _service(space: str, app: str, name: str, number: int, kind: str) -> Resource:
    port = {"name": name, "port": 80, "targetPort": number}
    return resource(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "front", "namespace": space},
            "spec": {"selector": {"app": app}, "ports": [port], "type": kind},
        }
    )


services = st.builds(
    _service,
    spaces,
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["http", "tcp", "other"]),
    st.sampled_from([80, 82]),
    st.sampled_from(["ClusterIP", "LoadBalancer"]),
)
nodes = st.builds(
    lambda name, address, labels: node(name, address, **labels),
    st.sampled_from(["one", "two"]),
    st.sampled_from(["172.18.0.2", "172.18.0.3"]),
    st.sampled_from([{}, {"os": "linux"}]),
)
namespaces = st.builds(
    lambda name, labels: namespace(name, **labels),
    spaces,
    st.sampled_from([{}, {"team": "red"}, {"team": "blue"}, {"istio-injection": "enabled"}]),
)
network_policies = st.builds(
    lambda spec, space, place: policy(spec, f"{space}/p{place}"), specs, spaces, st.integers(0, 1)
)
tiers = st.sampled_from(["Admin", "Baseline"])
wide = st.one_of(
    st.builds(
        lambda spec, place: cluster_policy(spec, f"c{place}"),
        bodies("protocols", ["Accept", "Deny", "Pass"], tier=tiers, priority=priorities),
        st.integers(0, 1),
    ),
    st.builds(
        lambda spec, place: cluster_policy(spec, f"a{place}", "AdminNetworkPolicy"),
        bodies("ports", ["Allow", "Deny", "Pass"], priority=priorities),
        st.integers(0, 1),
    ),
    st.builds(
        lambda spec: cluster_policy(spec, "default", "BaselineAdminNetworkPolicy"),
        bodies("ports", ["Allow", "Deny"]),
    ),
)


def _pod(name: str, labels: dict[str, str], *, moved: bool) -> Resource:
    fields = serving({"name": "http", "containerPort": NUMBERS[name]})
    if name in PROXIED:
        fields["containers"].append(PROXY)
    if name == "other/host":
        fields["hostNetwork"] = True
    fields["nodeName"] = "two" if moved else "one"
    found = pod(name, ip=ADDRESSES[name], **fields)
    manifest = json.loads(json.dumps(found.manifest))
    manifest["metadata"]["labels"] |= labels
    return replace(found, manifest=manifest)


pods = st.builds(
    lambda name, labels, moved: _pod(name, labels, moved=moved),
    st.sampled_from(PODS),
    st.sampled_from([{}, {"app": "b"}, {"team": "red"}]),
    st.booleans(),
)
objects = {
    "mesh": st.one_of(authorizations, peers, configurations),
    "network": st.one_of(network_policies, wide),
    "place": st.one_of(services, nodes, namespaces, pods),
}
anything = st.one_of(*objects.values())
of_network = st.one_of(objects["network"], objects["place"])

Step = tuple[list[Resource], list[int]]
"""What comes or changes, and the places of what goes."""


def steps(what: st.SearchStrategy[Resource]) -> st.SearchStrategy[list[Step]]:
    """Two changes one after the other, each of up to two objects."""
    gone = st.lists(st.integers(0, 30), max_size=1)
    one = st.tuples(st.lists(what, max_size=2), gone).filter(lambda step: bool(step[0] or step[1]))
    return st.lists(one, min_size=1, max_size=2)


def _snapshot(more: Iterable[Resource]) -> Snapshot:
    """Five pods under these objects; of two of one identity the later one."""
    plain = [_pod(name, {}, moved=False) for name in PODS]
    once = {each.ref.key: each for each in (*plain, namespace("default"), *more)}
    return Snapshot(tuple(once.values()))


REQUESTS = (
    Request(80, method="GET", path="/healthz", host="front"),
    Request(80, method="POST", path="/api/x", host="front"),
    Request(82, method="GET", path="/healthz", host="front"),
    Request(80),
    Request(80, "UDP"),
)
CALLERS: tuple[Peer | Identity, ...] = (World(), Identity("other", "default"))


def _told(net: Network) -> dict[object, object]:
    """What else a network is asked."""
    found: dict[object, object] = {"externals": net.externals()}
    for target in net.workloads:
        found[target.ref] = (
            net.listening(target),
            net.entrances(target),
            net.isolated(target),
            net.outside(target),
            tuple(s.ref for s in net.services_of(target)),
        )
        for caller in (*net.workloads, *CALLERS):
            name = caller.ref if isinstance(caller, Workload) else caller
            for request in REQUESTS:
                ruling = net.ruling(caller, target, request)
                found[name, target.ref, request] = (ruling.verdict, set(ruling.reasons))
    return found


def _check_steps(start: list[Resource], walk: list[Step]) -> None:
    here = _snapshot(start)
    net = Network(here, workloads_of(here))
    for changed, gone in walk:
        removed: list[Ref] = [here.resources[i].ref for i in gone if i < len(here.resources)]
        there = here.replacing(*changed, removing=removed)
        check(here, there)
        _told(net)
        net = net.after(there)
        assert _told(net) == _told(Network(there, workloads_of(there)))
        here = there


@QUICK
@given(st.lists(of_network, max_size=5), steps(of_network))
def test_what_is_judged_by_network_policies(start: list[Resource], walk: list[Step]) -> None:
    _check_steps(start, walk)


@QUICK
@given(
    st.lists(objects["mesh"], min_size=1, max_size=3),
    st.lists(of_network, max_size=3),
    steps(objects["mesh"]),
)
def test_what_is_judged_by_sidecars(
    mesh: list[Resource], start: list[Resource], walk: list[Step]
) -> None:
    _check_steps([*mesh, *start], walk)


@QUICK
@given(st.lists(anything, max_size=6), steps(anything))
def test_any_object_of_all(start: list[Resource], walk: list[Step]) -> None:
    _check_steps(start, walk)
