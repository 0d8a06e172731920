"""Who watches others."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts import Facts
from auditor.facts.dependencies import is_database
from auditor.facts.monitors import is_monitor, repository
from auditor.facts.workloads import workload_of
from auditor.model import Settings, Snapshot

from .network.cluster import pod, resource
from .test_data import annotated


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("redis", "redis"),
        ("redis:7", "redis"),
        ("quay.io/prometheus/prometheus:v3", "quay.io/prometheus/prometheus"),
        ("registry:5000/redis", "registry:5000/redis"),
        ("registry:5000/a/redis:7@sha256:abc", "registry:5000/a/redis"),
    ],
)
def test_an_image_is_known_without_tag_and_digest(image: str, name: str) -> None:
    """A port of the registry is no tag."""
    assert repository(image) == name


@pytest.mark.parametrize(
    ("image", "role", "monitor", "database"),
    [
        ("quay.io/prometheus/prometheus:v3", None, True, False),
        ("prom/prometheus", None, True, False),
        ("example.org/notprometheus/prometheus", None, False, False),
        ("app", "monitor", True, False),
        ("app", "Monitor", True, False),
        ("app", "active-active, monitor", True, False),
        ("postgres:17", None, False, True),
        ("docker.io/bitnami/postgresql", None, False, True),
        ("postgres-exporter", None, False, False),
        ("app", "database", False, True),
        ("postgres:17", "active-passive", False, True),
        ("postgres:17", "monitor", True, False),
    ],
)
def test_a_role_is_declared_or_known_by_the_image(
    image: str, role: str | None, monitor: bool, database: bool
) -> None:
    """What is declared counts before what the image looks like; other roles say nothing of it."""
    one = pod("x", containers=[{"name": "main", "image": image}])
    found = workload_of(annotated(one, role=role) if role else one)
    assert found
    assert (is_monitor(found), is_database(found)) == (monitor, database)


@pytest.mark.parametrize(
    ("labels", "monitor"),
    [
        ({"app.kubernetes.io/name": "prometheus"}, True),
        ({"app.kubernetes.io/name": "alloy"}, True),
        ({"k8s-app": "datadog-agent"}, True),
        ({"app.kubernetes.io/name": "prometheus-operator"}, False),
        ({"app.kubernetes.io/name": "prometheus-node-exporter"}, False),
        ({"app": "prometheus"}, False),
    ],
)
def test_a_monitor_is_known_by_the_name_in_its_labels(
    labels: dict[str, str], monitor: bool
) -> None:
    """Exactly: what is beside a monitor is none."""
    one = pod("x")
    found = workload_of(
        resource({**one.manifest, "metadata": {**one.manifest["metadata"], "labels": labels}})
    )
    assert found
    assert is_monitor(found) is monitor


@pytest.mark.parametrize(
    ("text", "monitor"),
    [
        ("scrape_configs:\n  - job_name: x\n", True),
        ("receivers:\n  prometheus:\n    config:\n      scrape_configs: []\n", True),
        ('prometheus.scrape "pods" {\n}\n', True),
        ("[[inputs.prometheus]]\n", True),
        ("receivers: {otlp: {}}\n", False),
        ("# scrape_configs: here\n", False),
        ("note: see scrape_configs\n", False),
    ],
)
def test_a_monitor_is_known_by_what_it_is_told_to_fetch(text: str, monitor: bool) -> None:
    """Whatever its image; not where it says of itself what it is, or mounts nothing."""
    config = resource(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "c", "namespace": "default"},
            "data": {"config": text},
        }
    )
    mounts = [{"name": "c", "mountPath": "/etc/c"}]
    spec: dict[str, Any] = {
        "containers": [{"name": "main", "image": "own/collector", "volumeMounts": mounts}],
        "volumes": [{"name": "c", "configMap": {"name": "c"}}],
    }
    facts = Facts(Snapshot((pod("x", **spec), config)), Settings())
    assert bool(facts.monitors) is monitor
    if monitor:
        assert facts.monitor_paths["", "Pod", "default", "x"] == ("spec", "volumes", 0)
    other = Facts(Snapshot((annotated(pod("x", **spec), role="database"), config)), Settings())
    assert other.monitors == ()
    away = {**spec, "containers": [{"name": "main", "image": "own/collector"}]}
    assert Facts(Snapshot((pod("x", **away), config)), Settings()).monitors == ()
