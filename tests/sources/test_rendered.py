"""A live object, written as YAML, is the same object when it is read again."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.model import Span
from auditor.sources.rendered import Rendered

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(_TEXT, inside, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=150)
@given(st.dictionaries(_TEXT, _VALUE, max_size=4))
def test_nothing_is_lost_or_changed(manifest: dict[str, Any]) -> None:
    """Whatever a manifest holds, the text holds the same."""
    assert yaml.safe_load(Rendered("x", manifest).text) == manifest


@pytest.mark.parametrize(
    "value",
    ["y", "No", "on", "null", "~", "0o14", "1e3", "12:30:45", "2001-01-01", "=", "0x1F", "1_000"],
)
def test_texts_that_look_like_something_else_are_quoted(value: str) -> None:
    """Readers of YAML differ in what they take for a number, a date or a truth."""
    assert Rendered("x", {"a": value}).text == f'a: "{value}"\n'


def test_it_reads_as_people_write_it() -> None:
    """Plain where that is clear, scripts as blocks, keys in the order of the API server."""
    manifest = {"kind": "ConfigMap", "data": {"run.sh": "#!/bin/sh\necho hi\n", "size": "10"}}
    assert Rendered("x", manifest).text == (
        'kind: ConfigMap\ndata:\n  run.sh: |\n    #!/bin/sh\n    echo hi\n  size: "10"\n'
    )


def test_fields_are_found_in_the_text() -> None:
    """A finding on a live object points into its rendering."""
    rendered = Rendered("x", {"kind": "Pod", "spec": {"containers": [{"name": "app"}]}})
    assert rendered.text.splitlines()[3] == "  - name: app"
    assert rendered.span(("spec", "containers", 0, "name")) == Span(4, 11, 4, 14)
