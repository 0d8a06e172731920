"""What a pod asks of the pods around it: affinity, anti-affinity and spreading.

Rules: kube-scheduler plugins interpodaffinity and podtopologyspread; the API server writes the
keys of `matchLabelKeys` into the selector when it accepts a pod (KEP-3243, KEP-3633).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.facts.selectors import (
    Labels,
    RefusedError,
    Requirement,
    Selector,
    Truth,
    parse_selector,
)
from auditor.facts.wording import said
from auditor.manifests import mapping
from auditor.model import Manifest, Path
from auditor.values import dataclass

HARD = "requiredDuringSchedulingIgnoredDuringExecution"
SOFT = "preferredDuringSchedulingIgnoredDuringExecution"
_POLICIES = ("Honor", "Ignore")


@dataclass(frozen=True, slots=True)
class Term:
    """Which pods are meant, and over which domains."""

    key: str
    """The node label that makes domains."""
    selector: Selector | None
    """None matches no pod."""
    namespaces: frozenset[str]
    spaces: Selector | None
    """Further namespaces, by their labels; None for no further ones."""
    weight: int = 1

    def concerns(self, namespace: str, spaces: Labels) -> Truth:
        """Whether pods of that namespace are meant, whose labels are `spaces`."""
        if namespace in self.namespaces:
            return Truth.YES
        return self.spaces.truth(spaces) if self.spaces else Truth.NO

    def selects(self, labels: Labels) -> bool:
        """Whether a pod with these labels is meant, if its namespace is."""
        return self.selector is not None and self.selector.truth(labels) is Truth.YES


@dataclass(frozen=True, slots=True)
class Affinity:
    """The rules of one pod: near these, away from those, as a must or as a wish."""

    near: tuple[Term, ...] = ()
    away: tuple[Term, ...] = ()
    rather_near: tuple[Term, ...] = ()
    rather_away: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.near or self.away or self.rather_near or self.rather_away)


@dataclass(frozen=True, slots=True)
class Spread:
    """How evenly pods are to be over the domains of a node label."""

    key: str
    hard: bool
    max_skew: int
    min_domains: int
    selector: Selector | None
    """Which pods count; None for none."""
    honor_affinity: bool = True
    """Whether nodes count only where the pod's node affinity admits them."""
    honor_taints: bool = False
    """Whether nodes count only where the pod tolerates their taints."""

    def counts(self, labels: Labels) -> bool:
        """Whether a pod with these labels counts, if it is of the same namespace."""
        return self.selector is not None and self.selector.truth(labels) is Truth.YES


def read_affinity(value: Any, namespace: str, labels: Mapping[str, str]) -> Affinity:
    """The rules in `spec.affinity` of a pod of that namespace and these labels.

    Raises:
        RefusedError: it is not what the API server accepts.
    """
    path: Path = ("spec", "affinity")
    if value is None:
        return Affinity()
    if not isinstance(value, Mapping):
        raise RefusedError(path, "is no affinity")
    found = []
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = value.get(kind) or {}
        if not isinstance(rules, Mapping):
            raise RefusedError((*path, kind), "is no list of rules")
        reader = _Reader(namespace, labels, (*path, kind))
        found.append((reader.hard(rules), reader.soft(rules)))
    (near, rather_near), (away, rather_away) = found
    return Affinity(near, away, rather_near, rather_away)


@dataclass(frozen=True, slots=True)
class _Reader:
    namespace: str
    labels: Mapping[str, str]
    path: Path

    def hard(self, rules: Manifest) -> tuple[Term, ...]:
        """The required terms."""
        items = _items(rules.get(HARD), (*self.path, HARD))
        return tuple(self._term(item, path, 1) for item, path in items)

    def soft(self, rules: Manifest) -> tuple[Term, ...]:
        """The preferred terms."""
        return tuple(
            self._term(
                mapping(item.get("podAffinityTerm")),
                (*path, "podAffinityTerm"),
                _number(item.get("weight"), (*path, "weight"), 1, 100),
            )
            for item, path in _items(rules.get(SOFT), (*self.path, SOFT))
        )

    def _term(self, term: Manifest, path: Path, weight: int) -> Term:
        spaces = term.get("namespaceSelector")
        names = _texts(term.get("namespaces"), (*path, "namespaces"))
        if not names and spaces is None:
            names = (self.namespace,)
        return Term(
            key=_key(term, path),
            selector=_merged(term, path, self.labels),
            namespaces=frozenset(names),
            spaces=None if spaces is None else parse_selector(spaces, (*path, "namespaceSelector")),
            weight=weight,
        )


def read_spreads(value: Any, labels: Mapping[str, str]) -> tuple[Spread, ...]:
    """The topology spread constraints of a pod with these labels.

    Raises:
        RefusedError: they are not what the API server accepts.
    """
    items = _items(value, ("spec", "topologySpreadConstraints"))
    return tuple(_spread(item, path, labels) for item, path in items)


def _spread(item: Manifest, path: Path, labels: Mapping[str, str]) -> Spread:
    when = item.get("whenUnsatisfiable")
    if when not in ("DoNotSchedule", "ScheduleAnyway"):
        raise RefusedError((*path, "whenUnsatisfiable"), f"is {said(when)}, which is not known")
    return Spread(
        key=_key(item, path),
        hard=when == "DoNotSchedule",
        max_skew=_number(item.get("maxSkew"), (*path, "maxSkew"), 1),
        min_domains=_number(item.get("minDomains", 1), (*path, "minDomains"), 1),
        selector=_merged(item, path, labels),
        honor_affinity=_honors(item, path, "nodeAffinityPolicy", "Honor"),
        honor_taints=_honors(item, path, "nodeTaintsPolicy", "Ignore"),
    )


def _honors(item: Manifest, path: Path, name: str, usual: str) -> bool:
    policy = item.get(name) or usual
    if policy not in _POLICIES:
        raise RefusedError((*path, name), f"is {said(policy)}, neither Honor nor Ignore")
    return bool(policy == "Honor")


def _merged(item: Manifest, path: Path, labels: Mapping[str, str]) -> Selector | None:
    """The selector with what `matchLabelKeys` and `mismatchLabelKeys` add of the pod's labels."""
    written = item.get("labelSelector")
    same = _texts(item.get("matchLabelKeys"), (*path, "matchLabelKeys"))
    other = _texts(item.get("mismatchLabelKeys"), (*path, "mismatchLabelKeys"))
    if written is None:
        return None
    selector = parse_selector(written, (*path, "labelSelector"))
    added = [
        Requirement(key, operator, frozenset((labels[key],)))
        for operator, keys in (("In", same), ("NotIn", other))
        for key in keys
        if key in labels
    ]
    return Selector(tuple(dict.fromkeys((*selector.requirements, *added))))


def _items(value: Any, path: Path) -> list[tuple[Manifest, Path]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise RefusedError(path, "is no list of rules")
    return [(item, (*path, index)) for index, item in enumerate(value)]


def _texts(value: Any, path: Path) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RefusedError(path, "is no list of texts")
    return tuple(value)


def _key(item: Manifest, path: Path) -> str:
    key = item.get("topologyKey")
    if not isinstance(key, str) or not key:
        raise RefusedError((*path, "topologyKey"), "is missing or no text")
    return key


def _number(value: Any, path: Path, least: int, most: int = 2**31 - 1) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise RefusedError(path, f"is no number from {least} to {most}")
    return value
