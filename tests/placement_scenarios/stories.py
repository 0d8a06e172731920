"""Audits a few objects with a few policies, and applies what their fixes change."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from auditor.audit import Bench, audit
from auditor.fixes.offer import with_fixes
from auditor.model import Audit, Finding, Resource, Settings, Snapshot
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load
from tests.facts.placement.world import ZONE, node, thing, workload

SETTINGS = Settings()


@cache
def bench(*ids: str) -> Bench:
    """Asks the policies with these names."""
    policies, library = load()
    asked = tuple(policy for policy in policies if policy.id in ids)
    assert len(asked) == len(ids)
    modules = {policy.file: policy.module for policy in asked} | dict(library)
    return Bench(asked, compile_policies("regorus", modules))


def found(asking: Bench, *resources: Resource) -> dict[str, list[str]]:
    """The messages by the name of the policy."""
    messages: dict[str, list[str]] = {}
    for finding in audit(Snapshot(resources), asking, SETTINGS).findings:
        messages.setdefault(finding.policy.id, []).append(finding.message)
    return messages


def fixed(asking: Bench, *resources: Resource) -> tuple[Resource, ...]:
    """The objects after all proven fixes."""
    answer: Audit = with_fixes(audit(Snapshot(resources), asking, SETTINGS), asking, SETTINGS)
    changed = {change.resource.ref: change.resource for each in map(_proven, answer.findings)
               for change in each}  # fmt: skip
    return tuple(changed.get(each.ref, each) for each in resources)


def _proven(finding: Finding) -> tuple[Any, ...]:
    assert finding.fix is not None
    assert finding.fix.proof.resolved
    assert not finding.fix.proof.unschedulable
    return finding.fix.changes


def zones(*names: str) -> tuple[Resource, ...]:
    """One node in each zone."""
    return tuple(node(f"n-{name}", {ZONE: name}) for name in names)


def web(replicas: int = 3, **fields: Any) -> Resource:
    """A Deployment; the fields go to the specification of its pods."""
    return workload("Deployment", "web", own={"replicas": replicas}, **fields)


def service(name: str = "web") -> Resource:
    spec = {"selector": {"app": name}, "ports": [{"port": 80}]}
    return thing("Service", name, "shop", spec=spec)


def volume(name: str, claim: str, *at: str) -> tuple[Resource, Resource]:
    """A volume that the nodes of some zones reach, and the claim that is bound to it."""
    rule = {"key": ZONE, "operator": "In", "values": list(at)}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [rule]}]}
    source: Mapping[str, Any] = {"csi": {"driver": "ebs.csi.aws.com", "volumeHandle": name}}
    disk = thing("PersistentVolume", name, spec={**source, "nodeAffinity": {"required": terms}})
    bound = thing("PersistentVolumeClaim", claim, "shop", spec={"volumeName": name})
    return disk, bound
