"""What is known of a cluster before one is asked. What one answers: tests/e2e."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.errors import ClusterError
from auditor.facts.workloads import TEMPLATES
from auditor.sources.cluster import ClusterSource, Connection, live_resource
from auditor.sources.kinds import KINDS, Kind

CONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {"token": "t"}}],
    "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "dev",
}
_BY_KIND = {kind.kind: kind for kind in reversed(KINDS)}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No kubeconfig of the machine, and not inside a cluster."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


def _write(path: Path, config: Any) -> str:
    path.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
    return str(path)


def test_secrets_are_never_read() -> None:
    """No question of ours needs their contents, so nobody has to let us have them."""
    assert "secrets" not in {kind.plural for kind in KINDS}


def test_every_kind_that_makes_pods_is_read() -> None:
    """A workload that is not listed would be a workload that passes."""
    read = {(kind.group, kind.kind) for kind in KINDS}
    assert {key for key in TEMPLATES if key[0] != "extensions"} <= read


def test_a_kind_knows_its_path_and_what_to_call_it() -> None:
    """Core kinds live under /api, all others under /apis and their group."""
    assert (_BY_KIND["Pod"].path, _BY_KIND["Pod"].what) == ("/api/v1/pods", "list of pods")
    policies = _BY_KIND["NetworkPolicy"]
    assert policies.path == "/apis/networking.k8s.io/v1/networkpolicies"
    assert policies.what == "list of networkpolicies.networking.k8s.io"


BROKEN = {
    "no YAML": "a: b: c",
    "a list": [],
    "nothing": "",
    "a text": "kubeconfig",
    "no contexts": {"kind": "Config", "current-context": "dev"},
    "contexts a number": CONFIG | {"contexts": 5},
    "a cluster without a server": CONFIG | {"clusters": [{"name": "c", "cluster": {}}]},
    "a certificate that is no base64": CONFIG
    | {
        "clusters": [
            {"name": "c", "cluster": {"server": "https://x", "certificate-authority-data": "%"}}
        ]
    },
    "a certificate that is not there": CONFIG
    | {
        "clusters": [
            {"name": "c", "cluster": {"server": "https://x", "certificate-authority": "nope.crt"}}
        ]
    },
}


@pytest.mark.parametrize("config", BROKEN.values(), ids=BROKEN.keys())
def test_a_kubeconfig_that_cannot_be_used_is_named(tmp_path: Path, config: Any) -> None:
    """Whatever is wrong with it, the person reads which file it is and what to do."""
    path = _write(tmp_path / "broken.yaml", config)
    with pytest.raises(ClusterError, match=r"broken\.yaml|no cluster answers"):
        ClusterSource(path).snapshot()


def test_an_unknown_context_is_named(tmp_path: Path) -> None:
    """A mistyped context is told, with where to look for the right one."""
    path = _write(tmp_path / "config", CONFIG)
    with pytest.raises(ClusterError, match=r"name prod .*--context"):
        ClusterSource(path, "prod")


def test_no_kubeconfig_at_all_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the flag, then KUBECONFIG, then the home folder."""
    with pytest.raises(ClusterError, match=r"nope; name one with --kubeconfig"):
        ClusterSource(str(tmp_path / "nope"))
    with pytest.raises(ClusterError, match=r"\.kube/config"):
        ClusterSource()
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "of-the-environment"))
    with pytest.raises(ClusterError, match="of-the-environment"):
        ClusterSource()


def test_kubeconfig_of_the_environment_may_be_several_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KUBECONFIG lists files that are merged, as kubectl does."""
    first = _write(tmp_path / "one", {k: v for k, v in CONFIG.items() if k != "contexts"})
    second = _write(tmp_path / "two", {"contexts": CONFIG["contexts"]})
    monkeypatch.setenv("KUBECONFIG", f"{first}:{second}")
    assert Connection().host == "http://127.0.0.1:1"


def test_a_cluster_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    """Nothing listens there: no snapshot, and no gap either."""
    path = _write(tmp_path / "config", CONFIG)
    with pytest.raises(ClusterError, match=r"no cluster answers at http://127\.0\.0\.1:1: .*refus"):
        ClusterSource(path).snapshot()


def test_an_item_of_a_list_becomes_a_whole_object() -> None:
    """Lists leave out apiVersion and kind; we leave out what only machines read."""
    item: dict[str, Any] = {
        "metadata": {
            "name": "app",
            "namespace": "shop",
            "managedFields": [{"manager": "kubectl"}],
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "kept": "yes",
            },
        },
        "data": {"URL": "http://db:5432"},
        "binaryData": {"blob": "AAAA"},
    }
    resource = live_resource(_BY_KIND["ConfigMap"], item)
    assert resource.manifest == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "app", "namespace": "shop", "annotations": {"kept": "yes"}},
        "data": {"URL": "http://db:5432"},
    }
    assert str(resource.ref) == "shop/app[ConfigMap]"
    assert (resource.origin.uri, resource.origin.live) == ("cluster/shop/configmaps/app.yaml", True)
    assert item["metadata"]["managedFields"], "the item itself stays as it was"


def test_objects_of_the_cluster_have_no_namespace() -> None:
    """Even if somebody writes one into them."""
    resource = live_resource(_BY_KIND["Node"], {"metadata": {"name": "n", "namespace": "x"}})
    assert str(resource.ref) == "n[Node]"
    assert resource.origin.uri == "cluster/_cluster/nodes/n.yaml"


@pytest.mark.parametrize(
    "item", [{}, {"metadata": None}, {"metadata": []}, {"metadata": {"annotations": "x"}}]
)
def test_odd_items_do_not_break_the_reader(item: Any) -> None:
    """An aggregated API may answer anything."""
    assert live_resource(Kind("v1", "pods", "Pod"), item).ref.name == ""


def test_certificates_of_webhooks_are_not_kept() -> None:
    """Only the API server reads them. What is no webhook is left as it is."""
    service = {"namespace": "shop", "name": "checks"}
    config = {"service": service, "caBundle": "LS0t"}
    webhooks: list[Any] = [{"name": "a", "clientConfig": config}, {"clientConfig": 3}, None]
    kind = _BY_KIND["ValidatingWebhookConfiguration"]
    found = live_resource(kind, {"metadata": {"name": "checks"}, "webhooks": webhooks}).manifest
    left = {"name": "a", "clientConfig": {"service": service}}
    assert found["webhooks"] == [left, {"clientConfig": 3}, None]
    assert config["caBundle"], "the item itself stays as it was"
    assert live_resource(kind, {"webhooks": 5}).manifest["webhooks"] == 5
    assert "webhooks" not in live_resource(kind, {}).manifest
