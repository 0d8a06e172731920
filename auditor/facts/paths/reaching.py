"""The steps over the network: who may speak to whom.

Asked are the ends that matter: stores of personal data, their declared clients, and workloads from
which something else than the network leads on. What a workload is known to need is by design, and
so is whatever leads the internet to a workload that holds no such data; what else may be spoken to
is an approach.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from auditor.facts.exposure import internet_at
from auditor.facts.health import beyond_health, health_of
from auditor.facts.network import PortSet
from auditor.facts.paths.positions import INTERNET, Means, Position, Why
from auditor.facts.workloads import Workload
from auditor.model import Key

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Places = Mapping[Key, Position]
"""The position of each workload, or the data of each store, by its identity."""

SURE = 0.5
"""How sure a need has to be to count: a hint is none."""


def over_network(
    facts: Facts, places: Places, stores: Places, others: Iterable[Workload]
) -> Iterator[Means]:
    """The steps to `stores` and to the `others` that matter, and all needed ones in between.

    Costs one question for each group of workloads that nothing tells apart and each of these ends.
    """
    matters = {workload.ref.key: workload for workload in others}
    matters |= {key: facts.by_key[key] for key in stores}
    for key, target in matters.items():
        if key in stores:
            yield from _to_data(facts, places, target, stores[key])
        yield from _to_workload(facts, places, target, is_store=key in stores)
    yield from _needed(facts, places, matters)
    for workload in facts.workloads:
        yield from _from_internet(facts, places, workload, stores.get(workload.ref.key))


def _clients(facts: Facts, store: Workload) -> set[Key]:
    named = facts.data.clients_of(store) or {}
    return {client.ref.key for found in named.values() for client in found}


def _asking(facts: Facts, target: Workload) -> set[Key]:
    """Who is known to need it."""
    return {
        edge.source.ref.key
        for edge in facts.shown.to(target)
        if isinstance(edge.source, Workload) and edge.confidence >= SURE
    }


def _to_data(facts: Facts, places: Places, store: Workload, data: Position) -> Iterator[Means]:
    """The steps to the data of a store: those by design, those that a policy could stop, and those
    that none stops since one end is on the network of its node.
    """
    clients = _clients(facts, store)
    meant, usual, beyond_policies = [], [], []
    for source in _speaking(facts, store, is_store=True):
        place = places[source.ref.key]
        if source.ref.key in clients:
            meant.append(place)
        elif _on_node(source) or _on_node(store):
            beyond_policies.append(place)
        else:
            usual.append(place)
    if meant:
        yield Means("network", tuple(meant), (data,), needed=True)
    if beyond_policies:
        yield Means("network", tuple(beyond_policies), (data,))
    if usual:
        mend = f"let NetworkPolicies admit none but its declared clients to {store.name}"
        place_of_it = Why(f"policies decide who speaks to {store.name}", store.ref)
        yield Means("network", tuple(usual), (data,), mend=mend, place=place_of_it)


def _to_workload(
    facts: Facts, places: Places, target: Workload, *, is_store: bool
) -> Iterator[Means]:
    """The approaches to a workload, and what of them is by design: whatever leads the internet to
    it is so for everybody.
    """
    public = any(way.public for way in facts.network.entrances(target))
    asking = _asking(facts, target)
    meant: list[Position] = []
    others: list[Position] = []
    for source in _speaking(facts, target, is_store=is_store):
        by_design = public or source.ref.key in asking
        (meant if by_design else others).append(places[source.ref.key])
    here = (places[target.ref.key],)
    if meant:
        yield Means("network", tuple(meant), here, needed=True)
    if others:
        yield Means("network", tuple(others), here, approach=True)


def _on_node(workload: Workload) -> bool:
    return workload.pod.get("hostNetwork") is True


def _speaking(facts: Facts, target: Workload, *, is_store: bool) -> Iterator[Workload]:
    """Who surely gets more of the target than its health."""
    wanted = PortSet.ALL if is_store else _served(facts, target)
    known: dict[Hashable, bool] = {}
    for source in facts.network.sending(target) if wanted else ():
        if source.ref.key == target.ref.key:
            continue
        group = facts.network.grouping.of(source)
        if group not in known:
            known[group] = bool(spoken(facts, source, target) & wanted)
        if known[group]:
            yield source


def spoken(facts: Facts, source: Workload, target: Workload) -> PortSet:
    """The ports on which one surely gets more of the other than its health."""
    reach = facts.network.reach(source, target)
    return beyond_health(facts, source, target, reach, health_of(facts, target)).all_ports


def _served(facts: Facts, target: Workload) -> PortSet:
    """On what it is said to listen."""
    found = PortSet.NONE
    for each in facts.network.listening(target):
        found |= PortSet.of(each.protocol, each.port)
    return found


def _needed(facts: Facts, places: Places, asked: Mapping[Key, Workload]) -> Iterator[Means]:
    """What else is known to be needed, where policies let it through."""
    asking: dict[Key, dict[Key, None]] = {}
    for edge in facts.shown.at_least(SURE):
        if isinstance(edge.source, Workload) and edge.target.ref.key not in asked:
            asking.setdefault(edge.target.ref.key, {})[edge.source.ref.key] = None
    for key, sources in asking.items():
        target = facts.by_key[key]
        reaching = tuple(
            places[one]
            for one in sources
            if one != key and facts.network.reach(facts.by_key[one], target).ports
        )
        if reaching:
            yield Means("network", reaching, (places[key],), needed=True)


def _from_internet(
    facts: Facts, places: Places, target: Workload, data: Position | None
) -> Iterator[Means]:
    here = places[target.ref.key] if data is None else data
    ways = [way for way in facts.network.entrances(target) if way.public]
    if not ways:
        return
    whys = {here: Why(f"{ways[0].kind} {ways[0].ref.namespace}/{ways[0].ref.name} leads there",
                      ways[0].ref, ways[0].path)}  # fmt: skip
    if data is None:
        yield Means("network", (INTERNET,), (here,), whys, needed=True)
    elif any(True for _ in internet_at(facts, target)):
        mend = f"take {ways[0].ref} away, or let policies admit nobody from outside"
        yield Means("network", (INTERNET,), (here,), whys, mend=mend, place=whys[here])


def why_spoken(facts: Facts, source: Workload, target: Workload) -> Why:
    """What lets one speak to the other."""
    reach = facts.network.reach(source, target)
    ports = spoken(facts, source, target)
    reason = next((one for one in reach.reasons if one.ref), None) or next(
        iter(reach.reasons), None
    )
    on = f"on {ports}" if ports != PortSet.ALL else "on every port"
    if reason is None:
        return Why(f"may speak to it {on}: nothing isolates it", target.ref)
    return Why(f"may speak to it {on}: {reason.text}", reason.ref or target.ref, reason.path)
