# METADATA
# title: Rule that the network plugin does not take as it is meant
# description: |
#   NetworkPolicies are enforced by a network plugin, and each leaves something out: a range of ports, a
#   port by its name, SCTP, pods by their addresses, pods on the network of their node. The API server
#   takes such rules in silence. What enforces them here is detected, or declared with --cni.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   severity: medium
#   fix: manual
#   kinds: [NetworkPolicy]
#   facts: [policy_rules, policy_effects]
package policies.network.unread_by_enforcer

import data.lib.netpol

deny contains finding if {
	some unread in all_unread
	finding := {
		"path": unread.path,
		"anchor": anchor(unread),
		"message": sprintf("%s %s", [what(unread), means_nothing(unread)]),
	}
}

all_unread contains unread if some unread in input.facts.policy_rules.unread

all_unread contains unread if some unread in input.facts.policy_effects.unread

anchor(unread) := sprintf("%s %s %d", [netpol.rule(unread.path), unread.path[3], unread.path[4] + 1])

anchor(unread) := "podSelector" if count(unread.path) == 2

what(unread) := sprintf("endPort %s of %s", [unread.value, netpol.rule(unread.path)]) if unread.what == "endPort"

what(unread) := sprintf("port '%s' of %s", [unread.value, netpol.rule(unread.path)]) if unread.what == "name"

what(unread) := sprintf("protocol SCTP of %s", [netpol.rule(unread.path)]) if unread.what == "SCTP"

what(unread) := sprintf("ipBlock %s of %s, in which %s has its address,", [unread.value, netpol.rule(unread.path), unread.name]) if unread.what == "block"

what(unread) := sprintf("selecting %s", [unread.name]) if unread.what == "hosts"

means_nothing(unread) := sprintf("means nothing to %s: %s", [unread.profile, so[unread.what]]) if {
	unread.sure
	unread.what != "block"
}

means_nothing(unread) := sprintf("means no pod to %s: %s", [unread.profile, so[unread.what]]) if unread.what == "block"

means_nothing(unread) := sprintf("is not taken as it is written by every version of %s", [unread.profile]) if not unread.sure

so := {
	"endPort": "only the first port of the range is admitted",
	"name": "ports are read by number alone",
	"SCTP": "it has no rules for that",
	"block": "it knows pods by their labels alone",
	"hosts": "pods on the network of their node are the node, which no policy selects",
}
