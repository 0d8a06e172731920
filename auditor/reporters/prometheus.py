"""The report as metrics in Prometheus' text format, for the textfile collector of node_exporter
(https://prometheus.io/docs/instrumenting/exposition_formats/). No label is the name of an object:
there would be as many series as objects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from auditor.model import Audit
from auditor.reporters.assessed import assessed
from auditor.reporters.view import View
from auditor.text import escaped

Labels = tuple[tuple[str, str], ...]


def render(audit: Audit, view: View) -> str:  # noqa: ARG001 - all reporters are called alike
    """Counts of findings, gaps and questions."""
    return "".join(f"{line}\n" for line in _lines(audit))


def _lines(audit: Audit) -> Iterator[str]:
    findings: Counter[Labels] = Counter(
        (
            ("policy", f.policy.id),
            ("severity", f.severity.value),
            ("namespace", f.ref.namespace),
            ("status", f.status.value),
        )
        for f in audit.findings
    )
    yield from metric("auditor_findings", "Faults that were found.", findings)
    gaps: Counter[Labels] = Counter(
        (("severity", gap.severity.value), ("acknowledged", str(bool(gap.acknowledged)).lower()))
        for gap in audit.gaps
    )
    yield from metric("auditor_gaps", "What could not be seen.", gaps)
    told = assessed(audit)
    single = {
        "auditor_objects": ("Objects that were read.", told.objects),
        "auditor_questions": ("Policies times the objects of their kinds.", told.questions),
        "auditor_questions_unanswered": ("Questions without an answer.", told.unanswered),
    }
    for name, (what, number) in single.items():
        yield from metric(name, what, {(): number})


def metric(name: str, what: str, numbers: Mapping[Labels, int]) -> Iterator[str]:
    """One gauge with its numbers."""
    yield f"# HELP {name} {what}"
    yield f"# TYPE {name} gauge"
    for labels, number in sorted(numbers.items()):
        yield f"{name}{_written(labels)} {number}"


def _written(labels: Iterable[tuple[str, str]]) -> str:
    told = ",".join(f'{key}="{_value(value)}"' for key, value in labels)
    return f"{{{told}}}" if told else ""


def _value(text: str) -> str:
    return escaped(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
