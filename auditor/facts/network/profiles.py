"""What enforces network policies, and what it does where the specification leaves that open."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.facts.selectors import Truth


@dataclass(frozen=True, slots=True)
class Profile:
    """The answers of one enforcer. `Truth.MAYBE` leaves an answer undefined.

    Questions are those that NetworkPolicy v1 leaves to the implementation; each field names one.
    """

    name: str
    enforces: Truth = Truth.YES
    """Whether network policies have any effect."""
    blocks_match_pods: Truth = Truth.YES
    """Whether an ipBlock means a pod by its address. The documentation advises against it; the
    conformance tests of Kubernetes demand it (test/e2e/network/netpol/network_policy.go)."""
    blocks_match_nodes: Truth = Truth.YES
    """Whether an ipBlock means a node, and the pods on its network, by its address."""
    selectors_match_host_network: Truth = Truth.MAYBE
    """Whether a peer's selector means a pod on the network of its node."""
    selects_host_network: Truth = Truth.MAYBE
    """Whether a policy holds for a pod on the network of its node that it selects."""
    reaches_itself: Truth = Truth.YES
    """Whether a pod reaches itself whatever policies say."""
    node_reaches_its_pods: Truth = Truth.YES
    """Whether a node reaches the pods on it whatever policies say."""
    end_port: Truth = Truth.YES
    """Whether `endPort` is read; NO: only `port` is."""
    named_ports: Truth = Truth.YES
    """Whether a port by its name is read; NO: such an entry admits nothing."""
    sctp: Truth = Truth.YES
    """Whether rules for SCTP are read."""
    other_protocols: Truth = Truth.MAYBE
    """Whether ICMP and the like pass to a pod that is isolated."""
    cluster_policies: Truth = Truth.YES
    """Whether ClusterNetworkPolicies have any effect."""
    admin_policies: Truth = Truth.YES
    """Whether AdminNetworkPolicies and the BaselineAdminNetworkPolicy have any effect."""
    strict: bool = True
    """Whether objects pass an API server first, which refuses a cluster-wide policy that leaves a
    selector out or names ports beside networks. Who only analyses files reads on."""
    mesh: Truth = Truth.YES
    """Whether Istio's sidecars, where there are any, enforce its policies."""


SPEC = Profile("spec")
"""Nothing but what the specification says."""
