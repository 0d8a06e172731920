"""Judges one direction of one connection by all dialects of policies, one after the other.

Tier Admin of the cluster-wide policies, then NetworkPolicies, then tier Baseline: whoever decides
is the last who is asked, and what nobody decides is accepted. A further dialect is a further
`Stage`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import field, replace
from functools import lru_cache

from auditor.facts.network.answers import Direction, Reason
from auditor.facts.network.cluster_policies import ClusterPolicy
from auditor.facts.network.cluster_wide import ClusterWide
from auditor.facts.network.decisions import (
    Connection,
    Decision,
    Effect,
    Note,
    Selection,
    Side,
    Stage,
    composed,
)
from auditor.facts.network.namespaced import Namespaced, Selecting, isolates
from auditor.facts.network.points import NODE, POD, Point
from auditor.facts.network.policies import Block, NetPolicy, Pods, PolicyRule
from auditor.facts.network.ports import PortSet
from auditor.facts.network.profiles import Profile
from auditor.facts.network.reading import Reading, Relabelled
from auditor.facts.selectors import Truth
from auditor.values import dataclass

CACHED = 1 << 16
"""How many answers are kept, each for what the stages say together."""


@dataclass(slots=True)
class Judge:
    """All policies of a snapshot. Not frozen: it remembers what it has answered."""

    policies: dict[str, list[NetPolicy]]
    """By namespace."""
    cluster_wide: Sequence[ClusterPolicy]
    profile: Profile
    _namespaced: Namespaced = field(init=False)
    _stages: tuple[Stage, ...] = field(init=False)
    _composed: _Composing = field(init=False)

    def __post_init__(self) -> None:
        reading = Reading(self.profile)
        self._namespaced = Namespaced(self.policies, reading)
        admin = [policy for policy in self.cluster_wide if policy.tier == "Admin"]
        baseline = [policy for policy in self.cluster_wide if policy.tier == "Baseline"]
        stages: tuple[Stage | None, ...] = (
            ClusterWide("Admin", admin, reading) if admin else None,
            self._namespaced,
            ClusterWide("Baseline", baseline, reading) if baseline else None,
        )
        self._stages = tuple(stage for stage in stages if stage)
        self._composed = _Composing(self.profile)

    def after(
        self,
        namespaces: Mapping[str, list[NetPolicy]],
        cluster_wide: Sequence[ClusterPolicy] | None,
    ) -> Judge:
        """The same with other NetworkPolicies in some namespaces, and with other cluster-wide
        policies unless that is None. What is remembered of points holds for both.
        """
        policies = {**self.policies, **namespaces}
        if cluster_wide is not None:
            return Judge(policies, cluster_wide, self.profile)
        found = copy(self)
        found.policies = policies
        found._namespaced = self._namespaced.after(namespaces)
        found._stages = tuple(
            found._namespaced if stage is self._namespaced else stage for stage in self._stages
        )
        return found

    def selecting(self, point: Point, direction: Direction) -> Selecting:
        """The NetworkPolicies that isolate the point in this direction, or may."""
        enforced = self.profile.enforces
        if enforced is Truth.YES:
            return self._namespaced.selecting(point, direction)
        found = self._namespaced.selecting(point, direction) if enforced else ()
        return tuple((policy, min(truth, enforced)) for policy, truth in found)

    def selection(self, subject: Point, direction: Direction) -> Selection:
        """The policies of all stages that have a say for this subject; see `Stage.selection`."""
        return tuple(each for stage in self._stages for each in stage.selection(subject, direction))

    def plain(self, subject: Point, direction: Direction) -> Selecting | None:
        """The NetworkPolicies that alone decide between this pod and others that are not on the
        network of their node; None where somebody else has a say, or it is such a pod itself.
        """
        if subject.kind != POD or self.profile.enforces is not Truth.YES:
            return None
        others = (stage for stage in self._stages if stage is not self._namespaced)
        if any(stage.selection(subject, direction) for stage in others):
            return None
        return self._namespaced.selecting(subject, direction)

    def united(self, subject: Point, direction: Direction) -> Selecting | None:
        """Those of `plain`, where there are none or one surely selects the subject: what their
        rules admit adds up.
        """
        found = self.plain(subject, direction)
        return found if not found or isolates(found) else None

    def admitted(self, rule: PolicyRule, target: Point) -> tuple[PortSet, PortSet]:
        """The ports of a rule on the target, surely and perhaps."""
        return self._namespaced.admitted(rule, Truth.YES, target)

    def bounds(
        self, selecting: Selecting, direction: Direction, truths: Iterable[Truth], target: Point
    ) -> tuple[PortSet, PortSet]:
        """What those that `plain` names let through; see `Namespaced.bounds`."""
        return self._namespaced.bounds(selecting, direction, truths, target)

    def between(
        self, direction: Direction, source: Point, target: Point
    ) -> tuple[PortSet, PortSet]:
        """What the policies of one end let through, surely and perhaps: as `side`, at a third of
        its cost where no reasons are needed, for ends of which it is not known whether they are on
        one node.
        """
        subject, other = (target, source) if direction == "Ingress" else (source, target)
        selecting = self.plain(subject, direction)
        if selecting is None or other.kind == NODE:
            side = self.side(direction, source, target)
            return side.sure, side.possible
        admits = self._namespaced.reading.admits
        truths = [
            admits(r, policy, other) for policy, _ in selecting for r in policy.rules[direction]
        ]
        return self.bounds(selecting, direction, truths, target)

    def same_of(self, direction: Direction, subject: Point, pods: Relabelled) -> bool:
        """Whether the policies of the subject surely say the same of two pods."""
        selecting = self.plain(subject, direction)
        if selecting is None:
            return False
        for policy, _ in selecting:
            home = policy.ref.namespace
            for rule in policy.rules[direction]:
                for peer in rule.peers:
                    if isinstance(peer, Pods) and pods.differ(peer, home):
                        return False
        return True

    def means_pods(self, peer: Pods | Block) -> Truth:
        """Whether such a peer can mean a pod at all."""
        return self.profile.blocks_match_pods if isinstance(peer, Block) else Truth.YES

    def side(
        self, direction: Direction, source: Point, target: Point, near: Truth = Truth.MAYBE
    ) -> Side:
        """What the policies of one end say; the same object where they say the same, as far as
        it is cheap to tell. `near` says whether both are on one node.
        """
        subject, other = (target, source) if direction == "Ingress" else (source, target)
        connection = Connection(direction, subject, other, near)
        return self._composed(tuple(stage.decide(connection) for stage in self._stages))


class _Composing:
    """Composes decisions as far as the enforcer enforces them."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._kept = lru_cache(CACHED)(self._compose)

    def __call__(self, decisions: tuple[Decision, ...]) -> Side:
        return self._kept(decisions)

    def _compose(self, decisions: tuple[Decision, ...]) -> Side:
        name, enforces = self._profile.name, self._profile.enforces
        if enforces is Truth.NO:
            text = f"nothing enforces network policies with {name}"
            note = Note(Effect.OPEN, PortSet.NONE, Reason(None, (), text))
            return Side(PortSet.ALL, PortSet.ALL, (note,))
        side = composed(decisions)
        if enforces is Truth.YES or side.sure == PortSet.ALL:
            return side
        doubt = "whether anything enforces network policies here is not known"
        return replace(side, possible=PortSet.ALL, unknown=(doubt, *side.unknown))
