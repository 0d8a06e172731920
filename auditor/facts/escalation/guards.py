"""Techniques that put somebody between others and the API server."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.facts.access.holders import Holder
from auditor.facts.escalation.positions import Place, Step, somehow
from auditor.facts.escalation.world import World

WRITE = ("create", "update", "patch")
ADMISSION = "admissionregistration.k8s.io"


def intercept(holder: Holder, space: str | None, world: World) -> Iterator[Step]:  # noqa: ARG001
    """What is called for each request sees it, and where it may change it, decides what is made."""
    if space is not None:
        return
    if right := somehow(holder, None, ADMISSION, "mutatingwebhookconfigurations", *WRITE):
        told = "has a webhook of its own rewrite whatever is written, pods among it"
        yield Step("webhook", Place("requests"), told, (right,))
    policy = somehow(holder, None, ADMISSION, "mutatingadmissionpolicies", *WRITE)
    binding = somehow(holder, None, ADMISSION, "mutatingadmissionpolicybindings", *WRITE)
    if policy and binding:
        told = "has a policy of its own rewrite whatever is written, pods among it"
        yield Step("webhook", Place("requests"), told, (policy, binding))
    if right := somehow(holder, None, ADMISSION, "validatingwebhookconfigurations", *WRITE):
        told = "has a webhook of its own sent whatever is written, Secrets among it"
        yield Step("webhook", Place("seen-requests"), told, (right,), limited=True)


def serve_api(holder: Holder, space: str | None, world: World) -> Iterator[Step]:  # noqa: ARG001
    """An API group that is served by somebody's own server is sent the requests for it."""
    group = "apiregistration.k8s.io"
    right = None if space else somehow(holder, None, group, "apiservices", *WRITE)
    if right:
        told = "has a server of its own answer for an API group"
        yield Step("api-service", Place("seen-requests"), told, (right,), limited=True)


TECHNIQUES = (intercept, serve_api)
