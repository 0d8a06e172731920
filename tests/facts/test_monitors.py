"""Who watches others."""

from __future__ import annotations

import pytest

from auditor.facts.dependencies import is_database
from auditor.facts.monitors import is_monitor, repository
from auditor.facts.workloads import workload_of

from .network.cluster import pod
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
