"""What every verb of `auditor network` reads: the states of the files or the cluster, each with its
network, and what could not be seen.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.network.enforcers import choice_of_enforcer
from auditor.cli.options import (
    Access,
    chart_values,
    cluster_access,
    cluster_reading,
)
from auditor.cli.scope import choice_of_scope
from auditor.cli.states import Flags, choice_of_state, of_variant, read_states
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.config import Declared
    from auditor.facts.connections import Connections, End
    from auditor.facts.facts import Facts
    from auditor.facts.network import InvalidPolicy, Network
    from auditor.model import Gap, Settings, Snapshot
    from auditor.reporters.network.told import Refuser
    from auditor.scope.territory import Territory
    from auditor.sources.building import Building
    from auditor.sources.variants import Variant
    from auditor.terms import Scope


@dataclass(frozen=True, slots=True)
class Read(Flags):
    """What the shared flags of a verb say."""

    enforcers: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """One state in which the cluster may be."""

    name: str
    """What it is built from; empty where there is no other."""
    facts: Facts
    territory: Territory

    @property
    def snapshot(self) -> Snapshot:
        """What was read."""
        return self.facts.snapshot

    @property
    def network(self) -> Network:
        """Who can reach whom, with what enforces it."""
        return self.facts.network

    @cached_property
    def connections(self) -> Connections:
        """Who reaches whom."""
        from auditor.facts.connections import Connections

        known = ((one.ref, self.facts.data.of(one)) for one in self.network.workloads)
        return Connections(self.network, {ref: found.names for ref, found in known if found})

    @cached_property
    def told(self) -> tuple[End, ...]:
        """The workloads within the scope."""
        return tuple(
            end
            for end in self.connections.workloads
            if end.workload and self.territory.holds(end.workload.resource)
        )

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What could not be seen, but for policies that are refused: what becomes of those is
        known.
        """
        from auditor.facts.custom import unread

        refused = {one.ref for one in self.network.invalid}
        live = self.snapshot.server is not None
        parts = unread(self.territory.resources, live=live)
        unsure = self.facts.enforcement.gap
        found = (
            *self.snapshot.gaps,
            *parts,
            *self.network.gaps,
            *((unsure,) if unsure else ()),
            *self.facts.misread,
        )
        return tuple(dict.fromkeys(g for g in found if g.ref is None or g.ref not in refused))


@dataclass(frozen=True, slots=True)
class Rejected:
    """A policy that somebody would not take."""

    state: State
    policy: InvalidPolicy
    by: Refuser


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was read."""

    states: tuple[State, ...]
    gaps: tuple[Gap, ...]
    """Those of all states, marked where somebody answers for them."""
    scope: Scope
    strict: bool = False

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """The policies that are refused, with each reason once. Those of Kubernetes have no effect
        then; those of the mesh are judged as if they had been stored before anybody looked.
        """
        found: dict[tuple[object, ...], Rejected] = {}
        for state in self.states:
            for one, by in _refused(state.network):
                found.setdefault((one.ref, one.path, one.why), Rejected(state, one, by))
        return tuple(found.values())

    @property
    def missing(self) -> tuple[str, ...]:
        """Why no verdict can be trusted: a list of policies or of namespaces was not read."""
        from auditor.facts.kinds import POLICING

        kinds = {*POLICING, "Namespace"}
        return tuple(f"{g.what}: {g.why}" for g in self.gaps if kinds.intersection(g.kinds))

    @property
    def unsure(self) -> tuple[str, ...]:
        """Why no denial can be trusted: what enforces the policies is not known."""
        gaps = (state.facts.enforcement.gap for state in self.states)
        return tuple(dict.fromkeys(f"{gap.what}: {gap.why}" for gap in gaps if gap))

    @property
    def cni(self) -> str:
        """The profile that the answers are of."""
        return self.states[0].facts.enforcement.profile.name

    @property
    def code(self) -> int:
        """0, or 4 where something that was to be read could not be seen."""
        from auditor.model import Unseen

        counted = {Unseen.INCOMPLETE, Unseen.UNKNOWN} if self.strict else {Unseen.INCOMPLETE}
        return 4 if any(g.severity in counted and not g.acknowledged for g in self.gaps) else 0


def reading_options(command: Callable[..., int]) -> Callable[..., int]:
    """PATH... and all flags that say what is read and by whom it is enforced, given to the command
    as one argument `read`.
    """

    @functools.wraps(command)
    def gathered(**given: Any) -> int:
        access = Access(*(given.pop(name) for name in ("kubeconfig", "context")))
        access = Access(
            access.kubeconfig, access.context, given.pop("cached"), given.pop("patience")
        )
        names = ("paths", "cluster", "scope", "config", "kubernetes", "enforcers", "variant")
        flags = {name: given.pop(name) for name in (*names, "strict")}
        read = Read(access=access, building=given.pop("asked"), **flags)
        return command(**given, read=read)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return chart_values(choice_of_scope(gathered))


_OPTIONS = (
    click.argument("paths", nargs=-1, metavar="PATH..."),
    click.option("--cluster", is_flag=True, help="Ask about the live cluster instead of files."),
    choice_of_enforcer,
    cluster_access,
    cluster_reading,
    *choice_of_state,
    click.option("--strict", is_flag=True, help="Let gaps of severity 'unknown' count as well."),
)


def read_all(read: Read) -> Reading:
    """Whatever the flags name.

    Raises:
        UsageError, NothingToAuditError, ConfigError, ClusterError, SnapshotError: see there.
    """
    states = read_states(read)
    found = of_variant(states.found, read.variant)
    return reading_of(found, states.declared, states.scope, read)


def reading_of(
    found: Sequence[Variant], declared: Declared, scope: Scope, read: Read, *, anything: bool = True
) -> Reading:
    """What was read, each state with its network. `anything`: there has to be something.

    Raises:
        NothingToAuditError: nothing is within the scope.
    """
    from auditor.cli.options import together
    from auditor.facts.custom import opened
    from auditor.model import Settings
    from auditor.policies.waivers import acknowledged
    from auditor.scope.territory import check

    cni = read.enforcers or tuple(declared.config.cni)
    settings = Settings(openings=declared.openings, scope=scope, cni=cni, data=declared.data)
    if anything:
        check(opened(together(found), settings.openings), scope)
    states = tuple(_state(one, settings) for one in found)
    gaps = dict.fromkeys(gap for state in states for gap in _told(state))
    marked = acknowledged(tuple(gaps), declared.acknowledged, whole=False)
    return Reading(states, tuple(marked), scope, read.strict)


def _refused(network: Network) -> Iterator[tuple[InvalidPolicy, Refuser]]:
    """Whom the API server, istiod or a proxy would not take, in the order read."""
    for one in network.invalid:
        yield one, "api"
    for refusal in network.mesh.refused if network.profile.mesh else ():
        yield refusal.invalid, refusal.by


def building_of(declared: Declared, read: Read) -> Building:
    """What is declared of charts."""
    from auditor.terms import KUBERNETES

    return declared.building(read.kubernetes or KUBERNETES)


def _state(variant: Variant, settings: Settings) -> State:
    from auditor.facts.facts import Facts
    from auditor.scope.territory import Territory

    facts = Facts(variant.snapshot, settings)
    return State(variant.name, facts, Territory(facts.snapshot, settings.scope))


def _told(state: State) -> Iterator[Gap]:
    yield from filter(state.territory.concerns, state.gaps)
    yield from state.territory.idle()


def say_unseen(reading: Reading, *, quiet: bool = False) -> None:
    """On standard error, one line each: the scope, what is refused, what could not be seen."""
    from auditor.cli.screen import say
    from auditor.scope.territory import words

    if (limits := words(reading.scope)) and not quiet:
        say(limits, err=True)
    enforcement = reading.states[0].facts.enforcement
    if enforcement.how != "assumed" and not quiet:
        say(enforcement.words, err=True)
    for line in (*rejections(reading), *unseen(reading.gaps)):
        say(line, err=True)


def rejections(reading: Reading) -> Iterator[str]:
    """A sentence for each policy that is refused."""
    from auditor.reporters.network.told import refused

    for one in reading.rejected:
        yield f"rejected: {refused(one.state.snapshot, one.policy, one.by)}"


def unseen(gaps: Iterable[Gap]) -> Iterator[str]:
    """A sentence for each gap."""
    for gap in gaps:
        known = f" (acknowledged: {gap.acknowledged})" if gap.acknowledged else ""
        yield f"gap ({gap.severity.value}): {gap.what}: {gap.why}{known}"
