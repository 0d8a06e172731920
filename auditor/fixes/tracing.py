"""Finds where a change of a built object is to be made: in the base or a patch of Kustomize, in the
values or a template of a Helm chart.

Only a place that may say the field is looked for here. Whether an edit there does what it should,
building again shows (`auditor.fixes.rebuilt`).
"""

from __future__ import annotations

from typing import Any

from auditor.facts.wording import dotted
from auditor.fixes.compare import same
from auditor.fixes.differences import differences
from auditor.fixes.drafts import Drafts, nested, real
from auditor.fixes.page import CannotEditError
from auditor.fixes.writing import Manner, block, leaf
from auditor.manifests import at, sequence
from auditor.model import Manifest, Operation, Path, Resource
from auditor.sources.built import Built, Made
from auditor.sources.supply import Supply
from auditor.sources.template_tree import HOLE, Line
from auditor.sources.templates import Templated
from auditor.sources.yaml import Document


def trace(drafts: Drafts, resource: Resource, wanted: Manifest) -> None:
    """Draft what makes a built object `wanted`.

    Raises:
        CannotEditError: a field is said nowhere that is certain, or outside of what was given. The
            text says which.
    """
    lines = resource.origin.lines
    for step in differences(resource.manifest, wanted):
        if isinstance(lines, Built):
            _in_kustomize(drafts, lines, step)
        elif isinstance(lines, Templated):
            _in_chart(drafts, lines, step)
        else:
            why = lines.by if isinstance(lines, Made) else "an unknown program"
            raise CannotEditError(f"no file says {dotted(step.path)} as it is built by {why}")


def _may_edit(lines: Built | Templated, uri: str) -> bool:
    return lines.recipe is not None and real(uri) in lines.recipe.given


def _in_kustomize(drafts: Drafts, lines: Built, step: Operation) -> None:
    supply = _said(lines, step)
    if supply and _may_edit(lines, supply.uri):
        path = (*supply.path, step.path[-1]) if step.op == "add" else supply.path
        drafts.step(supply.document, Operation(step.op, path, step.value))
        twice = lines.again(step.path) if step.op != "add" else None
        if twice and _may_edit(lines, twice.uri):
            drafts.step(twice.document, Operation(step.op, twice.path, step.value))
        return
    if step.op != "remove":
        for patch in lines.patches():
            if _may_edit(lines, patch.uri) and _in_patch(drafts, patch, lines.manifest, step):
                return
    where = f"{supply.uri}, which is outside of what was given" if supply else "no one place"
    raise CannotEditError(f"{dotted(step.path)} is said in {where}, and no patch is there for it")


def _said(lines: Built, step: Operation) -> Supply | None:
    """What says the field, or the mapping or the list that a new one goes into."""
    supply = lines.supply(step.path[:-1] if step.op == "add" else step.path)
    if supply is None or step.op == "add":
        return supply
    old = at(lines.manifest, step.path)
    whole = same(at(supply.document.value, supply.path), old)
    return supply if whole or not isinstance(old, dict | list) else None


def _in_patch(drafts: Drafts, patch: Document, built: Manifest, step: Operation) -> bool:
    """Draft the field into a strategic merge patch; whether that is possible."""
    said, after = drafts.value(patch), built
    way: list[str | int] = []
    for depth, key in enumerate(step.path[:-1]):
        rest = step.path[depth + 1 :]
        inside: Any
        found: str | int
        if isinstance(key, int):
            name = at(after, (key, "name"))
            named = [i for i, one in enumerate(sequence(said)) if at(one, ("name",)) == name]
            if name is None or any(isinstance(one, int) for one in rest) or step.path[-1] == "-":
                return False
            if not named:
                item = {"name": name, **nested(rest, step.value)}
                drafts.step(patch, Operation("add", (*way, "-"), item))
                return True
            inside, found = said[named[0]], named[0]
        else:
            inside = said.get(key) if isinstance(said, dict) else None
            found = key
            if inside is None and isinstance(at(after, (key,)), list):
                inside = []
                drafts.step(patch, Operation("add", (*way, key), []))
        way.append(found)
        said, after = inside, at(after, (key,))
    if step.path[-1] == "-" or isinstance(step.path[-1], int):
        return False
    drafts.step(patch, Operation("add", (*way, step.path[-1]), step.value))
    return True


def _in_chart(drafts: Drafts, lines: Templated, step: Operation) -> None:
    path = lines.values_path(step.path[:-1] if step.path[-1] == "-" else step.path)
    if path is not None:
        _in_values(drafts, lines, step, path)
    else:
        _in_template(drafts, lines, step)


def _in_values(drafts: Drafts, lines: Templated, step: Operation, path: Path) -> None:
    values = lines.values
    told = f".Values.{'.'.join(map(str, path))}"
    if values.is_overridden(path):
        raise CannotEditError(
            f"{told} is set outside of the values files, by --set or by an object"
        )
    supply: Supply | None = None
    if values.has(path):
        old = at(lines.manifest, step.path if step.path[-1] != "-" else step.path[:-1])
        supply = values.supply(path, old) or (values.vacant(path) if step.op == "add" else None)
        op = "remove" if step.op == "remove" else "replace"
        if supply is None:
            raise CannotEditError(f"{told} is not what the template makes of it")
    elif step.op != "remove":
        supply = next((o for o in values.homes(path) if _may_edit(lines, o.uri)), None)
        op = "add"
    if supply is None:
        raise CannotEditError(f"no values file can be found that says {told}")
    if not _may_edit(lines, supply.uri):
        raise CannotEditError(f"{told} is said in {supply.uri}, which is outside of what was given")
    if step.path[-1] == "-":
        old_list = at(supply.document.value, supply.path) if op == "replace" else []
        drafts.step(supply.document, Operation(op, supply.path, [*sequence(old_list), step.value]))
        return
    drafts.step(supply.document, Operation(op, supply.path, step.value))


def _in_template(drafts: Drafts, lines: Templated, step: Operation) -> None:
    """Draft a field that the template writes out."""
    if not _may_edit(lines, lines.uri):
        raise CannotEditError(f"{lines.uri} is outside of what was given")
    line = lines.line(step.path[:-1] if step.op == "add" else step.path)
    if line is None or "{{" in str(step.value):
        raise CannotEditError(f"what writes {dotted(step.path)} in {lines.uri} is not certain")
    if step.op == "add":
        _added(drafts, lines, line, step)
    else:
        _changed(drafts, lines, line, step)


def _changed(drafts: Drafts, lines: Templated, line: Line, step: Operation) -> None:
    literal = line.text and HOLE not in line.text and line.text[0] not in "|>&*!{["
    if not literal or line.below or line.emitted or line.key is None:
        raise CannotEditError(f"{dotted(step.path)} is not one word in {lines.uri}")
    source = lines.source
    if step.op == "replace":
        if isinstance(step.value, dict | list) and step.value:
            raise CannotEditError(f"{dotted(step.path)} is one word in {lines.uri}, and no block")
        style = line.text[0] if line.text[0] in "\"'" else ""
        drafts.put(source, *line.value, leaf(step.value, Manner(), 0, style))
        return
    start = source.text.rfind("\n", 0, line.start) + 1
    end = source.text.find("\n", line.value[1])
    if source.text[start : line.start].strip(" ") or end < 0:
        raise CannotEditError(f"{dotted(step.path)} shares its line in {lines.uri}")
    drafts.put(source, start, end + 1, "")


def _added(drafts: Drafts, lines: Templated, line: Line, step: Operation) -> None:
    """A new key, above the first one beside it that stands alone on its line."""
    source = lines.source
    name = step.path[-1]
    if not isinstance(name, str) or name == "-":
        raise CannotEditError(f"an item of {dotted(step.path[:-1])} is not added to a template")
    for one in line.below:
        start = source.text.rfind("\n", 0, one.start) + 1
        alone = not source.text[start : one.start].strip(" ")
        if one.key and alone and not one.may_be_missing(line):
            newline = "\r\n" if source.text[: source.text.find("\n")].endswith("\r") else "\n"
            text = block({name: step.value}, Manner(newline), one.indent)
            drafts.put(source, start, start, f"{' ' * one.indent}{text}{newline}")
            return
    raise CannotEditError(f"no line of {lines.uri} shows where {dotted(step.path)} would stand")
