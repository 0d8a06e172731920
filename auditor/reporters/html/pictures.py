"""The pictures of a page: who reaches whom, and where workloads run; each as it is, and as it would
be with the proven fixes in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from posixpath import commonpath

from auditor.credentials import told
from auditor.facts import Facts, facts_of
from auditor.facts.connections import Connections
from auditor.facts.scenarios.cluster import Cluster, Group
from auditor.facts.scenarios.plan import plan
from auditor.reporters.html.frame import text
from auditor.reporters.html.moves import moved
from auditor.reporters.html.reached import table
from auditor.reporters.html.remedied import Remedied, remedied
from auditor.reporters.network.page import panel as graph
from auditor.reporters.network.picture import Picture, picture
from auditor.reporters.placement.page import panel as chart
from auditor.reporters.placement.words import standing
from auditor.reporters.view import State
from auditor.reporters.words import counted
from auditor.scope.territory import Territory
from auditor.values import dataclass

STATES = 8
"""So many states that files may be deployed in have pictures."""
NODES = 250
"""Above so many workloads, those that hold personal data and who reaches them are drawn alone."""
EDGES = 2_500
"""So many lines are drawn."""
SPOTS = 400
CHIPS = 3_000
"""A map of more nodes, or of more workloads on nodes, is not part of a page."""
NEEDS = 200
"""Without nodes, so many workloads are told with what they need."""
NOW = "as it is"


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture."""

    state: str
    when: str
    """As it is, or with what."""
    markup: str


@dataclass(frozen=True)
class Scene:
    """What is drawn of one state."""

    state: State
    number: int

    @cached_property
    def facts(self) -> Facts:
        """Those that the audit asked for."""
        return facts_of(self.state.audit.snapshot, self.state.settings)

    @cached_property
    def after(self) -> Remedied | None:
        """With the fixes, where there are any."""
        return remedied(self.state.audit, self.facts)

    def pictured(self, draw: Callable[[Facts, str], str]) -> Iterator[Shown]:
        """The picture as it is, and with the fixes."""
        yield Shown(self.state.name, NOW, draw(self.facts, f"{self.number}-now-"))
        if self.after:
            markup = draw(self.after.facts, f"{self.number}-after-")
            yield Shown(self.state.name, self.after.words, markup)

    def placements(self) -> Iterator[Shown]:
        """The maps; without any node, what each workload needs. Pods of a live cluster stand where
        they run: no fix moves them before they are made again.
        """
        if not self.facts.topology.nodes:
            yield Shown(self.state.name, NOW, _needed(self.facts))
        elif Cluster.of(self.facts).live:
            yield Shown(self.state.name, NOW, _placement(self.facts, f"{self.number}-now-"))
        else:
            yield from self.pictured(self._placement)

    def _placement(self, facts: Facts, name: str) -> str:
        """The map; of the cluster with the fixes, with what these move above it."""
        if facts is self.facts:
            return _placement(facts, name)
        return moved(_groups(self.facts), _groups(facts)) + _placement(facts, name)


def scenes(states: Sequence[State]) -> list[Scene]:
    """Those that are drawn."""
    return [Scene(state, number) for number, state in enumerate(states[:STATES])]


def network(found: Sequence[Scene]) -> str:
    """Who reaches whom, in every state."""
    shown = [one for scene in found for one in scene.pictured(_network)]
    return _choice("network", shown)


def placement(found: Sequence[Scene]) -> str:
    """Where workloads run, in every state."""
    shown = [one for scene in found for one in scene.placements()]
    return _choice("placement", shown)


def _choice(name: str, shown: Sequence[Shown]) -> str:
    """The pictures, one of them to be seen at a time, and the buttons that choose."""
    if len(shown) == 1:
        return shown[0].markup
    names = list(map(text, _names(shown)))
    buttons = "".join(
        f'<button type="button" aria-pressed="{"false" if number else "true"}" '
        f'aria-controls="{name}-{number}">{said}</button>'
        for number, said in enumerate(names)
    )
    parts = [f'<div class="choice" role="group" aria-label="State">{buttons}</div>']
    for number, (said, one) in enumerate(zip(names, shown, strict=True)):
        hidden = " hidden" if number else ""
        title = f'<h3 class="state">{said}</h3>'
        parts.append(f'<div id="{name}-{number}"{hidden}>{title}{one.markup}</div>')
    return "\n".join(parts)


def _names(shown: Sequence[Shown]) -> Iterator[str]:
    """What tells them apart: the state, as far as it is not as all others, and when."""
    start = _above([one.state for one in shown if "/" in one.state])
    ever = len({one.when for one in shown}) > 1
    for one in shown:
        state = one.state.removeprefix(start)
        yield ": ".join(filter(None, (state, one.when if ever or not state else "")))


def _above(folders: Sequence[str]) -> str:
    """The folder that they are all in; empty where there is none."""
    try:
        return f"{commonpath(folders)}/"
    except ValueError:  # there are none, or one begins at the root and one does not
        return ""


def _network(facts: Facts, name: str) -> str:
    known = ((one.ref, facts.data.of(one)) for one in facts.network.workloads)
    world = Connections(facts.network, {ref: found.names for ref, found in known if found})
    territory = Territory(facts.snapshot, facts.settings.scope)
    ends = [e for e in world.workloads if e.workload and territory.holds(e.workload.resource)]
    if not ends:
        return "<p>There is no workload that could reach or be reached.</p>"
    holding = [end for end in ends if end.data]
    few = len(ends) <= NODES
    drawn = picture(world, ends if few else holding)
    notes = [] if few else [_few(len(ends), len(holding))]
    said = "".join(f"<p>{text(note)}</p>" for note in notes)
    return f"{said}{table(drawn, facts)}{_graph(drawn, notes, f'network-{name}')}"


def _few(all_: int, holding: int) -> str:
    return (
        f"Of {all_:,} workloads, those that hold personal data ({holding:,}) and who reaches them"
        " are drawn: auditor network graph draws all."
    )


def _graph(drawn: Picture, notes: Sequence[str], name: str) -> str:
    if len(drawn.edges) > EDGES or len(drawn.nodes) > 2 * NODES:
        lines = f"{counted(len(drawn.nodes), 'workload')} and {counted(len(drawn.edges), 'line')}"
        return f"<p>{lines} are no picture here: auditor network graph draws them.</p>"
    return graph(drawn, notes, name)


def _groups(facts: Facts) -> list[Group]:
    """The workloads within the scope, with where their pods are."""
    territory = Territory(facts.snapshot, facts.settings.scope)
    shown = []
    for group in Cluster.of(facts).groups:
        found = facts.snapshot.find(group.ref)
        if found is None or territory.holds(found):
            shown.append(group)
    return shown


def _needed(facts: Facts) -> str:
    """What nodes would have to offer."""
    found = plan(Cluster.of(facts), _groups(facts))
    lines = [f"{found.groups[number].name}: {said}" for number, said in found.needs.items()]
    items = "".join(f"<li>{text(told(line))}</li>" for line in lines[:NEEDS])
    left = counted(len(lines) - NEEDS, "more workload")
    more = f"<li>and {left}: auditor placement show has all</li>" if len(lines) > NEEDS else ""
    return f"<p>{text(standing(found))}.</p><ul>{items}{more}</ul>"


def _placement(facts: Facts, name: str) -> str:
    cluster, shown = Cluster.of(facts), _groups(facts)
    pods = sum(len(group.running) for group in shown)
    if len(cluster.nodes) > SPOTS or pods > CHIPS:
        size = f"{counted(len(cluster.nodes), 'node')} and {counted(pods, 'pod')}"
        return f"<p>{size} are no map here: auditor placement show -o map.html draws it.</p>"
    doubts = tuple(dict.fromkeys(cluster.placed.doubts)) if cluster.nodes else ()
    return chart(plan(cluster, shown), doubts, f"placement-{name}")
