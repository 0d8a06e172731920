"""What a proxy makes of the target of a request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts.network.ways.targets import host_of, normalised, read_target


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("/foo/./bar", "/foo/bar"),
        ("/foo/../bar", "/bar"),
        ("/../../foo", "/foo"),
        ("/foo/..", "/"),
        ("/foo/.", "/foo/"),
        ("//foo//bar/", "//foo//bar/"),
        ("/%66oo/%2e%2E/x", "/x"),
        ("/foo%2Fbar%5C", "/foo%2Fbar%5C"),
        ("/foo/..%2fbar", "/foo/..%2fbar"),
        ("/foo\\..\\bar", "/bar"),
        ("/foo/..;a=b/bar", "/bar"),
        ("/foo;x", "/foo;x"),
        ("/a%zz", "/a%zz"),
    ],
)
def test_paths(written: str, path: str) -> None:
    """Dots are resolved, unreserved characters decoded, slashes left alone."""
    assert normalised(written) == path


@given(st.text("/.a%2eE;\\", max_size=12))
def test_a_path_is_normal_once_and_for_all(text: str) -> None:
    """A second time changes nothing, unless an escape was hidden in another one."""
    once = normalised("/" + text)
    assert once.startswith("/")
    if "%" not in once:
        assert normalised(once) == once


def test_targets() -> None:
    """The query and the fragment are no part of the path; a target may name the host."""
    found = read_target("/x?q=1&q=2&flag#f?z")
    assert found
    assert (found.path, found.query, found.host) == (
        "/x",
        (("q", "1"), ("q", "2"), ("flag", "")),
        None,
    )
    absolute = read_target("http://a.example:8080/x")
    assert absolute
    assert (absolute.path, absolute.host) == ("/x", "a.example:8080")
    assert read_target("*") is None
    assert read_target("") is None


def test_hosts() -> None:
    """Without the port; with the dot at the end."""
    assert host_of("A.Example:80") == "a.example"
    assert host_of("a.example.") == "a.example."
