"""GitOps objects: what they deploy from here is audited as they deploy it, the rest is named."""

from __future__ import annotations

import importlib.util
import json
import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor.model import Gap, Resource, Snapshot, Unseen
from auditor.sources import programs
from auditor.sources.argocd import MOST
from auditor.sources.building import Building
from auditor.sources.files import FileSource

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
spec:
  hostNetwork: {value}
  containers: [{{name: app, image: "registry.example/app:{tag}"}}]
"""
BASE = {
    "shop/kustomization.yaml": "resources: [web.yaml]\n",
    "shop/web.yaml": POD.format(name="web", value="false", tag="1"),
}
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
    "chart/values.yaml": "host: false\ntag: one\n",
    "chart/values-prod.yaml": "tag: two\n",
    "chart/templates/web.yaml": POD.format(
        name="{{ .Release.Name }}-web", value="{{ .Values.host }}", tag="{{ .Values.tag }}"
    ),
}


@pytest.fixture(autouse=True)
def here(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty repository that is the current folder."""
    kubectl = programs.program("kubectl") or programs.program("kustomize")
    helm = programs.program("helm") or importlib.util.find_spec("helm_python")
    if request.node.get_closest_marker("e2e") and not (kubectl and helm):
        why = "kubectl or helm is not installed"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repo")


def write(files: Mapping[str, str]) -> None:
    """Files, with the folders above them."""
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, "utf-8")


def application(source: Mapping[str, Any], name: str = "shop", **more: Any) -> str:
    """An Application of Argo CD."""
    spec: dict[str, Any] = {"source": {"repoURL": "https://git.example/repo", **source}, **more}
    spec.setdefault("destination", {"namespace": "prod", "server": "https://here"})
    return _object("argoproj.io/v1alpha1", "Application", name, spec)


def _object(version: str, kind: str, name: str, spec: Mapping[str, Any]) -> str:
    metadata = {"name": name, "namespace": "gitops"}
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})


def flux(**spec: Any) -> str:
    """A Kustomization of Flux."""
    return _object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "shop", spec)


def release(**spec: Any) -> str:
    """A HelmRelease of Flux."""
    return _object("helm.toolkit.fluxcd.io/v2", "HelmRelease", "shop", spec)


def read(path: str = ".", **told: Any) -> Snapshot:
    """The one state in which the files may be deployed."""
    [variant] = FileSource((path,), Building(**told)).variants()
    return variant.snapshot


def pods(snapshot: Snapshot) -> dict[str, Resource]:
    """The pods by their names."""
    return {f"{one.ref.namespace}/{one.ref.name}": one for one in snapshot.of_kind("Pod")}


def image(pod: Resource) -> str:
    """The image of its one container."""
    found: str = pod.manifest["spec"]["containers"][0]["image"]
    return found


def only_gap(snapshot: Snapshot) -> Gap:
    """The one thing that could not be seen."""
    [gap] = snapshot.gaps
    return gap


@pytest.mark.e2e
def test_an_application_of_a_kustomization_is_built_as_it_says() -> None:
    """Once, with its prefix and its image, in its namespace."""
    source = {
        "path": "shop",
        "kustomize": {"namePrefix": "eu-", "images": ["registry.example/app:9"]},
    }
    write({**BASE, "apps/shop.yaml": application(source)})
    snapshot = read()
    assert snapshot.gaps == ()
    [(name, pod)] = pods(snapshot).items()
    assert (name, image(pod)) == ("prod/eu-web", "registry.example/app:9")
    by = getattr(pod.origin.lines, "by", "")
    assert by == "kustomize from shop by Argo CD Application shop in apps/shop.yaml:1"


@pytest.mark.e2e
def test_an_application_of_a_chart_is_rendered_with_its_values() -> None:
    """Files, then values, then parameters; the release has the Application's name."""
    helm = {
        "valueFiles": ["values-prod.yaml"],
        "values": "host: true\ntag: three\n",
        "parameters": [{"name": "tag", "value": "a,b"}],
    }
    write({**CHART, "shop.yaml": application({"path": "chart", "helm": helm})})
    [(name, pod)] = pods(read()).items()
    assert (name, image(pod)) == ("prod/shop-web", "registry.example/app:a,b")
    assert pod.manifest["spec"]["hostNetwork"] is True
    write(
        {"shop.yaml": application({"path": "chart", "helm": {"valueFiles": ["values-prod.yaml"]}})}
    )
    assert image(pods(read())["prod/shop-web"]).endswith(":two")


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("source", "why"),
    [
        ({"path": "elsewhere"}, "'elsewhere' of https://git.example/repo is not among the files"),
        ({"path": "../../etc"}, "leaves"),
        ({"path": "."}, "'.' of https://git.example/repo is not among the files"),
        ({"chart": "redis"}, "the chart https://git.example/repo/redis is not among the files"),
        ({"path": "chart", "helm": {"valueFiles": ["../../../etc/passwd"]}}, "leaves"),
        ({"path": "chart", "helm": {"valueFiles": ["https://a.example/v"]}}, "fetched"),
        ({"path": "chart", "helm": {"valueFiles": ["none.yaml"]}}, "is not there"),
        ({"path": "chart", "plugin": {"name": "x"}}, "plugin"),
        ({"path": 7}, "no text"),
        ({"path": "a\0b"}, "cannot be understood"),
        (
            {"path": "chart", "repoURL": "https://me:canary@git.example/x", "chart": "c"},
            "git.example",
        ),
    ],
)
def test_what_an_application_deploys_from_elsewhere_is_a_gap(
    source: dict[str, Any], why: str
) -> None:
    """A repository of such objects alone is never clean; no credential is in the answer."""
    write(
        {"apps/shop.yaml": application(source), "apps/chart/Chart.yaml": CHART["chart/Chart.yaml"]}
    )
    write({"chart/Chart.yaml": CHART["chart/Chart.yaml"]})
    [gap] = [gap for gap in read("apps/shop.yaml").gaps if gap.ref is None]
    assert gap.severity is Unseen.INCOMPLETE
    assert gap.what == "gitops/shop[Application] (apps/shop.yaml:1)"
    assert why in gap.why
    assert "canary" not in gap.why


@pytest.mark.e2e
def test_a_chart_of_elsewhere_is_found_where_it_is_declared() -> None:
    """Vendored beside the rest."""
    moved = {name.replace("chart/", "vendor/redis/"): text for name, text in CHART.items()}
    source = {"repoURL": "https://charts.example", "chart": "redis"}
    write({**moved, "shop.yaml": application(source)})
    for address in ("https://charts.example/redis", "redis"):
        snapshot = read("shop.yaml", sources={address: "vendor/redis"})
        assert list(pods(snapshot)) == ["prod/shop-web"]
    assert list(pods(read("shop.yaml", sources={"https://charts.example": "vendor"})))
    outside = read("shop.yaml", sources={"redis": "/"}, within=str(Path.cwd()))
    assert "is not in" in only_gap(outside).why


@pytest.mark.e2e
def test_a_set_makes_an_application_for_each_element() -> None:
    """Those of one namespace each are in one cluster."""
    template = {
        "metadata": {"name": "{{name}}"},
        "spec": {
            "source": {"path": "chart", "helm": {"valuesObject": {"tag": "{{tag}}"}}},
            "destination": {"namespace": "{{name}}"},
        },
    }
    elements = [{"name": "a", "tag": "1"}, {"name": "b", "tag": "2"}]
    spec: dict[str, Any] = {"generators": [{"list": {"elements": elements}}], "template": template}
    write({**CHART, "set.yaml": _object("argoproj.io/v1alpha1", "ApplicationSet", "all", spec)})
    found = pods(read())
    assert {name: image(pod)[-2:] for name, pod in found.items()} == {
        "a/a-web": ":1",
        "b/b-web": ":2",
    }


@pytest.mark.e2e
def test_a_set_makes_an_application_for_each_folder() -> None:
    """In the dialect of Go too; what is excluded is left out."""
    template = {
        "metadata": {"name": "{{ .path.basename }}"},
        "spec": {
            "source": {"path": "{{.path.path}}"},
            "destination": {"namespace": "{{.path.basename}}"},
        },
    }
    rules = [{"path": "apps/*"}, {"path": "apps/old", "exclude": True}]
    spec: dict[str, Any] = {
        "goTemplate": True,
        "generators": [{"git": {"directories": rules}}],
        "template": template,
    }
    trees = {
        f"apps/{team}/{name.removeprefix('shop/')}": text
        for team in ("a", "b", "old")
        for name, text in BASE.items()
    }
    write({**trees, "set.yaml": _object("argoproj.io/v1alpha1", "ApplicationSet", "all", spec)})
    assert sorted(pods(read())) == ["a/web", "b/web", "default/web"]


def _set_of(generator: Mapping[str, Any], path: str) -> str:
    """A set whose Applications deploy what is not there, so that each of them is told."""
    template = {"metadata": {"name": "x"}, "spec": {"source": {"path": path}}}
    spec = {"generators": [generator], "template": template}
    return _object("argoproj.io/v1alpha1", "ApplicationSet", "all", spec)


def test_more_applications_than_are_followed_are_a_gap() -> None:
    """Not the first five hundred alone, and a word about none of the others."""
    elements = [{"name": f"app-{number}"} for number in range(MOST + 2)]
    write({"set.yaml": _set_of({"list": {"elements": elements}}, "{{name}}/nowhere")})
    *told, last = (gap.why for gap in read().gaps)
    assert (len(told), f"more than {MOST}" in last) == (MOST, True)
    for number in range(MOST + 2):
        Path(f"app-{number}").mkdir()
    write({"set.yaml": _set_of({"git": {"directories": [{"path": "app-*"}]}}, "{{path}}/nowhere")})
    *told, last = (gap.why for gap in read().gaps)
    assert (len(told), f"more than {MOST}" in last) == (MOST, True)


@pytest.mark.parametrize(
    ("pattern", "excludes"),
    [("apps*", False), ("*", False), ("apps/foo", True), ("apps/f*", True), ("*/[^a-e]oo", True),
     ("apps/[^f]oo", False), ("**/foo", True), ("apps/**/x", False)],
)  # fmt: skip
def test_a_pattern_that_excludes_matches_as_in_go(pattern: str, excludes: bool) -> None:
    """A `*` stands for no slash: https://pkg.go.dev/path#Match."""
    Path("apps/foo").mkdir(parents=True)
    rules = [{"path": "apps/*"}, {"path": pattern, "exclude": True}]
    write({"set.yaml": _set_of({"git": {"directories": rules}}, "{{path}}/nowhere")})
    why = only_gap(read()).why
    assert ("apps/foo/nowhere" in why) is not excludes


@pytest.mark.e2e
def test_a_generator_that_asks_others_is_a_gap() -> None:
    """Which clusters there are is not written here."""
    spec: dict[str, Any] = {"generators": [{"clusters": {}}], "template": {}}
    write({"set.yaml": _object("argoproj.io/v1alpha1", "ApplicationSet", "all", spec)})
    gap = only_gap(read())
    assert (gap.severity, "'clusters' is not followed" in gap.why) == (Unseen.INCOMPLETE, True)


@pytest.mark.e2e
def test_an_application_of_applications_is_followed() -> None:
    """The second one stands in a chart that the first one deploys."""
    inner = application({"path": "shop"}, name="{{ .Values.who }}")
    write(
        {
            **BASE,
            "root.yaml": application({"path": "apps", "helm": {"values": "who: inner"}}, "root"),
            "apps/Chart.yaml": CHART["chart/Chart.yaml"],
            "apps/templates/inner.yaml": inner,
        }
    )
    snapshot = read()
    assert list(pods(snapshot)) == ["prod/web"]
    assert {one.ref.name for one in snapshot.of_kind("Application")} == {"root", "inner"}


@pytest.mark.e2e
def test_a_kustomization_of_flux_is_built_as_it_says() -> None:
    """Its namespace, patches and variables; those that nobody knows are named."""
    patch = '[{"op": "replace", "path": "/spec/hostNetwork", "value": true}]'
    write(
        {**BASE, "shop/web.yaml": BASE["shop/web.yaml"].replace("app:1", "app:${tag:=none}-${who}")}
    )
    spec: dict[str, Any] = {
        "path": "./shop",
        "targetNamespace": "prod",
        "sourceRef": {"kind": "GitRepository", "name": "flux-system"},
        "patches": [{"patch": patch, "target": {"kind": "Pod"}}],
        "postBuild": {"substitute": {"tag": "7"}},
    }
    write({"flux.yaml": flux(**spec)})
    [(name, pod)] = pods(read()).items()
    assert (name, image(pod)) == ("prod/web", "registry.example/app:7-")
    assert pod.manifest["spec"]["hostNetwork"] is True
    spec["postBuild"]["substituteFrom"] = [{"kind": "Secret", "name": "keys"}]
    write({"flux.yaml": flux(**spec)})
    snapshot = read()
    assert image(pods(snapshot)["prod/web"]).endswith(":7-${who}")
    gap = only_gap(snapshot)
    assert (gap.severity, "Secret keys" in gap.why) == (Unseen.UNKNOWN, True)
    write(
        {"keys.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: keys}\ndata: {who: me}\n"}
    )
    spec["postBuild"]["substituteFrom"][0]["kind"] = "ConfigMap"
    write({"flux.yaml": flux(**spec)})
    assert image(pods(read())["prod/web"]).endswith(":7-me")


@pytest.mark.e2e
def test_a_release_of_flux_is_rendered_as_it_says() -> None:
    """Its own chart by its path; the values of a ConfigMap before its own."""
    source = {"kind": "GitRepository", "name": "repo"}
    configured = textwrap.dedent(
        """\
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: more, namespace: gitops}
        data: {values.yaml: "host: true\\ntag: four"}
        """
    )
    spec: dict[str, Any] = {
        "chart": {
            "spec": {"chart": "./chart", "sourceRef": source, "valuesFiles": ["values-prod.yaml"]}
        },
        "targetNamespace": "prod",
        "valuesFrom": [{"kind": "ConfigMap", "name": "more"}],
    }
    write({**CHART, "release.yaml": release(**spec), "more.yaml": configured})
    [(name, pod)] = pods(read()).items()
    assert (name, image(pod)) == ("prod/prod-shop-web", "registry.example/app:four")
    write({"release.yaml": release(**spec, values={"tag": "five"}, releaseName="own")})
    assert image(pods(read())["prod/own-web"]).endswith(":five")
    Path("more.yaml").unlink()
    gap = only_gap(read())
    assert (gap.severity, "ConfigMap more" in gap.why) == (Unseen.UNKNOWN, True)


@pytest.mark.e2e
def test_a_release_of_a_chart_of_elsewhere_is_named_by_its_address() -> None:
    """Its source says it, also where a kustomization uses that."""
    repository = _object(
        "source.toolkit.fluxcd.io/v1", "HelmRepository", "charts", {"url": "https://charts.example"}
    )
    source = {"kind": "HelmRepository", "name": "charts"}
    spec: dict[str, Any] = {"chart": {"spec": {"chart": "redis", "sourceRef": source}}}
    write({"sources/charts.yaml": repository, "release.yaml": release(**spec)})
    write({"sources/kustomization.yaml": "resources: [charts.yaml]\n"})
    gap = only_gap(read())
    assert gap.severity is Unseen.INCOMPLETE
    assert "https://charts.example/redis" in gap.why
    moved = {name.replace("chart/", "vendor/redis/"): text for name, text in CHART.items()}
    write(moved)
    found = read("release.yaml", sources={"redis": "vendor/redis"})
    assert list(pods(found)) == ["gitops/shop-web"]


@pytest.mark.e2e
def test_a_folder_of_manifests_is_read_where_it_lies() -> None:
    """Also outside of what is audited, and once."""
    write(
        {
            "plain/a.yaml": POD.format(name="a", value="true", tag="1"),
            "apps/a.yaml": flux(path="plain"),
        }
    )
    assert list(pods(read("apps"))) == list(pods(read())) == ["default/a"]


@pytest.mark.e2e
@pytest.mark.parametrize(
    "spec",
    [
        7, None, [], {"source": 3}, {"sources": [{"ref": {}}]},
        {"source": {"helm": []}, "path": []},
        {"sourceRef": 3, "path": {}}, {"generators": [{"list": 3}, 3]},
        {"generators": [{"git": {"directories": [{"path": "../*"}]}}]},
        {"chart": {"spec": []}, "values": 3}, {"chartRef": []},
        {"postBuild": {"substitute": 3}, "path": "shop"},
    ],
)  # fmt: skip
def test_odd_objects_are_read_or_named(spec: Any) -> None:
    """Whatever is in them, nothing of the rest is lost."""
    kinds = [
        ("argoproj.io/v1alpha1", "Application"),
        ("argoproj.io/v1alpha1", "ApplicationSet"),
        ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
        ("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
    ]
    write({f"{kind}.yaml": _object(version, kind, "odd", spec) for version, kind in kinds})
    write({"pod.yaml": POD.format(name="kept", value="true", tag="1")})
    assert list(pods(read())) == ["default/kept"]


@pytest.mark.e2e
def test_what_an_overlay_deploys_is_in_its_variant() -> None:
    """The release of production is beside the rest of production, and beside nothing of test."""
    source = {"kind": "GitRepository", "name": "repo"}
    base = {"chart": {"spec": {"chart": "./chart", "sourceRef": source}}, "values": {"tag": "base"}}
    write({**CHART, "base/release.yaml": release(**base)})
    write({"base/kustomization.yaml": "resources: [release.yaml]\n"})
    patch = '[{"op": "replace", "path": "/spec/values/tag", "value": "NAME"}]'
    for name in ("prod", "test"):
        patches = [{"patch": patch.replace("NAME", name), "target": {"kind": "HelmRelease"}}]
        told = {"resources": ["../../base"], "patches": patches}
        write({f"overlays/{name}/kustomization.yaml": json.dumps(told)})
    found = {
        one.name: image(next(one.snapshot.of_kind("Pod"))) for one in FileSource((".",)).variants()
    }
    assert found == {
        "chart as shop, overlays/prod": "registry.example/app:prod",
        "chart as shop, overlays/test": "registry.example/app:test",
    }
