"""As whom a workload speaks to the API server."""

from __future__ import annotations

import pytest

from auditor.facts import Facts
from auditor.facts.identity import account_of
from auditor.facts.workloads import WORKLOAD_KINDS
from auditor.model import Server, Settings, Snapshot
from tests.bench import objects

WORLD = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: quiet, namespace: shop}
automountServiceAccountToken: false
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: a, namespace: shop}
subjects:
  - {kind: ServiceAccount, name: here}
  - {kind: ServiceAccount, name: there, namespace: store}
  - {kind: Group, name: "system:serviceaccounts:shop"}
  - null
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: b}
subjects: {kind: ServiceAccount, name: odd, namespace: shop}
"""


def pod(spec: str) -> str:
    """A pod of this specification, among the accounts above."""
    return f"""
---
apiVersion: v1
kind: Pod
metadata: {{name: app, namespace: shop}}
spec: {spec}
"""


def facts(spec: str, server: Server | None = None) -> Facts:
    """What is known of that pod."""
    return Facts(Snapshot(objects(WORLD + pod(spec)), server=server), Settings())


def identity(known: Facts) -> dict[str, object]:
    """What policies are told of it."""
    (one,) = known.workloads
    told: dict[str, object] = known.about(one.resource, ("identity",))["identity"]
    return told


@pytest.mark.parametrize(
    ("spec", "account"),
    [
        ("{}", "default"),
        ("{serviceAccountName: shop}", "shop"),
        ("{serviceAccount: shop}", "shop"),
        ("{serviceAccountName: shop, serviceAccount: store}", "shop"),
        ("{serviceAccountName: '', serviceAccount: store}", "store"),
        ("{serviceAccountName: 3}", "default"),
    ],
)
def test_the_account_is_the_one_that_the_api_server_takes(spec: str, account: str) -> None:
    """The deprecated field counts where the other is empty."""
    (one,) = facts(spec).workloads
    assert account_of(one) == account


@pytest.mark.parametrize(
    ("account", "mounted", "bound"),
    [
        ("quiet", False, False),
        ("here", True, True),
        ("there", True, False),
        ("odd", True, False),
        ("nobody", True, False),
    ],
)
def test_account_and_bindings_say_what_it_is_for(account: str, mounted: bool, bound: bool) -> None:
    """A binding counts in the namespace of its subject, and one of a group for nobody alone."""
    told = identity(facts(f"{{serviceAccountName: {account}}}"))
    assert told == {"account": account, "mounted": mounted, "bound": bound}


def test_bindings_that_nobody_reads_are_a_gap() -> None:
    """Of a cluster whose bindings were not asked for, it is not known who is granted what."""
    server = Server(136, frozenset((*WORKLOAD_KINDS, "ServiceAccount")))
    known = facts("{serviceAccountName: nobody}", server)
    assert identity(known)["bound"] is None
    assert [gap.what for gap in known.gaps.values()] == [
        "which service accounts are granted anything"
    ]
