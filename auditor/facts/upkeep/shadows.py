"""Which rules change nothing, since another one admits all that they admit.

Judged by what is written and not by who is there today: what is said holds whatever pods come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from functools import lru_cache
from itertools import combinations, product

from auditor.facts.network.answers import Direction
from auditor.facts.network.outside import IPNetwork
from auditor.facts.network.policies import FIELDS, Block, NetPolicy, Pods, PolicyRule
from auditor.facts.selectors import Requirement, Selector
from auditor.values import dataclass

LONGEST = 6
"""Requirements of a selector up to which another policy is looked for that has some of them: each
has twice as many combinations as the one before."""

Requirements = frozenset[Requirement]

_ByPeer = dict[object, list[tuple[NetPolicy, PolicyRule]]]
"""Rules by what their peers are found by."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """A rule that admits all that another one admits."""

    rule: PolicyRule
    """The one that changes nothing."""
    by: PolicyRule
    policy: NetPolicy
    """Where `by` stands."""
    same: bool
    """Whether both admit the same."""


@dataclass(slots=True)
class Shadows:
    """The rules of all policies, by namespace and by whom they select. Not frozen: it is filled
    once, when made.

    Cost: to build, one look at each rule. A question looks at the rules of the policies that have
    some of the requirements of the selector, and that name one of the peers, or everybody.
    """

    policies: Sequence[NetPolicy]
    _rules: dict[tuple[str, Requirements, Direction], _ByPeer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for policy in self.policies:
            chosen = _requirements(policy.selector)
            for direction, rules in policy.rules.items():
                here = self._rules.setdefault((policy.ref.namespace, chosen, direction), {})
                for rule in rules:
                    for peer in rule.peers or (None,):
                        here.setdefault(_indexed(peer), []).append((policy, rule))

    def of(self, policy: NetPolicy) -> Iterator[Shadow]:
        """A shadow for each rule of `policy` that changes nothing. Of two that admit the same, the
        later one in the same policy; in two policies, that in the one with the later name.
        """
        for direction in FIELDS:
            rules = policy.rules.get(direction, ())
            for index, rule in enumerate(rules):
                found = self._within(policy, rules, index) or self._beside(policy, direction, rule)
                if found:
                    yield found

    def _within(self, policy: NetPolicy, rules: Sequence[PolicyRule], index: int) -> Shadow | None:
        rule = rules[index]
        for place, other in enumerate(rules):
            if place != index and covers(other, rule):
                same = covers(rule, other)
                if not same or place < index:
                    return Shadow(rule, other, policy, same)
        return None

    def _beside(self, policy: NetPolicy, direction: Direction, rule: PolicyRule) -> Shadow | None:
        mine = _requirements(policy.selector)
        if len(mine) > LONGEST:
            return None
        places: tuple[object, ...] = ()
        for chosen in _parts(mine):
            here = self._rules.get((policy.ref.namespace, chosen, direction))
            if not here:
                continue
            places = places or (None, *_indexes(rule.peers[0] if rule.peers else None))
            for peer in places:
                for other, wide in here.get(peer, ()):
                    if other.ref.name == policy.ref.name or not covers(wide, rule):
                        continue
                    same = chosen == mine and covers(rule, wide)
                    if not same or other.ref.name < policy.ref.name:
                        return Shadow(rule, wide, other, same)
        return None


def _indexed(peer: Pods | Block | None) -> object:
    """What a peer is found by: for addresses, that it is one."""
    if peer is None:
        return None
    if isinstance(peer, Block):
        return Block
    return _asked(peer.namespaces), _asked(peer.pods)


@lru_cache(maxsize=1 << 14)
def _indexes(peer: Pods | Block | None) -> tuple[object, ...]:
    """Where a peer is found, or one that means as many or more; of None nowhere."""
    if peer is None:
        return ()
    if isinstance(peer, Block):
        return (Block,)
    return tuple(product(_wider(peer.namespaces), tuple(_wider(peer.pods))))


def _wider(selector: Selector | None) -> Iterator[Requirements | None]:
    mine = _requirements(selector) if selector else frozenset()
    if len(mine) <= LONGEST:
        yield from _parts(mine)
    # No selector for pods means all of them; for namespaces, that of the policy.
    yield None


def _asked(selector: Selector | None) -> Requirements | None:
    return None if selector is None else _requirements(selector)


@lru_cache(maxsize=1 << 14)
def _requirements(selector: Selector) -> Requirements:
    return frozenset(selector.requirements)


@lru_cache(maxsize=1 << 14)
def _parts(requirements: Requirements) -> tuple[Requirements, ...]:
    """Some of them, none of them, all of them."""
    ordered = sorted(requirements, key=lambda r: (r.key, r.operator, sorted(r.values)))
    sizes = range(len(ordered) + 1)
    return tuple(frozenset(some) for size in sizes for some in combinations(ordered, size))


def covers(wide: PolicyRule, rule: PolicyRule) -> bool:
    """Whether `wide` admits all that `rule` admits, whoever is there: rules of one namespace."""
    # Peers first: they differ more often than not, and ports cost more to compare.
    if wide.peers and not rule.peers:
        return False
    if wide.peers and not all(any(_means(w, p) for w in wide.peers) for p in rule.peers):
        return False
    if wide.whole:
        return True
    if rule.whole or not wide.ports.covers(rule.ports):
        return False
    return all(_has_port(wide, protocol, name) for protocol, name in rule.named)


def _has_port(wide: PolicyRule, protocol: str, name: str) -> bool:
    """Whether a port by its name is admitted: by the same name, or with all of the protocol."""
    return (protocol, name) in wide.named or len(wide.ports.numbers(protocol)) == _ALL


_ALL = 65535


def _means(wide: Pods | Block, peer: Pods | Block) -> bool:
    """Whether whoever is meant by `peer` is meant by `wide`."""
    if wide is peer:
        return True
    if isinstance(wide, Block) or isinstance(peer, Block):
        return isinstance(wide, Block) and isinstance(peer, Block) and _holds(wide, peer)
    if (wide.namespaces is None) != (peer.namespaces is None):
        # Every namespace is also the policy's own.
        if wide.namespaces is None or wide.namespaces.requirements:
            return False
    elif wide.namespaces and peer.namespaces and not implied(peer.namespaces, wide.namespaces):
        return False
    if wide.pods is None:
        return True
    return implied(peer.pods or Selector(), wide.pods)


def implied(narrow: Selector, wide: Selector) -> bool:
    """Whether labels that meet all of `narrow` meet all of `wide`."""
    return all(any(_implies(n, w) for n in narrow.requirements) for w in wide.requirements)


def _implies(one: Requirement, other: Requirement) -> bool:
    if one.key != other.key:
        return False
    if one == other:
        return True
    if one.operator == "In":
        return all(other.admits(value) for value in one.values)
    if one.operator == "DoesNotExist":
        return other.operator == "NotIn"
    return (one.operator, other.operator) == ("NotIn", "NotIn") and other.values <= one.values


def _holds(wide: Block, block: Block) -> bool:
    if wide.cidr.version != block.cidr.version or not _inside(block, wide):
        return False
    return all(_left_out(hole, block) for hole in wide.excluded)


def _inside(block: Block, wide: Block) -> bool:
    return block.cidr.prefixlen >= wide.cidr.prefixlen and block.cidr.network_address in wide.cidr


def _left_out(hole: IPNetwork, block: Block) -> bool:
    """Whether nothing of a hole is in the block."""
    if hole.prefixlen >= block.cidr.prefixlen:
        apart = hole.network_address not in block.cidr
    else:
        apart = block.cidr.network_address not in hole
    within = (
        hole.prefixlen >= out.prefixlen and hole.network_address in out for out in block.excluded
    )
    return apart or any(within)
