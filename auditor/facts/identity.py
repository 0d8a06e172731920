"""As whom a workload speaks to the API server: its service account, and what is known of that."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditor.facts.kinds import BINDINGS
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Gap, Manifest, Snapshot, Unseen

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Account = tuple[str, str]
"""Namespace and name of a service account."""

DEFAULT = "default"


class Accounts:
    """The service accounts of a snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @cached_property
    def tokenless(self) -> frozenset[Account]:
        """The accounts whose token is not mounted unless the pod asks for it."""
        return frozenset(
            (resource.ref.namespace, resource.ref.name)
            for resource in self._snapshot.of_kind("ServiceAccount")
            if resource.manifest.get("automountServiceAccountToken") is False
        )

    def holds_token(self, workload: Workload) -> bool:
        """Whether its pods hold the token of their account: mounted as it is by default, or asked
        for as a volume.
        """
        says = workload.pod.get("automountServiceAccountToken")
        account = (workload.ref.namespace, account_of(workload))
        if says is True or (says is not False and account not in self.tokenless):
            return True
        volumes = map(mapping, sequence(workload.pod.get("volumes")))
        return any(
            "serviceAccountToken" in mapping(source)
            for volume in volumes
            for source in sequence(at(volume, ("projected", "sources")))
        )

    @cached_property
    def bound(self) -> frozenset[Account]:
        """The accounts that a binding names as such. What groups of accounts are granted says
        nothing of whether one of them needs it.
        """
        found: set[Account] = set()
        for resource in self._snapshot.of_kind(*BINDINGS):
            found.update(_subjects(resource.manifest, resource.ref.namespace))
        return frozenset(found)

    @property
    def sees_bindings(self) -> bool:
        """Whether bindings are among what was read: not all sources look for them."""
        server = self._snapshot.server
        return server is None or server.kinds.issuperset(BINDINGS)


def _subjects(binding: Manifest, namespace: str) -> Iterator[Account]:
    for subject in map(mapping, sequence(binding.get("subjects"))):
        name = subject.get("name")
        if subject.get("kind") == "ServiceAccount" and isinstance(name, str):
            yield str(subject.get("namespace") or namespace), name


def account_of(workload: Workload) -> str:
    """The name of the account, as the API server takes it: of the deprecated field where the
    other is empty, and ``default`` without either.
    """
    for field in ("serviceAccountName", "serviceAccount"):
        name = workload.pod.get(field)
        if isinstance(name, str) and name:
            return name
    return DEFAULT


def identity(facts: Facts, workload: Workload) -> dict[str, Any]:
    """The fact `identity` for policies: the account's name, whether its token is mounted where the
    pod does not say, and whether a binding grants it anything (None where that cannot be seen).
    """
    name = account_of(workload)
    account = (workload.ref.namespace, name)
    accounts = facts.accounts
    bound = account in accounts.bound
    if not bound and not accounts.sees_bindings and name != DEFAULT:
        why = "RoleBindings and ClusterRoleBindings are not read from a cluster yet"
        facts.unknown(Gap("which service accounts are granted anything", why, Unseen.UNKNOWN))
    return {
        "account": name,
        "mounted": account not in accounts.tokenless,
        "bound": bound if bound or accounts.sees_bindings else None,
    }
