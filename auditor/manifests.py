"""Reads values out of manifests, which hold anything. Knows no kind of object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditor.model import Manifest, Path


def mapping(value: Any) -> Manifest:
    """`value` where it is a mapping, an empty one otherwise: manifests hold anything."""
    # What is a dict says so at once; to ask the abstract class takes ten times as long.
    return value if type(value) is dict or isinstance(value, Mapping) else {}


def sequence(value: Any) -> list[Any]:
    """`value` where it is a list, an empty one otherwise."""
    return value if isinstance(value, list) else []


def at(manifest: Any, path: Path) -> Any:
    """The value at `path`, or None where the way there is missing or of another type."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(manifest, list) or not 0 <= step < len(manifest):
                return None
            manifest = manifest[step]
        else:
            manifest = mapping(manifest).get(step)
    return manifest


def texts(value: Any) -> Mapping[str, str]:
    """Labels or annotations: the pairs whose value is text, as the API server demands."""
    return {k: v for k, v in mapping(value).items() if isinstance(k, str) and isinstance(v, str)}


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Everything in `value`, which stands at `path`, that is neither a mapping nor a list, each
    with its place.
    """
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from leaves(inside, (*path, key))
    elif isinstance(value, list):
        for index, inside in enumerate(value):
            yield from leaves(inside, (*path, index))
    else:
        yield path, value


def copied(value: Any) -> Any:
    """A copy that shares no mapping and no list, neither with `value` nor within."""
    kind = type(value)  # most of what there is are texts, which this tells fastest
    if kind is str:
        return value
    if kind is dict or isinstance(value, dict):
        return {key: copied(inside) for key, inside in value.items()}
    if kind is list or isinstance(value, list):
        return [copied(inside) for inside in value]
    return value


MAPPINGS = frozenset((
    "allocatable", "allocatedResourceStatuses", "allocatedResources", "annotations",
    "attachmentMetadata", "binaryData", "capacity", "data", "default", "defaultRequest",
    "disruptedPods", "hard", "labels", "limits", "matchLabels", "max", "maxLimitRequestRatio",
    "min", "nodeSelector", "options", "overhead", "parameters", "podFixed", "requests",
    "stringData", "used", "userAnnotations", "volumeAttributes",
))  # fmt: skip
"""Fields whose keys are the user's own, as the API of Kubernetes has them: there null stands for an
empty text, or for nothing of a resource.
"""


def without_nulls(value: Any, field: str = "") -> Any:
    """The value, which stands in that field, without the fields that hold nothing: to the API
    server these are not there. What is null in a list or in one of `MAPPINGS` stays.
    """
    if isinstance(value, dict):
        kept = field in MAPPINGS
        return {
            key: without_nulls(inside, key)
            for key, inside in value.items()
            if kept or inside is not None
        }
    if isinstance(value, list):
        return [without_nulls(inside) for inside in value]
    return value
