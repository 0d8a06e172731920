"""What is a review, what is none, and what must not be opened."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.webhook.review import (
    MAX_BYTES,
    MAX_DEPTH,
    Decision,
    RejectedError,
    UndecidableError,
    decode,
    encode,
    glance,
)

from .world import captures, pod, request, review


def _body(**changes: Any) -> bytes:
    asked = request(pod()) | changes
    return orjson.dumps(
        {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": asked}
    )


def _without(key: str) -> bytes:
    asked = {k: v for k, v in request(pod()).items() if k != key}
    return orjson.dumps(
        {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": asked}
    )


NO_REVIEWS = {
    "empty": b"",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"x"',
    "an empty object": b"{}",
    "request null": b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":null}',
    "another kind": review(pod()).replace(b'"AdmissionReview"', b'"ConversionReview"'),
    "a version of the future": review(pod(), version="v2"),
    "no uid": _without("uid"),
    "uid a number": _body(uid=5),
    "uid empty": _body(uid=""),
    "uid of 10 KB": _body(uid="a" * 10_000),
    "uid with a line break": _body(uid="a\nb"),
    "no operation": _without("operation"),
    "an operation that is none": _body(operation="PATCH"),
    "kind a text": _body(kind="Pod"),
    "namespace a list": _body(namespace=[]),
    "dryRun a text": _body(dryRun="true"),
    "cut off": review(pod())[:-5],
    "a second document": review(pod()) + b"{}",
    "a byte order mark": b"\xef\xbb\xbf" + review(pod()),
    "UTF-16": review(pod()).decode().encode("utf-16"),
    "not a number": review(pod()).replace(b"false", b"NaN"),
    "beyond all numbers": review(pod()).replace(b"false", b"1e400"),
    "half a surrogate": review(pod()).replace(b"alice", b"\\ud800"),
    "an integer of 5000 digits": review(pod()).replace(b"false", b"9" * 5000),
    "broken UTF-8": review(pod()).replace(b"alice", b"\xff\xfe"),
}


@pytest.mark.parametrize("body", NO_REVIEWS.values(), ids=NO_REVIEWS.keys())
def test_what_is_no_review_is_refused_with_400(body: bytes) -> None:
    """Whatever is no AdmissionReview is refused before anything in it is believed."""
    with pytest.raises(RejectedError) as refused:
        decode(body)
    assert refused.value.status == 400


def test_refusals_do_not_repeat_what_was_sent() -> None:
    """The text of a refusal names the field, never its value, which may be secret."""
    with pytest.raises(RejectedError) as refused:
        decode(_body(namespace=["hunter2"]))
    assert "request.namespace" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_body_over_seven_mebibytes_is_too_large() -> None:
    """No API server sends so much: an object has 3 MiB and a review carries two."""
    with pytest.raises(RejectedError) as refused:
        decode(b" " * (MAX_BYTES + 1))
    assert refused.value.status == 413


def test_a_bomb_of_brackets_is_answered_without_opening_it() -> None:
    """A few megabytes of brackets would take a hundred times that as objects."""
    bomb = _body(object=pod() | {"x": [[] for _ in range(300_000)]})
    with pytest.raises(UndecidableError) as undecidable:
        decode(bomb)
    assert undecidable.value.code == 413
    assert glance(bomb) == ("705ab4f5-6393-11e8-b7cc-42010a800002", "admission.k8s.io/v1")


@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 900, 1024, 5000])
def test_an_object_nested_too_deeply_is_undecidable(levels: int) -> None:
    """Recursion must end in a denial that the object earned, not in a failure of ours."""
    nest = b"[" * levels + b"]" * levels
    bomb = review(pod()).replace(b'"example.org/app:1.0"', nest)
    with pytest.raises(UndecidableError):
        decode(bomb)
    assert glance(bomb)


def test_an_object_as_deep_as_allowed_is_read() -> None:
    """The guard leaves room for anything that a built-in kind can hold."""
    value: Any = {}
    for _ in range(MAX_DEPTH - 1):
        value = {"a": value}
    assert decode(_body(object=value)).object == value


def test_namespace_and_name_are_those_of_the_request() -> None:
    """What the object says of its own namespace does not count."""
    asked = decode(review(pod() | {"metadata": {"namespace": "kube-system"}}, name="web"))
    assert (asked.namespace, asked.name) == ("shop", "web")


def test_absent_fields_read_as_empty() -> None:
    """Go leaves out empty fields: a request for a cluster object has no namespace at all."""
    for key in ("namespace", "name", "dryRun", "object", "oldObject"):
        decode(_without(key))


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_the_answer_has_the_version_that_was_asked_with(version: str) -> None:
    """An API server takes no answer in another version, or with another uid."""
    asked = decode(review(pod(), version=version))
    answer = orjson.loads(encode(asked.uid, asked.api_version, Decision(allowed=True)))
    assert answer == {
        "kind": "AdmissionReview",
        "apiVersion": f"admission.k8s.io/{version}",
        "response": {"uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "allowed": True},
    }
    assert glance(review(pod(), version=version)) == (asked.uid, asked.api_version)


def test_a_denial_carries_its_reason() -> None:
    """What kubectl prints is the message of the status."""
    denial = Decision(allowed=False, message="no", warnings=("w",), annotations=(("k", "v"),))
    assert orjson.loads(encode("u", "admission.k8s.io/v1", denial))["response"] == {
        "uid": "u",
        "allowed": False,
        "status": {"status": "Failure", "message": "no", "reason": "Forbidden", "code": 403},
        "warnings": ["w"],
        "auditAnnotations": {"k": "v"},
    }


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(sorted(request(pod()))), _JSON), st.binary(max_size=3))
def test_no_body_breaks_the_reader(changes: dict[str, Any], tail: bytes) -> None:
    """Any value in any field is a review, or refused in words of ours."""
    with contextlib.suppress(RejectedError, UndecidableError):
        assert decode(_body(**changes) + tail).uid


@pytest.mark.conformance
def test_every_recorded_review_is_read() -> None:
    """All that a real API server sent in the life of a namespace is understood."""
    files = captures()
    assert len(files) == 112
    for file in files:
        _check(file)


def _check(file: Path) -> None:
    sent = orjson.loads(file.read_bytes())["body"]
    asked = decode(orjson.dumps(sent))
    known = sent["request"]
    assert asked.uid == known["uid"], file
    assert asked.operation == known["operation"], file
    assert asked.resource == known["resource"]["resource"], file
    assert asked.subresource == known.get("subResource", ""), file
    assert (asked.namespace, asked.name) == (known.get("namespace", ""), known.get("name", ""))
    assert (asked.object, asked.old_object) == (known.get("object"), known.get("oldObject"))
    assert asked.dry_run == known["dryRun"] == ("dry" in file.stem), file
    assert glance(orjson.dumps(sent)) == (asked.uid, "admission.k8s.io/v1"), file
