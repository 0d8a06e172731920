"""What an audit log and access reviews say was asked."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.access.events import items_of, uses_of
from auditor.facts.access.requests import Request, RequestError

GROUPS = frozenset(("ops", "system:authenticated"))
ABOUT = {"resource": "pods", "namespace": "shop", "name": "web", "apiVersion": "v1"}


def _event(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/shop/pods/web",
        "verb": "get",
        "user": {"username": "ann", "groups": sorted(GROUPS)},
        "objectRef": ABOUT,
        "annotations": {"authorization.k8s.io/decision": "allow"},
        **changes,
    }


def _asked(verb: str, **more: Any) -> Request:
    return Request("ann", GROUPS, verb, **more)


def test_a_request_for_an_object() -> None:
    assert uses_of(_event()) == (_asked("get", namespace="shop", resource="pods", name="web"),)


def test_a_path_without_what_is_asked_of_it() -> None:
    event = _event(objectRef=None, requestURI="/metrics?x=y")
    assert uses_of(event) == (_asked("get", path="/metrics"),)


def test_what_was_denied_was_not_used() -> None:
    assert uses_of(_event(annotations={"authorization.k8s.io/decision": "forbid"})) == ()


def test_the_name_of_what_is_created_is_not_known_when_it_is_authorized() -> None:
    """But that of the pod that somebody enters is."""
    created = uses_of(_event(verb="create"))
    assert created == (_asked("create", namespace="shop", resource="pods"),)
    (asked,) = uses_of(_event(verb="create", objectRef={**ABOUT, "subresource": "exec"}))
    assert (asked.combined, asked.name) == ("pods/exec", "web")


def test_a_stream_over_websockets_is_a_create_as_well() -> None:
    entered = _event(objectRef={**ABOUT, "subresource": "exec"})
    assert [each.verb for each in uses_of(entered)] == ["get", "create"]


def test_whoever_acts_as_another_uses_the_right_to() -> None:
    other = {"username": "system:serviceaccount:shop:web", "groups": ["system:serviceaccounts"]}
    request, acting = uses_of(_event(impersonatedUser=other))
    assert request.user == "system:serviceaccount:shop:web"
    assert acting == _asked("impersonate", namespace="shop", resource="serviceaccounts", name="web")
    user = {"username": "bob", "groups": ["devs", "system:authenticated"]}
    acting_as = uses_of(_event(impersonatedUser=user))[1:]
    assert [(each.resource, each.name) for each in acting_as] == [
        ("users", "bob"),
        ("groups", "devs"),
    ]


def test_a_review_as_an_object_and_as_a_line() -> None:
    attributes = {"verb": "get", "resource": "pods", "namespace": "shop", "name": "web"}
    who = {"user": "ann", "groups": sorted(GROUPS)}
    review = {"kind": "SubjectAccessReview", "spec": {**who, "resourceAttributes": attributes}}
    assert uses_of(review) == uses_of({**who, **attributes}) == uses_of(_event())


def _listed(*items: Any) -> dict[str, Any]:
    return {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": list(items)}


def test_a_list_of_events() -> None:
    found = list(items_of(_listed(_event(), _event(verb="delete"))))
    assert [place for place, _ in found] == ["items[0]", "items[1]"]
    assert [use.verb for _, one in found for use in uses_of(one)] == ["get", "delete"]
    assert list(items_of(_event())) == [("", _event())]
    assert list(items_of(_listed())) == []


def test_a_list_inside_of_a_list_is_refused() -> None:
    """However deep."""
    nested = _event()
    for _ in range(2000):
        nested = _listed(nested)
    [(_, inner)] = items_of(nested)
    with pytest.raises(RequestError, match="an EventList holds events"):
        uses_of(inner)


def test_what_was_not_authorized_yet_was_not_used() -> None:
    """A later event tells what came of it; one that ends in a panic was authorized before."""
    assert uses_of(_event(stage="RequestReceived", annotations=None)) == ()
    for stage in ("ResponseStarted", "ResponseComplete", "Panic"):
        assert len(uses_of(_event(stage=stage))) == 1


@pytest.mark.parametrize("path", ["//[", "//x/metrics", "//", "http://[/", "/a#b", "/;x"])
def test_a_path_is_taken_letter_by_letter(path: str) -> None:
    """Whoever is not known may ask for any, and the API server compares letters."""
    assert uses_of(_event(objectRef=None, requestURI=f"{path}?a=?")) == (_asked("get", path=path),)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ([], "has to be a JSON object"),
        (_event(user=None), "user.username: is missing"),
        (_event(verb=None), "verb: is missing"),
        (_event(verb=["get"]), "verb: has to be text"),
        (_event(verb="*"), "verb: '\\*' is no single one"),
        (_event(objectRef={"resource": "*"}), "resource: '\\*' is no single one"),
        (_event(objectRef=None, requestURI="/apis/*"), "path: '/apis/\\*' is no single one"),
        (_event(objectRef=None, requestURI=None), "objectRef.resource: is missing"),
        (_event(kind="Policy"), "kind: 'Policy' is no event"),
        (_event(kind="EventList", items=7), "an EventList holds events, in a list of items"),
        (_event(impersonatedUser={"username": "b", "uid": "1"}), "its uid or extra values"),
    ],
)
def test_what_cannot_be_followed_is_told(document: Any, why: str) -> None:
    with pytest.raises(RequestError, match=why):
        uses_of(document)
