"""What a process counts, in the text format of Prometheus. All of it lives in the process that
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
