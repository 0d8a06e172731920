"""What a monitor reaches beyond the health API."""

from __future__ import annotations

from typing import Any

from auditor.facts import Facts
from auditor.facts.oversight import overreaches, oversight
from auditor.model import Resource, Settings, Snapshot

from .network.cluster import pod
from .test_data import annotated
from .test_exposure import PORTS, admitting, app, holder

EYE = annotated(pod("shop/eye"), role="monitor")


def beyond(*found: Resource) -> dict[str, str]:
    """What the monitor reaches beyond health, by service."""
    facts = Facts(Snapshot(found), Settings())
    eye = facts.by_key["", "Pod", "shop", "eye"]
    return {one.target.name: str(one.beyond.ports) for one in overreaches(facts, eye)}


def plain(**declared: Any) -> Resource:
    """A service without personal data."""
    return annotated(pod("shop/data", **PORTS), **declared)


def test_without_a_policy_it_reaches_everything() -> None:
    """Every port but the one that it may."""
    assert beyond(EYE, plain(health="health")) == {"shop/data": "every port but TCP 8081"}


def test_the_health_api_alone_is_right() -> None:
    """By name or by number."""
    for port in ("health", 8081):
        rule = {"from": [app("eye")], "ports": [{"port": port}]}
        assert beyond(EYE, plain(health="health"), admitting(rule)) == {}


def test_a_rule_without_ports_admits_to_all_of_them() -> None:
    """The commonest mistake: the rule names who, and not where."""
    facts = Facts(
        Snapshot((EYE, plain(health="health"), admitting({"from": [app("eye")]}))), Settings()
    )
    (one,) = overreaches(facts, facts.by_key["", "Pod", "shop", "eye"])
    assert [rule.path for rule in one.rules] == [("spec", "ingress", 0)]


def test_a_service_that_declares_no_health_api_is_not_judged() -> None:
    """Nobody knows what the monitor may ask there."""
    assert beyond(EYE, plain()) == {}


def test_personal_data_that_nothing_isolates_is_told_elsewhere() -> None:
    """One fault, one finding: isolating it comes first."""
    assert beyond(EYE, holder(health="health")) == {}
    wide = admitting({"from": [app("eye")]})
    assert beyond(EYE, holder(health="health"), wide) == {"shop/data": "every port but TCP 8081"}


def test_who_is_no_monitor_has_no_oversight() -> None:
    """The fact has nothing to say."""
    facts = Facts(Snapshot((pod("shop/eye"), plain(health="health"))), Settings())
    assert all(oversight(facts, workload) is None for workload in facts.workloads)


def test_what_is_told_names_the_apis() -> None:
    """By number and name, as the containers declare them."""
    facts = Facts(Snapshot((EYE, holder(health="8081"), admitting({}))), Settings())
    told = oversight(facts, facts.by_key["", "Pod", "shop", "eye"])
    assert told is not None
    (one,) = told["beyond"]
    assert (one["target"], one["data"], one["health"]) == ("shop/data", ["PII"], "on port 8081")
    assert one["apis"] == ["8080 (http)"]
    assert [rule["message"] for rule in one["rules"]] == ["this rule admits it on every port"]
