"""How good a node is for a pod, among those that can take it.

Rules: the score plugins of kube-scheduler's default profile with their weights. Whole numbers,
as upstream; a float only where upstream has one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from auditor.facts.placement.affinity import score_affinity
from auditor.facts.placement.columns import Bools, Columns, Ints, column
from auditor.facts.placement.occupancy import BEST, Occupancy
from auditor.facts.placement.pods import Pod
from auditor.facts.placement.requests import CPU, MEMORY
from auditor.facts.placement.spread import Eligible, score_spread, services_of
from auditor.facts.placement.tolerations import untolerated
from auditor.facts.placement.topology import Node
from auditor.model import Snapshot

WEIGHTS = {
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "PodTopologySpread": 2,
    "InterPodAffinity": 2,
    "NodeResourcesFit": 1,
    "NodeResourcesBalancedAllocation": 1,
    "ImageLocality": 1,
}
_MB = 2**20
_SMALL, _LARGE = 23 * _MB, 1000 * _MB
"""The sizes between which an image counts."""


class Scorer:
    """Scores the nodes of an occupancy for pods of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._services = services_of(snapshot)

    def weighted(
        self, pod: Pod, occupancy: Occupancy, fits: Bools, eligible: Eligible
    ) -> Mapping[str, Ints]:
        """For each plugin that applies, its score times its weight: one number for each node, of
        which those of the nodes that fit count.
        """
        columns = occupancy.columns
        found = {
            "TaintToleration": _taints(pod, columns, fits),
            "NodeAffinity": _preferences(pod, columns, fits),
            "PodTopologySpread": score_spread(pod, occupancy, fits, eligible, self._services),
            "InterPodAffinity": score_affinity(pod, occupancy, fits),
            "NodeResourcesFit": _least_allocated(pod, occupancy),
            "NodeResourcesBalancedAllocation": _balanced(pod, occupancy),
            "ImageLocality": _images(pod, columns),
        }
        return {
            name: WEIGHTS[name] * scores for name, scores in found.items() if scores is not None
        }


def _taints(pod: Pod, columns: Columns, fits: Bools) -> Ints:
    """The fewer taints that merely warn, the better."""
    tolerations = pod.shape.tolerations

    def warnings(node: Node) -> int:
        return sum(1 for _ in untolerated(node.taints, tolerations, _WARNING))

    counts = columns.numbers(("warnings", tolerations), (), warnings)
    most = int(counts[fits].max())
    return BEST - BEST * counts // most if most else columns.ones * BEST


def _preferences(pod: Pod, columns: Columns, fits: Bools) -> Ints | None:
    terms = tuple(term for term in pod.shape.choice.preferred if term.weight)
    if not terms:
        return None

    def worth(node: Node) -> int:
        return sum(t.weight for t in terms if t.matches(node.name, node.labels))

    raw = columns.numbers(("worth", terms), terms, worth)
    most = int(raw[fits].max())
    return BEST * raw // most if most else np.zeros_like(raw)


def _least_allocated(pod: Pod, occupancy: Occupancy) -> Ints:
    """The more CPU and memory is left, the better."""
    columns, requests = occupancy.columns, pod.shape.requests
    cpu, memory = columns.holds(CPU), columns.holds(MEMORY)
    left = _left(cpu, occupancy.assumed_cpu + requests.assumed_cpu)
    left = left + _left(memory, occupancy.assumed_memory + requests.assumed_memory)
    scores: Ints = left // np.maximum(columns.says(CPU) + columns.says(MEMORY), 1)
    return scores


def _left(total: Ints, taken: Ints) -> Ints:
    """The share that is left, in hundredths; 0 where a node does not say how much it has."""
    share: Ints = np.maximum(total - taken, 0) * BEST // np.maximum(total, 1)
    return share


def _balanced(pod: Pod, occupancy: Occupancy) -> Ints | None:
    """The more the pod evens out the shares of CPU and memory, the better: 75 where it changes
    nothing (kubernetes/kubernetes#135573, since 1.36).
    """
    amounts = pod.shape.requests.amounts
    if not amounts.get(CPU) and not amounts.get(MEMORY):
        return None
    return (150 + _balance(amounts, occupancy) - _balance({}, occupancy)) // 2


def _balance(more: Mapping[str, int], occupancy: Occupancy) -> Ints:
    """How close the shares of CPU and memory are, with `more` on each node. A node that says how
    much it has of one of them alone is in balance.
    """
    columns = occupancy.columns
    cpu, memory = (
        np.minimum((occupancy.taken(name) + more.get(name, 0)) / columns.divisor(name), 1.0)
        for name in (CPU, MEMORY)
    )
    apart = np.abs((cpu - memory) / 2) * (columns.says(CPU) & columns.says(MEMORY))
    balance: Ints = ((1 - apart) * BEST).astype(np.int64)
    return balance


def _images(pod: Pod, columns: Columns) -> Ints | None:
    """The more of the images is there, the better; less so where few nodes have them."""
    everywhere: Mapping[str, int] = columns.remembered(
        "images", lambda: Counter(image for node in columns.nodes for image in node.images)
    )
    images = pod.shape.images
    if not everywhere or not images:
        return None
    return columns.remembered(
        ("images", images),
        lambda: column([_image_score(images, node, everywhere, columns) for node in columns.nodes]),
    )


def _image_score(
    images: Sequence[str], node: Node, everywhere: Mapping[str, int], columns: Columns
) -> int:
    size = sum(
        int(node.images[image] * (everywhere[image] / len(columns.nodes)))
        for image in images
        if image in node.images
    )
    most = _LARGE * len(images)
    return BEST * (max(_SMALL, min(size, most)) - _SMALL) // (most - _SMALL)


_WARNING = ("PreferNoSchedule",)
