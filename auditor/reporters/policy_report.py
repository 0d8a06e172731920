"""The report as PolicyReport objects, which dashboards of a cluster read: one for each object that
has a finding, as Kyverno writes them, so that none outgrows what etcd takes. What could not be seen
is a report of the cluster.

Forms: ``wgpolicyk8s.io/v1alpha2`` (https://github.com/kubernetes-sigs/wg-policy-prototypes) and
``openreports.io/v1alpha1`` (https://github.com/openreports/reports-api).
"""

from __future__ import annotations

import calendar
import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from auditor.grades import Unseen
from auditor.model import Audit, Finding, Gap, Ref, Status
from auditor.reporters.assessed import date, digest
from auditor.reporters.lines import Told, told_of
from auditor.reporters.view import View
from auditor.text import escaped
from auditor.values import dataclass

SOURCE = "auditor"
RESULTS: Mapping[Status, str] = {
    Status.OPEN: "fail",
    Status.UPCOMING: "warn",
    Status.BASELINE: "fail",
    Status.WAIVED: "skip",
    Status.PLATFORM: "skip",
}
_SUMMED = ("pass", "fail", "warn", "error", "skip")


@dataclass(frozen=True, slots=True)
class Dialect:
    """One API for reports."""

    api_version: str
    kind: str
    of_cluster: str


KYVERNO = Dialect("wgpolicyk8s.io/v1alpha2", "PolicyReport", "ClusterPolicyReport")
OPEN = Dialect("openreports.io/v1alpha1", "Report", "ClusterReport")


def render(audit: Audit, view: View) -> str:  # noqa: ARG001 - all reporters are called alike
    """YAML documents, to be applied with kubectl."""
    return written(audit, KYVERNO)


def written(audit: Audit, dialect: Dialect) -> str:
    """The reports in one dialect."""
    documents = list(reports(audit, dialect))
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, explicit_start=True)


def reports(audit: Audit, dialect: Dialect) -> Iterator[dict[str, Any]]:
    """One report for each object, in the order of the gravest findings, and one of the gaps."""
    moment = calendar.timegm(time.strptime(date(), "%Y-%m-%dT%H:%M:%SZ"))
    by_object: dict[Ref, list[Told]] = {}
    for told in told_of(audit):
        by_object.setdefault(told.finding.ref, []).append(told)
    for ref, found in by_object.items():
        results = [_result(told, moment) for told in found]
        yield _report(dialect, ref, results)
    gaps = [_gap(gap, moment) for gap in audit.gaps]
    if gaps or not by_object:
        yield _summary(dialect, gaps, audit)


def _report(dialect: Dialect, ref: Ref, results: list[dict[str, Any]]) -> dict[str, Any]:
    kind = dialect.kind if ref.namespace else dialect.of_cluster
    scope = {"apiVersion": ref.api_version, "kind": ref.kind, "name": escaped(ref.name)}
    metadata: dict[str, Any] = {"name": name_of(ref)}
    if ref.namespace:
        scope["namespace"] = metadata["namespace"] = escaped(ref.namespace)
    metadata["labels"] = {"app.kubernetes.io/managed-by": SOURCE}
    return {
        "apiVersion": dialect.api_version,
        "kind": kind,
        "metadata": metadata,
        "scope": scope,
        "summary": counts(results),
        "results": results,
    }


def _summary(dialect: Dialect, gaps: list[dict[str, Any]], audit: Audit) -> dict[str, Any]:
    return {
        "apiVersion": dialect.api_version,
        "kind": dialect.of_cluster,
        "metadata": {
            "name": "auditor-gaps",
            "labels": {"app.kubernetes.io/managed-by": SOURCE},
            "annotations": {"auditor/policies-digest": f"sha256:{digest(audit.policies)}"},
        },
        "summary": counts(gaps),
        "results": gaps,
    }


def name_of(ref: Ref) -> str:
    """A name of its own for each object, that the API server takes."""
    return f"auditor-{hashlib.sha256(chr(0).join(ref.key).encode()).hexdigest()[:24]}"


def counts(results: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many results there are of each sort."""
    found = dict.fromkeys(_SUMMED, 0)
    for result in results:
        found[result["result"]] += 1
    return found


def _result(told: Told, moment: int) -> dict[str, Any]:
    finding = told.finding
    return {
        "source": SOURCE,
        "policy": finding.policy.id,
        "rule": finding.policy.id,
        "category": finding.policy.id.partition("/")[0],
        "severity": finding.severity.value,
        "result": RESULTS[finding.status],
        "message": escaped(finding.message),
        "timestamp": {"seconds": moment, "nanos": 0},
        "properties": dict(_properties(finding, told)),
    }


def _properties(finding: Finding, told: Told) -> Iterator[tuple[str, str]]:
    yield "fingerprint", finding.fingerprint
    yield "status", finding.status.value
    if finding.anchor:
        yield "anchor", escaped(finding.anchor)
    if finding.reason:
        yield "reason", escaped(finding.reason)
    if told.fix:
        yield "fix", escaped(told.fix)


def _gap(gap: Gap, moment: int) -> dict[str, Any]:
    result = "error" if gap.severity is Unseen.INCOMPLETE else "warn"
    return {
        "source": SOURCE,
        "policy": "gap",
        "rule": escaped(gap.what)[:200],
        "result": "skip" if gap.acknowledged else result,
        "message": escaped(f"{gap.what}: {gap.why}"),
        "timestamp": {"seconds": moment, "nanos": 0},
    }
