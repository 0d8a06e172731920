"""Which pod does the work and which only stands by: active and passive, primary and standby.

Told by a label that whoever switches over keeps up to date, or by the holder of a Lease.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from auditor.facts.placement import Pod
from auditor.facts.wording import text
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Ref, Resource
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

ACTIVE = frozenset(("active", "leader", "master", "primary", "true", "rw"))
PASSIVE = frozenset(
    ("passive", "follower", "replica", "secondary", "slave", "standby", "false", "read", "ro")
)
ROLE_LABELS = (
    "cnpg.io/instanceRole", "spilo-role", "role", "postgres-operator.crunchydata.com/role",
    "cluster-role.mysql.oracle.com", "mysql.oracle.com/cluster-role", "mysql.percona.com/primary",
    "k8s.mariadb.com/role", "kubedb.com/role", "redis-role", "redisfailovers-role",
    "vault-active", "app.kubernetes.io/component", "patroni.zalan.do/role",
)  # fmt: skip
"""The labels by which CloudNativePG, Spilo and Patroni, Crunchy, the operators of MySQL, Percona,
MariaDB, KubeDB and Redis, Vault, and Bitnami's charts say which pod is which."""
Maker = tuple[str, str]
"""Namespace and uid of what made a pod."""
LEASE_GROUP = "coordination.k8s.io"


@dataclass(frozen=True, slots=True)
class Roles:
    """The pods of a workload, or of two that are one pair, by what they do."""

    active: tuple[Pod, ...]
    passive: tuple[Pod, ...]
    told: str
    """How that is known: ``label cnpg.io/instanceRole``, ``Lease shop/scheduler``."""
    ref: Ref | None = None
    """The Lease, where one tells."""


def is_role(key: str, value: str) -> bool:
    """Whether a label says what a pod does of the two."""
    return key in ROLE_LABELS and value.lower() in ACTIVE | PASSIVE


def role_of(labels: Mapping[str, str]) -> tuple[str, bool] | None:
    """The label that tells the role of a pod, and whether it is the active one."""
    for key in ROLE_LABELS:
        value = labels.get(key, "").lower()
        if value in ACTIVE or value in PASSIVE:
            return key, value in ACTIVE
    return None


def roles_of(facts: Facts, workload: Workload) -> Roles | None:
    """The roles of the pods of `workload`, with those of the other half where each half is a
    workload of its own, and with those that the same custom object made, as operators have them:
    then it is told of the active one. None where nothing tells, or where not both roles are there.
    """
    pods = facts.standing.pods(workload)
    made = _made_with(facts, workload)
    every = {pod.id: pod for pod in (*pods, *made, *_other_half(facts, workload))}
    found = _by_label(every.values())
    found = found or _by_lease(facts, (*pods, *made))
    if not found or not found.active or not found.passive:
        return None
    return None if made and found.active[0] not in pods else found


def _by_label(pods: Iterable[Pod]) -> Roles | None:
    sides: dict[bool, list[Pod]] = {True: [], False: []}
    key = ""
    for pod in pods:
        told = role_of(pod.labels)
        if told is not None:
            key = told[0]
            sides[told[1]].append(pod)
    return Roles(tuple(sides[True]), tuple(sides[False]), f"label {key}") if key else None


def _made_with(facts: Facts, workload: Workload) -> tuple[Pod, ...]:
    """The other pods of the custom object that made this one."""
    maker = _maker(workload) if workload.ref.kind == "Pod" else None
    found = facts.made_by.get(maker, ()) if maker else ()
    others = (other for other in found if other.ref != workload.ref)
    return tuple(pod for other in others for pod in facts.standing.pods(other))


def pods_by_maker(workloads: Iterable[Workload]) -> Mapping[Maker, Sequence[Workload]]:
    """The pods that are workloads of their own, by the namespace and the uid of what made them."""
    found: dict[Maker, list[Workload]] = {}
    for workload in workloads:
        maker = _maker(workload) if workload.ref.kind == "Pod" else None
        if maker:
            found.setdefault(maker, []).append(workload)
    return found


def _maker(workload: Workload) -> Maker | None:
    owners = sequence(at(workload.resource.manifest, ("metadata", "ownerReferences")))
    uids = (each.get("uid") for each in map(mapping, owners) if each.get("controller") is True)
    uid = next((uid for uid in uids if isinstance(uid, str) and uid), None)
    return (workload.ref.namespace, uid) if uid else None


def _other_half(facts: Facts, workload: Workload) -> Iterable[Pod]:
    """The pods of the passive workloads that differ in their role from this one, by name and
    instance of the application; none where this one is not active by its template.
    """
    mine = role_of(workload.labels)
    if mine is None or not mine[1]:
        return
    for other, _ in facts.labelled.get(workload.ref.namespace, ()):
        theirs = role_of(other.labels)
        if theirs == (mine[0], False) and _same_application(workload, other):
            yield from facts.standing.pods(other)


def _same_application(one: Workload, other: Workload) -> bool:
    keys = ("app.kubernetes.io/instance", "app.kubernetes.io/name", "app")
    told = [(one.labels.get(key), other.labels.get(key)) for key in keys]
    return any(mine for mine, _ in told) and all(mine == theirs for mine, theirs in told)


def _by_lease(facts: Facts, pods: Sequence[Pod]) -> Roles | None:
    """A holder is the name of a pod, with or without an id after ``_`` (client-go's election)."""
    if len(pods) < 2:
        return None
    for pod in pods:
        lease = facts.leases.get((pod.namespace, pod.name))
        if lease:
            rest = tuple(other for other in pods if other is not pod)
            told = f"Lease {lease.ref.namespace}/{lease.ref.name}"
            return Roles((pod,), rest, told, lease.ref)
    return None


def leases_by_holder(leases: Iterable[Resource]) -> Mapping[tuple[str, str], Resource]:
    """The Leases by namespace and name of the pod that holds them."""
    found: dict[tuple[str, str], Resource] = {}
    for lease in leases:
        holder = text(at(lease.manifest, ("spec", "holderIdentity"))).partition("_")[0]
        if holder and lease.ref.group == LEASE_GROUP:
            found.setdefault((lease.ref.namespace, holder), lease)
    return found
