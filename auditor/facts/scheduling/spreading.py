"""Topology spread constraints, one by one: what they do not do, and what they do too much.

Rules: kube-scheduler plugin podtopologyspread; KEP-895 (spread), KEP-3022 (minDomains), KEP-3094
(inclusion policies), KEP-3243 (matchLabelKeys).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditor.facts.placement import Pod
from auditor.facts.placement.rules import Spread
from auditor.facts.scheduling.demand import REPLICATED, ROLLING, Demand
from auditor.facts.scheduling.losing import worst
from auditor.facts.scheduling.outliving import told_of
from auditor.facts.scheduling.sharing import against_itself
from auditor.facts.selectors import Labels
from auditor.facts.workloads import REVISION_LABELS, Workload
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Path
from auditor.terms import HOSTNAME
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

TAINTS_POLICY, LABEL_KEYS = 126, 127
"""Since when `nodeTaintsPolicy` and `matchLabelKeys` count by default (KEP-3094, KEP-3243)."""

Told = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """One constraint of a workload as it is written, and as the scheduler reads it."""

    facts: Facts
    workload: Workload
    pod: Pod
    spread: Spread
    written: Mapping[str, Any]
    path: Path

    @cached_property
    def demand(self) -> Demand:
        """How many pods there are to be."""
        return self.facts.scheduling.demand(self.workload)

    @cached_property
    def domains(self) -> int:
        """How many domains it spreads over; 0 where no nodes are known."""
        nodes = self.facts.topology.by_name
        eligible = self.facts.standing.eligible(self.workload) if nodes else ()
        return len(self.facts.scheduling.values(eligible, self.spread.key))

    @property
    def counts_itself(self) -> bool:
        """Whether its own pods count."""
        return self.spread.counts(Labels(self.pod.labels))

    def told(self, **more: Any) -> Told:
        """A case of a fault."""
        return {
            "path": self.path, "anchor": self.spread.key, "key": self.spread.key,
            "skew": self.spread.max_skew, "replicas": self.demand.most, **more,
        }  # fmt: skip

    def set(self, name: str, value: Any) -> list[Told]:
        """The patch that writes one field of it."""
        op = "replace" if name in self.written else "add"
        return [{"op": op, "path": [*self.path, name], "value": value}]


def rules_of(facts: Facts, workload: Workload) -> Iterator[Rule]:
    """The constraints of its pods that the API server accepts."""
    written = sequence(workload.pod.get("topologySpreadConstraints"))
    path = (*workload.pod_path, "topologySpreadConstraints")
    for pod in facts.standing.one(workload) if written else ():
        for index, spread in enumerate(pod.shape.spreads):
            item = mapping(written[index])
            yield Rule(facts, workload, pod, spread, item, (*path, index))


def spreading(facts: Facts, workload: Workload) -> dict[str, list[Told]] | None:
    """The fact `spreading` for policies: by fault, what topology spread constraints do not do, or
    too much; None for a workload without constraints.
    """
    found: dict[str, list[Told]] = {}
    for rule in rules_of(facts, workload):
        for name, case in _faults(rule):
            found.setdefault(name, []).append(case)
    for case in _defaults_dropped(facts, workload):
        found.setdefault("defaults_dropped", []).append(case)
    return found or None


def _faults(rule: Rule) -> Iterator[tuple[str, Told]]:
    for name, judge in _JUDGES.items():
        if (case := judge(rule)) is not None:
            yield name, case


def _selects_nothing(rule: Rule) -> Told | None:
    """A missing or empty selector: the scheduler counts no pod for it."""
    selector = rule.spread.selector
    if selector is not None and selector.requirements:
        return None
    written = "labelSelector" in rule.written and rule.written["labelSelector"] is not None
    return rule.told(
        written="its labelSelector is empty" if written else "it has no labelSelector",
        patch=_own_selector(rule),
        same=_same_places(rule),
    )


def _same_places(rule: Rule) -> int:
    """How many pods the scheduler places where it would place them without the constraint; 0 where
    there are no nodes, or some pod goes elsewhere.
    """
    facts, workload = rule.facts, rule.workload
    if not facts.scheduling.known:
        return 0
    spec = [s for s in rule.pod.shape.spreads if s is not rule.spread]
    one = facts.scheduling.replayed(workload)
    other = facts.scheduling.replayed(workload, spreads=tuple(spec))
    return len(one) if one == other else 0


def _selects_others(rule: Rule) -> Told | None:
    """A selector that its own pods do not match: they are held back by others, and by none of their
    own kind.
    """
    selector = rule.spread.selector
    if selector is None or not selector.requirements or rule.counts_itself:
        return None
    return rule.told(patch=_own_selector(rule))


def _own_selector(rule: Rule) -> list[Told]:
    """The patch that writes the selector of the workload, where its pods have those labels."""
    labels = texts(at(rule.workload.resource.manifest, ("spec", "selector", "matchLabels")))
    if not labels or not labels.items() <= rule.workload.labels.items():
        return []
    return rule.set("labelSelector", {"matchLabels": dict(labels)})


def _mixes_revisions(rule: Rule) -> Told | None:
    """Old and new pods count together, so that the new ones are uneven once the old are gone."""
    key = REVISION_LABELS.get(rule.workload.ref.kind, "")
    if rule.workload.ref.kind not in ROLLING or rule.demand.most < 2 or not rule.counts_itself:
        return None
    selector = rule.spread.selector
    if not rule.demand.surge or (selector and any(r.key == key for r in selector.requirements)):
        return None
    known = rule.facts.settings.kubernetes >= LABEL_KEYS and rule.spread.selector is not None
    keys = [*sequence(rule.written.get("matchLabelKeys")), key]
    return rule.told(label=key, patch=rule.set("matchLabelKeys", keys) if known else [])


def _absent_label_key(rule: Rule) -> Told | None:
    """A label that the controllers of other kinds write: on these pods it never is."""
    kind, keys = rule.workload.ref.kind, sequence(rule.written.get("matchLabelKeys"))
    own = REVISION_LABELS.get(kind)
    for index, key in enumerate(keys):
        if key in REVISION_LABELS.values() and key not in rule.pod.labels:
            place = [*rule.path, "matchLabelKeys", index]
            patch = [{"op": "replace", "path": place, "value": own}] if own else []
            return rule.told(label=key, kind=kind, patch=patch)
    return None


def _taints_ignored(rule: Rule) -> Told | None:
    """A hard constraint that counts domains which no pod can go to: tainted, cordoned or lost."""
    if not rule.spread.hard or rule.spread.honor_taints or rule.demand.most < 2:
        return None
    safe = rule.facts.settings.kubernetes >= TAINTS_POLICY and rule.spread.min_domains < 2
    patch = rule.set("nodeTaintsPolicy", "Honor") if safe else []
    if not rule.facts.scheduling.known:
        return rule.told(patch=[], severity="low") if rule.counts_itself else None
    return _after_loss(rule, "taints", patch)


def _minimum_after_loss(rule: Rule) -> Told | None:
    """A minimum of domains that is no longer met once one is lost: then each takes no more pods
    than the skew allows.
    """
    spread = rule.spread
    if not spread.hard or spread.min_domains < 2:
        return None
    patch = [{"op": "remove", "path": [*rule.path, "minDomains"]}]
    if not rule.facts.scheduling.known:
        room = (spread.min_domains - 1) * spread.max_skew
        stuck = rule.demand.most - room
        if not spread.honor_taints or not rule.counts_itself or stuck <= 0:
            return None
        return rule.told(patch=[], severity="low", minimum=spread.min_domains, room=room)
    case = _after_loss(rule, "minimum", patch)
    return case and {**case, "minimum": spread.min_domains}


def _after_loss(rule: Rule, cause: str, patch: list[Told]) -> Told | None:
    stuck = worst(rule.facts.scheduling.losses.get(rule.workload.ref.key, ()), cause)
    if stuck is None:
        return None
    return {**told_of(rule.facts, rule.workload, stuck), **rule.told(), "patch": patch,
            "replicas": stuck.replicas}  # fmt: skip


def _minimum_of_wish(rule: Rule) -> Told | None:
    """`minDomains` of a constraint that is no must: the API server refuses the pod."""
    if rule.spread.hard or rule.written.get("minDomains") is None:
        return None
    patch = [{"op": "remove", "path": [*rule.path, "minDomains"]}]
    return rule.told(minimum=rule.spread.min_domains, patch=patch)


def _minimum_unmet(rule: Rule) -> Told | None:
    """More domains are demanded than there are: each takes no more pods than the skew allows."""
    spread, domains = rule.spread, rule.domains
    if not spread.hard or not domains or spread.min_domains <= domains:
        return None
    room = domains * spread.max_skew
    if rule.demand.most <= room or rule.facts.scheduling.grows:
        return None
    value = rule.set("minDomains", domains)
    return rule.told(minimum=spread.min_domains, domains=domains, room=room, patch=value)


def _vacuous(rule: Rule) -> Told | None:
    """A skew that all pods in one domain do not exceed."""
    if not rule.spread.hard or not rule.counts_itself or rule.demand.most < 2:
        return None
    if rule.spread.max_skew < rule.demand.most:
        return None
    return rule.told(patch=rule.set("maxSkew", 1))


def _defaults_dropped(facts: Facts, workload: Workload) -> Iterator[Told]:
    """Constraints of its own, none of them over nodes: the scheduler's own wish to spread over
    nodes no longer holds, and two pods may share one.
    """
    demand, rules = facts.scheduling.demand(workload), tuple(rules_of(facts, workload))
    if workload.ref.kind not in REPLICATED or demand.most < 2 or not rules:
        return
    if any(rule.spread.key == HOSTNAME for rule in rules) or _away_over_nodes(rules[0].pod):
        return
    even = [r for r in rules if r.spread.hard and r.counts_itself and r.spread.max_skew == 1]
    if any(demand.most <= (rule.domains or LEAST_DOMAINS) for rule in even):
        return
    keys = [rule.spread.key for rule in rules]
    path = (*workload.pod_path, "topologySpreadConstraints")
    yield {"path": path, "anchor": "", "keys": keys, "replicas": demand.most}


LEAST_DOMAINS = 3
"""So many zones most regions have; fewer pods than that are on nodes of their own then."""


def _away_over_nodes(pod: Pod) -> bool:
    terms = (*against_itself(pod), *pod.shape.affinity.rather_away)
    return any(term.key == HOSTNAME for term in terms)


def _consolidated(rule: Rule) -> Told | None:
    """A wish that an autoscaler of nodes undoes again and again when it packs pods together."""
    pools = rule.facts.snapshot.of_kind("NodePool")
    packing = [pool for pool in pools if _packs(pool.manifest)]
    if rule.spread.hard or rule.demand.most < 2 or not packing:
        return None
    return rule.told(pool=packing[0].ref.name)


def _packs(pool: Mapping[str, Any]) -> bool:
    policy = at(pool, ("spec", "disruption", "consolidationPolicy"))
    return policy not in ("WhenEmpty", None)


_JUDGES = {
    "consolidated": _consolidated,
    "selects_nothing": _selects_nothing,
    "selects_others": _selects_others,
    "mixes_revisions": _mixes_revisions,
    "absent_label_key": _absent_label_key,
    "taints_ignored": _taints_ignored,
    "minimum_after_loss": _minimum_after_loss,
    "minimum_of_wish": _minimum_of_wish,
    "minimum_unmet": _minimum_unmet,
    "vacuous": _vacuous,
}
