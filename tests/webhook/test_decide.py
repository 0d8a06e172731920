"""What a request adds to the cluster decides about it, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from auditor.audit import Bench
from auditor.declared import Admission, Mode
from auditor.model import Gap, Server, Severity, Snapshot, Unseen
from auditor.sources.kinds import KINDS
from auditor.webhook.decide import (
    WARNING_LENGTH,
    CannotJudgeError,
    decide,
    undecidable,
    warning,
)
from auditor.webhook.proposal import proposal_of
from auditor.webhook.review import Decision, UndecidableError, decode

from .world import (
    BENCH,
    captures,
    court,
    guard,
    holding_data,
    judged,
    live,
    opens_data,
    pod,
    privileged,
    request,
    review,
)

NOTHING = live()
DENYING = Admission(Mode.DENY)


def _decide(
    *args: Any,
    cluster: Snapshot = NOTHING,
    mode: Mode = Mode.DENY,
    terms: Admission | None = None,
    **kwargs: Any,
) -> Decision:
    return decide(decode(review(*args, **kwargs)), cluster, court(), terms or Admission(mode))


def test_a_sound_object_is_admitted() -> None:
    """What adds no fault is admitted without a word."""
    assert _decide(pod()) == Decision(allowed=True)


def test_a_fault_is_denied_in_the_words_of_the_audit() -> None:
    """The denial names policy and object, and holds the very message of the audit."""
    decision = _decide(privileged())
    (found,) = judged(privileged()).findings
    assert not decision.allowed
    assert decision.code == 403
    assert decision.message == f"workload/privileged_container shop/web[Pod]: {found.message}"
    assert dict(decision.annotations) == {"findings": decision.message}


def test_every_added_fault_is_named_at_once() -> None:
    """Only one webhook's denial reaches the user: it must say everything."""
    manifest = holding_data() | {"spec": privileged()["spec"]}
    assert len(_decide(manifest).message.splitlines()) == 2


def test_a_lesser_fault_than_asked_for_is_no_reason() -> None:
    """`fail_on` is the least severity that counts."""
    manifest = pod(image="example.org/app:latest")
    assert _decide(manifest).allowed
    assert not _decide(manifest, terms=Admission(Mode.DENY, Severity.LOW)).allowed


def test_a_warning_admits_and_says_why() -> None:
    """In mode warn the user reads what a denial would have said."""
    decision = _decide(privileged(), mode=Mode.WARN)
    assert decision.allowed
    assert decision.warnings == (
        "workload/privileged_container shop/web[Pod]: container 'app' runs privileged",
        (
            "fix (may change behaviour): "
            "set spec.containers[app].securityContext.privileged: false, "
            "set spec.containers[app].securityContext.allowPrivilegeEscalation: false"
        ),
    )


def test_auditing_admits_and_tells_only_the_audit_log() -> None:
    """In mode audit nobody but the cluster's audit log hears of it."""
    decision = _decide(privileged(), mode=Mode.AUDIT)
    assert (decision.allowed, decision.warnings) == (True, ())
    assert "privileged" in dict(decision.annotations)["findings"]


def test_an_update_of_what_was_faulty_before_is_admitted() -> None:
    """Denying it would stop every controller that touches the object, down to its deletion."""
    old = privileged()
    new = {**old, "metadata": {**old["metadata"], "finalizers": ["example.org/x"]}}
    assert _decide(new, operation="UPDATE", old=old, cluster=live(old)).allowed


def test_the_old_object_of_the_request_counts_where_the_watch_lags() -> None:
    """The request knows its object better than a cache that has not heard of it yet."""
    old = privileged()
    assert _decide(old, operation="UPDATE", old=old, cluster=NOTHING).allowed
    assert not _decide(old, operation="UPDATE", old=pod(), cluster=live(old)).allowed


def test_an_update_that_makes_it_worse_is_denied() -> None:
    """One more privileged container is a new fault, whatever the others are."""
    old = privileged()
    worse = privileged()
    worse["spec"]["containers"].append(worse["spec"]["containers"][0] | {"name": "second"})
    decision = _decide(worse, operation="UPDATE", old=old, cluster=live(old))
    assert decision.message.endswith("container 'second' runs privileged")


def test_a_second_fault_under_the_same_name_is_new() -> None:
    """Two faults may share a fingerprint; one of them being old does not excuse the other."""
    old = privileged()
    worse = privileged()
    worse["spec"]["initContainers"] = old["spec"]["containers"]
    assert not _decide(worse, operation="UPDATE", old=old, cluster=live(old)).allowed


def test_a_creation_is_judged_although_the_cache_still_shows_a_namesake() -> None:
    """Delete and create again within the lag of the watch: the old faults excuse nothing."""
    assert not _decide(privileged(), cluster=live(privileged())).allowed


def test_a_generated_name_cannot_borrow_the_faults_of_a_namesake() -> None:
    """`generateName: web` is another object than the pod web that is privileged already."""
    manifest = privileged()
    manifest["metadata"] = {"generateName": "web", "namespace": "shop"}
    decision = _decide(manifest, name="", cluster=live(privileged()))
    assert decision.message.startswith("workload/privileged_container shop/web*[Pod]")


def test_taking_away_what_guards_others_is_denied() -> None:
    """The fault stands at the pod; the deletion of its NetworkPolicy brings it."""
    cluster = live(holding_data(), guard())
    decision = _decide(guard(), operation="DELETE", cluster=cluster)
    assert decision.message.startswith("data/personal_data_not_isolated shop/customers[Pod]: ")
    assert _decide(guard("other"), operation="DELETE", cluster=cluster).allowed


def _admitting(*peers: dict[str, Any], ports: Any = None) -> dict[str, Any]:
    """The guard, with a rule that lets these in; without any, everybody."""
    rule: dict[str, Any] = {"from": list(peers)} if peers else {}
    manifest = guard()
    manifest["spec"] = {"podSelector": {}, "ingress": [rule | ({"ports": ports} if ports else {})]}
    return manifest


def _labelled(name: str, app: str) -> dict[str, Any]:
    manifest = pod(name)
    manifest["metadata"]["labels"] = {"app": app}
    return manifest


ADS = {"podSelector": {"matchLabels": {"app": "ads"}}}
NEIGHBOURS: dict[str, Any] = {"podSelector": {}}
BALANCER = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "customers", "namespace": "shop"},
    "spec": {"type": "LoadBalancer", "selector": {"auditor/data": "pii"}, "ports": [{"port": 80}]},
}


def _edit(before: dict[str, Any], after: dict[str, Any], *others: dict[str, Any]) -> Decision:
    """The answer to an edit of the guard of personal data, beside a pod named ads."""
    there = (holding_data(), _labelled("ads", "ads"), *others)
    return _decide(after, operation="UPDATE", old=before, cluster=live(before, *there))


def test_personal_data_that_one_stranger_reaches_may_not_be_opened_to_more() -> None:
    """A fault that was there before excuses nothing but itself."""
    for others in ((), (BALANCER,)):
        decision = _edit(_admitting(ADS), _admitting(), *others)
        assert decision.message.startswith("data/personal_data_not_isolated shop/customers[Pod]: ")
    assert not _edit(_admitting(ADS), _admitting(NEIGHBOURS)).allowed


def test_an_address_of_the_internet_in_front_of_open_data_is_denied() -> None:
    """Every pod could reach them already; now everybody can."""
    cluster = live(holding_data())
    assert judged(holding_data()).findings
    assert not _decide(BALANCER, cluster=cluster).allowed


def test_what_is_repaired_by_half_is_admitted() -> None:
    """Fewer strangers, other ports and another order are no new fault."""
    assert _edit(_admitting(), _admitting(NEIGHBOURS)).allowed
    assert _edit(_admitting(NEIGHBOURS), _admitting(ADS)).allowed
    assert _edit(_admitting(ADS, ports=[{"port": 80}]), _admitting(ADS)).allowed
    web = {"podSelector": {"matchLabels": {"app": "web"}}}
    assert _edit(_admitting(ADS, web), _admitting(web, ADS), _labelled("web", "web")).allowed


def test_one_more_pod_where_all_are_let_in_already_is_admitted() -> None:
    """Data that were left open must not keep everybody from starting anything."""
    for door in (None, _admitting(), _admitting(NEIGHBOURS)):
        cluster = live(holding_data(), *([door] if door else []))
        assert judged(holding_data(), *([door] if door else [])).findings
        assert _decide(_labelled("ads", "ads"), cluster=cluster).allowed


def test_a_stranger_who_takes_the_label_of_those_let_in_is_denied() -> None:
    """It reaches the data although nobody declared it a client."""
    assert not _decide(
        _labelled("more", "ads"),
        cluster=live(holding_data(), _admitting(ADS), _labelled("ads", "ads")),
    ).allowed


def _made(kind: str, name: str, owner: dict[str, Any] | None, *, bad: bool) -> dict[str, Any]:
    """A workload as its controller makes it, with the labels of one family."""
    spec = (privileged() if bad else pod())["spec"]
    metadata: dict[str, Any] = {
        "name": name, "namespace": "shop", "uid": f"uid-{name}", "labels": {"app": "web"},
    }  # fmt: skip
    if owner:
        reference = {"kind": owner["kind"], "name": owner["metadata"]["name"],
                     "uid": owner["metadata"]["uid"], "controller": True}  # fmt: skip
        metadata["ownerReferences"] = [reference]
    if kind == "Pod":
        return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
    body = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": body}


def test_the_repair_of_a_template_is_admitted_while_its_pods_still_run() -> None:
    """What they are at fault with was there before, if told at the template alone."""
    old = _made("Deployment", "web", None, bad=True)
    replicas = _made("ReplicaSet", "web-1", old, bad=True)
    made = _made("Pod", "web-1-a", replicas, bad=True)
    new = _made("Deployment", "web", None, bad=False)
    assert [f.ref.kind for f in judged(old, replicas, made).findings] == ["Deployment"]
    assert _decide(new, operation="UPDATE", old=old, cluster=live(old, replicas, made)).allowed


def test_a_denial_cannot_act_on_a_terminal() -> None:
    """It is printed by kubectl, and names in it are somebody else's text."""
    decision = _decide(pod("evil\x1b[2J", securityContext={"privileged": True}))
    assert not decision.allowed
    assert "\x1b" not in decision.message
    assert r"\x1b[2J" in decision.message


def test_a_namespace_may_end() -> None:
    """Where all goes away, the order is nobody's choice and must not be stopped."""
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop", "deletionTimestamp": "2026-01-01T00:00:00Z"},
    }
    cluster = live(namespace, holding_data(), guard())
    assert _decide(guard(), operation="DELETE", cluster=cluster).allowed


def test_deletions_come_in_odd_shapes() -> None:
    """Old servers send no oldObject; a collection has no name."""
    nameless = request(guard(), operation="DELETE") | {"oldObject": None, "name": ""}
    unknown = request(guard(), operation="DELETE") | {"oldObject": None}
    cluster = live(holding_data(), guard())
    for asked, allowed in ((nameless, True), (unknown, False)):
        body = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": asked}
        decision = decide(decode(orjson.dumps(body)), cluster, court(), DENYING)
        assert decision.allowed is allowed


@pytest.mark.parametrize("subresource", ["ephemeralcontainers", "resize"])
def test_subresources_that_carry_the_pod_are_judged(subresource: str) -> None:
    """`kubectl debug` adds a container by way of a subresource: no way around the policies."""
    new = pod()
    new["spec"]["ephemeralContainers"] = [
        {"name": "debug", "image": "x:1", "securityContext": {"privileged": True}}
    ]
    decision = _decide(
        new, operation="UPDATE", old=pod(), cluster=live(pod()), subResource=subresource
    )
    assert "'debug' runs privileged" in decision.message


def test_status_passes_in_silence() -> None:
    """Every kubelet writes it all the time; no policy speaks of it."""
    decision = _decide(privileged(), operation="UPDATE", subResource="status")
    assert decision == Decision(allowed=True)


@pytest.mark.parametrize("subresource", ["exec", "attach", "portforward", "proxy", "scale", "x"])
def test_other_subresources_pass_and_are_noted(subresource: str) -> None:
    """They are no object that a policy could read; the audit log says that nobody looked."""
    decision = _decide(privileged(), subResource=subresource)
    assert decision.allowed
    assert decision.annotations == (("not-judged", f"pods/{subresource}"),)


def test_unknown_kinds_pass() -> None:
    """A custom resource is nothing that policies know."""
    resource = {"group": "example.org", "version": "v1", "resource": "widgets"}
    kind = {"group": "example.org", "version": "v1", "kind": "Widget"}
    decision = _decide({"spec": 1}, resource=resource, kind=kind)
    assert decision.annotations == (("not-judged", "widgets.example.org"),)


def test_the_object_is_judged_where_the_request_says_it_is() -> None:
    """A namespace in the object that differs from that of the request is not believed."""
    manifest = privileged()
    manifest["metadata"]["namespace"] = "kube-system"
    proposal = proposal_of(decode(review(manifest)), NOTHING)
    assert proposal is not None
    assert str(proposal.ref) == "shop/web[Pod]"


@pytest.mark.parametrize("manifest", [None, [], "x", 5, {"metadata": []}, {"metadata": None}])
def test_what_is_no_object_is_undecidable(manifest: Any) -> None:
    """The caller chose it, so the operator's failurePolicy must not come into it."""
    decision = _decide(manifest)
    assert (decision.allowed, decision.code) == (False, 422)


def test_the_undecidable_is_denied_warned_of_or_noted() -> None:
    """Only mode deny denies."""
    error = UndecidableError("metadata is no mapping")
    assert (undecidable(Mode.DENY, error).allowed, undecidable(Mode.DENY, error).code) == (
        False,
        422,
    )
    assert undecidable(Mode.WARN, error).warnings
    assert undecidable(Mode.AUDIT, error).warnings == ()
    assert undecidable(Mode.AUDIT, error).allowed


HIDDEN = Gap(
    "list of networkpolicies.networking.k8s.io", "forbidden", Unseen.INCOMPLETE, ("NetworkPolicy",)
)


def test_a_policy_that_cannot_be_asked_leaves_it_to_the_failure_policy() -> None:
    """Our blindness is not the user's fault, and no pass either."""
    blind = replace(NOTHING, gaps=(HIDDEN,))
    with pytest.raises(CannotJudgeError, match="could not be read"):
        _decide(pod(), cluster=blind)
    decision = _decide(pod(), cluster=blind, mode=Mode.WARN)
    assert decision.allowed
    assert "data/personal_data_not_isolated" in dict(decision.annotations)["not-assessed"]


UNTOLD = replace(NOTHING, server=Server(136, frozenset(kind.kind for kind in KINDS)))
"""A live cluster in which nothing is seen to enforce network policies."""


def test_what_enforces_is_nobodys_fault_who_writes_an_object() -> None:
    """It is noted that isolation is not known; the object is judged as if policies held."""
    manifest = pod()
    manifest["metadata"]["annotations"] = {"auditor/data": "pii", "auditor/clients": ""}
    denied = _decide(manifest, cluster=UNTOLD)
    assert not denied.allowed
    assert "personal_data_not_isolated" in denied.message
    warned = _decide(manifest, cluster=UNTOLD, mode=Mode.AUDIT)
    assert warned.allowed
    assert "what enforces network policies" in dict(warned.annotations)["not-assessed"]


def _odd(name: str = "web") -> dict[str, Any]:
    manifest = pod(name)
    manifest["metadata"]["labels"] = {"number": "x"}
    return manifest


def test_a_policy_that_the_object_breaks_is_a_denial() -> None:
    """Whoever makes a policy fail must not thereby get around it."""
    decision = _decide(_odd())
    assert not decision.allowed
    assert "policy test/brittle on shop/web[Pod]" in decision.message


def test_a_policy_that_was_broken_before_does_not_stop_others() -> None:
    """One odd object in the cluster must not lock it for all."""
    assert _decide(pod(), cluster=live(_odd("other"))).allowed


def test_a_warning_is_short_and_visible() -> None:
    """The API server drops a warning with a control character, and cuts a long one."""
    assert warning("a\r\nb\x00c\u202ed") == r"a\r\nb\x00c\u202ed"
    assert len(warning("x" * 1000)) == WARNING_LENGTH


def test_a_flood_of_faults_is_counted() -> None:
    """A thousand faults make no megabyte of message."""
    manifest = privileged()
    container = manifest["spec"]["containers"][0]
    manifest["spec"]["containers"] = [container | {"name": f"c{n}"} for n in range(1000)]
    lines = _decide(manifest).message.splitlines()
    assert len(lines) == 51
    assert lines[-1] == "and 950 more"
    assert len(_decide(manifest, mode=Mode.WARN).warnings) == 16


@pytest.mark.conformance
def test_the_life_of_a_namespace_passes() -> None:
    """Everything that a real cluster does around a sound Deployment is admitted, but personal data
    that nothing isolates; and nothing of it breaks the judgement.
    """
    asked_of = court()
    for file in captures():
        asked = decode(orjson.dumps(orjson.loads(file.read_bytes())["body"]))
        decision = decide(asked, NOTHING, asked_of, DENYING)
        assert decision.allowed or opens_data(file, decision.message), file
        assert all(len(key) <= 63 and key.isascii() for key, _ in decision.annotations)


def _owned(name: str, owner: str, **labels: str) -> dict[str, Any]:
    """A pod that another object owns."""
    manifest = pod(name)
    reference = {"apiVersion": "v1", "kind": "Pod", "name": owner, "uid": f"uid-{owner}"}
    manifest["metadata"] |= {"labels": labels, "ownerReferences": [reference]}
    return manifest


@pytest.mark.parametrize(
    ("options", "gone"),
    [
        (None, {"web", "child", "grandchild"}),
        ({"propagationPolicy": "Background"}, {"web", "child", "grandchild"}),
        ({"propagationPolicy": "Orphan"}, {"web"}),
        ({"orphanDependents": True}, {"web"}),
    ],
)
def test_what_an_object_owns_goes_with_it(options: Any, gone: set[str]) -> None:
    """Or else a Deployment's ReplicaSet would count as a workload of its own once it is deleted."""
    family = (pod("web"), _owned("child", "web"), _owned("grandchild", "child"))
    shared = _owned("shared", "web")
    shared["metadata"]["ownerReferences"].append({"uid": "uid-other"})
    cluster = live(*family, shared, pod("other"))
    asked = decode(review(pod("web"), operation="DELETE", options=options))
    proposal = proposal_of(asked, cluster)
    assert proposal is not None
    assert {ref.name for ref in (proposal.ref, *proposal.along)} == gone


def replica_set() -> dict[str, Any]:
    """One whose pods run privileged."""
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": privileged()["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "web", "namespace": "shop", "uid": "uid-set"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


ALONE = replace(BENCH, policies=tuple(each for each in BENCH.policies if not each.facts))


@pytest.mark.parametrize("bench", [BENCH, ALONE], ids=["all", "those of single objects"])
def test_a_fault_of_what_made_the_object_is_not_new(bench: Bench) -> None:
    """It was there before: its controller may make pods of it, and nobody is told of it twice."""
    made = privileged("web-x")
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "uid-set"}
    made["metadata"] |= {"ownerReferences": [{**owner, "controller": True}]}
    made["metadata"] |= {"labels": {"app": "web"}}
    cluster = live(replica_set())
    user = {"username": "system:serviceaccount:kube-system:replicaset-controller"}
    asked = (decode(review(made, userInfo=user)), decode(review(made)))
    theirs, anybodys = (decide(each, cluster, court(bench), DENYING) for each in asked)
    assert replace(theirs, added=frozenset()) == Decision(allowed=True)
    assert "shop/web-x[Pod]" in anybodys.message
    assert "ReplicaSet" not in anybodys.message
