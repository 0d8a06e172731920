# METADATA
# title: Peer without pods
# description: |
#   No pod is meant by this peer. It waits for one, or is left from one that is gone; then
#   whoever takes that label next is let in. In files this is told of the namespace of the policy alone,
#   where it has workloads, and not where a label is a slip (network/mistaken_peer).
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   severity: low
#   profile: strict
#   fix: manual
#   kinds: [NetworkPolicy]
#   facts: [policy_effects]
#   admission: grace
#   equivalents:
#     - kube-linter:dangling-networkpolicypeer-podselector
#     - popeye:POP-1201
#     - popeye:POP-1202
#     - popeye:POP-1206
#     - popeye:POP-1207
#     - popeye:POP-1208
package policies.network.peer_without_pods

import data.lib.netpol

deny contains finding if {
	some peer in input.facts.policy_effects.peers
	peer.kind == "nobody"
	finding := {
		"path": peer.path,
		"anchor": sprintf("%s peer %d", [netpol.rule(peer.path), peer.path[4] + 1]),
		"message": sprintf("no pod is meant by this peer of %s", [netpol.rule(peer.path)]),
	}
}
