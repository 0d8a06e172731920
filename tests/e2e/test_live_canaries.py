"""No credential that a live cluster holds comes out again."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.stand_ins import VALUE
from tests.canaries import Canaries

from .cluster import TestCluster
from .product import auditor

pytestmark = pytest.mark.e2e

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def _container(c: Canaries) -> dict[str, Any]:
    header = {"name": "Authorization", "value": f"Bearer {c('header of a probe')}"}
    probe = {"httpGet": {"path": f"/?token={c('probe')}", "port": 80, "httpHeaders": [header]}}
    return {
        "name": "app",
        "image": f"bot:{c('image')}@registry.example/app:1.0.0",
        "command": ["serve", "--api-key", c("command")],
        "args": [f"--url=https://me:{c('a URL')}@db.shop:5432/?sig={c('a query')}", c("a word")],
        "env": [
            {"name": "DB_PASSWORD", "value": c("env")},
            {"name": "COLOUR", "value": c("env without a telling name")},
            {"name": "DB", "value": f"postgres://me:{c('DSN')}@db:5432/shop"},
        ],
        "envFrom": [{"secretRef": {"name": "keys"}}, {"configMapRef": {"name": "settings"}}],
        "livenessProbe": probe,
        "lifecycle": {"preStop": {"exec": {"command": ["curl", "-u", f"me:{c('lifecycle')}"]}}},
        "securityContext": {"privileged": True},
    }


def _objects(c: Canaries) -> list[dict[str, Any]]:
    applied = json.dumps({"data": {"k": c("last applied")}})
    named = {"namespace": "shop", "annotations": {"example.com/token": c("an annotation")}}
    template = {
        "metadata": {"labels": {"app": "web"}, "annotations": {"x.example/note": c("a template")}},
        "spec": {"containers": [_container(c)]},
    }
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    files = {"app.properties": f"db.password={c('a file')}\n", "colour": c("data of a ConfigMap")}
    blob = base64.b64encode(c("binary data").encode()).decode()
    data = base64.b64encode(c("data of a Secret").encode()).decode()
    objects: list[tuple[str, str, str, dict[str, Any]]] = [
        ("v1", "Secret", "keys", {"data": {"k": data}, "stringData": {"s": c("stringData")}}),
        ("v1", "ConfigMap", "settings", {"data": files, "binaryData": {"b": blob}}),
        ("apps/v1", "Deployment", "web", {"spec": spec}),
    ]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    made = [
        {"apiVersion": version, "kind": kind, "metadata": {**named, "name": name}, **more}
        for version, kind, name, more in objects
    ]
    made[1]["metadata"] = {**named, "name": "settings", "annotations": {APPLIED: applied}}
    return [space, *made]


@pytest.fixture(scope="module")
def planted() -> Canaries:
    """What the cluster holds."""
    return Canaries()


@pytest.fixture(scope="module")
def kubeconfig(cluster: TestCluster, planted: Canaries) -> Path:
    """Of a reader, whose own token is another of them."""
    cluster.apply(*_objects(planted))
    reader = cluster.kubeconfig_for("reader", cluster.reading_all_but("secrets"))
    planted.planted["the reader's token"] = yaml.safe_load(reader.read_text("utf-8"))["users"][0][
        "user"
    ]["token"]

    def why_not() -> str:
        return "" if cluster.objects("pods", "shop") else "no pod yet"

    cluster.wait_until("the pods are made", why_not)
    return reader


def test_they_are_all_in_the_cluster(
    cluster: TestCluster, kubeconfig: Path, planted: Canaries
) -> None:
    """Else nothing would be shown."""
    dump = cluster.kubectl(
        "get", "secrets,configmaps,deployments", "-n", "shop", "-o", "yaml"
    ).stdout
    assert set(planted.planted) - set(planted.in_(dump)) == {"the reader's token"}


@pytest.mark.parametrize("form", ["text", "json", "sarif"])
@pytest.mark.parametrize("flags", [(), ("--profile", "strict"), ("--framework", "pss-restricted")])
def test_no_report_of_a_cluster_shows_one(
    kubeconfig: Path, planted: Canaries, form: str, flags: tuple[str, ...]
) -> None:
    """In any form, with fixes."""
    said = auditor("audit", "--cluster", "--kubeconfig", kubeconfig, "--format", form, *flags)
    assert said.code == 1
    assert planted.in_(said.out, said.err) == []


def test_no_command_that_mends_a_cluster_shows_one(kubeconfig: Path, planted: Canaries) -> None:
    """Nor would it write what stands for one: the API server is asked about each command."""
    access = ("--cluster", "--kubeconfig", kubeconfig)
    said = auditor("fix", *access, "--profile", "strict", "--unsafe", "--server-dry-run")
    assert "kubectl" in said.out
    assert planted.in_(said.out, said.err) == []
    assert VALUE not in said.out


@pytest.mark.parametrize("flags", [(), ("--redact",)])
def test_no_snapshot_holds_one(
    kubeconfig: Path, planted: Canaries, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    """Nor does its audit."""
    out = tmp_path / "file"
    said = auditor("snapshot", "--cluster", "--kubeconfig", kubeconfig, "-o", out, *flags)
    assert said.code == 0
    answer = auditor("audit", out, "--profile", "strict", "--format", "json")
    assert planted.in_(said.out, said.err, answer.out, answer.err) == []
    assert planted.in_files([tmp_path]) == []


def test_no_error_of_a_server_shows_one(cluster: TestCluster, planted: Canaries) -> None:
    """Who is refused everything is told so, and not with which token."""
    stranger = cluster.kubeconfig_for("stranger")
    token = yaml.safe_load(stranger.read_text("utf-8"))["users"][0]["user"]["token"]
    said = auditor("audit", "--cluster", "--kubeconfig", stranger)
    assert said.code == 4
    assert token not in said.out + said.err
    assert planted.in_(said.out, said.err) == []
