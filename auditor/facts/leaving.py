"""Where personal data may go: what the pods that hold it may send to outside of the cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_evidence, as_object
from auditor.facts.network import PortSet, World
from auditor.facts.network.outside import is_private, representatives
from auditor.facts.network.policies import Block, PolicyRule
from auditor.facts.workloads import Workload
from auditor.model import Gap, Ref, Unseen

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]

NAMES = PortSet.of("UDP", 53) | PortSet.of("TCP", 53)
"""What asks for names, and is let out to every address more often than not."""
FEW = 256
"""Addresses up to which a rule names somebody in particular: a database, a small network."""


def leaving(facts: Facts, holder: Workload) -> Told | None:
    """The fact `leaving` for policies, about a workload that holds personal data:

    - ``isolated``: whether policies isolate it on its way out;
    - ``internet``: the ports on which it surely reaches public addresses, those of DNS aside, with
      the reasons; empty where it reaches none;
    - ``ranges``: wide ranges of one's own network that rules let it out to.

    None for any other workload, and where it gets nowhere. Asks one question for each set of public
    addresses that its egress rules tell apart.
    """
    data = facts.data.of(holder)
    if data is None:
        return None
    policies = facts.network.isolating(holder, "Egress", possibly=True)
    rules = [rule for ref in policies for rule in _rules(facts, ref)]
    internet = _internet(facts, holder, rules)
    ranges = list(_ranges(facts, policies)) if facts.network.isolating(holder, "Egress") else []
    if internet is None and not ranges:
        return None
    return {
        "data": [name.upper() for name in data.names],
        "declared": {"object": as_object(data.declared.ref), "path": data.declared.path},
        "own": data.declared.ref == holder.ref,
        "isolated": bool(policies),
        "internet": internet or {"ports": "", "reasons": []},
        "ranges": ranges,
    }


def _rules(facts: Facts, ref: Ref) -> Sequence[PolicyRule]:
    policy = facts.keeper.policies.get(ref.key)
    return policy.rules.get("Egress", ()) if policy else ()


def _internet(facts: Facts, holder: Workload, rules: Sequence[PolicyRule]) -> Told | None:
    """The worst that surely leaves for one set of public addresses; None where nothing does."""
    worst: Told | None = None
    most = PortSet.NONE
    for address in representatives(rules):
        reach = facts.network.reach(holder, World(address), ("Egress",))
        for why in reach.unknown:
            facts.unknown(Gap(f"where {holder.name} may send", why, Unseen.UNKNOWN))
        ports = reach.ports - NAMES
        if ports and not most.covers(ports):
            most = ports
            worst = {"ports": str(ports), "reasons": [as_evidence(one) for one in reach.reasons]}
    return worst


def _ranges(facts: Facts, policies: Sequence[Ref]) -> Iterator[Told]:
    for ref in policies:
        for rule in _rules(facts, ref):
            ports = rule.ports - NAMES
            for index, peer in enumerate(rule.peers):
                if isinstance(peer, Block) and ports and _is_unknown(peer):
                    yield {
                        "cidr": str(peer.cidr),
                        "ports": str(ports),
                        "object": as_object(ref),
                        "path": (*rule.path, "to", index, "ipBlock", "cidr"),
                    }


def _is_unknown(block: Block) -> bool:
    """Whether it is a range of one's own network in which anybody may be."""
    return is_private(block.cidr) and block.cidr.num_addresses > FEW
