"""Shows again what a certificate says that it shows, from nothing but its own state.

The digest says whether the state is the one that was shown; each level is worked out anew; and the
witness is followed pod by pod, each rule asked as the pod is bound, so that it is checked without
the search that found it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from auditor.facts.placement import Pod
from auditor.fixes.certificates.document import Document
from auditor.fixes.certificates.levels import Level, Shown, Worlds, shown
from auditor.fixes.certificates.making import worlds_of
from auditor.fixes.certificates.numbers import Edge
from auditor.fixes.certificates.state import State
from auditor.manifests import mapping
from auditor.model import Settings
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Checked:
    """One level, as it was told and as it was found now."""

    level: Level
    said: bool | None
    found: bool | None
    told: str
    """Of what was found now, or what is wrong."""

    @property
    def agrees(self) -> bool:
        """Whether it is as the certificate says."""
        return self.said is self.found


def checked(document: Document) -> tuple[Checked, ...]:
    """Every level of a certificate."""
    worlds = _worlds(document)
    return tuple(_compared(document, each, worlds) for each in shown(worlds))


def is_whole(document: Document) -> bool:
    """Whether the state is the one that the certificate was made of."""
    return _state(document).digest == document.state.digest


def _state(document: Document) -> State:
    return State(tuple(document.state.objects), frozenset(document.state.live))


def _worlds(document: Document) -> Worlds:
    said = document.settings
    settings = Settings(
        kubernetes=said.kubernetes, rack_label=said.rack_label, zone_label=said.zone_label
    )
    edges = tuple(_edges(document))
    return worlds_of(_state(document), document.changes, edges, settings)


def _edges(document: Document) -> Iterator[Edge]:
    for ends in document.edges:
        keys = [(end[0], end[1], end[2], end[3]) for end in ends if len(end) == 4]
        if len(keys) == 2:
            yield keys[0], keys[1]


def _compared(document: Document, found: Shown, worlds: Worlds) -> Checked:
    said = document.levels.get(found.level.value)
    if said is None:
        return Checked(found.level, None, found.holds, "the certificate does not speak of it")
    if found.level is Level.WITNESS and said.holds and found.holds:
        wrong = _misplaced(worlds, mapping(said.details.get("bound")))
        if wrong:
            return Checked(found.level, said.holds, False, wrong)
    return Checked(found.level, said.holds, found.holds, found.told)


def _misplaced(worlds: Worlds, bound: object) -> str:
    """What is wrong with the nodes that the certificate names; empty where every rule is met."""
    simulation = worlds.simulation()
    waiting = {pod.id: pod for pod in worlds.waiting() if not pod.each_node}
    everywhere = [pod for pod in worlds.waiting() if pod.each_node]
    for name, node in mapping(bound).items():
        pod = waiting.pop(str(name), None) or _of_node(everywhere, str(name), str(node))
        if pod is None:
            return f"there is no pod {name} to be placed"
        feasible = simulation.feasible(pod)
        if node not in feasible.nodes:
            why = feasible.refused.get(str(node), "does not exist")
            return f"{pod.id} on {node}: the node {why}"
        simulation.bind(pod.on(str(node)), str(node))
    return f"nothing is said of {next(iter(waiting))}" if waiting else ""


def _of_node(everywhere: Sequence[Pod], name: str, node: str) -> Pod | None:
    """The pod of a DaemonSet on that node, if it is called so."""
    found = (pod for pod in everywhere if f"{pod.id}-{node}" == name)
    pod = next(found, None)
    return replace(pod, name=name.partition("/")[2], only=node, each_node=False) if pod else None
