"""Affinity that draws a service to the rack of its database.

Soft, so that it can never leave a pod without a node: a database has one rack, and losing that
rack must not take away the right to run elsewhere. To the rack itself and not to the pods of the
database: where both start at once, the scheduler may place the service first, and a wish to be near
pods that have no node yet counts for nothing.
"""

from __future__ import annotations

from typing import Any

from auditor.facts import Facts
from auditor.facts.distance import fars
from auditor.facts.workloads import Workload
from auditor.fixes.operations import patched
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.manifests import at, mapping
from auditor.model import Change, Finding, Operation, Path

WEIGHT = 100
"""The highest that the API allows (1 to 100)."""

SOFT = "preferredDuringSchedulingIgnoredDuringExecution"


def draw_near(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """A preferred node affinity to the rack of the database, by the rack label.

    Raises:
        CannotBuildError: the database is no longer far.
    """
    client = facts.by_key.get(finding.ref.key)
    if client is None:
        raise CannotBuildError(f"{finding.ref} is no workload")
    far = next((f for f in fars(facts, client) if f.edge.target.name == finding.anchor), None)
    if far is None:
        raise CannotBuildError("the service is no longer placed away from the database")
    base = (*client.pod_path, "affinity", "nodeAffinity", SOFT)
    return (patched(client.resource, *steps_to(client, base, _term(facts, far.rack))),)


def _term(facts: Facts, rack: str) -> dict[str, Any]:
    rule = {"key": facts.settings.rack_label, "operator": "In", "values": [rack]}
    return {"weight": WEIGHT, "preference": {"matchExpressions": [rule]}}


def steps_to(client: Workload, base: Path, term: dict[str, Any]) -> list[Operation]:
    """One step that adds `term`, at the deepest place that is already written."""
    manifest = client.resource.manifest
    if isinstance(at(manifest, base), list):
        return [Operation("add", (*base, "-"), term)]
    value: Any = [term]
    path = base
    while path != client.pod_path and not mapping(at(manifest, path[:-1])):
        value = {path[-1]: value}
        path = path[:-1]
    return [Operation("add", path, value)]
