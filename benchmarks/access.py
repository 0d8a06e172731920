"""What ways to every right cost: CPU seconds for a cluster of pods, accounts, roles and bindings.

``python benchmarks/access.py [PODS…]`` makes clusters of so many pods (1,000 and 10,000 without an
argument), an account for every 20 of them, a role and a binding for each account: most read
ConfigMaps, every 10th starts pods in its namespace, every 50th in all of them, every 100th may bind
roles. Measured is to find the shortest way of everybody, and what policies ask about each object.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from time import process_time
from typing import Any

from auditor.facts import Facts
from auditor.model import Origin, Ref, Resource, Settings, Snapshot, Span
from auditor.model import Path as Place

PER_ACCOUNT = 20
PER_SPACE = 5
RBAC = "rbac.authorization.k8s.io"
ASKED = ("role_powers", "role_use", "grant", "binding_ends", "takeover")


class _NoLines:
    """These objects are not shown to anyone."""

    def span(self, path: Place) -> Span:  # noqa: ARG002
        return Span(1, 1, 1, 1)


def _object(version: str, kind: str, space: str, name: str, **more: Any) -> Resource:
    metadata = {"name": name, **({"namespace": space} if space else {})}
    manifest = {"apiVersion": version, "kind": kind, "metadata": metadata, **more}
    return Resource(Ref(version, kind, space, name), manifest, Origin("x", _NoLines()))


def objects(pods: int) -> Iterator[Resource]:
    """The cluster."""
    for number in range(pods):
        account = number // PER_ACCOUNT
        spec = {"serviceAccountName": f"app{account}", "containers": [{"name": "c", "image": "x"}]}
        yield _object("v1", "Pod", _home(account), f"pod{number}", spec=spec)
    for account in range(pods // PER_ACCOUNT):
        yield from _rights(account)


def _home(account: int) -> str:
    return f"ns{account // PER_SPACE}"


def _rights(account: int) -> Iterator[Resource]:
    home, name = _home(account), f"app{account}"
    yield _object("v1", "ServiceAccount", home, name)
    everywhere = account % 50 == 7
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]
    if account % 10 == 3 or everywhere:
        rules.append({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create"]})
    if account % 100 == 1:
        rules.append({"apiGroups": [RBAC], "resources": ["*"], "verbs": ["create", "bind"]})
    kind, space = ("ClusterRole", "") if everywhere else ("Role", home)
    yield _object(f"{RBAC}/v1", kind, space, name, rules=rules)
    role = {"apiGroup": RBAC, "kind": kind, "name": name}
    who = [{"kind": "ServiceAccount", "name": name, "namespace": home}]
    yield _object(f"{RBAC}/v1", f"{kind}Binding", space, name, roleRef=role, subjects=who)


def measure(pods: int) -> None:
    """Say what it costs."""
    snapshot = Snapshot(tuple(objects(pods)))
    start = process_time()
    ways = Facts(snapshot, Settings()).escalation
    every = (*ways.subjects, *ways.workloads)
    found = sum(ways.chain(one) is not None for one in every)
    told = process_time()
    facts = Facts(snapshot, Settings())
    for one in snapshot.resources:
        facts.about(one, ASKED)
    asked = process_time()
    print(
        f"{pods} pods, {pods // PER_ACCOUNT} accounts: ways of {found} in {told - start:.2f} s, "
        f"facts of {len(snapshot.resources)} objects in {asked - told:.2f} s"
    )


if __name__ == "__main__":
    for count in [int(one) for one in sys.argv[1:]] or [1000, 10000]:
        measure(count)
