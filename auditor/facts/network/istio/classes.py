"""Callers that no policy tells apart are one: cost follows what is asked, not who there is."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from auditor.facts.network.istio.callers import Caller
from auditor.facts.network.istio.conditions import (
    SOMEBODY,
    SPIFFE,
    Domains,
    Seen,
    Test,
    base_field,
    identity_test,
    migrated,
)
from auditor.facts.network.istio.matching import IPNetwork, network, within
from auditor.facts.network.istio.policies import AuthorizationPolicy, Clause

_OF_IDENTITY = ("principals", "namespaces", "serviceAccounts", "trustDomains")
_OF_ADDRESS = ("ipBlocks", "remoteIpBlocks")


class Classes:
    """The classes of callers of one mesh.

    Two callers are one where every source of every policy means both or neither, and where both use
    mTLS alike. What names one identity or one namespace is looked up; only patterns are tried.
    """

    def __init__(self, policies: Iterable[AuthorizationPolicy], domains: Domains) -> None:
        self._named: set[str] = set()
        """Principals, accounts and namespaces that some policy names, each in its own form."""
        self._patterns: dict[tuple[str, str], Test] = {}
        self._blocks: dict[IPNetwork, None] = {}
        self._first: dict[Hashable, Caller] = {}
        for policy in policies:
            for clause in (clause for rule in policy.rules for clause in rule.clauses):
                self._ask(clause, policy.ref.namespace, domains)

    def of(self, caller: Caller) -> Caller:
        """The first caller of its class that was asked about."""
        key = (caller.sidecar, caller.why, self._identity(caller), self._within(caller))
        return self._first.setdefault(key, caller)

    def _ask(self, clause: Clause, home: str, domains: Domains) -> None:
        base = base_field(clause)
        for value in (*clause.values, *clause.unwanted):
            if base in _OF_ADDRESS and (block := network(value)):
                self._blocks[block] = None
            elif base in _OF_IDENTITY:
                for name in _names(base, value, home, domains):
                    self._named.add(name)
                if _is_pattern(base, value):
                    self._patterns[base, value] = identity_test(base, value, home, domains)

    def _identity(self, caller: Caller) -> Hashable:
        identity = caller.identity
        if not identity or identity.endswith(SOMEBODY):
            return identity
        domain, _, rest = identity.removeprefix(SPIFFE).partition("/")
        place = f"/{rest.rpartition('/sa/')[0]}/"
        known = tuple(name for name in (identity, f"/{rest}", place) if name in self._named)
        seen = Seen(0, identity, None, None, None)
        return (domain, known, tuple(test(seen) for test in self._patterns.values()))

    def _within(self, caller: Caller) -> Hashable:
        if caller.addresses is None or not self._blocks:
            return caller.addresses is None
        return tuple(within(block, caller.addresses) for block in self._blocks)


def _names(base: str, value: str, home: str, domains: Domains) -> Iterator[str]:
    """What names one identity (the whole), one account (from its namespace on) or one namespace
    (``/ns/name/``); no trust domain, as each is a class of its own.
    """
    if base == "principals":
        yield from (SPIFFE + principal for principal in migrated(value, domains))
    elif base == "serviceAccounts":
        namespace, slash, account = value.partition("/")
        yield f"/ns/{namespace}/sa/{account}" if slash else f"/ns/{home}/sa/{value}"
    elif base == "namespaces":
        yield f"/ns/{value}/"


def _is_pattern(base: str, value: str) -> bool:
    """Whether more than one identity, or one namespace, may be meant."""
    if base == "namespaces":
        return "*" in value or "/" in value
    return base == "principals" and (value.startswith("*") or value.endswith("*"))
