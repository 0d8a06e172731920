"""What the rules of a NetworkPolicy mean by themselves, and to what enforces them.

Rules: https://kubernetes.io/docs/concepts/services-networking/network-policies/ and the comments of
k8s.io/api networking/v1 types.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.network import Profile
from auditor.facts.network.answers import Direction
from auditor.facts.network.policies import FIELDS, Block, NetPolicy, Pods, PolicyRule
from auditor.facts.selectors import Selector, Truth
from auditor.facts.upkeep.shadows import Shadow
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest, Path, Resource

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]

METADATA_ADDRESS = ip_address("169.254.169.254")
"""Where a machine of a cloud asks for its credentials."""
WIDE = 8
"""A range with a prefix of fewer bits than this was not written with single machines in mind."""


def policy_rules(facts: Facts, resource: Resource) -> Told | None:
    """The fact `policy_rules` for policies, about one NetworkPolicy that the API server takes:

    - ``inert``: the fields with rules that have no part in it, since `policyTypes` leaves them out.
    - ``everybody``: rules without peers; ``empty`` where an empty list was written.
    - ``every_namespace``: peers of ingress that mean every namespace.
    - ``every_address``: peers that mean every address; ``metadata`` where that is also the address
      at which a machine asks for its credentials.
    - ``redundant``: rules that change nothing, with the one that admits the same or more.
    - ``unread``: what of the rules the profile does not read, or (``sure``) may not.

    Costs one look at each rule, and what `Shadows` costs.
    """
    parsed = facts.keeper.policies.get(resource.ref.key)
    if parsed is None:
        return None
    profile = facts.network.profile
    told: Told = {
        "inert": list(_inert(parsed)),
        "everybody": list(_everybody(parsed)),
        "every_namespace": list(_every_namespace(parsed)),
        "every_address": list(_every_address(parsed)),
        "redundant": [_shadow(each, parsed) for each in facts.keeper.shadows.of(parsed)],
        "unread": list(_unread(parsed, profile)),
    }
    return {key: value for key, value in told.items() if value} or None


def refusal(facts: Facts, resource: Resource) -> Told | None:
    """The fact `refusal` for policies, about one policy that the API server refuses: the ``path``
    of the field, and ``why``. What is told so is no gap any more.
    """
    refused = facts.keeper.refused.get(resource.ref)
    if refused is None:
        return None
    for gap in facts.keeper.gaps_about(resource.ref):
        facts.gaps.pop((gap.what, gap.why), None)
    return {"path": refused.path, "why": refused.why}


def _inert(policy: NetPolicy) -> Iterator[Told]:
    spec = mapping(policy.resource.manifest.get("spec"))
    types = sequence(spec.get("policyTypes"))
    for direction, (field, _) in FIELDS.items():
        if direction in policy.rules or not isinstance(spec.get(field), list):
            continue
        yield {
            "path": ("spec", field),
            "field": field,
            "direction": direction,
            "rules": len(spec[field]),
            "types": [each for each in types if isinstance(each, str)],
        }


def _everybody(policy: NetPolicy) -> Iterator[Told]:
    for direction, rule in _rules(policy):
        if not rule.peers:
            field = FIELDS[direction][1]
            written = mapping(at(policy.resource.manifest, rule.path))
            empty = field in written and not written[field]  # [] or nothing at all
            yield {
                "path": (*rule.path, field) if empty else rule.path,
                "direction": direction,
                "field": field,
                "empty": empty,
                "whole": rule.whole,
                "ports": _said(rule),
            }


def _every_namespace(policy: NetPolicy) -> Iterator[Told]:
    for direction, rule in _rules(policy):
        for path, peer in _peers(direction, rule):
            if direction == "Ingress" and isinstance(peer, Pods) and _is_every(peer.namespaces):
                chosen = bool(peer.pods and peer.pods.requirements)
                yield {"path": path, "chosen": chosen, "ports": _said(rule)}


def _is_every(selector: Selector | None) -> bool:
    return selector is not None and not selector.requirements


def _every_address(policy: NetPolicy) -> Iterator[Told]:
    for direction, rule in _rules(policy):
        for path, peer in _peers(direction, rule):
            if not isinstance(peer, Block) or peer.cidr.prefixlen >= WIDE:
                continue
            asks = rule.whole or rule.ports.contains("TCP", 80)
            yield {
                "path": (*path, "ipBlock", "cidr"),
                "block": path,
                "direction": direction,
                "cidr": str(peer.cidr),
                "every": peer.whole,
                "metadata": direction == "Egress" and asks and peer.holds(METADATA_ADDRESS),
                "ports": _said(rule),
            }


def _shadow(shadow: Shadow, policy: NetPolicy) -> Told:
    return {
        "path": shadow.rule.path,
        "by": shadow.by.path,
        "object": as_object(shadow.policy.ref),
        "own": shadow.policy.ref == policy.ref,
        "name": f"{shadow.policy.ref.namespace}/{shadow.policy.ref.name}",
        "same": shadow.same,
        "everybody": not shadow.by.peers,
    }


def _unread(policy: NetPolicy, profile: Profile) -> Iterator[Told]:
    if profile.end_port is profile.named_ports is profile.sctp is Truth.YES:
        return
    for _, rule in _rules(policy):
        ports = at(policy.resource.manifest, (*rule.path, "ports"))
        for index, entry in enumerate(map(mapping, sequence(ports))):
            path = (*rule.path, "ports", index)
            for field, what, reads in _special(entry, profile):
                if reads is not Truth.YES:
                    told = {"path": (*path, field), "what": what, "profile": profile.name}
                    port = str(entry.get("port", ""))
                    yield {**told, "value": str(entry[field]), "port": port, "sure": not reads}


def _special(entry: Manifest, profile: Profile) -> Iterator[tuple[str, str, Truth]]:
    """The fields of a port that not every enforcer reads, and whether this one does."""
    if entry.get("endPort") is not None:
        yield "endPort", "endPort", profile.end_port
    if isinstance(entry.get("port"), str):
        yield "port", "name", profile.named_ports
    if entry.get("protocol") == "SCTP":
        yield "protocol", "SCTP", profile.sctp


def _rules(policy: NetPolicy) -> Iterator[tuple[Direction, PolicyRule]]:
    for direction in FIELDS:
        for rule in policy.rules.get(direction, ()):
            yield direction, rule


def _peers(direction: Direction, rule: PolicyRule) -> Iterator[tuple[Path, Pods | Block]]:
    for index, peer in enumerate(rule.peers):
        yield (*rule.path, FIELDS[direction][1], index), peer


def _said(rule: PolicyRule) -> str:
    """The ports of a rule, as people read them."""
    if rule.whole:
        return "every port"
    names = [f"{protocol} '{name}'" for protocol, name in rule.named]
    return ", ".join(([str(rule.ports)] if rule.ports else []) + names)
