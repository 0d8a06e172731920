"""What one loss takes along: replicas that share a node, a rack or a zone.

A case is told where nothing forbids that so many pods share a domain, and they do: they stand so,
or the simulated scheduler puts them so. Nothing is said where the pods cannot be anywhere else, or
where they themselves prefer just that domain.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.placement import Pod
from auditor.facts.placement.needed import Rule, is_consensus, least_replicas, needed
from auditor.facts.placement.rules import Affinity, Spread, Term
from auditor.facts.scheduling.demand import REPLICATED
from auditor.facts.scheduling.domains import LEVELS, place
from auditor.facts.selectors import Labels
from auditor.facts.workloads import Workload
from auditor.model import Ref
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

SHOWN = 10
"""So many pods are named as evidence."""


@dataclass(frozen=True, slots=True)
class Share:
    """The domain whose loss leaves too few pods of a workload."""

    workload: Workload
    level: str
    domain: str
    replicas: int
    lost: tuple[Pod, ...]
    """The pods that stand in it."""
    needed: int
    why: str
    domains: int
    """How many domains of the level the pods may be in."""

    @property
    def left(self) -> int:
        """How many pods the loss leaves."""
        return self.replicas - len(self.lost)


def share_of(facts: Facts, workload: Workload) -> Share | None:
    """The smallest domain whose loss leaves fewer pods of `workload` than are needed, though they
    might be in several. None where there is none, or one replica alone.
    """
    scheduling = facts.scheduling
    if workload.ref.kind not in REPLICATED or scheduling.demand(workload).least < 2:
        return None
    if not scheduling.known:
        scheduling.cannot_tell("what the loss of a node, a rack or a zone takes along")
        return None
    pods = scheduling.pods(workload)
    least, why = _to_be_left(facts, workload)
    if len(pods) < 2:
        return None
    for level in LEVELS:
        name, lost = _fullest(facts, pods, level)
        if len(pods) - len(lost) >= least:
            continue
        if _is_drawn_there(facts, workload, level, name):
            continue
        open_to = scheduling.among(facts.standing.eligible(workload), level)
        apart = _could_be_apart(len(pods), len(open_to), least)
        if apart and not keeps_apart(facts, workload, level, least):
            shown = name.rpartition("\0")[2]
            return Share(workload, level, shown, len(pods), tuple(lost), least, why, len(open_to))
    return None


def _to_be_left(facts: Facts, workload: Workload) -> tuple[int, str]:
    """How many pods have to be left, and why so many. What a rollout keeps is no measure of what
    may be lost: of these rules, only what is declared and a majority are.
    """
    found = needed(facts, workload)
    if found.rule is Rule.DECLARED:
        return found.count, f"{found.count} {'has' if found.count == 1 else 'have'} to be"
    if is_consensus(workload):
        return least_replicas(facts, workload) // 2 + 1, "a majority has to be"
    return 1, "one has to be"


def _is_drawn_there(facts: Facts, workload: Workload, level: str, name: str) -> bool:
    """Whether the pods prefer nodes of that domain and no others: they are there on purpose."""
    nodes = facts.topology.nodes
    terms = [t for pod in facts.standing.one(workload) for t in pod.shape.choice.preferred]
    liked = [n for n in nodes if any(t.matches(n.name, n.labels) for t in terms)]
    return bool(liked) and all(place(node, level) == name for node in liked)


def _could_be_apart(pods: int, domains: int, least: int) -> bool:
    """Whether evenly over so many domains enough pods outlive the loss of one."""
    return domains > 1 and pods - -(-pods // domains) >= least


def _fullest(facts: Facts, pods: Sequence[Pod], level: str) -> tuple[str, list[Pod]]:
    """The domain with the most of the pods, and those; of several the first by name."""
    nodes = facts.topology.by_name
    groups: dict[str, list[Pod]] = {}
    for pod in pods:
        if (name := place(nodes[pod.node], level)) is not None:
            groups.setdefault(name, []).append(pod)
    return max(sorted(groups.items()), key=lambda each: len(each[1]), default=("", []))


def keeps_apart(facts: Facts, workload: Workload, level: str, least: int) -> bool:
    """Whether a hard rule of the pods sees to it that `least` of them outlive the loss of any
    domain of the level: one over that level, or over a larger one.
    """
    scheduling, pods = facts.scheduling, facts.standing.one(workload)
    larger = LEVELS[LEVELS.index(level) :]
    keys = {scheduling.key_of(each): each for each in larger}
    for pod in pods:
        if any(term.key in keys for term in against_itself(pod)):
            return True
        for spread in pod.shape.spreads:
            if spread.hard and spread.key in keys and spread.counts(Labels(pod.labels)):
                domains = scheduling.among(facts.standing.eligible(workload), keys[spread.key])
                replicas = scheduling.demand(workload).least
                if replicas - most_in_one(spread, replicas, len(domains)) >= least:
                    return True
    return False


def most_in_one(spread: Spread, replicas: int, domains: int) -> int:
    """The most pods in one of so many domains that the skew of a hard constraint allows."""
    if not domains:
        return replicas
    return min(replicas, (replicas + (domains - 1) * spread.max_skew) // domains)


def against_itself(pod: Pod) -> tuple[Term, ...]:
    """The terms by which pods like this one must be away from each other."""
    rules: Affinity = pod.shape.affinity
    return tuple(
        term
        for term in rules.away
        if pod.namespace in term.namespaces and term.selects(Labels(pod.labels))
    )


def shared(facts: Facts, workload: Workload) -> dict[str, list[dict[str, Any]]] | None:
    """The fact `shared` for policies: ``shared``, one case at most, and ``unspread`` where no nodes
    are known and nothing is written that keeps the replicas apart.
    """
    if found := share_of(facts, workload):
        return {"shared": [_told(facts, found)]}
    if not facts.scheduling.known and _is_unspread(facts, workload):
        replicas = facts.scheduling.demand(workload).least
        return {"unspread": [{"path": workload.pod_path, "replicas": replicas}]}
    return None


def _is_unspread(facts: Facts, workload: Workload) -> bool:
    if workload.ref.kind not in REPLICATED or facts.scheduling.demand(workload).least < 2:
        return False
    for pod in facts.standing.one(workload):
        if pod.shape.spreads or pod.shape.refused or _avoids_its_own(pod):
            return False
    return True


def _avoids_its_own(pod: Pod) -> bool:
    """Whether an anti-affinity speaks of its own namespace, or may: whether it means the right pods
    there is told elsewhere.
    """
    rules: Affinity = pod.shape.affinity
    terms = (*rules.away, *rules.rather_away)
    return any(pod.namespace in term.namespaces or term.spaces for term in terms)


def _told(facts: Facts, share: Share) -> dict[str, Any]:
    served = facts.scheduling.services(share.workload)
    return {
        "path": share.workload.pod_path,
        "anchor": share.level,
        "severity": "medium"
        if (served and not share.left) or is_consensus(share.workload)
        else "low",
        "level": share.level,
        "domain": share.domain,
        "replicas": share.replicas,
        "lost": len(share.lost),
        "left": share.left,
        "needed": share.needed,
        "why": share.why,
        "domains": share.domains,
        "evidence": list(_evidence(facts, share)),
    }


def _evidence(facts: Facts, share: Share) -> Iterator[dict[str, Any]]:
    nodes = Counter(pod.node for pod in share.lost)
    verb = "run" if any(pod.live for pod in share.lost) else "would run"
    for name, count in sorted(nodes.items())[:SHOWN]:
        node = as_object(Ref("v1", "Node", "", name))
        yield {"message": f"{count} of them {verb} on {name}", "object": node, "path": []}
    for service in facts.scheduling.services(share.workload)[:SHOWN]:
        message = f"Service {service.ref.namespace}/{service.ref.name} leads to them"
        yield {"message": message, "object": as_object(service.ref), "path": []}
