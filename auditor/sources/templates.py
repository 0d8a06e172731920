"""Where a field of a rendered object is written in its Helm template, and which value fills it.

Both are told only where they are certain; else the nearest field above it, or the object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path as FilePath
from typing import Any

from auditor.model import Manifest, Origin, Path, Resource, Span
from auditor.sources.building import text_in
from auditor.sources.places import SourceText, find
from auditor.sources.recipes import Maker, Recipe
from auditor.sources.supply import Supply
from auditor.sources.template_tree import HOLE, Block, Line, template_tree
from auditor.sources.yaml import Document, documents
from auditor.values import dataclass

_VALUES = re.compile(r"(?:\$)?\.Values((?:\.\w+)+)")
_DOT = re.compile(r"\.((?:\w+(?:\.\w+)*)?)")
_HARMLESS = re.compile(r"(?:quote|squote|toString|toYaml|int|int64|n?indent\s+\d+|default\s+\S+)\Z")
_BEFORE = re.compile(r"(?:(?:toYaml|quote|squote|default\s+\S+|required\s+\"[^\"]*\")\s+)?(\S+)\Z")
_MISSING = object()


@dataclass(frozen=True, slots=True)
class ValuesFile:
    """A file of values of a chart."""

    file: str
    """Its real path."""
    uri: str
    """As the user would name it."""


@dataclass(frozen=True, slots=True)
class Values:
    """What a chart was rendered with."""

    files: tuple[ValuesFile, ...]
    """The chart's own values.yaml first; a later one counts before an earlier one."""
    chart: tuple[str, ...] = ()
    """The names of the subcharts that lead to the template, none for the chart's own."""
    own: tuple[ValuesFile, ...] = ()
    """The values.yaml of the subchart itself, where it is one."""
    overridden: tuple[Path, ...] = ()
    """What the command line or a GitOps object sets: no file says it."""

    def supply(self, path: Path, value: Any) -> Supply | None:
        """The last file that has this values path, if it says just this value there."""
        if self.is_overridden(path):
            return None
        for document, where in self._asked(path):
            found = _at(document.value, where)
            if found is not _MISSING:
                fits = type(found) is type(value) and found == value
                written = find(document.root, where).complete
                return Supply(document, where) if fits and written else None
        return None

    def is_overridden(self, path: Path) -> bool:
        """Whether the command line or a GitOps object sets the value, or a part of it."""
        return any(_meet(self._whole(path), one) for one in self.overridden)

    def homes(self, path: Path) -> Iterator[Supply]:
        """Where a values path that no file has could be added: the first file that has what is
        nearest above it, then the others. The first one counts for every set of values.
        """
        asked = list(self._asked(path))
        asked.reverse()
        for length in range(len(path) - 1, -1, -1):
            cut = len(path) - length
            for document, where in asked:
                if isinstance(_at(document.value, where[: len(where) - cut]), dict):
                    yield Supply(document, where)

    def vacant(self, path: Path) -> Supply | None:
        """The last file that has this values path, if it says nothing there: null, ``{}``."""
        for document, where in self._asked(path):
            found = _at(document.value, where)
            if found is not _MISSING:
                return Supply(document, where) if found in (None, "", {}, []) else None
        return None

    def has(self, path: Path) -> bool:
        """Whether a file has this values path."""
        return any(_at(one.value, where) is not _MISSING for one, where in self._asked(path))

    def _whole(self, path: Path) -> Path:
        return path if path[:1] == ("global",) else (*self.chart, *path)

    def _asked(self, path: Path) -> Iterator[tuple[Document, Path]]:
        """The files in the order in which they count, each with the path that it would have."""
        asked = [(file, self._whole(path)) for file in reversed(self.files)]
        for file, where in (*asked, *((file, path) for file in self.own)):
            document = _document(file.uri, file.file)
            if document:
                yield document, where


def _meet(one: Path, other: Path) -> bool:
    """Whether one path is the other, or above it."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


@dataclass(frozen=True, eq=False)
class Templated:
    """A rendered object in its template (`auditor.model.Lines`)."""

    by: str
    """What rendered it, and from what: ``Helm from shop/chart``."""
    manifest: Manifest
    """As it was rendered."""
    uri: str
    """The template as the user would name it."""
    file: str
    """Its real path."""
    values: Values
    recipe: Recipe | None = None
    """How it can be built again."""
    is_whole = False
    """Not every value has a place in the template, so that none can be hidden by it."""

    @property
    def text(self) -> str:
        """The template."""
        return _source(self.uri, self.file).text

    def span(self, path: Path) -> Span:
        """The region of the field, or of the nearest field above it that is known; of the whole
        object, its first line; where that is not certain either, the start of the template.
        """
        source = _source(self.uri, self.file)
        line, depth = self._line(path)
        if line is None:
            return Span(1, 1, 1, 1)
        if line.key is None and line.indent < 0:
            line = line.below[0] if line.below else line
        start, end = line.start, max(line.value[1], line.start)
        if depth == len(path) and line.text:
            start = line.value[0]
        return source.span(start, end)

    def supply(self, path: Path) -> Supply | None:
        """The value in a values file that fills the field, where that is certain."""
        value = _at(self.manifest, path)
        if value is _MISSING or isinstance(value, dict | list):
            return None
        found = self.values_path(path)
        return self.values.supply(found, value) if found is not None else None

    def values_path(self, path: Path) -> Path | None:
        """The values path that the template writes at `path` as it is, whether something is there
        or not; None where it writes something else, or nothing is certain.
        """
        line, depth = self._line(path)
        if line is None:
            return None
        if depth < len(path):
            alike = [one for one in line.below if one.key == path[depth]]
            if len(alike) == 1 and _at(self.manifest, path[: depth + 1]) is _MISSING:
                line, depth = alike[0], depth + 1
        for said, blocks in _writers(line, whole=depth == len(path)):
            values_path = _values_path(said, blocks)
            if values_path is not None:
                return (*values_path, *path[depth:])
        return None

    def line(self, path: Path) -> Line | None:
        """The line of the field itself, where the template writes it out."""
        line, depth = self._line(path)
        return line if depth == len(path) else None

    @property
    def source(self) -> SourceText:
        """The template, to be edited."""
        return _source(self.uri, self.file)

    def _line(self, path: Path) -> tuple[Line | None, int]:
        """The line of the deepest field on the way that is known, and how deep that is."""
        line = self._top
        if line is None:
            return None, 0
        value: Any = self.manifest
        for depth, step in enumerate(path):
            inside = _at(value, (step,))
            below = None if inside is _MISSING else _below(line, step, inside, value)
            if below is None:
                return line, depth
            line, value = below, inside
        return line, len(path)

    @cached_property
    def _top(self) -> Line | None:
        """The document of the template that became this object, where only one can have."""
        tops = [top for top in _tops(self.uri, self.file) if _may_be(top, self.manifest)]
        return tops[0] if len(tops) == 1 else None


def templated(maker: Maker, resource: Resource, uri: str, file: str, values: Values) -> Resource:
    """The object with its place in the template `file`, that the user would call `uri`."""
    lines = Templated(maker.by, resource.manifest, uri, file, values, maker.recipe)
    return Resource(resource.ref, resource.manifest, Origin(uri, lines))


@lru_cache(maxsize=256)
def _source(uri: str, file: str) -> SourceText:
    return SourceText(uri, text_in(file))


@lru_cache(maxsize=256)
def _tops(uri: str, file: str) -> tuple[Line, ...]:
    return tuple(template_tree(_source(uri, file).text))


@lru_cache(maxsize=64)
def _document(uri: str, file: str) -> Document | None:
    found = [one for one in documents(uri, text_in(file)) if isinstance(one, Document)]
    return found[0] if len(found) == 1 else None


def forget() -> None:
    """Read every template and values file again when it is next asked for."""
    for cached in (_source, _tops, _document):
        cached.cache_clear()


def _at(value: Any, path: Path) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return value


def _may_be(top: Line, manifest: Manifest) -> bool:
    """Whether a document of the template may have become the object: it says its kind, and nothing
    that speaks against it.
    """
    keys = ("apiVersion", "kind")
    said = [line for line in top.below if line.key in keys]
    if not any(line.key == "kind" and _fits(line, manifest.get("kind")) for line in said):
        return False
    if not all(_fits(line, manifest.get(str(line.key))) for line in said if not line.blocks):
        return False
    names = [
        line
        for metadata in top.below
        if metadata.key == "metadata"
        for line in metadata.below
        if line.key == "name" and not line.may_be_missing(top)
    ]
    return all(_fits(line, _at(manifest, ("metadata", "name"))) for line in names)


def _below(line: Line, step: str | int, value: Any, around: Any) -> Line | None:
    """The line that became what is one step below `line`."""
    if isinstance(step, int):
        return _item(line, step, around)
    found = [one for one in line.below if one.key == step and _fits(one, value)]
    if len(found) != 1 or (line.is_open(around) and found[0].may_be_missing(line)):
        return None
    return found[0]


def _item(line: Line, index: int, around: list[Any]) -> Line | None:
    items = [one for one in line.below if one.key is None]
    like = [one for one in items if _fits_item(one, around[index])]
    outright = [one for one in like if _is_named(one) and not one.may_be_missing(line)]
    for one in outright:
        if sum(_fits_item(one, other) for other in around) == 1:
            return one  # it is always written, so that nothing else can have written this
    if len(like) != 1:
        return None
    [found] = like
    alike = sum(_fits_item(found, other) for other in around)
    if line.is_open(around):
        sure = False
    elif found.is_repeated(line):
        sure = True
    else:
        sure = alike == 1
    return found if sure else None


def _is_named(item: Line) -> bool:
    """Whether the template says the name of the item outright."""
    return any(
        one.key == "name" and one.text and HOLE not in one.text and not one.may_be_missing(item)
        for one in item.below
    )


def _fits_item(item: Line, value: Any) -> bool:
    if item.text or not isinstance(value, dict):
        return _fits(item, value)
    always = [one for one in item.below if not one.may_be_missing(item)]
    return all(one.key in value and _fits(one, value[one.key]) for one in always)


def _fits(line: Line, value: Any) -> bool:
    """Whether the line may have become the value."""
    text = line.text
    if not text:
        return line.is_open(value) or bool(line.below) or value in (None, "")
    if HOLE in text:
        whole = not text.strip(HOLE + " ")
        if isinstance(value, dict | list):
            return whole or text[0] in "{["
        pattern = ".*".join(re.escape(part) for part in re.split(f"{HOLE}+", _bare(text)))
        return re.fullmatch(pattern, _said(value), re.DOTALL) is not None
    if text[0] in "{[":
        return isinstance(value, dict | list)
    if text[0] in "|>":
        return isinstance(value, str)
    return text[0] not in "&*!" and _bare(text) == _said(value)


def _bare(text: str) -> str:
    """A scalar without its quotes."""
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if quoted else text


def _said(value: Any) -> str:
    """A scalar as YAML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def _writers(line: Line, *, whole: bool) -> Iterator[tuple[str, Sequence[Block]]]:
    """The one action that writes the field, with the branches around it; none where several may."""
    if whole and line.actions:
        if len(line.actions) == 1 and not line.text.strip(f"{HOLE} \"'") and not line.emitted:
            yield line.actions[0], line.blocks
        return
    emitted = [(one.said, one.blocks) for one in line.emitted]
    written = [*((said, line.blocks) for said in line.actions), *emitted]
    if len(written) == 1 and "toYaml" in written[0][0]:
        yield written[0]


def _values_path(said: str, blocks: Sequence[Block]) -> Path | None:
    """The values path that an action writes as it is; None where it does something else."""
    head, *filters = (part.strip() for part in said.split("|"))
    if not all(_HARMLESS.match(one) for one in filters):
        return None
    fits = _BEFORE.match(head)
    return _path_of(fits[1], blocks) if fits else None


def _path_of(asked: str, blocks: Sequence[Block]) -> Path | None:
    """`.Values.a.b`, or what `.` stands for inside of `with`."""
    moving = [block for block in blocks if block.kind in ("with", "range")]
    values = _VALUES.fullmatch(asked)
    if values and (not moving or asked.startswith("$")):
        return tuple(values[1].strip(".").split("."))
    dot = _DOT.fullmatch(asked)
    if not dot or not moving or moving[-1].kind != "with" or moving[-1].branch:
        return None
    outer = [block for block in blocks if block is not moving[-1]]
    base = _path_of(moving[-1].said, outer[: blocks.index(moving[-1])])
    if base is None:
        return None
    return (*base, *(dot[1].split(".") if dot[1] else ()))


def values_of(
    root: str, template: str, files: Sequence[ValuesFile], overridden: Sequence[Path]
) -> Values:
    """What a template of the chart at `root` is rendered with."""
    parts = FilePath(template).relative_to(root).parts
    names: list[str] = []
    while parts[:1] == ("charts",) and len(parts) > 2:
        names.append(parts[1])
        parts = parts[2:]
    if not names:
        return Values(tuple(files), (), (), tuple(overridden))
    folder = FilePath(root, *(piece for name in names for piece in ("charts", name)))
    above = FilePath(files[0].uri).parent if files else FilePath()
    own = FilePath(folder, "values.yaml")
    uri = FilePath(above, own.relative_to(root)).as_posix()
    return Values(tuple(files), tuple(names), (ValuesFile(str(own), uri),), tuple(overridden))
