"""The exported policies, judged by the API server itself, say what our audit says: each of them of
each fixture of every policy, and of the pods of the Pod Security Standards.
"""

import copy
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from auditor.audit import Bench, audit_alone
from auditor.facts import Facts
from auditor.model import Policy, Settings, Snapshot
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load
from auditor.sources.cluster import live_resource
from auditor.sources.files import FileSource
from auditor.sources.kinds import KINDS, Kind
from auditor.webhook.native.manifests import name_of

from .cluster import TestCluster
from .cluster_kubectl import Manifest
from .dryrun import Server, server
from .product import ROOT, auditor

pytestmark = pytest.mark.e2e

FIXTURES = ROOT / "fixtures" / "policies"
POLICIES_AT_ONCE = 15
"""So many share a namespace: beyond 4096 characters of warnings the server cuts each to 256, and
drops what is then still too much."""
UNBOUND = "floor-unbound"
PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "image/undeclared_registry": {"registries": ["registry.example/", "*.corp.example/team"]},
    "resources/limit_beyond_maximum": {"cpu": "4", "memory": "8Gi"},
}
ROLLOUTS: Manifest = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "rollouts.argoproj.io"},
    "spec": {
        "group": "argoproj.io",
        "scope": "Namespaced",
        "names": {"plural": "rollouts", "kind": "Rollout"},
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                    }
                },
            }
        ],
    },
}


@dataclass(frozen=True, slots=True)
class Floor:
    """A server that has the exported policies, a few to a namespace, and our own engine."""

    server: Server
    policies: tuple[Policy, ...]
    """Those that were exported."""
    namespaces: tuple[str, ...]
    bench: Bench
    settings: Settings

    def of_the_server(self, kind: Kind, manifest: Manifest) -> dict[str, str]:
        """The policies that warn of the object, and in which words."""
        found: dict[str, str] = {}
        for namespace in self.namespaces:
            answer = self.server.create(_path(kind, namespace), _in(manifest, namespace))
            assert answer.code == 201, answer.message
            found |= answer.policies
        return found

    def of_ours(self, kind: Kind, manifest: Manifest) -> set[str]:
        """The names of the policies by which our audit finds something in it."""
        facts = Facts(Snapshot(()), self.settings)
        answer = audit_alone(live_resource(kind, manifest), self.bench, facts)
        assert not answer.gaps, answer.gaps
        return {name_of(finding.policy.id) for finding in answer.findings}


@pytest.fixture(scope="module")
def api(cluster: TestCluster) -> Iterator[Server]:
    """The API server, by plain requests."""
    with server(cluster.kubeconfig) as reached:
        yield reached


def exported(*arguments: str | Path, folder: Path) -> list[Manifest]:
    """What `auditor webhook export` prints, with the parameters above."""
    config = folder / ".auditor.yaml"
    config.write_text(json.dumps({"parameters": PARAMETERS}), "utf-8")
    said = auditor("webhook", "export", "--format", "json", "--config", config, *arguments)
    assert said.code == 0, said.err
    found: list[Manifest] = json.loads(said.out)["manifests"]
    return found


def grouped(manifests: Sequence[Manifest], prefix: str) -> tuple[list[Manifest], tuple[str, ...]]:
    """The same, each binding for one namespace of a few; and those namespaces."""
    changed, namespaces, count = [], dict[str, None](), 0
    for each in copy.deepcopy(list(manifests)):
        if each["kind"] == "ValidatingAdmissionPolicyBinding":
            namespace = f"{prefix}-{count // POLICIES_AT_ONCE}"
            count += 1
            namespaces[namespace] = None
            label = {"kubernetes.io/metadata.name": namespace}
            each["spec"]["matchResources"] = {"namespaceSelector": {"matchLabels": label}}
        changed.append(each)
    return changed, tuple(namespaces)


def _namespace(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _in(manifest: Manifest, namespace: str) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}


def _path(kind: Kind, namespace: str) -> str:
    root = "apis" if kind.group else "api"
    return f"/{root}/{kind.api_version}/namespaces/{namespace}/{kind.plural}"


def every_policy() -> list[str]:
    """Words that select every policy on single objects, the optional ones too."""
    return [word for policy in load()[0] for word in ("--select", policy.id)]


def bench_of(manifests: Sequence[Manifest]) -> Bench:
    """Our engine with the policies that were exported."""
    ids = {each["metadata"]["annotations"]["auditor/policy"] for each in manifests}
    policies, library = load()
    asked = tuple(policy for policy in policies if policy.id in ids)
    modules = {policy.file: policy.module for policy in asked} | dict(library)
    return Bench(asked, compile_policies("regorus", modules))


@pytest.fixture(scope="module")
def floor(cluster: TestCluster, api: Server, tmp_path_factory: pytest.TempPathFactory) -> Floor:
    """All that can be exported, so that every fault is a warning."""
    words = [*every_policy(), "--mode", "warn", "--fail-on", "info"]
    words += ["--kubernetes-version", "1.36"]
    manifests = exported(*words, folder=tmp_path_factory.mktemp("floor"))
    bound, namespaces = grouped(manifests, "floor")
    cluster.apply(*map(_namespace, (*namespaces, UNBOUND)), ROLLOUTS)
    _give_accounts(cluster, (*namespaces, UNBOUND))
    cluster.apply(*bound)
    settings = Settings(kubernetes=136, parameters=PARAMETERS)
    made = Floor(api, bench_of(manifests).policies, namespaces, bench_of(manifests), settings)
    _wait_for(cluster, made)
    return made


def _give_accounts(cluster: TestCluster, namespaces: Sequence[str]) -> None:
    """The service accounts that fixtures name: the server refuses pods whose account is missing."""
    names = {
        str(account)
        for _, _, manifest in fixtures()
        for account in _accounts(manifest)
        if account != "default"
    }
    cluster.apply(
        *(
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": name, "namespace": namespace},
            }
            for namespace in namespaces
            for name in sorted(names)
        )
    )


def _accounts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key in ("serviceAccountName", "serviceAccount") and isinstance(each, str) and each:
                yield each
            yield from _accounts(each)
    if isinstance(value, list):
        for each in value:
            yield from _accounts(each)


def _wait_for(cluster: TestCluster, floor: Floor) -> None:
    """Until the server has read the policies: it takes them up all at once."""
    stored = floor.server.create(_path(POD, UNBOUND), _in(BAD, UNBOUND))
    assert stored.code == 201, stored.message
    wanted = floor.of_ours(POD, stored.body)
    assert wanted

    def why_not() -> str:
        return ", ".join(sorted(wanted - floor.of_the_server(POD, BAD).keys()))

    cluster.wait_until("the server knows the policies", why_not, 60)


POD = next(kind for kind in KINDS if kind.kind == "Pod")
BAD: Manifest = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "bad"},
    "spec": {
        "hostNetwork": True,
        "volumes": [{"name": "socket", "hostPath": {"path": "/run/docker.sock"}}],
        "containers": [{"name": "bad", "image": "tiller", "securityContext": {"privileged": True}}],
    },
}


def fixtures() -> Iterator[tuple[Path, Kind, Manifest]]:
    """Every object of every fixture that has a kind which policies on single objects judge."""
    kinds = {(kind.api_version, kind.kind): kind for kind in KINDS}
    for file in sorted(FIXTURES.rglob("*.yaml")):
        if file.name.startswith("."):
            continue
        for resource in FileSource((str(file),)).snapshot().resources:
            kind = kinds.get((resource.ref.api_version, resource.ref.kind))
            if kind and kind.namespaced and isinstance(resource.manifest.get("metadata"), dict):
                yield file, kind, dict(resource.manifest)


def test_every_exported_policy_says_of_every_fixture_what_our_audit_says(
    floor: Floor, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the object as the server would store it, with its defaults; if it would store it."""
    judged = {kind for policy in floor.policies for kind in policy.kinds}
    count, told, wrong = Counter[str](), Counter[str](), list[str]()
    for file, kind, manifest in fixtures():
        if kind.kind not in judged:
            continue
        stored = floor.server.create(_path(kind, UNBOUND), _in(manifest, UNBOUND))
        if stored.code != 201:
            count["refused"] += 1
            continue
        count["objects"] += 1
        ours, theirs = floor.of_ours(kind, stored.body), floor.of_the_server(kind, manifest)
        told.update(ours & theirs.keys())
        where = f"{file.relative_to(FIXTURES)} {kind.kind}"
        wrong += [f"{where}: not warned: {name}" for name in sorted(ours - theirs.keys())]
        wrong += [f"{where}: {name}{theirs[name]}" for name in sorted(theirs.keys() - ours)]
        failed = [name for name, why in theirs.items() if "resulted in error" in why]
        wrong += [f"{where}: {name}{theirs[name]}" for name in failed]
    pairs = count["objects"] * len(floor.policies)
    silent = sorted({name_of(policy.id) for policy in floor.policies} - told.keys())
    with capsys.disabled():
        print(  # noqa: T201 the score
            f"\nfloor: {pairs - len(wrong)} of {pairs} verdicts alike ({dict(count)}), "
            f"{told.total()} of them faults; never told: {silent}",
            end="",
        )
    assert not wrong, "\n".join(wrong[:40])
