"""What is told at a glance to have the form of its type has no fault at a closer look."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.schema.fit import ANY, Fields, Fit
from auditor.facts.schema.types import Shape, Types, _Reader

SHAPES: dict[str, dict[str, Any]] = {
    "Top": {
        "fields": {
            "name": "string",
            "size": "integer",
            "on": "boolean",
            "port": "integer|string",
            "more": "any",
            "inner": "#Top",
            "listed": "[#Top",
            "words": "[string",
            "labels": "{string",
            "other": "#Other",
        },
        "required": ["name"],
    },
    "Other": {"is": "[integer|string"},
}
TYPES = Types((100, 100), {}, {name: [(100, 100, shape)] for name, shape in SHAPES.items()})


def fields(name: str) -> Fields:
    """As the types say."""
    shape = TYPES.shape(name, 100) or Shape(None, (), ANY)
    return Fields(shape.fields, shape.required, shape.stands_for)


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(0, 3), st.sampled_from([1.0, 1.5]), st.just("a")
)
keys = st.sampled_from([*SHAPES["Top"]["fields"], "name", "name", "unknown", 7])
values = st.recursive(
    scalars,
    lambda inside: st.one_of(st.lists(inside, max_size=3), st.dictionaries(keys, inside)),
    max_leaves=12,
)


def closer(value: Any) -> list[Any]:
    """What a reader finds."""
    reader = _Reader(TYPES, 100)
    reader.read("#Top", value, ())
    return reader.found


@settings(max_examples=600, database=None, deadline=None)
@given(values)
def test_what_fits_has_no_fault(value: Any) -> None:
    """And what has none fits, but for numbers that are written otherwise."""
    fits = Fit(fields).check("#Top")(value)
    if fits:
        assert not closer(value)
    elif not closer(value):
        assert "1.0" in str(value)


def test_the_form_of_each_field_counts() -> None:
    """One right object, and each of its fields with what does not belong there."""
    right = {
        "name": "a",
        "size": 1,
        "on": True,
        "port": "http",
        "more": {"x": 1},
        "inner": {"name": "b"},
        "listed": [{"name": "c"}],
        "words": ["d"],
        "labels": {"k": "v"},
        "other": [1, "e"],
    }
    check = Fit(fields).check("#Top")
    assert check(right)
    for key in right.keys() - {"more"}:
        assert not check({**right, key: {"wrong": 1.5}}), key
