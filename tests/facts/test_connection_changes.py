"""What a change opens and closes: the same as every pair asked on both sides."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.connection_changes import Change, Comparison
from auditor.facts.connections import Connections
from auditor.facts.network import Network, PortSet

from .network.test_properties import cluster, many

QUICK = settings(max_examples=60, database=None, deadline=None)
TEAMS = st.fixed_dictionaries(
    {"default": st.sampled_from([None, "a"]), "other": st.sampled_from([None, "b"])}
)
Pairs = dict[tuple[str, str], PortSet]


def told(changes: tuple[Change, ...]) -> Pairs:
    """Every pair of two workloads that the changes name."""
    found: Pairs = {}
    for change in changes:
        for source in change.sources:
            for target in change.targets:
                if source.workload and target.workload and source is not target:
                    key = (source.name, target.name)
                    found[key] = found.get(key, PortSet.NONE) | change.ports
    return found


def asked(before: Network, after: Network) -> Pairs:
    """What flows after and did not before, one pair at a time."""
    old = {workload.name: workload for workload in before.workloads}
    found: Pairs = {}
    for source in after.workloads:
        for target in after.workloads:
            if source is not target:
                was = before.reach(old[source.name], old[target.name]).possible
                if opened := after.reach(source, target).possible - was:
                    found[source.name, target.name] = opened
    return found


@given(many, many, TEAMS)
@QUICK
def test_changes_are_what_every_pair_says(
    policies: list[tuple[str, Any]], more: list[tuple[str, Any]], teams: dict[str, str | None]
) -> None:
    """Opened one way is closed the other way."""
    before, after = cluster(policies, teams), cluster([*policies, *more], teams)
    worlds = Connections(before), Connections(after)
    changes = Comparison([worlds[0]], [worlds[1]], lambda _: frozenset()).changes()
    assert told(changes.opened) == asked(before, after)
    assert told(changes.closed) == asked(after, before)
    assert not changes.added
    assert not changes.removed
