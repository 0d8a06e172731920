"""What LimitRanges and ResourceQuotas say of a namespace."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.audit import audit
from auditor.model import Gap, Snapshot, Unseen
from tests.bench import SETTINGS, bench, facts, gaps, judged, objects, told

WEB = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: shop}
    spec:
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec:
          containers: [{name: app, image: registry.example/app:1.0.0}]
    """
NAMESPACE = """
    apiVersion: v1
    kind: Namespace
    metadata: {name: shop}
    """
REQUEST = "resources/no_cpu_request"


def _limits(item: str, namespace: str = "shop") -> str:
    return f"""
    apiVersion: v1
    kind: LimitRange
    metadata: {{name: limits, namespace: {namespace}}}
    spec: {{limits: [{item}]}}
    """


@pytest.mark.parametrize(
    ("item", "requests", "limits"),
    [
        ("{type: Container, default: {cpu: 2}}", {"cpu": 2}, {"cpu": 2}),
        ("{type: Container, max: {cpu: 4}}", {"cpu": 4}, {"cpu": 4}),
        ("{type: Container, min: {cpu: 1}}", {"cpu": 1}, {}),
        ("{type: Container, defaultRequest: {cpu: 1}}", {"cpu": 1}, {}),
        (
            "{type: Container, default: {cpu: 2}, defaultRequest: {cpu: 1}, max: {x/y: 1}}",
            {"cpu": 1, "x/y": 1},
            {"cpu": 2, "x/y": 1},
        ),
        ("{type: Pod, max: {cpu: 4}}", {}, {}),
    ],
)
def test_a_limit_range_gives_what_the_api_server_makes_of_it(
    item: str, requests: dict[str, Any], limits: dict[str, Any]
) -> None:
    """SetDefaults_LimitRangeItem: the most is the default limit, that is the default request, and
    the least is it where there is neither. Limits of pods give nothing.
    """
    world = facts(WEB, _limits(item))
    (web,) = (r for r in world.snapshot.resources if r.ref.kind == "Deployment")
    said = world.about(web, ("resource_defaults",))
    assert said == {"resource_defaults": {"requests": requests, "limits": limits}}


def test_without_every_limit_range_requests_are_not_assessed() -> None:
    """A list that is forbidden may hold the one that gives them: a gap, and no finding."""
    gap = Gap("list of limitranges", "forbidden", Unseen.INCOMPLETE, kinds=("LimitRange",))
    answer = audit(Snapshot(objects(WEB), (gap,)), bench(REQUEST), SETTINGS)
    assert told(answer) == []
    assert any(REQUEST in each and "LimitRange" in each for each in gaps(answer))
    assert told(judged(WEB, REQUEST)) == [f"{REQUEST} shop/web[Deployment]"]


@pytest.mark.parametrize("limits", ["3", "[]", "[3]", "[{type: Container, default: 3}]"])
def test_a_limit_range_of_another_form_gives_nothing(limits: str) -> None:
    """The API server would refuse it."""
    broken = f"""
    apiVersion: v1
    kind: LimitRange
    metadata: {{name: limits, namespace: shop}}
    spec: {{limits: {limits}}}
    """
    assert told(judged((*objects(WEB), *objects(broken)), REQUEST)) == [
        f"{REQUEST} shop/web[Deployment]"
    ]


def test_quotas_and_limits_are_told_of_namespaces_alone() -> None:
    """Of no workload, and of no kind that somebody else calls Namespace."""
    world = facts(NAMESPACE, WEB, _limits("{type: Pod, max: {cpu: 4}}"))
    told_of = {r.ref.kind: world.about(r, ("limit_ranges",)) for r in world.snapshot.resources}
    assert told_of["Namespace"] == {"limit_ranges": {"count": 1}}
    assert told_of["Deployment"] == {}


NODE = """
    apiVersion: v1
    kind: Node
    metadata: {{name: n1, labels: {{kubernetes.io/hostname: n1}}}}
    status: {{allocatable: {{cpu: "{cpu}", memory: 8Gi, pods: "110"}}}}
    """


def _given(container: str, *items: str, more: str = "") -> Any:
    """What a pod asks for, and what the simulated scheduler does not model of it."""
    limits = [_limits(f"{{type: Container, defaultRequest: {item}}}") for item in items]
    named = [text.replace("name: limits", f"name: limits-{n}") for n, text in enumerate(limits)]
    web = WEB.replace("[{name: app, image: registry.example/app:1.0.0}]", f"[{container}]{more}")
    world = facts(NODE.format(cpu=4), web, *named)
    pod = world.standing.first(world.workloads[0])
    assert pod
    simulation = world.standing.simulation()
    return dict(pod.shape.requests.amounts), simulation.unsupported + simulation.doubts(pod)


GIB = 2**30


@pytest.mark.parametrize(
    ("resources", "asked"),
    [
        ("{}", {"cpu": 500, "memory": GIB}),
        ("null", {"cpu": 500, "memory": GIB}),
        ("{requests: {cpu: 1}}", {"cpu": 1000, "memory": GIB}),
        ("{limits: {cpu: 1}}", {"cpu": 1000, "memory": GIB}),
        ("{limits: {cpu: 1}, requests: {memory: 0}}", {"cpu": 1000}),
        ("{requests: {cpu: 1, memory: 1}, limits: {cpu: 2}}", {"cpu": 1000, "memory": 1}),
    ],
)
def test_the_scheduler_meets_pods_with_what_they_are_given(resources: str, asked: Any) -> None:
    """What is named in neither list: before a LimitRange is asked, a limit is the request
    (SetDefaults_Pod).
    """
    container = f"{{name: app, image: a, resources: {resources}}}"
    assert _given(container, "{cpu: 500m, memory: 1Gi}") == (asked, ())


def test_every_container_that_may_ask_is_given_it() -> None:
    """Those that start first as well: the neediest moment counts. Those for debugging cannot."""
    more = """
          initContainers:
            - {name: first, image: a, resources: {requests: {cpu: 2}}}
            - {name: second, image: a}
          ephemeralContainers: [{name: debug, image: a}]"""
    assert _given("{name: app, image: a}", "{cpu: 500m}", more=more)[0] == {"cpu": 2000}
    assert _given("{name: app, image: a}", "{cpu: 3}", more=more)[0] == {"cpu": 3000}


def test_what_is_not_modelled_of_it_is_told() -> None:
    """Which of several is asked first is not known; nor what is left to a pod as a whole."""
    told = ("the defaults of LimitRange shop/limits-0 are not modelled",)
    asked, doubts = _given("{name: app, image: a}", "{cpu: 1}", "{cpu: 2}")
    assert asked == {}
    assert doubts[:1] == told
    pod_level = """
          resources: {requests: {memory: 1}}"""
    asked, doubts = _given("{name: app, image: a}", "{cpu: 1}", more=pod_level)
    assert asked == {"memory": 1}
    assert doubts == told
    assert _given("{name: app, image: a}", "{cpu: 1}", "{cpu: 1}") == ({"cpu": 1000}, ())


def test_pods_that_are_given_requests_take_room() -> None:
    """Of two pods that say nothing, one finds a node with 1 CPU, where each is given 600m."""
    web = WEB.replace("selector:", "replicas: 2\n      selector:")
    limits = _limits("{type: Container, defaultRequest: {cpu: 600m}}")
    world = facts(NODE.format(cpu=1), web, limits)
    found = world.standing.whereabouts()
    assert (len(found.pods), len(found.waiting)) == (1, 1)
    assert "too little CPU" in found.waiting[0][2]
