"""The Node objects of a cluster of which none was read: those that the user declares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from auditor.model import Manifest, Origin, Path, Ref, Resource, Settings, Snapshot, Span
from auditor.terms import HOSTNAME
from auditor.values import dataclass

USUAL_ROOM: dict[str, str] = {"pods": "110", "ephemeral-storage": "1Pi"}
"""What a pool has that tells of room and leaves these out: the kubelet's default number of pods,
and a disk that is never the reason why a pod finds no node.
"""
USUAL = {"kubernetes.io/os": "linux"}
"""What every kubelet says of its node, unless the declaration says otherwise."""


@dataclass(frozen=True, slots=True)
class _Line:
    """Where a pool is declared."""

    line: int

    def span(self, path: Path) -> Span:  # noqa: ARG002 - one line stands for all of its nodes
        return Span(self.line, 1, self.line, 1)


def furnished(snapshot: Snapshot, settings: Settings) -> Snapshot:
    """The snapshot with the declared nodes, where it has no node: a Node object that was read says
    what is there, and no declaration adds to that.
    """
    if not settings.pools or "Node" in snapshot.by_kind:
        return snapshot
    return replace(snapshot, resources=(*snapshot.resources, *_nodes(settings)))


def declared(snapshot: Snapshot) -> tuple[Resource, ...]:
    """The nodes of the snapshot that nobody read; none where they were."""
    return tuple(node for node in snapshot.of_kind("Node") if isinstance(node.origin.lines, _Line))


def words(snapshot: Snapshot) -> str:
    """``nodes: 6, as .auditor.yaml:4 declares (no Node object was read)``; empty where none is."""
    found = declared(snapshot)
    if not found:
        return ""
    origin = found[0].origin
    where = f"{origin.uri}:{origin.span(()).line}"
    return f"nodes: {len(found)}, as {where} declares them (no Node object was read)"


def _nodes(settings: Settings) -> Iterator[Resource]:
    for pool in settings.pools:
        origin = Origin(pool.file, _Line(pool.line))
        taints = [_taint(*taint) for taint in pool.taints]
        for name in pool.names:
            manifest: Manifest = {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": name, "labels": {HOSTNAME: name, **USUAL, **pool.labels}},
                "spec": {"taints": taints} if taints else {},
                "status": {"allocatable": {**USUAL_ROOM, **pool.allocatable}}
                if pool.allocatable
                else {},
            }
            yield Resource(Ref("v1", "Node", "", name), manifest, origin)


def _taint(key: str, value: str, effect: str) -> Manifest:
    return {"key": key, **({"value": value} if value else {}), "effect": effect}
