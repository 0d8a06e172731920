"""Who keeps a live object. The answers of a real API server are in tests/e2e."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from auditor.sources.authorship import authorship_of
from auditor.sources.cluster import live_resource
from auditor.sources.kinds import KINDS

DEPLOYMENT = next(kind for kind in KINDS if kind.kind == "Deployment")
HELM = {"app.kubernetes.io/managed-by": "Helm"}
RELEASE = {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"}


def item(
    labels: Any = None,
    annotations: Any = None,
    managers: Sequence[str] = (),
    owners: Sequence[Any] = (),
) -> dict[str, Any]:
    fields = [{"manager": each, "operation": "Update"} for each in managers]
    return {
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "labels": labels,
            "annotations": annotations,
            "managedFields": fields,
            "ownerReferences": list(owners),
        }
    }


KAFKA = {"apiVersion": "kafka.strimzi.io/v1", "kind": "Kafka", "name": "events", "uid": "k"}

TOLD = {
    "Helm": (item(HELM, RELEASE, ["helm"]), "Helm release shop/web"),
    "Argo CD by annotation": (
        item({}, {"argocd.argoproj.io/tracking-id": "web:apps/Deployment:shop/web"}),
        "Argo CD application web",
    ),
    "Argo CD by label": (
        item({"app.kubernetes.io/instance": "web"}, {}, ["argocd-controller"]),
        "Argo CD application web",
    ),
    "Flux Kustomization": (
        item(
            {
                "kustomize.toolkit.fluxcd.io/name": "apps",
                "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
            }
        ),
        "Flux Kustomization flux-system/apps",
    ),
    "Flux HelmRelease": (
        item(
            {
                **HELM,
                "helm.toolkit.fluxcd.io/name": "web",
                "helm.toolkit.fluxcd.io/namespace": "shop",
            },
            RELEASE,
            ["helm-controller"],
        ),
        "Flux HelmRelease shop/web",
    ),
    "an operator": (
        item(owners=[KAFKA | {"controller": True}]),
        "Kafka shop/events (kafka.strimzi.io)",
    ),
    "OLM": (
        item(
            {
                "olm.owner": "etcd.v1",
                "olm.owner.kind": "ClusterServiceVersion",
                "olm.owner.namespace": "ops",
            }
        ),
        "operator ClusterServiceVersion ops/etcd.v1",
    ),
    "kubectl": (item({}, {}, ["kubectl-client-side-apply"]), "kubectl apply"),
}


@pytest.mark.parametrize(("given", "name"), TOLD.values(), ids=TOLD.keys())
def test_who_keeps_an_object_is_told(given: Any, name: str) -> None:
    """By field managers, owners and tracking labels."""
    told = authorship_of(given)
    assert told.name == name
    assert told.doubt == ""
    assert told.undoes == (told.tool != "kubectl")
    assert bool(told.mend) == told.undoes


NOBODY = {
    "nothing": item(),
    "a chart rendered and applied by hand": item(HELM),
    "a label that everybody uses": item({"app.kubernetes.io/instance": "web"}),
    "an annotation copied from another object": item(
        {}, {"argocd.argoproj.io/tracking-id": "web:apps/Deployment:shop/other"}
    ),
    "annotations that are no names": item(
        HELM, RELEASE | {"meta.helm.sh/release-name": "TOKEN=hunter2\n"}
    ),
    "an owner that does not control": item(owners=[KAFKA]),
    "a ReplicaSet, which is looked through": item(
        owners=[{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "w", "controller": True}]
    ),
    "junk": {"metadata": {"labels": 3, "managedFields": "x", "ownerReferences": {"a": 1}}},
    "more junk": {"metadata": {"managedFields": [3, {"manager": 5}, None]}},
}


@pytest.mark.parametrize("given", NOBODY.values(), ids=NOBODY.keys())
def test_where_nothing_tells_nobody_is_named(given: Any) -> None:
    """A guess would send people to the wrong place."""
    assert authorship_of(given).tool == ""


def test_labels_that_the_field_managers_contradict_are_doubted() -> None:
    """Whoever wrote them, Helm never touched the object."""
    told = authorship_of(item(HELM, RELEASE, ["kubectl-edit"]))
    assert told.name == "Helm release shop/web"
    assert "kubectl-edit" in told.doubt


def test_field_managers_are_dropped_after_use() -> None:
    """They are as long as the rest of the object."""
    found = live_resource(DEPLOYMENT, item(HELM, RELEASE, ["helm"]))
    assert "managedFields" not in found.manifest["metadata"]
    assert found.origin.authorship.name == "Helm release shop/web"
    assert [writer.name for writer in found.origin.authorship.writers] == ["helm"]
