"""Which flows a change opens and closes: two networks compared, without asking all of their pairs.

Only ends whose policies changed, or that are others than before, can have other flows. For each of
them the rows of both networks say with whom that may be. Where these do not already say what
flows, `reach` is asked; and it is for reasons, if anybody wants them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import field
from functools import cached_property, partial, reduce
from operator import or_

from auditor.facts.network.answers import Direction, Reach
from auditor.facts.network.cluster_policies import DIALECTS
from auditor.facts.network.engine import BOTH, Network
from auditor.facts.network.istio.mesh import READ
from auditor.facts.network.matrix import Mask, Matrix, Row, places
from auditor.facts.network.points import NODE, Point
from auditor.facts.network.policies import KIND
from auditor.facts.network.ports import PortSet
from auditor.facts.network.reading import Relabelled
from auditor.facts.workloads import WORKLOAD_KINDS, Workload
from auditor.memory import collector_paused
from auditor.model import Key, Ref
from auditor.values import dataclass

_OPPOSITE: dict[Direction, Direction] = {"Ingress": "Egress", "Egress": "Ingress"}

OF_MESH = frozenset(READ)
"""Kinds that change nothing but what sidecars let through."""
OF_NETWORK = frozenset((KIND, *DIALECTS, *WORKLOAD_KINDS))
"""Kinds that change nothing of the mesh but the ends of a flow themselves."""


Ports = tuple[PortSet, PortSet]
"""What flows, surely and perhaps."""

NOTHING: Ports = (PortSet.NONE, PortSet.NONE)


@dataclass(frozen=True, slots=True)
class FlowChange:
    """What workloads that are alike before and after may send to others, then and now."""

    sources: tuple[Ref, ...]
    targets: tuple[Ref, ...]
    """Where both are one object, two pods of it are meant."""
    was: Ports
    """What flowed; nothing where one of the two was not there."""
    now: Ports
    """What flows; nothing where one of the two is gone."""
    _ask: tuple[Callable[[], Reach | None], Callable[[], Reach | None]] = field(
        repr=False, compare=False
    )

    @property
    def before(self) -> Reach | None:
        """What flowed, and why; None where one of the two was not there. Asked each time."""
        return self._ask[0]()

    @property
    def after(self) -> Reach | None:
        """What flows, and why; None where one of the two is gone. Asked each time."""
        return self._ask[1]()

    @property
    def opened(self) -> PortSet:
        """What surely flows now and surely or perhaps did not."""
        return self.now[0] - self.was[0]

    @property
    def closed(self) -> PortSet:
        """What surely flowed and surely or perhaps no longer does."""
        return self.was[0] - self.now[0]


@dataclass(frozen=True, slots=True)
class Pair:
    """One workload in both networks; None where it is not there."""

    old: Workload | None
    new: Workload | None

    @property
    def ref(self) -> Ref:
        """Its identity."""
        found = self.new or self.old
        assert found is not None
        return found.ref


@dataclass(frozen=True, slots=True)
class _End:
    """A workload whose pods are another point than before, seen in one direction."""

    direction: Direction
    was: Point
    now: Point
    then: Row
    """What its policies said, and what they say."""
    since: Row
    differing: Mask
    """Those of whom they say something else."""
    pods: Relabelled | None
    """The points, where they differ in labels alone and no policy changed."""


Group = list[Pair]
"""Workloads that neither network tells apart."""


def delta(before: Network, after: Network) -> tuple[FlowChange, ...]:
    """Every flow between workloads that is another one `after`, surely or perhaps.

    Costs, where `after` is what came of `Network.after` and points are the same ones: a row of each
    network for each point whose policies changed, and for each pair that may differ a look at both
    ends' policies.
    Else, and where objects of Istio changed, it costs what a `Matrix` of each costs at least.
    """
    with collector_paused():
        found = _Comparison(before, after)
        return tuple(change for pair in found.candidates() if (change := found.change(*pair)))


class _Comparison:
    def __init__(self, before: Network, after: Network) -> None:
        self.before, self.after = before, after
        changed = after.changed if after.succeeds(before) else None
        self._changed = changed or {}
        kinds = {change.kind for change in self._changed.values()}
        meshed = before.mesh.present, after.mesh.present
        self._plain = meshed == (False, False)
        """Whether what policies say is all."""
        same_mesh = self._plain or (all(meshed) and kinds <= OF_NETWORK)
        same_nodes = before.grouping.machines == after.grouping.machines
        self._quick = changed is not None and same_mesh and same_nodes
        self._only_pods = kinds <= set(WORKLOAD_KINDS)
        """Whether every policy says what it said."""
        self._of_mesh = changed is not None and all(meshed) and kinds <= OF_MESH
        self._told: dict[tuple[Hashable, Hashable], tuple[Ports, Ports]] = {}
        """What flowed and flows between two groups, where that is known already."""
        self._groups: dict[Hashable, Group] = {}
        self._moved: list[Hashable] = []
        """The groups of what is no longer what it was."""
        (self._keep if self._quick else self._pair)()

    def candidates(self) -> Iterable[tuple[Hashable, Hashable]]:
        """The groups between which anything may have changed, as source and target."""
        if self._quick:
            return dict.fromkeys((*self._by_policies(), *self._by_ends()))
        return dict.fromkeys(self._by_sidecars() if self._of_mesh else self._by_matrices())

    def change(self, source: Hashable, target: Hashable) -> FlowChange | None:
        """What changed between two groups; None where nothing did."""
        ours, theirs = self._group(source), self._group(target)
        if not ours or not theirs:
            return None
        one, other = ours[0], theirs[0]
        if source == target and len(ours) > 1:
            other = ours[1]
        ask = (
            partial(_reach, self.before, one.old, other.old),
            partial(_reach, self.after, one.new, other.new),
        )
        was, now = self._told.get((source, target)) or (_flows(ask[0]()), _flows(ask[1]()))
        if was == now:
            return None
        return FlowChange(
            tuple(each.ref for each in ours), tuple(each.ref for each in theirs), was, now, ask
        )

    def _group(self, key: Hashable) -> Group:
        found = self._groups.get(key)
        if found is None:
            # One that did not change, by its points.
            kept = self.before.grouping.groups.get(key, ())
            gone = {id(pair.old) for each in self._moved for pair in self._groups[each]}
            found = [Pair(each, each) for each in kept if id(each) not in gone]
            self._groups[key] = found
        return found

    def _keep(self) -> None:
        """Put what changed into groups of its own; the others stay in those that there are."""
        keys = set(self._changed)
        if any(change.owned for change in self._changed.values()):
            keys.update(self._elsewhere())
        olds, news = _named(self.before, keys), _named(self.after, keys)
        for key in dict.fromkeys((*olds, *news)):
            self._groups[key] = [Pair(olds.get(key), news.get(key))]
            self._moved.append(key)

    def _elsewhere(self) -> Iterator[Key]:
        """The workloads that did not change, and whose pods did."""
        before, after = (
            {
                w.ref.key: (network.points_of(w), network.grouping.stand(w))
                for w in network.workloads
            }
            for network in (self.before, self.after)
        )
        return (key for key in (*before, *after) if before.get(key) != after.get(key))

    def _by_policies(self) -> Iterator[tuple[Hashable, Hashable]]:
        """Between points whose policies changed and those of whom these say something else."""
        for point in self._candidate_points():
            for direction in BOTH:
                was = self.before.judge.selection(point, direction)
                if was == self.after.judge.selection(point, direction):
                    continue
                mask = _differing(
                    self.before.matrix.row(direction, point), self._now.row(direction, point)
                )
                mask |= self.before.matrix.on_nodes
                found = self.before.matrix.members(mask)
                others = [other for other in found if not self._is_stopped(direction, point, other)]
                yield from self._between(direction, [point], others)

    def _is_stopped(self, direction: Direction, point: Point, other: Point) -> bool:
        """Whether the other end has it that the flow is the same."""
        if NODE in (point.kind, other.kind):
            return False
        flow = (other, point) if direction == "Ingress" else (point, other)
        return self.before.matrix.flow(*flow) == self._now.flow(*flow)

    def _candidate_points(self) -> Iterable[Point]:
        keys = [key for key in self._changed if key[1].endswith(KIND)]
        spaces = {key[2] for key in keys}
        if not keys:
            return ()
        return (p for p in self.before.matrix.points if p.namespace in spaces or "" in spaces)

    def _between(
        self, direction: Direction, subjects: Iterable[Point], others: Iterable[Point]
    ) -> Iterator[tuple[Hashable, Hashable]]:
        them = [key for other in others for key in self.before.grouping.at.get(other, ())]
        for subject in subjects:
            for mine in self.before.grouping.at.get(subject, ()):
                for other in them:
                    yield (other, mine) if direction == "Ingress" else (mine, other)

    def _by_ends(self) -> Iterator[tuple[Hashable, Hashable]]:
        """Between workloads that changed and all with whom they had to do, or have."""
        for key in self._moved:
            (pair,) = self._groups[key]
            olds = self.before.points_of(pair.old) if pair.old else ()
            news = self.after.points_of(pair.new) if pair.new else ()
            for direction in BOTH:
                masks = [_flowing(self.before.matrix.row(direction, point)) for point in olds]
                masks += [_flowing(self._now.row(direction, point)) for point in news]
                mask = reduce(or_, masks, self.before.matrix.on_nodes)
                end = self._end(direction, olds, news)
                for other in self.before.matrix.members(mask):
                    told = self._flowing(end, other) if end else None
                    if told and told[0] == told[1]:
                        continue
                    for group in self.before.grouping.at.get(other, ()):
                        both = (group, key) if direction == "Ingress" else (key, group)
                        if told and self._is_one_point(group):
                            self._told[both] = told
                        yield both
            yield from ((key, other) for other in self._moved)

    def _by_sidecars(self) -> Iterator[tuple[Hashable, Hashable]]:
        """From everybody to those at whose sidecars other policies are asked."""
        for key, (pair, *_) in self._groups.items():
            old, new = pair.old, pair.new
            if old and new and self.before.mesh.kind(old) != self.after.mesh.kind(new):
                yield from ((source, key) for source in self._groups)

    def _end(
        self, direction: Direction, olds: Sequence[Point], news: Sequence[Point]
    ) -> _End | None:
        """An end that was one point and is one, so that it is cheap to tell who has the same flows
        with both; None where it is not.
        """
        if len(olds) != 1 or len(news) != 1 or olds[0] not in self.before.matrix.place:
            return None
        was, now = olds[0], news[0]
        if NODE in (was.kind, now.kind):
            return None
        then, since = self.before.matrix.row(direction, was), self._now.row(direction, now)
        pods = Relabelled.of(was, now) if self._only_pods else None
        return _End(direction, was, now, then, since, _differing(then, since), pods)

    def _is_one_point(self, group: Hashable) -> bool:
        """Whether points say all of what flows to and from a group that does not change."""
        one = self.before.grouping.groups[group][0]
        return self._plain and len(self.before.points_of(one)) == 1

    def _flowing(self, end: _End, other: Point) -> tuple[Ports, Ports] | None:
        """What flowed and flows between one point and an end, or twice nothing where that is the
        same; None where `reach` is to be asked.
        """
        if other.kind == NODE:
            return None
        place, opposite = self.before.matrix.place[other], _OPPOSITE[end.direction]
        judge = self.after.judge
        if end.pods and not end.differing >> place & 1 and judge.same_of(opposite, other, end.pods):
            return NOTHING, NOTHING
        theirs = self.before.matrix.said(opposite, other, end.was)
        ends = (other, end.now) if end.direction == "Ingress" else (end.now, other)
        sure, possible = judge.between(opposite, *ends)
        was, now = end.then.at(place), end.since.at(place)
        flowed = (was.sure & theirs.sure, was.possible & theirs.possible)
        return flowed, (now.sure & sure, now.possible & possible)

    @cached_property
    def _now(self) -> Matrix:
        """The points of before, by the policies of after."""
        return self.before.matrix.judged_by(self.after.judge)

    def _pair(self) -> None:
        """Put all workloads into groups by what both networks take them for."""
        olds = {w.ref: w for w in self.before.workloads}
        news = {w.ref: w for w in self.after.workloads}
        for ref in dict.fromkeys((*olds, *news)):
            pair = Pair(olds.get(ref), news.get(ref))
            key = tuple(
                network.grouping.of(workload) if workload else None
                for network, workload in ((self.before, pair.old), (self.after, pair.new))
            )
            self._groups.setdefault(key, []).append(pair)

    def _by_matrices(self) -> Iterator[tuple[Hashable, Hashable]]:
        """All groups of one point each, by rows of both networks over the same places; all others,
        and those whose sidecars have a say, with everybody.
        """
        plain: list[Hashable] = []
        others: list[Hashable] = []
        for key, group in self._groups.items():
            (plain if self._is_plain(group[0]) else others).append(key)
        yield from ((a, b) for a in others for b in self._groups)
        yield from ((a, b) for a in plain for b in others)
        matrices = [
            Matrix(network.judge, [self._point(network, key) for key in plain], distinct=False)
            for network in (self.before, self.after)
        ]
        ends = [(self._point(self.before, key), self._point(self.after, key)) for key in plain]
        for direction in BOTH:
            seen: dict[tuple[Row, Row], list[Hashable]] = {}
            for key, (old, new) in zip(plain, ends, strict=True):
                rows = matrices[0].row(direction, old), matrices[1].row(direction, new)
                if rows not in seen:
                    mask = _differing(*rows)
                    seen[rows] = [plain[place] for place in places(mask)]
                for other in seen[rows]:
                    yield (other, key) if direction == "Ingress" else (key, other)

    def _is_plain(self, pair: Pair) -> bool:
        if not pair.old or not pair.new:
            return False
        ends = ((self.before, pair.old), (self.after, pair.new))
        return all(
            len(network.points_of(w)) == 1
            and w.pod.get("hostNetwork") is not True
            and not network.meshed(w)
            for network, w in ends
        )

    def _point(self, network: Network, key: Hashable) -> Point:
        pair = self._groups[key][0]
        workload = pair.old if network is self.before else pair.new
        assert workload is not None
        return network.points_of(workload)[0]


def _named(network: Network, keys: Collection[Key]) -> dict[Key, Workload]:
    """The workloads of these objects, or with pods among them."""
    names = {key[-1] for key in keys}  # cheaper to ask first
    meant = (w for w in network.workloads if w.resource.ref.name in names)
    return {w.ref.key: w for w in meant if w.ref.key in keys}


def _reach(network: Network, source: Workload | None, target: Workload | None) -> Reach | None:
    return network.reach(source, target) if source and target else None


def _flows(reach: Reach | None) -> Ports:
    return (reach.ports, reach.possible) if reach else NOTHING


def _differing(was: Row, now: Row) -> int:
    """Of whom two rows over the same points do not say the same."""
    if was is now:
        return 0
    same = 0
    for bounds, mask in was.masks.items():
        for other, theirs in now.masks.items():
            if (bounds.sure, bounds.possible) == (other.sure, other.possible):
                same |= mask & theirs
    return reduce(or_, was.masks.values(), 0) & ~same


def _flowing(row: Row) -> int:
    return reduce(or_, (mask for bounds, mask in row.masks.items() if bounds.possible), 0)
