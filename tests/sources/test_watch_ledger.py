"""What was admitted is believed in until the server tells, and takes no more room than it may."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.model import Resource
from auditor.sources.cluster import live_resource
from auditor.sources.kinds import KINDS
from auditor.sources.watch.ledger import MOST_BYTES, Ledger

CONFIG_MAPS = next(kind for kind in KINDS if kind.kind == "ConfigMap")


def _map(name: str = "m", version: str = "", **data: str) -> Resource:
    metadata: dict[str, Any] = {"name": name, "namespace": "shop", "uid": f"uid-{name}"}
    if version:
        metadata["resourceVersion"] = version
    return live_resource(CONFIG_MAPS, {"metadata": metadata, "data": data})


def _names(ledger: Ledger) -> list[str]:
    return [entry.ref.name for entry in ledger.entries()]


@pytest.mark.parametrize(
    ("told", "ends"),
    [("99", False), ("100", False), ("101", True), ("1000", True), ("", True)],
)
def test_the_state_that_a_change_started_from_does_not_undo_it(told: str, ends: bool) -> None:
    """Its event was still under way. A ConfigMap has no generation; a request bears the version of
    the state that it changes.
    """
    ledger = Ledger()
    new = _map(version="100", state="new")
    ledger.note(new.ref, new, 0.0)
    assert ledger.heard(_map(version=told, state="?"), "MODIFIED") is ends


def test_versions_of_no_known_form_are_compared_as_they_are() -> None:
    """Not every server counts."""
    ledger = Ledger()
    new = _map(version="a", state="new")
    ledger.note(new.ref, new, 0.0)
    assert not ledger.heard(_map(version="a"), "MODIFIED")
    assert ledger.heard(_map(version="b"), "MODIFIED")


def test_a_flood_pushes_out_the_oldest() -> None:
    """And that is counted."""
    ledger = Ledger(entries=3)
    old = [ledger.note(_map(n).ref, _map(n), 0.0) for n in "abcd"]
    assert [[ref.name for ref in refs] for refs in old] == [[], [], [], ["a"]]
    assert (_names(ledger), ledger.dropped) == (["b", "c", "d"], 1)
    assert ledger.note(_map("b").ref, _map("b"), 0.0) == []
    assert _names(ledger) == ["c", "d", "b"]


def test_large_objects_count_for_more() -> None:
    """The one that was noted last stays, however large."""
    ledger = Ledger(length=1000)
    for name in "abc":
        ledger.note(_map(name).ref, _map(name, data="x" * 300), 0.0)
    assert _names(ledger) == ["b", "c"]
    ledger.note(_map("d").ref, _map("d", data="x" * 2000), 0.0)
    assert _names(ledger) == ["d"]
    ledger.note(_map("d").ref, None, 0.0)
    ledger.note(_map("e").ref, _map("e", data="x" * 800), 0.0)
    assert _names(ledger) == ["d", "e"]
    assert ledger.heard(_map("e"), "ADDED")
    ledger.note(_map("f").ref, _map("f", data="x" * 800), 0.0)
    assert _names(ledger) == ["d", "f"]


def test_what_cannot_be_measured_is_taken_for_large() -> None:
    """A number that no encoder writes."""
    ledger, odd = Ledger(), live_resource(CONFIG_MAPS, {"metadata": {"name": "a"}, "n": 2**80})
    ledger.note(odd.ref, odd, 0.0)
    assert ledger.entries()[0].length == MOST_BYTES // 100
