"""Policies of a mesh that keep a monitor to the health API: what is made, and what it does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.facts import Facts
from auditor.facts.network import Request, Verdict
from auditor.model import Fix, Resource, Safety, Settings, Snapshot
from auditor.sources.files import FileSource
from tests.bench import fixed, objects

MONITORED = "network/monitor_beyond_health"
ISOLATED = "data/personal_data_not_isolated"
FIXTURES = Path(__file__).parents[2] / "fixtures" / "clusters"

SPACES = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: eyes, labels: {istio-injection: enabled}}
---
"""
TARGET = """
apiVersion: v1
kind: Pod
metadata:
  name: data
  namespace: shop
  labels: {app: data}
  annotations: {auditor/health: http:/healthz, auditor/clients: web}
spec:
  serviceAccountName: data
  containers: [{name: data, image: data, ports: [{name: http, containerPort: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: data, namespace: shop}
spec: {selector: {app: data}, ports: [{name: http, port: 8080}]}
---
"""
WEB = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  serviceAccountName: web
  containers:
    - name: web
      image: web
      env: [{name: DATA_URL, value: "http://data:8080"}]
---
"""
EYE = """
apiVersion: v1
kind: Pod
metadata:
  name: eye
  namespace: eyes
  labels: {app: eye}
  annotations: {auditor/role: monitor}
spec: {serviceAccountName: eye, containers: [{name: eye, image: eye}]}
---
"""
STRICT = """
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: all, namespace: shop}
spec: {mtls: {mode: STRICT}}
---
"""
GUARD = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: data, namespace: shop}
spec:
  podSelector: {matchLabels: {app: data}}
  ingress:
    - from:
        - podSelector: {matchLabels: {app: web}}
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: eyes}}
          podSelector: {matchLabels: {app: eye}}
      ports: [{port: http}]
---
"""
OPEN = SPACES + TARGET + WEB + EYE
CLUSTER = OPEN + GUARD


@pytest.fixture(autouse=True)
def _written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where clusters are written to: a fix is proven with the edits of files."""
    monkeypatch.chdir(tmp_path)


def fix_of(text: str, policy: str = MONITORED) -> Fix:
    """The fix of the only finding of a policy in a cluster that is written so."""
    Path("all.yaml").write_text(text.removesuffix("---\n"), encoding="utf-8")
    found = FileSource(("all.yaml",)).snapshot().resources
    answer = fixed(found, MONITORED, ISOLATED)
    (finding,) = [one for one in answer.findings if one.policy.id == policy]
    assert finding.fix is not None
    return finding.fix


def why_not(text: str, policy: str = MONITORED) -> str:
    """Why none is offered."""
    fix = fix_of(text, policy)
    assert fix.safety is Safety.MANUAL
    assert fix.changes == ()
    return " ".join(fix.proof.unproven)


def kinds(fix: Fix) -> list[str]:
    """The kinds of the objects that it makes or changes."""
    return [change.resource.ref.kind for change in fix.changes]


def test_the_example_in_a_mesh_is_put_right() -> None:
    """By an identity that is the monitor's own, and by no other."""
    snapshot = FileSource((str(FIXTURES / "peapods-mesh"),)).snapshot()
    (finding,) = fixed(snapshot.resources, MONITORED).findings
    assert finding.fix
    assert finding.fix.proof.holds, finding.fix.proof
    strict, denial = [change.resource for change in finding.fix.changes]
    assert strict.manifest["spec"]["mtls"] == {"mode": "STRICT"}
    (rule,) = denial.manifest["spec"]["rules"]
    assert rule["from"] == [
        {"source": {"principals": ["cluster.local/ns/monitoring/sa/prometheus"]}}
    ]


def test_plain_text_is_refused_first() -> None:
    """Who asks in plain text has no identity that a DENY could mean."""
    fix = fix_of(CLUSTER)
    assert fix.proof.holds, fix.proof
    assert kinds(fix) == ["PeerAuthentication", "AuthorizationPolicy"]
    assert "shop/web → shop/data: TCP 8080" in fix.proof.kept


def test_where_plain_text_is_refused_already_one_policy_is_enough() -> None:
    """The smallest change."""
    fix = fix_of(CLUSTER + STRICT)
    assert fix.proof.holds, fix.proof
    assert kinds(fix) == ["AuthorizationPolicy"]


def test_what_is_denied_is_all_but_the_health_api_and_of_the_monitor_alone() -> None:
    """Request by request, as the engine judges the result."""
    fix = fix_of(CLUSTER)
    found = (*objects(CLUSTER), *(change.resource for change in fix.changes))
    verdicts = {
        (who, method, path): verdict(found, who, method, path)
        for who in ("eye", "web")
        for method, path in (("GET", "/healthz"), ("HEAD", "/healthz"), ("POST", "/healthz"),
                             ("GET", "/export"), ("GET", "/healthz/x"))
    }  # fmt: skip
    allowed = {key for key, one in verdicts.items() if one is Verdict.ALLOWED}
    assert {key for key in allowed if key[0] == "eye"} == {
        ("eye", "GET", "/healthz"),
        ("eye", "HEAD", "/healthz"),
    }
    assert len([key for key in allowed if key[0] == "web"]) == 5


def verdict(found: tuple[Resource, ...], who: str, method: str, path: str) -> Verdict:
    """What becomes of one request to the data."""
    facts = Facts(Snapshot(found), Settings())
    by_name = {workload.ref.name: workload for workload in facts.workloads}
    request = Request(port=8080, method=method, path=path, host="data:8080")
    return facts.network.ruling(by_name[who], by_name["data"], request).verdict


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            CLUSTER + WEB.replace("name: web,", "name: twin,").replace("shop", "eyes").replace(
                "serviceAccountName: web", "serviceAccountName: eye"
            ),
            "eyes/twin runs as the same service account as eyes/eye",
        ),
        (
            CLUSTER.replace(
                "{name: eyes, labels: {istio-injection: enabled}}", "{name: eyes}"
            ),
            "no sidecar judges what eyes/eye asks of shop/data, .* give the health API a port",
        ),
        (
            CLUSTER.replace(
                "labels: {app: data}",
                'labels: {app: data, sidecar.istio.io/inject: "false"}',
            ),
            "a NetworkPolicy sees no requests: give the health API a port of its own",
        ),
        (
            CLUSTER.replace(
                "labels: {app: web}", 'labels: {app: web, sidecar.istio.io/inject: "false"}'
            ),
            "shop/data has to refuse plain text, .* and shop/web, which needs it, has no sidecar",
        ),
        (
            CLUSTER.replace(
                "auditor/health: http:/healthz,",
                'auditor/health: http:/healthz, sidecar.istio.io/rewriteAppHTTPProbers: "false",',
            ).replace("image: data,", "image: data, livenessProbe: {httpGet: {port: 8080}},"),
            "the kubelet probes it in plain text",
        ),
    ],
    ids=["shared account", "monitor without", "service without", "plain client", "plain probes"],
)  # fmt: skip
def test_what_no_policy_can_tell_apart_is_not_offered(text: str, why: str) -> None:
    """The words say why, and what would help."""
    assert re.search(why, why_not(text))


def test_personal_data_is_isolated_and_the_monitor_kept_to_health_at_once() -> None:
    """The health API shares its port, so that a NetworkPolicy alone would open all of it to the
    monitor.
    """
    text = OPEN.replace("labels: {app: data}", "labels: {app: data, auditor/data: pii}")
    fix = fix_of(text, ISOLATED)
    assert kinds(fix) == ["NetworkPolicy", "PeerAuthentication", "AuthorizationPolicy"]
    assert fix.proof.holds, fix.proof
    assert fix.safety is Safety.SAFE


def test_a_health_api_on_a_shared_port_and_no_judge_is_a_contradiction() -> None:
    """Without sidecars the two cannot both be: the monitor sees health, and health alone."""
    text = OPEN.replace("labels: {app: data}", "labels: {app: data, auditor/data: pii}")
    told = why_not(text.replace("istio-injection: enabled", "team: x"), ISOLATED)
    assert "shares port 8080" in told
    assert "give the health API a port of its own" in told


@pytest.mark.parametrize("spec", [None, 3, [None], {"mtls": 3}, {"selector": []}])
def test_objects_of_a_wrong_shape_do_no_harm(spec: Any) -> None:
    """A fix is made beside them, or not; nothing breaks."""
    odd = {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "odd", "namespace": "shop"},
        "spec": spec,
    }
    assert fix_of(CLUSTER + yaml.safe_dump(odd)).title
