"""What the collector is spared, and what it finds all the same."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass, field
from weakref import ref

import pytest

from auditor.memory import builder, collector_paused
from auditor.model import Finding, Ref, Status
from tests.reporters.world import LITERAL as POLICY


class Node:
    """Something that may stand in a cycle."""

    other: Node | None = None


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """Whatever an earlier test has left frozen is let go."""
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_what_was_built_is_not_looked_at_while_young() -> None:
    """A collection of young objects costs nothing of it."""
    with collector_paused():
        built = [[number] for number in range(1000)]
    young = {id(one) for age in (0, 1) for one in gc.get_objects(generation=age)}
    assert young.isdisjoint(map(id, built))
    assert gc.get_freeze_count() == 0


def test_a_cycle_that_was_built_is_found_once_it_goes() -> None:
    """Nothing is kept for good."""
    with collector_paused():
        one, two = Node(), Node()
        one.other, two.other = two, one
    gone = ref(one)
    del one, two
    gc.collect()
    assert gone() is None


def test_what_stays_is_not_let_go_by_a_later_pause() -> None:
    """Who freezes says that it stays."""
    with collector_paused(staying=True):
        built = [[number] for number in range(1000)]
    with collector_paused():
        pass
    assert gc.get_freeze_count() >= len(built)


def test_a_collector_that_is_off_stays_off() -> None:
    """Also inside of another pause."""
    with collector_paused():
        with collector_paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_a_builder_makes_is_what_the_class_makes() -> None:
    """Equal, with the same hash and the same defaults, and as frozen."""
    finding = builder(Finding)
    given = (POLICY, Ref("v1", "Pod", "shop", "web"), ("spec",), "web", "it is wrong")
    more = ((), None, None, Status.OPEN, "x")
    made, usual = finding(*given, *more), Finding(*given, reason="x")
    named = builder(Finding, "policy", "ref", "path", "anchor", "message", "reason")
    assert named(*given, "x") == usual
    assert type(made) is Finding
    assert (made, hash(made), repr(made)) == (usual, hash(usual), repr(usual))
    with pytest.raises(FrozenInstanceError):
        made.reason = "y"  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Checked:
    """Looks at what it is given."""

    name: str

    def __post_init__(self) -> None:
        assert self.name


@dataclass(frozen=True, slots=True)
class Listed:
    """Makes its default anew for each."""

    names: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Is given its fields by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Reckoned:
    """Has a field that nobody gives."""

    name: str = field(default="", init=False)


@pytest.mark.parametrize(
    ("odd", "what"),
    [(Checked, "__post_init__"), (Listed, "names"), (Named, "name"), (Reckoned, "name")],
)
def test_what_a_twin_would_leave_out_is_refused(odd: type[object], what: str) -> None:
    """At once, where the builder is made: not when a value is wrong."""
    with pytest.raises(TypeError, match=f"^{odd.__name__}: no twin has {what}$"):
        builder(odd)
