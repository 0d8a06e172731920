"""Paths to personal data as a graph of Graphviz: https://graphviz.org/doc/info/lang.html."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from auditor.facts.paths import Position, Step
from auditor.model import Ref
from auditor.reporters.paths.text import KINDS
from auditor.reporters.paths.view import View
from auditor.text import escaped


def dot(views: Sequence[View]) -> str:
    """One graph for each state, of the steps of all shortest paths."""
    return "\n".join("\n".join(_graph(view)) + "\n" for view in views)


def _graph(view: View) -> Iterator[str]:
    steps = _steps(view)
    # What a workload holds and the workload itself are one place in a picture.
    ends = {end.name: end for step in steps for end in (step.source, step.target)}
    keys = {name: f"n{number}" for number, name in enumerate(ends)}
    stores = {store.store.workload.ref for store in view.stores if store.store.workload}
    cut = {means for store in view.stores for means in store.cut.taken}
    yield f"digraph {_quoted(view.name or 'paths')} {{"
    yield "  rankdir=LR;"
    yield '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="sans-serif"];'
    yield '  edge [fontname="sans-serif", fontsize=10];'
    for name, end in ends.items():
        yield f"  {keys[name]} [label={_quoted(name)}{_looks(end, stores)}];"
    for step in steps:
        look = ', color="#b42318"' if step.means in cut else ""
        style = ", style=dashed" if not step.means.opens else ""
        label = _quoted(KINDS[step.means.kind])
        one, other = keys[step.source.name], keys[step.target.name]
        yield f"  {one} -> {other} [label={label}{look}{style}];"
    yield "}"


def _steps(view: View) -> list[Step]:
    found = {
        (step.source, step.target, step.means): step
        for store in view.stores
        for path in store.paths
        for step in path.steps
    }
    return list(found.values())


def _looks(end: Position, stores: Collection[Ref]) -> str:
    if end.workload and end.workload.ref in stores:
        return ', fillcolor="#fde2e1", color="#b42318"'
    return "" if end.workload else ', shape=ellipse, fillcolor="#eef2f6"'


def _quoted(text: str) -> str:
    return '"' + escaped(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
