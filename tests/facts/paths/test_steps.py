"""What leads to the data of one small shop, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from .world import (
    Written,
    closed,
    granted,
    graph_of_objects,
    namespace,
    pod,
    rule,
    store,
    told,
    ways,
)

SHOP = (namespace("shop"), store(), pod("web"), closed("db", "web"))


def found_in(*written: Written) -> dict[str, list[tuple[str, str]]]:
    return ways(told(graph_of_objects(*written), "shop/db"))


def test_a_shop_that_admits_its_client_alone_has_no_path() -> None:
    assert not found_in(*SHOP)


RIGHTS = [
    rule("get", "pods/exec"),
    rule("create", "pods/exec"),
    rule("create", "pods/exec", "db"),
    rule("create", "pods/attach"),
    rule("create", "pods/portforward"),
    rule("get", "pods/proxy"),
    rule("*", "*/exec"),
    rule("patch", "pods/ephemeralcontainers"),
    rule("patch", "pods"),
    rule("create", "pods"),
    rule("create", "deployments", group="apps"),
    rule("create", "cronjobs", group="batch"),
    rule("create", "networkpolicies", group="networking.k8s.io"),
    rule("delete", "networkpolicies", "db", group="networking.k8s.io"),
]


@pytest.mark.parametrize("right", RIGHTS, ids=str)
def test_a_right_that_leads_to_the_data(right: dict[str, Any]) -> None:
    assert found_in(*SHOP, *granted("eve", right)) == {"User eve": [("api", "shop/db")]}


HARMLESS = [
    rule("get", "pods"),
    rule("get", "pods/log"),
    rule("list", "pods/exec"),
    rule("*", "pods/*"),
    rule("create", "pods/exec", "other"),
    rule("create", "pods/exec", group="apps"),
    rule("get", "secrets"),
    rule("get", "networkpolicies", group="networking.k8s.io"),
    rule("create", "configmaps"),
    rule("get", "nodes/proxy"),
    rule("patch", "namespaces"),
]


@pytest.mark.parametrize("right", HARMLESS, ids=str)
def test_a_right_that_does_not(right: dict[str, Any]) -> None:
    """`nodes/proxy` and `namespaces` are of the cluster: a role of a namespace does not give them.
    `pods/*` means nothing in a role. The store is given no Secret.
    """
    assert not found_in(*SHOP, *granted("eve", right))


CLUSTER_WIDE = [
    rule("get", "nodes/proxy"),
    rule("patch", "namespaces"),
    rule("create", "pods/exec"),
    rule("*", "*", group="*"),
]


@pytest.mark.parametrize("right", CLUSTER_WIDE, ids=str)
def test_a_right_in_the_whole_cluster(right: dict[str, Any]) -> None:
    found = found_in(*SHOP, *granted("eve", right, namespace=""))

    assert found == {"User eve": [("api", "shop/db")]}


def test_a_right_in_another_namespace_leads_nowhere() -> None:
    everything = granted("eve", rule("create", "pods/exec"), namespace="other")

    assert not found_in(*SHOP, namespace("other"), *everything)


def test_pods_in_a_namespace_that_allows_privileged_ones_lead_to_every_node() -> None:
    starting = granted("eve", rule("create", "pods"), namespace="lab")

    assert not found_in(*SHOP, namespace("lab", "baseline"), *starting)
    assert found_in(*SHOP, namespace("lab", "privileged"), *starting)["User eve"]


def test_reading_the_secret_of_the_store() -> None:
    container = {"envFrom": [{"secretRef": {"name": "password"}}]}
    shop = (namespace("shop"), store(container=container), pod("web"), closed("db", "web"))

    assert found_in(*shop, *granted("eve", rule("get", "secrets", "password")))
    assert not found_in(*shop, *granted("eve", rule("get", "secrets", "other")))


def test_commands_in_a_client_lead_through_it() -> None:
    graph = graph_of_objects(*SHOP, *granted("eve", rule("create", "pods/exec", "web")))
    (path,) = told(graph, "shop/db").paths

    assert path.start.name == "User eve"
    assert path.through
    assert path.through.name == "shop/web"


def test_a_token_is_what_makes_a_workload_its_account() -> None:
    role = granted("eve", rule("create", "pods/exec", "db"))
    role[1]["subjects"] = [{"kind": "ServiceAccount", "name": "robot", "namespace": "shop"}]
    robot = pod("robot", serviceAccountName="robot")

    assert "shop/robot" not in found_in(*SHOP, *role, robot)
    robot["spec"]["automountServiceAccountToken"] = True
    assert found_in(*SHOP, *role, robot)["shop/robot"] == [
        ("identity", "ServiceAccount shop/robot"),
        ("api", "shop/db"),
    ]


def test_a_group_of_all_accounts_means_each_of_them() -> None:
    role = granted("eve", rule("create", "pods/exec", "db"))
    role[1]["subjects"] = [{"kind": "Group", "name": "system:serviceaccounts:shop"}]
    robot = pod("robot", automountServiceAccountToken=True)

    assert found_in(*SHOP, *role, robot)["shop/robot"][-1] == ("api", "shop/db")


def test_acting_as_somebody_leads_where_that_one_may_go() -> None:
    role = granted("eve", rule("create", "pods/exec", "db"))
    acting = granted("mallory", rule("impersonate", "users", "eve"), namespace="")

    assert found_in(*SHOP, *role, *acting)["User mallory"] == [
        ("api", "User eve"),
        ("api", "shop/db"),
    ]


def test_a_folder_of_the_node_that_both_mount() -> None:
    volume = {"name": "v", "hostPath": {"path": "/data/db"}}
    shop = (namespace("shop"), store(volumes=[volume]), pod("web"), closed("db", "web"))
    outer = {"name": "v", "hostPath": {"path": "/data"}}
    beside = {"name": "v", "hostPath": {"path": "/data/other"}}

    assert found_in(*shop, pod("reader", volumes=[outer])) == {
        "shop/reader": [("volume", "shop/db")]
    }
    assert not found_in(*shop, pod("reader", volumes=[beside]))


def test_a_claim_of_the_same_name_elsewhere_is_another_one() -> None:
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "disk"}}
    shop = (namespace("shop"), store(volumes=[volume]), pod("web"), closed("db", "web"))
    reader = pod("reader", volumes=[volume])

    assert found_in(*shop, reader) == {"shop/reader": [("volume", "shop/db")]}
    reader["metadata"]["namespace"] = "other"
    assert not found_in(*shop, namespace("other"), reader)


def test_what_nobody_needs_is_no_path_while_it_only_speaks_to_a_client() -> None:
    graph = graph_of_objects(*SHOP, pod("cart"))
    db = told(graph, "shop/db")

    assert not db.paths
    assert [(client.name, [s.name for s in means.sources]) for client, means
            in graph.broken_into(db.store)] == [("shop/web", ["shop/db", "shop/cart"])]  # fmt: skip
