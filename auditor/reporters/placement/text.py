"""A map for a terminal, narrow ones too: a tree of places, nodes and what is on them."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from auditor.facts.scenarios.plan import Place, Plan, Spot
from auditor.reporters.placement.words import (
    absent,
    clean,
    distance,
    holds,
    notes,
    pods_of,
    waiting,
)
from auditor.reporters.terminal import Terminal

ROOM, MARK, DATA, LOST = "dim", "yellow", "bold red", "red"


def text(plan: Plan, doubts: Sequence[str], terminal: Terminal, *, hops: bool) -> str:
    """The map; `hops`: with who calls whom."""
    page = io.StringIO()
    console = Console(
        file=page,
        width=terminal.width,
        force_terminal=terminal.colour,
        color_system="standard" if terminal.colour else None,
        highlight=False,
        emoji=False,
        markup=False,
        soft_wrap=not terminal.wraps,
    )
    for place in plan.places:
        console.print(_tree(plan, place))
    for line in _lines(plan, doubts, hops=hops):
        console.print(line)
    return page.getvalue()


def _tree(plan: Plan, place: Place) -> Tree:
    count = f"  {_number(place.pods, 'pod')}"
    title = clean(place.title) if place.name or place.places else _bare(place)
    tree = Tree(Text.assemble((title, "bold"), (count, ROOM)))
    for inner in place.places:
        tree.children.append(_tree(plan, inner))
    for spot in place.spots:
        tree.children.append(_node(plan, spot))
    return tree


def _bare(place: Place) -> str:
    return "the cluster" if place.level == "beyond" else place.title


def _node(plan: Plan, spot: Spot) -> Tree:
    head = Text(clean(spot.node.name))
    head.append(f"  {', '.join(spot.room)}" if spot.room else "  it does not say its room", ROOM)
    for mark in spot.marks:
        head.append(f"  {clean(mark)}", MARK)
    tree = Tree(head)
    for here in spot.here:
        line = Text(pods_of(plan, here))
        if data := holds(plan.groups[here.group]):
            line.append(f"  {data}", DATA)
        tree.add(line)
    return tree


def _lines(plan: Plan, doubts: Sequence[str], *, hops: bool) -> list[Text]:
    lines = [Text(note, ROOM) for note in notes(plan)]
    for number, count, why in waiting(plan):
        name = clean(plan.groups[number].name)
        lines.append(Text(f"{name}: {_number(count, 'pod')} without a node: {why}", LOST))
    lines += [Text(f"{clean(plan.groups[n].name)}: {why}", LOST) for n, why in absent(plan)]
    for number, sentence in plan.needs.items():
        lines.append(_named(plan, number, clean(sentence)))
    if hops:
        lines += _calls(plan)
    return [*lines, *(Text(f"not provable: {clean(doubt)}", MARK) for doubt in doubts)]


def _named(plan: Plan, number: int, sentence: str) -> Text:
    line = Text(clean(plan.groups[number].name))
    if data := holds(plan.groups[number]):
        line.append(f" {data}", DATA)
    return line.append(f": {sentence}")


def _calls(plan: Plan) -> list[Text]:
    calls = sorted(plan.calls, key=lambda call: -(call.hops or 0))
    if not calls:
        return [Text("nothing shows who calls whom")]
    return [
        Text(
            f"{clean(plan.groups[call.source].name)} → {clean(plan.groups[call.target].name)}: "
            f"{distance(call)}"
        )
        for call in calls
    ]


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
