# METADATA
# title: Requests from nodes without an instance are dropped
# description: |
#   With internalTrafficPolicy Local a pod reaches the instances of its own node and no other: on a
#   node that has none, its requests are dropped, not sent elsewhere. That is right for agents that
#   run on every node. trafficDistribution PreferSameNode goes elsewhere where there is none.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service-traffic-policy/
#   - https://github.com/kubernetes/enhancements/tree/master/keps/sig-network/4444-service-routing-preference
# custom:
#   severity: high
#   profile: recommended
#   fix: deterministic
#   kinds: [Service]
#   facts: [traffic]
#   admission: grace
package policies.routing.dropped_off_node

deny contains finding if {
	found := input.facts.traffic.dropped
	found != null
	finding := {
		"path": ["spec", "internalTrafficPolicy"],
		"severity": found.grade,
		"message": sprintf(
			"drops what %d of the %d pods that ask it send: traffic stays on their node, and %s have no instance",
			[found.pods, found.asking, found.nodes],
		),
		"evidence": input.facts.traffic.evidence,
		"fix": remedy,
	}
}

deny contains finding if {
	asking := input.facts.traffic.scattered
	asking != null
	finding := {
		"path": ["spec", "internalTrafficPolicy"],
		"severity": "low",
		"message": sprintf(
			"drops what %s sends from any node without an instance: traffic stays on the node, and nothing puts an instance on each",
			[asking],
		),
		"fix": remedy,
	}
}

remedy := {
	"title": "let requests leave the node",
	"safety": "unsafe",
	"patch": [{"op": "replace", "path": ["spec", "internalTrafficPolicy"], "value": "Cluster"}],
}
