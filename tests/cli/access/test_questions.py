"""`auditor access who-can`, `what-can` and `paths`, as a user sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import PRIVILEGED, Command

RIGHTS = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: runner}
rules:
  - {apiGroups: [""], resources: [pods], verbs: [create]}
  - {apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [ci]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: ci, namespace: build}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: runner}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: developers}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: deployer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: deployer, namespace: build}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: pipeline, namespace: build}
spec:
  selector: {matchLabels: {app: pipeline}}
  template:
    metadata: {labels: {app: pipeline}}
    spec:
      serviceAccountName: deployer
      containers: [{name: app, image: "registry.example/pipeline:1.0.0"}]
"""


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    """Developers may start pods beside an account that may do everything."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "rights.yaml").write_text(RIGHTS)
    return folder


def test_who_can_names_the_binding_and_its_line(auditor: Command, manifests: Path) -> None:
    said = auditor("access", "who-can", "create", "pods", manifests)
    assert said.code == 0
    assert "Group developers  in build  RoleBinding build/ci of ClusterRole/runner" in said.out
    assert "rights.yaml:11" in said.out
    assert "ServiceAccount build/deployer  in every namespace" in said.out
    assert "more by what an API server makes for itself" in said.out


def test_who_can_says_of_which_names_it_is_true(auditor: Command, manifests: Path) -> None:
    any_of_them = auditor("access", "who-can", "get", "secrets", manifests)
    this_one = auditor("access", "who-can", "get", "secrets", manifests, "--name", "ci")
    another = auditor("access", "who-can", "get", "secrets", manifests, "--name", "root")
    assert "Group developers  in build, to ci alone" in any_of_them.out
    assert "Group developers  in build  RoleBinding" in this_one.out
    assert "developers" not in another.out


def test_who_creates_an_object_names_none(auditor: Command, manifests: Path) -> None:
    """A right to create objects of some names is none (RequestInfoFactory has no name there)."""
    file = manifests / "rights.yaml"
    file.write_text(file.read_text("utf-8").replace("verbs: [get]", "verbs: [get, create]"))
    assert "developers" in auditor("access", "who-can", "get", "secrets", manifests).out
    assert "developers" not in auditor("access", "who-can", "create", "secrets", manifests).out


def test_who_can_in_another_namespace(auditor: Command, manifests: Path) -> None:
    said = auditor("access", "who-can", "create", "pods", manifests, "-n", "lab")
    assert "developers" not in said.out
    assert "ServiceAccount build/deployer" in said.out
    assert "namespace 'lab': no object that was read is in such a namespace" in said.err


def test_who_can_for_programs(auditor: Command, manifests: Path) -> None:
    said = auditor("access", "who-can", "patch", "deployments/scale", manifests, "--format", "json")
    [state] = said.report["states"]
    mine = [one for one in state["allowed"] if not one["default"]]
    assert [one["subject"] for one in mine] == [
        "ServiceAccount/system:serviceaccount:build:deployer"
    ]
    assert mine[0]["namespace"] is None
    assert mine[0]["binding"]["line"] == 17
    assert any(one["default"] for one in state["allowed"])


def test_nobody_can_but_the_masters(auditor: Command, manifests: Path) -> None:
    said = auditor("access", "who-can", "tickle", "pods", manifests, "-n", "lab")
    assert "ServiceAccount build/deployer" in said.out
    (manifests / "rights.yaml").write_text(RIGHTS.partition("---")[0])
    said = auditor("access", "who-can", "proxy", "/nowhere", manifests)
    by = "by what an API server makes for itself (--all names them)"
    assert said.out == f"nobody but 1 subject, and that {by}\n"
    named = auditor("access", "who-can", "proxy", "/nowhere", manifests, "--all")
    assert named.out.startswith("Group system:masters  in every namespace  ClusterRoleBinding")


def test_nobody_can_where_that_of_the_server_is_written_anew(
    auditor: Command, tmp_path: Path
) -> None:
    """The group may all the same: nobody asks what it is bound to."""
    reference = "{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}"
    (tmp_path / "rights.yaml").write_text(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\n"
        f"metadata: {{name: cluster-admin}}\nroleRef: {reference}\nsubjects: []\n"
    )
    said = auditor("access", "who-can", "tickle", "pods", tmp_path)
    assert said.out == "nobody but the group system:masters, which may do everything\n"


IN_SHOP = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: ann, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: ann}]
"""
CUSTOM = """\
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.shop.example}
spec: {group: shop.example, scope: Cluster, names: {plural: widgets, kind: Widget}}
"""


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("get", "nodes"),
        ("get", "nodes/proxy"),
        ("create", "clusterrolebindings"),
        ("impersonate", "users"),
        ("approve", "signers"),
        ("list", "namespaces"),
        ("get", "widgets.shop.example"),
        ("get", "widgets"),
        ("get", "/metrics"),
    ],
)
def test_a_role_binding_gives_nothing_that_is_in_no_namespace(
    verb: str, resource: str, auditor: Command, tmp_path: Path
) -> None:
    (tmp_path / "rights.yaml").write_text(IN_SHOP + CUSTOM)
    said = auditor("access", "who-can", verb, resource, tmp_path)
    assert "ann" not in said.out
    assert said.err == ""


@pytest.mark.parametrize("resource", ["pods", "serviceaccounts/token", "gadgets.shop.example"])
def test_a_role_binding_gives_what_is_in_its_namespace_or_not_known(
    resource: str, auditor: Command, tmp_path: Path
) -> None:
    (tmp_path / "rights.yaml").write_text(IN_SHOP + CUSTOM)
    said = auditor("access", "who-can", "create", resource, tmp_path)
    assert "User ann  in shop  RoleBinding shop/ann of ClusterRole/cluster-admin" in said.out


def test_a_namespace_is_asked_for_inside_of_it(auditor: Command, tmp_path: Path) -> None:
    """So that whoever is bound in it may delete it, and no other."""
    (tmp_path / "rights.yaml").write_text(IN_SHOP)
    any_of_them = auditor("access", "who-can", "delete", "namespaces", tmp_path)
    this_one = auditor("access", "who-can", "delete", "namespaces", tmp_path, "--name", "shop")
    another = auditor("access", "who-can", "delete", "namespaces", tmp_path, "--name", "lab")
    assert "User ann  in shop, to shop alone  RoleBinding" in any_of_them.out
    assert "User ann  in shop  RoleBinding" in this_one.out
    assert "ann" not in another.out


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("podz", "pods"),
        ("Pod", "pods"),
        ("deployment.apps", "deployments"),
        ("pods/exce", "pods/exec"),
        ("widgetz", "widgets"),
    ],
)
def test_a_resource_that_is_mistyped_is_told(
    typed: str, meant: str, auditor: Command, tmp_path: Path
) -> None:
    (tmp_path / "rights.yaml").write_text(IN_SHOP + CUSTOM)
    said = auditor("access", "who-can", "get", typed, tmp_path)
    why = f"no role and no known kind is for '{typed}'; did you mean '{meant}'?\n"
    assert said.err == why


def test_a_resource_that_only_a_role_names_is_known(auditor: Command, manifests: Path) -> None:
    role = RIGHTS.replace("resources: [pods]", "resources: [gadgets, pods/dance]")
    (manifests / "rights.yaml").write_text(role)
    for typed in ("gadgets", "pods/dance", "pods/ephemeralcontainers", "deployments.apps/scale"):
        assert auditor("access", "who-can", "create", typed, manifests).err == ""
    unknown = auditor("access", "who-can", "get", "xyzzy.example.com", manifests)
    assert unknown.err == "no role and no known kind is for 'xyzzy.example.com'\n"


def test_what_can_lists_the_rules_and_what_they_lead_to(auditor: Command, manifests: Path) -> None:
    said = auditor("access", "what-can", "User ann", manifests, "--group", "developers")
    assert said.code == 0
    assert "in build, by RoleBinding build/ci of ClusterRole/runner" in said.out
    assert "create  pods" in said.out
    assert "get  secrets, named ci" in said.out
    assert "every service account of build: starts pods that run as it (start-pods)" in said.out
    alone = auditor("access", "what-can", "User ann", manifests)
    assert "runner" not in alone.out


def test_what_can_of_somebody_who_may_everything(auditor: Command, manifests: Path) -> None:
    said = auditor("access", "what-can", "build/deployer", manifests, "--format", "json")
    [state] = said.report["states"]
    assert state["everything"]
    assert state["steps"] == []
    assert "system:serviceaccounts:build" in state["groups"]


def test_paths_show_the_chain_to_everything(auditor: Command, manifests: Path) -> None:
    said = auditor("access", "paths", manifests)
    assert said.code == 1
    assert "Group developers comes to every right (cluster-admin)" in said.out
    assert "1. every service account of build: starts pods that run as it" in said.out
    assert "create pods  RoleBinding build/ci of ClusterRole/runner" in said.out
    assert "2. ServiceAccount build/deployer: is one of them" in said.out
    assert "3. every right (cluster-admin): holds every right" in said.out
    assert "build/pipeline[Deployment] comes to every right" in said.out
    assert said.out.endswith("3 of 3 (2 subjects of bindings, 1 workload with a token) come to"
                             " every right (cluster-admin), or hold it\n")  # fmt: skip


def test_a_way_to_every_right_counts_more_than_what_could_not_be_read(
    auditor: Command, manifests: Path
) -> None:
    (manifests / "broken.yaml").write_text("apiVersion: v1\nkind: Pod\na: [")
    assert auditor("access", "paths", manifests).code == 1
    (manifests / "rights.yaml").write_text(PRIVILEGED)
    assert auditor("access", "paths", manifests).code == 4


def test_a_user_that_is_called_nearly_as_an_account_is_a_user(
    auditor: Command, manifests: Path
) -> None:
    """The API server takes only a namespace and a name for one."""
    name = "system:serviceaccount:build"
    account = "kind: ServiceAccount, name: deployer, namespace: build"
    user = f'kind: User, name: "{name}"'
    (manifests / "rights.yaml").write_text(RIGHTS.replace(account, user))
    said = auditor("access", "paths", manifests, "--from", f"User {name}")
    assert f"User {name} comes to every right (cluster-admin)" in said.out


def test_one_place_is_one(auditor: Command, tmp_path: Path) -> None:
    """Whoever reads one Secret comes to that, and no further."""
    (tmp_path / "rights.yaml").write_text(RIGHTS.partition("---")[0].replace("[create]", "[list]"))
    (tmp_path / "bound.yaml").write_text(RIGHTS.split("---")[1])
    said = auditor("access", "paths", tmp_path, "--from", "Group developers")
    assert said.out.endswith("\n1 place\n")


def test_paths_from_one_start_for_programs(auditor: Command, manifests: Path) -> None:
    said = auditor(
        "access", "paths", manifests, "--from", "Group developers", "--format", "json"
    )  # fmt: skip
    [state] = said.report["states"]
    ways = {path["to"]: path for path in state["paths"]}
    assert {"every service account of build", "Secret build/ci"} <= set(ways)
    [start, is_one, granted] = ways["every right (cluster-admin)"]["steps"]
    assert start["rights"][0]["binding"]["line"] == 11
    assert is_one["to"] == {"kind": "account", "namespace": "build", "name": "deployer"}
    assert granted["by"] == "granted"


def test_without_rights_nobody_comes_to_anything(auditor: Command, tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text(PRIVILEGED)
    said = auditor("access", "paths", tmp_path)
    assert said.code == 0
    assert (
        said.out
        == "none of 1 (no subjects of bindings, 1 workload with a token) comes to every right.\n"
    )
    assert "there is no role or binding among the files" in said.err


def test_a_service_account_needs_its_namespace(auditor: Command, manifests: Path) -> None:
    said = auditor("access", "what-can", "ServiceAccount deployer", manifests)
    assert said.code == 2
    assert "named by NAMESPACE/NAME" in said.err


def test_a_verb_that_is_mistyped_is_told(auditor: Command, manifests: Path) -> None:
    """One that some role has of its own is known."""
    said = auditor("access", "who-can", "gett", "pods", manifests)
    why = "no role has the verb 'gett', nor does an API server know it; did you mean 'get'?\n"
    assert said.err == why
    (manifests / "rights.yaml").write_text(RIGHTS.replace("create", "gett"))
    assert auditor("access", "who-can", "gett", "pods", manifests).err == ""


def test_a_path_before_the_verb_is_told(auditor: Command, manifests: Path) -> None:
    """As other commands take it."""
    said = auditor("access", "who-can", manifests, "get", "pods")
    assert said.code == 2
    assert f"'{manifests}' is a path: first comes the verb, then the resource" in said.err


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("build/deployr", "ServiceAccount build/deployr|ServiceAccount build/deployer"),
        ("Group developer", "Group developer|Group developers"),
        ("far/away", "ServiceAccount far/away|"),
        ("User somebody-else", ""),
        ("far/default", ""),
        ("build/deployer", ""),
    ],
)  # fmt: skip
def test_somebody_who_is_not_there_is_told(
    typed: str, told: str, auditor: Command, manifests: Path
) -> None:
    """A user is nowhere but in bindings, and the account 'default' is made with its namespace."""
    name, _, meant = told.partition("|")
    why = f"no binding names {name}, and no such object is there" if told else ""
    why += f"; did you mean '{meant}'?" if meant else ""
    assert auditor("access", "what-can", typed, manifests).err.rstrip() == why


def test_the_names_of_all_rules_are_told(auditor: Command, tmp_path: Path) -> None:
    """Each of which may be for another object."""
    rights = RIGHTS.replace("resourceNames: [ci]}", "resourceNames: [ci, b]}").replace(
        "---",
        '  - {apiGroups: [""], resources: [secrets], verbs: [get], resourceNames: [a]}\n---',
        1,
    )
    (tmp_path / "rights.yaml").write_text(rights)
    said = auditor("access", "who-can", "get", "secrets", tmp_path)
    assert "Group developers  in build, to a, b, ci alone" in said.out
    told = auditor("access", "who-can", "get", "secrets", tmp_path, "--format", "json")
    [state] = told.report["states"]
    assert [one["names"] for one in state["allowed"] if "names" in one] == [["a", "b", "ci"]]


def test_programs_are_told_of_a_slip_as_well(auditor: Command, manifests: Path) -> None:
    said = auditor("access", "who-can", "delet", "pods", manifests, "--format", "json")
    [state] = said.report["states"]
    assert all(one["default"] or "admin" in str(one["binding"]) for one in state["allowed"])
    [doubt] = state["doubts"]
    assert "did you mean 'delete'?" in doubt
    known = auditor("access", "who-can", "create", "pods", manifests, "--format", "json")
    assert known.report["states"][0]["doubts"] == []


def test_paths_from_somebody_who_is_not_there(auditor: Command, manifests: Path) -> None:
    """Is no answer that this one comes to nothing."""
    said = auditor("access", "paths", manifests, "--from", "build/pipelin")
    assert "no binding names ServiceAccount build/pipelin" in said.err
    assert auditor("access", "paths", manifests, "--from", "build/pipeline").err == ""
