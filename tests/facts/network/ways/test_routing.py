"""To which backend a Gateway sends a request."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.network import Request
from auditor.facts.network.ways import Routed, Ways
from auditor.model import Resource, Snapshot
from tests.facts.network.cluster import resource, resources

API = "gateway.networking.k8s.io/v1"


def gateway(*listeners: str, name: str = "infra/edge", of: str = "istio") -> Resource:
    """A Gateway; each listener as YAML, on port 80 for HTTP from all unless it says otherwise."""
    space, _, short = name.rpartition("/")
    plain = {"port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}}
    found = [{"name": f"l{n}", **plain, **yaml.safe_load(text)} for n, text in enumerate(listeners)]
    spec = {"gatewayClassName": of, "listeners": found}
    about = {"name": short, "namespace": space}
    return resource({"apiVersion": API, "kind": "Gateway", "metadata": about, "spec": spec})


def route(spec: str, name: str = "shop/r", kind: str = "HTTPRoute", **about: str) -> Resource:
    """A route at Gateway infra/edge."""
    space, _, short = name.rpartition("/")
    body = {"parentRefs": [{"name": "edge", "namespace": "infra"}], **yaml.safe_load(spec)}
    metadata = {"name": short, "namespace": space, **about}
    return resource({"apiVersion": API, "kind": kind, "metadata": metadata, "spec": body})


def rules(**backends: str) -> str:
    """Rules as YAML: the name of each backend, and its match."""
    told = [
        f"{{matches: [{match}], backendRefs: [{{name: {name}, port: 80}}]}}"
        for name, match in backends.items()
    ]
    return f"rules: [{', '.join(told)}]"


def asked(*objects: Resource, path: str = "/", **fields: Any) -> Routed:
    """What becomes of a GET for a.example."""
    request = {"port": 80, "method": "GET", "path": path, "host": "a.example", **fields}
    ways = Ways(Snapshot(objects))
    (found,) = (each for each in objects if each.ref.kind == "Gateway")
    routed = ways.routed(found.ref, Request(**request))
    assert routed
    return routed


def names(routed: Routed) -> list[str]:
    """Those of the backends."""
    return [each.name for each in routed.backends]


def test_what_matches_more_closely_is_asked_first() -> None:
    """Exact, the longer prefix, a method, more headers, more parameters; then the older route."""
    spec = rules(
        all="{}",
        foo="{path: {value: /foo}}",
        exact="{path: {type: Exact, value: /foo}}",
        post="{path: {value: /foo}, method: POST}",
        header="{path: {value: /foo}, headers: [{name: X, value: '1'}]}",
        query="{path: {value: /foo}, queryParams: [{name: q, value: '1'}]}",
    )
    objects = (gateway("{}"), route(spec))
    assert names(asked(*objects, path="/foo")) == ["exact"]
    assert names(asked(*objects, path="/foo/")) == ["foo"]
    assert names(asked(*objects, path="/foobar")) == ["all"]
    assert names(asked(*objects, path="/foo/x", method="POST")) == ["post"]
    assert names(asked(*objects, path="/foo/x?q=1", headers=(("x", "1"),))) == ["header"]
    assert names(asked(*objects, path="/foo/x?q=1&q=2")) == ["query"]
    assert names(asked(*objects, path="/foo/x?q=2&q=1")) == ["foo"]


def test_the_older_route_is_asked_first() -> None:
    """Then the one that comes first by name."""
    young = route(rules(young="{}"), "shop/a", creationTimestamp="2026-02-01T00:00:00Z")
    old = route(rules(old="{}"), "shop/z", creationTimestamp="2026-01-01T00:00:00Z")
    assert names(asked(gateway("{}"), young, old)) == ["old"]
    assert names(asked(gateway("{}"), route(rules(b="{}"), "shop/b"), young)) == ["young"]


def test_the_host_is_decided_before_the_path() -> None:
    """A route for that very host, without a rule for the path, leaves nothing to the others."""
    own = route("{hostnames: [A.example], " + rules(own="{path: {value: /own}}") + "}", "shop/own")
    rest = route("{hostnames: ['*.example'], " + rules(rest="{}") + "}", "shop/rest")
    found = asked(gateway("{}"), own, rest, path="/x")
    assert (names(found), found.why) == ([], "no rule for host 'a.example' matches")
    assert names(asked(gateway("{}"), own, rest, host="b.example:8080")) == ["rest"]
    assert names(asked(gateway("{}"), own, rest, host="example")) == []
    assert asked(gateway("{}"), own, host=None).why.startswith("the Gateway answers 400")


def test_where_the_specification_says_nothing_the_answer_is_in_doubt() -> None:
    """On the rank of regular expressions; not for Istio, where it is known."""
    spec = rules(
        prefix="{path: {value: /}}", regex="{path: {type: RegularExpression, value: /x.*}}"
    )
    assert asked(gateway("{}"), route(spec), path="/xy").unknown == ()
    other = asked(gateway("{}", of="other"), route(spec), path="/xy")
    assert names(other) == ["prefix"]
    assert other.unknown == ("the rank of regular expressions is up to the controller",)
    assert asked(gateway("{}", of="other"), route(spec), path="/a").unknown == ()


def test_an_expression_that_is_not_read_is_in_doubt() -> None:
    """And is not taken to match."""
    spec = rules(odd="{path: {type: RegularExpression, value: '(?i)/x'}}")
    found = asked(gateway("{}"), route(spec), path="/x")
    assert names(found) == []
    assert "is not read" in found.unknown[0]


def test_listeners_are_kept_apart() -> None:
    """By the specification; Istio merges those of one port."""
    wide, narrow = "{hostname: '*.example'}", "{hostname: a.example}"
    spec = "{parentRefs: [{name: edge, namespace: infra, sectionName: l0}], " + rules(b="{}") + "}"
    found = asked(gateway(wide, narrow, of="other"), route(spec))
    assert names(found) == []
    assert found.unknown == ("a Gateway that does not keep its listeners apart answers otherwise",)
    assert names(asked(gateway(wide, narrow), route(spec))) == ["b"]


def test_who_is_asked_by_weight() -> None:
    """Never those of weight 0, nor mirrors; a rule without others answers 500."""
    spec = """
      rules:
        - matches: [{path: {value: /split}}]
          backendRefs: [{name: a, port: 80, weight: 9}, {name: b, port: 80}, {name: c, weight: 0}]
          filters: [{type: RequestMirror, requestMirror: {backendRef: {name: m, port: 80}}}]
        - matches: [{path: {value: /none}}]
          backendRefs: [{name: c, port: 80, weight: 0}]
        - matches: [{path: {value: /moved}}]
          filters: [{type: RequestRedirect, requestRedirect: {statusCode: 301}}]
        - matches: [{path: {value: /far}}]
          backendRefs: [{name: f, namespace: far, port: 80}]
    """
    objects = (gateway("{}"), route(spec))
    assert names(asked(*objects, path="/split")) == ["a", "b"]
    assert asked(*objects, path="/none").why == (
        "rule 1 of HTTPRoute shop/r has no backend: the Gateway answers 500"
    )
    assert asked(*objects, path="/moved").why == "rule 2 of HTTPRoute shop/r redirects"
    assert "without a ReferenceGrant" in asked(*objects, path="/far").why
    found = asked(*objects, path="/far")
    assert (found.index, found.path) == (3, ("spec", "rules", 3))


def test_calls_of_grpc() -> None:
    """Service and method are the path."""
    spec = """
      rules:
        - {matches: [{method: {service: a.B}}], backendRefs: [{name: service, port: 80}]}
        - {matches: [{method: {service: a.B, method: C}}], backendRefs: [{name: both, port: 80}]}
        - {matches: [{method: {method: D}}], backendRefs: [{name: method, port: 80}]}
    """
    objects = (gateway("{}"), route(spec, kind="GRPCRoute"))
    assert names(asked(*objects, path="/a.B/C", method="POST")) == ["both"]
    assert names(asked(*objects, path="/a.B/X", method="POST")) == ["service"]
    assert names(asked(*objects, path="/x.Y/D", method="POST")) == ["method"]
    assert names(asked(*objects, path="/x.Y/E", method="POST")) == []


METHODS = ("GET", "POST")
PATHS = st.sampled_from(["/", "/a", "/a/", "/a/b", "/ab", "/A"])
HOSTS = st.sampled_from(["a.example", "b.example", "x.a.example", "example"])
PATTERNS = st.sampled_from(["a.example", "*.example", "*.a.example"])
MATCHES = st.fixed_dictionaries(
    {
        "path": st.fixed_dictionaries(
            {"type": st.sampled_from(["Exact", "PathPrefix"]), "value": PATHS}
        )
    },
    optional={
        "method": st.sampled_from(["GET", "POST"]),
        "headers": st.just([{"name": "X", "value": "1"}]),
        "queryParams": st.just([{"name": "q", "value": "1"}]),
    },
)
RULES = st.fixed_dictionaries({"matches": st.lists(MATCHES, min_size=1, max_size=2)})
ROUTES = st.lists(
    st.tuples(st.lists(PATTERNS, max_size=2), st.lists(RULES, max_size=3)), min_size=1, max_size=3
)


def naive(routes: list[Any], request: Request) -> str:
    """The backend by the words of the specification: of all that match, the one that none beats."""
    path, _, query = (request.path or "").partition("?")
    host, found = request.host or "", []
    fits = {
        pattern: 3 if pattern == host else len(pattern) / 100
        for hostnames, _ in routes
        for pattern in hostnames or [""]
        if pattern in ("", host) or (pattern[:1] == "*" and host.endswith(pattern[1:]))
    }
    best = [pattern for pattern in fits if fits[pattern] == max(fits.values())]
    for number, (hostnames, listed) in enumerate(routes):
        for index, rule in enumerate(listed if set(hostnames or [""]) & set(best) else ()):
            for match in rule["matches"]:
                kind, value = match["path"]["type"], match["path"]["value"]
                if kind == "PathPrefix":
                    want = [each for each in value.split("/") if each]
                    met = path.split("/")[1 : len(want) + 1] == want
                else:
                    met = path == value
                met &= match.get("method", request.method) == request.method
                met &= "headers" not in match or ("X", "1") in request.headers
                met &= "queryParams" not in match or "q=1" in query.split("&")
                long = len(value.rstrip("/") or "/") if kind == "PathPrefix" else len(value)
                more = ("method" in match, "headers" in match, "queryParams" in match)
                if met:
                    found.append((kind == "Exact", long, *more, -number, -index))
    return f"b{-max(found)[-2]}-{-max(found)[-1]}" if found else ""


@settings(max_examples=500, deadline=None)
@given(ROUTES, PATHS, HOSTS, st.tuples(st.booleans(), st.booleans()), st.sampled_from(METHODS))
def test_it_is_what_the_specification_says(
    routes: list[Any], path: str, host: str, more: tuple[bool, bool], method: str
) -> None:
    """For any routes and any request."""
    objects = [gateway("{}")]
    for number, (hostnames, listed) in enumerate(routes):
        told = [
            {**rule, "backendRefs": [{"name": f"b{number}-{index}", "port": 80}]}
            for index, rule in enumerate(listed)
        ]
        spec = yaml.safe_dump({"hostnames": hostnames, "rules": told})
        objects.append(route(spec, f"shop/r{number}"))
    request = Request(
        port=80,
        method=method,
        path=path + ("?q=1" if more[0] else ""),
        host=host,
        headers=(("X", "1"),) if more[1] else (),
    )
    found = Ways(Snapshot(tuple(objects))).routed(objects[0].ref, request)
    assert found
    assert "".join(names(found)) == naive(routes, request)


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([None, True, 0, 80, -1, 10**400, 1.5, "", "x", "/", "Exact", "*.example"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["parentRefs", "rules", "matches", "path", "type", "value", "headers", "name",
                 "from", "to", "listeners", "allowedRoutes", "namespaces", "selector",
                 "backendRefs", "port",
                 "hostnames", "filters", "method", "kinds", "group", "kind", "tls", "http", "paths",
                 "backend", "service", "defaultBackend", "externalIPs", "ports", "queryParams",
                 "requestMirror", "backendRef", "weight", "addresses", "infrastructure"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)  # fmt: skip
WRITTEN = st.sampled_from(
    [(API, kind) for kind in ("Gateway", "HTTPRoute", "GRPCRoute", "TCPRoute", "GatewayClass")]
    + [(API, "ReferenceGrant"), ("networking.k8s.io/v1", "Ingress"), ("v1", "Service")]
    + [("v1", "Endpoints"), ("discovery.k8s.io/v1", "EndpointSlice")]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(WRITTEN, JUNK), max_size=4))
def test_of_objects_that_hold_anything(found: list[Any]) -> None:
    """An answer, or a gap; never an error."""
    web = resources(
        """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: web}]}
status: {podIP: 10.0.0.1}
---
apiVersion: v1
kind: Service
metadata: {name: x}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
    )
    from auditor.facts.network import Network
    from auditor.facts.workloads import workloads_of

    odd = [
        resource({"apiVersion": version, "kind": kind, "metadata": {"name": f"x{n}"}, "spec": spec,
                  "endpoints": spec, "subsets": spec})
        for n, ((version, kind), spec) in enumerate(found)
    ]  # fmt: skip
    snapshot = Snapshot((*web, *odd))
    net = Network(snapshot, workloads_of(snapshot))
    for workload in net.workloads:
        for way in net.entrances(workload):
            net.ways.fronts(net.workloads, way)
    for each in odd:
        if each.ref.kind == "Gateway":
            net.ways.routed(each.ref, Request(port=80, path="/", host="x", method="GET"))
