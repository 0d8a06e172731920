"""How far a pod is, and what its behaviour makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from auditor.facts.controllers.case import Behaviour

NOWHERE = -1
"""The number of the node of a pod that has none."""


class Stage(IntEnum):
    """How far a pod is; the order is that in which a ReplicaSet gives pods up."""

    PENDING = 0
    """On no node."""
    PULLING = 1
    """On a node, in phase Pending for good."""
    BROKEN = 2
    """Running, never ready."""
    STARTING = 3
    """Running, ready some time."""
    AVAILABLE = 4
    LEAVING = 5
    """Deleted, and still there."""


def first_stage(behaviour: Behaviour) -> Stage:
    """Where a pod stands once it has a node."""
    broken = {"never": Stage.BROKEN, "crash": Stage.BROKEN, "imagepull": Stage.PULLING}
    return broken.get(behaviour.ready, Stage.STARTING)


def why_not_ready(behaviour: Behaviour) -> str:
    """What the kubelet says of a pod that does not become ready."""
    words = {"crash": "CrashLoopBackOff", "imagepull": "ImagePullBackOff"}
    return words.get(behaviour.ready, "readiness")


def told(counts: Mapping[tuple[str, str], int]) -> list[Mapping[str, Any]]:
    """How many pods are not available in the end, by (kind, message), as ``why`` is written."""
    return [{"kind": k, "message": m, "pods": n} for (k, m), n in sorted(counts.items())]
