"""What the policies on pods would write, a real API server takes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import pytest

from auditor.audit import Bench, audit
from auditor.fixes.operations import applied
from auditor.model import Operation, Origin, Path, Ref, Resource, Settings, Snapshot, Span
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load
from tests.pods import Pod, random_pods

from .cluster import TestCluster

pytestmark = pytest.mark.e2e

SEED = 20261127
PODS = 1000


class NoLines:
    """These manifests are not shown to anyone."""

    def span(self, path: Path) -> Span:
        return Span(1, 1, 1, 1)


def _pods() -> Iterator[Pod]:
    """Pods as they can be created: containers for debugging come later."""
    for number, pod in enumerate(islice(random_pods(SEED), PODS)):
        pod["spec"].pop("ephemeralContainers", None)
        metadata = {**pod["metadata"], "name": f"p{number}", "namespace": "default"}
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod["spec"]}


def _taken(cluster: TestCluster, pods: Mapping[str, Pod]) -> tuple[Mapping[str, Pod], str]:
    """The pods that the API server would create, and what it says of the others."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(pods.values())})
    done = cluster.kubectl(
        "create", "--dry-run=server", "--validate=false", "-o", "name", "-f", "-", input=text
    )
    names = {line.removeprefix("pod/") for line in done.stdout.splitlines()}
    return {name: pod for name, pod in pods.items() if name in names}, done.stderr


def _steps(pod: Pod, bench: Bench) -> Sequence[Operation]:
    """The steps of all fixes, one after the other."""
    resource = Resource(Ref("v1", "Pod", "default", "x"), pod, Origin("x", NoLines()))
    found: list[Operation] = []
    for finding in audit(Snapshot((resource,)), bench, Settings()).findings:
        found += [s for s in (finding.remedy.patch if finding.remedy else ()) if s not in found]
    return found


def test_fixed_pods_are_taken(cluster: TestCluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a pod that the API server takes, it takes what all fixes together make as well."""
    policies, library = load()
    asked = tuple(policy for policy in policies if policy.id.startswith("workload/"))
    modules = {policy.file: policy.module for policy in asked} | dict(library)
    bench = Bench(asked, compile_policies("regorus", modules))
    valid, _ = _taken(cluster, {pod["metadata"]["name"]: pod for pod in _pods()})
    steps = {name: _steps(pod, bench) for name, pod in valid.items()}
    fixed = {name: applied(valid[name], made) for name, made in steps.items() if made}
    taken, said = _taken(cluster, fixed)
    with capsys.disabled():
        print(f"\nfixed pods: {len(taken)} of {len(fixed)} are taken", end="")  # noqa: T201
    assert len(fixed) > 200
    assert taken == fixed, said[:2000]
