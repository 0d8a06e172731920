"""Renders the Helm charts among the files, once for each of their sets of values.

Nothing is fetched. What a chart consists of: https://helm.sh/docs/topics/charts/. Hooks and tests
are objects like others: they are rendered, and never run.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from auditor.credentials import told as without_credentials
from auditor.model import Path as Field
from auditor.model import Resource, Unseen
from auditor.sources.building import (
    Build,
    Building,
    Builds,
    Rendering,
    built_objects,
    first_value,
)
from auditor.sources.built import built
from auditor.sources.kustomizations import Tree
from auditor.sources.programs import BuildError, output, program
from auditor.sources.recipes import Batch, Maker, Recipe, Where, text_read
from auditor.sources.templates import ValuesFile, templated, values_of
from auditor.sources.yaml import Document, documents
from auditor.terms import CHART
from auditor.values import dataclass

_BESIDE = ("values-*.y*ml", "values.*.y*ml", "values/*.y*ml", "ci/*-values.y*ml")
"""Where people keep further values; the last is that of chart-testing."""
_LABEL = re.compile(r"(?:values[-.])?(.+?)(?:-values)?\.ya?ml\Z")
_HOOK = "helm.sh/hook"
_SOURCE = re.compile(r"^# Source: (.+)$", re.MULTILINE)
_RENDER = """
import json, sys
from helm_python import Chart, _native, parse_set_string, values_from_yaml

def merged(old, new, now):
    for key, value in new.items():
        if isinstance(old.get(key), list) and isinstance(value, list) and "[" in now:
            sys.exit(f"Error: {now}: an item of a list that a values file has is set by helm alone")
        both = isinstance(old.get(key), dict) and isinstance(value, dict)
        old[key] = merged(old[key], value, now) if both else value
    return old

def rendered(order):
    values = {}
    for file in order["files"]:
        with open(file, encoding="utf-8") as opened:
            values = merged(values, values_from_yaml(opened.read()) or {}, "")
    for now in order["sets"]:
        values = merged(values, parse_set_string(now), now)
    with Chart.load(order["chart"]) as chart:
        told = json.dumps(order["options"])
        made = _native.call_string("helm_render", chart._raw(), json.dumps(values), told)
    for name, text in sorted(json.loads(made).items()):
        if name.endswith((".yaml", ".yml", ".json")):
            yield f"---\\n# Source: {name}\\n{text}\\n"

def answered(order):
    try:
        return {"text": "".join(rendered(order))}
    except (Exception, SystemExit) as error:
        return {"error": str(error).removeprefix("Error: ")}

asked = json.loads(sys.argv[1])
if isinstance(asked, list):
    for order in asked:
        print(json.dumps(answered(order)))
else:
    answer = answered(asked)
    if "error" in answer:
        sys.exit("Error: " + answer["error"])
    print(answer["text"], end="")
"""


@dataclass(frozen=True, slots=True)
class _Rendered:
    """What came of one rendering."""

    order: Rendering
    text: str


def charts_of(tree: Tree) -> list[str]:
    """The folders of charts, without those that are parts of another one, and without libraries,
    of which nothing is made.
    """
    named = [Path(path).parent for path in tree.given.values() if Path(path).name == CHART]
    folders = [Path(os.path.realpath(folder)) for folder in named]
    inner = {folder / "charts" for folder in folders}
    return [str(folder) for folder in folders if inner.isdisjoint(folder.parents)]


def can_render() -> bool:
    """Whether Helm or its package is there."""
    return bool(program("helm") or importlib.util.find_spec("helm_python"))


def helm(
    tree: Tree, root: str, found: Builds, building: Building, asked: Sequence[Rendering] = ()
) -> list[Build]:
    """What Helm makes of a chart, one build for each of its sets of values; a gap for each that
    cannot be rendered. `asked` are the ways that are wanted, in the place of those that are found.
    """
    found.used |= used_by(tree, root)
    chart = first_value(Path(root, CHART))
    if isinstance(chart, dict) and chart.get("type") == "library":
        return []
    orders = list(asked or _renderings(tree, root, found, building))
    done: list[_Rendered] = []
    failed: list[tuple[Rendering, str]] = []
    for order in orders:
        try:
            _refuse_missing(root)
            _refuse_links(root)
            _refuse_files(order)
            done.append(_Rendered(order, _rendered(root, order, building)))
        except BuildError as error:
            failed.append((order, str(error)))
    for order, why in failed:
        found.refuse(tree.named(root, root), *_told(order, why, is_whole=not done))
    return _builds(tree, root, found, building, done)


def _builds(
    tree: Tree, root: str, found: Builds, building: Building, done: list[_Rendered]
) -> list[Build]:
    """One build for each rendering that is unlike those before it."""
    files = _all_files(root)
    first: dict[tuple[str, str], Recipe] = {}
    for one in done:
        named = tree.named(root, root)
        made = Build(f"{named} {_called(one.order)}".rstrip(), _label(one.order))
        made.namespace = one.order.namespace
        recipe = Recipe(
            made, root, files | set(one.order.values), frozenset(tree.given),
            partial(_again, root, one.order, building), partial(text_read, named),
            _batch(root, one.order, building),
        )  # fmt: skip
        same = first.setdefault((one.text, one.order.namespace), recipe)
        if same is recipe:
            _fill(tree, root, found, one, recipe)
        else:
            same.twins.append(recipe)
    return [recipe.build for recipe in first.values()]


def _again(root: str, order: Rendering, building: Building, where: Where) -> str:
    """What Helm writes of a copy of the chart."""
    moved = replace(order, values=tuple(map(where, order.values)))
    return _rendered(where(root), moved, building)


def _batch(root: str, order: Rendering, building: Building) -> Batch | None:
    """Where the package renders, starting its process is most of what that costs."""
    if program("helm") or order.inline:
        return None

    def told(where: Where) -> dict[str, Any]:
        moved = replace(order, values=tuple(map(where, order.values)))
        return _told_to_package(where(root), replace(moved, kubernetes=_version(order, building)))

    return Batch(told, _rendered_together)


def _rendered_together(told: Sequence[dict[str, Any]]) -> list[str | BuildError]:
    with tempfile.TemporaryDirectory(prefix="auditor-") as home:
        text = output((sys.executable, "-P", "-c", _RENDER, json.dumps(told)), home)
    found = [json.loads(line) for line in text.splitlines()]
    if len(found) != len(told):
        raise BuildError("it made something else than it was asked for")
    return [
        one["text"] if "text" in one else BuildError(without_credentials(str(one["error"])))
        for one in found
    ]


def _all_files(root: str) -> frozenset[str]:
    found = (str(Path(folder, name)) for folder, _, names in os.walk(root) for name in names)
    return frozenset(file for file in found if ".git" not in Path(file).parts)


def used_by(tree: Tree, root: str) -> set[str]:
    """The given files that belong to the chart and are no objects as they stand."""
    parts = {Path(root, part) for part in ("templates", "charts")}
    inside = {path for path in tree.given if not parts.isdisjoint(Path(path).parents)}
    definitions = {path for path in inside if "crds" in Path(path).relative_to(root).parts}
    values = {os.path.realpath(path) for path in _beside(root)}
    return (inside - definitions) | values | {str(Path(root, "values.yaml"))}


def _beside(root: str) -> list[Path]:
    """The further values files of a chart, in the order of their names."""
    return [path for pattern in _BESIDE for path in sorted(Path(root).glob(pattern))]


def _renderings(tree: Tree, root: str, found: Builds, building: Building) -> Iterator[Rendering]:
    """The ways in which a chart is to be rendered: as the command line says, else as it is
    declared, else with its own values and with each values file beside them.
    """
    if building.commanded:
        yield building.commanded
        return
    if root in building.charts:
        yield from building.charts[root]
        return
    yield Rendering()
    for path in _beside(root):
        real = os.path.realpath(path)
        if Path(real).is_relative_to(root):
            yield Rendering((real,), name=path.relative_to(root).as_posix())
        else:
            named = tree.named(root, str(path))
            found.refuse(named, "a values file that leaves the chart: it was not used")


def _told(order: Rendering, why: str, *, is_whole: bool) -> tuple[str, Unseen]:
    """Why a rendering failed. A chart that demands values and has sets of them was seen."""
    known = not is_whole and order == Rendering()
    how = _called(order) or ("with its own values alone" if not is_whole else "")
    rest = "its templates were" if is_whole else "that variant was"
    said = f"Helm could not render it {how}".rstrip()
    return (
        f"{said}, and {rest} not audited: {why}",
        Unseen.UNKNOWN if known else Unseen.INCOMPLETE,
    )


def _called(order: Rendering) -> str:
    """What tells a rendering from others, for people."""
    files = [Path(file).name for file in order.values]
    name = order.name or ", ".join((*files, *(one.partition("=")[0] for one in order.sets)))
    if order.by:
        return order.name
    return f"with {name}" if name else ""


def _label(order: Rendering) -> str:
    last = order.name or (Path(order.values[-1]).name if order.values else "")
    fits = _LABEL.fullmatch(Path(last).name)
    return fits[1] if fits else last


def _fill(tree: Tree, root: str, found: Builds, one: _Rendered, recipe: Recipe) -> None:
    """Put the objects of a rendering into its build, each at its place."""
    named, made = tree.named(root, root), recipe.build
    by = f"Helm from {named}" + (f" by {one.order.by}" if one.order.by else "")
    own = str(Path(root, "values.yaml"))
    files = [ValuesFile(file, tree.named(root, file)) for file in (own, *one.order.values)]
    overridden = tuple(_overridden(one.order))
    told = [(match.start(), match[1]) for match in _SOURCE.finditer(one.text)]
    for document in documents(named, one.text):
        # A template that begins with a marker leaves the note on it alone in a document before.
        above = bisect_left(told, (document.end,)) - 1
        file = _template(root, told[above][1]) if above >= 0 else str(Path(root, CHART))
        place = tree.named(root, file)
        values = values_of(root, file, files, overridden)
        for resource in built_objects(document, place):
            if isinstance(resource, Resource):
                maker = Maker(_by(by, resource), recipe)
                is_packed = Path(file).name == CHART
                made.resources.append(
                    built(maker, resource, place)
                    if is_packed
                    else templated(maker, resource, place, file, values)
                )
            else:
                found.gaps.append(resource)


def _overridden(order: Rendering) -> Iterator[Field]:
    """The values paths that no file says."""
    for one in order.sets:
        for key in re.findall(r"(?:^|(?<=,))([^=,]+)=", one):
            yield tuple(key.partition("[")[0].replace("\\.", ".").split("."))
    for document in (one for text in order.inline for one in documents("", text)):
        if isinstance(document, Document):
            yield from _leaves(document.value, ())


def _leaves(value: Any, path: Field) -> Iterator[Field]:
    if isinstance(value, dict) and value:
        for key, inside in value.items():
            yield from _leaves(inside, (*path, key))
    else:
        yield path


def _by(by: str, resource: Resource) -> str:
    metadata = resource.manifest.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    hook = annotations.get(_HOOK) if isinstance(annotations, dict) else None
    return f"{by}, as a hook ({hook})" if isinstance(hook, str) else by


def _rendered(root: str, order: Rendering, building: Building) -> str:
    """What Helm writes."""
    version = _version(order, building)
    with tempfile.TemporaryDirectory(prefix="auditor-") as home:
        files = list(order.values)
        for number, text in enumerate(order.inline):
            files.append(str(Path(home, f"inline-{number}.yaml")))
            Path(files[-1]).write_text(text, "utf-8")
        order = replace(order, values=tuple(files), kubernetes=version)
        return output(_command(root, order), home)


def _version(order: Rendering, building: Building) -> str:
    major, minor = divmod(building.kubernetes, 100)
    return order.kubernetes or f"{major}.{minor}.0"


def _command(root: str, order: Rendering) -> tuple[str, ...]:
    program_ = program("helm")
    if program_:
        files = [word for file in order.values for word in ("--values", file)]
        sets = [word for one in order.sets for word in ("--set", one)]
        space = ("--namespace", order.namespace) if order.namespace else ()
        version = ("--kube-version", order.kubernetes)
        return (program_, "template", *space, *version, *files, *sets, "--", order.release, root)
    return (sys.executable, "-P", "-c", _RENDER, json.dumps(_told_to_package(root, order)))


def _told_to_package(root: str, order: Rendering) -> dict[str, Any]:
    options = {
        "name": order.release,
        "namespace": order.namespace or "default",
        "kube_version": order.kubernetes,
    }
    return {"chart": root, "files": order.values, "sets": order.sets, "options": options}


def _refuse_missing(root: str) -> None:
    """Helm refuses a chart whose dependencies are not there; its package would leave them out."""
    value = first_value(Path(root, CHART))
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


def _refuse_links(root: str) -> None:
    """Helm follows links, and links below what they lead to: a chart may not pull the files of who
    audits it into its objects.
    """
    top = repository(root) or Path(root)
    ahead, seen = [Path(root)], {os.path.realpath(root)}
    while ahead:
        for path in _links_below(ahead.pop()):
            target = os.path.realpath(path)
            if not Path(target).is_relative_to(top):
                raise BuildError(f"a symbolic link leaves it: {os.path.relpath(path, root)}")
            if target not in seen and Path(target).is_dir():
                seen.add(target)
                ahead.append(path)


def _links_below(start: Path) -> Iterator[Path]:
    """The symbolic links in a folder, and in those below it that are no links."""
    for folder, folders, files in os.walk(start):
        found = (Path(folder, name) for name in (*folders, *files))
        yield from (path for path in found if path.is_symlink())


def _refuse_files(order: Rendering) -> None:
    """A declared values file is one of the user's own."""
    for file in order.values:
        if order.within and not Path(os.path.realpath(file)).is_relative_to(order.within):
            raise BuildError(f"the values file {Path(file).name} leaves {order.within}")
        if not Path(file).is_file():
            raise BuildError(f"the values file {Path(file).name} is not there")


def repository(folder: str) -> Path | None:
    """The folder of the Git repository that a folder is in."""
    start = Path(folder)
    return next((one for one in (start, *start.parents) if (one / ".git").exists()), None)


def _template(root: str, told: str) -> str:
    """The template that Helm names, as ``chart/templates/a.yaml``; the chart where it is packed."""
    file = Path(os.path.realpath(Path(root, told.strip().partition("/")[2])))
    is_there = file.is_relative_to(root) and file.is_file()
    return str(file if is_there else Path(root, CHART))
