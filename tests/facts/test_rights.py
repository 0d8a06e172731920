"""What is told of roles, bindings and the workloads behind them, and what has to be seen for it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from auditor.facts import Facts
from auditor.model import Resource, Settings, Snapshot
from tests.conformance.test_access import resource
from tests.facts.needs import unmet

WORLD = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: runner}
rules: [{apiGroups: [""], resources: [pods], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: sum}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {sum: "yes"}}]}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: part, labels: {sum: "yes"}}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: gone}, {kind: Group, name: "system:authenticated"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: runner}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: sum}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: runner, namespace: shop}
rules: [{apiGroups: [""], resources: [pods/exec], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: runner, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: runner}
subjects: [{kind: ServiceAccount, name: web}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: deployer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: deployer, namespace: shop}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: nowhere, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: nowhere}
subjects: [{kind: User, name: ann}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: nowhere}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: nowhere}
subjects: [{kind: User, name: ann}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: quiet, namespace: shop}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec: {serviceAccountName: web, containers: [{name: main, image: app}]}
---
apiVersion: v1
kind: Pod
metadata: {name: deployer, namespace: shop}
spec: {serviceAccountName: deployer, containers: [{name: main, image: app}]}
"""


def objects(text: str) -> tuple[Resource, ...]:
    """The objects, each where a cluster has it."""
    return tuple(map(resource, yaml.safe_load_all(text)))


EXAMPLE = objects(WORLD)


def about(kind: str, name: str, fact: str, world: tuple[Resource, ...] = EXAMPLE) -> Any:
    """What a fact says of one object."""
    facts = Facts(Snapshot(world), Settings())
    one = next(r for r in world if (r.ref.kind, r.ref.name) == (kind, name))
    return facts.about(one, (fact,)).get(fact)


@pytest.mark.parametrize("fact", ["role_powers", "role_use", "grant", "binding_ends"])
def test_each_list_that_is_needed_matters_and_no_other(fact: str) -> None:
    assert unmet(fact, EXAMPLE) == (set(), set())


def test_a_way_to_every_right_needs_rights_accounts_and_pods() -> None:
    """Which kinds of workloads there are is the same to it."""
    _, unsaid = unmet("takeover", EXAMPLE)
    assert unsaid == set()
    for kind in ("ClusterRoleBinding", "RoleBinding", "Role", "Pod"):
        assert kind not in unmet("takeover", EXAMPLE)[0]


def test_a_workload_leads_over_another_one_to_every_right() -> None:
    way = about("Pod", "web", "takeover")
    assert way["way"].split(" → ") == [
        "ServiceAccount shop/web",
        "every pod of shop (runs commands in it)",
        "ServiceAccount shop/deployer (shop/deployer[Pod] holds its token)",
        "every right (cluster-admin) (holds every right)",
    ]
    assert not way["granted"]
    assert not way["assumed"]
    assert about("Pod", "deployer", "takeover")["granted"]


def test_without_the_other_workload_there_is_no_way() -> None:
    alone = tuple(r for r in EXAMPLE if r.ref.key != ("", "Pod", "shop", "deployer"))
    assert about("Pod", "web", "takeover", alone) is None


def test_pods_without_a_token_lead_nowhere() -> None:
    quiet = WORLD.replace("serviceAccountName: deployer", "serviceAccountName: quiet")
    quiet = quiet.replace("name: deployer, namespace: shop}]", "name: quiet, namespace: shop}]")
    assert about("Pod", "deployer", "takeover", objects(quiet)) is None


def test_an_aggregate_gives_what_its_parts_do() -> None:
    told = about("ClusterRole", "sum", "role_powers")
    assert told["aggregated"]
    assert told["powers"]["reads-secrets"]["rights"] == "get secrets"
    assert about("ClusterRole", "part", "role_use")["used"]
    assert not about("ClusterRole", "runner", "role_use")["used"]


def test_the_roles_that_an_api_server_makes_are_nobodys_fault() -> None:
    """Also where they are read from a cluster, with whatever was bound to them there."""
    admin = WORLD.replace("{name: runner}\nrules", "{name: cluster-admin}\nrules", 1)
    world = objects(admin)
    assert about("ClusterRole", "cluster-admin", "role_powers", world) is None
    assert about("ClusterRole", "cluster-admin", "role_use", world) is None
