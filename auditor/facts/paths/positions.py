"""Where somebody may stand on a way to personal data, and what leads from one place to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Literal

from auditor.facts.workloads import Workload
from auditor.model import Path, Ref
from auditor.values import dataclass

Standing = Literal["internet", "workload", "data", "subject"]

Kind = Literal["network", "api", "node", "volume", "credentials", "identity"]


@dataclass(frozen=True, slots=True, eq=False)
class Position:
    """The internet, control of a workload, the data that one holds, or the identity of a subject.
    One object for each.
    """

    kind: Standing
    name: str
    """As a person would say it: ``shop/web``, ``Group ops``, ``ServiceAccount shop/web``."""
    workload: Workload | None = None
    subject: str = ""
    """Of a subject, its name in requests."""


INTERNET = Position("internet", "the internet")


def place_of(workload: Workload) -> Position:
    """Control of a workload."""
    return Position("workload", workload.name, workload)


def data_of(store: Workload) -> Position:
    """What a workload holds."""
    return Position("data", store.name, store)


@dataclass(frozen=True, slots=True)
class Why:
    """What makes a step possible."""

    text: str
    ref: Ref | None = None
    """The object that does; None where nothing is written that stops it."""
    path: Path = ()


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """One thing that leads from each of its sources to each of its targets: to take it away closes
    all of these at once.
    """

    kind: Kind
    sources: Sequence[Position]
    targets: Sequence[Position]
    whys: Mapping[Position, Why] = field(default_factory=dict)
    """By target; of what is not there, the network is asked."""
    needed: bool = False
    """Whether it is there by design: a declared client that asks its store, a public entrance, the
    service account of a workload."""
    approach: bool = False
    """Whether it only lets one speak to a workload that holds no such data itself: whoever does has
    to break in there first."""
    mend: str = ""
    """What takes it away, in words; empty where nothing that is known does."""
    place: Why | None = None
    """Where that would be done."""

    @property
    def opens(self) -> bool:
        """Whether a path that uses it is to be told. What is made of design and approaches alone
        is how every application works.
        """
        return not (self.needed or self.approach)


@dataclass(frozen=True, slots=True)
class Step:
    """From one position to the next."""

    source: Position
    target: Position
    means: Means


@dataclass(frozen=True, slots=True)
class DataPath:
    """The shortest way from a start to a store, or to a client of it, that is not by design."""

    start: Position
    store: Position
    steps: tuple[Step, ...]

    @property
    def through(self) -> Position | None:
        """The declared client that it goes through; None where it leads to the store itself."""
        last = self.steps[-1].target
        return None if last.workload is self.store.workload else last


def unique(positions: Iterable[Position]) -> tuple[Position, ...]:
    """Each once, in their order."""
    return tuple(dict.fromkeys(positions))
