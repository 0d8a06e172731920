"""What one dialect of policies says of a connection, and how several say it together.

A dialect is a stage. It accepts some ports, denies others, and leaves the rest to the stage after
it; what every stage leaves is accepted, as in a cluster without policies. Where it cannot be told
which of the three holds for a port, the port is in more than one of the sets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from auditor.facts.network.answers import Direction, Reason
from auditor.facts.network.cluster_policies import ClusterPolicy
from auditor.facts.network.points import Point
from auditor.facts.network.policies import NetPolicy, PolicyRule
from auditor.facts.network.ports import PortSet
from auditor.facts.selectors import Truth
from auditor.values import Word, dataclass

Selection = tuple[tuple[NetPolicy | ClusterPolicy, Truth], ...]


@dataclass(frozen=True, slots=True)
class Connection:
    """Whose policies are asked, and about whom."""

    direction: Direction
    subject: Point
    """The end whose policies decide."""
    other: Point
    """The end that they admit or not."""
    near: Truth = Truth.MAYBE
    """Whether both ends are on one node."""

    @property
    def target(self) -> Point:
        """The end to which the connection goes: its ports are meant."""
        return self.subject if self.direction == "Ingress" else self.other


class Effect(Word):
    """What a reason tells of the ports beside it."""

    ACCEPTS = "accepts"
    DENIES = "denies"
    PASSES = "passes"
    """It leaves them to the next stage."""
    DOUBTS = "doubts"
    """It says why more than one is possible."""
    OPEN = "open"
    """Nothing of this stage has a say."""


@dataclass(frozen=True, slots=True)
class Note:
    """A reason, and for which ports it is one."""

    effect: Effect
    ports: PortSet
    reason: Reason


@dataclass(frozen=True, slots=True)
class Admission:
    """A rule of a NetworkPolicy that admits the other side, surely or perhaps."""

    policy: NetPolicy
    rule: PolicyRule
    sure: PortSet
    possible: PortSet


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What one stage says. Each port is in at least one of the first three sets."""

    accepts: PortSet
    """What it may accept: nobody after it is asked."""
    denies: PortSet
    passes: PortSet
    notes: tuple[Note, ...] = ()
    """In the order in which they are asked."""
    unknown: tuple[str, ...] = ()
    admissions: tuple[Admission, ...] = ()
    assumed: PortSet | None = None
    """Where it is taken to have no say, and `unknown` says why: what it might deny otherwise."""


NO_SAY = Decision(PortSet.NONE, PortSet.NONE, PortSet.ALL)
"""The stage has no policy for this end."""


class Stage(Protocol):
    """One dialect of policies, or one tier of it."""

    def decide(self, connection: Connection) -> Decision:
        """What its policies say; the same object where they say the same, as far as it is cheap
        to tell.
        """

    def selection(self, subject: Point, direction: Direction) -> Selection:
        """The policies that have a say for this subject, surely or perhaps: nothing but their rules
        tells one other end from another.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """What all policies that select one end of a connection say of it."""

    sure: PortSet
    possible: PortSet
    notes: tuple[Note, ...] = ()
    unknown: tuple[str, ...] = ()
    admissions: tuple[Admission, ...] = ()
    assumed: PortSet = PortSet.NONE
    """What is in `sure` because of an assumption that `unknown` names."""
    presumed: bool = False
    """Whether anything rests on such an assumption, if only that it makes no difference."""

    def reasons(self, possible: PortSet) -> Iterable[Reason]:
        """Why, where both ends together may let through `possible`."""
        for note in self.notes:
            if note.effect is Effect.ACCEPTS and possible and not note.ports.overlaps(possible):
                continue
            if note.effect is Effect.DOUBTS and not note.ports.overlaps(self.possible - self.sure):
                continue
            yield note.reason


def composed(decisions: Iterable[Decision]) -> Side:
    """What the stages say in this order."""
    left = PortSet.ALL
    accepted = denied = assumed = PortSet.NONE
    notes: list[Note] = []
    unknown: list[str] = []
    admissions: list[Admission] = []
    presumed = False
    for said in decisions:
        accepted, denied = accepted | (left & said.accepts), denied | (left & said.denies)
        if said.assumed is not None and left:
            presumed, assumed = True, assumed | (left & said.assumed)
        notes += [note for each in said.notes if (note := _within(each, left))]
        admissions += [one for each in said.admissions if (one := _narrowed(each, left))]
        unknown += said.unknown if left else ()
        left &= said.passes
        if not left:
            break
    sure = denied.complement()
    return Side(
        sure=sure,
        possible=accepted | left,
        notes=tuple(notes),
        unknown=tuple(dict.fromkeys(unknown)),
        admissions=tuple(admissions),
        assumed=assumed & sure,
        presumed=presumed,
    )


def _within(note: Note, left: PortSet) -> Note | None:
    """The note as far as anything is left to its stage. One without ports says that there are
    none, and stays.
    """
    if left is PortSet.ALL or not note.ports:
        return note
    ports = note.ports & left
    return replace(note, ports=ports) if ports else None


def _narrowed(one: Admission, left: PortSet) -> Admission | None:
    if left is PortSet.ALL:
        return one
    possible = one.possible & left
    return replace(one, sure=one.sure & left, possible=possible) if possible else None
