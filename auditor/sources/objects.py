"""Finds the Kubernetes objects in a document, and says why something is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from auditor.model import Gap, Manifest, Origin, Path, Ref, Resource, Unseen
from auditor.sources.scopes import is_elsewhere, needs_name
from auditor.sources.yaml import Document
from auditor.values import dataclass

MAX_LISTS = 20
"""How deep lists of lists are opened."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A part of a document that is no Kubernetes object."""

    gap: Gap
    certain: bool
    """Whether it was meant to be one: something of an object is there."""


def objects_of(document: Document) -> Iterator[Resource | Stray]:
    """Every object of a document, those of lists one by one, in the namespace that is written."""
    yield from _objects(document, document.value, ())


def _objects(document: Document, value: Any, prefix: Path) -> Iterator[Resource | Stray]:
    if not isinstance(value, dict):
        certain = bool(prefix) or _holds_objects(value)
        yield _stray(document, prefix, "it is no mapping", certain=certain)
        return
    api_version, kind = value.get("apiVersion"), value.get("kind")
    if not (isinstance(api_version, str) and api_version and isinstance(kind, str) and kind):
        yield _not_an_object(document, value, prefix)
    elif is_elsewhere(api_version, kind):
        return
    elif kind.endswith("List") and ("items" in value or kind == "List"):
        yield from _items(document, value, prefix)
    else:
        yield _object(document, value, prefix)


def _holds_objects(value: Any) -> bool:
    """Whether it is a bare list of objects, which kubectl refuses, and some tools make."""
    items = value if isinstance(value, list) else []
    return any(isinstance(item, dict) and {"apiVersion", "kind"} <= item.keys() for item in items)


def _items(document: Document, value: Manifest, prefix: Path) -> Iterator[Resource | Stray]:
    items = value["items"] if value.get("items") is not None else []
    if not isinstance(items, list) or len(prefix) > 2 * MAX_LISTS:
        yield _stray(document, (*prefix, "items"), "its items are no list", certain=True)
        return
    for index, item in enumerate(items):
        typed = _typed(value, item)
        yield from _objects(document, typed, (*prefix, "items", index))


def _typed(owner: Manifest, item: Any) -> Any:
    """An item of a typed list with the kind that follows from the list's."""
    kind = owner["kind"].removesuffix("List")
    if not isinstance(item, dict) or not kind or ("kind" in item and "apiVersion" in item):
        return item
    return {"apiVersion": owner["apiVersion"], "kind": kind, **item}


def _not_an_object(document: Document, value: Manifest, prefix: Path) -> Stray:
    keys = ("apiVersion", "kind")
    if not any(key in value for key in keys):
        return _stray(document, prefix, "it has neither apiVersion nor kind", certain=bool(prefix))
    wrong = next(key for key in keys if not isinstance(value.get(key), str) or not value[key])
    found = value.get(wrong, "missing")
    why = "missing" if found == "missing" else "empty" if found == "" else "no text"
    return _stray(document, prefix, f"its {wrong} is {why}", certain=True)


def _object(document: Document, manifest: Manifest, prefix: Path) -> Resource | Stray:
    metadata = manifest.get("metadata")
    named = needs_name(manifest["apiVersion"])
    if not isinstance(metadata, dict) and (named or metadata is not None):
        why = "missing" if metadata is None else "no mapping"
        return _nameless(document, manifest, prefix, f"metadata is {why}")
    name = _name(metadata or {})
    if not name and named:
        written = (metadata or {}).get("name") not in (None, "")
        why = "missing: what is written there is no text" if written else "missing"
        return _nameless(document, manifest, prefix, f"metadata.name is {why}")
    namespace = _text((metadata or {}).get("namespace"))
    ref = Ref(manifest["apiVersion"], manifest["kind"], namespace, name)
    return Resource(ref, manifest, Origin(document.uri, document, prefix))


def _name(metadata: Manifest) -> str:
    name = _text(metadata.get("name"))
    generated = _text(metadata.get("generateName"))
    return name or (f"{generated}*" if generated else "")


def _text(value: Any) -> str:
    """A name as text, also where YAML took it for a number."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _nameless(document: Document, manifest: Manifest, prefix: Path, why: str) -> Stray:
    stray = _stray(document, prefix, f"a {manifest['kind']} without a name: {why}", certain=True)
    return Stray(replace(stray.gap, kinds=(manifest["kind"],)), certain=True)


def _stray(document: Document, prefix: Path, why: str, *, certain: bool) -> Stray:
    what = f"{document.uri}:{document.span(prefix).line}"
    return Stray(Gap(what, f"no Kubernetes object: {why}", Unseen.INCOMPLETE, ("*",)), certain)
