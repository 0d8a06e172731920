"""Controls as metrics in Prometheus' text format: how many of each framework have which status, and
the status of each.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.reporters.frameworks.view import View
from auditor.reporters.prometheus import Labels, metric


def render(view: View) -> str:
    """Two metrics."""
    return "".join(f"{line}\n" for line in _lines(view))


def _lines(view: View) -> Iterator[str]:
    counts: dict[Labels, int] = {}
    single: dict[Labels, int] = {}
    for answer in view.answers:
        framework = ("framework", answer.framework.id)
        for status, number in answer.counts.items():
            counts[framework, ("status", status.value)] = number
        for one in answer.controls:
            single[framework, ("control", one.name), ("status", one.status.value)] = 1
    yield from metric("auditor_controls", "Controls by what they are evidence of.", counts)
    yield from metric("auditor_control", "The status that each control has.", single)
