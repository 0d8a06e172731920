"""Which workloads a selector may mean, without a look at all of a namespace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from auditor.facts.selectors import Labels, Selector
from auditor.facts.workloads import Workload
from auditor.values import dataclass

Labelled = Mapping[str, Sequence[tuple[Workload, Labels]]]
Found = dict[tuple[str, str | None], list[tuple[Workload, Labels]]]


@dataclass
class ByLabel:
    """The workloads of each namespace by the labels of their pods. Not frozen: it remembers."""

    here: Labelled
    _by_label: dict[str, Found] = field(default_factory=dict)

    def candidates(
        self, namespace: str, selector: Selector | None
    ) -> Iterator[tuple[Workload, Labels]]:
        """All that the selector may match, and perhaps others."""
        if selector is None:
            return
        asked = next((r for r in selector.requirements if r.operator == "In"), None)
        found = self.here.get(namespace, ())
        if asked is None:
            yield from found
            return
        known = self._labels(namespace)
        for value in (*sorted(asked.values), None):
            yield from known.get((asked.key, value), ())

    def _labels(self, namespace: str) -> Found:
        """By key and value; by a key and None where a controller writes the value."""
        if namespace not in self._by_label:
            found: Found = {}
            for pair in self.here.get(namespace, ()):
                labels = pair[1]
                hidden = dict.fromkeys(labels.hidden)
                for item in {**labels.known, **hidden}.items():
                    found.setdefault(item, []).append(pair)
            self._by_label[namespace] = found
        return self._by_label[namespace]
