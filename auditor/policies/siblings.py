"""What a controller's pods have in common: pods of one template are one question, asked once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from auditor.facts.workloads import names_controller
from auditor.model import Manifest
from auditor.terms import ACCESS_VOLUME

OWN_METADATA = frozenset(
    ("name", "uid", "resourceVersion", "creationTimestamp", "selfLink", "generation")
)
OWN_SPEC = frozenset(("nodeName", "hostname"))
"""What tells one pod of a controller from the next. No policy of ours reads it of such a pod: where
it runs and how it fares is told by facts.
"""
_ACCESS = ACCESS_VOLUME.encode()
_TOKEN = re.compile(rb'"%b[a-z0-9]{5}"' % _ACCESS)


def is_one_of_many(manifest: Manifest) -> bool:
    """Whether it is a pod that names a controller. One that does so falsely is judged as well: it
    is all there but for what tells it apart.
    """
    is_pod = manifest.get("kind") == "Pod" and manifest.get("apiVersion") == "v1"
    return is_pod and names_controller(manifest.get("metadata"))


def common(manifest: Manifest) -> dict[str, Any]:
    """The pod without what tells it from its siblings."""
    found = {key: value for key, value in manifest.items() if key != "status"}
    return found | {
        key: _without(found[key], own)
        for key, own in (("metadata", OWN_METADATA), ("spec", OWN_SPEC))
        if isinstance(found.get(key), Mapping)
    }


def with_one_token(document: bytes) -> bytes:
    """The JSON with the same name for the token of every pod."""
    if _ACCESS not in document:
        return document
    return _TOKEN.sub(b'"%b*"' % _ACCESS, document)


def _without(part: Mapping[str, Any], own: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key not in own}
