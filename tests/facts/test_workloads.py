"""Every pod template is found where its kind keeps it, and whose it is."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.workloads import WORKLOAD_KINDS, unreadable, workload_of, workloads_of
from auditor.model import Resource, Snapshot

from .network.cluster import pod, resource, workload

GROUPS = {"Rollout": "argoproj.io/v1alpha1", "ReplicationController": "v1"}


def of(one: Resource) -> Any:
    """The workload of an object."""
    found = workload_of(one)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"])
def test_a_template_stands_in_the_specification(kind: str) -> None:
    """As the API reference of apps/v1 and batch/v1 has it."""
    found = of(workload(kind, "web"))
    assert found.pod_path == ("spec", "template", "spec")
    assert found.labels == {"app": "web"}
    assert [container.name for container in found.containers] == ["main"]


def test_a_cron_job_has_a_template_in_a_template() -> None:
    """batch/v1: spec.jobTemplate.spec.template."""
    found = of(workload("CronJob", "report"))
    assert found.containers[0].path == (
        "spec", "jobTemplate", "spec", "template", "spec", "containers", 0,
    )  # fmt: skip
    assert found.metadata_paths == (
        ("metadata",),
        ("spec", "jobTemplate", "spec", "template", "metadata"),
    )


def test_a_pod_is_its_own_template() -> None:
    """Its labels are those of the object."""
    found = of(pod("shop/web"))
    assert (found.pod_path, found.labels) == (("spec",), {"app": "web"})
    assert found.metadata_paths == (("metadata",),)


def test_a_pod_template_and_other_makers_of_pods_are_known() -> None:
    """PodTemplate has no spec of its own; Rollout is Argo's Deployment."""
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "x"}]}}
    bare = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "t"}}
    assert of(resource({**bare, "template": template})).pod_path == ("template", "spec")
    for kind, version in GROUPS.items():
        manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": "r"}}
        found = of(resource({**manifest, "spec": {"template": template}}))
        assert found.labels == {"a": "b"}


def test_all_lists_of_containers_are_read() -> None:
    """A debug container added to a running pod is a container."""
    lists: dict[str, Any] = {
        "containers": [{"name": "a"}, {"image": "nameless"}],
        "initContainers": [{"name": "b"}],
        "ephemeralContainers": [{"name": "c"}],
    }
    found = of(pod("web", **lists))
    assert [(c.list, c.name) for c in found.containers] == [
        ("containers", "a"),
        ("containers", ""),
        ("initContainers", "b"),
        ("ephemeralContainers", "c"),
    ]


@pytest.mark.parametrize(
    ("kind", "spec", "wanted"),
    [
        ("Deployment", {}, 1),
        ("Deployment", {"replicas": 0}, 0),
        ("Deployment", {"replicas": 3}, 3),
        ("Deployment", {"replicas": "3"}, 1),
        ("Deployment", {"replicas": True}, 1),
        ("Deployment", {"replicas": -1}, 1),
        ("Job", {"parallelism": 4, "replicas": 9}, 4),
        ("CronJob", {"replicas": 9}, 1),
    ],
)
def test_how_many_pods_are_wanted(kind: str, spec: dict[str, Any], wanted: int) -> None:
    """One, where the object does not say or says nonsense."""
    assert of(workload(kind, "web", **spec)).replicas == wanted


def owned(one: Resource, owner: Resource, **changes: Any) -> Resource:
    """The object with an owner reference as the controller of `owner` writes it."""
    reference = {
        "apiVersion": owner.ref.api_version,
        "kind": owner.ref.kind,
        "name": owner.ref.name,
        "uid": owner.manifest["metadata"]["uid"],
        "controller": True,
        **changes,
    }
    metadata = {**one.manifest["metadata"], "ownerReferences": [reference]}
    return resource({**one.manifest, "metadata": metadata})


def live(one: Resource, **spec: Any) -> Resource:
    """The object with a uid."""
    metadata = {**one.manifest["metadata"], "uid": f"{one.ref.kind}/{one.ref.name}"}
    own = {**one.manifest.get("spec", {}), **spec}
    return resource({**one.manifest, "metadata": metadata, "spec": own})


def names(*found: Resource) -> list[str]:
    """The workloads that people edit."""
    return [str(workload.ref) for workload in workloads_of(Snapshot(found))]


REPLICA_SET = live(workload("ReplicaSet", "web"), selector={"matchLabels": {"app": "web"}})


def test_what_a_controller_made_is_no_workload_of_its_own() -> None:
    """People edit the template."""
    made = owned(live(pod("web")), REPLICA_SET)
    assert names(made, REPLICA_SET) == ["default/web[ReplicaSet]"]


CONFIG = live(resource({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}}))
NODE = live(resource({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}))
CRON = live(workload("CronJob", "web"))


@pytest.mark.parametrize(
    "liar",
    [
        owned(live(pod("web")), CONFIG),
        owned(live(pod("web")), NODE),
        owned(live(pod("web")), CRON),
        owned(live(pod("shop/web")), REPLICA_SET),
        owned(live(pod("stray")), REPLICA_SET),
        owned(live(pod("web")), REPLICA_SET, uid="another"),
        owned(live(pod("web")), REPLICA_SET, name="another"),
        owned(live(pod("web")), REPLICA_SET, controller=False),
    ],
    ids=[
        "a ConfigMap",
        "a node",
        "a CronJob",
        "elsewhere",
        "labels",
        "uid",
        "name",
        "no controller",
    ],
)
def test_a_pod_that_lies_about_its_owner_stands_for_itself(liar: Resource) -> None:
    """Else whoever writes a pod could take it out of every fact."""
    assert str(liar.ref) in names(liar, REPLICA_SET, CONFIG, NODE, CRON)


SELECTORS: list[tuple[Any, bool]] = [
    ({"matchLabels": {"app": "web"}}, True),
    ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]}, True),
    ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["other"]}]}, False),
    (
        {
            "matchLabels": {"app": "web"},
            "matchExpressions": [{"key": "app", "operator": "DoesNotExist"}],
        },
        False,
    ),
    ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, False),
    ({"matchExpressions": [{"key": "app", "operator": "Like", "values": ["w*"]}]}, False),
    ({}, False),
    (None, False),
    (7, False),
]


@pytest.mark.parametrize("kind", ["ReplicaSet", "StatefulSet", "DaemonSet"])
@pytest.mark.parametrize(("selector", "hides"), SELECTORS)
def test_a_controller_keeps_only_what_its_selector_fits(
    kind: str, selector: Any, hides: bool
) -> None:
    """The whole of it: a pod that does not fit is let go, and stands for itself."""
    owner = live(workload(kind, "web"), selector=selector)
    made = owned(live(pod("web")), owner)
    assert (str(made.ref) not in names(made, owner)) is hides


def test_a_job_needs_no_selector() -> None:
    """The API server writes one, with a uid; a CronJob never has any."""
    job = owned(live(workload("Job", "web")), CRON)
    assert names(job, CRON) == ["default/web[CronJob]"]
    made = owned(live(pod("web")), job)
    assert names(made, job, CRON) == ["default/web[CronJob]"]
    strict = live(workload("Job", "web"), selector={"matchLabels": {"app": "other"}})
    assert "default/web[Pod]" in names(owned(live(pod("web")), strict), strict)


def test_a_replication_controller_selects_by_labels_alone() -> None:
    """Its selector is older than expressions."""
    owner = live(
        resource(
            {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "web"}}
        ),
        selector={"app": "web"},
    )
    assert "default/web[Pod]" not in names(owned(live(pod("web")), owner), owner)
    assert "default/a[Pod]" in names(owned(live(pod("a")), owner), owner)


def test_pods_that_own_each_other_both_count() -> None:
    """Two references in a circle must not hide two pods."""
    one, other = live(pod("a")), live(pod("b"))
    assert names(owned(one, other), owned(other, one)) == ["default/a[Pod]", "default/b[Pod]"]


@pytest.mark.parametrize(("phase", "count"), [("Succeeded", 0), ("Failed", 0), ("Running", 1)])
def test_a_pod_that_has_ended_does_nothing(phase: str, count: int) -> None:
    """It reaches nobody, and nobody reaches it."""
    ended = resource({**pod("web").manifest, "status": {"phase": phase}})
    assert len(names(ended)) == count


def test_a_well_formed_workload_can_be_read() -> None:
    """Lists that are missing or null hold nothing that could be hidden."""
    for kind in ("Deployment", "CronJob", "Job"):
        assert list(unreadable(workload(kind, "web"))) == []
    assert list(unreadable(pod("web", initContainers=None))) == []


@pytest.mark.parametrize("kind", WORKLOAD_KINDS)
def test_a_kind_of_another_group_is_told(kind: str) -> None:
    """We cannot know where a stranger keeps its pods."""
    manifest = {"apiVersion": "example.org/v1", "kind": kind, "metadata": {"name": "x"}}
    assert [path for path, _ in unreadable(resource(manifest))] == [("apiVersion",)]
