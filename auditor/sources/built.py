"""Where a field of a built object stands in the files that it was built from.

`auditor.fixes` knows it too: what is built can be edited only where it comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

from auditor.manifests import at, leaves, mapping
from auditor.model import Manifest, Origin, Path, Ref, Resource, Span, Spot
from auditor.sources.overlays import Layer, Said, Subject, merges_for, said_by
from auditor.sources.recipes import Maker, Recipe
from auditor.sources.supply import Supply, supply_of
from auditor.sources.yaml import Document
from auditor.values import dataclass

_JOINING = ("replacements", "vars", "transformers", "configurations")


@dataclass(frozen=True, eq=False)
class Built:
    """An object that a program made out of one that is written (`auditor.model.Lines`)."""

    by: str
    """What made it, and from what: ``kustomize from shop/overlay``."""
    manifest: Manifest
    """As it was made."""
    written: Resource
    """As the file has it that it was made from."""
    layers: tuple[Layer, ...] = ()
    """The kustomizations that it went through."""
    recipe: Recipe | None = None
    """How it can be built again."""

    def span(self, path: Path) -> Span:
        """The region of the field where the file says what was built; else the whole object's."""
        kept = self._kept(_there(self.manifest, path))
        return self.written.origin.span(kept or ())

    def spot(self, path: Path) -> Spot | None:
        """Where a patch or a transformer says the field, if that made it what it is."""
        said = self._said(path)
        return Spot(said.uri, said.span, said.document) if said else None

    def supply(self, path: Path) -> Supply | None:
        """What a fix of the field would have to edit, where that is certain."""
        if at(self.manifest, path) is None:
            return None
        kept = self._kept(path)
        if kept is not None:
            return supply_of(self.written, kept)
        said = self._said(path)
        return said.supply if said else None

    def again(self, path: Path) -> Supply | None:
        """What an overlay says of the field that is what its base says, too: an edit of the base
        alone would change nothing.
        """
        if self._kept(path) is None:
            return None
        said = said_by(self.layers, self._subject, path)
        return said.supply if said else None

    @property
    def is_apart(self) -> bool:
        """Whether no kustomization on its way takes fields of one object into another."""
        return not any(layer.get(name)[1] for layer in self.layers for name in _JOINING)

    def patches(self) -> Iterator[Document]:
        """The strategic-merge patches for the object that are files of their own, those of the
        outermost kustomization first.
        """
        yield from merges_for(self.layers, self._subject)

    def _said(self, path: Path) -> Said | None:
        path = _there(self.manifest, path)
        if not path or self._kept(path) is not None:
            return None
        return said_by(self.layers, self._subject, path)

    @property
    def _subject(self) -> Subject:
        refs = (self.written.ref, ref_of(self.manifest, self.written.ref))
        return Subject(*refs, self.written.manifest, self.manifest)

    @cached_property
    def text(self) -> str:
        """The file, with an ellipsis for every character of a value that the build changed: it is
        not what was judged, and what hides credentials does not know of it.
        """
        document = self.written.origin.lines
        if not isinstance(document, Document):
            return ""
        shown = list(document.text)
        for path, _ in leaves(self.written.manifest):
            if _kept(self.written.manifest, self.manifest, path) is None:
                _blot(document, self.written.origin.span(path), shown)
        return "".join(shown)

    def _kept(self, path: Path) -> Path | None:
        """Where the file says what was built."""
        return _kept(self.manifest, self.written.manifest, path)


@dataclass(frozen=True, slots=True)
class Made:
    """An object that no single written one became (`auditor.model.Lines`)."""

    by: str
    """What made it, and from what."""
    recipe: Recipe | None = None
    """How it can be built again."""

    def span(self, _path: Path) -> Span:
        """The start of the file that made it."""
        return Span(1, 1, 1, 1)


def built(
    maker: Maker,
    resource: Resource,
    uri: str,
    written: Resource | None = None,
    layers: tuple[Layer, ...] = (),
) -> Resource:
    """The object with its place: where it is written, or else the start of the file `uri`."""
    if written is None:
        made = Made(maker.by, maker.recipe)
        return Resource(resource.ref, resource.manifest, Origin(uri, made))
    lines = Built(maker.by, resource.manifest, written, layers, maker.recipe)
    return Resource(resource.ref, resource.manifest, Origin(written.origin.uri, lines))


def ref_of(manifest: Manifest, like: Ref) -> Ref:
    """Which object a manifest is, of the kind of `like`."""
    metadata = mapping(manifest.get("metadata"))
    name, namespace = str(metadata.get("name", "")), str(metadata.get("namespace") or "")
    return replace(like, name=name, namespace=namespace)


def _there(value: Any, path: Path) -> Path:
    """The path, or that of the nearest ancestor that the value has."""
    for length, step in enumerate(path):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return path[:length]
    return path


def _kept(one: Any, other: Any, path: Path) -> Path | None:
    """The path in `other` of what is at `path` in `one`, where both have the same there; of two
    mappings or lists, where they are meant to be the same one. Items of lists go by their name: a
    patch moves those that it names to the front.
    """
    way: list[str | int] = []
    for step in path:
        found = step
        try:
            inside = one[step]
            if isinstance(step, int):
                found = _item_like(inside, other, step)
            one, other = inside, other[found]
        except (KeyError, IndexError, TypeError):
            return None
        way.append(found)
    if isinstance(one, dict | list):
        return tuple(way) if isinstance(other, type(one)) else None
    return tuple(way) if type(one) is type(other) and one == other else None


def _item_like(item: Any, others: Any, index: int) -> int:
    """The index of the item that is meant to be the same; IndexError where there is none."""
    if isinstance(item, dict) and "name" in item and isinstance(others, list):
        named = [i for i, one in enumerate(others) if mapping(one).get("name") == item["name"]]
        return named[0] if len(named) == 1 else len(others)
    return index if others[index] == item else len(others)


def _blot(document: Document, span: Span, shown: list[str]) -> None:
    start = document.source.offset(span.line, span.column)
    for place in range(start, document.source.offset(span.end_line, span.end_column)):
        if shown[place] not in "\r\n":
            shown[place] = "…"
