"""The fact `pair`: whether what stands by could take over from what works, and what it costs that
the roles are where they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from auditor.facts.availability import Odds, Places, availability_of
from auditor.facts.availability.places import LEVELS
from auditor.facts.forms import as_object
from auditor.facts.placement import Pod
from auditor.facts.roles import Roles, roles_of
from auditor.facts.workloads import Workload
from auditor.model import Severity

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]

MEGABYTE = 2**20
GRADES = {
    "node": Severity.HIGH,
    "rack": Severity.MEDIUM,
    "zone": Severity.LOW,
    "region": Severity.INFO,
}
"""The smaller a place, the more often it is lost."""


def pair(facts: Facts, workload: Workload) -> Told | None:
    """The fact `pair` for policies, about a workload whose pods have the roles of active and
    passive, told by a label or a Lease; of a pair of workloads it is told of the active one.

    ``active`` and ``passive`` (names of pods), ``told`` (how that is known), ``together``, ``far``
    and ``unfit``: what the functions below tell. None of any other workload, and where no node is
    known.
    """
    roles = roles_of(facts, workload) if facts.topology.nodes else None
    if roles is None:
        return None
    return {
        "active": [pod.id for pod in roles.active],
        "passive": [pod.id for pod in roles.passive],
        "told": roles.told,
        "together": together(facts, workload, roles),
        "far": [*far(facts, workload, roles)],
        "unfit": [*unfit(roles)],
        "path": workload.pod_path,
        "evidence": [*_evidence(facts, roles), _odds(facts, roles)],
    }


def together(facts: Facts, workload: Workload, roles: Roles) -> Told | None:
    """The smallest place that holds the active pods and every passive one, where the cluster has
    another such place: ``level``, ``name``, ``places``, how many there are, and ``grade``. None
    where there is none, and where pods that are only simulated may as well be elsewhere.
    """
    places = Places.of(facts.topology, facts.settings.region_label)
    pods = (*roles.active, *roles.passive)
    nodes = {pod.node for pod in pods}
    if not facts.standing.runs:
        owners = _owners(facts, workload, pods)
        nodes |= {name for owner in owners for name in facts.standing.eligible(owner)}
    shared = places.shared(nodes)
    for length in range(len(shared), 0, -1):
        others = {place[:length] for place in places.of_node.values() if place[length - 1]}
        if shared[length - 1] and len(others) > 1:
            name = shared[length - 1]
            level = LEVELS[length - 1]
            grade = GRADES[level].value
            return {"level": level, "name": name, "places": len(others), "grade": grade}
    return None


def _owners(facts: Facts, workload: Workload, pods: Sequence[Pod]) -> Iterator[Workload]:
    """Whose pods these are."""
    names = {pod.id for pod in pods}
    for other, _ in facts.labelled.get(workload.ref.namespace, ()):
        if any(pod.id in names for pod in facts.standing.pods(other)):
            yield other


def far(facts: Facts, workload: Workload, roles: Roles) -> Iterator[Told]:
    """What the active pod asks in a rack where a passive one is and it is not: ``dependency``,
    ``rack``, ``hops`` of each call now and ``near`` after a switch-over, and who is ``standby``.
    Not what is in several racks itself.
    """
    racks = {node.name: (node.zone, node.rack) for node in facts.topology.nodes if node.rack}
    active = roles.active[0]
    for edge in facts.needs.get(workload.ref.key, ()):
        theirs = facts.standing.pods(edge.target)
        homes = {racks.get(pod.node) for pod in theirs}
        home = homes.pop() if len(homes) == 1 else None
        standby = next((p for p in roles.passive if racks.get(p.node) == home), None)
        if home is None or standby is None or racks.get(active.node) in (home, None):
            continue
        yield {
            "dependency": edge.target.name,
            "rack": home[1],
            "standby": standby.id,
            "hops": _hops(facts, active, theirs),
            "near": _hops(facts, standby, theirs),
        }


def _hops(facts: Facts, pod: Pod, theirs: Sequence[Pod]) -> int:
    """To the farthest of them."""
    found = (facts.topology.hops(pod.node, each.node) for each in theirs)
    return max((hops for hops in found if hops is not None), default=0)


def unfit(roles: Roles) -> Iterator[str]:
    """Why no passive pod could take over as it is."""
    if roles.ref is None and not any(pod.is_ready for pod in roles.passive):
        names = ", ".join(pod.id for pod in roles.passive[:3])
        yield f"none that stands by is ready ({names})"
    mine = roles.active[0].shape.requests.amounts
    theirs = [pod.shape.requests.amounts for pod in roles.passive]
    for name, unit, size in (("memory", "Mi", MEGABYTE), ("cpu", "m", 1)):
        most = max(each.get(name, 0) for each in theirs)
        if most < mine.get(name, 0):
            told = f"{most // size}{unit} of {name}, and the active one {mine[name] // size}{unit}"
            yield f"what stands by asks for {told}"


def _odds(facts: Facts, roles: Roles) -> Told:
    """How probable it is that none of them is there."""
    places = Places.of(facts.topology, facts.settings.region_label)
    nodes = [pod.node for pod in (*roles.active, *roles.passive)]
    answer = availability_of(nodes, 1, places, Odds.of_settings(facts.settings))
    return {"message": f"together they are {answer}", "object": None, "path": ()}


def _evidence(facts: Facts, roles: Roles) -> Iterator[Told]:
    racks = {node.name: node for node in facts.topology.nodes}
    for role, pods in (("active", roles.active), ("passive", roles.passive)):
        for pod in pods[:3]:
            node = racks.get(pod.node)
            where = f", rack {node.rack}" if node and node.rack else ""
            where += f", zone {node.zone}" if node and node.zone else ""
            found = facts.snapshot.by_key.get(("", "Pod", pod.namespace, pod.name))
            told = f"{pod.id} is {role} ({roles.told}) on {pod.node}{where}"
            yield {"message": told, "object": as_object(found.ref) if found else None, "path": ()}
