"""A report that is written in pieces is the one that is written at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.reporters.encoded import BATCH, Shared, encoded, in_pieces

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.text(st.characters()),
        st.sampled_from(['"findings": []', '\n  "findings": []', "\ud800", "é"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
)


ITEMS = st.dictionaries(st.text(max_size=8), VALUES, min_size=2, max_size=4)


@given(
    st.dictionaries(st.sampled_from("abc"), VALUES),
    st.lists(ITEMS, max_size=5),
    ITEMS,
    VALUES,
)
def test_whatever_is_in_it(
    before: dict[str, Any], items: list[dict[str, Any]], alike: dict[str, Any], after: Any
) -> None:
    """Texts that no UTF-8 can hold and integers of any size as well; in parts of any size, one of
    which all items share.
    """
    document = {**before, "findings": [], "summary": {"findings": [], "other": after}}
    shared = Shared({f"shared {name}": value for name, value in alike.items()})
    in_parts = [
        ({first: item[first]}, shared, {name: item[name] for name in rest})
        for item in items
        for first, *rest in [list(item)]
    ]
    wholes = [{name: part[name] for part in item for name in part} for item in in_parts]
    written = "".join(in_pieces(document, "findings", lambda: iter(in_parts)))
    assert written == encoded({**document, "findings": wholes})


@pytest.mark.parametrize("count", [0, 1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH])
def test_however_many_there_are(count: int) -> None:
    """No item is lost or cut where one piece ends."""
    items = [{"number": number, "within": [{}]} for number in range(count)]
    written = "".join(in_pieces({"findings": []}, "findings", lambda: ((i,) for i in items)))
    assert json.loads(written) == {"findings": items}
    assert written == encoded({"findings": items})
