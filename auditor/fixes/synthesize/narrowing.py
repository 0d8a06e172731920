"""Takes the rules away by which strangers get in, where policies isolate a workload already.

One more policy can only admit more, so that the smallest change is to those that are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.facts import Facts
from auditor.facts.exposure import others
from auditor.facts.network import Peer, PortSet, Rule
from auditor.facts.workloads import Workload
from auditor.fixes.operations import patched
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.model import Change, Operation, Path, Ref

Place = tuple[Ref, Path]
"""A rule: its policy, and where it stands in that."""


def without_strangers(
    facts: Facts, target: Workload, allowed: Sequence[Workload]
) -> tuple[Change, ...]:
    """The NetworkPolicies of `target` without the rules that admit strangers.

    Raises:
        CannotBuildError: one of these rules admits somebody of `allowed` as well, its policy is
            about other workloads too, or no rule is what admits them.
    """
    health = PortSet.of("TCP", *facts.data.health_ports(target))
    strangers = _rules(facts, target, (other.peer for other in others(facts, target)))
    wide = [place for place, rule in strangers.items() if rule.sure and rule.ports - health]
    wanted = _rules(facts, target, allowed)
    if not wide:
        raise CannotBuildError("other NetworkPolicies admit them; one more cannot take that back")
    for ref, path in wide:
        _check(facts, target, ref, shared=(ref, path) in wanted)
    refs = dict.fromkeys(ref for ref, _ in wide)
    return tuple(_without(facts, ref, [path for one, path in wide if one == ref]) for ref in refs)


def _rules(facts: Facts, target: Workload, peers: Iterable[Peer]) -> dict[Place, Rule]:
    return {
        (rule.policy.ref, rule.path): rule
        for peer in peers
        for rule in facts.network.admitting_rules(peer, target)
    }


def _check(facts: Facts, target: Workload, ref: Ref, *, shared: bool) -> None:
    if shared or ref.kind != "NetworkPolicy":
        raise CannotBuildError(
            f"other NetworkPolicies admit them, and so that one more cannot take that back: {ref}"
            " lets clients in by the same rule, which has to be split first"
        )
    for one in facts.workloads:
        isolated = facts.network.isolating(one, "Ingress", possibly=True)
        if one.ref != target.ref and ref in isolated:
            raise CannotBuildError(
                f"other NetworkPolicies admit them: {ref} is about {one.name} as well, which may"
                " need its rules"
            )


def _without(facts: Facts, ref: Ref, paths: Sequence[Path]) -> Change:
    """The last rule first, so that the places of the others stay."""
    steps = [Operation("remove", path) for path in sorted(paths, key=_index, reverse=True)]
    return patched(facts.snapshot.by_key[ref.key], *steps)


def _index(path: Path) -> int:
    return path[-1] if isinstance(path[-1], int) else 0
