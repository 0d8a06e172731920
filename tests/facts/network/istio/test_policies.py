"""AuthorizationPolicy as written, and who would refuse it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts.network import InvalidPolicy, Verdict
from auditor.facts.network.istio.admission import read_policy
from auditor.facts.network.istio.peer_authentication import parse_peer_authentication
from auditor.facts.network.istio.policies import Clause
from auditor.model import Resource
from tests.facts.network.istio.meshes import OUTSIDE, get, peer, policy, small


def test_what_is_written_is_readable() -> None:
    """Each field stands beside its opposite, with the place where it is written."""
    found = read_policy(
        policy(
            """
            action: DENY
            selector: {matchLabels: {app: customers}}
            rules:
            - from: [{source: {namespaces: [shop], notPrincipals: ["*"]}}]
              to: [{operation: {paths: [/a], notPaths: [/b]}}]
              when: [{key: "request.headers[x]", notValues: [y]}]
            """
        )
    )
    rule = found.rules[0]
    source, operation = ("spec", "rules", 0, "from", 0, "source"), ("spec", "rules", 0, "to", 0)
    assert (found.action, found.labels, found.refusals) == ("DENY", {"app": "customers"}, ())
    assert rule.sources == (
        (Clause("principals", source, (), ("*",)), Clause("namespaces", source, ("shop",))),
    )
    assert rule.operations == ((Clause("paths", (*operation, "operation"), ("/a",), ("/b",)),),)
    assert rule.conditions == (
        Clause("request.headers[x]", ("spec", "rules", 0, "when", 0), (), ("y",)),
    )
    assert [clause.field for clause in rule.clauses] == [
        "principals", "namespaces", "paths", "request.headers[x]",
    ]  # fmt: skip


def _rules(**rule: Any) -> dict[str, Any]:
    return {"rules": [rule]}


def _source(**fields: Any) -> dict[str, Any]:
    return _rules(**{"from": [{"source": fields}]})


def _operation(**fields: Any) -> dict[str, Any]:
    return _rules(to=[{"operation": fields}])


def _when(key: str, **fields: Any) -> dict[str, Any]:
    return _rules(when=[{"key": key, **fields}])


REFUSED: list[tuple[str, dict[str, Any], tuple[str | int, ...]]] = [
    ("crd", {"action": "deny"}, ("spec", "action")),
    ("crd", {"rules": 3}, ("spec", "rules")),
    ("crd", {"rules": [None]}, ("spec", "rules", 0)),
    ("crd", {"rules": None}, ("spec", "rules")),
    (
        "crd",
        {"selector": {"matchLabels": {"app": "x*"}}},
        ("spec", "selector", "matchLabels", "app"),
    ),
    ("crd", _operation(ports=[80]), ("spec", "rules", 0, "to", 0, "operation", "ports", 0)),
    (
        "crd",
        _source(namespaces=["a"], serviceAccounts=["b"]),
        ("spec", "rules", 0, "from", 0, "source"),
    ),
    ("webhook", {"action": "DENY"}, ("spec",)),
    ("webhook", {"provider": {"name": "x"}}, ("spec", "provider")),
    ("webhook", _rules(**{"from": [{}]}), ("spec", "rules", 0, "from", 0)),
    ("webhook", _operation(), ("spec", "rules", 0, "to", 0, "operation")),
    (
        "webhook",
        _source(principals=[""]),
        ("spec", "rules", 0, "from", 0, "source", "principals", 0),
    ),
    (
        "webhook",
        _source(notIpBlocks=["x"]),
        ("spec", "rules", 0, "from", 0, "source", "notIpBlocks", 0),
    ),
    (
        "webhook",
        _operation(ports=["8080", "http"]),
        ("spec", "rules", 0, "to", 0, "operation", "ports", 1),
    ),
    (
        "webhook",
        _operation(paths=["/{a}"]),
        ("spec", "rules", 0, "to", 0, "operation", "paths", 0),
    ),
    ("webhook", _when("nothing", values=["x"]), ("spec", "rules", 0, "when", 0, "key")),
    ("webhook", _when("source.ip"), ("spec", "rules", 0, "when", 0)),
    ("webhook", _when("request.headers", values=["x"]), ("spec", "rules", 0, "when", 0, "key")),
    ("envoy", _operation(paths=["foo/{*}"]), ("spec", "rules", 0)),
    ("envoy", _when("request.headers[]", values=["x"]), ("spec", "rules", 0)),
]


@pytest.mark.parametrize(("by", "spec", "path"), REFUSED)
def test_who_refuses_and_where(by: str, spec: dict[str, Any], path: tuple[str | int, ...]) -> None:
    """The first that somebody says is of whom, and where, one expects."""
    found = [r for r in read_policy(policy(spec)).refusals if r.by == by]
    assert [refusal.invalid.path for refusal in found][:1] == [path]


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"rules": []},
        {"rules": [{}]},
        _rules(**{"from": []}),
        _source(trustDomains=["*.local"]),
        _operation(paths=["/a/{*}/b/{**}", "a", "/a*b", "*"]),
        _when("request.auth.claims[a][b]", values=["x"]),
        _when("experimental.envoy.filters.a[b]", notValues=["x"]),
    ],
)
def test_what_nobody_refuses(spec: dict[str, Any]) -> None:
    """Strange as it is."""
    assert read_policy(policy(spec)).refusals == ()


def test_a_mesh_lists_each_refused_policy_once() -> None:
    """With the first reason; policies of both kinds."""
    mesh = small(
        policy({"action": "DENY", "provider": {"name": "x"}}),
        peer({"portLevelMtls": {8080: {"mode": "STRICT"}}}),
    ).mesh
    assert len(mesh.refused) == 3
    assert [str(found.ref) for found in mesh.invalid] == [
        "pii/policy[AuthorizationPolicy]", "pii/peers[PeerAuthentication]",
    ]  # fmt: skip
    assert all(isinstance(found, InvalidPolicy) for found in mesh.invalid)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("a*{}/[].1:-é\x00", max_size=6),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                (
                    "rules", "from", "source", "to", "operation", "when", "key", "values", "paths",
                    "ports", "ipBlocks", "selector", "matchLabels", "mtls", "mode", "portLevelMtls",
                    "8080", "targetRefs", "action", "provider", "name", "namespaces", "principals",
                )
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@given(anything, anything)
def test_whatever_is_written_has_an_answer(one: Any, other: Any) -> None:
    """A wrong type anywhere is a refusal, and never an error."""
    objects = (_saying(policy({}, "pii/b"), one), _saying(peer({}), other))
    mesh = small(policy({"rules": [one]}), *objects, mesh=str(other))
    for request in (get("/a"), get("/[", transport="mtls")):
        assert mesh.ask(OUTSIDE, request).verdict in Verdict
    assert mesh.mesh.requests(mesh.target, 8080)
    assert all(refusal.invalid.why for refusal in mesh.mesh.refused)


@given(anything)
def test_whatever_a_peer_authentication_says(spec: Any) -> None:
    """The same of the other kind."""
    assert parse_peer_authentication(_saying(peer({}), spec)).ref.name == "peers"


def _saying(written: Resource, spec: Any) -> Resource:
    return replace(written, manifest={**written.manifest, "spec": spec})
