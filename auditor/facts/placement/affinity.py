"""Pods that want to be near others, or away from them, in both directions.

Rules: kube-scheduler plugin interpodaffinity. Pods that are being deleted still count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from auditor.facts.placement.columns import Bools, Ints
from auditor.facts.placement.filters import Verdict
from auditor.facts.placement.occupancy import BEST, Group, Occupancy
from auditor.facts.placement.pods import Pod
from auditor.facts.placement.rules import Term
from auditor.facts.selectors import Labels, Truth

Pairs = Counter[tuple[str, str]]
"""How often something is met, by topology key and its value."""


def affinity_checks(pod: Pod, occupancy: Occupancy) -> Iterator[Verdict]:
    """The verdicts of the rules of `pod`, and for those of the pods that are placed."""
    rules = pod.shape.affinity
    if rules.near:
        yield _near(pod, occupancy, rules.near)
    if rules.away:
        pairs = _each(rules.away, occupancy)
        if pairs:
            yield _apart(pairs, occupancy, "holds pods that this one must be away from")
    if pairs := _kept_away(pod, occupancy):
        yield _apart(pairs, occupancy, "holds pods that must be away from this one")


def undecided(pod: Pod, occupancy: Occupancy) -> Iterator[str]:
    """The namespaces whose labels a rule needs and that are not declared."""
    rules = pod.shape.affinity
    terms = (*rules.near, *rules.away, *rules.rather_near, *rules.rather_away)
    if any(term.spaces for term in terms):
        for group in occupancy.groups:
            if any(_concerns(term, group, occupancy) is Truth.MAYBE for term in terms):
                yield group.namespace
    spaces = occupancy.spaces(pod.namespace)
    for group in occupancy.bearers(pod.namespace) if spaces.open else ():
        theirs = group.affinity
        terms = (*theirs.near, *theirs.away, *theirs.rather_near, *theirs.rather_away)
        if any(term.concerns(pod.namespace, spaces) is Truth.MAYBE for term in terms):
            yield pod.namespace


def _concerns(term: Term, group: Group, occupancy: Occupancy) -> Truth:
    return term.concerns(group.namespace, occupancy.spaces(group.namespace))


def _matches(term: Term, group: Group, occupancy: Occupancy) -> bool:
    return term.selects(group.labels) and _concerns(term, group, occupancy) is Truth.YES


def _each(terms: Sequence[Term], occupancy: Occupancy) -> Pairs:
    """Where pods are that one of `terms` means."""
    pairs: Pairs = Counter()
    for term in terms:
        for group in occupancy.groups_for(term):
            if _matches(term, group, occupancy):
                _add(pairs, term, group, occupancy, 1)
    return pairs


def _add(pairs: Pairs, term: Term, group: Group, occupancy: Occupancy, weight: int) -> None:
    for value, count in occupancy.domains(term.key, group):
        pairs[term.key, value] += weight * count


def _near(pod: Pod, occupancy: Occupancy, terms: Sequence[Term]) -> Verdict:
    """Every term must be met by pods that all terms mean. The first of a set of pods that mean
    themselves may start anywhere that has the labels.
    """
    pairs: Pairs = Counter()
    for group in occupancy.groups_for(terms[0]):
        if all(_matches(term, group, occupancy) for term in terms):
            for term in terms:
                _add(pairs, term, group, occupancy, 1)
    first = not pairs and _means_itself(pod, occupancy, terms)
    domains = {term.key: occupancy.columns.domains(term.key) for term in terms}
    passes = occupancy.columns.all
    for key, found in domains.items():
        passes = passes & (found.present if first else _met(pairs, key, occupancy) > 0)

    def why(index: int) -> str:
        for key, found in domains.items():
            if not found.present[index]:
                return f"has no label {key}, which the pod's affinity needs"
            if not first and not _met(pairs, key, occupancy)[index]:
                break
        return "holds no pods that this one must be near to"

    return Verdict(passes, why)


def _met(pairs: Pairs, key: str, occupancy: Occupancy) -> Ints:
    """How often `pairs` of that key are met on each node."""
    return occupancy.columns.domains(key).spread_out(
        {value: number for (of, value), number in pairs.items() if of == key}
    )


def _means_itself(pod: Pod, occupancy: Occupancy, terms: Sequence[Term]) -> bool:
    labels, spaces = Labels(pod.labels), occupancy.spaces(pod.namespace)
    return all(
        term.selects(labels) and term.concerns(pod.namespace, spaces) is Truth.YES for term in terms
    )


def keeping_away(pod: Pod, occupancy: Occupancy) -> Sequence[tuple[Term, Group]]:
    """The rules of placed pods that they must be away from `pod`, wherever those pods are."""
    labels, spaces = Labels(pod.labels), occupancy.spaces(pod.namespace)
    return [
        (term, group)
        for group in occupancy.bearers(pod.namespace)
        for term in group.affinity.away
        if term.selects(labels) and term.concerns(pod.namespace, spaces) is Truth.YES
    ]


def _kept_away(pod: Pod, occupancy: Occupancy) -> Pairs:
    """Where placed pods are that must be away from `pod`."""
    pairs: Pairs = Counter()
    for term, group in keeping_away(pod, occupancy):
        _add(pairs, term, group, occupancy, 1)
    return pairs


def _apart(pairs: Pairs, occupancy: Occupancy, why: str) -> Verdict:
    passes = occupancy.columns.all
    for key in dict.fromkeys(key for key, _ in pairs):
        passes = passes & (_met(pairs, key, occupancy) == 0)
    return Verdict(passes, lambda _: why)


def score_affinity(pod: Pod, occupancy: Occupancy, fits: Bools) -> Ints | None:
    """0 to 100 for each node that fits, by the wishes of `pod` and of the pods that are placed.
    What those must be near to counts 1. None where no wish is met.
    """
    pairs = _wishes(pod, occupancy)
    if not pairs:
        return None
    raw = np.zeros(len(occupancy.nodes), dtype=np.int64)
    for key in dict.fromkeys(key for key, _ in pairs):
        raw += _met(pairs, key, occupancy)
    least, most = int(raw[fits].min()), int(raw[fits].max())
    if most == least:
        return np.zeros_like(raw)
    return (BEST * ((raw - least) / (most - least))).astype(np.int64)


def _wishes(pod: Pod, occupancy: Occupancy) -> Pairs:
    pairs: Pairs = Counter()
    rules = pod.shape.affinity
    for sign, terms in ((1, rules.rather_near), (-1, rules.rather_away)):
        for term in terms:
            for group in occupancy.groups_for(term):
                if _matches(term, group, occupancy):
                    _add(pairs, term, group, occupancy, sign * term.weight)
    labels, spaces = Labels(pod.labels), occupancy.spaces(pod.namespace)
    for group in occupancy.bearers(pod.namespace):
        theirs = group.affinity
        for sign, terms in ((1, (*theirs.near, *theirs.rather_near)), (-1, theirs.rather_away)):
            for term in terms:
                if term.selects(labels) and term.concerns(pod.namespace, spaces) is Truth.YES:
                    _add(pairs, term, group, occupancy, sign * term.weight)
    return pairs
