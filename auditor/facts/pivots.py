"""How strangers get at personal data through one of its clients.

Whoever breaks into a client gets what the client may read. Told are the clients that many can break
into and that few need to reach: those that accept traffic from pods outside of their own namespace
although nothing leads it there. A client that is open to the internet by design is not told, since
every application has one; nor is one that serves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_evidence, as_object
from auditor.facts.network import PortSet, Reach, Stranger
from auditor.facts.network.answers import Peer
from auditor.facts.workloads import Workload
from auditor.model import Key

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]

ANYBODY = Stranger("", {})


def pivots(facts: Facts, holder: Workload) -> Told | None:
    """The fact `pivots` for policies, about a workload that holds personal data and that policies
    isolate: ``through``, its declared clients by which somebody gets at it who may not ask it.

    None for any other workload. Costs, for each client that serves something, one question, and
    where not everybody reaches it one more for each workload that is exposed.
    """
    data = facts.data.of(holder)
    if data is None or not facts.network.isolating(holder, "Ingress"):
        return None
    named = facts.data.clients_of(holder) or {}
    clients = [client for found in named.values() for client in found]
    allowed = {client.ref.key for client in clients} | {holder.ref.key}
    through = [
        told
        for client in clients
        if _is_inside(facts, client) and facts.network.reach(client, holder).ports
        for told in _through(facts, holder, client, allowed)
    ]
    if not through:
        return None
    return {
        "data": [name.upper() for name in data.names],
        "declared": {"object": as_object(data.declared.ref), "path": data.declared.path},
        "own": data.declared.ref == holder.ref,
        "through": through,
    }


def _is_inside(facts: Facts, client: Workload) -> bool:
    """Whether nothing leads the internet to it. One that holds such data itself is judged as that;
    one on the network of its node is out of the reach of policies.
    """
    if facts.data.of(client) or client.pod.get("hostNetwork") is True:
        return False
    return not facts.network.entrances(client)


def _through(facts: Facts, holder: Workload, client: Workload, allowed: set[Key]) -> Iterator[Told]:
    served = _served(facts, client)
    if not served:
        return
    reach = facts.network.reach(ANYBODY, client)
    everybody = _gets_there(facts, ANYBODY, reach, served, holder)
    worst = _worst(facts, holder, client, allowed)
    if not everybody and worst is None:
        return
    if not everybody and worst:
        reach = facts.network.reach(worst[0], client)
    yield {
        "name": client.name,
        "object": as_object(client.ref),
        "everybody": everybody,
        "who": worst[0].name if worst else "",
        "why": worst[1] if worst else "",
        "ports": str(reach.ports & served),
        "reasons": [as_evidence(one) for one in reach.reasons],
    }


def _served(facts: Facts, client: Workload) -> PortSet:
    """On what the client listens, its health API aside."""
    found = PortSet.NONE
    for each in facts.network.listening(client):
        found |= PortSet.of(each.protocol, each.port)
    return found - PortSet.of("TCP", *facts.data.health_ports(client))


def _gets_there(facts: Facts, peer: Peer, reach: Reach, served: PortSet, holder: Workload) -> bool:
    """Whether the peer surely reaches what the client serves, and not the data itself."""
    return reach.ports.overlaps(served) and not facts.network.reach(peer, holder).possible


def _worst(
    facts: Facts, holder: Workload, client: Workload, allowed: set[Key]
) -> tuple[Workload, str] | None:
    """The worst workload that gets at the data through the client without being meant to ask it."""
    asks = {edge.client.ref.key for edge in facts.needed_by.get(client.ref.key, ())}
    served = _served(facts, client)
    for one, why in facts.keeper.exposed:
        if one.ref.namespace == client.ref.namespace or one.ref.key in allowed | asks:
            continue
        if _gets_there(facts, one, facts.network.reach(one, client), served, holder):
            return one, why
    return None
