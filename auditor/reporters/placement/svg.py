"""A map as SVG, by itself or as part of a page. It loads nothing, and obeys a dark screen."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from auditor.facts.scenarios.plan import Here, Plan, Spot
from auditor.reporters.palette import schemes
from auditor.reporters.placement.layout import (
    CHIP,
    HEAD,
    NODE_WIDTH,
    PAD,
    ROOM_LINE,
    Area,
    Box,
    Layout,
    layout,
    lines_of,
)
from auditor.reporters.placement.words import absent, clean, holds, notes, pods_of, waiting
from auditor.reporters.terminal import cells

STYLE = """\
.map text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:var(--ink)}
.map .paper{fill:var(--paper)}
.map .place rect{fill:var(--place);stroke:var(--line)}
.map .rack rect{fill:var(--rack)}
.map .title{font-weight:600;fill:var(--quiet)}
.map .node>rect{fill:var(--node);stroke:var(--line)}
.map .name{font-weight:600}
.map .room{font-size:10.5px;fill:var(--quiet)}
.map .mark{font-size:10.5px;fill:var(--warn)}
.map .pod rect{fill:var(--chip);stroke:var(--chipline)}
.map .data rect{fill:var(--data);stroke:var(--dataline);stroke-width:1.5}
.map .tag{font-size:10px;font-weight:700;fill:var(--bad)}
.map .ill rect{stroke-dasharray:4 3}
.map .note{font-size:11.5px;fill:var(--quiet)}
.map .lost{font-size:11.5px;fill:var(--bad)}
"""
WIDE = 700
LINE = 17
LETTER, SMALL, BOLD = 6.3, 5.6, 7.4
"""The average width of a letter, of a small one, of a bold one."""


def svg(plan: Plan) -> str:
    """The map, as a file of its own."""
    style = f"<style>{schemes('.map')}{STYLE}</style>"
    lines = _drawing(plan, layout(plan), style, list(_below(plan)))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + "\n".join(lines) + "\n"


def drawing(plan: Plan) -> str:
    """The map, as an element of a page that has STYLE and says what has to be known."""
    return "\n".join(_drawing(plan, layout(plan), "", []))


def _drawing(plan: Plan, at: Layout, style: str, below: list[tuple[str, str]]) -> Iterator[str]:
    width = max(at.width + 2 * PAD, WIDE if below else 0)
    lines = [(look, part) for look, line in below for part in _wrapped(line, width)]
    height = at.height + 2 * PAD + len(lines) * LINE + (PAD if lines else 0)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="map" viewBox="0 0 {width:.0f} '
        f'{height:.0f}" width="{width:.0f}" height="{height:.0f}" role="group" '
        'aria-label="Where workloads run">'
    )
    yield "<title>Where workloads run</title>"
    yield from filter(None, (style,))
    yield f'<rect class="paper" width="{width:.0f}" height="{height:.0f}"/>'
    for area in at.areas:
        yield from _area(plan, area, PAD, PAD)
    yield '<g class="calls"></g>'
    y = at.height + 2 * PAD + LINE
    for look, part in lines:
        yield f'<text class="{look}" x="{PAD}" y="{y:.0f}">{escape(part)}</text>'
        y += LINE
    yield "</svg>"


def _below(plan: Plan) -> Iterator[tuple[str, str]]:
    """What is written below, each line with its look."""
    yield from (("note", line) for line in notes(plan))
    for number, count, why in waiting(plan):
        yield "lost", f"{clean(plan.groups[number].name)}: {count} without a node: {why}"
    for number, why in absent(plan):
        yield "lost", f"{clean(plan.groups[number].name)}: {why}"
    for number, sentence in plan.needs.items():
        yield "note", f"{clean(plan.groups[number].name)}: {clean(sentence)}"


def _wrapped(line: str, width: float) -> Iterator[str]:
    most = max(int((width - 2 * PAD) / LETTER), 20)
    text = ""
    for word in line.split(" "):
        if text and cells(text) + cells(word) + 1 > most:
            yield text
            text = "  " + word
        else:
            text = f"{text} {word}" if text else word
    yield text


def _area(plan: Plan, area: Area, x: float, y: float) -> Iterator[str]:
    box = area.box.moved(x, y)
    place = area.place
    look = "place rack" if area.spots else "place"
    title = place.title if place.name or place.places else "nodes"
    yield f'<g class="{look}">{_rect(box, 10)}</g>'
    title = _cut(clean(f"{title} · {place.pods} pods"), box.width - 2 * PAD, BOLD)
    yield f'<text class="title" x="{box.x + PAD:.1f}" y="{box.y + 19:.1f}">{escape(title)}</text>'
    for inner in area.areas:
        yield from _area(plan, inner, box.x, box.y)
    for spot, inside in area.spots:
        yield from _node(plan, spot, inside.moved(box.x, box.y))


def _node(plan: Plan, spot: Spot, box: Box) -> Iterator[str]:
    name = clean(spot.node.name)
    yield f'<g class="node" data-name="{escape(name)}">{_rect(box, 6)}<title>{escape(name)}</title>'
    y = box.y + 17
    yield _text("name", box.x + 8, y, _cut(name, box.width - 16, BOLD))
    lines = lines_of(spot)
    for look, line in lines:
        y += ROOM_LINE
        yield _text(look, box.x + 8, y, _cut(clean(line), box.width - 16, SMALL))
    top = box.y + HEAD + len(lines) * ROOM_LINE
    for number, here in enumerate(spot.here):
        yield from _chip(plan, here, name, box.x + 8, top + number * CHIP)
    yield "</g>"


def _chip(plan: Plan, here: Here, node: str, x: float, y: float) -> Iterator[str]:
    group, width = plan.groups[here.group], NODE_WIDTH - 16
    words, data = pods_of(plan, here), holds(group)
    looks = ["pod", *(["data"] if data else []), *(["ill"] if here.ready < here.pods else [])]
    said = f"{words}{f', holds {data}' if data else ''}, on {node}"
    yield f'<g class="{" ".join(looks)}" data-group="{here.group}" aria-label="{escape(said)}">'
    yield f"<title>{escape(said)}</title>{_rect(Box(x, y, width, CHIP - 4), 4)}"
    tag = _cut(data, 60)
    room = width - 14 - (cells(tag) * BOLD + 12 if tag else 0)
    yield _text("", x + 7, y + 14, _cut(words, room))
    if tag:
        yield (
            f'<text class="tag" x="{x + width - 6:.1f}" y="{y + 14:.1f}" text-anchor="end">'
            f"{escape(tag)}</text>"
        )
    yield "</g>"


def _text(look: str, x: float, y: float, text: str) -> str:
    named = f' class="{look}"' if look else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _rect(box: Box, round_: float) -> str:
    return (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="{round_}"/>'
    )


def _cut(text: str, width: float, letter: float = LETTER) -> str:
    """The text, or its beginning where it is wider than that."""
    most = max(int(width / letter), 1)
    if cells(text) <= most:
        return text
    while text and cells(text) > most - 1:
        text = text[:-1]
    return f"{text}…"
