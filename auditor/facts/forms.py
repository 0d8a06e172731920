"""How objects and reasons are written for policies and reports."""

from __future__ import annotations

from typing import Any

from auditor.facts.network import Reason
from auditor.model import Ref


def as_object(ref: Ref) -> dict[str, str]:
    """The identity of an object."""
    return {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "namespace": ref.namespace,
        "name": ref.name,
    }


def as_evidence(reason: Reason) -> dict[str, Any]:
    """A reason of the network engine."""
    return {
        "object": as_object(reason.ref) if reason.ref else None,
        "path": reason.path,
        "message": reason.text,
    }
