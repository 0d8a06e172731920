"""How the Deployment controller sets the sizes of its ReplicaSets.

``pkg/controller/deployment/{rolling,recreate,sync}.go`` and ``util/deployment_util.go`` of
Kubernetes 1.36. A revision is a number in the order of creation; sizes are ``spec.replicas``.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.facts.controllers.budgets import scaled
from auditor.manifests import at, mapping
from auditor.model import Manifest
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Strategy:
    """What a Deployment wants, and how it gets there."""

    replicas: int
    recreate: bool
    surge: int
    unavailable: int
    paused: bool

    @property
    def most(self) -> int:
        """All sizes together stay at or below it."""
        return self.replicas + self.surge

    @property
    def least(self) -> int:
        """It keeps so many pods available where it can."""
        return self.replicas - self.unavailable


def strategy_of(deployment: Manifest) -> Strategy:
    """The strategy that a valid Deployment writes, shares rounded as the controller does."""
    spec = mapping(deployment.get("spec"))
    replicas = spec.get("replicas", 1)
    recreate = at(spec, ("strategy", "type")) == "Recreate"
    rolling = mapping(at(spec, ("strategy", "rollingUpdate")))
    surge = scaled(rolling.get("maxSurge", "25%"), replicas)
    unavailable = scaled(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    if not surge and not unavailable:
        unavailable = 1
    return Strategy(
        replicas=replicas,
        recreate=recreate,
        surge=0 if recreate else surge,
        unavailable=0 if recreate else min(unavailable, replicas),
        paused=spec.get("paused") is True,
    )


Sizes = tuple[int, ...]


def grown(sizes: Sizes, new: int, strategy: Strategy) -> Sizes:
    """The sizes once the new revision was given what it may have."""
    size, room = sizes[new], strategy.most - sum(sizes)
    if size > strategy.replicas or strategy.recreate:
        return _with(sizes, new, strategy.replicas)
    if size == strategy.replicas or room <= 0:
        return sizes
    return _with(sizes, new, size + min(room, strategy.replicas - size))


def shrunk(sizes: Sizes, available: Sizes, new: int, strategy: Strategy) -> Sizes:
    """The sizes once the old revisions gave up what they may: what is not available first, then
    as many as keep the least.
    """
    spare = sum(sizes) - strategy.least - max(sizes[new] - available[new], 0)
    if spare <= 0:
        return sizes
    sizes = _cleaned(sizes, available, new, spare)
    left = sum(available) - strategy.least
    for old in _old(sizes, new):
        if left <= 0:
            break
        gone = min(sizes[old], left)
        sizes, left = _with(sizes, old, sizes[old] - gone), left - gone
    return sizes


def _cleaned(sizes: Sizes, available: Sizes, new: int, spare: int) -> Sizes:
    for old in _old(sizes, new):
        gone = min(spare, max(sizes[old] - available[old], 0))
        sizes, spare = _with(sizes, old, sizes[old] - gone), spare - gone
    return sizes


def scaled_to(sizes: Sizes, available: Sizes, new: int | None, before: int, to: Strategy) -> Sizes:
    """The sizes after ``spec.replicas`` changed: each revision gets its share, the largest what is
    left over. `before` is what all of them together could have had, surge included.
    """
    active = [number for number, size in enumerate(sizes) if size]
    only = active[0] if len(active) == 1 else new if not active else None
    if only is not None:
        return _with(sizes, only, to.replicas)
    if new is not None and sizes[new] == to.replicas == available[new]:
        return tuple(size if number == new else 0 for number, size in enumerate(sizes))
    return sizes if to.recreate else _proportional(sizes, active, before, to)


def _proportional(sizes: Sizes, active: list[int], before: int, to: Strategy) -> Sizes:
    allowed = to.most if to.replicas else 0
    adding = allowed - sum(sizes)
    newest_first = adding > 0
    order = sorted(active, key=lambda n: (-sizes[n], -n if newest_first else n))
    added, shares = 0, dict.fromkeys(order, 0)
    for number in order:
        share = _share(sizes[number], before, to)
        left = adding - added
        shares[number] = min(share, left) if adding > 0 else max(share, left)
        added += shares[number]
    if order:
        shares[order[0]] += adding - added
    return tuple(max(size + shares.get(number, 0), 0) for number, size in enumerate(sizes))


def _share(size: int, before: int, to: Strategy) -> int:
    if not to.replicas:
        return -size
    return int(size * to.most / before + 0.5) - size if before else 0


def _old(sizes: Sizes, new: int) -> Iterator[int]:
    return (number for number in range(len(sizes)) if number != new)


def _with(sizes: Sizes, number: int, size: int) -> Sizes:
    return (*sizes[:number], size, *sizes[number + 1 :])
