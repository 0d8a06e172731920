"""`auditor network explain` without a port is about every one."""

from __future__ import annotations

from pathlib import Path

from tests.cli.command import Command

CLUSTER = """\
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: b, labels: {app: one}}
spec: {containers: [{name: c, image: "r.example/a:1", ports: [{containerPort: 9100}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: cli, namespace: b, labels: {app: cli}}
spec: {containers: [{name: c, image: "r.example/a:1"}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: b}
spec:
  podSelector: {matchLabels: {app: one}}
  ingress: [{from: [{podSelector: {}}], ports: [{port: 8080}]}]
"""


def test_a_port_without_a_name_is_not_the_one_that_is_meant(
    auditor: Command, tmp_path: Path
) -> None:
    """The pod declares 9100, which is closed; 8080 is open."""
    (tmp_path / "all.yaml").write_text(CLUSTER)
    said = auditor("network", "explain", tmp_path, "--from", "b/cli", "--to", "b/one")
    assert "TCP 8080" in said.out
    assert "port ''" not in said.out
    closed = auditor("network", "explain", tmp_path, "--from", "b/cli", "--to", "b/one:9100")
    assert "denied" in closed.out
