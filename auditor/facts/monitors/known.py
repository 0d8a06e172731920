"""Which workloads watch others: declared by ``auditor/role: monitor``, or known by their image, by
the name in their labels, or by what they are told to fetch.

None of that gives a right: a monitor is judged more strictly than others, not less (`oversight`).
"""

from __future__ import annotations

import re
from functools import lru_cache

from auditor.facts.configuration import Told
from auditor.facts.data.written import ROLE, declared, has_role
from auditor.facts.workloads import Container, Workload
from auditor.manifests import mapping, sequence
from auditor.model import Path

MONITOR_IMAGES = (
    "prometheus/prometheus", "prom/prometheus", "bitnami/prometheus", "prom/blackbox-exporter",
    "prometheus/blackbox-exporter", "bitnami/blackbox-exporter",
    "victoriametrics/vmagent", "victoriametrics/victoria-metrics", "victoriametrics/vmsingle",
    "grafana/agent", "grafana/alloy",
    "datadog/agent", "gcr.io/datadoghq/agent", "public.ecr.aws/datadog/agent",
    "telegraf", "thanosio/thanos", "cloudprober/cloudprober", "louislam/uptime-kuma",
    "zabbix/zabbix-agent", "zabbix/zabbix-agent2", "zabbix/zabbix-server-mysql",
    "zabbix/zabbix-server-pgsql", "zabbix/zabbix-proxy-sqlite3", "zabbix/zabbix-proxy-mysql",
    "jasonrivers/nagios", "manios/nagios", "icinga/icinga2", "checkmk/check-mk-raw",
    "checkmk/kubernetes-collector", "sensu/sensu", "netdata/netdata",
    "newrelic/infrastructure-k8s", "newrelic/nri-kubernetes", "newrelic/infrastructure-bundle",
    "newrelic/newrelic-prometheus-agent",
    "dynatrace/oneagent", "dynatrace/dynatrace-activegate", "linux/activegate", "linux/oneagent",
    "beats/metricbeat", "beats/heartbeat", "elastic-agent/elastic-agent", "beats/elastic-agent",
    "splunk/splunk-otel-collector", "signalfx/splunk-otel-collector",
    "instana/agent", "appdynamics/cluster-agent", "sysdig/agent",
)  # fmt: skip
"""Ends of image repositories: programs that fetch from the services they watch."""

NAMES = frozenset(
    (
        "prometheus", "prometheus-agent", "prometheus-blackbox-exporter", "blackbox-exporter",
        "vmagent", "vmsingle", "victoria-metrics-agent", "victoria-metrics-single", "grafana-agent",
        "alloy", "datadog-agent", "datadog", "telegraf", "thanos-query", "zabbix-agent",
        "zabbix-server", "nagios", "icinga2", "checkmk", "netdata", "newrelic-infrastructure",
        "newrelic-prometheus-agent", "oneagent", "activegate", "metricbeat", "heartbeat",
        "cloudprober", "uptime-kuma",
    )
)  # fmt: skip
"""What the label ``app.kubernetes.io/name`` says of such programs."""
NAME_LABELS = ("app.kubernetes.io/name", "k8s-app")

_FETCHES = re.compile(
    r"^[ \t]*[\"']?(?:scrape_configs|scrape_config_files)[\"']?[ \t]*:"
    r"|^[ \t]*(?:prometheus\.scrape|prometheus\.exporter\.blackbox)[ \t]+\""
    r"|^[ \t]*\[\[inputs\.(?:prometheus|http_response)\]\]",
    re.MULTILINE,
)
"""Prometheus and those that take its settings, OpenTelemetry's collector among them; Alloy;
Telegraf."""


def repository(image: str) -> str:
    """The image without its tag and digest: ``quay.io/prometheus/prometheus``."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


def runs(container: Container, repositories: tuple[str, ...]) -> bool:
    """Whether the container's image is one of `repositories`, whatever its registry."""
    image = container.spec.get("image")
    return isinstance(image, str) and _is_one_of(image, repositories)


@lru_cache(maxsize=1 << 12)
def _is_one_of(image: str, repositories: tuple[str, ...]) -> bool:
    name = "/" + repository(image)
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
    return _by_label(workload)


def _by_label(workload: Workload) -> Path | None:
    for key in NAME_LABELS:
        if workload.labels.get(key) in NAMES:
            *_, place = workload.metadata_paths
            return (*place, "labels", key)
    return None


def fetching_path(told: Told) -> Path | None:
    """Where a workload mounts a configuration that tells it to fetch figures from others; None
    where it has none, or says of itself what it is.
    """
    if has_role(told.workload, "monitor") is not None:
        return None
    for text in told.texts:
        if text.file and _FETCHES.search(text.value):
            return _mount_of(told.workload, text.ref.name)
    return None


def _mount_of(workload: Workload, config: str) -> Path:
    for index, volume in enumerate(map(mapping, sequence(workload.pod.get("volumes")))):
        if mapping(volume.get("configMap")).get("name") == config:
            return (*workload.pod_path, "volumes", index)
    return (*workload.pod_path, "volumes")
