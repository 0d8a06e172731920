"""Affinity that draws a service to the rack of what it asks most.

To the pods, not to the rack by name: what is asked may move, and its callers follow it. Soft, so
that nothing is left without a node.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.facts import Facts
from auditor.facts.chatter import apart
from auditor.facts.primary import from_primaries
from auditor.facts.workloads import Workload
from auditor.fixes.operations import patched
from auditor.fixes.synthesize.affinity import SOFT, WEIGHT, steps_to
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.manifests import at, texts
from auditor.model import Change, Finding


def draw_together(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """A preferred affinity to the pods of what is asked, by the rack label.

    Raises:
        CannotBuildError: they are no longer apart, or no label tells the pods of what is asked.
    """
    client = facts.by_key.get(finding.ref.key)
    found = apart(facts, client) if client else ()
    target = next((e.edge.target for e in found if e.edge.target.name == finding.anchor), None)
    if client is None or target is None:
        raise CannotBuildError("the service is no longer placed away from what it asks")
    labels = texts(at(target.resource.manifest, ("spec", "selector", "matchLabels")))
    if not labels:
        raise CannotBuildError(f"no label is sure to tell the pods of {target.name}")
    base = (*client.pod_path, "affinity", "podAffinity", SOFT)
    term = _term(facts.settings.rack_label, labels, client, target)
    return (patched(client.resource, *steps_to(client, base, term)),)


def follow_primary(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """A preferred affinity to the member of the database that works, by the label of its role.

    Raises:
        CannotBuildError: the service is no longer away from it, or nothing else tells its pods.
    """
    client = facts.by_key.get(finding.ref.key)
    away = from_primaries(facts, client) if client else ()
    found = next((each for each in away if each.edge.target.name == finding.anchor), None)
    if client is None or found is None:
        raise CannotBuildError("the service is no longer away from the member that works")
    labels = texts(at(found.edge.service.manifest, ("spec", "selector")))
    if not labels:
        raise CannotBuildError(f"no label is sure to tell the pods of {found.edge.target.name}")
    key, value = found.role
    term = _term(facts.settings.rack_label, {**labels, key: value}, client, found.edge.target)
    base = (*client.pod_path, "affinity", "podAffinity", SOFT)
    return (patched(client.resource, *steps_to(client, base, term)),)


def _term(
    rack: str, labels: Mapping[str, str], client: Workload, target: Workload
) -> dict[str, Any]:
    meant: dict[str, Any] = {"labelSelector": {"matchLabels": dict(labels)}, "topologyKey": rack}
    if target.ref.namespace != client.ref.namespace:
        meant["namespaces"] = [target.ref.namespace]
    return {"weight": WEIGHT, "podAffinityTerm": meant}
