"""Controls as a ClusterPolicyReport for each framework, which dashboards of a cluster read."""

from __future__ import annotations

import calendar
import time
from typing import Any

import yaml

from auditor.frameworks.assessment import Assessed, ControlStatus, answered
from auditor.reporters.assessed import date
from auditor.reporters.frameworks.view import Answer, View, looked
from auditor.reporters.policy_report import KYVERNO, SOURCE, Dialect, counts
from auditor.text import escaped

RESULTS = {
    ControlStatus.PASSED: "pass",
    ControlStatus.FAILED: "fail",
    ControlStatus.WAIVED: "skip",
    ControlStatus.MANUAL: "skip",
    ControlStatus.NOT_ASSESSED: "error",
}
OBJECTS = 20
"""So many objects are named for a control: a report has to fit into what etcd takes."""


def render(view: View) -> str:
    """YAML documents, to be applied with kubectl."""
    return written(view, KYVERNO)


def written(view: View, dialect: Dialect) -> str:
    """The reports in one dialect."""
    documents = [_report(answer, dialect) for answer in view.answers]
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, explicit_start=True)


def _report(answer: Answer, dialect: Dialect) -> dict[str, Any]:
    moment = calendar.timegm(time.strptime(date(), "%Y-%m-%dT%H:%M:%SZ"))
    results = [_result(one, moment) for one in answer.controls]
    return {
        "apiVersion": dialect.api_version,
        "kind": dialect.of_cluster,
        "metadata": {
            "name": f"auditor-{answer.framework.id}",
            "labels": {"app.kubernetes.io/managed-by": SOURCE},
        },
        "summary": counts(results),
        "results": results,
    }


def _result(one: Assessed, moment: int) -> dict[str, Any]:
    said = "; ".join((one.control.title, *one.why))
    result = {
        "source": SOURCE,
        "policy": one.framework.id,
        "rule": one.name,
        "category": one.framework.section_of(one.name) or one.framework.id,
        "result": RESULTS[one.status],
        "message": escaped(said),
        "timestamp": {"seconds": moment, "nanos": 0},
        "properties": {
            "status": one.status.value,
            "policies": escaped(", ".join(map(looked, one.looks))),
            "partly": escaped("; ".join(one.partly)),
        },
    }
    failing = dict.fromkeys(f.ref for f in one.findings if not answered(f))
    objects = [
        {"apiVersion": ref.api_version, "kind": ref.kind, "name": escaped(ref.name)}
        | ({"namespace": escaped(ref.namespace)} if ref.namespace else {})
        for ref in list(failing)[:OBJECTS]
    ]
    return result | ({"resources": objects} if objects else {})
