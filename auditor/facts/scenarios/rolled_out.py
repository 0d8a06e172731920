"""A workload is updated: `rollouts`, `stateful_sets` or `daemon_sets` of the models explores every
order in which its pods can be replaced, from where they are, beside all other pods.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from auditor.facts.controllers import rollouts, stateful_sets
from auditor.facts.controllers.case import Behaviour, CaseError, UnmodelledError, course_of
from auditor.facts.controllers.checking import checked
from auditor.facts.controllers.exploring import MOST_STATES, explored
from auditor.facts.controllers.quotas import Quotas
from auditor.facts.controllers.rolling import strategy_of
from auditor.facts.controllers.room import Room
from auditor.facts.controllers.stages import NOWHERE, Stage
from auditor.facts.controllers.validation import refusal
from auditor.facts.placement import Pod
from auditor.facts.placement.needed import rounded
from auditor.facts.placement.needs import needs_of
from auditor.facts.placement.pods import Shape
from auditor.facts.scenarios.cluster import Cluster, Group, Running
from auditor.facts.scenarios.daemons import updated
from auditor.facts.scenarios.outcome import Effect, Outcome, silenced
from auditor.facts.scenarios.surroundings import (
    Anywhere,
    room_for,
    slots,
    volume_doubts,
    without_claims,
)
from auditor.facts.workloads import REVISION_LABELS
from auditor.manifests import at, mapping
from auditor.model import Manifest
from auditor.values import dataclass

KINDS = ("Deployment", "StatefulSet", "DaemonSet")
"""What can be rolled out."""
NEW = "updated"
"""The revision label of the pods of the new template."""
STUCK = "stuck"
GATED = 136
"""Up to this version MaxUnavailableStatefulSet is off by default."""
LEEWAY = 4
"""Old pods, new ones and those that are still ending are together fewer than so many times the
replicas and the surge."""


def rolled_out(cluster: Cluster, group: Group, behaviour: Behaviour | None = None) -> Outcome:
    """What becomes of an update that changes the image alone; `behaviour`: of the new pods.

    Raises:
        UnmodelledError: no model knows this kind.
    """
    if group.kind not in KINDS:
        known = ", ".join(KINDS)
        raise UnmodelledError(f"{group.kind} {group.name} is not rolled out: only {known} are")
    action = f"rollout {group.name}"
    try:
        manifest = _valid(group)
    except (CaseError, UnmodelledError) as error:
        words = f"an API server would refuse {group.name}: {error}"
        if isinstance(error, UnmodelledError):
            words = str(error)
        return Outcome(cluster, action, "refused", words, (), blocked_on=(words,))
    if not cluster.nodes:
        return _without_nodes(cluster, group, action)
    if not (group.running or group.waiting):
        return Outcome(cluster, action, "complete", f"{group.name} has no pod", ())
    update = _Update(cluster, group, manifest, behaviour or Behaviour())
    return update.outcome(action, _explore(update))


def _without_nodes(cluster: Cluster, group: Group, action: str) -> Outcome:
    """What can be said where nobody knows any node: what its pods need, an update not counted."""
    found = needs_of(group.workload, cluster.facts.settings) if group.workload else None
    needs = f": it is {found.sentence}" if found else ""
    words = f"how the update of {group.name} ends depends on nodes that are not given{needs}"
    return Outcome(cluster, action, "unknown", words, (), doubts=("no Node object is given",))


def _valid(group: Group) -> Manifest:
    """The workload as an API server has it: without what is null.

    Raises:
        CaseError: it would not take it.
        UnmodelledError: there are more replicas than a model can follow.
    """
    fields = {"objects": [group.manifest], "action": {"type": "update", "object": group.manifest}}
    (manifest,) = checked(course_of(fields), KINDS).first.objects
    if refused := refusal(manifest):
        raise CaseError(str(refused["message"]))
    return manifest


@dataclass(frozen=True, slots=True)
class Explored:
    """What a model found, whatever its states are."""

    told: Mapping[str, Any]
    """In the keys of the recorded cases."""
    after: int
    """The fewest that are available in any end."""


def _explore(update: _Update) -> Explored:
    explore = {"Deployment": _deployment, "StatefulSet": _stateful_set, "DaemonSet": _daemon_set}
    return explore[update.group.kind](update)


@dataclass
class _Update:
    """One update, and the world that it happens in."""

    cluster: Cluster
    group: Group
    manifest: Manifest
    behaviour: Behaviour

    @property
    def spec(self) -> Manifest:
        """Of the workload."""
        return mapping(self.manifest.get("spec"))

    @cached_property
    def pods(self) -> tuple[Pod, Pod]:
        """A pod of the old revision and one of the new."""
        old = self.group.fresh or self.group.running[0].pod
        return without_claims(self.group, old), without_claims(
            self.group, _renewed(self.group, old)
        )

    @cached_property
    def room(self) -> Room:
        """The nodes, with all other pods on them; one that stands for all, where there is more
        room than the pods of this one can ever take.
        """
        others = tuple(self.cluster.others(lambda group: group is self.group))
        topology = self.cluster.facts.topology
        room = room_for(self.cluster, topology, self.pods, others)
        surge = strategy_of(self.manifest).surge if self.group.kind == "Deployment" else 0
        most = LEEWAY * (len(self.group.running) + len(self.group.waiting) + surge)
        if self.group.kind == "DaemonSet" or slots(room, topology, self.pods, others) < most:
            return room
        return Anywhere(room)

    @property
    def behaviours(self) -> tuple[Behaviour, Behaviour]:
        """Of old and new pods."""
        return Behaviour(), self.behaviour

    @cached_property
    def here(self) -> Sequence[tuple[Running, int]]:
        """The pods that run, each with the number of its node."""
        if isinstance(self.room, Anywhere):
            return [(each, 0) for each in self.group.running]
        index = {name: number for number, name in enumerate(self.room.names)}
        return [(each, index[each.node]) for each in self.group.running if each.node in index]

    def outcome(self, action: str, found: Explored) -> Outcome:
        """The answer."""
        told, group = found.told, self.group
        ends = tuple(told["ends"])
        waiting = tuple(
            (each["pods"], each["message"])
            for each in told["why"]
            if each["kind"] in ("unschedulable", "SchedulingGated")
        )
        before = group.available
        effect = Effect(group, before, min(before, told["minAvailable"]), found.after, waiting)
        whole, paused = not told.get("notExplored"), self.spec.get("paused") is True
        stuck = STUCK in ends and whole and not paused
        done = "paused" if paused else ends[0] if ends and whole else "unknown"
        return Outcome(
            cluster=self.cluster,
            action=action,
            result=STUCK if stuck else done,
            words=_words(group, ends if whole else (), effect, paused=paused),
            effects=(effect,),
            silent=tuple(silenced(self.cluster, (effect,), self._lowest(effect.lowest))),
            blocked_on=tuple(_reasons(told["why"])) if stuck else (),
            doubts=tuple(dict.fromkeys(self._doubts(told))),
            ends=ends,
        )

    def _lowest(self, own: int) -> list[int]:
        """The fewest behind each Service."""
        groups = self.cluster.groups
        return [
            sum(own if groups[n] is self.group else groups[n].available for n in numbers)
            for _, numbers in self.cluster.services
        ]

    def _doubts(self, told: Mapping[str, Any]) -> Iterator[str]:
        yield from self.room.doubts
        yield from volume_doubts(self.cluster, self.group)
        if self.group.kind == "Deployment" and any(pod.claims for pod in self.pods):
            yield f"whether old and new pods of {self.group.name} can mount their volume together"
        if told.get("notExplored"):
            yield f"more than {MOST_STATES:,} states, of which not all were looked at"
        if any(_scoped(quota) for quota in self.quotas):
            yield "ResourceQuotas that count some pods only"

    @property
    def quotas(self) -> Sequence[Manifest]:
        """Those of the namespace."""
        found = self.cluster.facts.snapshot.of_kind("ResourceQuota")
        return [q.manifest for q in found if q.ref.namespace == self.group.ref.namespace]


def _renewed(group: Group, old: Pod) -> Pod:
    """The pod with the label of another revision, where its controller writes one."""
    key = REVISION_LABELS.get(group.kind, "")
    if key not in old.labels:
        return old
    shape, owner = old.shape, old.owner
    if owner and key in mapping(owner.get("matchLabels")):
        owner = {**owner, "matchLabels": {**mapping(owner["matchLabels"]), key: NEW}}
    new = Shape(shape.spec, shape.namespace, {**shape.labels, key: NEW}, {})
    return replace(old, shape=new, owner=owner)


def _deployment(update: _Update) -> Explored:
    strategy = strategy_of(update.manifest)
    world = rollouts.World(
        room=update.room,
        behaviours=update.behaviours,
        quotas=_quotas(update),
        wanted=1,
        strategy=strategy,
    )
    there = Counter(
        (
            0,
            _stage(each),
            node,
        )
        for each, node in update.here
    )
    if update.group.waiting:
        there[0, Stage.PENDING, NOWHERE] = len(update.group.waiting)
    pods = tuple(sorted((*key, number) for key, number in there.items()))
    leaving = sum(count for (_, stage, _), count in there.items() if stage is Stage.LEAVING)
    start = rollouts.State((there.total() - leaving, 0), pods, None)
    found = rollouts.explore([start], world)
    after = min((sum(s.available) for s in found.quiet or found.seen), default=0)
    return Explored(rollouts.summary(found, world), after)


def _stateful_set(update: _Update) -> Explored:
    rolling = mapping(at(update.spec, ("updateStrategy", "rollingUpdate")))
    world = stateful_sets.World(
        room=update.room,
        behaviours=update.behaviours,
        replicas=update.spec.get("replicas", 1),
        wanted=1,
        ordered=update.spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady",
        on_delete=at(update.spec, ("updateStrategy", "type")) == "OnDelete",
        partition=rolling.get("partition") or 0,
        most_unavailable=_at_once(update, rolling.get("maxUnavailable")),
    )
    members = [
        stateful_sets.Member(_ordinal(each.name), 0, _stage(each), node)
        for each, node in update.here
    ]
    members += [
        stateful_sets.Member(_ordinal(name), 0, Stage.PENDING) for name, _ in update.group.waiting
    ]
    found = explored([stateful_sets.State(tuple(sorted(members)), 0)], world.next)
    after = min((state.available for state in found.quiet or found.seen), default=0)
    return Explored(stateful_sets.summary(found, world), after)


def _daemon_set(update: _Update) -> Explored:
    here = [(_stage(each), node) for each, node in update.here]
    found = updated(update.room, update.behaviours, update.spec, here)
    return Explored(found.told, found.after)


def _at_once(update: _Update, written: object) -> int | None:
    """How many pods of a StatefulSet its update may take away at once; None: one after the other.
    Up to 1.36 the feature gate is off by default and the field dropped: what a server has stored
    shows that it is on there.
    """
    stored = at(update.group.manifest, ("metadata", "uid")) is not None
    if update.cluster.facts.settings.kubernetes <= GATED and not stored:
        return None
    most = rounded(written, update.spec.get("replicas", 1), up=False)
    return None if most is None else max(most, 1)


def _stage(running: Running) -> Stage:
    """A pod that is not ready now is taken to stay so: nobody knows what keeps it."""
    if running.pod.terminating:
        return Stage.LEAVING
    return Stage.AVAILABLE if running.ready else Stage.BROKEN


def _ordinal(name: str) -> int:
    number = name.rpartition("-")[2]
    return int(number) if number.isdecimal() and len(number) < 9 else 0


def _quotas(update: _Update) -> Quotas:
    """The limits, less what the other pods of the namespace take of them."""
    mine = update.group
    others = [g for g in update.cluster.groups if g.ref.namespace == mine.ref.namespace]
    others = [g for g in others if g is not mine]
    template = {"spec": update.pods[0].spec}
    templates = [template, template, *({"spec": _spec(group)} for group in others)]
    found = Quotas.of(update.quotas, templates)
    taken = Counter[str]()
    for group, takes in zip(others, found.takes[2:], strict=True):
        for key, amount in takes.items():
            taken[key] += amount * (len(group.running) + len(group.waiting))
    hard = tuple((key, limit - taken[key]) for key, limit in found.hard)
    return Quotas(hard, found.takes[:2])


def _spec(group: Group) -> Manifest:
    pod = group.fresh or (group.running[0].pod if group.running else None)
    return pod.spec if pod else {}


def _scoped(quota: Manifest) -> bool:
    spec = mapping(quota.get("spec"))
    return bool(spec.get("scopes") or spec.get("scopeSelector"))


def _reasons(why: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for each in why:
        pods = f"{each['pods']} pod{'' if each['pods'] == 1 else 's'}"
        yield f"{pods} ({each['kind']}): {each['message']}"


def _words(group: Group, ends: Sequence[str], effect: Effect, *, paused: bool) -> str:
    fewest = f"at worst {effect.lowest} of {effect.before} pods are available"
    if paused:
        return f"{group.name} is paused: nothing is rolled out until it is resumed"
    if not ends:
        return f"how the update of {group.name} ends was not found out; {fewest}"
    if list(ends) == [STUCK]:
        return f"the update of {group.name} gets stuck; {fewest}"
    if STUCK in ends:
        return f"the update of {group.name} can get stuck; {fewest}"
    if "settled-mixed" in ends:
        return f"{group.name} replaces no pod by itself (OnDelete); {fewest}"
    return f"the update of {group.name} completes; {fewest}"
