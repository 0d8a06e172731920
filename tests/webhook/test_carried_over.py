"""What is carried over from one state of the cluster to the next is what would be told anew."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.audit import audit
from auditor.declared import Admission, Mode
from auditor.facts import facts_of
from auditor.model import Audit, Finding, Ref, Severity, Snapshot
from auditor.policies.loader import load
from auditor.webhook.court import Court
from auditor.webhook.decide import CannotJudgeError, decide
from auditor.webhook.review import UndecidableError, decode
from tests.bench import SETTINGS, bench

from .test_court import company, updates
from .world import SERVER, guard, holding_data, live, pod, review

DENY = Admission(Mode.DENY, Severity.LOW)
# Of one of them it counts what was held before the change, which nobody knows who begins anew.
ASKED = [p.id for p in load()[0] if p.facts and "removed_classes" not in p.facts]
BENCH = bench("workload/privileged_container", *ASKED)


def labelled(manifest: dict[str, Any], **labels: str) -> dict[str, Any]:
    """The same object with these labels."""
    metadata = manifest["metadata"]
    return {
        **manifest,
        "metadata": {**metadata, "labels": {**metadata.get("labels", {}), **labels}},
    }


def told(name: str, value: str) -> dict[str, Any]:
    """A pod that is told something."""
    return pod(name, env=[{"name": "TARGET", "value": value}])


def config(value: str) -> dict[str, Any]:
    """A ConfigMap."""
    metadata = {"name": "settings", "namespace": "shop"}
    data = {"url": value}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def reading(name: str) -> dict[str, Any]:
    """A pod that is told what the ConfigMap says."""
    manifest = pod(name, envFrom=[{"configMapRef": {"name": "settings"}}])
    mounted = {"name": "files", "mountPath": "/etc/app"}
    (container,) = manifest["spec"]["containers"]
    volume = {"name": "files", "configMap": {"name": "settings"}}
    spec = {"containers": [{**container, "volumeMounts": [mounted]}], "volumes": [volume]}
    return {**manifest, "spec": spec}


def service(name: str, **selector: str) -> dict[str, Any]:
    """A Service of what has these labels."""
    metadata = {"name": name, "namespace": "shop"}
    spec = {"selector": selector, "ports": [{"port": 5432}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def made(name: str, kind: str, owner: dict[str, Any] | None) -> dict[str, Any]:
    """A Deployment, a ReplicaSet or a Pod named so, made by the owner where there is one."""
    labels = {"app": "made"}
    metadata: dict[str, Any] = {"name": name, "namespace": "shop", "uid": f"{kind}-{name}"}
    metadata["labels"] = labels
    if owner:
        its = {key: owner["metadata"][key] for key in ("name", "uid")}
        reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], **its}
        metadata["ownerReferences"] = [{**reference, "controller": True}]
    template = {"metadata": {"labels": labels}, "spec": pod()["spec"]}
    if kind == "Pod":
        spec: dict[str, Any] = template["spec"]
    else:
        spec = {"selector": {"matchLabels": labels}, "template": template, "replicas": 1}
    version = "v1" if kind == "Pod" else "apps/v1"
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


DEPLOYMENT = made("made", "Deployment", None)
REPLICA_SET = made("made-1", "ReplicaSet", DEPLOYMENT)

OBJECTS: tuple[dict[str, Any], ...] = (
    pod("plain"),
    pod("owner", securityContext={"privileged": True}),
    {**pod("ended"), "status": {"phase": "Succeeded"}},
    labelled(pod("db", image="postgres:16"), app="db"),
    holding_data(),
    labelled(holding_data("second"), **{"auditor/health": "8081"}, app="db"),
    labelled(holding_data("typo"), **{"auditor/clients": "nobody", "auditor/dta": "pii"}),
    labelled(pod("monitor"), **{"auditor/role": "monitor"}),
    told("client", "postgres://db:5432/shop"),
    reading("reader"),
    config("postgres://db:5432/shop"),
    config("nothing\nscrape_configs:\n"),
    service("db", app="db"),
    service("db", app="made"),
    guard(),
    DEPLOYMENT,
    REPLICA_SET,
    made("made-1-a", "Pod", REPLICA_SET),
    labelled({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}, x="y"),
    labelled(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
        **{"auditor/data": "pii"},
    ),
    {**pod("broken"), "spec": {"containers": [5]}},
)

Change = tuple[Any, Any]
"""An object until now and from now on; None where there is none."""


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """The creation, the update or the removal of an object."""
    if draw(st.booleans()):
        before, after = draw(updates())
        return (before, after) if draw(st.booleans()) else (before, None)
    one = draw(st.sampled_from(OBJECTS))
    return (None, one) if draw(st.booleans()) else (one, None)


def applied(cluster: Snapshot, before: Any, after: Any) -> Snapshot:
    """The cluster as it is told of afterwards, with an object that is equal and another value."""
    if after is None:
        return cluster.replacing(removing=[live(before).resources[0].ref])
    return cluster.replacing(*live(after).resources)


def asked(cluster: Snapshot, before: Any, after: Any) -> bytes:
    """The review of a change."""
    there = cluster.find(live(after or before).resources[0].ref)
    manifest = after or before
    namespace = manifest["metadata"].get("namespace", "")
    if after is None:
        return review(manifest, "DELETE", namespace=namespace)
    if there is None:
        return review(manifest, namespace=namespace)
    return review(manifest, "UPDATE", old=dict(there.manifest), namespace=namespace)


def said(findings: tuple[Finding, ...]) -> Counter[Any]:
    """What they come to, wherever it stands."""
    return Counter((f.fingerprint, f.message, f.anchors, f.status) for f in findings)


def same(one: Audit, other: Audit) -> None:
    """Two audits say the same."""
    assert said(one.findings) == said(other.findings)
    assert said(one.folded) == said(other.folded)
    assert Counter(one.gaps) == Counter(other.gaps)
    written = [[(r.ref, r.manifest) for r in each.snapshot.resources] for each in (one, other)]
    assert written[0] == written[1]
    for name in ("workloads", "unclassified", "judged", "enforcer", "policies"):
        assert getattr(one, name) == getattr(other, name), name


def answer(cluster: Snapshot, body: bytes, by: Court) -> Any:
    """The decision, or why there is none."""
    try:
        return decide(decode(body), cluster, by, DENY)
    except (UndecidableError, CannotJudgeError) as error:
        return str(error)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(changes(), min_size=1, max_size=5), st.booleans())
def test_after_any_changes_it_is_what_would_be_told_anew(
    found: list[Change],
    judged: bool,
) -> None:
    """Whether the change was judged before it came or only told of: the audit of the cluster, and
    the verdict about the next request.
    """
    court, cluster = Court(BENCH, SETTINGS), Snapshot(company().resources, (), SERVER)
    court.live(cluster)
    for before, after in found:
        if not isinstance((after or before)["metadata"], dict):
            continue
        if judged:
            body, anew = asked(cluster, before, after), Court(BENCH, SETTINGS)
            alike = Snapshot(cluster.resources, (), SERVER)
            assert answer(cluster, body, court) == answer(alike, body, anew)
        cluster = applied(cluster, before, after)
        same(court.live(cluster), audit(Snapshot(cluster.resources, (), SERVER), BENCH, SETTINGS))


def test_what_was_judged_is_not_judged_again_when_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cluster after an admission is what the request was judged by."""
    court, cluster = Court(BENCH, SETTINGS), Snapshot(live(holding_data()).resources, (), SERVER)
    court.live(cluster)
    decide(decode(review(pod("new"))), cluster, court, Admission())
    monkeypatch.setattr("auditor.webhook.court.audit_changed", None)
    found = court.live(applied(cluster, None, pod("new")))
    assert Ref("v1", "Pod", "shop", "new") in found.workloads


def test_what_comes_otherwise_than_judged_is_judged() -> None:
    """Another admission may have changed the object once more."""
    court, cluster = Court(BENCH, SETTINGS), Snapshot(live(holding_data()).resources, (), SERVER)
    court.live(cluster)
    decide(decode(review(pod("new"))), cluster, court, Admission())
    came = pod("new", securityContext={"privileged": True})
    found = court.live(applied(cluster, None, came))
    assert "workload/privileged_container" in {f.policy.id for f in found.findings}


def test_who_is_named_first_goes_by_the_row_of_objects() -> None:
    """What was away for a moment may stand elsewhere than before."""
    court = Court(BENCH, SETTINGS)
    cluster = Snapshot(live(guard(), *(pod(name) for name in "abcd")).resources, (), SERVER)
    court.live(cluster)
    court.live(cluster.replacing(removing=[Ref("v1", "Pod", "shop", "a")]))
    again = Snapshot(cluster.resources, (), SERVER)
    same(court.live(again), audit(Snapshot(cluster.resources, (), SERVER), BENCH, SETTINGS))


def test_a_row_of_states_does_not_pile_up() -> None:
    """Of the facts of each state, nothing leads to those of the one before."""
    court, cluster = Court(BENCH, SETTINGS), Snapshot(live(holding_data()).resources, (), SERVER)
    court.live(cluster)
    for number in range(3):
        cluster = applied(cluster, None, pod(f"pod-{number}"))
        found = court.live(cluster)
    facts = facts_of(found.snapshot, SETTINGS)
    before = vars(facts)["_former"].snapshot
    assert vars(before)["_facts"].__dict__["_former"] is None


def test_a_list_that_is_missing_ends_what_is_carried_over() -> None:
    """What policies lack then, they lack for the whole cluster."""
    court, cluster = Court(BENCH, SETTINGS), Snapshot(live(holding_data()).resources, (), SERVER)
    court.live(cluster)
    few = replace(cluster, server=replace(SERVER, kinds=frozenset({"Pod"})))
    same(court.live(few), audit(replace(few), BENCH, SETTINGS))
