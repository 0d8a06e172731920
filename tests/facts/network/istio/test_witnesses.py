"""The requests that stand for all others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts.network.istio.automata import Automaton, paths, texts, vector
from auditor.facts.network.istio.matching import (
    Normalization,
    Pattern,
    normalized,
    path_pattern,
    string_pattern,
)
from tests.facts.network.istio.meshes import Small, small

MONITOR = "monitoring/prometheus"


def _admitted(mesh: Small, **apart: tuple[str, ...]) -> list[str]:
    """What gets through, as people say it."""
    found = mesh.mesh.requests(mesh.target, 8080, **apart)
    return [
        f"{request.method} {request.path}"
        for request in found
        if mesh.ask(MONITOR, request).verdict == "allowed"
    ]


def _spec(*values: str, field: str = "paths") -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{{rules: [{{to: [{{operation: {{{field}: [{listed}]}}}}]}}]}}"


@pytest.mark.parametrize(
    ("written", "admitted"),
    [
        (("/healthz",), ["GET /healthz"]),
        (("*",), ["GET /export"]),
        (("/healthz", "/healthz*"), ["GET /healthz", "GET /healthz/"]),
        (("*/healthz", "/healthz"), ["GET /healthz", "GET //healthz"]),
        (("/a/{*}", "/a/{**}"), ["GET /a/x", "GET /a/x/"]),
    ],
)
def test_one_request_for_each_set_of_paths(written: tuple[str, ...], admitted: list[str]) -> None:
    """Natural ones first."""
    assert _admitted(small(_spec(*written))) == admitted


def test_what_the_caller_tells_apart_is_told_apart() -> None:
    """Here: the health API from all else that a prefix admits."""
    mesh = small(_spec("/healthz*"))
    assert _admitted(mesh) == ["GET /healthz"]
    assert _admitted(mesh, paths=("/healthz",), methods=("GET",)) == [
        "GET /healthz", "GET /healthz/", "POST /healthz", "POST /healthz/",
    ]  # fmt: skip


def test_a_policy_path_that_nothing_is_has_no_request() -> None:
    """One that is not normalised is never what is compared."""
    assert _admitted(small(_spec("/a/../healthz", "/healthz?x", "/%68ealthz", "healthz"))) == []


def test_hosts_headers_and_addresses() -> None:
    """Each has a request for every outcome; also that of two header lines together."""
    mesh = small(
        """
        rules:
        - to: [{operation: {hosts: [example.com, 'example.com:*']}}]
        - when: [{key: 'request.headers[x-token]', values: [one]}]
        - when: [{key: 'request.headers[x-token]', values: [two]}]
        - from: [{source: {remoteIpBlocks: [10.0.0.0/8]}}]
        """
    )
    found = mesh.mesh.witnesses(mesh.target, 8080)
    assert found.complete
    tokens = {tuple(v for n, v in r.headers if n == "x-token") for r in found.requests}
    assert {(), ("one",), ("two",), ("x",)} < tokens
    assert any(set(values) == {"one", "two"} for values in tokens)
    assert {"example.com", "example.com:8080"} <= {request.host for request in found.requests}
    forwarded = {v for r in found.requests for n, v in r.headers if n == "x-forwarded-for"}
    assert "10.0.0.0" in forwarded


def test_what_is_no_http_is_a_request_too() -> None:
    """On a port that may take it."""
    mesh = small(_spec("/a"))
    kinds = {p: [r.method for r in mesh.mesh.requests(mesh.target, p)] for p in (8080, 5432, 7000)}
    assert kinds == {8080: ["GET", "GET"], 5432: [None], 7000: ["GET", "GET", None]}


def test_a_bound_that_is_hit_is_said() -> None:
    """Hundreds of paths, each a set of its own, are not all looked at."""
    mesh = small(_spec(*(f"/path/{number}" for number in range(400))))
    found = mesh.mesh.witnesses(mesh.target, 8080)
    assert not found.complete
    assert len(found.requests) <= 4096


chars = "/ab%2F.?{*}"
values = st.sampled_from(
    ("/a", "/a*", "*/b", "*", "/a/{*}", "/a/{**}", "/a%2F", "/a%", "/{**}/b", "/a.b", "/..a", "**")
)
patterns = st.lists(values, min_size=1, max_size=4, unique=True)


@given(patterns, st.text(alphabet="/ab%2F.?x[", max_size=10), st.sampled_from(list(Normalization)))
def test_no_outcome_of_a_path_is_missing(written: list[str], text: str, how: Normalization) -> None:
    """Whatever is sent, what the policies learn of it some witness shows them too."""
    found = paths([path_pattern(value) for value in written], (), (), how, limit=10_000)
    assert found.complete
    for seen in normalized(f"/{text}", how):
        if seen is not None:
            outcome = vector([path_pattern(value) for value in written], seen.partition("?")[0])
            assert outcome in found.found


@given(patterns, st.sampled_from(list(Normalization)))
def test_every_witness_shows_what_it_is_for(written: list[str], how: Normalization) -> None:
    """It is sent as it is seen, and matches what it stands for."""
    wanted = [path_pattern(value) for value in written]
    for outcome, text in paths(wanted, (), (), how, limit=10_000).found.items():
        assert normalized(text, how) == (text,)
        assert vector(wanted, text.partition("?")[0]) == outcome


@given(values, st.text(alphabet=chars, max_size=8))
def test_an_automaton_is_its_pattern(value: str, text: str) -> None:
    """Read one character at a time, a pattern matches what it matches."""
    pattern: Pattern = path_pattern(value)
    machine = Automaton(pattern)
    state = machine.start
    for char in text:
        state = machine.step(state, char)
    assert machine.accepts(state) == pattern.matches(text)


@given(st.lists(st.text(alphabet="aA *", min_size=1, max_size=3), max_size=3), st.text("aA x"))
def test_no_outcome_of_a_value_is_missing(written: list[str], text: str) -> None:
    """The same of hosts and headers, in which case counts or not."""
    wanted = [string_pattern(value) for value in written]
    folded = [Pattern(p.kind, p.text.lower()) for p in wanted]
    found = texts(wanted, folded, (), lambda char: " " <= char <= "~", limit=10_000)
    clean = text.strip()
    assert (*vector(wanted, clean), *vector(folded, clean.lower())) in found.found
