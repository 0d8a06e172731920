"""A picture of the network as SVG, by itself or as part of a page. Needs no other program."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from auditor.reporters.network.layout import LETTER, PAD, Box, Layout, layout
from auditor.reporters.network.picture import Edge, Node, Picture
from auditor.reporters.palette import schemes
from auditor.reporters.terminal import cells
from auditor.text import escaped

LEGEND = 74

STYLE = """\
.net text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:var(--ink)}
.net .paper{fill:var(--paper)}
.net .space{fill:var(--place);stroke:var(--line)}
.net .title{font-weight:600;fill:var(--quiet)}
.net .node rect{fill:var(--node);stroke:var(--line)}
.net .node.open rect{stroke:var(--warn);stroke-dasharray:5 3;stroke-width:1.5}
.net .node.data rect{fill:var(--data);stroke:var(--dataline);stroke-width:1.5}
.net .node.other rect{fill:var(--chip);stroke:var(--chipline)}
.net .tag{font-size:10px;font-weight:700;fill:var(--bad)}
.net .edge path{fill:none;stroke:var(--quiet);stroke-width:1.4}
.net .edge.data path{stroke:var(--dataline)}
.net .edge.unsure path{stroke-dasharray:5 4}
.net .edge path.hit{stroke:transparent;stroke-width:12;stroke-dasharray:none}
.net .edge text{font-size:10.5px;fill:var(--quiet);paint-order:stroke;stroke:var(--paper);
stroke-width:3px}
.net .legend{font-size:11px;fill:var(--quiet)}
.net .tip{fill:var(--quiet)}
"""


def svg(picture: Picture) -> str:
    """The picture, as a file of its own."""
    style = f"<style>{schemes('.net')}{STYLE}</style>"
    lines = _drawing(picture, layout(picture), style, "arrow")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + "\n".join(lines) + "\n"


def drawing(picture: Picture, arrow: str = "arrow") -> str:
    """The picture, as an element of a page that has STYLE; `arrow` is an id of its own there."""
    return "\n".join(_drawing(picture, layout(picture), "", arrow))


def _drawing(picture: Picture, at: Layout, style: str, arrow: str) -> Iterator[str]:
    width, height = max(at.width, 520), at.height + LEGEND
    title = _text(picture.name or "who reaches whom")
    yield (
        '<svg xmlns="http://www.w3.org/2000/svg" class="net" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="group" '
        f'aria-label="{title}">'
    )
    yield f"<title>{title}</title>"
    yield from filter(None, (style,))
    yield (
        f'<defs><marker id="{arrow}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" '
        'markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
        '<path class="tip" d="M0 0.6 L8 4 L0 7.4 z"/></marker></defs>'
    )
    yield f'<rect width="{width:.0f}" height="{height:.0f}" class="paper"/>'
    for space, box in at.spaces.items():
        yield from _space(space, box)
    nodes = {node.key: node for node in picture.nodes}
    for number, edge in enumerate(picture.edges):
        yield from _edge(number, edge, nodes, at, arrow)
    for node in picture.nodes:
        yield from _node(node, at.nodes[node.key])
    yield from _legend(picture, at.height)
    yield "</svg>"


def _space(space: str, box: Box) -> Iterator[str]:
    yield f'<g class="box" data-space="{_text(space)}">'
    yield (
        f'<rect class="space" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="10"/>'
    )
    yield f'<text class="title" x="{box.x + PAD:.1f}" y="{box.y + 18:.1f}">{_text(space)}</text>'
    yield "</g>"


def _node(node: Node, box: Box) -> Iterator[str]:
    looks = ["node", *(["data"] if node.data else []), *(["open"] if node.open else [])]
    looks += ["other"] if node.kind != "workload" else []
    room = int((box.width - 20) / LETTER) - (cells(" ".join(node.data)) + 1 if node.data else 0)
    name = escaped(node.short)
    shown = name if cells(name) <= room else name[: max(room - 1, 1)] + "…"
    yield f'<g class="{" ".join(looks)}" data-node="{node.key}" data-space="{_text(node.space)}">'
    yield f"<title>{_text(_told(node))}</title>"
    yield (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="6"/>'
    )
    yield f'<text x="{box.x + 10:.1f}" y="{box.middle + 4:.1f}">{_text(shown)}</text>'
    if node.data:
        held = _text(" ".join(node.data).upper())
        yield (
            f'<text class="tag" x="{box.right - 8:.1f}" y="{box.middle + 4:.1f}" '
            f'text-anchor="end">{held}</text>'
        )
    yield "</g>"


def _told(node: Node) -> str:
    parts = [node.name]
    parts += [f"holds {', '.join(node.data).upper()}"] if node.data else []
    parts += ["everything in the cluster reaches it on every port"] if node.open else []
    parts += [f"the internet through {node.note}"] if node.note else []
    return "; ".join(parts)


def _edge(number: int, edge: Edge, nodes: dict[int, Node], at: Layout, arrow: str) -> Iterator[str]:
    path, label = _curve(edge, at)
    looks = ["edge", *([] if edge.sure else ["unsure"])]
    looks += ["data"] if nodes[edge.target].data else []
    said = f"{nodes[edge.source].name} → {nodes[edge.target].name}: {edge.label}"
    yield (
        f'<g class="{" ".join(looks)}" data-edge="{number}" data-from="{edge.source}" '
        f'data-to="{edge.target}">'
    )
    yield f"<title>{_text(said)}</title>"
    yield f'<path class="hit" d="{path}"/>'
    yield f'<path d="{path}" marker-end="url(#{arrow})"/>'
    yield label
    yield "</g>"


def _curve(edge: Edge, at: Layout) -> tuple[str, str]:
    """The line, and its label beside its end, where those with one label have come together."""
    source, target = at.nodes[edge.source], at.nodes[edge.target]
    labels = at.labels[edge.target]
    height = target.y + target.height * (labels.index(edge.label) + 0.5) / len(labels)
    forward, backward = target.x > source.right, source.x > target.right
    start = (source.x if backward else source.right, source.middle)
    end = (target.x if forward else target.right, height)
    bend = max(abs(end[0] - start[0]) / 2, 24)
    if not (forward or backward):
        bend = 30 + abs(start[1] - end[1]) / 6
    out, back = (-bend if backward else bend), (-bend if forward else bend)
    points = (start, (start[0] + out, start[1]), (end[0] + back, end[1]), end)
    first, *rest = (f"{x:.1f} {y:.1f}" for x, y in points)
    anchor, x = ("end", end[0] - 11) if forward else ("start", end[0] + 11)
    label = (
        f'<text x="{x:.1f}" y="{height - 4:.1f}" text-anchor="{anchor}">{_text(edge.label)}</text>'
    )
    return f"M{first} C{' '.join(rest)}", label


def _legend(picture: Picture, top: float) -> Iterator[str]:
    y = top + 22
    x = float(PAD)
    for look, said in (
        ("node data", "holds personal data"),
        (
            "node open",
            "everything in the cluster reaches it, on every port: its lines are not drawn",
        ),
    ):
        yield (
            f'<g class="{look}"><rect x="{x:.1f}" y="{y - 14:.1f}" width="26" height="16" '
            'rx="4"/></g>'
        )
        yield f'<text class="legend" x="{x + 34:.1f}" y="{y - 2:.1f}">{said}</text>'
        x += 34 + len(said) * 6 + 20
    y += 22
    lines = ["a line: may send, on these ports; dashed: it cannot be told for sure"]
    if picture.free:
        lines.append("every workload may leave for the internet: no lines for that")
    for said in lines:
        yield f'<text class="legend" x="{PAD}" y="{y:.1f}">{said}</text>'
        y += 16


def _text(text: str) -> str:
    """Text of others as content or attribute: no markup, no control character."""
    return escape(escaped(text), quote=True)
