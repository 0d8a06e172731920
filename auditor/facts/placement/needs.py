"""What a workload needs of a cluster whose nodes nobody gave: the answer with the nodes left open.

Only rules that the scheduler must keep count, by the same reading as in the simulation. A wish
decides nothing about whether a pod finds a node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from auditor.facts.placement.node_selectors import Expression, NodeTerm
from auditor.facts.placement.pods import Choice, Pod
from auditor.facts.placement.replicas import pods_of
from auditor.facts.placement.requests import CPU
from auditor.facts.placement.rules import Spread, Term
from auditor.facts.selectors import Labels, Requirement, Selector
from auditor.facts.workloads import Workload
from auditor.model import Settings
from auditor.terms import HOSTNAME
from auditor.values import dataclass

_BINARY = (("Ti", 2**40), ("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10))
BYTES = ("memory", "ephemeral-storage")


@dataclass(frozen=True, slots=True)
class Domains:
    """How many domains of a node label there have to be, and what in each."""

    key: str
    least: int
    """At least so many."""
    pods: int
    """Each of them has room for so many of its pods."""
    every: bool = False
    """Every further one as well: one without room holds back the others."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the pods of one workload need to be placed, all of them."""

    pods: int
    """How many there are; 0 where there is one for every node."""
    amounts: Mapping[str, int]
    """What each asks for: CPU in thousandths, all else in whole units."""
    domains: tuple[Domains, ...] = ()
    even: tuple[str, ...] = ()
    """Labels over whose domains they are spread evenly, however many there are."""
    together: tuple[str, ...] = ()
    """Labels of which one domain has to take all of them."""
    near: tuple[str, ...] = ()
    """Pods of others that have to be there, in words."""
    nodes: str = ""
    """Which nodes count, in words; empty for all."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Label → what people call its domains: zone, rack."""

    @property
    def sentence(self) -> str:
        """``schedulable if at least 3 zones have 1.2 CPU free each``."""
        nodes = f", counting only nodes {self.nodes}" if self.nodes else ""
        near = "".join(f"; and {each}" for each in self.near)
        return f"schedulable if {'; and '.join(self._conditions)}{nodes}{near}"

    @property
    def _conditions(self) -> Sequence[str]:
        if not self.pods:
            return (f"every node has {self._room(1)} for its pod",)
        found = [*map(self._domain, self.domains), *map(self._share, self.even)]
        room = self._room(self.pods)
        found += [f"one {self._named(key)} has {room}" for key in self.together]
        many = f"{self.pods} pods" if self.pods > 1 else "1 pod"
        each = " each" if self.pods > 1 else ""
        size = f" of {self._free(1)}{each}" if self.amounts else ""
        return found or (f"nodes have room for {many}{size}",)

    def _domain(self, domains: Domains) -> str:
        name = self._named(domains.key)
        count = f"{domains.least} {name}s" if domains.least > 1 else f"1 {name}"
        further = f" and every further {name}" if domains.every else ""
        have = "have" if domains.every or domains.least > 1 else "has"
        lone = " on different nodes" if HOSTNAME in {each.key for each in self.domains} else ""
        size = f" of {self._free(1)}" if self.amounts else ""
        pieces = f" ({domains.pods} pods{size}{lone})" if domains.pods > 1 else ""
        return f"at least {count}{further} {have} {self._room(domains.pods)} each{pieces}"

    def _share(self, key: str) -> str:
        size = f" of {self._free(1)}" if self.amounts else ""
        return f"every {self._named(key)} has room for an even share of {self.pods} pods{size}"

    def _named(self, key: str) -> str:
        return self.names.get(key) or f"domain of {key}"

    def _room(self, pods: int) -> str:
        """``1.2 CPU free``; room for so many pods, where they ask for nothing."""
        return (
            f"{self._free(pods)} free" if self.amounts else f"room for {pods} pod{'s'[: pods - 1]}"
        )

    def _free(self, pods: int) -> str:
        """What so many pods ask for together."""
        amounts = sorted(self.amounts.items())
        return _listed([quantity(name, amount * pods) for name, amount in amounts])


def quantity(name: str, amount: int) -> str:
    """An amount as people write it: ``1.2 CPU``, ``512Mi memory``, ``2 example.com/gpu``."""
    if name == CPU:
        return f"{amount / 1000:g} CPU"
    if name in BYTES:
        unit, size = next(((u, s) for u, s in _BINARY if amount >= s and not amount % s), ("", 1))
        return f"{amount // size}{unit} {name}"
    return f"{amount} {name}"


def needs_of(workload: Workload, settings: Settings) -> Needs | None:
    """What its pods need; None where it has none. What is not modelled is not in it: see
    `Simulation.unsupported`.
    """
    pods = pods_of(workload)
    if not pods:
        return None
    first = pods[0]
    count = 0 if first.each_node else len(pods)
    return Needs(
        pods=count,
        amounts=first.shape.requests.amounts,
        domains=tuple(_domains(first, count)) if count else (),
        even=tuple(s.key for s in _spreads(first) if s.min_domains == 1 and count > 1),
        together=_together(first) if count > 1 else (),
        near=tuple(_near(first, _names(settings))),
        nodes=_nodes(first.shape.choice),
        names=_names(settings),
    )


def _names(settings: Settings) -> Mapping[str, str]:
    return {
        settings.region_label: "region",
        settings.zone_label: "zone",
        settings.rack_label: "rack",
        HOSTNAME: "node",
    }


def _domains(pod: Pod, count: int) -> Iterator[Domains]:
    apart = {term.key for term in pod.shape.affinity.away if _own(term, pod)}
    if pod.shape.ports:
        apart.add(HOSTNAME)
    for key in sorted(apart):
        yield Domains(key, count, 1)
    for spread in _spreads(pod):
        if spread.min_domains > 1:
            least = min(spread.min_domains, -(-count // spread.max_skew))
            share = -(-count // least)
            yield Domains(spread.key, least, share, every=share > spread.max_skew)


def _spreads(pod: Pod) -> Iterator[Spread]:
    """The spreads that it has to keep and that count its own pods."""
    labels = Labels(pod.labels)
    return (s for s in pod.shape.spreads if s.hard and s.counts(labels) and _selects(s.selector))


def _selects(selector: Selector | None) -> bool:
    """An empty one counts no pod."""
    return bool(selector and selector.requirements)


def _together(pod: Pod) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t.key for t in pod.shape.affinity.near if _own(t, pod)))


def _near(pod: Pod, names: Mapping[str, str]) -> Iterator[str]:
    for term in pod.shape.affinity.near:
        if not _own(term, pod):
            place = names.get(term.key) or f"domain of {term.key}"
            yield f"that {place} holds a pod {_selected(term.selector)}"


def _own(term: Term, pod: Pod) -> bool:
    return pod.namespace in term.namespaces and term.selects(Labels(pod.labels))


def _selected(selector: Selector | None) -> str:
    if selector is None:
        return "that no selector can mean"
    told = [_requirement(each) for each in selector.requirements]
    return f"with {_listed(told)}" if told else "of any kind"


def _requirement(one: Requirement | Expression) -> str:
    values = sorted(one.values)
    if one.operator == "In" and len(values) == 1:
        return f"{one.key}={values[0]}"
    if one.operator == "Exists":
        return one.key
    if one.operator == "DoesNotExist":
        return f"no {one.key}"
    words = {"In": "in", "NotIn": "not in", "Gt": "above", "Lt": "below"}
    return f"{one.key} {words.get(one.operator, one.operator)} {' or '.join(values)}"


def _nodes(choice: Choice) -> str:
    told = [f"{key}={value}" for key, value in sorted(choice.labels.items())]
    if choice.required is not None:
        terms = [_term(term) for term in choice.required]
        told.append(" or ".join(filter(None, terms)) or "that no rule can mean")
    return f"with {_listed(told)}" if told else ""


def _term(term: NodeTerm) -> str:
    return _listed([_requirement(each) for each in (*term.labels, *term.fields)])


def _listed(words: Sequence[str]) -> str:
    *first, last = words or ("",)
    return f"{', '.join(first)} and {last}" if first else last
