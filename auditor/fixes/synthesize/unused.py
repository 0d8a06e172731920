"""Objects of names that nobody has yet."""

from __future__ import annotations

from itertools import count
from typing import Any

from auditor.model import Ref, Resource, Snapshot

LONGEST_NAME = 253
"""Characters of a name (RFC 1123, as DNS subdomains are bounded)."""


def made(
    snapshot: Snapshot, wanted: Ref, spec: Any, beside: Resource, *, ending: str = ""
) -> Resource:
    """An object of this kind that is not there yet, with `spec`, written beside another one. Its
    name is the wanted one with the `ending`, shortened where it would be too long, and with a
    number where another object has it: that must not be written over.
    """
    ref = _unused(snapshot, wanted, ending)
    manifest = {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {"name": ref.name, "namespace": ref.namespace},
        "spec": spec,
    }
    return Resource(ref, manifest, beside.origin)


def _unused(snapshot: Snapshot, wanted: Ref, ending: str) -> Ref:
    for number in count(1):
        end = ending if number == 1 else f"{ending}-{number}"
        name = wanted.name[: LONGEST_NAME - len(end)] + end
        ref = Ref(wanted.api_version, wanted.kind, wanted.namespace, name)
        if snapshot.find(ref) is None:
            break
    return ref
