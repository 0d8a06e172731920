"""Which roles and bindings an API server, or who sets it up, makes for itself, and whether they are
what it made: a name or a label is no proof of that.

Sources: plugin/pkg/auth/authorizer/rbac/bootstrappolicy of Kubernetes (the defaults of 1.36 were
asked of an API server); cmd/kubeadm/app/phases (bootstraptoken, kubelet, kubeconfig, addons). What
is there is never taken away when the API server starts: additions stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from auditor.facts.access.authorizer import Bound, defaults
from auditor.facts.access.holders import ANONYMOUS, key_of
from auditor.facts.access.powers import gives_all, powers_of
from auditor.facts.access.rules import rules_of
from auditor.facts.access.subjects import Subject, account_named, subjects_of
from auditor.manifests import at, mapping, texts
from auditor.model import Key, Resource

LABEL = ("kubernetes.io/bootstrapping", "rbac-defaults")
SYSTEM = "system:"
LOOKING = frozenset(("get", "list", "watch"))
BOOTSTRAPPERS = Subject("Group", "system:bootstrappers:kubeadm:default-node-token")
NODES = Subject("Group", "system:nodes")
KUBEADM: Mapping[str, tuple[str, frozenset[Subject]]] = {
    "kubeadm:bootstrap-signer-clusterinfo": (
        "kubeadm:bootstrap-signer-clusterinfo", frozenset((Subject("User", ANONYMOUS),))),
    "kubeadm:cluster-admins": (
        "cluster-admin", frozenset((Subject("Group", "kubeadm:cluster-admins"),))),
    "kubeadm:get-nodes": ("kubeadm:get-nodes", frozenset((BOOTSTRAPPERS,))),
    "kubeadm:kubelet-bootstrap": ("system:node-bootstrapper", frozenset((BOOTSTRAPPERS,))),
    "kubeadm:kubelet-config": ("kubeadm:kubelet-config", frozenset((BOOTSTRAPPERS, NODES))),
    "kubeadm:node-autoapprove-bootstrap": (
        "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
        frozenset((BOOTSTRAPPERS,))),
    "kubeadm:node-autoapprove-certificate-rotation": (
        "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
        frozenset((NODES,))),
    "kubeadm:node-proxier": (
        "system:node-proxier",
        frozenset((Subject("ServiceAccount", "system:serviceaccount:kube-system:kube-proxy"),))),
    "kubeadm:nodes-kubeadm-config": (
        "kubeadm:nodes-kubeadm-config", frozenset((BOOTSTRAPPERS, NODES))),
}  # fmt: skip
"""Binding → its role, and whom it names. Versions put a suffix behind some names."""


def is_usual(bound: Bound) -> bool:
    """Whether a binding is made so by an API server or by kubeadm, and gives no more than that. Of
    one whose role is not there, so that it gives nothing that is known, its label is believed.
    """
    if bound.role is None and _has_label(bound.binding):
        return True
    named = set(map(key_of, bound.subjects))
    return _is_known(bound.binding) and named <= usual_subjects(bound)


def usual_subjects(bound: Bound) -> frozenset[Subject]:
    """Those to whom a binding gives something by itself; nobody where the binding is not theirs, or
    its role is no longer what it was.
    """
    found = _named_by_default(bound)
    if found and bound.role is not None and not is_usual_role(bound.role.resource):
        return frozenset()
    return found


def _named_by_default(bound: Bound) -> frozenset[Subject]:
    """The same, whatever its role has become: most bindings are somebody's own, and ask no more."""
    binding = bound.binding
    if (own := _own().get(binding.ref.key)) is not None:
        same = _role_of(own) == _role_of(binding)
        return frozenset(map(key_of, subjects_of(own))) if same else frozenset()
    if (known := _kubeadm(binding.ref.name)) is not None:
        return known[1] if _stem(_role_of(binding)) == known[0] else frozenset()
    if _is_labelled(binding) and _role_of(binding).startswith(SYSTEM):
        return frozenset(filter(_is_control_plane, map(key_of, bound.subjects)))
    return frozenset()


@cache
def _own() -> Mapping[Key, Resource]:
    return {each.ref.key: each for each in defaults()}


def _is_known(binding: Resource) -> bool:
    known = binding.ref.key in _own() or _kubeadm(binding.ref.name) is not None
    return known or _is_labelled(binding)


def _kubeadm(name: str) -> tuple[str, frozenset[Subject]] | None:
    return KUBEADM.get(_stem(name))


def _stem(name: str) -> str:
    """Without the version that stands behind some names: ``kubeadm:kubelet-config-1.23``."""
    return name.rpartition("-")[0] if name[-1:].isdigit() else name


def _is_labelled(one: Resource) -> bool:
    """Of another version: only what is named as the API server names its own."""
    return one.ref.name.startswith(SYSTEM) and _has_label(one)


def _has_label(one: Resource) -> bool:
    return texts(at(one.manifest, ("metadata", "labels"))).get(LABEL[0]) == LABEL[1]


def _role_of(binding: Resource) -> str:
    name = mapping(binding.manifest.get("roleRef")).get("name")
    return name if isinstance(name, str) else ""


def _is_control_plane(subject: Subject) -> bool:
    if subject.kind == "Group":
        return subject.name in ("system:nodes", "system:monitoring")
    home, _ = account_named(subject.name) or ("", "")
    return home == "kube-system" or subject.name.startswith("system:kube-")


def is_usual_role(role: Resource) -> bool:
    """Whether a role is made by an API server or by kubeadm, and gives no more than that."""
    own, known = _own().get(role.ref.key), _kubeadm(role.ref.name) is not None
    if own is None and not known and not _is_labelled(role):
        return False
    rules = rules_of(role.manifest.get("rules"))
    if own is not None:
        if "aggregationRule" in own.manifest:  # what is added to it is told of what adds it
            return True
        before = rules_of(own.manifest.get("rules"))
        powers = {name for name, _ in powers_of(before, everywhere=True)}
        gained = {name for name, _ in powers_of(rules, everywhere=True)} - powers
        return not gained and (any(map(gives_all, before)) or not any(map(gives_all, rules)))
    if known:
        return all(rule.verbs <= LOOKING for rule in rules)
    return not any(map(gives_all, rules))
