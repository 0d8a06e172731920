"""Affinity and anti-affinity, term by term: which pods they mean, and whether that can ever hold.

Rules: kube-scheduler plugin interpodaffinity. All required terms of an affinity have to be met by
pods that every term means; the first of a set of pods that mean themselves may start anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.placement import Pod
from auditor.facts.placement.rules import HARD, SOFT, Term
from auditor.facts.selectors import METADATA_NAME, Labels, Truth
from auditor.facts.workloads import Workload
from auditor.manifests import mapping
from auditor.model import Key, Path
from auditor.terms import HOSTNAME
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]
AFFINITY, ANTI_AFFINITY = "podAffinity", "podAntiAffinity"
BROAD = 2
"""A term that keeps so many other workloads away is meant for all of them, or for none."""


@dataclass(frozen=True, slots=True)
class Place:
    """A term and where it is written."""

    term: Term
    path: Path
    hard: bool


@dataclass
class Meant:
    """Whom the terms of a snapshot mean. Not frozen: each pair is asked once."""

    facts: Facts
    _known: dict[tuple[Term, ...], tuple[Workload, ...]] = field(default_factory=dict)

    @cached_property
    def first(self) -> Mapping[Key, Pod]:
        """One pod of each workload that has any."""
        found = {w.ref.key: self.facts.standing.one(w) for w in self.facts.workloads}
        return {key: pods[0] for key, pods in found.items() if pods}

    def by(self, terms: Sequence[Term]) -> tuple[Workload, ...]:
        """The workloads whose pods every one of `terms` means, or may mean."""
        key = tuple(terms)
        if key not in self._known:
            found = (each for name in self._spaces(key) for each in self._within.get(name, ()))
            self._known[key] = tuple(w for w, pod in found if self.means(key, pod))
        return self._known[key]

    @cached_property
    def _within(self) -> Mapping[str, Sequence[tuple[Workload, Pod]]]:
        found: dict[str, list[tuple[Workload, Pod]]] = {}
        for key, pod in self.first.items():
            found.setdefault(pod.namespace, []).append((self.facts.by_key[key], pod))
        return found

    def _spaces(self, terms: tuple[Term, ...]) -> Iterable[str]:
        """The namespaces that the terms may mean, as far as their names tell."""
        named = [term.namespaces for term in terms if term.spaces is None]
        return sorted(named[0]) if named else self._within

    def means(self, terms: Sequence[Term], pod: Pod) -> bool:
        """Whether every one of `terms` means `pod`, or may."""
        labels = Labels(pod.labels)
        return all(t.selects(labels) and self._concerns(t, pod.namespace) for t in terms)

    def _concerns(self, term: Term, namespace: str) -> bool:
        known = self.facts.namespace_labels.get(namespace)
        spaces = Labels({METADATA_NAME: namespace}, open=True) if known is None else Labels(known)
        return term.concerns(namespace, spaces) > Truth.NO


def places(workload: Workload, pod: Pod, kind: str) -> Iterator[Place]:
    """The terms of an affinity or anti-affinity, with their places."""
    rules = pod.shape.affinity
    near = kind == AFFINITY
    base = (*workload.pod_path, "affinity", kind)
    for index, term in enumerate(rules.near if near else rules.away):
        yield Place(term, (*base, HARD, index), hard=True)
    for index, term in enumerate(rules.rather_near if near else rules.rather_away):
        yield Place(term, (*base, SOFT, index, "podAffinityTerm"), hard=False)


def affinity_terms(facts: Facts, workload: Workload) -> dict[str, list[Told]] | None:
    """The fact `affinity_terms` for policies: by fault, the terms of affinity that mean nobody, too
    little, or each other; None for a workload without affinity.
    """
    if not mapping(workload.pod.get("affinity")):
        return None
    found: dict[str, list[Told]] = {}
    pod = facts.scheduling.meant.first.get(workload.ref.key)
    if pod is None:
        return None
    for name, case in (*_near(facts, workload, pod), *_away(facts, workload, pod)):
        found.setdefault(name, []).append(case)
    return found or None


def _near(facts: Facts, workload: Workload, pod: Pod) -> Iterator[tuple[str, Told]]:
    terms = tuple(places(workload, pod, AFFINITY))
    for each in terms:
        if (case := _elsewhere(facts, workload, each)) is not None:
            yield "other_namespace", case
    must = [each for each in terms if each.hard]
    if not must:
        return
    if (case := _means_nobody(facts, pod, must)) is not None:
        yield "means_nobody", case
    for each in must:
        if (case := _one_node(facts, workload, each)) is not None:
            yield "one_node", case
    if (case := _circle(facts, pod, must)) is not None:
        yield "circle", case


def _means_nobody(facts: Facts, pod: Pod, must: Sequence[Place]) -> Told | None:
    """Required terms that no pods meet, and that the pod does not meet itself."""
    meant, terms = facts.scheduling.meant, [each.term for each in must]
    if meant.means(terms, pod) or meant.by(terms) or _cannot_know(facts, pod, must):
        return None
    if any(not meant.by([each.term]) and _namesakes(facts, each) for each in must):
        return None
    return {"path": must[0].path, "anchor": must[0].term.key, "terms": len(must)}


def _cannot_know(facts: Facts, pod: Pod, must: Sequence[Place]) -> bool:
    """Whether the pods that are meant may be some that were not read: in files, those of another
    namespace, or those that an operator makes.
    """
    if facts.snapshot.server is not None:
        return False
    here = facts.namespaces
    others = any(each.term.spaces is not None or not each.term.namespaces <= here for each in must)
    return others or pod.namespace in facts.makers or "" in facts.makers


def _namesakes(facts: Facts, each: Place) -> tuple[Workload, ...]:
    """Who would be meant if the term meant all namespaces."""
    namespaces = frozenset(facts.namespaces)
    return facts.scheduling.meant.by([replace(each.term, namespaces=namespaces)])


def _elsewhere(facts: Facts, workload: Workload, each: Place) -> Told | None:
    """A term that names no namespace, and means pods of another one only."""
    written = _written(workload, each.path)
    if written.get("namespaces") or written.get("namespaceSelector") is not None:
        return None
    if facts.scheduling.meant.by([each.term]):
        return None
    found = _namesakes(facts, each)
    spaces = {other.ref.namespace for other in found}
    if len(spaces) != 1:
        return None
    selector = {"matchLabels": {METADATA_NAME: spaces.pop()}}
    return {
        "path": each.path,
        "anchor": each.term.key,
        "namespace": workload.ref.namespace,
        "other": found[0].name,
        "patch": [{"op": "add", "path": [*each.path, "namespaceSelector"], "value": selector}],
        "evidence": [_seen(other, "has the labels that are meant") for other in found],
    }


def _written(workload: Workload, path: Path) -> Mapping[str, Any]:
    value: Any = workload.resource.manifest
    for step in path:
        value = value[step]
    return mapping(value)


def _one_node(facts: Facts, workload: Workload, each: Place) -> Told | None:
    """Bound to the node of one pod: that node has to have room for all, and all die with it."""
    found = [w for w in facts.scheduling.meant.by([each.term]) if w.ref != workload.ref]
    demand = facts.scheduling.demand(workload)
    if each.term.key != HOSTNAME or len(found) != 1 or demand.most < 2:
        return None
    if found[0].ref.kind == "DaemonSet" or facts.scheduling.demand(found[0]).most != 1:
        return None
    return {
        "path": each.path,
        "anchor": found[0].name,
        "target": found[0].name,
        "replicas": demand.most,
        "evidence": [_seen(found[0], "has one replica")],
    }


def _circle(facts: Facts, pod: Pod, must: Sequence[Place]) -> Told | None:
    """Two workloads of which each has to start after the other."""
    meant, terms = facts.scheduling.meant, [each.term for each in must]
    if meant.means(terms, pod):
        return None
    needed = meant.by(terms)
    waits = [other for other in needed if _waits_for(facts, other, pod)]
    if not needed or len(waits) < len(needed):
        return None
    return {
        "path": must[0].path,
        "anchor": waits[0].name,
        "other": waits[0].name,
        "evidence": [_seen(waits[0], "has to be near to this one")],
    }


def _waits_for(facts: Facts, other: Workload, pod: Pod) -> bool:
    """Whether the pods of `other` can start after `pod` only."""
    meant = facts.scheduling.meant
    theirs = meant.first.get(other.ref.key)
    if theirs is None or not theirs.shape.affinity.near:
        return False
    terms = theirs.shape.affinity.near
    if meant.means(terms, theirs) or not meant.means(terms, pod):
        return False
    return all(meant.first[w.ref.key] is pod for w in meant.by(terms))


def _away(facts: Facts, workload: Workload, pod: Pod) -> Iterator[tuple[str, Told]]:
    for each in places(workload, pod, ANTI_AFFINITY):
        found = facts.scheduling.meant.by([each.term])
        others = [other for other in found if other.ref != workload.ref]
        if not found and not _cannot_know(facts, pod, [each]):
            yield "keeps_nobody_away", _kept(workload, each)
        elif each.hard and len(others) >= BROAD:
            yield (
                "keeps_others_away",
                {
                    "path": each.path,
                    "anchor": each.term.key,
                    "key": each.term.key,
                    "others": len(others),
                    "evidence": [_seen(other, "is kept away") for other in others[:10]],
                },
            )


def _kept(workload: Workload, each: Place) -> Told:
    labels = mapping(mapping(workload.resource.manifest.get("spec")).get("selector"))
    own = mapping(labels.get("matchLabels"))
    patch: list[Told] = []
    if own and own.items() <= workload.labels.items():
        op = "replace" if "labelSelector" in _written(workload, each.path) else "add"
        where = [*each.path, "labelSelector"]
        patch = [{"op": op, "path": where, "value": {"matchLabels": dict(own)}}]
    return {"path": each.path, "anchor": each.term.key, "key": each.term.key, "patch": patch}


def _seen(other: Workload, what: str) -> Told:
    message = f"{other.ref.kind} {other.name} {what}"
    return {"message": message, "object": as_object(other.ref), "path": []}
