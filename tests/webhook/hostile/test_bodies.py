"""Bodies: too large, too deep, not quite JSON."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest

from auditor.webhook.review import MAX_BYTES, MAX_DEPTH
from tests.webhook.conftest import Running
from tests.webhook.world import pod, privileged, request, review

UID = "705ab4f5-6393-11e8-b7cc-42010a800002"
LONG = "/validate?timeout=29s"


def said(running: Running, body: bytes, path: str = LONG) -> dict[str, Any]:
    """The response to a review that gets one."""
    answer = running.ask(body, path=path)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = orjson.loads(answer.body)["response"]
    assert found["uid"] == UID
    return found


def test_large_bodies_at_once_do_not_keep_small_ones_out(running: Running) -> None:
    """Six bodies of nearly 7 MiB each are more than there is room for at once. They wait for each
    other; what is small is judged in between, and rightly.
    """
    padding = {"padding": "x" * (MAX_BYTES - 20_000)}
    large = privileged()
    large["metadata"]["annotations"] = padding
    with ThreadPoolExecutor(8) as threads:
        big = [threads.submit(said, running, review(large)) for _ in range(6)]
        bob = {"username": "bob"}
        small = [threads.submit(said, running, review(pod(), userInfo=bob)) for _ in range(4)]
        assert [each.result() for each in small if not each.result()["allowed"]] == []
        assert not any(each.result()["allowed"] for each in big)


def nested(levels: int, opening: str, closing: str) -> bytes:
    """A pod with something as deep as that in it."""
    inside = (opening * levels + "1" + closing * levels).encode()
    return review(pod(command="DEEP")).replace(b'"DEEP"', inside)


@pytest.mark.parametrize("levels", [MAX_DEPTH, 300, 1_100, 12_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_too_many_levels_are_denied(
    running: Running, levels: int, opening: str, closing: str
) -> None:
    """Whatever the depth at which a parser, an engine or Python gives up."""
    answer = said(running, nested(levels, opening, closing))
    assert (answer["allowed"], answer["status"]["code"]) == (False, 422)


NOT_STRICT = {
    "NaN": review(pod(x="VALUE")).replace(b'"VALUE"', b"NaN"),
    "Infinity": review(pod(x="VALUE")).replace(b'"VALUE"', b"Infinity"),
    "a lone surrogate": review(pod(x="VALUE")).replace(b"VALUE", b"\\ud800"),
    "a byte order mark": b"\xef\xbb\xbf" + review(pod()),
    "UTF-16": review(pod()).decode().encode("utf-16"),
    "bytes that are no text": review(pod(x="VALUE")).replace(b"VALUE", b"\xc3\x28"),
    "a comment": review(pod()) + b"// all is well",
    "two documents": review(pod()) * 2,
    "half of one": review(pod())[:-40],
    "a comma too many": review(pod())[:-1] + b",}",
    "NUL in a text": review(pod(x="VALUE")).replace(b"VALUE", b"\x00"),
}


@pytest.mark.parametrize("body", NOT_STRICT.values(), ids=NOT_STRICT.keys())
def test_json_that_is_not_strict_is_a_bad_request(running: Running, body: bytes) -> None:
    """The API server never writes it; two parsers might read two things out of it."""
    assert running.ask(body).status == 400


def test_of_keys_twice_the_last_counts(running: Running) -> None:
    """As for the API server, which would have kept the same one."""
    twice = b'"securityContext":{"privileged":false},"securityContext":{"privileged":true}'
    one = b'"securityContext":{"privileged":true}'
    body = review(privileged())
    assert one in body
    assert not said(running, body.replace(one, twice))["allowed"]


def test_large_numbers_harm_nobody(running: Running) -> None:
    """Thirty digits are a number, five thousand are still judged or refused, never a crash."""
    for digits in (30, 5_000):
        body = review(pod(x="NUMBER")).replace(b'"NUMBER"', b"9" * digits)
        assert running.ask(body).status in {200, 400}
    assert said(running, review(pod()))["allowed"]


@pytest.mark.parametrize("uid", [None, 5, "", "x" * 10_000, "a\nb", 'a"b', ["a"], {}])
def test_without_a_proper_uid_there_is_no_answer(running: Running, uid: Any) -> None:
    """Nobody could be answered, so the call fails; and nothing of it is sent back."""
    answer = running.ask(review(pod(), uid=uid))
    assert answer.status == 400
    assert len(answer.body) < 500


@pytest.mark.parametrize("wrong", [None, [], "x", 5, {}, {"uid": UID}])
def test_a_request_that_is_none_is_a_bad_request(running: Running, wrong: Any) -> None:
    """Also where the envelope is right."""
    envelope = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": wrong}
    assert running.ask(orjson.dumps(envelope)).status == 400
    other = {**envelope, "kind": "SubjectAccessReview", "request": request(pod())}
    assert running.ask(orjson.dumps(other)).status == 400
