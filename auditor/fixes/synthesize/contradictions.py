"""Requirements that cannot both hold: they are named, and nothing is offered."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.facts import Facts
from auditor.facts.cut_off import calls_to
from auditor.facts.health import health_of
from auditor.facts.network import PortSet
from auditor.facts.oversight import restrictable
from auditor.facts.selectors import Truth
from auditor.facts.workloads import Workload
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.manifests import at

KEPT_PROBES = "sidecar.istio.io/rewriteAppHTTPProbers"
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def check_clients(
    facts: Facts, target: Workload, clients: Sequence[Workload], ports: PortSet
) -> None:
    """Raises:
    CannotBuildError: somebody is declared a client, and rules keep him out that one more policy
        cannot change: those of his own namespace, or of the whole cluster.
    """
    for client in clients:
        reach = facts.network.reach(client, target)
        if reach.possible & ports if ports else reach.possible:
            continue
        why = "; ".join(dict.fromkeys(one.text for one in reach.reasons if one.ref))
        raise CannotBuildError(
            f"{client.name} is declared a client of {target.name}, and is kept out all the same"
            f" ({why or 'by the policies there are'}): one of the two has to go"
        )


def check_monitors(facts: Facts, target: Workload, monitors: Sequence[Workload]) -> None:
    """Raises:
    CannotBuildError: monitors are to see health alone, on a port that answers other requests,
        and nothing tells requests apart.
    """
    for monitor in monitors if health_of(facts, target).paths else ():
        if not restrictable(facts, monitor, target):
            raise CannotBuildError(_shared(facts, monitor, target))


def _shared(facts: Facts, monitor: Workload, target: Workload) -> str:
    paths = health_of(facts, target).paths
    ports = " and ".join(str(port) for port, _ in paths)
    return (
        f"the health API of {target.name} shares port {ports} with what its clients ask, and no"
        f" sidecar judges what {monitor.name} asks of {target.name}, while a NetworkPolicy sees no"
        " requests: give the health API a port of its own"
    )


def unjudged(facts: Facts, monitor: Workload, target: Workload) -> str:
    """Why no policy of a mesh keeps the monitor to the health API, in words."""
    return _shared(facts, monitor, target)


def check_enforced(facts: Facts) -> None:
    """Raises:
    CannotBuildError: it is known that no NetworkPolicy has any effect here.
    """
    if facts.enforcement.nothing:
        raise CannotBuildError("nothing enforces NetworkPolicies here: one more would do nothing")


def check_calls(facts: Facts, target: Workload) -> None:
    """Raises:
    CannotBuildError: the API server has to reach it, from an address that no policy can name.
    """
    for call, lead in calls_to(facts, target):
        raise CannotBuildError(
            f"the API server calls {target.name} on TCP {lead.pod_port} ({call.ref}), from an"
            " address that is not known, and a rule that admits it admits everybody to that port:"
            " give the webhook a workload of its own"
        )


def check_probes(target: Workload) -> None:
    """Raises:
    CannotBuildError: its sidecar is told to leave probes as they are, and the kubelet, which sends
        plain text, would find it dead.
    https://istio.io/latest/docs/ops/configuration/mesh/app-health-check/
    """
    where = (*target.template_path, "metadata", "annotations", KEPT_PROBES)
    probed = any(one.spec.get(kind) for one in target.containers for kind in PROBES)
    if probed and at(target.resource.manifest, where) == "false":
        raise CannotBuildError(
            f"{target.name} has to refuse plain text, in which nobody says who he is, and the"
            f" kubelet probes it in plain text ({KEPT_PROBES} is false): one of the two has to go"
        )


def check_encrypted(facts: Facts, target: Workload, clients: Sequence[Workload]) -> None:
    """Raises:
    CannotBuildError: who asks is known by mTLS alone, and a client that is needed has none.
    """
    for client in clients:
        caller = facts.network.mesh.caller(client)
        if caller.sidecar is not Truth.YES:
            raise CannotBuildError(
                f"{target.name} has to refuse plain text, in which nobody says who he is, and"
                f" {client.name}, which needs it, has no sidecar for sure: one of the two has to go"
            )
