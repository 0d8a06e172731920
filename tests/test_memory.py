"""What the collector is spared, and what it finds all the same."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from weakref import ref

import pytest

from auditor.memory import collector_paused


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
