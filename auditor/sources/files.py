"""Reads manifests from files, folders and standard input into a snapshot.

What cannot be read becomes a gap that names file and line; the rest of the file still counts.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from pathlib import Path

from auditor.memory import collector_paused
from auditor.model import Gap, Key, Resource, Snapshot, Unseen
from auditor.sources.building import Build, Building
from auditor.sources.builds import Builder
from auditor.sources.built import Built, Made
from auditor.sources.charts import can_render
from auditor.sources.folders import STDIN, File, files_of
from auditor.sources.letters import as_text
from auditor.sources.named import empty
from auditor.sources.objects import objects_of
from auditor.sources.scopes import DEFAULT_NAMESPACE, Custom, custom_scopes, in_namespace
from auditor.sources.templates import Templated, forget
from auditor.sources.variants import Variant, variants
from auditor.sources.yaml import Broken, Document, documents
from auditor.terms import CHART, KUSTOMIZATIONS
from auditor.values import dataclass

_OTHERS = (*KUSTOMIZATIONS, CHART, "Chart.yml", "Chart.lock")
"""Names of files of Kustomize and Helm, which hold no object."""
_KIND = re.compile(
    r"^[ \t]*[\"']?kind[\"']?[ \t]*:[ \t]*[\"']?([A-Za-z][A-Za-z0-9]*)", re.MULTILINE
)
_OBJECT = re.compile(r"\b(?:apiVersion|kind)\b")
MOST_PLACES = 4
"""So many places of one object are named; of more, one less, and how often it is written."""


@dataclass(frozen=True, slots=True)
class FileSource:
    """Files, folders with all below them, patterns, and `-` for standard input."""

    paths: tuple[str, ...]
    building: Building = field(default_factory=Building)
    expecting: Callable[[int], None] = lambda _number: None
    """Is told how many files there are before they are read."""

    @collector_paused()
    def snapshot(self) -> Snapshot:
        """Every object that is written or built there, and a gap for all that could not be seen;
        alternatives beside each other.

        Raises:
            UsageError: a path does not exist.
        """
        reading = self._read()
        built = [one for build in reading.builds for one in build.resources]
        return reading.snapshot((*reading.resources, *built))

    @collector_paused()
    def variants(self) -> tuple[Variant, ...]:
        """The same, apart where several builds make one object: each as the cluster would be.

        Raises:
            UsageError: as `snapshot`; also where values are given and there is no chart for them.
        """
        reading = self._read()
        found = variants(reading.resources, reading.builds)
        return tuple(Variant(one.name, reading.snapshot(one.resources)) for one in found)

    def _folders(self) -> tuple[str, ...]:
        """The real paths of the folders that were named."""
        named = (os.path.realpath(path) for path in self.paths if Path(path).is_dir())
        return tuple(dict.fromkeys(named))

    def _read(self) -> _Reading:
        reading = _Reading()
        forget()
        found = list(files_of(self.paths))
        files = [file for file in found if isinstance(file, File)]
        unread = [gap for gap in found if isinstance(gap, Gap)]
        self.expecting(len(files))
        builder = Builder(files, self.building, self._folders())
        reading.gaps += unread
        for file in files:
            if not builder.used or os.path.realpath(file.path) not in builder.used:
                reading.read(file)
        made = builder.build(reading.resources, reading.more)
        reading.gaps += made.gaps
        told = [*builder.used, *reading.told, *(gap.what for gap in unread)]
        reading.gaps += empty(self.paths, told)
        return reading.placed(made.made)


@dataclass(slots=True)
class _Reading:
    """What was found so far."""

    resources: list[Resource] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    charts: dict[str, int] = field(default_factory=dict)
    """Folder of a chart → how many of its templates are not rendered."""

    builds: list[Build] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    """The files that had something to tell: an object, or a gap."""

    def placed(self, made: list[Build]) -> _Reading:
        """With what was built, every object in the namespace where it would be."""
        everything = (*self.resources, *(one for build in made for one in build.resources))
        custom = custom_scopes(resource.manifest for resource in everything)
        self.resources = [_placed(one, custom) for one in self.resources]
        self.builds = made
        for build in made:
            build.resources = [_placed(one, custom, build.namespace) for one in build.resources]
        return self

    def snapshot(self, resources: tuple[Resource, ...]) -> Snapshot:
        """These objects, and all that could not be seen."""
        charts = [_unrendered_chart(chart, count) for chart, count in self.charts.items()]
        return Snapshot(resources, (*self.gaps, *charts, *_twice(resources)))

    def more(self, files: Sequence[File]) -> list[Resource]:
        """The objects of further files."""
        before = len(self.resources)
        for file in files:
            self.read(file)
        return self.resources[before:]

    def read(self, file: File) -> None:
        """Take what the file holds."""
        before = self._size()
        self._read(file)
        self.told += [file.path] if self._size() > before else []

    def _size(self) -> int:
        return len(self.resources) + len(self.gaps) + sum(self.charts.values())

    def _read(self, file: File) -> None:
        try:
            data = sys.stdin.buffer.read() if file.path == STDIN else _bytes_of(file.path)
        except OSError as error:
            why = f"it could not be read: {error.strerror or error}"
            self.gaps.append(_gap(file.uri, why))
            return
        uri = file.uri
        text, rewritable, gap = _decoded(uri, data)
        self.gaps += [gap] if gap else []
        chart = _chart_of(file) if "{{" in text else None
        if chart:
            self.charts[chart] = self.charts.get(chart, 0) + 1
            return
        if _is_other(file):
            self.gaps += _kustomization(file)
            return
        rewritable = rewritable and file.path.isprintable()
        for document in documents(uri, text, rewritable=rewritable):
            self._take(file, document)

    def _take(self, file: File, document: Document | Broken) -> None:
        if isinstance(document, Broken):
            self.gaps += _broken(file, document)
            return
        for problem in document.problems:
            what = f"{file.uri}:{document.source.line(problem.offset)}"
            self.gaps.append(Gap(what, problem.why, Unseen.UNKNOWN))
        spelled, gaps = as_text(document)
        self.gaps += gaps
        for found in objects_of(spelled):
            if isinstance(found, Resource):
                self.resources.append(found)
            elif found.certain or file.named:
                self.gaps.append(found.gap)


def _placed(resource: Resource, custom: Custom, release: str = "") -> Resource:
    """The object in its namespace: `release` is where a build puts what names none."""
    ref = in_namespace(resource.ref, custom)
    if release and not resource.ref.namespace and ref.namespace == DEFAULT_NAMESPACE:
        ref = replace(ref, namespace=release)
    return Resource(ref, resource.manifest, resource.origin)


def _gap(what: str, why: str, *kinds: str) -> Gap:
    return Gap(what, why, Unseen.INCOMPLETE, kinds or ("*",))


def _bytes_of(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - twice as fast as a Path reads
        return file.read()


def _decoded(uri: str, data: bytes) -> tuple[str, bool, Gap | None]:
    """The text as kubectl reads it, whether it is the file byte for byte, and what is odd."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16"), False, None
        except UnicodeDecodeError as error:
            why = f"it begins as UTF-16 and is none: {error.reason} at byte {error.start}"
            return data.decode("utf-16", "replace"), False, _gap(uri, why)
    try:
        return data.decode("utf-8"), True, None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        why = f"it is not UTF-8: byte {error.start} is {data[error.start]:#04x}"
        return data.decode("utf-8", "replace"), False, _gap(f"{uri}:{line}", why)


def _is_other(file: File) -> bool:
    """Whether the file belongs to Helm or Kustomize, and holds no object by its name. Few do: to
    take the name of every file apart would take longer than to look at its end.
    """
    return file.path.endswith(_OTHERS) and Path(file.path).name in _OTHERS


def _kustomization(file: File) -> list[Gap]:
    if Path(file.path).name not in KUSTOMIZATIONS:
        return []
    return [_gap(file.uri, "no build uses it: its files are audited as they stand")]


def _chart_of(file: File) -> str | None:
    """The chart whose template the file is."""
    if file.path == STDIN:
        return None
    for folder in Path(file.path).absolute().parents:
        if folder.name == "templates" and (folder.parent / CHART).is_file():
            depth = len(Path(file.path).absolute().relative_to(folder.parent).parts)
            named = Path(file.path).parts
            return Path(*named[:-depth]).as_posix() if len(named) > depth else str(folder.parent)
    return None


def _unrendered_chart(chart: str, count: int) -> Gap:
    templates = "one template is" if count == 1 else f"{count} templates are"
    return _gap(chart, f"a Helm chart: {templates} not rendered{_wanting()}")


def _wanting() -> str:
    """What is to be done about a chart."""
    if can_render():
        return ": name the whole chart, or audit what `helm template` writes"
    return ": helm is not on PATH; install it, or `pip install helm-python-sdk`"


def _broken(file: File, document: Broken) -> list[Gap]:
    text = document.text[document.start : document.end]
    place = document.span(())
    what = f"{file.uri}:{place.line}:{place.column}"
    if not file.named and not _OBJECT.search(text):
        why = f"it is no YAML, and may be no manifest: {document.problem.why}"
        return [Gap(what, why, Unseen.UNKNOWN, ("*",))]
    if "{{" in text:
        line = f"{file.uri}:{place.line}"
        return [_gap(line, "a template that is not rendered", *_kinds(text))]
    return [_gap(what, f"it is no YAML: {document.problem.why}", *_kinds(text))]


def _kinds(text: str) -> tuple[str, ...]:
    """The kind of a broken document where only one is written, and it is no list."""
    kinds = set(_KIND.findall(text))
    return tuple(kinds) if len(kinds) == 1 and not kinds & {"List"} else ()


def _twice(resources: tuple[Resource, ...]) -> Iterator[Gap]:
    """A gap for every identity that several objects have."""
    same: dict[Key, list[Resource]] = {}
    for resource in resources:
        same.setdefault(resource.ref.key, []).append(resource)
    for found in same.values():
        ref = found[0].ref
        if len(found) > 1 and ref.name and not ref.name.endswith("*"):
            why = f"it is written {_written(found)}: only one of them can be there"
            yield Gap(str(ref), why, Unseen.UNKNOWN)


def _written(found: Sequence[Resource]) -> str:
    """How often and where: only of those that are named the line is looked for."""
    if len(found) <= MOST_PLACES:
        return f"more than once, at {' and '.join(dict.fromkeys(map(_place, found)))}"
    places = dict.fromkeys(map(_place, found[: MOST_PLACES - 1]))
    return f"{len(found)} times, first at {', '.join(places)}"


def _place(resource: Resource) -> str:
    lines = resource.origin.lines
    made = f" by {lines.by}" if isinstance(lines, Built | Made | Templated) else ""
    if isinstance(lines, Document) and not resource.origin.prefix:
        line = lines.first_line  # thousands of namesakes need no tree each
    else:
        line = resource.origin.span(()).line
    return f"{resource.origin.uri}:{line}{made}"
