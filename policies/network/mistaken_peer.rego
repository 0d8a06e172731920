# METADATA
# title: Peer that means nobody by a mistake
# description: |
#   A peer whose labels no pod has admits nobody: what was to be let in is kept out. Told is what looks
#   like a slip: a label one letter from one that is there, or a podSelector alone, which means pods of
#   the policy's own namespace, with the labels of a workload of another one.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors
# custom:
#   severity: medium
#   fix: manual
#   kinds: [NetworkPolicy]
#   facts: [policy_effects]
#   admission: grace
#   equivalents:
#     - kube-linter:dangling-networkpolicypeer-podselector
package policies.network.mistaken_peer

import data.lib.netpol

deny contains finding if {
	some peer in input.facts.policy_effects.peers
	peer.kind != "nobody"
	finding := {
		"path": peer.path,
		"anchor": sprintf("%s peer %d", [netpol.rule(peer.path), peer.path[4] + 1]),
		"message": sprintf("this peer of %s means nobody: %s", [netpol.rule(peer.path), because(peer)]),
		"evidence": evidence(peer),
	}
}

because(peer) := sprintf("no pod has '%s'; did you mean '%s', as %s has it?", [peer.written, peer.meant, peer.name]) if peer.kind == "slip"

because(peer) := sprintf("no namespace has '%s'; did you mean '%s'?", [peer.written, peer.meant]) if peer.kind == "namespace"

because(peer) := sprintf("a podSelector alone means pods of the policy's own namespace, and %s is in another one; a namespaceSelector beside it, in the same entry, would mean that", [peer.name]) if peer.kind == "elsewhere"

evidence(peer) := [] if peer.kind == "namespace"

evidence(peer) := [{
	"message": sprintf("%s may be meant", [peer.name]),
	"object": peer.object,
	"path": ["metadata", "name"],
}] if peer.kind != "namespace"
