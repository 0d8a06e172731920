"""Texts, templates, paths and addresses, as Istio and Envoy compare them."""

from __future__ import annotations

import re
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts.network.istio.matching import (
    Normalization,
    UnloadableError,
    namespace_matches,
    network,
    normalized,
    path_pattern,
    string_pattern,
    trust_domain_matches,
    within,
)
from auditor.facts.selectors import Truth

BASE, MERGE = Normalization.BASE, Normalization.MERGE_SLASHES
DECODE = Normalization.DECODE_AND_MERGE_SLASHES


@pytest.mark.parametrize(
    ("value", "yes", "no"),
    [
        ("/a", ("/a",), ("/a/", "/A", "/ab")),
        ("/a*", ("/a", "/ab", "/a/b"), ("/b",)),
        ("*/a", ("/a", "/x/a"), ("/a/",)),
        ("*", ("x", "/"), ("",)),
        ("/a*b", ("/a*b",), ("/axb",)),
        ("**", ("x*",), ("x",)),
        ("", ("",), ("x",)),
    ],
)
def test_a_star_counts_at_one_end(value: str, yes: tuple[str, ...], no: tuple[str, ...]) -> None:
    """In the middle it is a star."""
    pattern = string_pattern(value)
    assert [pattern.matches(text) for text in yes] == [True] * len(yes)
    assert [pattern.matches(text) for text in no] == [False] * len(no)


@pytest.mark.parametrize(
    ("value", "yes", "no"),
    [
        ("/foo/{*}", ("/foo/x", "/foo/a%2Fb", "/foo/x;v=1"), ("/foo", "/foo/", "/foo/x/y")),
        ("/foo/{**}", ("/foo/", "/foo/x/y"), ("/foo", "/foo/[x]")),
        ("/foo/{**}/bar", ("/foo//bar", "/foo/x/y/bar"), ("/foo/bar", "/foo/x/bar/")),
        ("/{**}/bar", ("//bar", "/x/bar"), ("/bar",)),
        ("/foo/{*}/", ("/foo/x/",), ("/foo/x",)),
        ("/{*}/{*}", ("/a/b",), ("/a", "/a/b/c")),
        ("/foo/x{*}", ("/foo/", "/foo/xx"), ("/foo/xy",)),
        ("/foo/{*}.json", ("/foo/x.json",), ("/foo/.json", "/foo/x/y.json")),
    ],
)
def test_templates(value: str, yes: tuple[str, ...], no: tuple[str, ...]) -> None:
    """One segment, any number of them, and what Envoy makes of an operator inside a segment."""
    pattern = path_pattern(value)
    assert [text for text in yes if not pattern.matches(text)] == []
    assert [text for text in no if pattern.matches(text)] == []


@pytest.mark.parametrize(
    "value",
    ["foo/{*}", "/foo/{**}/{**}", "/{**}/{*}", "/a b/{*}", "/{*}x/y", "/a//{*}", "/[x]/{*}"],
)
def test_templates_that_envoy_cannot_load(value: str) -> None:
    """Some of them pass every check before."""
    with pytest.raises(UnloadableError):
        path_pattern(value)


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("/a/../b", "/b"),
        ("/../b", "/b"),
        ("/a//../b", "/a/b"),
        ("/a/.", "/a/"),
        ("/a/..", "/"),
        ("/%2e%2E/b", "/b"),
        ("/%68ealthz", "/healthz"),
        ("/a%2Fb%5C", "/a%2Fb%5C"),
        ("/a\\..\\b", "/b"),
        ("/a?x=/../y#z", "/a?x=/../y"),
        ("/a#b?c", "/a"),
        ('/x"|y', "/x%22%7Cy"),
        ("/.hidden/..x", "/.hidden/..x"),
        ("/50%", "/50%"),
        ("/%%41", "/%A"),
        ("/%%330", "/%2530"),
        ("/%0%30", "/%2500"),
        ("/customers/..;/healthz", "/healthz"),
    ],
)
def test_a_path_before_it_is_compared(sent: str, seen: str) -> None:
    """Without anything set: dots are resolved, needless escapes undone, slashes kept."""
    assert normalized(sent, BASE) == (seen,)


def test_settings_of_the_mesh_change_what_is_compared() -> None:
    """Slashes may be merged, and first decoded; or nothing is done but to drop the fragment."""
    assert normalized("//a//b", MERGE) == ("/a/b",)
    assert normalized("/a%2f%5C..%2fb", MERGE) == ("/a%2f%5C..%2fb",)
    assert normalized("/a/%2f..%2fb", DECODE) == ("/a/b",)
    assert normalized("/a/../%2e#x", Normalization.NONE) == ("/a/../%2e",)


def test_what_envoy_refuses_and_what_it_may_do() -> None:
    """A NUL is refused; of dots with parameters both readings are kept."""
    assert normalized("/a%00", BASE) == (None,)
    assert normalized("/a/..;x=1/b", BASE) == ("/a/..;x=1/b", "/b")


@given(st.text(alphabet="/.%2eEfF5cC;x\\?#0", max_size=12))
def test_what_is_normalised_stays_so(path: str) -> None:
    """A path that was normalised once is not changed again."""
    for how in Normalization:
        for seen in normalized(f"/{path}", how):
            if seen is not None and len(normalized(seen, how)) == 1:
                assert normalized(seen, how) == (seen,)


def test_namespaces_may_have_stars_anywhere() -> None:
    """They are looked for in the whole identity."""
    identity = "spiffe://td/ns/monitoring/sa/prometheus"
    assert namespace_matches("m*g", identity)
    assert namespace_matches("*", identity)
    assert not namespace_matches("m*x", identity)
    assert not namespace_matches("monitor", identity)
    assert not namespace_matches("", identity)


def test_trust_domains_may_have_stars_within() -> None:
    """A star does not reach beyond the trust domain."""
    identity = "spiffe://cluster.local/ns/a/sa/b"
    assert trust_domain_matches("c*l", identity)
    assert trust_domain_matches("cluster.local", identity)
    assert not trust_domain_matches("c*a", identity)
    assert not trust_domain_matches("cluster", identity)


@given(st.text(alphabet="ab*/", max_size=40), st.text(alphabet="ab/", max_size=60))
def test_a_pattern_of_many_stars_is_quick(value: str, text: str) -> None:
    """Whatever somebody writes."""
    assert namespace_matches(value, f"spiffe://td/ns/{text}/sa/x") in (True, False)


def test_addresses() -> None:
    """Host bits are left aside; what Go does not read is nothing."""
    assert str(network("10.20.1.77/24")) == "10.20.1.0/24"
    assert str(network("::1")) == "::1/128"
    for value in ("300.1.1.1", "10.0.0.0/255.0.0.0", "10.0.0.0/33", "fe80::1%eth0", "", "x"):
        assert network(value) is None
    inside, outside = ip_address("10.20.1.1"), ip_address("10.20.2.1")
    block, everything = network("10.20.1.0/24"), network("0.0.0.0/0")
    assert block
    assert everything
    assert within(block, (inside,)) is Truth.YES
    assert within(block, (outside,)) is Truth.NO
    assert within(block, (inside, outside)) is Truth.MAYBE
    assert within(block, None) is Truth.MAYBE
    assert within(everything, (ip_address("::1"),)) is Truth.NO


def _one_by_one(path: str) -> str | None:
    """The same as `normalized` without settings, one character at a time and backwards where dots
    say so: the other way to write it.
    """
    out, at, bare = "", 0, -9
    while at < len(path):
        dots, ahead = _dots(path, at)
        if dots and out.endswith("/") and (ahead == len(path) or path[ahead] in "/\\"):
            if dots == 2 and out != "/":
                out = out[: out.rindex("/", 0, -1) + 1]
            at = ahead + 1
        elif escape := re.match("%([0-9a-fA-F]{2})", path[at:]):
            char = chr(int(escape[1], 16))
            if char == "\0":
                return None
            kept = not re.match(r"[A-Za-z0-9._~-]", char)
            out, at = out + (escape[0] if kept else char), at + 3
            if not kept and len(out) - bare <= 3:
                tail = out[bare:] + (path[at : at + 1] if len(out) - bare == 2 else "")
                if re.fullmatch("%[0-9a-fA-F]{2}", tail):
                    out = f"{out[:bare]}%25{out[bare + 1 :]}"
        else:
            char = path[at]
            bare = len(out) if char == "%" else bare
            out += {"\\": "/"}.get(char, f"%{ord(char):02X}" if char in ' "<>^`{|}' else char)
            at += 1
    return out


def _dots(path: str, at: int) -> tuple[int, int]:
    """How many dots begin here, two at most, and where they end."""
    found = re.match(r"(?:\.|%2[eE])(\.|%2[eE])?", path[at:])
    return (0, at) if not found else (2 if found[1] else 1, at + found.end())


@given(st.lists(st.sampled_from("/.%2eE0034158\\aZ|x"), max_size=14).map("".join))
def test_a_path_is_what_the_other_way_makes_of_it(path: str) -> None:
    """Segment by segment or one character at a time."""
    assert normalized(f"/{path}", BASE) == (_one_by_one(f"/{path}"),)
