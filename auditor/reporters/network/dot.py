"""A picture of the network as a graph of Graphviz, and as a flowchart of Mermaid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.reporters.network.picture import Node, Picture
from auditor.text import escaped

OPEN = "everything reaches it"


def dot(pictures: Sequence[Picture]) -> str:
    """For Graphviz: https://graphviz.org/doc/info/lang.html; one graph for each state."""
    return "\n".join("\n".join(_dot(one)) + "\n" for one in pictures)


def _dot(one: Picture) -> Iterator[str]:
    yield f"digraph {_quoted(one.name or 'network')} {{"
    yield "  rankdir=LR; compound=true;"
    yield '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="sans-serif"];'
    yield '  edge [fontname="sans-serif", fontsize=10];'
    for number, (space, nodes) in enumerate(one.spaces.items()):
        yield f"  subgraph cluster_{number} {{"
        yield f"    label={_quoted(space)}; style=rounded; color=gray;"
        yield from (f"    {_dot_node(node)}" for node in nodes)
        yield "  }"
    yield from (f"  {_dot_node(node)}" for node in one.outside)
    for edge in one.edges:
        style = "" if edge.sure else ", style=dashed"
        yield f"  n{edge.source} -> n{edge.target} [label={_quoted(edge.label)}{style}];"
    yield "}"


def _dot_node(node: Node) -> str:
    looks = []
    if node.data:
        looks.append('fillcolor="#fde2e1", color="#b42318"')
    elif node.open:
        looks.append('color="#b54708"')
    if node.kind != "workload":
        looks.append('shape=ellipse, fillcolor="#eef2f6"')
    label = "\n".join(_lines(node))
    return f"n{node.key} [label={_quoted(label)}{''.join(f', {look}' for look in looks)}];"


def _lines(node: Node) -> Iterator[str]:
    held = f" [{', '.join(node.data)}]" if node.data else ""
    yield f"{escaped(node.short)}{held}"
    if node.open:
        yield OPEN


def _quoted(text: str) -> str:
    """A string of DOT: in quotes, with those within escaped; line breaks of ours stay."""
    lines = (escaped(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'


def mermaid(pictures: Sequence[Picture]) -> str:
    """For Mermaid: https://mermaid.js.org/syntax/flowchart.html; one chart for each state."""
    return "\n".join("\n".join(_mermaid(one)) + "\n" for one in pictures)


def _mermaid(one: Picture) -> Iterator[str]:
    if one.name:
        yield f"%% {escaped(one.name)}"
    yield "flowchart LR"
    for number, (space, nodes) in enumerate(one.spaces.items()):
        yield f"  subgraph s{number}[{_entity(space)}]"
        yield from (f"    {_mermaid_node(node)}" for node in nodes)
        yield "  end"
    yield from (f"  {_mermaid_node(node)}" for node in one.outside)
    for edge in one.edges:
        arrow = "-->" if edge.sure else "-.->"
        yield f"  n{edge.source} {arrow}|{_entity(edge.label)}| n{edge.target}"
    yield "  classDef data fill:#fde2e1,stroke:#b42318"
    yield "  classDef open stroke:#b54708,stroke-dasharray:4"
    for look in ("data", "open"):
        keys = [f"n{node.key}" for node in one.nodes if getattr(node, look)]
        if keys:
            yield f"  class {','.join(keys)} {look}"


def _mermaid_node(node: Node) -> str:
    label = _entity("\n".join(_lines(node)))
    left, right = ("[", "]") if node.kind == "workload" else ("([", "])")
    return f"n{node.key}{left}{label}{right}"


def _entity(text: str) -> str:
    """A label of Mermaid: in quotes, where all but plain characters are entities by number."""
    lines = ("".join(map(_character, escaped(line))) for line in text.split("\n"))
    return '"' + "<br/>".join(lines) + '"'


def _character(ch: str) -> str:
    return ch if ch.isalnum() or ch in " -_./:,()[]*" else f"#{ord(ch)};"
