"""Objects: of wrong types, of no kind that we know, or written to slip through."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.declared import Admission, Mode
from tests.webhook.conftest import Running, Starter
from tests.webhook.world import Kept, guard, holding_data, live, pod, privileged, review

from .test_bodies import said


@pytest.mark.parametrize("operation", ["CREATE", "UPDATE"])
def test_without_an_object_nothing_is_let_in(running: Running, operation: str) -> None:
    """A review that should carry an object and does not is undecidable, and that is a denial."""
    answer = said(running, review(None, operation, name="web"))
    assert (answer["allowed"], answer["status"]["code"]) == (False, 422)


@pytest.mark.parametrize("name", ["web", ""])
def test_a_deletion_without_an_object_is_judged(running: Running, name: str) -> None:
    """Old servers send none, and whole collections have none."""
    body = review(None, "DELETE", name=name, oldObject=None)
    assert said(running, body)["allowed"]


@pytest.mark.parametrize(
    ("resource", "subresource", "kind", "operation"),
    [
        ("pods", "exec", "PodExecOptions", "CONNECT"),
        ("pods", "attach", "PodAttachOptions", "CONNECT"),
        ("services", "proxy", "ServiceProxyOptions", "CONNECT"),
        ("nodes", "proxy", "NodeProxyOptions", "CONNECT"),
        ("deployments", "scale", "Scale", "UPDATE"),
        ("pods", "eviction", "Eviction", "CREATE"),
        ("pods", "binding", "Binding", "CREATE"),
        ("pods", "status", "Pod", "UPDATE"),
        ("pods", "something/new", "Pod", "UPDATE"),
    ],
)
@pytest.mark.parametrize("shown", [{"kind": "X", "metadata": {"name": "web"}}, {}, None, 5])
def test_subresources_never_crash(
    *, running: Running, resource: str, subresource: str, kind: str, operation: str, shown: Any
) -> None:
    """Their object is another kind than the resource's, or nothing."""
    changes: dict[str, Any] = {
        "kind": {"group": "", "version": "v1", "kind": kind},
        "resource": {"group": "", "version": "v1", "resource": resource},
        "subResource": subresource,
        "name": "web",
    }
    assert said(running, review(shown, operation, **changes))["allowed"] in {True, False}


WRONG: list[Any] = [None, 5, "x", [], [5], {"a": 5}, True, ["x"], [[]], [None]]
FIELDS = (
    ("metadata",),
    ("metadata", "labels"),
    ("metadata", "annotations"),
    ("metadata", "ownerReferences"),
    ("metadata", "name"),
    ("metadata", "namespace"),
    ("spec",),
    ("spec", "containers"),
    ("spec", "initContainers"),
    ("spec", "ephemeralContainers"),
    ("spec", "volumes"),
    ("spec", "securityContext"),
    ("spec", "nodeSelector"),
    ("spec", "affinity"),
    ("spec", "tolerations"),
)


@pytest.mark.parametrize("field", FIELDS, ids=".".join)
def test_wrong_types_end_in_an_answer(running: Running, field: tuple[str, ...]) -> None:
    """Allowed or denied, with the uid; and a container that is wrong beside them stays wrong."""
    for wrong in WRONG:
        broken = privileged()
        broken["spec"]["initContainers"] = [{"name": "i", "image": "i:1"}]
        *way, last = field
        place = broken
        for key in way:
            place = place[key]
        place[last] = wrong
        answer = said(running, review(broken, name="web"))
        if field not in {("spec",), ("spec", "containers")}:
            assert answer["allowed"] is False, (field, wrong)


@pytest.mark.parametrize("wrong", [5, "x", [], {"privileged": "yes"}, {"privileged": 1}])
def test_wrong_types_hide_nothing_in_the_next_container(running: Running, wrong: Any) -> None:
    """What one container has of a wrong type keeps no policy from the other one."""
    both = privileged()
    both["spec"]["containers"].insert(0, {"name": "odd", "image": "i:1", "securityContext": wrong})
    assert said(running, review(both))["allowed"] is False


def test_many_containers_are_all_looked_at(running: Running) -> None:
    """Ten thousand of them, the last one privileged."""
    many = pod()
    many["spec"]["containers"] = [{"name": f"c{n}", "image": "i:1"} for n in range(9_999)]
    many["spec"]["containers"] += privileged()["spec"]["containers"]
    assert said(running, review(many))["allowed"] is False


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "a" * 253},
        {"namespace": ""},
        {"namespace": "elsewhere"},
        {"name": "another"},
    ],
)
def test_whatever_the_names_are_the_fault_is_seen(
    running: Running, changes: dict[str, str]
) -> None:
    """A name that is still to be generated, a namespace that the object does not say or lies
    about.
    """
    for metadata in ({"generateName": "web-"}, {}, {"name": "lie", "namespace": "lie"}):
        manifest = privileged() | {"metadata": metadata}
        assert said(running, review(manifest, **changes))["allowed"] is False


SIGNS = ["\u202e", "\u200d", "\u0000", "\r\n", "\x1b[2J", "\uff50\uff52", "\U0001f4a3", "'\"<&>"]


@pytest.mark.parametrize("sign", SIGNS)
def test_signs_come_back_harmless(start: Starter, sign: str) -> None:
    """Nothing that moves a cursor, turns text or begins a line; no warning that the API server
    would drop or cut; and no label of a metric holds what a user wrote.
    """
    running = start(terms=Admission(Mode.WARN))
    odd = privileged()
    odd["spec"]["containers"][0]["name"] = f"app{sign}" * 60
    answer = said(running, review(odd))
    assert answer["warnings"]
    for warning in answer["warnings"]:
        assert len(warning) <= 200
        assert warning.isprintable(), ascii(warning)
    metrics = running.ask(method="GET", path="/metrics").body.decode()
    assert "app" not in metrics.replace("app=", "")


def test_unknown_kinds_pass_with_a_word(running: Running) -> None:
    """The audit log says that nobody judged them."""
    changes: dict[str, Any] = {
        "kind": {"group": "example.org", "version": "v7", "kind": "Widget"},
        "resource": {"group": "example.org", "version": "v7", "resource": "widgets"},
    }
    answer = said(running, review({"metadata": {"name": "w"}, "spec": 5}, **changes))
    assert answer["allowed"]
    assert "widgets.example.org" in answer["auditAnnotations"]["not-judged"]


def test_a_known_kind_of_an_unknown_version_is_judged(running: Running) -> None:
    """The API server converts to the version that was registered; the fault is the same."""
    changes: dict[str, Any] = {
        "kind": {"group": "", "version": "v9", "kind": "Pod"},
        "resource": {"group": "", "version": "v9", "resource": "pods"},
    }
    assert said(running, review(privileged(), **changes))["allowed"] is False


def test_updates_are_judged_by_what_they_add(running: Running) -> None:
    """A finalizer comes off a pod that was wrong before; a new fault does not get in so."""
    old = privileged()
    old["metadata"]["finalizers"] = ["example.org/wait"]
    assert said(running, review(privileged(), "UPDATE", old=old))["allowed"]
    leaving = privileged()
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert said(running, review(leaving, "UPDATE", old=old))["allowed"]
    assert not said(running, review(leaving, "UPDATE", old=pod()))["allowed"]


def test_a_forged_owner_hides_nothing(start: Starter) -> None:
    """Neither an owner that is not there, nor one that is, nor the mark of a kubelet's own pod."""
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u1"}
    there = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u1"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": pod()},
    }
    forged = privileged()
    forged["metadata"]["ownerReferences"] = [{**owner, "controller": True}]
    forged["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    for cluster in (Kept(live()), Kept(live(there))):
        assert said(start(cluster), review(forged))["allowed"] is False


@pytest.mark.parametrize("user", ["system:admin", "system:serviceaccount:kube-system:x", ""])
def test_nobody_is_exempt_by_what_they_say(start: Starter, user: str) -> None:
    """No label of the namespace, no annotation of the object and no name of the user waives."""
    space = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop", "labels": {"auditor/ignore": "true", "control-plane": "x"}},
    }
    asked = privileged()
    asked["metadata"]["annotations"] = {
        "auditor/ignore": "workload/privileged_container",
        "auditor/waive": "workload/privileged_container: because I say so",
        "admission.stackrox.io/break-glass": "yes",
    }
    groups = ["system:masters", "system:nodes"]
    body = review(asked, userInfo={"username": user, "groups": groups})
    assert said(start(Kept(live(space))), body)["allowed"] is False


def test_what_is_admitted_in_a_dry_run_is_not_counted_on(start: Starter) -> None:
    """A guard that only a dry run made guards nothing."""
    running = start(Kept(live(guard("real"), holding_data())))
    assert said(running, review(guard("dry"), dryRun=True))["allowed"]
    assert not said(running, review(guard("real"), "DELETE"))["allowed"]
