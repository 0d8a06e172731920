"""What the webhook counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from auditor.serving.metrics import Counter, Gauge, Histogram, Labels


class Metrics:
    """Everything that is counted."""

    def __init__(self) -> None:
        self.requests = Counter(
            "auditor_webhook_requests_total", "Requests by path and HTTP status of the answer."
        )
        self.verdicts = Counter(
            "auditor_webhook_verdicts_total", "Reviews by operation, resource and what was said."
        )
        self.seconds = Histogram(
            "auditor_webhook_review_seconds", "From the head of a review to its answer."
        )
        self.judged_again = Counter(
            "auditor_webhook_judged_again_total",
            "Judgements that another admission made worthless meanwhile.",
        )
        self.ended = Counter(
            "auditor_webhook_evaluators_ended_total", "Evaluators that were replaced, by why."
        )
        self.connections = Counter(
            "auditor_webhook_connections_closed_total", "Connections that we closed, by why."
        )
        self.lost_logs = Counter(
            "auditor_webhook_log_lines_lost_total", "Log lines that nobody took in time."
        )
        self.races = Counter(
            "auditor_webhook_races_total",
            "Faults that came of admissions together, each of them right alone; by policy.",
        )
        self.unjudged = Counter(
            "auditor_webhook_unjudged_total",
            "Faults on what came in while no replica answered, by policy.",
        )
        self._gauges: list[Gauge] = []

    def count_unjudged(self, policy: str) -> None:
        """Count a fault on what came in while no replica answered."""
        self.unjudged.add(policy=policy)

    def gauge(self, name: str, told: str, ask: Callable[[], Mapping[Labels, float]]) -> None:
        """Tell one more number, which is asked for when somebody looks."""
        self._gauges.append(Gauge(name, told, ask))

    def text(self) -> str:
        """All of it, as Prometheus reads it."""
        counted = (self.requests, self.verdicts, self.judged_again, self.ended, self.connections)
        all_of_it: tuple[Counter | Gauge | Histogram, ...] = (
            *counted, self.races, self.unjudged, self.lost_logs, self.seconds, *self._gauges,
        )  # fmt: skip
        return "".join(f"{line}\n" for each in all_of_it for line in each.lines())
