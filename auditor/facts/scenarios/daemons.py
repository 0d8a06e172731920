"""The update of a DaemonSet, from where its pods are.

Where each new pod has room on its node once the old one is gone, and every node has one that
serves, nodes differ in nothing that an update asks for: a few then stand for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from auditor.facts.controllers.budgets import scaled
from auditor.facts.controllers.case import Behaviour
from auditor.facts.controllers.daemon_sets import State, World, summary
from auditor.facts.controllers.exploring import explored
from auditor.facts.controllers.room import Crowd, Room
from auditor.facts.controllers.stages import Stage
from auditor.manifests import at, mapping
from auditor.model import Manifest
from auditor.values import dataclass

SPARE, MOST = 3, 6
"""So many nodes more than may be without a pod at once stand for all of them; and so many that may
be without one stand for any larger number."""
SERVES = ((0, Stage.AVAILABLE),)


@dataclass(frozen=True, slots=True)
class Updated:
    """What was found."""

    told: Mapping[str, Any]
    """In the keys of the recorded cases."""
    after: int
    """The fewest that serve in any end."""


def updated(
    room: Room,
    behaviours: tuple[Behaviour, Behaviour],
    spec: Manifest,
    here: Sequence[tuple[Stage, int]],
) -> Updated:
    """What an update of a DaemonSet of that specification passes through; `here`: its pods, each
    with the number of its node.
    """
    world = _world(room, behaviours, spec)
    places: list[list[tuple[int, Stage]]] = [[] for _ in room.names]
    for stage, node in here:
        places[node].append((0, stage))
    start: State = tuple(tuple(sorted(pods)) for pods in places)
    few, fewer = _fewer(world, start)
    found = explored([few.same(fewer)], few.next)
    after = min(map(_serving, found.quiet or found.seen), default=0)
    told = summary(found, few)
    if few is world:
        return Updated(told, after)
    fewest = _of_all(told["minAvailable"], few, world)
    most = min(world.unavailable, len(world.desired))
    why = [
        {**each, "pods": most if each["pods"] == few.unavailable else each["pods"]}
        for each in told["why"]
    ]
    return Updated(
        {**told, "minAvailable": fewest, "desired": len(world.desired), "why": why},
        _of_all(after, few, world),
    )


def _of_all(serving: int, few: World, world: World) -> int:
    """How many serve of all nodes, where so many of the few do."""
    away = len(few.desired) - serving
    most = min(world.unavailable, len(world.desired))
    return len(world.desired) - (most if away == few.unavailable else away)


def _world(room: Room, behaviours: tuple[Behaviour, Behaviour], spec: Manifest) -> World:
    rolling = mapping(at(spec, ("updateStrategy", "rollingUpdate")))
    desired = room.admits(1)
    return World(
        room=room,
        behaviours=behaviours,
        wanted=1,
        desired=desired,
        surge=scaled(rolling.get("maxSurge", 0), len(desired)),
        unavailable=scaled(rolling.get("maxUnavailable", 1), len(desired)),
        on_delete=at(spec, ("updateStrategy", "type")) == "OnDelete",
    )


def _fewer(world: World, start: State) -> tuple[World, State]:
    """A few nodes that stand for all, where they do."""
    empty: Crowd = ((),) * len(start)
    served = all(
        pods == (SERVES if node in world.desired else ()) for node, pods in enumerate(start)
    )
    if world.surge or not served or not world.desired <= world.room.fits(empty, 1):
        return world, start
    away = min(world.unavailable, len(world.desired), MOST)
    count = min(len(world.desired), away + SPARE)
    room, desired = _Alike(world.room, count), frozenset(range(count))
    few = replace(world, room=room, desired=desired, unavailable=away)
    return few, (SERVES,) * count


def _serving(state: State) -> int:
    return sum(stage is Stage.AVAILABLE for pods in state for _, stage in pods)


class _Alike(Room):
    """Nodes that each have room for the one pod that is meant for it."""

    def __init__(self, known: Room, count: int) -> None:
        super().__init__((), (), "", hashed=False)
        self._known, self._count = known, count

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Their numbers."""
        return tuple(map(str, range(self._count)))

    @cached_property
    def alike(self) -> tuple[tuple[int, ...], ...]:
        """All of them."""
        return (tuple(range(self._count)),)

    def fits(self, crowd: Crowd, revision: int) -> frozenset[int]:  # noqa: ARG002
        """Every one."""
        return frozenset(range(self._count))
