"""Which workloads a selector means, found by their labels and not by asking each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from auditor.facts.custom import is_unknown
from auditor.facts.network.points import labels_of, namespace_labels
from auditor.facts.network.policies import Pods
from auditor.facts.selectors import METADATA_NAME, Labels, Requirement, Selector, Truth
from auditor.facts.upkeep.likeness import meant
from auditor.facts.workloads import Workload
from auditor.model import Snapshot
from auditor.values import dataclass

EVERYTHING = Selector()

Spaces = tuple[tuple[str, Truth], ...]
Choice = tuple[tuple[Workload, Truth], ...]


@dataclass(frozen=True, slots=True)
class Slip:
    """What somebody meant who wrote a label that nothing has."""

    written: str
    """``app=custommers``."""
    meant: str
    workload: Workload
    """One of those that would be meant then."""


@dataclass(slots=True)
class Cast:
    """The workloads of a snapshot by namespace and label. Not frozen: it is filled once, when made.

    Cost: to build, one look at each label. A selector with a requirement of a value costs what has
    that value; one without looks at every workload of the namespace.
    """

    snapshot: Snapshot
    workloads: Sequence[Workload]
    homes: Mapping[str, Labels] = field(init=False)
    """The labels of the namespaces that have an object."""
    _here: dict[str, list[tuple[Workload, Labels]]] = field(default_factory=dict)
    _by_label: dict[tuple[str, str, str], list[tuple[Workload, Labels]]] = field(
        default_factory=dict
    )
    _hidden: dict[tuple[str, str], list[tuple[Workload, Labels]]] = field(default_factory=dict)
    _values: dict[str, dict[str, dict[str, None]]] = field(default_factory=dict)
    """Namespace → key → the values that its workloads have."""
    _makers: frozenset[str] = field(init=False)
    _found: dict[tuple[str, Selector], Choice] = field(default_factory=dict)
    _spaces: dict[Selector, Spaces] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.homes = namespace_labels(self.snapshot)
        unknown = (r.ref.namespace for r in self.snapshot.resources if is_unknown(r))
        self._makers = frozenset(unknown if self.snapshot.server is None else ())
        for workload in self.workloads:
            self._add(workload)

    def _add(self, workload: Workload) -> None:
        labels, space = labels_of(workload), workload.ref.namespace
        one = (workload, labels)
        self._here.setdefault(space, []).append(one)
        for key, value in labels.known.items():
            self._by_label.setdefault((space, key, value), []).append(one)
            self._values.setdefault(space, {}).setdefault(key, {})[value] = None
        for key in labels.hidden:
            self._hidden.setdefault((space, key), []).append(one)

    @property
    def live(self) -> bool:
        """Whether every namespace and every pod of a cluster was to be read."""
        return self.snapshot.server is not None

    @property
    def spaces(self) -> tuple[str, ...]:
        """The namespaces that have workloads."""
        return tuple(self._here)

    def in_namespace(self, namespace: str) -> Sequence[Workload]:
        """Its workloads."""
        return [workload for workload, _ in self._here.get(namespace, ())]

    def knows(self, namespace: str) -> bool:
        """Whether all pods of a namespace are told: it has workloads, and no object of a kind of
        somebody's own may make more of them there. A namespace without any workload is most often
        one whose workloads are written elsewhere.
        """
        return namespace in self._here and namespace not in self._makers

    def chosen(self, namespace: str, selector: Selector) -> Choice:
        """The workloads of a namespace that the selector means, surely or perhaps."""
        found = self._found.get((namespace, selector))
        if found is None:
            asked = self._asked(namespace, selector)
            judged = ((workload, selector.truth(labels)) for workload, labels in asked)
            found = tuple((workload, truth) for workload, truth in judged if truth)
            self._found[namespace, selector] = found
        return found

    def _asked(self, namespace: str, selector: Selector) -> Iterable[tuple[Workload, Labels]]:
        """Those that may be meant: by the requirement of a value that fewest have."""
        fewest: Iterable[tuple[Workload, Labels]] = self._here.get(namespace, ())
        least = -1
        for requirement in selector.requirements:
            if requirement.operator == "In":
                found = self._having(namespace, requirement)
                if least < 0 or len(found) < least:
                    fewest, least = found, len(found)
        return fewest

    def _having(self, namespace: str, wanted: Requirement) -> list[tuple[Workload, Labels]]:
        found = list(self._hidden.get((namespace, wanted.key), ()))
        for value in sorted(wanted.values):
            found += self._by_label.get((namespace, wanted.key, value), ())
        return found

    def namespaces(self, selector: Selector) -> Spaces:
        """The namespaces that the selector means, surely or perhaps; of one without an object only
        its name is known.
        """
        found = self._spaces.get(selector)
        if found is None:
            judged = ((name, self._is(name, selector)) for name in self._named(selector))
            found = self._spaces[selector] = tuple(pair for pair in judged if pair[1])
        return found

    def _named(self, selector: Selector) -> Iterable[str]:
        """The namespaces that may be meant: those of the names that are asked for, else all."""
        for requirement in selector.requirements:
            if requirement.operator == "In" and requirement.key == METADATA_NAME:
                return [name for name in sorted(requirement.values) if self._is_there(name)]
        return dict.fromkeys((*self.homes, *self._here))

    def _is_there(self, namespace: str) -> bool:
        return namespace in self.homes or namespace in self._here

    def _is(self, namespace: str, selector: Selector) -> Truth:
        unknown = Labels({METADATA_NAME: namespace}, open=not self.live)
        return selector.truth(self.homes.get(namespace, unknown))

    def peers(self, home: str, peer: Pods) -> tuple[Choice, bool]:
        """The workloads that a peer of a policy in namespace `home` means, and whether no other pod
        can be meant, as far as is told.
        """
        spaces: Spaces = ((home, Truth.YES),)
        if peer.namespaces is not None:
            spaces = self.namespaces(peer.namespaces)
        found = []
        complete = bool(spaces) and not self._means_more(peer.namespaces, spaces)
        for space, truth in spaces:
            complete = complete and truth is Truth.YES and self.knows(space)
            chosen = self.chosen(space, peer.pods or EVERYTHING)
            found += [(workload, min(truth, each)) for workload, each in chosen]
        return tuple(found), complete

    def _means_more(self, selector: Selector | None, spaces: Spaces) -> bool:
        """Whether the selector may mean a namespace that is not told of: files tell of some."""
        if selector is None or self.live:
            return False
        told = {space for space, _ in spaces}
        named = [r.values for r in selector.requirements if r.key == METADATA_NAME]
        return not any(values and values <= told for values in named)

    def slip(self, namespace: str, selector: Selector) -> Slip | None:
        """What was meant, where one label of a selector that means nobody in a namespace is a slip
        of one that its workloads have; None where nothing is that close.
        """
        for index, wrong in enumerate(selector.requirements):
            if wrong.operator != "In":
                continue
            rest = (*selector.requirements[:index], *selector.requirements[index + 1 :])
            for value in sorted(wrong.values):
                for better in self._better(namespace, wrong.key, value):
                    fits = self.chosen(namespace, Selector((*rest, better)))
                    if fits and fits[0][1] is Truth.YES:
                        (right,) = better.values
                        written = f"{wrong.key}={value}"
                        return Slip(written, f"{better.key}={right}", fits[0][0])
        return None

    def _better(self, namespace: str, key: str, value: str) -> Iterator[Requirement]:
        """The label with a value that is close; or the value under a key that is close."""
        here = self._values.get(namespace, {})
        right = meant(value, here.get(key, ()))
        if right:
            yield Requirement(key, "In", frozenset((right,)))
        other = meant(key, here)
        if other:
            yield Requirement(other, "In", frozenset((value,)))

    def elsewhere(self, home: str, selector: Selector) -> Workload | None:
        """A workload of another namespace that the selector surely means, where it asks for a value
        at all; None where there is none, or where workloads of many namespaces have it.
        """
        if not any(requirement.operator == "In" for requirement in selector.requirements):
            return None
        others = (space for space in self._here if space != home)
        found = [
            w for space in others for w, truth in self.chosen(space, selector) if truth is Truth.YES
        ]
        return found[0] if len({w.ref.namespace for w in found}) == 1 else None
