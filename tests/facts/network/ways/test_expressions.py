"""Regular expressions of routes, in linear time."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.network.ways.expressions import UnreadError, full_match

ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "/",
        ".",
        "[ab]",
        "[^a]",
        "[a-c]",
        "\\.",
        "\\d",
        "\\w",
        "\\W",
        "[]a]",
        "[a-]",
        "^",
        "$",
    ]
)
COUNTS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,2}", "{0,}", "*?", "+?"])


@st.composite
def expressions(draw: st.DrawFn, depth: int = 2) -> str:
    """Such as routes hold, with groups within each other."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        grouped = depth and draw(st.booleans())
        atom = f"({draw(expressions(depth - 1))})" if grouped else draw(ATOMS)
        parts.append(atom if atom in "^$" else atom + draw(COUNTS))
    row = "".join(parts)
    return f"{row}|{draw(expressions(depth - 1))}" if depth and draw(st.booleans()) else row


@settings(max_examples=600, deadline=None)
@given(expressions(), st.text("ab/.1-", max_size=6))
def test_it_matches_what_python_matches(expression: str, text: str) -> None:
    """Where both read the same; Python has all of this syntax, and takes its time."""
    assert full_match(expression, text) is bool(re.fullmatch(expression, text))


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=12), st.text(max_size=5))
def test_whatever_is_written_is_read_or_told(expression: str, text: str) -> None:
    """Never another error."""
    try:
        full_match(expression, text)
    except UnreadError:
        return


@pytest.mark.parametrize(
    "expression",
    ["(", ")", "a**", "[a", "a{9999}", "(?i)a", "(?P<n>a)", "\\b", "\\", "*", "[[:alpha:]]",
     "[b-a]", "a{2,1}", "(" * 200 + ")" * 200, "((a{999}){999}){999}"],
)  # fmt: skip
def test_what_is_not_read_is_told(expression: str) -> None:
    """Rather than guessed."""
    with pytest.raises(UnreadError):
        full_match(expression, "a")


def test_no_expression_takes_for_ever() -> None:
    """One for which Python would need longer than the universe is old."""
    before = time.monotonic()
    assert not full_match("(a+)+b|(a|a)*c|(.*)*d", "a" * 2000)
    with pytest.raises(UnreadError, match="too large"):
        full_match("((((){1000}){1000}){1000}){1000}", "a")  # nothing, very often
    assert time.monotonic() - before < 5
