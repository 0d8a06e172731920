"""Where Services, Ingresses and routes lead, as facts for policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.audit import audit
from auditor.facts import Facts
from auditor.model import Gap, Settings, Snapshot, Unseen
from tests.bench import bench

from .network.cluster import pod, resource, resources
from .network.ways.test_services import ingress, service

LONELY = "network/service_without_pods"


def test_pods_that_may_be_in_what_could_not_be_read_are_no_finding() -> None:
    """But a gap; a Service that selects others is not in doubt."""
    broken = Gap("broken.yaml", "no YAML", Unseen.INCOMPLETE, ("Pod",))
    lonely = service("{selector: {app: other}, ports: [{port: 80}]}", "default/lonely")
    found = (pod("web"), service("ports: [{port: 80}]"), lonely)
    told = audit(Snapshot(found), bench(LONELY), Settings())
    assert [str(finding.ref) for finding in told.findings] == ["default/lonely[Service]"]
    told = audit(Snapshot(found, (broken,)), bench(LONELY), Settings())
    assert not told.findings
    assert [gap.what for gap in told.gaps] == [
        "broken.yaml",
        "whom default/lonely[Service] leads to",
    ]


def test_another_kind_of_service_is_not_told_of() -> None:
    """Nobody else's Service has a selector that means pods."""
    one = service("{}")
    facts = Facts(Snapshot((one,)), Settings())
    assert set(facts.about(one, ("service", "backends", "claims"))) == {"service"}


def test_pods_that_an_operator_may_make_are_no_finding() -> None:
    """In its namespace; that the kind may make pods is told as a gap of its own."""
    made = resources(
        """
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: main, namespace: watch}
spec: {replicas: 2}
"""
    )
    here = service("{selector: {app: prometheus}, ports: [{port: 80}]}", "watch/prometheus")
    there = service("{selector: {app: prometheus}, ports: [{port: 80}]}", "other/prometheus")
    told = audit(Snapshot((here, there, *made)), bench(LONELY), Settings())
    assert [str(finding.ref) for finding in told.findings] == ["other/prometheus[Service]"]
    front = ingress("defaultBackend: {service: {name: operated, port: {number: 80}}}")
    missing = "network/missing_backend"
    assert audit(Snapshot((front,)), bench(missing), Settings()).findings
    beside = resource({**made[0].manifest, "metadata": {"name": "main", "namespace": "default"}})
    assert not audit(Snapshot((front, beside)), bench(missing), Settings()).findings


@pytest.mark.parametrize("wrong", [[1], {"a": 1}, 3])
def test_a_port_of_a_wrong_type_is_no_port(wrong: Any) -> None:
    """Whoever writes it is told by the schema; here it has no twin, and ends nothing."""
    ports = [{"port": 80, "protocol": wrong}, {"port": wrong}, wrong, {"port": 443}]
    spec = json.dumps({"selector": {"app": "web"}, "ports": ports})
    one, other = service(spec, "default/one"), service(spec, "default/other")
    facts = Facts(Snapshot((pod("web"), one, other)), Settings())
    assert facts.about(one, ("service",))["service"]["twins"] == ["other"]
