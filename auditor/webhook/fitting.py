"""Whether the API server would take what was added: what types alone (`facts.schema`) do not tell.

Rules: pkg/apis/core/validation of Kubernetes (ValidateContainerResourceRequirements,
ValidateSecurityContext), and its admission plugins LimitRanger and ResourceQuota.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from auditor.facts.placement.quantities import QuantityError, parse
from auditor.facts.workloads import workload_of
from auditor.manifests import at, leaves, mapping, sequence
from auditor.model import Manifest, Operation, Resource, Snapshot

BOUNDING = ("LimitRange", "ResourceQuota")
"""What refuses pods for the resources that they name, when what makes them was let in already."""

ADDRESS = (("apiVersion",), ("kind",), ("metadata", "namespace"))
"""What the request tells, and the object need not."""
TOKEN = "automountServiceAccountToken"  # noqa: S105 - the name of a field
MIGHTY = ("ALL", "CAP_ALL", "SYS_ADMIN", "CAP_SYS_ADMIN")
"""Capabilities beside which no container is kept from gaining privileges."""


def misfit(resource: Resource, operations: Sequence[Operation], snapshot: Snapshot) -> str:
    """Why the API server may refuse the object after these operations, or the pods that it makes;
    empty where nothing speaks for that.
    """
    workload = workload_of(resource)
    if workload is None:
        return "it makes no pods"
    # The API server mounts the token before it asks any webhook, and never takes it out again.
    if resource.ref.kind == "Pod" and any(TOKEN in operation.path for operation in operations):
        return "its token is mounted already"
    if any("resources" in operation.path for operation in operations):
        if any(r.ref.namespace == resource.ref.namespace for r in snapshot.of_kind(*BOUNDING)):
            return "its namespace bounds resources"
        if workload.pod.get("resources"):
            return "its pods bound the resources of their containers"
    return next(filter(None, (_contradiction(c.spec) for c in workload.containers)), "")


def _contradiction(container: Manifest) -> str:
    resources = mapping(container.get("resources"))
    requests, limits = mapping(resources.get("requests")), mapping(resources.get("limits"))
    try:
        if any(
            parse(requests[key]) > parse(limits[key]) for key in requests.keys() & limits.keys()
        ):
            return "a request would be above its limit"
    except QuantityError as error:
        return str(error)
    context = mapping(container.get("securityContext"))
    added = sequence(at(context, ("capabilities", "add")))
    mighty = context.get("privileged") is True or any(one in MIGHTY for one in added)
    if mighty and context.get("allowPrivilegeEscalation") is False:
        return "what is privileged cannot be kept from more privileges"
    return ""


def borrowed(operations: Iterable[Operation], judged: Manifest, sent: Manifest) -> bool:
    """Whether a value to be added repeats what is only in the object as it was judged: what stands
    for a credential there, or for a name that is still to be made.
    """
    ours = _words(judged) - _words(sent)
    return any(word in text for one in operations for text in _words(one.value) for word in ours)


def _words(value: Any) -> set[str]:
    """The texts in a value, less those by which an object is only addressed."""
    return {text for path, text in leaves(value) if isinstance(text, str) and path not in ADDRESS}
