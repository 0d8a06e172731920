"""The exported policies on a real API server, beside our own engine with the same policies."""

import copy
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor.audit import Bench, audit_alone
from auditor.facts import Facts
from auditor.model import Audit, Policy, Settings, Snapshot, Unseen
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load
from auditor.sources.cluster import live_resource
from auditor.sources.files import FileSource
from auditor.sources.kinds import KINDS, Kind
from auditor.webhook.native.manifests import name_of

from .cluster import TestCluster
from .cluster_kubectl import Manifest
from .crds import definitions
from .dryrun import Answer, Server
from .product import ROOT, auditor

FIXTURES = ROOT / "fixtures" / "policies"
POLICIES_AT_ONCE = 15
"""So many share a namespace: beyond 4096 characters of warnings the server cuts each to 256, and
drops what is then still too much."""
UNBOUND = "floor-unbound"
"""Where no policy holds."""
PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "image/undeclared_registry": {"registries": ["registry.example/", "*.corp.example/team"]},
    "resources/limit_beyond_maximum": {"cpu": "4", "memory": "8Gi"},
}
BINDING = "ValidatingAdmissionPolicyBinding"
POD = next(kind for kind in KINDS if kind.kind == "Pod")
DEPLOYMENT = next(kind for kind in KINDS if kind.kind == "Deployment")

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
"""A kind of others with a pod template, as loose as such kinds may be."""

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


@dataclass(frozen=True, slots=True)
class Floor:
    """A server that has the exported policies, a few to a namespace, and our own engine."""

    server: Server
    namespaces: tuple[str, ...]
    bench: Bench
    settings: Settings

    @property
    def names(self) -> set[str]:
        """What the server calls the policies."""
        return {self.named(policy) for policy in self.bench.policies}

    def named(self, policy: Policy) -> str:
        """What the server calls a policy."""
        return name_of(policy.id, _suffix(self.settings.kubernetes))

    def of_the_server(self, kind: Kind, manifest: Manifest) -> dict[str, str]:
        """The policies that warn of the object when it is created, and in which words."""
        found: dict[str, str] = {}
        for namespace in self.namespaces:
            answer = self.server.create(path(kind, namespace), within(manifest, namespace))
            assert answer.code == 201, answer.message
            found |= answer.policies
        return found

    def audit(self, kind: Kind, manifest: Manifest) -> Audit:
        """What our engine says of the object as the server stores it."""
        facts = Facts(Snapshot(()), self.settings)
        answer = audit_alone(live_resource(kind, manifest), self.bench, facts)
        # Judged for an older version, a field may be none that it knows.
        gaps = [gap for gap in answer.gaps if gap.severity is Unseen.INCOMPLETE]
        assert not gaps, gaps
        return answer

    def of_ours(self, kind: Kind, manifest: Manifest) -> set[str]:
        """The names of the policies by which our audit finds something in it."""
        return {self.named(finding.policy) for finding in self.audit(kind, manifest).findings}


@dataclass(slots=True)
class Score:
    """How often both say the same."""

    count: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    """Policy → how often both found something."""
    wrong: list[str] = field(default_factory=list)

    def compare(self, where: str, ours: set[str], theirs: Mapping[str, str]) -> None:
        """One object: what our audit finds, and what the server warns of."""
        self.count["objects"] += 1
        self.told.update(ours & theirs.keys())
        self.wrong += [f"{where}: not warned: {name}" for name in sorted(ours - theirs.keys())]
        self.wrong += [f"{where}: {name}{theirs[name]}" for name in sorted(theirs.keys() - ours)]
        failed = [name for name, why in theirs.items() if "resulted in error" in why]
        self.wrong += [f"{where}: {name}{theirs[name]}" for name in failed]

    def of(self, floor: Floor) -> str:
        """The score in one line."""
        pairs = self.count["objects"] * len(floor.names)
        alike = f"{pairs - len(self.wrong)} of {pairs} verdicts alike"
        faults = f"{self.told.total()} faults by {len(self.told)} of {len(floor.names)} policies"
        return f"\nfloor: {alike}, with {faults}; {dict(self.count)}"


def compare(floor: Floor, score: Score, where: str, kind: Kind, manifest: Manifest) -> None:
    """What both say of an object as the server would store it; nothing where it would not."""
    stored = floor.server.create(path(kind, UNBOUND), within(manifest, UNBOUND))
    if stored.code != 201:
        score.count["refused"] += 1
        return
    theirs = floor.of_the_server(kind, manifest)
    score.compare(where, floor.of_ours(kind, stored.body), theirs)


def path(kind: Kind, namespace: str, name: str = "") -> str:
    """Where the server has such objects, or the one of that name."""
    root = "apis" if kind.group else "api"
    end = f"/{name}" if name else ""
    return f"/{root}/{kind.api_version}/namespaces/{namespace}/{kind.plural}{end}"


def within(manifest: Manifest, namespace: str) -> Manifest:
    """The object, in that namespace."""
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}


def a_namespace(name: str) -> Manifest:
    """One without labels."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def exported(folder: Path, *words: str, **config: Any) -> list[Manifest]:
    """What `auditor webhook export` prints, with the parameters above."""
    file = folder / ".auditor.yaml"
    file.write_text(json.dumps({"parameters": PARAMETERS, **config}), "utf-8")
    said = auditor("webhook", "export", "--format", "json", "--config", file, *words)
    assert said.code == 0, said.err
    found: list[Manifest] = json.loads(said.out)["manifests"]
    return found


def everything() -> list[str]:
    """Words that choose every policy."""
    return [word for policy in load()[0] for word in ("--select", policy.id)]


def bench_of(manifests: Sequence[Manifest]) -> Bench:
    """Our engine with the policies that were exported."""
    ids = {each["metadata"]["annotations"]["auditor/policy"] for each in manifests}
    policies, library = load()
    asked = tuple(policy for policy in policies if policy.id in ids)
    modules = {policy.file: policy.module for policy in asked} | dict(library)
    return Bench(asked, compile_policies("regorus", modules))


def laid(cluster: TestCluster, server: Server, folder: Path, version: int, *words: str) -> Floor:
    """The chosen policies for Kubernetes 1.`version`, once the server goes by them: each fault is a
    warning, in one namespace of several.
    """
    counting = ("--mode", "warn", "--fail-on", "info", "--kubernetes-version", f"1.{version}")
    manifests = exported(folder, *words, *counting)
    bound, namespaces = _grouped(manifests, _suffix(100 + version))
    places = (*namespaces, UNBOUND)
    cluster.apply(*map(a_namespace, places), ROLLOUTS, *_of_the_mesh())
    cluster.apply(*_accounts(places))
    last = f"settled{_suffix(100 + version)}"
    cluster.apply(*bound, a_namespace(last))
    cluster.apply(*_warning_of_everything(last))
    settings = Settings(kubernetes=100 + version, parameters=PARAMETERS)
    floor = Floor(server, namespaces, bench_of(manifests), settings)
    _wait_for(cluster, server, last)
    return floor


def _of_the_mesh() -> list[Manifest]:
    wanted = ("authorizationpolicies", "peerauthentications")
    known = definitions("istio.io/api")
    return [each for each in known if each["metadata"]["name"].partition(".")[0] in wanted]


def _suffix(kubernetes: int) -> str:
    """What is added to names, so that policies for several versions can be there together."""
    return f"-{kubernetes}"


def _grouped(manifests: Sequence[Manifest], suffix: str) -> tuple[list[Manifest], tuple[str, ...]]:
    """The same under other names, each binding for one namespace; and those namespaces."""
    changed, count = copy.deepcopy(list(manifests)), 0
    namespaces: dict[str, None] = {}
    for each in changed:
        each["metadata"]["name"] += suffix
        if each["kind"] == BINDING:
            each["spec"]["policyName"] += suffix
            namespace = f"floor{suffix}-{count // POLICIES_AT_ONCE}"
            count += 1
            namespaces[namespace] = None
            label = {"kubernetes.io/metadata.name": namespace}
            each["spec"]["matchResources"] = {"namespaceSelector": {"matchLabels": label}}
    return changed, tuple(namespaces)


def _warning_of_everything(name: str) -> tuple[Manifest, Manifest]:
    """A policy that the server has read all others before, for the namespace of that name."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["pods"]}
    policy = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "false"}],
    }
    label = {"kubernetes.io/metadata.name": name}
    bound = {
        "policyName": name,
        "validationActions": ["Warn"],
        "matchResources": {"namespaceSelector": {"matchLabels": label}},
    }
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    return (
        {**head, "kind": "ValidatingAdmissionPolicy", "spec": policy},
        {**head, "kind": BINDING, "spec": bound},
    )


def _wait_for(cluster: TestCluster, server: Server, last: str) -> None:
    """Until the server goes by the policy that came last: it reads them in their order."""

    def why_not() -> str:
        answer = server.create(path(POD, last), within(BAD, last))
        assert answer.code == 201, answer.message
        return "" if last in answer.policies else f"{last} is not heard of yet"

    cluster.wait_until("the server knows the policies", why_not, 60)


def fixtures() -> Iterator[tuple[Path, Kind, Manifest]]:
    """Every object of every fixture whose kind has a namespace, with its file."""
    kinds = {(kind.api_version, kind.kind): kind for kind in KINDS}
    for file in sorted(FIXTURES.rglob("*.yaml")):
        if file.name.startswith("."):
            continue
        for resource in FileSource((str(file),)).snapshot().resources:
            kind = kinds.get((resource.ref.api_version, resource.ref.kind))
            if kind and kind.namespaced and isinstance(resource.manifest.get("metadata"), dict):
                yield file, kind, dict(resource.manifest)


def _accounts(namespaces: Sequence[str]) -> list[Manifest]:
    """The service accounts that fixtures name: the server refuses pods whose account is missing."""
    names = {name for _, _, manifest in fixtures() for name in _named_accounts(manifest)}
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": name, "namespace": namespace},
        }
        for namespace in namespaces
        for name in sorted(names - {"default"})
    ]


def _named_accounts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key in ("serviceAccountName", "serviceAccount") and isinstance(each, str) and each:
                yield each
            yield from _named_accounts(each)
    if isinstance(value, list):
        for each in value:
            yield from _named_accounts(each)


def deployment_of(pod: Mapping[str, Any], name: str = "changed") -> Manifest:
    """A Deployment of such pods, and of none at once."""
    labels = {"app": name}
    spec = {key: each for key, each in pod.items() if key != "restartPolicy"}
    spec.pop("ephemeralContainers", None)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def warned(answers: Sequence[Answer]) -> dict[str, str]:
    """The policies that warned in any of the answers."""
    found: dict[str, str] = {}
    for answer in answers:
        assert answer.code in (200, 201), answer.message
        found |= answer.policies
    return found
