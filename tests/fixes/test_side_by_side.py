"""Fixes that are tried together get the proof that each would get by itself."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

from auditor.audit import audit, audit_changed
from auditor.fixes.case import Before, Case
from auditor.fixes.offer import changes_of
from auditor.fixes.operations import created
from auditor.fixes.proof import Outcome, prove
from auditor.fixes.side_by_side import is_apart, side_by_side
from auditor.model import Proof, Snapshot
from tests.bench import SETTINGS, bench, objects

APP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - {{name: main, image: "registry.example/app:1", ports: [{{containerPort: 8080}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 8080}}]}}
"""


def cases(count: int) -> list[Case]:
    """The budget of each of so many workloads that have none."""
    snapshot = Snapshot(objects("---\n".join(APP.format(name=f"app{n}") for n in range(count))))
    asked = bench("disruption/no_budget", "disruption/two_budgets")
    before = Before(audit(snapshot, asked, SETTINGS), asked, SETTINGS)
    wanted = [f for f in before.audit.findings if f.policy.id == "disruption/no_budget"]
    assert len(wanted) == count
    return [
        Case(before, one, changes_of(before.facts, one, one.remedy), (), "")
        for one in wanted
        if one.remedy
    ]


def wide(case: Case) -> Case:
    """The same with a budget that speaks of the pods of everybody."""
    (change,) = case.changes
    spec = {**change.resource.manifest["spec"], "selector": {}}
    resource = replace(change.resource, manifest={**change.resource.manifest, "spec": spec})
    return replace(case, changes=(created(resource, resource),))


def proofs(tried: list[Case]) -> dict[str, Proof]:
    """What is shown of each, by its workload."""
    return {str(c.finding.ref): prove(c, outcome) for c, outcome in side_by_side(tried)}


def test_many_cost_one_audit_and_have_the_same_proof() -> None:
    tried = cases(12)
    alone = {str(case.finding.ref): prove(case) for case in cases(12)}
    with patch("auditor.fixes.case.audit_changed", side_effect=audit_changed) as changed:
        together = proofs(tried)
    assert changed.call_count == 1
    assert together == alone
    assert all(proof.holds for proof in together.values())


def test_one_that_meets_the_others_is_tried_without_them() -> None:
    """A budget over the pods of all, beside the budget of each, would be their second one."""
    tried = cases(12)
    tried[3] = wide(tried[3])
    changes = tuple(change for case in tried for change in case.changes)
    assert "disruption/two_budgets" in str(Outcome.of(replace(tried[0], changes=changes)))
    assert proofs(tried) == {str(case.finding.ref): prove(case) for case in tried}


def test_only_what_adds_a_budget_and_nothing_else_is_apart() -> None:
    case, other = cases(2)
    assert is_apart(case)
    assert not is_apart(replace(case, changes=(*case.changes, *other.changes)))
    found = case.before.audit.snapshot.find(case.finding.ref)
    assert found
    assert not is_apart(replace(case, changes=(created(found, found),)))


BOUNDS = ("resources/no_limit_range", "resources/no_resource_quota")
SPACE = """\
apiVersion: v1
kind: Namespace
metadata: {{name: team{n}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: app, namespace: team{n}}}
spec:
  containers:
    - {{name: main, image: "registry.example/app:1", resources: {{requests: {{cpu: 600m}}}}}}
    - {{name: side, image: "registry.example/app:1"}}
"""
NODE = """\
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {kubernetes.io/hostname: n1}}
status: {allocatable: {cpu: "6", memory: 8Gi, pods: "110"}}
"""


def test_the_bounds_of_many_namespaces_cost_one_audit() -> None:
    """Six pods of 600m leave 2.4 of 6 CPU: beside the others as they are, each finds room for 600m
    more, though all of them together would not.
    """
    texts = [NODE, *(SPACE.format(n=n) for n in range(6))]
    asked = bench(*BOUNDS)
    before = Before(audit(Snapshot(objects("---\n".join(texts))), asked, SETTINGS), asked, SETTINGS)
    tried = [
        Case(before, one, changes_of(before.facts, one, one.remedy), (), "")
        for one in before.audit.findings
        if one.remedy
    ]
    assert len(tried) == 12
    assert all(map(is_apart, tried))
    with patch("auditor.fixes.case.audit_changed", side_effect=audit_changed) as changed:
        together = [prove(case, outcome) for case, outcome in side_by_side(tried)]
    assert changed.call_count == 1
    assert all(proof.holds for proof in together)
    assert sum(bool(proof.scheduled) for proof in together) == 6
