"""What a picture of the network shows, before any form of it: nodes, and edges that tell something.

What everything reaches on every port has a mark in place of an edge from everything; a namespace
all of whose pods may ask is one node. So there are few edges where a cluster is open, and few where
it is closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from auditor.credentials import told
from auditor.facts.connections import INTERNET, Connections, End, Link, Row
from auditor.facts.network import PortSet
from auditor.reporters.network.told import Places, ports, way_said
from auditor.values import dataclass

LONGEST = 28
"""How many characters of the ports stand beside an edge."""


@dataclass(frozen=True, slots=True)
class Node:
    """A workload, or somebody else who asks or is asked."""

    key: int
    name: str
    space: str
    """Its namespace; empty outside of the cluster."""
    kind: str
    """workload, pods (any pod of its namespace), everything, internet, outside."""
    data: tuple[str, ...] = ()
    open: bool = False
    """Whether everything in the cluster reaches it on every port."""
    note: str = ""
    reasons: tuple[dict[str, Any], ...] = ()
    """Why it is open, where it is."""

    @property
    def short(self) -> str:
        """The name within its namespace."""
        return self.name.removeprefix(f"{self.space}/") if self.space else self.name


@dataclass(frozen=True, slots=True)
class Edge:
    """Who may send to whom."""

    source: int
    target: int
    label: str
    sure: bool = True
    reasons: tuple[dict[str, Any], ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(slots=True)
class Picture:
    """All that is drawn of one state. Not frozen: it is filled once, when made."""

    name: str
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    free: bool = False
    """Whether every workload may leave for the internet, on every port."""
    _of: dict[object, Node] = field(default_factory=dict)

    @property
    def spaces(self) -> dict[str, list[Node]]:
        """The nodes of each namespace, in order."""
        found: dict[str, list[Node]] = {}
        for node in sorted(self.nodes, key=lambda node: (node.space, node.kind, node.name)):
            if node.space:
                found.setdefault(node.space, []).append(node)
        return found

    @property
    def outside(self) -> list[Node]:
        """The nodes of no namespace."""
        return [node for node in self.nodes if not node.space]

    def node(self, identity: object, **what: Any) -> Node:
        """The node of this identity; a new one where there is none."""
        known = self._of.get(identity)
        if known is None:
            known = self._of[identity] = Node(key=len(self.nodes), **what)
            self.nodes.append(known)
        return known


def picture(world: Connections, shown: Sequence[End], name: str = "") -> Picture:
    """What is to be drawn about these workloads: they, and who they are connected with."""
    drawing = Picture(told(name))
    places = Places(world.network.snapshot)
    inside = [*world.workloads, *world.strangers]
    wanted = set(shown)
    rows = world.into(world.workloads, inside)
    open_ = {
        end: tuple(places.document(reason) for reason in row.links[0][0].reasons)
        for row in rows
        if _is_open(row, len(inside))
        for end in row.ends
    }
    for end in shown:
        _of_end(drawing, world, end, open_)
    for row in rows:
        for target in row.ends:
            if target not in open_:
                _into(drawing, world, (row, target), (wanted, open_, places))
    _from_internet(drawing, world, shown, (open_, places))
    _to_internet(drawing, world, shown, (open_, places))
    return drawing


def _is_open(row: Row, everybody: int) -> bool:
    return (
        len(row.links) == 1
        and row.links[0][0].ports == PortSet.ALL
        and len(row.links[0][1]) >= everybody - (len(row.ends) == 1)
    )


Open = Mapping[End, tuple[dict[str, Any], ...]]
"""What everything reaches on every port, and why."""


def _of_end(drawing: Picture, world: Connections, end: End, open_: Open) -> Node:
    return drawing.node(
        end,
        name=told(end.name),
        space=end.namespace,
        kind="workload",
        data=end.data,
        open=end in open_,
        note="; ".join(dict.fromkeys(map(way_said, world.entrances(end)))),
        reasons=open_.get(end, ()),
    )


Around = tuple[set[End], Open, Places]


def _into(drawing: Picture, world: Connections, about: tuple[Row, End], around: Around) -> None:
    """The edges that lead to one target."""
    row, target = about
    wanted, open_, places = around
    for link, others in row.links:
        asking = [end for end in others if end is not target]
        if target not in wanted:
            asking = [end for end in asking if end in wanted]
            sources = [_of_end(drawing, world, end, open_) for end in asking]
        else:
            sources = list(_sources(drawing, world, asking, target, open_))
        if sources:
            to = _of_end(drawing, world, target, open_)
            drawing.edges += [_edge(one, to, link, places) for one in sources]


def _sources(
    drawing: Picture,
    world: Connections,
    asking: Sequence[End],
    target: End,
    open_: Open,
) -> Iterator[Node]:
    """Who asks: everything, whole namespaces, and single workloads."""
    given = set(asking)
    everybody = {*world.workloads, *world.strangers} - {target}
    if given >= everybody:
        yield drawing.node("everything", name="everything", space="", kind="everything")
        return
    for stranger in world.strangers:
        if stranger not in given or not stranger.namespace:
            continue
        space = {end for end in world.workloads if end.namespace == stranger.namespace}
        if space - {target} <= given:
            given -= space
            name = f"any pod of {stranger.namespace}"
            yield drawing.node(stranger, name=told(name), space=stranger.namespace, kind="pods")
    for end in asking:
        if end in given and end.workload:
            yield _of_end(drawing, world, end, open_)


def _edge(source: Node, target: Node, link: Link, places: Places, label: str = "") -> Edge:
    said = label or ports(link)
    return Edge(
        source.key,
        target.key,
        said if len(said) <= LONGEST else said[: LONGEST - 1] + "…",
        link.certain,
        tuple(places.document(reason) for reason in link.reasons),
        tuple(map(told, link.unknown)),
    )


def _from_internet(
    drawing: Picture, world: Connections, shown: Iterable[End], around: tuple[Open, Places]
) -> None:
    """The internet, where an object leads it to a workload and policies let some of it in; behind
    an Ingress its controller asks, of whom policies know.
    """
    open_, places = around
    for end in shown:
        link = world.link(INTERNET, end)
        ways = [
            way
            for way in world.entrances(end)
            if way.kind == "Ingress" or way.port in link.possible.numbers(way.protocol)
        ]
        if ways:
            source = drawing.node("internet", name="the internet", space="", kind="internet")
            target = _of_end(drawing, world, end, open_)
            said = (way_said(way).partition(" to port")[0] for way in ways)
            label = ", ".join(dict.fromkeys(said))
            drawing.edges.append(_edge(source, target, link, places, label))


def _to_internet(
    drawing: Picture, world: Connections, shown: Sequence[End], around: tuple[Open, Places]
) -> None:
    """Who may leave for the internet; nothing where all may, which has a mark."""
    open_, places = around
    links = [(end, world.link(end, INTERNET)) for end in shown]
    drawing.free = all(link.ports == PortSet.ALL for _, link in links)
    if drawing.free:
        return
    for end, link in links:
        if link.possible:
            outside = drawing.node("outside", name="to the internet", space="", kind="outside")
            source = _of_end(drawing, world, end, open_)
            drawing.edges.append(_edge(source, outside, link, places))
