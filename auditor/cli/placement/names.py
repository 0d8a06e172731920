"""Finds the nodes, places and workloads that are meant by a name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from auditor.cli.network.ends import meant
from auditor.errors import UsageError

if TYPE_CHECKING:
    from auditor.facts.facts import Facts
    from auditor.facts.scenarios.cluster import Cluster, Group

LEVELS = ("node", "rack", "zone", "region")


def nodes_of(facts: Facts, level: str, name: str) -> frozenset[str]:
    """The nodes of the rack, zone or region of that name, or the node.

    Raises:
        UsageError: there is none.
    """
    nodes = facts.topology.nodes
    if not nodes:
        raise UsageError(
            "there is no Node object; topology.pools of .auditor.yaml can declare nodes"
        )
    places = {node.name: node.name if level == "node" else getattr(node, level) for node in nodes}
    found = frozenset(node for node, place in places.items() if place == name)
    if not found:
        known = [place for place in places.values() if place]
        raise UsageError(f"there is no {level} '{name}'{_hint(facts, level, name, known)}")
    return found


def _hint(facts: Facts, level: str, name: str, known: Iterable[str]) -> str:
    settings, known = facts.settings, list(dict.fromkeys(known))
    labels = {
        "rack": settings.rack_label,
        "zone": settings.zone_label,
        "region": settings.region_label,
    }
    if not known:
        return f": no node has the label {labels[level]}"
    few = 8
    listed = "" if len(known) > few else f"; there is {', '.join(known)}"
    return meant(name, known) or listed


def group_of(cluster: Cluster, name: str) -> Group:
    """The workload of that name: ``namespace/name``, ``name`` or either with ``[Kind]``.

    Raises:
        UsageError: there is none, or there are several.
    """
    short, _, kind = name.removesuffix("]").partition("[")
    fitting = [
        group
        for group in cluster.groups
        if short in (group.name, group.ref.name) and kind in ("", group.kind)
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(str(group.ref) for group in fitting)
        raise UsageError(f"'{name}' may be one of several: {names}")
    close = meant(name, (group.name for group in cluster.groups))
    raise UsageError(f"there is no workload '{name}'{close}")
