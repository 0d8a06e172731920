"""`audit`, `fix` and `diff` are three questions about one answer, whatever it was read from."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from auditor.model import Origin, Ref, Resource, Server, Snapshot
from auditor.redaction import redacted
from auditor.sources import programs
from auditor.sources.rendered import Rendered
from auditor.sources.saved import save

from .command import Command, Said
from .test_waivers import git

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {}
  namespace: shop
spec:
  securityContext:
    sysctls:
      - name: net.ipv4.tcp_keepalive_time
        value: "600"
  containers:
    - name: app
      image: registry.example/app:{}
  volumes:
    - name: host
      hostPath:
        path: /srv
"""
ASKED = (
    "--select", "image/latest_tag",
    "--select", "workload/host_path_volume",
    "--select", "workload/unsafe_sysctls",
)  # fmt: skip
"""None of them has a fix that could be written here: `fix` names every finding as left alone."""
HOST = "workload/host_path_volume"
LATEST = "image/latest_tag"
SYSCTLS = "workload/unsafe_sysctls"
Found = set[tuple[str, str]]

pytestmark = pytest.mark.e2e  # charts and kustomizations are built by the real programs


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the current one."""
    (tmp_path / "top").mkdir()
    monkeypatch.chdir(tmp_path / "top")
    return tmp_path / "top"


def needs(*names: str) -> None:
    """Go on where one of the programs is there; in CI it has to be."""
    if not any(programs.program(name) for name in names) and not (
        "helm" in names and importlib.util.find_spec("helm_python")
    ):
        assert os.environ.get("CI") != "true", f"none of {names} is installed"
        pytest.skip(f"none of {', '.join(names)} is installed")


def write(files: Mapping[str, str]) -> None:
    """Files, with the folders above them."""
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, "utf-8")


CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
    "chart/values.yaml": 'tag: "1.0.0"\n',
    "chart/templates/web.yaml": POD.format("web", "{{ .Values.tag }}"),
    "eu.yaml": "tag: latest\n",
    ".auditor.yaml": "helm: {chart: [{values: [eu.yaml], namespace: shop}]}\n",
}


def manifests() -> str:
    """Plain files."""
    write({"web.yaml": POD.format("web", "latest")})
    return "."


def excluded() -> str:
    """Of which the configuration excludes some."""
    write({
        "vendor/web.yaml": POD.format("web", "latest"), "own.yaml": POD.format("own", "1.0.0"),
        ".auditor.yaml": "scope: {exclude: [vendor/]}\n",
    })  # fmt: skip
    return "."


def chart() -> str:
    """Deployed as the configuration says."""
    needs("helm")
    write(CHART)
    return "."


def overlays() -> str:
    """Alternatives, of which one alone is at fault."""
    needs("kubectl", "kustomize")
    image = "images: [{name: registry.example/app, newTag: latest}]\n"
    write({
        "base/kustomization.yaml": "resources: [web.yaml]\n",
        "base/web.yaml": POD.format("web", "1.0.0"),
        "dev/kustomization.yaml": "resources: [../base]\n",
        "prod/kustomization.yaml": f"resources: [../base]\n{image}",
    })  # fmt: skip
    return "."


def _cluster() -> Snapshot:
    """Of version 1.28, which did not count that sysctl among the safe ones."""
    manifest = {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "securityContext": {
                "sysctls": [{"name": "net.ipv4.tcp_keepalive_time", "value": "600"}]
            },
            "containers": [{"name": "app", "image": "registry.example/app:latest"}],
            "volumes": [{"name": "host", "hostPath": {"path": "/srv"}}],
        },
    }  # fmt: skip
    uri = "cluster/shop/Pod/web.yaml"
    origin = Origin(uri, Rendered(uri, manifest), live=True)
    pod = Resource(Ref("v1", "Pod", "shop", "web"), manifest, origin)
    return Snapshot((pod,), server=Server(128, frozenset(("Pod",))))


def saved() -> str:
    """A cluster in a file."""
    save(_cluster(), Path("saved.gz"))
    return "saved.gz"


def pseudonyms() -> str:
    """The same without the names of its images, of which nothing can be said then."""
    save(redacted(_cluster()), Path("redacted.gz"))
    return "redacted.gz"


WORLDS: Mapping[str, tuple[Callable[[], str], Found]] = {
    "manifests": (manifests, {(HOST, "web"), (LATEST, "web")}),
    "some excluded": (excluded, {(HOST, "own")}),
    "a chart": (chart, {(HOST, "web"), (LATEST, "web")}),
    "overlays": (overlays, {(HOST, "web"), (LATEST, "web")}),
    "a saved cluster": (saved, {(HOST, "web"), (LATEST, "web"), (SYSCTLS, "web")}),
    "a redacted one": (pseudonyms, {(HOST, "web"), (SYSCTLS, "web")}),
}


def _of(rows: list[dict[str, object]]) -> Found:
    return {(str(row["policy"]), dict(row["object"])["name"]) for row in rows}  # type: ignore[call-overload]


def _left(said: Said) -> Found:
    """What `fix` says that it leaves alone: ``left alone: POLICY NAMESPACE/NAME[KIND]: …``."""
    lines = said.err.replace("\n  ", " ").splitlines()
    words = [line.split() for line in lines if line.startswith("left alone: ")]
    return {(line[2], line[3].partition("/")[2].partition("[")[0]) for line in words}


@pytest.mark.parametrize("name", WORLDS)
def test_audit_fix_and_diff_find_the_same(auditor: Command, tmp_path: Path, name: str) -> None:
    """Against an empty report, all that a state has is new."""
    make, expected = WORLDS[name]
    path = make()
    empty = tmp_path / "empty.json"
    empty.write_text('{"format": "auditor/1", "findings": [], "gaps": []}', "utf-8")
    audit = auditor("audit", path, *ASKED, "--format", "json")
    diff = auditor("diff", empty, path, *ASKED, "--format", "json")
    compared = json.loads(diff.out)
    assert _of(audit.report["findings"]) == expected
    assert _of(compared["new"]) == expected
    assert _left(auditor("fix", path, *ASKED)) == expected
    assert {gap["what"] for gap in compared["newGaps"]} == {
        gap["what"] for gap in audit.report["gaps"]
    }


def test_a_saved_report_and_what_it_is_of_do_not_differ(auditor: Command, tmp_path: Path) -> None:
    """Neither what a scope leaves out nor what values make of a chart is new."""
    needs("helm")
    write({**CHART, "vendor/own.yaml": POD.format("own", "latest")})
    with Path(".auditor.yaml").open("a") as file:
        file.write("scope: {exclude: [vendor/]}\n")
    report = tmp_path / "saved.json"
    auditor("audit", ".", *ASKED, "--format", "json", "-o", report)
    found = json.loads(auditor("diff", report, ".", *ASKED, "--format", "json").out)
    assert (found["new"], found["resolved"], len(found["remaining"])) == ([], [], 2)


def test_the_declared_values_hold_for_a_revision_too(auditor: Command, here: Path) -> None:
    """As the revision has them: the change of a values file is what brings the fault."""
    needs("helm")
    write({**CHART, "eu.yaml": 'tag: "1.0.0"\n'})
    git(here, "init", "-q", "-b", "main")
    git(here, "add", "-A")
    git(here, "commit", "-qm", "one")
    write({"eu.yaml": "tag: latest\n"})
    found = json.loads(auditor("diff", "git:HEAD", ".", *ASKED, "--format", "json").out)
    assert (_of(found["new"]), _of(found["remaining"])) == ({(LATEST, "web")}, {(HOST, "web")})
    assert found["newGaps"] == found["closedGaps"] == []


def test_the_declared_values_hold_for_both_folders(auditor: Command) -> None:
    """Those of HEAD, for what is in the same place in BASE."""
    needs("helm")
    write({f"{side}/{name}": text for side in ("old", "new") for name, text in CHART.items()})
    found = json.loads(auditor("diff", "old", "new", *ASKED, "--format", "json").out)
    assert (found["new"], found["resolved"]) == ([], [])
    assert _of(found["remaining"]) == {(HOST, "web"), (LATEST, "web")}


def test_a_scope_that_fits_neither_side_is_not_clean(auditor: Command) -> None:
    """A mistyped one would let every change pass."""
    write({"web.yaml": POD.format("web", "latest"), ".auditor.yaml": "scope: {include: [wbe/]}\n"})
    said = auditor("diff", ".", ".", *ASKED)
    assert (said.code, said.out) == (3, "")
    assert "is in the scope" in said.err
