"""Finds the Kustomize folders among the files, builds them, and says which files they use.

Nothing is fetched and no plugin is run. The fields of a kustomization:
https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from pathlib import Path
from typing import Any

from auditor.model import Gap, Resource, Unseen
from auditor.sources.building import Build, Builds, built_objects, text_in
from auditor.sources.built import built
from auditor.sources.folders import shown
from auditor.sources.objects import objects_of
from auditor.sources.overlays import Layer, patches_of
from auditor.sources.places import SourceText
from auditor.sources.programs import BuildError, output, program
from auditor.sources.recipes import Maker, Recipe, text_read
from auditor.sources.yaml import Document, documents
from auditor.terms import KUSTOMIZATIONS
from auditor.values import dataclass

_ORIGIN = "config.kubernetes.io/origin"
_FILES = frozenset(
    (
        "bases",
        "components",
        "configurations",
        "crds",
        "generators",
        "openapi",
        "patches",
        "patchesjson6902",
        "patchesstrategicmerge",
        "replacements",
        "resources",
        "transformers",
        "validators",
    )
)
_GENERATORS = frozenset(("configmapgenerator", "secretgenerator"))
_CHARTS = frozenset(("helmcharts", "helmchartinflationgenerator"))
_REMOTE = re.compile(r"://|^(?:git::|gh:|[\w.-]+@|[\w.-]+:|github\.com/)|\?\w+=|\.git(?:/|$)|_git/")


@dataclass(slots=True)
class _Kustomization:
    """One kustomization file and what it refers to."""

    file: str
    """Its real path."""
    is_component: bool = False
    folders: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    """What would have to be fetched; the field of it for charts."""


@dataclass(slots=True)
class Tree:
    """The kustomizations that were given, and those that they lead to."""

    given: dict[str, str]
    """Real path of a file → the path as the user named it."""
    known: dict[str, _Kustomization | None] = field(default_factory=dict)
    read: dict[str, tuple[Resource, ...]] = field(default_factory=dict)
    """The objects of the files that something was built from."""

    def roots(self) -> list[str]:
        """The folders to build, in the order given. Of a loop, the first one stands for all."""
        own = self._own()
        used = {to for folder in own for to in self._next(folder) if to != folder}
        free = [folder for folder in own if folder not in used and self._may_be_root(folder)]
        reached = {folder for root in free for folder in self.below(root)}
        for folder in own:
            if folder not in reached and self._may_be_root(folder):
                free.append(folder)
                reached |= self.below(folder).keys()
        return free

    def idle(self) -> list[str]:
        """The folders of components that no build reads."""
        reached = {folder for root in self.roots() for folder in self.below(root)}
        return [folder for folder in self._own() if folder not in reached and self.at(folder)]

    def _own(self) -> list[str]:
        """The folders with a kustomization among the files that were given, in their order."""
        return list(
            dict.fromkeys(
                os.path.realpath(Path(path).parent)
                for path in self.given.values()
                if Path(path).name in KUSTOMIZATIONS
            )
        )

    def _may_be_root(self, folder: str) -> bool:
        found = self.at(folder)
        return found is not None and not found.is_component

    def at(self, folder: str) -> _Kustomization | None:
        """The kustomization in a folder, if there is one."""
        if folder not in self.known:
            paths = (Path(folder, name) for name in KUSTOMIZATIONS)
            file = next((path for path in paths if path.is_file()), None)
            self.known[folder] = _read(os.path.realpath(file), folder) if file else None
        return self.known[folder]

    def _next(self, folder: str) -> list[str]:
        found = self.at(folder)
        return found.folders if found else []

    def below(self, root: str) -> dict[str, _Kustomization]:
        """Every folder that a build reads, the root first, with what is in it."""
        reached: dict[str, _Kustomization] = {}
        ahead = [root]
        while ahead:
            folder = ahead.pop()
            found = self.at(folder)
            if found and folder not in reached:
                reached[folder] = found
                ahead += reversed(found.folders)
        return reached

    def files(self, reached: Mapping[str, _Kustomization]) -> set[str]:
        """The real paths of all that a build reads."""
        own = {str(Path(folder, name)) for folder in reached for name in KUSTOMIZATIONS}
        return own | {file for found in reached.values() for file in (found.file, *found.files)}

    def add(self, path: str, named: str) -> bool:
        """Take one more file as given; whether it is new."""
        is_new = path not in self.given
        self.given.setdefault(path, named)
        return is_new

    def file(self, folder: str) -> str:
        """The kustomization file of a folder that has one."""
        found = self.at(folder)
        return found.file if found else folder

    def written(self, file: str, root: str) -> tuple[Resource, ...]:
        """The objects of a file that a build uses."""
        if file not in self.read:
            uri = self.named(root, file)
            found = (d for d in documents(uri, text_in(file)) if isinstance(d, Document))
            objects = (one for document in found for one in objects_of(document))
            self.read[file] = tuple(one for one in objects if isinstance(one, Resource))
        return self.read[file]

    def named(self, root: str, path: str) -> str:
        """A real path as the user would name it."""
        if path in self.given:
            return shown(self.given[path])
        above = (Path(file).parent for file in self.given.values())
        start = next((folder for folder in above if os.path.realpath(folder) == root), None)
        if start is None:
            return shown(os.path.relpath(path))
        close = os.path.normpath(start / os.path.relpath(path, root))
        return shown(close if os.path.realpath(close) == path else path)


def _read(file: str, folder: str) -> _Kustomization:
    """What the file refers to; nothing where it cannot be read, which kustomize says better."""
    found = _Kustomization(file)
    for document in documents(file, text_in(file)):
        if isinstance(document, Document) and isinstance(document.value, dict):
            found.is_component |= document.value.get("kind") == "Component"
            for name in _references(document.value):
                _place(found, folder, name)
    return found


def _place(found: _Kustomization, folder: str, name: str) -> None:
    if _REMOTE.search(name):
        found.elsewhere.append(name)
        return
    try:
        path = os.path.realpath(Path(folder, name))
        (found.folders if Path(path).is_dir() else found.files).append(path)
    except (OSError, ValueError):
        return  # no file can have such a name, as kustomize will say


def _references(value: Mapping[str, Any]) -> Iterator[str]:
    """Every file, folder and address that a kustomization names; Go takes keys in any case."""
    for key, inside in value.items():
        name = str(key).lower()
        if name in _FILES:
            yield from _paths(inside)
        elif name in _GENERATORS:
            yield from _generated(inside)
        elif name in _CHARTS and inside:
            yield f"{key}:"


def _paths(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        path = item.get("path") if isinstance(item, dict) else item
        if isinstance(path, str) and path and "\n" not in path and "\0" not in path:
            yield path


def _generated(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else ():
        for key, inside in item.items() if isinstance(item, dict) else ():
            if str(key).lower() in ("files", "envs", "env"):
                for path in _paths(inside):
                    yield path.rpartition("=")[2]


def leave(tree: Tree, folder: str, found: Builds) -> None:
    """Say that a component was not looked at: its patches are no objects, and what it would make
    of others depends on who uses it.
    """
    found.used |= tree.files(tree.below(folder))
    why = "a component that no kustomization here uses: what it would make was not audited"
    found.refuse(tree.named(folder, tree.file(folder)), why, Unseen.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Order:
    """What else a build is to do, and for whom."""

    around: Mapping[str, Any] = field(default_factory=dict)
    """Fields of a kustomization around the user's."""
    by: str = ""
    """Who asks for it, where it is not the user: ``Argo CD Application shop in apps.yaml:3``."""
    replaced: Callable[[str], str] = str
    """What is made of the text that was built before it is read."""


def kustomize(tree: Tree, root: str, found: Builds, order: Order | None = None) -> Build | None:
    """What kustomize makes of a folder; a gap where it cannot be built."""
    order = order or Order()
    reached = tree.below(root)
    used = tree.files(reached)
    found.used |= used
    named = tree.named(root, root)
    try:
        _refuse_remote(reached)
        text, start = _kustomized(root, order.around)
    except BuildError as error:
        found.refuse(named, f"kustomize could not build it, and it was not audited: {error}")
        return None
    made = Build(named, Path(root).name)
    recipe = Recipe(
        made, root, frozenset(used), frozenset(tree.given),
        lambda where: order.replaced(_kustomized(where(root), order.around)[0]),
        partial(_read_again, named),
    )  # fmt: skip
    layers = tuple(_layers(tree, root, reached))
    say = _Saying(tree, root, start, used, order, layers, recipe)
    for document in documents(named, order.replaced(text)):
        for one in built_objects(document, named):
            if isinstance(one, Resource):
                made.resources.append(_traced(say, one))
            else:
                found.gaps.append(one)
    return made


@dataclass(frozen=True, slots=True)
class _Saying:
    """What is known of a build while its objects are traced."""

    tree: Tree
    root: str
    start: str
    """The folder that the origins of objects start from."""
    used: set[str]
    order: Order
    layers: tuple[Layer, ...]
    recipe: Recipe

    @property
    def by(self) -> str:
        """What made the objects, and who asked for it."""
        asked = f" by {self.order.by}" if self.order.by else ""
        return f"kustomize from {self.tree.named(self.root, self.root)}{asked}"


def _layers(tree: Tree, root: str, reached: Mapping[str, _Kustomization]) -> Iterator[Layer]:
    """The kustomizations of a build, the outermost first, with what each is built on."""
    numbers = {folder: number for number, folder in enumerate(reached)}

    def read(folder: str, file: str) -> list[Document]:
        path = os.path.realpath(Path(folder, file))
        found = documents(tree.named(root, path), text_in(path))
        return [one for one in found if isinstance(one, Document)]

    for folder, found in reached.items():
        whole = next(iter(read(folder, found.file)), None)
        document = whole or Document(SourceText(found.file, ""), 0, 0, {})
        below = frozenset(numbers[one] for one in tree.below(folder) if one != folder)
        patches = list(patches_of(document, partial(read, folder)))
        yield Layer(document, below, patches)


def _refuse_remote(reached: Mapping[str, _Kustomization]) -> None:
    elsewhere = sorted({name for one in reached.values() for name in one.elsewhere})
    if elsewhere:
        raise BuildError(f"it needs what would have to be fetched: {', '.join(elsewhere)}")


def _kustomized(root: str, more: Mapping[str, Any]) -> tuple[str, str]:
    """What kustomize writes, with the origin of every object, and the folder that these origins
    start from. A kustomization around the user's asks for them: theirs stays as it is.
    """
    kubectl, alone = program("kubectl"), program("kustomize")
    if not kubectl and not alone:
        raise BuildError("neither kubectl nor kustomize is on PATH")
    command = (kubectl, "kustomize") if kubectl else (alone or "", "build")
    with tempfile.TemporaryDirectory(prefix="auditor-") as made:
        home = os.path.realpath(made)
        inner = os.path.relpath(root, home)
        around = {**more, "resources": [inner], "buildMetadata": ["originAnnotations"]}
        Path(home, KUSTOMIZATIONS[0]).write_text(json.dumps(around), "utf-8")
        return output((*command, home), home), home


def _traced(say: _Saying, resource: Resource) -> Resource:
    """An object at the place where it is written, without the note that told of it."""
    tree, root = say.tree, say.root
    metadata = resource.manifest.get("metadata") or {}
    file = _origin(str((metadata.get("annotations") or {}).get(_ORIGIN, "")), say.start)
    clean, maker = _clean(resource), Maker(say.by, say.recipe)
    if file not in say.used:
        return built(maker, clean, tree.named(root, tree.file(root)))
    original = _original(clean, tree.written(file, root))
    return built(maker, clean, tree.named(root, file), original, say.layers)


def _clean(resource: Resource) -> Resource:
    """An object without the note that tells where it came from."""
    metadata = resource.manifest.get("metadata") or {}
    annotations = dict(metadata.get("annotations") or {})
    annotations.pop(_ORIGIN, None)
    bare = {key: value for key, value in metadata.items() if key != "annotations"}
    kept = {**bare, "annotations": annotations} if annotations else bare
    return replace(resource, manifest={**resource.manifest, "metadata": kept})


def _read_again(named: str, text: str) -> Iterator[Resource | Gap]:
    for one in text_read(named, text):
        yield _clean(one) if isinstance(one, Resource) else one


def _origin(note: str, start: str) -> str:
    """The real path of the file that an object came from; empty where it was generated."""
    told = next(iter(documents("", note)), None)
    value = told.value if isinstance(told, Document) else None
    path = value.get("path") if isinstance(value, dict) else None
    return os.path.realpath(Path(start, path)) if isinstance(path, str) else ""


def _original(resource: Resource, written: Sequence[Resource]) -> Resource | None:
    """Which of the objects of a file became this one; None where several may have."""
    ref = resource.ref
    alike = [one for one in written if (one.ref.group, one.ref.kind) == (ref.group, ref.kind)]
    same = [one for one in alike if one.ref.name == ref.name]
    named = same or [one for one in alike if one.ref.name in ref.name] or alike
    placed = [one for one in named if one.ref.namespace == ref.namespace] or named
    return placed[0] if len(placed) == 1 else None
