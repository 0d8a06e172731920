"""A change of one object as a request to the API server: what `auditor fix` has it look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from auditor.model import Manifest, Ref
from auditor.sources.kinds import kind_of
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class LiveChange:
    """A change of one object as a request."""

    method: str
    path: str
    media: str
    body: Any


def patching(ref: Ref, steps: Sequence[Mapping[str, Any]]) -> LiveChange:
    """The JSON Patch of an object that is there.

    Raises:
        KeyError: its kind is none that is read from a cluster.
    """
    path = f"{_collection(ref)}/{quote(ref.name, safe='')}"
    return LiveChange("PATCH", path, "application/json-patch+json", list(steps))


def creating(ref: Ref, manifest: Manifest) -> LiveChange:
    """The creation of an object.

    Raises:
        KeyError: its kind is none that is read from a cluster.
    """
    return LiveChange("POST", _collection(ref), "application/json", dict(manifest))


def _collection(ref: Ref) -> str:
    kind = kind_of(ref)
    place = f"/namespaces/{quote(ref.namespace, safe='')}" if kind.namespaced else ""
    root, _, plural = kind.path.rpartition("/")
    return f"{root}{place}/{plural}"
