"""What is asked: one request of one subject, in the form of a SubjectAccessReview."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from auditor.manifests import mapping
from auditor.values import dataclass

REVIEWS = ("SubjectAccessReview", "LocalSubjectAccessReview")
RESOURCE_FIELDS = ("namespace", "verb", "group", "resource", "subresource", "name")

FIELDS = ("user", "groups", *RESOURCE_FIELDS, "nonResourceURL")


class RequestError(Exception):
    """A question that is none. Its text says which field and why."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Nothing in it is normalised: the authorizer compares letter by letter."""

    user: str
    groups: frozenset[str]
    """Exactly those that were sent: none is implied."""
    verb: str
    namespace: str = ""
    """Empty for the whole cluster."""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    path: str | None = None
    """Of a request for no resource; None where it is for one."""

    @property
    def combined(self) -> str:
        """``pods/exec``."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    @property
    def kind(self) -> str:
        """What it is for, as kubectl has it: ``deployments.apps/scale``."""
        group = f".{self.group}" if self.group else ""
        return f"{self.resource}{group}" + (f"/{self.subresource}" if self.subresource else "")


def request_of(document: Any) -> Request:
    """The request that one line of a file of queries asks about: in the short form, or a
    SubjectAccessReview of ``authorization.k8s.io``.

    Raises:
        RequestError: it is none.
    """
    if not isinstance(document, Mapping):
        raise RequestError("has to be a JSON object")
    if document.get("kind") in REVIEWS:
        return _reviewed(mapping(document.get("spec")))
    for key in document:
        # Others may be there: recordings keep the answer beside the question.
        if key not in FIELDS and (meant := get_close_matches(key, FIELDS, n=1, cutoff=0.75)):
            raise RequestError(f"{key}: is no field; did you mean '{meant[0]}'?")
    groups = document.get("groups") or []
    if not isinstance(groups, list) or not all(isinstance(each, str) for each in groups):
        raise RequestError("groups: has to be a list of names")
    user, verb = _text(document, "user"), _text(document, "verb", required=True)
    path = document.get("nonResourceURL")
    if path is not None:
        if not isinstance(path, str):
            raise RequestError("nonResourceURL: has to be text")
        if document.get("resource"):
            raise RequestError("resource: is asked for beside nonResourceURL; ask for one")
        return Request(user, frozenset(groups), verb, path=path)
    if "resource" not in document:
        raise RequestError("resource: is missing (or nonResourceURL)")
    fields = {key: _text(document, key) for key in RESOURCE_FIELDS}
    return Request(user, frozenset(groups), **fields)


def _reviewed(spec: Mapping[str, Any]) -> Request:
    who = {"user": spec.get("user"), "groups": spec.get("groups")}
    if "nonResourceAttributes" in spec:
        asked = mapping(spec["nonResourceAttributes"])
        return request_of({**who, "verb": asked.get("verb"), "nonResourceURL": asked.get("path")})
    asked = mapping(spec.get("resourceAttributes"))
    return request_of({**who, **{key: asked[key] for key in RESOURCE_FIELDS if key in asked}})


def _text(document: Mapping[str, Any], key: str, *, required: bool = False) -> str:
    value = document.get(key)
    if value is None and not required:
        return ""
    if not isinstance(value, str):
        raise RequestError(f"{key}: {'is missing' if value is None else 'has to be text'}")
    return value
