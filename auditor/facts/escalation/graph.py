"""Joins the techniques: what each place leads to, and the shortest ways to everything."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from auditor.facts.access.holders import EVERYTHING, Held, Holder, key_of
from auditor.facts.access.subjects import MASTERS, Subject, account, account_named
from auditor.facts.escalation import guards, raising, taking
from auditor.facts.escalation.positions import CLUSTER, Place, Right, Step
from auditor.facts.escalation.world import World
from auditor.facts.workloads import Workload
from auditor.model import Path
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

TECHNIQUES = (*raising.TECHNIQUES, *taking.TECHNIQUES, *guards.TECHNIQUES)


@dataclass(frozen=True, slots=True)
class Chain:
    """A shortest way, step by step."""

    start: Place
    steps: tuple[Step, ...]

    @property
    def assumed(self) -> bool:
        """Whether it passes what an API server makes for itself, which was not read anywhere."""
        return any(step.assumed for step in self.steps)


class Escalation:
    """Who comes to what, in one snapshot. Costs a look at each right of each subject for each
    technique; ways to one place cost a look at each step.
    """

    def __init__(self, facts: Facts) -> None:
        self.world = World(facts)
        self.holders = self.world.holders
        self._facts = facts
        self._steps: dict[Place, tuple[Step, ...]] = {}
        self._holder_at: dict[Place, Holder] = {}
        self._ways: dict[Place, Chain | None] = {}

    @cached_property
    def subjects(self) -> Sequence[Place]:
        """Whom a binding names that the API server does not make for itself."""
        return tuple(place_of(subject) for subject in self.holders.named)

    @cached_property
    def workloads(self) -> Mapping[Place, Workload]:
        """The workloads whose pods hold a token."""
        return {
            Place("workload", workload.ref.namespace, str(workload.ref)): workload
            for found in self.world.running.values()
            for workload, _ in found
        }

    def direct(self, holder: Holder) -> tuple[Step, ...]:
        """All that somebody can do at once to come to hold more; nothing where they hold all."""
        if holder.is_admin:
            return ()
        found: list[Step] = []
        for space in (None, *holder.spaces):
            here = [step for each in TECHNIQUES for step in each(holder, space, self.world)]
            found += [step for step in here if not any(_as_good(one, step) for one in found)]
        return tuple(found)

    def steps(self, place: Place) -> tuple[Step, ...]:
        """What a place leads to."""
        if place not in self._steps:
            self._steps[place] = tuple(self._from(place))
        return self._steps[place]

    def chains(self, start: Place) -> Iterator[Chain]:
        """The shortest way from a start to each place that it leads to, the nearest first."""
        came: dict[Place, Chain] = {start: Chain(start, ())}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            for step in self.steps(here):
                if step.target not in came:
                    came[step.target] = Chain(start, (*came[here].steps, step))
                    yield came[step.target]
                    if not step.limited:
                        queue.append(step.target)

    def chain(self, start: Place, goal: Place = CLUSTER) -> Chain | None:
        """The shortest way to a goal; None where there is none."""
        steps: list[Step] = []
        here = start
        nearer = self._nearer(goal)
        while here != goal:
            step = nearer.get(here)
            if step is None:
                return None
            steps.append(step)
            here = step.target
        return Chain(start, tuple(steps))

    def account_of(self, workload: Workload) -> Place | None:
        """The account whose token its pods hold; None where they hold none."""
        account = self.world.account_of(workload)
        return Place("account", *account) if account else None

    def to_everything(self, start: Place) -> Chain | None:
        """The shortest way from one start, without a look at any other."""
        if start not in self._ways:
            to_all = (one for one in self.chains(start) if one.steps[-1].target == CLUSTER)
            self._ways[start] = next(to_all, None)
        return self._ways[start]

    def _nearer(self, goal: Place) -> Mapping[Place, Step]:
        if goal != CLUSTER:
            return self._backwards(goal)
        return self._to_everything

    @cached_property
    def _to_everything(self) -> Mapping[Place, Step]:
        return self._backwards(CLUSTER)

    def _backwards(self, goal: Place) -> Mapping[Place, Step]:
        """The first step of a shortest way to the goal, by where it starts."""
        into: dict[Place, list[tuple[Place, Step]]] = {}
        for place in self._reached((*self.subjects, *self.workloads)):
            for step in self.steps(place):
                if not step.limited or step.target == goal:
                    into.setdefault(step.target, []).append((place, step))
        found: dict[Place, Step] = {}
        queue = deque([goal])
        while queue:
            for place, step in into.get(queue.popleft(), ()):
                if place not in found and place != goal:
                    found[place] = step
                    queue.append(place)
        return found

    def _reached(self, starts: Iterable[Place]) -> Iterator[Place]:
        seen = dict.fromkeys(starts)
        queue = deque(seen)
        while queue:
            yield (here := queue.popleft())
            for step in self.steps(here):
                if step.target not in seen:
                    seen[step.target] = None
                    queue.append(step.target)

    def _from(self, place: Place) -> Iterator[Step]:
        if place == CLUSTER:
            return
        holder = self._acting_at(place)
        if holder is not None:
            yield from self._as(holder)
        elif place.kind == "workload":
            workload = self.workloads[place]
            if account := self.account_of(workload):
                yield _running_as(workload, account)
        elif place.kind == "account":
            yield from self._one_of("account", place, self._accounts)
        elif place.kind in ("user", "group"):
            yield from self._one_of(place.kind, place, self._others)
        else:
            yield from self._beyond(place)

    def _as(self, holder: Holder) -> Iterator[Step]:
        if MASTERS in holder.groups:
            yield Step("group", CLUSTER, f"{MASTERS} is allowed everything, whatever is bound")
        elif (all_of_it := holder.everything) is not None:
            rights = (Right(("*",), "*", "*", all_of_it.bound),)
            assumed = _is_assumed(all_of_it)
            yield Step("granted", CLUSTER, "holds every right", rights, assumed=assumed)
        for step in self.direct(holder):
            if step.extended is not None:
                self._holder_at[step.target] = step.extended
            yield step

    def _acting_at(self, place: Place) -> Holder | None:
        """Who acts at a place; None where that is not one identity."""
        if place.kind == "role":
            return self._holder_at.get(place)
        if place.kind == "rights" and place.space is not None:
            return Holder(Subject("User", ""), (Held(EVERYTHING, place.space),))
        if place.kind in ("account", "user", "group") and place.name:
            return self.holders.of(subject_of(place))
        return None

    def _one_of(self, kind: str, place: Place, known: Sequence[Place]) -> Iterator[Step]:
        if kind == "group":
            yield Step("is", Place("group", name=MASTERS), "is one of them")
        for one in known:
            if one.kind == kind and place.space in (None, one.space):
                assumed = not self._was_read(one)
                yield Step("is", one, "is one of them", assumed=assumed)

    def _was_read(self, place: Place) -> bool:
        return any(
            not _from_server(bound) for bound in self.holders.by_subject.get(subject_of(place), ())
        )

    @cached_property
    def _accounts(self) -> tuple[Place, ...]:
        """The accounts that a binding names: of others there is no more to be had."""
        bound = (key_of(subject) for subject in self.holders.by_subject)
        return tuple(
            Place("account", *found)
            for subject in bound
            if subject.kind != "Group" and (found := account_named(subject.name))
        )

    @cached_property
    def _others(self) -> tuple[Place, ...]:
        return tuple(
            Place("group" if subject.kind == "Group" else "user", name=subject.name)
            for subject in self.holders.by_subject
            if subject.kind != "ServiceAccount"
        )

    def _beyond(self, place: Place) -> Iterator[Step]:
        """What follows from pods, nodes, Secrets, certificates and the requests of others."""
        if place.kind == "node":
            yield Step("pods", Place("pods"), "runs there, or may be made to")
        elif place.kind == "requests":
            yield Step("rewrites", Place("account"), "rewrites pods to run as it")
        elif place.kind == "certificates" and _signs_clients(place.name):
            yield Step("certificate", Place("user"), "asks for a certificate that names it")
        elif place.kind == "pods":
            yield from self._tokens_of(place)
        elif place.kind == "secrets":
            for (space, name), of in self.world.tokens.items():
                if place.covers(Place("secrets", space, name)):
                    yield Step("token", Place("account", space, of), f"{name} holds its token")

    def _tokens_of(self, pods: Place) -> Iterator[Step]:
        running = self.world.running
        spaces = running if pods.space is None else (pods.space,)
        seen: set[Place] = set()
        for space in spaces:
            for workload, (home, name) in running.get(space, ()):
                target = Place("account", home, name)
                if target not in seen and _is_of(pods.name, workload):
                    seen.add(target)
                    yield _running_as(workload, target)


def place_of(subject: Subject) -> Place:
    """The place of a subject by itself."""
    who = key_of(subject)
    if who.kind != "Group" and (found := account_named(who.name)):
        return Place("account", *found)
    return Place("group" if who.kind == "Group" else "user", name=who.name)


def subject_of(place: Place) -> Subject:
    """Whose place it is."""
    if place.kind == "account":
        return Subject("ServiceAccount", account(place.space or "", place.name))
    return Subject("Group" if place.kind == "group" else "User", place.name)


def _running_as(workload: Workload, account: Place) -> Step:
    path: Path = (*workload.pod_path, "serviceAccountName")
    told = f"{workload.ref} holds its token"
    return Step("token", account, told, ref=workload.ref, path=path)


def _is_of(pod: str, workload: Workload) -> bool:
    return not pod or pod == workload.ref.name or pod.startswith(f"{workload.ref.name}-")


def _signs_clients(signer: str) -> bool:
    return signer in ("", "kubernetes.io/*", "kubernetes.io/kube-apiserver-client")


def _is_assumed(held: Held) -> bool:
    return held.bound is not None and _from_server(held.bound)


def _from_server(bound: object) -> bool:
    from auditor.facts.access.authorizer import ASSUMED, Bound

    return isinstance(bound, Bound) and bound.binding.origin.uri == ASSUMED


def _as_good(one: Step, other: Step) -> bool:
    """Whether a step is not worth telling beside another that was found before."""
    same = one.by == other.by and one.target.covers(other.target)
    return same and _asked(other) <= _asked(one)


def _asked(step: Step) -> set[tuple[str, str, str]]:
    return {
        (verb, right.group, right.resource)
        for right in (*step.rights, *step.others)
        for verb in right.verbs
    }
