"""Which workloads watch others: declared by ``auditor/role: monitor``, or known by their image."""

from __future__ import annotations

from auditor.facts.data import ROLE, declared, has_role
from auditor.facts.workloads import Container, Workload
from auditor.model import Path

MONITOR_IMAGES = (
    "prometheus/prometheus",
    "prom/prometheus",
    "bitnami/prometheus",
    "victoriametrics/vmagent",
    "victoriametrics/victoria-metrics",
    "grafana/agent",
    "grafana/alloy",
    "datadog/agent",
    "gcr.io/datadoghq/agent",
    "telegraf",
    "thanosio/thanos",
)
"""Ends of image repositories: programs that fetch from the services they watch."""


def repository(image: str) -> str:
    """The image without its tag and digest: ``quay.io/prometheus/prometheus``."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def runs(container: Container, repositories: tuple[str, ...]) -> bool:
    """Whether the container's image is one of `repositories`, whatever its registry."""
    image = container.spec.get("image")
    name = "/" + repository(image) if isinstance(image, str) else ""
    return name.endswith(tuple("/" + known for known in repositories))


def is_monitor(workload: Workload) -> bool:
    """Whether the workload watches others."""
    return monitor_path(workload) is not None


def monitor_path(workload: Workload) -> Path | None:
    """Where it says that the workload is a monitor: its role, else its image."""
    role = declared(workload, ROLE)
    declares = has_role(workload, "monitor")
    if role and declares is not None:
        return role.path if declares else None
    for container in workload.containers:
        if runs(container, MONITOR_IMAGES):
            return (*container.path, "image")
    return None
