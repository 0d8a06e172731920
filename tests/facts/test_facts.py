"""All facts of one snapshot."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from auditor.audit import audit
from auditor.facts import FACTS, Facts
from auditor.model import Gap, Ref, Server, Settings, Snapshot, Unseen
from tests.bench import bench, gaps, judged

from .everything import EVERYTHING
from .network.cluster import namespace, pod, resource
from .test_data import annotated

WORLD = Facts(EVERYTHING, Settings())
SERVER = Server(136, frozenset({"Pod"}))
EXPOSED = "data/personal_data_not_isolated"
SAID = [WORLD.about(one, tuple(FACTS)) for one in EVERYTHING.resources]


def test_labels_of_namespaces_have_the_one_of_the_api_server() -> None:
    """Whatever else is written there, or is none."""
    odd = resource({**namespace("odd").manifest, "metadata": {"name": "odd", "labels": [1]}})
    facts = Facts(Snapshot((namespace("shop", team="web"), odd)), Settings())
    assert facts.namespace_labels == {
        "shop": {"team": "web", "kubernetes.io/metadata.name": "shop"},
        "odd": {"kubernetes.io/metadata.name": "odd"},
    }


def test_facts_with_nothing_to_say_are_left_out() -> None:
    """A policy is not asked about an object of which no fact of it speaks. Every pod is somebody to
    the API server.
    """
    facts = Facts(Snapshot((pod("web"), namespace("default"))), Settings())
    of_pod, of_namespace = (facts.about(one, tuple(FACTS)) for one in facts.snapshot.resources)
    assert set(of_pod) == {"identity", "isolation", "resource_defaults"}
    assert set(of_namespace) == {"limit_ranges", "namespace_isolation", "resource_quotas"}


def test_what_means_nothing_is_told_where_a_policy_reads_it() -> None:
    """An audit that asks for no fact has no use for it."""
    one = annotated(pod("web"), data="PI")
    said = ["auditor/data of default/web[Pod]: 'PI' is none of pii, spi, none"]
    assert gaps(judged([one], "data/personal_data_not_isolated")) == said
    assert gaps(judged([one], "workload/privileged_container")) == []


STRANGERS: tuple[tuple[str, str], ...] = (
    ("Namespace", "data"),
    ("Service", "data"),
    ("ConfigMap", "settings"),
    ("Pod", "web"),
    ("Node", "n1"),
    ("PersistentVolume", "disk"),
    ("PersistentVolumeClaim", "disk"),
    ("StorageClass", "disks"),
    ("PriorityClass", "first"),
    ("RuntimeClass", "box"),
    ("LimitRange", "limits"),
    ("ResourceQuota", "quota"),
    ("Ingress", "front"),
    ("NetworkPolicy", "data"),
    ("ServiceAccount", "data"),
    ("RoleBinding", "data"),
    ("ClusterRoleBinding", "data"),
)


@pytest.mark.parametrize(("kind", "name"), STRANGERS)
def test_a_kind_of_somebodys_own_group_is_another_kind(kind: str, name: str) -> None:
    """Whoever may make objects of an API of their own must not change what is said of others."""
    spec = {"selector": {"app": "other"}, "podSelector": {}, "limits": [{"default": {"cpu": "1"}}]}
    spec["hard"] = {"pods": 1}
    manifest: dict[str, Any] = {
        "apiVersion": "evil.example/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "data", "labels": {"auditor/data": "none"}},
        "spec": spec,
        "data": {"url": "elsewhere"},
        "globalDefault": True,
        "value": 7,
    }
    facts = Facts(Snapshot((*WORLD.snapshot.resources, resource(manifest))), Settings())
    said = [facts.about(one, tuple(FACTS)) for one in WORLD.snapshot.resources]
    assert said == SAID
    gaps = {gap.what for gap in facts.gaps.values()} - {gap.what for gap in WORLD.gaps.values()}
    assert gaps <= {"data/data[NetworkPolicy]"}
    assert list(facts.snapshot.of_kind(kind)) == list(WORLD.snapshot.of_kind(kind))


OF_THE_MESH = ("mesh", "routes")
"""Their objects are not in this cluster; test_mesh and test_routes have one of their own."""
OF_WAYS = ("chatter", "clientele", "crowding", "pair", "primary", "traffic")
"""Where pods stand is the same whatever is missing of this cluster: test_services has others."""
OF_UPDATES = (
    "autoscaler", "budget", "daemon", "evicted", "governing", "guarded", "overlap", "scale_down",
    "unwell", "update",
)  # fmt: skip
"""They are asked about another cluster, in test_steady."""
OF_SCHEDULING = (
    "affinity_terms", "autoscaling", "ceilings", "choices", "losses", "node_load",
    "scaled_to_nothing", "shared", "single", "spreading", "standings", "usage",
)  # fmt: skip
"""They are told of clusters of a few nodes: in the fixtures of their policies, and in the stories
of tests/placement_scenarios.
"""
OF_RIGHTS = ("binding_ends", "grant", "role_powers", "role_use", "takeover")
"""They are asked about another cluster, in test_rights."""
ELSEWHERE = (*OF_RIGHTS, *OF_THE_MESH, *OF_WAYS, *OF_UPDATES, *OF_SCHEDULING)
EVERY_LIST = sorted(
    {kind for name, fact in FACTS.items() if name not in ELSEWHERE for kind in fact.needs}
)
"""Every kind that some fact needs."""


@cache
def seen(fact: str) -> tuple[dict[Ref, Any], dict[tuple[str, str], Gap]]:
    """What one fact says of every object, and what it cannot tell."""
    facts = Facts(WORLD.snapshot, Settings())
    return {one.ref: facts.about(one, (fact,)) for one in WORLD.snapshot.resources}, facts.gaps


@pytest.mark.parametrize("fact", [name for name in FACTS if name not in ELSEWHERE])
@pytest.mark.parametrize("kind", EVERY_LIST)
def test_a_fact_needs_every_kind_that_changes_it(kind: str, fact: str) -> None:
    """Without the objects of one kind, an answer about what is left would be another one exactly
    where the fact says that it needs them.
    """
    rest = tuple(one for one in WORLD.snapshot.resources if one.ref.kind != kind)
    assert rest != WORLD.snapshot.resources
    blind = Facts(Snapshot(rest), Settings())
    answers, gaps = seen(fact)
    changed = any(answers[one.ref] != blind.about(one, (fact,)) for one in rest)
    changed = changed or gaps != blind.gaps
    assert changed is (kind in FACTS[fact].needs)


@pytest.mark.parametrize(
    ("server", "kind", "assessed"),
    [
        (SERVER, "CronJob", False),
        (SERVER, "ConfigMap", False),
        (SERVER, "NetworkPolicy", False),
        (None, "NetworkPolicy", False),
        (None, "ClusterNetworkPolicy", False),
        (SERVER, "AdminNetworkPolicy", False),
        (None, "CronJob", True),
        (None, "ConfigMap", True),
        (SERVER, "ServiceAccount", True),
    ],
)
def test_a_missing_list_takes_more_away_than_a_broken_file(
    server: Server | None, kind: str, assessed: bool
) -> None:
    """Without any CronJob nobody knows who reaches the data; that one file cannot be read makes
    nobody else innocent, unless it may be the policy that keeps them out.
    """
    gap = Gap("list", "forbidden", Unseen.INCOMPLETE, (kind,))
    found = (annotated(pod("shop/data"), data="pii"), pod("shop/spy"), namespace("shop"))
    answer = audit(Snapshot(found, (gap,), server), bench(EXPOSED), Settings())
    assert bool(answer.findings) is assessed
    missed = [each.what for each in answer.gaps if "not assessed" in each.why]
    assert missed == ([] if assessed else [f"policy {EXPOSED}"])


def test_of_objects_with_one_identity_facts_are_about_the_one_that_counts() -> None:
    """A later one replaces it in a cluster: what is said of both is said of that."""
    away, here = (
        resource({**pod("web").manifest, "spec": {"serviceAccountName": name}})
        for name in ("away", "here")
    )
    facts = Facts(Snapshot((away, here)), Settings())
    alone = Facts(Snapshot((here,)), Settings()).about(here, ("identity", "isolation"))
    assert [facts.about(one, ("identity", "isolation")) for one in (away, here)] == [alone, alone]
    assert "here" in str(alone["identity"])
