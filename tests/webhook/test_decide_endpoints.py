"""Whatever changes the cluster is judged, by whichever endpoint it comes; what must pass passes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.audit import Bench
from auditor.declared import Admission, AdmissionRule, Mode
from auditor.facts.custom import OPENINGS
from auditor.model import Gap, Severity, Snapshot, Unseen
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load
from auditor.terms import Opening
from auditor.webhook.court import Court
from auditor.webhook.decide import decide
from auditor.webhook.endpoints import endpoints
from auditor.webhook.proposal import proposal_of
from auditor.webhook.review import Decision, Review, decode
from tests.bench import SETTINGS

from .world import court, guard, holding_data, live, pod, privileged, review

DENYING = Admission(Mode.DENY)
LEAST = Admission(Mode.DENY, Severity.INFO)


def asking(*ids: str) -> Bench:
    """A bench that asks these of the real policies."""
    policies, library = load()
    asked = tuple(each for each in policies if each.id in ids)
    assert len(asked) == len(ids)
    modules = {each.file: each.module for each in asked} | dict(library)
    return Bench(asked, compile_policies("regorus", modules))


def asked(*args: Any, **kwargs: Any) -> Review:
    """A request as the webhook reads it."""
    return decode(review(*args, **kwargs))


def on(path: str, carried: dict[str, Any], operation: str = "CREATE", **changes: Any) -> Review:
    """A request to a subresource of the pod or workload of that name, in namespace shop."""
    resource, _, subresource = path.partition("/")
    group = "" if resource in {"pods", "bindings", "replicationcontrollers"} else "apps"
    version = carried.get("apiVersion", "v1")
    kind_group, _, kind_version = version.rpartition("/")
    return decode(
        review(
            carried,
            operation,
            kind={"group": kind_group, "version": kind_version, "kind": carried["kind"]},
            resource={"group": group, "version": "v1", "resource": resource},
            subResource=subresource,
            **changes,
        )
    )


def binding(name: str, node: str) -> dict[str, Any]:
    """What the scheduler sends."""
    target = {"kind": "Node", "name": node}
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "Binding", "metadata": metadata, "target": target}


def placed(manifest: dict[str, Any], node: str) -> dict[str, Any]:
    """The pod on that node."""
    return {**manifest, "spec": {**manifest["spec"], "nodeName": node}}


BESIDE = asking("data/beside_node_owner")


@pytest.mark.parametrize("path", ["pods/binding", "bindings"])
def test_a_pod_that_owns_its_node_is_not_bound_beside_personal_data(path: str) -> None:
    """The scheduler knows nothing of it; on another node the same pod is welcome."""
    data = placed(holding_data(), "node1")
    cluster = live(data, privileged("agent"))
    by = Court(BESIDE, SETTINGS)
    terms = Admission(Mode.DENY, Severity.MEDIUM)
    decision = decide(on(path, binding("agent", "node1")), cluster, by, terms)
    assert not decision.allowed
    assert decision.message.startswith("data/beside_node_owner shop/customers[Pod]: ")
    assert decide(on(path, binding("agent", "node2")), cluster, by, terms).allowed


def test_a_binding_of_a_pod_that_is_not_seen_yet_passes() -> None:
    """Nothing can be said of it, and the log tells so."""
    decision = decide(on("pods/binding", binding("new", "node1")), live(), court(), DENYING)
    assert decision == Decision(allowed=True, annotations=(("not-judged", "pods/binding"),))


def _deployment(replicas: int = 1, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod()["spec"] | spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": "uid-web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template,
        },
    }


def _scale(replicas: Any) -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "shop"}
    spec = {"replicas": replicas} if replicas is not None else {}
    return {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("replicas", [5, 0, None])
def test_a_scale_is_its_parent_with_that_many_replicas(replicas: int | None) -> None:
    """None is how Go writes zero."""
    request = on("deployments/scale", _scale(replicas), "UPDATE")
    proposal = proposal_of(request, live(_deployment(2)))
    assert proposal is not None
    assert proposal.after is not None
    expected = _deployment(replicas or 0)
    assert proposal.after.manifest == expected
    assert str(proposal.ref) == "shop/web[Deployment]"


SINGLE = """
package policies.workload.single

deny contains finding if {
	input.object.spec.replicas == 1
	finding := {"path": ["spec", "replicas"], "message": "one replica alone"}
}
"""


def test_a_scale_that_brings_a_fault_is_denied() -> None:
    """As an UPDATE of the object would be."""
    from tests.company import policy

    single = policy("workload/single", SINGLE, severity=Severity.HIGH, kinds=("Deployment",))
    bench = Bench((single,), compile_policies("regorus", {single.file: single.module}))
    by, cluster = Court(bench, SETTINGS), live(_deployment(2))
    down = decide(on("deployments/scale", _scale(1), "UPDATE"), cluster, by, DENYING)
    assert down.message == "workload/single shop/web[Deployment]: one replica alone"
    assert decide(on("deployments/scale", _scale(3), "UPDATE"), cluster, by, DENYING).allowed


def test_a_scale_of_no_number_is_undecidable() -> None:
    """No API server sends one; whoever else does is told."""
    cluster = live(_deployment())
    for odd in ("3", True, [1]):
        decision = decide(on("deployments/scale", _scale(odd), "UPDATE"), cluster, court(), DENYING)
        assert (decision.allowed, decision.code) == (False, 422)


def test_an_eviction_is_the_deletion_of_its_pod() -> None:
    """It opens nothing here; and it is not noted, since a budget may still refuse it."""
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "customers", "namespace": "shop"},
    }
    request, cluster = on("pods/eviction", eviction), live(holding_data(), guard())
    assert decide(request, cluster, court(), DENYING) == Decision(allowed=True)
    proposal = proposal_of(request, cluster)
    assert proposal is not None
    assert proposal.after is None
    assert str(proposal.ref) == "shop/customers[Pod]"
    assert not proposal.followed


@pytest.mark.parametrize("what", ["exec", "attach", "portforward", "proxy"])
def test_who_connects_to_personal_data_is_named_in_the_audit_log(what: str) -> None:
    """No network policy stands between them; nothing changes that a policy could deny."""
    options = {"apiVersion": "v1", "kind": "PodExecOptions", "command": ["sh"]}
    cluster = live(holding_data(), pod("web"))
    request = on(f"pods/{what}", options, "CONNECT", name="customers")
    said = dict(decide(request, cluster, court(), DENYING).annotations)
    assert said == {"not-judged": f"pods/{what} of a pod that holds personal data (PII)"}
    other = on(f"pods/{what}", options, "CONNECT", name="web")
    assert dict(decide(other, cluster, court(), DENYING).annotations) == {
        "not-judged": f"pods/{what}"
    }


BLIND = (
    Gap("list of networkpolicies.networking.k8s.io", "x", Unseen.INCOMPLETE, ("NetworkPolicy",)),
)


@pytest.mark.parametrize(
    "metadata",
    [
        {"finalizers": []},
        {"managedFields": [{"manager": "x"}], "resourceVersion": "2", "generation": 3},
    ],
)
def test_what_ends_or_only_notes_is_never_held_up(metadata: dict[str, Any]) -> None:
    """Not by old faults, and not where policies lack what they need to see: an object whose
    finalizer cannot be removed never goes.
    """
    old = privileged()
    old["metadata"] |= {
        "finalizers": ["example.org/x"],
        "deletionTimestamp": "2026-01-01T00:00:00Z",
    }
    new = {**old, "metadata": {**old["metadata"], **metadata}, "status": {"phase": "Failed"}}
    blind = replace(live(old), gaps=BLIND)
    request = asked(new, operation="UPDATE", old=old)
    assert decide(request, blind, court(), LEAST) == Decision(allowed=True)


def test_an_object_that_is_being_deleted_is_judged_all_the_same() -> None:
    """A finalizer can keep it alive for ever."""
    old = pod()
    old["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    new = {**old, "spec": privileged()["spec"]}
    assert not decide(asked(new, operation="UPDATE", old=old), live(old), court(), DENYING).allowed


ORDER = asking(
    "network/selects_no_pod",
    "network/service_without_pods",
    "network/missing_backend",
    "network/namespace_without_policies",
    "resources/no_limit_range",
)


def _early(kind: str) -> tuple[dict[str, Any], str]:
    """An object that comes before what it is about, and the policy that finds that."""
    name = {"name": "early", "namespace": "shop"}
    if kind == "NetworkPolicy":
        policy = guard("early")
        policy["spec"] = {"podSelector": {"matchLabels": {"app": "late"}}}
        return policy, "network/selects_no_pod"
    if kind == "Service":
        spec = {"selector": {"app": "late"}, "ports": [{"port": 80}]}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": name, "spec": spec}
        return service, "network/service_without_pods"
    if kind == "Ingress":
        backend = {"service": {"name": "late", "port": {"number": 80}}}
        ingress = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": name,
            "spec": {"defaultBackend": backend},
        }
        return ingress, "network/missing_backend"
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "early"}}
    return namespace, "resources/no_limit_range"


@pytest.mark.parametrize("kind", ["NetworkPolicy", "Service", "Ingress", "Namespace"])
def test_what_a_later_object_mends_is_warned_of_at_most(kind: str) -> None:
    """Nobody can apply two objects at once."""
    manifest, policy = _early(kind)
    by, cluster = Court(ORDER, SETTINGS), live(pod("web"))
    decision = decide(asked(manifest), cluster, by, LEAST)
    assert decision.allowed
    assert any(text.startswith(f"{policy} ") for text in decision.warnings)
    silent = decide(asked(manifest), cluster, by, Admission(Mode.AUDIT, Severity.INFO))
    assert silent.warnings == ()


def test_what_opens_something_until_then_has_no_grace() -> None:
    """The rule of the policies that have some: nothing is open in the meantime that was not."""
    policies, _ = load()
    data = {each.id for each in policies if each.grace and each.id.startswith("data/")}
    assert not data
    graced = {each.id for each in policies if each.grace}
    assert not graced & {"network/not_isolated", "network/public_entrance_to_personal_data"}


OWNER = "system:serviceaccount:kube-system:replicaset-controller"


def _family() -> tuple[dict[str, Any], dict[str, Any]]:
    """A ReplicaSet that is privileged already, and one more pod of it."""
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": privileged()["spec"]}
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "web", "namespace": "shop", "uid": "uid-rs"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    made = privileged("web-x")
    reference = {"kind": "ReplicaSet", "name": "web", "uid": "uid-rs", "controller": True}
    made["metadata"] |= {"labels": labels, "ownerReferences": [reference]}
    return owner, made


def test_a_controller_goes_on_making_what_was_let_in_before() -> None:
    """The fault is told on the template; a node that is drained must not end the workload."""
    owner, made = _family()
    request = asked(made, userInfo={"username": OWNER})
    decision = decide(request, live(owner), court(), DENYING)
    assert replace(decision, added=frozenset()) == Decision(allowed=True)


@pytest.mark.parametrize(
    "user",
    [
        "alice",
        "system:serviceaccount:shop:replicaset-controller",
        "system:serviceaccount:kube-system:replicaset-controller ",
        "system:serviceaccount:kube-system:replicaset-controlIer",
    ],
)
def test_a_pod_that_names_an_owner_is_not_believed(user: str) -> None:
    """Labels and references are the writer's own; its name, the API server has checked."""
    owner, made = _family()
    decision = decide(asked(made, userInfo={"username": user}), live(owner), court(), DENYING)
    assert decision.message.startswith("workload/privileged_container shop/web-x[Pod]: ")


def test_controllers_of_others_are_believed_where_the_configuration_names_them() -> None:
    """Argo Rollouts has whatever account it was installed with."""
    owner, made = _family()
    request = asked(made, userInfo={"username": "system:serviceaccount:argo:rollouts"})
    terms = replace(DENYING, controllers=("system:serviceaccount:argo:rollouts",))
    assert decide(request, live(owner), court(), terms).allowed
    assert not decide(request, live(owner), court(), DENYING).allowed


def test_a_mirror_annotation_excuses_nothing() -> None:
    """Anybody can write that the kubelet made it."""
    manifest = privileged()
    manifest["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    assert not decide(asked(manifest), live(), court(), DENYING).allowed


def _custom(group: str, kind: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "shop"}
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _of(manifest: dict[str, Any], operation: str = "CREATE", old: Any = None) -> Review:
    group, _, version = manifest["apiVersion"].partition("/")
    kind = {"group": group, "version": version, "kind": manifest["kind"]}
    resource = {"group": group, "version": version, "resource": manifest["kind"].lower() + "s"}
    return decode(review(manifest, operation, old, kind=kind, resource=resource))


WIDGET = Opening("example.com", "Widget", ("spec", "template"), declared=True)


def test_a_custom_kind_that_is_known_to_make_pods_is_judged() -> None:
    """As the pods that it makes would be; and what was faulty before may be updated."""
    bad = _custom("apps.kruise.io", "CloneSet", template={"spec": privileged()["spec"]})
    decision = decide(_of(bad), live(), court(), DENYING)
    assert decision.message.startswith("workload/privileged_container shop/web[CloneSet]: ")
    good = _custom("apps.kruise.io", "CloneSet", template={"spec": pod()["spec"]})
    assert decide(_of(good), live(), court(), DENYING) == Decision(allowed=True)
    assert not decide(_of(bad, "UPDATE", good), live(), court(), DENYING).allowed
    more = {**bad, "spec": {**bad["spec"], "replicas": 2}}
    assert decide(_of(more, "UPDATE", bad), live(), court(), DENYING).allowed
    assert decide(_of(bad, "DELETE"), live(), court(), DENYING).allowed


def test_a_custom_kind_is_judged_once_the_configuration_says_where_its_pods_are() -> None:
    """Of any other, nobody knows; the log tells that nobody looked."""
    bad = _custom("example.com", "Widget", template={"spec": privileged()["spec"]})
    unknown = decide(_of(bad), live(), court(), DENYING)
    assert unknown.annotations == (("not-judged", "widgets.example.com"),)
    declared = Court(court()._bench, replace(SETTINGS, openings=(WIDGET,)))
    decision = decide(_of(bad), live(), declared, DENYING)
    assert decision.message.startswith("workload/privileged_container shop/web[Widget]: ")


def test_other_versions_of_a_group_are_read_as_the_one_that_is_known() -> None:
    """An old manifest, or a version that a new server has, is no way around."""
    manifest = _deployment(hostPID=True) | {"apiVersion": "apps/v1beta2"}
    manifest["spec"]["template"]["spec"] = privileged()["spec"]
    changed = {"group": "apps", "version": "v1beta2"}
    decision = decide(
        asked(
            manifest,
            kind={**changed, "kind": "Deployment"},
            resource={**changed, "resource": "deployments"},
        ),
        live(),
        court(),
        DENYING,
    )
    assert "privileged" in decision.message


def _namespace(**labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "ads", "labels": labels},
    }


def test_a_namespace_that_takes_the_label_of_those_let_in_is_denied() -> None:
    """The fault is the data's, one namespace further; taking the label off again passes."""
    door = guard()
    peer = {"namespaceSelector": {"matchLabels": {"trusted": "yes"}}}
    door["spec"] = {"podSelector": {}, "ingress": [{"from": [peer]}]}
    stranger = pod("stranger")
    stranger["metadata"]["namespace"] = "ads"
    closed, opened = _namespace(), _namespace(trusted="yes")
    there = (holding_data(), door, stranger)
    changes = {"name": "ads", "namespace": "ads"}
    decision = decide(
        asked(opened, operation="UPDATE", old=closed, **changes),
        live(closed, *there),
        court(),
        DENYING,
    )
    assert decision.message.startswith("data/personal_data_not_isolated shop/customers[Pod]: ")
    back = asked(closed, operation="UPDATE", old=opened, **changes)
    assert decide(back, live(opened, *there), court(), DENYING).allowed


def test_the_mode_is_that_of_the_namespace_that_is_hurt() -> None:
    """A change in a sandbox that opens the shop is judged by the rule for the shop."""
    rules = (AdmissionRule(Mode.DENY, namespaces=("shop",)),)
    cluster = live(holding_data(), guard())
    request = asked(guard(), operation="DELETE")
    assert not decide(request, cluster, court(), Admission(rules=rules)).allowed
    elsewhere = (AdmissionRule(Mode.DENY, namespaces=("sandbox",)),)
    assert decide(request, cluster, court(), Admission(rules=elsewhere)).allowed


def test_modes_mix_in_one_answer() -> None:
    """What is denied is in the message, what is warned of beside it, all of it in the log."""
    rules = (
        AdmissionRule(Mode.DENY, ("workload/privileged_container",)),
        AdmissionRule(Mode.WARN, ("image",), severity=Severity.LOW),
    )
    manifest = pod(image="x:latest", securityContext={"privileged": True})
    decision = decide(asked(manifest), live(), court(), Admission(rules=rules))
    assert decision.message.startswith("workload/privileged_container ")
    assert [text.split()[0] for text in decision.warnings] == ["image/latest", "fix"]
    assert "image/latest" in dict(decision.annotations)["findings"]


def test_what_breaks_one_policy_is_no_way_around_another() -> None:
    """The broken one only warns; the other still denies."""
    rules = (AdmissionRule(Mode.WARN, ("test/brittle",)),)
    manifest = privileged()
    manifest["metadata"]["labels"] = {"number": "x"}
    decision = decide(asked(manifest), live(), court(), Admission(Mode.DENY, rules=rules))
    assert not decision.allowed
    assert decision.message.startswith("workload/privileged_container ")
    manifest = pod()
    manifest["metadata"]["labels"] = {"number": "x"}
    decision = decide(asked(manifest), live(), court(), Admission(Mode.DENY, rules=rules))
    assert decision.allowed
    assert decision.warnings[0].startswith("policy test/brittle on shop/web[Pod]: ")


def test_a_namespace_is_deleted_with_all_that_is_in_it() -> None:
    """Its objects lose their guard and their label at once, and go themselves."""
    everywhere: Snapshot = live(_namespace(), *_inside("ads"))
    request = asked(_namespace(), operation="DELETE", name="ads", namespace="ads")
    proposal = proposal_of(request, everywhere)
    assert proposal is not None
    assert {ref.name for ref in proposal.along} == {"customers", "guard"}
    assert decide(request, everywhere, court(), DENYING).allowed


def _inside(namespace: str) -> tuple[dict[str, Any], ...]:
    found = (holding_data(), guard())
    for each in found:
        each["metadata"]["namespace"] = namespace
    return found


def test_taking_off_the_mark_of_personal_data_is_denied() -> None:
    """It would be the shortest way around every policy on such data."""
    old, new = holding_data(), pod("customers")
    by = Court(asking("data/class_removed"), SETTINGS)
    decision = decide(asked(new, operation="UPDATE", old=old), live(old), by, DENYING)
    assert decision.message.startswith("data/class_removed shop/customers[Pod]: ")


def test_the_api_server_is_told_of_every_endpoint_that_is_read() -> None:
    """What it is not told, it lets pass."""
    told = {(one.group, one.path): one.operations for one in endpoints([WIDGET])}
    for path, operation in {
        "pods/ephemeralcontainers": "UPDATE",
        "pods/resize": "UPDATE",
        "pods/binding": "CREATE",
        "pods/eviction": "CREATE",
        "pods/exec": "CONNECT",
    }.items():
        assert told["", path] == (operation,)
    assert told["apps", "deployments/scale"] == ("UPDATE",)
    assert told["example.com", "*"] == ("CREATE", "UPDATE", "DELETE")
    for one in OPENINGS:
        assert any(group == one.group for group, _ in told)
    assert not any("status" in path or "token" in path for _, path in told)
