"""Which services a monitor reaches beyond their health API.

Asked of every service that declares its health API (``auditor/health``). One that holds personal
data and that nothing isolates is left to ``exposure``: its fault is another, and is told there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.network import PortSet, Rule
from auditor.facts.workloads import Workload
from auditor.model import Gap, Unseen

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


@dataclass(frozen=True, slots=True)
class Overreach:
    """A service, what the monitor may reach there, and what it reaches beyond."""

    target: Workload
    health: tuple[int, ...]
    beyond: PortSet
    rules: tuple[Rule, ...]
    """The ingress rules that admit the monitor to more than health; none where the service is
    not isolated."""


def overreaches(facts: Facts, monitor: Workload) -> tuple[Overreach, ...]:
    """Every service that `monitor` reaches beyond its health API."""
    found = []
    for target in facts.workloads:
        health = facts.data.health_ports(target)
        if not health or target.ref == monitor.ref or _told_elsewhere(facts, target):
            continue
        reach = facts.network.reach(monitor, target)
        for why in reach.unknown:
            facts.unknown(Gap(f"what {monitor.name} reaches", why, Unseen.UNKNOWN))
        beyond = reach.ports.subtract(PortSet.of("TCP", *health))
        if beyond:
            rules = facts.network.admitting_rules(monitor, target)
            wide = (rule for rule in rules if rule.ports.subtract(PortSet.of("TCP", *health)))
            found.append(Overreach(target, health, beyond, tuple(wide)))
    return tuple(found)


def _told_elsewhere(facts: Facts, target: Workload) -> bool:
    isolated = facts.network.isolating(target, "Ingress")
    return not isolated and facts.data.of(target) is not None


def oversight(facts: Facts, monitor: Workload) -> dict[str, Any] | None:
    """The fact `oversight` for policies; None for a workload that is no monitor."""
    path = facts.monitor_paths.get(monitor.ref.key)
    if path is None:
        return None
    return {"path": path, "beyond": [_told(facts, one) for one in overreaches(facts, monitor)]}


def _told(facts: Facts, one: Overreach) -> dict[str, Any]:
    data = facts.data.of(one.target)
    listening = facts.network.listening(one.target)
    apis = [at for at in listening if at.port in one.beyond.numbers(at.protocol)]
    return {
        "target": one.target.name,
        "object": as_object(one.target.ref),
        "data": [name.upper() for name in data.names] if data else [],
        "health": [str(port) for port in one.health],
        "ports": str(one.beyond),
        "apis": [f"{at.port} ({at.name})" if at.name else str(at.port) for at in apis],
        "rules": [
            {
                "object": as_object(rule.policy.ref),
                "path": rule.path,
                "message": "this rule admits it"
                + (" on every port" if rule.whole else f" on {rule.ports}"),
            }
            for rule in one.rules
        ],
    }
