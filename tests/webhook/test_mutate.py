"""What an object is given before it exists, and above all what it is not."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.audit import audit
from auditor.declared import Mutating
from auditor.manifests import leaves
from auditor.policies.loader import load
from auditor.sources.files import FileSource
from auditor.webhook.mutate import Mutation
from tests.bench import SETTINGS, bench
from tests.pods import pods

from .json_patch import apply
from .mending import completed, daring, mutated, of_rules, wanting
from .world import READ, live, pod

FIXTURES = Path(__file__).parents[2] / "fixtures" / "policies"
NON_ROOT = "workload/non_root_not_enforced"
ESCALATION = "workload/privilege_escalation"
STRICT = bench(NON_ROOT)


def user(name: str = "web", **changes: Any) -> dict[str, Any]:
    """A Pod that does not run as root, and is not kept from it."""
    return pod(name, securityContext={"runAsUser": 10001}, **changes)


def deployment(template: dict[str, Any]) -> dict[str, Any]:
    """A Deployment of pods like this one."""
    labels = {"app": "web"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": "uid-deployment"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": template["spec"]},
        },
    }


def test_what_is_safe_and_missing_is_added() -> None:
    """The answer says what was added, to whoever sent the object and to the audit log."""
    found = mutated(user(), by=STRICT)
    assert found.patch == (
        {"op": "add", "path": "/spec/containers/0/securityContext/runAsNonRoot", "value": True},
    )
    line = f"set spec.containers[app].securityContext.runAsNonRoot: true ({NON_ROOT})"
    assert found.warnings == (f"auditor added: {line}",)
    assert found.annotations == (("added", line),)


def test_a_template_is_completed_like_a_pod() -> None:
    """Deployments are where people write their pods."""
    (step,) = mutated(deployment(user()), by=STRICT).patch
    assert step["path"] == "/spec/template/spec/containers/0/securityContext/runAsNonRoot"


def test_nothing_is_added_unless_somebody_asked_for_it() -> None:
    """Off by default; else in the namespaces and by the policies that were named."""
    assert mutated(user(), by=STRICT, terms=None) == Mutation()
    elsewhere = Mutating(namespaces=("bank-*",))
    assert mutated(user(), by=STRICT, terms=elsewhere) == Mutation()
    others = Mutating(policies=("image",))
    assert mutated(user(), by=STRICT, terms=others) == Mutation()
    both = Mutating(policies=("workload",), namespaces=("sh*",))
    assert mutated(user(), by=STRICT, terms=both).patch


def test_a_fix_that_may_change_behaviour_is_not_made() -> None:
    """It needs somebody who tries it first: kept from gaining privileges, sudo no longer works."""
    assert audit(live(pod()), bench(ESCALATION), SETTINGS).findings
    assert mutated(pod(), by=bench(ESCALATION)) == Mutation()
    assert mutated(pod(), by=daring(ESCALATION)).patch


def test_what_the_submitter_set_stays() -> None:
    """Even where it is the fault itself; what others lack is added all the same."""
    manifest = user()
    manifest["spec"]["containers"].append(
        {"name": "own", "securityContext": {"runAsUser": 10001, "runAsNonRoot": False}}
    )
    found = completed(manifest, by=STRICT)["spec"]["containers"]
    assert [each["securityContext"]["runAsNonRoot"] for each in found] == [True, False]


def test_null_is_a_value_that_somebody_set() -> None:
    """A patch that adds over it would replace it."""
    assert mutated(pod(securityContext=None), by=daring(ESCALATION)) == Mutation()


def test_a_list_that_is_there_is_not_longer_afterwards() -> None:
    """Whoever wrote it wrote all of it: server-side apply owns it as a whole."""
    added = wanting(
        0, ["spec", "tolerations", "-"], '{"key": "x"}', "input.object.spec.tolerations[0].key"
    )
    there = user() | {}
    there["spec"]["tolerations"] = []
    assert not mutated(there, by=of_rules(added)).patch


def _owned(**reference: Any) -> dict[str, Any]:
    manifest = user()
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u"}
    manifest["metadata"]["ownerReferences"] = [owner | reference]
    return manifest


def _with(**metadata: Any) -> dict[str, Any]:
    manifest = user()
    manifest["metadata"] |= metadata
    return manifest


UNTOUCHED: dict[str, tuple[Any, dict[str, Any]]] = {
    "a controller keeps it": (_owned(controller=True), {}),
    "its owners cannot be read": (_with(ownerReferences="web"), {}),
    "a kubelet keeps it": (_with(annotations={"kubernetes.io/config.mirror": "x"}), {}),
    "it is being deleted": (_with(deletionTimestamp="2026-01-01T00:00:00Z"), {}),
    "the cluster's own namespace": (user(), {"namespace": "kube-system"}),
    "a pod that is there already": (user(), {"operation": "UPDATE", "old": pod()}),
    "it goes": (user(), {"operation": "DELETE"}),
    "somebody enters it": (user(), {"operation": "CONNECT", "subResource": "exec"}),
    "a subresource": (user(), {"operation": "UPDATE", "subResource": "resize", "old": pod()}),
    "a status": (user(), {"operation": "UPDATE", "subResource": "status", "old": pod()}),
    "no object": ("x", {}),
    "metadata that are none": ({**user(), "metadata": []}, {}),
    "containers that are none": ({**user(), "spec": {"containers": "x"}}, {}),
    "no pods in it": ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}, {}),
}


@pytest.mark.parametrize("case", UNTOUCHED)
def test_an_object_that_is_nobodys_business_is_left_alone(case: str) -> None:
    """What others keep, what goes, and what may not change any more."""
    manifest, changes = UNTOUCHED[case]
    assert not mutated(manifest, by=STRICT, **changes).patch


def test_an_owner_that_is_no_controller_keeps_nothing() -> None:
    """Such a reference only says with whom the object goes."""
    assert mutated(_owned(), by=STRICT).patch


def test_trying_leaves_the_same_answer() -> None:
    """`kubectl diff` has to show what would come of it."""
    assert mutated(user(), by=STRICT, dryRun=True) == mutated(user(), by=STRICT)


def test_an_update_adds_only_what_it_lacks_anew() -> None:
    """A label on a Deployment of long ago must not roll it out, a new container is completed, and
    what was added once is added again where a file does not know of it.
    """
    old = deployment(user())
    labelled = copy.deepcopy(old)
    labelled["metadata"]["labels"] = {"seen": "yes"}
    assert not mutated(labelled, "UPDATE", old, by=STRICT, cluster=live(old)).patch
    more = copy.deepcopy(labelled)
    more["spec"]["template"]["spec"]["containers"].insert(
        0, user(name="new")["spec"]["containers"][0] | {"name": "new"}
    )
    (step,) = mutated(more, "UPDATE", old, by=STRICT, cluster=live(old)).patch
    assert step["path"] == "/spec/template/spec/containers/0/securityContext/runAsNonRoot"
    there = completed(old, by=STRICT)
    again = mutated(old, "UPDATE", there, by=STRICT, cluster=live(there))
    assert apply(old, again.patch) == there


def test_an_update_sets_nothing_outside_of_the_template() -> None:
    """The rest of a StatefulSet, for one, cannot change."""
    minded = wanting(0, ["spec", "minReadySeconds"], "5", "input.object.spec.minReadySeconds")
    by = of_rules(minded)
    old, new = deployment(user()), deployment(user())
    old["spec"]["minReadySeconds"] = 1
    assert mutated(new, by=by).patch
    assert not mutated(new, "UPDATE", old, by=by, cluster=live(old)).patch


def test_after_another_added_a_container_only_that_is_completed() -> None:
    """A webhook that is asked again finds its own work done."""
    once = completed(user(), by=STRICT)
    assert mutated(once, by=STRICT) == Mutation()
    once["spec"]["containers"].insert(0, user()["spec"]["containers"][0] | {"name": "mesh"})
    (step,) = mutated(once, by=STRICT).patch
    assert step["path"] == "/spec/containers/0/securityContext/runAsNonRoot"


def test_a_key_with_slashes_and_tildes_is_added_as_it_is() -> None:
    """RFC 6901: ~1 and ~0, and ~01 is no slash."""
    key = "example.org/a~b~1"
    rule = wanting(
        0, ["metadata", "annotations", key], '"x"', f'input.object.metadata.annotations["{key}"]'
    )
    assert completed(pod(), by=of_rules(rule))["metadata"]["annotations"] == {key: "x"}


def _noted(index: int, key: str, unless: str = "") -> str:
    """A policy that wants an annotation."""
    there = f"input.object.metadata.annotations.{key}"
    return wanting(index, ["metadata", "annotations", key], '"y"', unless or there)


def test_a_fix_that_leaves_something_to_do_is_not_made() -> None:
    """A policy that is never content would add for ever."""
    assert mutated(pod(), by=of_rules(_noted(0, "x"))).patch
    assert not mutated(pod(), by=of_rules(_noted(0, "x", unless="input.object.never"))).patch


def test_a_fix_that_brings_another_fault_is_not_made() -> None:
    """However slight it is: who sent the object would have to answer for it."""
    content = 'object.get(input.object.metadata, "annotations", {}) == {}'
    against = wanting(1, ["spec", "terminationGracePeriodSeconds"], "1", content)
    assert mutated(pod(), by=of_rules(_noted(0, "x"))).patch
    assert not mutated(pod(), by=of_rules(_noted(0, "x"), against)).patch


def test_a_field_that_the_api_does_not_have_is_not_added() -> None:
    """The API server would refuse the object for it, or drop it and ask again."""
    rule = wanting(0, ["spec", "securitycontext"], "{}", "input.object.spec.securitycontext")
    assert mutated(pod(), by=of_rules(rule)).patch == ()


def test_two_policies_that_want_different_things_get_nothing() -> None:
    """And the audit log tells why."""
    seconds = "terminationGracePeriodSeconds"
    rules = [wanting(i, ["spec", seconds], str(i), f"input.object.spec.{seconds}") for i in (0, 1)]
    assert mutated(pod(), by=of_rules(rules[0])).patch
    found = mutated(pod(), by=of_rules(*rules))
    assert found == Mutation(annotations=(("not-added", "the fixes do not hold together"),))


REQUEST = wanting(
    0,
    ["spec", "containers", 0, "resources", "requests", "memory"],
    '"128Mi"',
    "input.object.spec.containers[0].resources.requests.memory",
)


NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "one"},
    "status": {"allocatable": {"cpu": "8", "memory": "16Gi", "pods": "100"}},
}
"""Where pods can go: who adds to what a scheduler reads has to show that they still do."""


def test_no_default_is_above_a_limit() -> None:
    """The API server would refuse what it let in without us."""
    for limit, fits in (("1Gi", True), ("128Mi", True), ("64Mi", False), ("a lot", False)):
        manifest = pod(resources={"limits": {"memory": limit}})
        found = mutated(manifest, by=of_rules(REQUEST), cluster=live(NODE))
        assert bool(found.patch) is fits, limit


def test_where_a_namespace_bounds_resources_none_are_set() -> None:
    """What a LimitRange or ResourceQuota refuses are the pods, after their template came in."""
    for kind in ("LimitRange", "ResourceQuota"):
        bound = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x", "namespace": "shop"}}
        assert not mutated(pod(), by=of_rules(REQUEST), cluster=live(bound, NODE)).patch
        bound["metadata"] = {"name": "x", "namespace": "other"}
        assert mutated(pod(), by=of_rules(REQUEST), cluster=live(bound, NODE)).patch


def test_what_is_privileged_is_not_told_to_gain_nothing() -> None:
    """The API server refuses both at once."""
    path = ["spec", "containers", 0, "securityContext", "allowPrivilegeEscalation"]
    unless = "input.object.spec.containers[0].securityContext.allowPrivilegeEscalation == false"
    by = of_rules(wanting(0, path, "false", unless))
    assert mutated(pod(), by=by).patch
    for context in ({"privileged": True}, {"capabilities": {"add": ["CAP_SYS_ADMIN"]}}):
        assert not mutated(pod(securityContext=context), by=by).patch


def _copying(source: str) -> str:
    """A policy whose fix repeats a text of the object."""
    return wanting(
        0, ["metadata", "annotations", "x"], source, "input.object.metadata.annotations.x"
    )


def test_what_stands_for_a_name_or_a_credential_is_never_sent() -> None:
    """We judge objects in which something stands for a secret, and for a name to be generated."""
    by = of_rules(_copying("input.object.metadata.name"))
    assert mutated(pod(), by=by).patch
    generated = pod()
    generated["metadata"] = {"generateName": "web-", "namespace": "shop"}
    assert not mutated(generated, name="", by=by).patch
    for value, sent in (("plain", True), ("hunter2-hunter2-9", False)):
        manifest = pod(env=[{"name": "DB_PASSWORD" if not sent else "MODE", "value": value}])
        by = of_rules(_copying("input.object.spec.containers[0].env[0].value"))
        assert bool(mutated(manifest, by=by).patch) is sent


def test_a_token_that_is_mounted_is_not_said_to_be_away() -> None:
    """The API server mounts it before it asks: only a template can still say that it must not."""
    by = daring("workload/default_service_account")
    assert not mutated(pod(), by=by).patch
    (step,) = mutated(deployment(pod()), by=by).patch
    assert step["path"] == "/spec/template/spec/automountServiceAccountToken"


# --- all fixes of ours, on all that they are tried on ---


FLAGS = sorted(policy.id for policy in load()[0] if policy.id.startswith("control_plane/"))
"""Policies on one flag each of a program: what holds of two of them holds of all. One that lacks
all flags has thirty faults, each of which would be mended again for each policy.
"""


def _failing() -> Iterator[dict[str, Any]]:
    """The objects of some failing fixtures of every policy with fixes, of kinds that are read."""
    policies, _ = load()
    for policy in policies:
        if policy.fix not in ("deterministic", "generated") or policy.id in FLAGS[2:]:
            continue
        for file in sorted((FIXTURES / policy.id).glob("fail-*.yaml"))[:2]:
            for resource in FileSource((str(file),)).snapshot().resources:
                metadata = resource.manifest.get("metadata")
                if resource.ref.kind not in READ:
                    continue
                if isinstance(metadata, dict) and metadata.get("name"):
                    yield dict(resource.manifest) | {"metadata": metadata | {"namespace": "shop"}}


def _check(manifest: dict[str, Any]) -> Mutation:
    """What has to hold of whatever was added to an object."""
    before = copy.deepcopy(manifest)
    found = mutated(manifest, by=daring())
    assert manifest == before
    result = apply(manifest, found.patch)
    there = dict(leaves(result))
    assert all(there[path] == value for path, value in leaves(manifest))
    assert mutated(result, by=daring()).patch == ()
    if found.patch:
        was, now = (_findings(each) for each in (manifest, result))
        assert now < was
    for line in found.warnings:
        assert len(line) <= 200
        assert line.isprintable()
    return found


def _findings(manifest: dict[str, Any]) -> set[str]:
    answer = audit(live(manifest), daring(), SETTINGS)
    return {finding.fingerprint for finding in answer.findings}


def test_whatever_is_added_to_a_failing_fixture_is_right() -> None:
    """Every policy at once, each fix called safe: some fault is gone and none has come, nothing
    that was sent has changed, and nothing is left to add.
    """
    added = [policy for manifest in _failing() for policy in _policies(_check(manifest))]
    assert {
        "workload/app_armor_not_set",
        "workload/capabilities_not_dropped",
        "workload/default_service_account",
        "workload/non_root_not_enforced",
        "workload/privilege_escalation",
        "workload/seccomp_not_set",
        "workload/writable_root_filesystem",
    } <= set(added)


def _policies(found: Mutation) -> list[str]:
    return [line.rpartition("(")[2].rstrip(")") for line in found.warnings]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(pods(), st.booleans())
def test_whatever_is_added_to_any_pod_is_right(made: dict[str, Any], in_template: bool) -> None:
    """The same of pods that nobody wrote."""
    shown = {"apiVersion": "v1", "kind": "Pod", **made}
    shown["metadata"] |= {"namespace": "shop"}
    _check(deployment(shown) if in_template else shown)
