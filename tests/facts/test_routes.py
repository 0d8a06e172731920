"""What becomes of the rules of an HTTPRoute at a gateway of Istio."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts import FACTS, Facts
from auditor.model import Settings, Snapshot
from tests.bench import facts, objects

CLASS = """
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: edge}
spec: {controllerName: istio.io/gateway-controller}
---
"""
GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: web}
spec: {gatewayClassName: edge}
---
"""


def route(name: str, *matches: str, hostnames: str = "[]", parent: str = "name: front") -> str:
    """A route of one rule for each match, which is ``KIND VALUE``."""
    rules = [
        f"{{matches: [{{path: {{type: {kind}, value: '{value}'}}}}]}}"
        for kind, value in (match.split(" ") for match in matches)
    ]
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}, namespace: web}}
spec: {{parentRefs: [{{{parent}}}], hostnames: {hostnames}, rules: [{", ".join(rules)}]}}
---
"""


def told(*texts: str, name: str = "shop") -> Any:
    """What is told of the route of this name."""
    world = facts(*texts)
    found = next(r for r in world.snapshot.of_kind("HTTPRoute") if r.ref.name == name)
    return world.about(found, ("routes",)).get("routes")


@pytest.mark.parametrize(
    ("expression", "prefix", "unreached"),
    [
        ("/foo.*", "/", True),
        (".*", "/", True),
        ("/foo/[0-9]+", "/foo", True),
        ("/foo/[0-9]+", "/foo/", True),
        ("^/foo/bar", "/foo", True),
        ("/foo", "/foo", True),
        ("/foobar.*", "/foo", False),
        ("/foo.*", "/foo", False),
        ("/fo*", "/foo", False),
        ("/foo/?", "/foo", False),
        ("/foo/x|/bar", "/foo", False),
        ("/(foo|bar)/x", "/", True),
        ("/bar", "/foo", False),
    ],
)
def test_a_prefix_of_all_that_an_expression_means_comes_before_it(
    expression: str, prefix: str, unreached: bool
) -> None:
    """Of part of it, some requests are left."""
    found = told(
        CLASS, GATEWAY, route("shop", f"RegularExpression {expression}", f"PathPrefix {prefix}")
    )
    assert bool(found["unreached"]) is unreached


def test_only_the_same_hostname_counts() -> None:
    """Under another one, the expression is asked; and under all of its own it must be taken."""
    expression = route("shop", "RegularExpression /x.*", hostnames="[a.example, b.example]")
    other = route("rest", "PathPrefix /", hostnames="[a.example]")
    assert told(CLASS, GATEWAY, expression, other)["unreached"] == []
    both = route("rest", "PathPrefix /", hostnames="[a.example, b.example]")
    assert [each["by"] for each in told(CLASS, GATEWAY, expression, both)["unreached"]] == ["rest"]


def test_a_route_of_another_section_is_elsewhere() -> None:
    """One without a section is at all listeners."""
    expression = route("shop", "RegularExpression /x.*", parent="name: front, sectionName: http")
    other = route("rest", "PathPrefix /", parent="name: front, sectionName: https")
    assert told(CLASS, GATEWAY, expression, other)["unreached"] == []
    assert told(CLASS, GATEWAY, expression, route("rest", "PathPrefix /"))["unreached"] != []


@pytest.mark.parametrize(
    ("texts", "is_told"),
    [
        ((CLASS, GATEWAY), True),
        ((GATEWAY,), False),
        ((GATEWAY.replace("edge", "istio"),), True),
        ((CLASS,), False),
        ((CLASS.replace("istio.io", "other.example"), GATEWAY), False),
        ((CLASS, GATEWAY.replace("gateway.networking.k8s.io", "other.example")), False),
    ],
)
def test_only_gateways_that_are_surely_istios_are_told_of(
    texts: tuple[str, ...], is_told: bool
) -> None:
    """Others sort in their own way."""
    assert bool(told(*texts, route("shop", "PathPrefix /"))) is is_told


def test_a_hostname_cuts_off_what_a_wider_one_would_take() -> None:
    """Unless it has a rule for every path itself."""
    wide = route("rest", "PathPrefix /", hostnames='["*.example"]')
    narrow = route("shop", "PathPrefix /foo", hostnames="[a.example, a.test]")
    cut = told(CLASS, GATEWAY, wide, narrow)["cut"]
    assert cut == [{"index": 0, "hostname": "a.example", "by": "rest"}]
    whole = route("more", "PathPrefix /", hostnames="[a.example]")
    assert told(CLASS, GATEWAY, wide, narrow, whole)["cut"] == []


@pytest.mark.parametrize(
    "spec", ["3", "{parentRefs: 3}", "{parentRefs: [{name: front}], rules: 3}"]
)
def test_what_is_no_route_is_passed_over(spec: str) -> None:
    """As is a match that is none."""
    odd = f"""
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: odd, namespace: web}}
spec: {spec}
---
"""
    mixed = odd.replace(
        spec, "{parentRefs: [{name: front}], hostnames: [3], rules: [3, {matches: [3]}]}"
    )
    for text in (odd, mixed):
        told(CLASS, GATEWAY, text, route("shop", "RegularExpression /x"))
        told(CLASS, GATEWAY, text, name="odd")


@pytest.mark.parametrize("kind", FACTS["routes"].needs)
def test_every_kind_that_it_needs_changes_what_is_told(kind: str) -> None:
    """So that without the list of one of them a policy on it is not asked."""
    text = CLASS + GATEWAY + route("rest", "PathPrefix /") + route("shop", "RegularExpression /x")
    *others, shop = objects(text)
    rest = [other for other in others if other.ref.kind != kind]
    assert rest != others
    seen, blind = (Facts(Snapshot((*each, shop)), Settings()) for each in (others, rest))
    assert seen.about(shop, ("routes",)) != blind.about(shop, ("routes",))


def test_many_routes_of_one_gateway_are_asked_about_in_little_time() -> None:
    """Each is read once, not once for each other one."""
    import time

    many = [route(f"r{n}", "PathPrefix /x", hostnames=f"[h{n}.example]") for n in range(600)]
    world = facts(CLASS + GATEWAY + "".join(many))
    start = time.process_time()
    told = [FACTS["routes"].tell(world, one) for one in world.snapshot.of_kind("HTTPRoute")]
    assert told == [{"unreached": [], "cut": []}] * 600
    assert time.process_time() - start < 4
