"""Policies of Istio that keep a monitor to the health API of one service.

One DENY policy for one identity, so that no flow of anybody else changes; and, since a caller in
plain text has no identity, mTLS for the port that it is about.
Semantics: https://istio.io/latest/docs/reference/config/security/authorization-policy/
"""

from __future__ import annotations

from typing import Any

from auditor.facts import Facts
from auditor.facts.health import Health, health_of
from auditor.facts.oversight import overreaches, restrictable
from auditor.facts.workloads import Workload
from auditor.fixes.needs import needs
from auditor.fixes.operations import created
from auditor.fixes.synthesize.contradictions import check_encrypted, check_probes, unjudged
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.fixes.synthesize.labels import Labels
from auditor.fixes.synthesize.subject import workload_of
from auditor.fixes.synthesize.unused import made
from auditor.model import Change, Finding, Ref, Resource

VERSION = "security.istio.io/v1"


def restrict(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """A DENY policy for all but GET on the paths of the health API, for the monitor alone; and
    STRICT mTLS on the service, where it does not have that yet.

    Raises:
        CannotBuildError: no sidecar judges who asks, others share the monitor's account, a client
            has no sidecar, or no labels mean the service alone.
    """
    monitor = workload_of(facts, finding)
    one = next((o for o in overreaches(facts, monitor) if o.target.name == finding.anchor), None)
    if one is None:
        raise CannotBuildError("the monitor no longer reaches more than the health API")
    labels = Labels(facts)
    changes = restricted(facts, monitor, one.target, labels)
    return (*labels.added.values(), *changes)


def restricted(
    facts: Facts, monitor: Workload, target: Workload, labels: Labels
) -> tuple[Change, ...]:
    """The policies that keep `monitor` to the health API of `target`.

    Raises:
        CannotBuildError: see `restrict`.
    """
    if not restrictable(facts, monitor, target):
        raise CannotBuildError(unjudged(facts, monitor, target))
    _check_alone(facts, monitor)
    meant = labels.of(target)
    denying = created(_denial(facts, monitor, target, meant), target.resource)
    if _has_strict_mtls(facts, target):
        return (denying,)
    check_probes(target)
    check_encrypted(facts, target, _needing(facts, target))
    return created(_strict(facts, target, meant), target.resource), denying


def _needing(facts: Facts, target: Workload) -> tuple[Workload, ...]:
    """The workloads that need something of `target`."""
    found = {source.ref: source for source, _, ports in needs(facts, (target,)) if ports}
    return tuple(found.values())


def _check_alone(facts: Facts, monitor: Workload) -> None:
    """Raises:
    CannotBuildError: the policy would mean somebody else too.
    """
    identity = _identity(facts, monitor)
    monitors = {each.ref.key for each in facts.monitors}
    for other in facts.workloads:
        if other.ref.key not in monitors and _identity(facts, other) == identity:
            raise CannotBuildError(
                f"{other.name} runs as the same service account as {monitor.name}, so that no"
                " policy tells them apart: give the monitor an account of its own"
            )


def _identity(facts: Facts, workload: Workload) -> str:
    return facts.network.mesh.identity(workload)


def _has_strict_mtls(facts: Facts, target: Workload) -> bool:
    """On every port: on each of them a caller in plain text has no identity to be denied."""
    modes = facts.network.mesh.modes(target)
    ports = {listening.port for listening in facts.network.listening(target)}
    ports.update(port for port, _ in health_of(facts, target).paths)
    return all(modes.get(port, modes["default"]) == "STRICT" for port in ports)


def _strict(facts: Facts, target: Workload, labels: dict[str, str]) -> Resource:
    spec = {"selector": {"matchLabels": labels}, "mtls": {"mode": "STRICT"}}
    return _object(facts, target, "PeerAuthentication", target.ref.name, spec)


def _denial(facts: Facts, monitor: Workload, target: Workload, labels: dict[str, str]) -> Resource:
    source = {"source": {"principals": [_identity(facts, monitor)]}}
    spec = {
        "selector": {"matchLabels": labels},
        "action": "DENY",
        "rules": [
            {
                "from": [source],
                "to": [{"operation": each} for each in _denied(health_of(facts, target))],
            }
        ],
    }
    name = f"{target.ref.name}-health-only-{monitor.ref.name}"
    return _object(facts, target, "AuthorizationPolicy", name, spec)


def _denied(health: Health) -> list[dict[str, Any]]:
    """All that is not health: other ports, other methods, other paths."""
    found: list[dict[str, Any]] = [{"notPorts": [str(port) for port in health.ports]}]
    for port, paths in health.paths:
        found.append({"ports": [str(port)], "notMethods": ["GET", "HEAD"]})
        found.append({"ports": [str(port)], "notPaths": list(paths)})
    return found


def _object(facts: Facts, target: Workload, kind: str, name: str, spec: dict[str, Any]) -> Resource:
    wanted = Ref(VERSION, kind, target.ref.namespace, name)
    return made(facts.snapshot, wanted, spec, target.resource)
