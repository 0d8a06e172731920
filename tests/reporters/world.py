"""A small shop, its faults and their fixes, as an audit would hand them to a reporter."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import yaml

from auditor.model import (
    Audit,
    Change,
    Evidence,
    Finding,
    Fix,
    Gap,
    Operation,
    Origin,
    Path,
    Policy,
    Proof,
    Ref,
    Remedy,
    Resource,
    Safety,
    Severity,
    Snapshot,
    Span,
    Status,
    TextEdit,
    Unseen,
)
from auditor.sources.yaml import Document, documents

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  template:
    spec:
      containers:
        - name: app
          image: registry.example/web:1.0.0
          env:
            - name: PASSWORD
              value: hunter2
          securityContext:
            privileged: true  # for the profiler
"""

DB = """\
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
  namespace: shop
  labels:
    auditor/data: pii
"""

CONTAINER: Path = ("spec", "template", "spec", "containers", 0)
PRIVILEGED: Path = (*CONTAINER, "securityContext", "privileged")
PASSWORD: Path = (*CONTAINER, "env", 0, "value")


def resource(text: str, uri: str, *, live: bool = False) -> Resource:
    """The object of one YAML document."""
    document = next(iter(documents(uri, text)))
    assert isinstance(document, Document)
    manifest = document.value
    meta = manifest["metadata"]
    ref = Ref(manifest["apiVersion"], manifest["kind"], meta.get("namespace", ""), meta["name"])
    return Resource(ref, manifest, Origin(uri, document, live=live))


def policy(name: str, severity: Severity, **more: Any) -> Policy:
    """A policy that says little of itself."""
    said: dict[str, Any] = {
        "title": name.rpartition("/")[2].replace("_", " ").capitalize(),
        "description": "Whoever controls its process controls the node.\n",
        "profile": "essential",
        "fix": "deterministic",
        "kinds": ("Deployment",),
        "controls": (),
        "links": (),
        **dict.fromkeys(("facts", "equivalents", "aliases"), ()),
        "file": f"policies/{name}.rego",
        "module": "",
    }
    return Policy(id=name, severity=severity, **(said | more))


PRIVILEGED_CONTAINER = policy(
    "workload/privileged_container",
    Severity.HIGH,
    controls=("pss-baseline/privileged", "cis-2.0.1/5.2.2"),
    links=("https://kubernetes.io/docs/concepts/security/pod-security-standards/",),
)
OPEN_DATA = policy("data/not_isolated", Severity.CRITICAL, fix="generated", facts=("exposure",))
LITERAL = policy("workload/literal_password", Severity.LOW, fix="none")

WEB_FILE = resource(WEB, "k8s/web.yaml")
DB_FILE = resource(DB, "k8s/db.yaml")
WEB_LIVE = resource(WEB, "cluster/shop/deployments/web.yaml", live=True)
DB_LIVE = resource(DB, "cluster/shop/statefulsets/db.yaml", live=True)

GUARD: Mapping[str, Any] = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "db", "namespace": "shop"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
}


def unprivileged(web: Resource = WEB_FILE, proof: Proof | None = None) -> Fix:
    """The one word that takes the privilege away."""
    step = Operation("replace", PRIVILEGED, value=False)
    edit = TextEdit(web.origin.uri, Span(16, 25, 16, 29), "false")
    return Fix(
        "run it unprivileged",
        Safety.UNSAFE,
        (Change(web, (step,)),),
        () if web.origin.live else (edit,),
        proof or Proof(resolved=True, scheduled=("web-0 → node-a", "web-1 → node-b")),
    )


def guarded(db: Resource = DB_FILE) -> Fix:
    """A new NetworkPolicy beside the database."""
    ref = Ref("networking.k8s.io/v1", "NetworkPolicy", "shop", "db")
    change = Change(Resource(ref, GUARD, db.origin), (Operation("add", (), GUARD),), db.ref)
    text = yaml.safe_dump(dict(GUARD), sort_keys=False) + "---\n"
    kept = tuple(f"client-{n} → db: TCP 5432" for n in range(1, 6))
    return Fix(
        "admit its clients alone",
        Safety.SAFE,
        (change,),
        () if db.origin.live else (TextEdit(db.origin.uri, Span(1, 1, 1, 1), text),),
        Proof(resolved=True, kept=kept, closed=("web → db: every port",)),
    )


def privileged(web: Resource = WEB_FILE, **more: Any) -> Finding:
    """A container of web is privileged."""
    given: dict[str, Any] = {"message": "container 'app' runs privileged", "path": PRIVILEGED}
    return Finding(PRIVILEGED_CONTAINER, web.ref, anchor="app", **(given | more))


def exposed(db: Resource = DB_FILE, web: Resource = WEB_FILE, **more: Any) -> Finding:
    """The database is open to web, since web runs in the same namespace."""
    return Finding(
        OPEN_DATA,
        db.ref,
        ("metadata", "labels", "auditor/data"),
        "",
        "holds PII, and web reaches it without being its client",
        (Evidence("web reaches it on every port", web.ref, CONTAINER),),
        **more,
    )


def literal(web: Resource = WEB_FILE) -> Finding:
    """A password stands in the manifest."""
    return Finding(LITERAL, web.ref, PASSWORD, "app", "variable PASSWORD holds a password itself")


NOT_READ = Gap("k8s/broken.yaml", "line 3: a mapping ends in the middle", Unseen.INCOMPLETE)
NOT_KNOWN = Gap("namespace shop", "its labels are not among the manifests", Unseen.UNKNOWN)


def audit(*findings: Finding, gaps: tuple[Gap, ...] = (), live: bool = False) -> Audit:
    """The answer about the shop."""
    return Audit(
        Snapshot((WEB_LIVE, DB_LIVE) if live else (WEB_FILE, DB_FILE), gaps),
        findings,
        gaps,
        ("regorus", "0.13.0"),
        (OPEN_DATA, PRIVILEGED_CONTAINER, LITERAL),
        136,
        2,
    )


def waived(finding: Finding) -> Finding:
    """Somebody answers for it."""
    return replace(finding, status=Status.WAIVED, reason="the profiler needs it until June")


def known(finding: Finding) -> Finding:
    """It was there before."""
    return replace(finding, status=Status.BASELINE)


REMEDY = Remedy("run it unprivileged", Safety.UNSAFE)


class Screen(io.StringIO):
    """A terminal of that width."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True


class Pipe(Screen):
    """A stream that nobody looks at."""

    def isatty(self) -> bool:
        return False
