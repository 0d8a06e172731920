# METADATA
# title: Rule that admits every namespace
# description: |
#   An empty namespaceSelector means every namespace of the cluster, also those of other teams and those
#   that are made tomorrow. With a podSelector beside it, it means whoever has these labels, and whoever
#   may start a pod anywhere may give it these labels.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   severity: medium
#   profile: strict
#   fix: manual
#   kinds: [NetworkPolicy]
#   facts: [policy_rules]
package policies.network.admits_every_namespace

import data.lib.netpol

deny contains finding if {
	some peer in input.facts.policy_rules.every_namespace
	finding := {
		"path": peer.path,
		"anchor": sprintf("%s peer %d", [netpol.rule(peer.path), peer.path[4] + 1]),
		"message": sprintf("%s admits %s to %s", [netpol.rule(peer.path), whom(peer), peer.ports]),
	}
}

whom(peer) := "whatever pod of whatever namespace has these labels" if peer.chosen

whom(peer) := "every pod of every namespace" if not peer.chosen
