"""Fixes that decide where pods run, or how they are replaced, applied for real.

Each failing fixture of the folders on placement and availability is a case: its nodes are made, its
objects are applied as they are, then with all fixes that are proven for it, by `kubectl apply`. The
real controllers bring the change, and the real scheduler has to bind every pod of every workload
that was mended; nobody else may lose its node. Fixtures without nodes promise nothing about nodes:
their pods get three roomy ones.

What a proof takes for granted is given to the cluster: a volume for each claim. What is written of
the past (status, uid, owner) is not, and no pod comes of kinds that the server does not know.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from auditor.audit import Bench, audit
from auditor.facts.workloads import workload_of
from auditor.fixes.offer import with_fixes
from auditor.fixes.together import merged
from auditor.model import Fix, Snapshot, Status
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load
from auditor.sources.files import FileSource
from tests.policy_fixtures import FIXABLE, settings_of

from .cluster import ClusterError, RefusedError, TestCluster
from .cluster_settled import name, unsettled
from .dryrun import Server, server

pytestmark = pytest.mark.e2e

FIXTURES = Path(__file__).parents[2] / "fixtures" / "policies"
FOLDERS = (
    "placement", "capacity", "spread", "redundancy", "rollout", "disruption", "routing", "scaling",
    "health",
)  # fmt: skip
KNOWN = (
    "v1", "apps/", "autoscaling/", "batch/", "networking.k8s.io/", "policy/", "scheduling.k8s.io/",
    "storage.k8s.io/",
)  # fmt: skip
"""The groups that every API server has."""

READ = (
    *(f"/apis/apps/v1/{kind}" for kind in ("deployments", "replicasets", "statefulsets")),
    "/apis/apps/v1/daemonsets",
    "/apis/batch/v1/jobs",
    "/api/v1/pods",
)
"""What is looked at again and again, without the cost of starting kubectl."""

GLOBAL = ("Node", "PersistentVolume", "PriorityClass", "StorageClass")
ENDING = ("CronJob", "Job")
"""What may be gone again before anybody looks."""

Manifest = dict[str, Any]
Owner = tuple[str, str, str]
"""Kind, namespace and name of what made a pod."""


@dataclass(frozen=True, slots=True)
class Case:
    """A fixture as it is, and with its fixes."""

    name: str
    before: tuple[Manifest, ...]
    after: tuple[Manifest, ...]
    mended: frozenset[Owner]

    @property
    def nodes(self) -> tuple[Manifest, ...]:
        return tuple(each for each in self.after if each["kind"] == "Node")


def _cases() -> Iterator[Case]:
    policies, library = load()
    for policy in policies:
        if policy.fix not in FIXABLE or policy.id.partition("/")[0] not in FOLDERS:
            continue
        engine = compile_policies("regorus", {policy.file: policy.module} | dict(library))
        bench = Bench((policy,), engine)
        for file in sorted((FIXTURES / policy.id).glob("fail-*.yaml")):
            settings = settings_of(file)
            answer = audit(FileSource((str(file),)).snapshot(), bench, settings)
            found = with_fixes(answer, bench, settings).findings
            fixes = [f.fix for f in found if f.status is Status.OPEN and f.fix]
            fixes = [fix for fix in fixes if fix.proof.holds]
            if case := _case(f"{policy.id}/{file.name}", answer.snapshot, fixes):
                yield case


def _case(title: str, snapshot: Snapshot, fixes: Iterable[Fix]) -> Case | None:
    """None where no pod is touched."""
    changed = [change.resource for change in merged(snapshot, fixes)]
    mended = frozenset(_owner(each.manifest) for each in changed if workload_of(each))
    if not mended:
        return None
    before = [each.manifest for each in snapshot.resources]
    after = [each.manifest for each in snapshot.replacing(*changed).resources]
    return Case(title, tuple(_real(before)), tuple(_real(after)), mended)


def _owner(manifest: Mapping[str, Any]) -> Owner:
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace") or "default", metadata["name"]


def _real(manifests: Iterable[Mapping[str, Any]]) -> Iterator[Manifest]:
    """The objects as a user would send them."""
    for each in manifests:
        metadata = {
            k: v for k, v in each["metadata"].items() if k not in ("uid", "ownerReferences")
        }
        if not each["apiVersion"].startswith(KNOWN) or metadata["name"].startswith("system-"):
            continue
        kept = {k: v for k, v in each.items() if k != "status" or each["kind"] == "Node"}
        yield {**kept, "metadata": metadata}
        if each["kind"] == "CronJob":
            yield _due(each, metadata)


def _due(cron: Mapping[str, Any], metadata: Manifest) -> Manifest:
    """The Job that a CronJob makes when its time has come."""
    spec = cron["spec"]["jobTemplate"]["spec"]
    named = {**metadata, "name": f"{metadata['name']}-due"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": named, "spec": spec}


def _roomy() -> list[Manifest]:
    """Three nodes that are in nobody's way."""
    return [_node(f"roomy-{number}", f"zone-{number}") for number in range(3)]


def _node(title: str, zone: str) -> Manifest:
    labels = {"kubernetes.io/hostname": title, "topology.kubernetes.io/zone": zone}
    status = {"allocatable": {"cpu": "64", "memory": "256Gi", "pods": "110"}}
    metadata = {"name": title, "labels": labels}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": status}


def _volumes(case: Case) -> list[Manifest]:
    """One for each claim, with the modes that it asks for."""
    return [_volume(number, spec) for number, spec in enumerate(_claims(case))]


def _volume(number: int, claim: Mapping[str, Any]) -> Manifest:
    spec = {
        "capacity": {"storage": "1Ti"},
        "accessModes": claim["accessModes"],
        "csi": {"driver": "csi.example", "volumeHandle": f"volume-{number}"},
    }
    metadata = {"name": f"volume-{number}"}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec}


def _claims(case: Case) -> Iterator[Mapping[str, Any]]:
    for each in case.after:
        spec = each.get("spec", {})
        if each["kind"] == "PersistentVolumeClaim":
            yield spec
        for template in spec.get("volumeClaimTemplates", ()):
            yield from [template["spec"]] * spec.get("replicas", 1)


@dataclass(frozen=True, slots=True)
class Pods:
    """How many pods of each owner have a node, and how many have none."""

    bound: Counter[Owner]
    waiting: Counter[Owner]


def pods_of(objects: Iterable[Manifest]) -> Pods:
    """Of a cluster. A pod of a Deployment's ReplicaSet is the Deployment's."""
    objects = list(objects)
    above = {_owner(each): _controller(each) for each in objects}
    bound: Counter[Owner] = Counter()
    waiting: Counter[Owner] = Counter()
    for pod in (each for each in objects if each["kind"] == "Pod"):
        owner = _controller(pod) or _owner(pod)
        owner = above.get(owner) or owner
        if "deletionTimestamp" not in pod["metadata"]:
            (bound if pod["spec"].get("nodeName") else waiting)[owner] += 1
    return Pods(bound, waiting)


def _controller(manifest: Manifest) -> Owner | None:
    metadata = manifest["metadata"]
    for each in metadata.get("ownerReferences", ()):
        if each.get("controller"):
            return each["kind"], metadata["namespace"], each["name"]
    return None


def _behind(manifest: Manifest) -> str:
    """Why the update of a workload is not through; empty where it is."""
    status, spec, kind = manifest.get("status", {}), manifest["spec"], manifest["kind"]
    if kind == "DaemonSet":
        told = [status.get("updatedNumberScheduled", 0), status.get("desiredNumberScheduled", 0)]
    elif kind in ("Deployment", "StatefulSet"):
        told = [status.get(k, 0) for k in ("updatedReplicas", "replicas")] + [spec["replicas"]]
    else:
        return ""
    seen = status.get("observedGeneration") == manifest["metadata"]["generation"]
    return "" if seen and len(set(told)) == 1 else f"{name(manifest)}: {status}"


@dataclass(slots=True)
class Trial:
    """One case on the cluster."""

    cluster: TestCluster
    server: Server
    case: Case
    _pictures: list[str] = field(default_factory=list)

    def on_its_nodes(self) -> None:
        """Make what the objects of the case need to be there."""
        if made := [*self.case.nodes, *_volumes(self.case)]:
            self.cluster.apply(*made)

    def as_it_is(self) -> Pods:
        """Apply the fixture, as far as the server takes it, and wait until nothing moves."""
        self.cluster.kubectl("apply", "-f", "-", input=_list(self.case.before))
        self.cluster.wait_until(f"{self.case.name} is quiet", self._moving)
        return pods_of(self._objects())

    def mended(self) -> Pods:
        """Apply it with its fixes, and wait until every mended workload is through."""
        self.cluster.kubectl("apply", "-f", "-", input=_list(self.case.after), check=True)
        self.cluster.wait_until(f"{self.case.name} is through", self._waiting, 120)
        return pods_of(self._objects())

    def clean(self) -> None:
        """Take all of it away: pods before the nodes that they are on."""
        made = [*self.case.after, *_volumes(self.case)]
        _delete(self.cluster, [each for each in made if each["kind"] not in GLOBAL])
        _delete(self.cluster, [each for each in made if each["kind"] in GLOBAL])

    def _objects(self) -> list[Manifest]:
        return [each for path in READ for each in self.server.listed(path)]

    def _moving(self) -> str:
        """What moves; empty once three looks in a row showed the same, and every pod has a node or
        was told that there is none.
        """
        lines = unsettled(self._objects())
        self._pictures = [*self._pictures[-2:], "\n".join(lines)]
        settled = len(self._pictures) == 3 and len(set(self._pictures)) == 1
        moving = [each for each in lines if not _for_good(each)]
        return "" if settled and not moving else "\n".join(["it moves", *moving])

    def _waiting(self) -> str:
        """What keeps the mended workloads from being through; empty when all pods have nodes."""
        objects = self._objects()
        mine = [each for each in objects if _owner(each) in self.case.mended]
        lost = self.case.mended - {_owner(each) for each in mine}
        said = [f"{kind} {title} is not there" for kind, _, title in lost if kind not in ENDING]
        unbound = self.case.mended & pods_of(objects).waiting.keys()
        said += [f"a pod of {kind} {title} has no node" for kind, _, title in unbound]
        return "\n".join([*said, *filter(None, map(_behind, mine)), *unsettled(mine)])


def _for_good(line: str) -> bool:
    """Whether a line of what is not settled may stay so: the scheduler has spoken, or pods are not
    made (of what is paused, or waits for the one before).
    """
    return "has no node; " in line or "pods made" in line


def _list(manifests: Sequence[Manifest]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})


def _delete(cluster: TestCluster, manifests: Sequence[Manifest]) -> None:
    how = ("--ignore-not-found", "--cascade=foreground", "--timeout=60s")
    if manifests:
        cluster.kubectl("delete", *how, "-f", "-", input=_list(manifests), check=True)


def _namespaces(cases: Iterable[Case]) -> list[Manifest]:
    spaces = {_owner(each)[1] for case in cases for each in case.after}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": each}}
        for each in sorted(spaces)
    ]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case."""

    fault: str
    """Empty where all is as it should be."""
    pods: int = 0
    """How many pods of mended workloads are bound."""
    waited: bool = False
    """Whether some pod of them was told before that there is no node for it."""


def _outcome(trial: Trial) -> Outcome:
    mended = trial.case.mended
    trial.on_its_nodes()
    try:
        before = trial.as_it_is()
        after = trial.mended()
    except (ClusterError, RefusedError) as error:
        return Outcome(str(error))
    finally:
        trial.clean()
    bare = {owner for owner in mended - after.bound.keys() if owner[0] not in ENDING}
    lost = after.waiting - before.waiting
    said = [f"has no pod: {bare}"] * bool(bare) + [f"lost its node: {lost}"] * bool(lost)
    pods = sum(after.bound[owner] for owner in mended)
    return Outcome("; ".join(said), pods, bool(mended & before.waiting.keys()))


def test_every_pod_of_every_proven_fix_is_bound(
    cluster: TestCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """First the fixtures that say no nodes, then each of the others alone on its own. Some of their
    pods have to wait before the fix: so it is seen that waiting pods are.
    """
    cases = sorted(_cases(), key=lambda case: bool(case.nodes))
    roomy = _roomy()
    cluster.apply(*_namespaces(cases), *roomy)
    found = {}
    with server(cluster.kubeconfig) as asked:
        for case in cases:
            if case.nodes and roomy:
                _delete(cluster, roomy)
                roomy = []
            found[case.name] = _outcome(Trial(cluster, asked, case))
    faults = {name: outcome.fault for name, outcome in found.items() if outcome.fault}
    waited = sum(outcome.waited for outcome in found.values())
    on_nodes = sum(bool(case.nodes) for case in cases)
    with capsys.disabled():
        print(  # noqa: T201
            f"\napplied fixes: {len(cases) - len(faults)} of {len(cases)} fixtures with all "
            f"{sum(outcome.pods for outcome in found.values())} pods bound, {on_nodes} of them on "
            f"nodes of their own; in {waited} some had no node before",
            end="",
        )
    assert not faults, "\n".join(f"{name}: {why}" for name, why in faults.items())
    assert on_nodes > 20
    assert waited
