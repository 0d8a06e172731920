"""Finds what an overlay says of an object: the patch, or the entry of a transformer.

Only what is certain is told: a patch counts where it names the object and says just the value that
was built. https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Any

from auditor.manifests import at, mapping, sequence
from auditor.model import Path, Ref, Span
from auditor.sources.supply import Supply
from auditor.sources.yaml import Document, documents
from auditor.values import dataclass

_MERGE_KEYS = ("name", "mountPath", "devicePath", "containerPort", "port", "ip")
"""What tells the items of a list apart in a strategic merge."""
_POD_LISTS = frozenset(("containers", "initContainers", "ephemeralContainers"))


@dataclass(frozen=True, slots=True)
class Said:
    """What says a value: a place in a file, and where it can be edited."""

    uri: str
    span: Span
    document: Document
    """The file's own document."""
    path: Path
    """In that document; of a patch that stands in a text, the text."""
    is_inline: bool = False

    @property
    def supply(self) -> Supply | None:
        """The same for a fix; None for what is a text inside of a file."""
        return None if self.is_inline else Supply(self.document, self.path)


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch of a kustomization."""

    document: Document
    """What it says."""
    target: Any
    """Whom it is for, where it does not say that itself."""
    holder: Document | None = None
    """The kustomization that it is a text in, if it is one."""
    inside: Path = ()


@dataclass(eq=False, slots=True)
class Layer:
    """One kustomization of a build."""

    document: Document
    below: frozenset[int] = frozenset()
    """The numbers of the layers that it is built on."""
    patches: list[Patch] = field(default_factory=list)

    def get(self, name: str) -> tuple[str, Any]:
        """A field of it, whose key Go takes in any case."""
        for key, value in mapping(self.document.value).items():
            if str(key).lower() == name.lower():
                return str(key), value
        return name, None


@dataclass(frozen=True, slots=True)
class Subject:
    """An object before and after the build."""

    written: Ref
    built: Ref
    before: Any
    """Its manifest as it is written."""
    after: Any

    def is_called(self, name: Any) -> bool:
        """Whether the object had this name on its way."""
        known = (self.written.name, self.built.name)
        return isinstance(name, str) and (name in known or (known[0] in name and name in known[1]))


def said_by(layers: Sequence[Layer], subject: Subject, path: Path) -> Said | None:
    """What says the field at `path`, if one thing alone does, or one built on all the others."""
    value = at(subject.after, path)
    found = [
        (number, said)
        for number, layer in enumerate(layers)
        for said in _said(layer, subject, path, value)
    ]
    for number, said in found:
        others = [other for other, one in found if one is not said]
        if all(other in layers[number].below for other in others):
            return said
    return None


def _said(layer: Layer, subject: Subject, path: Path, value: Any) -> Iterator[Said]:
    for patch in layer.patches:
        inner = _in_patch(patch, subject, path, value)
        if inner is not None:
            yield _place(patch, inner)
    for inner in _in_transformers(layer, subject, path, value):
        yield Said(layer.document.uri, layer.document.span(inner), layer.document, inner)


def _place(patch: Patch, inner: Path) -> Said:
    document, span = patch.document, patch.document.span(inner)
    if patch.holder is None:
        return Said(document.uri, span, document, inner)
    holder = patch.holder
    outer = holder.span(patch.inside)
    return Said(holder.uri, _moved(holder, outer, span), holder, patch.inside, is_inline=True)


def _moved(holder: Document, outer: Span, inner: Span) -> Span:
    """The region of a line of a block scalar; of any other text, the text's."""
    start = holder.source.offset(outer.line, outer.column)
    head, _, body = holder.text[start:].partition("\n")
    if not re.fullmatch(r"\|[-+]?\d?[-+]?[ \t]*(?:#.*)?\r?", head):
        return outer
    first = next((line for line in body.split("\n") if line.strip()), "")
    if body.split("\n", 1)[0] != first:
        return outer
    by = len(first) - len(first.lstrip(" "))
    return Span(
        inner.line + outer.line,
        inner.column + by,
        inner.end_line + outer.line,
        inner.end_column + by,
    )


def _in_patch(patch: Patch, subject: Subject, path: Path, value: Any) -> Path | None:
    said = patch.document.value
    if isinstance(said, list):
        return _in_steps(said, path, value) if _is_target(patch.target, subject) else None
    return _in_merge(said, subject.after, path, value) if _is_aimed(patch, subject) else None


def _is_aimed(patch: Patch, subject: Subject) -> bool:
    """Whether a strategic merge patch is for the object."""
    if patch.target:
        return _is_target(patch.target, subject)
    said = mapping(patch.document.value)
    ref = mapping(said.get("metadata"))
    spaces = (None, "", subject.written.namespace, subject.built.namespace)
    return (
        said.get("kind") == subject.built.kind
        and _group(said.get("apiVersion")) == subject.built.group
        and subject.is_called(ref.get("name"))
        and ref.get("namespace") in spaces
    )


def merges_for(layers: Sequence[Layer], subject: Subject) -> Iterator[Document]:
    """The strategic-merge patches for an object that are files of their own."""
    for patch in (patch for layer in layers for patch in layer.patches):
        said = patch.document.value
        if patch.holder is None and isinstance(said, dict) and _is_aimed(patch, subject):
            yield patch.document


def _group(api_version: Any) -> str:
    return str(api_version).rpartition("/")[0]


def _is_target(target: Any, subject: Subject) -> bool:
    """Whether a target names the object. A selector of labels may fit: the value decides."""
    wanted = mapping(target)
    names = (subject.written.name, subject.built.name)
    spaces = (subject.written.namespace, subject.built.namespace)
    return (
        bool(wanted)
        and _like(wanted.get("kind"), (subject.built.kind,))
        and _like(wanted.get("group"), (subject.built.group,))
        and _like(wanted.get("name"), names)
        and _like(wanted.get("namespace"), spaces)
    )


def _like(pattern: Any, texts: Sequence[str]) -> bool:
    if pattern in (None, ""):
        return True
    try:
        return any(re.fullmatch(str(pattern), text) for text in texts)
    except re.error:
        return False


def _in_merge(said: Any, after: Any, path: Path, value: Any) -> Path | None:
    """Where a strategic merge patch says the value at `path`."""
    way: list[str | int] = []
    for step in path:
        if isinstance(step, int):
            found = _same_item(sequence(said), sequence(after), step)
            if found is None:
                return None
            said, after = said[found], after[step]
            way.append(found)
        else:
            if not isinstance(said, dict) or step not in said:
                return None
            said, after = said[step], mapping(after).get(step)
            way.append(step)
    return tuple(way) if _is_equal(said, value) else None


def _same_item(said: list[Any], after: list[Any], index: int) -> int | None:
    """Which item of a patch became the one at `index`."""
    if said == after:
        return index
    item = mapping(after[index]) if index < len(after) else {}
    key = next((key for key in _MERGE_KEYS if key in item), None)
    if key is None:
        return None
    same = [at for at, one in enumerate(said) if mapping(one).get(key) == item[key]]
    return same[0] if len(same) == 1 else None


def _in_steps(steps: list[Any], path: Path, value: Any) -> Path | None:
    """Where a JSON patch (RFC 6902) says the value at `path`; the last step that does."""
    for index in range(len(steps) - 1, -1, -1):
        step = mapping(steps[index])
        pointer = step.get("path")
        if step.get("op") not in ("add", "replace") or not isinstance(pointer, str):
            continue
        way = [one.replace("~1", "/").replace("~0", "~") for one in pointer.split("/")[1:]]
        if len(way) > len(path) or not all(map(_is_step, way, path)):
            continue
        rest = path[len(way) :]
        if _is_equal(at(step.get("value"), rest), value):
            return (index, "value", *rest)
    return None


def _is_step(told: str, step: str | int) -> bool:
    return told == str(step) or (told == "-" and isinstance(step, int))


def _is_equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _in_transformers(layer: Layer, subject: Subject, path: Path, value: Any) -> Iterator[Path]:
    """The entries of the kustomization itself that say the value."""
    if path == ("metadata", "namespace"):
        key, said = layer.get("namespace")
        if said == value:
            yield (key,)
    if path == ("spec", "replicas"):
        yield from _replicas(layer, subject, value)
    if path[-1:] == ("image",) and len(path) > 2 and path[-3] in _POD_LISTS:
        yield from _images(layer, subject, path, value)
    if len(path) > 1 and path[-2] in ("labels", "annotations", "matchLabels"):
        yield from _labels(layer, path, value)


def _replicas(layer: Layer, subject: Subject, value: Any) -> Iterator[Path]:
    key, said = layer.get("replicas")
    for index, one in enumerate(sequence(said)):
        if subject.is_called(mapping(one).get("name")) and one.get("count") == value:
            yield (key, index, "count")


def _images(layer: Layer, subject: Subject, path: Path, value: Any) -> Iterator[Path]:
    key, said = layer.get("images")
    old = _image_before(subject, path)
    for index, one in enumerate(sequence(said)):
        entry = mapping(one)
        if old is None or entry.get("name") != _image_name(old):
            continue
        changed = [k for k in ("digest", "newTag", "newName") if entry.get(k) not in (None, "")]
        if changed and _image_after(old, entry) == value:
            yield (key, index, changed[0])


def _image_before(subject: Subject, path: Path) -> str | None:
    name = mapping(at(subject.after, path[:-1])).get("name")
    for one in sequence(at(subject.before, path[:-2])):
        if mapping(one).get("name") == name:
            image = one.get("image")
            return image if isinstance(image, str) else None
    return None


def _image_name(image: str) -> str:
    return image[: len(image) - len(_image_rest(image))]


def _image_rest(image: str) -> str:
    """The tag and the digest, with their signs."""
    slash = image.rfind("/") + 1
    sign = re.search("[:@]", image[slash:])
    return image[slash + sign.start() :] if sign else ""


def _image_after(image: str, entry: Any) -> str:
    name = entry.get("newName") or _image_name(image)
    tag, digest = entry.get("newTag"), entry.get("digest")
    if tag and digest:
        return f"{name}:{tag}@{digest}"
    if digest:
        return f"{name}@{digest}"
    return f"{name}:{tag}" if tag else f"{name}{_image_rest(image)}"


def _labels(layer: Layer, path: Path, value: Any) -> Iterator[Path]:
    name = str(path[-1])
    what = "commonAnnotations" if path[-2] == "annotations" else "commonLabels"
    key, said = layer.get(what)
    if mapping(said).get(name) == value:
        yield (key, name)
    key, said = layer.get("labels")
    for index, one in enumerate(sequence(said)):
        pairs = mapping(mapping(one).get("pairs"))
        if path[-2] != "annotations" and pairs.get(name) == value:
            yield (key, index, "pairs", name)


def patches_of(document: Document, read: Any) -> Iterator[Patch]:
    """Every patch of a kustomization; `read` gives the documents of a file that it names."""
    layer = Layer(document)
    for name in ("patches", "patchesStrategicMerge", "patchesJson6902"):
        key, said = layer.get(name)
        for index, one in enumerate(sequence(said)):
            entry = one if isinstance(one, dict) else {"path": one}
            inside: Path = (key, index)
            text = entry.get("patch")
            if text is None and isinstance(one, str) and "\n" in one:
                text = one
            elif text is not None:
                inside = (key, index, "patch")
            if isinstance(text, str):
                for found in documents(document.uri, text):
                    if isinstance(found, Document):
                        yield Patch(found, entry.get("target"), document, inside)
            elif isinstance(entry.get("path"), str):
                for found in read(entry["path"]):
                    yield Patch(found, entry.get("target"))
