"""The steps through the API server: what each binding lets its subjects do, and who is a subject.

What an API server binds for itself is left out: its own controllers have to do all of this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from auditor.facts.access.authorizer import Bound, defaults
from auditor.facts.access.holders import said
from auditor.facts.access.subjects import Subject, account, account_named, subjects_of
from auditor.facts.identity import account_of
from auditor.facts.network.points import pods_by_owner
from auditor.facts.paths import powers
from auditor.facts.paths.positions import Means, Position, Why, unique
from auditor.facts.paths.powers import Power, allows, held
from auditor.facts.paths.shared import secrets_of
from auditor.facts.placement.replicas import MOST
from auditor.facts.workloads import Workload
from auditor.manifests import at, texts
from auditor.model import Key, Resource
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

AUTHENTICATED = "system:authenticated"
ACCOUNTS = "system:serviceaccounts"
CREATE_ASKED = 135
"""The version from which a connection that runs commands needs `create`, however it is made."""
ENFORCE = "pod-security.kubernetes.io/enforce"
NAMED = 2
"""How many rights are named of those that lead to one place."""
Right = tuple[str, bool]
"""What somebody may do, in words, and whether that is to control what he does it to."""
Spoken = dict[Position, list[str]]


@dataclass(slots=True)
class Subjects:
    """The positions of subjects, one for each. Not frozen: they are made when first asked for."""

    known: dict[tuple[str, str], Position] = field(default_factory=dict)

    def at(self, subject: Subject) -> Position:
        """Its position; a service account is the same however a binding names it."""
        key = ("User" if subject.kind != "Group" else "Group", subject.name)
        if key not in self.known:
            self.known[key] = Position("subject", said(subject), subject=subject.name)
        return self.known[key]

    def account(self, namespace: str, name: str) -> Position:
        """That of a service account."""
        return self.at(Subject("ServiceAccount", account(namespace, name)))


@dataclass
class Api:
    """Who may do what to what matters. Not frozen: it remembers what it has worked out."""

    facts: Facts
    places: Mapping[Key, Position]
    stores: Mapping[Key, Position]
    """The data of each store."""
    subjects: Subjects = field(default_factory=Subjects)

    @cached_property
    def bound(self) -> Sequence[tuple[Bound, tuple[Position, ...]]]:
        """The bindings that give somebody else than the cluster itself a power over something."""
        authorizer = self.facts.rights
        own = {(one.ref.key, subject) for one in defaults() for subject in subjects_of(one)}
        found = []
        for each in authorizer.bound:
            others = [s for s in each.subjects if (each.binding.ref.key, s) not in own]
            if others and each.role is not None and _gives(each):
                found.append((each, unique(map(self.subjects.at, others))))
        return found

    @cached_property
    def powerful(self) -> Mapping[str, Position]:
        """The subjects that hold any power, by their name in requests."""
        return {p.subject: p for _, positions in self.bound for p in positions}

    def identities(self) -> Iterator[Means]:
        """From a workload to the account that it runs as, and from there to its groups."""
        groups: dict[str, list[Position]] = {}
        for workload in self.facts.workloads:
            if (position := self.account_at(workload)) is None:
                continue
            path = (*workload.pod_path, "serviceAccountName")
            why = Why("its pods hold the token of this account", workload.ref, path)
            place = self.places[workload.ref.key]
            yield Means("identity", (place,), (position,), {position: why}, needed=True)
            for group in _groups_of(workload.ref.namespace):
                groups.setdefault(group, []).append(position)
        for name, members in groups.items():
            if group_position := self.subjects.known.get(("Group", name)):
                why = Why("every service account there is a member")
                yield Means(
                    "identity", unique(members), (group_position,), {group_position: why},
                    needed=True,
                )  # fmt: skip

    def account_at(self, workload: Workload) -> Position | None:
        """The account whose token its pods hold, where that or a group of it has powers."""
        space, name = workload.ref.namespace, account_of(workload)
        names = (account(space, name), *_groups_of(space))
        has_powers = not self.powerful.keys().isdisjoint(names)
        if not has_powers or not self.facts.accounts.holds_token(workload):
            return None
        return self.subjects.account(space, name)

    def steps(self, targets: Iterable[Workload]) -> Iterator[Means]:
        """What each binding leads to: of these workloads, and of the subjects with powers."""
        wanted = list(targets)
        for each, positions in self.bound:
            had, near = self._over(each, wanted)
            for position in positions:
                had.pop(position, None)
            if had:
                yield _means(each, positions, had)
            if near:
                yield _means(each, positions, near, approach=True)

    def _over(self, each: Bound, wanted: Sequence[Workload]) -> tuple[Spoken, Spoken]:
        """What it gives, and to what else it only lets one speak."""
        space = _scope(each)
        had: Spoken = {}
        near: Spoken = {}
        for workload in wanted:
            if space not in (None, workload.ref.namespace):
                continue
            rights = [*dict.fromkeys(self._told(each, workload))]
            key = workload.ref.key
            if any(controls for _, controls in rights):
                had[self.places[key]] = [told for told, _ in rights]
            elif rights and key in self.stores:
                had[self.stores[key]] = [told for told, _ in rights]
            elif rights and self.facts.network.listening(workload):
                near[self.places[key]] = [told for told, _ in rights]
        for position in self.powerful.values():
            if told := list(_acting(each, position)):
                had[position] = told
        self._by_privilege(each, had)
        return had, near

    def _told(self, each: Bound, workload: Workload) -> Iterator[Right]:
        """What a binding whose scope holds it lets its subjects do to a workload."""
        rules, space, name = each.rules, workload.ref.namespace, workload.ref.name
        names = self._names(workload)
        yield from map(_right, held(rules, powers.ON_PODS, space, names))
        if self._upgrades_by_get:
            yield from map(_right, held(rules, powers.BY_GET, space, names))
        yield from map(_right, held(rules, _on_template(workload), space, (name,)))
        services = [service.ref.name for service in self.facts.network.services_of(workload)]
        yield from map(_right, held(rules, powers.ON_SERVICES, space, services))
        if _scope(each) is None:
            yield from map(_right, held(rules, powers.ON_NODES, "", ("",)))
        is_store = workload.ref.key in self.stores
        if is_store:
            yield from self._told_of_store(each, workload)
        for power in held(rules, powers.STARTING, space, ("",)):
            told = f"{power.combined} (starts pods beside it, with its volumes, Secrets and labels)"
            yield told, not is_store
            return

    def _told_of_store(self, each: Bound, store: Workload) -> Iterator[Right]:
        rules, space = each.rules, store.ref.namespace
        yield from map(_right, held(rules, powers.ON_SECRETS, space, tuple(secrets_of(store))))
        policies = self.facts.network.isolating(store, "Ingress")
        names = ("", *(ref.name for ref in policies)) if policies else ()
        yield from map(_right, held(rules, powers.ON_POLICIES, space, names))
        if _scope(each) is None:
            yield from map(_right, held(rules, powers.ON_NAMESPACES, "", (space,)))
        if _raises(each):
            yield "bind or escalate roles (gives itself whatever rights it likes)", True

    def _by_privilege(self, each: Bound, found: Spoken) -> None:
        """Who may start pods where nothing forbids privileged ones takes any node, and so all."""
        spaces = (_scope(each),) if _scope(each) is not None else tuple(self._open)
        where = next((space for space in spaces if space in self._open), None)
        power = next(held(each.rules, powers.STARTING, "", ("",)), None)
        if where is None or power is None:
            return
        told = f"{power.combined} (starts privileged pods on any node: {where} forbids none)"
        for key, data in self.stores.items():
            found.setdefault(self.places[key], []).extend((*found.pop(data, ()), told))

    @cached_property
    def _open(self) -> frozenset[str]:
        """The namespaces that were read and in which Pod Security lets privileged pods pass."""
        return frozenset(
            space.ref.name
            for space in self.facts.snapshot.of_kind("Namespace")
            if texts(at(space.manifest, ("metadata", "labels"))).get(ENFORCE)
            not in ("baseline", "restricted")
        )

    @property
    def _upgrades_by_get(self) -> bool:
        """Whether the server, as far as it is known, asks for no more than `get`."""
        server = self.facts.snapshot.server
        return server is None or server.version < CREATE_ASKED

    def _names(self, workload: Workload) -> tuple[str, ...]:
        """The names of its pods, as far as they are known, and one that nobody knows."""
        live = tuple(pod.ref.name for pod in self._live.get(workload.ref.key, ()))
        name = workload.ref.name
        if workload.ref.kind == "StatefulSet":
            return (*live, *(f"{name}-{number}" for number in range(min(workload.replicas, MOST))))
        return ("", *live, *((name,) if workload.ref.kind == "Pod" else ()))

    @cached_property
    def _live(self) -> Mapping[Key, Sequence[Resource]]:
        return pods_by_owner(self.facts.snapshot)


def _scope(each: Bound) -> str | None:
    """The namespace that a binding holds in; None for the whole cluster."""
    if each.binding.ref.kind == "ClusterRoleBinding":
        return None
    return each.binding.ref.namespace or "default"


_EVERY = (
    *powers.ON_PODS, *powers.BY_GET, *powers.ON_SERVICES, *powers.ON_NODES, *powers.ON_SECRETS,
    *powers.ON_POLICIES, *powers.ON_NAMESPACES, *powers.STARTING, *powers.AS_ACCOUNT,
    *powers.AS_USER, *powers.AS_GROUP,
    *(power for pair in (*powers.RAISING, *powers.RAISING_INSIDE) for power in pair),
)  # fmt: skip


def _gives(each: Bound) -> bool:
    """Whether the role gives any of the powers, over whatever object it names."""
    names = {name for rule in each.rules for name in rule.names} | {""}
    return any(allows(each.rules, power, "", name) for power in _EVERY for name in names)


def _raises(each: Bound) -> bool:
    pairs = powers.RAISING if _scope(each) is None else powers.RAISING_INSIDE
    names = {name for rule in each.rules for name in rule.names} | {""}
    return any(
        all(any(allows(each.rules, one, "", name) for name in names) for one in pair)
        for pair in pairs
    )


def _acting(each: Bound, position: Position) -> Iterator[str]:
    """How a binding lets its subjects act as this one."""
    space, name = _scope(each), position.subject
    found = None if position.name.startswith("Group ") else account_named(name)
    if found is not None:
        home, short = found
        if space in (None, home):
            for power in held(each.rules, powers.AS_ACCOUNT, home, (short,)):
                yield _said(power)
            for power in held(each.rules, powers.STARTING, home, ("",)):
                yield f"{power.combined} (starts pods that run as it)"
                return
    elif space is None:
        known = powers.AS_GROUP if position.name.startswith("Group ") else powers.AS_USER
        yield from map(_said, held(each.rules, known, "", (name,)))


def _on_template(workload: Workload) -> tuple[Power, ...]:
    resource = powers.ON_TEMPLATES.get((workload.ref.group, workload.ref.kind))
    if resource is None:
        return ()
    return (Power(powers.WRITE, workload.ref.group, resource, "changes what its pods run"),)


def _groups_of(namespace: str) -> tuple[str, ...]:
    return ACCOUNTS, f"{ACCOUNTS}:{namespace}", AUTHENTICATED


def _right(power: Power) -> Right:
    return _said(power), power.controls


def _said(power: Power) -> str:
    return f"{power.combined} ({power.told})"


def _means(
    each: Bound, positions: tuple[Position, ...], spoken: Spoken, *, approach: bool = False
) -> Means:
    assert each.role
    binding, role = each.binding.ref, each.role.resource.ref
    whys = {
        target: Why(f"{binding} grants {role}: {_listed(told)}", binding, ("roleRef",))
        for target, told in spoken.items()
    }
    place = Why(f"{binding} grants {role}", binding, ("roleRef",))
    mend = f"take {binding} away, or these rights out of {role}"
    return Means("api", positions, tuple(spoken), whys, approach=approach, mend=mend, place=place)


def _listed(told: Sequence[str]) -> str:
    more = len(told) - NAMED
    return ", ".join(told[:NAMED]) + (f", and {more} more such rights" if more > 0 else "")
