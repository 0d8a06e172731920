"""Who keeps a live object, from its labels, owners and field managers.

Labels can lie; field managers are written by the API server for whoever asks it to change a field.
Where they name nobody of the tool that the labels speak of, that is said.

Sources: https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/,
https://helm.sh/docs/faq/changes_since_helm2/ (release annotations),
https://fluxcd.io/flux/components/kustomize/kustomizations/ and .../helm/helmreleases/ (labels),
https://kubernetes.io/docs/reference/using-api/server-side-apply/ (managers).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from auditor.manifests import mapping, sequence, texts
from auditor.model import Manifest
from auditor.terms import API_GROUPS, Authorship, Writer

MIRROR = "kubernetes.io/config.mirror"
"""The annotation by which the kubelet marks the shadow of a static pod."""
MAX_WRITERS = 50
"""So many field managers of one object are kept: anybody may invent names."""

Told = Mapping[str, str]
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""A name as Kubernetes has it. An annotation holds anything, and a report must not repeat it."""
_MANAGER = re.compile(r"[\w.:@/+-]{1,128}", re.ASCII)


def authorship_of(item: Manifest) -> Authorship:
    """Who keeps the object `item`, which is as the API server gave it, managedFields and all."""
    metadata = mapping(item.get("metadata"))
    labels, notes = texts(metadata.get("labels")), texts(metadata.get("annotations"))
    writers = _writers(metadata.get("managedFields"))
    for told in (
        _static(metadata, notes),
        _argo_cd(metadata, labels, notes, writers),
        _flux(labels),
        _helm(labels, notes),
        _olm(labels),
        _owner(metadata),
        _addon(labels, writers),
        _kubectl(notes, writers),
    ):
        if told:
            return replace(told, doubt=_doubt(told, writers), writers=writers)
    return Authorship(writers=writers)


def changed_at(item: Manifest) -> str:
    """When somebody last wrote more than the status of the object `item`, by the server's clock
    (RFC 3339, whole seconds); empty where it does not tell, as where somebody had it forget.
    """
    fields = mapping(item.get("metadata")).get("managedFields")
    entries = [
        each for each in map(mapping, sequence(fields)) if each.get("subresource") != "status"
    ]
    times = [time for each in entries if isinstance(time := each.get("time"), str)]
    return max(times, default="")  # all are in UTC and have one form


def _writers(fields: Any) -> tuple[Writer, ...]:
    found: dict[Writer, None] = {}
    for entry in map(mapping, sequence(fields)):
        name, operation = entry.get("manager"), entry.get("operation")
        if isinstance(name, str) and _MANAGER.fullmatch(name):
            under = entry.get("subresource")
            how = "Apply" if operation == "Apply" else "Update"
            found[_writer(name, how, under if isinstance(under, str) else "")] = None
    return tuple(found)[:MAX_WRITERS]


@lru_cache(maxsize=4096)
def _writer(name: str, operation: str, subresource: str) -> Writer:
    return Writer(name, operation, subresource)


def _static(metadata: Manifest, notes: Told) -> Authorship | None:
    for owner in _controllers(metadata):
        if MIRROR in notes and (owner.get("kind"), owner.get("apiVersion")) == ("Node", "v1"):
            node = owner.get("name")
            return Authorship(
                "kubelet", f"static pod of node {node}", True, f"its manifest file on node {node}"
            )
    return None


def _argo_cd(
    metadata: Manifest, labels: Told, notes: Told, writers: tuple[Writer, ...]
) -> Authorship | None:
    """By its annotation, which names the object too: a copied one is of another object. Its label
    is one that everybody uses, so that only its field manager makes it one of Argo CD's.
    """
    app, _, about = notes.get("argocd.argoproj.io/tracking-id", "").partition(":")
    if not about.endswith(f"/{metadata.get('name')}") or not _NAME.fullmatch(app.replace("_", "")):
        app = ""
    if not app and any(writer.name.startswith("argocd") for writer in writers):
        app = labels.get("argocd.argoproj.io/instance") or labels.get(
            "app.kubernetes.io/instance", ""
        )
    if not app:
        return None
    named = app.replace("_", "/", 1)
    return Authorship(
        "argo-cd",
        f"Argo CD application {named}",
        True,
        f"the source of Argo CD application {named}",
    )


def _flux(labels: Told) -> Authorship | None:
    for group, kind, where in (
        ("kustomize", "Kustomization", "the source of"),
        ("helm", "HelmRelease", "the values of"),
    ):
        name = labels.get(f"{group}.toolkit.fluxcd.io/name")
        if name:
            namespace = labels.get(f"{group}.toolkit.fluxcd.io/namespace", "")
            named = f"Flux {kind} {namespace}/{name}" if namespace else f"Flux {kind} {name}"
            return Authorship("flux", named, True, f"{where} {named}")
    return None


def _helm(labels: Told, notes: Told) -> Authorship | None:
    """Charts write the label; Helm alone writes the annotations, and needs them to go on."""
    release, where = (notes.get(f"meta.helm.sh/release-{key}", "") for key in ("name", "namespace"))
    named_so = _NAME.fullmatch(release) and _NAME.fullmatch(where)
    if not named_so or labels.get("app.kubernetes.io/managed-by") != "Helm":
        return None
    named = f"Helm release {where}/{release}"
    return Authorship("helm", named, True, f"the chart or the values of {named}")


def _olm(labels: Told) -> Authorship | None:
    owner, kind = labels.get("olm.owner"), labels.get("olm.owner.kind", "")
    if not owner or kind not in {"ClusterServiceVersion", "CatalogSource"}:
        return None
    named = f"{kind} {labels.get('olm.owner.namespace', '')}/{owner}"
    return Authorship("olm", f"operator {named}", True, f"the {named}, or its Subscription")


def _owner(metadata: Manifest) -> Authorship | None:
    """A controller of somebody's own group: an operator that would write the object again."""
    for owner in _controllers(metadata):
        group, _, _ = str(owner.get("apiVersion", "")).rpartition("/")
        if group not in API_GROUPS:
            namespace = metadata.get("namespace")
            name = f"{namespace}/{owner.get('name')}" if namespace else owner.get("name")
            named = f"{owner.get('kind')} {name}"
            return Authorship("operator", f"{named} ({group})", True, f"the {named}")
    return None


def _controllers(metadata: Manifest) -> list[Manifest]:
    owners = map(mapping, sequence(metadata.get("ownerReferences")))
    return [owner for owner in owners if owner.get("controller") is True]


def _addon(labels: Told, writers: tuple[Writer, ...]) -> Authorship | None:
    if labels.get("addonmanager.kubernetes.io/mode") == "Reconcile":
        return Authorship(
            "addon-manager", "addon manager", True, "its manifest on the control plane"
        )
    if any(writer.name == "eks" for writer in writers):
        return Authorship("addon-manager", "EKS add-on", True, "the configuration of the add-on")
    return None


def _kubectl(notes: Told, writers: tuple[Writer, ...]) -> Authorship | None:
    applied = any(w.name == "kubectl" and w.operation == "Apply" for w in writers)
    applied = applied or any(w.name == "kubectl-client-side-apply" for w in writers)
    if applied or "kubectl.kubernetes.io/last-applied-configuration" in notes:
        return Authorship("kubectl", "kubectl apply")
    return None


CONFIRMS: Mapping[str, Callable[[str], bool]] = {
    "argo-cd": lambda name: name.startswith("argocd"),
    "flux": lambda name: name in {"kustomize-controller", "helm-controller"},
    "helm": lambda name: "helm" in name.lower(),
}
"""Tool → whether a field manager of that name is one of its own."""


def _doubt(told: Authorship, writers: tuple[Writer, ...]) -> str:
    confirms = CONFIRMS.get(told.tool)
    names = dict.fromkeys(writer.name for writer in writers if not writer.subresource)
    if confirms is None or not names or any(map(confirms, names)):
        return ""
    return f"so say its labels; its field managers ({', '.join(names)}) do not confirm it"
