"""What the webhook counts, in the text format of Prometheus. All of it lives in the process that
answers. No label holds what a user wrote.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of the buckets of a duration."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MOST_SERIES = 200
"""Of one name: what comes after is counted under the label values ``other``."""

Labels = tuple[tuple[str, str], ...]


class Counter:
    """A number that only grows, for each set of labels."""

    def __init__(self, name: str, told: str) -> None:
        self.name, self._told = name, told
        self._values: dict[Labels, float] = {}

    def add(self, count: float = 1, **labels: str) -> None:
        """Count so many more."""
        key = tuple(labels.items())
        if key not in self._values and len(self._values) >= MOST_SERIES:
            key = tuple((name, "other") for name in labels)
        self._values[key] = self._values.get(key, 0) + count

    def lines(self) -> Iterator[str]:
        """As Prometheus reads it."""
        yield from _head(self.name, self._told, "counter")
        for labels, value in list(self._values.items()) or [((), 0.0)]:
            yield f"{self.name}{_shown(labels)} {_number(value)}"


class Gauge:
    """A number that is asked for when somebody looks. One whose name ends in ``_total`` only grows,
    and is shown as a counter.
    """

    def __init__(self, name: str, told: str, ask: Callable[[], Mapping[Labels, float]]) -> None:
        self.name, self._told, self._ask = name, told, ask
        self._kind = "counter" if name.endswith("_total") else "gauge"

    def lines(self) -> Iterator[str]:
        """As Prometheus reads it."""
        yield from _head(self.name, self._told, self._kind)
        for labels, value in self._ask().items():
            yield f"{self.name}{_shown(labels)} {_number(value)}"


class Histogram:
    """How long something took."""

    def __init__(self, name: str, told: str) -> None:
        self.name, self._told = name, told
        self._counts = [0] * (len(SECONDS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """It took so long once more."""
        self._counts[bisect_left(SECONDS, seconds)] += 1
        self._sum += seconds

    def lines(self) -> Iterator[str]:
        """As Prometheus reads it."""
        yield from _head(self.name, self._told, "histogram")
        total = 0
        for bound, count in zip((*SECONDS, "+Inf"), self._counts, strict=True):
            total += count
            yield f'{self.name}_bucket{{le="{bound}"}} {total}'
        yield f"{self.name}_sum {self._sum:.6f}"
        yield f"{self.name}_count {total}"


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


def _head(name: str, told: str, kind: str) -> Iterator[str]:
    yield f"# HELP {name} {told}"
    yield f"# TYPE {name} {kind}"


def _shown(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _number(value: float) -> str:
    """Every digit of it: a moment has ten before the point."""
    return f"{value:.0f}" if float(value).is_integer() else repr(float(value))


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
