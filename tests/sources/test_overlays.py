"""What an overlay says of an object is shown there: changing it there changes the object."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auditor.manifests import at
from auditor.model import Path as Field
from auditor.model import Resource
from auditor.sources import programs
from auditor.sources.files import FileSource
from auditor.sources.supply import supply_of

BASE = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: proxy
          image: registry.example/proxy:1
        - name: web
          image: registry.example/web:1
          securityContext:
            privileged: false
            runAsUser: 1000
"""
TREE = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": BASE,
    "middle/kustomization.yaml": """\
namePrefix: eu-
resources: [../base]
patchesStrategicMerge:
  - user.yaml
""",
    "middle/user.yaml": """\
# Until the new image is there.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      hostPID: true
      containers:
        - name: web
          securityContext:
            runAsUser: 0
""",
    "prod/kustomization.yaml": """\
namespace: prod
resources: [../middle]
images:
  - name: registry.example/web
    newTag: latest
replicas:
  - name: web
    count: 3
commonAnnotations:
  team: shop
patches:
  - path: network.yaml
    target: {kind: Deployment, name: ".*web"}
  - patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: web
      spec:
        template:
          spec:
            hostIPC: true
  - target: {kind: Deployment}
    patch: '[{"op": "add", "path": "/spec/paused", "value": true}]'
""",
    "prod/network.yaml": """\
- op: replace
  path: /spec/template/spec/containers/0/securityContext/privileged
  value: true
- op: add
  path: /spec/template/spec/hostNetwork
  value: true
""",
}
POD = ("spec", "template", "spec")
WEB = (*POD, "containers", 0)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tree, below the current folder."""
    if not programs.program("kubectl") and not programs.program("kustomize"):
        assert os.environ.get("CI") != "true", "neither kubectl nor kustomize is installed"
        pytest.skip("neither kubectl nor kustomize is installed")
    monkeypatch.chdir(tmp_path)
    for name, text in TREE.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, "utf-8")


def deployment() -> Resource:
    """The one object that is built."""
    [found] = FileSource((".",)).snapshot().resources
    return found


def place(path: Field) -> str:
    """The file and the line of a field, as text."""
    spot = deployment().origin.spot(path)
    line = Path(spot.uri).read_text("utf-8").split("\n")[spot.span.line - 1]
    return f"{Path(spot.uri).as_posix()}: {line.strip()}"


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("path", "where"),
    [
        ((*WEB, "securityContext", "privileged"), "prod/network.yaml: value: true"),
        ((*POD, "hostNetwork"), "prod/network.yaml: value: true"),
        ((*POD, "hostPID"), "middle/user.yaml: hostPID: true"),
        ((*POD, "hostIPC"), "prod/kustomization.yaml: hostIPC: true"),
        ((*WEB, "securityContext", "runAsUser"), "middle/user.yaml: runAsUser: 0"),
        ((*WEB, "image"), "prod/kustomization.yaml: newTag: latest"),
        (("spec", "replicas"), "prod/kustomization.yaml: count: 3"),
        (("metadata", "namespace"), "prod/kustomization.yaml: namespace: prod"),
        (("metadata", "annotations", "team"), "prod/kustomization.yaml: team: shop"),
        ((*POD, "containers", 1, "image"), "base/web.yaml: image: registry.example/proxy:1"),
        (("metadata", "name"), "base/web.yaml: apiVersion: apps/v1"),
        ((*WEB, "securityContext"), "base/web.yaml: securityContext:"),
    ],
)
def test_a_field_is_shown_where_it_is_said(path: Field, where: str) -> None:
    """In the patch, at the entry of the transformer, or in the base that nothing changed."""
    assert place(path) == where


@pytest.mark.e2e
@pytest.mark.parametrize(
    "path",
    [
        (*WEB, "securityContext", "privileged"),
        (*POD, "hostPID"),
        (*WEB, "securityContext", "runAsUser"),
        (*WEB, "image"),
        ("spec", "replicas"),
        ("metadata", "annotations", "team"),
        (*POD, "containers", 1, "image"),
    ],
)
def test_whoever_changes_it_there_changes_the_field(path: Field) -> None:
    """The place that a fix would edit is the one that counts."""
    before = deployment()
    supply = supply_of(before, path)
    assert supply is not None
    mark = "seven" if isinstance(at(before.manifest, path), str) else "7"
    text, span = Path(supply.uri).read_text("utf-8"), supply.span
    source = supply.document.source
    start = source.offset(span.line, span.column)
    end = source.offset(span.end_line, span.end_column)
    Path(supply.uri).write_text(text[:start] + mark + text[end:], "utf-8")
    assert str(at(deployment().manifest, path)).endswith(mark)


@pytest.mark.e2e
def test_what_two_patches_say_is_shown_at_the_object() -> None:
    """Nobody can tell which of them counts."""
    more = "  - path: again.yaml\n    target: {kind: Deployment}\n"
    with Path("prod/kustomization.yaml").open("a", encoding="utf-8") as file:
        file.write(more)
    again = "- {op: replace, path: /spec/template/spec/hostNetwork, value: true}\n"
    Path("prod/again.yaml").write_text(again, "utf-8")
    assert place((*POD, "hostNetwork")) == "base/web.yaml: apiVersion: apps/v1"
    assert supply_of(deployment(), (*POD, "hostNetwork")) is None


@pytest.mark.e2e
def test_a_patch_of_another_object_is_not_taken_for_it() -> None:
    """Though it says the same value at the same path."""
    head = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\n"
    other = head + "spec: {template: {spec: {hostPID: true}}}\n"
    Path("middle/db.yaml").write_text(other, "utf-8")
    told = (
        Path("middle/kustomization.yaml")
        .read_text("utf-8")
        .replace("user.yaml", "user.yaml\n  - db.yaml")
    )
    Path("middle/kustomization.yaml").write_text(
        told.replace("[../base]", "[../base, set.yaml]"), "utf-8"
    )
    Path("middle/set.yaml").write_text(head + "spec: {template: {spec: {}}}\n", "utf-8")
    found = {r.ref.kind: r for r in FileSource((".",)).snapshot().resources}
    spots = {kind: one.origin.spot((*POD, "hostPID")).uri for kind, one in found.items()}
    assert spots == {"Deployment": "middle/user.yaml", "StatefulSet": "middle/db.yaml"}
