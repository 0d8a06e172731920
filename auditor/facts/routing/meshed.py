"""Whether sidecars, or the proxy of the node, choose the instance: then kube-proxy has no say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.facts.network.istio.sidecars import capture
from auditor.facts.selectors import Truth
from auditor.facts.workloads import Workload

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


def is_meshed(facts: Facts, client: Workload) -> bool:
    """Whether what `client` asks surely goes through the mesh."""
    home = facts.snapshot.by_key.get(("", "Namespace", "", client.ref.namespace))
    found = capture(client, facts.standing.live.get(client.ref.key, ()), home)
    return found.sidecar is Truth.YES or found.ambient
