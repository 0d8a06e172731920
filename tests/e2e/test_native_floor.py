"""The exported policies, judged by the API server itself, say what our audit says: each of them of
each fixture of every policy, of the pods of the Pod Security Standards, and of what updates add.
"""

import copy
import json
import os
from collections.abc import Iterator, Mapping
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.webhook.judgement import added_findings
from tests.pods import random_pods

from .cluster import Options, RefusedError, TestCluster
from .cluster_kubectl import Manifest
from .conftest import Starter
from .dryrun import Answer, Server, server
from .floor import (
    BAD,
    DEPLOYMENT,
    POD,
    UNBOUND,
    Floor,
    Score,
    a_namespace,
    compare,
    deployment_of,
    everything,
    exported,
    fixtures,
    laid,
    path,
    warned,
    within,
)
from .product import ROOT, auditor

pytestmark = pytest.mark.e2e

RECORDED = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance")) / "pss"
NEVER_STORED = {
    "istio/port_mtls_without_selector",
    "workload/deprecated_service_account_field",
    "workload/unmasked_proc",
}
"""What the server mends or refuses by itself: Istio's schema asks for a selector, both fields of
the account are made the same, and an unmasked /proc needs users of the pod's own."""
SEED = 20261127
ONE = ("--select", "workload/privileged_container")


@pytest.fixture(scope="module")
def api(cluster: TestCluster) -> Iterator[Server]:
    """The API server, by plain requests."""
    with server(cluster.kubeconfig) as reached:
        yield reached


@pytest.fixture(scope="module")
def floor(cluster: TestCluster, api: Server, tmp_path_factory: pytest.TempPathFactory) -> Floor:
    """All that can be exported."""
    return laid(cluster, api, tmp_path_factory.mktemp("floor"), 36, *everything())


def told(score: Score, floor: Floor, capsys: pytest.CaptureFixture[str]) -> None:
    """The score, for whoever runs the tests; and that there is nothing in it to explain."""
    with capsys.disabled():
        print(score.of(floor), end="")  # noqa: T201 the score
    assert not score.wrong, "\n".join(score.wrong[:40])


def test_every_exported_policy_says_of_every_fixture_what_our_audit_says(
    floor: Floor, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the object as the server would store it, with its defaults; if it would store it."""
    score = Score()
    judged = {kind for policy in floor.bench.policies for kind in policy.kinds}
    for file, kind, manifest in fixtures():
        if kind.kind in judged:
            compare(floor, score, f"{file.parent.name}/{file.name} {kind.kind}", kind, manifest)
    told(score, floor, capsys)
    assert score.count["objects"] > 1000
    silent = {policy.id for policy in floor.bench.policies if floor.named(policy) not in score.told}
    assert silent == NEVER_STORED


def test_the_server_has_nothing_to_say_of_the_expressions(
    floor: Floor, cluster: TestCluster
) -> None:
    """Its controller checks their types against the schema of every kind that they are about."""

    def found() -> list[Manifest]:
        return [
            each
            for each in cluster.objects("validatingadmissionpolicies")
            if each["metadata"]["name"] in floor.names
        ]

    def why_not() -> str:
        unseen = [each for each in found() if "typeChecking" not in each.get("status", {})]
        return ", ".join(each["metadata"]["name"] for each in unseen)

    cluster.wait_until("the types are checked", why_not, 120)
    assert len(found()) == len(floor.names)
    assert [each for each in found() if each["status"]["typeChecking"]] == []


def recorded() -> list[Manifest]:
    """The pods of the test data of Kubernetes' own library, each once."""
    pods: dict[str, Manifest] = {}
    for file in sorted(RECORDED.glob("*/v1.*/*/*.yaml")):
        pod = yaml.safe_load(file.read_text("utf-8"))
        pods.setdefault(json.dumps(pod["spec"], sort_keys=True), pod)
    if not pods:
        why = f"no recorded pods in {RECORDED}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    return list(pods.values())


def test_every_recorded_pod_of_the_standards_is_told_alike(
    floor: Floor, capsys: pytest.CaptureFixture[str]
) -> None:
    """By all policies."""
    score = Score()
    for pod in recorded():
        compare(floor, score, pod["metadata"]["name"], POD, pod)
    told(score, floor, capsys)
    assert score.count["objects"] > 100


@pytest.mark.parametrize("version", [24, 30])
def test_the_standards_of_older_versions_are_told_alike(
    cluster: TestCluster,
    api: Server,
    tmp_path: Path,
    version: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is asked from one version on is written into the policies."""
    words = ("--framework", "pss-baseline", "--framework", "pss-restricted")
    floor, score = laid(cluster, api, tmp_path, version, *words), Score()
    for pod in recorded():
        compare(floor, score, pod["metadata"]["name"], POD, pod)
    told(score, floor, capsys)
    assert score.count["objects"] > 100


def test_generated_pods_are_told_alike(floor: Floor, capsys: pytest.CaptureFixture[str]) -> None:
    """Several rules at once, kept and broken."""
    score = Score()
    for number, made in enumerate(islice(random_pods(SEED), 300)):
        pod = {"apiVersion": "v1", "kind": "Pod", **made}
        pod["metadata"] = {**made.get("metadata", {}), "name": f"generated-{number}"}
        compare(floor, score, json.dumps(made), POD, pod)
    told(score, floor, capsys)


def put(api: Server, namespace: str, manifest: Manifest, *, dry: bool = True) -> Answer:
    """The Deployment as it shall be from now on."""
    place = path(DEPLOYMENT, namespace, manifest["metadata"]["name"])
    return api.ask("PUT", place, within(manifest, namespace), dry=dry)


def test_an_update_is_told_of_what_it_adds(
    floor: Floor, cluster: TestCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """As by the webhook. What was wrong before passes, whatever else is changed."""
    templates = [deployment_of(manifest["spec"]) for _, kind, manifest in fixtures() if kind is POD]
    usable = [each for each in templates[::7] if _is_stored(floor, each)]
    score = Score()
    first = usable[0]
    for namespace in floor.namespaces:
        cluster.apply(within(first, namespace))
    for number, (old, new) in enumerate(pairwise(usable)):
        for namespace in floor.namespaces:
            assert put(floor.server, namespace, old, dry=False).code == 200
        touched = copy.deepcopy(old)
        touched["metadata"]["labels"] = {"touched": "yes"}
        again = [put(floor.server, namespace, touched) for namespace in floor.namespaces]
        score.compare(f"{number}, touched", set(), warned(again))
        answers = [put(floor.server, namespace, new) for namespace in floor.namespaces]
        before, after = (_stored(floor, each) for each in (old, new))
        found = added_findings(floor.audit(DEPLOYMENT, before), floor.audit(DEPLOYMENT, after))
        added = {floor.named(finding.policy) for finding in found}
        score.compare(f"{number}, changed: {json.dumps(new)}", added, warned(answers))
    told(score, floor, capsys)
    assert score.count["objects"] > 100
    assert score.told.total() > 100


def _stored(floor: Floor, manifest: Manifest) -> Manifest:
    answer = floor.server.create(path(DEPLOYMENT, UNBOUND), within(manifest, UNBOUND))
    assert answer.code == 201, answer.message
    return answer.body


def _is_stored(floor: Floor, manifest: Manifest) -> bool:
    answer = floor.server.create(path(DEPLOYMENT, UNBOUND), within(manifest, UNBOUND))
    return answer.code == 201


def test_an_ephemeral_container_is_judged(floor: Floor, cluster: TestCluster) -> None:
    """It comes by a subresource, into a pod that was right when it was created."""
    [policy] = [each for each in floor.bench.policies if each.id == ONE[1]]
    privileged_container = floor.named(policy)
    [namespace] = [
        each
        for each in floor.namespaces
        if privileged_container in floor.server.create(path(POD, each), within(BAD, each)).policies
    ]
    pod = within(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "right"},
            "spec": {"containers": [{"name": "app", "image": "registry.example/app:1"}]},
        },
        namespace,
    )
    cluster.apply(pod)
    for privileged in (False, True):
        live = cluster.get("Pod", namespace, "right")
        debugger = {
            "name": "debug",
            "image": "registry.example/debug:1",
            "securityContext": {"privileged": privileged},
        }
        live["spec"]["ephemeralContainers"] = [debugger]
        answer = floor.server.ask(
            "PUT", path(POD, namespace, "right") + "/ephemeralcontainers", live
        )
        assert answer.code == 200, answer.message
        assert (privileged_container in answer.policies) is privileged
    assert answer.policies[privileged_container].endswith("Privileged container: debug")


def test_an_object_of_any_size_is_judged(floor: Floor) -> None:
    """Within what the server grants: three hundred containers, each with a fault of every kind."""
    worst = copy.deepcopy(BAD)
    [container] = worst["spec"]["containers"]
    container |= {"env": [{"name": f"n{number}", "value": "x" * 100} for number in range(20)]}
    worst["spec"]["containers"] = [{**container, "name": f"c{number}"} for number in range(300)]
    found = floor.of_the_server(POD, worst)
    assert len(found) > 5  # the server passes on 4 KiB of warnings, and drops what comes after
    assert not [why for why in found.values() if "resulted in error" in why]


@pytest.fixture
def denying(cluster: TestCluster, api: Server, tmp_path: Path) -> str:
    """A namespace where one policy denies, but for what is waived."""
    waiver = {"policy": "workload/*", "object": "denied/waived-?[Pod]", "reason": "known"}
    rule = {"mode": "deny", "namespaces": ["denied", "kube-system"]}
    found = exported(tmp_path, *ONE, waivers=[waiver], admission={"mode": "audit", "rules": [rule]})
    cluster.apply(a_namespace("denied"), *found)

    def why_not() -> str:
        answer = api.create(path(POD, "denied"), within(BAD, "denied"))
        return "" if answer.code == 422 else f"it is not denied yet: {answer.code}"

    cluster.wait_until("the policy denies", why_not, 60)
    return "denied"


def _privileged(name: str) -> Manifest:
    return {**BAD, "metadata": {"name": name}}


def test_what_is_to_be_denied_is_denied(cluster: TestCluster, api: Server, denying: str) -> None:
    """In the words of the policy, where the configuration says so, and not what it waives."""
    answer = api.create(path(POD, denying), within(BAD, denying))
    assert answer.code == 422
    assert answer.message.endswith("denied request: Privileged container: bad")
    with pytest.raises(RefusedError, match="Privileged container: bad"):
        cluster.apply(within(deployment_of(BAD["spec"]), denying))
    for name, code in (("waived-1", 201), ("waived-12", 422)):
        assert api.create(path(POD, denying), within(_privileged(name), denying)).code == code
    for elsewhere in ("default", "kube-system"):
        assert api.create(path(POD, elsewhere), within(BAD, elsewhere)).code == 201


CLASSES = """\
# METADATA
# title: Preempts others
# description: A priority by which pods take the place of others.
# custom:
#   severity: high
#   kinds: [PriorityClass]
#   fix: manual
package policies.theirs.preempting

deny contains {"path": ["value"], "message": "preempts", "anchor": ""} if input.object.value > 1000
"""
CLASSES_CEL = "deny: [{when: object.value > 1000}]\n"


def test_what_is_in_no_namespace_can_be_waived(
    cluster: TestCluster, api: Server, tmp_path: Path
) -> None:
    """A policy of somebody's own, on a kind of the cluster itself: the fault is denied, and what
    they answer for is not.
    """
    folder = tmp_path / "own" / "theirs"
    folder.mkdir(parents=True)
    (folder / "preempting.rego").write_text(CLASSES, "utf-8")
    (folder / "preempting.cel.yaml").write_text(CLASSES_CEL, "utf-8")
    waiver = {"policy": "theirs/*", "object": "known", "reason": "ours"}
    words = ("--policies", str(folder.parent), "--select", "theirs/preempting", "--mode", "deny")
    cluster.apply(*exported(tmp_path, *words, waivers=[waiver]))
    where = "/apis/scheduling.k8s.io/v1/priorityclasses"

    def create(name: str) -> Answer:
        kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
        return api.create(where, {**kind, "metadata": {"name": name}, "value": 2000})

    def why_not() -> str:
        code = create("other").code
        return "" if code == 422 else f"it is not denied yet: {code}"

    cluster.wait_until("the policy denies", why_not, 60)
    answer = create("known")
    assert answer.code == 201, answer.message


def static_folder(folder: Path, manifests: list[Manifest]) -> Path:
    """A configuration of admission that reads these manifests from files."""
    files = folder / "policies"
    files.mkdir()
    (files / "floor.yaml").write_text(yaml.safe_dump_all(manifests), "utf-8")
    config: Mapping[str, Any] = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": [
            {
                "name": "ValidatingAdmissionPolicy",
                "configuration": {
                    "apiVersion": "apiserver.config.k8s.io/v1",
                    "kind": "ValidatingAdmissionPolicyConfiguration",
                    "staticManifestsDir": str(files),
                },
            }
        ],
    }
    file = folder / "admission.yaml"
    file.write_text(yaml.safe_dump(config), "utf-8")
    return file


def test_a_server_takes_the_policies_from_files(start_cluster: Starter, tmp_path: Path) -> None:
    """It denies from its first answer on, and nobody can take them away by its API."""
    words = ("--framework", "pss-restricted", "--fail-on", "info", "--mode", "deny", "--static")
    config = static_folder(tmp_path, exported(tmp_path, *words))
    flags = (
        "--feature-gates=ManifestBasedAdmissionControlConfig=true",
        f"--admission-control-config-file={config}",
    )
    cluster = start_cluster(Options(api_server=flags))
    with server(cluster.kubeconfig) as api:
        answer = api.create(path(POD, "default"), within(BAD, "default"))
        assert answer.code == 422
        assert ".static.k8s.io" in answer.message
    listed = cluster.kubectl("get", "validatingadmissionpolicies", "-o", "name", check=True)
    assert not listed.stdout


def test_pod_security_labels_deny_nothing_that_runs(cluster: TestCluster, api: Server) -> None:
    """The server itself finds no pod that violates the level, and refuses a pod that does."""
    hardened = {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "app",
                "image": "registry.example/app:1",
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
            }
        ],
    }
    usual = {"containers": [{"name": "app", "image": "registry.example/app:1"}]}
    pods = {"level-strict": hardened, "level-usual": usual, "level-loose": BAD["spec"]}
    for namespace, spec in pods.items():
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "here"}, "spec": spec}
        cluster.apply(a_namespace(namespace), within(pod, namespace))
    said = auditor("webhook", "export", *ONE, "--pod-security", "--cluster", "--kubeconfig",
                   cluster.kubeconfig, "--mode", "deny", "--format", "json")  # fmt: skip
    assert said.code == 0, said.err
    labels = [each for each in said.report["manifests"] if each["kind"] == "Namespace"]
    levels = {each["namespace"]: each["level"] for each in said.report["namespaces"]}
    assert [levels[namespace] for namespace in pods] == ["restricted", "baseline", ""]
    ours = [each for each in labels if each["metadata"]["name"] in pods]
    done = cluster.kubectl("apply", "--server-side", "-f", "-", check=True,
                           input="\n---\n".join(map(json.dumps, ours)))  # fmt: skip
    assert "violate" not in done.stderr
    wanted = {"level-strict": 403, "level-usual": 403, "level-loose": 201}
    for namespace, code in wanted.items():
        assert api.create(path(POD, namespace), within(BAD, namespace)).code == code
