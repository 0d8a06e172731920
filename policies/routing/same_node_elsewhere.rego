# METADATA
# title: Prefers the own node, where most clients have no instance
# description: |
#   PreferSameNode helps where every node with clients has an instance, as with a DaemonSet. Elsewhere
#   the few instances that share a node with many clients take all that these ask, while the others
#   get what is left; requests from other nodes only stay in their zone.
# related_resources:
#   - https://github.com/kubernetes/enhancements/tree/master/keps/sig-network/3015-prefer-same-node
# custom:
#   severity: low
#   profile: recommended
#   fix: deterministic
#   kinds: [Service]
#   facts: [traffic]
#   admission: grace
package policies.routing.same_node_elsewhere

deny contains finding if {
	found := input.facts.traffic.hot
	found != null
	finding := {
		"path": ["spec", "trafficDistribution"],
		"message": sprintf(
			"prefers the node of the client, yet %d of the %d pods that ask it have no instance there; the busiest instance gets %s times its share",
			[found.off, found.asking, found.load],
		),
		"evidence": input.facts.traffic.evidence,
		"fix": {
			"title": "prefer instances of the same zone",
			"safety": "unsafe",
			"patch": [{"op": "replace", "path": ["spec", "trafficDistribution"], "value": "PreferSameZone"}],
		},
	}
}
