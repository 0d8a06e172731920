"""What the load of the instances would be with traffic kept in its zone: now, after a loss, in the
middle of an update. It is worth it only as long as no instance gets much more than its share in any
of these. By zones alone, so that it costs the same however many pods there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from auditor.facts.placement import Topology
from auditor.facts.routing.instances import Served
from auditor.facts.routing.load import zone_of
from auditor.values import dataclass

FAIR = 2.0
"""The load from which an instance is overloaded: twice what it would get if all got alike, which is
what replicas that are sized for the loss of half of them can take."""


@dataclass(frozen=True, slots=True)
class Worst:
    """The highest load of an instance, and when it gets it."""

    load: float
    when: str
    """Empty in the steady state; else as it follows "4 times its share"."""


@dataclass(frozen=True, slots=True)
class Near:
    """Traffic that stays in its zone wherever there is an instance: how many pods ask, and how many
    instances answer, in each zone.
    """

    clients: Mapping[str, float]
    instances: Mapping[str, float]

    @classmethod
    def of(cls, served: Served, topology: Topology) -> Near:
        """What it would be for a Service, with a hint for its own zone on every instance."""
        clients: Counter[str] = Counter()
        for node, count in served.clients.items():
            clients[zone_of(topology, node)] += int(count)
        ready = Counter(each.zone for each in served.endpoints if each.ready)
        return cls(clients, ready)

    @property
    def crossing(self) -> float:
        """The part of the requests that leaves its zone: those from zones without an instance."""
        asking = sum(self.clients.values())
        lost = sum(count for zone, count in self.clients.items() if not self.instances.get(zone))
        return lost / asking if asking else 0.0

    @property
    def load(self) -> float:
        """The highest load of an instance: a_z / b_z for its zone, with what comes from zones that
        have none, which goes to all alike.
        """
        asking, every = sum(self.clients.values()), sum(self.instances.values())
        if not asking or not every:
            return 0.0
        shares = (
            self.clients.get(zone, 0.0) / asking / (count / every)
            for zone, count in self.instances.items()
            if count
        )
        return max(shares) + self.crossing

    def worst(self) -> Worst:
        """The highest load now, after any single loss, and with one instance more in any zone."""
        found = [Worst(self.load, "")]
        found += [Worst(case.load, when) for when, case in self._cases()]
        return max(found, key=lambda each: each.load)

    def _cases(self) -> Iterator[tuple[str, Near]]:
        """One instance of each zone lost, one more there, and each zone lost."""
        for zone, count in self.instances.items():
            fewer, more = dict(self.instances), dict(self.instances)
            fewer[zone], more[zone] = count - 1, count + 1
            yield f"when an instance in zone {zone} is lost", Near(self.clients, fewer)
            yield f"while an update starts one in zone {zone}", Near(self.clients, more)
            clients, others = dict(self.clients), dict(self.instances)
            clients.pop(zone, None)
            del others[zone]
            yield f"when zone {zone} is lost", Near(clients, others)
