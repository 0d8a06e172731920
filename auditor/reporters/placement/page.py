"""A page to look around in a map, and the part of a page that does it. Everything that a mouse can
do, the keyboard can.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from auditor.facts.scenarios.plan import Plan
from auditor.reporters.html import frame
from auditor.reporters.placement.svg import STYLE, drawing
from auditor.reporters.placement.words import absent, clean, distance, holds, notes, waiting

TITLE = "Where workloads run"


def page(plan: Plan, doubts: Sequence[str] = ()) -> str:
    """The page; `doubts`: what is not proven."""
    body = f"{frame.header(TITLE)}\n<main>{panel(plan, doubts)}</main>"
    return frame.page(TITLE, body, (STYLE,), ("map.js",))


def panel(plan: Plan, doubts: Sequence[str] = (), name: str = "") -> str:
    """The part of a page that has STYLE and the script map.js; ids in it begin with `name`."""
    return (
        '<div class="look" data-look="placement">\n'
        '<div class="tools"><input type="search" placeholder="Search workloads" '
        'aria-label="Search workloads of the map">'
        '<label><input class="personal" type="checkbox"> personal data alone</label></div>\n'
        f'<div class="sides"><div class="picture">{drawing(plan)}</div>'
        '<aside class="about" aria-live="polite" aria-label="About what is chosen"></aside></div>\n'
        f"{frame.block(f'{name}data', _data(plan, doubts))}\n</div>"
    )


def _data(plan: Plan, doubts: Sequence[str]) -> dict[str, Any]:
    lost: dict[int, list[str]] = {}
    for number, count, why in waiting(plan):
        lost.setdefault(number, []).append(f"{count} without a node: {why}")
    for number, why in absent(plan):
        lost.setdefault(number, []).append(why)
    return {
        "groups": [
            {
                "name": clean(group.name),
                "kind": clean(group.kind),
                "data": holds(group),
                "pods": len(group.running),
                "ready": group.available,
                "nodes": sorted({clean(each.node) for each in group.running}),
                "lost": lost.get(number, []),
                "needs": clean(plan.needs.get(number, "")),
            }
            for number, group in enumerate(plan.groups)
        ],
        "calls": [
            {
                "from": call.source,
                "to": call.target,
                "why": clean(call.told),
                "far": distance(call),
                "hops": call.hops,
            }
            for call in plan.calls
        ],
        "notes": list(notes(plan)),
        "doubts": [clean(doubt) for doubt in doubts],
    }
