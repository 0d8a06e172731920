"""`auditor audit --baseline`: what a saved report knows, and what it does not excuse."""

from __future__ import annotations

import json
from pathlib import Path

from .command import Command

OPEN = """\
apiVersion: v1
kind: Pod
metadata: {name: customers, namespace: shop, labels: {auditor/data: pii}}
spec: {containers: [{name: db, image: "registry.example/db:1.0.0", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ads, namespace: shop, labels: {app: ads}}
spec: {containers: [{name: ads, image: "registry.example/ads:1.0.0"}]}
---
apiVersion: v1
kind: Service
metadata: {name: customers, namespace: shop}
spec: {type: LoadBalancer, selector: {auditor/data: pii}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: customers, namespace: shop}
spec:
  podSelector: {matchLabels: {auditor/data: pii}}
  ingress: [{from: [{podSelector: {matchLabels: {app: ads}}}]}]
"""
WIDE_OPEN = OPEN.replace("[{from: [{podSelector: {matchLabels: {app: ads}}}]}]", "[{}]")
EXPOSED = ("--select", "data/personal_data_not_isolated", "--no-fixes")


def _write(folder: Path, text: str) -> Path:
    file = folder / "app.yaml"
    file.write_text(text, "utf-8")
    return file


def test_a_known_fault_that_got_worse_is_new(auditor: Command, folder: Path) -> None:
    """One stranger was let in; now it is the internet. Half a repair is nothing new."""
    old = folder.parent / "old.json"
    for before, after, code in ((OPEN, WIDE_OPEN, 1), (WIDE_OPEN, OPEN, 0)):
        auditor("audit", _write(folder, before), *EXPOSED, "--format", "json", "-o", old)
        said = auditor("audit", _write(folder, after), *EXPOSED, "--baseline", old,
                       "--fail-on", "new")  # fmt: skip
        assert said.code == code, said.out + said.err


def test_a_baseline_of_an_older_version_is_still_one(auditor: Command, folder: Path) -> None:
    """It does not say what the evidence is about, so nothing known can be worse."""
    old = folder.parent / "old.json"
    said = auditor("audit", _write(folder, OPEN), *EXPOSED, "--format", "json")
    report = said.report
    for finding in report["findings"]:
        for reason in finding["evidence"]:
            del reason["anchor"]
    old.write_text(json.dumps(report), "utf-8")
    flags = (*EXPOSED, "--baseline", old, "--fail-on", "new")
    assert auditor("audit", _write(folder, WIDE_OPEN), *flags).code == 0
