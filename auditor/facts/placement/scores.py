"""How good a node is for a pod, among those that can take it.

Rules: the score plugins of kube-scheduler's default profile with their weights. Whole numbers,
as upstream; a float only where upstream has one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

from auditor.facts.placement.affinity import score_affinity
from auditor.facts.placement.occupancy import BEST, Occupancy
from auditor.facts.placement.pods import Pod
from auditor.facts.placement.requests import CPU, MEMORY
from auditor.facts.placement.spread import Eligible, score_spread, services_of
from auditor.facts.placement.tolerations import untolerated
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
    """Scores nodes of one occupancy."""

    def __init__(self, occupancy: Occupancy, snapshot: Snapshot) -> None:
        self._occupancy = occupancy
        self._services = services_of(snapshot)

    def weighted(
        self, pod: Pod, nodes: Sequence[int], eligible: Eligible
    ) -> Mapping[str, Sequence[int]]:
        """For each plugin that applies, its score times its weight, in the order of `nodes`."""
        found = {
            "TaintToleration": self._taints(pod, nodes),
            "NodeAffinity": self._preferences(pod, nodes),
            "PodTopologySpread": score_spread(
                pod, self._occupancy, nodes, eligible, self._services
            ),
            "InterPodAffinity": score_affinity(pod, self._occupancy, nodes),
            "NodeResourcesFit": [self._least_allocated(pod, index) for index in nodes],
            "NodeResourcesBalancedAllocation": self._balanced(pod, nodes),
            "ImageLocality": self._images(pod, nodes),
        }
        return {
            name: [WEIGHTS[name] * score for score in scores]
            for name, scores in found.items()
            if scores is not None
        }

    def _taints(self, pod: Pod, nodes: Sequence[int]) -> list[int]:
        """The fewer taints that merely warn, the better."""
        warnings = [
            sum(
                1
                for _ in untolerated(
                    self._occupancy.nodes[index].taints, pod.shape.tolerations, _WARNING
                )
            )
            for index in nodes
        ]
        most = max(warnings, default=0)
        return [BEST - BEST * count // most if most else BEST for count in warnings]

    def _preferences(self, pod: Pod, nodes: Sequence[int]) -> list[int] | None:
        terms = [term for term in pod.shape.choice.preferred if term.weight]
        if not terms:
            return None
        raw = []
        for index in nodes:
            node = self._occupancy.nodes[index]
            raw.append(sum(t.weight for t in terms if t.matches(node.name, node.labels)))
        most = max(raw, default=0)
        return [BEST * score // most if most else 0 for score in raw]

    def _least_allocated(self, pod: Pod, index: int) -> int:
        """The more CPU and memory is left, the better."""
        allocatable, load = self._occupancy.nodes[index].allocatable, self._occupancy.loads[index]
        requests = pod.shape.requests
        scores = []
        for name, taken in (
            (CPU, load.assumed_cpu + requests.assumed_cpu),
            (MEMORY, load.assumed_memory + requests.assumed_memory),
        ):
            total = (allocatable or {}).get(name, 0)
            if total:
                scores.append((total - taken) * BEST // total if taken <= total else 0)
        return sum(scores) // len(scores) if scores else 0

    def _balanced(self, pod: Pod, nodes: Sequence[int]) -> list[int] | None:
        """The more the pod evens out the shares of CPU and memory, the better: 75 where it changes
        nothing (kubernetes/kubernetes#135573, since 1.36).
        """
        amounts = pod.shape.requests.amounts
        if not amounts.get(CPU) and not amounts.get(MEMORY):
            return None
        return [
            (150 + self._balance(amounts, index) - self._balance({}, index)) // 2 for index in nodes
        ]

    def _balance(self, more: Mapping[str, int], index: int) -> int:
        """How close the shares of CPU and memory are, with `more` on the node."""
        allocatable, load = self._occupancy.nodes[index].allocatable, self._occupancy.loads[index]
        shares = []
        for name in (CPU, MEMORY):
            total = (allocatable or {}).get(name, 0)
            if total:
                shares.append(min((load.amounts[name] + more.get(name, 0)) / total, 1.0))
        apart = abs((shares[0] - shares[1]) / 2) if len(shares) == 2 else 0.0
        return int((1 - apart) * BEST)

    @cached_property
    def _spread_of_images(self) -> Mapping[str, int]:
        """On how many nodes each image is."""
        return Counter(image for node in self._occupancy.nodes for image in node.images)

    def _images(self, pod: Pod, nodes: Sequence[int]) -> list[int] | None:
        """The more of the images is there, the better; less so where few nodes have them."""
        images = pod.shape.images
        if not self._spread_of_images or not images:
            return None
        return [self._image_score(images, index) for index in nodes]

    def _image_score(self, images: Sequence[str], index: int) -> int:
        known, everywhere = self._occupancy.nodes[index].images, len(self._occupancy.nodes)
        size = sum(
            int(known[image] * (self._spread_of_images[image] / everywhere))
            for image in images
            if image in known
        )
        most = _LARGE * len(images)
        return BEST * (max(_SMALL, min(size, most)) - _SMALL) // (most - _SMALL)


_WARNING = ("PreferNoSchedule",)
