"""What the verbs of `auditor placement` that ask about a whole cluster read, and how they end."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

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
    from auditor.facts.facts import Facts
    from auditor.facts.scenarios.cluster import Cluster
    from auditor.model import Gap
    from auditor.scope.territory import Territory

READ_KINDS = ("*", "Node", "Pod", "Service", "PodDisruptionBudget")
"""Without a list of these kinds nothing of an answer is proven."""


@dataclass(frozen=True, slots=True)
class Read(Flags):
    """What the shared flags of a verb say."""

    rack_label: str | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read."""

    facts: Facts
    territory: Territory
    gaps: tuple[Gap, ...]
    seed: int = 0
    strict: bool = False
    variants: tuple[str, ...] = ()
    """The names of the states that the files may be deployed in; the first one is asked about."""

    @property
    def cluster(self) -> Cluster:
        """Who is where."""
        from auditor.facts.scenarios.cluster import Cluster

        return Cluster.of(self.facts, self.seed)

    @property
    def missing(self) -> tuple[str, ...]:
        """What was not read, so that nothing is proven."""
        found = (gap for gap in self.gaps if set(READ_KINDS).intersection(gap.kinds))
        return tuple(f"{gap.what}: {gap.why}" for gap in found)

    def code(self, doubts: Iterable[str] = (), *, harm: bool = False) -> int:
        """1 where something is harmed; 4 where something could not be seen or, with --strict,
        cannot be told; else 0.
        """
        from auditor.cli.ends import ends_with
        from auditor.model import Unseen

        counted = {Unseen.INCOMPLETE, Unseen.UNKNOWN} if self.strict else {Unseen.INCOMPLETE}
        lost = any(g.severity in counted and not g.acknowledged for g in self.gaps)
        return ends_with(harm, lost or (self.strict and any(doubts)))


_OPTIONS = (
    click.argument("paths", nargs=-1, metavar="PATH..."),
    click.option("--cluster", is_flag=True, help="Ask about the live cluster instead of files."),
    click.option("--rack-label", metavar="KEY", help="The node label that names the rack."),
    cluster_access,
    cluster_reading,
    *choice_of_state,
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Breaks ties where pods are placed by simulation.",
    ),
    click.option("--strict", is_flag=True, help="Let what cannot be told count as well."),
)


def placement_reading(command: Callable[..., int]) -> Callable[..., int]:
    """PATH... and all flags that say what is read, given to the command as one argument `read`."""

    @functools.wraps(command)
    def gathered(**given: Any) -> int:
        access = Access(*(given.pop(n) for n in ("kubeconfig", "context", "cached", "patience")))
        names = ("paths", "cluster", "scope", "config", "kubernetes", "rack_label", "variant")
        flags = {name: given.pop(name) for name in (*names, "seed", "strict")}
        read = Read(access=access, building=given.pop("asked"), **flags)
        return command(**given, read=read)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return chart_values(choice_of_scope(gathered))


def read_placement(read: Read) -> Reading:
    """Whatever the flags name.

    Raises:
        UsageError, NothingToAuditError, ConfigError, ClusterError, SnapshotError: see there.
    """
    from auditor.cli.options import together
    from auditor.facts.custom import opened
    from auditor.facts.facts import Facts
    from auditor.model import Settings
    from auditor.policies.waivers import acknowledged
    from auditor.scope.territory import Territory, check

    states = read_states(read)
    found, declared, scope = states.found, states.declared, states.scope
    settings = Settings(
        **declared.topology(read.rack_label),
        openings=declared.openings,
        scope=scope,
        data=declared.data,
    )
    check(opened(together(found), settings.openings), scope)
    chosen = of_variant(found, read.variant)
    facts = Facts(chosen[0].snapshot, settings)
    territory = Territory(facts.snapshot, scope)
    gaps = dict.fromkeys(filter(territory.concerns, _gaps(facts, territory)))
    marked = acknowledged(tuple(gaps), declared.acknowledged, whole=False)
    names = tuple(each.name for each in chosen)
    return Reading(facts, territory, tuple(marked), read.seed, read.strict, names)


def _gaps(facts: Facts, territory: Territory) -> Iterator[Gap]:
    from auditor.facts.custom import unread

    yield from facts.snapshot.gaps
    yield from unread(territory.resources, live=facts.snapshot.server is not None)


def say_read(reading: Reading, *, quiet: bool = False) -> None:
    """On standard error, one line each: the scope, which of several states, what was not seen."""
    from auditor.cli.network.reading import unseen
    from auditor.cli.screen import say
    from auditor.scope.territory import words

    if not quiet:
        first, *rest = reading.variants
        if rest:
            names = ", ".join(f"'{name}'" for name in rest)
            say(f"asked is about '{first}'; --variant names another: {names}", err=True)
        if limits := words(reading.territory.scope):
            say(limits, err=True)
    for line in unseen(reading.gaps):
        say(line, err=True)
