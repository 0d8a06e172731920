"""Properties of the review parser and of the evaluator, whatever is sent."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import planted, reviews

from .planted import evaluator, with_fault
from .world import pod, review

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
KEYS = st.sampled_from([
    "uid", "kind", "resource", "subResource", "name", "namespace", "operation", "object",
    "oldObject", "dryRun", "options", "userInfo",
])  # fmt: skip
CAREFUL = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@CAREFUL
@given(st.binary(max_size=400))
def test_any_bytes_are_refused_or_answered(data: bytes) -> None:
    """Never a crash."""
    reviews(data)


@CAREFUL
@given(KEYS, JSON)
def test_a_review_with_anything_in_one_field_is_refused_or_answered(key: str, value: Any) -> None:
    """And the answer is to the uid of the review."""
    document = orjson.loads(review(pod()))
    document["request"][key] = value
    reviews(orjson.dumps(document))


@CAREFUL
@given(st.data())
def test_a_review_that_is_cut_or_changed_is_refused_or_answered(data: st.DataObject) -> None:
    """A byte that is another, or all after it gone."""
    body = bytearray(review(pod()))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] = data.draw(st.integers(0, 255))
    reviews(bytes(body))
    reviews(bytes(body[:at]))


@CAREFUL
@given(JSON)
def test_a_planted_fault_is_always_denied(noise: Any) -> None:
    """No noise around it hides it; and nothing that makes the object impossible to judge."""
    planted(orjson.dumps(noise))


def test_the_same_without_the_fault_is_allowed() -> None:
    """So that the property before says something."""
    body = with_fault(None)
    allowed = body.replace(b'"privileged":true', b'"privileged":false')
    assert body != allowed
    assert orjson.loads(evaluator().answer(allowed)[1])["response"]["allowed"] is True
