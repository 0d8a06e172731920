"""A comment is found where it is one, and said to be about the line that it stands at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.sources.yaml import Document, documents


def comments(text: str) -> list[tuple[str, int, int]]:
    """Text, own line and line that it is about, of every comment of the file."""
    found = []
    for document in documents("a.yaml", text):
        assert isinstance(document, Document)
        found += [(c.text, c.line, c.about) for c in document.comments("#")]
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: 1 # x\n", [("# x", 1, 1)]),
        ("# x\na: 1\n", [("# x", 1, 2)]),
        ("# x\n# y\n\na: 1\n", [("# x", 1, 4), ("# y", 2, 4)]),
        ("a: 1\n---\n# x\nb: 2\n", [("# x", 3, 4)]),
        ("a: 1\n--- # x\nb: 2\n", [("# x", 2, 3)]),
        ("a:\n  # x\n  - b\n", [("# x", 2, 3)]),
        ("a: {b: 1, # x\n  c: 2}\n", [("# x", 1, 1)]),
        ("a: | # x\n  # text\n  more\n# y\nb: 1\n", [("# x", 1, 1), ("# y", 4, 5)]),
        ("a: é # x é\r\nb: 1\r\n", [("# x é", 1, 1)]),
        ("\ufeffa: 1 # x\n", [("# x", 1, 1)]),
        ('a: "# no"\n', []),
        ("a: '# no\n  # no'\n", []),
        ("a: b#no\n", []),
        ("a: >-\n  # no\n", []),
        ("a: b\n  c # x\n", [("# x", 2, 2)]),
        ("a: https://x/#no\n", []),
    ],
)
def test_a_comment_is_found_where_yaml_has_one(
    text: str, found: list[tuple[str, int, int]]
) -> None:
    """YAML 1.2.2, section 6.6: it begins a line or stands behind a blank, outside of all texts."""
    assert comments(text) == found


@given(st.text(st.sampled_from(" #\n\t'\"ab:-"), max_size=20))
def test_no_quoted_text_holds_a_comment(text: str) -> None:
    """Whatever is in it: it is a value."""
    quoted = text.replace("'", "''").replace("\t", " ")
    folded = "\n".join(f"  {line}" if i else line for i, line in enumerate(quoted.split("\n")))
    assert comments(f"a: '{folded}'\n") == []


def test_json_has_no_comments() -> None:
    """A `#` in it is part of a text."""
    assert comments('{"a": "# auditor: waive x: y"}') == []
