"""Which services a monitor reaches beyond their health API.

Asked of every service that declares its health API (``auditor/health``). One that holds personal
data and that nothing isolates is left to ``exposure``: its fault is another, and is told there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_evidence, as_object
from auditor.facts.health import Beyond, Health, beyond_health
from auditor.facts.health import told as told_request
from auditor.facts.network import PortSet, Rule
from auditor.facts.selectors import Truth
from auditor.facts.workloads import Workload
from auditor.model import Gap, Unseen
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


@dataclass(frozen=True, slots=True)
class Overreach:
    """A service, what the monitor may reach there, and what it reaches beyond."""

    target: Workload
    health: Health
    beyond: Beyond
    rules: tuple[Rule, ...]
    """The ingress rules that admit the monitor to ports without health; none where the service is
    not isolated."""


def overreaches(facts: Facts, monitor: Workload) -> tuple[Overreach, ...]:
    """Every service that `monitor` reaches beyond its health API."""
    found = []
    for target, health in facts.watched:
        if target.ref == monitor.ref or _told_elsewhere(facts, target):
            continue
        reach = facts.network.reach(monitor, target)
        beyond = beyond_health(facts, monitor, target, reach, health)
        for why in dict.fromkeys((*reach.unknown, *beyond.unknown)):
            facts.unknown(Gap(f"what {monitor.name} reaches", why, Unseen.UNKNOWN))
        if beyond:
            rules = facts.network.admitting_rules(monitor, target)
            allowed = PortSet.of("TCP", *health.ports)
            wide = (rule for rule in rules if rule.ports.subtract(allowed))
            found.append(Overreach(target, health, beyond, tuple(wide)))
    return tuple(found)


def _told_elsewhere(facts: Facts, target: Workload) -> bool:
    return not facts.network.isolated(target) and facts.data.of(target) is not None


def oversight(facts: Facts, monitor: Workload) -> dict[str, Any] | None:
    """The fact `oversight` for policies: ``beyond``, what a monitor reaches that is more than
    health; None for a workload that is no monitor.
    """
    path = facts.monitor_paths.get(monitor.ref.key)
    if path is None:
        return None
    beyond = [_told(facts, monitor, one) for one in overreaches(facts, monitor)]
    return {"path": path, "beyond": beyond}


def _told(facts: Facts, monitor: Workload, one: Overreach) -> dict[str, Any]:
    data = facts.data.of(one.target)
    listening = facts.network.listening(one.target)
    ports = one.beyond.ports
    apis = [at for at in listening if at.port in ports.numbers(at.protocol)]
    return {
        "target": one.target.name,
        "object": as_object(one.target.ref),
        "data": [name.upper() for name in data.names] if data else [],
        "health": str(one.health),
        "ports": str(ports) if ports else "",
        "apis": [f"{at.port} ({at.name})" if at.name else str(at.port) for at in apis],
        "requests": [told_request(sent) for sent in one.beyond.requests],
        "judged": restrictable(facts, monitor, one.target),
        "rules": [*_rules(one), *_reasons(one)],
        "narrow": bool(one.rules) or not ports,
    }


def restrictable(facts: Facts, monitor: Workload, target: Workload) -> bool:
    """Whether a sidecar judges the requests of `monitor` to `target`, and knows who asks."""
    mesh = facts.network.mesh
    taken = (mesh.capture(monitor), mesh.capture(target))
    return all(one.sidecar is Truth.YES and not one.gateway for one in taken)


def _rules(one: Overreach) -> Iterator[dict[str, Any]]:
    for rule in one.rules:
        on = " on every port" if rule.whole else f" on {rule.ports}"
        message = f"this rule admits it{on}"
        yield {"object": as_object(rule.policy.ref), "path": rule.path, "message": message}


def _reasons(one: Overreach) -> Iterator[dict[str, Any]]:
    """What lets the most telling request through."""
    for sent in one.beyond.requests[:1]:
        for reason in sent.ruling.reasons:
            told = as_evidence(reason)
            yield told | {"message": f"{told_request(sent)} gets through: {told['message']}"}
