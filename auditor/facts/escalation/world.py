"""What escalation meets in a cluster beside rights: Pod Security, the accounts that pods run as,
and the Secrets that hold their tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from auditor.facts.access.holders import Holders
from auditor.facts.access.roles import Role, RoleKey
from auditor.facts.identity import account_of
from auditor.facts.wording import text
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Resource

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

ENFORCE = "pod-security.kubernetes.io/enforce"
STOPPING = ("baseline", "restricted")
"""The levels that forbid host paths, host namespaces and privileged containers."""
ACCOUNT_OF = "kubernetes.io/service-account.name"
TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 - a type of Secret
CREATE_ASKED = 135
"""The version from which a connection that runs commands needs `create`, however it is made."""
Account = tuple[str, str]


class World:
    """What the techniques ask about."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self.holders = Holders(facts.rights)

    @cached_property
    def guarded(self) -> frozenset[str]:
        """The namespaces in which Pod Security keeps pods off the node."""
        return frozenset(
            space.ref.name for space in self._namespaces if _level(space) in STOPPING
        )  # fmt: skip

    @cached_property
    def open(self) -> frozenset[str]:
        """Those that were read and in which it does not."""
        return frozenset(space.ref.name for space in self._namespaces) - self.guarded

    @property
    def _namespaces(self) -> Iterator[Resource]:
        return self._facts.snapshot.of_kind("Namespace")

    @property
    def upgrades_by_get(self) -> bool:
        """Whether the server is known to ask for no more than `get` before it runs commands."""
        server = self._facts.snapshot.server
        return server is not None and server.version < CREATE_ASKED

    @cached_property
    def _roles(self) -> Mapping[str, Mapping[RoleKey, Role]]:
        found: dict[str, dict[RoleKey, Role]] = {}
        for key, role in self.holders.authorizer.roles.items():
            found.setdefault(key[0], {})[key] = role
        return found

    def roles(self, kind: str) -> Mapping[RoleKey, Role]:
        """All of a kind."""
        return self._roles.get(kind, {})

    @cached_property
    def running(self) -> Mapping[str, Sequence[tuple[Workload, Account]]]:
        """The workloads whose pods hold a token, with its account, by namespace."""
        found: dict[str, list[tuple[Workload, Account]]] = {}
        for workload in self._facts.workloads:
            if account := self.account_of(workload):
                found.setdefault(workload.ref.namespace, []).append((workload, account))
        return found

    def account_of(self, workload: Workload) -> Account | None:
        """The account whose token its pods hold; None where they hold none."""
        account = workload.ref.namespace, account_of(workload)
        return account if self._facts.accounts.holds_token(workload) else None

    @cached_property
    def tokens(self) -> Mapping[Account, str]:
        """The account whose token is kept in a Secret, by the namespace and name of that."""
        found: dict[Account, str] = {}
        for account in self._facts.snapshot.of_kind("ServiceAccount"):
            for entry in map(mapping, sequence(account.manifest.get("secrets"))):
                if name := text(entry.get("name")):
                    found[account.ref.namespace, name] = account.ref.name
        for secret in self._facts.snapshot.of_kind("Secret"):
            of = texts(at(secret.manifest, ("metadata", "annotations"))).get(ACCOUNT_OF)
            if secret.manifest.get("type") == TOKEN and of:
                found[secret.ref.namespace, secret.ref.name] = of
        return found


def _level(space: Resource) -> str | None:
    return texts(at(space.manifest, ("metadata", "labels"))).get(ENFORCE)
