"""A page to look around in who reaches whom, and the part of a page that does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from auditor.credentials import told
from auditor.reporters.html import frame
from auditor.reporters.network.picture import Node, Picture
from auditor.reporters.network.svg import STYLE, drawing
from auditor.text import escaped

TITLE = "Who reaches whom"


def page(picture: Picture, notes: Sequence[str] = ()) -> str:
    """The page; `notes` say what could not be seen."""
    title = picture.name or TITLE
    body = f"{frame.header(title)}\n<main>{panel(picture, notes)}</main>"
    return frame.page(title, body, (STYLE,), ("graph.js",))


def panel(picture: Picture, notes: Sequence[str] = (), name: str = "") -> str:
    """The part of a page that has STYLE and the script graph.js; ids in it begin with `name`."""
    return (
        '<div class="look" data-look="network">\n'
        '<div class="tools"><input type="search" placeholder="Search workloads" '
        'aria-label="Search workloads of the graph">'
        '<label><input class="personal" type="checkbox"> who reaches personal data</label>'
        '<div class="spaces" role="group" aria-label="Namespaces"></div></div>\n'
        f'<div class="sides"><div class="picture">{drawing(picture, f"{name}arrow")}</div>'
        '<aside class="about" aria-live="polite" aria-label="About what is chosen"></aside></div>\n'
        f"{frame.block(f'{name}data', _data(picture, notes))}\n</div>"
    )


def _data(picture: Picture, notes: Sequence[str]) -> dict[str, Any]:
    return {
        "nodes": list(map(_node, picture.nodes)),
        "edges": [
            {
                "from": edge.source,
                "to": edge.target,
                "ports": escaped(edge.label),
                "sure": edge.sure,
                "reasons": list(map(_reason, edge.reasons)),
                "unknown": list(map(escaped, edge.unknown)),
            }
            for edge in picture.edges
        ],
        "free": picture.free,
        "notes": [escaped(told(note)) for note in notes],
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        "name": escaped(node.name),
        "space": escaped(node.space),
        "data": list(node.data),
        "open": node.open,
        "kind": node.kind,
        "note": escaped(node.note),
        "reasons": list(map(_reason, node.reasons)),
    }


def _reason(reason: dict[str, Any]) -> dict[str, str]:
    where = f"{reason['file']}:{reason['line']}" if reason["file"] else ""
    return {"text": escaped(reason["text"]), "where": escaped(where)}
