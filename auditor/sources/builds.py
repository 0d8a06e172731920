"""Builds the Kustomize folders and Helm charts among the files, and says which files they use.

Only `auditor.sources.files` may know it. Nothing is fetched and no plugin is run. The fields of a
kustomization: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/; those of a
chart: https://helm.sh/docs/topics/charts/.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from auditor.model import Gap, Resource, Unseen
from auditor.sources.built import built
from auditor.sources.folders import STDIN, File, shown
from auditor.sources.objects import objects_of
from auditor.sources.programs import BuildError, output, program
from auditor.sources.yaml import Broken, Document, documents

CHART = "Chart.yaml"
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
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
_SOURCE = re.compile(r"^# Source: (.+)$", re.MULTILINE)
_RENDER = """
import sys
from helm_python import Chart
try:
    with Chart.load(sys.argv[1]) as chart:
        made = sorted(chart.render(name="release-name", namespace="default").items())
except Exception as error:
    sys.exit(f"Error: {error}")
for name, text in made:
    if name.endswith((".yaml", ".yml", ".json")):
        print(f"---\\n# Source: {name}\\n{text}")
"""
_REMOTE = re.compile(r"://|^(?:git::|gh:|[\w.-]+@|[\w.-]+:|github\.com/)|\?\w+=|\.git(?:/|$)|_git/")


@dataclass(slots=True)
class Builds:
    """What came of the builds."""

    resources: list[Resource] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    """The real paths of all files that a build uses, or would use if it could be done."""

    def take(self, found: Resource | Gap) -> None:
        """Keep an object, or what is in the place of one."""
        if isinstance(found, Gap):
            self.gaps.append(found)
        else:
            self.resources.append(found)


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


def builds(files: Sequence[File]) -> Builds:
    """What is built of every kustomization among the files that no other one uses, and of every
    chart; a gap for each that could not be built.
    """
    found = Builds()
    paths = [file.path for file in files if file.path != STDIN]
    if not any(Path(path).name in (*KUSTOMIZATIONS, CHART) for path in paths):
        return found
    tree = _Tree({os.path.realpath(path): path for path in paths})
    for folder in tree.roots():
        _kustomize(tree, folder, found)
    for folder in tree.idle():
        _leave(tree, folder, found)
    for folder in _charts(tree.given) if _renderer() else ():
        _helm(tree, folder, found)
    return found


def _leave(tree: _Tree, folder: str, found: Builds) -> None:
    """Say that a component was not looked at: its patches are no objects, and what it would make
    of others depends on who uses it.
    """
    found.used |= tree.files(tree.below(folder))
    why = "a component that no kustomization here uses: what it would make was not audited"
    found.take(Gap(tree.named(folder, tree.file(folder)), why, Unseen.UNKNOWN))


@dataclass(slots=True)
class _Tree:
    """The kustomizations that were given, and those that they lead to."""

    given: Mapping[str, str]
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

    def file(self, folder: str) -> str:
        """The kustomization file of a folder that has one."""
        found = self.at(folder)
        return found.file if found else folder

    def written(self, file: str, root: str) -> tuple[Resource, ...]:
        """The objects of a file that a build uses."""
        if file not in self.read:
            uri = self.named(root, file)
            found = (d for d in documents(uri, _text(file)) if isinstance(d, Document))
            objects = (one for document in found for one in objects_of(document))
            self.read[file] = tuple(one for one in objects if isinstance(one, Resource))
        return self.read[file]

    def named(self, root: str, path: str) -> str:
        """A real path as the user would name it."""
        if path in self.given:
            return shown(self.given[path])
        above = (Path(file).parent for file in self.given.values())
        start = next(folder for folder in above if os.path.realpath(folder) == root)
        close = os.path.normpath(start / os.path.relpath(path, root))
        return shown(close if os.path.realpath(close) == path else path)


def _read(file: str, folder: str) -> _Kustomization:
    """What the file refers to; nothing where it cannot be read, which kustomize says better."""
    found = _Kustomization(file)
    for document in documents(file, _text(file)):
        if isinstance(document, Document) and isinstance(document.value, dict):
            found.is_component |= document.value.get("kind") == "Component"
            for name in _references(document.value):
                _place(found, folder, name)
    return found


def _text(file: str | Path) -> str:
    try:
        return Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


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


def _kustomize(tree: _Tree, root: str, found: Builds) -> None:
    reached = tree.below(root)
    used = tree.files(reached)
    found.used |= used
    named = tree.named(root, root)
    try:
        _refuse_remote(reached)
        text, start = _kustomized(root)
    except BuildError as error:
        why = f"kustomize could not build it, and it was not audited: {error}"
        found.gaps.append(Gap(named, why, Unseen.INCOMPLETE, ("*",)))
        return
    for document in documents(named, text):
        for one in _objects(document, named):
            traced = one if isinstance(one, Gap) else _traced(tree, root, start, used, one)
            found.take(traced)


def _refuse_remote(reached: Mapping[str, _Kustomization]) -> None:
    elsewhere = sorted({name for one in reached.values() for name in one.elsewhere})
    if elsewhere:
        raise BuildError(f"it needs what would have to be fetched: {', '.join(elsewhere)}")


def _kustomized(root: str) -> tuple[str, str]:
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
        around = {"resources": [inner], "buildMetadata": ["originAnnotations"]}
        Path(home, KUSTOMIZATIONS[0]).write_text(json.dumps(around), "utf-8")
        return output((*command, home), home), home


def _objects(document: Document | Broken, named: str) -> Iterator[Resource | Gap]:
    """The objects of a document that a build wrote, and a gap for whatever is none."""
    if isinstance(document, Broken):
        why = f"what is built of it is no YAML: {document.problem.why}"
        yield Gap(named, why, Unseen.INCOMPLETE, ("*",))
        return
    for found in objects_of(document):
        if isinstance(found, Resource):
            yield found
        else:
            yield replace(found.gap, what=named, why=f"what is built of it: {found.gap.why}")


def _traced(tree: _Tree, root: str, start: str, used: set[str], resource: Resource) -> Resource:
    """An object at the place where it is written, without the note that told of it."""
    metadata = resource.manifest.get("metadata") or {}
    annotations = dict(metadata.get("annotations") or {})
    file = _origin(str(annotations.pop(_ORIGIN, "")), start)
    bare = {key: value for key, value in metadata.items() if key != "annotations"}
    kept = {**bare, "annotations": annotations} if annotations else bare
    clean = replace(resource, manifest={**resource.manifest, "metadata": kept})
    by = f"kustomize from {tree.named(root, root)}"
    if file not in used:
        return built(by, clean, tree.named(root, tree.file(root)))
    return built(by, clean, tree.named(root, file), _original(clean, tree.written(file, root)))


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


def _charts(given: Mapping[str, str]) -> list[str]:
    """The folders of charts, without those that are parts of another one."""
    named = [Path(path).parent for path in given.values() if Path(path).name == CHART]
    folders = [Path(os.path.realpath(folder)) for folder in named]
    inner = {folder / "charts" for folder in folders}
    return [str(folder) for folder in folders if inner.isdisjoint(folder.parents)]


def _renderer() -> tuple[str, ...]:
    """What renders a chart whose folder comes next: Helm, or its package for Python."""
    helm = program("helm")
    if helm:
        return (helm, "template", "release-name")
    if importlib.util.find_spec("helm_python"):
        return (sys.executable, "-P", "-c", _RENDER)
    return ()


def _helm(tree: _Tree, root: str, found: Builds) -> None:
    parts = {Path(root, part) for part in ("templates", "charts")}
    found.used |= {path for path in tree.given if not parts.isdisjoint(Path(path).parents)}
    named = tree.named(root, root)
    try:
        _refuse_missing(root)
        with tempfile.TemporaryDirectory(prefix="auditor-") as home:
            text = output((*_renderer(), root), home)
    except BuildError as error:
        why = f"Helm could not render it, and its templates were not audited: {error}"
        found.gaps.append(Gap(named, why, Unseen.INCOMPLETE, ("*",)))
        return
    file = str(Path(root, CHART))
    for document in documents(named, text):
        told = _SOURCE.findall(text[document.start : document.end])
        file = _template(root, told[0]) if told else file
        place = tree.named(root, file)
        for one in _objects(document, place):
            found.take(one if isinstance(one, Gap) else built(f"Helm from {named}", one, place))


def _refuse_missing(root: str) -> None:
    """Helm refuses a chart whose dependencies are not there; its package would leave them out."""
    chart = next(iter(documents("", _text(Path(root, CHART)))), None)
    value = chart.value if isinstance(chart, Document) else None
    wanted = value.get("dependencies") if isinstance(value, dict) else None
    listed = wanted if isinstance(wanted, list) else []
    names = [str(one.get("name")) for one in listed if isinstance(one, dict)]
    folder = Path(root, "charts")
    there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    missing = [name for name in names if not _is_among(name, there)]
    if missing:
        raise BuildError(f"charts it depends on are not there: {', '.join(missing)}")


def _is_among(name: str, there: Sequence[str]) -> bool:
    packed = re.compile(rf"{re.escape(name)}-v?\d.*\.tgz")
    return any(one == name or packed.fullmatch(one) for one in there)


def _template(root: str, told: str) -> str:
    """The template that Helm names, as ``chart/templates/a.yaml``; the chart where it is packed."""
    file = Path(os.path.realpath(Path(root, told.strip().partition("/")[2])))
    is_there = file.is_relative_to(root) and file.is_file()
    return str(file if is_there else Path(root, CHART))
