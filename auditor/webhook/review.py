"""Reads an AdmissionReview, and writes its answer. Knows the wire format and nothing of audits.

What the API server sends and demands: ``staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook``
of Kubernetes, above all ``request/admissionreview.go``.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from auditor.values import dataclass

MAX_BYTES = 7 * 1024 * 1024
"""An object may have 3 MiB; a review carries two of them. The limit of controller-runtime."""
MAX_TOKENS = 200_000
"""Objects and lists in one body: MAX_BYTES of nothing else would take a hundred times that."""
MAX_DEPTH = 100
"""Levels of an object. Engines stop at 128 levels of their input; no built-in kind has thirty."""
VERSIONS = ("admission.k8s.io/v1", "admission.k8s.io/v1beta1")

_UID = re.compile(rb'"uid"\s*:\s*"([!#-\[\]-~]{1,128})"')
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BRACKET = re.compile(rb"[\[\]{}]")
_HEAD = 1024
"""Bytes within which the API server writes apiVersion and uid."""
_LONG_HEAD = 4096
"""Bytes within which it also writes for whom it asks."""
_USER = re.compile(rb'"userInfo"\s*:\s*\{\s*"username"\s*:\s*"([^"]{0,512})"')
_NAMESPACE = re.compile(rb'"namespace"\s*:\s*"([^"]{0,253})"')


class RejectedError(Exception):
    """A body that is no review: nobody can be answered. Its text says why."""

    def __init__(self, why: str, status: int = 400) -> None:
        super().__init__(why)
        self.status = status
        """The HTTP status to answer with."""


class UndecidableError(Exception):
    """A review whose object makes it impossible to judge. Its text says why.

    Whoever sends the object can choose this, so it must never end in the webhook's failurePolicy.
    """

    def __init__(self, why: str, code: int = 422) -> None:
        super().__init__(why)
        self.code = code
        """The HTTP status that the user is shown."""


@dataclass(frozen=True, slots=True)
class Review:
    """What is asked of us."""

    uid: str
    api_version: str
    operation: str
    """CREATE, UPDATE, DELETE or CONNECT."""
    group: str
    version: str
    kind: str
    resource: str
    """The plural, as ``pods``."""
    subresource: str
    namespace: str
    """That of the request: what the object claims does not count. Empty for cluster objects."""
    name: str
    """Empty where the server is still to generate it."""
    object: Any
    old_object: Any
    dry_run: bool
    orphaning: bool = False
    """Whether a DELETE leaves behind what the object made."""
    user: str = ""
    """Who asks, as the API server authenticated them."""
    resource_group: str = ""
    """The group of the endpoint; that of the kind is another one where the object is an answer to
    it and no state: a Scale, an Eviction."""

    @property
    def what(self) -> str:
        """The endpoint that was called: ``pods/exec``, ``deployments.apps``."""
        known = self.resource_group and not self.subresource
        group = f".{self.resource_group}" if known else ""
        return f"{self.resource}{group}" + (f"/{self.subresource}" if self.subresource else "")


@dataclass(frozen=True, slots=True)
class Decision:
    """What we answer."""

    allowed: bool
    message: str = ""
    code: int = 403
    """The HTTP status that the user is shown; counts only where it is not allowed."""
    warnings: tuple[str, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    """For the audit log of the API server, which puts the webhook's name before each key."""
    patch: tuple[Mapping[str, Any], ...] = ()
    """A JSON Patch (RFC 6902). From a webhook that validates, the server takes none."""
    added: frozenset[str] = frozenset()
    """The fingerprints of the faults that were found, whatever becomes of them."""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")


class _Kind(_Strict):
    group: str = Field(default="", max_length=253)
    version: str = Field(max_length=63)
    kind: str = Field(max_length=253)


class _Resource(_Strict):
    group: str = Field(default="", max_length=253)
    version: str = Field(max_length=63)
    resource: str = Field(max_length=253)


class _User(_Strict):
    username: str = Field(default="", max_length=1024)


class _Request(_Strict):
    uid: str = Field(pattern=r"^[!#-\[\]-~]{1,128}$")
    kind: _Kind
    resource: _Resource
    sub_resource: str = Field(default="", alias="subResource", max_length=63)
    name: str = Field(default="", max_length=253)
    namespace: str = Field(default="", max_length=253)
    operation: Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]
    object: Any = None
    old_object: Any = Field(default=None, alias="oldObject")
    dry_run: bool | None = Field(default=None, alias="dryRun")
    options: Any = None
    user_info: _User = Field(default=_User(), alias="userInfo")


class _Envelope(_Strict):
    api_version: Literal["admission.k8s.io/v1", "admission.k8s.io/v1beta1"] = Field(
        alias="apiVersion"
    )
    kind: Literal["AdmissionReview"]
    request: _Request


def decode(body: bytes) -> Review:
    """The review in `body`.

    Raises:
        RejectedError: it is none (HTTP 400), or too large to be one (413).
        UndecidableError: it is one, but built so that judging it would exhaust us.
    """
    if not body:
        raise RejectedError("the body is empty")
    if len(body) > MAX_BYTES:
        raise RejectedError(f"the body has more than {MAX_BYTES} bytes", 413)
    if body.count(b"{") + body.count(b"[") > MAX_TOKENS:
        raise UndecidableError(f"more than {MAX_TOKENS} objects and lists in one request", 413)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if _levels(body) > MAX_DEPTH:  # the parser gives up at 1024 levels
            raise UndecidableError(f"nested more than {MAX_DEPTH} levels deep") from error
        raise RejectedError(f"the body is no JSON: {error.msg}") from error
    try:
        envelope = _Envelope.model_validate(document)
    except ValidationError as error:
        raise RejectedError(f"the body is no AdmissionReview: {_first(error)}") from error
    return _review(envelope.api_version, envelope.request)


def _first(error: ValidationError) -> str:
    """The first complaint, without the value that it is about: values may be secret."""
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'body'}: {first['msg']}"


def _review(api_version: str, request: _Request) -> Review:
    for value in (request.object, request.old_object):
        if _deeper_than(MAX_DEPTH, value):
            raise UndecidableError(f"nested more than {MAX_DEPTH} levels deep")
    return Review(
        uid=request.uid,
        api_version=api_version,
        operation=request.operation,
        group=request.kind.group,
        version=request.kind.version,
        kind=request.kind.kind,
        resource=request.resource.resource,
        subresource=request.sub_resource,
        namespace=request.namespace,
        name=request.name,
        object=request.object,
        old_object=request.old_object,
        dry_run=request.dry_run is True,
        orphaning=_orphaning(request.options),
        user=request.user_info.username,
        resource_group=request.resource.group,
    )


def _orphaning(options: Any) -> bool:
    """Whether DeleteOptions ask for it, in the way of today or in that of before 1.7."""
    if not isinstance(options, dict):
        return False
    policy = options.get("propagationPolicy")
    return policy == "Orphan" or (policy is None and options.get("orphanDependents") is True)


def _levels(body: bytes) -> int:
    """How many objects and lists stand inside each other in a text that is about JSON."""
    depth = most = 0
    for mark in _BRACKET.findall(_TEXT.sub(b"", body)):
        depth += 1 if mark in b"[{" else -1
        most = max(most, depth)
    return most


def _deeper_than(limit: int, value: Any) -> bool:
    """Whether there are more than `limit` levels of mappings and lists."""
    level = [value]
    for _ in range(limit + 1):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: Any) -> Iterable[Any]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [child for child in inside if isinstance(child, (dict, list))]


def glance(body: bytes) -> tuple[str, str] | None:
    """The uid and apiVersion of a review that cannot be decoded, as far as its head shows them."""
    head = body[:_HEAD]
    uid = _UID.search(head)
    if not uid or b"AdmissionReview" not in head:
        return None
    return uid[1].decode("ascii"), VERSIONS[VERSIONS[1].encode() in head]


def requester(body: bytes) -> bytes:
    """Who asks, and for which namespace, as far as the head of a review shows it; empty where it
    does not. Nothing that a user can write stands before it but names, whose quotation marks are
    escaped; what comes after it may say anything.
    """
    user = _USER.search(body, 0, _LONG_HEAD)
    if user is None:
        return b""
    namespace = _NAMESPACE.search(body, 0, user.start())
    return user[1] + b" in " + (namespace[1] if namespace else b"")


def encode(uid: str, api_version: str, decision: Decision) -> bytes:
    """The answer to the review of that uid, in the version that was asked with."""
    response: dict[str, Any] = {"uid": uid, "allowed": decision.allowed}
    if not decision.allowed:
        response["status"] = _status(decision)
    if decision.warnings:
        response["warnings"] = decision.warnings
    if decision.annotations:
        response["auditAnnotations"] = dict(decision.annotations)
    if decision.patch:
        response["patchType"] = "JSONPatch"
        response["patch"] = b64encode(orjson.dumps(decision.patch)).decode("ascii")
    return orjson.dumps(
        {"kind": "AdmissionReview", "apiVersion": api_version, "response": response}
    )


def _status(decision: Decision) -> Mapping[str, Any]:
    reasons = {403: "Forbidden", 413: "RequestEntityTooLarge", 422: "Invalid", 504: "Timeout"}
    return {
        "status": "Failure",
        "message": decision.message,
        "reason": reasons.get(decision.code, "Forbidden"),
        "code": decision.code,
    }
