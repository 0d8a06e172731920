"""What a request adds to the cluster decides about it, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from auditor.model import Audit, Gap, Severity, Snapshot, Unseen
from auditor.webhook.court import Court
from auditor.webhook.decide import (
    WARNING_LENGTH,
    CannotJudgeError,
    Mode,
    case_of,
    decide,
    undecidable,
    warning,
)
from auditor.webhook.review import Decision, UndecidableError, decode

from .world import captures, guard, holding_data, judge, live, pod, privileged, request, review

NOTHING = live()


def _decide(
    *args: Any,
    cluster: Snapshot = NOTHING,
    mode: Mode = Mode.DENY,
    fail_on: Severity = Severity.HIGH,
    **kwargs: Any,
) -> Decision:
    return decide(decode(review(*args, **kwargs)), cluster, Court(judge), mode, fail_on)


def test_a_sound_object_is_admitted() -> None:
    """What adds no fault is admitted without a word."""
    assert _decide(pod()) == Decision(allowed=True)


def test_a_fault_is_denied_in_the_words_of_the_audit() -> None:
    """The denial names policy and object, and holds the very message of the audit."""
    decision = _decide(privileged())
    (found,) = judge(live(privileged())).findings
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
    assert not _decide(manifest, fail_on=Severity.LOW).allowed


def test_a_warning_admits_and_says_why() -> None:
    """In mode warn the user reads what a denial would have said."""
    decision = _decide(privileged(), mode=Mode.WARN)
    assert decision.allowed
    assert decision.warnings == (
        "workload/privileged_container shop/web[Pod]: container 'app' runs privileged",
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
    assert decision.message.startswith("network/open_data shop/customers[Pod]: ")
    assert _decide(guard("other"), operation="DELETE", cluster=cluster).allowed


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
        decision = decide(
            decode(orjson.dumps(body)), cluster, Court(judge), Mode.DENY, Severity.HIGH
        )
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


@pytest.mark.parametrize("subresource", ["exec", "attach", "binding", "eviction", "scale", "x"])
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
    case = case_of(decode(review(manifest)), NOTHING)
    assert case is not None
    assert str(case.ref) == "shop/web[Pod]"


@pytest.mark.parametrize("manifest", [None, [], "x", 5, {"metadata": []}, {"metadata": None}])
def test_what_is_no_object_is_undecidable(manifest: Any) -> None:
    """The caller chose it, so the operator's failurePolicy must not come into it."""
    with pytest.raises(UndecidableError):
        _decide(manifest)


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


HIDDEN = Gap("policy network/open_data", "not assessed: list forbidden", Unseen.INCOMPLETE)


def _blind(snapshot: Snapshot) -> Audit:
    return replace(judge(snapshot), gaps=(HIDDEN,))


def test_a_policy_that_cannot_be_asked_leaves_it_to_the_failure_policy() -> None:
    """Our blindness is not the user's fault, and no pass either."""
    with pytest.raises(CannotJudgeError, match="list forbidden"):
        decide(decode(review(pod())), NOTHING, Court(_blind), Mode.DENY, Severity.HIGH)
    decision = decide(decode(review(pod())), NOTHING, Court(_blind), Mode.WARN, Severity.HIGH)
    assert decision.allowed
    assert "list forbidden" in dict(decision.annotations)["not-assessed"]


def test_a_policy_that_the_object_breaks_is_a_denial() -> None:
    """Whoever makes a policy fail must not thereby get around it."""

    def breaking(snapshot: Snapshot) -> Audit:
        gap = Gap("policy x on shop/web[Pod]", "sprintf: wrong type", Unseen.INCOMPLETE)
        return replace(judge(snapshot), gaps=(gap,) if snapshot.resources else ())

    with pytest.raises(UndecidableError, match="wrong type"):
        decide(decode(review(pod())), NOTHING, Court(breaking), Mode.DENY, Severity.HIGH)


def test_a_policy_that_was_broken_before_does_not_stop_others() -> None:
    """One odd object in the cluster must not lock it for all."""
    gap = Gap("policy x on shop/odd[Pod]", "sprintf: wrong type", Unseen.INCOMPLETE)

    def odd(snapshot: Snapshot) -> Audit:
        return replace(judge(snapshot), gaps=(gap,))

    assert decide(decode(review(pod())), NOTHING, Court(odd), Mode.DENY, Severity.HIGH).allowed


def test_a_warning_is_short_and_visible() -> None:
    """The API server drops a warning with a control character, and cuts a long one."""
    assert warning("a\r\nb\x00c\u202ed") == "a\\u000d\\u000ab\\u0000c\\u202ed"
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
    """Everything that a real cluster does around a sound Deployment is admitted, and nothing
    of it breaks the judgement.
    """
    court = Court(judge)
    for file in captures():
        asked = decode(orjson.dumps(orjson.loads(file.read_bytes())["body"]))
        decision = decide(asked, NOTHING, court, Mode.DENY, Severity.HIGH)
        assert decision.allowed, file
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
    case = case_of(decode(review(pod("web"), operation="DELETE", options=options)), cluster)
    assert case is not None
    assert {ref.name for ref in (case.ref, *case.along)} == gone
